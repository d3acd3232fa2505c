//! What the documentation of the system's calls says and Wine does not show, played: who owns what,
//! and what ends a wait. Of echo requests it is the same for both families.

use super::super::calls::{Calls, System};
use super::super::echo::{kept, Echoes, GRACE, MOST_IN_FLIGHT};
use super::super::port::{Port, Waited, LONGEST_SLEEP};
use super::super::request::{taken, Taken};
use super::play::Play;
use super::*;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;

const LIFETIME: u64 = 1_000 * MILLISECOND;

/// The table over a played system, with an open probe of a host.
pub(super) struct Table {
    pub play: Play,
    pub echoes: Echoes<Play>,
    pub host: Address,
}

impl Table {
    fn new(host: Address) -> Table {
        let play = Play::default();
        let mut echoes = Echoes::new(play.clone());
        echoes.ensure(host.family()).unwrap();
        echoes.open(ProbeId(1));
        Table { play, echoes, host }
    }

    /// Sends one request whose call returns this.
    pub(super) fn send(&mut self, result: (u32, i32)) -> SendResult {
        self.play.with(|state| state.results.push_back(result));
        let sent = self.echoes.send(&request(1, self.host), self.play.now());
        plain(&[sent])[0]
    }

    /// What an alertable wait and the look after it bring.
    pub(super) fn collect(&mut self) -> Vec<Event> {
        while self.play.run_calls(0) {}
        let mut events = Vec::new();
        self.echoes.collect(true, &mut events);
        events
    }

    /// The first request's answer comes, and its completion.
    fn answer(&self) {
        self.play.write_reply(0);
        self.play.queue(0);
    }
}

pub(super) fn hosts() -> [Address; 2] {
    ["127.0.0.1", "::1"].map(address)
}

/// The test for a host of either family.
pub(super) fn each(test: impl Fn(Table)) {
    hosts().map(Table::new).into_iter().for_each(test);
}

pub(super) fn is_reply(events: &[Event]) -> bool {
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
        each(|mut table| {
            table.send(result);
            table.collect();
            assert_eq!(table.echoes.held(), 1, "{result:?}: the system may write still");
            table.answer();
            table.collect();
            assert_eq!(table.echoes.held(), 0, "{result:?}: its completion has come");
        });
    }
}

#[test]
fn a_count_is_the_reply_at_once_and_its_late_apc_is_no_second_one() {
    // 5 is ERROR_ACCESS_DENIED, were it an error.
    for count in [1, 5] {
        each(|mut table| {
            assert_eq!(table.send((count, 0)), SENT);
            table.play.write_reply(0);
            assert!(is_reply(&table.collect()), "{count}");
            table.play.queue(0);
            assert!(table.collect().is_empty(), "{count}");
        });
    }
}

#[test]
fn a_failure_is_told_once_and_keeps_its_buffers() {
    each(|mut table| {
        let failed = SendResult::Failed {
            outcome: crate::outcome::Outcome::DestinationHostUnreachable,
            os_error: 1232,
        };
        assert_eq!(table.send((0, 1232)), failed);
        table.answer();
        assert!(table.collect().is_empty());
        assert_eq!(table.send((0, 1450)), NOT_SENT);
    });
}

#[test]
fn silence_at_the_call_is_an_attempt_and_its_late_reply_is_heard() {
    each(|mut table| {
        for status in [11_050, 11_010, 0] {
            assert_eq!(table.send((0, status)), SENT, "{status}");
        }
        assert!(table.collect().is_empty());
        table.answer();
        assert!(is_reply(&table.collect()));
    });
}

#[test]
fn a_request_in_doubt_is_dropped_after_its_time_and_when_no_apc_is_left() {
    each(|mut table| {
        table.send((0, 5));
        table.play.advance(LIFETIME + GRACE - 1);
        table.collect();
        assert_eq!(table.echoes.held(), 1, "its time is not over");
        table.play.advance(1);
        table.echoes.collect(false, &mut Vec::new());
        assert_eq!(table.echoes.held(), 1, "an APC may be queued");
        table.collect();
        assert_eq!(table.echoes.held(), 0);
        // Against all that is written: it finds nothing.
        table.play.queue(0);
        assert!(table.collect().is_empty());
    });
}

#[test]
fn a_promised_completion_is_awaited_for_ever() {
    each(|mut table| {
        table.send((0, 997));
        table.play.advance(1_000 * LIFETIME);
        table.collect();
        assert_eq!(table.echoes.held(), 1);
    });
}

