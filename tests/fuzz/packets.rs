//! Packets: what the product's decoders make of bytes is compared with what a second decoder makes
//! of them, written from the RFCs (791, 792, 1071, 4443, 8200) byte by byte.

use crate::{fuzz, Random};
use rust_runspaces::address::Family;
use rust_runspaces::wire::{
    decode_raw_v4, decode_raw_v6, encode_request, Message, TokenKey, TOKEN_LENGTH,
};

const CORPUS: &str = include_str!("corpus/packets.txt");

/// What both decoders say, in one form: type, code, address, identifier, sequence, payload.
#[derive(PartialEq, Debug)]
struct Reading {
    kind: u8,
    code: u8,
    about: Option<Vec<u8>>,
    identifier: u16,
    sequence: u16,
    payload: Vec<u8>,
}

fn read(message: &Message<'_>, reply: u8) -> Reading {
    let (kind, code, about, echo) = match message {
        Message::Reply(echo) => (reply, 0, None, echo),
        Message::Error { kind, code, quote } => {
            (*kind, *code, Some(quote.to.octets().to_vec()), &quote.echo)
        }
    };
    let (identifier, sequence) = (echo.identifier, echo.sequence);
    Reading { kind, code, about, identifier, sequence, payload: echo.payload.to_vec() }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from(*bytes.get(at)?) * 256 + u16::from(*bytes.get(at + 1)?))
}

fn echo(bytes: &[u8], kind: u8) -> Option<(u16, u16, Vec<u8>)> {
    if *bytes.first()? != kind || *bytes.get(1)? != 0 {
        return None;
    }
    Some((number(bytes, 4)?, number(bytes, 6)?, bytes[8..].to_vec()))
}

fn sums_up(message: &[u8]) -> bool {
    let mut padded = message.to_vec();
    padded.resize(message.len() + message.len() % 2, 0);
    let sum: u64 = padded.chunks(2).map(|pair| u64::from(pair[0]) * 256 + u64::from(pair[1])).sum();
    // A sum in ones' complement is right when it is a multiple of 65,535, but not zero.
    sum % 65_535 == 0 && sum > 0
}

/// Where the ICMP message of an IPv4 packet begins.
fn inside_v4(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let begin = usize::from(first % 16) * 4;
    let is_first_fragment = number(packet, 6)? % 0x2000 == 0;
    let fits = first / 16 == 4 && begin >= 20 && begin <= packet.len();
    (fits && *packet.get(9)? == 1 && is_first_fragment).then_some(begin)
}

fn reference_v4(packet: &[u8], whole: bool) -> Option<(Vec<u8>, u8, Reading)> {
    let message = &packet[inside_v4(packet)?..];
    if whole && !sums_up(message) {
        return None;
    }
    let kind = *message.first()?;
    let (code, about, (identifier, sequence, payload)) = match kind {
        0 => (0, None, echo(message, 0)?),
        3 | 11 | 12 => {
            let quoted = message.get(8..)?;
            let request = echo(&quoted[inside_v4(quoted)?..], 8)?;
            (message[1], Some(quoted[16..20].to_vec()), request)
        }
        _ => return None,
    };
    let reading = Reading { kind, code, about, identifier, sequence, payload };
    Some((packet[12..16].to_vec(), packet[8], reading))
}

fn reference_v6(message: &[u8]) -> Option<Reading> {
    let kind = *message.first()?;
    let (code, about, (identifier, sequence, payload)) = match kind {
        129 => (0, None, echo(message, 129)?),
        1..=127 => {
            let quoted = message.get(8..)?;
            if *quoted.first()? / 16 != 6 {
                return None;
            }
            let mut next = *quoted.get(6)?;
            let mut at = 40;
            quoted.get(39)?;
            while next != 58 {
                quoted.get(at + 7)?;
                let length = usize::from(quoted[at + 1]);
                let step = match next {
                    0 | 43 | 60 => length * 8 + 8,
                    51 => length * 4 + 8,
                    44 if number(quoted, at + 2)? / 8 == 0 => 8,
                    _ => return None,
                };
                next = quoted[at];
                at += step;
            }
            (message[1], Some(quoted[24..40].to_vec()), echo(quoted.get(at..)?, 128)?)
        }
        _ => return None,
    };
    Some(Reading { kind, code, about, identifier, sequence, payload })
}

