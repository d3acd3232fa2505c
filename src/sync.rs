//! Locks whose poison means nothing: a panic is contained where it happens (each thread of ours and
//! each exported function catches it), and what a mutex guards is whole between its statements. One
//! place, so that no lock in the crate can end in a second panic. Must not know what is locked.

use crate::clock::Time;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Takes the lock, poisoned or not.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until `condvar` is notified or `until` has come; may return for no reason. `now` is what
/// the caller has just read, for the common case in which it has.
pub fn wait<'a, T>(
    condvar: &Condvar,
    held: MutexGuard<'a, T>,
    now: Time,
    until: Time,
) -> MutexGuard<'a, T> {
    if until == Time::NEVER {
        return condvar.wait(held).unwrap_or_else(PoisonError::into_inner);
    }
    let woken = condvar.wait_timeout(held, until.remaining(now));
    woken.unwrap_or_else(PoisonError::into_inner).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MILLISECOND;
    use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

    #[test]
    fn a_lock_that_saw_a_panic_is_still_taken_and_slept_on() {
        let mutex = Mutex::new(1);
        let poisoning = catch_unwind(AssertUnwindSafe(|| {
            let _held = mutex.lock().unwrap();
            resume_unwind(Box::new("contained"));
        }));
        assert!(poisoning.is_err() && mutex.is_poisoned());
        let now = Time::now();
        let held = wait(&Condvar::new(), lock(&mutex), now, now.plus_nanos(MILLISECOND));
        assert_eq!(*held, 1);
    }
}