/// 65,024 hosts, which say nothing.
#[test]
fn of_many_dead_hosts_at_once_as_many_are_asked_as_the_system_tells_apart() {
    let mut table = Table::new(hosts()[0]);
    let sent = (0..65_024).filter(|_| table.send((0, 997)) == SENT).count();
    assert_eq!((sent, table.echoes.held()), (MOST_IN_FLIGHT, MOST_IN_FLIGHT));
    table.play.advance(LIFETIME);
    (0..sent).for_each(|index| table.play.queue(index));
    assert!(table.collect().is_empty());
    assert_eq!(table.echoes.held(), 0);
    table.play.with(|state| state.results.clear());
    assert_eq!(table.send((0, 997)), SENT);
}

#[test]
fn the_process_keeps_what_an_end_leaves_with_the_system_for_its_time_alone() {
    let hosts = ["127.8.8.8", "::8"].map(address);
    for table in hosts.map(Table::new) {
        let Table { play, mut echoes, host } = table;
        play.with(|state| state.now = Time::now().as_nanos());
        for result in [(0, 997), (0, 5), (1, 0)] {
            play.with(|state| state.results.push_back(result));
            echoes.send(&EchoRequest { lifetime_ms: 0, ..request(1, host) }, play.now());
        }
        drop(echoes);
        assert_eq!(kept(host), 3);
    }
    std::thread::sleep(std::time::Duration::from_nanos(GRACE));
    assert_eq!(hosts.map(kept), [0, 0]);
}

/// After a contained panic the thread, on which the APCs run, lives on.
#[test]
fn a_reset_forgets_the_probes_and_keeps_what_the_system_may_write_to() {
    for host in ["127.8.8.9", "::9"].map(address) {
        for result in [(0, 997), (0, 5), (1, 0)] {
            let play = Play::default();
            play.with(|state| state.results.push_back(result));
            let mut network = Network::over(play.clone()).unwrap();
            network.send_echoes(&[request(1, host)], &mut Vec::new());
            network.reset().unwrap();
            assert_eq!(play.now(), Time::from_nanos(0), "it waits for nothing");
            assert_eq!((network.echoes.held(), kept(host)), (1, 0), "{result:?}");
            network.send_echoes(&[request(1, host)], &mut Vec::new());
            let mut events = Vec::new();
            play.write_reply(0);
            play.queue(0);
            network.receive(&mut events);
            assert!(events.is_empty(), "{result:?}: {events:?}");
            assert_eq!(network.echoes.held(), 1, "{result:?}: its completion has come");
            play.write_reply(1);
            play.queue(1);
            network.receive(&mut events);
            assert!(is_reply(&events), "{result:?}: the next one's is told");
        }
    }
}

#[test]
fn a_reset_closes_the_handles_when_nothing_is_promised_any_more() {
    let play = Play::default();
    let mut network = Network::over(play.clone()).unwrap();
    network.send_echoes(&hosts().map(|host| request(1, host)), &mut Vec::new());
    network.reset().unwrap();
    for (index, closed) in [(0, 0), (1, 2)] {
        play.queue(index);
        network.receive(&mut Vec::new());
        assert_eq!(play.with(|state| state.closed), closed);
    }
}

#[test]
fn a_port_that_is_always_full_starves_no_completion() {
    for host in hosts() {
        let play = Play::default();
        let mut network = Network::over(play.clone()).unwrap();
        network.send_echoes(&[request(1, host)], &mut Vec::new());
        play.write_reply(0);
        play.queue(0);
        play.with(|state| state.is_full = true);
        let mut events = Vec::new();
        network.wait(play.now(), &mut events);
        assert!(is_reply(&events));
        let (looks, most) = play.with(|state| (state.waits.len(), state.most_looks));
        assert!(most <= 16 && looks > most, "{most} looks of {looks} without an alertable wait");
    }
}

#[test]
fn a_look_without_waiting_runs_the_apcs_that_are_there() {
    for host in hosts() {
        let play = Play::default();
        let mut network = Network::over(play.clone()).unwrap();
        network.send_echoes(&[request(1, host)], &mut Vec::new());
        play.write_reply(0);
        play.queue(0);
        let mut events = Vec::new();
        network.receive(&mut events);
        assert!(is_reply(&events));
    }
}

