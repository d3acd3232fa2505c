//! TCP connects under way: each a socket that is closed the moment it is known to be open or not.
//! Never binds first (a port that is bound is taken from those for other destinations), and
//! closes with a reset (SO_LINGER 0), so that no port is left waiting.

use super::outcome::{connect_error, route_outcome};
use super::poller::{Interest, Poller, Ready};
use super::socket::{errno, local_name, open_socket, set_option, take_error, SocketAddress};
use crate::address::Address;
use crate::clock::Time;
use crate::sys::{ConnectError, Event, ProbeId, RoundTrip};
use std::collections::HashMap;
use std::mem::size_of_val;
use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};

/// Connects begun between two looks at those under way: what is seen late is late in its round
/// trip.
const UNSEEN: u32 = 8;

/// The first words of `tcp_info` (linux/tcp.h), up to the one that is wanted.
const INFO_WORDS: usize = 18;
/// The smoothed round trip, microseconds: here that of the first segment. 0: none was measured.
const INFO_ROUND_TRIP: usize = 17;

/// Whether a refused connect is told only after the system has repeated its SYN: never.
pub fn repeats_refused_connects() -> bool {
    false
}

struct Connecting {
    id: ProbeId,
    socket: OwnedFd,
    to: Address,
    port: u16,
    begun: Time,
}

#[derive(Default)]
pub(super) struct Connects {
    by_descriptor: HashMap<RawFd, Connecting>,
    by_probe: HashMap<ProbeId, RawFd>,
    /// Begun since somebody looked.
    unseen: u32,
}

impl Connects {
    /// Begins a connect. `Ok(None)`: `finish` will tell; `Ok(Some)`: it has ended already.
    pub(super) fn begin(
        &mut self,
        poller: &mut Poller,
        id: ProbeId,
        to: Address,
        port: u16,
    ) -> Result<Option<Event>, ConnectError> {
        let socket = open_socket(to.family(), libc::SOCK_STREAM, libc::IPPROTO_TCP)
            .map_err(connect_error)?;
        let reset = libc::linger { l_onoff: 1, l_linger: 0 };
        set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, &reset)
            .map_err(connect_error)?;
        let connecting = Connecting { id, socket, to, port, begun: Time::now() };
        let fd = connecting.socket.as_raw_fd();
        match connect_to(&connecting.socket, &to, port) {
            Ok(()) => return Ok(Some(connecting.end(false, Time::now()))),
            // Interrupted, it goes on by itself.
            Err(libc::EINPROGRESS | libc::EINTR) => {}
            Err(libc::EADDRNOTAVAIL) => return Err(no_local_name(&to, port)),
            Err(error) => return Err(connect_error(error)),
        }
        // What is near has answered within the call.
        if let Some(error) = has_ended(fd) {
            return Ok(Some(connecting.end(error, Time::now())));
        }
        poller.add(fd, Interest::ConnectedOnce).map_err(|error| ConnectError::NotStarted {
            os_error: error.raw_os_error().unwrap_or(0),
        })?;
        self.by_probe.insert(id, fd);
        self.by_descriptor.insert(fd, connecting);
        Ok(None)
    }

    /// Whether so many were begun since this was true last, the one that has just been among them,
    /// that it is time to look at those under way.
    pub(super) fn wants_look(&mut self) -> bool {
        self.unseen += 1;
        let wants = self.unseen >= UNSEEN;
        if wants {
            self.unseen = 0;
        }
        wants && !self.by_descriptor.is_empty()
    }

    /// What became of a connect whose descriptor has reported.
    pub(super) fn finish(&mut self, ready: Ready, at: Time) -> Option<Event> {
        let connecting = self.by_descriptor.remove(&ready.fd)?;
        self.by_probe.remove(&connecting.id);
        Some(connecting.end(ready.error, at))
    }

    /// Ends a connect under way, if it is one; nothing will tell of it.
    pub(super) fn cancel(&mut self, poller: &mut Poller, id: ProbeId) {
        if let Some(fd) = self.by_probe.remove(&id) {
            poller.remove(fd);
            self.by_descriptor.remove(&fd);
        }
    }

    /// Ends all.
    pub(super) fn clear(&mut self, poller: &mut Poller) {
        for fd in self.by_descriptor.keys() {
            poller.remove(*fd);
        }
        self.by_descriptor.clear();
        self.by_probe.clear();
    }

    /// Ends those to hosts whose link-layer addresses cannot be found, and tells it.
    pub(super) fn fail(
        &mut self,
        poller: &mut Poller,
        is_failed: impl Fn(&Address) -> bool,
        events: &mut Vec<Event>,
    ) {
        let failed = |connecting: &&Connecting| is_failed(&connecting.to);
        let ids: Vec<ProbeId> =
            self.by_descriptor.values().filter(failed).map(|connecting| connecting.id).collect();
        let at = Time::now();
        for id in ids {
            self.cancel(poller, id);
            let error = connect_error(libc::EHOSTUNREACH);
            events.push(Event::ConnectFailed { id, at, error, round_trip: RoundTrip::Unknown });
        }
    }
}

