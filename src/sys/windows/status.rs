//! What the system's numbers mean for a host: a state, or that it is our own affair. `IP_STATUS`
//! (ipexport.h) is what echo requests end with, WSAE numbers (winsock2.h) are what connects end
//! with.

use super::bindings::*;
use crate::address::Family;
use crate::outcome::Outcome;
use crate::sys::ConnectError;

/// `IP_STATUS` numbers count from here.
const BASE: u32 = 11_000;

/// How an echo request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EchoEnd {
    Reply,
    /// Nothing came; whether that is final is not decided here.
    Silence,
    /// An ICMP error; type and code are those that the system translates to its number.
    IcmpError {
        outcome: Outcome,
        kind: u8,
        code: u8,
    },
    /// This machine's own word on the address.
    Local(Outcome),
    /// Memory of ours.
    NoResources,
}

/// Whether a number is an `IP_STATUS` that tells a failure.
pub(super) fn is_ip_status(number: u32) -> bool {
    (BASE + 1..=BASE + 255).contains(&number)
}

/// The meaning of an `IP_STATUS`, or of the Win32 error that stands in its place.
pub(super) fn echo_end(family: Family, status: u32) -> EchoEnd {
    let error = |outcome, v4: (u8, u8), v6: (u8, u8)| {
        let (kind, code) = if family == Family::V4 { v4 } else { v6 };
        EchoEnd::IcmpError { outcome, kind, code }
    };
    let number = match status.checked_sub(BASE) {
        Some(number) => number,
        None => return win32_end(status),
    };
    // Types and codes: RFC 792, RFC 4443.
    match number {
        2 => error(Outcome::DestinationNetworkUnreachable, (3, 0), (1, 0)),
        3 => error(Outcome::DestinationHostUnreachable, (3, 1), (1, 3)),
        // One number, two meanings.
        4 if family == Family::V6 => error(Outcome::DestinationProhibited, (3, 13), (1, 1)),
        4 => error(Outcome::DestinationProtocolUnreachable, (3, 2), (1, 4)),
        5 => error(Outcome::DestinationPortUnreachable, (3, 3), (1, 4)),
        6 => EchoEnd::NoResources,
        7 | 17 => EchoEnd::Local(Outcome::BadOption),
        8 => EchoEnd::Local(Outcome::HardwareError),
        9 => error(Outcome::PacketTooBig, (3, 4), (2, 0)),
        // No answer in time; a security association is being made, and the next one gets through.
        10 | 32 => EchoEnd::Silence,
        12 => EchoEnd::Local(Outcome::BadRoute),
        13 => error(Outcome::TtlExpired, (11, 0), (3, 0)),
        14 => error(Outcome::TtlReassemblyTimeExceeded, (11, 1), (3, 1)),
        15 => error(Outcome::ParameterProblem, (12, 0), (4, 0)),
        // Source quench: a host shall ignore it (RFC 6633).
        16 => EchoEnd::Silence,
        18 => EchoEnd::Local(Outcome::BadDestination),
        40 => error(Outcome::DestinationUnreachable, (3, 1), (1, 3)),
        41 => error(Outcome::TimeExceeded, (11, 0), (3, 0)),
        42 => error(Outcome::BadHeader, (12, 0), (4, 0)),
        43 => error(Outcome::UnrecognizedNextHeader, (12, 0), (4, 1)),
        44 => error(Outcome::IcmpError, (3, 1), (1, 3)),
        45 => error(Outcome::DestinationScopeMismatch, (3, 1), (1, 2)),
        // A bad request, the driver's own news, a general failure.
        _ => EchoEnd::Local(Outcome::Failed),
    }
}

fn win32_end(error: u32) -> EchoEnd {
    match error as i32 {
        0 => EchoEnd::Reply,
        ERROR_ACCESS_DENIED => EchoEnd::Local(Outcome::DestinationProhibited),
        ERROR_NETWORK_UNREACHABLE => EchoEnd::Local(Outcome::DestinationNetworkUnreachable),
        ERROR_HOST_UNREACHABLE => EchoEnd::Local(Outcome::DestinationHostUnreachable),
        ERROR_NOT_ENOUGH_MEMORY | ERROR_NO_SYSTEM_RESOURCES | ERROR_WORKING_SET_QUOTA => {
            EchoEnd::NoResources
        }
        _ => EchoEnd::Local(Outcome::Failed),
    }
}

