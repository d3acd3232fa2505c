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
    // Numbers and names: the pages of ICMP_ECHO_REPLY and ICMPV6_ECHO_REPLY, and ipexport.h. Types
    // and codes: RFC 792, RFC 4443.
    match number {
        // BUF_TOO_SMALL: the buffer has the size that the page asks for, so this is a defect.
        1 => EchoEnd::Local(Outcome::Failed),
        // DEST_NET_UNREACHABLE, DEST_NO_ROUTE: a router's word.
        2 => error(Outcome::DestinationNetworkUnreachable, (3, 0), (1, 0)),
        // DEST_HOST_UNREACHABLE, DEST_ADDR_UNREACHABLE: the last router's word.
        3 => error(Outcome::DestinationHostUnreachable, (3, 1), (1, 3)),
        // DEST_PROHIBITED: the same number means this in IPv6.
        4 if family == Family::V6 => error(Outcome::DestinationProhibited, (3, 13), (1, 1)),
        // DEST_PROT_UNREACHABLE: the host knows no ICMP.
        4 => error(Outcome::DestinationProtocolUnreachable, (3, 2), (1, 4)),
        // DEST_PORT_UNREACHABLE: no echo has a port, but some firewalls say so.
        5 => error(Outcome::DestinationPortUnreachable, (3, 3), (1, 4)),
        // NO_RESOURCES: memory of ours; nothing is known of the host.
        6 => EchoEnd::NoResources,
        // BAD_OPTION: this machine refuses the options.
        7 => EchoEnd::Local(Outcome::BadOption),
        // HW_ERROR: this machine's network adapter.
        8 => EchoEnd::Local(Outcome::HardwareError),
        // PACKET_TOO_BIG: a router would have to break it up and may not.
        9 => error(Outcome::PacketTooBig, (3, 4), (2, 0)),
        // REQ_TIMED_OUT: no answer in time.
        10 => EchoEnd::Silence,
        // BAD_REQ: no request of ours is; a defect.
        11 => EchoEnd::Local(Outcome::Failed),
        // BAD_ROUTE: of a source route, which is never asked for.
        12 => EchoEnd::Local(Outcome::BadRoute),
        // TTL_EXPIRED_TRANSIT, HOP_LIMIT_EXCEEDED: a router's word.
        13 => error(Outcome::TtlExpired, (11, 0), (3, 0)),
        // TTL_EXPIRED_REASSEM, REASSEMBLY_TIME_EXCEEDED: the host's word, some pieces were lost.
        14 => error(Outcome::TtlReassemblyTimeExceeded, (11, 1), (3, 1)),
        // PARAM_PROBLEM, PARAMETER_PROBLEM: a field of the header is not understood.
        15 => error(Outcome::ParameterProblem, (12, 0), (4, 0)),
        // SOURCE_QUENCH: sent by some; a host shall ignore it (RFC 6633).
        16 => EchoEnd::Silence,
        // OPTION_TOO_BIG: this machine refuses the options.
        17 => EchoEnd::Local(Outcome::BadOption),
        // BAD_DESTINATION: this machine takes the address for none.
        18 => EchoEnd::Local(Outcome::BadDestination),
        // ADDR_DELETED: the source address went away under way; the next attempt has another.
        19 => EchoEnd::Silence,
        // SPEC_MTU_CHANGE, MTU_CHANGE: of the path, which the next attempt respects.
        20 | 21 => EchoEnd::Silence,
        // UNLOAD, ADDR_ADDED, MEDIA_CONNECT, MEDIA_DISCONNECT, BIND_ADAPTER, UNBIND_ADAPTER: an
        // interface comes or goes; no host's word, and gone with the next attempt or the one after.
        22..=27 => EchoEnd::Silence,
        // DEVICE_DOES_NOT_EXIST: the interface went away under way.
        28 => EchoEnd::Silence,
        // DUPLICATE_ADDRESS, DUPLICATE_IPADD: the source address is being changed.
        29 | 34 => EchoEnd::Silence,
        // INTERFACE_METRIC_CHANGE, RECONFIG_SECFLTR, INTERFACE_WOL_CAPABILITY_CHANGE: news.
        30 | 31 | 33 => EchoEnd::Silence,
        // NEGOTIATING_IPSEC: this one was dropped, the next one gets through.
        32 => EchoEnd::Silence,
        // DEST_UNREACHABLE: of no code that has a number of its own.
        40 => error(Outcome::DestinationUnreachable, (3, 1), (1, 3)),
        // TIME_EXCEEDED: likewise.
        41 => error(Outcome::TimeExceeded, (11, 0), (3, 0)),
        // BAD_HEADER: IPv6, a field of the header is not understood.
        42 => error(Outcome::BadHeader, (12, 0), (4, 0)),
        // UNRECOGNIZED_NEXT_HEADER: IPv6, the host knows no ICMP.
        43 => error(Outcome::UnrecognizedNextHeader, (12, 0), (4, 1)),
        // ICMP_ERROR: of no kind that has a number of its own.
        44 => error(Outcome::IcmpError, (3, 1), (1, 3)),
        // DEST_SCOPE_MISMATCH: IPv6, the source address does not reach so far.
        45 => error(Outcome::DestinationScopeMismatch, (3, 1), (1, 2)),
        // GENERAL_FAILURE: also while an interface reconnects, so it ends no job.
        50 => EchoEnd::Silence,
        // PENDING: the request is under way, so nothing has been heard.
        255 => EchoEnd::Silence,
        // Not in the list.
        _ => EchoEnd::Local(Outcome::Failed),
    }
}

