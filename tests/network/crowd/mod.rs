//! A crowd of hosts that misbehave in every way at once, and what the engine says of each, compared
//! with what the network itself saw. `RR_CROWD=1000000` makes the crowd larger than the test run's;
//! `RR_CROWD_RATE` and `RR_CROWD_SEED` are its packets a second and its seed.
//!
//! - [`host`]      what each host does
//! - [`player`]    the device, and the truth
//! - [`verdicts`]  the engine's side

mod host;
mod player;
mod verdicts;

use crate::lab::{lab_or_skip, skip, Lab, Namespace};
use crate::sweep::program;
use crate::witness::{Seen, Witness};
use host::Script;
use player::{device_drops, Player, Record, Truth};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use verdicts::{Sweep, Verdict, Verdicts};

const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_millis(200);
/// A reply this near to the end of a job may be read as in time or not: what lies between the
/// kernel's send and the player's read is known to neither side.
const DOUBT: Duration = Duration::from_millis(60);

fn setting(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{}={}", name, text)))
}

/// The targets for `hosts` hosts of the crowd's IPv4 network from `first` on, and as many
/// addresses.
fn v4_targets(first: u32, hosts: u32) -> (String, impl Iterator<Item = IpAddr>) {
    let first = u32::from(Ipv4Addr::new(10, 96, 0, 0)) + first;
    let last = first + hosts - 1;
    let text = format!("{}-{}", Ipv4Addr::from(first), Ipv4Addr::from(last));
    (text, (first..=last).map(|host| Ipv4Addr::from(host).into()))
}

fn v6_targets(hosts: u32) -> (String, impl Iterator<Item = IpAddr>) {
    let host = |number: u32| {
        Ipv6Addr::from(u128::from(Ipv6Addr::new(0xfd96, 0, 0, 0, 0, 0, 0, 0)) + u128::from(number))
    };
    let text = format!("{}-{}", host(1), host(hosts));
    (text, (1..=hosts).map(move |number| host(number).into()))
}

/// What was found when verdicts and truth were compared.
#[derive(Default, Debug)]
struct Findings {
    tcp: bool,
    up: u64,
    down: u64,
    unknown: u64,
    /// Too near to the end to say.
    doubtful: u64,
    wrong: Vec<String>,
}

impl Findings {
    /// With `overload` Unknown is a true answer, and requests may have been
    /// lost in the device.
    /// Compares one host, whose last request lay `lag` in the device before it was read.
    fn compare(
        &mut self,
        lag: Duration,
        host: IpAddr,
        state: &str,
        verdict: &Verdict,
        record: &Record,
        overload: bool,
    ) {
        let attempts_end = (record.last_read + TIMEOUT).saturating_sub(lag);
        let answered = record.replied.map(|(written, _)| written).or(record.refused);
        let in_time = answered.map_or(false, |written| written + DOUBT <= attempts_end);
        let late =
            record.replied.map_or(false, |(written, _)| written > attempts_end + lag + DOUBT);
        let mut wrong = |what: &str| {
            self.wrong.push(format!("{} is {}: {} {:?} {:?}", host, state, what, verdict, record));
        };
        match state {
            "Success" => {
                self.up += 1;
                if record.replied.is_none() {
                    wrong("it never answered");
                } else if late {
                    // It is up, whenever a busy engine came to look. (Where the device loses
                    // requests, the last may be one that nobody read.)
                    self.doubtful += 1;
                } else if let (1, Some((written, asked))) = (record.replies, record.replied) {
                    // The request had left before it was read, and the reply came after it was
                    // written. A sent time is interpolated within a chunk of 16 requests: who loses
                    // the processor inside one shifts it, for a time slice where all are starved.
                    // How true latencies are is asked in latency.rs.
                    let slack = if overload { 20_000_000 } else { 1_000_000 };
                    let least = (written - asked).as_nanos() as i64 - slack;
                    if verdict.rtt_ns < least {
                        wrong("faster than the network");
                    }
                }
            }
            // What nobody could send is no word about the host.
            "Unknown" | "NoResources" if overload => self.unknown += 1,
            "Refused" => {
                self.up += 1;
                if record.refused.is_none() {
                    wrong("it did not refuse");
                }
            }
            _ => {
                self.down += 1;
                let (expected, told) = record.error.unwrap_or(("TimedOut", Duration::ZERO));
                // An error that was late for the last attempt may have come for no attempt at all.
                let error_late = state == "TimedOut" && told + DOUBT > attempts_end;
                if in_time {
                    wrong("it answered in time");
                } else if (answered.is_some() && !late) || (error_late && expected != state) {
                    self.doubtful += 1;
                } else if state != expected && !overload {
                    wrong("another state was due");
                }
            }
        }
        let (sent, read) = (u16::from(verdict.sent), u16::from(record.requests));
        // The system repeats a SYN by itself; a reply may end a job before its next request.
        let plausible = if self.tcp { sent <= read } else { sent == read || verdict.rtt_ns >= 0 };
        if !overload && !plausible {
            wrong("another number of requests came to the network");
        }
    }

