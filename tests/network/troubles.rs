//! Troubles of this side, on the real kernel: no descriptor for the echo socket, a machine that was
//! suspended, a thread that got no processor, a defect in the backend. The first is the process's
//! limit; the others cannot be had on demand, so the real network is told of, or given, one at the
//! right moment.

use crate::lab::{lab_or_skip, Namespace};
use crate::shells::{target, NoNames};
use crate::sweep::{program, Running, TIMEOUT};
use crate::tun::{network_or_skip, now, silence};
use rust_runspaces::address::{Address, Family};
use rust_runspaces::clock::{Time, MILLISECOND, SECOND};
use rust_runspaces::completions::Completions;
use rust_runspaces::outcome::{Completion, ConnectError, Outcome};
use rust_runspaces::reactor::shell::{Command, Shell};
use rust_runspaces::reactor::{Limits, Link};
use rust_runspaces::sys::{
    Counters, EchoRequest, Event, Network, OnLink, Operations, Overflows, ProbeId, SendResult,
};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::os::unix::io::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Standard streams, and what a pool waits with: there is none left for a socket.
const NO_SOCKET: libc::rlim_t = 5;

fn limited(namespace: &Namespace, arguments: &str) -> Running {
    let mut command = namespace.command("prlimit");
    command.arg(format!("--nofile={NO_SOCKET}:{NO_SOCKET}"));
    command.args([program(), "--timeout", TIMEOUT]).args(arguments.split_whitespace());
    Running::start(command)
}

#[test]
fn echo_without_a_descriptor_ends_in_its_time_and_says_why() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let swept = limited(&namespace, "--count 2 --interval 50 127.0.0.1-127.0.0.3").finish();
    swept.assert_all(3, "NoResources");
    for job in &swept.jobs {
        assert_eq!((job.number("os_error"), job.number("sent")), (libc::EMFILE.into(), 0));
        assert!(job.duration_ms() < 2000.0, "{:?}", job);
    }
}

/// The real network, and what befalls it.
struct Troubled {
    network: Network,
    suspended: Cell<u64>,
    /// Behind the next batch the machine has been suspended.
    suspends: bool,
    /// The next wait ends when everything is long due.
    oversleeps: bool,
    /// Behind the next batch comes a panic.
    breaks: bool,
    /// All descriptors there were; they are given back after the third refusal.
    taken: Vec<OwnedFd>,
    refusals: u32,
}

impl Troubled {
    /// Leaves no descriptor for what this thread opens. Other threads keep theirs.
    fn take_descriptors(&mut self) {
        // SAFETY: no pointers; the table of descriptors becomes this thread's own.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
        let any = std::fs::File::open("/dev/null").expect("there are some left");
        while let Ok(one) = any.try_clone() {
            self.taken.push(one.into());
        }
        self.taken.push(any.into());
    }
}

impl Operations for Troubled {
    const TELLS_DUPLICATES: bool = true;

    fn now(&self) -> Time {
        Operations::now(&self.network)
    }

    fn wall_clock(&self) -> i64 {
        Operations::wall_clock(&self.network)
    }

    fn suspended(&self) -> u64 {
        self.suspended.get()
    }

    fn on_link(&mut self) -> OnLink {
        Operations::on_link(&mut self.network)
    }

    fn failed_neighbours(&mut self, events: &mut Vec<Event>) {
        self.network.failed_neighbours(events);
    }

    fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        self.network.send_echoes(batch, results);
        if results.iter().any(|result| matches!(result, SendResult::NoSocket(_))) {
            self.refusals += 1;
            if self.refusals == 3 {
                self.taken.clear();
            }
        }
        if std::mem::take(&mut self.suspends) {
            self.suspended.set(SECOND);
        }
        if std::mem::take(&mut self.breaks) {
            std::panic::resume_unwind(Box::new("a defect, made by this test"));
        }
    }

    fn close_echo(&mut self, id: ProbeId, to: Address) {
        self.network.close_echo(id, to);
    }

    fn close_echo_sockets(&mut self) {
        self.network.close_echo_sockets();
    }

    fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError> {
        self.network.connect(id, to, port)
    }

    fn cancel_connect(&mut self, id: ProbeId) {
        self.network.cancel_connect(id);
    }

    fn receive(&mut self, events: &mut Vec<Event>) {
        self.network.receive(events);
    }

    fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        if std::mem::take(&mut self.oversleeps) {
            thread::sleep(Duration::from_millis(1500));
        }
        // A turn that has answered the last job may sleep for ever.
        let soon = Operations::now(self).plus_nanos(50 * MILLISECOND);
        self.network.wait(deadline.min(soon), events);
    }

    fn overflows(&mut self, family: Family) -> Overflows {
        self.network.overflows(family)
    }

    fn counters(&self) -> Counters {
        self.network.counters()
    }

    fn reset(&mut self) -> io::Result<()> {
        self.network.reset()
    }
}

