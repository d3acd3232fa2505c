//! ICMP packets as a played network sees and sends them: RFC 792 and 791, RFC 4443 and 8200.

use std::net::IpAddr;

/// Protocols of IP.
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;
pub const TCP: u8 = 6;
const TTL: u8 = 61;

/// An echo request that came out of the machine.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub source: IpAddr,
    /// Who is asked.
    pub destination: IpAddr,
    /// As sent.
    pub identifier: u16,
    /// As sent.
    pub sequence: u16,
    /// As sent, with the token in its first bytes.
    pub payload: Vec<u8>,
    /// The whole packet.
    packet: Vec<u8>,
}

/// An IP packet taken apart.
pub struct Ip<'a> {
    /// Who sent it.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// Of the message.
    pub protocol: u8,
    /// What is behind the header; no extension headers are known here.
    pub message: &'a [u8],
}

/// The two bytes at `at`.
pub fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn address<const N: usize>(packet: &[u8], at: usize) -> Option<IpAddr>
where
    IpAddr: From<[u8; N]>,
{
    <[u8; N]>::try_from(packet.get(at..at + N)?).ok().map(IpAddr::from)
}

impl<'a> Ip<'a> {
    /// `None` where it is none.
    pub fn parse(packet: &'a [u8]) -> Option<Ip<'a>> {
        let (source, destination, protocol, begin) = match packet.first()? >> 4 {
            4 => {
                let begin = usize::from(packet[0] & 15) * 4;
                (address::<4>(packet, 12)?, address::<4>(packet, 16)?, packet[9], begin)
            }
            6 => (address::<16>(packet, 8)?, address::<16>(packet, 24)?, packet[6], 40),
            _ => return None,
        };
        Some(Ip { source, destination, protocol, message: packet.get(begin..)? })
    }
}

impl Request {
    /// Reads an IP packet; `None` where it is no echo request.
    pub fn parse(packet: &[u8]) -> Option<Request> {
        let Ip { source, destination, protocol, message } = Ip::parse(packet)?;
        let is_request = matches!((protocol, message.first()?), (ICMP, 8) | (ICMPV6, 128));
        if !is_request || message.len() < 8 {
            return None;
        }
        Some(Request {
            source,
            destination,
            identifier: word(message, 4),
            sequence: word(message, 6),
            payload: message[8..].to_vec(),
            packet: packet.to_vec(),
        })
    }

    /// The last byte of the address asked, by which tests tell their hosts apart.
    pub fn host(&self) -> u8 {
        match self.destination {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(address) => address.octets()[15],
        }
    }

    /// The right reply.
    pub fn reply(&self) -> Vec<u8> {
        self.reply_from(self.destination)
    }

    /// The right reply, but from another host.
    pub fn reply_from(&self, source: IpAddr) -> Vec<u8> {
        let kind = if self.source.is_ipv4() { 0 } else { 129 };
        ip(source, self.source, self.echo(kind))
    }

    /// The echo message with these fields, as a reply or (for a host that talks to itself) not.
    fn echo(&self, kind: u8) -> Vec<u8> {
        let mut message = vec![kind, 0, 0, 0];
        message.extend_from_slice(&self.identifier.to_be_bytes());
        message.extend_from_slice(&self.sequence.to_be_bytes());
        message.extend_from_slice(&self.payload);
        message
    }

    /// An echo request instead of a reply.
    pub fn sent_back(&self) -> Vec<u8> {
        let kind = if self.source.is_ipv4() { 8 } else { 128 };
        ip(self.destination, self.source, self.echo(kind))
    }

    /// "Host unreachable" from `router`, which quotes `quoted` bytes behind the IP header.
    pub fn unreachable_from(&self, router: IpAddr, quoted: usize) -> Vec<u8> {
        let (kind, code) = if self.source.is_ipv4() { (3, 1) } else { (1, 3) };
        self.error_from(router, kind, code, quoted)
    }

    /// The ICMP error of this type and code from `router`, which quotes as above.
    pub fn error_from(&self, router: IpAddr, kind: u8, code: u8, quoted: usize) -> Vec<u8> {
        let header = if self.source.is_ipv4() { 20 } else { 40 };
        let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
        let end = self.packet.len().min(header + quoted);
        message.extend_from_slice(&self.packet[..end]);
        ip(router, self.source, message)
    }

    /// The same request with one bit of its token changed, as a forger would quote it.
    pub fn forged(&self) -> Request {
        let mut forged = self.clone();
        let token = self.packet.len() - self.payload.len();
        forged.packet[token] ^= 1;
        forged.payload[0] ^= 1;
        forged
    }
}

fn sum(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum()
}

/// RFC 1071.
fn checksum(sum: u32) -> [u8; 2] {
    let folded = (sum >> 16) + (sum & 0xffff);
    (!((folded >> 16) + folded) as u16).to_be_bytes()
}

/// The ICMP message with its checksum, in an IP packet.
fn ip(source: IpAddr, destination: IpAddr, message: Vec<u8>) -> Vec<u8> {
    let protocol = if source.is_ipv4() { ICMP } else { ICMPV6 };
    packet(source, destination, protocol, 2, message)
}

/// An IP packet with this message, whose checksum belongs at `check`.
pub fn packet(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    check: usize,
    mut message: Vec<u8>,
) -> Vec<u8> {
    let pseudo = message.len() as u32 + u32::from(protocol);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let pseudo = match protocol {
                ICMP => 0,
                _ => sum(&source.octets()) + sum(&destination.octets()) + pseudo,
            };
            let sum_of_message = checksum(pseudo + sum(&message));
            message[check..check + 2].copy_from_slice(&sum_of_message);
            let length = (20 + message.len()) as u16;
            let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, TTL, protocol, 0, 0];
            packet[2..4].copy_from_slice(&length.to_be_bytes());
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
            let sum_of_header = checksum(sum(&packet));
            packet[10..12].copy_from_slice(&sum_of_header);
            packet.extend(message);
            packet
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let pseudo = sum(&source.octets()) + sum(&destination.octets()) + pseudo;
            let sum_of_message = checksum(pseudo + sum(&message));
            message[check..check + 2].copy_from_slice(&sum_of_message);
            let mut packet = vec![0x60, 0, 0, 0, 0, 0, protocol, TTL];
            packet[4..6].copy_from_slice(&(message.len() as u16).to_be_bytes());
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
            packet.extend(message);
            packet
        }
        _ => panic!("one packet, two families"),
    }
}
