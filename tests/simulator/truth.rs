//! The book of what truly happened: every request and every connect, what was delivered to the
//! reactor about it and when, and what a completion may say after that.

use crate::connects::{ConnectFate, ConnectRecord};
use crate::plan::Plan;
use rust_runspaces::address::Address;
use rust_runspaces::clock::Time;
use rust_runspaces::outcome::{Completion, ConnectError, Detail, Outcome, Statistics};
use rust_runspaces::probe::Schedule;
use rust_runspaces::sys::{EchoRequest, Event, OpenError, ProbeId, RoundTrip, SendResult};
use std::collections::HashMap;

/// Something delivered about an echo probe, in the batch of that number.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    batch: u64,
    event: Event,
}

/// One transmission that left.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: u64,
    /// Its reply was lost on the way, or in our buffer.
    lost: bool,
}

/// One echo probe, as the world saw it.
#[derive(Clone, Debug)]
pub struct EchoRecord {
    pub pool: usize,
    address: Address,
    sent: Vec<Sent>,
    refusals: Vec<i32>,
    failure: Option<(Outcome, i32)>,
    delivered: Vec<Delivered>,
    closed: Option<(u64, u64)>,
    by_defect: bool,
}

/// See the file's head.
#[derive(Default)]
pub struct Book {
    pub failure: Option<String>,
    pub sends: u64,
    pub defects: u64,
    pub suspensions: u64,
    pub echoes: HashMap<ProbeId, EchoRecord>,
    pub past: Vec<(ProbeId, EchoRecord)>,
    pub connects: HashMap<ProbeId, ConnectRecord>,
    pub past_connects: Vec<ConnectRecord>,
    /// What may still be told of, though nobody waits for it.
    pub cancelled: Vec<ProbeId>,
    pub voids: Vec<(usize, u64, Detail)>,
    /// Per pool: when its last request left and the rate's own clock.
    pub rate_clocks: Vec<u64>,
    pub last_sends: Vec<u64>,
    /// When what could not be begun was last told, and requests that left, in all.
    pub refused: u64,
    pub packets: u64,
}

