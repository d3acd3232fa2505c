//! One run: the reactor's real shell and scheduler over the world of a seed, its pools' callers, and
//! the checks after each turn and at the end.

use crate::plan::{Collector, NameAnswer, Plan, Reverse, TargetPlan, BEGIN};
use crate::random::Random;
use crate::world::{reverse_name, Hand, View};
use rust_runspaces::address::Address;
use rust_runspaces::clock::{Time, SECOND};
use rust_runspaces::completions::Completions;
use rust_runspaces::outcome::{Completion, Detail, JobKind, Outcome};
use rust_runspaces::probe::Kind;
use rust_runspaces::reactor::shell::{Command, Shell};
use rust_runspaces::reactor::{Link, Source, Target};
use rust_runspaces::targets;
use std::collections::VecDeque;
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

struct TargetState {
    pool: usize,
    plan: TargetPlan,
    answered: Vec<bool>,
}

struct PoolState {
    link: Arc<Link>,
    joined: bool,
    closed: bool,
    cancelled_at: Option<u64>,
    limit_passed: Arc<std::sync::atomic::AtomicBool>,
    submissions_left: usize,
    unanswered: u64,
    /// Turns since everything had to be answered, or dropped.
    ending_turns: u64,
    open_before: u64,
    ready_before: u64,
    /// No two of its jobs can share a probe.
    shares_nothing: bool,
    next_collect: u64,
}

/// How a run went.
pub struct Outline {
    pub turns: u64,
    pub jobs: u64,
    pub packets: u64,
    pub failure: Option<String>,
}

pub struct Run {
    plan: Rc<Plan>,
    hand: Hand,
    shell: Shell<Hand, Hand>,
    actions: Vec<Action>,
    pools: Vec<PoolState>,
    targets: Vec<TargetState>,
    commands: VecDeque<Command>,
    failure: Option<String>,
    turns: u64,
    idle: u64,
    jobs: u64,
    trace: bool,
    most_sharers: u64,
    named_in_turn: u64,
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

    fn now(&self) -> u64 {
        self.hand.world().now
    }

