//! The scheduling of probes, pure: what happened goes in with the time, what is to be done comes
//! out. Owns every job from its submission to its completion, and decides what may be sent now,
//! when to wake, and how each job ends. Knows no socket, clock, thread or lock; the reactor's shell
//! carries out its [`Actions`] and tells it what became of them.
//!
//! - `serve`    what a pool may begin and send in this turn, and when it may next
//! - `step`     open probes: what they do next, and what the system made of it
//! - `hear`     what came from the network and from the resolver
//! - `ending`   verdicts become completions; cancel and leave, in slices

mod action;
mod ending;
pub mod fault;
mod feed;
mod hear;
mod neighbours;
mod pacing;
mod serve;
mod shared;
mod slots;
mod step;
#[cfg(test)]
mod tests;
mod timers;

pub use action::{Actions, ConnectRequest, Lookup as LookupAction, Progress};
pub use feed::{Source, Target};

use crate::address::Address;
use crate::clock::Time;
use crate::outcome::{Completion, Detail, Names};
use crate::probe::connect::ConnectProbe;
use crate::probe::echo::EchoProbe;
use crate::probe::{Verdict, Voids};
use crate::sys::{OnLink, ProbeId};
use ending::Rest;
use fault::Fault;
use feed::{Feed, JobRange, Room};
use neighbours::{places, Neighbours};
use pacing::TokenBucket;
use shared::{ShareKey, Shared};
use slots::Slots;
use std::collections::VecDeque;
use std::sync::Arc;
use timers::Timers;

/// What bounds the work of a turn and the memory of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// TCP connects under way at a time, in the process.
    pub connects: usize,
    /// Look-ups of names under way for one pool at a time, and as many of addresses.
    pub lookups: usize,
    /// Jobs of one pool that have begun and are not answered.
    pub open: u64,
    /// Echo requests of one pool that may go out at once after a pause, where there is a rate.
    pub burst: u64,
    /// Jobs of one pool and kind that are looked at in one turn, whether or not they come to
    /// anything.
    pub work: usize,
    /// Open probes that expire, that a cancel ends, or jobs that end without a probe, in one turn.
    pub slice: usize,
}

impl Limits {
    /// The product's.
    pub const REAL: Limits = Limits {
        connects: 1024,
        lookups: 1024,
        open: 1 << 20,
        burst: pacing::DEPTH,
        work: 512,
        slice: 4096,
    };
}

/// The machine of an open probe.
enum Machine {
    Echo(EchoProbe),
    Connect(Box<Connecting>),
}

/// A connect probe with the names, towards `sys`, of its connects under way.
struct Connecting {
    probe: ConnectProbe,
    flights: Vec<(u16, ProbeId)>,
}

/// Where the reverse look-up of a probe's address stands.
enum Reverse {
    NotWanted,
    Open,
    Answered(Option<Arc<str>>),
}

/// One probe that has begun.
struct OpenProbe {
    member: usize,
    target: Arc<Target>,
    index: u64,
    address: Address,
    /// A request may make the system ask for the host's link-layer address: it is on a link of this
    /// machine, and has not answered.
    on_link: bool,
    /// `sys` may know it: a request of it was handed out.
    known: bool,
    /// It waits in its pool's line.
    queued: bool,
    /// Milliseconds to wait before what could not leave is tried again.
    backoff: u16,
    ttl: Option<u8>,
    begun: Time,
    machine: Machine,
    /// Further jobs for the same address and options: each gets the same answer.
    sharers: Vec<(Arc<Target>, u64)>,
    reverse: Reverse,
    /// Set when the probe has ended and only the reverse look-up is awaited.
    verdict: Option<Box<Verdict>>,
}

impl OpenProbe {
    fn jobs(&self) -> u64 {
        1 + self.sharers.len() as u64
    }

    /// Who may share it.
    fn share_key(&self) -> ShareKey {
        ShareKey::new(self.member, &self.target, self.index, self.address)
    }
}

