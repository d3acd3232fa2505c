//! What the system's error numbers mean for a host: a state, or that it is our own affair.

use crate::outcome::Outcome;
use crate::sys::ConnectError;

/// The state for an error that the system gave for one destination.
pub(super) fn route_outcome(error: i32) -> Outcome {
    match error {
        // The last: this machine has no address to send from.
        libc::ENETUNREACH | libc::ENETDOWN | libc::EADDRNOTAVAIL => {
            Outcome::DestinationNetworkUnreachable
        }
        libc::EHOSTUNREACH | libc::EHOSTDOWN => Outcome::DestinationHostUnreachable,
        // A prohibit route or a broadcast address; a firewall.
        libc::EACCES | libc::EPERM => Outcome::DestinationProhibited,
        // A blackhole route.
        libc::EINVAL => Outcome::DestinationUnreachable,
        libc::EMSGSIZE => Outcome::PacketTooBig,
        libc::ETIMEDOUT => Outcome::TimedOut,
        libc::EPROTO => Outcome::ParameterProblem,
        libc::ENOPROTOOPT => Outcome::DestinationProtocolUnreachable,
        _ => Outcome::Failed,
    }
}

/// What an error of socket or connect means.
pub(super) fn connect_error(error: i32) -> ConnectError {
    match error {
        libc::ECONNREFUSED => ConnectError::Refused,
        // No descriptor, port, buffer or place in the neighbour table left.
        libc::EMFILE
        | libc::ENFILE
        | libc::EADDRNOTAVAIL
        | libc::ENOBUFS
        | libc::ENOMEM
        | libc::EAGAIN => ConnectError::NotStarted { os_error: error },
        _ => ConnectError::Failed { outcome: route_outcome(error), os_error: error },
    }
}

/// Whether an error of a send may be the echo of an earlier packet, which the system reports at
/// the next call on the socket, whatever that is about: the numbers that the kernel translates
/// ICMP errors to (`icmp_err_convert`, `icmpv6_err_convert`).
pub(super) fn may_be_of_another(error: i32) -> bool {
    !matches!(error, libc::EPERM | libc::EINVAL)
}
