//! One worker: the host's side of hand-out, and the body of its thread. Runs on the worker's own
//! thread. An abandoned worker is out of everything: its calls say so and touch nothing.

use super::hub::Hub;
use super::{Apartment, FinishError, Host};
use crate::clock::Time;
use crate::outcome::Outcome;
use crate::pool::state::{Event, Lifecycle, Reply, WorkerId};
use crate::sys::{enter_apartment, ThreadClock, Wake};
use once_cell::sync::OnceCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

/// See the file's head.
pub struct Worker {
    hub: Arc<Hub>,
    id: WorkerId,
    /// Used with the hub's mutex.
    wake: Wake,
    /// Set by the worker's thread, read by the supervisor's.
    clock: OnceCell<ThreadClock>,
}

impl Worker {
    pub(super) fn new(hub: Arc<Hub>, id: WorkerId, apartment: Apartment) -> Worker {
        Worker { hub, id, wake: Wake::new(apartment), clock: OnceCell::new() }
    }

    /// The worker's number in its pool, from 1.
    pub fn number(&self) -> u32 {
        self.id.number
    }

    /// Takes the next job; sleeps until there is one. `None`: the callback shall return.
    pub fn next(&self) -> Result<Option<u64>, FinishError> {
        loop {
            let mut shared = self.hub.lock();
            // A stop meant for the last job must not reach the next one.
            while shared.stopping == Some(self.id) && shared.state.lifecycle() < Lifecycle::Closed {
                shared = self.hub.wait(&self.wake, shared);
            }
            match self.hub.step(shared, Time::now(), Event::Next(self.id)) {
                Reply::Take(job) => return Ok(Some(job)),
                Reply::NotFinished => return Err(FinishError::NotFinished),
                Reply::Park => self.park(),
                _ => return Ok(None),
            }
        }
    }

    /// Reports the job taken last as ended, with `Completed`, `Failed`, `Stopped` or `Lost`; what it
    /// was asked for, or its limit, wins. `false`: the callback shall return.
    pub fn finish(&self, outcome: Outcome) -> Result<bool, FinishError> {
        let at = Time::now();
        match self.hub.step(self.hub.lock(), at, Event::Finish(self.id, outcome)) {
            Reply::Done => Ok(true),
            Reply::NothingTaken => Err(FinishError::NothingTaken),
            _ => Ok(false),
        }
    }

    fn park(&self) {
        let mut shared = self.hub.lock();
        while shared.state.is_parked(self.id) {
            shared = self.hub.wait(&self.wake, shared);
        }
    }

    /// Makes the worker look at the shared state again.
    pub(super) fn notify(&self) {
        self.wake.notify();
    }

    /// Nanoseconds of processor time its thread has used, where it can be told.
    pub(super) fn cpu_nanos(&self) -> Option<u64> {
        self.clock.get()?.cpu_nanos()
    }

    /// Whether its thread runs or waits for a processor now, where it can be told.
    pub(super) fn is_runnable(&self) -> bool {
        self.clock.get().map_or(false, ThreadClock::is_runnable)
    }
}

/// Dropped last on the worker's thread, whatever happened before.
struct Returned(Arc<Worker>);

impl Drop for Returned {
    fn drop(&mut self) {
        let worker = &self.0;
        let mut shared = worker.hub.lock();
        // Still ours: the slot becomes another worker's only after this step.
        let _ours = shared.workers[worker.id.slot].take();
        worker.hub.step(shared, Time::now(), Event::Returned(worker.id));
    }
}

/// The body of a worker's thread.
pub(super) fn run(worker: Arc<Worker>, host: Arc<dyn Host>, apartment: Apartment) {
    let returned = Returned(worker);
    let worker = &returned.0;
    let clock = worker.clock.get_or_init(ThreadClock::current);
    if let Ok(_apartment) = enter_apartment(apartment) {
        let hub = &worker.hub;
        if hub.step(hub.lock(), Time::now(), Event::Begin(worker.id)) == Reply::Done {
            let _inside = hub.enter();
            // A panic ends this worker; its job fails when the worker has returned.
            let _ = catch_unwind(AssertUnwindSafe(|| host.run(worker)));
        }
    }
    clock.retire();
    // Before the return is reported: where close finds no callback left, the host is gone.
    drop(host);
}
