//! What a seed decides before the run: the hosts and what each does, names, pools and what their
//! callers do, and how ill the machine is. Plain data; the world plays it.

use crate::random::Random;
use rust_runspaces::address::{Address, Family};
use rust_runspaces::clock::{MILLISECOND, SECOND};
use rust_runspaces::outcome::Outcome;
use rust_runspaces::probe::{Kind, ProbeOptions, Schedule};
use rust_runspaces::reactor::Limits;
use rust_runspaces::sys::OpenError;
use std::sync::Arc;

/// Linux's numbers, as far as a plan uses them.
pub const ENOBUFS: i32 = 105;
pub const EMFILE: i32 = 24;
pub const EADDRNOTAVAIL: i32 = 99;
pub const ENETUNREACH: i32 = 101;
pub const EAFNOSUPPORT: i32 = 97;
pub const EINVAL: i32 = 22;

/// What a host does about an echo request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Echo {
    /// Answers after about `Host::delay`.
    Answers,
    /// Answers from another of its addresses.
    AnswersFromElsewhere,
    /// Says nothing.
    Silent,
    /// A router answers for it: the state, and whether its quote has the whole token.
    Unreachable(Outcome, bool),
    /// A router asks for fewer packets (RFC 792), and the host answers.
    Quenches,
    /// This machine has no way to it.
    NoRoute(Outcome, i32),
    /// This machine finds out after the request was taken for sent.
    NoRouteLater(Outcome, i32),
    /// Its requests do not fit into this machine so many times.
    NotSent(u32),
    /// It is on the link, and not there: the system knows after so long.
    DeadNeighbour(u64),
}

/// What a host does about a connect.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tcp {
    Opens,
    OpensAtOnce,
    Refuses,
    RefusesAtOnce,
    Silent,
    Fails(Outcome, i32),
    FailsAtOnce(Outcome, i32),
    /// No descriptor or port for it, so many times.
    NotStarted(u32),
    /// Taken back by the system after it had begun, so many times; then it opens.
    TakenBack(u32),
}

/// One host.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    pub address: Address,
    pub echo: Echo,
    pub tcp: Tcp,
    /// Nanoseconds, at least.
    pub delay: u64,
    /// In a hundred.
    pub loss: u64,
    pub duplicates: u64,
    pub reverse: Reverse,
}

/// The name of an address.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reverse {
    Known,
    Unknown,
    /// The name server is silent: five seconds.
    Silent,
}

/// A name and what it stands for.
#[derive(Clone, Debug)]
pub struct Name {
    pub text: String,
    pub delay: u64,
    pub answer: NameAnswer,
}

#[derive(Clone, PartialEq, Debug)]
pub enum NameAnswer {
    Addresses(Vec<Address>),
    NotFound,
    TimedOut,
    Failed,
}

/// When a pool's completions are collected.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Collector {
    AtOnce,
    Every(u64),
    /// Not before this time.
    From(u64),
}

/// One target to submit.
#[derive(Clone, Debug)]
pub struct TargetPlan {
    pub text: String,
    pub options: usize,
}

/// One pool and its caller.
#[derive(Clone, Debug)]
pub struct PoolPlan {
    pub rate: u32,
    pub run_limit: Option<u64>,
    pub options: Vec<Arc<ProbeOptions>>,
    /// Times and targets.
    pub submissions: Vec<(u64, Vec<TargetPlan>)>,
    pub cancel: Option<u64>,
    pub close: Option<u64>,
    pub collector: Collector,
}

/// A family without a socket: what the system says, and until when.
#[derive(Clone, Copy, Debug)]
pub struct NoSocket {
    pub error: OpenError,
    pub until: u64,
}

