//! The queue between the threads that finish jobs and the one that collects them. Producers push
//! whole batches under one lock and wake the poller once per batch or less often; the collector
//! takes all that is there at once and hands it out from its own side. Sleeping happens here and
//! nowhere else.

use crate::clock::Time;
use crate::outcome::Completion;
use crate::sync::{self, lock};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

/// Completions that are finished and not yet collected, from which on expansion and first
/// attempts pause.
pub const BACKLOG_LIMIT: u64 = 65_536;

#[derive(Default)]
struct Shared {
    finished: Vec<Completion>,
    /// Somebody asked for the poller's attention; sticky until a poll has seen it.
    woken: bool,
    /// A poller sleeps in `wait`.
    sleeping: bool,
}

/// See the file's head.
#[derive(Default)]
pub struct Completions {
    shared: Mutex<Shared>,
    wake: Condvar,
    /// Completions in `Shared::finished` and on the collector's side.
    ready: AtomicU64,
    /// Jobs that have their completion, collected or not.
    jobs: AtomicU64,
    /// Nobody will collect any more.
    closed: AtomicBool,
}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// There are completions.
    Ready,
    /// Somebody called [`Completions::wake`].
    Asked,
    /// The deadline has passed.
    Deadline,
}

impl Completions {
    /// Appends `batch` (left empty, its capacity kept) and wakes the poller once.
    pub fn push_all(&self, batch: &mut Vec<Completion>) {
        if self.add_all(batch) {
            self.notify();
        }
    }

    /// Appends `batch` as [`Completions::push_all`] does. True: a poller sleeps, and
    /// [`Completions::notify`] shall end that, now or a moment later.
    #[must_use]
    pub fn add_all(&self, batch: &mut Vec<Completion>) -> bool {
        if batch.is_empty() {
            return false;
        }
        let count = batch.len() as u64;
        let jobs = batch.iter().map(|completion| completion.jobs).sum();
        let mut shared = lock(&self.shared);
        if self.is_closed() {
            batch.clear();
            return false;
        }
        if shared.finished.is_empty() {
            std::mem::swap(&mut shared.finished, batch);
        } else {
            shared.finished.append(batch);
        }
        // In this order: who sees them as ready sees them as finished, too.
        self.jobs.fetch_add(jobs, Ordering::SeqCst);
        self.ready.fetch_add(count, Ordering::SeqCst);
        shared.sleeping
    }

    /// Ends the sleep of a poller.
    pub fn notify(&self) {
        self.wake.notify_one();
    }

    /// Appends one completion and wakes the poller.
    pub fn push(&self, completion: Completion) {
        self.push_all(&mut vec![completion]);
    }

    /// Makes the present or the next [`Completions::wait`] return.
    pub fn wake(&self) {
        lock(&self.shared).woken = true;
        self.wake.notify_one();
    }

    /// Nobody will collect any more: what is here and what still comes is dropped.
    pub fn close(&self) {
        let mut shared = lock(&self.shared);
        self.closed.store(true, Ordering::Release);
        let dropped = std::mem::take(&mut shared.finished);
        self.ready.fetch_sub(dropped.len() as u64, Ordering::SeqCst);
    }

    /// Whether nobody will collect any more; who finishes jobs need not make their completions.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Jobs that have their completion, collected or not.
    pub fn jobs_finished(&self) -> u64 {
        self.jobs.load(Ordering::SeqCst)
    }

    /// Finished completions that nobody has collected yet.
    pub fn ready(&self) -> u64 {
        self.ready.load(Ordering::SeqCst)
    }

    /// Whether producers should pause.
    pub fn is_full(&self) -> bool {
        self.ready() >= BACKLOG_LIMIT
    }

    /// Sleeps until there is a completion, [`Completions::wake`] was called, or the deadline.
    pub fn wait(&self, deadline: Time) -> Woken {
        let mut shared = lock(&self.shared);
        loop {
            if std::mem::take(&mut shared.woken) {
                return Woken::Asked;
            }
            if self.ready() > 0 {
                return Woken::Ready;
            }
            let now = Time::now();
            if deadline <= now {
                return Woken::Deadline;
            }
            shared.sleeping = true;
            shared = sync::wait(&self.wake, &self.shared, shared, now, deadline);
            shared.sleeping = false;
        }
    }

    /// Moves everything finished to the end of `into`, in order of finishing. They count as
    /// ready until [`Completions::collected`] is told of them.
    pub fn take(&self, into: &mut Vec<Completion>) {
        let mut shared = lock(&self.shared);
        if into.is_empty() {
            std::mem::swap(into, &mut shared.finished);
        } else {
            into.append(&mut shared.finished);
        }
    }

    /// Tells that `count` of the completions taken have reached the caller.
    pub fn collected(&self, count: u64) {
        self.ready.fetch_sub(count, Ordering::SeqCst);
    }
}
