//! Sleeping by epoll: what is asked of the system does not grow with the number of descriptors.

use super::poller::{Interest, Ready};
use super::socket::{errno, own};
use super::waker::Waker;
use crate::clock::Time;
use std::io;
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{null, null_mut};

/// Events taken from the system at once.
const EVENTS: usize = 256;

/// Sleeps on descriptors.
pub(super) struct Epoll {
    epoll: OwnedFd,
    waker: Waker,
    /// Where the kernel has no epoll_pwait2 (before 5.11): ends sleeps to the nanosecond, which
    /// epoll_wait alone cannot.
    timer: Option<OwnedFd>,
    events: Vec<libc::epoll_event>,
}

/// The kernel's `__kernel_timespec`, the same on all architectures.
#[repr(C)]
struct KernelTime {
    seconds: i64,
    nanoseconds: i64,
}

impl Epoll {
    /// An error where the system, or a sandbox around this process, refuses any part of it.
    pub(super) fn new() -> io::Result<Epoll> {
        Epoll::with_timer(false)
    }

    /// `timer`: use a timer even where the kernel could do without.
    fn with_timer(timer: bool) -> io::Result<Epoll> {
        // SAFETY: no pointers.
        let epoll = own(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: no pointers.
        let wake = own(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        let mut poller = Epoll {
            epoll,
            waker: Waker::new(wake, None),
            timer: None,
            events: vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS],
        };
        if timer || poller.sleep_until(Time::from_nanos(0)).is_err() {
            let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
            // SAFETY: no pointers.
            let timer = own(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) })?;
            poller.add(timer.as_raw_fd(), Interest::Read)?;
            poller.timer = Some(timer);
            poller.sleep_until(Time::from_nanos(0)).map_err(io::Error::from_raw_os_error)?;
        }
        let wake = poller.waker.descriptor();
        poller.add(wake, Interest::Read)?;
        Ok(poller)
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    pub(super) fn add(&mut self, fd: RawFd, interest: Interest) -> io::Result<()> {
        let events = match interest {
            Interest::Read => libc::EPOLLIN,
            // Once: the description may outlive its descriptor in a forked child, and would
            // report for ever.
            Interest::ConnectedOnce => libc::EPOLLOUT | libc::EPOLLONESHOT,
        };
        let mut event = libc::epoll_event { events: events as u32, u64: fd as u64 };
        let (epoll, operation) = (self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the event is readable.
        if unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Before closing a descriptor that has not reported.
    pub(super) fn remove(&mut self, fd: RawFd) {
        let (epoll, operation) = (self.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL);
        // SAFETY: the event is not used by this operation.
        unsafe { libc::epoll_ctl(epoll, operation, fd, null_mut()) };
    }

    /// Sleeps until a descriptor is ready, somebody woke us, or the deadline; fills `ready`. True:
    /// there may be more.
    pub(super) fn wait(&mut self, deadline: Time, ready: &mut Vec<Ready>) -> bool {
        ready.clear();
        let count = loop {
            match self.sleep_until(deadline) {
                Ok(count) => break count,
                Err(libc::EINTR) => {}
                Err(_) => break 0,
            }
        };
        let timer = self.timer.as_ref().map(AsRawFd::as_raw_fd);
        for event in &self.events[..count] {
            let (fd, events) = (event.u64 as RawFd, event.events as c_int);
            if fd == self.waker.descriptor() {
                self.waker.clear();
            } else if Some(fd) != timer {
                let error = events & (libc::EPOLLERR | libc::EPOLLHUP) != 0;
                ready.push(Ready { fd, error });
            }
        }
        count == EVENTS
    }

    /// One sleep; the number of events. ENOSYS and the like: no epoll_pwait2 here.
    fn sleep_until(&mut self, deadline: Time) -> Result<usize, i32> {
        let remaining =
            if deadline == Time::NEVER { None } else { Some(deadline.remaining(Time::now())) };
        let (epoll, events) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
        let count = if let Some(timer) = &self.timer {
            let timeout = match remaining {
                Some(time) if time.is_zero() => 0,
                _ => {
                    let time = remaining.unwrap_or_default(); // zero: disarmed
                                                              // SAFETY: integers only.
                    let mut setting: libc::itimerspec = unsafe { std::mem::zeroed() };
                    setting.it_value.tv_sec = time.as_secs() as _;
                    setting.it_value.tv_nsec = time.subsec_nanos() as _;
                    // SAFETY: the setting is readable; setting it also clears an old expiry.
                    unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &setting, null_mut()) };
                    -1
                }
            };
            // SAFETY: writable for EVENTS events.
            unsafe { libc::epoll_wait(epoll, events, EVENTS as c_int, timeout) }
        } else {
            let time = remaining.map(|time| KernelTime {
                seconds: time.as_secs() as i64,
                nanoseconds: time.subsec_nanos().into(),
            });
            let time = time.as_ref().map_or(null(), |time| time as *const KernelTime);
            let (mask, mask_size) = (null::<libc::sigset_t>(), 0usize);
            // SAFETY: events are writable for EVENTS, the time readable or NULL, no signal mask.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    epoll,
                    events,
                    EVENTS as c_int,
                    time,
                    mask,
                    mask_size,
                )
            };
            count as c_int
        };
        usize::try_from(count).map_err(|_| errno())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Of several sleeps of 300 us, the shortest: a busy machine may lengthen all but that.
    fn shortest_sleep(poller: &mut Epoll) -> Duration {
        let mut ready = Vec::new();
        (0..20)
            .map(|_| {
                let begin = Instant::now();
                poller.wait(Time::now().plus(Duration::from_micros(300)), &mut ready);
                begin.elapsed()
            })
            .min()
            .unwrap()
    }

    #[test]
    fn deadlines_are_kept_below_a_millisecond_with_and_without_epoll_pwait2() {
        for timer in [false, true] {
            let shortest = shortest_sleep(&mut Epoll::with_timer(timer).unwrap());
            assert!(shortest >= Duration::from_micros(300), "{shortest:?}");
            assert!(shortest < Duration::from_micros(900), "{shortest:?}");
        }
    }

    #[test]
    fn a_timer_that_has_expired_does_not_end_the_next_sleep() {
        let mut poller = Epoll::with_timer(true).unwrap();
        let mut ready = Vec::new();
        poller.wait(Time::now().plus_nanos(1_000), &mut ready);
        let begin = Instant::now();
        poller.wait(Time::now().plus(Duration::from_millis(20)), &mut ready);
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }
}