impl Book {
    pub fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }

    pub fn void(&mut self, family: usize, now: u64, cause: Detail) {
        self.voids.push((family, now, cause));
    }

    pub fn address_of(&self, id: ProbeId) -> Option<Address> {
        self.echoes.get(&id).map(|record| record.address)
    }

    pub fn lost(&mut self, id: ProbeId, transmission: u16) {
        let past = self.past.iter_mut().rev().find(|(past, _)| *past == id).map(|it| &mut it.1);
        let record = self.echoes.get_mut(&id).or(past);
        if let Some(sent) = record.and_then(|it| it.sent.get_mut(usize::from(transmission))) {
            sent.lost = true;
        }
    }

    // --- echo ---------------------------------------------------------------------------------

    pub fn sent(&mut self, request: &EchoRequest, result: SendResult, now: u64, plan: &Plan) {
        let pool = usize::from(request.size) - 32;
        let record = self.echoes.entry(request.id).or_insert_with(|| EchoRecord {
            pool,
            address: request.to,
            sent: Vec::new(),
            refusals: Vec::new(),
            failure: None,
            delivered: Vec::new(),
            closed: None,
            by_defect: false,
        });
        if record.address != request.to || record.pool != pool {
            return self.fail(format!("{:?} stands for two probes at once", request.id));
        }
        match result {
            SendResult::Sent { at } => {
                if usize::from(request.transmission) != record.sent.len() {
                    let number = request.transmission;
                    return self.fail(format!("transmission {number} of {}", request.to));
                }
                record.sent.push(Sent { at: at.as_nanos(), lost: false });
                self.packets += 1;
                self.keep_rate(pool, now, plan);
            }
            SendResult::NotSent { os_error }
            | SendResult::NoSocket(OpenError::NoResources(os_error)) => {
                record.refusals.push(os_error);
                self.refused = now;
            }
            SendResult::NoSocket(OpenError::NotPermitted) => {
                record.failure = Some((Outcome::PermissionDenied, 0));
            }
            SendResult::NoSocket(OpenError::Failed(error)) => {
                record.failure = Some((Outcome::Failed, error));
            }
            SendResult::Failed { outcome, os_error } => {
                record.failure = Some((outcome, os_error));
            }
        }
    }

    /// The generic cell rate algorithm (ITU-T I.371): never more than a burst ahead of the rate.
    fn keep_rate(&mut self, pool: usize, now: u64, plan: &Plan) {
        let rate = u64::from(plan.pools[pool].rate);
        self.last_sends[pool] = now;
        if rate == 0 {
            return;
        }
        let cost = 1_000_000_000 / rate;
        let clock = &mut self.rate_clocks[pool];
        *clock = (*clock).max(now) + cost;
        // What was handed out before it left is a little older than it looks.
        if *clock - now > cost * plan.limits.burst + cost / 2 {
            self.fail(format!("pool {pool} sends faster than {rate} a second"));
        }
    }

    /// When the pool's rate allows the next packet.
    pub fn may_send_from(&self, pool: usize, plan: &Plan) -> u64 {
        match u64::from(plan.pools[pool].rate) {
            0 => 0,
            rate => {
                let cost = 1_000_000_000 / rate;
                (self.rate_clocks[pool] + cost).saturating_sub(cost * plan.limits.burst)
            }
        }
    }

    pub fn close(&mut self, id: ProbeId, to: Address, batch: u64, now: u64) {
        if let Some(mut record) = self.echoes.remove(&id) {
            if record.address != to {
                self.fail(format!("{id:?} is closed with the address of another"));
            }
            record.closed = Some((batch, now));
            self.past.push((id, record));
        }
    }

    /// Everything is forgotten after a defect.
    pub fn reset(&mut self, batch: u64, now: u64) {
        for (id, mut record) in self.echoes.drain() {
            record.closed = Some((batch, now));
            record.by_defect = true;
            self.past.push((id, record));
        }
        for (_, mut record) in self.connects.drain() {
            record.fate = ConnectFate::Cancelled;
            self.past_connects.push(record);
        }
    }

    /// An event of a probe or connect that is over.
    pub fn stale(&self, now: u64) -> Option<Event> {
        let received = Time::from_nanos(now);
        // Connects are numbered apart.
        if now % 3 == 0 {
            let id = *self.cancelled.get(now as usize % self.cancelled.len().max(1))?;
            return Some(Event::Connected { id, at: received, round_trip: RoundTrip::BySight });
        }
        let id = self.past.get(now as usize % self.past.len().max(1))?.0;
        Some(match now % 3 {
            1 => Event::NeighbourFailed { id },
            _ => Event::Reply { id, transmission: 0, received, ttl: None, from: None },
        })
    }

    pub fn deliver(&mut self, event: &Event, batch: u64, now: u64) {
        match *event {
            Event::Reply { id, .. }
            | Event::Stamped { id, .. }
            | Event::NeighbourFailed { id }
            | Event::IcmpError { id, .. }
            | Event::LocalError { id, .. } => {
                if let Some(record) = self.echoes.get_mut(&id) {
                    record.delivered.push(Delivered { batch, event: *event });
                }
            }
            Event::Connected { id, at, round_trip } => {
                let told = |begun: u64| match round_trip {
                    RoundTrip::Measured(nanos) => Some(nanos),
                    _ => Some(at.as_nanos().saturating_sub(begun)),
                };
                if let Some(mut record) = self.connects.remove(&id) {
                    record.fate = ConnectFate::Open(told(record.begun));
                    self.past_connects.push(record);
                }
            }
            Event::ConnectFailed { id, at, error, round_trip } => {
                if let Some(mut record) = self.connects.remove(&id) {
                    let trip = match round_trip {
                        RoundTrip::Measured(nanos) => Some(nanos),
                        RoundTrip::BySight => Some(at.as_nanos().saturating_sub(record.begun)),
                        RoundTrip::Unknown => None,
                    };
                    record.fate = ConnectFate::Failed(error, trip);
                    self.past_connects.push(record);
                    if let ConnectError::NotStarted { .. } = error {
                        self.refused = now;
                    }
                }
            }
            Event::NeighbourGone { .. } => {}
        }
    }

    /// What the system still keeps when nothing is open any more.
    pub fn left_over(&self) -> Option<String> {
        let (echoes, connects) = (self.echoes.len(), self.connects.len());
        (echoes + connects > 0).then(|| format!("{echoes} echo probes, {connects} connects left"))
    }

    // --- what a completion may say --------------------------------------------------------------

    /// Why the completion of an echo job cannot be true; `ended` says that its pool was cancelled.
    pub fn check_echo(
        &self,
        completion: &Completion,
        pool: usize,
        schedule: &Schedule,
        ended: bool,
    ) -> Option<String> {
        let address = completion.address?;
        let found = |record: &EchoRecord| record.address == address && record.pool == pool;
        let mut reasons = Vec::new();
        let past = self.past.iter().map(|(_, record)| record);
        for record in past.chain(self.echoes.values()).filter(|record| found(record)) {
            match self.contradiction(record, completion, schedule, ended) {
                None => return None,
                Some(reason) => reasons.push(reason),
            }
        }
        let nothing_sent = completion.statistics.sent == 0;
        let may_lack_record = match completion.outcome {
            Outcome::Stopped => ended,
            Outcome::Failed => self.defects > 0,
            _ => false,
        };
        if nothing_sent && may_lack_record {
            return None;
        }
        Some(format!("{completion:?}: {reasons:?}"))
    }

    fn contradiction(
        &self,
        record: &EchoRecord,
        completion: &Completion,
        schedule: &Schedule,
        ended: bool,
    ) -> Option<String> {
        let last_batch = record.closed.map_or(u64::MAX, |closed| closed.0);
        let mut certain = record.delivered.iter().take_while(|it| it.batch < last_batch).count();
        if !schedule.statistics {
            // The first reply ends it, also where a turn has several batches, between its connects.
            let is_reply = |it: &Delivered| matches!(it.event, Event::Reply { .. });
            let first = record.delivered.iter().position(is_reply);
            certain = certain.min(first.map_or(certain, |first| first + 1));
        }
        let mut reason = None;
        // Events of the batch in which it ended may have come before or after its end.
        for heard in certain..=record.delivered.len() {
            let told = &record.delivered[..heard];
            match self.contradiction_of(record, told, completion, schedule, ended) {
                None => return None,
                other => reason = other,
            }
        }
        reason
    }

    fn contradiction_of(
        &self,
        record: &EchoRecord,
        told: &[Delivered],
        completion: &Completion,
        schedule: &Schedule,
        ended: bool,
    ) -> Option<String> {
        if record.by_defect && completion.outcome == Outcome::Failed {
            return None;
        }
        let truth = statistics(record, told);
        let statistics = &completion.statistics;
        let family = record.address.family().index();
        let spans = |sent: &Sent| {
            let end = sent.at.saturating_add(schedule.reply_timeout);
            let is_in =
                |&(of, at, _): &(usize, u64, Detail)| of == family && sent.at <= at && at <= end;
            self.voids.iter().any(is_in)
        };
        let may_be_void = self.voids.iter().any(|(of, ..)| *of == family);
        let unanswered = truth.sent - truth.received;
        let least_sent = if may_be_void { truth.sent - unanswered } else { truth.sent };
        if !(least_sent..=truth.sent).contains(&statistics.sent) {
            return Some(format!("{} were sent", truth.sent));
        }
        let counted = Statistics { sent: statistics.sent, ..truth };
        let close = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => one.abs_diff(other) <= 1,
            (one, other) => one == other,
        };
        let is_true = counted.received == statistics.received
            && counted.duplicates == statistics.duplicates
            && close(counted.last, statistics.last)
            && close(counted.min, statistics.min)
            && close(counted.mean, statistics.mean)
            && close(counted.max, statistics.max);
        if !is_true {
            return Some(format!("the truth is {truth:?}"));
        }
        let heard = |matches: &dyn Fn(&Event) -> bool| told.iter().any(|it| matches(&it.event));
        let is_true = match completion.outcome {
            Outcome::Success => truth.received > 0 && self.tells_who(completion, told),
            _ if truth.received > 0 && completion.outcome != Outcome::Stopped => false,
            Outcome::Stopped => ended,
            Outcome::TimedOut => {
                let clean = record.sent.iter().filter(|sent| !spans(sent)).count();
                let said_so = heard(&|event| match event {
                    Event::NeighbourFailed { .. } | Event::LocalError { .. } => true,
                    Event::IcmpError { outcome, .. } => *outcome != Outcome::SourceQuench,
                    _ => false,
                });
                clean >= usize::from(schedule.count) && record.failure.is_none() && !said_so
            }
            Outcome::Unknown => {
                self.voids.iter().any(|(of, _, cause)| *of == family && *cause == completion.detail)
            }
            Outcome::NoResources => {
                record.refusals.contains(&completion.os_error)
                    && statistics.sent < u32::from(schedule.count)
            }
            Outcome::SourceQuench => false,
            outcome => {
                let told_so = heard(&|event| match *event {
                    Event::IcmpError { outcome: told, .. } => told == outcome,
                    Event::LocalError { outcome: told, .. } => told == outcome,
                    Event::NeighbourFailed { .. } => outcome == Outcome::DestinationHostUnreachable,
                    _ => false,
                });
                told_so || record.failure == Some((outcome, completion.os_error))
            }
        };
        (!is_true).then(|| {
            format!("the outcome has no ground: {:?}, voids {:?}", record.sent, self.voids)
        })
    }

    /// The detail of a success says who answered, and only where it was another.
    fn tells_who(&self, completion: &Completion, told: &[Delivered]) -> bool {
        told.iter().any(|it| match it.event {
            Event::Reply { from: Some(from), .. } if Some(from) != completion.address => {
                completion.detail == Detail::AnsweredFrom { from }
            }
            Event::Reply { .. } => completion.detail == Detail::None,
            _ => false,
        })
    }
}

