//! One family's echo socket: raw where permitted, else ICMP datagram. Sends batches so that every
//! error is laid on the host that it belongs to, reads replies and ICMP errors, and knows when the
//! system may have dropped some. What a packet means is decided in `matching`.

use super::backend;
use super::filter;
use super::matching::Matching;
use super::messages::{Incoming, Outgoing, QueuedError};
use super::outcome::{may_be_of_another, route_outcome};
use super::socket::{local_name, open_socket, set_option, take_error, SocketAddress};
use crate::address::Family;
use crate::clock::Time;
use crate::sys::{EchoRequest, Event, OpenError, SendResult};
use crate::wire::{decode_echo_reply, decode_raw_v4, decode_raw_v6, Message, Quote, Token};
use std::mem::size_of;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, OwnedFd, RawFd};

/// Bytes asked for in each direction (the system doubles them): tens of thousands of replies, and
/// the requests that wait for their neighbour's address.
const BUFFER: c_int = 16 << 20;

/// Most packets read in one turn, so that a flood cannot keep the reactor.
const TURN: usize = 65_536;

/// How often a message is repeated while errors of others come in between.
const REPEATS: u32 = 16;

/// Linux: the words of SO_MEMINFO (`SK_MEMINFO_*`).
const MEMINFO_RECEIVE_ALLOCATED: usize = 0;
const MEMINFO_RECEIVE_LIMIT: usize = 1;
const MEMINFO_DROPS: usize = 8;
const MEMINFO_WORDS: usize = 9;

/// The most that one error takes of the receive buffer.
const ERROR_SIZE: u32 = 8192;

pub(super) struct EchoSocket {
    socket: OwnedFd,
    family: Family,
    raw: bool,
    /// The identifier of every request: chosen for raw sockets, else given by the system.
    identifier: u16,
    outgoing: Outgoing,
    incoming: Incoming,
    /// The drop counter when last seen.
    drops: u32,
    /// Changes seen of it, and error queues seen full.
    overflows: u64,
}

