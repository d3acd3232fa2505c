//! The reactor thread's state and its turn: commands, send, receive, expire, hand over. Sockets
//! are drained before timers expire, so a reply that has arrived is never overruled by a clock.

use super::feed::{Feed, Run, Source, Target};
use super::pacing::TokenBucket;
use super::slots::Slots;
use super::timers::Timers;
use super::{Command, Link, Mailbox};
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND, SECOND};
use crate::counters::NetworkFigures;
use crate::outcome::{Completion, Detail, JobKind, Outcome, Statistics};
use crate::probe::connect::ConnectProbe;
use crate::probe::echo::EchoProbe;
use crate::probe::{Kind, Verdict};
use crate::sys::{self, EchoRequest, Event, Network, OnLink, OpenError, ProbeId, SendResult};
use std::collections::{HashMap, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Unresolved neighbours at a time, well below the kernel's neighbour table (gc_thresh3, 1,024).
pub(super) const ON_LINK_WINDOW: usize = 256;
/// TCP connects under way at a time.
pub(super) const CONNECT_WINDOW: usize = 1024;
/// Forward and reverse look-ups under way for one pool at a time.
pub(super) const LOOKUP_WINDOW: usize = 1024;
/// A turn that comes this late counts as an overflow: the process stood still.
const LATE: u64 = 100 * MILLISECOND;
/// How long the list of on-link prefixes is trusted.
const ON_LINK_AGE: u64 = 5 * SECOND;

/// The machine of an open probe.
pub(super) enum Machine {
    Echo(EchoProbe),
    Connect(Box<ConnectProbe>),
}

impl Machine {
    /// How the probe ended, or how it stands.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Machine::Echo(echo) => echo.verdict(),
            Machine::Connect(connect) => connect.verdict(),
        }
    }
}

/// Where the reverse look-up of a probe's address stands.
pub(super) enum Reverse {
    NotWanted,
    Open,
    Answered(Option<Arc<str>>),
}

/// One probe that has begun.
pub(super) struct OpenProbe {
    pub member: usize,
    pub target: Arc<Target>,
    pub index: u64,
    pub address: Address,
    /// It holds a place in the on-link window.
    pub on_link: bool,
    /// `sys` knows it: its replies find it.
    pub registered: bool,
    pub begun: Time,
    pub ttl: Option<u8>,
    pub machine: Machine,
    /// Further jobs for the same address and options: each gets the same answer.
    pub sharers: Vec<(Arc<Target>, u64)>,
    pub reverse: Reverse,
    /// Set when the probe has ended and only the reverse look-up is awaited.
    pub verdict: Option<Verdict>,
    /// Milliseconds to wait before what could not leave is tried again.
    pub backoff: u16,
}

/// Equal keys share one probe: member, options (by identity) and address.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct ShareKey {
    pub member: usize,
    pub options: usize,
    pub address: Address,
}

impl ShareKey {
    pub(super) fn new(member: usize, target: &Target, address: Address) -> ShareKey {
        ShareKey { member, options: Arc::as_ptr(&target.options) as usize, address }
    }
}

/// A name that is being looked up.
pub(super) struct Lookup {
    pub member: usize,
    pub run: Run,
    pub begun: Time,
}

/// One pool.
pub(super) struct Member {
    key: u64,
    pub link: Arc<Link>,
    pub feed: Feed,
    pub bucket: TokenBucket,
    /// Open echo probes whose next transmission is due.
    pub retries: VecDeque<ProbeId>,
    pub lookups: usize,
    pub out: Vec<Completion>,
    run_limit: Time,
    cancelled: bool,
}

/// See the file's head.
pub(super) struct Engine {
    pub network: Network,
    pub mailbox: Arc<Mailbox>,
    pub members: Vec<Option<Member>>,
    pub probes: Slots<OpenProbe>,
    pub lookups: Slots<Lookup>,
    pub timers: Timers,
    pub shared: HashMap<ShareKey, u32>,
    pub now: Time,
    /// Wall clock of this turn.
    pub wall: i64,
    pub overflows: [u32; 2],
    late_turns: u32,
    overflows_seen: u64,
    pub echo_sockets: [Option<Result<(), OpenError>>; 2],
    pub on_link: OnLink,
    on_link_read: Time,
    pub on_link_open: usize,
    pub connects: usize,
    /// No connect is begun before this: the system had no room for one.
    pub connects_from: Time,
    /// Where the next turn begins its round over the members.
    pub first_member: usize,
    /// Echo requests of the next batch, and those of the batch that is being sent.
    pub batch: Vec<EchoRequest>,
    pub sending: Vec<EchoRequest>,
    pub results: Vec<SendResult>,
    commands: Vec<Command>,
    events: Vec<Event>,
    due: Vec<u32>,
    pub address_indexes: Vec<u16>,
}