/// A name that is being looked up.
struct Lookup {
    member: usize,
    range: JobRange,
    begun: Time,
}

/// A connect under way: the slot of its probe, and which of the host's addresses it goes to.
struct Flight {
    probe: u32,
    address: u16,
}

/// What a pool is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Open,
    /// Every unfinished job is being answered.
    Cancelled,
    /// Every unfinished job is being dropped: nobody will collect its completion.
    Leaving,
}

/// No connect, or no request, of a pool is begun for a while: the system had no room for one.
#[derive(Clone, Copy)]
struct Pause {
    until: Time,
    milliseconds: u16,
}

/// The longest pause after what could not be begun, in milliseconds.
const LONGEST_PAUSE: u16 = 64;

impl Pause {
    const NONE: Pause = Pause { until: Time::from_nanos(0), milliseconds: 0 };

    /// One more failure: pauses double. Failures of one and the same turn count once.
    fn extend(&mut self, now: Time) {
        if self.until <= now {
            self.milliseconds = (self.milliseconds * 2).clamp(1, LONGEST_PAUSE);
            let pause = u64::from(self.milliseconds) * crate::clock::MILLISECOND;
            self.until = now.plus_nanos(pause);
        }
    }
}

/// One pool.
struct Member {
    feed: Feed,
    bucket: TokenBucket,
    /// Open probes whose next request, or connect, is due and waits for rate, batch or window.
    requests_due: VecDeque<ProbeId>,
    connects_due: VecDeque<ProbeId>,
    requests_pause: Pause,
    connects_pause: Pause,
    /// Look-ups under way, of names and of addresses.
    forward: usize,
    reverse: usize,
    /// Jobs that have begun and are not answered.
    open: u64,
    /// Jobs whose end is known and whose completions are still to be made.
    rests: VecDeque<Rest>,
    out: Vec<Completion>,
    progress: Progress,
    run_limit: Time,
    standing: Standing,
    /// The next slot to look at for probes of a pool that is cancelled; `None`: all were seen.
    sweep: Option<u32>,
    /// Too many completions wait to be collected.
    backed_up: bool,
}

/// See the file's head.
pub struct Scheduler {
    limits: Limits,
    members: Vec<Option<Member>>,
    probes: Slots<OpenProbe>,
    flights: Slots<Flight>,
    lookups: Slots<Lookup>,
    timers: Timers,
    /// Slots whose timers are due and which have not been stepped yet.
    due: VecDeque<u32>,
    expired: Vec<u32>,
    shared: Shared,
    now: Time,
    /// Wall clock of this turn.
    wall: i64,
    /// IPv4, IPv6; until when all was heard.
    echo_voids: [Voids; 2],
    connect_voids: Voids,
    overflows: [u64; 2],
    on_link: OnLink,
    neighbours: Neighbours,
    tells_duplicates: bool,
    /// Replies to probes that are no longer open.
    strays: u64,
    /// Where the next turn begins its round over the members.
    first_member: usize,
    /// What is handed out now is carried out at once: tokens are taken when packets leave.
    planning: bool,
    actions: Actions,
    address_indexes: Vec<u16>,
    #[cfg(feature = "faults")]
    faults: Faults,
}

/// The fault put back, for the simulator, and what it remembers.
#[cfg(feature = "faults")]
#[derive(Clone, Copy, Default)]
struct Faults {
    fault: Option<Fault>,
    no_socket: [Option<crate::sys::OpenError>; 2],
}

