//! A name server in the namespace that is slow, dead, lying or broken, truncates its answers or gives
//! very many: what each gives stands in docs/reliability.md.

use crate::lab::{lab_or_skip, Lab, Namespace};
use crate::name_server::{Act, NameServer};
use crate::sweep::{sweep, Line};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// getaddrinfo's numbers (netdb.h): no answer for the time being, no such name, no address of it.
const EAI_AGAIN: i64 = -3;
const NOT_FOUND: [i64; 2] = [-2, -5];

/// `left` asks `right`, 10.1.0.2, which also answers echo requests, as 10.1.0.3 does.
fn pair(lab: &Lab, table: Vec<(&'static str, Act)>) -> (Namespace, Namespace, NameServer) {
    let (left, right) = lab.pair();
    right.ip("addr add 10.1.0.3/16 dev v0");
    left.etc("hosts", "10.1.0.3 known\n");
    left.etc("nsswitch.conf", "hosts: files dns\n");
    left.etc("resolv.conf", "nameserver 10.1.0.2\noptions timeout:1 attempts:2\n");
    let server = NameServer::start(&right, "10.1.0.2", table);
    (left, right, server)
}

const HERE: [u8; 4] = [10, 1, 0, 2];

/// Nobody's, and no answer may lead there.
const LIE: [u8; 4] = [10, 1, 0, 66];

fn failed_at_once(job: &Line) {
    assert!(job.duration_ms() < 1500.0, "{:?}", job);
    assert_eq!(job.number("sent"), 0);
}

#[test]
fn a_slow_name_server_delays_its_name_alone() {
    let lab = lab_or_skip!();
    let slow = Act::Slow(Duration::from_millis(700), HERE);
    let (left, _right, _server) =
        pair(&lab, vec![("slow", slow), ("quick", Act::Addresses(vec![HERE]))]);
    let begin = Instant::now();
    let swept = sweep(&left, "--count 1 slow.example quick.example known 10.1.0.3");
    assert!(begin.elapsed() >= Duration::from_millis(700), "{:?}", begin.elapsed());
    swept.assert_all(4, "Success");
    // In the order of their ends.
    assert_eq!(swept.jobs.last().expect("four").text("target"), "slow.example");
    for target in ["quick.example", "known", "10.1.0.3"] {
        assert!(swept.of(target).duration_ms() < 600.0, "{:?}", swept.of(target));
    }
}

#[test]
fn a_dead_name_server_is_a_look_up_that_timed_out() {
    let lab = lab_or_skip!();
    // Silent, not there at all (its host says that the port is closed), and its host is not there.
    let (left, right, server) = pair(&lab, vec![("silent", Act::Silent)]);
    let swept = sweep(&left, "--count 1 silent.example known");
    let silent = swept.of("silent.example");
    assert_eq!(silent.outcome(), "NameLookupTimedOut");
    assert!(silent.duration_ms() < 5500.0, "{:?}", silent);
    // Two attempts for each family, as resolv.conf says: it was asked, and again.
    assert!(server.asked("silent") >= 2);
    assert_eq!(swept.of("known").outcome(), "Success");
    drop(server);
    let swept = sweep(&left, "--count 1 any.example known");
    let refused = swept.of("any.example");
    assert_eq!(refused.outcome(), "NameLookupTimedOut");
    assert_eq!(refused.number("os_error"), EAI_AGAIN);
    assert_eq!(swept.of("known").outcome(), "Success");
    right.ip("link set v0 down");
    let swept = sweep(&left, "--count 1 any.example 127.0.0.1");
    assert_eq!(swept.of("any.example").outcome(), "NameLookupTimedOut");
    assert_eq!(swept.of("127.0.0.1").outcome(), "Success");
}

#[test]
fn a_name_server_that_fails_is_no_name_that_is_missing() {
    let lab = lab_or_skip!();
    let table = vec![
        ("servfail", Act::servfail()),
        ("refused", Act::refused()),
        ("missing", Act::no_such_name()),
        ("empty", Act::NoData),
    ];
    let (left, _right, _server) = pair(&lab, table);
    let names = "servfail.example refused.example missing.example empty.example";
    for probe in ["--count 1", "--tcp 9"] {
        let swept = sweep(&left, &format!("{probe} {names} 10.1.0.3"));
        for name in ["servfail.example", "refused.example"] {
            let job = swept.of(name);
            assert_eq!(job.outcome(), "NameLookupTimedOut", "{:?}", job);
            assert_eq!(job.number("os_error"), EAI_AGAIN);
            assert!(job.text("detail").contains("no answer from its servers"), "{:?}", job);
            failed_at_once(job);
        }
        for name in ["missing.example", "empty.example"] {
            let job = swept.of(name);
            assert_eq!(job.outcome(), "NameNotFound", "{:?}", job);
            assert!(NOT_FOUND.contains(&job.number("os_error")), "{:?}", job);
            failed_at_once(job);
        }
        let there = if probe == "--tcp 9" { "Refused" } else { "Success" };
        assert_eq!(swept.of("10.1.0.3").outcome(), there);
    }
}

/// What is no answer to the question is no answer.
#[test]
fn a_lying_name_server_leads_nowhere() {
    let lab = lab_or_skip!();
    let table = vec![
        ("othername", Act::OtherName(LIE)),
        ("otherid", Act::OtherIdentifier(LIE)),
        ("short", Act::ShortRecord(LIE)),
        ("garbage", Act::Garbage),
        ("alias", Act::AliasOfItself),
        ("pointer", Act::PointerLoop),
        ("unspecified", Act::Addresses(vec![[0, 0, 0, 0]])),
        ("multicast", Act::Addresses(vec![[224, 0, 0, 1]])),
        ("broadcast", Act::Addresses(vec![[255, 255, 255, 255]])),
        ("mixed", Act::Addresses(vec![[0, 0, 0, 0], [224, 0, 0, 1], HERE])),
    ];
    let labels: Vec<_> = table.iter().map(|(label, _)| *label).collect();
    let (left, _right, _server) = pair(&lab, table);
    let names: String = labels.iter().map(|label| format!(" {label}.example")).collect();
    let swept = sweep(&left, &format!("--count 1{names} 10.1.0.3"));
    assert_eq!(swept.jobs.len(), labels.len() + 1);
    for label in &labels[..6] {
        let job = swept.of(&format!("{label}.example"));
        let ended = ["NameLookupTimedOut", "NameNotFound", "Failed"].contains(&job.outcome());
        assert!(ended, "{:?}", job);
        assert_eq!((job.number("sent"), job.text("address")), (0, ""), "{:?}", job);
        assert!(job.duration_ms() < 5500.0, "{:?}", job);
    }
    for label in &labels[6..9] {
        let job = swept.of(&format!("{label}.example"));
        assert_eq!(job.outcome(), "BadDestination", "{:?}", job);
        assert_eq!(job.number("sent"), 0);
        failed_at_once(job);
    }
    assert_eq!(swept.of("mixed.example").outcome(), "Success");
    assert_eq!(swept.of("mixed.example").text("address"), "10.1.0.2");
    assert_eq!(swept.of("10.1.0.3").outcome(), "Success");
}

#[test]
fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let lab = lab_or_skip!();
    let table = vec![("cut", Act::Truncated(vec![HERE])), ("cutforgood", Act::TruncatedForGood)];
    let (left, _right, _server) = pair(&lab, table);
    let swept = sweep(&left, "--count 1 cut.example cutforgood.example 10.1.0.3");
    assert_eq!(swept.of("cut.example").outcome(), "Success");
    assert_eq!(swept.of("cut.example").text("address"), "10.1.0.2");
    let job = swept.of("cutforgood.example");
    assert_eq!(job.outcome(), "NameLookupTimedOut", "{:?}", job);
    assert_eq!(job.number("sent"), 0);
    assert!(job.duration_ms() < 5500.0, "{:?}", job);
    assert_eq!(swept.of("10.1.0.3").outcome(), "Success");
}