/// See the file's head.
#[derive(Clone, Debug)]
pub struct Plan {
    pub limits: Limits,
    pub backlog: u64,
    pub table: [u32; 2],
    pub hosts: Vec<Host>,
    pub names: Vec<Name>,
    pub pools: Vec<PoolPlan>,
    pub no_socket: [Option<NoSocket>; 2],
    /// No connect can be begun before this.
    pub no_descriptors_until: u64,
    /// The drop counter can be read.
    pub certain: bool,
    /// In a thousand: turns that come late, receive buffers that overflow, suspensions, stale
    /// packets.
    pub late: u64,
    pub overflow: u64,
    pub suspension: u64,
    pub stale: u64,
    /// The number of the batch in which a defect of the backend panics.
    pub panic_at: Option<u64>,
}

const START: u64 = 10 * SECOND;

/// When the run begins.
pub const BEGIN: u64 = START;

impl PoolPlan {
    /// No two echo jobs of it can have one address: no target twice, no names, no ranges that meet
    /// others.
    pub fn shares_nothing(&self) -> bool {
        let targets: Vec<_> = self.submissions.iter().flat_map(|(_, targets)| targets).collect();
        let is_range = |text: &str| text.contains('-');
        let ranges = targets.iter().filter(|target| is_range(&target.text)).count();
        let mut texts: Vec<_> = targets.iter().map(|target| &target.text).collect();
        texts.sort();
        texts.dedup();
        let v4 = texts.iter().filter(|text| text.starts_with("10.") && !is_range(text)).count();
        texts.len() == targets.len()
            && !texts.iter().any(|text| text.starts_with("name"))
            && (ranges == 0 || (ranges == 1 && v4 == 0))
    }

    /// What all its jobs probe, if that is one and the same and none of them needs a look-up or a
    /// place for a neighbour: what such a pool may begin at any time is easily told.
    pub fn plain_kind(&self) -> Option<Plain> {
        let targets = || self.submissions.iter().flat_map(|(_, targets)| targets);
        let connects = |index: usize| matches!(self.options[index].kind, Kind::Connect { .. });
        let first = connects(targets().next()?.options);
        let is_plain = targets().all(|target| {
            let needs_more = target.text.starts_with("10.9.") || target.text.starts_with("name");
            connects(target.options) == first
                && !needs_more
                && !self.options[target.options].resolve
        });
        is_plain.then_some(if first { Plain::Connects } else { Plain::Echoes })
    }
}

/// See [`PoolPlan::plain_kind`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Plain {
    Echoes,
    Connects,
}

impl Plan {
    /// What follows from a seed.
    pub fn new(random: &mut Random) -> Plan {
        let hosts = hosts(random);
        let names = names(random, &hosts);
        let trouble = random.percent(40);
        let ill = |random: &mut Random, most: u64| if trouble { random.below(most + 1) } else { 0 };
        let count = random.pick(&[1, 1, 1, 2, 2, 3]);
        Plan {
            limits: Limits {
                connects: random.pick(&[1, 2, 4, 64]),
                lookups: random.pick(&[1, 2, 64]),
                open: random.pick(&[4, 16, 10_000]),
                burst: random.pick(&[1, 2, 8]),
                work: random.pick(&[2, 8, 512]),
                slice: random.pick(&[2, 4, 64]),
            },
            backlog: random.pick(&[4, 16, 10_000]),
            table: [random.pick(&[0, 4, 16, 1024]), random.pick(&[0, 4])],
            pools: (0..count).map(|pool| pool_plan(random, pool, &hosts, &names)).collect(),
            hosts,
            names,
            no_socket: [no_socket(random, 5), no_socket(random, 15)],
            no_descriptors_until: match random.below(12) {
                0 => START + random.below(3 * SECOND),
                1 => u64::MAX,
                _ => 0,
            },
            certain: random.percent(80),
            late: ill(random, 60),
            overflow: ill(random, 60),
            suspension: ill(random, 20),
            stale: ill(random, 200),
            panic_at: if random.percent(4) { Some(random.between(1, 8)) } else { None },
        }
    }

