//! IPv6: hosts, blocks, scopes, and what routers say.

use crate::lab::{lab_or_skip, link, Lab, Namespace};
use crate::sweep::sweep;
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn pair(lab: &Lab) -> (Namespace, Namespace) {
    let (left, right) = lab.pair();
    left.ip("addr add fd00:1::1/64 dev v0 nodad");
    right.ip("addr add fd00:1::2/64 dev v0 nodad");
    (left, right)
}

#[test]
fn live_ipv6_hosts_answer() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    left.ip("route add fd00:9::/64 via fd00:1::2");
    right.ip("route add local fd00:9::/64 dev lo");
    let swept = sweep(&left, "--count 1 fd00:9::/120 fd00:1::2");
    swept.assert_all(257, "Success");
    assert_eq!(swept.of("fd00:1::2").number("ttl"), 64);
}

#[test]
fn missing_ipv6_hosts_do_not_hide_live_ones() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    right.ip("route add blackhole fd00:9::/64");
    right.ip("route add local fd00:9::80/121 dev lo");
    left.ip("route add fd00:9::/64 via fd00:1::2");
    let swept = sweep(&left, "--count 1 fd00:9::/120");
    for job in &swept.jobs {
        let live = job.number("index") >= 128;
        assert_eq!(job.outcome(), if live { "Success" } else { "TimedOut" }, "{:?}", job);
    }
    assert_eq!(swept.jobs.len(), 256);
}

#[test]
fn a_link_local_address_is_reached_on_its_link() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let swept = sweep(&left, "--count 1 fe80::2%v0");
    let job = swept.of("fe80::2%v0");
    assert_eq!(job.outcome(), "Success");
    assert!(job.text("address").starts_with("fe80::2%"), "{}", job.text("address"));
}

/// The error quotes the address without its link.
#[test]
fn a_host_missing_on_its_link_is_unreachable() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv6", 50);
    let swept = sweep(&left, "--count 1 fe80::99%v0 fe80::2%v0");
    assert_eq!(swept.of("fe80::99%v0").outcome(), "DestinationHostUnreachable");
    assert_eq!(swept.of("fe80::2%v0").outcome(), "Success");
}

#[test]
fn equal_link_local_addresses_on_two_links_are_two_hosts() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let third = lab.namespace();
    link(&left, "v1", &third, "v0");
    let swept = sweep(&left, "--count 1 fe80::2%v0 fe80::2%v1");
    swept.assert_all(2, "Success");

    third.ip("addr del fe80::2/64 dev v0");
    let swept = sweep(&left, "--count 1 fe80::2%v0 fe80::2%v1");
    assert_eq!(swept.of("fe80::2%v0").outcome(), "Success");
    assert_ne!(swept.of("fe80::2%v1").outcome(), "Success");
}

#[test]
fn a_link_local_address_needs_its_link() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    let swept = sweep(&left, "--count 3 fe80::2 fe80::2%nowhere fd00:1::2");
    let invalid: Vec<_> = swept.invalid.iter().map(|line| line.text("target")).collect();
    assert_eq!(invalid, ["fe80::2", "fe80::2%nowhere"]);
    swept.assert_all(1, "Success");
}

#[test]
fn ipv6_routes_and_routers_say_what_is_unreachable() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    right.make_router();
    right.ip("route add unreachable fd00:7::/64");
    right.ip("route add prohibit fd00:8::/64");
    for network in ["fd00:7::/64", "fd00:8::/64"] {
        left.ip(&format!("route add {} via fd00:1::2", network));
    }
    left.ip("route add unreachable fd00:5::/64");
    left.ip("route add blackhole fd00:6::/64");
    let swept = sweep(&left, "--count 1 fd00:1::2 fd00:5::1 fd00:6::1 fd00:7::1 fd00:8::1");
    assert_eq!(swept.of("fd00:1::2").outcome(), "Success");
    assert_eq!(swept.of("fd00:5::1").outcome(), "DestinationHostUnreachable");
    assert_eq!(swept.of("fd00:5::1").number("os_error"), i64::from(libc::EHOSTUNREACH));
    assert_eq!(swept.of("fd00:6::1").outcome(), "DestinationUnreachable");
    assert_eq!(swept.of("fd00:6::1").number("os_error"), i64::from(libc::EINVAL));
    // Linux says "no route" for an unreachable one.
    assert_eq!(swept.of("fd00:7::1").outcome(), "DestinationNetworkUnreachable");
    assert_eq!(swept.of("fd00:8::1").outcome(), "DestinationProhibited");
    assert!(swept.of("fd00:8::1").text("detail").contains("fd00:1::2"));
}

#[test]
fn ipv6_hops_and_sizes_are_told() {
    let lab = lab_or_skip!();
    let (left, router) = pair(&lab);
    let far = lab.namespace();
    link(&router, "v1", &far, "v0");
    router.ip("addr add fd00:2::1/64 dev v1 nodad");
    far.ip("addr add fd00:2::2/64 dev v0 nodad");
    far.ip("route add default via fd00:2::1");
    left.ip("route add fd00:2::/64 via fd00:1::2");
    router.make_router();
    let swept = sweep(&left, "--count 1 --hops 1 fd00:2::2");
    assert_eq!(swept.of("fd00:2::2").outcome(), "TtlExpired");
    let swept = sweep(&left, "--count 1 fd00:2::2");
    assert_eq!(swept.of("fd00:2::2").outcome(), "Success");
    assert_eq!(swept.of("fd00:2::2").number("ttl"), 63);
    router.ip("link set v1 mtu 1280");
    let swept = sweep(&left, "--count 1 --size 1400 fd00:2::2");
    assert_eq!(swept.of("fd00:2::2").outcome(), "PacketTooBig");
}

#[test]
fn one_family_does_not_wait_for_the_other() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    right.ip("route add local 10.1.9.0/24 dev lo");
    let swept = sweep(&left, "--count 1 10.1.9.1-10.1.9.50 fd00:1::2 10.1.9.51-10.1.9.100 ::1");
    swept.assert_all(102, "Success");
}

/// A family without a source address has no ports to wait for: that is the address's own answer, and
/// the next address of a name follows.
#[test]
fn connects_end_where_ipv6_is_off() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.sysctl("ipv6/conf/all/disable_ipv6", "1");
    left.etc("hosts", "::1 twin\n10.1.0.2 twin\n");
    left.etc("nsswitch.conf", "hosts: files\n");
    let listener = right.enter(|| TcpListener::bind("10.1.0.2:80").expect("a free port"));
    let begin = Instant::now();
    let swept = sweep(&left, "--count 2 --interval 50 --tcp 80 ::1 twin");
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    let alone = swept.of("::1");
    assert_ne!(alone.outcome(), "Success");
    assert_ne!(alone.number("os_error"), 0, "{:?}", alone);
    assert!(!alone.text("detail").is_empty());
    assert_eq!(swept.of("twin").outcome(), "Success");
    drop(listener);
}
