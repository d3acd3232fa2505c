//! What the reactor sleeps with: epoll, or ppoll where the system refuses that. Which of the two it
//! is shows in nothing but the cost.

use super::epoll::Epoll;
use super::poll::Poll;
use super::waker::Waker;
use crate::clock::Time;
use std::io;
use std::os::unix::io::RawFd;

/// What a descriptor is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// Something to read, until removed.
    Read,
    /// A connect that has ended, reported once.
    ConnectedOnce,
}

/// A descriptor with something to tell.
#[derive(Clone, Copy)]
pub(super) struct Ready {
    pub(super) fd: RawFd,
    /// An error waits, on the socket or in its error queue.
    pub(super) error: bool,
}

/// Sleeps on descriptors.
pub(super) enum Poller {
    Epoll(Epoll),
    Poll(Poll),
}

impl Poller {
    pub(super) fn new() -> io::Result<Poller> {
        if let Ok(epoll) = Epoll::new() {
            return Ok(Poller::Epoll(epoll));
        }
        Poll::new().map(Poller::Poll)
    }

    pub(super) fn waker(&self) -> Waker {
        match self {
            Poller::Epoll(epoll) => epoll.waker(),
            Poller::Poll(poll) => poll.waker(),
        }
    }

    pub(super) fn add(&mut self, fd: RawFd, interest: Interest) -> io::Result<()> {
        match self {
            Poller::Epoll(epoll) => epoll.add(fd, interest),
            Poller::Poll(poll) => poll.add(fd, interest),
        }
    }

    /// Before closing a descriptor that has not reported.
    pub(super) fn remove(&mut self, fd: RawFd) {
        match self {
            Poller::Epoll(epoll) => epoll.remove(fd),
            Poller::Poll(poll) => poll.remove(fd),
        }
    }

    /// Sleeps until a descriptor is ready, somebody woke us, or the deadline; fills `ready`. True:
    /// there may be more.
    pub(super) fn wait(&mut self, deadline: Time, ready: &mut Vec<Ready>) -> bool {
        match self {
            Poller::Epoll(epoll) => epoll.wait(deadline, ready),
            Poller::Poll(poll) => poll.wait(deadline, ready),
        }
    }
}
