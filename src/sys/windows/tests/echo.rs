//! Echo requests and replies.

use super::*;

fn replies_come_back(to: Address) {
    let mut network = match network(to.family()) {
        Some(network) => network,
        None => return,
    };
    let id = ProbeId(77);
    network.open_echo(id, to, 3);
    let mut results = Vec::new();
    let batch = [EchoRequest { transmission: 2, ..request(77, to) }];
    let sent = Time::now();
    network.send_echoes(&batch, &mut results);
    assert_eq!(plain(&results), [SENT]);
    match wait_for(&mut network, 1)[0] {
        Event::Reply { id: ProbeId(77), transmission: 2, received, ttl, from: None } => {
            assert!(received >= sent && received <= Time::now());
            // Of IPv6 replies the system does not tell it.
            assert_eq!(ttl.is_some(), to.family() == Family::V4);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_has_its_probe_transmission_time_and_ttl() {
    replies_come_back(address("127.0.0.1"));
}

#[test]
fn an_ipv6_reply_has_its_probe_transmission_and_time() {
    replies_come_back(address("::1"));
}

#[test]
fn every_payload_size_is_answered() {
    let to = address("127.0.0.1");
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    for (id, size) in [0, 1, 7, 8, 9, 32, 1_472, 40_000, 65_500].iter().enumerate() {
        network.open_echo(ProbeId(id as u64), to, 1);
        let mut results = Vec::new();
        network.send_echoes(&[EchoRequest { size: *size, ..request(id as u64, to) }], &mut results);
        assert_eq!(plain(&results), [SENT], "{size}");
        match wait_for(&mut network, 1)[0] {
            Event::Reply { id: answered, .. } => assert_eq!(answered.0, id as u64),
            other => panic!("{size}: {other:?}"),
        }
        network.close_echo(ProbeId(id as u64), to);
    }
}

#[test]
fn requests_to_many_hosts_are_all_answered() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let hosts: Vec<_> = (0..BATCH).map(|host| Address::v4([127, 0, 3, host as u8])).collect();
    assert!(send_all(&mut network, &hosts).iter().all(|result| *result == SENT));
    let mut ids: Vec<u64> = wait_for(&mut network, BATCH)
        .iter()
        .map(|event| match event {
            Event::Reply { id, .. } => id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..BATCH as u64).collect::<Vec<_>>());
}

#[test]
fn a_batch_opens_the_families_it_needs() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let mixed = [address("127.0.0.1"), address("::1"), address("127.0.0.2")];
    let results = send_all(&mut network, &mixed);
    match echo_permission(Family::V6) {
        Ok(()) => {
            assert_eq!(results, [SENT, SENT, SENT]);
            wait_for(&mut network, 3);
        }
        // Wine has none: the others go on.
        Err(error) => {
            assert_eq!(results, [SENT, SendResult::NoSocket(error), SENT]);
            wait_for(&mut network, 2);
        }
    }
}

#[test]
fn a_reply_to_a_closed_probe_is_not_told_even_where_its_id_is_open_again() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let host = address("127.0.0.1");
    send_all(&mut network, &[host]);
    network.close_echo(ProbeId(0), host);
    network.open_echo(ProbeId(0), host, 1);
    assert!(wait_out(&mut network, 100 * MILLISECOND).is_empty());
}

#[test]
fn a_first_request_opens_its_probe() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let mut results = Vec::new();
    network.send_echoes(&[request(1, address("127.0.0.1"))], &mut results);
    assert_eq!(plain(&results), [SENT]);
    wait_for(&mut network, 1);
}

#[test]
fn handles_may_be_closed_and_opened_with_requests_under_way() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let host = address("127.0.0.1");
    for _ in 0..10 {
        send_all(&mut network, &[host; 4]);
        for id in 0..4 {
            network.close_echo(ProbeId(id), host);
        }
        network.close_echo_sockets();
        network.ensure_echo(Family::V4).unwrap();
    }
    wait_out(&mut network, 100 * MILLISECOND);
    send_all(&mut network, &[host]);
    assert!(matches!(wait_for(&mut network, 1)[0], Event::Reply { .. }));
}

#[test]
fn an_end_with_requests_under_way_is_quick() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    send_all(&mut network, &[address("127.0.0.1"); 50]);
    let begin = Time::now();
    drop(network);
    assert!(Time::now().nanos_since(begin) < 500 * MILLISECOND);
}
