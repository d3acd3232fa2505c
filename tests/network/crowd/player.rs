//! Plays a crowd of hosts behind a TUN device, on a thread of its own, and keeps the truth: when
//! each host was asked, and when what it said was handed to the kernel.

use super::host::{Action, Meaning, Script, Syn};
use crate::lab::{go_first, Namespace};
use crate::packets::Request;
use crate::tun::open_device;
use crate::witness::Stamp;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// What a host said: when it had been asked and by which request, when the packet was due, and from
/// when to when handing it to the kernel took.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub asked: Stamp,
    pub request: u32,
    pub due: Stamp,
    pub begin: Stamp,
    pub end: Stamp,
}

/// What is known of a host. Times are of the wall clock, as the witness's are.
#[derive(Clone, Copy, Default, Debug)]
pub struct Record {
    /// Requests read from the device.
    pub requests: u8,
    /// When the last was read, and what tells it apart.
    pub last_read: Stamp,
    pub last_request: u32,
    /// The first answer, how many there were, and whether they were a TCP host's no.
    pub answer: Option<Said>,
    pub answers: u8,
    pub refused: bool,
    /// What the host's errors stand for, and the first.
    pub error: Option<(&'static str, Said)>,
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
    /// Nanoseconds spent with packets rather than asleep.
    pub busy: Stamp,
    /// The longest that a packet was written after it was due.
    pub latest: Stamp,
    /// Everything in its order: records are made of it when nobody waits any more.
    asked: Vec<Asked>,
    said: Vec<(usize, Meaning, Said)>,
}

struct Asked {
    host: IpAddr,
    tcp: bool,
    request: u32,
    at: Stamp,
}

impl Truth {
    fn hosts_of(&mut self, tcp: bool) -> &mut HashMap<IpAddr, Record> {
        if tcp {
            &mut self.tcp_hosts
        } else {
            &mut self.hosts
        }
    }

    fn make_records(&mut self) {
        let asked = std::mem::take(&mut self.asked);
        for Asked { host, tcp, request, at } in &asked {
            let record = self.hosts_of(*tcp).entry(*host).or_default();
            // The system repeats a SYN by itself.
            let is_repeated = *tcp && record.requests > 0 && record.last_request == *request;
            record.requests = record.requests.saturating_add(u8::from(!is_repeated));
            (record.last_request, record.last_read) = (*request, *at);
        }
        for (number, meaning, said) in std::mem::take(&mut self.said) {
            let Asked { host, tcp, .. } = asked[number];
            let record = self.hosts_of(tcp).entry(host).or_default();
            match meaning {
                Meaning::Reply | Meaning::Refusal => {
                    record.answers = record.answers.saturating_add(1);
                    record.answer.get_or_insert(said);
                    record.refused = meaning == Meaning::Refusal;
                }
                Meaning::Error(state) => {
                    record.error.get_or_insert((state, said));
                }
                Meaning::Noise => {}
            }
        }
    }
}

/// Packets on their way, the next one first: when each is due, its own number, and that of the request
/// that it answers.
type Due = BinaryHeap<Reverse<(Stamp, u64, usize, Action)>>;

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
        let core = last_core();
        let playing = std::thread::spawn(move || {
            go_first(2);
            keep_to(core..core + 1);
            play(device, script, &shared)
        });
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
/// So long it sleeps at most. It does not wait for packets: whoever sends one would have to wake it.
const NAP: Duration = Duration::from_micros(500);

/// Addresses of each family's network: no table that grows while packets wait.
const HOSTS: usize = 1 << 21;

fn place(host: IpAddr) -> usize {
    super::host::number(host) as usize % HOSTS
}

fn now() -> Stamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("after 1970").as_nanos() as Stamp
}

/// A duration as the difference of two stamps.
pub fn nanos(duration: Duration) -> Stamp {
    duration.as_nanos() as Stamp
}

/// The player has the last core, and who is asked about it the others: neither waits for the other,
/// nor for what else there is on the machine.
fn last_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) - 1
}

/// Keeps the thread that calls to these cores, where it may.
fn keep_to(cores: Range<usize>) {
    // SAFETY: integers only, for which zero is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for core in cores {
        // SAFETY: a bounds check is in it.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: a structure to read, of the size given.
    unsafe { libc::sched_setaffinity(0, std::mem::size_of_val(&set), &set) };
}

/// The command that runs `program` in the namespace, on the cores that are not the player's.
pub fn beside(namespace: &Namespace, program: &str) -> Command {
    let cores = 0..last_core().max(1);
    let mut command = namespace.command(program);
    let prepare = move || {
        go_first(1);
        keep_to(cores.clone());
        Ok(())
    };
    // SAFETY: system calls, and nothing that a fork could have left locked.
    unsafe { command.pre_exec(prepare) };
    command
}

fn play(mut device: File, script: Script, switches: &Switches) -> Truth {
    let begin = now();
    let mut truth = Truth::default();
    let mut attempts = [vec![0; HOSTS], vec![0; HOSTS]];
    let mut due = Due::new();
    let mut buffer = vec![0; 65536];
    let mut last_request = None;
    let mut number = 0;
    while !switches.stop.load(Ordering::SeqCst) {
        let awake = now();
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
            let at = now();
            let (asked, actions);
            if let Some(request) = Request::parse(&buffer[..length]) {
                let host = request.destination;
                let attempt: &mut u8 = &mut attempts[usize::from(host.is_ipv6())][place(host)];
                let elapsed = Duration::from_nanos((at - begin) as u64);
                actions = script.play(&request, *attempt, elapsed);
                *attempt = attempt.saturating_add(1);
                let number = u32::from(request.identifier) << 16 | u32::from(request.sequence);
                asked = Asked { host, tcp: false, request: number, at };
                last_request = Some(request);
            } else if let Some(syn) = Syn::parse(&buffer[..length]) {
                actions = script.play_tcp(&syn);
                let (host, request) = (syn.destination, syn.port().into());
                asked = Asked { host, tcp: true, request, at };
            } else {
                continue;
            }
            for action in actions {
                number += 1;
                due.push(Reverse((at + nanos(action.after), number, truth.asked.len(), action)));
            }
            truth.asked.push(asked);
        }
        write_due(&mut device, &mut due, &mut truth);
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
        let asleep = now();
        truth.busy += asleep - awake;
        if idle {
            let next =
                due.peek().map_or(nanos(NAP), |next| (next.0 .0 - asleep).clamp(0, nanos(NAP)));
            std::thread::sleep(Duration::from_nanos(next as u64));
        }
    }
    truth.make_records();
    truth
}

fn write_due(device: &mut File, due: &mut Due, truth: &mut Truth) {
    let mut begin = now();
    while due.peek().map_or(false, |next| next.0 .0 <= begin) {
        let Reverse((at, _, number, action)) = due.pop().expect("peeked");
        truth.latest = truth.latest.max(begin - at);
        let written = device.write(&action.packet).is_ok();
        let Asked { request, at: asked, .. } = truth.asked[number];
        let said = Said { asked, request, due: at, begin, end: now() };
        begin = said.end;
        if written {
            truth.packets_written += 1;
            truth.said.push((number, action.meaning, said));
        } else {
            truth.writes_failed += 1;
        }
    }
}
