//! Growth: as many running workers as processors, the way an I/O completion port keeps its
//! concurrency. Opening a worker is dear (a runspace takes milliseconds, under a lock of the host's),
//! so one is added only where jobs wait while a processor is free. Decides on samples handed in.

use super::worker::{Phase, Worker, IDLE_WEIGHT};
use super::{Action, Outcome, State, Time, WorkerId, OPENING_LIMIT, SAMPLE_INTERVAL};

impl State {
    /// Whether a job waits that neither a woken nor an opening worker will take, and one more worker
    /// is allowed at all.
    pub(super) fn wants_worker(&self) -> bool {
        self.waiting.len() > (self.tally.woken + self.tally.opening) as usize
            && self.workers() < self.ceiling
            && self.fruitless < self.rules.max_workers
    }

    /// Whether fewer workers run than there are processors. Those that are opening count as running
    /// until jobs are known to wait: then the next one is opened while the last still opens.
    fn has_idle_core(&self) -> bool {
        let opening = if self.tally.blocked == 0 { self.tally.opening } else { 0 };
        self.tally.running + self.tally.woken + opening < self.rules.cores
    }

    /// Gives the waiting jobs workers: parked ones first, then new ones.
    pub(super) fn grow(&mut self, actions: &mut Vec<Action>) {
        while self.waiting.len() > self.tally.woken as usize {
            match self.parked.last().copied() {
                Some(slot) => self.wake(slot, actions),
                None => break,
            }
        }
        while self.wants_worker() && self.tally.opening < OPENING_LIMIT && self.has_idle_core() {
            self.open(actions);
        }
        if self.workers() == 0 && self.fruitless >= self.rules.max_workers {
            self.end_waiting(Outcome::Failed, actions);
        }
    }

    /// A worker is idle from one sample to the next, if these came in time, where its job took less
    /// than 5% of a processor, and the process less than 80% of all: else it may be waiting for the
    /// machine, or for a garbage collector. After [`IDLE_WEIGHT`] in a row it counts as waiting: two
    /// samples, or eight while the process computes without opening a worker. A collector that has
    /// stopped all workers is done by then; a producer that keeps a processor busy is not, and the
    /// jobs that wait beside it get their workers all the same.
    pub(super) fn sample(&mut self, at: Time, process: u64, workers: &[(WorkerId, u64)]) {
        let sample = match self.sampled.replace((at, process)) {
            Some((last, before)) => {
                let elapsed = at.nanos_since(last);
                let used = process.saturating_sub(before);
                let late = elapsed > 2 * SAMPLE_INTERVAL;
                let loaded = used * 100 >= elapsed * u64::from(self.rules.cores) * 80;
                let computes = self.tally.opening == 0 && used * 4 >= elapsed;
                let weight = if computes { IDLE_WEIGHT / 8 } else { IDLE_WEIGHT / 2 };
                (!late && !loaded).then_some((elapsed, weight))
            }
            None => None,
        };
        let cpu_of = |id: WorkerId| {
            let index = workers.binary_search_by_key(&id.slot, |(worker, _)| worker.slot).ok()?;
            let (worker, cpu) = workers[index];
            (worker == id).then_some(cpu)
        };
        for slot in 0..self.workers.len() {
            if let Some(Worker { number, phase: Phase::Busy(mut busy), .. }) = self.workers[slot] {
                let cpu = cpu_of(WorkerId { slot, number });
                if let (Some((elapsed, weight)), Some(before), Some(cpu)) = (sample, busy.cpu, cpu)
                {
                    let idle = cpu.saturating_sub(before) * 100 < elapsed * 5;
                    busy.idle = if idle { (busy.idle + weight).min(IDLE_WEIGHT) } else { 0 };
                }
                busy.cpu = cpu;
                self.enter(slot, Phase::Busy(busy));
            }
        }
    }
}
