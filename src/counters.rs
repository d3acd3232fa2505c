//! Figures for diagnosis about what all pools share: the sockets and the reactor's thread. Written by
//! that thread, read by any. A pool tells what has been counted since it joined: so a reader takes the
//! figures twice and the difference. Must not know who counts, nor decide anything.

use std::sync::atomic::{AtomicU64, Ordering};

/// See the file's head. The writer stores totals; each only grows.
#[derive(Default)]
pub struct NetworkCounters {
    packets_foreign: AtomicU64,
    errors_drained: AtomicU64,
    overflows: AtomicU64,
    late_turns: AtomicU64,
}

/// The counters at one moment, or what was counted between two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NetworkFigures {
    /// ICMP packets that reached the process's sockets and belonged to no open probe.
    pub packets_foreign: u64,
    /// Errors about earlier packets that were taken out of the sockets' queues.
    pub errors_drained: u64,
    /// Times at which a receive buffer of ours was seen to have overflowed.
    pub overflows: u64,
    /// Turns of the reactor that came late: the process, or the machine, stood still.
    pub late_turns: u64,
}

impl NetworkCounters {
    /// Makes these the totals. One thread at a time.
    pub fn store(&self, figures: NetworkFigures) {
        self.packets_foreign.store(figures.packets_foreign, Ordering::Relaxed);
        self.errors_drained.store(figures.errors_drained, Ordering::Relaxed);
        self.overflows.store(figures.overflows, Ordering::Relaxed);
        self.late_turns.store(figures.late_turns, Ordering::Relaxed);
    }

    /// The totals.
    pub fn figures(&self) -> NetworkFigures {
        NetworkFigures {
            packets_foreign: self.packets_foreign.load(Ordering::Relaxed),
            errors_drained: self.errors_drained.load(Ordering::Relaxed),
            overflows: self.overflows.load(Ordering::Relaxed),
            late_turns: self.late_turns.load(Ordering::Relaxed),
        }
    }
}

impl NetworkFigures {
    /// What was counted since `earlier`.
    pub fn since(self, earlier: NetworkFigures) -> NetworkFigures {
        NetworkFigures {
            packets_foreign: self.packets_foreign.saturating_sub(earlier.packets_foreign),
            errors_drained: self.errors_drained.saturating_sub(earlier.errors_drained),
            overflows: self.overflows.saturating_sub(earlier.overflows),
            late_turns: self.late_turns.saturating_sub(earlier.late_turns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_told_as_counted_since_the_earlier_look() {
        let counters = NetworkCounters::default();
        let (packets_foreign, errors_drained, overflows, late_turns) = (3, 40, 500, 6000);
        let first = NetworkFigures { packets_foreign, errors_drained, overflows, late_turns };
        counters.store(first);
        let earlier = counters.figures();
        assert_eq!(earlier, first);
        let more = NetworkFigures { packets_foreign: 4, errors_drained: 42, ..first };
        counters.store(NetworkFigures { overflows: 503, late_turns: 6004, ..more });
        let expected =
            NetworkFigures { packets_foreign: 1, errors_drained: 2, overflows: 3, late_turns: 4 };
        assert_eq!(counters.figures().since(earlier), expected);
    }
}