    /// The host of an address; any that is not in the plan is silent.
    pub fn host(&self, address: &Address) -> Host {
        let known = self.hosts.iter().find(|host| host.address == *address);
        known.copied().unwrap_or(Host {
            address: *address,
            echo: Echo::Silent,
            tcp: Tcp::Silent,
            delay: 0,
            loss: 0,
            duplicates: 0,
            reverse: Reverse::Unknown,
        })
    }
}

fn no_socket(random: &mut Random, percent: u64) -> Option<NoSocket> {
    random.percent(percent).then(|| {
        let error = random.pick(&[
            OpenError::NotPermitted,
            OpenError::Failed(EAFNOSUPPORT),
            OpenError::NoResources(EMFILE),
            OpenError::NoResources(EMFILE),
        ]);
        let until = match random.below(2) {
            0 => START + random.between(1, 2 * SECOND),
            _ => u64::MAX,
        };
        NoSocket { error, until }
    })
}

fn hosts(random: &mut Random) -> Vec<Host> {
    let count = random.between(2, 10);
    (0..count)
        .map(|number| {
            let kind = random.below(10);
            let octet = number as u8 + 1;
            let address = match kind {
                0..=5 => Address::v4([10, 0, 0, octet]),
                6 | 7 => Address::v4([10, 9, 0, octet]),
                _ => {
                    let mut bytes = [0; 16];
                    bytes[0] = 0xfd;
                    bytes[15] = octet;
                    Address::v6(bytes, 0)
                }
            };
            let on_link = matches!(kind, 6 | 7);
            Host {
                address,
                echo: echo(random, on_link),
                tcp: tcp(random),
                delay: random.pick(&[5_000, MILLISECOND, 40 * MILLISECOND, 300 * MILLISECOND]),
                loss: random.pick(&[0, 0, 0, 30]),
                duplicates: random.pick(&[0, 0, 0, 40]),
                reverse: random.pick(&[
                    Reverse::Known,
                    Reverse::Known,
                    Reverse::Unknown,
                    Reverse::Silent,
                ]),
            }
        })
        .collect()
}

fn echo(random: &mut Random, on_link: bool) -> Echo {
    if on_link && random.percent(50) {
        return Echo::DeadNeighbour(random.pick(&[50 * MILLISECOND, SECOND, 3 * SECOND]));
    }
    match random.below(24) {
        0..=9 => Echo::Answers,
        10 => Echo::AnswersFromElsewhere,
        11..=13 => Echo::Silent,
        14 => Echo::Unreachable(Outcome::DestinationHostUnreachable, true),
        15 => Echo::Unreachable(Outcome::DestinationNetworkUnreachable, false),
        16 => Echo::Quenches,
        17 | 18 => Echo::NoRoute(Outcome::DestinationNetworkUnreachable, ENETUNREACH),
        19 => Echo::NoRoute(Outcome::DestinationUnreachable, EINVAL),
        20 => Echo::NoRouteLater(Outcome::DestinationHostUnreachable, 113),
        21 => Echo::NotSent(random.between(1, 3) as u32),
        22 => Echo::NotSent(u32::MAX),
        _ => Echo::Silent,
    }
}

fn tcp(random: &mut Random) -> Tcp {
    match random.below(16) {
        0..=4 => Tcp::Opens,
        5 => Tcp::OpensAtOnce,
        6 => Tcp::Refuses,
        7 => Tcp::RefusesAtOnce,
        8..=10 => Tcp::Silent,
        11 => Tcp::Fails(Outcome::DestinationHostUnreachable, 113),
        12 => Tcp::FailsAtOnce(Outcome::DestinationNetworkUnreachable, EADDRNOTAVAIL),
        13 => Tcp::NotStarted(random.between(1, 3) as u32),
        14 => Tcp::NotStarted(u32::MAX),
        _ => Tcp::TakenBack(random.between(1, 2) as u32),
    }
}

