//! The world around the state: a caller who submits, collects, cancels and closes; the supervisor with
//! its errands; and the threads of the workers. Each does what `call` lets it do, at any time or never:
//! a thread that does not move is stuck, one that returns with a job in hand has panicked.

use super::super::super::worker::Tally;
use super::super::super::*;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// As long as the grace time, so that fewer times differ.
pub const LIMIT: u64 = GRACE;
/// No bound.
pub const ANY: u32 = u32::MAX;

/// What a worker's thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Made, not running yet.
    Made,
    /// In the host, without a job.
    Host,
    /// In the host, with this job; the state may have given it up.
    Job(u64),
    Asleep,
    Awake,
    /// Told to leave.
    Leaving,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// The caller submits one job. Where it has not collected, the pool refuses.
    Submit,
    Collect,
    Cancel,
    Close,
    /// The supervisor does its next errand.
    Errand,
    /// Its next errand is a thread, and there is none to be had.
    FailErrand,
    /// The host's stop returns.
    StopReturns,
    Begin(usize),
    Opened(usize),
    Next(usize),
    Finish(usize),
    Return(usize),
    /// Time goes on to the next deadline; the tick comes later.
    Pass,
    Tick,
    /// 2 ms pass, in which all jobs wait, or none does.
    Sample {
        waits: bool,
    },
}

/// How often the world may do what it could do forever; [`ANY`] is no bound.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Budget {
    pub jobs: u64,
    pub fails: u32,
    pub opens: u32,
    pub returns: u32,
    pub passes: u32,
    pub samples: u32,
    /// Completions that the caller may leave uncollected and still submit.
    pub backlog: u32,
}

fn spend(budget: &mut u32, times: u32) {
    if *budget != ANY {
        *budget -= times;
    }
}

/// What the supervisor is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Errand {
    Open(WorkerId),
    Stop(WorkerId, u64),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct World {
    pub state: State,
    now: Time,
    threads: Vec<(WorkerId, Place)>,
    errands: VecDeque<Errand>,
    /// The worker and the job that the host is being asked to stop: it takes no other job, and the
    /// supervisor does nothing else meanwhile.
    stopping: Option<(WorkerId, u64)>,
    /// Completions that wait to be collected.
    ready: u32,
    /// Jobs whose host was asked to stop them.
    asked: Vec<u64>,
    /// By job: how it ended.
    ended: Vec<Option<Outcome>>,
    budget: Budget,
    /// Processor time of every thread.
    cpu: u64,
}

impl World {
    pub fn new(rules: Rules, budget: Budget) -> World {
        let mut world = World {
            state: State::new(rules),
            now: Time::from_nanos(LIMIT),
            threads: Vec::new(),
            errands: VecDeque::new(),
            stopping: None,
            ready: 0,
            asked: Vec::new(),
            ended: Vec::new(),
            budget,
            cpu: 0,
        };
        world.step(Event::Start);
        world
    }

