//! What the threads of one pool share: the state under one short mutex, and who sleeps until what.
//! Feeds events to the state and carries its actions out: completions and wake-ups at once, what
//! takes time (threads, the host's stop) as errands of the supervisor. Runs on every thread, and
//! calls nothing of the host's.

use super::seat::Seat;
use super::state::{Action, Event, JobResult, Lifecycle, Response, Rules, State, WorkerId};
use crate::clock::{Time, MILLISECOND};
use crate::completions::Completions;
use crate::outcome::{Completion, JobKind, Statistics};
use crate::sync::{lock, wait};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Nanoseconds for which a completion may wait for others, while jobs wait: so that a thousand short
/// jobs wake the poller once.
const REPORT_INTERVAL: u64 = MILLISECOND;

thread_local! {
    /// Address of the hub in whose callback this thread is; 0 outside.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// See the file's head.
pub(super) struct Hub {
    shared: Mutex<Shared>,
    supervisor: Condvar,
    /// Wakes those who wait for the end.
    end: Condvar,
    completions: Arc<Completions>,
    job_limit: u64,
}

/// What the supervisor is to do, because it takes time.
pub(super) enum Errand {
    /// Make the thread of this worker.
    Open(WorkerId),
    /// Ask the host to end this job of this worker.
    Stop(WorkerId, u64),
}

/// What the mutex protects.
pub(super) struct Shared {
    pub state: State,
    /// By slot; there from opening until the callback has come back.
    pub seats: Vec<Option<Arc<Seat>>>,
    pub errands: VecDeque<Errand>,
    /// The worker whose host is being asked to stop at this moment.
    pub stopping: Option<WorkerId>,
    /// The supervisor is in one of the host's callbacks.
    pub supervisor_in_host: bool,
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs begun.
    pub begun: u64,
    /// Until when the supervisor sleeps; time zero while it is awake.
    supervisor_until: Time,
    supervisor_is_gone: bool,
    unreported: Vec<Completion>,
    /// When the first of them was finished.
    unreported_since: Time,
    /// Empty between steps; kept for its capacity.
    actions: Vec<Action>,
}

/// What has not come back when the wait for the end is over.
pub(super) struct Outstanding {
    /// Callbacks of the host that go on.
    pub callbacks: u32,
    /// The supervisor's thread may still run.
    pub supervisor: bool,
}

/// Marks the thread as inside a callback of this hub's.
pub(super) struct Inside(usize);

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.0));
    }
}

