//! Owns the layout of echo requests and replies and of the errors that quote requests: RFC 792
//! for ICMP, RFC 4443 for ICMPv6. Reads what strangers send: every length is checked, nothing is
//! allocated, and whatever is not ours is `None`.

use super::token::Token;
use crate::address::{Address, Family};

/// Bytes of an echo request or reply before its payload: type, code, checksum, identifier,
/// sequence.
pub const HEADER_LENGTH: usize = 8;

const V4_ECHO_REPLY: u8 = 0;
const V4_ECHO_REQUEST: u8 = 8;
const V6_ECHO_REQUEST: u8 = 128;
const V6_ECHO_REPLY: u8 = 129;

const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_ICMPV6: u8 = 58;

/// The fixed part of an IPv6 header.
const V6_HEADER_LENGTH: usize = 40;

/// An echo request or reply. The payload may be cut short: by the reader's buffer, or by a router
/// that quotes less than all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo<'a> {
    /// The identifier: which socket.
    pub identifier: u16,
    /// The sequence: which request.
    pub sequence: u16,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// One of our requests as an error quotes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote<'a> {
    /// The destination; a quote has no scope.
    pub to: Address,
    /// The request.
    pub echo: Echo<'a>,
}

/// A message that may concern us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// An echo reply.
    Reply(Echo<'a>),
    /// An error about an echo request.
    Error {
        /// ICMP or ICMPv6 type.
        kind: u8,
        /// ICMP or ICMPv6 code.
        code: u8,
        /// The request it is about.
        quote: Quote<'a>,
    },
}

/// What a raw IPv4 socket delivers: the message and what its IP header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawV4<'a> {
    /// The sender.
    pub from: Address,
    /// Time to live on arrival.
    pub ttl: u8,
    /// The message.
    pub message: Message<'a>,
}

/// Writes the header and the first bytes of the payload: `token` as far as given (at most a whole
/// one). The rest of the payload is zeros, so that it does not count in the checksum, which is
/// written for ICMP; for ICMPv6 the system computes it, from addresses only it knows.
///
/// Returns the bytes written.
pub fn encode_request(
    family: Family,
    into: &mut [u8; HEADER_LENGTH + std::mem::size_of::<Token>()],
    identifier: u16,
    sequence: u16,
    token: &[u8],
) -> usize {
    let length = HEADER_LENGTH + token.len();
    into[0] = match family {
        Family::V4 => V4_ECHO_REQUEST,
        Family::V6 => V6_ECHO_REQUEST,
    };
    into[1..4].fill(0);
    into[4..6].copy_from_slice(&identifier.to_be_bytes());
    into[6..8].copy_from_slice(&sequence.to_be_bytes());
    into[HEADER_LENGTH..length].copy_from_slice(token);
    // An odd length is summed with a zero behind it (RFC 1071).
    into[length..].fill(0);
    if family == Family::V4 {
        let sum = checksum(into);
        into[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    length
}

/// The internet checksum (RFC 1071) of at most 65,535 bytes; 0 over a message that has a right one
/// in it.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    let pairs = bytes.chunks_exact(2);
    // An odd length is summed with a zero behind it.
    sum += pairs.remainder().first().map_or(0, |last| u32::from(*last) << 8);
    for pair in pairs {
        sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

/// Reads what a raw IPv4 socket delivers: IP header, ICMP message. Nobody has looked at the checksum
/// before; of a packet that was cut short by the reader's buffer (not `whole`) it cannot be told.
pub fn decode_raw_v4(packet: &[u8], whole: bool) -> Option<RawV4<'_>> {
    let (header, message) = split_v4(packet)?;
    if whole && checksum(message) != 0 {
        return None;
    }
    let message = match message.first()? {
        &V4_ECHO_REPLY => Message::Reply(decode_echo_reply(Family::V4, message)?),
        // Source quench (4) is to be ignored (RFC 6633).
        kind @ (3 | 11 | 12) => {
            let (quoted, request) = split_v4(message.get(HEADER_LENGTH..)?)?;
            Message::Error {
                kind: *kind,
                code: message[1],
                quote: Quote {
                    to: v4_address(&quoted[16..20]),
                    echo: decode_quoted_request(Family::V4, request)?,
                },
            }
        }
        _ => return None,
    };
    Some(RawV4 { from: v4_address(&header[12..16]), ttl: header[8], message })
}

/// Reads what a raw IPv6 socket delivers: the ICMPv6 message alone.
pub fn decode_raw_v6(message: &[u8]) -> Option<Message<'_>> {
    match message.first()? {
        &V6_ECHO_REPLY => Some(Message::Reply(decode_echo_reply(Family::V6, message)?)),
        // Types below 128 are errors, also those yet to be invented.
        kind @ 1..=127 => {
            let quoted = message.get(HEADER_LENGTH..)?;
            let request = skip_v6_headers(quoted)?;
            let mut to = [0; 16];
            to.copy_from_slice(&quoted[24..40]);
            Some(Message::Error {
                kind: *kind,
                code: message[1],
                quote: Quote {
                    to: Address::v6(to, 0),
                    echo: decode_quoted_request(Family::V6, request)?,
                },
            })
        }
        _ => None,
    }
}

/// Reads an echo reply from its ICMP header on, as a datagram socket delivers it.
pub fn decode_echo_reply(family: Family, message: &[u8]) -> Option<Echo<'_>> {
    decode_echo(message, if family == Family::V4 { V4_ECHO_REPLY } else { V6_ECHO_REPLY })
}

