//! One host probed by echo requests. An *attempt* is what `Count` counts; a *transmission* is one
//! packet. They differ only after an overflow: an attempt during which the local receive buffer
//! overflowed is void and is repeated by a further transmission, at most three times.
//!
//! Attempt k is due k intervals after the first left. Each transmission expires one reply timeout
//! after it left, in the order sent. The probe ends when an answer is there (all of them with
//! statistics) or when nothing is left to send or to wait for.

use super::rounds::RoundTrips;
use super::{Schedule, Step, Verdict};
use crate::clock::Time;
use crate::outcome::{Detail, Outcome};
use crate::sys::TELLS_DUPLICATES;

/// Transmissions beyond `Count` that overflows may cost.
pub const MAX_REPEATS: u16 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    InFlight,
    Answered,
    /// Ended by an ICMP error that was proven ours.
    Refuted,
    Silent,
    /// The local buffer overflowed while it was in flight; another took its place, or none could.
    Void,
}

#[derive(Clone, Copy, Debug)]
struct Transmission {
    sent: Time,
    /// The overflow counter as it stood when it was sent.
    overflows: u32,
    fate: Fate,
}

/// See the file's head. About 170 bytes, and no allocation before the second transmission.
#[derive(Clone, Debug, Default)]
pub struct EchoProbe {
    first: Option<Transmission>,
    more: Vec<Transmission>,
    /// Transmissions before this one are not in flight.
    settled: u16,
    repeats: u16,
    /// A void attempt waits for its repeat.
    owed: u16,
    /// The next transmission was handed out and has not left yet.
    starting: bool,
    unresolved_overflow: bool,
    duplicates: u32,
    rounds: RoundTrips,
    /// The last ICMP error or the local error, with its raw number.
    error: Option<(Outcome, i32, Detail)>,
    ended: bool,
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

    /// Attempts that have been begun: transmissions less the repeats of void ones.
    fn attempts(&self) -> u16 {
        self.transmissions() - (self.repeats - self.owed)
    }

