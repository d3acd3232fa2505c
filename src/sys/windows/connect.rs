//! TCP connects under way, by ConnectEx: each a socket that is bound first, as ConnectEx demands,
//! and closed with a reset the moment it is known to be open or not. A connect belongs to the
//! system from the call until its packet has arrived at the port, cancelled or not.

use super::bindings::*;
use super::port::{Port, Waited};
use super::socket::{bind_any, last_error, local_name, open_tcp_socket, set_option, SocketAddress};
use super::status::connect_error;
use crate::address::Address;
use crate::clock::{Time, MILLISECOND};
use crate::sys::{ConnectError, Event, ProbeId, RoundTrip};
use std::collections::HashMap;
use std::mem::size_of;
use std::os::raw::c_void;
use std::os::windows::io::{AsRawSocket, OwnedSocket};
use std::ptr::{null, null_mut};

/// How long the end waits for connects that it has just cancelled; then their memory is left to the
/// system.
const END_LIMIT: u64 = 200 * MILLISECOND;

/// One connect. The system knows it by its first field.
#[repr(C)]
struct Connecting {
    overlapped: Overlapped,
    id: ProbeId,
    to: Address,
    port: u16,
    /// `None`: cancelled, its packet is still awaited.
    socket: Option<OwnedSocket>,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct Connects {
    connect_ex: Option<ConnectEx>,
    by_probe: HashMap<ProbeId, *mut Connecting>,
    /// Those whose packets have not arrived, cancelled ones included.
    under_way: usize,
}

// SAFETY: the pointers are owned by this table, or by the system on its behalf.
unsafe impl Send for Connects {}

impl Connects {
    /// Begins a connect; its packet will tell.
    pub(super) fn begin(
        &mut self,
        completions: &Port,
        id: ProbeId,
        to: Address,
        port: u16,
    ) -> Result<(), ConnectError> {
        let family = to.family();
        let socket = open_tcp_socket(family).map_err(connect_error)?;
        let reset = Linger { onoff: 1, linger: 0 };
        set_option(&socket, SO_LINGER, Some(&reset)).map_err(connect_error)?;
        // Where the system can, the port is chosen with the peer in view, so that connects to
        // different hosts may share one. Without it there are some 16,000 ports for all.
        let _ = set_option(&socket, SO_REUSE_UNICASTPORT, Some(&1u32));
        bind_any(&socket, family).map_err(connect_error)?;
        let connect_ex = self.connect_ex(&socket).map_err(connect_error)?;
        completions.add(&socket).map_err(connect_error)?;
        let raw = socket.as_raw_socket();
        let overlapped = Overlapped {
            internal: 0,
            internal_high: 0,
            offset: 0,
            offset_high: 0,
            event: null_mut(),
        };
        let connecting =
            Box::into_raw(Box::new(Connecting { overlapped, id, to, port, socket: Some(socket) }));
        let name = SocketAddress::new(&to, port);
        let length = SocketAddress::length(family);
        // SAFETY: the name is readable for its length; the connect lives until its packet.
        let (result, error) = unsafe {
            let overlapped = connecting.cast();
            let result = connect_ex(raw, name.as_ptr(), length, null(), 0, null_mut(), overlapped);
            (result, last_error())
        };
        // Also what succeeds at once sends its packet.
        if result == 0 && error != ERROR_IO_PENDING {
            // SAFETY: not taken by the system: it is ours again.
            drop(unsafe { Box::from_raw(connecting) });
            return Err(connect_error(error));
        }
        self.under_way += 1;
        self.by_probe.insert(id, connecting);
        Ok(())
    }

    /// ConnectEx is an extension that a socket is asked for; one serves all.
    fn connect_ex(&mut self, socket: &OwnedSocket) -> Result<ConnectEx, i32> {
        if let Some(known) = self.connect_ex {
            return Ok(known);
        }
        let mut found: Option<ConnectEx> = None;
        let mut returned = 0;
        // SAFETY: readable and writable for the lengths given; a function pointer is what the
        // system writes.
        let result = unsafe {
            WSAIoctl(
                socket.as_raw_socket(),
                SIO_GET_EXTENSION_FUNCTION_POINTER,
                (&WSAID_CONNECTEX as *const Guid).cast::<c_void>(),
                size_of::<Guid>() as u32,
                (&mut found as *mut Option<ConnectEx>).cast(),
                size_of::<ConnectEx>() as u32,
                &mut returned,
                null_mut(),
                null(),
            )
        };
        match found {
            Some(found) if result == 0 => Ok(*self.connect_ex.insert(found)),
            _ => Err(last_error()),
        }
    }

    /// What became of a connect whose packet has arrived; `None` where it was cancelled.
    pub(super) fn finish(&mut self, overlapped: *mut Overlapped, at: Time) -> Option<Event> {
        // SAFETY: packets of sockets are those of connects begun here, and each has one.
        let mut connecting = unsafe { Box::from_raw(overlapped.cast::<Connecting>()) };
        self.under_way -= 1;
        let socket = connecting.socket.take()?;
        let id = connecting.id;
        self.by_probe.remove(&id);
        let (mut bytes, mut flags) = (0, 0);
        // SAFETY: the operation has ended; all pointers are writable.
        let result = unsafe {
            let (bytes, flags) = (&mut bytes, &mut flags);
            let overlapped = &mut connecting.overlapped;
            WSAGetOverlappedResult(socket.as_raw_socket(), overlapped, bytes, 0, flags)
        };
        let error = if result == 0 { Some(connect_error(last_error())) } else { None };
        let error = error.or_else(|| connecting.met_itself(&socket));
        Some(match error {
            None => Event::Connected { id, at, round_trip: RoundTrip::BySight },
            Some(error) => Event::ConnectFailed { id, at, error, round_trip: RoundTrip::BySight },
        })
    }

    /// Ends a connect under way, if it is one; nothing will tell of it.
    pub(super) fn cancel(&mut self, id: ProbeId) {
        if let Some(connecting) = self.by_probe.remove(&id) {
            // SAFETY: until its packet has been taken the memory is there, and the system uses only
            // its first field. Closing the socket ends the operation.
            drop(unsafe { (*connecting).socket.take() });
        }
    }

    /// Whether the system holds none, not even cancelled ones.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// Cancels all and waits for their packets, but not for ever.
    pub(super) fn end(&mut self, completions: &mut Port) {
        let ids: Vec<ProbeId> = self.by_probe.keys().copied().collect();
        for id in ids {
            self.cancel(id);
        }
        let limit = Time::now().plus_nanos(END_LIMIT);
        let mut ended = Vec::new();
        while self.under_way > 0 {
            if completions.wait(limit, &mut ended) == Waited::Nothing {
                return;
            }
            for overlapped in ended.drain(..) {
                self.finish(overlapped, limit);
            }
        }
    }
}

impl Connecting {
    /// A connect to a closed port of our own, in the range that local ports are taken from, may be
    /// given that very port and meet itself.
    fn met_itself(&self, socket: &OwnedSocket) -> Option<ConnectError> {
        // Until then the system does not know the socket for a connected one.
        if let Err(error) = set_option::<u32>(socket, SO_UPDATE_CONNECT_CONTEXT, None) {
            return Some(connect_error(error));
        }
        let (address, port) = local_name(socket)?;
        let is_itself = port == self.port && address.octets() == self.to.octets();
        is_itself.then_some(ConnectError::Refused)
    }
}
