//! What may be begun and sent now: pool after pool, what is due again before what is new, each as
//! far as its rate, its caller and the windows allow. What a pool may do in a turn, and when it may
//! do something next, are asked by the same rules, so that no job that could start sleeps and no
//! wake-up finds nothing to do.

use super::action::Lookup as LookupAction;
use super::fault::Fault;
use super::feed::{Job, Lane, Next, Room, Source};
use super::neighbours::places;
use super::shared::ShareKey;
use super::{Connecting, Lookup, Machine, Member, OpenProbe, Reverse, Scheduler, Standing};
use crate::address::Address;
use crate::clock::Time;
use crate::probe::connect::ConnectProbe;
use crate::probe::echo::EchoProbe;
use crate::sys::BATCH;
use std::sync::Arc;

/// Connects begun in one turn, so that replies are not kept waiting.
const CONNECT_BATCH: usize = 64;

impl Scheduler {
    /// Begins and hands out what may be begun and sent now; true if there is more of it.
    pub fn plan(&mut self) -> bool {
        self.neighbours.expire(self.now);
        self.planning = true;
        let count = self.members.len();
        for offset in 0..count {
            let member = (self.first_member + offset) % count;
            self.serve(member);
        }
        self.first_member = if count == 0 { 0 } else { (self.first_member + 1) % count };
        self.planning = false;
        self.has_work()
    }

    /// Whether anything more could be handed out, or ended, at once.
    pub fn has_work(&self) -> bool {
        !self.due.is_empty()
            || (0..self.members.len()).any(|index| self.ready_at(index) <= self.now)
    }

    /// When to come back at the latest, if nothing happens before.
    pub fn next_wake(&self) -> Time {
        if !self.due.is_empty()
            || !self.actions.requests.is_empty()
            || !self.actions.connects.is_empty()
        {
            return self.now;
        }
        let mut wake = self.timers.next();
        if (0..2).any(|family| self.neighbours.taken(family) >= places(&self.on_link, family)) {
            wake = wake.min(self.neighbours.next());
        }
        for (index, member) in self.members.iter().enumerate() {
            if let Some(member) = member {
                wake = wake.min(member.run_limit).min(self.ready_at(index));
            }
        }
        wake
    }

    /// When a pool can do something next, if nothing happens before.
    fn ready_at(&self, index: usize) -> Time {
        let member = match &self.members[index] {
            Some(member) => member,
            None => return Time::NEVER,
        };
        if self.has_ending_work(member) {
            return self.now;
        }
        if member.standing != Standing::Open {
            return Time::NEVER;
        }
        if self.may_look_up(member) {
            return self.now;
        }
        self.requests_from(member).min(self.connects_from(member))
    }

    /// When the pool's next request may be handed out; never, where none waits.
    fn requests_from(&self, member: &Member) -> Time {
        if member.requests_due.is_empty() && !self.may_begin(member, Lane::Echo) {
            return Time::NEVER;
        }
        let mut from = self.now.max(member.requests_pause.until);
        if member.bucket.available(from) == 0 {
            from = from.max(member.bucket.next());
        } else if self.has(Fault::NoWakeForTokens) && member.bucket.is_limited() {
            return Time::NEVER;
        }
        from
    }

    /// When the pool's next connect may be begun; never, where none waits or the window is full:
    /// the end of one of those in it brings the next.
    fn connects_from(&self, member: &Member) -> Time {
        let waits = !member.connects_due.is_empty() || self.may_begin(member, Lane::Connect);
        if !waits || self.flights.len() >= self.limits.connects {
            return Time::NEVER;
        }
        self.now.max(member.connects_pause.until)
    }

    /// Whether the pool may begin the job that is next in a lane, rate and window aside.
    fn may_begin(&self, member: &Member, lane: Lane) -> bool {
        self.may_begin_in(member, lane, self.room(&member.feed))
    }

    fn may_begin_in(&self, member: &Member, lane: Lane, room: Room) -> bool {
        if member.backed_up || member.standing != Standing::Open || member.open >= self.limits.open
        {
            return false;
        }
        match member.feed.peek(lane, room) {
            None => false,
            Some((target, job)) => {
                member.reverse < self.limits.lookups
                    || self.has(Fault::UnboundedReverse)
                    || !target.wants_reverse(job)
            }
        }
    }

    fn may_look_up(&self, member: &Member) -> bool {
        member.feed.has_names()
            && !member.backed_up
            && member.standing == Standing::Open
            && member.forward < self.limits.lookups
    }

    /// One pool's part of the turn.
    fn serve(&mut self, index: usize) {
        let standing = match self.member(index) {
            Some(member) => member.standing,
            None => return,
        };
        self.serve_endings(index);
        if standing != Standing::Open {
            return;
        }
        self.begin_lookups(index);
        self.serve_requests(index);
        self.serve_connects(index);
    }

    fn serve_requests(&mut self, index: usize) {
        let mut work = self.limits.work;
        while self.actions.requests.len() < BATCH && work > 0 {
            work -= usize::from(!self.has(Fault::UnboundedTurn));
            let now = self.now;
            let member = match &mut self.members[index] {
                Some(member) => member,
                None => return,
            };
            if member.requests_pause.until > now || member.bucket.available(now) == 0 {
                return;
            }
            if let Some(id) = member.requests_due.pop_front() {
                self.step_due(id);
                continue;
            }
            match self.next_job(index, Lane::Echo) {
                Next::Job(job) => self.begin_echo(index, job),
                Next::SetAside => {}
                Next::Nothing => return,
            }
        }
    }

