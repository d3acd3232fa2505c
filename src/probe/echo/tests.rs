//! Schedules of one host, driven by hand: what is sent when, and what it comes to.

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
fn a_void_attempt_that_is_answered_after_all_and_its_repeat_are_one() {
    let schedule = Schedule { count: 1, statistics: true, ..SCHEDULE };
    let mut probe = EchoProbe::default();
    probe.next(&schedule, at(0), voids(0));
    probe.sent(&schedule, at(0), voids(0));
    assert_eq!(probe.next(&schedule, at(1000), voids(1)), Step::Start(1));
    probe.sent(&schedule, at(1000), voids(1));
    probe.reply(&schedule, 0, at(1200), None, at(1200));
    let statistics = probe.verdict(true).statistics;
    assert_eq!((statistics.sent, statistics.received), (1, 1));
    // Where both are answered both were sent.
    probe.reply(&schedule, 1, at(1300), None, at(1300));
    let statistics = probe.verdict(true).statistics;
    assert_eq!((statistics.sent, statistics.received), (2, 2));
}

#[test]
fn overflow_through_all_repeats_is_unknown() {
    let (sent, _, verdict) = run_silent(&SCHEDULE, |ms| ms as u32);
    assert_eq!(sent.len(), 4 + usize::from(MAX_REPEATS));
    assert_eq!(verdict.outcome, Outcome::Unknown);
    assert_eq!(verdict.detail, Detail::LocalOverflow);
}

#[test]
fn an_error_does_not_decide_what_an_overflow_left_open() {
    let schedule = Schedule { count: 1, ..SCHEDULE };
    let mut probe = EchoProbe::default();
    for transmission in 0..=MAX_REPEATS {
        let ms = u64::from(transmission) * 1000;
        probe.next(&schedule, at(ms), voids(transmission.into()));
        probe.sent(&schedule, at(ms), voids(transmission.into()));
        probe.icmp_error(transmission, Outcome::TtlExpired, Detail::None, false);
    }
    let end = u64::from(MAX_REPEATS) * 1000 + 1000;
    assert_eq!(probe.next(&schedule, at(end), voids(99)), Step::Done);
    assert_eq!(probe.verdict(true).outcome, Outcome::Unknown);
    probe.failed(Outcome::DestinationHostUnreachable, 113, Detail::LocalRoute);
    assert_eq!(probe.verdict(true).outcome, Outcome::DestinationHostUnreachable);
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