#[test]
fn a_name_of_very_many_addresses_has_them_all_and_one_answer() {
    let lab = lab_or_skip!();
    // More than fit into a datagram of 512 bytes, and the last one alone is there. The dead ones are
    // routed and say so at once, or a connect would take 250 ms for each.
    let mut addresses: Vec<_> = (1..=199).map(|host| [10, 7, 0, host]).collect();
    addresses.push(HERE);
    let table = vec![("many", Act::Truncated(addresses))];
    let (left, right, _server) = pair(&lab, table);
    left.ip("route add unreachable 10.7.0.0/16");
    let _listener = right.enter(|| TcpListener::bind((Ipv4Addr::from(HERE), 8080)).expect("free"));
    let swept = sweep(&left, "--tcp 8080 --resolve many.example");
    let job = swept.of("many.example");
    assert_eq!(job.outcome(), "Success", "{:?}", job);
    assert_eq!(job.text("address"), "10.1.0.2");
    assert_eq!(job.text("addresses").split(' ').count(), 200);
    assert!(job.duration_ms() < 2000.0, "{:?}", job);
    // An echo goes to the first, whichever the resolver puts there, and is one job.
    let swept = sweep(&left, "--count 1 --resolve many.example");
    assert_eq!(swept.jobs.len(), 1);
    let job = swept.of("many.example");
    assert_eq!(job.text("addresses").split(' ').count(), 200);
    assert!(job.text("addresses").starts_with(job.text("address")));
}

/// A name comes from whoever owns the address: what a terminal would obey does not arrive.
#[test]
fn a_reverse_name_has_no_control_characters() {
    let lab = lab_or_skip!();
    let table = vec![
        ("2", Act::Name(b"good-host".to_vec())),
        ("3", Act::Name(b"\x1b[2Jbad\x07\n".to_vec())),
    ];
    let (left, _right, _server) = pair(&lab, table);
    left.etc("hosts", "\n");
    let swept = sweep(&left, "--count 1 --resolve 10.1.0.2 10.1.0.3");
    swept.assert_all(2, "Success");
    assert_eq!(swept.of("10.1.0.2").text("host_name"), "good-host.example");
    let name = swept.of("10.1.0.3").text("host_name");
    assert!(!name.chars().any(char::is_control), "{:?}", name);
}
