//! A socket's error queue, read many entries at a time: ICMP errors about what was sent, the
//! system's own errors, and the times at which requests left.

use super::messages::{Block, Message, RECEIVE_LENGTH};
use super::outgoing::CHUNK;
use super::socket::SocketAddress;
use super::transfer::Transfer;
use crate::address::Address;
use std::os::unix::io::RawFd;
use std::ptr::addr_of_mut;

/// Entries read at once: the stamps of one chunk, and the room that tells that there are no more.
const ENTRIES: usize = CHUNK + 1;

/// Room for the control messages of an entry: the error with the offender's address, stamps in both
/// forms, a hop limit.
type Control = [u64; 32];

/// `SO_EE_ORIGIN_TIMESTAMPING` (linux/errqueue.h): no error, a stamp.
const ORIGIN_TIMESTAMPING: u8 = 4;

struct QueueBlock {
    messages: [Message; ENTRIES],
    vectors: [libc::iovec; ENTRIES],
    packets: [[u8; RECEIVE_LENGTH]; ENTRIES],
    names: [SocketAddress; ENTRIES],
    controls: [Control; ENTRIES],
}

/// Entries taken from the queue.
pub(super) struct ErrorQueue(Block<QueueBlock>);

/// What was taken at once.
pub(super) struct Filled {
    pub(super) count: usize,
    /// Nothing was left.
    pub(super) is_all: bool,
}

/// One entry.
pub(super) enum Entry<'a> {
    /// An ICMP error.
    Icmp(QueuedError<'a>),
    /// When a request left, in nanoseconds on the wall clock; requests that ask for it are counted.
    Stamp { number: u32, stamp: i64 },
    /// The system's own word on the message in hand.
    Local,
}

/// An ICMP error about a packet sent.
pub(super) struct QueuedError<'a> {
    /// The destination of the packet.
    pub(super) to: Option<Address>,
    /// ICMP type and code.
    pub(super) kind: u8,
    pub(super) code: u8,
    /// Who sent the ICMP error.
    pub(super) offender: Option<Address>,
    /// The packet from its ICMP header on, as far as quoted and read.
    pub(super) packet: &'a [u8],
}

impl ErrorQueue {
    pub(super) fn new() -> ErrorQueue {
        // SAFETY: integers and raw pointers only.
        let block = unsafe { Block::<QueueBlock>::zeroed() };
        let pointer = block.pointer();
        for index in 0..ENTRIES {
            // SAFETY: inside the block, which nothing else reaches.
            unsafe {
                let vector = addr_of_mut!((*pointer).vectors[index]);
                (*vector).iov_base = addr_of_mut!((*pointer).packets[index]).cast();
                (*vector).iov_len = RECEIVE_LENGTH;
                let header = addr_of_mut!((*pointer).messages[index].header);
                (*header).msg_name = addr_of_mut!((*pointer).names[index]).cast();
                (*header).msg_iov = vector;
                (*header).msg_iovlen = 1;
                (*header).msg_control = addr_of_mut!((*pointer).controls[index]).cast();
            }
        }
        ErrorQueue(block)
    }

    /// Takes the first entries of the queue.
    pub(super) fn fill(&mut self, transfer: &mut Transfer, socket: RawFd) -> Filled {
        let pointer = self.0.pointer();
        // SAFETY: parts of the block, initialised; the only borrows of them.
        let (messages, names) = unsafe {
            (&mut *addr_of_mut!((*pointer).messages), &mut *addr_of_mut!((*pointer).names))
        };
        for (message, name) in messages.iter_mut().zip(names) {
            // An entry without a destination leaves its name as it was.
            *name = SocketAddress::empty();
            message.header.msg_namelen = SocketAddress::CAPACITY;
            message.header.msg_controllen = std::mem::size_of::<Control>() as _;
        }
        let count = transfer.receive(socket, messages, libc::MSG_ERRQUEUE).unwrap_or(0);
        Filled { count, is_all: count < ENTRIES }
    }

    /// Entry `index`, below what [`ErrorQueue::fill`] returned.
    pub(super) fn entry(&self, index: usize) -> Entry<'_> {
        let pointer = self.0.pointer();
        assert!(index < ENTRIES);
        let mut error = None;
        let mut stamp = None;
        // SAFETY: inside the block, filled by the system and not written while `self` is borrowed.
        // The macros stay within msg_controllen; the data may be unaligned. The offender's address
        // follows the error within the same control message.
        let (message, packet, name) = unsafe {
            let message = &(*pointer).messages[index];
            let mut control = libc::CMSG_FIRSTHDR(&message.header);
            while !control.is_null() {
                let data = libc::CMSG_DATA(control);
                match ((*control).cmsg_level, (*control).cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_RECVERR)
                    | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                        let data = data.cast::<libc::sock_extended_err>();
                        error = Some((data.read_unaligned(), data.add(1)));
                    }
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
                        // The first of three is the software's.
                        let time = data.cast::<libc::timespec>().read_unaligned();
                        stamp = Some(time.tv_sec as i64 * 1_000_000_000 + time.tv_nsec as i64);
                    }
                    _ => {}
                }
                control = libc::CMSG_NXTHDR(&message.header, control);
            }
            (message, &(*pointer).packets[index], &(*pointer).names[index])
        };
        match (error, stamp) {
            (Some((error, _)), Some(stamp)) if error.ee_origin == ORIGIN_TIMESTAMPING => {
                Entry::Stamp { number: error.ee_data, stamp }
            }
            (Some((error, offender)), _)
                if matches!(
                    error.ee_origin,
                    libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6
                ) =>
            {
                // SAFETY: within the control message, as long as its family says.
                let offender = unsafe { SocketAddress::copy_of(offender.cast()) };
                Entry::Icmp(QueuedError {
                    to: name.read().map(|(address, _)| address),
                    kind: error.ee_type,
                    code: error.ee_code,
                    offender: offender.read().map(|(address, _)| address),
                    packet: &packet[..(message.length as usize).min(RECEIVE_LENGTH)],
                })
            }
            _ => Entry::Local,
        }
    }
}