/// What an error of socket, bind or ConnectEx means.
pub(super) fn connect_error(error: i32) -> ConnectError {
    let outcome = match error {
        WSAECONNREFUSED => return ConnectError::Refused,
        // No socket, port or buffer left.
        WSAEMFILE
        | WSAENOBUFS
        | WSAEADDRINUSE
        | ERROR_NOT_ENOUGH_MEMORY
        | ERROR_NO_SYSTEM_RESOURCES => return ConnectError::NotStarted { os_error: error },
        WSAENETUNREACH | WSAENETDOWN | ERROR_NETWORK_UNREACHABLE => {
            Outcome::DestinationNetworkUnreachable
        }
        WSAEHOSTUNREACH | WSAEHOSTDOWN | ERROR_HOST_UNREACHABLE => {
            Outcome::DestinationHostUnreachable
        }
        // A firewall of this machine.
        WSAEACCES => Outcome::DestinationProhibited,
        WSAEADDRNOTAVAIL => Outcome::BadDestination,
        WSAEMSGSIZE => Outcome::PacketTooBig,
        WSAETIMEDOUT => Outcome::TimedOut,
        _ => Outcome::Failed,
    };
    ConnectError::Failed { outcome, os_error: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of .NET's IPStatus are those of IP_STATUS, so the names must be, too.
    #[test]
    fn every_name_of_ip_status_has_its_outcome() {
        let named = [
            (11002, Outcome::DestinationNetworkUnreachable),
            (11003, Outcome::DestinationHostUnreachable),
            (11004, Outcome::DestinationProtocolUnreachable),
            (11005, Outcome::DestinationPortUnreachable),
            (11007, Outcome::BadOption),
            (11008, Outcome::HardwareError),
            (11009, Outcome::PacketTooBig),
            (11012, Outcome::BadRoute),
            (11013, Outcome::TtlExpired),
            (11014, Outcome::TtlReassemblyTimeExceeded),
            (11015, Outcome::ParameterProblem),
            (11018, Outcome::BadDestination),
            (11040, Outcome::DestinationUnreachable),
            (11041, Outcome::TimeExceeded),
            (11042, Outcome::BadHeader),
            (11043, Outcome::UnrecognizedNextHeader),
            (11044, Outcome::IcmpError),
            (11045, Outcome::DestinationScopeMismatch),
        ];
        for (status, expected) in named {
            match echo_end(Family::V4, status) {
                EchoEnd::IcmpError { outcome, .. } | EchoEnd::Local(outcome) => {
                    assert_eq!(outcome, expected, "{status}")
                }
                other => panic!("{status}: {other:?}"),
            }
        }
        assert_eq!(echo_end(Family::V4, 0), EchoEnd::Reply);
        assert_eq!(echo_end(Family::V4, 11006), EchoEnd::NoResources);
        assert_eq!(echo_end(Family::V4, 11010), EchoEnd::Silence);
        assert_eq!(echo_end(Family::V4, 11016), EchoEnd::Silence);
        assert_eq!(echo_end(Family::V4, 11050), EchoEnd::Local(Outcome::Failed));
    }

    #[test]
    fn prohibited_shares_a_number_with_protocol_unreachable() {
        assert_eq!(
            echo_end(Family::V6, 11004),
            EchoEnd::IcmpError { outcome: Outcome::DestinationProhibited, kind: 1, code: 1 }
        );
    }

    #[test]
    fn refused_is_the_host_s_word_and_a_full_port_table_is_ours() {
        assert_eq!(connect_error(WSAECONNREFUSED), ConnectError::Refused);
        let not_started = ConnectError::NotStarted { os_error: WSAEADDRINUSE };
        assert_eq!(connect_error(WSAEADDRINUSE), not_started);
        let timed_out = ConnectError::Failed { outcome: Outcome::TimedOut, os_error: WSAETIMEDOUT };
        assert_eq!(connect_error(WSAETIMEDOUT), timed_out);
    }
}
