//! One worker: the host's side of hand-out, and the body of its thread. Runs on the worker's own
//! thread. An abandoned worker is out of everything: its calls say so and touch nothing.

use super::hub::Hub;
use super::seat::Seat;
use super::state::{Event, Lifecycle, Response, WorkerId};
use super::{Apartment, FinishError, Host};
use crate::clock::Time;
use crate::outcome::Outcome;
use crate::sys::enter_apartment;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

/// See the file's head.
pub struct Worker {
    hub: Arc<Hub>,
    id: WorkerId,
    seat: Arc<Seat>,
}

impl Worker {
    pub(super) fn new(hub: Arc<Hub>, id: WorkerId, seat: Arc<Seat>) -> Worker {
        Worker { hub, id, seat }
    }

    /// The worker's number in its pool, from 1.
    pub fn number(&self) -> u32 {
        self.id.number
    }

    /// Says that the worker is open: what it does from here until its first [`Worker::next`] makes it
    /// ready, may wait as a job may, and keeps no other worker from opening. `false`: the callback
    /// shall return.
    pub fn opened(&self) -> bool {
        let event = Event::Opened(self.id);
        self.hub.step(self.hub.lock(), Time::now(), event) != Response::Leave
    }

    /// Takes the next job; sleeps until there is one. `None`: the callback shall return.
    pub fn next(&self) -> Result<Option<u64>, FinishError> {
        loop {
            let mut shared = self.hub.lock();
            // A stop meant for the last job must not reach the next one.
            while shared.stopping == Some(self.id) && shared.state.lifecycle() < Lifecycle::Closed {
                shared = self.hub.sleep_at(&self.seat, shared);
            }
            match self.hub.step(shared, Time::now(), Event::Next(self.id)) {
                Response::Take(job) => return Ok(Some(job)),
                Response::NotFinished => return Err(FinishError::NotFinished),
                Response::Park => self.park(),
                _ => return Ok(None),
            }
        }
    }

    /// Reports the job taken last as ended, with `Completed`, `Failed`, `Stopped` or `Lost`; what it
    /// was asked for, or its limit, wins. `false`: the callback shall return.
    pub fn finish(&self, outcome: Outcome) -> Result<bool, FinishError> {
        let at = Time::now();
        match self.hub.step(self.hub.lock(), at, Event::Finish(self.id, outcome)) {
            Response::Done => Ok(true),
            Response::NothingTaken => Err(FinishError::NothingTaken),
            _ => Ok(false),
        }
    }

    fn park(&self) {
        let mut shared = self.hub.lock();
        while shared.state.is_parked(self.id) {
            shared = self.hub.sleep_at(&self.seat, shared);
        }
    }
}

/// Dropped last on the worker's thread, whatever happened before.
struct Returned(Arc<Worker>);

impl Drop for Returned {
    fn drop(&mut self) {
        let worker = &self.0;
        let mut shared = worker.hub.lock();
        // Still ours: the slot becomes another worker's only after this step.
        let _ours = shared.seats[worker.id.slot].take();
        worker.hub.step(shared, Time::now(), Event::Returned(worker.id));
    }
}

/// The body of a worker's thread.
pub(super) fn run(worker: Arc<Worker>, host: Arc<dyn Host>, apartment: Apartment) {
    let returned = Returned(worker);
    let worker = &returned.0;
    worker.seat.take();
    if let Ok(_apartment) = enter_apartment(apartment) {
        let hub = &worker.hub;
        if hub.step(hub.lock(), Time::now(), Event::Begin(worker.id)) == Response::Done {
            let _inside = hub.enter();
            // A panic ends this worker; its job fails when the worker has returned.
            let _ = catch_unwind(AssertUnwindSafe(|| host.run(worker)));
        }
    }
    worker.seat.retire();
    // Before the return is reported: where close finds no callback left, the host is gone.
    drop(host);
}
