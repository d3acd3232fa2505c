//! Plays a crowd of hosts behind a TUN device, on a thread of its own, and keeps the truth: when
//! each host was asked, and when what it said was handed to the kernel.

use super::host::{Action, Meaning, Script, Syn};
use crate::lab::Namespace;
use crate::packets::Request;
use crate::tun::open_device;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::io::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// What is known of a host. Times are since the player's begin.
#[derive(Clone, Copy, Default, Debug)]
pub struct Record {
    /// Requests read from the device.
    pub requests: u8,
    pub last_read: Duration,
    /// The same on the wall clock, and that request's identifier and sequence.
    pub last_read_unix_ns: i64,
    pub last_request: u32,
    /// When the first valid reply began to be written, and when that request had been read.
    pub replied: Option<(Duration, Duration)>,
    /// Valid replies written.
    pub replies: u8,
    /// When a TCP host's no began to be written.
    pub refused: Option<Duration>,
    /// What the host's errors stand for, and when the first began to be written.
    pub error: Option<(&'static str, Duration)>,
}

/// Everything the player knows at the end.
#[derive(Default)]
pub struct Truth {
    pub hosts: HashMap<IpAddr, Record>,
    pub tcp_hosts: HashMap<IpAddr, Record>,
    pub packets_read: u64,
    pub packets_written: u64,
    /// What the kernel did not take.
    pub writes_failed: u64,
    /// Time spent with packets rather than asleep.
    pub busy: Duration,
    /// The longest that a packet was written after it was due.
    pub latest: Duration,
}

/// A packet on its way.
struct Due {
    at: Duration,
    number: u64,
    host: IpAddr,
    tcp: bool,
    asked: Duration,
    action: Action,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// The switches of a running player.
#[derive(Default)]
struct Switches {
    stop: AtomicBool,
    /// Junk packets to write at once.
    flood: AtomicU32,
}

/// The device and its thread, until asked for the truth.
pub struct Player {
    switches: Arc<Switches>,
    playing: JoinHandle<Truth>,
}

impl Player {
    /// Makes `tun0` in `namespace` with 10.80.0.1 and fd80::1 and with the crowd's networks,
    /// 10.96.0.0/11 and fd96::/64, behind it; the device holds `queue` packets.
    pub fn open(namespace: &Namespace, script: Script, queue: u32) -> Result<Player, String> {
        let device = namespace.enter(open_device)?;
        namespace.ip("link set tun0 addrgenmode none");
        namespace.ip(&format!("link set tun0 txqueuelen {}", queue));
        namespace.ip("link set tun0 up");
        namespace.ip("addr add 10.80.0.1/16 dev tun0");
        namespace.ip("addr add fd80::1/64 dev tun0 nodad");
        namespace.ip("route add 10.96.0.0/11 via 10.80.0.2");
        namespace.ip("route add fd96::/64 via fd80::2");
        let switches = Arc::new(Switches::default());
        let shared = Arc::clone(&switches);
        let playing = std::thread::spawn(move || play(device, script, &shared));
        Ok(Player { switches, playing })
    }

