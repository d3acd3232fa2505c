//! The kernel's neighbour tables, by rtnetlink (rtnetlink(7)): how large they are, and which
//! neighbours it has given up on. Its own errors about them are limited
//! in rate, so of many dead hosts it tells of few; what it knows stands in its neighbour table, and
//! it tells every change of it to who listens.

use super::socket::{errno, own, set_option};
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

/// The message that asks for the tables, the one that describes a table, and the attribute with the
/// number of its places (`RTM_GETNEIGHTBL`, `RTM_NEWNEIGHTBL`, `NDTA_THRESH3`).
const GET_TABLES: u16 = 66;
const TABLE: u16 = 64;
const TABLE_PLACES: u16 = 4;

/// `nlmsghdr`.
const HEADER: usize = 16;
/// `ndmsg`.
const NEIGHBOUR: usize = 12;
/// `ndtmsg`.
const TABLE_HEADER: usize = 4;
/// `rtattr`.
const ATTRIBUTE: usize = 4;

const BUFFER: usize = 32 * 1024;
/// Most datagrams read at once, so that a flood cannot keep the reactor.
const TURN: usize = 4096;
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
        let socket = open_netlink().ok()?;
        let fd = socket.as_raw_fd();
        // What overflows is lost to us: such neighbours are silent, no more.
        if set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &SOCKET_BUFFER).is_err() {
            let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &SOCKET_BUFFER);
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
        for _ in 0..TURN {
            let (pointer, length) = (self.buffer.as_mut_ptr(), self.buffer.len());
            let fd = self.socket.as_raw_fd();
            // SAFETY: writable for the length given.
            let received = unsafe { libc::recv(fd, pointer.cast(), length, libc::MSG_DONTWAIT) };
            match usize::try_from(received) {
                Ok(0) => return,
                Ok(received) => {
                    let messages = messages(&self.buffer[..received.min(length)]);
                    let changes = messages.filter(|(kind, _)| *kind == libc::RTM_NEWNEIGH);
                    into.extend(changes.filter_map(|(_, body)| failed_neighbour(body)));
                }
                Err(_) if matches!(errno(), libc::EINTR | libc::ENOBUFS) => {}
                Err(_) => return,
            }
        }
    }
}

fn open_netlink() -> std::io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers.
    own(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })
}

/// Places in the neighbour tables of IPv4 and IPv6; 0 where the system does not say.
pub(super) fn table_sizes() -> [u32; 2] {
    let mut sizes = [0; 2];
    let socket = match open_netlink() {
        Ok(socket) => socket,
        Err(_) => return sizes,
    };
    // nlmsghdr (length, type, flags, sequence, sender), ndtmsg (any family).
    let mut question = [0u8; HEADER + TABLE_HEADER];
    question[..4].copy_from_slice(&((HEADER + TABLE_HEADER) as u32).to_ne_bytes());
    question[4..6].copy_from_slice(&GET_TABLES.to_ne_bytes());
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    question[6..8].copy_from_slice(&flags.to_ne_bytes());
    let fd = socket.as_raw_fd();
    // SAFETY: readable for the length given. Without an address it goes to the kernel.
    let sent = unsafe { libc::send(fd, question.as_ptr().cast(), question.len(), 0) };
    if sent < 0 {
        return sizes;
    }
    let mut buffer = vec![0; BUFFER];
    // The kernel answers within the call that asks: what is not there will not come.
    loop {
        // SAFETY: writable for the length given.
        let received = unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), BUFFER, 0) };
        let received = match usize::try_from(received) {
            Ok(received) if received > 0 => received.min(BUFFER),
            _ => break,
        };
        for (kind, body) in messages(&buffer[..received]) {
            let place = match body.first().map(|family| c_int::from(*family)) {
                Some(libc::AF_INET) => 0,
                Some(libc::AF_INET6) => 1,
                _ => continue,
            };
            let places = attribute(body.get(TABLE_HEADER..).unwrap_or(&[]), TABLE_PLACES);
            if let (TABLE, Some(places)) = (kind, places.and_then(|bytes| number_at(bytes, 0))) {
                sizes[place] = u32::from_ne_bytes(places);
            }
        }
    }
    sizes
}

fn number_at<const SIZE: usize>(bytes: &[u8], at: usize) -> Option<[u8; SIZE]> {
    bytes.get(at..at + SIZE)?.try_into().ok()
}

/// The first of several lengths-first records, each aligned to four bytes, and the rest; `None`
/// where there is none or it is longer than what is there.
fn split_record(bytes: &[u8], length: usize, least: usize) -> Option<(&[u8], &[u8])> {
    let record = bytes.get(..length).filter(|record| record.len() >= least)?;
    Some((record, bytes.get((length + 3) & !3..).unwrap_or(&[])))
}

/// Type and body of each message of a datagram.
fn messages(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(number_at(rest, 0)?) as usize;
        let (message, after) = split_record(rest, length, HEADER)?;
        rest = after;
        Some((u16::from_ne_bytes(number_at(message, 4)?), &message[HEADER..]))
    })
}

/// The first attribute of a kind.
fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let length = usize::from(u16::from_ne_bytes(number_at(rest, 0)?));
        let (attribute, after) = split_record(rest, length, ATTRIBUTE)?;
        if u16::from_ne_bytes(number_at(attribute, 2)?) == kind {
            return Some(&attribute[ATTRIBUTE..]);
        }
        rest = after;
    }
}

/// The address of a neighbour, if that has failed.
fn failed_neighbour(message: &[u8]) -> Option<Address> {
    let interface = u32::from_ne_bytes(number_at(message, 4)?);
    let state = u16::from_ne_bytes(number_at(message, 8)?);
    if state & FAILED == 0 {
        return None;
    }
    let bytes = attribute(message.get(NEIGHBOUR..)?, DESTINATION)?;
    match c_int::from(*message.first()?) {
        libc::AF_INET => Some(Address::v4(bytes.try_into().ok()?)),
        libc::AF_INET6 => {
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            let is_link_local = bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80;
            Some(Address::v6(bytes, if is_link_local { interface } else { 0 }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tables_have_places() {
        let sizes = table_sizes();
        assert!(sizes.iter().all(|size| *size >= 16), "{sizes:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reading_panic_or_hang(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..120), length in 0u8..64,
        ) {
            // Steered towards the branches that read further.
            for (place, byte) in [(0, length), (1, 0), (2, 0), (3, 0), (24, FAILED as u8)] {
                if let Some(steered) = bytes.get_mut(place) {
                    *steered = byte;
                }
            }
            for (_, body) in messages(&bytes) {
                let _ = failed_neighbour(body);
                let _ = attribute(body, TABLE_PLACES);
            }
        }
    }
}
