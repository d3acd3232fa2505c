//! One (host, port) probed by TCP connects. An attempt goes over the host's addresses in the
//! resolver's order: the next is begun 250 ms after the one before, or as soon as that has failed;
//! the first open connection wins. The host refused only if none is open and one refused.
//! Attempts follow each other: attempt k begins k intervals after the first, at the earliest when
//! attempt k-1 is over.

use super::rounds::RoundTrips;
use super::{Schedule, Step, Verdict};
use crate::address::Address;
use crate::clock::{Time, MILLISECOND};
use crate::outcome::{Detail, Outcome};
use crate::sys::ConnectError;
use std::sync::Arc;

/// How long a connect goes on alone before the next address is tried beside it (RFC 8305, section
/// 5, the recommended Connection Attempt Delay).
pub const ADDRESS_DELAY: u64 = 250 * MILLISECOND;

#[derive(Clone, Copy, Debug)]
struct Flight {
    address: u16,
    begun: Time,
}

/// See the file's head.
#[derive(Clone, Debug)]
pub struct ConnectProbe {
    addresses: Arc<[Address]>,
    flights: Vec<Flight>,
    /// Attempts begun.
    attempts: u16,
    first_begun: Option<Time>,
    /// The next address of this attempt; past the end when all were begun.
    next_address: u16,
    /// When the last connect of this attempt was begun.
    last_begun: Time,
    starting: bool,
    in_attempt: bool,
    /// The present attempt has begun a connect and is counted.
    counted: bool,
    rounds: RoundTrips,
    /// The best word so far of the present attempt, and of all attempts.
    attempt_word: Option<Word>,
    word: Option<Word>,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    outcome: Outcome,
    os_error: i32,
    address: u16,
}

/// Open beats refused beats anything else; among equals the first stays.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Success => 2,
        Outcome::Refused => 1,
        _ => 0,
    }
}

fn better(old: Option<Word>, new: Word) -> Option<Word> {
    match old {
        Some(old) if rank(old.outcome) >= rank(new.outcome) => Some(old),
        _ => Some(new),
    }
}

impl ConnectProbe {
    /// A probe of these addresses, at least one.
    pub fn new(addresses: Arc<[Address]>) -> ConnectProbe {
        ConnectProbe {
            addresses,
            flights: Vec::new(),
            attempts: 0,
            first_begun: None,
            next_address: 0,
            last_begun: Time::from_nanos(0),
            starting: false,
            in_attempt: false,
            counted: false,
            rounds: RoundTrips::default(),
            attempt_word: None,
            word: None,
            ended: false,
        }
    }

    /// The addresses, in the resolver's order.
    pub fn addresses(&self) -> &Arc<[Address]> {
        &self.addresses
    }

