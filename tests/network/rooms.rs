//! Odd rooms: kernels and containers that lack something, or have one thing more than usual. What
//! each must give stands in docs/reliability.md.

use crate::lab::{lab_or_skip, link, skip, Lab, Namespace};
use crate::sweep::{program, start, sweep, Running, Swept, TIMEOUT};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// A pair with addresses of both families.
fn pair(lab: &Lab) -> (Namespace, Namespace) {
    let (left, right) = lab.pair();
    left.ip("addr add fd00:1::1/64 dev v0 nodad");
    right.ip("addr add fd00:1::2/64 dev v0 nodad");
    (left, right)
}

#[test]
fn ipv6_that_is_switched_off_is_no_route_and_no_matter_to_ipv4() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    left.sysctl("ipv6/conf/all/disable_ipv6", "1");
    let swept = sweep(&left, "--count 2 --interval 50 fd00:1::2 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    assert_eq!(swept.of("fd00:1::2").outcome(), "DestinationNetworkUnreachable");
}

/// Makes `socket(family, ...)` fail in the program that `command` becomes, as where a kernel was
/// built without the family.
fn without_family(command: &mut Command, family: libc::c_int) {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let mut filter = [
        step(load, 0, 0, 0), // seccomp_data.nr
        step(equal, 0, 3, libc::SYS_socket as u32),
        step(load, 0, 0, 16), // seccomp_data.args[0], its lower half
        step(equal, 0, 1, family as u32),
        step(answer, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT as u32),
        step(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let restrict = move || {
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        let program: *const libc::sock_fprog = &program;
        // SAFETY: the filter is readable for its length; both calls are for this process alone.
        unsafe {
            if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, program, 0, 0) != 0
            {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: two system calls and no allocation between fork and exec.
    unsafe { command.pre_exec(restrict) };
}

fn sweep_without(family: libc::c_int, namespace: &Namespace, arguments: &str) -> Swept {
    let mut command = namespace.command(program());
    command.args(["--timeout", TIMEOUT]).args(arguments.split_whitespace());
    without_family(&mut command, family);
    Running::start(command).finish()
}

#[test]
fn a_kernel_without_ipv6_serves_ipv4_and_says_what_is_missing() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    let swept = sweep_without(libc::AF_INET6, &left, "--count 1 10.1.0.2 fd00:1::2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    let missing = swept.of("fd00:1::2");
    assert_eq!(missing.outcome(), "Failed");
    assert_eq!(missing.number("os_error"), i64::from(libc::EAFNOSUPPORT));
    let swept = sweep_without(libc::AF_INET6, &left, "--tcp 9 10.1.0.2 fd00:1::2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Refused");
    assert_eq!(swept.of("fd00:1::2").outcome(), "Failed");
    assert_eq!(swept.of("fd00:1::2").number("os_error"), i64::from(libc::EAFNOSUPPORT));
}

#[test]
fn where_there_is_ipv6_only_ipv4_has_no_route() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    left.ip("addr del 10.1.0.1/16 dev v0");
    for probe in ["--count 1", "--tcp 9"] {
        let swept = sweep(&left, &format!("{} 10.1.0.2 fd00:1::2", probe));
        assert_eq!(swept.of("10.1.0.2").outcome(), "DestinationNetworkUnreachable");
        let there = if probe == "--tcp 9" { "Refused" } else { "Success" };
        assert_eq!(swept.of("fd00:1::2").outcome(), there);
    }
}

#[test]
fn where_there_are_link_local_addresses_only_the_link_is_reached() {
    let lab = lab_or_skip!();
    let (left, right) = (lab.namespace(), lab.namespace());
    link(&left, "v0", &right, "v0");
    let swept = sweep(&left, "--count 1 fe80::2%v0 fd00:1::2 10.1.0.2");
    assert_eq!(swept.of("fe80::2%v0").outcome(), "Success");
    assert_eq!(swept.of("fd00:1::2").outcome(), "DestinationNetworkUnreachable");
    assert_eq!(swept.of("10.1.0.2").outcome(), "DestinationNetworkUnreachable");
}

#[test]
fn a_default_route_that_is_unreachable_ends_its_hosts_at_once() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    left.ip("route add unreachable default");
    let swept = sweep(&left, "--count 3 10.1.0.2 10.9.0.1");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    let job = swept.of("10.9.0.1");
    assert_eq!(job.outcome(), "DestinationHostUnreachable");
    assert!(job.duration_ms() < 150.0, "{:?}", job);
}

#[test]
fn of_two_default_routes_the_better_one_is_taken() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    let dead_end = lab.namespace();
    link(&left, "v1", &dead_end, "v0");
    left.ip("addr add 10.3.0.1/16 dev v1");
    dead_end.ip("addr add 10.3.0.2/16 dev v0");
    dead_end.sysctl("ipv4/ip_forward", "0");
    right.ip("route add local 10.9.0.0/24 dev lo");
    left.ip("route add default via 10.3.0.2 metric 200");
    left.ip("route add default via 10.1.0.2 metric 100");
    sweep(&left, "--count 1 10.9.0.0/24").assert_all(254, "Success");
    // The other way round it is the other one's silence.
    left.ip("route add default via 10.3.0.2 metric 50");
    sweep(&left, "--count 1 10.9.0.1-10.9.0.9").assert_all(9, "TimedOut");
}

#[test]
fn rules_of_policy_routing_are_local_route_errors() {
    let lab = lab_or_skip!();
    let (left, right) = pair(&lab);
    right.ip("addr add 10.1.0.3/16 dev v0");
    left.ip("rule add to 10.1.0.3 prohibit");
    let swept = sweep(&left, "--count 1 10.1.0.2 10.1.0.3");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    assert_eq!(swept.of("10.1.0.3").outcome(), "DestinationProhibited");
}

#[test]
fn packets_larger_than_an_mtu_of_576_come_back() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.ip("link set v0 mtu 576");
    right.ip("link set v0 mtu 576");
    sweep(&left, "--count 1 --size 1400 10.1.0.2").assert_all(1, "Success");
    sweep(&left, "--count 1 --size 32 10.1.0.2").assert_all(1, "Success");
}