fn names(random: &mut Random, hosts: &[Host]) -> Vec<Name> {
    (0..random.between(1, 5))
        .map(|number| {
            let answer = match random.below(8) {
                0 => NameAnswer::NotFound,
                1 => NameAnswer::TimedOut,
                2 => NameAnswer::Failed,
                3 => NameAnswer::Addresses(vec![Address::v4([0; 4])]),
                _ => {
                    let count = random.between(1, 3);
                    let mut addresses = Vec::new();
                    for _ in 0..count {
                        let host = &hosts[random.below(hosts.len().min(4) as u64) as usize];
                        if !addresses.contains(&host.address) {
                            addresses.push(host.address);
                        }
                    }
                    NameAnswer::Addresses(addresses)
                }
            };
            let delay = random.pick(&[1_000, 20 * MILLISECOND, 2 * SECOND]);
            Name { text: format!("name{number}"), delay, answer }
        })
        .collect()
}

fn pool_plan(random: &mut Random, pool: u64, hosts: &[Host], names: &[Name]) -> PoolPlan {
    let options: Vec<Arc<ProbeOptions>> =
        (0..random.between(1, 2)).map(|_| Arc::new(options(random, pool))).collect();
    let submissions = (0..random.between(1, 3))
        .map(|number| {
            let time = START + number * random.below(SECOND);
            (time, targets(random, options.len(), hosts, names))
        })
        .collect();
    let some_time = |random: &mut Random, percent: u64| {
        random.percent(percent).then(|| START + random.below(3 * SECOND))
    };
    PoolPlan {
        rate: random.pick(&[0, 0, 5, 100, 20_000]),
        run_limit: some_time(random, 8),
        options,
        submissions,
        cancel: some_time(random, 12),
        close: some_time(random, 8),
        collector: match random.below(4) {
            0 => Collector::Every(random.between(40, 400) * MILLISECOND),
            1 => Collector::From(START + random.below(8 * SECOND)),
            _ => Collector::AtOnce,
        },
    }
}

/// The payload's size and the ports tell the world whose request it is.
fn options(random: &mut Random, pool: u64) -> ProbeOptions {
    let first = 1000 * (pool as u16 + 1);
    let kind = match random.below(3) {
        0 => Kind::Connect { ports: (0..random.between(1, 3) as u16).map(|n| first + n).collect() },
        _ => Kind::Echo,
    };
    let connects = matches!(kind, Kind::Connect { .. });
    ProbeOptions {
        schedule: Schedule {
            count: if connects { random.pick(&[1, 1, 2]) } else { random.pick(&[1, 1, 2, 4]) },
            interval: random.pick(&[20 * MILLISECOND, 200 * MILLISECOND, SECOND]),
            reply_timeout: random.pick(&[100 * MILLISECOND, 500 * MILLISECOND, SECOND]),
            statistics: random.percent(30),
        },
        kind,
        payload_size: 32 + pool as u16,
        hops: 0,
        family: None::<Family>,
        resolve: random.percent(35),
    }
}

fn targets(random: &mut Random, options: usize, hosts: &[Host], names: &[Name]) -> Vec<TargetPlan> {
    let mut targets = Vec::new();
    for _ in 0..random.between(1, 8) {
        let option = random.below(options as u64) as usize;
        let host = &hosts[random.below(hosts.len() as u64) as usize];
        let (text, times) = match random.below(12) {
            0 | 1 => (names[random.below(names.len() as u64) as usize].text.clone(), 1),
            // A second name, which may well share an address with the first.
            2 => (names[0].text.clone(), 1),
            3 => (format!("10.0.0.{}-{}", random.between(1, 6), random.between(6, 14)), 1),
            4 => (format!("10.9.0.{}-{}", random.between(1, 6), random.between(6, 14)), 1),
            // The same address again and again.
            5 => (host.address.to_string(), random.between(2, 12)),
            _ => (host.address.to_string(), 1),
        };
        for _ in 0..times {
            targets.push(TargetPlan { text: text.clone(), options: option });
        }
    }
    targets
}
