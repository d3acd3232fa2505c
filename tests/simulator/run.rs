//! One run: the reactor's real shell and scheduler over the world of a seed, its pools' callers, and
//! the checks after each turn and at the end.

use crate::plan::{Collector, Plan, TargetPlan, BEGIN};
use crate::random::Random;
use crate::world::{Hand, View};
use rust_runspaces::clock::Time;
use rust_runspaces::completions::Completions;
use rust_runspaces::outcome::Completion;
use rust_runspaces::reactor::shell::{Command, Shell};
use rust_runspaces::reactor::{Link, Source, Target};
use rust_runspaces::targets;
use std::collections::hash_map::DefaultHasher;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Turns after which a run is given up: it does not end.
const MOST_TURNS: u64 = 60_000;
/// Turns in a row in which nothing is done, heard, told or slept.
const MOST_IDLE: u64 = 400;

/// What a caller does, in the order in which it was arranged.
#[derive(Clone, Debug)]
enum Action {
    Submit(usize, Vec<TargetPlan>),
    Cancel(usize),
    Close(usize),
    Collect(usize),
}

pub struct TargetState {
    pub pool: usize,
    pub plan: TargetPlan,
    pub answered: Vec<bool>,
}

pub struct PoolState {
    pub link: Arc<Link>,
    pub joined: bool,
    pub closed: bool,
    pub cancelled_at: Option<u64>,
    pub limit_passed: Arc<std::sync::atomic::AtomicBool>,
    pub submissions_left: usize,
    pub unanswered: u64,
    /// Turns since everything had to be answered, or dropped.
    pub ending_turns: u64,
    pub open_before: u64,
    pub ready_before: u64,
    /// No two of its jobs can share a probe.
    pub shares_nothing: bool,
    pub next_collect: u64,
}

/// How a run went.
pub struct Outline {
    pub turns: u64,
    pub jobs: u64,
    pub packets: u64,
    /// What was told of all jobs, but for the time of day.
    pub told: u64,
    pub failure: Option<String>,
}

pub struct Run {
    pub plan: Rc<Plan>,
    pub hand: Hand,
    pub shell: Shell<Hand, Hand>,
    actions: Vec<Action>,
    pub pools: Vec<PoolState>,
    pub targets: Vec<TargetState>,
    pub commands: VecDeque<Command>,
    pub failure: Option<String>,
    pub turns: u64,
    pub idle: u64,
    pub jobs: u64,
    pub trace: bool,
    pub most_sharers: u64,
    told: DefaultHasher,
    pub named_in_turn: u64,
}

/// A hook for faults put back.
pub type Prepare<'a> = &'a dyn Fn(&mut Shell<Hand, Hand>);

impl Run {
    pub fn new(seed: u64, prepare: Prepare<'_>, trace: bool) -> Run {
        let mut random = Random::new(seed);
        let plan = Rc::new(Plan::new(&mut random));
        if trace {
            println!("{plan:#?}");
        }
        let hand = Hand::new(Rc::clone(&plan), random);
        let mut shell = Shell::new(hand.clone(), hand.clone(), plan.limits);
        prepare(&mut shell);
        let mut run = Run {
            hand,
            shell,
            actions: Vec::new(),
            pools: Vec::new(),
            targets: Vec::new(),
            commands: VecDeque::new(),
            failure: None,
            turns: 0,
            idle: 0,
            jobs: 0,
            trace,
            most_sharers: 1,
            told: DefaultHasher::new(),
            named_in_turn: 0,
            plan,
        };
        run.arrange();
        run
    }