impl Hub {
    pub fn new(rules: Rules, completions: Arc<Completions>) -> Hub {
        let job_limit = rules.job_limit;
        let shared = Shared {
            state: State::new(rules),
            seats: Vec::new(),
            errands: VecDeque::new(),
            stopping: None,
            supervisor_in_host: false,
            submitted: 0,
            begun: 0,
            supervisor_until: Time::from_nanos(0),
            supervisor_is_gone: false,
            unreported: Vec::new(),
            unreported_since: Time::NEVER,
            actions: Vec::new(),
        };
        Hub {
            shared: Mutex::new(shared),
            supervisor: Condvar::new(),
            end: Condvar::new(),
            completions,
            job_limit,
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }

    /// Gives the lock back while a worker sleeps at its seat.
    pub fn sleep_at<'a>(
        &'a self,
        seat: &Seat,
        shared: MutexGuard<'a, Shared>,
    ) -> MutexGuard<'a, Shared> {
        seat.sleep(&self.shared, shared)
    }

    /// Whether the caller shall collect before it submits.
    pub fn is_backed_up(&self) -> bool {
        self.completions.is_full()
    }

    /// From here on until the drop the thread is inside a callback.
    pub fn enter(&self) -> Inside {
        Inside(CURRENT.with(|current| current.replace(self as *const Hub as usize)))
    }

    /// Whether the thread is inside a callback of this hub's.
    pub fn is_current(&self) -> bool {
        CURRENT.with(Cell::get) == self as *const Hub as usize
    }

    /// One step of the state, and what follows from it. Takes the lock and gives it back.
    pub fn step(&self, mut shared: MutexGuard<'_, Shared>, at: Time, event: Event<'_>) -> Response {
        let mut actions = std::mem::take(&mut shared.actions);
        let response = shared.state.step(at, event, &mut actions);
        let mut woken = Vec::new();
        for action in actions.drain(..) {
            match action {
                // What nobody will collect is not made.
                Action::Complete(_) if self.completions.is_closed() => {}
                Action::Complete(result) => {
                    if shared.unreported.is_empty() {
                        shared.unreported_since = at;
                    }
                    shared.unreported.push(completion(&result));
                }
                Action::Wake(id) => woken.extend(shared.seats[id.slot].clone()),
                Action::Open(id) => shared.errands.push_back(Errand::Open(id)),
                Action::Stop(id, job) => shared.errands.push_back(Errand::Stop(id, job)),
            }
        }
        shared.actions = actions;
        shared.begun += u64::from(matches!(response, Response::Take(_)));
        if shared.state.lifecycle() == Lifecycle::Closed {
            // Its stop may never return; it shall not wait for that.
            woken.extend(shared.stopping.and_then(|id| shared.seats[id.slot].clone()));
        }
        let deadline = match event {
            // The many: looking at every worker's deadline would cost more than the job.
            Event::Next(_) if matches!(response, Response::Take(_)) => {
                at.plus_nanos(self.job_limit)
            }
            Event::Next(_) | Event::Finish(..) | Event::Submit(_) => Time::NEVER,
            _ => shared.state.next_tick(),
        };
        let mut batch = shared.take_unreported(at);
        let wake_supervisor = shared.must_wake_supervisor(deadline);
        let is_ended = shared.state.is_ended();
        drop(shared);
        self.completions.push_all(&mut batch);
        for seat in woken {
            seat.notify();
        }
        if wake_supervisor {
            self.supervisor.notify_one();
        }
        if is_ended {
            self.end.notify_all();
        }
        response
    }

    /// Pushes what has waited long enough. Takes the lock and gives it back.
    pub fn report(&self, mut shared: MutexGuard<'_, Shared>, at: Time) {
        let mut batch = shared.take_unreported(at);
        drop(shared);
        self.completions.push_all(&mut batch);
    }

    /// Lets the supervisor sleep until `until`, or until there is something for it to do.
    pub fn sleep(&self, mut shared: MutexGuard<'_, Shared>, now: Time, until: Time) {
        shared.supervisor_until = until;
        let mut shared = wait(&self.supervisor, &self.shared, shared, now, until);
        shared.supervisor_until = Time::from_nanos(0);
    }

    /// The supervisor's last word.
    pub fn supervisor_is_gone(&self) {
        self.lock().supervisor_is_gone = true;
        self.end.notify_all();
    }

    /// Sleeps until workers and supervisor are gone, at most until `limit`. Keeps the state's time
    /// meanwhile, for the supervisor may be stuck in the host's stop.
    pub fn wait_for_end(&self, limit: Time) -> Outstanding {
        let mut shared = self.lock();
        loop {
            let now = Time::now();
            let is_over = shared.supervisor_is_gone && shared.state.is_ended();
            if is_over || limit <= now {
                return Outstanding {
                    callbacks: shared.state.threads() + u32::from(shared.supervisor_in_host),
                    supervisor: !shared.supervisor_is_gone,
                };
            }
            let tick = shared.state.next_tick();
            if tick <= now {
                self.step(shared, now, Event::Tick);
                shared = self.lock();
            } else {
                shared = wait(&self.end, &self.shared, shared, now, tick.min(limit));
            }
        }
    }
}

impl Shared {
    /// When the completions held back are to be pushed.
    pub fn next_report(&self) -> Time {
        match self.unreported.is_empty() {
            true => Time::NEVER,
            false => self.unreported_since.plus_nanos(REPORT_INTERVAL),
        }
    }

    /// What is to be pushed now: all when no job waits or the time has come, else nothing.
    fn take_unreported(&mut self, at: Time) -> Vec<Completion> {
        match self.state.waiting() == 0 || self.next_report() <= at {
            true => std::mem::take(&mut self.unreported),
            false => Vec::new(),
        }
    }

    /// Whether the supervisor sleeps longer than it may; it is woken once for that.
    fn must_wake_supervisor(&mut self, deadline: Time) -> bool {
        let sample = self.state.next_sample().unwrap_or(Time::NEVER);
        let needed = deadline.min(sample).min(self.next_report());
        let now = !self.errands.is_empty() || self.state.is_ended();
        if self.supervisor_until > needed || (now && self.supervisor_until > Time::from_nanos(0)) {
            self.supervisor_until = Time::from_nanos(0);
            return true;
        }
        false
    }
}

fn completion(result: &JobResult) -> Completion {
    Completion {
        user_data: result.job,
        index: 0,
        jobs: 1,
        kind: JobKind::Call,
        outcome: result.outcome,
        os_error: 0,
        detail: result.detail,
        address: None,
        port: 0,
        ttl: None,
        statistics: Statistics::default(),
        finished: crate::sys::wall_clock(),
        duration: result.duration,
        worker: result.worker,
        names: None,
    }
}
