//! Neighbours that do not answer for their addresses: what the kernel's table knows of them.

use super::namespace::{add_dead_link, in_namespace, ip, set};
use super::*;
use crate::outcome::Outcome;
use crate::sys::ConnectError;

/// The probes whose neighbours have failed, asked for until there are `count` or for a second.
fn failed(network: &mut Network, count: usize) -> Vec<u64> {
    let deadline = Time::now().plus_nanos(SECOND);
    let mut ids = Vec::new();
    while ids.len() < count && Time::now() < deadline {
        let mut events = Vec::new();
        network.failed_neighbours(&mut events);
        for event in &events {
            match event {
                Event::NeighbourFailed { id } => ids.push(id.0),
                Event::NeighbourGone { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    ids.sort_unstable();
    ids
}

/// The kernel's own errors about dead neighbours are limited to 50 at once and 1,000 a second in
/// all namespaces together; its table is not.
#[test]
fn every_neighbour_that_does_not_answer_is_told() {
    in_namespace(|| {
        add_dead_link();
        set("ipv4/icmp_msgs_burst", "1");
        set("ipv4/icmp_msgs_per_sec", "1");
        let mut network = network(Family::V4).unwrap();
        assert!(failed(&mut network, 0).is_empty());
        network.failed_neighbours(&mut Vec::new());
        let hosts: Vec<_> = (0..200).map(|host| Address::v4([10, 77, 4, host])).collect();
        send_patiently(&mut network, &requests(&hosts));
        assert_eq!(failed(&mut network, 200), (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn neighbours_of_both_families_and_link_local_ones_are_told() {
    in_namespace(|| {
        add_dead_link();
        let mut network = network(Family::V6).unwrap();
        network.failed_neighbours(&mut Vec::new());
        let interface = crate::sys::interface_index("dead0").unwrap();
        let link_local = "fe80::77".parse().unwrap();
        let hosts =
            [address("10.77.5.5"), address("fd77::55"), Address::from_ip(link_local, interface)];
        ip("addr add fe80::1/64 dev dead0 nodad");
        send_patiently(&mut network, &requests(&hosts));
        assert_eq!(failed(&mut network, 3), [0, 1, 2]);
    });
}

/// What was known of a neighbour before a probe's first request is no answer to that.
#[test]
fn a_neighbour_that_failed_before_is_not_told() {
    in_namespace(|| {
        add_dead_link();
        let host = address("10.77.5.5");
        let mut network = network(Family::V4).unwrap();
        network.failed_neighbours(&mut Vec::new());
        send_patiently(&mut network, &[request(1, host)]);
        network.close_echo(ProbeId(1), host);
        // Until it has failed, unheard.
        std::thread::sleep(Duration::from_millis(100));
        // The neighbour is asked for much longer now.
        set("ipv4/neigh/dead0/retrans_time_ms", "5000");
        let mut results = Vec::new();
        network.send_echoes(&[request(2, host)], &mut results);
        assert_eq!(plain(&results), [SENT]);
        let mut events = Vec::new();
        network.receive(&mut events);
        network.failed_neighbours(&mut events);
        let told = events.iter().any(|event| matches!(event, Event::NeighbourFailed { .. }));
        assert!(!told, "{events:?}");
    });
}

#[test]
fn connects_to_neighbours_that_do_not_answer_end() {
    in_namespace(|| {
        add_dead_link();
        set("ipv4/icmp_msgs_burst", "1");
        set("ipv4/icmp_msgs_per_sec", "1");
        let mut network = Network::new().unwrap();
        network.failed_neighbours(&mut Vec::new());
        for host in 0..50 {
            let to = Address::v4([10, 77, 6, host]);
            network.connect(ProbeId(host.into()), to, 80).unwrap();
        }
        let mut events = Vec::new();
        let deadline = Time::now().plus_nanos(SECOND);
        while events.len() < 50 && Time::now() < deadline {
            network.wait(Time::now().plus_nanos(10 * MILLISECOND), &mut events);
            network.failed_neighbours(&mut events);
            events.retain(|event| !matches!(event, Event::NeighbourGone { .. }));
        }
        assert_eq!(events.len(), 50);
        let (outcome, os_error) = (Outcome::DestinationHostUnreachable, libc::EHOSTUNREACH);
        for event in events {
            match event {
                Event::ConnectFailed { error, .. } => {
                    assert_eq!(error, ConnectError::Failed { outcome, os_error });
                }
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_neighbour_that_answers_is_not_told() {
    in_namespace(|| {
        add_dead_link();
        ip("neigh add 10.77.7.7 lladdr 02:00:00:00:00:01 dev dead0");
        let mut network = network(Family::V4).unwrap();
        network.failed_neighbours(&mut Vec::new());
        send_patiently(&mut network, &requests(&[address("10.77.7.7"), address("10.77.7.8")]));
        assert_eq!(failed(&mut network, 1), [1]);
        std::thread::sleep(Duration::from_millis(100));
        assert!(failed(&mut network, 0).is_empty());
    });
}

/// Containers are namespaces, where the file with the number is not there.
#[test]
fn the_tables_have_places_in_a_namespace() {
    let outside = crate::sys::OnLink::read().table;
    in_namespace(move || assert_eq!(crate::sys::OnLink::read().table, outside));
}
