//! One echo request: its two buffers, its call, and the reading of what the system has written. The
//! buffers are at their own places in memory, and stay there until the request is dropped.

use super::bindings::*;
use super::calls::{Calls, EchoCall};
use super::socket::SocketAddress;
use super::status::{echo_end, is_ip_status, EchoEnd};
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND};
use crate::sys::{EchoRequest, Event, ProbeId};
use std::mem::size_of;
use std::os::windows::io::RawHandle;
use std::ptr::{null, null_mut};

/// Beyond the reply and its data the system wants room for 8 more bytes, the size of an ICMP error, and
/// for an IO_STATUS_BLOCK (ReplySize on the pages of IcmpSendEcho2 and Icmp6SendEcho2).
const REPLY_ROOM: usize = 8 + size_of::<IoStatusBlock>();
/// A payload of so many bytes is nobody else's; a shorter one may be.
const WHOLE: usize = 8;

/// See the file's head.
pub(super) struct Request {
    pub id: ProbeId,
    /// Tells the probe from an earlier one of the same id.
    pub opening: u64,
    pub to: Address,
    transmission: u16,
    hops: u8,
    milliseconds: u32,
    /// When the batch went out, which is what the probe reckons from, and when this request did.
    batch: Time,
    begun: Time,
    payload: Box<[u8]>,
    /// Words, because the reply in it holds a pointer.
    reply: Box<[u64]>,
}

/// What a call that gives a request to the system said of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// A completion will come.
    Pending,
    /// So many replies are there already. A completion may come.
    Complete(u32),
    /// It failed, with the last error. A completion may come.
    Failed(u32),
}

/// What a call's result means, by the pages of IcmpSendEcho2 and Icmp6SendEcho2: ERROR_IO_PENDING,
/// returned or as the last error of a zero, is a request under way. Any other zero has an error; any
/// other number counts replies, and is no error's. None of this says that no APC has been queued:
/// its context comes back "when an ICMP response arrives, or an error occurs".
pub(super) fn taken(result: u32, last_error: i32) -> Taken {
    match (result, last_error) {
        (PENDING, _) | (0, ERROR_IO_PENDING) => Taken::Pending,
        (0, error) => Taken::Failed(error as u32),
        (count, _) => Taken::Complete(count),
    }
}

const PENDING: u32 = ERROR_IO_PENDING as u32;

/// What stands in a reply.
pub(super) struct Heard {
    from: Address,
    status: u32,
    round_trip_ms: u32,
    hops: Option<u8>,
}

impl Request {
    /// With a payload that no other request carries, as far as there is room for it.
    pub(super) fn new(
        request: &EchoRequest,
        opening: u64,
        key: u64,
        batch: Time,
        begun: Time,
    ) -> Request {
        let payload = payload(key, opening, request);
        let head = match request.to.family() {
            Family::V4 => size_of::<EchoReply>(),
            Family::V6 => size_of::<EchoReply6>(),
        };
        // Eight bytes of data at least are what an ICMP error quotes.
        let room = head + payload.len().max(8) + REPLY_ROOM;
        Request {
            id: request.id,
            opening,
            to: request.to,
            transmission: request.transmission,
            hops: request.hops,
            // Far above are numbers that the system may take for none or for ever.
            milliseconds: request.lifetime_ms.min(i32::MAX as u32),
            batch,
            begun,
            payload,
            reply: vec![0; (room + 7) / 8].into(),
        }
    }

    /// When the system has given it up, as it was told to. (The page of Icmp6SendEcho2 says that it
    /// takes no time with an APC; no system is known that does not, and closing the handle ends it.)
    pub(super) fn expiry(&self) -> Time {
        self.begun.plus_nanos(u64::from(self.milliseconds) * MILLISECOND)
    }

    /// Gives it to the system: from here on its buffers are the system's, too.
    pub(super) fn hand_over<C: Calls>(
        &mut self,
        calls: &C,
        file: RawHandle,
        context: usize,
    ) -> Taken {
        let options = IpOptions {
            ttl: self.hops,
            tos: 0,
            flags: 0,
            options_size: 0,
            options_data: null_mut(),
        };
        let to = SocketAddress::new(&self.to, 0);
        let from = SocketAddress::any(Family::V6);
        let mut octets = [0; 4];
        if self.to.family() == Family::V4 {
            octets.copy_from_slice(self.to.octets());
        }
        let call = EchoCall {
            family: self.to.family(),
            to_v4: u32::from_ne_bytes(octets),
            from_v6: from.as_v6(),
            to_v6: to.as_v6(),
            context,
            data: self.payload.as_ptr(),
            size: self.payload.len() as u16,
            // Without options the system takes its own time to live.
            options: if self.hops == 0 { null() } else { &options },
            replies: self.reply.as_mut_ptr().cast(),
            replies_size: (self.reply.len() * 8) as u32,
            milliseconds: self.milliseconds,
        };
        // SAFETY: both buffers live until the request is dropped, which is when no completion can
        // come any more: see `Echoes`.
        let (result, error) = unsafe { calls.send_echo(file, &call) };
        taken(result, error)
    }