#[test]
fn a_wake_up_that_cannot_be_posted_is_not_lost() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    play.with(|state| state.post_fails = true);
    port.waker().wake();
    assert_eq!(port.wait(Time::NEVER, true, &mut Vec::new()), Waited::Packets, "before the sleep");
    let waker = port.waker();
    play.with(|state| state.meanwhile = Some(Box::new(move || waker.wake())));
    assert_eq!(port.wait(Time::NEVER, true, &mut Vec::new()), Waited::Packets, "in the sleep");
    let longest = play.with(|state| state.waits.iter().copied().max());
    assert!(u64::from(longest.unwrap()) * MILLISECOND <= LONGEST_SLEEP);
    // There is memory again: the next one is posted, and there is no other.
    play.with(|state| state.post_fails = false);
    port.waker().wake();
    assert_eq!(play.with(|state| state.posted), 1);
    assert_eq!(port.wait(Time::NEVER, true, &mut Vec::new()), Waited::Packets);
    assert_eq!(port.wait(play.now(), true, &mut Vec::new()), Waited::Nothing);
}

#[test]
fn a_wait_goes_on_to_its_deadline_over_several_sleeps() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    let deadline = Time::from_nanos(5 * LONGEST_SLEEP / 2);
    assert_eq!(port.wait(deadline, true, &mut Vec::new()), Waited::Nothing);
    assert!(play.now() >= deadline);
}

#[test]
fn a_deadline_between_two_ticks_is_the_timer_s() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    let mut wait = |nanos| port.wait(play.now().plus_nanos(nanos), true, &mut Vec::new());
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
fn a_timer_that_cannot_be_slept_on_is_not_tried_again() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    play.with(|state| state.sleep_fails = true);
    for _ in 0..2 {
        let deadline = play.now().plus_nanos(2 * MILLISECOND);
        assert_eq!(port.wait(deadline, true, &mut Vec::new()), Waited::Nothing);
        assert_eq!(play.now(), deadline, "the port's own time");
    }
    assert_eq!(play.with(|state| (state.timers.len(), state.waits.clone())), (1, vec![2, 2]));
    let not_to_be_waited_for = System.sleep_on(null_mut(), 0);
    assert_eq!(not_to_be_waited_for, None);
}

#[test]
fn the_system_s_timer_ends_a_sleep_on_it() {
    let timer = match System.make_timer() {
        Some(timer) => timer,
        None => return println!("skipped: no timer of high resolution here"),
    };
    let begin = Time::now();
    assert!(System.set_timer(timer.as_raw_handle(), 10_000));
    assert_eq!(System.sleep_on(timer.as_raw_handle(), 20_000), Some(false));
    let slept = Time::now().nanos_since(begin);
    assert!((MILLISECOND..20_000 * MILLISECOND).contains(&slept), "{slept} ns");
}

/// The page of GetQueuedCompletionStatusEx names errors that last, such as ERROR_ABANDONED_WAIT_0.
#[test]
fn a_port_that_fails_lets_neither_the_thread_turn_nor_completions_wait() {
    let play = Play::default();
    let mut port = Port::new(play.clone()).unwrap();
    play.with(|state| state.port_fails = Some(735));
    let mut slept = |nanos| {
        let begun = play.now();
        let deadline = begun.plus_nanos(nanos);
        assert_eq!(port.wait(deadline, false, &mut Vec::new()), Waited::Nothing);
        play.now().nanos_since(begun) / MILLISECOND
    };
    assert_eq!([0, MILLISECOND, 3_000 * MILLISECOND].map(&mut slept), [0, 1, 20]);
    let mut network = Network::over(play.clone()).unwrap();
    network.send_echoes(&[request(1, hosts()[0])], &mut Vec::new());
    play.write_reply(0);
    play.queue(0);
    let mut events = Vec::new();
    network.wait(Time::NEVER, &mut events);
    assert!(is_reply(&events));
}

#[test]
fn a_handle_is_closed_when_what_is_under_way_has_ended_or_its_time_is_over() {
    let mut table = Table::new(hosts()[0]);
    let closed = |table: &Table| table.play.with(|state| state.closed);
    table.send((0, 997));
    table.echoes.close_files();
    table.collect();
    assert_eq!(closed(&table), 0);
    table.play.queue(0);
    table.collect();
    assert_eq!(closed(&table), 1, "it has ended");
    table.echoes.ensure(Family::V4).unwrap();
    table.send((0, 997));
    table.echoes.close_files();
    table.play.advance(LIFETIME + GRACE);
    table.collect();
    assert_eq!(closed(&table), 2, "its time is over");
    table.echoes.ensure(Family::V4).unwrap();
    table.send((0, 997));
    table.echoes.close_files();
    table.echoes.ensure(Family::V4).unwrap();
    table.play.advance(10 * LIFETIME);
    table.collect();
    assert_eq!(closed(&table), 2, "it is wanted again");
}
