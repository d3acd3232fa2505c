//! The thin shell around the scheduler: one turn tells it what happened, carries out what it
//! decides on the network, and hands completions over, with one wake-up a pool. Sockets are drained
//! before timers expire, so a reply that has arrived is never overruled by a clock. The thread that
//! turns it is the reactor's; the simulator turns it on a clock of its own.

use super::link::Link;
use super::scheduler::{Actions, Limits, LookupAction, Scheduler, Target};
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND, SECOND};
use crate::counters::NetworkFigures;
use crate::outcome::Completion;
use crate::resolve::Answer;
use crate::sys::{EchoRequest, Event, Operations, ProbeId, SendResult};
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// A turn that comes this late missed something: the process stood still.
pub const LATE: u64 = 100 * MILLISECOND;
/// How long the list of on-link prefixes is trusted.
const ON_LINK_AGE: u64 = 5 * SECOND;
/// How often the system is asked which neighbours it has given up, while probes wait for some.
const NEIGHBOUR_PERIOD: u64 = 100 * MILLISECOND;
/// Connects begun between two looks at those under way: their times are told by sight.
const CONNECTS_AT_ONCE: usize = 8;

/// A poller is woken at most once in this time, or when its pool has nothing more under way: a
/// wake-up costs about as much as a host.
const WAKE_PERIOD: u64 = 4 * MILLISECOND;

/// What other threads want of the reactor.
pub enum Command {
    /// A pool, by a key of its own.
    Join(u64, Arc<Link>),
    /// Targets of a pool.
    Targets(u64, Vec<Target>),
    /// The answer to a look-up of a name.
    Resolved(ProbeId, Arc<Answer>),
    /// The answer to a look-up of an address.
    Reversed(ProbeId, Option<Arc<str>>),
    /// Every unfinished job of a pool gets its completion.
    Cancel(u64),
    /// A pool has ended.
    Leave(u64),
    /// Look again: completions were collected.
    Resume,
    /// The last pool has left.
    Shutdown,
}

/// The look-ups that the shell asks for; each answer comes back as a [`Command`].
pub trait Names {
    /// The addresses of a name.
    fn forward(&mut self, id: ProbeId, name: Arc<str>, family: Option<Family>, canonical: bool);
    /// The name of an address.
    fn reverse(&mut self, id: ProbeId, address: Address);
}

struct Member {
    key: u64,
    link: Arc<Link>,
    /// Its poller sleeps, and has completions.
    owed: bool,
}

/// See the file's head.
pub struct Shell<N, L> {
    /// The network.
    pub network: N,
    /// The resolver.
    pub names: L,
    /// Who decides.
    pub scheduler: Scheduler,
    members: Vec<Option<Member>>,
    late_turns: u64,
    suspended: u64,
    on_link_read: Option<Time>,
    /// When the system was asked last which neighbours it has given up; `None`: not since the sockets
    /// were opened, and it tells only what comes after.
    neighbours_asked: Option<Time>,
    /// When pollers were woken last.
    woken: Time,
    events: Vec<Event>,
    requests: Vec<EchoRequest>,
    results: Vec<SendResult>,
    completions: Vec<Completion>,
}

impl<N: Operations, L: Names> Shell<N, L> {
    /// Without pools.
    pub fn new(network: N, names: L, limits: Limits) -> Shell<N, L> {
        let now = network.now();
        Shell {
            scheduler: Scheduler::new(limits, now, network.wall_clock(), N::TELLS_DUPLICATES),
            suspended: network.suspended(),
            network,
            names,
            members: Vec::new(),
            late_turns: 0,
            on_link_read: None,
            neighbours_asked: None,
            woken: Time::from_nanos(0),
            events: Vec::with_capacity(1024),
            requests: Vec::with_capacity(crate::sys::BATCH),
            results: Vec::with_capacity(crate::sys::BATCH),
            completions: Vec::new(),
        }
    }

    /// One turn; false when the reactor shall end. A panic in it, which would be a defect, ends
    /// every open job as Failed; the pools live on.
    pub fn turn(&mut self, commands: &mut VecDeque<Command>) -> bool {
        match panic::catch_unwind(AssertUnwindSafe(|| self.try_turn(commands))) {
            Ok(goes_on) => goes_on,
            Err(_) => {
                self.scheduler.fail_all();
                self.events.clear();
                // What was on its way out is nobody's any more.
                self.requests.clear();
                // Without its poller the reactor could only spin; the old one is kept then.
                let _ = self.network.reset();
                self.hand_over();
                self.wake_pollers(true);
                true
            }
        }
    }

