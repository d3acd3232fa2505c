//! TCP connects under way: each a socket that is closed the moment it is known to be open or not.
//! Never binds first (a port that is bound is taken from those for other destinations), and
//! closes with a reset (SO_LINGER 0), so that no port is left waiting.

use super::outcome::connect_error;
use super::socket::{errno, local_name, open_socket, set_option, take_error, SocketAddress};
use super::{Interest, Poller, Ready};
use crate::address::Address;
use crate::clock::Time;
use crate::sys::{ConnectError, Event, ProbeId, RoundTrip};
use std::collections::HashMap;
use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};

struct Connecting {
    id: ProbeId,
    socket: OwnedFd,
    to: Address,
    port: u16,
}

#[derive(Default)]
pub(super) struct Connects {
    by_descriptor: HashMap<RawFd, Connecting>,
    by_probe: HashMap<ProbeId, RawFd>,
}

impl Connects {
    /// Begins a connect. `Ok(None)`: `finish` will tell; `Ok(Some)`: it is open already.
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
        let name = SocketAddress::new(&to, port);
        let length = SocketAddress::length(to.family());
        let connecting = Connecting { id, socket, to, port };
        let fd = connecting.socket.as_raw_fd();
        // SAFETY: readable for the length given.
        if unsafe { libc::connect(fd, (&name as *const SocketAddress).cast(), length) } == 0 {
            return connecting.connected().map(|()| {
                Some(Event::Connected { id, at: Time::now(), round_trip: RoundTrip::BySight })
            });
        }
        match errno() {
            // Interrupted, it goes on by itself.
            libc::EINPROGRESS | libc::EINTR => {}
            error => return Err(connect_error(error)),
        }
        poller.add(fd, Interest::ConnectedOnce).map_err(|error| {
            ConnectError::NotStarted { os_error: error.raw_os_error().unwrap_or(0) }
        })?;
        self.by_probe.insert(id, fd);
        self.by_descriptor.insert(fd, connecting);
        Ok(None)
    }

    /// What became of a connect whose descriptor has reported.
    pub(super) fn finish(&mut self, ready: Ready, at: Time) -> Option<Event> {
        let connecting = self.by_descriptor.remove(&ready.fd)?;
        let id = connecting.id;
        self.by_probe.remove(&id);
        let error = if ready.error { take_error(&connecting.socket) } else { 0 };
        let result = match error {
            // Reset after it was open.
            0 | libc::ECONNRESET | libc::EPIPE => connecting.connected(),
            error => Err(connect_error(error)),
        };
        Some(match result {
            Ok(()) => Event::Connected { id, at, round_trip: RoundTrip::BySight },
            Err(error) => {
                Event::ConnectFailed { id, at, error, round_trip: RoundTrip::BySight }
            }
        })
    }

    /// Ends all connects under way.
    pub(super) fn clear(&mut self, poller: &mut Poller) {
        for (fd, _) in self.by_descriptor.drain() {
            poller.remove(fd);
        }
        self.by_probe.clear();
    }

    /// Ends a connect under way, if it is one; nothing will tell of it.
    pub(super) fn cancel(&mut self, poller: &mut Poller, id: ProbeId) {
        if let Some(fd) = self.by_probe.remove(&id) {
            poller.remove(fd);
            self.by_descriptor.remove(&fd);
        }
    }
}

impl Connecting {
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