    fn arrange(&mut self) {
        let plan = Rc::clone(&self.plan);
        for (index, pool) in plan.pools.iter().enumerate() {
            for (time, targets) in &pool.submissions {
                self.arrange_at(*time, Action::Submit(index, targets.clone()));
                self.most_sharers += targets.len() as u64;
            }
            if let Some(time) = pool.cancel {
                self.arrange_at(time, Action::Cancel(index));
            }
            if let Some(time) = pool.close {
                self.arrange_at(time, Action::Close(index));
            }
            let first = match pool.collector {
                Collector::AtOnce => None,
                Collector::Every(period) => Some(BEGIN + period),
                Collector::From(time) => Some(time),
            };
            if let Some(time) = first {
                self.arrange_at(time, Action::Collect(index));
            }
            let limit_passed = Arc::new(std::sync::atomic::AtomicBool::new(false));
            let told = Arc::clone(&limit_passed);
            let run_limit = pool.run_limit.map_or(Time::NEVER, Time::from_nanos);
            let mut link = Link::new(
                Arc::new(Completions::default()),
                pool.rate,
                run_limit,
                Box::new(move || told.store(true, Ordering::SeqCst)),
            );
            link.backlog_limit = plan.backlog;
            self.pools.push(PoolState {
                link: Arc::new(link),
                joined: false,
                closed: false,
                cancelled_at: None,
                limit_passed,
                submissions_left: pool.submissions.len(),
                unanswered: 0,
                ending_turns: 0,
                open_before: 0,
                ready_before: 0,
                shares_nothing: pool.shares_nothing(),
                next_collect: first.unwrap_or(0),
            });
            let mut world = self.hand.world_mut();
            let link = Arc::clone(&self.pools[index].link);
            let at_once = pool.collector == Collector::AtOnce;
            world.callers_view.push(View {
                link,
                submitted: 0,
                closed: false,
                ended: false,
                at_once,
                plain: pool.plain_kind(),
            });
            world.book.rate_clocks.push(0);
            world.book.last_sends.push(0);
        }
    }

    fn arrange_at(&mut self, time: u64, action: Action) {
        self.actions.push(action);
        self.hand.world_mut().call_at(time, self.actions.len() - 1);
    }

    pub fn now(&self) -> u64 {
        self.hand.world().now
    }