/// Compares the decoders; whether the packet meant anything.
fn check(bytes: &[u8]) -> bool {
    let mut meant = false;
    for whole in [true, false] {
        let ours = decode_raw_v4(bytes, whole)
            .map(|raw| (raw.from.octets().to_vec(), raw.ttl, read(&raw.message, 0)));
        meant |= ours.is_some();
        assert_eq!(ours, reference_v4(bytes, whole), "IPv4, whole: {} {:02x?}", whole, bytes);
    }
    let ours = decode_raw_v6(bytes).map(|message| read(&message, 129));
    meant |= ours.is_some();
    assert_eq!(ours, reference_v6(bytes), "IPv6 {:02x?}", bytes);
    meant
}

fn v4_header(random: &mut Random) -> Vec<u8> {
    let options = if random.below(4) == 0 { random.below(11) } else { 0 };
    let mut header = vec![0x45 + options as u8, 0, 0, 84, 0, 1, 0x40, 0, 64, 1, 0, 0];
    header.extend([127, 0, 0, 1, 127, 0, 0, random.number() as u8]);
    header.resize(20 + options * 4, 1);
    header
}

fn v6_header(random: &mut Random) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 64, 58, 64];
    packet.resize(40, 0xfd);
    let mut place = 6;
    for _ in 0..random.below(4) {
        let kind = [0, 43, 44, 51, 60][random.below(5)];
        packet[place] = kind;
        place = packet.len();
        let length = if kind == 44 { 0 } else { random.below(3) };
        packet.extend([58, length as u8, 0, random.below(8) as u8]);
        let bytes = if kind == 51 { (length + 2) * 4 } else { (length + 1) * 8 };
        packet.resize(place + bytes, 0);
    }
    packet
}

/// A right packet of some kind.
fn right(random: &mut Random) -> Vec<u8> {
    let family = if random.below(2) == 0 { Family::V4 } else { Family::V6 };
    let token = [7; TOKEN_LENGTH];
    let mut request = [0; 8 + TOKEN_LENGTH];
    let length = random.below(TOKEN_LENGTH + 1);
    let (identifier, sequence) = (random.number() as u16, random.number() as u16);
    let length = encode_request(family, &mut request, identifier, sequence, &token[..length]);
    let mut message = if random.below(2) == 0 {
        request[0] = if family == Family::V4 { 0 } else { 129 };
        request[..length].to_vec()
    } else {
        let kinds: [u8; 6] =
            if family == Family::V4 { [3, 11, 12, 4, 5, 3] } else { [1, 2, 3, 4, 100, 127] };
        let mut message = vec![kinds[random.below(6)], random.below(16) as u8, 0, 0, 0, 0, 0, 0];
        message.extend(if family == Family::V4 { v4_header(random) } else { v6_header(random) });
        message.extend_from_slice(&request[..length]);
        message
    };
    if family == Family::V6 {
        return message;
    }
    message[2..4].fill(0);
    let sum: u32 = message
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = v4_header(random);
    packet.extend(message);
    packet
}

fn damage(random: &mut Random, packet: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let at = random.below(packet.len());
        match random.below(6) {
            _ if packet.is_empty() => packet.push(random.number() as u8),
            0 => packet.truncate(at),
            1 => packet[at] ^= 1 << random.below(8),
            2 => packet[at] = random.number() as u8,
            3 => packet.insert(at, random.number() as u8),
            4 => packet.extend((0..random.below(80)).map(|byte| byte as u8)),
            _ => packet[at] = [0, 255, 128, 1, 0x45, 0x60][random.below(6)],
        }
    }
}

#[test]
fn packets_mean_what_they_say() {
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let bytes = line.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).expect("two digits");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        });
        check(&bytes.collect::<Vec<_>>());
    }
    let key = TokenKey::new(*b"the tests' key..");
    let (mut meant, mut all) = (0u64, 0u64);
    fuzz("packets", "", |random| {
        let mut packet = if random.below(16) == 0 {
            (0..random.below(200)).map(|_| random.number() as u8).collect()
        } else {
            right(random)
        };
        damage(random, &mut packet);
        all += 1;
        meant += u64::from(check(&packet));
        // Nobody guesses a token, and a right one that was changed is none.
        let (probe, sequence, transmission) =
            (random.number(), random.number() as u16, random.number() as u16);
        let mut token = key.token(probe, sequence, transmission);
        assert_eq!(key.open(sequence, &token), Some((probe, transmission)));
        token[random.below(TOKEN_LENGTH)] ^= 1 << random.below(8);
        assert_eq!(key.open(sequence, &token), None);
        1
    });
    // Neither all nonsense nor nothing but right ones.
    assert!(all == 1 || (meant > all / 10 && meant < all * 9 / 10), "{} of {}", meant, all);
}
