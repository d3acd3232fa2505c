//! TCP: open, refused and filtered ports, and silent hosts.

use crate::lab::{lab_or_skip, skip, Namespace};
use crate::sweep::{program, sweep, Running};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

fn listen(namespace: &Namespace, port: u16) -> TcpListener {
    namespace.enter(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("a free port"))
}

#[test]
fn open_and_refused_ports_are_told_apart() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    let _listener = listen(&right, 8080);
    let swept = sweep(&left, "--tcp 8080,8081 10.1.0.2");
    assert_eq!(swept.jobs.len(), 2);
    for job in &swept.jobs {
        let open = job.number("port") == 8080;
        assert_eq!(job.outcome(), if open { "Success" } else { "Refused" });
        assert_eq!(job.number("index"), i64::from(!open));
        assert!(job.rtt_ms() > 0.0 && job.rtt_ms() < 200.0, "{:?}", job);
    }
}

#[test]
fn filtered_ports_time_out_or_say_who_filters() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    let _listener = listen(&right, 8080);
    let loaded = right.filter(
        "input",
        &[
            "tcp dport 8081 drop",
            "tcp dport 8082 reject with tcp reset",
            "tcp dport 8083 reject with icmp type host-unreachable",
            "tcp dport 8084 reject with icmp type net-unreachable",
        ],
    );
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--tcp 8080,8081,8082,8083,8084 10.1.0.2");
    let expected = [
        "Success",
        "TimedOut",
        "Refused",
        "DestinationHostUnreachable",
        "DestinationNetworkUnreachable",
    ];
    assert_eq!(swept.jobs.len(), expected.len());
    for job in &swept.jobs {
        assert_eq!(job.outcome(), expected[job.number("index") as usize], "{:?}", job);
    }
}

#[test]
fn a_silent_host_is_one_attempt_and_its_timeout() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.sysctl("ipv4/ip_forward", "0");
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    let swept = sweep(&left, "--tcp 80 10.2.0.1-10.2.0.100");
    swept.assert_all(100, "TimedOut");
    for job in &swept.jobs {
        assert_eq!(job.number("sent"), 1);
        // One attempt of 200 ms; the upper bound leaves room for a busy machine.
        let duration = job.duration_ms();
        assert!((200.0..500.0).contains(&duration), "{} ms", duration);
    }
}

#[test]
fn connects_have_the_local_route_errors_of_their_host() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    let _listener = listen(&right, 8080);
    left.ip("route add unreachable 10.7.0.0/16");
    left.ip("route add prohibit 10.8.0.0/16");
    let swept = sweep(&left, "--tcp 8080 10.1.0.2 10.7.0.1 10.8.0.1");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    assert_eq!(swept.of("10.7.0.1").outcome(), "DestinationHostUnreachable");
    assert_eq!(swept.of("10.7.0.1").number("os_error"), i64::from(libc::EHOSTUNREACH));
    assert_eq!(swept.of("10.8.0.1").outcome(), "DestinationProhibited");
    assert_eq!(swept.of("10.8.0.1").number("os_error"), i64::from(libc::EACCES));
}

#[test]
fn ipv6_ports_are_reached() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.ip("addr add fd00:1::1/64 dev v0 nodad");
    right.ip("addr add fd00:1::2/64 dev v0 nodad");
    let _listener =
        right.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 8080)).expect("a free port"));
    let swept = sweep(&left, "--tcp 8080,8081 fd00:1::2");
    assert_eq!(swept.outcomes()["Success"], 1);
    assert_eq!(swept.outcomes()["Refused"], 1);
}

#[test]
fn few_descriptors_make_connects_wait_not_fail() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    right.ip("route add local 10.2.0.0/16 dev lo");
    let mut command = left.command("prlimit");
    command.args(["--nofile=64:64", program(), "--tcp", "9", "10.2.0.1-10.2.3.255"]);
    let swept = Running::start(command).finish();
    swept.assert_all(1023, "Refused");
}