    /// Writes junk with the identifier of the last request, more than a receive buffer holds, and
    /// returns when that is done.
    pub fn flood(&self, packets: u32) {
        self.switches.flood.store(packets, Ordering::SeqCst);
        while self.switches.flood.load(Ordering::SeqCst) > 0 && !self.playing.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the network and tells what it saw.
    pub fn truth(self) -> Truth {
        self.switches.stop.store(true, Ordering::SeqCst);
        self.playing.join().expect("the player's own panic is above")
    }
}

/// Packets that the device dropped since it was made: they never came to the player, or the kernel
/// did not take them from it.
pub fn device_drops(namespace: &Namespace) -> (u64, u64) {
    namespace.enter(|| {
        let text = std::fs::read_to_string("/proc/thread-self/net/dev").expect("proc");
        let line = text.lines().find(|line| line.trim_start().starts_with("tun0:"));
        let line = line.expect("the device").split_once(':').expect("a colon").1;
        let counts: Vec<u64> =
            line.split_whitespace().map(|count| count.parse().expect("a number")).collect();
        (counts[3], counts[11])
    })
}

/// At most this many packets are read before what is due is written.
const READ_AT_ONCE: usize = 64;

fn play(mut device: File, script: Script, switches: &Switches) -> Truth {
    let begin = Instant::now();
    let mut truth = Truth::default();
    let mut due: BinaryHeap<Reverse<Due>> = BinaryHeap::new();
    let mut buffer = vec![0; 65536];
    let mut last_request = None;
    let mut number = 0;
    while !switches.stop.load(Ordering::SeqCst) {
        let awake = begin.elapsed();
        let mut idle = false;
        for _ in 0..READ_AT_ONCE {
            let length = match device.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    idle = true;
                    break;
                }
                Err(error) => panic!("tun0: {}", error),
            };
            truth.packets_read += 1;
            let asked = begin.elapsed();
            let (host, tcp, record, actions);
            if let Some(request) = Request::parse(&buffer[..length]) {
                (host, tcp) = (request.destination, false);
                record = truth.hosts.entry(host).or_default();
                actions = script.play(&request, record.requests, asked);
                record.last_request =
                    u32::from(request.identifier) << 16 | u32::from(request.sequence);
                let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                record.last_read_unix_ns = unix.expect("after 1970").as_nanos() as i64;
                last_request = Some(request);
            } else if let Some(syn) = Syn::parse(&buffer[..length]) {
                (host, tcp) = (syn.destination, true);
                record = truth.tcp_hosts.entry(host).or_default();
                actions = script.play_tcp(&syn);
            } else {
                continue;
            }
            record.requests = record.requests.saturating_add(1);
            record.last_read = asked;
            for action in actions {
                number += 1;
                let at = asked + action.after;
                due.push(Reverse(Due { at, number, host, tcp, asked, action }));
            }
        }
        write_due(&mut device, begin, &mut due, &mut truth);
        let junk = switches.flood.load(Ordering::SeqCst);
        if junk > 0 {
            if let Some(request) = &last_request {
                let mut wrong: Request = request.clone();
                wrong.payload = vec![0x5a; 60_000];
                let packet = wrong.reply();
                for _ in 0..junk {
                    let _ = device.write(&packet);
                }
            }
            switches.flood.store(0, Ordering::SeqCst);
        }
        truth.busy += begin.elapsed() - awake;
        if idle {
            let next = due.peek().map_or(Duration::from_millis(2), |Reverse(next)| {
                next.at.saturating_sub(begin.elapsed()).min(Duration::from_millis(2))
            });
            sleep_until_readable(&device, next);
        }
    }
    truth
}

fn write_due(
    device: &mut File,
    begin: Instant,
    due: &mut BinaryHeap<Reverse<Due>>,
    truth: &mut Truth,
) {
    while let Some(Reverse(next)) = due.peek() {
        let now = begin.elapsed();
        if next.at > now {
            return;
        }
        truth.latest = truth.latest.max(now - next.at);
        let Reverse(Due { host, tcp, asked, action, .. }) = due.pop().expect("peeked");
        if device.write(&action.packet).is_err() {
            truth.writes_failed += 1;
            continue;
        }
        truth.packets_written += 1;
        let hosts = if tcp { &mut truth.tcp_hosts } else { &mut truth.hosts };
        let record = hosts.get_mut(&host).expect("it was asked");
        match action.meaning {
            Meaning::Reply => {
                record.replies = record.replies.saturating_add(1);
                record.replied.get_or_insert((now, asked));
            }
            Meaning::Refusal => {
                record.refused.get_or_insert(now);
            }
            Meaning::Error(state) => {
                record.error.get_or_insert((state, now));
            }
            Meaning::Noise => {}
        }
    }
}

fn sleep_until_readable(device: &File, longest: Duration) {
    let mut ready = libc::pollfd { fd: device.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let longest = libc::timespec { tv_sec: 0, tv_nsec: longest.subsec_nanos() as _ };
    // SAFETY: one descriptor, one time, no mask.
    unsafe { libc::ppoll(&mut ready, 1, &longest, std::ptr::null()) };
}
