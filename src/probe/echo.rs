//! One host probed by echo requests. An *attempt* is what `Count` counts; a *transmission* is one
//! packet. They differ where an attempt is void (the local receive buffer overflowed, the machine
//! was suspended: it is repeated by a further transmission, at most three times) and where one
//! lapses: it could not leave for want of a resource of ours for as long as its reply timeout.
//!
//! Attempt k is due k intervals after the first. Each transmission expires one reply timeout after
//! it left, in the order sent. The probe ends when an answer is there (all of them with statistics)
//! or when nothing is left to send or to wait for.

use super::rounds::RoundTrips;
use super::{Schedule, Step, Verdict, Voids, MAX_REPEATS};
use crate::address::Address;
use crate::clock::{Time, MILLISECOND};
use crate::outcome::{Detail, Outcome, Statistics};

/// A reply that seems to have come before its request, but by less than this, came with it: the
/// sent time is as exact as a batch is long. One further away means that the wall clock was set.
const INEXACT: u64 = 2 * MILLISECOND;
/// No round trip is shorter: it takes a machine this long to answer itself.
const SHORTEST: u64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    InFlight,
    Answered,
    /// Ended by an ICMP error that was proven ours.
    Refuted,
    Silent,
    /// Void: another takes its place, or none can.
    Void,
}

#[derive(Clone, Copy, Debug)]
struct Transmission {
    sent: Time,
    /// The round trip, once answered.
    round_trip: u64,
    /// The number of voiding events as it stood when it was sent.
    voids: u32,
    fate: Fate,
}

/// See the file's head. No allocation before the second transmission.
#[derive(Clone, Debug, Default)]
pub struct EchoProbe {
    first: Option<Transmission>,
    more: Vec<Transmission>,
    /// The first attempt's time, from which the others are due.
    begun: Option<Time>,
    /// The next transmission could not leave since then.
    refused_since: Option<Time>,
    /// Transmissions before this one are not in flight.
    settled: u16,
    repeats: u16,
    /// Void attempts that wait for their repeat.
    owed: u16,
    /// Attempts that could not leave in their time.
    lapsed: u16,
    /// The transmission answered last.
    last_answered: u16,
    /// The next transmission was handed out and has not left yet.
    starting: bool,
    ended: bool,
    duplicates: u32,
    trouble: Option<Box<Trouble>>,
}

/// What is kept of few probes.
#[derive(Clone, Debug, Default)]
struct Trouble {
    /// Why the last attempt that lapsed could not leave.
    refusal: i32,
    /// Why no repeat is left.
    void: Option<Detail>,
    /// The last ICMP error or the local error, with its raw number.
    error: Option<(Outcome, i32, Detail)>,
    /// Who answered, where that is another address than the one asked.
    answered_from: Option<Address>,
}