/// Turns a shell over the network that `trouble` befalls, until each of `targets` is answered, one
/// after the other and each in a pool of its own.
fn answers(trouble: fn(&mut Troubled), targets: &[&str]) -> Vec<Completion> {
    let network = Network::new().expect("descriptors");
    let mut troubled = Troubled {
        network,
        suspended: Cell::new(0),
        suspends: false,
        oversleeps: false,
        breaks: false,
        taken: Vec::new(),
        refusals: 0,
    };
    trouble(&mut troubled);
    let mut shell = Shell::new(troubled, NoNames, Limits::REAL);
    let completions = Arc::new(Completions::default());
    let mut commands = VecDeque::new();
    let (mut jobs, mut answers) = (0, Vec::new());
    for (pool, text) in (0..).zip(targets) {
        let link = Link::new(Arc::clone(&completions), 0, Time::NEVER, Box::new(|| ()));
        link.waiting.store(1, Ordering::SeqCst);
        let target = target(text, SECOND);
        jobs += target.jobs();
        commands.push_back(Command::Join(pool, Arc::new(link)));
        commands.push_back(Command::Targets(pool, vec![target]));
        while completions.jobs_finished() < jobs {
            assert!(shell.turn(&mut commands));
        }
        let mut taken = Vec::new();
        completions.take(&mut taken);
        answers.append(&mut taken);
        commands.push_back(Command::Leave(pool));
    }
    answers
}

#[test]
fn what_was_under_way_in_a_suspension_is_sent_again() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let _network = network_or_skip!(&namespace, move |request| {
        // The first host loses its first request, the second all.
        match (request.host(), count.fetch_add(1, Ordering::SeqCst)) {
            (1, 0) | (2, _) => silence(),
            _ => now(request.reply()),
        }
    });
    let taken = namespace.enter(|| answers(|it| it.suspends = true, &["10.80.1.1", "10.80.1.2"]));
    let ends: Vec<_> =
        taken.iter().map(|it| (it.outcome, it.statistics.sent, it.statistics.received)).collect();
    // The machine slept once: the second host's request was not under way then.
    assert_eq!(ends, [(Outcome::Success, 1, 1), (Outcome::TimedOut, 1, 0)]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// The kernel's errors say so as well, but of few hosts.
#[test]
fn neighbours_that_were_given_up_in_time_are_known_to_a_late_turn() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv4", 50);
    let taken = left.enter(|| answers(|it| it.oversleeps = true, &["10.1.100.1-10.1.101.200"]));
    assert_eq!(taken.len(), 456);
    for it in taken {
        assert_eq!(it.outcome, Outcome::DestinationHostUnreachable, "{:?}", it);
    }
}

/// Between the two pools nothing is open, and nothing listens.
#[test]
fn neighbours_that_are_given_up_at_once_are_heard_of_by_the_next_pool() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv4", 20);
    let taken = left.enter(|| answers(|_| (), &["10.1.0.2", "10.1.100.1-10.1.101.200"]));
    assert_eq!((taken.len(), taken[0].outcome), (457, Outcome::Success));
    for it in &taken[1..] {
        assert_eq!(it.outcome, Outcome::DestinationHostUnreachable, "{:?}", it);
    }
}

#[test]
fn a_probe_is_sent_when_there_is_a_descriptor_again() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let taken = namespace.enter(|| answers(Troubled::take_descriptors, &["127.0.0.1"]));
    assert_eq!((taken[0].outcome, taken[0].statistics.sent), (Outcome::Success, 1));
    assert!(taken[0].duration >= 3 * MILLISECOND, "the pauses after two refusals: {:?}", taken);
}

#[test]
fn a_panic_fails_what_is_open_and_nothing_that_comes_after() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let taken = namespace.enter(|| answers(|it| it.breaks = true, &["127.0.0.1", "127.0.0.2"]));
    let ends: Vec<_> = taken.iter().map(|it| it.outcome).collect();
    assert_eq!(ends, [Outcome::Failed, Outcome::Success]);
}
