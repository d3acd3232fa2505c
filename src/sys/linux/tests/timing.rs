//! The times that are told: each request's own, the kernel's, and those of connects. Truth on
//! loopback is a few microseconds. A busy machine lengthens what it likes, so the best of several
//! rounds counts, and of each round the median: what a batch or a queue adds, it adds to all.

use super::namespace::{in_namespace, ip, nft, set, with_router};
use super::*;
use crate::sys::{ConnectError, RoundTrip, BATCH};
use std::net::TcpListener;

const MICROSECOND: u64 = 1_000;

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The round trips of one batch, in its order.
fn round_trips(network: &mut Network, batch: &[EchoRequest]) -> Vec<u64> {
    let mut results = Vec::new();
    network.send_echoes(batch, &mut results);
    let mut trips = vec![0; batch.len()];
    for event in wait_for(network, batch.len()) {
        match event {
            Event::Reply { id, received, .. } => match results[id.0 as usize] {
                SendResult::Sent { at } => trips[id.0 as usize] = received.nanos_since(at),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    for request in batch {
        network.close_echo(request.id, request.to);
    }
    trips
}

/// The best median of 20 rounds, with each round's slowest half left to the machine.
fn best_median(family: Family, stamped: bool) -> Option<u64> {
    let mut network = network(family)?;
    let to = |host: usize| match family {
        Family::V4 => Address::v4([127, 0, 7, host as u8]),
        Family::V6 => address("::1"),
    };
    let requests: Vec<_> =
        (0..BATCH).map(|host| EchoRequest { stamped, ..request(host as u64, to(host)) }).collect();
    (0..20).map(|_| median(round_trips(&mut network, &requests))).min()
}

/// One time for a batch of 128 is 200 us early for the median request, at the least.
#[test]
fn a_request_s_time_is_not_its_batch_s() {
    for family in [Family::V4, Family::V6] {
        if let Some(trip) = best_median(family, false) {
            assert!(trip < 25 * MICROSECOND, "{family:?}: {trip} ns");
        }
    }
}

#[test]
fn stamped_requests_have_the_kernel_s_time() {
    for family in [Family::V4, Family::V6] {
        if let Some(trip) = best_median(family, true) {
            assert!(trip < 25 * MICROSECOND, "{family:?}: {trip} ns");
        }
    }
}

/// A stamp lies where the request has left, also where it was not sent at the rate of the others:
/// every second request of this batch is large and takes several times as long.
#[test]
fn stamps_are_not_interpolated() {
    in_namespace(|| {
        ip("link set lo mtu 65535");
        let mut network = network(Family::V4).unwrap();
        let sizes = [1_400, 0];
        let batch: Vec<_> = (0..16)
            .map(|host| EchoRequest {
                size: sizes[host % 2],
                stamped: true,
                ..request(host as u64, Address::v4([127, 0, 7, host as u8]))
            })
            .collect();
        let mut results = Vec::new();
        let mut differs = 0;
        for _ in 0..20 {
            network.send_echoes(&batch, &mut results);
            wait_for(&mut network, 16);
            batch.iter().for_each(|request| network.close_echo(request.id, request.to));
            let times: Vec<u64> = results
                .iter()
                .map(|result| match result {
                    SendResult::Sent { at } => at.as_nanos(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
            let steps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            // Interpolated times are the same distance apart, to a nanosecond.
            let (least, most) = (steps.iter().min().unwrap(), steps.iter().max().unwrap());
            differs += usize::from(most - least > 50);
        }
        assert!(differs > 10, "{differs} of 20 batches have times of their own");
    });
}

/// The numbers of the requests that ask for a stamp, and of those that the system counts, may come
/// apart where one fails; then the stamps of others must not be taken for theirs.
#[test]
fn failed_requests_do_not_shift_the_stamps() {
    in_namespace(|| {
        ip("route add blackhole 10.78.0.1");
        ip("route add prohibit 10.78.0.2");
        let mut network = network(Family::V4).unwrap();
        let mut best = u64::MAX;
        for _ in 0..20 {
            let batch: Vec<_> = (0..32u8)
                .map(|host| {
                    let to = match host % 5 {
                        1 => Address::v4([10, 78, 0, 1]),
                        3 => Address::v4([10, 78, 0, 2]),
                        _ => Address::v4([127, 0, 7, host]),
                    };
                    EchoRequest { stamped: true, ..request(host.into(), to) }
                })
                .collect();
            let mut results = Vec::new();
            network.send_echoes(&batch, &mut results);
            let live = results.iter().filter(|result| matches!(result, SendResult::Sent { .. }));
            let live = live.count();
            assert_eq!(live, 19);
            let mut trips = Vec::new();
            for event in wait_for(&mut network, live) {
                if let Event::Reply { id, received, .. } = event {
                    if let SendResult::Sent { at } = results[id.0 as usize] {
                        trips.push(received.nanos_since(at));
                    }
                }
            }
            assert_eq!(trips.len(), live);
            batch.iter().for_each(|request| network.close_echo(request.id, request.to));
            trips.sort_unstable();
            best = best.min(trips[live / 2]);
        }
        assert!(best < 25 * MICROSECOND, "{best} ns");
    });
}

/// A family's requests wait for no other family's.
#[test]
fn one_family_s_batch_does_not_pay_for_the_other_s() {
    let mut network = match (network(Family::V4), network(Family::V6)) {
        (Some(network), Some(_)) => network,
        _ => return,
    };
    let batch: Vec<_> = (0..BATCH)
        .map(|host| match host % 2 {
            0 => request(host as u64, Address::v4([127, 0, 7, host as u8])),
            _ => request(host as u64, address("::1")),
        })
        .collect();
    let best = (0..20).map(|_| {
        let trips = round_trips(&mut network, &batch);
        median(trips.into_iter().skip(1).step_by(2).collect())
    });
    // IPv4's 64 requests, which go first, take 150 us or more.
    assert!(best.min().unwrap() < 40 * MICROSECOND);
}

/// Runs `test` with a connect of probe 1 to a router's `port`, where port 80 is open, that was not
/// answered within the call, and has been since.
fn with_late_answer(port: u16, test: impl FnOnce(&mut Network) + Send + 'static) {
    fn listen() {
        std::mem::forget(TcpListener::bind("10.80.0.2:80").unwrap());
    }
    in_namespace(move || {
        with_router(listen, || {
            // The router's link-layer address is asked for and not heard, then heard.
            ip("neigh flush dev router0");
            if !nft("add table arp t; add chain arp t i { type filter hook input priority 0; \
                     policy drop; }")
            {
                return;
            }
            let mut network = Network::new().unwrap();
            network.connect(ProbeId(1), address("10.80.0.2"), port).unwrap();
            nft("delete table arp t");
            std::thread::sleep(Duration::from_millis(200));
            test(&mut network);
        });
    });
}

#[test]
fn a_connect_s_round_trip_is_the_system_s_own() {
    with_late_answer(80, |network| match wait_for(network, 1)[0] {
        Event::Connected { round_trip: RoundTrip::Measured(nanos), .. } => {
            assert!(nanos < 150 * MILLISECOND, "{nanos} ns");
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn connects_under_way_are_looked_at_while_others_are_begun() {
    with_late_answer(81, |network| {
        let (_taken, port) = super::connect::closed_port();
        for id in 2..10 {
            network.connect(ProbeId(id), address("127.0.0.1"), port).unwrap();
        }
        let begun = Time::now();
        let events = wait_for(network, 9);
        let first = events.iter().find_map(|event| match event {
            Event::ConnectFailed { id: ProbeId(1), at, .. } => Some(*at),
            _ => None,
        });
        assert!(first.unwrap() < begun);
    });
}

#[test]
fn a_refusal_s_round_trip_is_not_that_of_the_connects_after_it() {
    let (_taken, port) = super::connect::closed_port();
    let mut network = Network::new().unwrap();
    let mut best = u64::MAX;
    for _ in 0..10 {
        for id in 0..64 {
            network.connect(ProbeId(id), address("127.0.0.1"), port).unwrap();
        }
        let trips = wait_for(&mut network, 64)
            .iter()
            .map(|event| match event {
                Event::ConnectFailed {
                    error: ConnectError::Refused,
                    round_trip: RoundTrip::Measured(nanos),
                    ..
                } => *nanos,
                other => panic!("{other:?}"),
            })
            .collect();
        best = best.min(median(trips));
    }
    // 32 further connects take 300 us or more.
    assert!(best < 100 * MICROSECOND, "{best} ns");
}

/// Requests are not fragmented, unless they are too large for their way.
#[test]
fn what_is_too_large_for_its_way_is_sent_in_fragments() {
    in_namespace(|| {
        ip("link set lo mtu 600");
        set("ipv6/conf/all/disable_ipv6", "1");
        let mut network = network(Family::V4).unwrap();
        let sizes = [0, 500, 1_000, 1_400, 1_401, 20_000, 16];
        let batch: Vec<_> = (0..sizes.len())
            .map(|host| EchoRequest {
                size: sizes[host],
                ..request(host as u64, Address::v4([127, 0, 8, host as u8]))
            })
            .collect();
        let mut results = Vec::new();
        network.send_echoes(&batch, &mut results);
        assert_eq!(plain(&results), [SENT; 7]);
        wait_for(&mut network, sizes.len());
    });
}
