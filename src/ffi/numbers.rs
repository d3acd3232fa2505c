//! The numbers of the engine's own lists are those of the ABI: checked when this is compiled, both
//! ways. A number that differs, or an entry of a list that is missing here, does not compile; a test
//! finds a number of the ABI that no entry has.

use super::types::*;
use crate::outcome::{JobKind, Outcome};

macro_rules! agree {
    ($numbers:ident: $list:ident { $($entry:ident = $number:ident,)* }) => {
        $(const _: () = assert!($list::$entry as u32 == $number);)*
        const _: fn($list) = |entry| match entry {
            $($list::$entry => {})*
        };
        #[cfg(test)]
        const $numbers: &[&str] = &[$(stringify!($number)),*];
    };
}

agree! { OUTCOMES: Outcome {
    Success = RR_OUTCOME_SUCCESS,
    Refused = RR_OUTCOME_REFUSED,
    TimedOut = RR_OUTCOME_TIMED_OUT,
    NameNotFound = RR_OUTCOME_NAME_NOT_FOUND,
    NameLookupTimedOut = RR_OUTCOME_NAME_LOOKUP_TIMED_OUT,
    Unknown = RR_OUTCOME_UNKNOWN,
    PermissionDenied = RR_OUTCOME_PERMISSION_DENIED,
    Failed = RR_OUTCOME_FAILED,
    Completed = RR_OUTCOME_COMPLETED,
    Stopped = RR_OUTCOME_STOPPED,
    NotStarted = RR_OUTCOME_NOT_STARTED,
    Lost = RR_OUTCOME_LOST,
    DestinationNetworkUnreachable = RR_OUTCOME_DESTINATION_NETWORK_UNREACHABLE,
    DestinationHostUnreachable = RR_OUTCOME_DESTINATION_HOST_UNREACHABLE,
    DestinationProtocolUnreachable = RR_OUTCOME_DESTINATION_PROTOCOL_UNREACHABLE,
    DestinationPortUnreachable = RR_OUTCOME_DESTINATION_PORT_UNREACHABLE,
    DestinationProhibited = RR_OUTCOME_DESTINATION_PROHIBITED,
    DestinationUnreachable = RR_OUTCOME_DESTINATION_UNREACHABLE,
    DestinationScopeMismatch = RR_OUTCOME_DESTINATION_SCOPE_MISMATCH,
    PacketTooBig = RR_OUTCOME_PACKET_TOO_BIG,
    TtlExpired = RR_OUTCOME_TTL_EXPIRED,
    TtlReassemblyTimeExceeded = RR_OUTCOME_TTL_REASSEMBLY_TIME_EXCEEDED,
    TimeExceeded = RR_OUTCOME_TIME_EXCEEDED,
    ParameterProblem = RR_OUTCOME_PARAMETER_PROBLEM,
    BadHeader = RR_OUTCOME_BAD_HEADER,
    UnrecognizedNextHeader = RR_OUTCOME_UNRECOGNIZED_NEXT_HEADER,
    BadOption = RR_OUTCOME_BAD_OPTION,
    BadRoute = RR_OUTCOME_BAD_ROUTE,
    BadDestination = RR_OUTCOME_BAD_DESTINATION,
    SourceQuench = RR_OUTCOME_SOURCE_QUENCH,
    NoResources = RR_OUTCOME_NO_RESOURCES,
    HardwareError = RR_OUTCOME_HARDWARE_ERROR,
    IcmpError = RR_OUTCOME_ICMP_ERROR,
} }

agree! { KINDS: JobKind {
    Echo = RR_KIND_ECHO,
    Connect = RR_KIND_CONNECT,
    Call = RR_KIND_CALL,
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_and_kind_of_the_abi_is_one_of_the_engines() {
        let constants = include_str!("types.rs").lines().filter_map(|line| {
            let name = line.strip_prefix("pub const ")?.split(':').next()?;
            (name.starts_with("RR_OUTCOME_") || name.starts_with("RR_KIND_")).then_some(name)
        });
        assert_eq!(constants.collect::<Vec<_>>(), [OUTCOMES, KINDS].concat());
    }
}
