//! COM apartments of workers' threads, and the sleep of a worker: a thread in a single-threaded
//! apartment must dispatch window messages while it waits, for calls to its objects come as such.

use super::bindings::*;
use crate::sys::{Apartment, NoApartments};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whether this system has COM apartments.
pub const APARTMENTS: bool = true;

/// Leaves the apartment when dropped; to be dropped by the thread that entered.
pub struct ApartmentGuard {
    entered: bool,
    /// Not to be sent to another thread.
    _thread: PhantomData<*const ()>,
}

/// Enters an apartment, unless none is asked for.
pub fn enter_apartment(apartment: Apartment) -> Result<ApartmentGuard, NoApartments> {
    let model = match apartment {
        Apartment::None => return Ok(ApartmentGuard { entered: false, _thread: PhantomData }),
        Apartment::SingleThreaded => COINIT_APARTMENTTHREADED,
        Apartment::MultiThreaded => COINIT_MULTITHREADED,
    };
    // SAFETY: the pointer is reserved.
    match unsafe { CoInitializeEx(null_mut(), model) } {
        // S_OK and S_FALSE (it is in that apartment already) both want to be undone.
        result if result >= 0 => Ok(ApartmentGuard { entered: true, _thread: PhantomData }),
        _ => Err(NoApartments),
    }
}

impl Drop for ApartmentGuard {
    fn drop(&mut self) {
        if self.entered {
            // SAFETY: on the thread that entered: the guard cannot be sent.
            unsafe { CoUninitialize() };
        }
    }
}

/// The sleep of one worker until it is notified, as its apartment demands.
pub struct Wake {
    condvar: Condvar,
    /// For a single-threaded apartment: sleeps on an event and on messages.
    event: Option<OwnedHandle>,
}

impl Wake {
    /// For a worker's thread in this apartment.
    pub fn new(apartment: Apartment) -> Wake {
        let event = match apartment {
            Apartment::SingleThreaded => {
                // SAFETY: no attributes, no name; resets itself, not set.
                let event = unsafe { CreateEventW(null(), 0, 0, null()) };
                // Without one the worker still works, and dispatches nothing while it waits.
                // SAFETY: new, and nobody else's.
                (!event.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(event) })
            }
            Apartment::None | Apartment::MultiThreaded => None,
        };
        Wake { condvar: Condvar::new(), event }
    }

    /// Gives the lock back, sleeps until notified, and takes the lock again. May also return for
    /// no reason. Only the worker's thread sleeps here; window procedures run on it meanwhile.
    pub fn wait<'a, T>(&self, mutex: &'a Mutex<T>, held: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        match &self.event {
            None => self.condvar.wait(held).unwrap_or_else(PoisonError::into_inner),
            Some(event) => {
                drop(held);
                // A notice given before this stays with the event.
                wait_dispatching(event);
                mutex.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// Ends the present sleep, or the next.
    pub fn notify(&self) {
        match &self.event {
            None => self.condvar.notify_all(),
            Some(event) => {
                // SAFETY: the event is open.
                unsafe { SetEvent(event.as_raw_handle()) };
            }
        }
    }
}

/// The sleep of a worker whose wait for its event fails.
const FAILED_SLEEP: Duration = Duration::from_millis(20);

/// Sleeps until the event is set, and dispatches messages until then.
pub(super) fn wait_dispatching(event: &OwnedHandle) {
    let handles = [event.as_raw_handle()];
    loop {
        // SAFETY: one open handle.
        let woken = unsafe {
            let handles = handles.as_ptr();
            MsgWaitForMultipleObjectsEx(1, handles, INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE)
        };
        if woken == WAIT_FAILED {
            // It may last: without a sleep of its own the worker would turn.
            std::thread::sleep(FAILED_SLEEP);
        }
        // Anything but a message is the event, or an error: then the caller looks for itself.
        if woken != WAIT_OBJECT_0 + 1 {
            return;
        }
        let mut message = MaybeUninit::<Message>::zeroed();
        // SAFETY: writable; a message is read only when there is one.
        unsafe {
            while PeekMessageW(message.as_mut_ptr(), null_mut(), 0, 0, PM_REMOVE) != 0 {
                TranslateMessage(message.as_ptr());
                DispatchMessageW(message.as_ptr());
            }
        }
    }
}
