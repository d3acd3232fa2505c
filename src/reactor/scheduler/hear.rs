//! What came from the network and from the resolver: each event finds its probe or look-up by name
//! and generation, or nothing.

use super::ending::Rest;
use super::fault::Fault;
use super::feed::{JobRange, Source, Target};
use super::{Lookup, Machine, Reverse, Scheduler};
use crate::address::Address;
use crate::clock::Time;
use crate::outcome::{ConnectError, Detail, Names, Outcome};
use crate::probe::echo::EchoProbe;
use crate::probe::Schedule;
use crate::resolve::Answer;
use crate::sys::{Event, ProbeId, RoundTrip};
use crate::targets::is_host;
use std::sync::Arc;

impl Scheduler {
    /// One event of the network.
    pub fn hear(&mut self, event: Event) {
        match event {
            Event::Reply { id, transmission, received, ttl, from } => {
                let now = self.now;
                let drops_others = self.has(Fault::OtherAddressDropped);
                let slot = self.with_echo(id, |asked, schedule, echo| {
                    let other = from.filter(|from| from != asked);
                    if other.is_none() || !drops_others {
                        echo.reply(schedule, transmission, received, other, now);
                    }
                });
                if let Some(slot) = slot {
                    if let Some(probe) = self.probes.get_mut(slot) {
                        probe.ttl = ttl;
                    }
                    self.neighbour_found(slot);
                    self.step(slot);
                } else {
                    self.strays += 1;
                }
            }
            Event::Stamped { id, transmission, at } => {
                self.with_echo(id, |_, _, echo| echo.stamped(transmission, at));
            }
            // RFC 6633, section 4: to be ignored.
            Event::IcmpError { outcome: Outcome::SourceQuench, .. }
                if !self.has(Fault::SourceQuenchEnds) => {}
            Event::IcmpError { id, transmission, outcome, from, kind, code, proven } => {
                let detail = Detail::IcmpFrom { from, kind, code };
                let slot = self.with_echo(id, |_, _, echo| {
                    echo.icmp_error(transmission, outcome, detail, proven);
                });
                self.step_some(slot);
            }
            Event::LocalError { id, outcome, os_error } => {
                let slot = self.with_echo(id, |_, _, echo| {
                    echo.failed(outcome, os_error, Detail::LocalRoute);
                });
                self.step_some(slot);
            }
            Event::NeighbourFailed { id } => {
                if self.has(Fault::DeadNeighbourKeepsPlace) {
                    return;
                }
                let slot = self.with_echo(id, |_, _, echo| echo.neighbour_failed());
                self.step_some(slot);
            }
            Event::NeighbourGone { address } => {
                if !self.has(Fault::DeadNeighbourKeepsPlace) {
                    self.neighbours.give_back(&address);
                }
            }
            Event::Connected { id, at, round_trip } => self.connected(id, at, round_trip),
            Event::ConnectFailed { id, at, error, round_trip } => {
                self.connect_failed(id, at, error, round_trip);
            }
        }
    }

    /// The open echo probe of that name, if it is still open.
    fn with_echo(
        &mut self,
        id: ProbeId,
        tell: impl FnOnce(&Address, &Schedule, &mut EchoProbe),
    ) -> Option<u32> {
        let slot = self.probes.find(id)?;
        let probe = self.probes.get_mut(slot).filter(|probe| probe.verdict.is_none())?;
        match &mut probe.machine {
            Machine::Echo(echo) => tell(&probe.address, &probe.target.options.schedule, echo),
            Machine::Connect(_) => return None,
        }
        Some(slot)
    }

    fn step_some(&mut self, slot: Option<u32>) {
        if let Some(slot) = slot {
            self.step(slot);
        }
    }

    /// The probe's neighbour has answered: the system knows it.
    fn neighbour_found(&mut self, slot: u32) {
        if let Some(probe) = self.probes.get_mut(slot) {
            if std::mem::take(&mut probe.on_link) {
                self.neighbours.give_back(&probe.address);
            }
        }
    }