#[test]
fn a_source_address_that_goes_away_ends_attempts_and_not_the_sweep() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    let running = start(&left, "--statistics --count 12 --interval 50 10.1.0.2 fd00:1::2");
    std::thread::sleep(Duration::from_millis(250));
    left.ip("addr del 10.1.0.1/16 dev v0");
    let swept = running.finish();
    let (v4, v6) = (swept.of("10.1.0.2"), swept.of("fd00:1::2"));
    assert_eq!((v6.outcome(), v6.number("received")), ("Success", 12));
    // It has answered before: that it cannot be asked any more does not make it down.
    assert!(matches!(v4.outcome(), "Success" | "DestinationNetworkUnreachable"), "{:?}", v4);
    assert!(v4.number("received") < 12, "{:?}", v4);
}

#[test]
fn a_link_that_goes_down_and_comes_back_is_used_again() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    let silence = "--count 30 --interval 50 10.1.0.2";
    left.ip("link set v0 down");
    let swept = sweep(&left, "--count 1 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "DestinationNetworkUnreachable");
    left.ip("link set v0 up");
    sweep(&left, silence).assert_all(1, "Success");
}

#[test]
fn in_a_vrf_its_own_routes_are_used() {
    let lab = lab_or_skip!();
    let (left, _right) = pair(&lab);
    let mut make = Command::new("ip");
    make.args(["-n", &left.to_string(), "link", "add", "red", "type", "vrf", "table", "10"]);
    let made = make.output().expect("ip was there before");
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        return skip(&format!("this kernel has no VRF: {}", said.trim()));
    }
    left.ip("link set red up");
    // With the link its routes leave the main table.
    left.ip("link set v0 master red");
    left.ip("addr replace fd00:1::1/64 dev v0 nodad");
    for probe in ["--count 1", "--tcp 9"] {
        let there = if probe == "--tcp 9" { "Refused" } else { "Success" };
        let arguments = format!("--timeout {} {} 10.1.0.2 fd00:1::2", TIMEOUT, probe);
        let mut inside = left.command("ip");
        inside.args(["vrf", "exec", "red", program()]).args(arguments.split_whitespace());
        Running::start(inside).finish().assert_all(2, there);
        sweep(&left, &arguments).assert_all(2, "DestinationNetworkUnreachable");
    }
}
