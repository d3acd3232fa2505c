//! The kernel-side filters of raw sockets, which see every ICMP packet of the machine: classic BPF
//! programs that pass replies with our identifier and errors that quote it. What they drop does
//! not count as an overflow and costs no wake-up. They save work and decide nothing: whatever
//! passes is matched in full.

use super::socket::set_option;
use crate::address::Family;
use std::os::raw::c_int;
use std::os::unix::io::RawFd;

/// Linux: which ICMP types a raw socket does not want (a bit each); option of SOL_RAW.
const ICMP_FILTER: c_int = 1;
/// Linux: the same for ICMPv6, 256 bits; option of SOL_ICMPV6.
const ICMP6_FILTER: c_int = 1;

const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const LOAD_BYTE_AT_X: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_IND;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_HALF_AT_X: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
/// X = 4 x the low four bits of a byte: an IPv4 header's length.
const LOAD_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const SHIFT_LEFT: u32 = libc::BPF_ALU | libc::BPF_LSH | libc::BPF_K;
const ADD_X: u32 = libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X;
/// `BPF_MISC | BPF_TAX`; the latter is 0 and has no name in libc.
const A_TO_X: u32 = libc::BPF_MISC;
const JUMP_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const JUMP_ABOVE: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

const PASS: u32 = u32::MAX;
const DROP: u32 = 0;

const fn step(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Compares and skips `yes` or `no` instructions.
const fn jump(code: u32, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: yes, jf: no, k }
}

/// For packets from the IPv4 header on. A load beyond the packet's end drops it.
fn program_v4(identifier: u16) -> [libc::sock_filter; 17] {
    let identifier = u32::from(identifier);
    [
        step(LOAD_HEADER_LENGTH, 0),
        step(LOAD_BYTE_AT_X, 0),
        jump(JUMP_EQUAL, 0, 0, 2), // echo reply
        step(LOAD_HALF_AT_X, 4),
        jump(JUMP_EQUAL, identifier, 10, 11),
        jump(JUMP_EQUAL, 3, 2, 0),  // unreachable
        jump(JUMP_EQUAL, 11, 1, 0), // time exceeded
        jump(JUMP_EQUAL, 12, 0, 8), // parameter problem
        // X += length of the quoted header; the quoted request is then at X + 8.
        step(LOAD_BYTE_AT_X, 8),
        step(AND, 0x0f),
        step(SHIFT_LEFT, 2),
        step(ADD_X, 0),
        step(A_TO_X, 0),
        step(LOAD_HALF_AT_X, 8 + 4),
        jump(JUMP_EQUAL, identifier, 0, 1),
        step(RETURN, PASS),
        step(RETURN, DROP),
    ]
}

/// For messages from the ICMPv6 header on. BPF has no loops: quotes with extension headers other
/// than one fragment header pass unseen.
fn program_v6(identifier: u16) -> [libc::sock_filter; 18] {
    let identifier = u32::from(identifier);
    [
        step(LOAD_BYTE, 0),
        jump(JUMP_EQUAL, 129, 0, 2), // echo reply
        step(LOAD_HALF, 4),
        jump(JUMP_EQUAL, identifier, 12, 13),
        jump(JUMP_ABOVE, 127, 12, 0), // not an error
        step(LOAD_BYTE, 8 + 6),       // the quoted packet's next header
        jump(JUMP_EQUAL, 58, 0, 2),
        step(LOAD_HALF, 8 + 40 + 4),
        jump(JUMP_EQUAL, identifier, 7, 8),
        jump(JUMP_EQUAL, 44, 4, 0), // fragment
        jump(JUMP_EQUAL, 0, 5, 0),  // hop-by-hop
        jump(JUMP_EQUAL, 43, 4, 0), // routing
        jump(JUMP_EQUAL, 51, 3, 0), // authentication
        jump(JUMP_EQUAL, 60, 2, 3), // destination options
        step(LOAD_HALF, 8 + 40 + 8 + 4),
        jump(JUMP_EQUAL, identifier, 0, 1),
        step(RETURN, PASS),
        step(RETURN, DROP),
    ]
}

/// Attaches the filters to a raw socket.
pub(super) fn attach(socket: RawFd, family: Family, identifier: u16) -> Result<(), i32> {
    match family {
        Family::V4 => {
            // Not source quench (4), which is to be ignored (RFC 6633).
            let wanted = 1u32 | 1 << 3 | 1 << 11 | 1 << 12;
            set_option(socket, libc::SOL_RAW, ICMP_FILTER, &!wanted)?;
            attach_program(socket, &program_v4(identifier))
        }
        Family::V6 => {
            // Errors are types 1 to 127, of which four are in use; a set bit blocks.
            let mut blocked = [u32::MAX; 8];
            for kind in [1, 2, 3, 4, 129] {
                blocked[kind / 32] &= !(1 << (kind % 32));
            }
            set_option(socket, libc::SOL_ICMPV6, ICMP6_FILTER, &blocked)?;
            attach_program(socket, &program_v6(identifier))
        }
    }
}

