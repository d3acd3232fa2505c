//! Names: which of their addresses are tried, and resolvers that do not answer.

use crate::lab::{lab_or_skip, Lab, Namespace};
use crate::sweep::{program, start, sweep, Running, TIMEOUT};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

/// On the right, 10.1.0.2 and 10.1.0.3 exist and refuse; 10.2.0.0/16 takes everything and says
/// nothing. Names come from `hosts` alone.
fn pair(lab: &Lab, hosts: &str) -> (Namespace, Namespace) {
    let (left, right) = lab.pair();
    right.ip("addr add 10.1.0.3/16 dev v0");
    right.sysctl("ipv4/ip_forward", "0");
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    left.etc("hosts", hosts);
    left.etc("nsswitch.conf", "hosts: files\n");
    (left, right)
}

fn listen(namespace: &Namespace, address: [u8; 4]) -> TcpListener {
    let address = Ipv4Addr::from(address);
    namespace.enter(move || TcpListener::bind((address, 8080)).expect("a free port"))
}

#[test]
fn a_connect_goes_on_where_the_first_address_refuses() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab, "10.1.0.2 twin\n10.1.0.3 twin\n");
    let _listener = listen(&right, [10, 1, 0, 3]);
    let swept = sweep(&left, "--tcp 8080 twin");
    assert_eq!(swept.of("twin").outcome(), "Success");
    assert_eq!(swept.of("twin").text("address"), "10.1.0.3");
}

#[test]
fn a_connect_does_not_wait_for_a_silent_address() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab, "10.2.0.1 twin\n10.1.0.3 twin\n");
    let _listener = listen(&right, [10, 1, 0, 3]);
    let swept = sweep(&left, "--timeout 1000 --tcp 8080 twin");
    let job = swept.of("twin");
    assert_eq!(job.outcome(), "Success");
    assert_eq!(job.text("address"), "10.1.0.3");
    // At once, where the resolver has put the other address first; else 250 ms later.
    assert!(job.duration_ms() < 500.0, "{:?}", job);
}

#[test]
fn a_name_is_refused_where_one_address_refuses_and_none_is_open() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 twin\n10.2.0.1 twin\n");
    let swept = sweep(&left, "--tcp 8080 twin");
    assert_eq!(swept.of("twin").outcome(), "Refused");
    assert_eq!(swept.of("twin").text("address"), "10.1.0.2");
}

#[test]
fn an_echo_goes_to_the_first_address() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.3 twin\n10.1.0.2 twin\n");
    let swept = sweep(&left, "--count 1 --resolve twin");
    let job = swept.of("twin");
    assert_eq!(job.outcome(), "Success");
    let addresses: Vec<_> = job.text("addresses").split(' ').collect();
    assert_eq!(addresses.len(), 2, "{:?}", addresses);
    assert_eq!(job.text("address"), addresses[0]);
}

/// Names that share an address share its probe, and keep their own names.
#[test]
fn two_names_of_one_address_are_told_each_with_its_own() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.2.0.9 first.example\n10.2.0.9 second.example\n");
    let swept = sweep(&left, "--count 1 --resolve first.example second.example");
    for name in ["first.example", "second.example"] {
        assert_eq!(swept.of(name).text("host_name"), name);
        assert_eq!(swept.of(name).text("address"), "10.2.0.9");
    }
}

/// Reverse look-ups have a window, and what waits for one is not expanded.
#[test]
fn a_silent_name_server_does_not_fill_the_memory_with_addresses() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 known\n");
    left.etc("nsswitch.conf", "hosts: files dns\n");
    left.etc("resolv.conf", "nameserver 10.2.0.53\noptions timeout:30\n");
    let limit = "--run-limit 2500";
    let swept = start(&left, &format!("--count 1 --resolve {limit} 127.0.0.0/12 known"));
    std::thread::sleep(Duration::from_secs(2));
    let status = fs::read_to_string(format!("/proc/{}/status", swept.id())).expect("our child");
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).expect("a figure");
    let kilobytes: u64 = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    let swept = swept.finish();
    // A window of look-ups and 64 threads; without the window it grew by 35 MB a second.
    assert!(kilobytes < 40_000, "{} kB", kilobytes);
    // A name does not wait behind the addresses.
    assert_eq!(swept.of("known").outcome(), "Success");
}

