//! What kind of host an address is, and what it does with a request. Everything follows from the
//! seed, the address and the number of the attempt, but for the hosts that vanish or appear.

use crate::packets::{packet, word, Ip, Request, TCP};
use std::net::IpAddr;
use std::time::Duration;

/// What a packet is to the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Meaning {
    /// A valid reply: the host is up.
    Reply,
    /// A TCP host's own no.
    Refusal,
    /// An error whose quote has the whole token, or proves nothing.
    Error(&'static str),
    /// Nothing that may count.
    Noise,
}

/// A packet to send, when, and what it means.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    pub after: Duration,
    pub packet: Vec<u8>,
    pub meaning: Meaning,
}

/// SplitMix64's mixing (Steele, Lea and Flood, 2014): a number that looks like chance.
pub fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Type, code and state of the errors of each family.
const V4_ERRORS: [(u8, u8, &str); 12] = [
    (3, 0, "DestinationNetworkUnreachable"),
    (3, 1, "DestinationHostUnreachable"),
    (3, 2, "DestinationProtocolUnreachable"),
    (3, 3, "DestinationPortUnreachable"),
    (3, 4, "PacketTooBig"),
    (3, 5, "BadRoute"),
    (3, 9, "DestinationProhibited"),
    (3, 13, "DestinationProhibited"),
    (11, 0, "TtlExpired"),
    (11, 1, "TtlReassemblyTimeExceeded"),
    (12, 0, "BadHeader"),
    (12, 1, "BadOption"),
];
const V6_ERRORS: [(u8, u8, &str); 11] = [
    (1, 0, "DestinationNetworkUnreachable"),
    (1, 1, "DestinationProhibited"),
    (1, 2, "DestinationScopeMismatch"),
    (1, 3, "DestinationHostUnreachable"),
    (1, 4, "DestinationPortUnreachable"),
    (2, 0, "PacketTooBig"),
    (3, 0, "TtlExpired"),
    (3, 1, "TtlReassemblyTimeExceeded"),
    (4, 0, "BadHeader"),
    (4, 1, "UnrecognizedNextHeader"),
    (4, 2, "BadOption"),
];

/// Everything quoted, token included; the ICMP header alone.
const WHOLE: usize = 64;
const CUT: usize = 8;

/// The seed of a run and the time between two attempts.
#[derive(Clone, Copy)]
pub struct Script {
    pub seed: u64,
    pub interval: Duration,
    pub timeout: Duration,
    /// From when on vanishing hosts are silent, and late ones are there.
    pub half_time: Duration,
}

/// What tells a host from the others, in its last bits as its address does.
pub fn number(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) as u64 ^ (1 << 40),
    }
}

/// The same host number, in a subnet of its own.
fn elsewhere(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [_, _, c, d] = address.octets();
            IpAddr::from([10, 80, c | 128, d])
        }
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8] = 0x99;
            IpAddr::from(octets)
        }
    }
}

impl Script {
    fn chance(&self, of: IpAddr, what: u64) -> u64 {
        mix(mix(self.seed ^ what << 48) ^ number(of))
    }

    fn error(&self, of: IpAddr) -> (u8, u8, &'static str) {
        let chance = self.chance(of, 2) as usize;
        match of {
            IpAddr::V4(_) => V4_ERRORS[chance % V4_ERRORS.len()],
            IpAddr::V6(_) => V6_ERRORS[chance % V6_ERRORS.len()],
        }
    }

