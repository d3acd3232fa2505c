//! What the hosts of the plan, and the system on the way to them, do about a request or a connect.

use crate::plan::{Echo, Tcp, EADDRNOTAVAIL, EMFILE, ENOBUFS};
use crate::world::{Happening, World};
use rust_runspaces::address::Address;
use rust_runspaces::clock::{Time, MILLISECOND};
use rust_runspaces::outcome::ConnectError;
use rust_runspaces::sys::{EchoRequest, Event, ProbeId, RoundTrip, SendResult};

impl World {
    pub fn send(&mut self, request: &EchoRequest) -> SendResult {
        self.now += 300;
        let host = self.plan.host(&request.to);
        let family = request.to.family().index();
        if let Some(missing) = self.plan.no_socket[family] {
            if self.now < missing.until {
                return SendResult::NoSocket(missing.error);
            }
        }
        match host.echo {
            Echo::NoRoute(outcome, os_error) => return SendResult::Failed { outcome, os_error },
            Echo::NotSent(times) => {
                let tried = self.tries.entry(request.to).or_default();
                *tried = tried.saturating_add(1);
                if *tried <= times {
                    return SendResult::NotSent { os_error: ENOBUFS };
                }
            }
            _ => {}
        }
        self.answer(request);
        SendResult::Sent { at: self.time() }
    }

    fn answer(&mut self, request: &EchoRequest) {
        let EchoRequest { id, transmission, to, .. } = *request;
        let host = self.plan.host(&to);
        if request.stamped && self.random.percent(50) {
            let at = Time::from_nanos(self.now + 2_000);
            self.after(3_000, Event::Stamped { id, transmission, at });
        }
        let delay = host.delay.max(5_000) + self.random.below(host.delay / 2 + 1_000);
        let from = Address::v4([10, 0, 0, 254]);
        match host.echo {
            Echo::Silent | Echo::NoRoute(..) => {}
            Echo::DeadNeighbour(known) => {
                self.after(known, Event::NeighbourFailed { id });
                let time = self.now + known;
                self.at(time, Happening::NeighbourGone(to));
            }
            Echo::Unreachable(outcome, proven) => {
                let (kind, code) = (3, 1);
                let event =
                    Event::IcmpError { id, transmission, outcome, from, kind, code, proven };
                self.after(delay, event);
            }
            Echo::NoRouteLater(outcome, os_error) => {
                self.after(delay, Event::LocalError { id, outcome, os_error });
            }
            Echo::Answers | Echo::AnswersFromElsewhere | Echo::Quenches | Echo::NotSent(_) => {
                if host.echo == Echo::Quenches {
                    let outcome = rust_runspaces::outcome::Outcome::SourceQuench;
                    let (kind, code, proven) = (4, 0, true);
                    let event =
                        Event::IcmpError { id, transmission, outcome, from, kind, code, proven };
                    self.after(delay / 2, event);
                }
                if self.random.percent(host.loss) {
                    return self.book.lost(id, transmission);
                }
                let elsewhere = host.echo == Echo::AnswersFromElsewhere;
                let copies = if self.random.percent(host.duplicates) { 2 } else { 1 };
                for copy in 0..copies {
                    let delay = delay + copy * self.random.between(1_000, 50 * MILLISECOND);
                    let received = Time::from_nanos(self.now + delay);
                    let from = Some(if elsewhere { from } else { to });
                    let ttl = Some(64);
                    self.after(delay, Event::Reply { id, transmission, received, ttl, from });
                }
            }
        }
    }

    pub fn connect(&mut self, id: ProbeId, to: Address) -> Result<(), ConnectError> {
        self.now += 5_000;
        let host = self.plan.host(&to);
        if self.now < self.plan.no_descriptors_until {
            return Err(ConnectError::NotStarted { os_error: EMFILE });
        }
        let delay = host.delay.max(5_000) + self.random.below(host.delay / 2 + 1_000);
        let at = Time::from_nanos(self.now + delay);
        let nanos = delay.saturating_sub(1_000);
        let measured = self.random.percent(50);
        let round_trip = if measured { RoundTrip::Measured(nanos) } else { RoundTrip::BySight };
        let tried = self.connect_tries.entry(to).or_default();
        *tried = tried.saturating_add(1);
        let tried = *tried;
        match host.tcp {
            Tcp::Silent => {}
            Tcp::RefusesAtOnce => return Err(ConnectError::Refused),
            Tcp::FailsAtOnce(outcome, os_error) => {
                return Err(ConnectError::Failed { outcome, os_error })
            }
            Tcp::NotStarted(times) if tried <= times => {
                return Err(ConnectError::NotStarted { os_error: EADDRNOTAVAIL })
            }
            Tcp::TakenBack(times) if tried <= times => {
                let error = ConnectError::NotStarted { os_error: ENOBUFS };
                let event = Event::ConnectFailed { id, at, error, round_trip: RoundTrip::BySight };
                self.after(delay, event);
            }
            Tcp::Opens | Tcp::NotStarted(_) | Tcp::TakenBack(_) => {
                self.after(delay, Event::Connected { id, at, round_trip });
            }
            Tcp::OpensAtOnce => {
                let at = self.time();
                self.after(0, Event::Connected { id, at, round_trip });
            }
            Tcp::Refuses => {
                let error = ConnectError::Refused;
                self.after(delay, Event::ConnectFailed { id, at, error, round_trip });
            }
            Tcp::Fails(outcome, os_error) => {
                let error = ConnectError::Failed { outcome, os_error };
                self.after(delay, Event::ConnectFailed { id, at, error, round_trip });
            }
        }
        Ok(())
    }
}
