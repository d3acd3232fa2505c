//! Batches of messages for the system's send and receive calls, allocated once. All pointers
//! between headers, buffers and control data are set at the start; a packet costs only the writes
//! of what differs. Nothing here knows what a packet means.

use super::socket::SocketAddress;
use crate::address::{Address, Family};
use crate::sys::{EchoRequest, BATCH};
use crate::wire::{encode_request, Token, HEADER_LENGTH, TOKEN_LENGTH};
use std::alloc::{alloc_zeroed, handle_alloc_error, Layout};
use std::os::raw::{c_int, c_uint};
use std::ptr::{addr_of_mut, null_mut, NonNull};

/// A message header with the number of bytes sent or received: laid out as the system's `mmsghdr`.
#[repr(C)]
pub(super) struct Message {
    pub(super) header: libc::msghdr,
    pub(super) length: c_uint,
}

/// A request's first bytes: all of it, up to 56 bytes of payload.
const HEAD: usize = 64;

/// The largest payload.
const MAX_PAYLOAD: usize = 65_500;

/// Enough of a packet to know it: an error with IP header and options, the quoted header with
/// options or some extension headers, the quoted request with its token.
const RECEIVE_LENGTH: usize = 256;

/// The control message that sets time to live or hop limit.
#[repr(C)]
struct HopsControl {
    header: libc::cmsghdr,
    hops: c_int,
}

/// Room for the control messages of a received packet (stamp, hop limit), aligned for them.
type Control = [u64; 12];

/// Owns a heap block of zeros, reached only through its raw pointer, so that pointers from one
/// part of it into another stay valid while it moves.
struct Block<T>(NonNull<T>);

impl<T> Block<T> {
    /// # Safety
    /// All zeros are a value of `T`, and `T` needs no drop.
    unsafe fn zeroed() -> Block<T> {
        let layout = Layout::new::<T>();
        // SAFETY: no `T` used here is of size 0.
        let block = unsafe { alloc_zeroed(layout) };
        match NonNull::new(block.cast()) {
            Some(block) => Block(block),
            None => handle_alloc_error(layout),
        }
    }

    fn pointer(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { std::alloc::dealloc(self.0.as_ptr().cast(), Layout::new::<T>()) };
    }
}

// SAFETY: the owner of a block is the only one to reach it.
unsafe impl<T> Send for Block<T> {}

struct OutgoingBlock {
    messages: [Message; BATCH],
    vectors: [[libc::iovec; 2]; BATCH],
    heads: [[u8; HEAD]; BATCH],
    names: [SocketAddress; BATCH],
    controls: [HopsControl; BATCH],
    /// The rest of long payloads, shared by all messages; never written.
    filler: [u8; MAX_PAYLOAD],
}

/// Echo requests of one family on their way out.
pub(super) struct Outgoing {
    block: Block<OutgoingBlock>,
    family: Family,
    length: usize,
    /// Each message's place in the caller's batch.
    places: [u8; BATCH],
}

