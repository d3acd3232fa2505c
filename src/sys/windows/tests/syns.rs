//! SYNs that are repeated here, because the system was asked to send one: played.

use super::super::bindings::*;
use super::super::connect::{ALIVE, FIRST_PAUSE};
use super::play::Play;
use super::*;
use crate::outcome::Outcome;
use crate::sys::{ConnectError, RoundTrip};
use std::cell::Cell;

const ID: ProbeId = ProbeId(5);
const PORT: u16 = 443;

fn host() -> Address {
    Address::v4([127, 0, 0, 9])
}

/// A connect begun at time 0 by a system that promises one SYN, or not.
fn begun(one_syn: bool) -> (Play, Network<Play>) {
    let play = Play::default();
    play.with(|state| state.one_syn = one_syn);
    let mut network = Network::over(play.clone()).unwrap();
    network.connect(ID, host(), PORT).unwrap();
    (play, network)
}

/// What happens until a time.
fn run(network: &mut Network<Play>, play: &Play, until: u64) -> Vec<Event> {
    let until = Time::from_nanos(until);
    let mut events = Vec::new();
    while play.now() < until {
        network.wait(until, &mut events);
    }
    network.receive(&mut events);
    events
}

fn times(play: &Play) -> Vec<u64> {
    play.with(|state| state.connects.iter().map(|(_, at)| at.as_nanos()).collect())
}

/// The system tells the ends of connects that were cancelled; there are no others.
fn end_cancelled(network: &mut Network<Play>, play: &Play, indices: &[usize]) {
    end_cancelled_beside(network, play, indices);
    assert!(network.connects.is_idle());
}

/// The same beside others.
fn end_cancelled_beside(network: &mut Network<Play>, play: &Play, indices: &[usize]) {
    // Nobody asks how they ended.
    play.with(|state| {
        indices.iter().for_each(|index| state.ended.push_back(state.connects[*index].0))
    });
    let mut events = Vec::new();
    network.receive(&mut events);
    assert!(events.is_empty());
}

#[test]
fn a_syn_without_an_answer_is_sent_again_after_one_second_then_two_then_four() {
    let (play, mut network) = begun(true);
    assert!(run(&mut network, &play, 8 * FIRST_PAUSE).is_empty());
    assert_eq!(times(&play), [0, FIRST_PAUSE, 3 * FIRST_PAUSE, 7 * FIRST_PAUSE]);
    network.cancel_connect(ID);
    end_cancelled(&mut network, &play, &[0, 1, 2, 3]);
}

#[test]
fn the_answer_to_any_syn_is_the_host_s_and_its_time_is_a_round_trip() {
    for answered in [0, 1] {
        for (end, error) in [(Ok(None), None), (Err(WSAECONNREFUSED), Some(ConnectError::Refused))]
        {
            let (play, mut network) = begun(true);
            let at = FIRST_PAUSE + 30 * MILLISECOND;
            run(&mut network, &play, at);
            play.end_connect(answered, end);
            let events = run(&mut network, &play, at);
            let round_trip = match (events.as_slice(), error) {
                ([Event::Connected { id: ID, round_trip, .. }], None) => *round_trip,
                ([Event::ConnectFailed { id: ID, round_trip, error: told, .. }], Some(error)) => {
                    assert_eq!(*told, error);
                    *round_trip
                }
                other => panic!("{other:?}"),
            };
            let begun = times(&play)[answered];
            assert_eq!(round_trip, RoundTrip::Measured(at - begun));
            end_cancelled(&mut network, &play, &[1 - answered]);
            assert!(run(&mut network, &play, 9 * FIRST_PAUSE).is_empty());
            assert_eq!(times(&play).len(), 2, "nothing more is sent");
        }
    }
}

/// It gives up one SYN when its own time for that is over.
#[test]
fn the_system_s_end_of_one_syn_is_not_the_host_s() {
    let (play, mut network) = begun(true);
    play.end_connect(0, Err(WSAETIMEDOUT));
    assert!(run(&mut network, &play, FIRST_PAUSE).is_empty());
    assert_eq!(times(&play).len(), 2);
    play.end_connect(1, Ok(None));
    assert!(matches!(run(&mut network, &play, FIRST_PAUSE)[..], [Event::Connected { .. }]));
}

