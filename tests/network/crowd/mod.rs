//! A crowd of hosts that misbehave in every way at once, and what the engine says of each, compared
//! with what the network itself saw. `RR_CROWD=1000000` makes the crowd larger than the test run's;
//! `RR_CROWD_RATE` and `RR_CROWD_SEED` are its requests a second and its seed. More than 100,000 hosts
//! are judged by every bound, however busy the machine is.
//!
//! - [`host`]      what each host does
//! - [`player`]    the device, and the truth
//! - [`verdicts`]  the engine's side

mod host;
mod player;
mod verdicts;

use crate::lab::{lab_or_skip, skip, Lab, Namespace};
use crate::sweep::program;
use crate::witness::{Protocol, Seen, Witness};
use host::Script;
use player::{beside, device_drops, nanos, Player, Record, Said, Truth};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use verdicts::{Sweep, Verdict, Verdicts};

/// Requests to each host.
const COUNT: u16 = 2;
const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_millis(200);
/// An answer this near to the end of a job may be taken as in time or not. The kernel's times of
/// both are known, but a connect's time begins with the call, some way before its packet.
const DOUBT: Duration = Duration::from_millis(20);
/// Who reads and writes within this time is not late.
const PUNCTUAL: Duration = Duration::from_millis(5);
/// Who has no time for the player for so long has none for the engine.
const BUSY: Duration = Duration::from_millis(60);
/// Hosts of the run whose peak of memory a larger crowd's is compared with.
const SMALL: u32 = 100_000;

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
    /// Hosts without exactly one completion.
    not_once: u64,
    up: u64,
    down: u64,
    unknown: u64,
    /// Up or down where the answer came too near to the end to say.
    doubtful_up: u64,
    doubtful_down: u64,
    /// Down among these, though the player was not late: nothing that the script says is so near.
    unexplained: u64,
    /// TimedOut where an error was due, which a buffer without room had lost.
    lost_errors: u64,
    false_up: u64,
    false_down: u64,
    /// With these, all that is wrong, and the first of it.
    wrong: u64,
    examples: Vec<String>,
}

impl Findings {
    /// Compares one host. With `overload` Unknown is a true answer, and packets may have been lost on
    /// their way.
    fn compare(
        &mut self,
        host: (Protocol, IpAddr),
        state: &str,
        verdict: &Verdict,
        record: &Record,
        seen: &Seen,
        overload: bool,
    ) {
        let mut wrong = |what: &str| {
            self.wrong += 1;
            if self.examples.len() < 10 {
                let told = format!("{:?} is {}: {} {:?} {:?}", host, state, what, verdict, record);
                self.examples.push(told);
            }
        };
        // One reply timeout after the last request left.
        let end = seen.last.get(&host).map_or(0, |left| left + nanos(TIMEOUT));
        let is_late = |said: &Said| said.begin > end + nanos(DOUBT);
        let is_near = |said: &Said| said.end > end - nanos(DOUBT);
        let is_punctual = |said: &Said| {
            let read = said.asked - seen.requests[&(host.0, host.1, said.request)];
            read + said.begin - said.due < nanos(PUNCTUAL)
        };
        let (sent, received) = (u16::from(verdict.sent), u16::from(verdict.received));
        let (read, answers) = (u16::from(record.requests), u16::from(record.answers));
        let count = if host.0 == Protocol::Tcp { 1 } else { COUNT };
        // A second request may be on its way when the reply to the first one comes.
        let mut sent_right = sent == count && read == count;
        let mut received_right = received == 0 && verdict.rtt_ns < 0;
        match state {
            "Success" | "Refused" => {
                self.up += 1;
                sent_right = 1 <= sent && sent <= read;
                let all = received + verdict.duplicates.max(0) as u16;
                received_right = 1 <= received && received <= sent && all <= answers;
                match &record.answer {
                    None => {
                        self.false_up += 1;
                        wrong("it never answered");
                    }
                    Some(_) if record.refused != (state == "Refused") => wrong("it said otherwise"),
                    // It is up, whenever a busy engine came to look.
                    Some(said) => self.doubtful_up += u64::from(is_late(said)),
                }
            }
            // What nobody could send is no word about the host.
            "Unknown" | "NoResources" if overload => self.unknown += 1,
            _ => {
                self.down += 1;
                let answer = record.answer.as_ref().filter(|said| !is_late(said));
                let error = record.error.as_ref();
                let is_due = error.map_or(state == "TimedOut", |(due, _)| state == *due);
                // An error that came after the end came for nobody.
                let near_error = error.map(|(_, said)| said).filter(|said| is_near(said));
                match (answer, near_error) {
                    (Some(said), _) if !is_near(said) => {
                        self.false_down += 1;
                        wrong("it answered in time");
                    }
                    (None, _) if is_due => {}
                    (Some(said), _) | (None, Some(said)) if state == "TimedOut" || is_due => {
                        self.doubtful_down += 1;
                        self.unexplained += u64::from(is_punctual(said));
                    }
                    (None, None) if overload && state == "TimedOut" => self.lost_errors += 1,
                    _ => wrong("another state was due"),
                }
            }
        }
        if !overload && !sent_right {
            wrong("another number of requests came to the network");
        }
        if !received_right {
            wrong("another number of replies came from the network");
        }
    }

