//! Locks whose poison means nothing: a panic is contained where it happens (each thread of ours and
//! each exported function catches it), and what a mutex guards is whole between its statements. One
//! place, so that no lock in the crate can end in a second panic. Must not know what is locked.

use crate::clock::Time;
use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(not(feature = "races"))]
mod asleep {
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    /// Takes the lock, poisoned or not.
    pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the lock of `mutex` back, sleeps until `condvar` is notified or the time is over, and
    /// takes the lock again; may return for no reason.
    pub fn wait_for<'a, T>(
        condvar: &Condvar,
        _mutex: &'a Mutex<T>,
        held: MutexGuard<'a, T>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        match longest {
            None => condvar.wait(held).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => {
                condvar.wait_timeout(held, longest).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

/// The same for a race detector. The standard library comes without its instructions, so what happens
/// there to who sleeps for a lock or a condition variable is not seen, and all that follows would look
/// like a race. Here nobody sleeps in the standard library: the two ways into a lock and out of it that
/// are compiled into this crate do everything.
#[cfg(feature = "races")]
mod asleep {
    use std::sync::{Condvar, Mutex, MutexGuard, TryLockError};
    use std::time::Duration;

    /// Takes the lock, poisoned or not.
    pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        loop {
            match mutex.try_lock() {
                Ok(held) => return held,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
    }

    /// Gives the lock back for a moment; returns for no reason.
    pub fn wait_for<'a, T>(
        _condvar: &Condvar,
        mutex: &'a Mutex<T>,
        held: MutexGuard<'a, T>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        let moment = Duration::from_micros(200);
        drop(held);
        std::thread::sleep(longest.map_or(moment, |longest| longest.min(moment)));
        lock(mutex)
    }
}

pub use asleep::{lock, wait_for};

/// [`wait_for`] until `until`. `now` is what the caller has just read, for the common case in which it
/// has.
pub fn wait<'a, T>(
    condvar: &Condvar,
    mutex: &'a Mutex<T>,
    held: MutexGuard<'a, T>,
    now: Time,
    until: Time,
) -> MutexGuard<'a, T> {
    let longest = (until != Time::NEVER).then(|| until.remaining(now));
    wait_for(condvar, mutex, held, longest)
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
        let held = wait(&Condvar::new(), &mutex, lock(&mutex), now, now.plus_nanos(MILLISECOND));
        assert_eq!(*held, 1);
    }
}