/// The error of connect(2).
fn connect_to(socket: &OwnedFd, to: &Address, port: u16) -> Result<(), i32> {
    let name = SocketAddress::new(to, port);
    let (pointer, length) = (&name as *const SocketAddress, SocketAddress::length(to.family()));
    // SAFETY: readable for the length given.
    match unsafe { libc::connect(socket.as_raw_fd(), pointer.cast(), length) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// What "cannot assign requested address" means: that all ports to that destination are taken, or
/// that this machine has no address to reach it from. Of another protocol, with ports of its own,
/// only the second is true.
fn no_local_name(to: &Address, port: u16) -> ConnectError {
    let os_error = libc::EADDRNOTAVAIL;
    let asked = open_socket(to.family(), libc::SOCK_DGRAM, libc::IPPROTO_UDP)
        .and_then(|socket| connect_to(&socket, to, port));
    match asked {
        Err(libc::EADDRNOTAVAIL) => {
            ConnectError::Failed { outcome: route_outcome(os_error), os_error }
        }
        _ => ConnectError::NotStarted { os_error },
    }
}

/// Whether a connect has ended; `Some(true)`: with an error, perhaps.
fn has_ended(fd: RawFd) -> Option<bool> {
    let mut entry = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: an array of one.
    let count = unsafe { libc::poll(&mut entry, 1, 0) };
    (count == 1).then_some(entry.revents & (libc::POLLERR | libc::POLLHUP) != 0)
}

impl Connecting {
    /// What became of it, seen at `at`; `error`: there may be one.
    fn end(self, error: bool, at: Time) -> Event {
        let id = self.id;
        let error = if error { take_error(&self.socket) } else { 0 };
        let result = match error {
            // Reset after it was open.
            0 | libc::ECONNRESET | libc::EPIPE => self.connected(),
            error => Err(connect_error(error)),
        };
        let seen = RoundTrip::Measured(at.nanos_since(self.begun));
        match result {
            Ok(()) => Event::Connected { id, at, round_trip: self.measured().unwrap_or(seen) },
            Err(error) => Event::ConnectFailed { id, at, error, round_trip: seen },
        }
    }

    /// The system's own measure.
    fn measured(&self) -> Option<RoundTrip> {
        let mut words = [0u32; INFO_WORDS];
        let mut length = size_of_val(&words) as libc::socklen_t;
        let fd = self.socket.as_raw_fd();
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
        // SAFETY: writable for the length given.
        let result =
            unsafe { libc::getsockopt(fd, level, name, words.as_mut_ptr().cast(), &mut length) };
        let micros = words[INFO_ROUND_TRIP];
        (result == 0 && micros != 0).then_some(RoundTrip::Measured(u64::from(micros) * 1_000))
    }

    /// A connect to a closed port of our own, in the range that local ports are taken from, may be
    /// given that very port and meet itself.
    fn connected(&self) -> Result<(), ConnectError> {
        match local_name(&self.socket) {
            Ok((address, port)) if port == self.port && address.octets() == self.to.octets() => {
                Err(ConnectError::Refused)
            }
            _ => Ok(()),
        }
    }
}
