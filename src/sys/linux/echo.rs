//! One family's echo socket: raw where permitted, else ICMP datagram. Sends batches so that every
//! error is laid on the host that it belongs to and every request has a time of its own, reads
//! replies and ICMP errors, and knows when the system may have dropped some. What a packet means
//! is decided in `matching`.

use super::error_queue::{Entry, ErrorQueue, QueuedError};
use super::filter;
use super::flush::{Progress, Stamping};
use super::incoming::Incoming;
use super::matching::Matching;
use super::outgoing::{Numbered, Outgoing};
use super::socket::{local_name, open_socket, set_option, take_error, SocketAddress};
use super::stamps::ClockPair;
use super::transfer::Transfer;
use crate::address::Family;
use crate::sys::{EchoRequest, Event, OpenError};
use crate::wire::{decode_echo_reply, decode_raw_v4, decode_raw_v6, Message, Quote, TokenKey};
use std::mem::size_of;
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};

/// Bytes asked for in each direction (the system doubles them): tens of thousands of replies, and
/// the requests that wait for their neighbour's address.
const BUFFER: c_int = 16 << 20;

/// Most packets read in one turn, so that a flood cannot keep the reactor.
const TURN: usize = 65_536;

/// How often a message is repeated while errors of others come in between.
pub(super) const REPEATS: u32 = 16;

/// Linux: the words of SO_MEMINFO (`SK_MEMINFO_*`).
const MEMINFO_RECEIVE_ALLOCATED: usize = 0;
const MEMINFO_RECEIVE_LIMIT: usize = 1;
const MEMINFO_DROPS: usize = 8;
const MEMINFO_WORDS: usize = 9;

/// The most that one error takes of the receive buffer.
const ERROR_SIZE: u32 = 8192;

pub(super) struct EchoSocket {
    pub(super) socket: OwnedFd,
    pub(super) family: Family,
    raw: bool,
    /// Packets that are another socket's are read here, too.
    sees_others: bool,
    pub(super) transfer: Transfer,
    /// The identifier of every request: chosen for raw sockets, else given by the system.
    identifier: u16,
    key: TokenKey,
    pub(super) outgoing: Outgoing,
    pub(super) progress: Progress,
    incoming: Incoming,
    /// See [`EchoSocket::read_ahead`].
    ahead: Option<Result<(usize, ClockPair), i32>>,
    queue: ErrorQueue,
    pub(super) stamping: Stamping,
    /// Stamps found in the error queue: the request's number and the time.
    pub(super) stamps: Vec<(u32, i64)>,
    /// Requests may be fragmented; `None`: the system's default.
    pub(super) fragments: Option<bool>,
    /// The drop counter when last seen; `None` where the system does not tell it.
    drops: Option<u32>,
    /// Changes seen of it, and error queues seen full.
    overflows: u64,
    /// Errors taken out of the queue.
    drained: u64,
}

impl EchoSocket {
    /// Opens the socket; a raw one uses `identifier`. Tokens are made with `key`.
    pub(super) fn open(
        family: Family,
        identifier: u16,
        key: &TokenKey,
    ) -> Result<EchoSocket, OpenError> {
        let (socket, raw) = open_either(family)?;
        let fd = socket.as_raw_fd();
        set_options(fd, family, raw);
        let mut sees_others = false;
        let identifier = if raw {
            // Without it all packets are matched here.
            sees_others = filter::attach(fd, family, identifier).is_err();
            identifier
        } else {
            bind_any(&socket, family)?;
            local_name(&socket).map_err(OpenError::Failed)?.1
        };
        let mut transfer = Transfer::new();
        let mut incoming = Incoming::new(!raw || family == Family::V6);
        // Strangers' packets from before the filter was there.
        for _ in 0..TURN {
            if incoming.fill(|messages| transfer.receive(fd, messages, 0)).is_err() {
                break;
            }
        }
        let drops = memory(fd).map(|memory| memory[MEMINFO_DROPS]);
        Ok(EchoSocket {
            socket,
            family,
            raw,
            sees_others,
            transfer,
            identifier,
            key: key.clone(),
            outgoing: Outgoing::new(family),
            progress: Progress::default(),
            incoming,
            ahead: None,
            queue: ErrorQueue::new(),
            stamping: Stamping::Off,
            stamps: Vec::new(),
            fragments: None,
            drops,
            overflows: 0,
            drained: 0,
        })
    }

