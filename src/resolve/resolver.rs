//! The lock, the threads and the clock around a [`Table`]. Lookups run on [`Threads`], each serving
//! one question after the other until it has been idle for a while; one more thread keeps their
//! deadlines and lives only while lookups are open. Replies are called without the lock.

use super::table::{Callback, Limits, Question, Table};
use super::Answer;
use crate::segment::Threads;
use crate::sync::{lock, wait_for};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

/// Bytes; getaddrinfo and its modules keep buffers of up to 64 KiB on the stack.
const STACK_SIZE: usize = 512 * 1024;

/// Answers one question, blocking for as long as it likes.
type Lookup = Box<dyn Fn(&Question) -> Answer + Send + Sync>;

pub(super) struct Resolver {
    limits: Limits,
    lookup: Lookup,
    threads: Threads,
    state: Mutex<State>,
    /// Something waits for an idle thread.
    work: Condvar,
    /// The timekeeper's sleep does not fit the table any more.
    time: Condvar,
}

struct State {
    table: Table,
    timekeeper: Timekeeper,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Timekeeper {
    Absent,
    /// Running, or asleep until then at the latest; `None` is for ever.
    Until(Option<Instant>),
}

impl Resolver {
    pub fn new(limits: Limits, lookup: Lookup) -> Arc<Resolver> {
        Arc::new(Resolver {
            limits,
            lookup,
            threads: Threads::new("rr-resolver", STACK_SIZE),
            state: Mutex::new(State { table: Table::new(limits), timekeeper: Timekeeper::Absent }),
            work: Condvar::new(),
            time: Condvar::new(),
        })
    }

    pub fn ask(self: &Arc<Self>, question: Question, reply: Callback) {
        let mut state = self.lock();
        state.table.ask(question, reply, Instant::now());
        self.work.notify_one();
        let timekeeper_absent = state.timekeeper == Timekeeper::Absent;
        if timekeeper_absent {
            state.timekeeper = Timekeeper::Until(None);
        } else {
            self.adjust_timekeeper(&state);
        }
        drop(state);
        if timekeeper_absent && self.start_timekeeper().is_err() {
            let mut state = self.lock();
            state.timekeeper = Timekeeper::Absent;
            let replies = state.table.give_up();
            drop(state);
            deliver(replies, Answer::Failed(0));
        }
        self.start_threads();
    }

    /// As many as the table wants.
    fn start_threads(self: &Arc<Self>) {
        loop {
            let wanted = self.lock().table.wants_thread();
            let ahead = match wanted {
                Some(ahead) => ahead,
                None => return,
            };
            let resolver = Arc::clone(self);
            if self.threads.run(ahead, Box::new(move || resolver.serve())).is_err() {
                let mut state = self.lock();
                let replies = state.table.thread_failed();
                self.adjust_timekeeper(&state);
                drop(state);
                deliver(replies, Answer::Failed(0));
                return;
            }
        }
    }

    /// A resolver thread's life.
    fn serve(&self) {
        loop {
            let (mut state, idle_until) = (self.lock(), Instant::now() + self.limits.idle);
            while !state.table.has_waiting() {
                let left = idle_until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                state = wait_for(&self.work, &self.state, state, Some(left));
            }
            let (serial, question) = match state.table.take(Instant::now()) {
                Some(taken) => taken,
                None => return state.table.leave(),
            };
            self.adjust_timekeeper(&state);
            drop(state);

            let answered = panic::catch_unwind(AssertUnwindSafe(|| (self.lookup)(&question)));
            let mut state = self.lock();
            let (replies, goes_on) = state.table.finish(serial);
            self.adjust_timekeeper(&state);
            drop(state);
            deliver(replies, answered.unwrap_or(Answer::Failed(0)));
            if !goes_on {
                return;
            }
        }
    }

    fn start_timekeeper(self: &Arc<Self>) -> std::io::Result<()> {
        let resolver = Arc::clone(self);
        let builder = thread::Builder::new().name("rr-resolve-time".into()).stack_size(STACK_SIZE);
        builder.spawn(move || resolver.keep_time()).map(drop)
    }

    fn keep_time(self: &Arc<Self>) {
        let mut state = self.lock();
        while state.table.has_open() {
            let now = Instant::now();
            let replies = state.table.expire(now);
            if !replies.is_empty() {
                drop(state);
                deliver(replies, Answer::TimedOut(0));
                // What waited for room may be taken now.
                self.work.notify_all();
                self.start_threads();
                state = self.lock();
                continue;
            }
            let deadline = state.table.next_deadline();
            state.timekeeper = Timekeeper::Until(deadline);
            let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
            state = wait_for(&self.time, &self.state, state, left);
        }
        state.timekeeper = Timekeeper::Absent;
    }

    /// Wakes the timekeeper where it would sleep too long.
    fn adjust_timekeeper(&self, state: &State) {
        if let Timekeeper::Until(until) = state.timekeeper {
            let next = state.table.next_deadline();
            let earlier = next.map_or(false, |next| until.map_or(true, |until| next < until));
            if earlier || !state.table.has_open() {
                self.time.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Threads that exist at this moment.
    #[cfg(test)]
    pub fn thread_count(&self) -> usize {
        let timekeeper = self.lock().timekeeper != Timekeeper::Absent;
        self.threads.count() + usize::from(timekeeper)
    }
}

/// The same answer to all; a reply that panics ends only itself.
fn deliver(replies: Vec<Callback>, answer: Answer) {
    let answer = Arc::new(answer);
    for reply in replies {
        let answer = Arc::clone(&answer);
        let _ = panic::catch_unwind(AssertUnwindSafe(move || reply(answer)));
    }
}
