//! A world around the state: callers and threads that do whatever they may, in every order. Every
//! state that can be reached is visited, and checked: each job has its one completion or is still on
//! its way to it, nobody sleeps while there is work, and from here the pool can end.

use super::super::worker::Tally;
use super::super::*;
use proptest::prelude::*;
use std::collections::HashSet;

const LIMIT: u64 = 100 * MILLISECOND;

/// What a worker's thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    /// Asked for, not running yet.
    Ordered,
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
enum Move {
    Submit,
    Cancel,
    Close,
    Fail(usize),
    Begin(usize),
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

/// How often the world may do what it could do forever.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Budget {
    jobs: u64,
    fails: u32,
    returns: u32,
    passes: u32,
    samples: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    state: State,
    now: Time,
    threads: Vec<(WorkerId, Place)>,
    /// By job: how it ended.
    ended: Vec<Option<Outcome>>,
    budget: Budget,
    /// Processor time of every thread.
    cpu: u64,
}

impl World {
    fn new(max_workers: u32, cores: u32, job_limit: u64, budget: Budget) -> World {
        let abandoned_limit = 2;
        let mut world = World {
            state: State::new(Rules { max_workers, cores, job_limit, abandoned_limit }),
            now: Time::from_nanos(LIMIT),
            threads: Vec::new(),
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
                    self.threads.push((id, Place::Ordered));
                }
                Action::Wake(id) => {
                    let thread = self.threads.iter_mut().find(|(other, _)| *other == id).unwrap();
                    assert_eq!(thread.1, Place::Asleep);
                    thread.1 = Place::Awake;
                }
                Action::Stop(id, job) => {
                    assert!(self.threads.contains(&(id, Place::Job(job))));
                    assert!(self.state.is_asked(id, job));
                }
                Action::Complete(JobResult { job, outcome, .. }) => {
                    let before = self.ended[job as usize].replace(outcome);
                    assert_eq!(before, None, "job {} ended twice", job);
                }
            }
        }
        response
    }

    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.budget.jobs > 0 && self.state.room() > Some(0) {
            moves.push(Move::Submit);
        }
        match self.state.lifecycle {
            Lifecycle::Open => moves.extend([Move::Cancel, Move::Close]),
            Lifecycle::Cancelled => moves.push(Move::Close),
            Lifecycle::Closed => {}
        }
        for (index, (_, place)) in self.threads.iter().enumerate() {
            match place {
                Place::Ordered => {
                    moves.push(Move::Begin(index));
                    if self.budget.fails > 0 {
                        moves.push(Move::Fail(index));
                    }
                }
                Place::Host => moves.push(Move::Next(index)),
                Place::Job(_) => moves.push(Move::Finish(index)),
                Place::Awake => moves.push(Move::Next(index)),
                Place::Leaving => moves.push(Move::Return(index)),
                Place::Asleep => {}
            }
            if matches!(place, Place::Host | Place::Job(_)) && self.budget.returns > 0 {
                moves.push(Move::Return(index));
            }
        }
        let tick = self.state.next_tick();
        if tick <= self.now {
            moves.push(Move::Tick);
        } else if tick < Time::NEVER && self.budget.passes > 0 {
            moves.push(Move::Pass);
        }
        if self.budget.samples > 0 && self.state.next_sample().is_some() {
            moves.extend([Move::Sample { waits: true }, Move::Sample { waits: false }]);
        }
        moves
    }

    fn make(&mut self, step: Move) {
        match step {
            Move::Submit => {
                self.budget.jobs -= 1;
                self.ended.push(None);
                self.step(Event::Submit(&[self.ended.len() as u64 - 1]));
            }
            Move::Cancel => drop(self.step(Event::Cancel)),
            Move::Close => drop(self.step(Event::Close)),
            Move::Fail(index) => {
                self.budget.fails -= 1;
                let (id, _) = self.threads.remove(index);
                self.step(Event::NotOpened(id));
            }
            Move::Begin(index) => {
                let response = self.step(Event::Begin(self.threads[index].0));
                let closed = self.state.lifecycle == Lifecycle::Closed;
                assert_eq!(response, if closed { Response::Leave } else { Response::Done });
                self.threads[index].1 = if closed { Place::Leaving } else { Place::Host };
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
                self.budget.returns -= u32::from(place != Place::Leaving);
                self.step(Event::Returned(id));
            }
            Move::Pass => {
                self.budget.passes -= 1;
                self.now = self.state.next_tick();
            }
            Move::Tick => drop(self.step(Event::Tick)),
            Move::Sample { waits } => {
                self.budget.samples -= 1;
                self.now = self.now.plus_nanos(SAMPLE_INTERVAL);
                self.cpu += if waits { 0 } else { SAMPLE_INTERVAL };
                let cpu = self.cpu;
                let clocks: Vec<_> =
                    self.state.all().filter(|(_, busy)| *busy).map(|(id, _)| (id, cpu)).collect();
                self.step(Event::Sample(Sample { times: Times::default(), workers: &clocks }));
            }
        }
    }

    fn is_abandoned(&self, index: usize) -> bool {
        self.state.phase(self.threads[index].0) == Some(Phase::Abandoned)
    }

    /// What holds in every state.
    fn check(&self) {
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
        assert_eq!(tally.all as usize, self.threads.len());
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
                Place::Job(_) => (Event::Next(*id), Response::NotFinished),
                Place::Host => (Event::Finish(*id, Outcome::Completed), Response::NothingTaken),
                _ => continue,
            };
            let mut world = self.clone();
            assert_eq!(world.step(event), if leave { Response::Leave } else { response });
            if !leave {
                assert_eq!(world, *self);
            }
        }
    }

    /// If the pool is closed now and no callback ever does anything again, it still ends in time.
    fn check_end(&self) {
        let mut world = self.clone();
        world.step(Event::Close);
        let limit = world.state.closed.plus_nanos(LEAVE);
        while world.state.next_tick() < Time::NEVER {
            world.now = world.now.max(world.state.next_tick());
            assert!(world.now <= limit.max(self.now));
            world.step(Event::Tick);
        }
        assert!(world.state.is_ended());
        assert!(world.ended.iter().all(Option::is_some), "a job has no completion");
    }
}

