//! Trouble in the middle of a run: a firewall that begins to refuse, a route that vanishes, an
//! interface that goes down and comes up again, a process that is stopped or killed. What each must
//! give stands in docs/reliability.md.

use crate::lab::{lab_or_skip, skip, Lab, Namespace};
use crate::sweep::{start, sweep, Swept};
use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// `right` has the hosts of 10.1.9.0/24, of which all answer.
fn pair(lab: &Lab) -> (Namespace, Namespace) {
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.9.0/24 dev lo");
    left.ip("addr add fd00:1::1/64 dev v0 nodad");
    right.ip("addr add fd00:1::2/64 dev v0 nodad");
    (left, right)
}

/// Twenty attempts of each host, 50 ms apart: a second, in the middle of which things happen.
const STEADY: &str = "--statistics --count 20 --interval 50";
const HOSTS: &str = "10.1.9.1-10.1.9.40";

/// Each host's one answer; those of `targets` alone.
fn assert_one_answer_each(swept: &Swept, count: usize) {
    let answered: BTreeSet<_> =
        swept.jobs.iter().map(|job| (job.text("target"), job.number("index"))).collect();
    assert_eq!((swept.jobs.len(), answered.len()), (count, count));
}

#[test]
fn a_firewall_that_begins_to_refuse_ends_its_hosts_and_no_others() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    if !left.filter("output", &[]) {
        return skip("no nft on this machine");
    }
    let running = start(&left, &format!("{STEADY} {HOSTS}"));
    std::thread::sleep(Duration::from_millis(400));
    // A drop at this hook is EPERM to who sends; `reject` beside it an ICMP error of this machine's.
    left.filter(
        "output",
        &["ip daddr 10.1.9.1-10.1.9.10 drop", "ip daddr 10.1.9.11-10.1.9.20 reject"],
    );
    let swept = running.finish();
    assert_one_answer_each(&swept, 40);
    for job in &swept.jobs {
        let host = job.number("index") + 1;
        match host {
            // They have answered: that they cannot be asked any more does not make them down.
            1..=20 => {
                let outcomes = ["Success", "DestinationProhibited", "DestinationPortUnreachable"];
                assert!(outcomes.contains(&job.outcome()), "{:?}", job);
                assert!((1..20).contains(&job.number("received")), "{:?}", job);
            }
            _ => assert_eq!((job.outcome(), job.number("received")), ("Success", 20), "{:?}", job),
        }
    }
    // Refused from the beginning.
    let swept = sweep(&left, &format!("--count 2 --interval 50 {HOSTS}"));
    assert_one_answer_each(&swept, 40);
    for job in &swept.jobs {
        match job.number("index") + 1 {
            1..=10 => {
                assert_eq!(job.outcome(), "DestinationProhibited", "{:?}", job);
                assert_eq!(job.number("os_error"), i64::from(libc::EPERM));
            }
            // What rejects here says EPERM, too, or sends the error: both name what refuses.
            11..=20 => {
                let outcomes = ["DestinationProhibited", "DestinationPortUnreachable"];
                assert!(outcomes.contains(&job.outcome()), "{:?}", job);
            }
            _ => assert_eq!(job.outcome(), "Success", "{:?}", job),
        }
    }
    let swept = sweep(&left, "--tcp 9 10.1.9.1 10.1.9.30");
    assert_eq!(swept.of("10.1.9.30").outcome(), "Refused");
    assert_ne!(swept.of("10.1.9.1").outcome(), "Refused");
}

#[test]
fn a_route_that_vanishes_is_told_and_used_again_when_it_is_back() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    right.ip("route add local 10.2.0.0/24 dev lo");
    left.ip("route add 10.2.0.0/24 via 10.1.0.2");
    let running = start(&left, &format!("{STEADY} 10.2.0.1-10.2.0.40 10.1.9.1"));
    std::thread::sleep(Duration::from_millis(300));
    left.ip("route del 10.2.0.0/24");
    let swept = running.finish();
    assert_one_answer_each(&swept, 41);
    for job in swept.jobs.iter().filter(|job| job.text("target") != "10.1.9.1") {
        let outcomes = ["Success", "DestinationNetworkUnreachable"];
        assert!(outcomes.contains(&job.outcome()), "{:?}", job);
        assert!((1..20).contains(&job.number("received")), "{:?}", job);
    }
    assert_eq!(swept.of("10.1.9.1").number("received"), 20);
    sweep(&left, "--count 1 10.2.0.1-10.2.0.40").assert_all(40, "DestinationNetworkUnreachable");
    left.ip("route add 10.2.0.0/24 via 10.1.0.2");
    sweep(&left, "--count 1 10.2.0.1-10.2.0.40").assert_all(40, "Success");
}

