//! The sleep of a worker's thread.

use crate::sys::Apartment;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The sleep of one worker until it is notified.
pub struct Wake(Condvar);

impl Wake {
    /// For a worker's thread; apartments there are none.
    pub fn new(_: Apartment) -> Wake {
        Wake(Condvar::new())
    }

    /// Gives the lock back, sleeps until notified, and takes the lock again. May also return for
    /// no reason. Only the worker's thread sleeps here.
    pub fn wait<'a, T>(&self, _: &'a Mutex<T>, held: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(held).unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the present sleep.
    pub fn notify(&self) {
        self.0.notify_all();
    }
}