    fn try_turn(&mut self, commands: &mut VecDeque<Command>) -> bool {
        self.set_time();
        let mut goes_on = true;
        // One by one: what a panic leaves is obeyed in the next turn.
        while let Some(command) = commands.pop_front() {
            goes_on &= self.obey(command);
        }
        if !goes_on {
            return false;
        }
        self.look_around();
        let more = self.scheduler.plan();
        self.carry_out();
        let before = self.network.now();
        let mut events = std::mem::take(&mut self.events);
        let sleeps = !more && events.is_empty();
        if sleeps {
            // Jobs that failed in sending have ended: nothing else might end the sleep that follows.
            self.hand_over();
        }
        let wake = if sleeps { self.wake_pollers(true).min(self.wake()) } else { before };
        if more && self.scheduler.connects() == 0 {
            self.network.receive(&mut events);
        } else {
            self.network.wait(wake, &mut events);
        }
        self.set_time();
        if self.network.now().nanos_since(wake.max(before)) > LATE {
            self.late_turns += 1;
            let certain = Family::BOTH.map(|family| self.network.overflows(family).certain);
            self.scheduler.came_late(certain);
        }
        self.notice_suspension();
        for event in events.drain(..) {
            self.scheduler.hear(event);
        }
        self.events = events;
        if self.scheduler.has_due() {
            for family in Family::BOTH {
                let count = self.network.overflows(family).count;
                self.scheduler.set_overflows(family.index(), count);
            }
            // What was given up in time is not a matter of how late this turn comes.
            self.ask_for_neighbours(0);
            self.scheduler.expire();
        }
        self.scheduler.check_run_limits();
        self.clean_up();
        self.hand_over();
        self.wake_pollers(false);
        true
    }

    fn set_time(&mut self) {
        self.scheduler.set_time(self.network.now(), self.network.wall_clock());
    }

    /// When the sleep that follows ends at the latest.
    fn wake(&self) -> Time {
        let wake = self.scheduler.next_wake();
        match self.neighbours_asked {
            Some(asked) if self.scheduler.waits_for_neighbours() => {
                wake.min(asked.plus_nanos(NEIGHBOUR_PERIOD))
            }
            _ => wake,
        }
    }

    /// Looks at what changes beside the network: who collects, which links there are, which
    /// neighbours are given up.
    fn look_around(&mut self) {
        for (index, member) in self.members.iter().enumerate() {
            if let Some(member) = member {
                self.scheduler.set_backed_up(index, member.link.is_backed_up());
            }
        }
        let now = self.network.now();
        let is_old = |read: Time| now.nanos_since(read) > ON_LINK_AGE;
        if self.on_link_read.map_or(true, is_old) {
            self.scheduler.set_on_link(self.network.on_link());
            self.on_link_read = Some(now);
        }
        self.ask_for_neighbours(NEIGHBOUR_PERIOD);
    }

    /// Hears which neighbours are given up, where probes wait for some and it was not asked within
    /// `period`.
    fn ask_for_neighbours(&mut self, period: u64) {
        let now = self.network.now();
        let is_old = |asked: Time| now.nanos_since(asked) >= period;
        if self.scheduler.waits_for_neighbours() && self.neighbours_asked.map_or(true, is_old) {
            self.neighbours_asked = Some(now);
            let mut events = Vec::new();
            self.network.failed_neighbours(&mut events);
            for event in events {
                self.scheduler.hear(event);
            }
        }
    }

    fn notice_suspension(&mut self) {
        let suspended = self.network.suspended();
        if suspended.saturating_sub(self.suspended) > LATE {
            self.suspended = suspended;
            self.scheduler.was_suspended();
        }
    }

    // --- what is decided is done --------------------------------------------------------------

    fn carry_out(&mut self) {
        self.clean_up();
        if self.neighbours_asked.is_none() {
            // What is sent now may be given up before the next turn.
            self.ask_for_neighbours(0);
        }
        for lookup in std::mem::take(&mut self.scheduler.actions().lookups) {
            match lookup {
                LookupAction::Name { id, name, family, canonical } => {
                    self.names.forward(id, name, family, canonical);
                }
                LookupAction::Address { id, address } => self.names.reverse(id, address),
            }
        }
        self.send();
        self.connect();
        self.clean_up();
    }

    fn send(&mut self) {
        std::mem::swap(&mut self.scheduler.actions().requests, &mut self.requests);
        if !self.requests.is_empty() {
            self.network.send_echoes(&self.requests, &mut self.results);
            // What ended in sending has taken its time.
            self.set_time();
            for (request, result) in self.requests.iter().zip(&self.results) {
                self.scheduler.sent(request.id, *result);
            }
            self.requests.clear();
        }
    }

