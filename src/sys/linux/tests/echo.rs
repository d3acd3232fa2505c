//! Echo requests and replies.

use super::namespace::{add_dead_link, become_nobody, in_namespace, ip, set};
use super::*;
use crate::sys::linux::incoming::Incoming;
use crate::sys::linux::socket::{open_socket, set_option};
use crate::sys::linux::transfer::Transfer;
use crate::sys::BATCH;
use std::os::raw::c_int;
use std::os::unix::io::AsRawFd;

fn replies_come_back(to: Address) {
    let mut network = match network(to.family()) {
        Some(network) => network,
        None => return,
    };
    let mut results = Vec::new();
    let batch = [EchoRequest { transmission: 2, ..request(77, to) }];
    let sent = Time::now();
    network.send_echoes(&batch, &mut results);
    assert_eq!(plain(&results), [SENT]);
    match wait_for(&mut network, 1)[0] {
        Event::Reply { id: ProbeId(77), transmission: 2, received, ttl, from } => {
            assert_eq!(from, Some(to));
            assert!(received >= sent && received <= Time::now());
            assert_eq!(ttl, Some(64));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_has_its_probe_transmission_time_and_ttl() {
    replies_come_back(address("127.0.0.1"));
    replies_come_back(address("::1"));
}

/// On datagram sockets: in a namespace where everybody may have them, as an ordinary user.
fn unprivileged(test: impl FnOnce() + Send + 'static) {
    in_namespace(|| {
        set("ipv4/ping_group_range", "0 2147483647");
        become_nobody();
        test();
    });
}

#[test]
fn datagram_sockets_do_the_same() {
    unprivileged(|| {
        replies_come_back(address("127.0.0.1"));
        replies_come_back(address("::1"));
    });
}

#[test]
fn without_either_kind_of_socket_echo_is_not_permitted() {
    in_namespace(|| {
        set("ipv4/ping_group_range", "1 0");
        become_nobody();
        for family in [Family::V4, Family::V6] {
            assert_eq!(crate::sys::echo_permission(family), Err(OpenError::NotPermitted));
            let mut network = Network::new().unwrap();
            assert_eq!(network.ensure_echo(family), Err(OpenError::NotPermitted));
        }
    });
}

fn every_size_is_answered(to: Address) {
    let mut network = match network(to.family()) {
        Some(network) => network,
        None => return,
    };
    // Around the ends of token and first buffer; beyond one packet of loopback; the largest.
    let sizes = [0, 1, 2, 15, 16, 17, 55, 56, 57, 1_472, 40_000, 65_499, 65_500];
    for (id, size) in sizes.iter().enumerate() {
        let mut results = Vec::new();
        network.send_echoes(&[EchoRequest { size: *size, ..request(id as u64, to) }], &mut results);
        assert_eq!(plain(&results), [SENT], "{size}");
        match wait_for(&mut network, 1)[0] {
            Event::Reply { id: answered, .. } => assert_eq!(answered.0, id as u64),
            other => panic!("{other:?}"),
        }
        network.close_echo(ProbeId(id as u64), to);
    }
    assert_eq!(network.counters().foreign, 0);
}

#[test]
fn every_payload_size_is_answered() {
    every_size_is_answered(address("127.0.0.1"));
    every_size_is_answered(address("::1"));
}

#[test]
fn every_payload_size_is_answered_on_datagram_sockets() {
    unprivileged(|| {
        every_size_is_answered(address("127.0.0.1"));
        every_size_is_answered(address("::1"));
    });
}

#[test]
fn a_batch_may_mix_families_and_opens_their_sockets() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let mixed = [address("127.0.0.1"), address("::1"), address("127.0.0.2")];
    let results = send_all(&mut network, &mixed);
    assert_eq!(results, [SENT, SENT, SENT]);
    wait_for(&mut network, 3);
}

#[test]
fn after_a_send_on_loopback_the_replies_are_already_there() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let hosts = full_batch(3);
    send_all(&mut network, &hosts);
    let mut events = Vec::new();
    network.receive(&mut events);
    assert_eq!(events.len(), BATCH);
}

#[test]
fn two_probes_of_one_address_get_their_own_replies() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let host = address("127.0.0.1");
    send_all(&mut network, &[host; 5]);
    let mut ids: Vec<_> = wait_for(&mut network, 5)
        .iter()
        .map(|event| match event {
            Event::Reply { id, .. } => id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

#[test]
fn a_reply_to_a_closed_probe_is_nobody_else_s() {
    let mut network = match network(Family::V4) {
        Some(network) => network,
        None => return,
    };
    let host = address("127.0.0.1");
    send_all(&mut network, &[host]);
    network.close_echo(ProbeId(0), host);
    // It names its probe; that this is closed is not known here.
    match wait_for(&mut network, 1)[0] {
        Event::Reply { id: ProbeId(0), from, .. } => assert_eq!(from, Some(host)),
        other => panic!("{other:?}"),
    }
    // Without a whole token it names nobody.
    let short = EchoRequest { size: 15, ..request(1, host) };
    network.send_echoes(&[short], &mut Vec::new());
    network.close_echo(ProbeId(1), host);
    assert!(wait_out(&mut network, 20 * MILLISECOND).is_empty());
    assert_eq!(network.counters().foreign, 1);
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
fn dropped_replies_change_the_overflow_number() {
    // Alone: a full buffer counts strangers' packets, too.
    in_namespace(|| {
        let mut network = network(Family::V4).unwrap();
        let before = network.overflows(Family::V4).count;
        let hosts = full_batch(4);
        send_all(&mut network, &hosts[..8]);
        (0..8).for_each(|id| network.close_echo(ProbeId(id as u64), hosts[id]));
        assert_eq!(network.overflows(Family::V4).count, before);
        let smallest: c_int = 1;
        let fd = network.echo[0].as_ref().unwrap().descriptor();
        set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &smallest).unwrap();
        send_all(&mut network, &hosts[8..]);
        let changed = network.overflows(Family::V4).count;
        assert_ne!(changed, before);
        assert_eq!(network.overflows(Family::V4).count, changed);
        network.close_echo_sockets();
        assert_eq!(network.overflows(Family::V4).count, changed);
    });
}

/// A stranger's packets: those of a socket with an identifier of its own.
#[test]
fn strangers_packets_are_no_overflow_and_not_foreign() {
    in_namespace(|| {
        let mut ours = network(Family::V4).unwrap();
        let before = ours.overflows(Family::V4).count;
        let mut stranger = network(Family::V4).unwrap();
        let hosts = full_batch(4);
        send_all(&mut stranger, &hosts);
        assert!(wait_out(&mut ours, 10 * MILLISECOND).is_empty());
        assert_eq!((ours.overflows(Family::V4).count, ours.counters().foreign), (before, 0));
    });
}

#[test]
fn no_program_started_from_here_inherits_a_descriptor() {
    let mut network = Network::new().unwrap();
    let mut descriptors = vec![network.waker().descriptor()];
    if network.ensure_echo(Family::V4).is_ok() {
        descriptors.extend(network.echo.iter().flatten().map(|socket| socket.descriptor()));
    }
    for fd in descriptors {
        // SAFETY: no pointers.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }
}

#[test]
fn a_socket_that_could_not_be_opened_is_tried_again() {
    let mut network = Network::new().unwrap();
    let mut results = Vec::new();
    let batch = [request(1, address("127.0.0.1"))];
    without_descriptors(|| network.send_echoes(&batch, &mut results));
    assert_eq!(results, [SendResult::NoSocket(OpenError::NoResources(libc::EMFILE))]);
    if crate::sys::echo_permission(Family::V4).is_ok() {
        network.send_echoes(&batch, &mut results);
        assert_eq!(plain(&results), [SENT]);
    }
}

#[test]
fn requests_leave_with_the_hops_asked_for() {
    in_namespace(|| {
        for (host, protocol) in [("127.0.0.1", libc::IPPROTO_ICMP), ("::1", libc::IPPROTO_ICMPV6)] {
            let host = address(host);
            let mut network = network(host.family()).unwrap();
            // A second raw socket, which sees the requests, too.
            let witness = open_socket(host.family(), libc::SOCK_RAW, protocol).unwrap();
            let on: c_int = 1;
            if host.family() == Family::V6 {
                let (level, name) = (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT);
                set_option(witness.as_raw_fd(), level, name, &on).unwrap();
            }
            let first = EchoRequest { hops: 7, ..request(1, host) };
            let second = EchoRequest { transmission: 1, ..request(1, host) };
            network.send_echoes(&[first, second], &mut Vec::new());
            let mut seen = Vec::new();
            let mut incoming = Incoming::new(true);
            let mut transfer = Transfer::new();
            let fd = witness.as_raw_fd();
            while let Ok(count) = incoming.fill(|messages| transfer.receive(fd, messages, 0)) {
                for index in 0..count {
                    let packet = incoming.packet(index);
                    match host.family() {
                        Family::V4 if packet.bytes[20] == 8 => seen.push(packet.bytes[8]),
                        Family::V6 if packet.bytes[0] == 128 => seen.push(packet.hops.unwrap()),
                        _ => {}
                    }
                }
            }
            assert_eq!(seen, [7, 64]);
        }
    });
}

#[test]
fn a_link_local_address_answers_under_its_scope() {
    in_namespace(|| {
        add_dead_link();
        ip("addr add fe80::77/64 dev dead0 nodad");
        let bytes = *address("fe80::77").bytes();
        let host = Address::v6(bytes, crate::sys::interface_index("dead0").unwrap());
        let mut network = network(Family::V6).unwrap();
        // The system makes an address its own a moment after it is added.
        let answered = (0..100).any(|_| {
            network.send_echoes(&[request(1, host)], &mut Vec::new());
            let events = wait_until(&mut network, 10 * MILLISECOND, |events| !events.is_empty());
            matches!(events[..], [Event::Reply { id: ProbeId(1), .. }])
        });
        assert!(answered);
    });
}