    /// How it ended, and what the system says of it. `counted` replies were told of by its call.
    pub(super) fn read<C: Calls>(&mut self, calls: &C, counted: u32) -> (EchoEnd, Heard) {
        let family = self.to.family();
        let room = (self.reply.len() * 8) as u32;
        let pointer = self.reply.as_mut_ptr().cast();
        // SAFETY: the buffer that the system has filled, and its size.
        let (parsed, parse_error) = unsafe { calls.parse(family, pointer, room) };
        let (replies, parse_error) = (parsed.max(counted), parse_error as u32);
        let (mut heard, carries) = match family {
            Family::V4 => self.heard_v4(),
            Family::V6 => self.heard_v6(),
        };
        // By the page of Icmp6ParseReplies it finds none but replies and expired hop limits, and tells
        // the rest as the last error. Any other number is of an earlier call.
        if replies == 0 && heard.status == 0 && is_ip_status(parse_error) {
            heard.status = parse_error;
        }
        let is_somebody = heard.from.octets().iter().any(|octet| *octet != 0);
        let is_proven = is_somebody && self.payload.len() >= WHOLE;
        let is_answer = carries && (self.is_asked(&heard.from) || is_proven);
        let end = match echo_end(family, heard.status) {
            // A cancelled request leaves no reply, and a reply with another payload is none to this
            // request, nor is that of another host to a payload that another request may have.
            EchoEnd::Reply if replies == 0 || !is_answer => EchoEnd::Silence,
            EchoEnd::IcmpError { outcome, .. } if !is_somebody => EchoEnd::Local(outcome),
            end => end,
        };
        (end, heard)
    }

    /// Whether this is the host asked. The scope that the system tells need not be the one asked for.
    fn is_asked(&self, from: &Address) -> bool {
        from.octets() == self.to.octets()
    }

    /// What stands there, and whether it carries the request's payload. (The page of IcmpParseReplies
    /// speaks of an ICMP_ECHO_REPLY32 on 64-bit systems; what 64-bit programs are given, .NET's among
    /// them, is ICMP_ECHO_REPLY.)
    fn heard_v4(&self) -> (Heard, bool) {
        // SAFETY: the buffer is aligned, initialised, and larger than the struct.
        let reply = unsafe { &*self.reply.as_ptr().cast::<EchoReply>() };
        let from = Address::v4(reply.address);
        let start = self.reply.as_ptr() as usize;
        let offset = (reply.data as usize).wrapping_sub(start);
        let data = self.bytes().get(offset..).and_then(|rest| rest.get(..self.payload.len()));
        let carries = usize::from(reply.data_size) == self.payload.len()
            && (self.payload.is_empty() || data == Some(&self.payload[..]));
        let hops = Some(reply.options.ttl);
        (Heard { from, status: reply.status, round_trip_ms: reply.round_trip, hops }, carries)
    }

    /// The data follow the structure (the page of ICMPV6_ECHO_REPLY), which does not tell their size.
    fn heard_v6(&self) -> (Heard, bool) {
        // SAFETY: the buffer is aligned, initialised, and larger than the struct.
        let reply = unsafe { &*self.reply.as_ptr().cast::<EchoReply6>() };
        let from = Address::v6(reply.address.address, reply.address.scope);
        let data = &self.bytes()[size_of::<EchoReply6>()..][..self.payload.len()];
        let carries = data == &self.payload[..];
        let round_trip_ms = reply.round_trip;
        (Heard { from, status: reply.status, round_trip_ms, hops: None }, carries)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the same memory, as bytes.
        unsafe { std::slice::from_raw_parts(self.reply.as_ptr().cast(), self.reply.len() * 8) }
    }

    /// What is to be told of its end, which was seen at `ended`.
    pub(super) fn event(&self, end: EchoEnd, heard: &Heard, ended: Time) -> Option<Event> {
        let (id, transmission) = (self.id, self.transmission);
        match end {
            EchoEnd::Reply => {
                // Ours is the finer clock, but runs on while the thread is busy and cannot take the
                // APC; the system's counts whole milliseconds, and counts them right.
                let counted = (u64::from(heard.round_trip_ms) + 1) * MILLISECOND;
                let round_trip = ended.nanos_since(self.begun).min(counted);
                let received = self.batch.plus_nanos(round_trip);
                let from = (!self.is_asked(&heard.from)).then_some(heard.from);
                Some(Event::Reply { id, transmission, received, ttl: heard.hops, from })
            }
            EchoEnd::IcmpError { outcome, kind, code } => {
                let from = heard.from;
                Some(Event::IcmpError { id, transmission, outcome, from, kind, code, proven: true })
            }
            EchoEnd::Local(outcome) => {
                Some(Event::LocalError { id, outcome, os_error: heard.status as i32 })
            }
            EchoEnd::Silence | EchoEnd::NoResources => None,
        }
    }
}

/// No two requests carry the same, as far as there is room for it.
fn payload(key: u64, opening: u64, request: &EchoRequest) -> Box<[u8]> {
    let mut payload = vec![0; usize::from(request.size)];
    let number = opening << 16 | u64::from(request.transmission);
    // An odd factor (2^64 / golden ratio) keeps different numbers different.
    let word = (key ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes();
    for chunk in payload.chunks_mut(8) {
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    payload.into()
}
