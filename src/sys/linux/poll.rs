//! Sleeping by ppoll, for kernels and sandboxes that refuse epoll or what it is used with. What it
//! asks of the system grows with the number of descriptors.

use super::poller::{Interest, Ready};
use super::socket::errno;
use super::waker::Waker;
use crate::clock::Time;
use std::io;
use std::os::raw::c_int;
use std::os::unix::io::{FromRawFd, OwnedFd, RawFd};
use std::ptr::null;

/// Sleeps on descriptors.
pub(super) struct Poll {
    waker: Waker,
    /// The waker's first.
    entries: Vec<libc::pollfd>,
}

impl Poll {
    pub(super) fn new() -> io::Result<Poll> {
        let mut ends: [c_int; 2] = [-1; 2];
        // SAFETY: writable for two descriptors.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: new descriptors that nobody else owns.
        let (read, write) =
            unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
        let mut poller = Poll { waker: Waker::new(read, Some(write)), entries: Vec::new() };
        let wake = poller.waker.descriptor();
        poller.add(wake, Interest::Read)?;
        Ok(poller)
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    pub(super) fn add(&mut self, fd: RawFd, interest: Interest) -> io::Result<()> {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::ConnectedOnce => libc::POLLOUT,
        };
        self.entries.push(libc::pollfd { fd, events, revents: 0 });
        Ok(())
    }

    /// Before closing a descriptor that has not reported.
    pub(super) fn remove(&mut self, fd: RawFd) {
        if let Some(index) = self.entries.iter().position(|entry| entry.fd == fd) {
            self.entries.swap_remove(index);
        }
    }

    /// Sleeps until a descriptor is ready, somebody woke us, or the deadline; fills `ready`. True:
    /// there may be more.
    pub(super) fn wait(&mut self, deadline: Time, ready: &mut Vec<Ready>) -> bool {
        ready.clear();
        loop {
            let time = if deadline == Time::NEVER {
                None
            } else {
                let remaining = deadline.remaining(Time::now());
                Some(libc::timespec {
                    tv_sec: remaining.as_secs() as _,
                    tv_nsec: remaining.subsec_nanos() as _,
                })
            };
            let time = time.as_ref().map_or(null(), |time| time as *const libc::timespec);
            let count = self.entries.len() as libc::nfds_t;
            // SAFETY: writable for `count` entries; the time is readable or NULL; no signal mask.
            let result = unsafe { libc::ppoll(self.entries.as_mut_ptr(), count, time, null()) };
            if result >= 0 {
                break;
            }
            if errno() != libc::EINTR {
                return false;
            }
        }
        if self.entries[0].revents != 0 {
            self.waker.clear();
        }
        for entry in &self.entries[1..] {
            if entry.revents != 0 {
                let error = entry.revents & (libc::POLLERR | libc::POLLHUP) != 0;
                ready.push(Ready { fd: entry.fd, error });
            }
        }
        // What waits for a connection reports once.
        self.entries.retain(|entry| entry.revents == 0 || entry.events == libc::POLLIN);
        false
    }
}
