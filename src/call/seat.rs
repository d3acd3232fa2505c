//! A worker's seat: what others need of its thread. Its sleep, which whoever has news for it ends, and
//! its processor clock, which the supervisor reads. The hub keeps the seats of all workers whose
//! threads are out. Must not know the hub.

use crate::sys::{Apartment, ThreadClock, Wake};
use once_cell::sync::OnceCell;
use std::sync::{Mutex, MutexGuard};

/// See the file's head.
pub(super) struct Seat {
    /// Used with the hub's mutex.
    wake: Wake,
    /// Set by the worker's thread, read by the supervisor's.
    clock: OnceCell<ThreadClock>,
}

impl Seat {
    /// For a worker whose thread will be in `apartment`.
    pub fn new(apartment: Apartment) -> Seat {
        Seat { wake: Wake::new(apartment), clock: OnceCell::new() }
    }

    /// Gives the lock back while the worker's thread sleeps here; may return for no reason.
    pub fn sleep<'a, T>(&self, mutex: &'a Mutex<T>, held: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wake.wait(mutex, held)
    }

    /// Makes the worker look at the shared state again.
    pub fn notify(&self) {
        self.wake.notify();
    }

    /// The worker's thread has come: its clock can be read until it retires.
    pub fn take(&self) {
        self.clock.get_or_init(ThreadClock::current);
    }

    /// The worker's thread is about to go.
    pub fn retire(&self) {
        if let Some(clock) = self.clock.get() {
            clock.retire();
        }
    }

    /// Nanoseconds of processor time the thread has used, where it can be told.
    pub fn cpu_nanos(&self) -> Option<u64> {
        self.clock.get()?.cpu_nanos()
    }

    /// Whether the thread runs or waits for a processor now, where it can be told.
    pub fn is_runnable(&self) -> bool {
        self.clock.get().map_or(false, ThreadClock::is_runnable)
    }
}
