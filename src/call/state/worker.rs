//! A worker as `call::state` sees it: its phase, its job, and the count of workers by phase.

use crate::clock::Time;
use crate::outcome::Outcome;

/// The weight of idle samples in a row after which a worker counts as waiting; see
/// `State::sample`.
pub(super) const IDLE_WEIGHT: u8 = 8;

/// A worker was asked to end its job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Asked {
    pub outcome: Outcome,
    pub until: Time,
}

/// What samples have said of a thread since it began what it does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Watch {
    /// The thread's processor time at the last sample; `None` before the first one.
    pub cpu: Option<u64>,
    /// Weight of the samples in a row that found it waiting, up to [`IDLE_WEIGHT`].
    pub idle: u8,
}

impl Watch {
    /// Whether the thread waits for something.
    pub fn is_blocked(&self) -> bool {
        self.idle >= IDLE_WEIGHT
    }
}

/// A job in hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Busy {
    pub job: u64,
    pub since: Time,
    pub asked: Option<Asked>,
    pub watch: Watch,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    /// Has not asked for a job yet, nor said that it is open.
    Opening,
    /// Open; makes itself ready for its first job, which may take as long as a job.
    Preparing(Watch),
    Parked,
    /// Parked, told to look for a job.
    Woken,
    /// In the host, without a job.
    Between,
    Busy(Busy),
    /// Knows that it shall leave.
    Leaving,
    /// Given up; its thread is still out.
    Abandoned,
}

impl Phase {
    /// What samples have said, where they say something.
    pub fn watch(&self) -> Option<Watch> {
        match self {
            Phase::Preparing(watch) | Phase::Busy(Busy { watch, .. }) => Some(*watch),
            _ => None,
        }
    }

    /// The same phase with what another sample has said.
    pub fn watched(self, watch: Watch) -> Phase {
        match self {
            Phase::Preparing(_) => Phase::Preparing(watch),
            Phase::Busy(busy) => Phase::Busy(Busy { watch, ..busy }),
            other => other,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct WorkerState {
    pub number: u32,
    pub has_worked: bool,
    pub phase: Phase,
}

/// Workers by phase.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Tally {
    pub opening: u32,
    /// Those that make themselves ready; they are running or blocked, too.
    pub preparing: u32,
    pub woken: u32,
    /// In the host without a job, or with one that is not known to wait.
    pub running: u32,
    pub blocked: u32,
    pub abandoned: u32,
    pub all: u32,
}

impl Tally {
    pub fn count(&mut self, phase: &Phase, change: fn(&mut u32)) {
        change(&mut self.all);
        if let Phase::Preparing(_) = phase {
            change(&mut self.preparing);
        }
        match phase {
            Phase::Opening => change(&mut self.opening),
            Phase::Woken => change(&mut self.woken),
            Phase::Busy(Busy { watch, .. }) | Phase::Preparing(watch) if watch.is_blocked() => {
                change(&mut self.blocked);
            }
            Phase::Between | Phase::Busy(_) | Phase::Preparing(_) => change(&mut self.running),
            Phase::Abandoned => change(&mut self.abandoned),
            Phase::Parked | Phase::Leaving => {}
        }
    }
}