impl Outgoing {
    pub(super) fn new(family: Family) -> Outgoing {
        // SAFETY: integers and raw pointers only.
        let block = unsafe { Block::<OutgoingBlock>::zeroed() };
        let (level, kind) = match family {
            Family::V4 => (libc::IPPROTO_IP, libc::IP_TTL),
            Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT),
        };
        let pointer = block.pointer();
        for index in 0..BATCH {
            // SAFETY: inside the block, which nothing else reaches.
            unsafe {
                let vectors = addr_of_mut!((*pointer).vectors[index]);
                (*vectors)[0].iov_base = addr_of_mut!((*pointer).heads[index]).cast();
                (*vectors)[1].iov_base = addr_of_mut!((*pointer).filler).cast();
                let header = addr_of_mut!((*pointer).messages[index].header);
                (*header).msg_name = addr_of_mut!((*pointer).names[index]).cast();
                (*header).msg_namelen = SocketAddress::length(family);
                (*header).msg_iov = vectors.cast();
                let control = addr_of_mut!((*pointer).controls[index].header);
                (*control).cmsg_len = libc::CMSG_LEN(std::mem::size_of::<c_int>() as c_uint) as _;
                (*control).cmsg_level = level;
                (*control).cmsg_type = kind;
            }
        }
        Outgoing { block, family, length: 0, places: [0; BATCH] }
    }

    /// Appends a request; `place` is its index in the caller's batch of at most [`BATCH`].
    pub(super) fn push(
        &mut self,
        place: usize,
        request: &EchoRequest,
        identifier: u16,
        sequence: u16,
        token: &Token,
    ) {
        let index = self.length;
        self.places[index] = place as u8;
        self.length += 1;
        let pointer = self.block.pointer();
        let size = usize::from(request.size).min(MAX_PAYLOAD);
        let token = &token[..size.min(TOKEN_LENGTH)];
        // SAFETY: `index` is below BATCH (checked by the line above), inside the block; the
        // first bytes of a head are as many as an encoded request has.
        unsafe {
            let start =
                addr_of_mut!((*pointer).heads[index]).cast::<[u8; HEADER_LENGTH + TOKEN_LENGTH]>();
            encode_request(self.family, &mut *start, identifier, sequence, token);
            (*pointer).names[index] = SocketAddress::new(&request.to, 0);
            let vectors = addr_of_mut!((*pointer).vectors[index]);
            let total = HEADER_LENGTH + size;
            (*vectors)[0].iov_len = total.min(HEAD);
            (*vectors)[1].iov_len = total.saturating_sub(HEAD);
            let header = addr_of_mut!((*pointer).messages[index].header);
            (*header).msg_iovlen = if total > HEAD { 2 } else { 1 };
            if request.hops == 0 {
                (*header).msg_control = null_mut();
                (*header).msg_controllen = 0;
            } else {
                let control = addr_of_mut!((*pointer).controls[index]);
                (*control).hops = c_int::from(request.hops);
                (*header).msg_control = control.cast();
                (*header).msg_controllen = std::mem::size_of::<HopsControl>() as _;
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Where in the caller's batch message `index` stands.
    pub(super) fn place(&self, index: usize) -> usize {
        usize::from(self.places[index])
    }

    /// The messages from `first` on, ready for the system.
    pub(super) fn messages(&mut self, first: usize) -> &mut [Message] {
        let pointer = self.block.pointer();
        // SAFETY: a part of the block, initialised; borrowed as long as `self`.
        let messages = unsafe { &mut *addr_of_mut!((*pointer).messages) };
        &mut messages[first..self.length]
    }
}

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

/// An entry of a socket's error queue.
pub(super) struct QueuedError {
    /// The destination of the packet that it is about.
    pub(super) to: Option<Address>,
    /// What made it: `SO_EE_ORIGIN_*`.
    pub(super) origin: u8,
    /// ICMP type and code.
    pub(super) kind: u8,
    pub(super) code: u8,
    /// Who sent the ICMP error.
    pub(super) offender: Option<Address>,
    /// The packet from its ICMP header on, as far as quoted and read.
    packet: [u8; RECEIVE_LENGTH],
    length: usize,
}

impl QueuedError {
    pub(super) fn packet(&self) -> &[u8] {
        &self.packet[..self.length]
    }

    /// Takes the first entry of the queue; `None` when it is empty.
    pub(super) fn take(socket: c_int) -> Option<QueuedError> {
        let mut entry = QueuedError {
            to: None,
            origin: 0,
            kind: 0,
            code: 0,
            offender: None,
            packet: [0; RECEIVE_LENGTH],
            length: 0,
        };
        let mut name = SocketAddress::empty();
        // The error with the offender's address, a stamp and a hop limit.
        let mut control = [0u64; 32];
        let mut vector =
            libc::iovec { iov_base: entry.packet.as_mut_ptr().cast(), iov_len: RECEIVE_LENGTH };
        // SAFETY: integers and raw pointers only.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_name = addr_of_mut!(name).cast();
        header.msg_namelen = SocketAddress::CAPACITY;
        header.msg_iov = &mut vector;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = std::mem::size_of_val(&control) as _;
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        // SAFETY: every pointer in the header is valid for the length beside it.
        let received = unsafe { libc::recvmsg(socket, &mut header, flags) };
        entry.length = usize::try_from(received).ok()?.min(RECEIVE_LENGTH);
        entry.to = name.read().map(|(address, _)| address);
        // SAFETY: the macros stay within msg_controllen; the data may be unaligned. The offender's
        // address follows the error within the same control message.
        unsafe {
            let mut control = libc::CMSG_FIRSTHDR(&header);
            while !control.is_null() {
                if let (libc::IPPROTO_IP, libc::IP_RECVERR)
                | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) =
                    ((*control).cmsg_level, (*control).cmsg_type)
                {
                    let data = libc::CMSG_DATA(control).cast::<libc::sock_extended_err>();
                    let error = data.read_unaligned();
                    entry.origin = error.ee_origin;
                    entry.kind = error.ee_type;
                    entry.code = error.ee_code;
                    let offender = SocketAddress::copy_of(data.add(1).cast());
                    entry.offender = offender.read().map(|(address, _)| address);
                }
                control = libc::CMSG_NXTHDR(&header, control);
            }
        }
        Some(entry)
    }
}