/// What was delivered comes to this.
fn statistics(record: &EchoRecord, told: &[Delivered]) -> Statistics {
    let mut sent_at: Vec<u64> = record.sent.iter().map(|sent| sent.at).collect();
    for delivered in told {
        if let Event::Stamped { transmission, at, .. } = delivered.event {
            if let Some(sent) = sent_at.get_mut(usize::from(transmission)) {
                *sent = at.as_nanos();
            }
        }
    }
    let mut trips: Vec<Option<u64>> = vec![None; sent_at.len()];
    let (mut duplicates, mut last) = (0, None);
    for delivered in told {
        if let Event::Reply { transmission, received, .. } = delivered.event {
            let place = usize::from(transmission);
            if trips[place].is_some() {
                duplicates += 1;
                continue;
            }
            let trip = received.as_nanos().saturating_sub(sent_at[place]);
            trips[place] = Some(trip);
            last = Some(trip);
        }
    }
    let known: Vec<u64> = trips.into_iter().flatten().collect();
    let mean = known.iter().sum::<u64>().checked_div(known.len() as u64);
    Statistics {
        sent: sent_at.len() as u32,
        received: known.len() as u32,
        duplicates: Some(duplicates),
        last,
        min: known.iter().min().copied(),
        mean,
        max: known.iter().max().copied(),
        deviation: None,
    }
}
