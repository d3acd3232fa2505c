//! The completion port: where the reactor sleeps, alertably, so that APCs of echo requests run on
//! it; where ended connects arrive; and through which other threads wake it.

use super::bindings::*;
use super::calls::{Calls, System};
use super::socket::last_error;
use crate::clock::{Time, MILLISECOND, SECOND};
use std::io;
use std::os::windows::io::{AsRawHandle, AsRawSocket, FromRawHandle, OwnedHandle, OwnedSocket};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// The key of wake-ups.
pub(super) const WAKE: usize = 0;
/// The key of sockets.
pub(super) const SOCKET: usize = 1;
/// Packets taken at once.
const BATCH: usize = 128;
/// The longest sleep without a look at the wake-ups that the system had no memory for.
pub(super) const LONGEST_SLEEP: u64 = SECOND;
/// A fine wait of at most this is slept out on the timer, before a look at the port: packets and
/// wake-ups are seen this much later at most. (A timer's own APC would end a wait at the port itself;
/// under Wine waits with such a timer have not ended.)
pub(super) const SHORT: u64 = 4 * MILLISECOND;
/// Longer than the system's clock makes of it.
const SHORT_LIMIT_MS: u32 = 20;
/// The longest sleep, in milliseconds, where the port itself fails.
const FAILED_SLEEP_MS: u32 = 20;
/// Alertable waits in a row, each of which ran APCs, before other things are looked at.
const MOST_CALLS: usize = 64;

struct Shared<C> {
    /// A wake-up is on its way.
    set: AtomicBool,
    /// One could not be posted: the sleeper sees it here.
    owed: AtomicBool,
    port: OwnedHandle,
    calls: C,
}

/// Makes the present or the next `Network::wait` return. Any thread.
pub struct Waker<C = System> {
    shared: Arc<Shared<C>>,
}

impl<C> Clone for Waker<C> {
    fn clone(&self) -> Waker<C> {
        Waker { shared: Arc::clone(&self.shared) }
    }
}

impl<C: Calls> Waker<C> {
    /// Wakes; repeated before the reactor has seen it, it does nothing.
    pub fn wake(&self) {
        let shared = &self.shared;
        if shared.set.swap(true, Ordering::AcqRel) {
            return;
        }
        // PostQueuedCompletionStatus returns zero where it fails, for want of memory: the sleeper
        // sees this wake-up by itself, if later, and the next one tries to post again.
        if !shared.calls.post(shared.port.as_raw_handle(), WAKE) {
            shared.owed.store(true, Ordering::Release);
            shared.set.store(false, Ordering::Release);
        }
    }
}

/// See the file's head.
pub(super) struct Port<C = System> {
    waker: Waker<C>,
    calls: C,
    /// The system's waits end at ticks of its clock, which come every 15.6 ms: at 256 packets a
    /// burst that caps a rate at about 16,400 a second. A timer of high resolution
    /// (CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, Windows 10 version 1803 and later: the page of
    /// CreateWaitableTimerExW) ends short ones in time, where they may be fine. `None`: there is none.
    timer: Option<OwnedHandle>,
    entries: [OverlappedEntry; BATCH],
}

// SAFETY: the entries' pointers are only compared and handed on, by the one thread that uses it.
unsafe impl<C: Send> Send for Port<C> {}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waited {
    /// There were packets or a wake-up; there may be more.
    Packets,
    /// APCs have run; there may be more.
    Calls,
    /// Nothing (more) in time.
    Nothing,
}

impl<C: Calls> Port<C> {
    pub(super) fn new(calls: C) -> io::Result<Port<C>> {
        // SAFETY: no file, no port: makes a new one.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: new, and nobody else's.
        let port = unsafe { OwnedHandle::from_raw_handle(port) };
        let (set, owed) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Shared { set, owed, port, calls: calls.clone() };
        let waker = Waker { shared: Arc::new(shared) };
        let entry = OverlappedEntry { key: WAKE, overlapped: null_mut(), internal: 0, bytes: 0 };
        let timer = calls.make_timer();
        Ok(Port { waker, calls, timer, entries: [entry; BATCH] })
    }

