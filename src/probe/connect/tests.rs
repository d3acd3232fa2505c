//! Connects of one (host, port), driven by hand: which address when, and what it comes to.

use super::*;
use crate::clock::SECOND;

const WAIT: ConnectError = ConnectError::NotStarted { os_error: 24 };

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
    probe.next(&SCHEDULE, at(ms), Voids::NONE, &mut Vec::new())
}

#[test]
fn the_first_open_address_wins_and_the_others_are_cancelled() {
    let mut probe = probe(2);
    assert_eq!(step(&mut probe, 0), Step::Start(0));
    probe.started(at(0), Voids::NONE);
    assert_eq!(step(&mut probe, 0), Step::Wait(at(250)));
    assert_eq!(step(&mut probe, 250), Step::Start(1));
    probe.started(at(250), Voids::NONE);
    let mut unwanted = Vec::new();
    probe.connected(&SCHEDULE, 1, at(260), None, &mut unwanted);
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
    probe.started(at(0), Voids::NONE);
    probe.failed(0, at(3), ConnectError::Refused, Some);
    assert_eq!(step(&mut probe, 3), Step::Start(1));
    probe.started(at(3), Voids::NONE);
    let mut unwanted = Vec::new();
    probe.connected(&SCHEDULE, 1, at(5), None, &mut unwanted);
    assert_eq!(probe.verdict().outcome, Outcome::Success);
}

#[test]
fn refused_beats_silence_when_none_is_open() {
    let mut probe = probe(2);
    step(&mut probe, 0);
    probe.started(at(0), Voids::NONE);
    step(&mut probe, 250);
    probe.started(at(250), Voids::NONE);
    probe.failed(1, at(251), ConnectError::Refused, Some);
    assert_eq!(step(&mut probe, 251), Step::Wait(at(2000)));
    let mut expired = Vec::new();
    assert_eq!(probe.next(&SCHEDULE, at(2000), Voids::NONE, &mut expired), Step::Done);
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
    assert_eq!(probe.next(&schedule, at(0), Voids::NONE, &mut expired), Step::Start(0));
    probe.started(at(0), Voids::NONE);
    assert_eq!(probe.next(&schedule, at(2000), Voids::NONE, &mut expired), Step::Wait(at(3000)));
    assert_eq!(probe.next(&schedule, at(3000), Voids::NONE, &mut expired), Step::Start(0));
    probe.started(at(3000), Voids::NONE);
    assert_eq!(probe.next(&schedule, at(5000), Voids::NONE, &mut expired), Step::Done);
    assert_eq!(probe.verdict().outcome, Outcome::TimedOut);
    assert_eq!(probe.verdict().statistics.sent, 2);
}

#[test]
fn what_could_not_be_begun_is_handed_out_again_and_is_not_an_attempt() {
    let mut probe = probe(1);
    assert_eq!(step(&mut probe, 0), Step::Start(0));
    probe.not_started(at(0), 24);
    assert_eq!(probe.verdict().statistics.sent, 0);
    assert_eq!(step(&mut probe, 5), Step::Start(0));
    probe.started(at(5), Voids::NONE);
    probe.failed(0, at(6), WAIT, Some);
    assert_eq!(step(&mut probe, 10), Step::Start(0));
    probe.started(at(10), Voids::NONE);
    probe.failed(0, at(11), ConnectError::Refused, Some);
    assert_eq!(step(&mut probe, 11), Step::Done);
    assert_eq!(probe.verdict().statistics.sent, 1);
}

#[test]
fn what_cannot_be_begun_is_over_after_its_reply_timeout_and_the_next_address_follows() {
    let mut probe = probe(2);
    for ms in [0, 1000, 1999] {
        assert_eq!(step(&mut probe, ms), Step::Start(0));
        probe.not_started(at(ms), 24);
        assert_eq!(probe.deadline(&SCHEDULE), at(2000));
    }
    assert_eq!(step(&mut probe, 2000), Step::Start(1));
    probe.not_started(at(2000), 24);
    assert_eq!(step(&mut probe, 4000), Step::Done);
    let verdict = probe.verdict();
    assert_eq!((verdict.outcome, verdict.os_error), (Outcome::NoResources, 24));
    assert_eq!((verdict.detail, verdict.statistics.sent), (Detail::NotBegun, 0));
}

#[test]
fn a_connect_that_is_taken_back_restarts_no_other_that_is_under_way() {
    let mut probe = probe(3);
    step(&mut probe, 0);
    probe.started(at(0), Voids::NONE);
    step(&mut probe, 250);
    probe.started(at(250), Voids::NONE);
    probe.failed(0, at(300), WAIT, Some);
    assert_eq!(step(&mut probe, 300), Step::Start(0));
    probe.started(at(300), Voids::NONE);
    assert_eq!(step(&mut probe, 550), Step::Start(2), "address 1 is under way");
}

#[test]
fn an_attempt_during_a_suspension_is_made_again_without_counting() {
    let mut probe = probe(1);
    let suspended = Voids { count: 1, cause: Detail::Suspended, ..Voids::NONE };
    step(&mut probe, 0);
    probe.started(at(0), Voids::NONE);
    let mut expired = Vec::new();
    assert_eq!(probe.next(&SCHEDULE, at(2000), suspended, &mut expired), Step::Start(0));
    assert_eq!(expired, [0]);
    probe.started(at(2000), suspended);
    assert_eq!(probe.next(&SCHEDULE, at(4000), suspended, &mut expired), Step::Done);
    let verdict = probe.verdict();
    assert_eq!((verdict.outcome, verdict.statistics.sent), (Outcome::TimedOut, 1));
}

#[test]
fn a_refusal_whose_time_is_not_known_is_an_answer_without_a_round_trip() {
    let mut probe = probe(1);
    step(&mut probe, 0);
    probe.started(at(0), Voids::NONE);
    probe.failed(0, at(2000), ConnectError::Refused, |_| None);
    let statistics = probe.verdict().statistics;
    assert_eq!((statistics.received, statistics.last), (1, None));
}

#[test]
fn statistics_make_every_attempt() {
    let schedule = Schedule { count: 3, statistics: true, ..SCHEDULE };
    let mut probe = probe(1);
    for attempt in 0..3 {
        let begin = attempt * 1000;
        assert_eq!(probe.next(&schedule, at(begin), Voids::NONE, &mut Vec::new()), Step::Start(0));
        probe.started(at(begin), Voids::NONE);
        probe.connected(&schedule, 0, at(begin + 2), None, &mut Vec::new());
    }
    assert_eq!(probe.next(&schedule, at(2002), Voids::NONE, &mut Vec::new()), Step::Done);
    let statistics = probe.verdict().statistics;
    assert_eq!((statistics.sent, statistics.received), (3, 3));
}
