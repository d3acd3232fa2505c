//! Packets on their way in. All pointers between headers, buffers and control data are set at the
//! start.

use super::messages::{Block, Message, RECEIVE_LENGTH};
use super::socket::SocketAddress;
use crate::address::Address;
use crate::sys::BATCH;
use std::os::raw::c_int;
use std::ptr::addr_of_mut;

/// Room for the control messages of a received packet (its stamp in either form, hop limit),
/// aligned for them.
type Control = [u64; 18];

struct IncomingBlock {
    messages: [Message; BATCH],
    vectors: [libc::iovec; BATCH],
    packets: [[u8; RECEIVE_LENGTH]; BATCH],
    names: [SocketAddress; BATCH],
    controls: [Control; BATCH],
}

/// Packets on their way in.
pub(super) struct Incoming {
    block: Block<IncomingBlock>,
    /// Messages whose lengths the system may have changed since they were set.
    used: usize,
}

/// One packet received, as far as it was read.
pub(super) struct Packet<'a> {
    pub(super) bytes: &'a [u8],
    /// The sender, for IPv6 with scope.
    pub(super) from: Option<Address>,
    /// All of it: `bytes` was long enough.
    pub(super) whole: bool,
    /// When the system took it in: nanoseconds on the wall clock.
    pub(super) stamp: Option<i64>,
    /// Time to live or hop limit, where a control message tells it.
    pub(super) hops: Option<u8>,
}

impl Incoming {
    /// `senders`: ask for the senders' addresses, which raw IPv4 packets have in their headers.
    pub(super) fn new(senders: bool) -> Incoming {
        // SAFETY: integers and raw pointers only.
        let block = unsafe { Block::<IncomingBlock>::zeroed() };
        let pointer = block.pointer();
        for index in 0..BATCH {
            // SAFETY: inside the block, which nothing else reaches.
            unsafe {
                let vector = addr_of_mut!((*pointer).vectors[index]);
                (*vector).iov_base = addr_of_mut!((*pointer).packets[index]).cast();
                (*vector).iov_len = RECEIVE_LENGTH;
                let header = addr_of_mut!((*pointer).messages[index].header);
                if senders {
                    (*header).msg_name = addr_of_mut!((*pointer).names[index]).cast();
                }
                (*header).msg_iov = vector;
                (*header).msg_iovlen = 1;
                (*header).msg_control = addr_of_mut!((*pointer).controls[index]).cast();
            }
        }
        Incoming { block, used: BATCH }
    }

    /// Lets `receive` fill messages; it returns how many.
    pub(super) fn fill(
        &mut self,
        receive: impl FnOnce(&mut [Message]) -> Result<usize, i32>,
    ) -> Result<usize, i32> {
        let pointer = self.block.pointer();
        // SAFETY: a part of the block, initialised; the only borrow of it.
        let messages = unsafe { &mut *addr_of_mut!((*pointer).messages) };
        for message in &mut messages[..self.used] {
            message.header.msg_namelen = SocketAddress::CAPACITY;
            message.header.msg_controllen = std::mem::size_of::<Control>() as _;
        }
        let received = receive(messages);
        // A failed call may have touched the first message.
        self.used = *received.as_ref().unwrap_or(&1);
        received
    }

    /// The packet in message `index`, below what [`Incoming::fill`] returned.
    pub(super) fn packet(&self, index: usize) -> Packet<'_> {
        let pointer = self.block.pointer();
        assert!(index < self.used);
        // SAFETY: inside the block; the system has filled the message and nobody writes to it
        // while `self` is borrowed.
        unsafe {
            let message = &(*pointer).messages[index];
            let length = (message.length as usize).min(RECEIVE_LENGTH);
            let (stamp, hops) = read_control(&message.header);
            Packet {
                bytes: &(&(*pointer).packets[index])[..length],
                from: (*pointer).names[index].read().map(|(address, _)| address),
                whole: message.header.msg_flags & libc::MSG_TRUNC == 0,
                stamp,
                hops,
            }
        }
    }
}

/// Stamp and hop limit from a received message's control data.
///
/// # Safety
/// The header is as the system filled it, its buffers still valid.
unsafe fn read_control(header: &libc::msghdr) -> (Option<i64>, Option<u8>) {
    let mut stamp = None;
    let mut hops = None;
    // SAFETY: by the contract; the macros stay within msg_controllen, the data may be unaligned.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            let data = libc::CMSG_DATA(control);
            match ((*control).cmsg_level, (*control).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    stamp = Some(time.tv_sec as i64 * 1_000_000_000 + time.tv_nsec as i64);
                }
                (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                    hops = u8::try_from(data.cast::<c_int>().read_unaligned()).ok();
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    (stamp, hops)
}