    /// What the host asked does at its `attempt`th request (from 0), `elapsed` after the begin.
    pub fn play(&self, request: &Request, attempt: u8, elapsed: Duration) -> Vec<Action> {
        let host = request.destination;
        let attempt_chance = self.chance(host, 16 + u64::from(attempt));
        let quick = Duration::from_micros(attempt_chance % 20_000);
        let slow = self.timeout / 4 + Duration::from_micros(attempt_chance % 50_000);
        let action = |after, packet, meaning| Action { after, packet, meaning };
        let reply = |after| action(after, request.reply(), Meaning::Reply);
        let noise = |packet| vec![action(quick, packet, Meaning::Noise)];
        let (kind, code, state) = self.error(host);
        let router = elsewhere(host);
        let mut wrong = request.clone();
        match self.chance(host, 1) % 64 {
            0..=19 => vec![reply(quick)],
            20..=25 => vec![reply(slow)],
            // Loses half of what it hears or says.
            26..=29 if attempt_chance >> 32 & 1 == 0 => vec![],
            26..=29 => vec![reply(quick)],
            30 | 31 => vec![reply(quick), reply(quick), reply(quick * 2)],
            // The first reply after the second.
            32 | 33 if attempt == 0 => vec![reply(self.interval + slow)],
            32 | 33 => vec![reply(Duration::ZERO)],
            34 => {
                wrong.payload.truncate(8);
                noise(wrong.reply())
            }
            // Of IPv6 the kernel counts these as if they had found no room: a test of its own.
            35 if host.is_ipv6() => vec![],
            35 => {
                let mut packet = request.reply();
                let last = packet.len() - 1;
                packet[last] ^= 0x40;
                noise(packet)
            }
            36 => {
                wrong.identifier ^= 1;
                noise(wrong.reply())
            }
            37 => {
                wrong.sequence = wrong.sequence.wrapping_add(1);
                noise(wrong.reply())
            }
            38 => noise(request.forged().reply()),
            39 => vec![action(quick, request.reply_from(elsewhere(host)), Meaning::Reply)],
            // Forged floods, with the true reply among them or without.
            40 | 41 => {
                let forged = request.forged().reply();
                let mut flood: Vec<_> =
                    (0..20).map(|_| action(quick, forged.clone(), Meaning::Noise)).collect();
                if self.chance(host, 3) & 1 == 0 {
                    flood.push(reply(quick * 2));
                }
                flood
            }
            42..=44 => {
                let packet = request.error_from(router, kind, code, WHOLE);
                vec![action(quick, packet, Meaning::Error(state))]
            }
            45 | 46 => {
                let packet = request.error_from(router, kind, code, CUT);
                vec![action(quick, packet, Meaning::Error(state))]
            }
            47 => noise(request.forged().error_from(router, kind, code, WHOLE)),
            48 => {
                let packet = request.error_from(router, kind, code, CUT);
                vec![action(quick, packet, Meaning::Error(state)), reply(quick * 2)]
            }
            49..=51 if attempt == 0 => vec![],
            49..=51 => vec![reply(quick)],
            52 | 53 if elapsed > self.half_time => vec![],
            52 | 53 => vec![reply(quick)],
            54 | 55 if elapsed < self.half_time => vec![],
            54 | 55 => vec![reply(quick)],
            // When nobody waits any more.
            56 => vec![reply(self.interval * 4 + self.timeout * 2)],
            57 => noise(request.sent_back()),
            _ => vec![],
        }
    }

    /// What the TCP host does that a SYN asks for a connection.
    pub fn play_tcp(&self, syn: &Syn) -> Vec<Action> {
        let chance = self.chance(syn.destination, 5);
        let quick = Duration::from_micros(chance >> 16 & 0x3fff);
        let action = |after, packet, meaning| Action { after, packet, meaning };
        let right = syn.sequence.wrapping_add(1);
        match chance % 12 {
            0..=3 => vec![action(quick, syn.answer(ACCEPT, right), Meaning::Reply)],
            4 | 5 => vec![action(quick, syn.answer(RESET, right), Meaning::Refusal)],
            6 => vec![
                action(quick, syn.answer(ACCEPT, right), Meaning::Reply),
                action(quick * 2, syn.answer(RESET, right), Meaning::Noise),
            ],
            // Acknowledge what was never sent.
            7 => vec![action(quick, syn.answer(ACCEPT, right ^ 0x5555), Meaning::Noise)],
            8 => vec![action(quick, syn.answer(RESET, right ^ 0x5555), Meaning::Noise)],
            9 => vec![action(self.timeout / 2, syn.answer(ACCEPT, right), Meaning::Reply)],
            _ => vec![],
        }
    }
}

const ACCEPT: u8 = 0x12;
const RESET: u8 = 0x14;

/// The first packet of a TCP connection.
pub struct Syn {
    source: IpAddr,
    pub destination: IpAddr,
    ports: [u8; 4],
    sequence: u32,
}

impl Syn {
    /// Reads an IP packet; `None` where it is no SYN.
    pub fn parse(packet: &[u8]) -> Option<Syn> {
        let Ip { source, destination, protocol, message } = Ip::parse(packet)?;
        let segment = message.get(..20).filter(|segment| protocol == TCP && segment[13] == 2)?;
        let ports = [segment[2], segment[3], segment[0], segment[1]];
        let sequence = u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]);
        Some(Syn { source, destination, ports, sequence })
    }

    /// Our port.
    pub fn port(&self) -> u16 {
        word(&self.ports, 2)
    }

    fn answer(&self, flags: u8, acknowledged: u32) -> Vec<u8> {
        let mut segment = self.ports.to_vec();
        segment.extend_from_slice(&0x0102_0304u32.to_be_bytes());
        segment.extend_from_slice(&acknowledged.to_be_bytes());
        segment.extend_from_slice(&[0x50, flags, 0x20, 0, 0, 0, 0, 0]);
        packet(self.destination, self.source, TCP, 16, segment)
    }
}
