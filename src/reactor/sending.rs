//! What the reactor sends: retries before first attempts, pool after pool, each as far as its rate,
//! its caller and the windows allow.

use super::engine::{
    family_index, Engine, Lookup, Machine, OpenProbe, Reverse, ShareKey, CONNECT_WINDOW,
    LOOKUP_WINDOW, ON_LINK_WINDOW,
};
use super::feed::{Job, Source};
use super::Command;
use crate::address::Address;
use crate::clock::{Time, MILLISECOND};
use crate::outcome::{Detail, Outcome};
use crate::probe::connect::ConnectProbe;
use crate::probe::echo::{EchoProbe, MAX_REPEATS};
use crate::probe::{Kind, Schedule, Step};
use crate::resolve;
use crate::sys::{ConnectError, EchoRequest, OpenError, SendResult};
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Echo requests in one turn. One time is taken for all of them, so fewer go together where the
/// latency is what is asked for or where the rate leaves time.
const BATCH: usize = 128;
const BATCH_PACED: usize = 32;
const BATCH_STATISTICS: usize = 8;
/// Connects begun in one turn, so that replies are not kept waiting.
const CONNECT_BATCH: usize = 64;
/// The longest pause before what could not leave is tried again, in milliseconds.
const LONGEST_BACKOFF: u16 = 64;

impl Engine {
    /// Sends what may be sent now; true if there is more of it.
    pub(super) fn send(&mut self) -> bool {
        let count = self.members.len();
        let mut more = false;
        for offset in 0..count {
            let member = (self.first_member + offset) % count;
            more |= self.serve(member);
        }
        self.first_member = if count == 0 { 0 } else { (self.first_member + 1) % count };
        self.flush();
        more || !self.batch.is_empty()
    }

    /// One pool's part of the turn; true if it has more to send at once.
    fn serve(&mut self, index: usize) -> bool {
        self.begin_lookups(index);
        let mut limit = BATCH;
        let mut connects = 0;
        while self.batch.len() < limit && connects < CONNECT_BATCH {
            let member = match &mut self.members[index] {
                Some(member) => member,
                None => return false,
            };
            let packets = member.bucket.available(self.now);
            if packets < u64::MAX {
                limit = limit.min(BATCH_PACED);
            }
            if packets > 0 {
                if let Some(id) = member.retries.pop_front() {
                    if let Some((slot, _)) = self.probes.find(id) {
                        self.step(slot);
                    }
                    continue;
                }
            }
            if member.link.is_backed_up() {
                return false;
            }
            let window_open = self.on_link_open < ON_LINK_WINDOW;
            match member.feed.kind_of_next(window_open) {
                None => return false,
                Some(Kind::Echo) if packets == 0 => return false,
                Some(Kind::Connect { .. })
                    if self.connects >= CONNECT_WINDOW || self.connects_from > self.now =>
                {
                    return false
                }
                Some(_) => {}
            }
            let job = match member.feed.next_job(&self.on_link, window_open) {
                Some(job) => job,
                // Everything looked at was set aside; there may be more behind it.
                None => return member.feed.has_jobs(false),
            };
            if job.target.begins_with_probe() {
                member.link.begun.fetch_add(1, Ordering::Relaxed);
                if job.index + 1 == job.target.jobs() {
                    member.link.target_left();
                }
            }
            if job.target.options.schedule.statistics {
                limit = limit.min(BATCH_STATISTICS);
            }
            match job.target.options.kind {
                Kind::Echo => self.begin_echo(index, job),
                Kind::Connect { .. } => {
                    connects += 1;
                    self.begin_connect(index, job);
                }
            }
        }
        true
    }

    fn begin_echo(&mut self, member: usize, job: Job) {
        let key = ShareKey::new(member, &job.target, job.address);
        if let Some(slot) = self.shared.get(&key) {
            if let Some(probe) = self.probes.get_mut(*slot) {
                probe.sharers.push((job.target, job.index));
                return;
            }
        }
        let refused = self.echo_socket(job.address);
        let mut machine = EchoProbe::default();
        if let Err(error) = refused {
            let (outcome, os_error) = match error {
                OpenError::NotPermitted => (Outcome::PermissionDenied, 0),
                OpenError::Failed(os_error) => (Outcome::Failed, os_error),
            };
            machine.failed(outcome, os_error, Detail::System);
        }
        let slot = self.open(member, job, Machine::Echo(machine));
        self.shared.insert(key, slot);
        self.step(slot);
    }