/// Down for 300 ms of a second, without losing what comes before and after.
#[test]
fn an_interface_that_goes_down_and_up_again_loses_its_attempts_and_no_host() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    let running = start(&left, &format!("{STEADY} {HOSTS} fd00:1::2 127.0.0.1"));
    let plain = start(&left, "--count 20 --interval 50 10.1.0.77 127.0.0.2");
    std::thread::sleep(Duration::from_millis(300));
    // The other end: to this one it is a cable that is pulled, so that routes and addresses stay.
    right.ip("link set v0 down");
    std::thread::sleep(Duration::from_millis(300));
    right.ip("link set v0 up");
    let swept = running.finish();
    assert_one_answer_each(&swept, 42);
    for job in swept.jobs.iter().filter(|job| job.text("target") == HOSTS) {
        assert_eq!(job.outcome(), "Success", "{:?}", job);
        assert!((2..20).contains(&job.number("received")), "{:?}", job);
    }
    assert_eq!(swept.of("127.0.0.1").number("received"), 20);
    let swept = plain.finish();
    assert_eq!(swept.of("127.0.0.2").outcome(), "Success");
    assert_ne!(swept.of("10.1.0.77").outcome(), "Success");
    // This end itself, in the middle of connects and echoes.
    let running = start(&left, &format!("--statistics --count 60 --interval 50 {HOSTS} 127.0.0.1"));
    let connects = start(&left, "--timeout 2000 --tcp 9 10.1.9.0/24 127.0.0.3");
    std::thread::sleep(Duration::from_millis(1500));
    left.ip("link set v0 down");
    std::thread::sleep(Duration::from_millis(200));
    left.ip("link set v0 up");
    let (swept, connected) = (running.finish(), connects.finish());
    assert_one_answer_each(&swept, 41);
    assert_one_answer_each(&connected, 255);
    assert_eq!(swept.of("127.0.0.1").number("received"), 60);
    assert_eq!(connected.of("127.0.0.3").outcome(), "Refused");
    for job in swept.jobs.iter().filter(|job| job.text("target") == HOSTS) {
        let outcomes = ["Success", "DestinationNetworkUnreachable", "DestinationHostUnreachable"];
        assert!(outcomes.contains(&job.outcome()), "{:?}", job);
    }
    // A busy machine may not have found each neighbour in the time before.
    let of_hosts = swept.jobs.iter().filter(|job| job.text("target") == HOSTS);
    assert!(of_hosts.filter(|job| job.number("received") >= 1).count() > 30);
    sweep(&left, &format!("--count 4 --interval 100 {HOSTS}")).assert_all(40, "Success");
}

/// Raw and TCP sockets that there are in a namespace.
fn sockets(namespace: &Namespace) -> usize {
    namespace.enter(|| {
        let lines = ["raw", "raw6", "icmp", "icmp6", "tcp", "tcp6"].iter().map(|table| {
            // Of the thread, which alone has entered.
            let text = fs::read_to_string(format!("/proc/thread-self/net/{table}"));
            text.map_or(0, |text| text.lines().count().saturating_sub(1))
        });
        lines.sum()
    })
}

#[test]
fn a_process_that_is_killed_leaves_nothing_behind() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    assert_eq!(sockets(&left), 0);
    let echoes = start(&left, "--count 100 --rate 5000 10.2.0.0/16 10.1.9.0/24");
    let connects = start(&left, "--timeout 5000 --tcp 80 10.2.0.0/18");
    let begin = Instant::now();
    while sockets(&left) < 100 {
        assert!(begin.elapsed() < Duration::from_secs(10), "{} sockets", sockets(&left));
        std::thread::sleep(Duration::from_millis(10));
    }
    echoes.kill();
    connects.kill();
    assert_eq!(sockets(&left), 0);
    sweep(&left, "--count 1 10.1.9.1-10.1.9.40").assert_all(40, "Success");
}

/// Stopped in the middle of everything, again and again, for longer than the reply timeout. A packet
/// that waits is answered in time by the kernel's stamps; what is lost is asked for again.
#[test]
fn a_process_that_is_stopped_again_and_again_answers_each_job_truly() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    let _listener =
        right.enter(|| TcpListener::bind((Ipv4Addr::new(10, 1, 9, 1), 8080)).expect("free"));
    let echoes = start(&left, &format!("{STEADY} {HOSTS} fd00:1::2"));
    let connects = start(&left, "--count 20 --interval 50 --statistics --tcp 8080,9 10.1.9.1");
    for _ in 0..3 {
        for running in [&echoes, &connects] {
            running.signal(libc::SIGSTOP);
        }
        std::thread::sleep(Duration::from_millis(250));
        for running in [&echoes, &connects] {
            running.signal(libc::SIGCONT);
        }
        std::thread::sleep(Duration::from_millis(60));
    }
    let (echoes, connects) = (echoes.finish(), connects.finish());
    assert_one_answer_each(&echoes, 41);
    for job in &echoes.jobs {
        assert_eq!(
            (job.outcome(), job.number("received")),
            ("Success", job.number("sent")),
            "{:?}",
            job
        );
    }
    assert_one_answer_each(&connects, 2);
    let outcomes: Vec<_> =
        connects.jobs.iter().map(|job| (job.text("port"), job.outcome())).collect();
    assert!(
        outcomes.contains(&("8080", "Success")) && outcomes.contains(&("9", "Refused")),
        "{:?}",
        outcomes
    );
}
