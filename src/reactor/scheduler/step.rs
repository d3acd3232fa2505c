//! Open probes: each is asked what it does next, its request or connect is handed out, and it is
//! told what the system made of that.

use super::action::ConnectRequest;
use super::fault::Fault;
use super::{Flight, Machine, Scheduler, Standing};
use crate::clock::{Time, MILLISECOND};
use crate::outcome::{ConnectError, Detail, Outcome};
use crate::probe::{Schedule, Step, MAX_REPEATS};
use crate::sys::{EchoRequest, OpenError, ProbeId, SendResult, BATCH};

/// The longest pause before one request that could not leave is tried again, in milliseconds.
const LONGEST_BACKOFF: u16 = 64;

impl Scheduler {
    /// Steps the probes whose timers are due, as many as belong into one turn; only after all that
    /// has come was heard, and the numbers of overflows read.
    pub fn expire(&mut self) {
        for voids in self.echo_voids.iter_mut().chain([&mut self.connect_voids]) {
            voids.until = self.now;
        }
        if self.due.is_empty() {
            self.timers.expire(self.now, &mut self.expired);
            self.due.extend(self.expired.drain(..));
        }
        for _ in 0..self.limits.slice {
            match self.due.pop_front() {
                Some(slot) => self.step(slot),
                None => break,
            }
        }
    }

    /// Asks the probe what to do now, and does it.
    pub(super) fn step(&mut self, slot: u32) {
        let now = self.now;
        let probe = match self.probes.get_mut(slot) {
            Some(probe) if probe.verdict.is_none() => probe,
            _ => return,
        };
        match &self.members[probe.member] {
            Some(member) if member.standing == Standing::Open => {}
            _ => return self.stop(slot),
        }
        let schedule = probe.target.options.schedule;
        let (step, is_echo) = match &mut probe.machine {
            Machine::Echo(echo) => {
                let voids = self.echo_voids[probe.address.family().index()];
                (echo.next(&schedule, now, voids), true)
            }
            Machine::Connect(connecting) => {
                let expired = &mut self.address_indexes;
                (connecting.probe.next(&schedule, now, self.connect_voids, expired), false)
            }
        };
        self.cancel_connects(slot);
        match step {
            Step::Wait(until) => self.timers.set(slot, until),
            Step::Done => self.conclude(slot),
            Step::Start(number) if is_echo => self.hand_out_request(slot, number),
            Step::Start(number) => self.hand_out_connect(slot, number),
        }
    }

    /// Puts a transmission into the batch; where the pool's rate or the batch leaves no room, or no
    /// turn is being planned, the probe waits in the pool's line.
    fn hand_out_request(&mut self, slot: u32, transmission: u16) {
        let id = self.probes.id(slot);
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        let options = &probe.target.options;
        let echo = match &mut probe.machine {
            Machine::Echo(echo) => echo,
            Machine::Connect(_) => return,
        };
        if !self.planning
            || self.actions.requests.len() >= BATCH
            || member.bucket.available(self.now) == 0
            || member.requests_pause.until > self.now
        {
            echo.waits();
            if !probe.queued {
                probe.queued = true;
                member.requests_due.push_back(id);
            }
            return self.timers.set(slot, echo.deadline(&options.schedule));
        }
        member.bucket.take(self.now);
        probe.known = true;
        self.actions.requests.push(EchoRequest {
            id,
            to: probe.address,
            transmission,
            transmissions: options.schedule.count + MAX_REPEATS,
            stamped: options.schedule.statistics || member.bucket.is_limited(),
            size: options.payload_size,
            hops: options.hops,
            lifetime_ms: lifetime_ms(&options.schedule, transmission),
        });
    }

    /// What became of a request that was handed out.
    pub fn sent(&mut self, id: ProbeId, result: SendResult) {
        // A probe that was ended after it had been handed out is not there any more.
        let slot = match self.probes.find(id) {
            Some(slot) => slot,
            None => return,
        };
        let now = self.now;
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let schedule = probe.target.options.schedule;
        let family = probe.address.family().index();
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        let echo = match &mut probe.machine {
            Machine::Echo(echo) => echo,
            Machine::Connect(_) => return,
        };
        #[cfg(feature = "faults")]
        let result = {
            let kept = &mut self.faults.no_socket[family];
            if let (SendResult::NoSocket(error), None) = (result, *kept) {
                *kept = Some(error);
            }
            match *kept {
                Some(error) if self.faults.fault == Some(Fault::SocketFailureKept) => {
                    SendResult::NoSocket(OpenError::Failed(match error {
                        OpenError::NoResources(number) | OpenError::Failed(number) => number,
                        OpenError::NotPermitted => 0,
                    }))
                }
                _ => result,
            }
        };
        match result {
            SendResult::Sent { at } => {
                probe.backoff = 0;
                member.requests_pause.milliseconds = 0;
                member.progress.packets_sent += 1;
                if probe.on_link {
                    self.neighbours.ask(probe.address, now);
                }
                echo.sent(&schedule, at, self.echo_voids[family]);
                self.step(slot);
            }
            SendResult::NotSent { os_error } => {
                member.progress.not_sent += 1;
                member.bucket.give_back();
                echo.not_sent(now, os_error);
                probe.backoff = (probe.backoff * 2).clamp(1, LONGEST_BACKOFF);
                let pause = now.plus_nanos(u64::from(probe.backoff) * MILLISECOND);
                let until = pause.min(echo.deadline(&schedule));
                self.timers.set(slot, until);
                self.never_lapse(slot);
            }
            SendResult::NoSocket(OpenError::NoResources(os_error)) => {
                member.progress.not_sent += 1;
                member.bucket.give_back();
                member.requests_pause.extend(now);
                echo.not_sent(now, os_error);
                if !probe.queued {
                    probe.queued = true;
                    member.requests_due.push_back(id);
                }
                self.timers.set(slot, echo.deadline(&schedule));
                self.never_lapse(slot);
            }
            SendResult::NoSocket(error) => {
                member.bucket.give_back();
                let (outcome, os_error) = match error {
                    OpenError::NotPermitted => (Outcome::PermissionDenied, 0),
                    OpenError::NoResources(os_error) | OpenError::Failed(os_error) => {
                        (Outcome::Failed, os_error)
                    }
                };
                echo.failed(outcome, os_error, Detail::System);
                self.conclude(slot);
            }
            SendResult::Failed { outcome, os_error } => {
                member.bucket.give_back();
                echo.failed(outcome, os_error, Detail::LocalRoute);
                self.conclude(slot);
            }
        }
    }

