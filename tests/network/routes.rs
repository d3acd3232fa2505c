//! What the routes of this machine and the routers on the way say.

use crate::lab::{lab_or_skip, link, skip, Lab, Namespace};
use crate::sweep::sweep;
use std::time::{Duration, Instant};

/// `left` - `router` - `far`; 10.2.0.0/16 is behind the router, `far` is 10.2.0.2.
fn routed(lab: &Lab) -> (Namespace, Namespace, Namespace) {
    let (left, router) = lab.pair();
    let far = lab.namespace();
    link(&router, "v1", &far, "v0");
    router.ip("addr add 10.2.0.1/16 dev v1");
    far.ip("addr add 10.2.0.2/16 dev v0");
    far.ip("route add default via 10.2.0.1");
    left.ip("route add default via 10.1.0.2");
    router.make_router();
    (left, router, far)
}

#[test]
fn local_route_errors_keep_to_their_host() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.9.0/24 dev lo");
    left.ip("route add blackhole 10.6.0.0/16");
    left.ip("route add unreachable 10.7.0.0/16");
    left.ip("route add prohibit 10.8.0.0/16");
    let swept = sweep(
        &left,
        "--count 2 --interval 50 10.1.9.1-10.1.9.40 10.6.0.1 10.1.9.41-10.1.9.80 10.7.0.1 \
         10.1.9.81-10.1.9.120 10.8.0.1 10.1.9.121-10.1.9.160",
    );
    let expected = [
        ("10.6.0.1", "DestinationUnreachable", libc::EINVAL),
        ("10.7.0.1", "DestinationHostUnreachable", libc::EHOSTUNREACH),
        ("10.8.0.1", "DestinationProhibited", libc::EACCES),
    ];
    for (target, outcome, error) in expected {
        let job = swept.of(target);
        assert_eq!(job.outcome(), outcome);
        assert_eq!(job.number("os_error"), i64::from(error));
        assert_eq!(job.number("received"), 0);
        assert!(!job.text("detail").is_empty());
        // At once: not after the second attempt.
        assert!(job.duration_ms() < 50.0, "{:?}", job);
    }
    assert_eq!(swept.outcomes()["Success"], 160);
}

/// What fails in sending costs no token, and a pool with tokens to spare does not sleep.
#[test]
fn a_rate_does_not_hold_up_hosts_without_a_route() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let begin = Instant::now();
    let swept = sweep(&namespace, "--rate 20000 --count 1 127.0.0.0/21 10.0.0.0/22");
    // 2,046 packets at 20,000 a second take 100 ms; a hang takes for ever.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(swept.outcomes()["Success"], 2046);
    assert_eq!(swept.outcomes()["DestinationNetworkUnreachable"], 1022);
}

#[test]
fn no_route_at_all_is_a_network_unreachable() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let swept = sweep(&left, "--count 1 10.9.0.1 10.1.0.2");
    assert_eq!(swept.of("10.9.0.1").outcome(), "DestinationNetworkUnreachable");
    assert_eq!(swept.of("10.9.0.1").number("os_error"), i64::from(libc::ENETUNREACH));
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
}

#[test]
fn the_broadcast_address_is_refused_with_both_reasons() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let swept = sweep(&left, "--count 1 10.1.255.255");
    let job = swept.of("10.1.255.255");
    assert_eq!(job.outcome(), "DestinationProhibited");
    assert_eq!(job.number("os_error"), i64::from(libc::EACCES));
    assert!(job.text("detail").contains("broadcast"), "{}", job.text("detail"));
}

#[test]
fn a_local_filter_refuses_only_its_host() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.9.0/24 dev lo");
    let loaded = left.filter("output", &["ip daddr 10.1.9.100 drop"]);
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--count 1 10.1.9.0/24");
    assert_eq!(swept.outcomes()["Success"], 253);
    let refused = swept.jobs.iter().find(|job| job.outcome() != "Success").expect("one of 254");
    assert_eq!(refused.text("address"), "10.1.9.100");
    assert_eq!(refused.outcome(), "DestinationProhibited");
    assert_eq!(refused.number("os_error"), i64::from(libc::EPERM));
}

