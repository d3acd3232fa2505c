//! What call jobs and their workers do next: one function from a state and an event to actions.
//! Owns hand-out, growth, time limits, cancel, close, giving up and replacing workers. Must not know
//! locks, clocks, threads or callbacks: `call` tells it what happened and when, and carries out what
//! it decides. Small and deterministic, so that a test can visit every state there is.
//!
//! The invariant of it all: a job is in `waiting`, or with one `Busy` worker, or has had its one
//! `Action::Complete`.

use crate::clock::{Time, MILLISECOND};
use crate::outcome::{Detail, Outcome};
use std::collections::VecDeque;

mod event;
mod growth;
#[cfg(test)]
mod tests;
mod worker;

pub use event::{
    abandoned_limit, Action, Event, JobResult, Lifecycle, Response, Rules, Sample, Times, WorkerId,
};
use worker::{Asked, Busy, Phase, Tally, Watch, WorkerState};

/// Nanoseconds a worker has to end its job after it was asked to, and at close to begin leaving.
pub const GRACE: u64 = 200 * MILLISECOND;
/// Nanoseconds from close within which a worker that knows of it must have left.
pub const LEAVE: u64 = 800 * MILLISECOND;
/// Nanoseconds from sample to sample; a comparison over more than twice this is discarded.
pub const SAMPLE_INTERVAL: u64 = 2 * MILLISECOND;
/// Jobs that may wait.
pub const WAITING_LIMIT: usize = 65_536;
/// Workers that may be opening at a time: the host serialises most of it anyway.
const OPENING_LIMIT: u32 = 2;

/// What is remembered of a [`Sample`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Sampled {
    at: Time,
    times: Times,
    /// Nanoseconds until the next one.
    interval: u64,
}

/// See the file's head.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    rules: Rules,
    lifecycle: Lifecycle,
    /// When the pool was closed; [`Time::NEVER`] before.
    closed: Time,
    waiting: VecDeque<u64>,
    workers: Vec<Option<WorkerState>>,
    /// Slots of the parked workers; the last one slept the shortest and is woken first.
    parked: Vec<usize>,
    tally: Tally,
    next_number: u32,
    /// `max_workers`, or as many as there were when a thread could not be made.
    ceiling: u32,
    /// Workers that came back without ever having taken a job.
    fruitless: u32,
    /// Workers given up so far.
    given_up: u32,
    /// The last sample, without the workers' clocks.
    sampled: Option<Sampled>,
}

impl State {
    /// A pool without jobs or workers.
    pub fn new(rules: Rules) -> State {
        State {
            ceiling: rules.max_workers,
            rules,
            lifecycle: Lifecycle::Open,
            closed: Time::NEVER,
            waiting: VecDeque::new(),
            workers: Vec::new(),
            parked: Vec::new(),
            tally: Tally::default(),
            next_number: 1,
            fruitless: 0,
            given_up: 0,
            sampled: None,
        }
    }

    /// How many jobs may be submitted now; `None` when the pool is cancelled or closed.
    pub fn room(&self) -> Option<usize> {
        match self.lifecycle {
            Lifecycle::Open => Some(WAITING_LIMIT - self.waiting.len()),
            Lifecycle::Cancelled | Lifecycle::Closed => None,
        }
    }