    fn assert_true(&self) {
        let first: Vec<_> = self.wrong.iter().take(10).collect();
        assert!(self.wrong.is_empty(), "{} wrong: {:#?}", self.wrong.len(), first);
    }
}

/// How long requests lay in the device: the player's own slowness, which is nobody's fault.
struct Lags<'a> {
    seen: &'a Seen,
    /// The longest, which stands in where the witness sees nothing: IPv6 and TCP.
    longest: Duration,
}

impl Lags<'_> {
    fn new<'a>(truth: &Truth, seen: &'a Seen) -> Lags<'a> {
        let mut lags = Lags { seen, longest: Duration::ZERO };
        let all = truth.hosts.iter().filter_map(|(host, record)| lags.seen_of(*host, record));
        lags.longest = all.max().unwrap_or_default();
        lags
    }

    fn seen_of(&self, host: IpAddr, record: &Record) -> Option<Duration> {
        let left = match host {
            IpAddr::V4(host) => self.seen.requests.get(&(host, record.last_request))?,
            IpAddr::V6(_) => return None,
        };
        Some(Duration::from_nanos((record.last_read_unix_ns - left).max(0) as u64))
    }

    fn of(&self, host: IpAddr, record: &Record) -> Duration {
        self.seen_of(host, record).unwrap_or(self.longest)
    }
}

/// Every host has one verdict, and that is compared.
fn compare(
    hosts: impl Iterator<Item = IpAddr>,
    verdicts: &Verdicts,
    truth: &std::collections::HashMap<IpAddr, Record>,
    lags: &Lags,
    overload: bool,
    tcp: bool,
) -> Findings {
    assert!(verdicts.repeated.is_empty(), "more than one completion: {:?}", verdicts.repeated);
    let mut findings = Findings { tcp, ..Findings::default() };
    let mut count = 0;
    for host in hosts {
        count += 1;
        let verdict = verdicts.hosts.get(&host);
        let verdict = verdict.unwrap_or_else(|| panic!("{} has no completion", host));
        let record = truth.get(&host).copied().unwrap_or_default();
        findings.compare(
            lags.of(host, &record),
            host,
            verdicts.state(verdict),
            verdict,
            &record,
            overload,
        );
    }
    assert_eq!(verdicts.hosts.len(), count, "completions of hosts that nobody named");
    findings
}

/// Distances of the latencies told from those that the kernel saw on the wire, in microseconds:
/// the median and the 99th of a hundred. Only of hosts that answered once.
fn latency_errors(verdicts: &Verdicts, truth: &Truth, seen: &Seen) -> (f64, f64) {
    let mut errors: Vec<f64> = Vec::new();
    for (host, trips) in &seen.trips {
        let address = IpAddr::from(*host);
        let record = truth.hosts.get(&address);
        if let (Some(verdict), [trip]) = (verdicts.hosts.get(&address), &trips[..]) {
            let once = record.map_or(false, |record| record.replies == 1);
            if once && verdict.rtt_ns >= 0 {
                errors.push((verdict.rtt_ns - trip).abs() as f64 / 1e3);
            }
        }
    }
    assert!(!errors.is_empty(), "nobody to compare");
    errors.sort_by(f64::total_cmp);
    (errors[errors.len() / 2], errors[(errors.len() - 1) * 99 / 100])
}

fn script(seed: u64, hosts: u64, rate: u64) -> Script {
    let half_time = Duration::from_secs_f64(hosts as f64 / rate as f64 / 2.0);
    Script { seed, interval: INTERVAL, timeout: TIMEOUT, half_time }
}

fn tell(truth: &Truth, drops: (u64, u64)) {
    println!(
        "network\tread={}\twritten={}\twrites_failed={}\tdropped_in={}\tdropped_out={}\t\
         packets_per_busy_second={:.0}\tlatest_ms={:.1}",
        truth.packets_read,
        truth.packets_written,
        truth.writes_failed,
        drops.0,
        drops.1,
        (truth.packets_read + truth.packets_written) as f64 / truth.busy.as_secs_f64(),
        truth.latest.as_secs_f64() * 1e3,
    );
}