    /// What to do at `now`; `overflows` is the overflow counter, read after the sockets were
    /// drained.
    pub fn next(&mut self, schedule: &Schedule, now: Time, overflows: u32) -> Step {
        if self.ended {
            return Step::Done;
        }
        self.expire(schedule, now, overflows);
        let mut wake = match self.oldest_in_flight() {
            Some(sent) => sent.plus_nanos(schedule.reply_timeout),
            None => Time::NEVER,
        };
        if self.starting {
            return Step::Wait(wake);
        }
        if self.owed > 0 {
            return self.start();
        }
        if self.attempts() < schedule.count {
            let due = match &self.first {
                None => now,
                Some(first) => {
                    first.sent.plus_nanos(u64::from(self.attempts()) * schedule.interval)
                }
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

    fn expire(&mut self, schedule: &Schedule, now: Time, overflows: u32) {
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
            if transmission.overflows == overflows {
                transmission.fate = Fate::Silent;
            } else {
                transmission.fate = Fate::Void;
                if may_repeat {
                    self.repeats += 1;
                    self.owed += 1;
                } else {
                    self.unresolved_overflow = true;
                }
            }
        }
    }

    /// The transmission handed out last left this machine at `at`.
    pub fn sent(&mut self, schedule: &Schedule, at: Time, overflows: u32) {
        let transmission = Transmission { sent: at, overflows, fate: Fate::InFlight };
        self.starting = false;
        self.owed = self.owed.saturating_sub(1);
        if self.first.is_none() {
            self.first = Some(transmission);
        } else {
            if self.more.is_empty() {
                self.more.reserve_exact(usize::from((schedule.count - 1).max(1)));
            }
            self.more.push(transmission);
        }
    }

    /// The transmission handed out last could not leave for want of a resource of ours: its clock
    /// has not started, and it will be handed out again.
    pub fn not_sent(&mut self) {
        self.starting = false;
    }

    /// The system has no way to the host: the probe ends.
    pub fn failed(&mut self, outcome: Outcome, os_error: i32, detail: Detail) {
        self.starting = false;
        self.error = Some((outcome, os_error, detail));
        self.ended = true;
    }

    /// A valid reply to `transmission` reached this machine at `received`.
    pub fn reply(&mut self, schedule: &Schedule, transmission: u16, received: Time, now: Time) {
        let entry = match self.get(transmission) {
            Some(entry) => entry,
            None => return,
        };
        if entry.fate == Fate::Answered {
            self.duplicates += 1;
            return;
        }
        // A stamp outside the attempt's own time means that the wall clock was set meanwhile.
        let received = if received < entry.sent || received > now { now } else { received };
        let round_trip = received.nanos_since(entry.sent);
        entry.fate = Fate::Answered;
        self.rounds.add(round_trip);
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

    /// How the probe ended, or how it stands.
    pub fn verdict(&self) -> Verdict {
        let void = self
            .first
            .iter()
            .chain(&self.more)
            .filter(|transmission| transmission.fate == Fate::Void)
            .count() as u32;
        let sent = u32::from(self.transmissions()) - void.min(u32::from(self.transmissions()));
        let duplicates = TELLS_DUPLICATES.then_some(self.duplicates);
        let statistics = self.rounds.statistics(sent, duplicates);
        let (outcome, os_error, detail) = if statistics.received > 0 {
            (Outcome::Success, 0, Detail::None)
        } else if let Some(error) = self.error {
            error
        } else if self.unresolved_overflow {
            (Outcome::Unknown, 0, Detail::LocalOverflow)
        } else {
            (Outcome::TimedOut, 0, Detail::None)
        };
        Verdict { outcome, os_error, detail, statistics, address: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MILLISECOND;

    const SCHEDULE: Schedule = Schedule {
        count: 4,
        interval: 1000 * MILLISECOND,
        reply_timeout: 1000 * MILLISECOND,
        statistics: false,
    };

    fn at(ms: u64) -> Time {
        Time::from_nanos((1_000_000 + ms) * MILLISECOND)
    }

    /// Lets a silent host run its course; returns the times of the transmissions and of the end.
    fn run_silent(schedule: &Schedule, overflows: impl Fn(u64) -> u32) -> (Vec<u64>, u64, Verdict) {
        let mut probe = EchoProbe::default();
        let mut sent = Vec::new();
        let mut ms = 0;
        loop {
            match probe.next(schedule, at(ms), overflows(ms)) {
                Step::Start(transmission) => {
                    assert_eq!(usize::from(transmission), sent.len());
                    probe.sent(schedule, at(ms), overflows(ms));
                    sent.push(ms);
                }
                Step::Wait(until) => {
                    assert!(until > at(ms), "a wait goes forward");
                    ms = until.as_nanos() / MILLISECOND - 1_000_000;
                }
                Step::Done => return (sent, ms, probe.verdict()),
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
        assert_eq!(probe.next(&SCHEDULE, at(0), 0), Step::Start(0));
        probe.sent(&SCHEDULE, at(0), 0);
        probe.reply(&SCHEDULE, 0, at(3), at(5));
        assert_eq!(probe.next(&SCHEDULE, at(5), 0), Step::Done);
        let verdict = probe.verdict();
        assert_eq!(verdict.outcome, Outcome::Success);
        assert_eq!(verdict.statistics.last, Some(3 * MILLISECOND));
        assert_eq!(verdict.statistics.sent, 1);
    }

    #[test]
    fn a_late_reply_to_an_early_attempt_counts_with_its_true_latency() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(0), 0);
        probe.sent(&SCHEDULE, at(0), 0);
        assert_eq!(probe.next(&SCHEDULE, at(1000), 0), Step::Start(1));
        probe.sent(&SCHEDULE, at(1000), 0);
        probe.reply(&SCHEDULE, 0, at(1200), at(1201));
        assert_eq!(probe.verdict().statistics.last, Some(1200 * MILLISECOND));
        assert_eq!(probe.next(&SCHEDULE, at(1201), 0), Step::Done);
    }

    #[test]
    fn statistics_send_all_and_count_duplicates_apart() {
        let schedule = Schedule { statistics: true, count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), 0);
        probe.sent(&schedule, at(0), 0);
        probe.reply(&schedule, 0, at(2), at(2));
        probe.reply(&schedule, 0, at(3), at(3));
        assert_eq!(probe.next(&schedule, at(3), 0), Step::Wait(at(1000)));
        assert_eq!(probe.next(&schedule, at(1000), 0), Step::Start(1));
        probe.sent(&schedule, at(1000), 0);
        assert_eq!(probe.next(&schedule, at(1001), 0), Step::Wait(at(2000)));
        probe.reply(&schedule, 1, at(1004), at(1004));
        assert_eq!(probe.next(&schedule, at(1004), 0), Step::Done);
        let statistics = probe.verdict().statistics;
        assert_eq!((statistics.sent, statistics.received), (2, 2));
        assert_eq!(statistics.duplicates, TELLS_DUPLICATES.then_some(1));
        assert_eq!(statistics.mean, Some(3 * MILLISECOND));
    }

    #[test]
    fn a_proven_icmp_error_ends_its_attempt_and_the_next_is_sent_when_due() {
        let schedule = Schedule { count: 2, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), 0);
        probe.sent(&schedule, at(0), 0);
        probe.icmp_error(0, Outcome::DestinationHostUnreachable, Detail::None, true);
        assert_eq!(probe.next(&schedule, at(1), 0), Step::Wait(at(1000)));
        assert_eq!(probe.next(&schedule, at(1000), 0), Step::Start(1));
        probe.sent(&schedule, at(1000), 0);
        probe.icmp_error(1, Outcome::DestinationHostUnreachable, Detail::None, true);
        assert_eq!(probe.next(&schedule, at(1001), 0), Step::Done);
        assert_eq!(probe.verdict().outcome, Outcome::DestinationHostUnreachable);
    }

    #[test]
    fn an_unproven_icmp_error_is_noted_and_a_reply_still_wins() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        probe.next(&schedule, at(0), 0);
        probe.sent(&schedule, at(0), 0);
        probe.icmp_error(0, Outcome::TtlExpired, Detail::None, false);
        assert_eq!(probe.next(&schedule, at(1), 0), Step::Wait(at(1000)));
        let mut silent = probe.clone();
        assert_eq!(silent.next(&schedule, at(1000), 0), Step::Done);
        assert_eq!(silent.verdict().outcome, Outcome::TtlExpired);
        probe.reply(&schedule, 0, at(500), at(500));
        assert_eq!(probe.verdict().outcome, Outcome::Success);
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
        probe.next(&SCHEDULE, at(0), 0);
        probe.failed(Outcome::DestinationHostUnreachable, 113, Detail::LocalRoute);
        assert_eq!(probe.next(&SCHEDULE, at(0), 0), Step::Done);
        let verdict = probe.verdict();
        assert_eq!((verdict.os_error, verdict.statistics.sent), (113, 0));
    }

    #[test]
    fn a_transmission_that_could_not_leave_starts_no_clock() {
        let schedule = Schedule { count: 1, ..SCHEDULE };
        let mut probe = EchoProbe::default();
        assert_eq!(probe.next(&schedule, at(0), 0), Step::Start(0));
        assert_eq!(probe.next(&schedule, at(5000), 0), Step::Wait(Time::NEVER));
        probe.sent(&schedule, at(5000), 0);
        assert_eq!(probe.next(&schedule, at(5001), 0), Step::Wait(at(6000)));
    }

    #[test]
    fn a_stamp_outside_the_attempt_is_replaced_by_the_time_of_reading() {
        let mut probe = EchoProbe::default();
        probe.next(&SCHEDULE, at(10), 0);
        probe.sent(&SCHEDULE, at(10), 0);
        probe.reply(&SCHEDULE, 0, at(2), at(14));
        assert_eq!(probe.verdict().statistics.last, Some(4 * MILLISECOND));
    }
}
