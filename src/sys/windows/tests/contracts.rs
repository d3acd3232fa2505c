//! What the documentation of the system's calls says and Wine does not show, played.

use super::super::calls::{Calls, System};
use super::super::echo::{kept, Echoes, GRACE, MOST_IN_FLIGHT};
use super::super::port::{Port, Waited, LONGEST_SLEEP};
use super::super::request::{taken, Taken};
use super::play::Play;
use super::*;
use std::os::windows::io::AsRawHandle;

fn host() -> Address {
    Address::v4([127, 0, 0, 1])
}

const LIFETIME: u64 = 1_000 * MILLISECOND;

/// The table over a played system, with an open probe.
fn echoes(play: &Play) -> Echoes<Play> {
    let mut echoes = Echoes::new(play.clone());
    echoes.ensure(Family::V4).unwrap();
    echoes.open(ProbeId(1));
    echoes
}

/// Sends one request whose call returns this.
fn send(echoes: &mut Echoes<Play>, play: &Play, result: (u32, i32)) -> SendResult {
    play.with(|state| state.results.push_back(result));
    let sent = echoes.send(&request(1, host()), play.now());
    plain(&[sent])[0]
}

/// What an alertable wait and the look after it bring.
fn collect(echoes: &mut Echoes<Play>, play: &Play) -> Vec<Event> {
    while play.run_calls(0) {}
    let mut events = Vec::new();
    echoes.collect(true, &mut events);
    events
}

fn is_reply(events: &[Event]) -> bool {
    matches!(events, [Event::Reply { id: ProbeId(1), .. }])
}

#[test]
fn a_pending_error_is_told_from_a_count_and_from_a_failure() {
    assert_eq!(taken(0, 997), Taken::Pending);
    assert_eq!(taken(997, 0), Taken::Pending);
    // What an earlier call left as the last error means nothing beside a count.
    assert_eq!(taken(1, 997), Taken::Complete(1));
    assert_eq!(taken(5, 0), Taken::Complete(5));
    assert_eq!(taken(0, 5), Taken::Failed(5));
    assert_eq!(taken(0, 11_050), Taken::Failed(11_050));
}

#[test]
fn buffers_outlive_the_call_until_its_completion_whatever_it_returned() {
    for result in [(0, 997), (997, 0), (1, 0), (2, 997), (0, 0), (0, 5), (0, 1450), (0, 11_010)] {
        let play = Play::default();
        let mut echoes = echoes(&play);
        send(&mut echoes, &play, result);
        collect(&mut echoes, &play);
        assert_eq!(echoes.held(), 1, "{result:?}: the system may write still");
        play.write_reply(0);
        play.queue(0);
        collect(&mut echoes, &play);
        assert_eq!(echoes.held(), 0, "{result:?}: its completion has come");
    }
}

#[test]
fn a_count_is_the_reply_at_once_and_its_late_apc_is_no_second_one() {
    // 5 is ERROR_ACCESS_DENIED, were it an error.
    for count in [1, 5] {
        let play = Play::default();
        let mut echoes = echoes(&play);
        assert_eq!(send(&mut echoes, &play, (count, 0)), SENT);
        play.write_reply(0);
        assert!(is_reply(&collect(&mut echoes, &play)), "{count}");
        play.queue(0);
        assert!(collect(&mut echoes, &play).is_empty(), "{count}");
    }
}

#[test]
fn a_failure_is_told_once_and_keeps_its_buffers() {
    let play = Play::default();
    let mut echoes = echoes(&play);
    let failed = SendResult::Failed {
        outcome: crate::outcome::Outcome::DestinationHostUnreachable,
        os_error: 1232,
    };
    assert_eq!(send(&mut echoes, &play, (0, 1232)), failed);
    play.write_reply(0);
    play.queue(0);
    assert!(collect(&mut echoes, &play).is_empty());
    assert_eq!(send(&mut echoes, &play, (0, 1450)), NOT_SENT);
}