    /// Whether echo requests can be sent to this address's family at all.
    fn echo_socket(&mut self, address: Address) -> Result<(), OpenError> {
        let index = family_index(address.family());
        if let Some(known) = self.echo_sockets[index] {
            return known;
        }
        let opened = self.network.ensure_echo(address.family());
        self.echo_sockets[index] = Some(opened);
        opened
    }

    fn begin_connect(&mut self, member: usize, job: Job) {
        let addresses: Arc<[Address]> = match &job.target.source {
            Source::Host(addresses, _) => Arc::clone(addresses),
            _ => Arc::new([job.address]),
        };
        let machine = Machine::Connect(Box::new(ConnectProbe::new(addresses)));
        let slot = self.open(member, job, machine);
        self.step(slot);
    }

    fn open(&mut self, member: usize, job: Job, machine: Machine) -> u32 {
        self.on_link_open += usize::from(job.on_link);
        // Names come with the first port of an address.
        let ports = job.target.options.jobs_per_address();
        let wants_reverse = job.target.options.resolve
            && matches!(job.target.source, Source::Span(_))
            && job.index % ports == 0;
        let slot = self.probes.insert(OpenProbe {
            member,
            target: job.target,
            index: job.index,
            address: job.address,
            on_link: job.on_link,
            registered: false,
            begun: self.now,
            ttl: None,
            machine,
            sharers: Vec::new(),
            reverse: if wants_reverse { Reverse::Open } else { Reverse::NotWanted },
            verdict: None,
            backoff: 0,
        });
        if wants_reverse {
            if let Some(Some(member)) = self.members.get_mut(member) {
                member.lookups += 1;
            }
            let (id, mailbox) = (self.probes.id(slot, 0), Arc::clone(&self.mailbox));
            resolve::reverse(
                job.address,
                Box::new(move |name| mailbox.send(Command::Reversed(id, name))),
            );
        }
        slot
    }

    /// Asks the probe what to do now, and does it.
    pub(super) fn step(&mut self, slot: u32) {
        let probe = match self.probes.get_mut(slot) {
            Some(probe) if probe.verdict.is_none() => probe,
            _ => return,
        };
        let schedule = probe.target.options.schedule;
        let is_echo = matches!(probe.machine, Machine::Echo(_));
        let step = match &mut probe.machine {
            Machine::Echo(echo) => {
                echo.next(&schedule, self.now, self.overflows[family_index(probe.address.family())])
            }
            Machine::Connect(connect) => {
                self.address_indexes.clear();
                connect.next(&schedule, self.now, &mut self.address_indexes)
            }
        };
        if !is_echo {
            self.cancel_connects(slot);
        }
        match step {
            Step::Wait(until) => self.timers.set(slot, until),
            Step::Done => self.settle(slot),
            Step::Start(number) if is_echo => self.queue_echo(slot, number),
            Step::Start(number) => self.start_connect(slot, number),
        }
    }

    /// Puts a transmission into the batch; where the pool's rate or the batch leaves no room, the
    /// probe waits in the pool's line.
    fn queue_echo(&mut self, slot: u32, transmission: u16) {
        let id = self.probes.id(slot, 0);
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        if !probe.registered {
            let transmissions = probe.target.options.schedule.count + MAX_REPEATS;
            probe.registered = self.network.open_echo(id, probe.address, transmissions);
        }
        if !probe.registered {
            // Other open probes have all sequences of this address: wait until one has ended.
            if let Machine::Echo(echo) = &mut probe.machine {
                echo.not_sent();
            }
            return self.back_off(slot);
        }
        if self.batch.len() >= BATCH || member.bucket.available(self.now) == 0 {
            if let Machine::Echo(echo) = &mut probe.machine {
                echo.not_sent();
            }
            member.retries.push_back(id);
            self.timers.cancel(slot);
            return;
        }
        member.bucket.take(self.now);
        self.batch.push(EchoRequest {
            id,
            to: probe.address,
            transmission,
            size: probe.target.options.payload_size,
            hops: probe.target.options.hops,
            lifetime_ms: lifetime_ms(&probe.target.options.schedule, transmission),
        });
    }