/// Reads an echo request of ours from its ICMP header on, as an error queue delivers it.
pub fn decode_quoted_request(family: Family, message: &[u8]) -> Option<Echo<'_>> {
    decode_echo(message, if family == Family::V4 { V4_ECHO_REQUEST } else { V6_ECHO_REQUEST })
}

fn decode_echo(message: &[u8], kind: u8) -> Option<Echo<'_>> {
    if message.len() < HEADER_LENGTH || message[0] != kind || message[1] != 0 {
        return None;
    }
    Some(Echo {
        identifier: u16::from_be_bytes([message[4], message[5]]),
        sequence: u16::from_be_bytes([message[6], message[7]]),
        payload: &message[HEADER_LENGTH..],
    })
}

/// The header, options included, and the ICMP message of an IPv4 packet or its first fragment.
fn split_v4(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *packet.first()?;
    let length = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || length < 20 || packet.len() < length {
        return None;
    }
    let fragment_offset = u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff;
    (packet[9] == PROTOCOL_ICMP && fragment_offset == 0).then(|| packet.split_at(length))
}

/// The ICMPv6 message of an IPv6 packet or its first fragment, behind all extension headers.
fn skip_v6_headers(packet: &[u8]) -> Option<&[u8]> {
    if packet.len() < V6_HEADER_LENGTH || packet[0] >> 4 != 6 {
        return None;
    }
    let mut next = packet[6];
    let mut rest = &packet[V6_HEADER_LENGTH..];
    // Ends: every step takes at least eight bytes.
    while next != PROTOCOL_ICMPV6 {
        let header = rest.get(..8)?;
        let length = match next {
            // Hop-by-hop options, routing, destination options: in units of 8 beyond the first.
            0 | 43 | 60 => (usize::from(header[1]) + 1) * 8,
            // Fragment: only the first one holds the ICMPv6 header.
            44 if u16::from_be_bytes([header[2], header[3]]) & 0xfff8 == 0 => 8,
            // Authentication: in units of 4 beyond the first two.
            51 => (usize::from(header[1]) + 2) * 4,
            _ => return None,
        };
        next = header[0];
        rest = rest.get(length..)?;
    }
    Some(rest)
}

