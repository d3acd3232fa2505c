//! Large batches, sent by two threads on two sockets: nothing of it shows.

use super::namespace::{add_dead_link, become_nobody, in_namespace, ip, set};
use super::*;
use crate::outcome::Outcome;
use crate::sys::linux::outgoing::Numbered;
use crate::sys::linux::{second_slot, FULL_BATCHES};
use std::collections::HashSet;

/// A network that sends full batches of a family by two; `None`, said why, where it cannot.
fn network_of_two(host: Address) -> Option<Network> {
    let mut network = network(host.family())?;
    if crate::sys::cores() == 1 {
        println!("skipped: this process may use one processor only");
        return None;
    }
    begin_with(&mut network, host);
    assert!(network.second_sender.is_some());
    assert!(network.echo[second_slot(host.family())].is_some());
    Some(network)
}

/// So many full batches that the last is sent by two.
fn begin_with(network: &mut Network, host: Address) {
    (0..=FULL_BATCHES).for_each(|_| exchange(network, &vec![host; BATCH]));
}

/// Sends one request to each host, and expects each to answer once.
fn exchange(network: &mut Network, hosts: &[Address]) {
    let (begin, mut results) = (Time::now(), Vec::new());
    network.send_echoes(&requests(hosts), &mut results);
    let sent: Vec<_> = results
        .iter()
        .map(|result| match result {
            SendResult::Sent { at } => *at,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(sent.iter().all(|at| (begin..=Time::now()).contains(at)));
    let mut answered = HashSet::new();
    for event in wait_for(network, hosts.len()) {
        match event {
            Event::Reply { id, received, .. } => {
                assert!((begin..=Time::now()).contains(&received));
                answered.insert(id);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answered.len(), hosts.len());
    for (id, host) in hosts.iter().enumerate() {
        network.close_echo(ProbeId(id as u64), *host);
    }
}

fn every_host_answers_once(host: &str) {
    let host = address(host);
    if let Some(mut network) = network_of_two(host) {
        let (mut by_two, mut batches) = (0, 0);
        while by_two < 100 {
            exchange(&mut network, &vec![host; BATCH]);
            by_two += usize::from(network.second_sender.as_ref().unwrap().is_begun());
            batches += 1;
            assert!(batches < 10_000, "the second sender has begun with {by_two} of them");
        }
        assert_eq!(network.counters().foreign, 0);
        assert_eq!(network.overflows(host.family()).count, 0);
    }
}

#[test]
fn every_host_answers_once_and_nothing_is_foreign() {
    in_namespace(|| {
        every_host_answers_once("127.0.0.1");
        every_host_answers_once("::1");
    });
}

#[test]
fn every_host_answers_once_on_datagram_sockets() {
    in_namespace(|| {
        set("ipv4/ping_group_range", "0 2147483647");
        become_nobody();
        every_host_answers_once("127.0.0.1");
        every_host_answers_once("::1");
    });
}

#[test]
fn each_error_is_its_own_host_s() {
    in_namespace(|| {
        let mut network = match network_of_two(address("127.0.0.1")) {
            Some(network) => network,
            None => return,
        };
        ip("route add prohibit 10.81.0.0/24");
        let mut hosts = full_batch(6);
        // In each part one, and more than one.
        let failing = [0, 31, 32, 33, 100, 101, 102, 103, 180, 255];
        for host in failing {
            hosts[host] = Address::v4([10, 81, 0, host as u8]);
        }
        let outcome = Outcome::DestinationProhibited;
        let failed = SendResult::Failed { outcome, os_error: libc::EACCES };
        for _ in 0..50 {
            let results = send_all(&mut network, &hosts);
            for (place, result) in results.iter().enumerate() {
                assert_eq!(*result, if failing.contains(&place) { failed } else { SENT });
            }
            wait_for(&mut network, BATCH - failing.len());
        }
    });
}

#[test]
fn errors_that_arrive_meanwhile_harm_no_other_host() {
    in_namespace(|| {
        add_dead_link();
        let mut network = match network_of_two(address("127.0.0.1")) {
            Some(network) => network,
            None => return,
        };
        let hosts = full_batch(7);
        let (mut batches, mut replies, mut errors) = (0, 0, 0);
        for round in 1..6 {
            let dead: Vec<_> = (0..20).map(|host| Address::v4([10, 77, round, host])).collect();
            let first = 1_000 * u64::from(round);
            let dead = (first..).zip(&dead).map(|(id, host)| request(id, *host));
            send_patiently(&mut network, &dead.collect::<Vec<_>>());
            let end = Time::now().plus_nanos(40 * MILLISECOND);
            while Time::now() < end {
                assert_eq!(send_all(&mut network, &hosts), vec![SENT; BATCH]);
                batches += 1;
                let mut events = Vec::new();
                network.receive(&mut events);
                replies += events.iter().filter(|event| is_reply(event)).count();
                errors += events.iter().filter(|event| !is_reply(event)).count();
            }
        }
        replies += wait_out(&mut network, 20 * MILLISECOND).iter().filter(|e| is_reply(e)).count();
        assert_eq!(replies, batches * BATCH);
        assert!(errors > 0, "no error came while it sent");
    });
}

fn is_reply(event: &Event) -> bool {
    matches!(event, Event::Reply { .. })
}

#[test]
fn what_one_sends_alone_is_still_sent() {
    let mut network = match network_of_two(address("127.0.0.1")) {
        Some(network) => network,
        None => return,
    };
    // Too few, of both families, with stamps.
    exchange(&mut network, &full_batch(8)[..BATCH - 1]);
    if network.ensure_echo(Family::V6).is_ok() {
        let mut mixed = full_batch(8);
        mixed[9] = address("::1");
        exchange(&mut network, &mixed);
    }
    let stamped = requests(&full_batch(8)).into_iter();
    let stamped = stamped.map(|request| EchoRequest { stamped: true, ..request });
    let mut results = Vec::new();
    network.send_echoes(&stamped.collect::<Vec<_>>(), &mut results);
    assert_eq!(plain(&results), vec![SENT; BATCH]);
    wait_for(&mut network, BATCH);
}

#[test]
fn to_silent_hosts_one_sends_alone() {
    in_namespace(|| {
        add_dead_link();
        let mut network = match network_of_two(address("127.0.0.1")) {
            Some(network) => network,
            None => return,
        };
        // Routed away, where nobody is.
        ip("route add 10.82.0.0/16 dev dead0");
        ip("link set dead0 arp off");
        let silent: Vec<_> = (0..BATCH).map(|host| Address::v4([10, 82, 0, host as u8])).collect();
        let begun = |network: &Network| network.full_batches;
        assert_eq!(send_all(&mut network, &silent), vec![SENT; BATCH]);
        assert!(wait_out(&mut network, 5 * MILLISECOND).is_empty());
        let before = begun(&network);
        assert_eq!(send_all(&mut network, &silent), vec![SENT; BATCH]);
        assert_eq!(begun(&network), before);
        // Again by two, as soon as hosts answer.
        silent.iter().enumerate().for_each(|(id, to)| network.close_echo(ProbeId(id as u64), *to));
        begin_with(&mut network, address("127.0.0.1"));
        assert_eq!(begun(&network), before + FULL_BATCHES);
    });
}

#[test]
fn without_a_second_socket_one_sends_all() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let hosts = full_batch(8);
    exchange(&mut network, &hosts);
    without_descriptors(|| {
        begin_with(&mut network, hosts[0]);
    });
    assert!(network.second_sender.is_none());
    exchange(&mut network, &hosts);
    assert!(network.second_sender.is_none(), "it is tried again only with new sockets");
}

#[test]
fn the_thread_ends_with_the_sockets_and_begins_with_them_again() {
    let host = address("127.0.0.1");
    let mut network = match network_of_two(host) {
        Some(network) => network,
        None => return,
    };
    for _ in 0..3 {
        network.close_echo_sockets();
        assert!(network.second_sender.is_none());
        assert!(network.echo.iter().all(Option::is_none));
        begin_with(&mut network, host);
        assert!(network.second_sender.is_some());
    }
}

#[test]
fn after_a_contained_panic_one_sends_all() {
    let host = address("127.0.0.1");
    let mut network = match network_of_two(host) {
        Some(network) => network,
        None => return,
    };
    let sender = network.second_sender.as_ref().unwrap();
    let mut second = network.echo[second_slot(Family::V4)].take().unwrap();
    // More than a socket has room for.
    let request = Numbered { place: 0, sequence: 0, request: request(0, host) };
    (0..BATCH).for_each(|_| second.push(&request));
    sender.lend(second);
    sender.add(&mut vec![request]);
    while !sender.is_begun() {
        std::thread::yield_now();
    }
    assert!(sender.take_back().is_none());
    (0..3).for_each(|_| exchange(&mut network, &vec![host; BATCH]));
}