    /// A further socket of the family; `None` where none can be had that keeps apart from this one.
    pub(super) fn open_another(&self) -> Option<EchoSocket> {
        let other = EchoSocket::open(self.family, !self.identifier, &self.key).ok()?;
        (!self.sees_others && !other.sees_others).then_some(other)
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Appends a request to the batch.
    pub(super) fn push(&mut self, request: &Numbered) {
        let EchoRequest { id, transmission, stamped, .. } = request.request;
        if stamped && self.stamping == Stamping::Off {
            self.number_stamps();
        }
        let stamped = stamped && matches!(self.stamping, Stamping::From(_));
        let token = self.key.token(id.0, request.sequence, transmission);
        self.outgoing.push(request, stamped, self.identifier, &token);
    }

    /// Reads once, for the next [`EchoSocket::receive`]. Any thread.
    pub(super) fn read_ahead(&mut self) {
        self.ahead = Some(self.read());
    }

    /// The number of packets that were there, and when they were read.
    fn read(&mut self) -> Result<(usize, ClockPair), i32> {
        let EchoSocket { incoming, transfer, socket, .. } = self;
        let fd = socket.as_raw_fd();
        let count = incoming.fill(|messages| transfer.receive(fd, messages, 0))?;
        Ok((count, ClockPair::now()))
    }

    /// Takes all that is there, with what was read ahead.
    pub(super) fn receive(&mut self, matching: &mut Matching, events: &mut Vec<Event>) {
        let mut reading = Reading::default();
        loop {
            let read = self.ahead.take().unwrap_or_else(|| self.read());
            if let Ok((count, clock)) = &read {
                for index in 0..*count {
                    self.read_packet(index, clock, matching, events);
                }
            }
            match reading.after(read.map(|(count, _)| count)) {
                Next::Read => {}
                Next::Drain => {
                    self.drain_errors(matching, events);
                }
                Next::Stop => break,
            }
        }
    }

    fn read_packet(
        &self,
        index: usize,
        clock: &ClockPair,
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) {
        let packet = self.incoming.packet(index);
        let (from, message, ttl) = match (self.raw, self.family) {
            (true, Family::V4) => match decode_raw_v4(packet.bytes, packet.whole) {
                Some(raw) => (Some(raw.from), Some(raw.message), Some(raw.ttl)),
                None => (None, None, None),
            },
            (true, Family::V6) => (packet.from, decode_raw_v6(packet.bytes), packet.hops),
            (false, family) => {
                let reply = decode_echo_reply(family, packet.bytes).map(Message::Reply);
                (packet.from, reply, packet.hops)
            }
        };
        let event = match (from, message) {
            (Some(from), Some(Message::Reply(echo))) if echo.identifier == self.identifier => {
                matching.reply(from, &echo, clock.received(packet.stamp), ttl)
            }
            (Some(from), Some(Message::Error { kind, code, quote }))
                if quote.echo.identifier == self.identifier =>
            {
                matching.error(from, kind, code, &quote)
            }
            _ => None,
        };
        match event {
            Some(event) => events.push(event),
            None => matching.foreign += 1,
        }
    }

    /// Empties the error queue, or it is reported again at once, for ever. Datagram sockets get
    /// ICMP errors here and only here; raw sockets get all of the machine here, and their own
    /// among the packets once more. True: there were errors about other packets, or may have been.
    pub(super) fn drain_errors(
        &mut self,
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) -> bool {
        // What does not fit is lost without a trace.
        let mut others = memory(self.descriptor()).map_or(false, |memory| {
            memory[MEMINFO_RECEIVE_ALLOCATED].saturating_add(ERROR_SIZE)
                >= memory[MEMINFO_RECEIVE_LIMIT]
        });
        if others {
            self.overflows += 1;
        }
        others |= self.read_queue(matching, events);
        // Too late to be of use.
        self.stamps.clear();
        take_error(&self.socket);
        others
    }

    /// Takes everything out of the error queue; stamps are added to `stamps`. True: there were
    /// errors about other packets.
    pub(super) fn read_queue(&mut self, matching: &mut Matching, events: &mut Vec<Event>) -> bool {
        let mut others = false;
        let mut taken = 0;
        while taken < TURN {
            let filled = self.queue.fill(&mut self.transfer, self.socket.as_raw_fd());
            taken += filled.count;
            for index in 0..filled.count {
                let error = match self.queue.entry(index) {
                    Entry::Stamp { number, stamp } => {
                        self.stamps.push((number, stamp));
                        continue;
                    }
                    Entry::Local => continue,
                    Entry::Icmp(error) => error,
                };
                others = true;
                self.drained += 1;
                if !self.raw {
                    match self.read_error(&error, matching) {
                        Some(event) => events.push(event),
                        None => matching.foreign += 1,
                    }
                }
            }
            if filled.is_all {
                break;
            }
        }
        others
    }

    fn read_error(&self, entry: &QueuedError<'_>, matching: &Matching) -> Option<Event> {
        // Source quench is to be ignored (RFC 6633).
        if self.family == Family::V4 && entry.kind == 4 {
            return None;
        }
        let echo = crate::wire::decode_quoted_request(self.family, entry.packet)?;
        if echo.identifier != self.identifier {
            return None;
        }
        let quote = Quote { to: entry.to?, echo };
        matching.error(entry.offender?, entry.kind, entry.code, &quote)
    }

    /// A number that changes when the system has dropped packets or errors.
    pub(super) fn overflows(&mut self) -> u64 {
        if let (Some(before), Some(memory)) = (self.drops, memory(self.descriptor())) {
            if memory[MEMINFO_DROPS] != before {
                self.drops = Some(memory[MEMINFO_DROPS]);
                self.overflows += 1;
            }
        }
        self.overflows
    }

    /// Overflows as far as they have been seen.
    pub(super) fn overflows_seen(&self) -> u64 {
        self.overflows
    }

    /// Whether every drop is told.
    pub(super) fn tells_drops(&self) -> bool {
        self.drops.is_some()
    }

    /// Errors about earlier packets that were taken out of the queue.
    pub(super) fn drained(&self) -> u64 {
        self.drained
    }
}

/// When to stop reading a socket.
#[derive(Default)]
struct Reading {
    packets: usize,
    /// Errors in a row.
    failures: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Read,
    /// Empty the error queue, then read.
    Drain,
    Stop,
}

impl Reading {
    /// After one call that read that many packets, or failed.
    fn after(&mut self, filled: Result<usize, i32>) -> Next {
        match filled {
            Ok(count) => {
                self.packets += count;
                self.failures = 0;
                if self.packets < TURN {
                    Next::Read
                } else {
                    Next::Stop
                }
            }
            Err(libc::EINTR) => Next::Read,
            Err(libc::EAGAIN) => Next::Stop,
            // An error about a packet sent: it stands in the error queue, too.
            Err(_) => {
                self.failures += 1;
                if self.failures > REPEATS {
                    Next::Stop
                } else {
                    Next::Drain
                }
            }
        }
    }
}

/// SO_MEMINFO of a socket; Linux since 4.12.
fn memory(socket: RawFd) -> Option<[u32; MEMINFO_WORDS]> {
    let mut words = [0u32; MEMINFO_WORDS];
    let size = size_of::<[u32; MEMINFO_WORDS]>() as libc::socklen_t;
    let mut length = size;
    let (level, name) = (libc::SOL_SOCKET, libc::SO_MEMINFO);
    // SAFETY: writable for the length given.
    let result =
        unsafe { libc::getsockopt(socket, level, name, words.as_mut_ptr().cast(), &mut length) };
    (result == 0 && length == size).then_some(words)
}

/// A raw socket, else a datagram one. The flag: it is raw.
fn open_either(family: Family) -> Result<(OwnedFd, bool), OpenError> {
    if !Transfer::is_permitted() {
        return Err(OpenError::NotPermitted);
    }
    let protocol = match family {
        Family::V4 => libc::IPPROTO_ICMP,
        Family::V6 => libc::IPPROTO_ICMPV6,
    };
    match open_socket(family, libc::SOCK_RAW, protocol) {
        Ok(socket) => return Ok((socket, true)),
        Err(libc::EPERM | libc::EACCES) => {}
        Err(error) => return Err(open_error(error)),
    }
    match open_socket(family, libc::SOCK_DGRAM, protocol) {
        Ok(socket) => Ok((socket, false)),
        // The last two: a system without such sockets.
        Err(libc::EPERM | libc::EACCES | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT) => {
            Err(OpenError::NotPermitted)
        }
        Err(error) => Err(open_error(error)),
    }
}

fn open_error(error: i32) -> OpenError {
    match error {
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM => OpenError::NoResources(error),
        error => OpenError::Failed(error),
    }
}

/// Whether this process may send echo requests of a family. Opens a socket and closes it again;
/// any thread.
pub fn echo_permission(family: Family) -> Result<(), OpenError> {
    open_either(family).map(|_| ())
}

/// A socket that lacks one of these still serves: it overflows sooner, its errors come late and
/// without their host, the time of reading stands in for the stamp, replies have no hop limit.
fn set_options(fd: RawFd, family: Family, raw: bool) {
    for (forced, plain) in
        [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
    {
        // Forcing takes CAP_NET_ADMIN; without it the system's own limit holds.
        if set_option(fd, libc::SOL_SOCKET, forced, &BUFFER).is_err() {
            let _ = set_option(fd, libc::SOL_SOCKET, plain, &BUFFER);
        }
    }
    let on: c_int = 1;
    let (level, errors, hops) = match family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_RECVERR, libc::IP_RECVTTL),
        Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR, libc::IPV6_RECVHOPLIMIT),
    };
    let _ = set_option(fd, level, errors, &on);
    // Raw IPv4 sockets get the whole header.
    if !raw || family == Family::V6 {
        let _ = set_option(fd, level, hops, &on);
    }
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on);
}

