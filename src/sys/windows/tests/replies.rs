//! How what the system has written is read, for both families: who answered what, ICMP errors, and
//! whose word they are.

use super::super::calls::Calls;
use super::contracts::{each, hosts, is_reply, Table};
use super::play::{Play, Written, TTL};
use super::*;
use crate::outcome::Outcome;

/// What a request comes to into whose buffer the system has written this.
fn read(table: &mut Table, change: impl FnOnce(&mut Written)) -> Vec<Event> {
    assert_eq!(table.send((0, 997)), SENT);
    let index = table.play.with(|state| state.sent.len()) - 1;
    assert_eq!(table.play.with(|state| state.sent[index].to), table.host);
    let mut written = table.play.reply(index);
    change(&mut written);
    table.play.write(index, &written);
    table.play.queue(index);
    table.collect()
}

/// Another host of a host's family.
fn other(host: Address) -> Address {
    match host.family() {
        Family::V4 => address("127.0.0.77"),
        Family::V6 => Address::v6(*address("fe80::77").bytes(), 3),
    }
}

fn nobody(host: Address) -> Address {
    match host.family() {
        Family::V4 => Address::v4([0; 4]),
        Family::V6 => Address::v6([0; 16], 0),
    }
}

#[test]
fn a_reply_tells_who_answered_only_where_that_is_another() {
    each(|mut table| {
        let (host, other) = (table.host, other(table.host));
        let of_v4 = (host.family() == Family::V4).then_some(TTL);
        for (from, told) in [(host, None), (other, Some(other))] {
            match read(&mut table, |written| written.from = from)[..] {
                [Event::Reply { id: ProbeId(1), ttl, from, .. }] => {
                    assert_eq!((ttl, from), (of_v4, told))
                }
                ref events => panic!("{events:?}"),
            }
        }
    });
}

/// The system's scope of a link-local address need not be the one asked for.
#[test]
fn another_scope_is_no_other_host() {
    each(|mut table| {
        if table.host.family() == Family::V6 {
            table.host = Address::v6(*address("fe80::1").bytes(), 2);
            let from = Address::v6(*table.host.bytes(), 0);
            let events = read(&mut table, |written| written.from = from);
            assert!(matches!(events[..], [Event::Reply { from: None, .. }]), "{events:?}");
        }
    });
}

#[test]
fn a_reply_with_another_payload_or_of_nobody_is_none() {
    each(|mut table| {
        let none = nobody(table.host);
        let last = |written: &mut Written| *written.data.last_mut().unwrap() ^= 1;
        assert!(read(&mut table, last).is_empty(), "its last byte differs");
        assert!(read(&mut table, |written| written.data[0] ^= 1).is_empty(), "its first does");
        assert!(read(&mut table, |written| written.data.truncate(31)).is_empty(), "it is shorter");
        assert!(read(&mut table, |written| written.from = none).is_empty(), "of nobody");
        assert!(is_reply(&read(&mut table, |_| {})));
    });
}

#[test]
fn a_short_payload_may_be_another_request_s_and_needs_the_host_asked() {
    each(|table| {
        let Table { play, mut echoes, host } = table;
        for (size, is_heard) in [(0, false), (7, false), (8, true)] {
            for (from, is_heard) in [(host, true), (other(host), is_heard)] {
                let sent = echoes.send(&EchoRequest { size, ..request(1, host) }, play.now());
                assert_eq!(plain(&[sent]), [SENT]);
                let index = play.with(|state| state.sent.len()) - 1;
                play.write(index, &Written { from, ..play.reply(index) });
                play.queue(index);
                while play.run_calls(0) {}
                let mut events = Vec::new();
                echoes.collect(true, &mut events);
                assert_eq!(is_reply(&events), is_heard, "{size} bytes of {from:?}");
            }
        }
    });
}

/// IcmpParseReplies and Icmp6ParseReplies find no reply: the last error tells why, if it is an
/// IP_STATUS.
#[test]
fn where_there_is_no_reply_the_parser_s_error_is_the_status() {
    let failed = Outcome::DestinationHostUnreachable;
    for (error, told) in
        [(0, None), (87, None), (997, None), (11_010, None), (11_003, Some(failed))]
    {
        each(|mut table| {
            table.play.with(|state| state.parse_error = error);
            let from = nobody(table.host);
            let events = read(&mut table, |written| {
                *written = Written { from, count: 0, ..written.clone() };
            });
            let local = match events[..] {
                [Event::LocalError { outcome, os_error, .. }] => Some((outcome, os_error)),
                [] => None,
                ref other => panic!("{error}: {other:?}"),
            };
            assert_eq!(local, told.map(|outcome| (outcome, error)), "{error}");
        });
    }
}

