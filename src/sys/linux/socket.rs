//! Sockets as safe calls: creation, options, addresses. Knows nothing of what is sent.

use crate::address::{Address, Family};
use std::io;
use std::mem::{size_of, MaybeUninit};
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// The number of the last failed system call of this thread.
pub(super) fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Owns the descriptor that a system call has just made; its error where it has made none.
pub(super) fn own(fd: c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The family's number for socket calls.
pub(super) fn domain(family: Family) -> c_int {
    match family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    }
}

/// A non-blocking socket that no program started from this one inherits.
pub(super) fn open_socket(family: Family, kind: c_int, protocol: c_int) -> Result<OwnedFd, i32> {
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(domain(family), kind, protocol) };
    if fd < 0 {
        return Err(errno());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an option whose value is a `T` as the system defines it.
pub(super) fn set_option<T>(fd: RawFd, level: c_int, name: c_int, value: &T) -> Result<(), i32> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is readable for its size.
    let result = unsafe { libc::setsockopt(fd, level, name, (value as *const T).cast(), length) };
    if result == 0 {
        Ok(())
    } else {
        Err(errno())
    }
}

/// The error pending on a socket, which reading it clears; 0 where there is none.
pub(super) fn take_error(socket: &OwnedFd) -> i32 {
    let mut error: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: writable for the length given.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            (&mut error as *mut c_int).cast(),
            &mut length,
        )
    };
    if result == 0 {
        error
    } else {
        errno()
    }
}

/// The address that a socket has on this machine, with its port or ICMP identifier.
pub(super) fn local_name(socket: &OwnedFd) -> Result<(Address, u16), i32> {
    let mut name = SocketAddress::empty();
    let mut length = SocketAddress::CAPACITY;
    // SAFETY: writable for the length given.
    let result = unsafe {
        libc::getsockname(socket.as_raw_fd(), (&mut name as *mut SocketAddress).cast(), &mut length)
    };
    if result == 0 {
        name.read().ok_or(libc::EAFNOSUPPORT)
    } else {
        Err(errno())
    }
}

/// A socket address of either family, as the system calls take it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union SocketAddress {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl SocketAddress {
    /// Room for any address that is read.
    pub(super) const CAPACITY: libc::socklen_t = size_of::<SocketAddress>() as libc::socklen_t;

    /// All zero: of no family.
    pub(super) fn empty() -> SocketAddress {
        // SAFETY: integers only; zero is a value of each.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }

    pub(super) fn new(address: &Address, port: u16) -> SocketAddress {
        let mut name = SocketAddress::empty();
        let bytes = address.bytes();
        match address.family() {
            Family::V4 => {
                // SAFETY: every field is an integer and was zeroed.
                let v4 = unsafe { &mut name.v4 };
                v4.sin_family = libc::AF_INET as libc::sa_family_t;
                v4.sin_port = port.to_be();
                v4.sin_addr.s_addr = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
            Family::V6 => {
                // SAFETY: every field is an integer and was zeroed.
                let v6 = unsafe { &mut name.v6 };
                v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                v6.sin6_port = port.to_be();
                v6.sin6_addr.s6_addr = *bytes;
                v6.sin6_scope_id = address.scope();
            }
        }
        name
    }

    /// The bytes in use for a family.
    pub(super) fn length(family: Family) -> libc::socklen_t {
        (match family {
            Family::V4 => size_of::<libc::sockaddr_in>(),
            Family::V6 => size_of::<libc::sockaddr_in6>(),
        }) as libc::socklen_t
    }

    /// Address and port; `None` for families we do not use.
    pub(super) fn read(&self) -> Option<(Address, u16)> {
        // SAFETY: integers only, zeroed before the system wrote to them; the family stands at
        // the same place in both.
        unsafe {
            match c_int::from(self.v4.sin_family) {
                libc::AF_INET => {
                    let octets = self.v4.sin_addr.s_addr.to_ne_bytes();
                    Some((Address::v4(octets), u16::from_be(self.v4.sin_port)))
                }
                libc::AF_INET6 => {
                    let v6 = &self.v6;
                    let address = Address::v6(v6.sin6_addr.s6_addr, v6.sin6_scope_id);
                    Some((address, u16::from_be(v6.sin6_port)))
                }
                _ => None,
            }
        }
    }

    /// Copies a system's address structure.
    ///
    /// # Safety
    /// `name` is NULL or points to an address as long as its family says.
    pub(super) unsafe fn copy_of(name: *const libc::sockaddr) -> SocketAddress {
        let mut copy = SocketAddress::empty();
        if name.is_null() {
            return copy;
        }
        // SAFETY: by the contract; the family says which structure it is.
        unsafe {
            match c_int::from((*name).sa_family) {
                libc::AF_INET => copy.v4 = name.cast::<libc::sockaddr_in>().read_unaligned(),
                libc::AF_INET6 => copy.v6 = name.cast::<libc::sockaddr_in6>().read_unaligned(),
                _ => {}
            }
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_system_s_form() {
        let v4 = Address::v4([192, 0, 2, 1]);
        assert_eq!(SocketAddress::new(&v4, 80).read(), Some((v4, 80)));
        let v6 = Address::from_ip("fe80::1:2".parse().unwrap(), 7);
        assert_eq!(SocketAddress::new(&v6, 65_535).read(), Some((v6, 65_535)));
        assert_eq!(SocketAddress::empty().read(), None);
    }
}