#[test]
fn where_one_syn_is_not_promised_the_system_repeats_and_a_refusal_has_no_round_trip() {
    for (number, error) in [
        (WSAECONNREFUSED, ConnectError::Refused),
        (WSAETIMEDOUT, ConnectError::Failed { outcome: Outcome::TimedOut, os_error: WSAETIMEDOUT }),
    ] {
        let (play, mut network) = begun(false);
        assert!(run(&mut network, &play, 5 * FIRST_PAUSE).is_empty());
        assert_eq!(times(&play), [0]);
        play.end_connect(0, Err(number));
        match run(&mut network, &play, 5 * FIRST_PAUSE)[..] {
            [Event::ConnectFailed { error: told, round_trip: RoundTrip::Unknown, .. }] => {
                assert_eq!(told, error)
            }
            ref other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_connect_that_met_itself_is_refused() {
    let (play, mut network) = begun(true);
    play.end_connect(0, Ok(Some((host(), PORT))));
    let events = run(&mut network, &play, 0);
    assert!(matches!(events[..], [Event::ConnectFailed { error: ConnectError::Refused, .. }]));
}

/// A sleep on the timer would see the packet up to 4 ms late, and that would be told as measured.
#[test]
fn while_a_connect_is_under_way_every_sleep_is_ended_by_its_packet() {
    let (play, mut network) = begun(true);
    network.wait(play.now().plus_nanos(3 * MILLISECOND), &mut Vec::new());
    assert_eq!(play.with(|state| (state.timers.len(), state.waits.clone())), (0, vec![3]));
    network.cancel_connect(ID);
    network.wait(play.now().plus_nanos(3 * MILLISECOND), &mut Vec::new());
    assert_eq!(play.with(|state| state.timers.len()), 1, "nobody's time is told");
    end_cancelled(&mut network, &play, &[0]);
}

/// The page of ConnectEx: no packet comes for what it has refused at once.
#[test]
fn a_connect_that_is_not_taken_leaves_nothing_with_the_system() {
    let (play, mut network) = begun(true);
    play.with(|state| state.connect_errors.extend([WSAENOBUFS, WSAEADDRINUSE]));
    let refused = network.connect(ProbeId(6), host(), PORT);
    assert_eq!(refused, Err(ConnectError::NotStarted { os_error: WSAENOBUFS }));
    assert_eq!(ALIVE.with(Cell::get), 1, "its memory is ours again");
    // A repeated SYN that is not taken is as good as lost.
    assert!(run(&mut network, &play, 3 * FIRST_PAUSE).is_empty());
    assert_eq!(times(&play), [0, 3 * FIRST_PAUSE]);
    assert_eq!(ALIVE.with(Cell::get), 2);
    network.cancel_connect(ProbeId(6));
    network.cancel_connect(ID);
    end_cancelled(&mut network, &play, &[0, 1]);
    assert_eq!(ALIVE.with(Cell::get), 0);
}

#[test]
fn a_packet_after_a_reset_finds_its_memory_and_tells_nothing() {
    let (play, mut network) = begun(true);
    network.reset().unwrap();
    assert_eq!(ALIVE.with(Cell::get), 1, "the system may write still");
    // The same number again.
    network.connect(ID, host(), PORT).unwrap();
    end_cancelled_beside(&mut network, &play, &[0]);
    assert_eq!(ALIVE.with(Cell::get), 1);
    assert!(run(&mut network, &play, FIRST_PAUSE / 2).is_empty());
    play.end_connect(1, Ok(None));
    let events = run(&mut network, &play, FIRST_PAUSE / 2);
    assert!(matches!(events[..], [Event::Connected { id: ID, .. }]), "{events:?}");
    assert!(network.connects.is_idle());
    assert_eq!(ALIVE.with(Cell::get), 0);
}

#[test]
fn a_cancelled_connect_sends_no_more() {
    let (play, mut network) = begun(true);
    network.cancel_connect(ID);
    end_cancelled(&mut network, &play, &[0]);
    // The same number again: its own time counts.
    run(&mut network, &play, FIRST_PAUSE / 2);
    network.connect(ID, host(), PORT).unwrap();
    run(&mut network, &play, FIRST_PAUSE);
    assert_eq!(times(&play), [0, FIRST_PAUSE / 2]);
    run(&mut network, &play, 3 * FIRST_PAUSE / 2);
    assert_eq!(times(&play), [0, FIRST_PAUSE / 2, 3 * FIRST_PAUSE / 2]);
    network.cancel_connect(ID);
    end_cancelled(&mut network, &play, &[1, 2]);
}
