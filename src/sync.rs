//! Locks without poison: a panic is contained where it happens (the guard, the reactor's turn, a
//! callback), and what it left behind is either whole or replaced there.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock, whether or not a thread has panicked while it had it.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