    fn fail(&mut self, failure: String) {
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
        Outline { turns: self.turns, jobs: self.jobs, packets, failure }
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

    fn collect(&mut self, pool: usize) {
        let completions = Arc::clone(&self.pools[pool].link.completions);
        let mut taken = Vec::new();
        completions.take(&mut taken);
        completions.collected(taken.len() as u64);
        for completion in &taken {
            self.check_completion(pool, completion);
        }
        self.pools[pool].ready_before = completions.ready();
        if self.pools[pool].link.paused.swap(false, Ordering::SeqCst) {
            self.commands.push_back(Command::Resume);
        }
    }

    // --- checks -------------------------------------------------------------------------------

    fn was_ended(&self, pool: usize) -> bool {
        let state = &self.pools[pool];
        state.cancelled_at.is_some() || state.limit_passed.load(Ordering::SeqCst)
    }

    /// After each turn; true if jobs were answered.
    fn check_pool(&mut self, pool: usize) -> bool {
        let ready_now = self.pools[pool].link.completions.ready();
        if self.pools[pool].closed || !self.pools[pool].joined {
            return false;
        }
        let limits = self.plan.limits;
        let most = self.plan.backlog
            + limits.open
            + (3 * limits.slice + 2 * limits.work) as u64 * self.most_sharers;
        if ready_now > most {
            self.fail(format!("{ready_now} completions wait"));
        }
        let made = ready_now.saturating_sub(self.pools[pool].ready_before);
        let heard = self.hand.world().heard_in_turn + self.named_in_turn;
        if self.was_ended(pool)
            && self.pools[pool].shares_nothing
            && made > 3 * limits.slice as u64 + heard
        {
            self.fail(format!("pool {pool}: {made} jobs of a cancelled pool ended in one turn"));
        }
        self.pools[pool].ready_before = ready_now;
        let member = self.member_of(pool);
        let (open, forward, reverse) = self.shell.scheduler.open_of(member);
        if open > limits.open || forward > limits.lookups || reverse > limits.lookups {
            self.fail(format!(
                "pool {pool}: {open} jobs open, {forward} and {reverse} look-ups, of {limits:?}"
            ));
        }
        let begun = open.saturating_sub(self.pools[pool].open_before);
        if begun > 2 * limits.work as u64 {
            self.fail(format!("pool {pool}: {begun} jobs begun in one turn"));
        }
        self.pools[pool].open_before = open;
        let is_ended = self.was_ended(pool);
        self.hand.world_mut().callers_view[pool].ended = is_ended;
        if is_ended && self.pools[pool].ending_turns == 1 {
            // Its last requests may have been handed out before.
            self.hand.world_mut().book.last_sends[pool] = 0;
        }
        if is_ended {
            self.pools[pool].ending_turns += 1;
            let turns = self.pools[pool].ending_turns;
            if turns > 3 && self.hand.world().book.last_sends[pool] > 0 {
                self.fail(format!("pool {pool} sends after its end"));
            }
        }
        let collects = match self.plan.pools[pool].collector {
            Collector::AtOnce => true,
            Collector::Every(_) => false,
            Collector::From(_) => self.pools[pool].next_collect <= self.now(),
        };
        if collects && ready_now > 0 {
            self.collect(pool);
            return true;
        }
        ready_now > 0 && self.plan.pools[pool].collector == Collector::AtOnce
    }

    /// The scheduler numbers its pools as they join, and so do we while none has left.
    fn member_of(&self, pool: usize) -> usize {
        self.shell.index_of(pool as u64).unwrap_or(usize::MAX)
    }

    fn check_turn(&mut self) {
        let pending = self.shell.scheduler.actions().connects.len();
        let (ours, theirs) =
            (self.shell.scheduler.connects(), self.hand.world().book.connects_under_way());
        if ours > theirs + pending {
            self.fail(format!("{ours} connects are counted where {theirs} are under way"));
        }
    }

    fn check_completion(&mut self, pool: usize, completion: &Completion) {
        let target = match self.targets.get_mut(completion.user_data as usize) {
            Some(target) if target.pool == pool => target,
            _ => return self.fail(format!("{completion:?} is for nobody")),
        };
        for job in completion.index..completion.index + completion.jobs {
            match target.answered.get_mut(job as usize) {
                Some(answered) if !*answered => *answered = true,
                _ => return self.fail(format!("a second answer, or to no job: {completion:?}")),
            }
        }
        let plan = target.plan.clone();
        self.pools[pool].unanswered -= completion.jobs;
        if let Some(reason) = self.contradiction(pool, &plan, completion) {
            self.fail(format!("job {} of {}: {reason}", completion.index, plan.text));
        }
    }

    fn contradiction(
        &self,
        pool: usize,
        target: &TargetPlan,
        completion: &Completion,
    ) -> Option<String> {
        let ended = self.was_ended(pool);
        let options = &self.plan.pools[pool].options[target.options];
        if completion.outcome == Outcome::NotStarted {
            return (!ended).then(|| "not started, though nobody cancelled".to_owned());
        }
        let name = self.plan.names.iter().find(|name| name.text == target.text);
        if completion.address.is_none() {
            return self.contradiction_of_name(name.map(|it| &it.answer), completion, ended);
        }
        if let Some(reason) = self.wrong_names(target, completion, options.resolve) {
            return Some(reason);
        }
        let book = &self.hand.world().book;
        let address = completion.address?;
        match completion.kind {
            JobKind::Connect => {
                let addresses = match name.map(|name| &name.answer) {
                    Some(NameAnswer::Addresses(addresses)) => addresses.clone(),
                    _ => vec![address],
                };
                let stopped_before = completion.statistics.sent == 0
                    && completion.outcome == Outcome::Stopped
                    && ended;
                if stopped_before {
                    return None;
                }
                book.check_connect(completion, &addresses, &options.schedule, ended)
            }
            _ => book.check_echo(completion, pool, &options.schedule, ended),
        }
    }

    fn contradiction_of_name(
        &self,
        answer: Option<&NameAnswer>,
        completion: &Completion,
        ended: bool,
    ) -> Option<String> {
        let is_true = match (answer, completion.outcome) {
            (_, Outcome::Stopped) => ended,
            (_, Outcome::Failed) if self.hand.world().book.defects > 0 => true,
            (Some(NameAnswer::NotFound), outcome) => outcome == Outcome::NameNotFound,
            (Some(NameAnswer::TimedOut), outcome) => outcome == Outcome::NameLookupTimedOut,
            (Some(NameAnswer::Failed), outcome) => {
                outcome == Outcome::Failed && completion.detail == Detail::Resolver
            }
            (Some(NameAnswer::Addresses(list)), outcome) => {
                outcome == Outcome::BadDestination && list[0] == Address::v4([0; 4])
            }
            (None, _) => false,
        };
        (!is_true).then(|| format!("{completion:?} where the resolver said {answer:?}"))
    }

    /// The names are those of this very target.
    fn wrong_names(
        &self,
        target: &TargetPlan,
        completion: &Completion,
        resolve: bool,
    ) -> Option<String> {
        let found = completion.names.as_deref();
        let wrong =
            |expected: String| Some(format!("{completion:?} where the name {expected} is right"));
        let name = self.plan.names.iter().find(|name| name.text == target.text);
        if !resolve {
            return found.is_some().then(|| "names that nobody asked for".to_owned());
        }
        // A probe that only waits for a name when its pool is cancelled ends without it.
        let is_unfinished = matches!(completion.outcome, Outcome::Stopped | Outcome::Failed)
            || self.was_ended(self.pool_of(completion));
        let names = match found {
            Some(names) => names,
            None => {
                let ports =
                    match &self.plan.pools[self.pool_of(completion)].options[target.options].kind {
                        Kind::Echo => 1,
                        Kind::Connect { ports } => ports.len() as u64,
                    };
                let wanted = name.is_some() || completion.index % ports == 0;
                return if wanted && !is_unfinished { wrong("of it".to_owned()) } else { None };
            }
        };
        match name {
            Some(name) => {
                let canonical = format!("{}.canonical", name.text);
                let addresses = match &name.answer {
                    NameAnswer::Addresses(addresses) => addresses.clone(),
                    _ => Vec::new(),
                };
                let is_right =
                    names.host_name.as_deref() == Some(&canonical) && names.addresses == addresses;
                if is_right {
                    None
                } else {
                    wrong(canonical)
                }
            }
            None => {
                let address = completion.address?;
                let expected = match self.plan.host(&address).reverse {
                    Reverse::Known => Some(reverse_name(&address).to_string()),
                    _ => None,
                };
                let is_right = names.host_name == expected && names.addresses == [address];
                if is_right {
                    None
                } else {
                    wrong(format!("{expected:?}"))
                }
            }
        }
    }

    fn pool_of(&self, completion: &Completion) -> usize {
        self.targets[completion.user_data as usize].pool
    }

    /// (Count - 1) x interval + reply timeout, + hosts / rate, + what the windows explain, for all
    /// jobs one after the other in the worst of cases, + all that was late.
    fn latest_end(&self) -> u64 {
        let mut end = BEGIN + 30 * SECOND;
        for target in &self.targets {
            let pool = &self.plan.pools[target.pool];
            let schedule = &pool.options[target.plan.options].schedule;
            let count = u64::from(schedule.count) + 3;
            let addresses = 3;
            let once = count * (schedule.interval + addresses * schedule.reply_timeout);
            let packets = if pool.rate > 0 { count * SECOND / u64::from(pool.rate) } else { 0 };
            let names = 10 * SECOND;
            let jobs = target.answered.len() as u64;
            end += jobs * (once + packets + names);
        }
        let late = self.hand.world().book.suspensions * SECOND;
        end + late + self.turns * (self.plan.late * 2 * SECOND / 1000)
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