/// A cancelled request leaves what stood in its buffer.
#[test]
fn a_reply_that_the_parser_does_not_find_is_none() {
    each(|mut table| {
        for error in [0, 87, 997, 11_010] {
            table.play.with(|state| state.parse_error = error);
            assert!(read(&mut table, |written| written.count = 0).is_empty(), "{error}");
        }
    });
}

/// What an earlier call left as the last error means nothing beside a reply.
#[test]
fn where_there_is_a_reply_the_last_error_is_not_looked_at() {
    each(|mut table| {
        table.play.with(|state| state.parse_error = 11_003);
        assert!(is_reply(&read(&mut table, |_| {})));
    });
}

#[test]
fn an_icmp_error_is_the_router_s_and_without_one_it_is_this_machine_s() {
    each(|mut table| {
        let (router, none) = (other(table.host), nobody(table.host));
        let is_v4 = table.host.family() == Family::V4;
        for (status, outcome, v4, v6) in [
            (11_003, Outcome::DestinationHostUnreachable, (3, 1), (1, 3)),
            (11_013, Outcome::TtlExpired, (11, 0), (3, 0)),
        ] {
            // An ICMP error quotes 8 bytes.
            let mut error = |from, count| {
                read(&mut table, |written| {
                    *written = Written { from, status, count, round_trip_ms: 0, data: vec![7; 8] }
                })
            };
            // Icmp6ParseReplies counts expired hop limits only, and the status stands there all the same.
            for count in [0, 1] {
                match error(router, count)[..] {
                    [Event::IcmpError { outcome: told, from, kind, code, proven: true, .. }] => {
                        let expected = if is_v4 { v4 } else { v6 };
                        assert_eq!((told, from, (kind, code)), (outcome, router, expected));
                    }
                    ref events => panic!("{status}: {events:?}"),
                }
                match error(none, count)[..] {
                    [Event::LocalError { outcome: told, os_error, .. }] => {
                        assert_eq!((told, os_error), (outcome, status as i32))
                    }
                    ref events => panic!("{status}: {events:?}"),
                }
            }
        }
    });
}

#[test]
fn memory_that_is_lacking_after_the_call_is_an_overflow_of_that_family() {
    each(|mut table| {
        let events = read(&mut table, |written| {
            *written = Written { status: 11_006, count: 0, ..written.clone() };
        });
        assert!(events.is_empty(), "{events:?}");
        let mut lost = [0; 2];
        lost[table.host.family().index()] = 1;
        assert_eq!(table.echoes.lost, lost);
    });
    for (index, host) in hosts().into_iter().enumerate() {
        let play = Play::default();
        let mut network = Network::over(play.clone()).unwrap();
        network.send_echoes(&[request(1, host)], &mut Vec::new());
        play.write(0, &Written { status: 11_006, count: 0, ..play.reply(0) });
        play.queue(0);
        network.receive(&mut Vec::new());
        let told = Family::BOTH.map(|family| network.overflows(family).count);
        assert_eq!((told[index], told[1 - index]), (1, 0));
        assert_eq!(network.counters().overflows, 1);
    }
}

/// Ours runs on while the thread is busy; the system's counts whole milliseconds.
#[test]
fn the_round_trip_is_the_shorter_of_our_clock_s_and_the_system_s() {
    // The time of the APC is the real clock's.
    let busy = 10 * MILLISECOND;
    let begun = Time::now();
    std::thread::sleep(std::time::Duration::from_nanos(busy));
    let forever = 1_000_000;
    for (round_trip_ms, told) in
        [(3, 4 * MILLISECOND..=4 * MILLISECOND), (forever, busy..=u64::MAX)]
    {
        each(|mut table| {
            table.play.with(|state| state.now = begun.as_nanos());
            let events = read(&mut table, |written| written.round_trip_ms = round_trip_ms);
            match events[..] {
                [Event::Reply { received, .. }] => {
                    let round_trip = received.nanos_since(begun);
                    assert!(told.contains(&round_trip), "{round_trip} ns");
                    assert!(round_trip <= (u64::from(round_trip_ms) + 1) * MILLISECOND);
                }
                ref events => panic!("{events:?}"),
            }
        });
    }
}
