//! One (host, port) probed by TCP connects. An attempt goes over the host's addresses in the
//! resolver's order: the next is begun 250 ms after the one before, or as soon as that has failed;
//! the first open connection wins. The host refused only if none is open and one refused.
//! Attempts follow each other: attempt k begins k intervals after the first, at the earliest when
//! attempt k-1 is over. A connect that cannot be begun for want of a resource of ours is handed out
//! again until its time, one reply timeout, is over; then comes the next address.

use super::rounds::RoundTrips;
use super::{Schedule, Step, Verdict, Voids, MAX_REPEATS};
use crate::address::Address;
use crate::clock::{Time, MILLISECOND};
use crate::outcome::{ConnectError, Detail, Outcome};
use std::sync::Arc;

/// How long a connect goes on alone before the next address is tried beside it (RFC 8305, section
/// 5, the recommended Connection Attempt Delay).
pub const ADDRESS_DELAY: u64 = 250 * MILLISECOND;

#[derive(Clone, Copy, Debug)]
struct Flight {
    address: u16,
    begun: Time,
    /// The number of voiding events as it stood then.
    voids: u32,
}

/// See the file's head.
#[derive(Clone, Debug)]
pub struct ConnectProbe {
    addresses: Arc<[Address]>,
    flights: Vec<Flight>,
    /// Attempts that are over or under way, and those of them in which a connect was begun.
    attempts: u16,
    sent: u16,
    repeats: u16,
    first_begun: Option<Time>,
    /// The next address of this attempt; past the end when all were begun.
    next_address: u16,
    /// Addresses of this attempt whose connect the system took back for want of a resource.
    again: Vec<u16>,
    /// When the last connect of this attempt was begun.
    last_begun: Time,
    /// The address handed out, until it is known whether its connect has begun.
    handed_out: Option<u16>,
    /// The next connect could not be begun since then.
    refused_since: Option<Time>,
    refusal: i32,
    in_attempt: bool,
    /// The present attempt has begun a connect and is counted in `sent`.
    counted: bool,
    /// The present attempt was under way when something made it void.
    void: Option<Detail>,
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
    detail: Detail,
    address: u16,
}

/// Open beats refused beats what was never tried beats anything else; among equals the first stays.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Success => 3,
        Outcome::Refused => 2,
        Outcome::NoResources | Outcome::Unknown => 1,
        _ => 0,
    }
}

