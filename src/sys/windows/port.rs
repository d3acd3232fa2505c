//! The completion port: where the reactor sleeps, alertably, so that APCs of echo requests run on
//! it; where ended connects arrive; and through which other threads wake it.

use super::bindings::*;
use super::socket::last_error;
use crate::clock::Time;
use std::io;
use std::os::windows::io::{AsRawHandle, AsRawSocket, FromRawHandle, OwnedHandle, OwnedSocket};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// The key of wake-ups.
const WAKE: usize = 0;
/// The key of sockets.
const SOCKET: usize = 1;
/// Packets taken at once.
const BATCH: usize = 128;

struct Shared {
    set: AtomicBool,
    port: OwnedHandle,
}

/// Makes the present or the next `Network::wait` return. Any thread.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
}

impl Waker {
    /// Wakes; repeated before the reactor has seen it, it does nothing.
    pub fn wake(&self) {
        if self.shared.set.swap(true, Ordering::AcqRel) {
            return;
        }
        // SAFETY: the port is open; no pointer is passed.
        let posted = unsafe {
            PostQueuedCompletionStatus(self.shared.port.as_raw_handle(), 0, WAKE, null_mut())
        };
        if posted == 0 {
            // The system has no memory for it: the next wake-up tries again.
            self.shared.set.store(false, Ordering::Release);
        }
    }
}

/// See the file's head.
pub(super) struct Port {
    waker: Waker,
    entries: [OverlappedEntry; BATCH],
}

// SAFETY: the entries' pointers are only compared and handed on, by the one thread that uses it.
unsafe impl Send for Port {}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// There were packets or a wake-up; there may be more.
    Packets,
    /// APCs have run; there may be more.
    Calls,
    /// Nothing (more) in time.
    Nothing,
}

impl Port {
    pub(super) fn new() -> io::Result<Port> {
        // SAFETY: no file, no port: makes a new one.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: new, and nobody else's.
        let port = unsafe { OwnedHandle::from_raw_handle(port) };
        let waker = Waker { shared: Arc::new(Shared { set: AtomicBool::new(false), port }) };
        let entry = OverlappedEntry { key: WAKE, overlapped: null_mut(), internal: 0, bytes: 0 };
        Ok(Port { waker, entries: [entry; BATCH] })
    }

    pub(super) fn waker(&self) -> Waker {
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
    /// ([`Time::NEVER`]: none). Appends the operations that have ended to `ended`.
    pub(super) fn wait(&mut self, deadline: Time, ended: &mut Vec<*mut Overlapped>) -> Waited {
        let milliseconds = if deadline == Time::NEVER {
            INFINITE
        } else {
            let nanos = deadline.remaining(Time::now()).as_nanos();
            // Rounded up, or the last millisecond would be spent turning.
            u32::try_from((nanos + 999_999) / 1_000_000).unwrap_or(INFINITE - 1)
        };
        let mut removed = 0;
        let port = self.waker.shared.port.as_raw_handle();
        // SAFETY: the port is open; writable for BATCH entries and for the count.
        let result = unsafe {
            let entries = self.entries.as_mut_ptr();
            GetQueuedCompletionStatusEx(port, entries, BATCH as u32, &mut removed, milliseconds, 1)
        };
        if result == 0 {
            return if last_error() == WAIT_IO_COMPLETION {
                Waited::Calls
            } else {
                Waited::Nothing
            };
        }
        for entry in &self.entries[..removed as usize] {
            if entry.key == WAKE {
                // The packet is gone already: a wake-up from here on makes another.
                self.waker.shared.set.swap(false, Ordering::AcqRel);
            } else {
                ended.push(entry.overlapped);
            }
        }
        Waited::Packets
    }
}