/// A crowd of so many hosts is asked, and every verdict compared; the process's peak of memory in KiB.
fn sweep_crowd(lab: &Lab, hosts: u32, rate: u64) -> Result<u64, String> {
    let namespace = lab.namespace();
    let script = script(setting("RR_CROWD_SEED", 1), hosts.into(), rate);
    let player = Player::open(&namespace, script, 200_000)?;
    let (v4, v6, tcp) = (hosts / 4 * 3, hosts / 4, (hosts / 20).min(20_000));
    let (v4_text, v4_hosts) = v4_targets(1, v4);
    let (v6_text, v6_hosts) = v6_targets(v6);
    let (tcp_text, tcp_hosts) = v4_targets(1, tcp);
    let longest = Duration::from_secs(60 + u64::from(hosts) / 2_000);
    let witness = Witness::watch(&namespace, "tun0");
    let begin = Instant::now();
    let echo = format!(
        "--count 2 --interval {} --timeout {} --rate {} {} {}",
        INTERVAL.as_millis(),
        TIMEOUT.as_millis(),
        rate,
        v4_text,
        v6_text
    );
    let echo = Sweep::start(&namespace, &echo, longest);
    let connects = format!("--tcp 80 --timeout {} {}", TIMEOUT.as_millis(), tcp_text);
    let connects = Sweep::start(&namespace, &connects, longest);
    let (echo, connects) = (echo.finish(), connects.finish());
    let elapsed = begin.elapsed();
    // The device goes with its player.
    let drops = device_drops(&namespace);
    let truth = player.truth();
    tell(&truth, drops);
    let seen = witness.seen();
    let lags = Lags::new(&truth, &seen);
    let (median, p99) = latency_errors(&echo, &truth, &seen);
    let echo_findings = compare(v4_hosts.chain(v6_hosts), &echo, &truth.hosts, &lags, false, false);
    let tcp_findings = compare(tcp_hosts, &connects, &truth.tcp_hosts, &lags, false, true);
    println!(
        "crowd\thosts={}\trate={}\tseed={}\tup={}\tdown={}\tdoubtful={}\twrong={}\ttcp={}\t\
         tcp_up={}\ttcp_down={}\ttcp_wrong={}\tmedian_us={:.1}\tp99_us={:.1}\tlongest_lag_ms={:.1}\telapsed_s={:.2}\t\
         hosts_by_rate_s={:.2}\tpackets={}\toverflows={}\tpeak_kib={}",
        hosts,
        rate,
        script.seed,
        echo_findings.up,
        echo_findings.down,
        echo_findings.doubtful,
        echo_findings.wrong.len(),
        tcp,
        tcp_findings.up,
        tcp_findings.down,
        tcp_findings.wrong.len(),
        median,
        p99, lags.longest.as_secs_f64() * 1e3,
        elapsed.as_secs_f64(),
        f64::from(hosts) / rate as f64,
        echo.total("packets_sent"),
        echo.total("buffer_overflows"),
        echo.peak_kib,
    );
    println!("states\t{:?}\ttcp\t{:?}", echo.counts(), connects.counts());
    echo_findings.assert_true();
    tcp_findings.assert_true();
    assert_eq!((drops, truth.writes_failed), ((0, 0), 0), "the network itself lost packets");
    assert_eq!(echo.total("buffer_overflows"), 0, "the truth of this run is in the network only");
    assert!(median < 50.0, "half of the latencies are off by {} us", median);
    // Who has no time for the player has none for the engine.
    if lags.longest < DOUBT {
        let (up, down) = (echo_findings.up, echo_findings.down);
        assert!(up > u64::from(hosts) / 3 && down > u64::from(hosts) / 8);
        assert!(tcp_findings.up > u64::from(tcp) / 3 && tcp_findings.down > u64::from(tcp) / 8);
        // One host in a hundred may be in doubt.
        assert!(
            echo_findings.doubtful <= u64::from(hosts) / 100,
            "{} in doubt",
            echo_findings.doubtful
        );
        assert!(p99 < 1e3, "one latency in a hundred is off by {} us", p99);
        // What all requests take at this rate, and the longest host's script.
        let longest_script = INTERVAL + TIMEOUT;
        let least = echo.total("packets_sent") as f64 / rate as f64 + longest_script.as_secs_f64();
        let spent = elapsed.as_secs_f64();
        assert!(spent < least * 1.1 + 0.5, "{:.2} s for {:.2}", spent, least);
    } else {
        println!("the machine was too busy to judge times");
    }
    Ok(echo.peak_kib)
}

#[test]
fn a_crowd_that_misbehaves_gets_one_true_verdict_each() {
    let lab = lab_or_skip!();
    let hosts = setting("RR_CROWD", 40_000) as u32;
    let rate = setting("RR_CROWD_RATE", if hosts > 100_000 { 100_000 } else { 20_000 });
    let peak = match sweep_crowd(&lab, hosts, rate) {
        Ok(peak) => peak,
        Err(reason) => return skip(&reason),
    };
    if hosts > 100_000 {
        let small = sweep_crowd(&lab, 100_000, rate).expect("a second crowd, like the first");
        println!("peak\t{} KiB\tat 100000 hosts\t{} KiB", peak, small);
        assert!(peak < small + (20 << 10), "{} KiB against {} KiB", peak, small);
    }
}