fn is_answer(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Success | Outcome::Refused)
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
            sent: 0,
            repeats: 0,
            first_begun: None,
            next_address: 0,
            again: Vec::new(),
            last_begun: Time::from_nanos(0),
            handed_out: None,
            refused_since: None,
            refusal: 0,
            in_attempt: false,
            counted: false,
            void: None,
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

    /// What to do at `now`. `Step::Start(index)` names an address; connects that have timed out
    /// by now are appended to `expired` and must be cancelled.
    pub fn next(
        &mut self,
        schedule: &Schedule,
        now: Time,
        voids: Voids,
        expired: &mut Vec<u16>,
    ) -> Step {
        let timeout = schedule.reply_timeout;
        let mut index = 0;
        while index < self.flights.len() {
            let flight = self.flights[index];
            if flight.begun.plus_nanos(timeout) <= now.min(voids.until) {
                self.flights.remove(index);
                expired.push(flight.address);
                if flight.voids == voids.count {
                    self.note(Outcome::TimedOut, 0, Detail::None, flight.address);
                } else {
                    self.void = Some(voids.cause);
                }
            } else {
                index += 1;
            }
        }
        self.lapse(timeout, now);
        loop {
            if self.ended {
                return Step::Done;
            }
            if self.handed_out.is_some() {
                return Step::Wait(self.deadline(schedule));
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
            if let Some(address) = self.next_to_start() {
                let due = if self.flights.is_empty() || !self.again.is_empty() {
                    now
                } else {
                    self.last_begun.plus_nanos(ADDRESS_DELAY)
                };
                if due <= now {
                    self.handed_out = Some(address);
                    return Step::Start(address);
                }
                return Step::Wait(due.min(self.deadline(schedule)));
            }
            if !self.flights.is_empty() {
                return Step::Wait(self.deadline(schedule));
            }
            self.end_attempt(schedule);
        }
    }

    /// The next address to begin a connect to in this attempt.
    fn next_to_start(&self) -> Option<u16> {
        let next = self.next_address;
        let rest = usize::from(next) < self.addresses.len();
        self.again.first().copied().or_else(|| rest.then_some(next))
    }

    /// The address was begun, or its time is over.
    fn pass(&mut self, address: u16) {
        if self.again.first() == Some(&address) {
            self.again.remove(0);
        } else {
            self.next_address = address + 1;
        }
    }

    /// What could not be begun for a whole reply timeout is over; the next address follows.
    fn lapse(&mut self, timeout: u64, now: Time) {
        let since = match self.refused_since {
            Some(since) if self.handed_out.is_none() && since.plus_nanos(timeout) <= now => since,
            _ => return,
        };
        self.refused_since = None;
        self.first_begun.get_or_insert(since);
        if let Some(address) = self.next_to_start() {
            self.pass(address);
            self.note(Outcome::NoResources, self.refusal, Detail::NotBegun, address);
        }
    }

    /// When something ends without anything being heard: a connect under way, or the time of one
    /// that cannot be begun.
    pub fn deadline(&self, schedule: &Schedule) -> Time {
        let begun = self.flights.iter().map(|flight| flight.begun).chain(self.refused_since).min();
        begun.map_or(Time::NEVER, |begun| begun.plus_nanos(schedule.reply_timeout))
    }

    /// The connect handed out last is under way since `at`.
    pub fn started(&mut self, at: Time, voids: Voids) {
        if let Some(address) = self.begin(at) {
            self.flights.push(Flight { address, begun: at, voids: voids.count });
        }
    }

    /// The connect handed out last was begun at `at` and had ended at `ended`, in the same call.
    pub fn ended_at_once(&mut self, at: Time, ended: Time, error: ConnectError) {
        if let Some(address) = self.begin(at) {
            self.note_error(Some(ended.nanos_since(at)), ended, address, error);
        }
    }

    /// The connect handed out last waits in a line of ours: it will be handed out again.
    pub fn waits(&mut self) {
        self.handed_out = None;
    }

    /// The connect handed out last could not be begun at `now` for want of a resource of ours, by
    /// the system's number `os_error`: it will be handed out again, until its time is over.
    pub fn not_started(&mut self, now: Time, os_error: i32) {
        self.handed_out = None;
        self.refused_since.get_or_insert(now);
        self.refusal = os_error;
    }

    /// For the simulator's faults: what could not be begun has no time.
    pub(crate) fn forget_refusal(&mut self) {
        self.refused_since = None;
    }

    fn begin(&mut self, at: Time) -> Option<u16> {
        let address = self.handed_out.take()?;
        self.refused_since = None;
        if !self.counted {
            self.counted = true;
            self.sent += 1;
        }
        self.first_begun.get_or_insert(at);
        self.last_begun = at;
        self.pass(address);
        Some(address)
    }

    /// The connect to `address` is open, after `round_trip` nanoseconds where they are known.
    /// Others under way are no longer wanted: they are appended to `unwanted` and must be cancelled.
    pub fn connected(
        &mut self,
        schedule: &Schedule,
        address: u16,
        at: Time,
        round_trip: Option<u64>,
        unwanted: &mut Vec<u16>,
    ) {
        if let Some(flight) = self.take(address) {
            self.note(Outcome::Success, 0, Detail::None, address);
            self.rounds.answered(Some(round_trip.unwrap_or_else(|| at.nanos_since(flight.begun))));
            unwanted.extend(self.flights.drain(..).map(|flight| flight.address));
            self.end_attempt(schedule);
        }
    }

    /// The connect to `address` ended at `at` without a connection; `round_trip` is that of a
    /// refusal, where it is known.
    pub fn failed(
        &mut self,
        address: u16,
        at: Time,
        error: ConnectError,
        round_trip: impl FnOnce(u64) -> Option<u64>,
    ) {
        if let Some(flight) = self.take(address) {
            let round_trip = round_trip(at.nanos_since(flight.begun));
            self.note_error(round_trip, at, address, error);
        }
    }

    fn take(&mut self, address: u16) -> Option<Flight> {
        let index = self.flights.iter().position(|flight| flight.address == address)?;
        Some(self.flights.remove(index))
    }

    fn note_error(&mut self, round_trip: Option<u64>, at: Time, address: u16, error: ConnectError) {
        match error {
            ConnectError::Refused => {
                let first = !matches!(self.attempt_word, Some(word) if is_answer(word.outcome));
                self.note(Outcome::Refused, 0, Detail::None, address);
                if first {
                    self.rounds.answered(round_trip);
                }
            }
            ConnectError::Failed { outcome, os_error } => {
                let detail = if os_error == 0 { Detail::None } else { Detail::System };
                self.note(outcome, os_error, detail, address);
            }
            // Begun, then taken back by the system for want of a resource of ours: not the host's
            // word, so this address is tried again, in this same attempt.
            ConnectError::NotStarted { os_error } => {
                self.again.push(address);
                self.refused_since.get_or_insert(at);
                self.refusal = os_error;
            }
        }
    }

    fn note(&mut self, outcome: Outcome, os_error: i32, detail: Detail, address: u16) {
        self.attempt_word = better(self.attempt_word, Word { outcome, os_error, detail, address });
    }

    /// Without statistics any answer of the host itself, open or refused, ends the probe. A void
    /// attempt without an answer is made again while repeats are left.
    fn end_attempt(&mut self, schedule: &Schedule) {
        self.in_attempt = false;
        self.again.clear();
        self.refused_since = None;
        let is_answered = matches!(self.attempt_word, Some(word) if is_answer(word.outcome));
        if let Some(cause) = self.void.take().filter(|_| !is_answered) {
            self.sent -= u16::from(self.counted);
            if self.repeats < MAX_REPEATS {
                self.repeats += 1;
                self.attempt_word = None;
                return;
            }
            self.note(Outcome::Unknown, 0, cause, 0);
        }
        self.attempts += 1;
        if let Some(word) = self.attempt_word.take() {
            self.word = better(self.word, word);
            if is_answer(word.outcome) && !schedule.statistics {
                self.ended = true;
            }
        }
    }

    /// How the probe ended, or how it stands.
    pub fn verdict(&self) -> Verdict {
        let word = self.word.or(self.attempt_word);
        let statistics = self.rounds.statistics(u32::from(self.sent), Some(0));
        let address = |index: u16| self.addresses.get(usize::from(index)).copied();
        match word {
            Some(word) => Verdict {
                outcome: word.outcome,
                os_error: word.os_error,
                detail: word.detail,
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
mod tests;
