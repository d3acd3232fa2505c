//! What the reactor hears, and how a probe ends: its verdict becomes the completion of its job and
//! of every job that shares it.

use super::engine::{unprobed, Engine, Lookup, Machine, OpenProbe, Reverse, ShareKey};
use super::feed::{Run, Source, Target};
use crate::address::Address;
use crate::clock::Time;
use crate::outcome::{Completion, Detail, Names, Outcome};
use crate::probe::Verdict;
use crate::resolve::Answer;
use crate::sys::{ConnectError, Event, ProbeId};
use crate::targets::is_host;
use std::sync::Arc;

impl Engine {
    pub(super) fn hear(&mut self, event: Event) {
        match event {
            Event::Reply { id, transmission, received, ttl } => {
                self.reply(id, transmission, received, ttl)
            }
            Event::IcmpError { id, transmission, outcome, from, kind, code, proven } => {
                let detail = Detail::IcmpFrom { from, kind, code };
                if let Some((slot, _)) = self.probes.find(id) {
                    if let Some(OpenProbe { machine: Machine::Echo(echo), .. }) =
                        self.probes.get_mut(slot)
                    {
                        echo.icmp_error(transmission, outcome, detail, proven);
                        self.step(slot);
                    }
                }
            }
            Event::LocalError { id, outcome, os_error } => self.local_error(id, outcome, os_error),
            Event::Connected { id, at } => self.connected(id, at),
            Event::ConnectFailed { id, at, error } => self.connect_failed(id, at, error),
        }
    }

    fn reply(&mut self, id: ProbeId, transmission: u16, received: Time, ttl: Option<u8>) {
        let slot = match self.probes.find(id) {
            Some((slot, _)) => slot,
            None => return,
        };
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if let Machine::Echo(echo) = &mut probe.machine {
            let schedule = probe.target.options.schedule;
            echo.reply(&schedule, transmission, received, self.now);
            probe.ttl = ttl;
            // The neighbour is resolved: its place in the window is free.
            if std::mem::take(&mut probe.on_link) {
                self.on_link_open -= 1;
            }
            self.step(slot);
        }
    }

    fn local_error(&mut self, id: ProbeId, outcome: Outcome, os_error: i32) {
        if let Some((slot, _)) = self.probes.find(id) {
            if let Some(OpenProbe { machine: Machine::Echo(echo), .. }) = self.probes.get_mut(slot)
            {
                echo.failed(outcome, os_error, Detail::LocalRoute);
                self.step(slot);
            }
        }
    }

    fn connected(&mut self, id: ProbeId, at: Time) {
        let (slot, number) = match self.probes.find(id) {
            Some(found) => found,
            None => return,
        };
        self.address_indexes.clear();
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if let Machine::Connect(connect) = &mut probe.machine {
            let schedule = probe.target.options.schedule;
            self.connects -= 1;
            connect.connected(&schedule, number, at, &mut self.address_indexes);
            self.cancel_connects(slot);
            self.step(slot);
        }
    }

    fn connect_failed(&mut self, id: ProbeId, at: Time, error: ConnectError) {
        let (slot, number) = match self.probes.find(id) {
            Some(found) => found,
            None => return,
        };
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if let Machine::Connect(connect) = &mut probe.machine {
            self.connects -= 1;
            connect.failed(number, at, error);
            if error == ConnectError::NotStarted {
                self.back_off(slot);
            } else {
                self.step(slot);
            }
        }
    }

    /// The probe has ended by itself: what it held is given back, and its jobs are answered, at
    /// once or when its reverse look-up is.
    pub(super) fn settle(&mut self, slot: u32) {
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        let verdict = probe.machine.verdict();
        self.end(slot, verdict);
    }

    /// The probe is ended from outside.
    pub(super) fn stop(&mut self, slot: u32) {
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if matches!(probe.reverse, Reverse::Open) {
            probe.reverse = Reverse::NotWanted;
            if let Some(Some(member)) = self.members.get_mut(probe.member) {
                member.lookups -= 1;
            }
        }
        // A probe that only waits for a name has its verdict, and it stands.
        if probe.verdict.is_some() {
            return self.finish(slot);
        }
        let verdict = probe.machine.verdict();
        let stopped = Verdict {
            outcome: Outcome::Stopped,
            os_error: 0,
            detail: Detail::None,
            address: None,
            ..verdict
        };
        self.end(slot, stopped);
    }

