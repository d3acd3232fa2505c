//! How jobs end: a verdict becomes the completion of its job and of every job that shares its
//! probe; cancel, leave and a contained panic end what is open. A cancelled pool's probes are ended
//! in slices, so that it holds up no other; what nobody will collect is not made.

use super::fault::Fault;
use super::feed::{JobRange, Source, Target};
use super::{names_of, Machine, Member, Reverse, Scheduler, Standing};
use crate::clock::Time;
use crate::outcome::{Completion, Detail, JobKind, Outcome, Statistics};
use crate::probe::{Kind, Verdict};

/// Jobs that have ended alike, without a probe.
pub struct Rest {
    /// The jobs.
    pub range: JobRange,
    /// How they ended.
    pub outcome: Outcome,
    /// The number behind it, or 0.
    pub os_error: i32,
    /// What more can be said.
    pub detail: Detail,
    /// From their start to their end.
    pub duration: u64,
}

/// Slots that a cancel looks at for each probe that it may end: a look costs far less.
const LOOKS: usize = 4;

impl Scheduler {
    /// The probe has ended by itself: what it held is given back, and its jobs are answered, at
    /// once or when its reverse look-up is.
    pub(super) fn conclude(&mut self, slot: u32) {
        let tells_duplicates = self.tells_duplicates;
        let verdict = match self.probes.get(slot).map(|probe| &probe.machine) {
            Some(Machine::Echo(echo)) => echo.verdict(tells_duplicates),
            Some(Machine::Connect(connecting)) => connecting.probe.verdict(),
            None => return,
        };
        self.close(slot, verdict);
    }

    /// The probe is ended from outside.
    pub(super) fn stop(&mut self, slot: u32) {
        let tells_duplicates = self.tells_duplicates;
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = probe.member;
        let was_waiting = matches!(probe.reverse, Reverse::Open);
        if was_waiting {
            probe.reverse = Reverse::NotWanted;
        }
        let has_ended = probe.verdict.is_some();
        let verdict = match &probe.machine {
            Machine::Echo(echo) => echo.verdict(tells_duplicates),
            Machine::Connect(connecting) => connecting.probe.verdict(),
        };
        if was_waiting {
            if let Some(member) = self.member(member) {
                member.reverse -= 1;
            }
        }
        // A probe that only waits for a name has its verdict, and it stands.
        if has_ended {
            return self.answer(slot);
        }
        let outcome = Outcome::Stopped;
        let (detail, address) = (Detail::None, None);
        self.close(slot, Verdict { outcome, os_error: 0, detail, address, ..verdict });
    }

    fn close(&mut self, slot: u32, verdict: Verdict) {
        self.timers.cancel(slot);
        self.address_indexes.clear();
        let id = self.probes.id(slot);
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        match &probe.machine {
            Machine::Echo(echo) => {
                if probe.known {
                    self.actions.closes.push((id, probe.address));
                }
                let member = probe.member;
                self.shared.remove(&probe.share_key(), slot);
                // Handed out, and not carried out yet: it would be known to `sys` for ever.
                if echo.is_starting() {
                    let before = self.actions.requests.len();
                    self.actions.requests.retain(|request| request.id != id);
                    if self.actions.requests.len() < before {
                        if let Some(member) = &mut self.members[member] {
                            member.bucket.give_back();
                        }
                    }
                }
            }
            Machine::Connect(connecting) => {
                self.address_indexes.extend(connecting.flights.iter().map(|flight| flight.0));
            }
        }
        // What cannot be counted is not held longer than the probe.
        if probe.on_link && self.on_link.table[probe.address.family().index()] == 0 {
            self.neighbours.give_back(&probe.address);
        }
        let waits = matches!(probe.reverse, Reverse::Open);
        if waits {
            probe.verdict = Some(Box::new(verdict));
        }
        self.cancel_connects(slot);
        if !waits {
            self.answer_with(slot, &verdict);
        }
    }

    /// Answers the jobs of a probe that has its verdict.
    pub(super) fn answer(&mut self, slot: u32) {
        let verdict = self.probes.get_mut(slot).and_then(|probe| probe.verdict.take());
        if let Some(verdict) = verdict {
            self.answer_with(slot, &verdict);
        }
    }

