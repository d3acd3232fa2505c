//! Owns the words for how a job ended: the one list of states and the completion every job gets.
//! The numbers of [`Outcome`] are the ABI's `RR_OUTCOME_*`; they are never reused.

use crate::address::Address;

/// How a job ended. The names are the strings of the property `Status` in PowerShell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
#[allow(missing_docs)] // the variants below are the field's own terms (.NET's IPStatus)
pub enum Outcome {
    /// A valid reply or an open connection.
    Success = 0,
    /// TCP: the host itself said no.
    Refused = 1,
    /// No answer to any attempt; a call job past its time limit.
    TimedOut = 2,
    /// The resolver knows no such name.
    NameNotFound = 3,
    /// The resolver did not answer in time.
    NameLookupTimedOut = 4,
    /// Our own buffer overflowed through all repeats: no verdict.
    Unknown = 5,
    /// The system refused; the raw number says what.
    PermissionDenied = 6,
    /// The system refused, or the job itself failed; the raw number or the caller says what.
    Failed = 7,
    /// A call job that ended.
    Completed = 8,
    /// Begun, but ended by cancel, close or the whole-run limit.
    Stopped = 9,
    /// Never begun.
    NotStarted = 10,
    /// A call job on a remote machine that went away.
    Lost = 11,
    DestinationNetworkUnreachable = 20,
    DestinationHostUnreachable = 21,
    DestinationProtocolUnreachable = 22,
    DestinationPortUnreachable = 23,
    DestinationProhibited = 24,
    DestinationUnreachable = 25,
    DestinationScopeMismatch = 26,
    PacketTooBig = 27,
    TtlExpired = 28,
    TtlReassemblyTimeExceeded = 29,
    TimeExceeded = 30,
    ParameterProblem = 31,
    BadHeader = 32,
    UnrecognizedNextHeader = 33,
    BadOption = 34,
    BadRoute = 35,
    BadDestination = 36,
    SourceQuench = 37,
    NoResources = 38,
    HardwareError = 39,
    IcmpError = 40,
}

/// Why a connect ended without an open connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// The host itself said no (also: a connect to our own address that met itself).
    Refused,
    /// For reasons of ours (descriptors, ports, memory), with the raw number: wait and repeat.
    NotStarted {
        /// The raw error number.
        os_error: i32,
    },
    /// A route, router, host or firewall said no, with the raw number.
    Failed {
        /// The fitting state.
        outcome: Outcome,
        /// The raw error number.
        os_error: i32,
    },
}

/// What more can be said about an outcome; rendered to text for people in `ffi`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Nothing more.
    None,
    /// An ICMP error message from this router or host (type and code as received).
    IcmpFrom {
        /// The sender of the error.
        from: Address,
        /// ICMP or ICMPv6 type.
        kind: u8,
        /// ICMP or ICMPv6 code.
        code: u8,
    },
    /// The reply came from this address, not from the one asked, and proved by its token that it
    /// answers our request (a host with several addresses, some anycast services).
    AnsweredFrom {
        /// Who answered.
        from: Address,
    },
    /// The system refused to send: the raw error number stands in the completion.
    LocalRoute,
    /// The local receive buffer overflowed during every repeat.
    LocalOverflow,
    /// This process stood still during every repeat, and the system does not tell whether it
    /// dropped packets meanwhile.
    LateTurn,
    /// The machine was suspended during every repeat.
    Suspended,
    /// Attempts could not be begun within their time for want of a resource of ours: the raw error
    /// number stands in the completion.
    NotBegun,
    /// No host on the link has the address.
    NoNeighbour,
    /// The resolver's own error code (`EAI_*`) stands in the completion's `os_error`.
    Resolver,
    /// The operation failed with the raw error number in the completion.
    System,
    /// The worker did not come back within its grace time and was given up.
    Abandoned,
    /// Too many workers have been given up and not come back: none is replaced any more.
    TooManyAbandoned,
    /// Not one thread could be made for a worker.
    NoWorkerThread,
    /// The host's callbacks return without taking a job.
    NothingTaken,
}

/// Statistics of an echo or connect job. Times are nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Statistics {
    /// Attempts that left this machine and count (a repeated one counts once).
    pub sent: u32,
    /// Attempts that were answered.
    pub received: u32,
    /// Further answers to attempts already answered; `None` where the system hides them.
    pub duplicates: Option<u32>,
    /// Round trip of the last answer; `None` where nothing was received, like the next four.
    pub last: Option<u64>,
    /// Shortest round trip.
    pub min: Option<u64>,
    /// Mean round trip.
    pub mean: Option<u64>,
    /// Longest round trip.
    pub max: Option<u64>,
    /// Standard deviation (of the population) of the round trips.
    pub deviation: Option<u64>,
}

/// Names and further addresses, where they were asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// The host's name: of a literal from the reverse look-up, of a name its canonical one.
    pub host_name: Option<String>,
    /// All addresses in the resolver's order.
    pub addresses: Vec<Address>,
}

/// The kind of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum JobKind {
    /// ICMP echo.
    Echo = 1,
    /// TCP connect.
    Connect = 2,
    /// A host callback.
    Call = 3,
}

/// The one answer to a job (or, for `NotStarted`, to `jobs` consecutive jobs of one target).
#[derive(Clone, PartialEq, Debug)]
pub struct Completion {
    /// The caller's number, as submitted with the target or call.
    pub user_data: u64,
    /// Index of the job within its target: address index x number of ports + port index.
    pub index: u64,
    /// Jobs this completion answers: 1, more only where a whole rest was never begun.
    pub jobs: u64,
    /// Kind of the job.
    pub kind: JobKind,
    /// How it ended.
    pub outcome: Outcome,
    /// Raw error number of the system or the resolver; 0 where there is none.
    pub os_error: i32,
    /// What more can be said.
    pub detail: Detail,
    /// The address probed; `None` where the name had none, or for calls.
    pub address: Option<Address>,
    /// TCP port; 0 for echo and calls.
    pub port: u16,
    /// Time to live (hop limit) of the last reply, where the system tells it.
    pub ttl: Option<u8>,
    /// Attempts, answers, round trips.
    pub statistics: Statistics,
    /// When the job ended: nanoseconds since 1970-01-01 UTC on the wall clock.
    pub finished: i64,
    /// From the job's start to its end in nanoseconds; 0 where it never began.
    pub duration: u64,
    /// For calls: the worker's number in its pool, from 1; else 0.
    pub worker: u32,
    /// Names, where asked for.
    pub names: Option<Box<Names>>,
}