    fn step(&mut self, event: Event<'_>) -> Response {
        let mut actions = Vec::new();
        let response = self.state.step(self.now, event, &mut actions);
        for action in actions {
            match action {
                Action::Open(id) => {
                    assert!(self.threads.iter().all(|(other, _)| other.slot != id.slot));
                    assert!(self.state.tally.abandoned < self.state.rules.abandoned_limit);
                    assert!(self.state.lifecycle < Lifecycle::Cancelled);
                    self.errands.push_back(Errand::Open(id));
                }
                Action::Wake(id) => {
                    let thread = self.threads.iter_mut().find(|(other, _)| *other == id).unwrap();
                    assert_eq!(thread.1, Place::Asleep);
                    thread.1 = Place::Awake;
                }
                Action::Stop(id, job) => {
                    assert!(self.threads.contains(&(id, Place::Job(job))));
                    assert!(self.state.is_asked(id, job));
                    assert!(!self.asked.contains(&job), "job {} is asked to stop twice", job);
                    self.asked.push(job);
                    self.errands.push_back(Errand::Stop(id, job));
                }
                Action::Complete(JobResult { job, outcome, .. }) => {
                    let before = self.ended[job as usize].replace(outcome);
                    assert_eq!(before, None, "job {} ended twice", job);
                    self.ready += 1;
                }
            }
        }
        response
    }

    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.budget.jobs > 0 && self.state.room() > Some(0) {
            moves.push(Move::Submit);
        }
        if self.ready > 0 {
            moves.push(Move::Collect);
        }
        match (self.stopping, self.errands.front()) {
            (Some(_), _) => moves.push(Move::StopReturns),
            (None, Some(Errand::Open(_))) if self.budget.fails > 0 => {
                moves.extend([Move::Errand, Move::FailErrand]);
            }
            (None, Some(_)) => moves.push(Move::Errand),
            (None, None) => {}
        }
        match self.state.lifecycle {
            Lifecycle::Open => moves.extend([Move::Cancel, Move::Close]),
            Lifecycle::Cancelled => moves.push(Move::Close),
            Lifecycle::Closed => {}
        }
        for (index, (_, place)) in self.threads.iter().enumerate() {
            match place {
                Place::Made => moves.push(Move::Begin(index)),
                Place::Host | Place::Awake if self.is_held(index) => {}
                Place::Host if self.budget.opens > 0 && self.is_opening(index) => {
                    moves.extend([Move::Opened(index), Move::Next(index)]);
                }
                Place::Host | Place::Awake => moves.push(Move::Next(index)),
                Place::Job(_) => moves.push(Move::Finish(index)),
                Place::Leaving => moves.push(Move::Return(index)),
                Place::Asleep => {}
            }
            if matches!(place, Place::Host | Place::Job(_)) && self.budget.returns > 0 {
                moves.push(Move::Return(index));
            }
        }
        let tick = self.state.next_tick();
        if tick <= self.now {
            // The supervisor keeps the time, unless the host's stop has it; then whoever closes does.
            if self.stopping.is_none() || self.state.lifecycle == Lifecycle::Closed {
                moves.push(Move::Tick);
            }
        } else if tick < Time::NEVER && self.budget.passes > 0 {
            moves.push(Move::Pass);
        }
        let is_free = self.stopping.is_none() && self.errands.is_empty();
        if self.budget.samples > 0 && is_free && self.state.next_sample().is_some() {
            moves.extend([Move::Sample { waits: true }, Move::Sample { waits: false }]);
        }
        moves
    }

    pub fn make(&mut self, step: Move) {
        match step {
            Move::Submit if self.ready > self.budget.backlog => {
                let before = self.state.waiting();
                self.step(Event::Submit(&[]));
                assert_eq!(self.state.waiting(), before);
            }
            Move::Submit => {
                self.budget.jobs -= 1;
                self.ended.push(None);
                self.step(Event::Submit(&[self.ended.len() as u64 - 1]));
            }
            Move::Cancel => drop(self.step(Event::Cancel)),
            Move::Close => drop(self.step(Event::Close)),
            Move::Collect => self.ready = 0,
            Move::Errand => match self.errands.pop_front() {
                Some(Errand::Open(id)) => self.threads.push((id, Place::Made)),
                Some(Errand::Stop(id, job)) if self.state.is_asked(id, job) => {
                    assert!(self.threads.contains(&(id, Place::Job(job))));
                    self.stopping = Some((id, job));
                }
                _ => {}
            },
            Move::FailErrand => {
                spend(&mut self.budget.fails, 1);
                match self.errands.pop_front() {
                    Some(Errand::Open(id)) => drop(self.step(Event::NotOpened(id))),
                    other => panic!("{:?} is no thread", other),
                }
            }
            Move::StopReturns => self.stopping = None,
            Move::Begin(index) => {
                let response = self.step(Event::Begin(self.threads[index].0));
                let closed = self.state.lifecycle == Lifecycle::Closed;
                assert_eq!(response, if closed { Response::Leave } else { Response::Done });
                self.threads[index].1 = if closed { Place::Leaving } else { Place::Host };
            }
            Move::Opened(index) => {
                spend(&mut self.budget.opens, 1);
                let response = self.step(Event::Opened(self.threads[index].0));
                let closed = self.state.lifecycle == Lifecycle::Closed;
                assert_eq!(response, if closed { Response::Leave } else { Response::Done });
                if closed {
                    self.threads[index].1 = Place::Leaving;
                }
            }
            Move::Next(index) => {
                let abandoned = self.is_abandoned(index);
                let response = self.step(Event::Next(self.threads[index].0));
                let closed = self.state.lifecycle == Lifecycle::Closed;
                assert_eq!(response == Response::Leave, closed || abandoned, "{:?}", response);
                self.threads[index].1 = match response {
                    Response::Take(job) => Place::Job(job),
                    Response::Park => Place::Asleep,
                    Response::Leave => Place::Leaving,
                    _ => panic!("{:?}", response),
                };
            }
            Move::Finish(index) => {
                let abandoned = self.is_abandoned(index);
                let (id, place) = self.threads[index];
                let response = self.step(Event::Finish(id, Outcome::Completed));
                let leave = abandoned || self.state.lifecycle == Lifecycle::Closed;
                assert_eq!(response, if leave { Response::Leave } else { Response::Done });
                assert!(matches!(place, Place::Job(job) if self.ended[job as usize].is_some()));
                self.threads[index].1 = if leave { Place::Leaving } else { Place::Host };
            }
            Move::Return(index) => {
                let (id, place) = self.threads.remove(index);
                spend(&mut self.budget.returns, u32::from(place != Place::Leaving));
                self.step(Event::Returned(id));
            }
            Move::Pass => {
                spend(&mut self.budget.passes, 1);
                self.now = self.state.next_tick();
            }
            Move::Tick => drop(self.step(Event::Tick)),
            Move::Sample { waits } => {
                spend(&mut self.budget.samples, 1);
                self.now = self.now.plus_nanos(SAMPLE_INTERVAL);
                self.cpu += if waits { 0 } else { SAMPLE_INTERVAL };
                let cpu = self.cpu;
                let clocks: Vec<_> =
                    self.state.all().filter(|(_, busy)| *busy).map(|(id, _)| (id, cpu)).collect();
                self.step(Event::Sample(Sample {
                    times: Times::default(),
                    took: 0,
                    workers: &clocks,
                }));
            }
        }
    }

    /// Whether a stop that has not returned keeps this worker from taking the next job.
    fn is_held(&self, index: usize) -> bool {
        self.stopping.map_or(false, |(id, _)| id == self.threads[index].0)
            && self.state.lifecycle < Lifecycle::Closed
    }

    fn is_opening(&self, index: usize) -> bool {
        self.state.phase(self.threads[index].0) == Some(Phase::Opening)
    }

    fn is_abandoned(&self, index: usize) -> bool {
        self.state.phase(self.threads[index].0) == Some(Phase::Abandoned)
    }

    /// What the future depends on, and nothing else: times from now on, jobs and workers without their
    /// numbers, nothing of what has ended. Two worlds of one key can do the same.
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let state = &self.state;
        let ago = |time: Time| self.now.nanos_since(time);
        (state.lifecycle, ago(state.closed), state.waiting.len(), &state.parked).hash(&mut hasher);
        (state.ceiling, state.fruitless.min(state.rules.max_workers)).hash(&mut hasher);
        state.sampled.map(|sampled| ago(sampled.at)).hash(&mut hasher);
        for (slot, worker) in state.workers.iter().enumerate() {
            let (has_worked, phase) = match worker {
                Some(worker) => (worker.has_worked, worker.phase),
                None => continue,
            };
            let busy = match phase {
                Phase::Busy(Busy { since, asked, .. }) => {
                    Some((ago(since), asked.map(|asked| asked.until.nanos_since(self.now))))
                }
                _ => None,
            };
            let watch =
                phase.watch().map(|watch| (watch.cpu.map(|cpu| self.cpu - cpu), watch.idle));
            (slot, has_worked, std::mem::discriminant(&phase), busy, watch).hash(&mut hasher);
            let place = self.threads.iter().find(|(id, _)| id.slot == slot);
            place.map(|(_, place)| std::mem::discriminant(place)).hash(&mut hasher);
        }
        self.stopping.map(|(id, _)| (id.slot, state.phase(id).is_some())).hash(&mut hasher);
        for errand in &self.errands {
            match errand {
                Errand::Open(id) => (id.slot, false).hash(&mut hasher),
                Errand::Stop(id, job) if state.is_asked(*id, *job) => {
                    (id.slot, true).hash(&mut hasher);
                }
                Errand::Stop(..) => usize::MAX.hash(&mut hasher),
            }
        }
        (&self.budget, self.ready.min(self.budget.backlog + 1)).hash(&mut hasher);
        hasher.finish()
    }

    /// What holds in every state.
    pub fn check(&self) {
        let state = &self.state;
        let mut tally = Tally::default();
        let mut open = vec![0; self.ended.len()];
        for worker in state.workers.iter().flatten() {
            tally.count(&worker.phase, |count| *count += 1);
            if let Phase::Busy(busy) = worker.phase {
                open[busy.job as usize] += 1;
            }
        }
        assert_eq!(tally, state.tally);
        let opening = self.errands.iter().filter(|errand| matches!(errand, Errand::Open(_)));
        assert_eq!(tally.all as usize, self.threads.len() + opening.count());
        state.waiting.iter().for_each(|job| open[*job as usize] += 1);
        for (job, open) in open.iter().enumerate() {
            let ended = usize::from(self.ended[job].is_some());
            assert_eq!(open + ended, 1, "job {} is lost or twice there", job);
        }
        for (id, place) in &self.threads {
            let parked = state.parked.contains(&id.slot);
            assert_eq!(parked, *place == Place::Asleep);
            assert_eq!(parked, state.is_parked(*id));
        }
        assert!(tally.opening <= OPENING_LIMIT);
        assert!(state.workers() <= state.rules.max_workers);
        // The throttle as the host sees it: so many of its callbacks at a time, and those given up.
        let callbacks = self.threads.iter().enumerate().filter(|(index, (_, place))| {
            !matches!(place, Place::Made | Place::Leaving) && !self.is_abandoned(*index)
        });
        assert!(callbacks.count() <= state.rules.max_workers as usize);
        if let (Some((id, job)), true) = (self.stopping, state.lifecycle < Lifecycle::Closed) {
            let at_another = |place| matches!(place, Place::Job(other) if other != job);
            let reaches =
                self.threads.iter().any(|(other, place)| *other == id && at_another(*place));
            assert!(!reaches, "a stop reaches the job after the one it was meant for");
        }
        if state.is_ended() {
            let is_dead = |errand: &Errand| match errand {
                Errand::Open(_) => true, // it will be told to leave
                Errand::Stop(id, job) => !state.is_asked(*id, *job),
            };
            assert!(self.errands.iter().all(is_dead), "a stop would begin after close");
        }
        if state.lifecycle >= Lifecycle::Cancelled {
            assert!(state.waiting.is_empty());
        }
        if !state.waiting.is_empty() {
            let active = state.workers() - state.parked.len() as u32;
            assert!(active > 0, "jobs wait for nobody");
            let enough = state.waiting.len() <= tally.woken as usize;
            assert!(state.parked.is_empty() || enough, "a worker sleeps while jobs wait");
        }
        self.check_misuse();
        self.check_end();
    }

    /// Calls that do not fit change nothing.
    fn check_misuse(&self) {
        for (index, (id, place)) in self.threads.iter().enumerate() {
            let leave = self.is_abandoned(index);
            let (event, response) = match place {
                // Every other worker says again that it is open, which is no news.
                Place::Job(_) if index % 2 == 0 => (Event::Opened(*id), Response::Done),
                Place::Job(_) => (Event::Next(*id), Response::NotFinished),
                Place::Host => (Event::Finish(*id, Outcome::Completed), Response::NothingTaken),
                _ => continue,
            };
            let (mut state, mut actions) = (self.state.clone(), Vec::new());
            let answer = state.step(self.now, event, &mut actions);
            assert_eq!(answer, if leave { Response::Leave } else { response });
            if !leave {
                assert!(state == self.state && actions.is_empty());
            }
        }
    }

    /// If the pool is closed now and no callback ever does anything again, it still ends in time, and
    /// the completions that are missing come.
    fn check_end(&self) {
        if self.state.lifecycle == Lifecycle::Closed && self.budget.passes == ANY {
            // Time passes in the states that follow, each of which is checked: one step will do.
            let tick = self.state.next_tick();
            if tick == Time::NEVER {
                assert!(self.state.is_ended() && self.ended.iter().all(Option::is_some));
            }
            assert!(tick == Time::NEVER || tick <= self.state.closed.plus_nanos(LEAVE));
            return;
        }
        let (mut state, mut actions, mut now) = (self.state.clone(), Vec::new(), self.now);
        state.step(now, Event::Close, &mut actions);
        let limit = state.closed.plus_nanos(LEAVE);
        while state.next_tick() < Time::NEVER {
            now = now.max(state.next_tick());
            assert!(now <= limit.max(self.now));
            state.step(now, Event::Tick, &mut actions);
        }
        assert!(state.is_ended());
        let results = actions.iter().filter(|action| matches!(action, Action::Complete(_)));
        let missing = self.ended.iter().filter(|ended| ended.is_none());
        assert_eq!(results.count(), missing.count(), "a job has no completion");
    }
}
