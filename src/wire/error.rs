//! The states that ICMP and ICMPv6 error messages stand for. Numbers are IANA's registries "ICMP
//! Parameters" and "ICMPv6 Parameters"; names are those of .NET's IPStatus.

use crate::address::Family;
use crate::outcome::Outcome;

/// The state for an error's type and code.
pub fn error_outcome(family: Family, kind: u8, code: u8) -> Outcome {
    match family {
        Family::V4 => v4_outcome(kind, code),
        Family::V6 => v6_outcome(kind, code),
    }
}

fn v4_outcome(kind: u8, code: u8) -> Outcome {
    match (kind, code) {
        // Network: unreachable, unknown, unreachable for the type of service.
        (3, 0 | 6 | 11) => Outcome::DestinationNetworkUnreachable,
        // Host: unreachable, unknown, source isolated, unreachable for the type of service.
        (3, 1 | 7 | 8 | 12) => Outcome::DestinationHostUnreachable,
        (3, 2) => Outcome::DestinationProtocolUnreachable,
        (3, 3) => Outcome::DestinationPortUnreachable,
        (3, 4) => Outcome::PacketTooBig,
        (3, 5) => Outcome::BadRoute,
        // Prohibited: network, host, communication; precedence violation and cutoff.
        (3, 9 | 10 | 13..=15) => Outcome::DestinationProhibited,
        (3, _) => Outcome::DestinationUnreachable,
        (4, _) => Outcome::SourceQuench,
        (11, 0) => Outcome::TtlExpired,
        (11, 1) => Outcome::TtlReassemblyTimeExceeded,
        (11, _) => Outcome::TimeExceeded,
        // The pointer shows the error, or a bad length.
        (12, 0 | 2) => Outcome::BadHeader,
        (12, 1) => Outcome::BadOption,
        (12, _) => Outcome::ParameterProblem,
        _ => Outcome::IcmpError,
    }
}

fn v6_outcome(kind: u8, code: u8) -> Outcome {
    match (kind, code) {
        (1, 0) => Outcome::DestinationNetworkUnreachable,
        // Prohibited: by administration, by the source address policy, by a reject route.
        (1, 1 | 5 | 6) => Outcome::DestinationProhibited,
        (1, 2) => Outcome::DestinationScopeMismatch,
        (1, 3) => Outcome::DestinationHostUnreachable,
        (1, 4) => Outcome::DestinationPortUnreachable,
        // Error in a source routing header.
        (1, 7) => Outcome::BadRoute,
        (1, _) => Outcome::DestinationUnreachable,
        (2, _) => Outcome::PacketTooBig,
        (3, 0) => Outcome::TtlExpired,
        (3, 1) => Outcome::TtlReassemblyTimeExceeded,
        (3, _) => Outcome::TimeExceeded,
        (4, 0) => Outcome::BadHeader,
        (4, 1) => Outcome::UnrecognizedNextHeader,
        (4, 2) => Outcome::BadOption,
        (4, _) => Outcome::ParameterProblem,
        _ => Outcome::IcmpError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ipv4_unreachable_code_has_its_state() {
        use Outcome::*;
        let states = [
            DestinationNetworkUnreachable,
            DestinationHostUnreachable,
            DestinationProtocolUnreachable,
            DestinationPortUnreachable,
            PacketTooBig,
            BadRoute,
            DestinationNetworkUnreachable,
            DestinationHostUnreachable,
            DestinationHostUnreachable,
            DestinationProhibited,
            DestinationProhibited,
            DestinationNetworkUnreachable,
            DestinationHostUnreachable,
            DestinationProhibited,
            DestinationProhibited,
            DestinationProhibited,
            DestinationUnreachable,
        ];
        for (code, state) in states.iter().enumerate() {
            assert_eq!(error_outcome(Family::V4, 3, code as u8), *state, "code {code}");
        }
    }

    #[test]
    fn every_ipv6_unreachable_code_has_its_state() {
        use Outcome::*;
        let states = [
            DestinationNetworkUnreachable,
            DestinationProhibited,
            DestinationScopeMismatch,
            DestinationHostUnreachable,
            DestinationPortUnreachable,
            DestinationProhibited,
            DestinationProhibited,
            BadRoute,
            DestinationUnreachable,
        ];
        for (code, state) in states.iter().enumerate() {
            assert_eq!(error_outcome(Family::V6, 1, code as u8), *state, "code {code}");
        }
    }

    #[test]
    fn the_families_number_their_types_differently() {
        assert_eq!(error_outcome(Family::V4, 11, 0), Outcome::TtlExpired);
        assert_eq!(error_outcome(Family::V6, 3, 0), Outcome::TtlExpired);
        assert_eq!(error_outcome(Family::V4, 11, 1), Outcome::TtlReassemblyTimeExceeded);
        assert_eq!(error_outcome(Family::V6, 2, 0), Outcome::PacketTooBig);
        assert_eq!(error_outcome(Family::V6, 4, 1), Outcome::UnrecognizedNextHeader);
        assert_eq!(error_outcome(Family::V4, 12, 0), Outcome::BadHeader);
        assert_eq!(error_outcome(Family::V6, 100, 0), Outcome::IcmpError);
    }
}