impl EchoProbe {
    fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_with(Box::default)
    }

    fn transmissions(&self) -> u16 {
        u16::from(self.first.is_some()) + self.more.len() as u16
    }

    fn get(&mut self, transmission: u16) -> Option<&mut Transmission> {
        match transmission.checked_sub(1) {
            None => self.first.as_mut(),
            Some(index) => self.more.get_mut(usize::from(index)),
        }
    }

    /// Attempts that are over or under way: transmissions less the repeats of void ones, and those
    /// that lapsed.
    fn attempts(&self) -> u16 {
        self.transmitted() + self.lapsed
    }

    /// Attempts that were sent, however often.
    fn transmitted(&self) -> u16 {
        self.transmissions() - (self.repeats - self.owed)
    }

    /// What to do at `now`; `voids` is as it stands after the sockets were drained.
    pub fn next(&mut self, schedule: &Schedule, now: Time, voids: Voids) -> Step {
        if self.ended {
            return Step::Done;
        }
        self.expire(schedule, now, voids);
        self.lapse(schedule, now);
        let mut wake = self.deadline(schedule);
        if self.starting {
            return Step::Wait(wake);
        }
        if self.owed > 0 {
            return self.start();
        }
        if self.attempts() < schedule.count {
            let due = match self.begun {
                None => now,
                Some(begun) => begun.plus_nanos(u64::from(self.attempts()) * schedule.interval),
            };
            if due <= now {
                return self.start();
            }
            wake = wake.min(due);
        }
        if wake == Time::NEVER {
            self.ended = true;
            return Step::Done;
        }
        Step::Wait(wake)
    }

    /// When something ends without anything being heard: a transmission in flight, or the time of
    /// one that cannot leave.
    pub fn deadline(&mut self, schedule: &Schedule) -> Time {
        let oldest = self.oldest_in_flight().into_iter().chain(self.refused_since).min();
        oldest.map_or(Time::NEVER, |since| since.plus_nanos(schedule.reply_timeout))
    }

    fn start(&mut self) -> Step {
        self.starting = true;
        Step::Start(self.transmissions())
    }

    fn oldest_in_flight(&mut self) -> Option<Time> {
        while self.settled < self.transmissions() {
            let settled = self.settled;
            match self.get(settled) {
                Some(transmission) if transmission.fate == Fate::InFlight => {
                    return Some(transmission.sent)
                }
                _ => self.settled += 1,
            }
        }
        None
    }

    fn expire(&mut self, schedule: &Schedule, now: Time, voids: Voids) {
        let now = now.min(voids.until);
        while let Some(sent) = self.oldest_in_flight() {
            if sent.plus_nanos(schedule.reply_timeout) > now {
                return;
            }
            let may_repeat = self.repeats < MAX_REPEATS;
            let settled = self.settled;
            let transmission = match self.get(settled) {
                Some(transmission) => transmission,
                None => return,
            };
            if transmission.voids == voids.count {
                transmission.fate = Fate::Silent;
            } else {
                transmission.fate = Fate::Void;
                if may_repeat {
                    self.repeats += 1;
                    self.owed += 1;
                } else {
                    self.trouble().void = Some(voids.cause);
                }
            }
        }
    }

    /// What could not leave for a whole reply timeout was an attempt.
    fn lapse(&mut self, schedule: &Schedule, now: Time) {
        if let Some(since) = self.refused_since {
            if !self.starting && since.plus_nanos(schedule.reply_timeout) <= now {
                self.refused_since = None;
                self.owed = self.owed.saturating_sub(1);
                self.lapsed += 1;
                self.begun.get_or_insert(since);
            }
        }
    }

    /// The transmission handed out last left this machine at `at`.
    pub fn sent(&mut self, schedule: &Schedule, at: Time, voids: Voids) {
        let transmission =
            Transmission { sent: at, round_trip: 0, voids: voids.count, fate: Fate::InFlight };
        self.starting = false;
        self.refused_since = None;
        self.owed = self.owed.saturating_sub(1);
        self.begun.get_or_insert(at);
        if self.first.is_none() {
            self.first = Some(transmission);
        } else {
            if self.more.is_empty() {
                self.more.reserve_exact(usize::from((schedule.count - 1).max(1)));
            }
            self.more.push(transmission);
        }
    }

    /// The system's own word on when `transmission` left.
    pub fn stamped(&mut self, transmission: u16, at: Time) {
        if let Some(entry) = self.get(transmission) {
            if entry.fate == Fate::Answered {
                let received = entry.sent.plus_nanos(entry.round_trip);
                entry.round_trip = received.nanos_since(at);
            }
            entry.sent = at;
        }
    }

    /// Whether a transmission was handed out and nothing was told of it yet.
    pub fn is_starting(&self) -> bool {
        self.starting
    }

    /// The transmission handed out last waits in a line of ours: it will be handed out again.
    pub fn waits(&mut self) {
        self.starting = false;
    }

    /// The transmission handed out last could not leave at `now` for want of a resource of ours, by
    /// the system's number `os_error`: it will be handed out again, until its time is over.
    pub fn not_sent(&mut self, now: Time, os_error: i32) {
        self.starting = false;
        self.refused_since.get_or_insert(now);
        self.trouble().refusal = os_error;
    }

    /// For the simulator's faults: what could not leave has no time.
    pub(crate) fn forget_refusal(&mut self) {
        self.refused_since = None;
    }

    /// The system has no way to the host: the probe ends.
    pub fn failed(&mut self, outcome: Outcome, os_error: i32, detail: Detail) {
        let trouble = self.trouble();
        trouble.error = Some((outcome, os_error, detail));
        // The system's own word needs no packet that could have been lost here.
        trouble.void = None;
        self.ended = true;
    }

    /// A valid reply to `transmission` reached this machine at `received`, from another address
    /// than the one asked where `from` says so.
    pub fn reply(
        &mut self,
        schedule: &Schedule,
        transmission: u16,
        received: Time,
        from: Option<Address>,
        now: Time,
    ) {
        let entry = match self.get(transmission) {
            Some(entry) => entry,
            None => return,
        };
        if entry.fate == Fate::Answered {
            self.duplicates += 1;
            return;
        }
        // A stamp outside the attempt's own time means that the wall clock was set meanwhile.
        let is_set = received.plus_nanos(INEXACT) < entry.sent || received > now;
        let received = if is_set { now } else { received };
        entry.round_trip = received.nanos_since(entry.sent).max(SHORTEST);
        entry.fate = Fate::Answered;
        self.last_answered = transmission;
        if from.is_some() || self.trouble.is_some() {
            self.trouble().answered_from = from;
        }
        if !schedule.statistics {
            self.ended = true;
        }
    }

    /// An ICMP error quotes `transmission`; with the token (`proven`) it ends that attempt.
    pub fn icmp_error(
        &mut self,
        transmission: u16,
        outcome: Outcome,
        detail: Detail,
        proven: bool,
    ) {
        let entry = match self.get(transmission) {
            Some(entry) => entry,
            None => return,
        };
        if proven && matches!(entry.fate, Fate::InFlight) {
            entry.fate = Fate::Refuted;
        }
        self.trouble().error = Some((outcome, 0, detail));
    }

    /// No neighbour has the address: what was sent so far has not left this machine's link.
    pub fn neighbour_failed(&mut self) {
        for entry in self.first.iter_mut().chain(&mut self.more) {
            if entry.fate == Fate::InFlight {
                entry.fate = Fate::Refuted;
            }
        }
        let outcome = Outcome::DestinationHostUnreachable;
        self.trouble().error = Some((outcome, 0, Detail::NoNeighbour));
    }

    /// How the probe ended, or how it stands. `tells_duplicates`: the system shows further replies.
    pub fn verdict(&self, tells_duplicates: bool) -> Verdict {
        let statistics = self.statistics(tells_duplicates);
        let trouble = self.trouble.as_deref();
        let (outcome, os_error, detail) = if statistics.received > 0 {
            let from = trouble.and_then(|trouble| trouble.answered_from);
            (Outcome::Success, 0, from.map_or(Detail::None, |from| Detail::AnsweredFrom { from }))
        } else if let Some(cause) = trouble.and_then(|trouble| trouble.void) {
            // Also where somebody on the way sent an error: the reply may be what was lost.
            (Outcome::Unknown, 0, cause)
        } else if let Some(error) = trouble.and_then(|trouble| trouble.error) {
            error
        } else if self.lapsed > 0 {
            let refusal = trouble.map_or(0, |trouble| trouble.refusal);
            (Outcome::NoResources, refusal, Detail::NotBegun)
        } else {
            (Outcome::TimedOut, 0, Detail::None)
        };
        Verdict { outcome, os_error, detail, statistics, address: None }
    }

    fn statistics(&self, tells_duplicates: bool) -> Statistics {
        let (mut sent, mut rounds) = (0, RoundTrips::default());
        for transmission in self.first.iter().chain(&self.more) {
            sent += u32::from(transmission.fate != Fate::Void);
            if transmission.fate == Fate::Answered {
                rounds.answered(Some(transmission.round_trip));
            }
        }
        let last = match self.last_answered.checked_sub(1) {
            None => self.first.as_ref(),
            Some(index) => self.more.get(usize::from(index)),
        };
        let mut statistics = rounds.statistics(sent, tells_duplicates.then_some(self.duplicates));
        // The repeat of one that was answered after all is no attempt of its own.
        statistics.sent = sent.min(statistics.received.max(self.transmitted().into()));
        statistics.last = statistics.last.and(last).map(|last| last.round_trip);
        statistics
    }
}

#[cfg(test)]
mod tests;
