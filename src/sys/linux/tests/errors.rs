//! ICMP errors and errors of the local system: each is laid on the host it belongs to.

use super::namespace::{add_dead_link, become_nobody, in_namespace, ip, set, with_router};
use super::*;
use crate::outcome::Outcome;
use std::time::Duration;

fn neighbours(count: u8) -> Vec<Address> {
    (0..count).map(|host| Address::v4([10, 77, 3, host])).collect()
}

/// The events must be one proven "host unreachable" for each of `count` probes, from ourselves.
fn all_unreachable(events: &[Event], count: usize) {
    let mut ids = Vec::new();
    for event in events {
        match event {
            Event::IcmpError { id, transmission: 0, outcome, from, proven: true, .. } => {
                assert_eq!(*outcome, Outcome::DestinationHostUnreachable);
                assert!([address("10.77.0.1"), address("fd77::1")].contains(from), "{from}");
                ids.push(id.0);
            }
            other => panic!("{other:?}"),
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..count as u64).collect::<Vec<_>>());
}

fn dead_neighbours_are_unreachable() {
    let mut v4 = network(Family::V4).unwrap();
    send_patiently(&mut v4, &requests(&neighbours(20)));
    all_unreachable(&wait_for(&mut v4, 20), 20);
    let mut v6 = network(Family::V6).unwrap();
    let hosts: Vec<_> = (2..22).map(|host| address(&format!("fd77::{host:x}"))).collect();
    send_patiently(&mut v6, &requests(&hosts));
    all_unreachable(&wait_for(&mut v6, 20), 20);
}

#[test]
fn neighbours_that_do_not_answer_are_unreachable() {
    in_namespace(|| {
        add_dead_link();
        dead_neighbours_are_unreachable();
    });
}

#[test]
fn neighbours_that_do_not_answer_are_unreachable_on_datagram_sockets() {
    in_namespace(|| {
        add_dead_link();
        set("ipv4/ping_group_range", "0 2147483647");
        become_nobody();
        dead_neighbours_are_unreachable();
    });
}

/// Errors about 100 dead hosts wait on the socket when 20 live ones are probed: the system reports
/// them at those sends.
fn late_errors_harm_no_other_host() {
    let mut network = network(Family::V4).unwrap();
    send_patiently(&mut network, &requests(&neighbours(100)));
    std::thread::sleep(Duration::from_millis(200));
    let live: Vec<_> = (1..21).map(|host| Address::v4([127, 0, 5, host])).collect();
    let batch: Vec<_> = (100..).zip(&live).map(|(id, host)| request(id, *host)).collect();
    let mut results = Vec::new();
    network.send_echoes(&batch, &mut results);
    assert_eq!(plain(&results), [SENT; 20]);
    let events = wait_out(&mut network, 50 * MILLISECOND);
    let replies = events.iter().filter(|event| matches!(event, Event::Reply { .. })).count();
    assert_eq!(replies, 20);
    // The system limits the rate of its own errors, too: some, not all 100.
    assert!(events.len() > 25, "{}", events.len());
}

/// The same while the errors arrive: each of many sends may meet one.
#[test]
fn errors_that_arrive_meanwhile_harm_no_other_host() {
    in_namespace(|| {
        add_dead_link();
        let mut network = network(Family::V4).unwrap();
        let live = Address::v4([127, 0, 5, 1]);
        let batch = [request(1_000, live); 16];
        let (mut results, mut events) = (Vec::new(), Vec::new());
        send_patiently(&mut network, &requests(&neighbours(100)));
        let end = Time::now().plus_nanos(150 * MILLISECOND);
        while Time::now() < end {
            network.send_echoes(&batch, &mut results);
            assert_eq!(plain(&results), [SENT; 16]);
            network.receive(&mut events);
        }
        assert!(events.iter().any(|event| matches!(event, Event::IcmpError { .. })));
    });
}

#[test]
fn errors_about_earlier_packets_harm_no_other_host() {
    in_namespace(|| {
        add_dead_link();
        late_errors_harm_no_other_host();
    });
}

#[test]
fn errors_about_earlier_packets_harm_no_other_host_on_datagram_sockets() {
    in_namespace(|| {
        add_dead_link();
        set("ipv4/ping_group_range", "0 2147483647");
        become_nobody();
        late_errors_harm_no_other_host();
    });
}

fn add_routes() {
    for (ours, next) in [("10.81.0", "10.80.0.1"), ("fd81:", "fd80::1")] {
        let separator = if ours.contains('.') { "." } else { ":" };
        for (kind, host) in [("unreachable", 1), ("prohibit", 2), ("blackhole", 3)] {
            ip(&format!("route add {kind} {ours}{separator}{host}"));
        }
        ip(&format!("route add {ours}{separator}4 via {next}"));
    }
}