    /// Sends the batch and tells each probe what became of its transmission. A probe that is behind
    /// its schedule puts its next one into the batch that follows.
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        std::mem::swap(&mut self.batch, &mut self.sending);
        self.results.clear();
        let sent_at = self.network.send_echoes(&self.sending, &mut self.results);
        for position in 0..self.sending.len() {
            // A probe that was ended after it had queued a transmission is not there any more.
            if let Some((slot, _)) = self.probes.find(self.sending[position].id) {
                self.left(slot, sent_at, self.results[position]);
            }
        }
        self.sending.clear();
    }

    fn left(&mut self, slot: u32, sent_at: Time, result: SendResult) {
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let schedule = probe.target.options.schedule;
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        let echo = match &mut probe.machine {
            Machine::Echo(echo) => echo,
            Machine::Connect(_) => return,
        };
        match result {
            SendResult::Sent => {
                probe.backoff = 0;
                member.link.packets_sent.fetch_add(1, Ordering::Relaxed);
                let overflows = self.overflows[family_index(probe.address.family())];
                echo.sent(&schedule, sent_at, overflows);
                self.step(slot);
            }
            SendResult::NotSent => {
                echo.not_sent();
                member.link.packets_not_sent.fetch_add(1, Ordering::Relaxed);
                member.bucket.give_back();
                self.back_off(slot);
            }
            SendResult::Failed { outcome, os_error } => {
                member.bucket.give_back();
                echo.failed(outcome, os_error, Detail::LocalRoute);
                self.settle(slot);
            }
        }
    }

    /// Tries again after a pause that doubles each time.
    pub(super) fn back_off(&mut self, slot: u32) {
        if let Some(probe) = self.probes.get_mut(slot) {
            probe.backoff = (probe.backoff * 2).clamp(1, LONGEST_BACKOFF);
            let pause = u64::from(probe.backoff) * MILLISECOND;
            self.timers.set(slot, self.now.plus_nanos(pause));
        }
    }

    fn start_connect(&mut self, slot: u32, number: u16) {
        let id = self.probes.id(slot, number);
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let port = probe.target.port(probe.index);
        let connect = match &mut probe.machine {
            Machine::Connect(connect) => connect,
            Machine::Echo(_) => return,
        };
        let address = connect.addresses()[usize::from(number)];
        let begun = Time::now();
        match self.network.connect(id, address, port) {
            Ok(()) => {
                probe.backoff = 0;
                connect.started(begun);
                self.connects += 1;
                self.step(slot);
            }
            Err(ConnectError::NotStarted) => {
                connect.not_started();
                self.connects_from = self.now.plus_nanos(MILLISECOND);
                self.back_off(slot);
            }
            Err(error) => {
                connect.ended_at_once(begun, error);
                self.step(slot);
            }
        }
    }

    /// Cancels the connects whose address indexes were left in `address_indexes`.
    pub(super) fn cancel_connects(&mut self, slot: u32) {
        while let Some(number) = self.address_indexes.pop() {
            self.network.cancel_connect(self.probes.id(slot, number));
            self.connects -= 1;
        }
    }

    fn begin_lookups(&mut self, index: usize) {
        loop {
            let member = match &mut self.members[index] {
                Some(member) => member,
                None => return,
            };
            if member.lookups >= LOOKUP_WINDOW || member.link.is_backed_up() {
                return;
            }
            let run = match member.feed.next_name() {
                Some(run) => run,
                None => return,
            };
            let name = match &run.target.source {
                Source::Name(name) => Arc::clone(name),
                _ => continue,
            };
            member.lookups += 1;
            member.link.begun.fetch_add(run.end - run.next, Ordering::Relaxed);
            member.link.target_left();
            let options = Arc::clone(&run.target.options);
            let slot = self.lookups.insert(Lookup { member: index, run, begun: self.now });
            let (id, mailbox) = (self.lookups.id(slot, 0), Arc::clone(&self.mailbox));
            resolve::forward(
                name,
                options.family,
                options.resolve,
                Box::new(move |answer| mailbox.send(Command::Resolved(id, answer))),
            );
        }
    }
}

/// Rounded up. A repeat after an overflow counts as the last attempt.
fn lifetime_ms(schedule: &Schedule, transmission: u16) -> u32 {
    let attempt = transmission.min(schedule.count - 1);
    u32::try_from(schedule.lifetime(attempt) / MILLISECOND + 1).unwrap_or(u32::MAX)
}