    fn end(&mut self, slot: u32, verdict: Verdict) {
        self.timers.cancel(slot);
        self.address_indexes.clear();
        let id = self.probes.id(slot, 0);
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if std::mem::take(&mut probe.on_link) {
            self.on_link_open -= 1;
        }
        match &probe.machine {
            Machine::Echo(_) => {
                if probe.registered {
                    self.network.close_echo(id, probe.address);
                }
                self.shared.remove(&ShareKey::new(probe.member, &probe.target, probe.address));
            }
            Machine::Connect(connect) => self.address_indexes.extend(connect.in_flight()),
        }
        probe.verdict = Some(verdict);
        let waits = matches!(probe.reverse, Reverse::Open);
        self.cancel_connects(slot);
        if !waits {
            self.finish(slot);
        }
    }

    /// Answers the probe's jobs and frees its slot.
    pub(super) fn finish(&mut self, slot: u32) {
        let probe = match self.probes.remove(slot) {
            Some(probe) => probe,
            None => return,
        };
        let verdict = match probe.verdict {
            Some(verdict) => verdict,
            None => return,
        };
        let names = match (&probe.reverse, &probe.target.source) {
            (_, Source::Host(_, names)) => names.clone(),
            (Reverse::Answered(name), _) => Some(Box::new(Names {
                host_name: name.as_deref().map(str::to_owned),
                addresses: vec![probe.address],
            })),
            _ => None,
        };
        let duration = self.now.nanos_since(probe.begun);
        let wall = self.wall;
        let completion = |target: &Target, index: u64| Completion {
            user_data: target.user_data,
            index,
            jobs: 1,
            kind: super::engine::job_kind(target),
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
            names: names.clone(),
        };
        if let Some(Some(member)) = self.members.get_mut(probe.member) {
            for (target, index) in &probe.sharers {
                member.out.push(completion(target, *index));
            }
            member.out.push(completion(&probe.target, probe.index));
        }
    }

    // --- names ------------------------------------------------------------------------------

    pub(super) fn resolved(&mut self, id: ProbeId, answer: &Answer) {
        let lookup = match self.lookups.find(id) {
            Some((slot, _)) => self.lookups.remove(slot),
            None => None,
        };
        let lookup = match lookup {
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
        self.end_lookup(&lookup, outcome, code);
    }

    fn resolved_to(&mut self, lookup: Lookup, found: &[Address], canonical: Option<&str>) {
        // A name may stand for what no host can have, 0.0.0.0 for example.
        let addresses: Vec<Address> = found.iter().copied().filter(is_host).collect();
        if addresses.is_empty() {
            return self.end_lookup(&lookup, Outcome::BadDestination, 0);
        }
        let options = Arc::clone(&lookup.run.target.options);
        let names = options.resolve.then(|| {
            Box::new(Names {
                host_name: canonical.map(str::to_owned),
                addresses: addresses.clone(),
            })
        });
        let target = Target {
            user_data: lookup.run.target.user_data,
            options,
            source: Source::Host(addresses.into(), names),
        };
        if let Some(Some(member)) = self.members.get_mut(lookup.member) {
            member.lookups -= 1;
            let Run { next, end, .. } = lookup.run;
            member.feed.push_resolved(Run { target: Arc::new(target), next, end });
        }
    }

    /// Answers every job of a name that has no address.
    pub(super) fn end_lookup(&mut self, lookup: &Lookup, outcome: Outcome, code: i32) {
        let wall = self.wall;
        let duration = self.now.nanos_since(lookup.begun);
        if let Some(Some(member)) = self.members.get_mut(lookup.member) {
            member.lookups -= 1;
            for job in lookup.run.next..lookup.run.end {
                let target = Arc::clone(&lookup.run.target);
                let one = Run { target, next: job, end: job + 1 };
                member.out.push(Completion {
                    os_error: code,
                    detail: match outcome {
                        Outcome::Stopped => Detail::None,
                        _ => Detail::Resolver,
                    },
                    duration,
                    ..unprobed(&one, outcome, wall)
                });
            }
        }
    }

    pub(super) fn reversed(&mut self, id: ProbeId, name: Option<Arc<str>>) {
        let slot = match self.probes.find(id) {
            Some((slot, _)) => slot,
            None => return,
        };
        let probe = match self.probes.get_mut(slot) {
            Some(probe) => probe,
            None => return,
        };
        if !matches!(probe.reverse, Reverse::Open) {
            return;
        }
        probe.reverse = Reverse::Answered(name);
        let has_ended = probe.verdict.is_some();
        if let Some(Some(member)) = self.members.get_mut(probe.member) {
            member.lookups -= 1;
        }
        if has_ended {
            self.finish(slot);
        }
    }
}