    pub(super) fn waker(&self) -> Waker<C> {
        self.waker.clone()
    }

    /// Has the ends of the socket's operations arrive here.
    pub(super) fn add(&self, socket: &OwnedSocket) -> Result<(), i32> {
        let (file, port) = (socket.as_raw_socket() as _, self.waker.shared.port.as_raw_handle());
        // SAFETY: both are open.
        match unsafe { CreateIoCompletionPort(file, port, SOCKET, 0) }.is_null() {
            false => Ok(()),
            true => Err(last_error()),
        }
    }

    /// Sleeps, alertably, until there are packets or APCs, somebody woke us, or the deadline
    /// ([`Time::NEVER`]: none). Appends the operations that have ended to `ended`. A fine wait is in
    /// time within a tick, but does not see packets at once: it is for when none tells a time.
    pub(super) fn wait(
        &mut self,
        deadline: Time,
        fine: bool,
        ended: &mut Vec<*mut Overlapped>,
    ) -> Waited {
        loop {
            if self.waker.shared.owed.swap(false, Ordering::AcqRel) {
                return Waited::Packets;
            }
            let left = deadline.nanos_since(self.calls.now());
            let is_last = left <= LONGEST_SLEEP;
            let mut sleep = left.min(LONGEST_SLEEP);
            if fine && left > 0 && left <= SHORT {
                match self.sleep_shortly(left) {
                    Some(true) => return Waited::Calls,
                    Some(false) => sleep = 0,
                    None => {}
                }
            }
            // Rounded up, or the last millisecond would be spent turning.
            let milliseconds = ((sleep + MILLISECOND - 1) / MILLISECOND) as u32;
            let port = self.waker.shared.port.as_raw_handle();
            match self.calls.dequeue(port, &mut self.entries, milliseconds) {
                Ok(count) => {
                    self.take(count, ended);
                    return Waited::Packets;
                }
                Err(WAIT_IO_COMPLETION) => return Waited::Calls,
                Err(WAIT_TIMEOUT) if !is_last => {}
                Err(WAIT_TIMEOUT) => return Waited::Nothing,
                // An error came at once, and may last: without a sleep of its own the thread would
                // turn. Alertable, so that echo requests end.
                Err(_) if milliseconds > 0 => {
                    return match self.calls.run_calls(milliseconds.min(FAILED_SLEEP_MS)) {
                        true => Waited::Calls,
                        false => Waited::Nothing,
                    }
                }
                Err(_) => return Waited::Nothing,
            }
        }
    }

    /// Has APCs run that are queued. The page of GetQueuedCompletionStatusEx says that it waits
    /// alertably only where there are no entries, and not at all for a time of zero; SleepEx runs
    /// them in any case. Whether none is left.
    pub(super) fn run_calls(&self) -> bool {
        (0..MOST_CALLS).any(|_| !self.calls.run_calls(0))
    }

    /// Sleeps on the timer; whether APCs have run. `None`: there is no timer, and no sleep.
    fn sleep_shortly(&mut self, nanos: u64) -> Option<bool> {
        let timer = self.timer.as_ref()?.as_raw_handle();
        let is_set = self.calls.set_timer(timer, ((nanos + 99) / 100) as i64);
        let slept = if is_set { self.calls.sleep_on(timer, SHORT_LIMIT_MS) } else { None };
        if slept.is_none() {
            // The port's wait ends by its own time, at a tick.
            self.timer = None;
        }
        slept
    }

    fn take(&mut self, count: usize, ended: &mut Vec<*mut Overlapped>) {
        for entry in &self.entries[..count] {
            if entry.key == WAKE {
                let shared = &self.waker.shared;
                // What was owed is paid by this one.
                shared.owed.store(false, Ordering::Release);
                // The packet is gone already: a wake-up from here on makes another.
                shared.set.swap(false, Ordering::AcqRel);
            } else {
                ended.push(entry.overlapped);
            }
        }
    }
}
