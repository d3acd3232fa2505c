//! Without the right to raw sockets: datagram sockets where `ping_group_range` permits them, a
//! refusal before anything is sent where it does not.

use crate::lab::{lab_or_skip, link, Namespace};
use crate::sweep::{program, Running, Swept, TIMEOUT};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The user and group `nobody`.
const NOBODY: &str = "65534";
const EVERYBODY: &str = "0 2147483647";
/// An empty range: the kernel's default.
const NO_GROUP: &str = "1 0";

/// A copy of the program that everybody may run: the build folder may be root's alone.
struct PublicProgram(PathBuf);

impl PublicProgram {
    fn new(test: &str) -> PublicProgram {
        let name = format!("rust-runspaces-{}-{}", std::process::id(), test);
        let path = std::env::temp_dir().join(name);
        fs::copy(program(), &path).expect("room in the temporary folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
        PublicProgram(path)
    }

    /// Runs a sweep as nobody, without any capability.
    fn sweep(&self, namespace: &Namespace, arguments: &str) -> Swept {
        let rights = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
        self.sweep_with(&rights, namespace, arguments)
    }

    /// Runs a sweep as nobody, with these options of `setpriv`.
    fn sweep_with(&self, rights: &[&str], namespace: &Namespace, arguments: &str) -> Swept {
        let mut command = namespace.command("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).args(rights);
        command.arg(&self.0).args(["--timeout", TIMEOUT]).args(arguments.split_whitespace());
        Running::start(command).finish()
    }
}

impl Drop for PublicProgram {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn datagram_sockets_serve_where_the_group_may() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.ip("addr add fd00:1::1/64 dev v0 nodad");
    right.ip("addr add fd00:1::2/64 dev v0 nodad");
    right.ip("route add local 10.1.9.0/24 dev lo");
    left.sysctl("ipv4/ping_group_range", EVERYBODY);
    let nobody = PublicProgram::new("open");
    let swept = nobody.sweep(&left, "--count 1 10.1.9.0/24 fd00:1::2 ::1 127.0.0.1");
    swept.assert_all(257, "Success");
    for job in &swept.jobs {
        assert_eq!((job.number("sent"), job.number("received")), (1, 1));
        assert_eq!(job.number("ttl"), 64, "{:?}", job);
    }
}

#[test]
fn datagram_sockets_tell_errors_of_routes_and_routers() {
    let lab = lab_or_skip!();
    let (left, router) = lab.pair();
    let far = lab.namespace();
    link(&router, "v1", &far, "v0");
    router.ip("addr add 10.2.0.1/16 dev v1");
    far.ip("addr add 10.2.0.2/16 dev v0");
    far.ip("route add default via 10.2.0.1");
    router.make_router();
    router.ip("route add unreachable 10.7.0.0/16");
    left.ip("route add default via 10.1.0.2");
    left.ip("route add prohibit 10.8.0.0/16");
    left.sysctl("ipv4/ping_group_range", EVERYBODY);
    let nobody = PublicProgram::new("errors");
    let swept =
        nobody.sweep(&left, "--count 2 --interval 50 10.2.0.2 10.7.0.1 10.1.0.2 10.8.0.1 10.2.0.1");
    assert_eq!(swept.of("10.7.0.1").outcome(), "DestinationHostUnreachable");
    assert!(swept.of("10.7.0.1").text("detail").contains("10.1.0.2"));
    assert_eq!(swept.of("10.8.0.1").outcome(), "DestinationProhibited");
    assert_eq!(swept.outcomes()["Success"], 3);
    let swept = nobody.sweep(&left, "--count 1 --hops 1 10.2.0.2");
    assert_eq!(swept.of("10.2.0.2").outcome(), "TtlExpired");
}

#[test]
fn echo_is_refused_where_neither_socket_is_permitted() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.sysctl("ipv4/ping_group_range", NO_GROUP);
    let nobody = PublicProgram::new("closed");
    let swept = nobody.sweep(&left, "--count 1 10.1.0.2");
    assert!(swept.jobs.is_empty(), "{:?}", swept.jobs);
    let error = swept.error.expect("a refusal");
    assert_eq!(error.text("call"), "rr_pool_submit_probes");
    assert_eq!(error.number("status"), -40); // RR_STATUS_ICMP_NOT_PERMITTED
}

#[test]
fn connects_need_no_permission() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.sysctl("ipv4/ping_group_range", NO_GROUP);
    let nobody = PublicProgram::new("connect");
    let swept = nobody.sweep(&left, "--tcp 9 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Refused");
}

#[test]
fn a_process_with_raw_sockets_needs_no_group() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.sysctl("ipv4/ping_group_range", NO_GROUP);
    crate::sweep::sweep(&left, "--count 1 10.1.0.2").assert_all(1, "Success");
}

/// What docs/security.md advises is the least: either of two rights alone, and without both nothing.
#[test]
fn the_capability_alone_and_one_group_alone_are_enough() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    let nobody = PublicProgram::new("least");
    let echo = "--count 1 10.1.0.2 ::1";
    let only = [
        "--bounding-set=-all,+net_raw",
        "--inh-caps=-all,+net_raw",
        "--ambient-caps=-all,+net_raw",
    ];
    left.sysctl("ipv4/ping_group_range", NO_GROUP);
    nobody.sweep_with(&only, &left, echo).assert_all(2, "Success");
    // Its one group, of all groups, and no capability.
    left.sysctl("ipv4/ping_group_range", &format!("{NOBODY} {NOBODY}"));
    nobody.sweep(&left, echo).assert_all(2, "Success");
    // Every right but that one.
    left.sysctl("ipv4/ping_group_range", NO_GROUP);
    let mut command = left.command("setpriv");
    command.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]).arg(program());
    command.args(["--timeout", TIMEOUT]).args(echo.split(' '));
    let error = Running::start(command).finish().error.expect("a refusal");
    assert_eq!(error.number("status"), -40); // RR_STATUS_ICMP_NOT_PERMITTED
}

#[test]
fn a_neighbour_table_that_is_full_does_not_fail_datagram_sockets() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.200.0/24 dev lo");
    left.give_up_neighbours("ipv4", 500);
    left.sysctl("ipv4/ping_group_range", EVERYBODY);
    let nobody = PublicProgram::new("neighbours");
    let swept = nobody.sweep(&left, "--count 1 10.1.100.1-10.1.105.220 10.1.200.1-10.1.200.50");
    assert_eq!(swept.jobs.len(), 1550);
    let live = swept.jobs.iter().filter(|job| job.text("target").starts_with("10.1.200."));
    for job in live {
        assert_eq!(job.outcome(), "Success", "{:?}", job);
    }
}