    /// Addresses with a connect under way: the reactor cancels them when the probe ends.
    pub fn in_flight(&self) -> impl Iterator<Item = u16> + '_ {
        self.flights.iter().map(|flight| flight.address)
    }

    /// What to do at `now`. `Step::Start(index)` names an address; connects that have timed out
    /// by now are appended to `expired` and must be cancelled.
    pub fn next(&mut self, schedule: &Schedule, now: Time, expired: &mut Vec<u16>) -> Step {
        let timeout = schedule.reply_timeout;
        let mut index = 0;
        while index < self.flights.len() {
            let flight = self.flights[index];
            if flight.begun.plus_nanos(timeout) <= now {
                self.flights.remove(index);
                expired.push(flight.address);
                self.note(Outcome::TimedOut, 0, flight.address);
            } else {
                index += 1;
            }
        }
        loop {
            if self.ended {
                return Step::Done;
            }
            if self.starting {
                return Step::Wait(self.earliest_expiry(timeout));
            }
            if !self.in_attempt {
                if self.attempts == schedule.count {
                    self.ended = true;
                    continue;
                }
                let due = match self.first_begun {
                    None => now,
                    Some(first) => first.plus_nanos(u64::from(self.attempts) * schedule.interval),
                };
                if due > now {
                    return Step::Wait(due);
                }
                self.in_attempt = true;
                self.counted = false;
                self.next_address = 0;
                self.attempt_word = None;
            }
            if usize::from(self.next_address) < self.addresses.len() {
                let due = if self.flights.is_empty() {
                    now
                } else {
                    self.last_begun.plus_nanos(ADDRESS_DELAY)
                };
                if due <= now {
                    self.starting = true;
                    return Step::Start(self.next_address);
                }
                return Step::Wait(due.min(self.earliest_expiry(timeout)));
            }
            if !self.flights.is_empty() {
                return Step::Wait(self.earliest_expiry(timeout));
            }
            self.end_attempt(schedule);
        }
    }

    fn earliest_expiry(&self, timeout: u64) -> Time {
        let begun = self.flights.iter().map(|flight| flight.begun).min();
        begun.map_or(Time::NEVER, |begun| begun.plus_nanos(timeout))
    }

    /// The connect handed out last is under way since `at`.
    pub fn started(&mut self, at: Time) {
        let address = self.next_address;
        self.begin(at);
        self.flights.push(Flight { address, begun: at });
    }

    /// The connect handed out last was begun at `at` and ended within the same call.
    pub fn ended_at_once(&mut self, at: Time, error: ConnectError) {
        let address = self.next_address;
        self.begin(at);
        self.settle_error(at, at, address, error);
    }

    /// The connect handed out last could not be begun for want of a resource of ours: its clock
    /// has not started, and it will be handed out again.
    pub fn not_started(&mut self) {
        self.starting = false;
    }

    fn begin(&mut self, at: Time) {
        self.starting = false;
        if !self.counted {
            self.counted = true;
            self.attempts += 1;
        }
        self.first_begun.get_or_insert(at);
        self.last_begun = at;
        self.next_address += 1;
    }

    /// The connect to `address` is open since `at`. Others under way are no longer wanted: they
    /// are appended to `unwanted` and must be cancelled.
    pub fn connected(
        &mut self,
        schedule: &Schedule,
        address: u16,
        at: Time,
        unwanted: &mut Vec<u16>,
    ) {
        if let Some(flight) = self.take(address) {
            self.note(Outcome::Success, 0, address);
            self.rounds.add(at.nanos_since(flight.begun));
            unwanted.extend(self.flights.drain(..).map(|flight| flight.address));
            self.end_attempt(schedule);
        }
    }

    /// The connect to `address` ended at `at` without a connection.
    pub fn failed(&mut self, address: u16, at: Time, error: ConnectError) {
        if let Some(flight) = self.take(address) {
            self.settle_error(flight.begun, at, address, error);
        }
    }

    fn take(&mut self, address: u16) -> Option<Flight> {
        let index = self.flights.iter().position(|flight| flight.address == address)?;
        Some(self.flights.remove(index))
    }

    fn settle_error(&mut self, begun: Time, at: Time, address: u16, error: ConnectError) {
        match error {
            ConnectError::Refused => {
                let first = !matches!(self.attempt_word, Some(word) if rank(word.outcome) > 0);
                self.note(Outcome::Refused, 0, address);
                if first {
                    self.rounds.add(at.nanos_since(begun));
                }
            }
            ConnectError::Failed { outcome, os_error } => self.note(outcome, os_error, address),
            // Begun, then taken back by the system for want of a resource of ours: not the host's
            // word, so the address is tried again when its turn comes, in this same attempt.
            ConnectError::NotStarted => self.next_address = address,
        }
    }

    fn note(&mut self, outcome: Outcome, os_error: i32, address: u16) {
        self.attempt_word = better(self.attempt_word, Word { outcome, os_error, address });
    }

    /// Without statistics any answer of the host itself, open or refused, ends the probe.
    fn end_attempt(&mut self, schedule: &Schedule) {
        self.in_attempt = false;
        if let Some(word) = self.attempt_word.take() {
            self.word = better(self.word, word);
            if rank(word.outcome) > 0 && !schedule.statistics {
                self.ended = true;
            }
        }
    }

    /// How the probe ended, or how it stands.
    pub fn verdict(&self) -> Verdict {
        let word = self.word.or(self.attempt_word);
        let statistics = self.rounds.statistics(u32::from(self.attempts), Some(0));
        let address = |index: u16| self.addresses.get(usize::from(index)).copied();
        match word {
            Some(word) => Verdict {
                outcome: word.outcome,
                os_error: word.os_error,
                detail: if word.os_error == 0 { Detail::None } else { Detail::System },
                statistics,
                address: address(word.address),
            },
            None => Verdict {
                outcome: Outcome::TimedOut,
                os_error: 0,
                detail: Detail::None,
                statistics,
                address: address(0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    const SCHEDULE: Schedule =
        Schedule { count: 1, interval: SECOND, reply_timeout: 2 * SECOND, statistics: false };

    fn at(ms: u64) -> Time {
        Time::from_nanos(SECOND + ms * MILLISECOND)
    }

    fn probe(addresses: u8) -> ConnectProbe {
        let list: Vec<Address> = (1..=addresses).map(|n| Address::v4([127, 0, 0, n])).collect();
        ConnectProbe::new(list.into())
    }

    fn step(probe: &mut ConnectProbe, ms: u64) -> Step {
        probe.next(&SCHEDULE, at(ms), &mut Vec::new())
    }

    #[test]
    fn the_first_open_address_wins_and_the_others_are_cancelled() {
        let mut probe = probe(2);
        assert_eq!(step(&mut probe, 0), Step::Start(0));
        probe.started(at(0));
        assert_eq!(step(&mut probe, 0), Step::Wait(at(250)));
        assert_eq!(step(&mut probe, 250), Step::Start(1));
        probe.started(at(250));
        let mut unwanted = Vec::new();
        probe.connected(&SCHEDULE, 1, at(260), &mut unwanted);
        assert_eq!(unwanted, [0]);
        assert_eq!(step(&mut probe, 260), Step::Done);
        let verdict = probe.verdict();
        assert_eq!(verdict.outcome, Outcome::Success);
        assert_eq!(verdict.address, Some(Address::v4([127, 0, 0, 2])));
        assert_eq!(verdict.statistics.last, Some(10 * MILLISECOND));
    }

    #[test]
    fn a_failure_brings_the_next_address_at_once() {
        let mut probe = probe(2);
        step(&mut probe, 0);
        probe.started(at(0));
        probe.failed(0, at(3), ConnectError::Refused);
        assert_eq!(step(&mut probe, 3), Step::Start(1));
        probe.started(at(3));
        let mut unwanted = Vec::new();
        probe.connected(&SCHEDULE, 1, at(5), &mut unwanted);
        assert_eq!(probe.verdict().outcome, Outcome::Success);
    }

    #[test]
    fn refused_beats_silence_when_none_is_open() {
        let mut probe = probe(2);
        step(&mut probe, 0);
        probe.started(at(0));
        step(&mut probe, 250);
        probe.started(at(250));
        probe.failed(1, at(251), ConnectError::Refused);
        assert_eq!(step(&mut probe, 251), Step::Wait(at(2000)));
        let mut expired = Vec::new();
        assert_eq!(probe.next(&SCHEDULE, at(2000), &mut expired), Step::Done);
        assert_eq!(expired, [0]);
        let verdict = probe.verdict();
        assert_eq!(verdict.outcome, Outcome::Refused);
        assert_eq!(verdict.address, Some(Address::v4([127, 0, 0, 2])));
    }

    #[test]
    fn each_attempt_waits_for_its_interval_and_a_silent_host_is_down_at_the_last_timeout() {
        let schedule = Schedule { count: 2, interval: 3 * SECOND, ..SCHEDULE };
        let mut probe = probe(1);
        let mut expired = Vec::new();
        assert_eq!(probe.next(&schedule, at(0), &mut expired), Step::Start(0));
        probe.started(at(0));
        assert_eq!(probe.next(&schedule, at(2000), &mut expired), Step::Wait(at(3000)));
        assert_eq!(probe.next(&schedule, at(3000), &mut expired), Step::Start(0));
        probe.started(at(3000));
        assert_eq!(probe.next(&schedule, at(5000), &mut expired), Step::Done);
        assert_eq!(probe.verdict().outcome, Outcome::TimedOut);
        assert_eq!(probe.verdict().statistics.sent, 2);
    }

    #[test]
    fn what_could_not_be_begun_is_handed_out_again_and_is_not_an_attempt() {
        let mut probe = probe(1);
        assert_eq!(step(&mut probe, 0), Step::Start(0));
        probe.not_started();
        assert_eq!(probe.verdict().statistics.sent, 0);
        assert_eq!(step(&mut probe, 5), Step::Start(0));
        probe.started(at(5));
        probe.failed(0, at(6), ConnectError::NotStarted);
        assert_eq!(step(&mut probe, 10), Step::Start(0));
        probe.started(at(10));
        probe.failed(0, at(11), ConnectError::Refused);
        assert_eq!(step(&mut probe, 11), Step::Done);
        assert_eq!(probe.verdict().statistics.sent, 1);
    }

    #[test]
    fn statistics_make_every_attempt() {
        let schedule = Schedule { count: 3, statistics: true, ..SCHEDULE };
        let mut probe = probe(1);
        for attempt in 0..3 {
            let begin = attempt * 1000;
            assert_eq!(probe.next(&schedule, at(begin), &mut Vec::new()), Step::Start(0));
            probe.started(at(begin));
            probe.connected(&schedule, 0, at(begin + 2), &mut Vec::new());
        }
        assert_eq!(probe.next(&schedule, at(2002), &mut Vec::new()), Step::Done);
        let statistics = probe.verdict().statistics;
        assert_eq!((statistics.sent, statistics.received), (3, 3));
    }
}