    fn serve_connects(&mut self, index: usize) {
        let mut work = self.limits.work;
        let mut begun = 0;
        while begun < CONNECT_BATCH && work > 0 {
            work -= 1;
            let now = self.now;
            let is_full = self.flights.len() >= self.limits.connects;
            let member = match &mut self.members[index] {
                Some(member) => member,
                None => return,
            };
            if is_full || member.connects_pause.until > now {
                return;
            }
            // One line for both kinds: what waits for the rate holds up connects.
            let is_held_up = self.has(Fault::OneLine) && self.requests_wait(index);
            if is_held_up {
                return;
            }
            let before = self.flights.len();
            let due = self.member(index).and_then(|member| member.connects_due.pop_front());
            if let Some(id) = due {
                self.step_due(id);
            } else {
                match self.next_job(index, Lane::Connect) {
                    Next::Job(job) => self.begin_connect(index, job),
                    Next::SetAside => continue,
                    Next::Nothing => return,
                }
            }
            begun += usize::from(self.flights.len() > before);
        }
    }

    fn requests_wait(&self, index: usize) -> bool {
        match &self.members[index] {
            Some(member) => self.requests_from(member) != Time::NEVER,
            None => false,
        }
    }

    /// A probe that waited in its pool's line.
    fn step_due(&mut self, id: crate::sys::ProbeId) {
        if let Some(slot) = self.probes.find(id) {
            if let Some(probe) = self.probes.get_mut(slot) {
                probe.queued = false;
            }
            self.step(slot);
        }
    }

    fn next_job(&mut self, index: usize, lane: Lane) -> Next {
        let room = match &self.members[index] {
            Some(member) => {
                let room = self.room(&member.feed);
                if !self.may_begin_in(member, lane, room) {
                    return Next::Nothing;
                }
                room
            }
            None => return Next::Nothing,
        };
        let member = match &mut self.members[index] {
            Some(member) => member,
            None => return Next::Nothing,
        };
        let next = member.feed.next_job(lane, &self.on_link, room);
        if let Next::Job(job) = &next {
            member.open += 1;
            if job.target.begins_with_probe() {
                member.progress.begun += 1;
                member.progress.targets += u64::from(job.index + 1 == job.target.jobs());
            }
        }
        next
    }

    fn begin_echo(&mut self, member: usize, job: Job) {
        let key = ShareKey::new(member, &job.target, job.index, job.address);
        let slot = self.shared.get_or_insert(&key, self.probes.next());
        if let Some(probe) = self.probes.get_mut(slot).filter(|probe| probe.share_key() == key) {
            return probe.sharers.push((job.target, job.index));
        }
        let slot = self.open(member, job, Machine::Echo(EchoProbe::default()));
        self.step(slot);
    }

    fn begin_connect(&mut self, member: usize, job: Job) {
        let addresses: Arc<[Address]> = match &job.target.source {
            Source::Host(addresses, _) => Arc::clone(addresses),
            _ => Arc::new([job.address]),
        };
        let probe = ConnectProbe::new(addresses);
        let machine = Machine::Connect(Box::new(Connecting { probe, flights: Vec::new() }));
        let slot = self.open(member, job, machine);
        self.step(slot);
    }

    fn open(&mut self, member: usize, job: Job, machine: Machine) -> u32 {
        if job.on_link {
            self.neighbours.ask(job.address, self.now);
        }
        let wants_reverse = job.target.wants_reverse(job.index);
        let address = job.address;
        let slot = self.probes.insert(OpenProbe {
            member,
            target: job.target,
            index: job.index,
            address,
            on_link: job.on_link,
            known: false,
            queued: false,
            backoff: 0,
            ttl: None,
            begun: self.now,
            machine,
            sharers: Vec::new(),
            reverse: if wants_reverse { Reverse::Open } else { Reverse::NotWanted },
            verdict: None,
        });
        if wants_reverse {
            if let Some(member) = self.member(member) {
                member.reverse += 1;
            }
            let id = self.probes.id(slot);
            self.actions.lookups.push(LookupAction::Address { id, address });
        }
        slot
    }

    fn begin_lookups(&mut self, index: usize) {
        for _ in 0..self.limits.work {
            let may_look_up = match &self.members[index] {
                Some(member) => self.may_look_up(member),
                None => false,
            };
            let now = self.now;
            let member = match &mut self.members[index] {
                Some(member) if may_look_up => member,
                _ => return,
            };
            let range = match member.feed.next_name() {
                Some(range) => range,
                None => return,
            };
            let name = match &range.target.source {
                Source::Name(name) => Arc::clone(name),
                _ => continue,
            };
            member.forward += 1;
            member.progress.begun += range.end - range.next;
            member.progress.targets += 1;
            let options = Arc::clone(&range.target.options);
            let slot = self.lookups.insert(Lookup { member: index, range, begun: now });
            let id = self.lookups.id(slot);
            let (family, canonical) = (options.family, options.resolve);
            self.actions.lookups.push(LookupAction::Name { id, name, family, canonical });
        }
    }
}
