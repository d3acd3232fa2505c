//! The wake-up of the reactor from other threads: a descriptor it sleeps on, and a flag that keeps
//! a wake-up that is already under way from costing a system call.

use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

struct Shared {
    set: AtomicBool,
    /// Both ends live as long as any waker: a write never meets a closed pipe.
    read: OwnedFd,
    write: Option<OwnedFd>,
}

/// Makes the present or the next `Network::wait` return. Any thread.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
}

impl Waker {
    /// Over a pipe, or, without a `write` end, an eventfd; both non-blocking.
    pub(super) fn new(read: OwnedFd, write: Option<OwnedFd>) -> Waker {
        Waker { shared: Arc::new(Shared { set: AtomicBool::new(false), read, write }) }
    }

    /// Wakes; repeated before the reactor has seen it, it does nothing.
    pub fn wake(&self) {
        if self.shared.set.swap(true, Ordering::AcqRel) {
            return;
        }
        let one = 1u64.to_ne_bytes();
        let fd = self.shared.write.as_ref().unwrap_or(&self.shared.read).as_raw_fd();
        // The flag lets one write through at a time, so there is always room.
        // SAFETY: readable for the length given; the descriptor is open.
        while unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) } < 0
            && super::socket::errno() == libc::EINTR
        {}
    }

    /// The descriptor to sleep on: readable while a wake-up waits.
    pub(super) fn descriptor(&self) -> RawFd {
        self.shared.read.as_raw_fd()
    }

    /// Takes the wake-up. The descriptor is emptied before the flag: the other way about, a
    /// wake-up in between would be read away and leave the flag set for ever.
    pub(super) fn clear(&self) {
        let mut buffer = [0u8; 64];
        // SAFETY: writable for the length given; the descriptor is open and non-blocking.
        unsafe { libc::read(self.descriptor(), buffer.as_mut_ptr().cast(), buffer.len()) };
        self.shared.set.swap(false, Ordering::AcqRel);
    }
}