    fn doubtful(&self) -> u64 {
        self.doubtful_up + self.doubtful_down
    }

    /// What no run may have.
    fn clauses(&self) -> [Clause<'static>; 5] {
        [
            ("hosts without exactly one completion", self.not_once as f64, 0.0),
            ("hosts up that never answered", self.false_up as f64, 0.0),
            ("hosts down that answered in time", self.false_down as f64, 0.0),
            ("wrong verdicts of any kind", self.wrong as f64, 0.0),
            ("down in doubt, though nobody was late", self.unexplained as f64, 0.0),
        ]
    }
}

/// What must hold: its name, the figure, and the most that it may be.
type Clause<'a> = (&'a str, f64, f64);

/// Tells every figure beside its bound; those above it.
fn judge(clauses: &[Clause<'_>]) -> Vec<String> {
    let told = |&(what, figure, most): &Clause<'_>| {
        let verdict = if figure <= most { "kept" } else { "above" };
        let line = format!("{}\t{}\t{:.2}\tat most\t{:.2}", verdict, what, figure, most);
        println!("{}", line);
        (figure > most).then_some(line)
    };
    clauses.iter().filter_map(told).collect()
}

/// How long requests lay in the device at most: the player's own slowness, which is nobody's fault.
fn longest_lag(truth: &Truth, seen: &Seen) -> Duration {
    let lags = truth.hosts.iter().map(|(host, record)| {
        record.last_read - seen.requests[&(Protocol::Echo, *host, record.last_request)]
    });
    Duration::from_nanos(lags.max().unwrap_or(0).max(0) as u64)
}

/// Every host has one verdict, and that is compared.
fn compare(
    hosts: impl Iterator<Item = IpAddr>,
    verdicts: &Verdicts,
    (protocol, truth): (Protocol, &HashMap<IpAddr, Record>),
    seen: &Seen,
    overload: bool,
) -> Findings {
    let mut findings = Findings::default();
    let mut known = 0;
    for host in hosts {
        match verdicts.hosts.get(&host) {
            None => findings.not_once += 1,
            Some(verdict) => {
                known += 1;
                let record = truth.get(&host).copied().unwrap_or_default();
                let state = verdicts.state(verdict);
                findings.compare((protocol, host), state, verdict, &record, seen, overload);
            }
        }
    }
    // Completions of hosts that nobody named are among these.
    findings.not_once += (verdicts.repeated.len() + verdicts.hosts.len() - known) as u64;
    findings
}