fn win32_end(error: u32) -> EchoEnd {
    match error as i32 {
        // IP_SUCCESS.
        0 => EchoEnd::Reply,
        // A firewall of this machine.
        ERROR_ACCESS_DENIED => EchoEnd::Local(Outcome::DestinationProhibited),
        // There is no way to the network, or the last router of this link says so.
        ERROR_NETWORK_UNREACHABLE => EchoEnd::Local(Outcome::DestinationNetworkUnreachable),
        // The neighbour was not found.
        ERROR_HOST_UNREACHABLE => EchoEnd::Local(Outcome::DestinationHostUnreachable),
        // Memory of ours.
        ERROR_NOT_ENOUGH_MEMORY | ERROR_NO_SYSTEM_RESOURCES | ERROR_WORKING_SET_QUOTA => {
            EchoEnd::NoResources
        }
        // The handle was closed, or the interface went away under way.
        ERROR_OPERATION_ABORTED | ERROR_REQUEST_ABORTED => EchoEnd::Silence,
        // No stack of this family; a request that is none: neither goes away.
        ERROR_NOT_SUPPORTED | ERROR_INVALID_PARAMETER => EchoEnd::Local(Outcome::Failed),
        // Whatever else: with its number.
        _ => EchoEnd::Local(Outcome::Failed),
    }
}

/// What an error of socket, bind or ConnectEx means.
pub(super) fn connect_error(error: i32) -> ConnectError {
    let not_started = ConnectError::NotStarted { os_error: error };
    // Numbers: the page "Windows Sockets Error Codes".
    let outcome = match error {
        // The host's own word.
        WSAECONNREFUSED => return ConnectError::Refused,
        // No socket is left.
        WSAEMFILE => return not_started,
        // No buffer is left, or all local ports are taken.
        WSAENOBUFS | WSAEADDRINUSE => return not_started,
        // The same as Win32 errors.
        ERROR_NOT_ENOUGH_MEMORY | ERROR_NO_SYSTEM_RESOURCES => return not_started,
        // No route.
        WSAENETUNREACH | ERROR_NETWORK_UNREACHABLE => Outcome::DestinationNetworkUnreachable,
        // No interface is up.
        WSAENETDOWN => Outcome::DestinationNetworkUnreachable,
        // The neighbour was not found, or a router says so.
        WSAEHOSTUNREACH | WSAEHOSTDOWN | ERROR_HOST_UNREACHABLE => {
            Outcome::DestinationHostUnreachable
        }
        // A firewall of this machine.
        WSAEACCES => Outcome::DestinationProhibited,
        // No address that could be connected to.
        WSAEADDRNOTAVAIL => Outcome::BadDestination,
        // A router would have to break it up and may not.
        WSAEMSGSIZE => Outcome::PacketTooBig,
        // The system's own time is over before the attempt's.
        WSAETIMEDOUT => Outcome::TimedOut,
        // Whatever else: with its number.
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
    }

    #[test]
    fn what_passes_while_an_interface_reconnects_is_silence_and_ends_no_job() {
        for status in (11019..=11034).chain([11016, 11050, 11255, 995, 1235]) {
            assert_eq!(echo_end(Family::V4, status), EchoEnd::Silence, "{status}");
            assert_eq!(echo_end(Family::V6, status), EchoEnd::Silence, "{status}");
        }
    }

    #[test]
    fn a_number_that_is_not_in_the_list_is_a_failure_with_that_number() {
        for status in [11001, 11011, 11035, 11046, 11051, 11254, 11256, 50, 87, 4711] {
            assert_eq!(echo_end(Family::V4, status), EchoEnd::Local(Outcome::Failed), "{status}");
        }
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
