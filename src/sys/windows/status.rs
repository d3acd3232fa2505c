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
    // Numbers and names: the pages of ICMP_ECHO_REPLY and ICMPV6_ECHO_REPLY, and ipexport.h for those
    // above 11018 that the pages do not list. Types and codes: RFC 792, RFC 4443.
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
        // SPEC_MTU_CHANGE: the path to one host takes smaller packets; the next attempt respects it.
        20 => EchoEnd::Silence,
        // MTU_CHANGE: an interface takes smaller packets; likewise.
        21 => EchoEnd::Silence,
        // UNLOAD: the stack of an interface goes away; the next attempt has another or is told.
        22 => EchoEnd::Silence,
        // ADDR_ADDED: an address of ours is new; news.
        23 => EchoEnd::Silence,
        // MEDIA_CONNECT: a cable is in; the next attempt goes out.
        24 => EchoEnd::Silence,
        // MEDIA_DISCONNECT: a cable is out; it may come back before the job ends.
        25 => EchoEnd::Silence,
        // BIND_ADAPTER: an interface comes up; the next attempt goes out.
        26 => EchoEnd::Silence,
        // UNBIND_ADAPTER: an interface goes down; it may come back before the job ends.
        27 => EchoEnd::Silence,
        // DEVICE_DOES_NOT_EXIST: the interface went away under way.
        28 => EchoEnd::Silence,
        // DUPLICATE_ADDRESS: another machine has our address; the next attempt has another.
        29 => EchoEnd::Silence,
        // INTERFACE_METRIC_CHANGE: routes are weighed anew; news.
        30 => EchoEnd::Silence,
        // RECONFIG_SECFLTR: the filters of IPsec are being changed; the next attempt meets the new.
        31 => EchoEnd::Silence,
        // NEGOTIATING_IPSEC: this one was dropped, the next one gets through.
        32 => EchoEnd::Silence,
        // INTERFACE_WOL_CAPABILITY_CHANGE: an interface may wake the machine, or no more; news.
        33 => EchoEnd::Silence,
        // DUPLICATE_IPADD: as DUPLICATE_ADDRESS.
        34 => EchoEnd::Silence,
        // NO_FURTHER_SENDS: an interface takes nothing more; the next attempt has another or is told.
        35 => EchoEnd::Silence,
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
        // GENERAL_FAILURE: of a malformed packet, and while an interface reconnects: it ends no job.
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

    fn icmp(outcome: Outcome, kind: u8, code: u8) -> EchoEnd {
        EchoEnd::IcmpError { outcome, kind, code }
    }

    /// Every number of ipexport.h, for IPv4 and IPv6; the outcomes have the names of .NET's IPStatus,
    /// whose numbers are those of IP_STATUS.
    fn table() -> Vec<(u32, EchoEnd, EchoEnd)> {
        use Outcome::*;
        let both = |status, end| (status, end, end);
        let errors = |status, outcome, v4: (u8, u8), v6: (u8, u8)| {
            (status, icmp(outcome, v4.0, v4.1), icmp(outcome, v6.0, v6.1))
        };
        let mut table = vec![
            both(11_001, EchoEnd::Local(Failed)),
            errors(11_002, DestinationNetworkUnreachable, (3, 0), (1, 0)),
            errors(11_003, DestinationHostUnreachable, (3, 1), (1, 3)),
            (11_004, icmp(DestinationProtocolUnreachable, 3, 2), icmp(DestinationProhibited, 1, 1)),
            errors(11_005, DestinationPortUnreachable, (3, 3), (1, 4)),
            both(11_006, EchoEnd::NoResources),
            both(11_007, EchoEnd::Local(BadOption)),
            both(11_008, EchoEnd::Local(HardwareError)),
            errors(11_009, PacketTooBig, (3, 4), (2, 0)),
            both(11_010, EchoEnd::Silence),
            both(11_011, EchoEnd::Local(Failed)),
            both(11_012, EchoEnd::Local(BadRoute)),
            errors(11_013, TtlExpired, (11, 0), (3, 0)),
            errors(11_014, TtlReassemblyTimeExceeded, (11, 1), (3, 1)),
            errors(11_015, Outcome::ParameterProblem, (12, 0), (4, 0)),
            both(11_016, EchoEnd::Silence),
            both(11_017, EchoEnd::Local(BadOption)),
            both(11_018, EchoEnd::Local(BadDestination)),
            errors(11_040, DestinationUnreachable, (3, 1), (1, 3)),
            errors(11_041, TimeExceeded, (11, 0), (3, 0)),
            errors(11_042, BadHeader, (12, 0), (4, 0)),
            errors(11_043, UnrecognizedNextHeader, (12, 0), (4, 1)),
            errors(11_044, IcmpError, (3, 1), (1, 3)),
            errors(11_045, DestinationScopeMismatch, (3, 1), (1, 2)),
            both(11_050, EchoEnd::Silence),
            both(11_255, EchoEnd::Silence),
        ];
        // What passes while an interface or an address changes.
        table.extend((11_019..=11_035).map(|status| both(status, EchoEnd::Silence)));
        table
    }

    #[test]
    fn every_ip_status_means_what_the_table_says_and_no_other_is_known() {
        let table = table();
        for (status, v4, v6) in &table {
            assert_eq!(echo_end(Family::V4, *status), *v4, "{status}");
            assert_eq!(echo_end(Family::V6, *status), *v6, "{status}");
        }
        for status in (11_000..11_300).filter(|status| table.iter().all(|line| line.0 != *status)) {
            for family in Family::BOTH {
                assert_eq!(echo_end(family, status), EchoEnd::Local(Outcome::Failed), "{status}");
            }
        }
    }

    #[test]
    fn every_win32_error_in_the_place_of_an_ip_status_means_what_the_table_says() {
        for (error, expected) in [
            (0, EchoEnd::Reply),
            (5, EchoEnd::Local(Outcome::DestinationProhibited)),
            (8, EchoEnd::NoResources),
            (1450, EchoEnd::NoResources),
            (1453, EchoEnd::NoResources),
            (50, EchoEnd::Local(Outcome::Failed)),
            (87, EchoEnd::Local(Outcome::Failed)),
            (995, EchoEnd::Silence),
            (1235, EchoEnd::Silence),
            (1231, EchoEnd::Local(Outcome::DestinationNetworkUnreachable)),
            (1232, EchoEnd::Local(Outcome::DestinationHostUnreachable)),
            (120, EchoEnd::Local(Outcome::Failed)),
            (122, EchoEnd::Local(Outcome::Failed)),
            (4711, EchoEnd::Local(Outcome::Failed)),
        ] {
            for family in Family::BOTH {
                assert_eq!(echo_end(family, error), expected, "{error}");
            }
        }
    }

    #[test]
    fn an_ip_status_that_tells_a_failure_is_known_from_other_numbers() {
        for (number, is_failure) in [
            (0, false),
            (997, false),
            (11_000, false),
            (11_001, true),
            (11_255, true),
            (11_256, false),
        ] {
            assert_eq!(is_ip_status(number), is_failure, "{number}");
        }
    }

    #[test]
    fn every_error_of_a_connect_means_what_the_table_says() {
        // `None`: not started.
        for (error, expected) in [
            (8, None),
            (1450, None),
            (10_024, None),
            (10_048, None),
            (10_055, None),
            (10_013, Some(Outcome::DestinationProhibited)),
            (10_040, Some(Outcome::PacketTooBig)),
            (10_049, Some(Outcome::BadDestination)),
            (10_050, Some(Outcome::DestinationNetworkUnreachable)),
            (10_051, Some(Outcome::DestinationNetworkUnreachable)),
            (1231, Some(Outcome::DestinationNetworkUnreachable)),
            (10_060, Some(Outcome::TimedOut)),
            (10_064, Some(Outcome::DestinationHostUnreachable)),
            (10_065, Some(Outcome::DestinationHostUnreachable)),
            (1232, Some(Outcome::DestinationHostUnreachable)),
            (995, Some(Outcome::Failed)),
            (10_022, Some(Outcome::Failed)),
        ] {
            let expected = match expected {
                None => ConnectError::NotStarted { os_error: error },
                Some(outcome) => ConnectError::Failed { outcome, os_error: error },
            };
            assert_eq!(connect_error(error), expected);
        }
        // The host's own word.
        assert_eq!(connect_error(10_061), ConnectError::Refused);
    }
}
