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
        self.transmissions() - (self.repeats - self.owed) + self.lapsed
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
                    self.void = Some(voids.cause);
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
        self.refusal = os_error;
    }

    /// For the simulator's faults: what could not leave has no time.
    pub(crate) fn forget_refusal(&mut self) {
        self.refused_since = None;
    }

    /// The system has no way to the host: the probe ends.
    pub fn failed(&mut self, outcome: Outcome, os_error: i32, detail: Detail) {
        self.error = Some((outcome, os_error, detail));
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
        self.answered_from = from;
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
        self.error = Some((outcome, 0, detail));
    }

    /// No neighbour has the address: what was sent so far has not left this machine's link.
    pub fn neighbour_failed(&mut self) {
        for entry in self.first.iter_mut().chain(&mut self.more) {
            if entry.fate == Fate::InFlight {
                entry.fate = Fate::Refuted;
            }
        }
        let outcome = Outcome::DestinationHostUnreachable;
        self.error = Some((outcome, 0, Detail::NoNeighbour));
    }

    /// How the probe ended, or how it stands. `tells_duplicates`: the system shows further replies.
    pub fn verdict(&self, tells_duplicates: bool) -> Verdict {
        let statistics = self.statistics(tells_duplicates);
        let (outcome, os_error, detail) = if statistics.received > 0 {
            let detail =
                self.answered_from.map_or(Detail::None, |from| Detail::AnsweredFrom { from });
            (Outcome::Success, 0, detail)
        } else if let Some(error) = self.error {
            error
        } else if let Some(cause) = self.void {
            (Outcome::Unknown, 0, cause)
        } else if self.lapsed > 0 {
            (Outcome::NoResources, self.refusal, Detail::NotBegun)
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
        statistics.last = statistics.last.and(last).map(|last| last.round_trip);
        statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        count: 4,
        interval: 1000 * MILLISECOND,
        reply_timeout: 1000 * MILLISECOND,
        statistics: false,
    };

    fn voids(count: u32) -> Voids {
        Voids { count, cause: Detail::LocalOverflow, ..Voids::NONE }
    }

    fn at(ms: u64) -> Time {
        Time::from_nanos((1_000_000 + ms) * MILLISECOND)
    }

    /// Lets a silent host run its course; returns the times of the transmissions and of the end.
    fn run_silent(schedule: &Schedule, overflows: impl Fn(u64) -> u32) -> (Vec<u64>, u64, Verdict) {
        let mut probe = EchoProbe::default();
        let mut sent = Vec::new();
        let mut ms = 0;
        loop {
            match probe.next(schedule, at(ms), voids(overflows(ms))) {
                Step::Start(transmission) => {
                    assert_eq!(usize::from(transmission), sent.len());
                    probe.sent(schedule, at(ms), voids(overflows(ms)));
                    sent.push(ms);
                }
                Step::Wait(until) => {
                    assert!(until > at(ms), "a wait goes forward");
                    ms = until.as_nanos() / MILLISECOND - 1_000_000;
                }
                Step::Done => return (sent, ms, probe.verdict(true)),
            }
        }
    }

    #[test]
    fn a_silent_host_is_down_after_the_last_attempts_timeout() {
        let (sent, end, verdict) = run_silent(&SCHEDULE, |_| 0);
        assert_eq!(sent, [0, 1000, 2000, 3000]);
        assert_eq!(end, 4000);
        assert_eq!(verdict.outcome, Outcome::TimedOut);
        assert_eq!(verdict.statistics.sent, 4);
        assert_eq!(verdict.statistics.last, None);
    }

    #[test]
    fn attempts_overlap_when_the_interval_is_shorter_than_the_timeout() {
        let schedule = Schedule { interval: 100 * MILLISECOND, ..SCHEDULE };
        let (sent, end, _) = run_silent(&schedule, |_| 0);
        assert_eq!(sent, [0, 100, 200, 300]);
        assert_eq!(end, 1300);
    }

    #[test]
    fn the_first_reply_ends_the_probe() {
        let mut probe = EchoProbe::default();
        assert_eq!(probe.next(&SCHEDULE, at(0), Voids::NONE), Step::Start(0));
        probe.sent(&SCHEDULE, at(0), Voids::NONE);
        probe.reply(&SCHEDULE, 0, at(3), None, at(5));
        assert_eq!(probe.next(&SCHEDULE, at(5), Voids::NONE), Step::Done);
        let verdict = probe.verdict(true);
        assert_eq!(verdict.outcome, Outcome::Success);
        assert_eq!(verdict.statistics.last, Some(3 * MILLISECOND));
        assert_eq!(verdict.statistics.sent, 1);
    }

    #[test]
    fn a_late_reply_to_an_early_attempt_counts_with_its_true_latency() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(0), Voids::NONE);
        probe.sent(&SCHEDULE, at(0), Voids::NONE);
        assert_eq!(probe.next(&SCHEDULE, at(1000), Voids::NONE), Step::Start(1));
        probe.sent(&SCHEDULE, at(1000), Voids::NONE);
        probe.reply(&SCHEDULE, 0, at(1200), None, at(1201));
        assert_eq!(probe.verdict(true).statistics.last, Some(1200 * MILLISECOND));
        assert_eq!(probe.next(&SCHEDULE, at(1201), Voids::NONE), Step::Done);
    }

    #[test]
    fn statistics_send_all_and_count_duplicates_apart() {
        let schedule = Schedule { statistics: true, count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        probe.reply(&schedule, 0, at(2), None, at(2));
        probe.reply(&schedule, 0, at(3), None, at(3));
        assert_eq!(probe.next(&schedule, at(3), Voids::NONE), Step::Wait(at(1000)));
        assert_eq!(probe.next(&schedule, at(1000), Voids::NONE), Step::Start(1));
        probe.sent(&schedule, at(1000), Voids::NONE);
        assert_eq!(probe.next(&schedule, at(1001), Voids::NONE), Step::Wait(at(2000)));
        probe.reply(&schedule, 1, at(1004), None, at(1004));
        assert_eq!(probe.next(&schedule, at(1004), Voids::NONE), Step::Done);
        let statistics = probe.verdict(true).statistics;
        assert_eq!((statistics.sent, statistics.received), (2, 2));
        assert_eq!(statistics.duplicates, Some(1));
        assert_eq!(statistics.mean, Some(3 * MILLISECOND));
    }

    #[test]
    fn a_proven_icmp_error_ends_its_attempt_and_the_next_is_sent_when_due() {
        let schedule = Schedule { count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        probe.icmp_error(0, Outcome::DestinationHostUnreachable, Detail::None, true);
        assert_eq!(probe.next(&schedule, at(1), Voids::NONE), Step::Wait(at(1000)));
        assert_eq!(probe.next(&schedule, at(1000), Voids::NONE), Step::Start(1));
        probe.sent(&schedule, at(1000), Voids::NONE);
        probe.icmp_error(1, Outcome::DestinationHostUnreachable, Detail::None, true);
        assert_eq!(probe.next(&schedule, at(1001), Voids::NONE), Step::Done);
        assert_eq!(probe.verdict(true).outcome, Outcome::DestinationHostUnreachable);
    }

    #[test]
    fn an_unproven_icmp_error_is_noted_and_a_reply_still_wins() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        probe.icmp_error(0, Outcome::TtlExpired, Detail::None, false);
        assert_eq!(probe.next(&schedule, at(1), Voids::NONE), Step::Wait(at(1000)));
        let mut silent = probe.clone();
        assert_eq!(silent.next(&schedule, at(1000), Voids::NONE), Step::Done);
        assert_eq!(silent.verdict(true).outcome, Outcome::TtlExpired);
        probe.reply(&schedule, 0, at(500), None, at(500));
        assert_eq!(probe.verdict(true).outcome, Outcome::Success);
    }

    #[test]
    fn an_attempt_during_an_overflow_is_repeated_without_counting() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let (sent, end, verdict) = run_silent(&schedule, |ms| u32::from(ms >= 500));
        assert_eq!(sent, [0, 1000], "the void attempt is repeated at once");
        assert_eq!(end, 2000);
        assert_eq!(verdict.outcome, Outcome::TimedOut);
        assert_eq!(verdict.statistics.sent, 1);
    }

    #[test]
    fn overflow_through_all_repeats_is_unknown() {
        let (sent, _, verdict) = run_silent(&SCHEDULE, |ms| ms as u32);
        assert_eq!(sent.len(), 4 + usize::from(MAX_REPEATS));
        assert_eq!(verdict.outcome, Outcome::Unknown);
        assert_eq!(verdict.detail, Detail::LocalOverflow);
    }

    #[test]
    fn a_local_error_ends_the_probe_at_once() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(0), Voids::NONE);
        probe.failed(Outcome::DestinationHostUnreachable, 113, Detail::LocalRoute);
        assert_eq!(probe.next(&SCHEDULE, at(0), Voids::NONE), Step::Done);
        let verdict = probe.verdict(true);
        assert_eq!((verdict.os_error, verdict.statistics.sent), (113, 0));
    }

    #[test]
    fn a_transmission_that_waits_in_a_line_of_ours_starts_no_clock() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        assert_eq!(probe.next(&schedule, at(0), Voids::NONE), Step::Start(0));
        probe.waits();
        assert_eq!(probe.deadline(&schedule), Time::NEVER);
        assert_eq!(probe.next(&schedule, at(5000), Voids::NONE), Step::Start(0));
        probe.sent(&schedule, at(5000), Voids::NONE);
        assert_eq!(probe.next(&schedule, at(5001), Voids::NONE), Step::Wait(at(6000)));
    }

    #[test]
    fn an_attempt_that_cannot_leave_is_over_after_its_reply_timeout() {
        let schedule = Schedule { count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        for ms in [0, 400, 999] {
            assert_eq!(probe.next(&schedule, at(ms), Voids::NONE), Step::Start(0));
            probe.not_sent(at(ms), 105);
            assert_eq!(probe.deadline(&schedule), at(1000));
        }
        // The second attempt leaves, and is silent: one was never made, so the host is not down.
        assert_eq!(probe.next(&schedule, at(1000), Voids::NONE), Step::Start(0));
        probe.sent(&schedule, at(1000), Voids::NONE);
        assert_eq!(probe.next(&schedule, at(1001), Voids::NONE), Step::Wait(at(2000)));
        assert_eq!(probe.next(&schedule, at(2000), Voids::NONE), Step::Done);
        let verdict = probe.verdict(true);
        assert_eq!((verdict.outcome, verdict.os_error), (Outcome::NoResources, 105));
        assert_eq!((verdict.detail, verdict.statistics.sent), (Detail::NotBegun, 1));
    }

    #[test]
    fn what_was_not_listened_for_is_not_overdue() {
        let schedule = Schedule { count: 2, interval: 500 * MILLISECOND, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        let heard = Voids { until: at(900), ..Voids::NONE };
        // The second attempt goes out from a line, late, before anybody has listened again.
        assert_eq!(probe.next(&schedule, at(1100), heard), Step::Start(1));
        probe.sent(&schedule, at(1100), heard);
        assert_eq!(probe.next(&schedule, at(1100), heard), Step::Wait(at(1000)));
        probe.reply(&schedule, 0, at(950), None, at(1101));
        assert_eq!(probe.verdict(true).statistics.last, Some(950 * MILLISECOND));
    }

    #[test]
    fn a_repeat_that_cannot_leave_ends_too() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        assert_eq!(probe.next(&schedule, at(1000), voids(1)), Step::Start(1));
        probe.not_sent(at(1000), 105);
        assert_eq!(probe.next(&schedule, at(2000), voids(1)), Step::Done);
        let verdict = probe.verdict(true);
        assert_eq!((verdict.outcome, verdict.statistics.sent), (Outcome::NoResources, 0));
    }

    #[test]
    fn the_systems_stamp_corrects_the_round_trip_before_and_after_the_reply() {
        let schedule = Schedule { statistics: true, count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        probe.stamped(0, at(3));
        probe.reply(&schedule, 0, at(5), None, at(6));
        assert_eq!(probe.verdict(true).statistics.last, Some(2 * MILLISECOND));
        probe.next(&schedule, at(1003), Voids::NONE);
        probe.sent(&schedule, at(1003), Voids::NONE);
        probe.reply(&schedule, 1, at(1010), None, at(1010));
        probe.stamped(1, at(1009));
        assert_eq!(probe.verdict(true).statistics.last, Some(MILLISECOND));
    }

    #[test]
    fn a_neighbour_that_is_not_there_is_unreachable_and_asked_again_when_due() {
        let schedule = Schedule { count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), Voids::NONE);
        probe.sent(&schedule, at(0), Voids::NONE);
        probe.neighbour_failed();
        assert_eq!(probe.next(&schedule, at(500), Voids::NONE), Step::Wait(at(1000)));
        assert_eq!(probe.next(&schedule, at(1000), Voids::NONE), Step::Start(1));
        probe.sent(&schedule, at(1000), Voids::NONE);
        assert_eq!(probe.next(&schedule, at(2000), Voids::NONE), Step::Done);
        assert_eq!(probe.verdict(true).outcome, Outcome::DestinationHostUnreachable);
        assert_eq!(probe.verdict(true).statistics.sent, 2);
    }

    #[test]
    fn a_reply_from_another_address_says_who_answered() {
        let other = Address::v4([127, 0, 0, 9]);
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(0), Voids::NONE);
        probe.sent(&SCHEDULE, at(0), Voids::NONE);
        probe.reply(&SCHEDULE, 0, at(1), Some(other), at(1));
        let verdict = probe.verdict(true);
        assert_eq!(verdict.outcome, Outcome::Success);
        assert_eq!(verdict.detail, Detail::AnsweredFrom { from: other });
    }

    #[test]
    fn a_reply_that_came_with_its_batch_has_the_shortest_round_trip() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(10), Voids::NONE);
        probe.sent(&SCHEDULE, at(10), Voids::NONE);
        probe.reply(&SCHEDULE, 0, at(9), None, at(14));
        assert_eq!(probe.verdict(true).statistics.last, Some(SHORTEST));
    }

    #[test]
    fn a_stamp_outside_the_attempt_is_replaced_by_the_time_of_reading() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(10), Voids::NONE);
        probe.sent(&SCHEDULE, at(10), Voids::NONE);
        probe.reply(&SCHEDULE, 0, at(2), None, at(14));
        assert_eq!(probe.verdict(true).statistics.last, Some(4 * MILLISECOND));
    }
}