pub(super) fn family_index(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

impl Engine {
    pub(super) fn new(network: Network, mailbox: Arc<Mailbox>) -> Engine {
        let now = Time::now();
        Engine {
            network,
            mailbox,
            members: Vec::new(),
            probes: Slots::default(),
            lookups: Slots::default(),
            timers: Timers::new(now),
            shared: HashMap::new(),
            now,
            wall: sys::wall_clock(),
            overflows: [0; 2],
            late_turns: 0,
            overflows_seen: 0,
            echo_sockets: [None; 2],
            on_link: OnLink::read(),
            on_link_read: now,
            on_link_open: 0,
            connects: 0,
            connects_from: now,
            first_member: 0,
            batch: Vec::with_capacity(128),
            sending: Vec::with_capacity(128),
            results: Vec::with_capacity(128),
            commands: Vec::new(),
            events: Vec::with_capacity(1024),
            due: Vec::new(),
            address_indexes: Vec::new(),
        }
    }

    /// Turns until told to leave. A panic in a turn, which would be a defect, ends every open job
    /// as Failed; the pools live on.
    pub(super) fn run(&mut self) {
        loop {
            match panic::catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => self.fail_all(),
            }
        }
    }

    /// One turn; false when the reactor shall end.
    fn turn(&mut self) -> bool {
        if !self.take_commands() {
            return false;
        }
        if self.now.nanos_since(self.on_link_read) > ON_LINK_AGE {
            self.on_link = OnLink::read();
            self.on_link_read = self.now;
        }
        let more_to_send = self.send();
        // Jobs that failed in sending have ended: nothing else might end the sleep that follows.
        self.hand_over();
        let wake = if more_to_send { self.now } else { self.next_wake() };
        let mut events = std::mem::take(&mut self.events);
        if more_to_send && self.connects == 0 {
            self.network.receive(&mut events);
        } else {
            self.network.wait(wake, &mut events);
        }
        let before = self.now;
        self.now = Time::now();
        self.wall = sys::wall_clock();
        if self.now.nanos_since(wake.max(before)) > LATE {
            self.late_turns += 1;
        }
        for event in events.drain(..) {
            self.hear(event);
        }
        self.events = events;
        self.expire();
        self.check_run_limits();
        self.hand_over();
        true
    }

    fn next_wake(&self) -> Time {
        let mut wake = self.timers.next();
        for member in self.members.iter().flatten() {
            wake = wake.min(member.run_limit);
            let window_open = self.on_link_open < ON_LINK_WINDOW;
            let paused = member.link.completions.is_full();
            let has_jobs = member.feed.has_jobs(window_open) && !paused;
            if !member.retries.is_empty() || has_jobs {
                let packets_from = member.bucket.next();
                if packets_from > self.now {
                    wake = wake.min(packets_from);
                }
            }
            if has_jobs && self.connects_from > self.now {
                wake = wake.min(self.connects_from);
            }
        }
        wake
    }

    fn expire(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.expire(self.now, &mut due);
        if !due.is_empty() {
            for family in [Family::V4, Family::V6] {
                let overflows =
                    (self.network.overflows(family) as u32).wrapping_add(self.late_turns);
                let before =
                    std::mem::replace(&mut self.overflows[family_index(family)], overflows);
                self.overflows_seen += u64::from(overflows != before);
            }
        }
        for slot in due.drain(..) {
            self.step(slot);
        }
        self.due = due;
    }

    fn check_run_limits(&mut self) {
        for index in 0..self.members.len() {
            let passed = match &mut self.members[index] {
                Some(member) if member.run_limit <= self.now => {
                    member.run_limit = Time::NEVER;
                    (member.link.on_run_limit)();
                    true
                }
                _ => false,
            };
            if passed {
                self.cancel(index);
            }
        }
    }

    /// Gives each pool the completions of this turn, with one wake-up.
    fn hand_over(&mut self) {
        for member in self.members.iter_mut().flatten() {
            member.link.completions.push_all(&mut member.out);
            member.link.lookups_open.store(member.lookups as u64, Ordering::Relaxed);
        }
        self.mailbox.counters.store(NetworkFigures {
            packets_foreign: self.network.foreign(),
            late_turns: u64::from(self.late_turns),
            overflows: self.overflows_seen,
            errors_drained: 0,
        });
    }

    // --- commands ---------------------------------------------------------------------------

    fn take_commands(&mut self) -> bool {
        let mut commands = std::mem::take(&mut self.commands);
        self.mailbox.take(&mut commands);
        let mut go_on = true;
        for command in commands.drain(..) {
            match command {
                Command::Join(key, link) => self.join(key, link),
                Command::Targets(key, targets) => self.accept(key, targets),
                Command::Resolved(id, answer) => self.resolved(id, &answer),
                Command::Reversed(id, name) => self.reversed(id, name),
                Command::Cancel(key) => {
                    if let Some(index) = self.member_index(key) {
                        self.cancel(index);
                    }
                }
                Command::Leave(key) => self.leave(key),
                Command::Resume => {}
                Command::Shutdown => go_on = false,
            }
        }
        self.commands = commands;
        self.hand_over();
        go_on
    }

    fn join(&mut self, key: u64, link: Arc<Link>) {
        // The reactor may have slept: its clock is as old as its last turn.
        self.now = Time::now();
        let member = Member {
            key,
            bucket: TokenBucket::new(link.packets_per_second, self.now),
            run_limit: link.run_limit,
            link,
            feed: Feed::default(),
            retries: VecDeque::new(),
            lookups: 0,
            out: Vec::new(),
            cancelled: false,
        };
        match self.members.iter().position(Option::is_none) {
            Some(index) => self.members[index] = Some(member),
            None => self.members.push(Some(member)),
        }
    }

    fn member_index(&self, key: u64) -> Option<usize> {
        self.members.iter().position(|member| matches!(member, Some(member) if member.key == key))
    }

    fn accept(&mut self, key: u64, targets: Vec<Target>) {
        self.now = Time::now();
        let index = self.member_index(key);
        if let Some(Some(member)) = index.map(|index| &mut self.members[index]) {
            for target in targets {
                member.feed.push(target);
            }
            // It was submitted before the cancellation was seen.
            if member.cancelled {
                self.drain_feed(index.unwrap_or_default());
            }
        }
    }

    /// Every unfinished job of the member gets its completion.
    fn cancel(&mut self, index: usize) {
        if let Some(Some(member)) = self.members.get_mut(index) {
            member.cancelled = true;
        }
        for slot in self.lookups.select(|lookup| lookup.member == index) {
            if let Some(lookup) = self.lookups.remove(slot) {
                self.end_lookup(&lookup, Outcome::Stopped, 0);
            }
        }
        for slot in self.probes.select(|probe| probe.member == index) {
            self.stop(slot);
        }
        self.drain_feed(index);
    }

    fn drain_feed(&mut self, index: usize) {
        let wall = self.wall;
        let member = match self.members.get_mut(index) {
            Some(Some(member)) => member,
            _ => return,
        };
        for run in member.feed.drain() {
            if !matches!(run.target.source, Source::Host(..)) {
                if run.end == run.target.jobs() {
                    member.link.target_left();
                }
                member.out.push(unprobed(&run, Outcome::NotStarted, wall));
                continue;
            }
            for job in run.next..run.end {
                let one = Run { target: Arc::clone(&run.target), next: job, end: job + 1 };
                member.out.push(unprobed(&one, Outcome::Stopped, wall));
            }
        }
    }

    fn leave(&mut self, key: u64) {
        if let Some(index) = self.member_index(key) {
            self.cancel(index);
            self.members[index] = None;
        }
        if self.members.iter().all(Option::is_none) {
            self.members.clear();
            self.network.close_echo_sockets();
            self.echo_sockets = [None; 2];
        }
    }

    /// After a panic: nothing in the tables can be trusted to be whole, but every job is there.
    fn fail_all(&mut self) {
        let failed = Verdict {
            outcome: Outcome::Failed,
            os_error: 0,
            detail: Detail::None,
            statistics: Statistics::default(),
            address: None,
        };
        for slot in self.probes.select(|_| true) {
            if let Some(probe) = self.probes.get_mut(slot) {
                probe.verdict = Some(failed);
                probe.reverse = Reverse::NotWanted;
            }
            self.finish(slot);
        }
        self.events.clear();
        self.batch.clear();
        self.sending.clear();
        self.hand_over();
    }
}

pub(super) fn job_kind(target: &Target) -> JobKind {
    match target.options.kind {
        Kind::Echo => JobKind::Echo,
        Kind::Connect { .. } => JobKind::Connect,
    }
}

/// The completion of jobs that sent nothing.
pub(super) fn unprobed(run: &Run, outcome: Outcome, wall: i64) -> Completion {
    let is_one = run.end - run.next == 1;
    Completion {
        user_data: run.target.user_data,
        index: run.next,
        jobs: run.end - run.next,
        kind: job_kind(&run.target),
        outcome,
        os_error: 0,
        detail: Detail::None,
        address: if is_one { run.target.address(run.next) } else { None },
        port: if is_one { run.target.port(run.next) } else { 0 },
        ttl: None,
        statistics: Statistics::default(),
        finished: wall,
        duration: 0,
        worker: 0,
        names: None,
    }
}