impl Scheduler {
    /// Without pools. `tells_duplicates`: the system shows further replies to a request.
    pub fn new(limits: Limits, now: Time, wall: i64, tells_duplicates: bool) -> Scheduler {
        Scheduler {
            limits,
            members: Vec::new(),
            probes: Slots::default(),
            flights: Slots::default(),
            lookups: Slots::default(),
            timers: Timers::new(now),
            due: VecDeque::new(),
            expired: Vec::new(),
            shared: Shared::default(),
            now,
            wall,
            echo_voids: [Voids { until: now, ..Voids::NONE }; 2],
            connect_voids: Voids { until: now, ..Voids::NONE },
            overflows: [0; 2],
            on_link: OnLink::default(),
            neighbours: Neighbours::default(),
            tells_duplicates,
            strays: 0,
            first_member: 0,
            planning: false,
            actions: Actions::default(),
            address_indexes: Vec::new(),
            #[cfg(feature = "faults")]
            faults: Faults::default(),
        }
    }

    /// Puts a fault back.
    #[cfg(feature = "faults")]
    pub fn put_back(&mut self, fault: Fault) {
        self.faults.fault = Some(fault);
    }

    #[cfg(feature = "faults")]
    fn has(&self, fault: Fault) -> bool {
        self.faults.fault == Some(fault)
    }

    #[cfg(not(feature = "faults"))]
    #[inline(always)]
    fn has(&self, _fault: Fault) -> bool {
        false
    }

    // --- what is told -----------------------------------------------------------------------

    /// The time now, on both clocks; before anything else is told or asked.
    pub fn set_time(&mut self, now: Time, wall: i64) {
        self.now = self.now.max(now);
        self.wall = wall;
    }

    /// A pool; the number by which it is spoken of until it is among [`Actions::left`].
    pub fn join(&mut self, packets_per_second: u32, run_limit: Time) -> usize {
        let member = Member {
            bucket: TokenBucket::new(packets_per_second, self.limits.burst, self.now),
            run_limit,
            feed: Feed::default(),
            requests_due: VecDeque::new(),
            connects_due: VecDeque::new(),
            requests_pause: Pause::NONE,
            connects_pause: Pause::NONE,
            forward: 0,
            reverse: 0,
            open: 0,
            rests: VecDeque::new(),
            out: Vec::new(),
            progress: Progress::default(),
            standing: Standing::Open,
            sweep: None,
            backed_up: false,
        };
        match self.members.iter().position(Option::is_none) {
            Some(index) => {
                self.members[index] = Some(member);
                index
            }
            None => {
                self.members.push(Some(member));
                self.members.len() - 1
            }
        }
    }

    /// Targets of a pool, to be begun in this order as far as windows and rates allow.
    pub fn accept(&mut self, member: usize, targets: Vec<Target>) {
        if let Some(member) = self.member(member) {
            for target in targets {
                member.feed.push(target);
            }
        }
    }

    /// Whether a pool's uncollected completions are so many that first attempts pause.
    pub fn set_backed_up(&mut self, member: usize, backed_up: bool) {
        if let Some(member) = self.member(member) {
            member.backed_up = backed_up;
        }
    }

    /// Every unfinished job of a pool is to be answered.
    pub fn cancel(&mut self, member: usize) {
        self.end_member(member, Standing::Cancelled);
    }

    /// A pool has ended: its jobs are dropped, and nobody will collect what they come to.
    pub fn leave(&mut self, member: usize) {
        self.end_member(member, Standing::Leaving);
    }

    /// This machine's links, as read now.
    pub fn set_on_link(&mut self, on_link: OnLink) {
        self.on_link = on_link;
    }

    /// The number of overflows of a family, as read after the sockets were drained.
    pub fn set_overflows(&mut self, family: usize, count: u64) {
        if self.overflows[family] != count {
            self.overflows[family] = count;
            self.void_echoes(family, Detail::LocalOverflow);
        }
    }

    /// A turn has come late. `certain`: what the system dropped meanwhile stands in its counter.
    pub fn came_late(&mut self, certain: [bool; 2]) {
        for (family, certain) in certain.into_iter().enumerate() {
            if self.has(Fault::LateIsOverflow) {
                self.void_echoes(family, Detail::LocalOverflow);
            } else if !certain {
                self.void_echoes(family, Detail::LateTurn);
            }
        }
    }