    fn connect(&mut self) {
        let connects = std::mem::take(&mut self.scheduler.actions().connects);
        for (index, connect) in connects.iter().enumerate() {
            if index % CONNECTS_AT_ONCE == 0 && index > 0 {
                // Told with the other events of this turn.
                self.network.wait(Time::from_nanos(0), &mut self.events);
            }
            let at = self.network.now();
            let result = self.network.connect(connect.id, connect.address, connect.port);
            self.scheduler.connect_begun(connect.id, at, self.network.now(), result);
        }
    }

    /// What is over is forgotten, before it could be taken for something else.
    fn clean_up(&mut self) {
        let Actions { closes, cancels, close_sockets, run_limits, left, .. } =
            self.scheduler.actions();
        for (id, address) in closes.drain(..) {
            self.network.close_echo(id, address);
        }
        for id in cancels.drain(..) {
            self.network.cancel_connect(id);
        }
        let run_limits = std::mem::take(run_limits);
        for index in left.drain(..) {
            self.members[index] = None;
        }
        if std::mem::take(close_sockets) {
            self.network.close_echo_sockets();
            self.neighbours_asked = None;
        }
        for index in run_limits {
            if let Some(Some(member)) = self.members.get(index) {
                (member.link.on_run_limit)();
            }
        }
    }

    /// Gives each pool the completions of this turn.
    fn hand_over(&mut self) {
        for (index, member) in self.members.iter_mut().enumerate() {
            if let Some(Member { link, owed, .. }) = member {
                let progress = self.scheduler.take_completions(index, &mut self.completions);
                if progress.begun > 0 {
                    link.begun.fetch_add(progress.begun, Ordering::Relaxed);
                }
                if progress.packets_sent > 0 {
                    link.packets_sent.fetch_add(progress.packets_sent, Ordering::Relaxed);
                }
                if progress.not_sent > 0 {
                    link.packets_not_sent.fetch_add(progress.not_sent, Ordering::Relaxed);
                }
                let (_, forward, reverse) = self.scheduler.open_of(index);
                link.lookups_open.store((forward + reverse) as u64, Ordering::Relaxed);
                *owed |= link.completions.add_all(&mut self.completions);
                link.targets_left(progress.targets);
            }
        }
    }

    /// Wakes pollers that have completions, where it is time or nothing more will come for them
    /// (asked before a sleep only); else tells when it will be.
    fn wake_pollers(&mut self, before_sleep: bool) -> Time {
        let now = self.network.now();
        let at = self.woken.plus_nanos(WAKE_PERIOD);
        let mut until = Time::NEVER;
        for (index, member) in self.members.iter_mut().enumerate() {
            if let Some(member @ Member { owed: true, .. }) = member {
                if at <= now || (before_sleep && self.scheduler.is_idle(index)) {
                    member.owed = false;
                    member.link.completions.notify();
                    self.woken = now;
                } else {
                    until = at;
                }
            }
        }
        until
    }

    /// Figures for diagnosis, of all pools.
    pub fn figures(&self) -> NetworkFigures {
        let counters = self.network.counters();
        NetworkFigures {
            packets_foreign: counters.foreign + self.scheduler.strays(),
            errors_drained: counters.errors_drained,
            overflows: counters.overflows,
            late_turns: self.late_turns,
        }
    }

    // --- commands -----------------------------------------------------------------------------

    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Join(key, link) => {
                let index = self.scheduler.join(link.packets_per_second, link.run_limit);
                if index == self.members.len() {
                    self.members.push(None);
                }
                self.members[index] = Some(Member { key, link, owed: false });
            }
            Command::Targets(key, targets) => {
                if let Some(index) = self.member_index(key) {
                    self.scheduler.accept(index, targets);
                }
            }
            Command::Resolved(id, answer) => self.scheduler.resolved(id, &answer),
            Command::Reversed(id, name) => self.scheduler.reversed(id, name),
            Command::Cancel(key) => {
                if let Some(index) = self.member_index(key) {
                    self.scheduler.cancel(index);
                }
            }
            Command::Leave(key) => {
                if let Some(index) = self.member_index(key) {
                    self.scheduler.leave(index);
                }
            }
            Command::Resume => {}
            Command::Shutdown => return false,
        }
        true
    }

    /// The scheduler's number for the pool of a key, until it has left.
    pub fn index_of(&self, key: u64) -> Option<usize> {
        self.member_index(key)
    }

    fn member_index(&self, key: u64) -> Option<usize> {
        self.members.iter().position(|member| matches!(member, Some(member) if member.key == key))
    }
}