    fn connected(&mut self, id: ProbeId, at: Time, round_trip: RoundTrip) {
        let (slot, number) = match self.forget_flight(id) {
            Some(found) => found,
            None => return,
        };
        self.address_indexes.clear();
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if let Machine::Connect(connecting) = &mut probe.machine {
            let schedule = probe.target.options.schedule;
            let measured = match round_trip {
                RoundTrip::Measured(nanos) => Some(nanos),
                RoundTrip::BySight | RoundTrip::Unknown => None,
            };
            let unwanted = &mut self.address_indexes;
            connecting.probe.connected(&schedule, number, at, measured, unwanted);
            self.cancel_connects(slot);
            self.neighbour_found(slot);
            self.step(slot);
        }
    }

    fn connect_failed(
        &mut self,
        id: ProbeId,
        at: Time,
        error: ConnectError,
        round_trip: RoundTrip,
    ) {
        let (slot, number) = match self.forget_flight(id) {
            Some(found) => found,
            None => return,
        };
        let now = self.now;
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let member = probe.member;
        if let Machine::Connect(connecting) = &mut probe.machine {
            connecting.probe.failed(number, at, error, |by_sight| match round_trip {
                RoundTrip::Measured(nanos) => Some(nanos),
                RoundTrip::BySight => Some(by_sight),
                RoundTrip::Unknown => None,
            });
            if let ConnectError::NotStarted { .. } = error {
                if let Some(member) = self.member(member) {
                    member.progress.not_sent += 1;
                    member.connects_pause.extend(now);
                }
            }
            if error == ConnectError::Refused {
                self.neighbour_found(slot);
            }
            self.step(slot);
        }
    }

    // --- names ------------------------------------------------------------------------------

    /// The answer to a look-up of a name.
    pub fn resolved(&mut self, id: ProbeId, answer: &Answer) {
        let lookup = match self.lookups.find(id).and_then(|slot| self.lookups.remove(slot)) {
            Some(lookup) => lookup,
            None => return,
        };
        let (outcome, code) = match answer {
            Answer::Found(found) if !found.addresses.is_empty() => {
                return self.resolved_to(lookup, &found.addresses, found.canonical.as_deref())
            }
            Answer::Found(_) => (Outcome::NameNotFound, 0),
            Answer::NotFound(code) => (Outcome::NameNotFound, *code),
            Answer::TimedOut(code) => (Outcome::NameLookupTimedOut, *code),
            Answer::Failed(code) => (Outcome::Failed, *code),
        };
        self.end_lookup(lookup, outcome, code);
    }

    fn resolved_to(&mut self, lookup: Lookup, found: &[Address], canonical: Option<&str>) {
        // A name may stand for what no host can have, 0.0.0.0 for example.
        let addresses: Vec<Address> = found.iter().copied().filter(is_host).collect();
        if addresses.is_empty() {
            return self.end_lookup(lookup, Outcome::BadDestination, 0);
        }
        let options = Arc::clone(&lookup.range.target.options);
        let names = options.resolve.then(|| {
            Box::new(Names {
                host_name: canonical.map(str::to_owned),
                addresses: addresses.clone(),
            })
        });
        let target = Target {
            user_data: lookup.range.target.user_data,
            options,
            source: Source::Host(addresses.into(), names),
        };
        if let Some(member) = self.member(lookup.member) {
            member.forward -= 1;
            let JobRange { next, end, .. } = lookup.range;
            member.feed.push_resolved(JobRange { target: Arc::new(target), next, end });
        }
    }

    /// Every job of a name that has no address, or that is no longer looked up, has ended.
    pub(super) fn end_lookup(&mut self, lookup: Lookup, outcome: Outcome, code: i32) {
        let duration = self.now.nanos_since(lookup.begun);
        if let Some(member) = self.member(lookup.member) {
            member.forward -= 1;
            let detail = match outcome {
                Outcome::Stopped => Detail::None,
                _ => Detail::Resolver,
            };
            let range = lookup.range;
            member.rests.push_back(Rest { range, outcome, os_error: code, detail, duration });
        }
    }

    /// The answer to a look-up of an address.
    pub fn reversed(&mut self, id: ProbeId, name: Option<Arc<str>>) {
        let slot = match self.probes.find(id) {
            Some(slot) => slot,
            None => return,
        };
        let probe = match self.probes.get_mut(slot) {
            Some(probe) if matches!(probe.reverse, Reverse::Open) => probe,
            _ => return,
        };
        probe.reverse = Reverse::Answered(name);
        let (member, has_ended) = (probe.member, probe.verdict.is_some());
        if let Some(member) = self.member(member) {
            member.reverse -= 1;
        }
        if has_ended {
            self.answer(slot);
        }
    }
}
