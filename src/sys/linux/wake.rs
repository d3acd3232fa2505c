//! The sleep of a worker's thread.

use crate::sync::wait_for;
use crate::sys::Apartment;
use std::sync::{Condvar, Mutex, MutexGuard};

/// The sleep of one worker until it is notified.
pub struct Wake(Condvar);

impl Wake {
    /// For a worker's thread; apartments there are none.
    pub fn new(_: Apartment) -> Wake {
        Wake(Condvar::new())
    }

    /// Gives the lock back, sleeps until notified, and takes the lock again. May also return for
    /// no reason. Only the worker's thread sleeps here.
    pub fn wait<'a, T>(&self, mutex: &'a Mutex<T>, held: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        wait_for(&self.0, mutex, held, None)
    }

    /// Ends the present sleep.
    pub fn notify(&self) {
        self.0.notify_all();
    }
}
