//! Faults that were mended, put back one at a time by the simulator's own test: it must find each.
//! Without the feature `faults` there are none, and asking costs nothing.

/// A fault that the scheduler once had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No wake-up is set where a pool has tokens to spare and jobs that wait.
    NoWakeForTokens,
    /// What cannot be begun is tried for ever.
    NotBegunForEver,
    /// Jobs that share a probe are answered with the names of the first.
    NamesOfTheFirst,
    /// Jobs that send nothing are no work: a turn goes on until there are no more.
    UnboundedTurn,
    /// Reverse look-ups are begun without regard to their window.
    UnboundedReverse,
    /// A turn that comes late counts as an overflow, whatever the system's counter says.
    LateIsOverflow,
    /// A family's socket that could not be opened once is not asked for again.
    SocketFailureKept,
    /// A pool is cancelled in one turn.
    CancelledAtOnce,
    /// A neighbour that is known to be dead keeps its place in the window.
    DeadNeighbourKeepsPlace,
    /// The connect window holds for first addresses only.
    FallbackOutsideWindow,
    /// Echo requests and connects of one pool wait in one line.
    OneLine,
    /// An ICMP source quench ends an attempt.
    SourceQuenchEnds,
    /// What was under way while the machine was suspended is lost.
    SuspensionIgnored,
    /// A reply from another address is dropped.
    OtherAddressDropped,
    /// After a contained panic the tables stay as they are.
    StaleTables,
}

/// All of them, in the order of the documentation's table.
pub const ALL: [Fault; 15] = [
    Fault::NoWakeForTokens,
    Fault::NotBegunForEver,
    Fault::NamesOfTheFirst,
    Fault::UnboundedTurn,
    Fault::UnboundedReverse,
    Fault::LateIsOverflow,
    Fault::SocketFailureKept,
    Fault::CancelledAtOnce,
    Fault::DeadNeighbourKeepsPlace,
    Fault::FallbackOutsideWindow,
    Fault::OneLine,
    Fault::SourceQuenchEnds,
    Fault::SuspensionIgnored,
    Fault::OtherAddressDropped,
    Fault::StaleTables,
];