#[test]
fn an_address_is_looked_up_backwards_on_request() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 backwards.example\n");
    let swept = sweep(&left, "--count 1 --resolve 10.1.0.2 10.1.0.3");
    assert_eq!(swept.of("10.1.0.2").text("host_name"), "backwards.example");
    assert_eq!(swept.of("10.1.0.3").text("host_name"), "");
    swept.assert_all(2, "Success");
}

#[test]
fn a_name_nobody_knows_is_not_found() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 known\n");
    let swept = sweep(&left, "--count 1 known unknown");
    assert_eq!(swept.of("known").outcome(), "Success");
    assert_eq!(swept.of("unknown").outcome(), "NameNotFound");
    assert_ne!(swept.of("unknown").number("os_error"), 0);
    assert_eq!(swept.of("unknown").number("sent"), 0);
}

#[test]
fn names_without_an_address_of_the_family_are_not_found() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 old\n");
    let swept = sweep(&left, "--count 1 --ipv6 old");
    assert_eq!(swept.of("old").outcome(), "NameNotFound");
}

/// The deadline of a look-up is 5 s; what else is swept does not wait for it.
#[test]
fn a_resolver_that_does_not_answer_holds_up_its_names_only() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 known\n");
    left.etc("nsswitch.conf", "hosts: files dns\n");
    left.etc("resolv.conf", "nameserver 10.2.0.53\noptions timeout:30\n");
    let swept = sweep(&left, "--count 1 lost.example 10.1.0.3 known");
    let lost = swept.of("lost.example");
    assert_eq!(lost.outcome(), "NameLookupTimedOut");
    assert!((5000.0..6000.0).contains(&lost.duration_ms()), "{:?}", lost);
    for target in ["10.1.0.3", "known"] {
        assert_eq!(swept.of(target).outcome(), "Success");
        assert!(swept.of(target).duration_ms() < 1000.0);
    }
    // The lost one, and the known one before it was answered.
    let open = swept.total.as_ref().expect("totals").number("lookups_open");
    assert!((1..=2).contains(&open), "{}", open);
}

/// Some modules of glibc's name service hang, in code that nobody here has written.
#[test]
fn a_resolver_s_module_that_hangs_has_threads_of_the_resolver_only() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab, "10.1.0.2 known\n");
    left.etc("nsswitch.conf", "hosts: odd files\n");
    let folder = std::env::temp_dir().join(format!("rr-nss-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of ours");
    let module = folder.join("libnss_odd.so.2");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network/libnss_odd.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", source, "-o"]).arg(&module);
    assert!(compiler.status().expect("the compiler that links this").success());
    let log = folder.join("log");
    let mut command = left.command(program());
    command.env("LD_LIBRARY_PATH", &folder).env("NSS_ODD_LOG", &log);
    command.args(["--run-limit", "1000", "--timeout", TIMEOUT, "--count", "1"]);
    command.args(["hang1", "hang2", "hang3", "known", "unknown", "10.1.0.2"]);
    let begin = Instant::now();
    let swept = Running::start(command).finish();
    let took = begin.elapsed();
    let log = fs::read_to_string(log).expect("it was called");
    fs::remove_dir_all(&folder).expect("our folder");
    for (target, outcome) in
        [("known", "Success"), ("10.1.0.2", "Success"), ("unknown", "NameNotFound")]
    {
        assert_eq!(swept.of(target).outcome(), outcome);
        assert!(swept.of(target).duration_ms() < 500.0, "{:?}", swept.of(target));
    }
    for target in ["hang1", "hang2", "hang3"] {
        assert_eq!(swept.of(target).outcome(), "Stopped");
    }
    // Its limit and a busy machine; the look-ups' own deadline is 5 s.
    assert!(took < Duration::from_secs(3), "{:?}", took);
    assert!(log.lines().count() >= 5, "{:?}", log);
    assert!(log.lines().all(|thread| thread == "rr-resolver"), "{:?}", log);
}