/// Distances of the latencies told from those that the kernel saw on the wire, in microseconds:
/// the median and the 99th of a hundred. Only of hosts that answered once.
fn latency_errors(verdicts: &Verdicts, truth: &Truth, seen: &Seen) -> (f64, f64) {
    let mut errors: Vec<f64> = Vec::new();
    for (host, verdict) in verdicts.hosts.iter().filter(|(_, verdict)| verdict.rtt_ns >= 0) {
        let once = truth.hosts.get(host).map_or(false, |record| record.answers == 1);
        let trips = seen.trips.get(&(Protocol::Echo, *host)).map_or(&[][..], Vec::as_slice);
        if let (true, [trip]) = (once, trips) {
            errors.push((verdict.rtt_ns - trip).abs() as f64 / 1e3);
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
        (truth.packets_read + truth.packets_written) as f64 / truth.busy as f64 * 1e9,
        truth.latest as f64 / 1e6,
    );
}

/// What came out of a run: the process's peak of memory in KiB, the bounds that it broke, those of
/// time among them apart, and whether the player or the machine was too slow to judge these.
struct Run {
    peak_kib: u64,
    broken: Vec<String>,
    broken_times: Vec<String>,
    too_slow: bool,
}

/// A crowd of so many hosts is asked, and every verdict compared.
fn sweep_crowd(lab: &Lab, hosts: u32, rate: u64) -> Result<Run, String> {
    let namespace = lab.namespace();
    let script = script(setting("RR_CROWD_SEED", 1), hosts.into(), rate);
    let player = Player::open(&namespace, script, 200_000)?;
    let (v4, v6, tcp) = (hosts / 4 * 3, hosts / 4, (hosts / 20).min(20_000));
    let (v4_text, v4_hosts) = v4_targets(1, v4);
    let (v6_text, v6_hosts) = v6_targets(v6);
    let (tcp_text, tcp_hosts) = v4_targets(1, tcp);
    let longest = Duration::from_secs(60 + u64::from(hosts) / 2_000);
    let (interval, timeout) = (INTERVAL.as_millis(), TIMEOUT.as_millis());
    let echo = format!(
        "--count {} --interval {} --timeout {} --rate {} {} {}",
        COUNT, interval, timeout, rate, v4_text, v6_text
    );
    let connects = format!("--tcp 80 --timeout {} {}", timeout, tcp_text);
    let witness = Witness::watch(&namespace, "tun0");
    // Built by now, if it has to be.
    let program = program();
    let begin = Instant::now();
    let [echo, connects] =
        [echo, connects].map(|arguments| Sweep::start(beside(&namespace, program), &arguments));
    let (echo, connects) = (echo.finish(longest), connects.finish(longest));
    let elapsed = begin.elapsed().as_secs_f64();
    // The device goes with its player.
    let drops = device_drops(&namespace);
    let truth = player.truth();
    tell(&truth, drops);
    let seen = witness.seen();
    let lag_ms = longest_lag(&truth, &seen).as_secs_f64() * 1e3;
    let (median, p99) = latency_errors(&echo, &truth, &seen);
    let echo_truth = (Protocol::Echo, &truth.hosts);
    let findings = compare(v4_hosts.chain(v6_hosts), &echo, echo_truth, &seen, false);
    let tcp_truth = (Protocol::Tcp, &truth.tcp_hosts);
    let tcp_findings = compare(tcp_hosts, &connects, tcp_truth, &seen, false);
    let requests = echo.total("packets_sent");
    println!("crowd\thosts={}\trate={}\tseed={}\trequests={}", hosts, rate, script.seed, requests);
    println!("echo\t{:?}\t{:?}", findings, echo.counts());
    println!("tcp\t{:?}\t{:?}", tcp_findings, connects.counts());
    let is_large = hosts > SMALL;
    let (mut broken, mut broken_times) = (vec![], vec![]);
    for (findings, hosts) in [(&findings, hosts), (&tcp_findings, tcp)] {
        let doubtful = findings.doubtful() as f64;
        broken.extend(judge(&findings.clauses()));
        broken.extend(judge(&[("hosts in doubt", doubtful, f64::from(hosts) / 20.0)]));
        let bound = if is_large { 0.0 } else { f64::from(hosts) / 1000.0 };
        broken_times.extend(judge(&[("hosts in doubt where nobody is late", doubtful, bound)]));
        assert!(findings.up > u64::from(hosts) / 3 && findings.down > u64::from(hosts) / 8);
    }
    let lost = (drops.0 + drops.1 + truth.writes_failed) as f64;
    broken.extend(judge(&[
        ("packets that the network lost", lost, 0.0),
        // The truth of this run is in the network only.
        ("overflows of the receive buffer", echo.total("buffer_overflows") as f64, 0.0),
        ("latency off by, us, median", median, 50.0),
    ]));
    let busy_ms = BUSY.as_secs_f64() * 1e3;
    let too_slow = judge(&[
        ("the player's own time, % of all", truth.busy as f64 / elapsed / 1e7, 90.0),
        ("longest time in the device, ms", lag_ms, busy_ms),
        ("the engine's wait for a core, % of all", echo.waited as f64 / elapsed / 1e7, 15.0),
    ]);
    // What all requests take at this rate, and the longest host's script.
    let least = requests as f64 / rate as f64 + (INTERVAL + TIMEOUT).as_secs_f64();
    broken_times.extend(judge(&[
        ("latency off by, us, 99%", p99, 1000.0),
        ("time, s", elapsed, least * 1.1),
    ]));
    assert!(echo.peak_kib > 0, "nobody saw how much memory it had");
    for example in findings.examples.iter().chain(&tcp_findings.examples) {
        println!("wrong\t{}", example);
    }
    Ok(Run { peak_kib: echo.peak_kib, broken, broken_times, too_slow: !too_slow.is_empty() })
}

#[test]
fn a_crowd_that_misbehaves_gets_one_true_verdict_each() {
    let lab = lab_or_skip!();
    let hosts = setting("RR_CROWD", 40_000) as u32;
    let rate = setting("RR_CROWD_RATE", 20_000);
    let is_large = hosts > SMALL;
    let small = if is_large { sweep_crowd(&lab, SMALL, rate).map(Some) } else { Ok(None) };
    let runs = small.and_then(|small| Ok((small, sweep_crowd(&lab, hosts, rate)?)));
    let (small, Run { peak_kib, mut broken, broken_times, too_slow }) = match runs {
        Ok(runs) => runs,
        Err(reason) => return skip(&reason),
    };
    if let Some(small) = small {
        broken.extend(small.broken);
        let most = small.peak_kib + (20 << 10);
        broken.extend(judge(&[("peak of memory, KiB", peak_kib as f64, most as f64)]));
    }
    let is_judged = is_large || !too_slow;
    broken.extend(broken_times.into_iter().filter(|_| is_judged));
    assert!(broken.is_empty(), "{:#?}", broken);
    if !is_judged {
        skip("the machine was too busy to judge times");
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
    let sweep = Sweep::start(command, &arguments);
    if has_queue {
        await_full_buffer(&namespace);
        assert!(stop_queue(&namespace, false), "the queue was there before");
    }
    let mut floods = 0;
    while !sweep.is_over() && floods < 100 {
        std::thread::sleep(Duration::from_millis(80));
        sweep.running.signal(libc::SIGSTOP);
        player.flood(1_000);
        floods += 1;
        sweep.running.signal(libc::SIGCONT);
    }
    let verdicts = sweep.finish(Duration::from_secs(60));
    // The device goes with its player.
    let drops = device_drops(&namespace);
    let truth = player.truth();
    tell(&truth, drops);
    let seen = witness.seen();
    let findings = compare(addresses, &verdicts, (Protocol::Echo, &truth.hosts), &seen, true);
    println!(
        "overload\thosts={}\tfloods={}\t{:?}\toverflows={}\tnot_sent={}\tdropped_by_device={}",
        hosts,
        floods,
        findings,
        verdicts.total("buffer_overflows"),
        verdicts.total("packets_not_sent"),
        drops.0 + drops.1,
    );
    assert!(judge(&findings.clauses()).is_empty());
    // None of the script's times is near to an end, and hardly an error was all that a buffer lost.
    assert!(
        findings.doubtful() + findings.lost_errors <= u64::from(hosts) / 100,
        "too many in doubt"
    );
    assert!(verdicts.total("buffer_overflows") > 0, "the receive buffer held every flood");
    assert!(drops.0 + drops.1 > 0, "the device held every packet");
    match has_queue {
        true => assert!(verdicts.total("packets_not_sent") > 0, "the send buffer held everything"),
        false => println!("this kernel has no queue that fills the send buffer"),
    }
    assert!(findings.up > u64::from(hosts) / 8);
}