impl EchoSocket {
    /// Opens the socket; a raw one uses `identifier`.
    pub(super) fn open(family: Family, identifier: u16) -> Result<EchoSocket, OpenError> {
        let (socket, raw) = open_either(family)?;
        let fd = socket.as_raw_fd();
        set_options(fd, family, raw);
        let identifier = if raw {
            // Without it all packets are matched here.
            let _ = filter::attach(fd, family, identifier);
            identifier
        } else {
            bind_any(&socket, family)?;
            local_name(&socket).map_err(OpenError::Failed)?.1
        };
        let mut incoming = Incoming::new(!raw || family == Family::V6);
        // Strangers' packets from before the filter was there.
        for _ in 0..TURN {
            if incoming.fill(|messages| backend::receive(fd, messages)).is_err() {
                break;
            }
        }
        let outgoing = Outgoing::new(family);
        let drops = memory(fd).map_or(0, |memory| memory[MEMINFO_DROPS]);
        let overflows = 0;
        Ok(EchoSocket { socket, family, raw, identifier, outgoing, incoming, drops, overflows })
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Appends a request to the batch; `place` is its index in the caller's.
    pub(super) fn push(
        &mut self,
        place: usize,
        request: &EchoRequest,
        sequence: u16,
        token: &Token,
    ) {
        self.outgoing.push(place, request, self.identifier, sequence, token);
    }

    /// Sends the batch and writes what became of each message to its place in `results`, where
    /// `NotSent` stands from before.
    ///
    /// An error may be about an earlier packet: it says nothing of the message in hand. So the
    /// error queue is emptied and the message repeated; what fails again with nothing in the queue
    /// is its own. The system stops a batch at each error; the rest goes on behind it.
    pub(super) fn flush(
        &mut self,
        results: &mut [SendResult],
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) {
        let at = Time::now();
        let mut next = 0;
        let mut failures = 0;
        while next < self.outgoing.len() {
            let fd = self.socket.as_raw_fd();
            match backend::send(fd, self.outgoing.messages(next)) {
                Ok(sent) => {
                    for index in next..next + sent {
                        results[self.outgoing.place(index)] = SendResult::Sent { at };
                    }
                    next += sent;
                    failures = 0;
                }
                Err(libc::EINTR) => {}
                // The send buffer is full; the others would fare no better.
                Err(libc::EAGAIN) => {
                    for index in next..self.outgoing.len() {
                        results[self.outgoing.place(index)] =
                            SendResult::NotSent { os_error: libc::EAGAIN };
                    }
                    break;
                }
                // For this destination: the neighbour table, a queue.
                Err(os_error @ (libc::ENOBUFS | libc::ENOMEM)) => {
                    results[self.outgoing.place(next)] = SendResult::NotSent { os_error };
                    next += 1;
                    failures = 0;
                }
                Err(error) => {
                    failures += 1;
                    let others = self.drain_errors(matching, events);
                    if failures > 1 && !(others && may_be_of_another(error)) {
                        results[self.outgoing.place(next)] =
                            SendResult::Failed { outcome: route_outcome(error), os_error: error };
                        next += 1;
                        failures = 0;
                    } else if failures > REPEATS {
                        next += 1;
                        failures = 0;
                    }
                }
            }
        }
        self.outgoing.clear();
    }

    /// Reads all that is there.
    pub(super) fn receive(&mut self, matching: &mut Matching, events: &mut Vec<Event>) {
        let fd = self.socket.as_raw_fd();
        let mut failures = 0;
        let mut read = 0;
        while read < TURN {
            match self.incoming.fill(|messages| backend::receive(fd, messages)) {
                Ok(count) => {
                    let clock = Clock::now();
                    for index in 0..count {
                        self.read_packet(index, &clock, matching, events);
                    }
                    read += count;
                }
                Err(libc::EINTR) => {}
                Err(libc::EAGAIN) => break,
                // An error about a packet sent: it stands in the error queue, too.
                Err(_) => {
                    self.drain_errors(matching, events);
                    failures += 1;
                    if failures > REPEATS {
                        break;
                    }
                }
            }
        }
    }

    fn read_packet(
        &self,
        index: usize,
        clock: &Clock,
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) {
        let packet = self.incoming.packet(index);
        let (from, message, ttl) = match (self.raw, self.family) {
            (true, Family::V4) => match decode_raw_v4(packet.bytes) {
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
                matching.reply(from, &echo, clock.time_of(packet.stamp), ttl)
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
        for _ in 0..TURN {
            let entry = match QueuedError::take(self.socket.as_raw_fd()) {
                Some(entry) => entry,
                None => break,
            };
            // The rest are the system's own words on the message in hand.
            if !matches!(entry.origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6) {
                continue;
            }
            others = true;
            if !self.raw {
                match self.read_error(&entry, matching) {
                    Some(event) => events.push(event),
                    None => matching.foreign += 1,
                }
            }
        }
        take_error(&self.socket);
        others
    }

    fn read_error(&self, entry: &QueuedError, matching: &Matching) -> Option<Event> {
        let echo = crate::wire::decode_quoted_request(self.family, entry.packet())?;
        if echo.identifier != self.identifier {
            return None;
        }
        let quote = Quote { to: entry.to?, echo };
        matching.error(entry.offender?, entry.kind, entry.code, &quote)
    }

    /// A number that changes when the system has dropped packets or errors.
    pub(super) fn overflows(&mut self) -> u64 {
        if let Some(memory) = memory(self.descriptor()) {
            if memory[MEMINFO_DROPS] != self.drops {
                self.drops = memory[MEMINFO_DROPS];
                self.overflows += 1;
            }
        }
        self.overflows
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

/// Both clocks, read together: stamps are of the wall clock, which may be set at any time.
struct Clock {
    monotonic: Time,
    real: i64,
}

impl Clock {
    fn now() -> Clock {
        Clock { monotonic: Time::now(), real: super::process::wall_clock() }
    }

    /// A stamp on the monotonic clock; now, where there is none or it makes no sense.
    fn time_of(&self, stamp: Option<i64>) -> Time {
        let age = stamp.map_or(0, |stamp| self.real.saturating_sub(stamp));
        match u64::try_from(age) {
            Ok(age) if age <= self.monotonic.as_nanos() => {
                Time::from_nanos(self.monotonic.as_nanos() - age)
            }
            _ => self.monotonic,
        }
    }
}

// The batch is counted in the type that the system calls take.
const _: () = assert!(crate::sys::BATCH <= c_uint::MAX as usize && crate::sys::BATCH <= 256);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_that_makes_no_sense_is_now() {
        let clock = Clock { monotonic: Time::from_nanos(1_000), real: 50_000 };
        assert_eq!(clock.time_of(Some(49_900)), Time::from_nanos(900));
        assert_eq!(clock.time_of(Some(50_001)), clock.monotonic);
        assert_eq!(clock.time_of(Some(0)), clock.monotonic);
        assert_eq!(clock.time_of(None), clock.monotonic);
    }
}
