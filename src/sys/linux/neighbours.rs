//! Neighbours that the kernel has given up on, by rtnetlink. Its own errors about them are limited
//! in rate, so of many dead hosts it tells of few; what it knows stands in its neighbour table, and
//! it tells every change of it to who listens.

use super::socket::{errno, own};
use crate::address::Address;
use std::collections::HashSet;
use std::mem::size_of;
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, OwnedFd};

/// `RTMGRP_NEIGH` (linux/rtnetlink.h): changes of neighbours.
const NEIGHBOUR_CHANGES: u32 = 4;
/// `NUD_FAILED` (linux/neighbour.h): asked for as often as is set, and nobody answered.
const FAILED: u16 = 0x20;
/// `NDA_DST`: the attribute with the neighbour's address.
const DESTINATION: u16 = 1;

/// `nlmsghdr`, and its alignment.
const HEADER: usize = 16;
/// `ndmsg`.
const NEIGHBOUR: usize = 12;
/// `rtattr`.
const ATTRIBUTE: usize = 4;

const BUFFER: usize = 32 * 1024;
/// Bytes of the socket's buffer: changes of several full neighbour tables.
const SOCKET_BUFFER: c_int = 4 << 20;

/// Listens to changes of the neighbour tables.
pub(super) struct Neighbours {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Neighbours {
    /// `None` where the system, or a sandbox around this process, has nothing to listen to.
    pub(super) fn listen() -> Option<Neighbours> {
        let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: no pointers.
        let socket = own(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) });
        let socket = socket.ok()?;
        let fd = socket.as_raw_fd();
        let set = super::socket::set_option;
        // What overflows is lost to us: such neighbours are silent, no more.
        if set(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &SOCKET_BUFFER).is_err() {
            let _ = set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &SOCKET_BUFFER);
        }
        // SAFETY: integers only.
        let mut name: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        name.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        name.nl_groups = NEIGHBOUR_CHANGES;
        let length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
        // SAFETY: readable for the length given.
        if unsafe { libc::bind(fd, (&name as *const libc::sockaddr_nl).cast(), length) } < 0 {
            return None;
        }
        Some(Neighbours { socket, buffer: vec![0; BUFFER].into() })
    }

    /// Adds the neighbours that have failed since it was asked last.
    pub(super) fn failed(&mut self, into: &mut HashSet<Address>) {
        loop {
            let (pointer, length) = (self.buffer.as_mut_ptr(), self.buffer.len());
            let fd = self.socket.as_raw_fd();
            // SAFETY: writable for the length given.
            let received = unsafe { libc::recv(fd, pointer.cast(), length, libc::MSG_DONTWAIT) };
            match usize::try_from(received) {
                Ok(received) => read_messages(&self.buffer[..received.min(length)], into),
                Err(_) if matches!(errno(), libc::EINTR | libc::ENOBUFS) => {}
                Err(_) => return,
            }
        }
    }
}

fn number_at<const SIZE: usize>(bytes: &[u8], at: usize) -> Option<[u8; SIZE]> {
    bytes.get(at..at + SIZE)?.try_into().ok()
}

fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

/// Adds the failed neighbours of a datagram of netlink messages.
fn read_messages(mut bytes: &[u8], into: &mut HashSet<Address>) {
    while let (Some(length), Some(kind)) = (number_at(bytes, 0), number_at(bytes, 4)) {
        let (length, kind) = (u32::from_ne_bytes(length) as usize, u16::from_ne_bytes(kind));
        if length < HEADER || length > bytes.len() {
            return;
        }
        if kind == libc::RTM_NEWNEIGH {
            into.extend(read_neighbour(&bytes[HEADER..length]));
        }
        bytes = &bytes[aligned(length).min(bytes.len())..];
    }
}

/// The address of a neighbour, if that has failed.
fn read_neighbour(message: &[u8]) -> Option<Address> {
    let family = *message.first()?;
    let interface = u32::from_ne_bytes(number_at(message, 4)?);
    let state = u16::from_ne_bytes(number_at(message, 8)?);
    if state & FAILED == 0 {
        return None;
    }
    let mut attributes = message.get(NEIGHBOUR..)?;
    while let (Some(length), Some(kind)) = (number_at(attributes, 0), number_at(attributes, 2)) {
        let length = usize::from(u16::from_ne_bytes(length));
        if length < ATTRIBUTE || length > attributes.len() {
            return None;
        }
        if u16::from_ne_bytes(kind) == DESTINATION {
            let bytes = &attributes[ATTRIBUTE..length];
            return match c_int::from(family) {
                libc::AF_INET => Some(Address::v4(bytes.try_into().ok()?)),
                libc::AF_INET6 => {
                    let bytes: [u8; 16] = bytes.try_into().ok()?;
                    let is_link_local = bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80;
                    Some(Address::v6(bytes, if is_link_local { interface } else { 0 }))
                }
                _ => None,
            };
        }
        attributes = &attributes[aligned(length).min(attributes.len())..];
    }
    None
}