fn v4_address(octets: &[u8]) -> Address {
    Address::v4([octets[0], octets[1], octets[2], octets[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: u16 = 0x1234;
    const SEQUENCE: u16 = 0xfffe;
    const TOKEN: Token = *b"0123456789abcdef";

    fn request(family: Family, token: &[u8]) -> Vec<u8> {
        let mut buffer = [0xaa; 24];
        let length = encode_request(family, &mut buffer, ID, SEQUENCE, token);
        buffer[..length].to_vec()
    }

    fn echo(payload: &[u8]) -> Echo<'_> {
        Echo { identifier: ID, sequence: SEQUENCE, payload }
    }

    /// An IPv4 header with `options` bytes of options.
    fn v4_header(protocol: u8, from: [u8; 4], to: [u8; 4], options: usize) -> Vec<u8> {
        let mut header = vec![0x45 + (options / 4) as u8, 0, 0, 0, 0, 0, 0, 0, 57, protocol, 0, 0];
        header.extend(from);
        header.extend(to);
        header.resize(20 + options, 1);
        header
    }

    fn v6_header(next: u8, to: [u8; 16]) -> Vec<u8> {
        let mut header = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        header.extend([0xee; 16]);
        header.extend(to);
        header
    }

    fn v4_error(kind: u8, code: u8, options: usize, quoted: &[u8]) -> Vec<u8> {
        let mut packet = v4_header(1, [10, 0, 0, 1], [10, 0, 0, 9], options);
        packet.extend([kind, code, 0, 0, 0, 0, 0, 0]);
        packet.extend(quoted);
        sum_v4(&mut packet);
        packet
    }

    /// Sets the checksum of the ICMP message in a packet.
    fn sum_v4(packet: &mut [u8]) {
        let header = usize::from(packet[0] & 0x0f) * 4;
        let message = &mut packet[header..];
        message[2..4].fill(0);
        let sum = checksum(message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }

    fn v6_error(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
        let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
        message.extend(quoted);
        message
    }

    #[test]
    fn a_request_is_laid_out_as_the_rfcs_say() {
        let v4 = request(Family::V4, &TOKEN);
        assert_eq!(v4[..2], [8, 0]);
        assert_eq!(v4[4..8], [0x12, 0x34, 0xff, 0xfe]);
        assert_eq!(v4[8..], TOKEN);
        let v6 = request(Family::V6, &TOKEN[..3]);
        assert_eq!(v6, [128, 0, 0, 0, 0x12, 0x34, 0xff, 0xfe, b'0', b'1', b'2']);
    }

    /// RFC 1071, section 3.
    #[test]
    fn the_checksum_is_the_rfc_s_example() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn a_reply_behind_ip_options_is_read_with_sender_and_ttl() {
        let mut packet = v4_header(1, [192, 0, 2, 7], [10, 0, 0, 9], 12);
        let mut reply = request(Family::V4, &TOKEN);
        reply[0] = 0;
        packet.extend(&reply);
        sum_v4(&mut packet);
        let raw = decode_raw_v4(&packet, true).unwrap();
        assert_eq!(raw.from, Address::v4([192, 0, 2, 7]));
        assert_eq!(raw.ttl, 57);
        assert_eq!(raw.message, Message::Reply(echo(&TOKEN)));
    }

    #[test]
    fn a_packet_with_a_wrong_checksum_is_not_taken() {
        let reply = |payload: &[u8]| {
            let mut packet = v4_header(1, [192, 0, 2, 7], [10, 0, 0, 9], 0);
            packet.extend([0, 0, 0, 0, 0x12, 0x34, 0xff, 0xfe]);
            packet.extend(payload);
            sum_v4(&mut packet);
            packet
        };
        for payload in [&TOKEN[..], &TOKEN[..15], &[]] {
            let right = reply(payload);
            assert!(decode_raw_v4(&right, true).is_some());
            for bit in 20 * 8..right.len() * 8 {
                let mut wrong = right.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode_raw_v4(&wrong, true), None, "bit {bit}");
            }
        }
        // Cut by the reader: only what is there can be looked at.
        let long = reply(&[7; 300]);
        assert!(decode_raw_v4(&long[..256], true).is_none());
        assert!(decode_raw_v4(&long[..256], false).is_some());
        let mut quoted = v4_header(1, [10, 0, 0, 9], [192, 0, 2, 7], 0);
        quoted.extend(request(Family::V4, &TOKEN));
        let mut error = v4_error(3, 1, 0, &quoted);
        error[21] = 0;
        assert_eq!(decode_raw_v4(&error, true), None);
    }

    #[test]
    fn source_quench_is_ignored() {
        let mut quoted = v4_header(1, [10, 0, 0, 9], [192, 0, 2, 7], 0);
        quoted.extend(request(Family::V4, &TOKEN));
        assert_eq!(decode_raw_v4(&v4_error(4, 0, 0, &quoted), true), None);
    }

    #[test]
    fn a_request_is_not_a_reply() {
        assert_eq!(decode_raw_v6(&request(Family::V6, &TOKEN)), None);
        assert_eq!(decode_echo_reply(Family::V4, &request(Family::V4, &TOKEN)), None);
    }

    #[test]
    fn an_ipv4_error_names_the_request_it_quotes_behind_options() {
        let mut quoted = v4_header(1, [10, 0, 0, 9], [192, 0, 2, 7], 40);
        quoted.extend(request(Family::V4, &TOKEN));
        let packet = v4_error(3, 13, 8, &quoted);
        let raw = decode_raw_v4(&packet, true).unwrap();
        assert_eq!(raw.from, Address::v4([10, 0, 0, 1]));
        let quote = Quote { to: Address::v4([192, 0, 2, 7]), echo: echo(&TOKEN) };
        assert_eq!(raw.message, Message::Error { kind: 3, code: 13, quote });
    }

    #[test]
    fn a_quote_of_eight_bytes_has_no_payload() {
        let mut quoted = v4_header(1, [10, 0, 0, 9], [192, 0, 2, 7], 0);
        quoted.extend(&request(Family::V4, &TOKEN)[..8]);
        match decode_raw_v4(&v4_error(11, 0, 0, &quoted), true).unwrap().message {
            Message::Error { quote, .. } => assert_eq!(quote.echo, echo(&[])),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn quotes_of_other_packets_are_not_ours() {
        let udp = v4_header(17, [10, 0, 0, 9], [192, 0, 2, 7], 0);
        assert_eq!(decode_raw_v4(&v4_error(3, 3, 0, &[udp, vec![0; 8]].concat()), true), None);
        let mut later_fragment = v4_header(1, [10, 0, 0, 9], [192, 0, 2, 7], 0);
        later_fragment[7] = 1;
        later_fragment.extend(request(Family::V4, &TOKEN));
        assert_eq!(decode_raw_v4(&v4_error(11, 1, 0, &later_fragment), true), None);
    }

    #[test]
    fn an_ipv6_error_names_the_request_behind_extension_headers() {
        let to = [0xfd; 16];
        let mut quoted = v6_header(0, to);
        quoted.extend([43, 0, 0, 0, 0, 0, 0, 0]); // hop-by-hop, 8 bytes
        quoted.extend([51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // routing, 16 bytes
        quoted.extend([60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // authentication, 12 bytes
        quoted.extend([44, 0, 0, 0, 0, 0, 0, 0]); // destination options, 8 bytes
        quoted.extend([58, 0, 0, 1, 0, 0, 0, 9]); // fragment, the first of several
        quoted.extend(request(Family::V6, &TOKEN));
        let message = v6_error(1, 3, &quoted);
        let quote = Quote { to: Address::v6(to, 0), echo: echo(&TOKEN) };
        assert_eq!(decode_raw_v6(&message), Some(Message::Error { kind: 1, code: 3, quote }));
    }

    #[test]
    fn a_later_ipv6_fragment_is_not_ours() {
        let mut quoted = v6_header(44, [0xfd; 16]);
        quoted.extend([58, 0, 0, 8, 0, 0, 0, 9]);
        quoted.extend(request(Family::V6, &TOKEN));
        assert_eq!(decode_raw_v6(&v6_error(1, 3, &quoted)), None);
    }

    proptest! {
        /// A receiver that sums the whole packet, checksum and zero filler included, gets 0.
        #[test]
        fn every_ipv4_request_sums_to_zero(
            identifier: u16, sequence: u16, token: [u8; 16], length in 0usize..=16,
        ) {
            let mut buffer = [0xaa; 24];
            let written =
                encode_request(Family::V4, &mut buffer, identifier, sequence, &token[..length]);
            let mut packet = buffer[..written].to_vec();
            packet.resize(40, 0);
            prop_assert_eq!(checksum(&packet), 0);
        }

        #[test]
        fn what_is_sent_is_read_back(
            identifier: u16, sequence: u16, token: [u8; 16], length in 0usize..=16, v6: bool,
        ) {
            let family = if v6 { Family::V6 } else { Family::V4 };
            let mut buffer = [0; 24];
            let written =
                encode_request(family, &mut buffer, identifier, sequence, &token[..length]);
            let expected = Echo { identifier, sequence, payload: &token[..length] };
            prop_assert_eq!(decode_quoted_request(family, &buffer[..written]), Some(expected));
        }

        #[test]
        fn no_bytes_make_the_decoders_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..160), kind in 0usize..4,
        ) {
            // Steered towards the branches that read further.
            let start: &[u8] = [&[0x45][..], &[1, 0, 0, 0, 0, 0, 0, 0, 0x60], &[3], &[]][kind];
            for (byte, steered) in bytes.iter_mut().zip(start) {
                *byte = *steered;
            }
            let _ = decode_raw_v4(&bytes, bytes.len() % 2 == 0);
            let _ = decode_raw_v6(&bytes);
            let _ = decode_echo_reply(Family::V4, &bytes);
            let _ = decode_quoted_request(Family::V6, &bytes);
        }
    }
}