    /// The machine was suspended while attempts were under way.
    pub fn was_suspended(&mut self) {
        if self.has(Fault::SuspensionIgnored) {
            return;
        }
        self.void_echoes(0, Detail::Suspended);
        self.void_echoes(1, Detail::Suspended);
        let count = self.connect_voids.count.wrapping_add(1);
        self.connect_voids = Voids { count, cause: Detail::Suspended, ..self.connect_voids };
    }

    fn void_echoes(&mut self, family: usize, cause: Detail) {
        let count = self.echo_voids[family].count.wrapping_add(1);
        self.echo_voids[family] = Voids { count, cause, ..self.echo_voids[family] };
    }

    // --- what is asked ----------------------------------------------------------------------

    /// What is to be done, appended to nothing: the caller leaves what it takes empty.
    pub fn actions(&mut self) -> &mut Actions {
        &mut self.actions
    }

    /// Moves a pool's new completions to the end of `into`, and tells how it got on since last
    /// asked.
    pub fn take_completions(&mut self, member: usize, into: &mut Vec<Completion>) -> Progress {
        match self.member(member) {
            Some(member) => {
                if into.is_empty() {
                    std::mem::swap(into, &mut member.out);
                } else {
                    into.append(&mut member.out);
                }
                std::mem::take(&mut member.progress)
            }
            None => Progress::default(),
        }
    }

    /// Whether a timer is due.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty() || self.timers.next() <= self.now
    }

    /// Whether neighbours are asked for that probes, or jobs not begun, wait for.
    pub fn waits_for_neighbours(&self) -> bool {
        let waits = |member: &Member| member.open > 0 || !member.feed.is_empty();
        !self.neighbours.is_empty() && self.members.iter().flatten().any(waits)
    }

    /// Whether nothing of a pool is under way, or waits to be begun.
    pub fn is_idle(&self, member: usize) -> bool {
        let member = self.members.get(member).and_then(Option::as_ref);
        member.map_or(true, |member| {
            member.open == 0
                && member.forward == 0
                && member.feed.is_empty()
                && member.rests.is_empty()
        })
    }

    /// Connects under way.
    pub fn connects(&self) -> usize {
        self.flights.len()
    }

    /// Replies that named a probe which is no longer open.
    pub fn strays(&self) -> u64 {
        self.strays
    }

    /// Probes that are open, and slots kept for them: what memory there is goes with the latter.
    pub fn probes(&self) -> (usize, u32) {
        (self.probes.len(), self.probes.capacity())
    }

    fn member(&mut self, index: usize) -> Option<&mut Member> {
        self.members.get_mut(index)?.as_mut()
    }

    /// Whether there are places for more neighbours of a pool: as a rule, or to the last place of
    /// the table where that is enough for all that wait.
    fn room(&self, feed: &Feed) -> Room {
        [0, 1].map(|family| {
            let taken = self.neighbours.taken(family);
            let left = (self.on_link.table[family] as usize).saturating_sub(taken);
            taken < places(&self.on_link, family) || feed.fits(family, left)
        })
    }

    /// Jobs of a pool that have begun and are not answered, and its look-ups of names and of
    /// addresses.
    pub fn open_of(&self, member: usize) -> (u64, usize, usize) {
        self.members
            .get(member)
            .and_then(Option::as_ref)
            .map_or((0, 0, 0), |member| (member.open, member.forward, member.reverse))
    }
}

/// The names that a job's completion tells: its own target's, or its address's.
fn names_of(target: &Target, reverse: &Reverse, address: Address) -> Option<Box<Names>> {
    match (&target.source, reverse) {
        (Source::Host(_, names), _) => names.clone(),
        (_, Reverse::Answered(name)) => Some(Box::new(Names {
            host_name: name.as_deref().map(str::to_owned),
            addresses: vec![address],
        })),
        _ => None,
    }
}