fn attach_program(socket: RawFd, program: &[libc::sock_filter]) -> Result<(), i32> {
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_ptr() as *mut libc::sock_filter, // read only
    };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    const OURS: u16 = 0xbeef;
    const OTHER: u16 = 0xbee0;

    /// Whether `packet` passes: the kernel filters what a local datagram socket gets, too.
    fn passes(program: &[libc::sock_filter], packet: &[u8]) -> bool {
        let (from, to) = UnixDatagram::pair().unwrap();
        to.set_nonblocking(true).unwrap();
        attach_program(to.as_raw_fd(), program).unwrap();
        let sent = from.send(packet);
        let mut buffer = [0; 256];
        // A filtered datagram is an error to the sender in some kernels, in others it is lost.
        sent.is_ok() && to.recv(&mut buffer).is_ok()
    }

    fn v4_header(words: u8) -> Vec<u8> {
        let mut header = vec![0x40 + words];
        header.resize(usize::from(words) * 4, 0);
        header[9] = 1;
        header
    }

    fn v6_header(next: u8) -> Vec<u8> {
        let mut header = vec![0x60, 0, 0, 0, 0, 0, next];
        header.resize(40, 0);
        header
    }

    fn echo(kind: u8, identifier: u16) -> Vec<u8> {
        let [high, low] = identifier.to_be_bytes();
        vec![kind, 0, 0, 0, high, low, 0, 9]
    }

    fn error(kind: u8) -> Vec<u8> {
        vec![kind, 0, 0, 0, 0, 0, 0, 0]
    }

    fn v4_passes(packet: &[Vec<u8>]) -> bool {
        passes(&program_v4(OURS), &packet.concat())
    }

    fn v6_passes(packet: &[Vec<u8>]) -> bool {
        passes(&program_v6(OURS), &packet.concat())
    }

    #[test]
    fn ipv4_replies_pass_with_our_identifier_only() {
        for words in [5, 6, 15] {
            assert!(v4_passes(&[v4_header(words), echo(0, OURS)]));
            assert!(!v4_passes(&[v4_header(words), echo(0, OTHER)]));
        }
        assert!(!v4_passes(&[v4_header(5), echo(8, OURS)]));
    }

    #[test]
    fn ipv4_errors_pass_when_they_quote_our_identifier_behind_options() {
        for (outer, quoted) in [(5, 5), (5, 9), (15, 5), (8, 15)] {
            for kind in [3, 11, 12] {
                let packet = |identifier| {
                    vec![v4_header(outer), error(kind), v4_header(quoted), echo(8, identifier)]
                };
                assert!(v4_passes(&packet(OURS)));
                assert!(!v4_passes(&packet(OTHER)));
            }
        }
        // Source quench, redirect.
        for kind in [4, 5] {
            assert!(!v4_passes(&[v4_header(5), error(kind), v4_header(5), echo(8, OURS)]));
        }
        assert!(!v4_passes(&[v4_header(5), error(3), v4_header(5)]));
    }

    #[test]
    fn ipv6_replies_pass_with_our_identifier_only() {
        assert!(v6_passes(&[echo(129, OURS)]));
        assert!(!v6_passes(&[echo(129, OTHER)]));
        assert!(!v6_passes(&[echo(128, OURS)]));
    }

    #[test]
    fn ipv6_errors_pass_when_they_quote_our_identifier() {
        let fragment = vec![58, 0, 0, 1, 0, 0, 0, 1];
        for kind in [1, 2, 3, 4] {
            assert!(v6_passes(&[error(kind), v6_header(58), echo(128, OURS)]));
            assert!(!v6_passes(&[error(kind), v6_header(58), echo(128, OTHER)]));
            assert!(v6_passes(&[error(kind), v6_header(44), fragment.clone(), echo(128, OURS)]));
            assert!(!v6_passes(&[error(kind), v6_header(44), fragment.clone(), echo(128, OTHER)]));
        }
        assert!(!v6_passes(&[error(1), v6_header(17), echo(128, OURS)]));
    }

    #[test]
    fn ipv6_quotes_with_other_extension_headers_pass_to_be_read() {
        for next in [0, 43, 51, 60] {
            assert!(v6_passes(&[error(1), v6_header(next), vec![0; 16]]));
        }
    }
}
