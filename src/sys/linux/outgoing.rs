//! Echo requests on their way out. All pointers between headers, buffers and control data are set
//! at the start; a request costs only the writes of what differs.

use super::messages::{Block, Message};
use super::socket::SocketAddress;
use crate::address::Family;
use crate::sys::{EchoRequest, BATCH};
use crate::wire::{encode_request, Token, HEADER_LENGTH, TOKEN_LENGTH};
use std::os::raw::{c_int, c_uint};
use std::ptr::{addr_of_mut, null_mut};

/// A request's first bytes: all of it, up to 56 bytes of payload.
const HEAD: usize = 64;

/// The largest payload.
const MAX_PAYLOAD: usize = 65_500;

/// The largest payload that goes out as one packet on any link met in practice.
const UNFRAGMENTED: usize = 1_400;

/// Requests sent by one call: the clock is read on either side, and each request's own time is
/// taken to lie between the two as its place among them does.
pub(super) const CHUNK: usize = 16;

/// `SOF_TIMESTAMPING_TX_SOFTWARE` (linux/net_tstamp.h): the time at which the driver gets it.
const TIMESTAMPING_TX_SOFTWARE: c_int = 1 << 1;

/// A control message with one number.
#[repr(C)]
struct NumberControl {
    header: libc::cmsghdr,
    number: c_int,
}

/// The control messages of a request: time to live or hop limit, then the wish for a stamp; each
/// may go without the other.
type Controls = [NumberControl; 2];

struct OutgoingBlock {
    messages: [Message; BATCH],
    vectors: [[libc::iovec; 2]; BATCH],
    heads: [[u8; HEAD]; BATCH],
    names: [SocketAddress; BATCH],
    controls: [Controls; BATCH],
    /// The rest of long payloads, shared by all messages; never written.
    filler: [u8; MAX_PAYLOAD],
}

/// A request with its place in the caller's batch and its sequence.
#[derive(Clone, Copy)]
pub(super) struct Numbered {
    pub(super) place: usize,
    pub(super) sequence: u16,
    pub(super) request: EchoRequest,
}

/// What is kept of a request beside its message.
#[derive(Clone, Copy, Default)]
struct Note {
    /// Its place in the caller's batch.
    place: u8,
    stamped: bool,
    may_fragment: bool,
}

/// Echo requests of one family on their way out.
pub(super) struct Outgoing {
    block: Block<OutgoingBlock>,
    family: Family,
    length: usize,
    notes: [Note; BATCH],
}

impl Outgoing {
    pub(super) fn new(family: Family) -> Outgoing {
        // SAFETY: integers and raw pointers only.
        let block = unsafe { Block::<OutgoingBlock>::zeroed() };
        let (level, kind) = match family {
            Family::V4 => (libc::IPPROTO_IP, libc::IP_TTL),
            Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT),
        };
        let stamp = (libc::SOL_SOCKET, libc::SO_TIMESTAMPING);
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
                let controls = addr_of_mut!((*pointer).controls[index]);
                for (control, (level, kind)) in [(0, (level, kind)), (1, stamp)] {
                    let header = &mut (*controls)[control].header;
                    header.cmsg_len = libc::CMSG_LEN(std::mem::size_of::<c_int>() as c_uint) as _;
                    header.cmsg_level = level;
                    header.cmsg_type = kind;
                }
                (*controls)[1].number = TIMESTAMPING_TX_SOFTWARE;
            }
        }
        Outgoing { block, family, length: 0, notes: [Note::default(); BATCH] }
    }

    /// Appends a request.
    pub(super) fn push(
        &mut self,
        request: &Numbered,
        stamped: bool,
        identifier: u16,
        token: &Token,
    ) {
        let Numbered { place, sequence, request } = request;
        let index = self.length;
        let size = usize::from(request.size).min(MAX_PAYLOAD);
        self.notes[index] =
            Note { place: *place as u8, stamped, may_fragment: size > UNFRAGMENTED };
        self.length += 1;
        let pointer = self.block.pointer();
        let token = &token[..size.min(TOKEN_LENGTH)];
        // SAFETY: `index` is below BATCH (checked by the line above), inside the block; the
        // first bytes of a head are as many as an encoded request has.
        unsafe {
            let start =
                addr_of_mut!((*pointer).heads[index]).cast::<[u8; HEADER_LENGTH + TOKEN_LENGTH]>();
            encode_request(self.family, &mut *start, identifier, *sequence, token);
            (*pointer).names[index] = SocketAddress::new(&request.to, 0);
            let vectors = addr_of_mut!((*pointer).vectors[index]);
            let total = HEADER_LENGTH + size;
            (*vectors)[0].iov_len = total.min(HEAD);
            (*vectors)[1].iov_len = total.saturating_sub(HEAD);
            let header = addr_of_mut!((*pointer).messages[index].header);
            (*header).msg_iovlen = if total > HEAD { 2 } else { 1 };
            (*pointer).controls[index][0].number = c_int::from(request.hops);
        }
        self.set_controls(index, request.hops != 0);
    }

    /// Points a message to those of its control messages that are wanted.
    fn set_controls(&mut self, index: usize, hops: bool) {
        let pointer = self.block.pointer();
        let stamped = self.notes[index].stamped;
        // SAFETY: inside the block.
        unsafe {
            let header = addr_of_mut!((*pointer).messages[index].header);
            let first = usize::from(!hops);
            (*header).msg_control = if hops || stamped {
                addr_of_mut!((*pointer).controls[index][first]).cast()
            } else {
                null_mut()
            };
            let count = usize::from(hops) + usize::from(stamped);
            (*header).msg_controllen = (count * std::mem::size_of::<NumberControl>()) as _;
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
        usize::from(self.notes[index].place)
    }

    /// Whether message `index` asks for a stamp.
    pub(super) fn is_stamped(&self, index: usize) -> bool {
        self.notes[index].stamped
    }

    /// Message `index` asks for a stamp no longer.
    pub(super) fn drop_stamp(&mut self, index: usize) {
        if std::mem::take(&mut self.notes[index].stamped) {
            let pointer = self.block.pointer();
            // SAFETY: inside the block.
            let hops = unsafe { (*pointer).controls[index][0].number };
            self.set_controls(index, hops != 0);
        }
    }

    /// Whether message `index` may go out in several packets.
    pub(super) fn may_fragment(&self, index: usize) -> bool {
        self.notes[index].may_fragment
    }

    /// Message `index` may go out in several packets.
    pub(super) fn allow_fragments(&mut self, index: usize) {
        self.notes[index].may_fragment = true;
    }

    /// The end of the messages from `first` on that one call shall send.
    pub(super) fn chunk_end(&self, first: usize) -> usize {
        let most = self.length.min(first + CHUNK);
        let same = |note: &&Note| note.may_fragment == self.notes[first].may_fragment;
        first + self.notes[first..most].iter().take_while(same).count()
    }

    /// Messages, ready for the system.
    pub(super) fn messages(&mut self, first: usize, end: usize) -> &mut [Message] {
        let pointer = self.block.pointer();
        // SAFETY: a part of the block, initialised; borrowed as long as `self`.
        let messages = unsafe { &mut *addr_of_mut!((*pointer).messages) };
        &mut messages[first..end]
    }
}

// A place is kept in a byte.
const _: () = assert!(BATCH <= 256);
// Control messages stand at the distances that the system reckons with.
const _: () = assert!(std::mem::size_of::<NumberControl>() % std::mem::size_of::<usize>() == 0);