    /// How far the pool has come.
    pub fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }

    /// Jobs that no worker has taken yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Workers there are, those given up not counted.
    pub fn workers(&self) -> u32 {
        self.tally.all - self.tally.abandoned
    }

    /// How many more workers there may be.
    pub fn headroom(&self) -> u32 {
        self.ceiling.saturating_sub(self.workers())
    }

    /// Workers given up so far, come back or not.
    pub fn given_up(&self) -> u32 {
        self.given_up
    }

    /// Workers whose threads are out, those given up included.
    pub fn threads(&self) -> u32 {
        self.tally.all
    }

    /// Whether the pool is closed and nobody is waited for any more.
    pub fn is_ended(&self) -> bool {
        self.lifecycle == Lifecycle::Closed && self.workers() == 0
    }

    /// Whether this worker sleeps until it is woken.
    pub fn is_parked(&self, id: WorkerId) -> bool {
        self.phase(id) == Some(Phase::Parked)
    }

    /// Whether this worker is asked to end `job` and still has it.
    pub fn is_asked(&self, id: WorkerId, job: u64) -> bool {
        matches!(self.phase(id), Some(Phase::Busy(busy)) if busy.job == job && busy.asked.is_some())
    }

    /// Whether this worker has a job, or makes itself ready, and is not known to wait.
    pub fn is_running(&self, id: WorkerId) -> bool {
        let watch = self.phase(id).and_then(|phase| phase.watch());
        watch.map_or(false, |watch| !watch.is_blocked())
    }

    /// The workers whose threads are out, by slot, and whether they have a job in hand or make
    /// themselves ready for one.
    pub fn all(&self) -> impl Iterator<Item = (WorkerId, bool)> + '_ {
        self.workers.iter().enumerate().filter_map(|(slot, worker)| {
            let worker = worker.as_ref()?;
            let id = WorkerId { slot, number: worker.number };
            Some((id, worker.phase.watch().is_some()))
        })
    }

    /// When the next sample is due; `None` while no job waits that more workers could take.
    pub fn next_sample(&self) -> Option<Time> {
        let due = |last: Sampled| last.at.plus_nanos(last.interval);
        self.wants_worker().then(|| self.sampled.map_or(Time::from_nanos(0), due))
    }

    /// When the next [`Event::Tick`] is due.
    pub fn next_tick(&self) -> Time {
        let workers = self.workers.iter().flatten();
        workers.map(|worker| self.due(&worker.phase)).min().unwrap_or(Time::NEVER)
    }

    /// Until when a worker may stay in this phase.
    fn due(&self, phase: &Phase) -> Time {
        match phase {
            Phase::Busy(Busy { asked: Some(asked), .. }) => asked.until,
            Phase::Busy(busy) => busy.since.plus_nanos(self.rules.job_limit),
            Phase::Opening | Phase::Preparing(_) | Phase::Between => self.closed.plus_nanos(GRACE),
            Phase::Parked | Phase::Woken | Phase::Leaving => self.closed.plus_nanos(LEAVE),
            Phase::Abandoned => Time::NEVER,
        }
    }

    /// Takes note of `event` and appends what is to be done to `actions`, in order.
    pub fn step(&mut self, at: Time, event: Event<'_>, actions: &mut Vec<Action>) -> Response {
        match event {
            Event::Start => self.start(actions),
            Event::Submit(jobs) => {
                debug_assert!(self.room() >= Some(jobs.len()));
                self.waiting.extend(jobs);
            }
            Event::Cancel => self.cancel(at, actions),
            Event::Close => self.close(at, actions),
            Event::NotOpened(id) => self.not_opened(id, actions),
            Event::Begin(id) => return self.begin(id),
            Event::Opened(id) => {
                let response = self.opened(id);
                self.grow(actions);
                return response;
            }
            Event::Next(id) => {
                let response = self.next(at, id);
                self.grow(actions);
                return response;
            }
            Event::Finish(id, outcome) => return self.finish(at, id, outcome, actions),
            Event::Returned(id) => self.returned(at, id, actions),
            Event::Sample(sample) => self.sample(at, sample),
            Event::Tick => self.tick(at, actions),
        }
        self.grow(actions);
        Response::Done
    }

    // --- one worker -----------------------------------------------------------------------

    fn phase(&self, id: WorkerId) -> Option<Phase> {
        match self.workers.get(id.slot) {
            Some(Some(worker)) if worker.number == id.number => Some(worker.phase),
            _ => None,
        }
    }

    /// The only place where a phase changes. The slot is taken.
    fn enter(&mut self, slot: usize, phase: Phase) {
        if let Some(worker) = &mut self.workers[slot] {
            if worker.phase == Phase::Parked {
                self.parked.retain(|parked| *parked != slot);
            }
            self.tally.count(&worker.phase, |count| *count -= 1);
            self.tally.count(&phase, |count| *count += 1);
            worker.has_worked |= matches!(phase, Phase::Busy(_));
            worker.phase = phase;
            if phase == Phase::Parked {
                self.parked.push(slot);
            }
        }
    }

    /// Opens the first worker. Where that failed before, it is tried again.
    fn start(&mut self, actions: &mut Vec<Action>) {
        if self.lifecycle < Lifecycle::Cancelled && self.tally.all == 0 {
            self.ceiling = self.rules.max_workers;
            self.open(actions);
        }
    }

    fn open(&mut self, actions: &mut Vec<Action>) {
        let slot = match self.workers.iter().position(Option::is_none) {
            Some(slot) => slot,
            None => {
                self.workers.push(None);
                self.workers.len() - 1
            }
        };
        let id = WorkerId { slot, number: self.next_number };
        self.next_number += 1;
        let worker = WorkerState { number: id.number, has_worked: false, phase: Phase::Opening };
        self.tally.count(&worker.phase, |count| *count += 1);
        self.workers[slot] = Some(worker);
        actions.push(Action::Open(id));
    }

    fn remove(&mut self, id: WorkerId) -> Option<WorkerState> {
        self.phase(id)?;
        self.parked.retain(|parked| *parked != id.slot);
        let worker = self.workers[id.slot].take()?;
        self.tally.count(&worker.phase, |count| *count -= 1);
        Some(worker)
    }

    fn not_opened(&mut self, id: WorkerId, actions: &mut Vec<Action>) {
        self.remove(id);
        self.ceiling = self.workers().max(1);
        if self.workers() == 0 {
            self.complete_waiting(Outcome::Failed, Detail::NoWorkerThread, actions);
        }
    }

    fn begin(&mut self, id: WorkerId) -> Response {
        match self.phase(id) {
            Some(Phase::Opening) if self.lifecycle < Lifecycle::Closed => Response::Done,
            Some(Phase::Opening) => {
                self.enter(id.slot, Phase::Leaving);
                Response::Leave
            }
            _ => Response::Leave,
        }
    }

    fn opened(&mut self, id: WorkerId) -> Response {
        match self.phase(id) {
            None | Some(Phase::Leaving | Phase::Abandoned) => Response::Leave,
            Some(Phase::Opening) if self.lifecycle == Lifecycle::Closed => {
                self.enter(id.slot, Phase::Leaving);
                Response::Leave
            }
            Some(Phase::Opening) => {
                self.enter(id.slot, Phase::Preparing(Watch::default()));
                Response::Done
            }
            Some(_) => Response::Done,
        }
    }

    fn next(&mut self, at: Time, id: WorkerId) -> Response {
        let (phase, response) = match self.phase(id) {
            None | Some(Phase::Leaving | Phase::Abandoned) => return Response::Leave,
            Some(Phase::Busy(_)) => return Response::NotFinished,
            Some(_) if self.lifecycle == Lifecycle::Closed => (Phase::Leaving, Response::Leave),
            Some(_) => match self.waiting.pop_front() {
                None => (Phase::Parked, Response::Park),
                Some(job) => {
                    let busy = Busy { job, since: at, asked: None, watch: Watch::default() };
                    (Phase::Busy(busy), Response::Take(job))
                }
            },
        };
        self.enter(id.slot, phase);
        response
    }

    fn finish(
        &mut self,
        at: Time,
        id: WorkerId,
        outcome: Outcome,
        actions: &mut Vec<Action>,
    ) -> Response {
        match self.phase(id) {
            None | Some(Phase::Abandoned) => Response::Leave,
            Some(Phase::Busy(busy)) => {
                actions.push(self.complete(at, id.number, &busy, outcome));
                if self.lifecycle == Lifecycle::Closed {
                    self.enter(id.slot, Phase::Leaving);
                    return Response::Leave;
                }
                self.enter(id.slot, Phase::Between);
                Response::Done
            }
            Some(_) => Response::NothingTaken,
        }
    }

    /// A job that its worker gave back with `outcome`: what it was asked for, or its limit, wins.
    fn complete(&self, at: Time, worker: u32, busy: &Busy, outcome: Outcome) -> Action {
        let outcome = match busy.asked {
            Some(asked) => asked.outcome,
            None if busy.since.plus_nanos(self.rules.job_limit) <= at => Outcome::TimedOut,
            None => outcome,
        };
        let duration = at.nanos_since(busy.since);
        Action::Complete(JobResult {
            job: busy.job,
            outcome,
            worker,
            duration,
            detail: Detail::None,
        })
    }

    fn returned(&mut self, at: Time, id: WorkerId, actions: &mut Vec<Action>) {
        if let Some(worker) = self.remove(id) {
            if let Phase::Busy(busy) = worker.phase {
                actions.push(self.complete(at, id.number, &busy, Outcome::Failed));
            }
            if !worker.has_worked && worker.phase != Phase::Leaving {
                self.fruitless += 1;
            }
        }
    }

    // --- time -----------------------------------------------------------------------------

    fn tick(&mut self, at: Time, actions: &mut Vec<Action>) {
        for slot in 0..self.workers.len() {
            let WorkerState { number, phase, .. } = match self.workers[slot] {
                Some(worker) if self.due(&worker.phase) <= at => worker,
                _ => continue,
            };
            match phase {
                Phase::Busy(busy) if busy.asked.is_none() => {
                    self.ask(at, slot, Outcome::TimedOut, actions);
                }
                Phase::Busy(Busy { job, since, asked: Some(Asked { outcome, .. }), .. }) => {
                    let duration = at.nanos_since(since);
                    let detail = Detail::Abandoned;
                    let result = JobResult { job, outcome, worker: number, duration, detail };
                    actions.push(Action::Complete(result));
                    self.give_up(slot);
                }
                _ => self.give_up(slot),
            }
        }
    }

    fn give_up(&mut self, slot: usize) {
        self.enter(slot, Phase::Abandoned);
        self.given_up += 1;
    }

    /// Asks a worker to end its job, unless it was asked before.
    fn ask(&mut self, at: Time, slot: usize, outcome: Outcome, actions: &mut Vec<Action>) {
        if let Some(WorkerState { number, phase: Phase::Busy(busy), .. }) = &mut self.workers[slot]
        {
            if busy.asked.is_none() {
                busy.asked = Some(Asked { outcome, until: at.plus_nanos(GRACE) });
                actions.push(Action::Stop(WorkerId { slot, number: *number }, busy.job));
            }
        }
    }

    // --- the pool -------------------------------------------------------------------------

    fn cancel(&mut self, at: Time, actions: &mut Vec<Action>) {
        if self.lifecycle >= Lifecycle::Cancelled {
            return;
        }
        self.lifecycle = Lifecycle::Cancelled;
        self.complete_waiting(Outcome::NotStarted, Detail::None, actions);
        for slot in 0..self.workers.len() {
            self.ask(at, slot, Outcome::Stopped, actions);
        }
    }

    fn close(&mut self, at: Time, actions: &mut Vec<Action>) {
        if self.lifecycle == Lifecycle::Closed {
            return;
        }
        self.cancel(at, actions);
        self.lifecycle = Lifecycle::Closed;
        self.closed = at;
        while let Some(slot) = self.parked.last().copied() {
            self.wake(slot, actions);
        }
    }

    fn wake(&mut self, slot: usize, actions: &mut Vec<Action>) {
        self.enter(slot, Phase::Woken);
        if let Some(WorkerState { number, .. }) = self.workers[slot] {
            actions.push(Action::Wake(WorkerId { slot, number }));
        }
    }

    fn complete_waiting(&mut self, outcome: Outcome, detail: Detail, actions: &mut Vec<Action>) {
        for job in self.waiting.drain(..) {
            let result = JobResult { job, outcome, worker: 0, duration: 0, detail };
            actions.push(Action::Complete(result));
        }
    }
}