    /// The fault of trying for ever, put back.
    fn never_lapse(&mut self, slot: u32) {
        if self.has(Fault::NotBegunForEver) {
            if let Some(probe) = self.probes.get_mut(slot) {
                if let Machine::Echo(echo) = &mut probe.machine {
                    echo.forget_refusal();
                }
                if let Machine::Connect(connecting) = &mut probe.machine {
                    connecting.probe.forget_refusal();
                }
                let until = self.now.plus_nanos(u64::from(LONGEST_BACKOFF) * MILLISECOND);
                self.timers.set(slot, until);
            }
        }
    }

    fn hand_out_connect(&mut self, slot: u32, number: u16) {
        let id = self.probes.id(slot);
        let must_wait = (!self.planning || self.flights.len() >= self.limits.connects)
            && !(number > 0 && self.has(Fault::FallbackOutsideWindow));
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        let port = probe.target.port(probe.index);
        let connecting = match &mut probe.machine {
            Machine::Connect(connecting) => connecting,
            Machine::Echo(_) => return,
        };
        if must_wait || member.connects_pause.until > self.now {
            connecting.probe.waits();
            if !probe.queued {
                probe.queued = true;
                member.connects_due.push_back(id);
            }
            let deadline = connecting.probe.deadline(&probe.target.options.schedule);
            return self.timers.set(slot, deadline);
        }
        let address = connecting.probe.addresses()[usize::from(number)];
        let flight = self.flights.insert(Flight { probe: slot, address: number });
        let flight = self.flights.id(flight);
        connecting.flights.push((number, flight));
        self.actions.connects.push(ConnectRequest { id: flight, address, port });
    }

    /// What became of a connect that was handed out: begun at `at`, and by `ended` under way or over.
    pub fn connect_begun(
        &mut self,
        id: ProbeId,
        at: Time,
        ended: Time,
        result: Result<(), ConnectError>,
    ) {
        self.now = self.now.max(ended);
        let (now, voids) = (self.now, self.connect_voids);
        let slot = match self.flights.find(id).and_then(|flight| self.flights.get(flight)) {
            Some(flight) => flight.probe,
            None => return,
        };
        if result.is_err() {
            self.forget_flight(id);
        }
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let schedule = probe.target.options.schedule;
        let member = match &mut self.members[probe.member] {
            Some(member) => member,
            None => return,
        };
        let connect = match &mut probe.machine {
            Machine::Connect(connecting) => &mut connecting.probe,
            Machine::Echo(_) => return,
        };
        match result {
            Ok(()) => {
                member.connects_pause.milliseconds = 0;
                connect.started(at, voids);
                self.step(slot);
            }
            Err(ConnectError::NotStarted { os_error }) => {
                member.progress.not_sent += 1;
                member.connects_pause.extend(now);
                connect.not_started(now, os_error);
                if !probe.queued {
                    probe.queued = true;
                    member.connects_due.push_back(self.probes.id(slot));
                }
                if let Some(probe) = self.probes.get_mut(slot) {
                    if let Machine::Connect(connecting) = &probe.machine {
                        self.timers.set(slot, connecting.probe.deadline(&schedule));
                    }
                }
                self.never_lapse(slot);
            }
            Err(error) => {
                connect.ended_at_once(at, ended, error);
                self.step(slot);
            }
        }
    }

    /// A connect is over: its place in the window is free. The slot of its probe and the number of
    /// its address, if it was under way.
    pub(super) fn forget_flight(&mut self, id: ProbeId) -> Option<(u32, u16)> {
        let flight = self.flights.find(id)?;
        let Flight { probe, address } = self.flights.remove(flight)?;
        if let Some(open) = self.probes.get_mut(probe) {
            if let Machine::Connect(connecting) = &mut open.machine {
                connecting.flights.retain(|(_, flight)| *flight != id);
            }
        }
        Some((probe, address))
    }

    /// Cancels the connects whose address indexes were left in `address_indexes`.
    pub(super) fn cancel_connects(&mut self, slot: u32) {
        while let Some(number) = self.address_indexes.pop() {
            let probe = self.probes.get(slot);
            let flight = probe.and_then(|probe| match &probe.machine {
                Machine::Connect(connecting) => {
                    connecting.flights.iter().find(|flight| flight.0 == number).map(|it| it.1)
                }
                Machine::Echo(_) => None,
            });
            if let Some(id) = flight {
                self.forget_flight(id);
                let before = self.actions.connects.len();
                self.actions.connects.retain(|connect| connect.id != id);
                if self.actions.connects.len() == before {
                    self.actions.cancels.push(id);
                }
            }
        }
    }
}

/// Rounded up. A repeat of a void attempt counts as the last attempt.
fn lifetime_ms(schedule: &Schedule, transmission: u16) -> u32 {
    let attempt = transmission.min(schedule.count - 1);
    u32::try_from(schedule.lifetime(attempt) / MILLISECOND + 1).unwrap_or(u32::MAX)
}
