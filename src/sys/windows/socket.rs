//! Socket addresses as the system has them, and sockets with their options. Any thread.

use super::bindings::*;
use crate::address::{Address, Family};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::raw::{c_int, c_void};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};
use std::ptr::null;
use std::sync::Once;

/// The calling thread's last error, of Win32 or of sockets.
pub(super) fn last_error() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Has the process's socket library ready, for as long as the process lives: threads of ours may
/// outlive every pool.
pub(super) fn start_sockets() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut data: WsaData = [0; 51];
        // SAFETY: writable, and large enough. Where it fails, every socket call says so.
        unsafe { WSAStartup(0x0202, &mut data) };
    });
}

pub(super) fn family_number(family: Family) -> c_int {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// An address and port of either family.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union SocketAddress {
    v4: SockaddrIn,
    v6: SockaddrIn6,
}

impl SocketAddress {
    pub(super) fn new(address: &Address, port: u16) -> SocketAddress {
        let (family, port) = (family_number(address.family()) as u16, port.to_be());
        match address.family() {
            Family::V4 => {
                let bytes = address.bytes();
                let address = [bytes[0], bytes[1], bytes[2], bytes[3]];
                SocketAddress { v4: SockaddrIn { family, port, address, zero: [0; 8] } }
            }
            Family::V6 => {
                let (scope, address) = (address.scope(), *address.bytes());
                SocketAddress { v6: SockaddrIn6 { family, port, flow: 0, address, scope } }
            }
        }
    }

    /// No address, any port.
    pub(super) fn any(family: Family) -> SocketAddress {
        match family {
            Family::V4 => SocketAddress::new(&Address::v4([0; 4]), 0),
            Family::V6 => SocketAddress::new(&Address::v6([0; 16], 0), 0),
        }
    }

    pub(super) fn length(family: Family) -> c_int {
        match family {
            Family::V4 => size_of::<SockaddrIn>() as c_int,
            Family::V6 => size_of::<SockaddrIn6>() as c_int,
        }
    }

    pub(super) fn as_ptr(&self) -> *const c_void {
        (self as *const SocketAddress).cast()
    }

    pub(super) fn as_v6(&self) -> *const SockaddrIn6 {
        (self as *const SocketAddress).cast()
    }

    /// Address and port, where it is of a family we know.
    pub(super) fn read(&self) -> Option<(Address, u16)> {
        // SAFETY: either form begins with the family, and all of it is initialised plain data: see
        // `new` and `copy_of`.
        unsafe {
            match c_int::from(self.v4.family) {
                AF_INET => Some((Address::v4(self.v4.address), u16::from_be(self.v4.port))),
                AF_INET6 => {
                    let address = Address::v6(self.v6.address, self.v6.scope);
                    Some((address, u16::from_be(self.v6.port)))
                }
                _ => None,
            }
        }
    }

    /// A copy of what the system points to; nothing readable for NULL and for what is too short.
    ///
    /// # Safety
    /// `pointer` is NULL or readable for `length` bytes.
    pub(super) unsafe fn copy_of(pointer: *const c_void, length: usize) -> SocketAddress {
        let mut copy = SocketAddress::unset();
        if !pointer.is_null() && length >= size_of::<SockaddrIn>() {
            let length = length.min(size_of::<SocketAddress>());
            // SAFETY: readable by the contract, writable for the size of the union.
            unsafe {
                let target = (&mut copy as *mut SocketAddress).cast::<u8>();
                target.copy_from_nonoverlapping(pointer.cast(), length);
            }
        }
        copy
    }

    fn unset() -> SocketAddress {
        // SAFETY: plain data, for which all zero is a valid value.
        unsafe { zeroed() }
    }
}

/// A TCP socket for overlapped operations, which no child process inherits.
pub(super) fn open_tcp_socket(family: Family) -> Result<OwnedSocket, i32> {
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: no pointers but a NULL that is allowed.
    let socket =
        unsafe { WSASocketW(family_number(family), SOCK_STREAM, IPPROTO_TCP, null(), 0, flags) };
    if socket == INVALID_SOCKET {
        return Err(last_error());
    }
    // SAFETY: new, and nobody else's.
    Ok(unsafe { OwnedSocket::from_raw_socket(socket) })
}

/// Sets an option at SOL_SOCKET; without a value, one of length 0.
pub(super) fn set_option<T>(
    socket: &OwnedSocket,
    name: c_int,
    value: Option<&T>,
) -> Result<(), i32> {
    let length = if value.is_some() { size_of::<T>() as c_int } else { 0 };
    let value = value.map_or(null(), |value| (value as *const T).cast());
    // SAFETY: readable for the length given.
    match unsafe { setsockopt(socket.as_raw_socket(), SOL_SOCKET, name, value, length) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// Gives a socket any local address and port.
pub(super) fn bind_any(socket: &OwnedSocket, family: Family) -> Result<(), i32> {
    let name = SocketAddress::any(family);
    // SAFETY: readable for the length given.
    match unsafe { bind(socket.as_raw_socket(), name.as_ptr(), SocketAddress::length(family)) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// The socket's own address and port.
pub(super) fn local_name(socket: &OwnedSocket) -> Option<(Address, u16)> {
    let mut name = SocketAddress::unset();
    let mut length = size_of::<SocketAddress>() as c_int;
    let pointer = (&mut name as *mut SocketAddress).cast();
    // SAFETY: writable for the length given.
    match unsafe { getsockname(socket.as_raw_socket(), pointer, &mut length) } {
        0 => name.read(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_system_s_form() {
        for text in ["192.0.2.7", "2001:db8::7"] {
            let address = Address::from_ip(text.parse().unwrap(), 0);
            assert_eq!(SocketAddress::new(&address, 443).read(), Some((address, 443)));
        }
        let scoped = Address::from_ip("fe80::1".parse().unwrap(), 9);
        assert_eq!(SocketAddress::new(&scoped, 0).read(), Some((scoped, 0)));
    }

    #[test]
    fn what_is_no_address_reads_as_none() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { SocketAddress::copy_of(null(), 28) }.read(), None);
        let short = SocketAddress::any(Family::V4);
        // SAFETY: readable for more than the length given.
        assert_eq!(unsafe { SocketAddress::copy_of(short.as_ptr(), 4) }.read(), None);
    }
}