fn explore(start: World) -> usize {
    let mut seen = HashSet::from([start.clone()]);
    let mut open = VecDeque::from([start]);
    while let Some(world) = open.pop_front() {
        world.check();
        for step in world.moves() {
            let mut next = world.clone();
            next.make(step);
            if !seen.contains(&next) {
                seen.insert(next.clone());
                open.push_back(next);
            }
        }
    }
    seen.len()
}

#[test]
fn every_state_with_time_limits_is_sound() {
    let budget = Budget { jobs: 2, fails: 1, returns: 1, passes: 3, samples: 0 };
    let states = explore(World::new(2, 2, LIMIT, budget));
    assert!(states > 10_000, "{} states", states);
}

#[test]
fn every_state_of_growth_is_sound() {
    let budget = Budget { jobs: 3, fails: 0, returns: 0, passes: 0, samples: 5 };
    let states = explore(World::new(3, 1, u64::MAX, budget));
    assert!(states > 10_000, "{} states", states);
}

proptest! {
    #[test]
    fn any_schedule_is_sound(
        choices in prop::collection::vec(any::<u16>(), 0..400),
        max_workers in 1u32..6,
        cores in 1u32..4,
        limited in any::<bool>(),
    ) {
        let budget = Budget { jobs: 40, fails: 2, returns: 8, passes: 40, samples: 40 };
        let mut world = World::new(max_workers, cores, if limited { LIMIT } else { u64::MAX }, budget);
        for choice in choices {
            let mut moves = world.moves();
            // Seldom: what ends everything. Two thirds of a schedule would be spent behind it.
            if choice % 64 != 0 {
                moves.retain(|step| !matches!(step, Move::Cancel | Move::Close));
            }
            if let Some(step) = moves.get(usize::from(choice / 64) % moves.len().max(1)) {
                world.make(*step);
                world.check();
            }
        }
    }
}