    pub fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }

    /// Plays it to its end.
    pub fn play(mut self) -> Outline {
        // Callers whose time is the beginning act before the first turn.
        while self.failure.is_none() && !self.is_over() {
            self.turn();
        }
        if self.failure.is_none() {
            self.leave();
        }
        let packets = self.hand.world().book.packets;
        let failure = self.failure.take().or_else(|| self.hand.world_mut().book.failure.take());
        Outline { turns: self.turns, jobs: self.jobs, packets, told: self.told.finish(), failure }
    }

    fn is_over(&self) -> bool {
        self.pools.iter().all(|pool| {
            pool.closed
                || (pool.submissions_left == 0
                    && pool.unanswered == 0
                    && pool.link.completions.ready() == 0)
        })
    }

    fn turn(&mut self) {
        self.obey_callers();
        {
            let mut world = self.hand.world_mut();
            world.active = false;
            world.heard_in_turn = 0;
            self.commands.extend(std::mem::take(&mut world.commands));
        }
        let was_idle = self.commands.is_empty();
        self.named_in_turn = self.commands.len() as u64;
        let before = self.now();
        self.shell.turn(&mut self.commands);
        self.turns += 1;
        if self.trace {
            self.tell_turn();
        }
        let mut answered = false;
        for pool in 0..self.pools.len() {
            answered |= self.check_pool(pool);
        }
        self.check_turn();
        let slept = self.now() > before + 100_000;
        let active = self.hand.world().active || answered || slept || !was_idle;
        self.idle = if active { 0 } else { self.idle + 1 };
        if self.idle > MOST_IDLE {
            self.fail(format!("{MOST_IDLE} turns in a row did nothing"));
        }
        if self.turns > MOST_TURNS {
            self.fail(format!("not over after {MOST_TURNS} turns"));
        }
        if self.now() > self.latest_end() {
            self.fail("not over when it must be".to_owned());
        }
        let failure = self.hand.world().book.failure.clone();
        if let Some(failure) = failure {
            self.fail(failure);
        }
    }

    fn tell_turn(&self) {
        let world = self.hand.world();
        println!(
            "turn {} at {:.6} s, slept until {:?}, {} packets, {} connects",
            self.turns,
            (world.now - BEGIN) as f64 / 1e9,
            world.last_deadline,
            world.book.packets,
            self.shell.scheduler.connects()
        );
        for (index, pool) in self.pools.iter().enumerate() {
            let open = self.shell.scheduler.open_of(self.member_of(index));
            let ready = pool.link.completions.ready();
            println!(
                "    pool {index}: {} unanswered, open {open:?}, {ready} ready",
                pool.unanswered
            );
        }
    }

    // --- callers ------------------------------------------------------------------------------

    fn obey_callers(&mut self) {
        let due = std::mem::take(&mut self.hand.world_mut().callers);
        for action in due {
            match self.actions[action].clone() {
                Action::Submit(pool, targets) => self.submit(pool, &targets),
                Action::Cancel(pool) => {
                    if self.pools[pool].joined && !self.pools[pool].closed {
                        self.commands.push_back(Command::Cancel(pool as u64));
                        let now = self.now();
                        self.pools[pool].cancelled_at.get_or_insert(now);
                        self.hand.world_mut().callers_view[pool].ended = true;
                    }
                }
                Action::Close(pool) => {
                    let state = &mut self.pools[pool];
                    if state.joined && !state.closed {
                        state.closed = true;
                        self.hand.world_mut().callers_view[pool].closed = true;
                        state.link.completions.close();
                        self.commands.push_back(Command::Leave(pool as u64));
                    }
                }
                Action::Collect(pool) => {
                    if self.pools[pool].closed {
                        continue;
                    }
                    self.collect(pool);
                    let now = self.now();
                    self.pools[pool].next_collect = now;
                    if let Collector::Every(period) = self.plan.pools[pool].collector {
                        self.arrange_at(now + period, Action::Collect(pool));
                    }
                }
            }
        }
    }

    fn submit(&mut self, pool: usize, targets: &[TargetPlan]) {
        let state = &mut self.pools[pool];
        state.submissions_left -= 1;
        if state.closed {
            return;
        }
        if !state.joined {
            state.joined = true;
            let link = Arc::clone(&state.link);
            self.commands.push_back(Command::Join(pool as u64, link));
        }
        let mut list = Vec::new();
        for plan in targets {
            let options = Arc::clone(&self.plan.pools[pool].options[plan.options]);
            let parsed = match targets::parse(plan.text.as_bytes(), None, &|_| None) {
                Ok(parsed) => parsed.hosts,
                Err(error) => panic!("{}: {error:?}", plan.text),
            };
            let source = source(parsed);
            let target = Target { user_data: self.targets.len() as u64, options, source };
            let jobs = target.jobs();
            self.jobs += jobs;
            self.pools[pool].unanswered += jobs;
            self.pools[pool].link.waiting.fetch_add(1, Ordering::SeqCst);
            self.hand.world_mut().callers_view[pool].submitted += jobs;
            let answered = vec![false; jobs as usize];
            self.targets.push(TargetState { pool, plan: plan.clone(), answered });
            list.push(target);
        }
        self.commands.push_back(Command::Targets(pool as u64, list));
    }

    pub fn collect(&mut self, pool: usize) {
        let completions = Arc::clone(&self.pools[pool].link.completions);
        let mut taken = Vec::new();
        completions.take(&mut taken);
        completions.collected(taken.len() as u64);
        for completion in &taken {
            self.check_completion(pool, completion);
            let timeless = Completion { finished: 0, ..completion.clone() };
            format!("{pool} {timeless:?}").hash(&mut self.told);
        }
        self.pools[pool].ready_before = completions.ready();
        if self.pools[pool].link.paused.swap(false, Ordering::SeqCst) {
            self.commands.push_back(Command::Resume);
        }
    }

    // --- the end ------------------------------------------------------------------------------

    /// All pools leave: nothing is left in the scheduler, nor in the system's hands.
    fn leave(&mut self) {
        for target in &self.targets {
            let is_closed = self.pools[target.pool].closed;
            if !is_closed && target.answered.iter().any(|answered| !answered) {
                let text = target.plan.text.clone();
                return self.fail(format!("a job of {text} has no answer"));
            }
        }
        for pool in 0..self.pools.len() {
            if self.pools[pool].joined && !self.pools[pool].closed {
                self.pools[pool].closed = true;
                self.hand.world_mut().callers_view[pool].closed = true;
                self.pools[pool].link.completions.close();
                self.commands.push_back(Command::Leave(pool as u64));
            }
        }
        let slots = self.shell.scheduler.probes().1 as u64;
        let most = slots / self.plan.limits.slice as u64 * self.pools.len() as u64 + 20;
        for _ in 0..most {
            self.shell.turn(&mut self.commands);
            let has_left = (0..self.pools.len()).all(|pool| self.member_of(pool) == usize::MAX);
            if has_left && self.shell.scheduler.probes().0 == 0 {
                let left = self.hand.world().book.left_over();
                if let Some(left) = left {
                    self.fail(left);
                }
                return;
            }
        }
        self.fail(format!("not all pools have left after {most} turns"));
    }
}

fn source(parsed: targets::Hosts) -> Source {
    match parsed {
        targets::Hosts::Name(name) => Source::Name(name.into()),
        targets::Hosts::Addresses(span) => Source::Span(span),
    }
}
