//! Growth: as many running workers as processors, the way an I/O completion port keeps its
//! concurrency. Opening a worker is dear (a runspace takes milliseconds, under a lock of the host's),
//! so one is added only where jobs wait while a processor is free. What a worker does between its
//! opening and its first job is like a job: it may wait, and others open meanwhile. Decides on
//! samples handed in.

use super::worker::{Tally, Watch, WorkerState, IDLE_WEIGHT};
use super::{
    Action, Detail, Outcome, Sample, Sampled, State, Time, Times, WorkerId, OPENING_LIMIT,
    SAMPLE_INTERVAL,
};

impl State {
    /// Whether a job waits that neither a woken worker will take nor one that is opening or making
    /// itself ready, and one more worker is allowed at all: threads that were given up stay, and are
    /// not to become ever more.
    pub(super) fn wants_worker(&self) -> bool {
        let coming = self.tally.woken + self.tally.opening + self.tally.preparing;
        self.waiting.len() > coming as usize
            && self.workers() < self.ceiling
            && self.tally.abandoned < self.rules.abandoned_limit
            && self.fruitless < self.rules.max_workers
    }

    /// Whether fewer workers run than there are processors. One that is opening counts as running,
    /// but for each job known to wait the next one is opened while the last still opens. Where four of
    /// five jobs wait, those not known to are expected to: opening does not pause until it is known.
    fn has_idle_core(&self) -> bool {
        let Tally { running, woken, opening, blocked, .. } = self.tally;
        let opening = opening.saturating_sub(blocked.saturating_sub(1));
        let running = if blocked >= 4 * running { 0 } else { running };
        running + woken + opening < self.rules.cores
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
            self.complete_waiting(Outcome::Failed, Detail::NothingTaken, actions);
        }
        if self.workers() == 0 && self.tally.abandoned >= self.rules.abandoned_limit {
            self.complete_waiting(Outcome::Failed, Detail::TooManyAbandoned, actions);
        }
    }

    /// A worker is idle from one sample to the next where its job took less than 5% of a processor.
    /// Nothing is known where the second sample came late, where the process used 80% of all
    /// processors, or where the host's runtime stood still for a quarter of the time: then the worker
    /// may be waiting for the machine, or for a garbage collector. After [`IDLE_WEIGHT`] in a row it
    /// counts as waiting: two samples, or eight while the process computes elsewhere than in workers.
    /// That may be a collector that stops only those who wait for its end; or a producer, whose jobs
    /// get their workers all the same. (Opening a worker computes elsewhere, too, and is neither.)
    pub(super) fn sample(&mut self, at: Time, sample: Sample<'_>) {
        // A thousand clocks take their time: without regard to it every sample would come late.
        let interval = (4 * sample.took).clamp(SAMPLE_INTERVAL, 8 * SAMPLE_INTERVAL);
        let last = self.sampled.replace(Sampled { at, times: sample.times, interval });
        let (elapsed, spent, late) = match last {
            Some(last) => {
                (at.nanos_since(last.at), sample.times.since(last.times), 2 * last.interval)
            }
            None => (0, Times::default(), 0),
        };
        let is_known = elapsed <= late
            && spent.process * 100 < elapsed * u64::from(self.rules.cores) * 80
            && spent.paused * 4 < elapsed;
        let is_computing = spent.elsewhere * 4 >= elapsed && self.tally.opening == 0;
        let weight = if is_computing { IDLE_WEIGHT / 8 } else { IDLE_WEIGHT / 2 };
        let cpu_of = |id: WorkerId| {
            let index =
                sample.workers.binary_search_by_key(&id.slot, |(known, _)| known.slot).ok()?;
            let (worker, cpu) = sample.workers[index];
            (worker == id).then_some(cpu)
        };
        for slot in 0..self.workers.len() {
            let WorkerState { number, phase, .. } = match self.workers[slot] {
                Some(worker) => worker,
                None => continue,
            };
            let cpu = cpu_of(WorkerId { slot, number });
            if let Some(watch) = phase.watch() {
                let idle = match (watch.cpu, cpu) {
                    (Some(before), Some(cpu)) if is_known => {
                        let is_idle = cpu.saturating_sub(before) * 100 < elapsed * 5;
                        if is_idle {
                            (watch.idle + weight).min(IDLE_WEIGHT)
                        } else {
                            0
                        }
                    }
                    (_, Some(_)) => watch.idle,
                    (_, None) => 0,
                };
                self.enter(slot, phase.watched(Watch { cpu, idle }));
            }
        }
    }
}
