//! Latencies beside those that a witness on the wire has seen. Both sides have the kernel's times,
//! so a busy machine lengthens the round trips, but hardly the distance between the two; of that the
//! median counts, which one time for a whole batch moves by its half: 150 us and more. The lines
//! printed here are what the benchmarks tell.

use crate::lab::{lab_or_skip, Namespace};
use crate::packets::Request;
use crate::sweep::{sweep, Swept};
use crate::tun::{later, network_or_skip};
use crate::witness::{Protocol, Seen, Witness};
use std::net::IpAddr;
use std::process::Command;

/// Distances from the truth, in microseconds.
struct Errors(Vec<f64>);

impl Errors {
    /// Of pairs of what is told and what is true, in nanoseconds.
    fn new(pairs: impl Iterator<Item = (f64, f64)>) -> Errors {
        let mut errors: Vec<f64> = pairs.map(|(told, truth)| (told - truth).abs() / 1e3).collect();
        errors.sort_by(f64::total_cmp);
        Errors(errors)
    }

    fn percentile(&self, share: usize) -> f64 {
        self.0[(self.0.len() - 1) * share / 100]
    }

    /// Prints what the benchmarks read, and asserts that the median is at most `limit`.
    fn tell(&self, work: &str, hosts: usize, limit: f64) {
        // A played network that gets no processor loses packets.
        assert!(self.0.len() > hosts / 2, "{}: {} of {} hosts", work, self.0.len(), hosts);
        println!(
            "latency\twork={}\thosts={}\tmedian_us={:.1}\tp99_us={:.1}",
            work,
            self.0.len(),
            self.percentile(50),
            self.percentile(99)
        );
        assert!(self.percentile(50) <= limit, "{}: {} us", work, self.percentile(50));
    }
}

/// The mean of the host's round trips.
fn mean(truth: &Seen, host: &str) -> Option<f64> {
    let host: IpAddr = host.parse().ok()?;
    let trips = [Protocol::Echo, Protocol::Tcp].map(|protocol| truth.trips.get(&(protocol, host)));
    let trips = trips.into_iter().flatten().next()?;
    Some(trips.iter().sum::<i64>() as f64 / trips.len() as f64)
}

/// Sweeps while a witness watches `device`; the distances of the means.
fn errors(namespace: &Namespace, device: &str, arguments: &str) -> Errors {
    let witness = Witness::watch(namespace, device);
    let swept: Swept = sweep(namespace, arguments);
    let truth = witness.seen();
    let answered = swept.jobs.iter().filter(|job| job.number("rtt_mean_ns") >= 0);
    Errors::new(answered.filter_map(|job| {
        Some((job.number("rtt_mean_ns") as f64, mean(&truth, job.text("address"))?))
    }))
}

const LOOPBACK: &str = "127.0.1.1-127.0.4.232";
const LOOPBACK_V6: &str = "fd81::1-fd81::3e8";
const PLAYED: &str = "10.80.1.1-10.80.4.232";
const PLAYED_V6: &str = "fd80::1:1-fd80::1:3e8";
const HOSTS: usize = 1000;

#[test]
fn latencies_on_loopback_are_true() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    namespace.ip("route add local fd81::/64 dev lo");
    for (work, options, hosts, limit) in [
        ("loopback, unlimited", "--count 1", LOOPBACK, 25.0),
        ("loopback, 10,000 a second", "--count 1 --rate 10000", LOOPBACK, 10.0),
        ("loopback, statistics", "--count 4 --interval 30 --statistics", LOOPBACK, 10.0),
        ("loopback, IPv6", "--count 1 --rate 10000", LOOPBACK_V6, 10.0),
    ] {
        let errors = errors(&namespace, "lo", &format!("{} {}", options, hosts));
        errors.tell(work, HOSTS, limit);
    }
    if let Some(errors) = errors_of_fping(&namespace) {
        errors.tell("loopback, fping", HOSTS, f64::INFINITY);
    }
}

/// fping's, where it is there.
fn errors_of_fping(namespace: &Namespace) -> Option<Errors> {
    Command::new("fping").arg("-v").output().ok()?;
    let witness = Witness::watch(namespace, "lo");
    let (first, last) = LOOPBACK.split_once('-').expect("a range");
    let mut command = namespace.command("fping");
    command.args(["-q", "-C1", "-i0", "-r0", "-t1000", "-g", first, last]);
    let said = command.output().expect("it was there before").stderr;
    let truth = witness.seen();
    // ADDRESS : MILLISECONDS
    let said = String::from_utf8_lossy(&said).into_owned();
    Some(Errors::new(said.lines().filter_map(|line| {
        let (address, told) = line.split_once(':')?;
        let told: f64 = told.trim().parse().ok()?;
        Some((told * 1e6, mean(&truth, address.trim())?))
    })))
}

/// Hosts at 2 to 21 ms.
#[test]
fn latencies_of_distant_hosts_are_true() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let distance = |request: &Request| later(2 + u64::from(request.host() % 20), request.reply());
    let _network = network_or_skip!(&namespace, distance);
    for (work, options, hosts, limit) in [
        ("distant, unlimited", "--count 1", PLAYED, 25.0),
        ("distant, 10,000 a second", "--count 1 --rate 10000", PLAYED, 10.0),
        ("distant, statistics", "--count 4 --interval 60 --statistics", PLAYED, 10.0),
        ("distant, IPv6", "--count 1 --rate 10000", PLAYED_V6, 10.0),
    ] {
        let errors = errors(&namespace, "tun0", &format!("{} {}", options, hosts));
        errors.tell(work, HOSTS, limit);
    }
}

#[test]
fn latencies_of_connects_are_true() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    // Held open, and as many as its queue has places.
    let listener = namespace.enter(|| std::net::TcpListener::bind("0.0.0.0:0").expect("a port"));
    let port = listener.local_addr().expect("bound").port();
    for (work, port) in [("connects", port), ("connects, refused", port ^ 1)] {
        let arguments = format!("--tcp {} 127.0.1.1-127.0.1.100", port);
        errors(&namespace, "lo", &arguments).tell(work, 100, 50.0);
    }
}