/// Four hosts behind the router, the last with one hop: what the router says of each.
fn a_router_s_errors_are_told(hosts: [Address; 4], router: Address, expected: [Outcome; 3]) {
    let mut network = network(router.family()).unwrap();
    let mut batch = requests(&hosts);
    batch[3].hops = 1;
    send_patiently(&mut network, &batch);
    let mut outcomes = [None; 4];
    for event in wait_for(&mut network, 3) {
        match event {
            Event::IcmpError { id, outcome, from, proven: true, .. } if from == router => {
                outcomes[id.0 as usize] = Some(outcome);
            }
            other => panic!("{other:?}"),
        }
    }
    let [unreachable, prohibited, expired] = expected.map(Some);
    assert_eq!(outcomes, [unreachable, prohibited, None, expired]);
    assert_eq!(network.counters().foreign, 0);
}

fn routers_errors_are_told() {
    let hosts = [1, 2, 3, 4].map(|host| Address::v4([10, 81, 0, host]));
    let (unreachable, prohibited) =
        (Outcome::DestinationHostUnreachable, Outcome::DestinationProhibited);
    let expected = [unreachable, prohibited, Outcome::TtlExpired];
    a_router_s_errors_are_told(hosts, address("10.80.0.2"), expected);
    let hosts = [1, 2, 3, 4].map(|host| address(&format!("fd81::{host}")));
    let expected = [Outcome::DestinationNetworkUnreachable, prohibited, Outcome::TtlExpired];
    a_router_s_errors_are_told(hosts, address("fd80::2"), expected);
}

#[test]
fn errors_of_a_router_have_their_state_and_sender() {
    in_namespace(|| with_router(add_routes, routers_errors_are_told));
}

#[test]
fn errors_of_a_router_have_their_state_and_sender_on_datagram_sockets() {
    in_namespace(|| {
        with_router(add_routes, || {
            set("ipv4/ping_group_range", "0 2147483647");
            become_nobody();
            routers_errors_are_told();
        });
    });
}

#[test]
fn local_routes_fail_their_own_host_and_the_batch_goes_on() {
    in_namespace(|| {
        ip("route add blackhole 10.78.0.1");
        ip("route add unreachable 10.78.0.2");
        ip("route add prohibit 10.78.0.3");
        ip("route add throw 10.78.0.4");
        let mut network = network(Family::V4).unwrap();
        let live = address("127.0.0.1");
        let failed = |host: u8| Address::v4([10, 78, 0, host]);
        let hosts = [failed(1), live, failed(2), failed(3), live, failed(4), live];
        let results = send_all(&mut network, &hosts);
        let failed = |outcome, os_error| SendResult::Failed { outcome, os_error };
        assert_eq!(
            results,
            [
                failed(Outcome::DestinationUnreachable, libc::EINVAL),
                SENT,
                failed(Outcome::DestinationHostUnreachable, libc::EHOSTUNREACH),
                failed(Outcome::DestinationProhibited, libc::EACCES),
                SENT,
                failed(Outcome::DestinationNetworkUnreachable, libc::ENETUNREACH),
                SENT,
            ]
        );
        wait_for(&mut network, 3);
    });
}

#[test]
fn local_ipv6_routes_fail_their_own_host() {
    in_namespace(|| {
        ip("route add blackhole fd78::1");
        ip("route add unreachable fd78::2");
        ip("route add prohibit fd78::3");
        let mut network = network(Family::V6).unwrap();
        let hosts = [address("fd78::1"), address("::1"), address("fd78::2"), address("fd78::3")];
        let results = send_all(&mut network, &hosts);
        let failed = |outcome, os_error| SendResult::Failed { outcome, os_error };
        assert_eq!(
            results,
            [
                failed(Outcome::DestinationUnreachable, libc::EINVAL),
                SENT,
                failed(Outcome::DestinationHostUnreachable, libc::EHOSTUNREACH),
                failed(Outcome::DestinationProhibited, libc::EACCES),
            ]
        );
        wait_for(&mut network, 1);
    });
}

#[test]
fn a_full_send_buffer_means_not_sent() {
    in_namespace(|| {
        add_dead_link();
        let mut network = network(Family::V4).unwrap();
        let smallest = 1i32;
        let fd = network.echo[0].as_ref().unwrap().descriptor();
        let set = crate::sys::linux::socket::set_option;
        set(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, &smallest).unwrap();
        // Packets that wait for their neighbour's address keep their place in the buffer.
        let results = send_all(&mut network, &neighbours(50));
        assert_eq!(results[0], SENT);
        assert_eq!(results[49], NOT_SENT);
        assert!(results.iter().all(|result| !matches!(result, SendResult::Failed { .. })));
    });
}

#[test]
fn a_waiting_error_does_not_keep_the_reactor_awake() {
    in_namespace(|| {
        add_dead_link();
        let mut network = network(Family::V4).unwrap();
        send_patiently(&mut network, &requests(&neighbours(3)));
        wait_for(&mut network, 3);
        let mut events = Vec::new();
        let deadline = Time::now().plus_nanos(20 * MILLISECOND);
        network.wait(deadline, &mut events);
        assert!(Time::now() >= deadline);
        assert!(events.is_empty());
    });
}