#[test]
fn silence_at_the_call_is_an_attempt_and_its_late_reply_is_heard() {
    let play = Play::default();
    let mut echoes = echoes(&play);
    for status in [11_050, 11_010, 0] {
        assert_eq!(send(&mut echoes, &play, (0, status)), SENT, "{status}");
    }
    assert!(collect(&mut echoes, &play).is_empty());
    play.write_reply(0);
    play.queue(0);
    assert!(is_reply(&collect(&mut echoes, &play)));
}

#[test]
fn a_request_in_doubt_is_dropped_after_its_time_and_when_no_apc_is_left() {
    let play = Play::default();
    let mut echoes = echoes(&play);
    send(&mut echoes, &play, (0, 5));
    play.advance(LIFETIME + GRACE - 1);
    collect(&mut echoes, &play);
    assert_eq!(echoes.held(), 1, "its time is not over");
    play.advance(1);
    echoes.collect(false, &mut Vec::new());
    assert_eq!(echoes.held(), 1, "an APC may be queued");
    collect(&mut echoes, &play);
    assert_eq!(echoes.held(), 0);
    // Against all that is written: it finds nothing.
    play.queue(0);
    assert!(collect(&mut echoes, &play).is_empty());
}

#[test]
fn a_promised_completion_is_awaited_for_ever() {
    let play = Play::default();
    let mut echoes = echoes(&play);
    send(&mut echoes, &play, (0, 997));
    play.advance(1_000 * LIFETIME);
    collect(&mut echoes, &play);
    assert_eq!(echoes.held(), 1);
}

/// 65,024 hosts, which say nothing.
#[test]
fn of_many_dead_hosts_at_once_as_many_are_asked_as_the_system_tells_apart() {
    let play = Play::default();
    let mut echoes = echoes(&play);
    let sent = (0..65_024)
        .filter(|_| plain(&[echoes.send(&request(1, host()), play.now())])[0] == SENT)
        .count();
    assert_eq!((sent, echoes.held()), (MOST_IN_FLIGHT, MOST_IN_FLIGHT));
    play.advance(LIFETIME);
    (0..sent).for_each(|index| play.queue(index));
    assert!(collect(&mut echoes, &play).is_empty());
    assert_eq!(echoes.held(), 0);
    assert_eq!(send(&mut echoes, &play, (0, 997)), SENT);
}

#[test]
fn the_process_keeps_what_an_end_leaves_with_the_system_for_its_time_alone() {
    let host = Address::v4([127, 8, 8, 8]);
    let play = Play::default();
    play.with(|state| state.now = Time::now().as_nanos());
    let mut echoes = echoes(&play);
    for result in [(0, 997), (0, 5), (1, 0)] {
        play.with(|state| state.results.push_back(result));
        echoes.send(&EchoRequest { lifetime_ms: 0, ..request(1, host) }, play.now());
    }
    drop(echoes);
    assert_eq!(kept(host), 3);
    std::thread::sleep(std::time::Duration::from_nanos(GRACE));
    assert_eq!(kept(host), 0);
}

#[test]
fn a_port_that_is_always_full_starves_no_completion() {
    let play = Play::default();
    let mut network = Network::over(play.clone()).unwrap();
    network.send_echoes(&[request(1, host())], &mut Vec::new());
    play.write_reply(0);
    play.queue(0);
    play.with(|state| state.is_full = true);
    let mut events = Vec::new();
    network.wait(play.now(), &mut events);
    assert!(is_reply(&events));
    let (looks, most) = play.with(|state| (state.waits.len(), state.most_looks));
    assert!(most <= 16 && looks > most, "{most} looks of {looks} without an alertable wait");
}

#[test]
fn a_look_without_waiting_runs_the_apcs_that_are_there() {
    let play = Play::default();
    let mut network = Network::over(play.clone()).unwrap();
    network.send_echoes(&[request(1, host())], &mut Vec::new());
    play.write_reply(0);
    play.queue(0);
    let mut events = Vec::new();
    network.receive(&mut events);
    assert!(is_reply(&events));
}