/// Bytes of the overload run's payloads, more than others have: so that about a second of requests fills
/// a send buffer of four megabytes.
const OVERLOAD_PAYLOAD: u32 = 200;

/// Lets nothing out of the device's queue, or whatever comes; `false` where the kernel has no such queue.
fn stop_queue(namespace: &Namespace, stop: bool) -> bool {
    let change = if stop {
        "add dev tun0 root tbf rate 8bit burst 3kb limit 64mb"
    } else {
        "del dev tun0 root"
    };
    let mut command = namespace.command("tc");
    command.arg("qdisc").args(change.split(' '));
    command.status().map_or(false, |status| status.success())
}

/// Waits until the queue grows no more: then the send buffer is full.
fn await_full_buffer(namespace: &Namespace) {
    let mut length = 0;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        let mut command = namespace.command("tc");
        let told =
            command.args(["-s", "qdisc", "show", "dev", "tun0"]).output().expect("tc").stdout;
        let told = String::from_utf8_lossy(&told).into_owned();
        // "backlog 1234b 56p requeues 0"
        let packets = told.split("backlog ").nth(1).and_then(|rest| rest.split(' ').nth(1));
        let packets = packets.and_then(|packets| packets.strip_suffix('p')?.parse().ok());
        let before = std::mem::replace(&mut length, packets.unwrap_or_else(|| panic!("{}", told)));
        if length > 1_000 && length == before {
            break;
        }
    }
    println!("{} packets wait in the queue", length);
}

/// Device, receive buffer and send buffer have no room on purpose: nobody who answered is down.
#[test]
fn an_overloaded_machine_calls_nobody_down_who_answered() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let hosts = setting("RR_CROWD_OVERLOAD", 16_000) as u32;
    let script = script(setting("RR_CROWD_SEED", 2), 1, 1);
    let player = match Player::open(&namespace, script, 64) {
        Ok(player) => player,
        Err(reason) => return skip(&reason),
    };
    let (text, addresses) = v4_targets(1, hosts);
    let arguments = format!(
        "--count 2 --interval {} --timeout {} --rate 8000 --size {} {}",
        INTERVAL.as_millis(),
        TIMEOUT.as_millis(),
        OVERLOAD_PAYLOAD,
        text
    );
    let witness = Witness::watch(&namespace, "tun0");
    // What waits in the device's queue keeps its place in the send buffer, which is smaller without
    // CAP_NET_ADMIN. It is dropped in the end: what came late would be nobody's truth.
    let has_queue = stop_queue(&namespace, true);
    let mut command = namespace.command("setpriv");
    command.args(["--bounding-set=-net_admin", "--inh-caps=-net_admin", program()]);
    let sweep = Sweep::run(command, &arguments, Duration::from_secs(60));
    if has_queue {
        await_full_buffer(&namespace);
        assert!(stop_queue(&namespace, false), "the queue was there before");
    }
    let mut floods = 0;
    while !sweep.is_over() && floods < 100 {
        std::thread::sleep(Duration::from_millis(80));
        sweep.signal(libc::SIGSTOP);
        player.flood(1_000);
        floods += 1;
        sweep.signal(libc::SIGCONT);
    }
    let verdicts = sweep.finish();
    // The device goes with its player.
    let drops = device_drops(&namespace);
    let truth = player.truth();
    tell(&truth, drops);
    let findings = compare(
        addresses,
        &verdicts,
        &truth.hosts,
        &Lags::new(&truth, &witness.seen()),
        true,
        false,
    );
    println!(
        "overload\thosts={}\tfloods={}\tup={}\tdown={}\tunknown={}\tdoubtful={}\twrong={}\t\
         overflows={}\tnot_sent={}\tdropped_by_device={}",
        hosts,
        floods,
        findings.up,
        findings.down,
        findings.unknown,
        findings.doubtful,
        findings.wrong.len(),
        verdicts.total("buffer_overflows"),
        verdicts.total("packets_not_sent"),
        drops.0 + drops.1,
    );
    findings.assert_true();
    assert!(verdicts.total("buffer_overflows") > 0, "the receive buffer held every flood");
    assert!(drops.0 + drops.1 > 0, "the device held every packet");
    match has_queue {
        true => assert!(verdicts.total("packets_not_sent") > 0, "the send buffer held everything"),
        false => println!("this kernel has no queue that fills the send buffer"),
    }
    assert!(findings.up > u64::from(hosts) / 8);
}