/// Gives a datagram socket its identifier.
fn bind_any(socket: &OwnedFd, family: Family) -> Result<(), OpenError> {
    let any = match family {
        Family::V4 => crate::address::Address::v4([0; 4]),
        Family::V6 => crate::address::Address::v6([0; 16], 0),
    };
    let name = SocketAddress::new(&any, 0);
    let (pointer, length) = ((&name as *const SocketAddress).cast(), SocketAddress::length(family));
    // SAFETY: readable for the length given.
    if unsafe { libc::bind(socket.as_raw_fd(), pointer, length) } < 0 {
        return Err(OpenError::Failed(super::socket::errno()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_between_packets_do_not_end_the_reading() {
        let mut reading = Reading::default();
        for _ in 0..10 * REPEATS {
            assert_eq!(reading.after(Err(libc::EHOSTUNREACH)), Next::Drain);
            assert_eq!(reading.after(Ok(1)), Next::Read);
        }
        assert_eq!(reading.after(Err(libc::EAGAIN)), Next::Stop);
    }

    #[test]
    fn errors_without_end_end_the_reading() {
        let mut reading = Reading::default();
        let drained = (0..100).take_while(|_| reading.after(Err(libc::EIO)) == Next::Drain);
        assert_eq!(drained.count(), REPEATS as usize);
    }

    #[test]
    fn a_flood_does_not_keep_the_reactor() {
        let mut reading = Reading::default();
        let read = (0..TURN).take_while(|_| reading.after(Ok(128)) == Next::Read);
        assert_eq!(read.count(), TURN / 128 - 1);
    }
}