#[test]
fn a_wake_up_that_cannot_be_posted_is_not_lost() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    play.with(|state| state.post_fails = true);
    port.waker().wake();
    assert_eq!(port.wait(Time::NEVER, &mut Vec::new()), Waited::Packets, "before the sleep");
    let waker = port.waker();
    play.with(|state| state.meanwhile = Some(Box::new(move || waker.wake())));
    assert_eq!(port.wait(Time::NEVER, &mut Vec::new()), Waited::Packets, "in the sleep");
    let longest = play.with(|state| state.waits.iter().copied().max());
    assert!(u64::from(longest.unwrap()) * MILLISECOND <= LONGEST_SLEEP);
    // There is memory again: the next one is posted, and there is no other.
    play.with(|state| state.post_fails = false);
    port.waker().wake();
    assert_eq!(play.with(|state| state.posted), 1);
    assert_eq!(port.wait(Time::NEVER, &mut Vec::new()), Waited::Packets);
    assert_eq!(port.wait(play.now(), &mut Vec::new()), Waited::Nothing);
}

#[test]
fn a_wait_goes_on_to_its_deadline_over_several_sleeps() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    let deadline = Time::from_nanos(5 * LONGEST_SLEEP / 2);
    assert_eq!(port.wait(deadline, &mut Vec::new()), Waited::Nothing);
    assert!(play.now() >= deadline);
}

#[test]
fn a_deadline_between_two_ticks_is_the_timer_s() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    if play.make_timer().is_none() {
        println!("skipped: no timer of high resolution here");
        return;
    }
    let mut wait = |nanos| port.wait(play.now().plus_nanos(nanos), &mut Vec::new());
    wait(1_500_050);
    assert_eq!(play.with(|state| std::mem::take(&mut state.timers)), [15_001]);
    wait(0);
    wait(5 * MILLISECOND);
    assert!(play.with(|state| state.timers.is_empty()), "a look and a long wait need none");
    play.with(|state| state.timer_fails = true);
    wait(MILLISECOND);
    wait(MILLISECOND);
    assert_eq!(play.with(|state| state.timers.len()), 1, "what cannot be set is not set again");
    assert_eq!(
        play.with(|state| state.waits.clone()),
        [0, 0, 5, 1, 1],
        "rounded up, never turning"
    );
}

#[test]
fn the_system_s_timer_ends_a_sleep_on_it() {
    let timer = match System.make_timer() {
        Some(timer) => timer,
        None => return println!("skipped: no timer of high resolution here"),
    };
    let begin = Time::now();
    assert!(System.set_timer(timer.as_raw_handle(), 10_000));
    assert!(!System.sleep_on(timer.as_raw_handle(), 20_000));
    let slept = Time::now().nanos_since(begin);
    assert!((MILLISECOND..20_000 * MILLISECOND).contains(&slept), "{slept} ns");
}

#[test]
fn a_handle_is_closed_when_what_is_under_way_has_ended_or_its_time_is_over() {
    let play = Play::default();
    let closed = || play.with(|state| state.closed);
    let mut echoes = echoes(&play);
    send(&mut echoes, &play, (0, 997));
    echoes.close_files();
    collect(&mut echoes, &play);
    assert_eq!(closed(), 0);
    play.queue(0);
    collect(&mut echoes, &play);
    assert_eq!(closed(), 1, "it has ended");
    echoes.ensure(Family::V4).unwrap();
    send(&mut echoes, &play, (0, 997));
    echoes.close_files();
    play.advance(LIFETIME + GRACE);
    collect(&mut echoes, &play);
    assert_eq!(closed(), 2, "its time is over");
    echoes.ensure(Family::V4).unwrap();
    send(&mut echoes, &play, (0, 997));
    echoes.close_files();
    echoes.ensure(Family::V4).unwrap();
    play.advance(10 * LIFETIME);
    collect(&mut echoes, &play);
    assert_eq!(closed(), 2, "it is wanted again");
}