    /// Answers the probe's jobs and frees its slot.
    fn answer_with(&mut self, slot: u32, verdict: &Verdict) {
        self.complete(slot, verdict);
        self.probes.discard(slot);
    }

    fn complete(&mut self, slot: u32, verdict: &Verdict) {
        let names_of_the_first = self.has(Fault::NamesOfTheFirst);
        let wall = self.wall;
        let probe = match self.probes.get(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        member.open = member.open.saturating_sub(probe.jobs());
        if member.standing == Standing::Leaving {
            return;
        }
        let duration = self.now.nanos_since(probe.begun);
        let completion = |target: &Target, index: u64| Completion {
            user_data: target.user_data,
            index,
            jobs: 1,
            kind: job_kind(target),
            outcome: verdict.outcome,
            os_error: verdict.os_error,
            detail: verdict.detail,
            address: Some(verdict.address.unwrap_or(probe.address)),
            port: target.port(index),
            ttl: probe.ttl,
            statistics: verdict.statistics,
            finished: wall,
            duration,
            worker: 0,
            names: names_of(
                if names_of_the_first { &probe.target } else { target },
                &probe.reverse,
                probe.address,
            ),
        };
        for (target, index) in &probe.sharers {
            member.out.push(completion(target, *index));
        }
        member.out.push(completion(&probe.target, probe.index));
    }

    // --- the whole of a pool -----------------------------------------------------------------

    /// Pools whose run limit has passed cancel themselves.
    pub fn check_run_limits(&mut self) {
        let now = self.now;
        for index in 0..self.members.len() {
            if let Some(member) = self.member(index) {
                if member.run_limit <= now {
                    member.run_limit = Time::NEVER;
                    self.actions.run_limits.push(index);
                    self.cancel(index);
                }
            }
        }
    }

    pub(super) fn end_member(&mut self, index: usize, standing: Standing) {
        if let Some(member) = self.member(index) {
            if member.standing == Standing::Open || standing == Standing::Leaving {
                member.standing = standing;
                member.sweep = Some(0);
                member.run_limit = Time::NEVER;
                member.requests_due.clear();
                member.connects_due.clear();
                if standing == Standing::Leaving {
                    member.out.clear();
                }
            }
        }
    }

    /// Whether a pool has completions to make, or probes to end, that it may make now.
    pub(super) fn has_ending_work(&self, member: &Member) -> bool {
        match member.standing {
            Standing::Leaving => true,
            _ if member.backed_up => false,
            Standing::Open => !member.rests.is_empty(),
            Standing::Cancelled => {
                !member.rests.is_empty() || member.sweep.is_some() || !member.feed.is_empty()
            }
        }
    }

    /// One turn's part of what is to be ended.
    pub(super) fn serve_endings(&mut self, index: usize) {
        loop {
            let has_work = match &self.members[index] {
                Some(member) => self.has_ending_work(member),
                None => false,
            };
            if !has_work {
                return;
            }
            self.sweep(index);
            let is_done = self.make_completions(index);
            if is_done || !self.has(Fault::CancelledAtOnce) {
                return;
            }
        }
    }

    /// Ends a slice of a cancelled pool's probes and look-ups. True: none is left.
    fn sweep(&mut self, index: usize) {
        let (mut next, standing) = match &self.members[index] {
            Some(Member { sweep: Some(next), standing, .. }) => (*next, *standing),
            _ => return,
        };
        if next == 0 {
            self.end_lookups(index);
        }
        let end =
            next.saturating_add((LOOKS * self.limits.slice) as u32).min(self.probes.capacity());
        let mut ended = 0;
        while next < end && ended < self.limits.slice {
            if matches!(self.probes.get(next), Some(probe) if probe.member == index) {
                self.stop(next);
                ended += 1;
            }
            next += 1;
        }
        let is_over = next >= self.probes.capacity();
        if let Some(member) = self.member(index) {
            member.sweep = if is_over { None } else { Some(next) };
        }
        if is_over && standing == Standing::Leaving {
            self.depart(index);
        }
    }

    /// At most a window of them.
    fn end_lookups(&mut self, index: usize) {
        for slot in 0..self.lookups.capacity() {
            if matches!(self.lookups.get(slot), Some(lookup) if lookup.member == index) {
                if let Some(lookup) = self.lookups.remove(slot) {
                    self.end_lookup(lookup, Outcome::Stopped, 0);
                }
            }
        }
    }

    /// Nothing of the pool is left but what was never begun.
    fn depart(&mut self, index: usize) {
        self.members[index] = None;
        self.actions.left.push(index);
        if self.members.iter().all(Option::is_none) {
            self.actions.close_sockets = true;
        }
    }

    /// Makes a slice of the completions of jobs that end without a probe. True: none is left.
    fn make_completions(&mut self, index: usize) -> bool {
        let (wall, slice) = (self.wall, self.limits.slice);
        let member = match self.member(index) {
            Some(member) => member,
            None => return true,
        };
        if member.standing == Standing::Leaving {
            return member.sweep.is_none();
        }
        for _ in 0..slice {
            if let Some(rest) = member.rests.front_mut() {
                member.out.push(rest.next_completion(wall));
                if rest.range.next == rest.range.end {
                    member.rests.pop_front();
                }
                continue;
            }
            if member.standing == Standing::Open {
                return true;
            }
            let range = match member.feed.take_any() {
                Some(range) => range,
                None => return member.sweep.is_none(),
            };
            // The jobs of a name have begun with its look-up.
            let outcome = match range.target.source {
                Source::Host(..) => Outcome::Stopped,
                _ => Outcome::NotStarted,
            };
            if outcome == Outcome::NotStarted && range.end == range.target.jobs() {
                member.progress.targets += 1;
            }
            let (os_error, detail, duration) = (0, Detail::None, 0);
            member.rests.push_back(Rest { range, outcome, os_error, detail, duration });
        }
        false
    }

    /// After a contained panic nothing in the tables can be trusted to be whole, but every job is
    /// there: each that had begun is answered as Failed, and the tables begin anew.
    pub fn fail_all(&mut self) {
        let failed = Verdict {
            outcome: Outcome::Failed,
            os_error: 0,
            detail: Detail::None,
            statistics: Statistics::default(),
            address: None,
        };
        for slot in 0..self.probes.capacity() {
            if let Some(probe) = self.probes.get_mut(slot) {
                probe.reverse = Reverse::NotWanted;
                self.answer_with(slot, &failed);
            }
        }
        for slot in 0..self.lookups.capacity() {
            if let Some(lookup) = self.lookups.remove(slot) {
                self.end_lookup(lookup, Outcome::Failed, 0);
            }
        }
        if self.has(Fault::StaleTables) {
            return;
        }
        for flight in 0..self.flights.capacity() {
            self.flights.remove(flight);
        }
        self.planning = false;
        self.timers.clear(self.now);
        self.due.clear();
        self.expired.clear();
        self.shared.clear();
        self.neighbours.clear();
        self.address_indexes.clear();
        self.actions.requests.clear();
        self.actions.connects.clear();
        self.actions.closes.clear();
        self.actions.cancels.clear();
        self.actions.lookups.clear();
        for member in self.members.iter_mut().flatten() {
            member.requests_due.clear();
            member.connects_due.clear();
            (member.forward, member.reverse, member.open) = (0, 0, 0);
        }
    }
}

impl Rest {
    /// The completion of the next of the jobs; of all of them where they were never begun.
    fn next_completion(&mut self, wall: i64) -> Completion {
        let (target, first) = (&self.range.target, self.range.next);
        let end = if self.outcome == Outcome::NotStarted { self.range.end } else { first + 1 };
        self.range.next = end;
        let is_one = end - first == 1;
        Completion {
            user_data: target.user_data,
            index: first,
            jobs: end - first,
            kind: job_kind(target),
            outcome: self.outcome,
            os_error: self.os_error,
            detail: self.detail,
            address: if is_one { target.address(first) } else { None },
            port: if is_one { target.port(first) } else { 0 },
            ttl: None,
            statistics: Statistics::default(),
            finished: wall,
            duration: self.duration,
            worker: 0,
            names: None,
        }
    }
}

fn job_kind(target: &Target) -> JobKind {
    match target.options.kind {
        Kind::Echo => JobKind::Echo,
        Kind::Connect { .. } => JobKind::Connect,
    }
}