#[test]
fn routers_say_what_is_unreachable() {
    let lab = lab_or_skip!();
    let (left, router, _far) = routed(&lab);
    let loaded = router.filter(
        "forward",
        &[
            "ip daddr 10.2.5.1 reject with icmp type net-unreachable",
            "ip daddr 10.2.5.2 reject with icmp type host-unreachable",
            "ip daddr 10.2.5.3 reject with icmp type prot-unreachable",
            "ip daddr 10.2.5.4 reject with icmp type port-unreachable",
            "ip daddr 10.2.5.5 reject with icmp type net-prohibited",
            "ip daddr 10.2.5.6 reject with icmp type host-prohibited",
            "ip daddr 10.2.5.7 reject with icmp type admin-prohibited",
        ],
    );
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--count 1 10.2.5.1-10.2.5.7 10.2.0.2");
    let expected = [
        "DestinationNetworkUnreachable",
        "DestinationHostUnreachable",
        "DestinationProtocolUnreachable",
        "DestinationPortUnreachable",
        "DestinationProhibited",
        "DestinationProhibited",
        "DestinationProhibited",
    ];
    for job in swept.jobs.iter().filter(|job| job.text("target") != "10.2.0.2") {
        assert_eq!(job.outcome(), expected[job.number("index") as usize], "{:?}", job);
        assert!(job.text("detail").contains("10.1.0.2"), "{}", job.text("detail"));
    }
    assert_eq!(swept.of("10.2.0.2").outcome(), "Success");
}

#[test]
fn an_error_does_not_end_the_attempts_that_follow() {
    let lab = lab_or_skip!();
    let (left, router, _far) = routed(&lab);
    let loaded = router.filter(
        "forward",
        &["icmp type echo-request numgen inc mod 2 == 0 reject with icmp type host-unreachable"],
    );
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--count 4 --interval 50 10.2.0.2");
    let job = swept.of("10.2.0.2");
    assert_eq!(job.outcome(), "Success");
    assert_eq!((job.number("sent"), job.number("received")), (2, 1));
    // The kernel has queued the error for the socket as well, long before the second attempt.
    assert!(swept.total.as_ref().expect("totals").number("errors_drained") >= 1);
}

#[test]
fn hops_that_run_out_are_told_with_the_router() {
    let lab = lab_or_skip!();
    let (left, _router, _far) = routed(&lab);
    let swept = sweep(&left, "--count 1 --hops 1 10.2.0.2 10.1.0.2");
    assert_eq!(swept.of("10.2.0.2").outcome(), "TtlExpired");
    assert!(swept.of("10.2.0.2").text("detail").contains("10.1.0.2"));
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    let swept = sweep(&left, "--count 1 --hops 2 10.2.0.2");
    assert_eq!(swept.of("10.2.0.2").outcome(), "Success");
    assert_eq!(swept.of("10.2.0.2").number("ttl"), 63);
}

#[test]
fn a_packet_too_big_for_the_way_is_told() {
    let lab = lab_or_skip!();
    let (left, router, _far) = routed(&lab);
    router.ip("link set v1 mtu 1000");
    let swept = sweep(&left, "--count 1 --size 1400 10.2.0.2");
    assert_eq!(swept.of("10.2.0.2").outcome(), "PacketTooBig");
    let swept = sweep(&left, "--count 1 --size 900 10.2.0.2");
    assert_eq!(swept.of("10.2.0.2").outcome(), "Success");
}

#[test]
fn large_payloads_come_back() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let swept = sweep(&left, "--count 1 --size 65500 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    for size in [0, 1, 15, 16, 17] {
        let swept = sweep(&left, &format!("--count 1 --size {} 10.1.0.2", size));
        assert_eq!(swept.of("10.1.0.2").outcome(), "Success", "{} bytes", size);
    }
}
