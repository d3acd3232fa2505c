//! A million open probes, with the product's own limits: cancel and leave go in slices, and a live
//! host of another pool does not wait for them.

use crate::shells::{target, NoNames};
use rust_runspaces::address::{Address, Family};
use rust_runspaces::clock::Time;
use rust_runspaces::completions::Completions;
use rust_runspaces::outcome::{ConnectError, Outcome};
use rust_runspaces::reactor::shell::{Command, Shell};
use rust_runspaces::reactor::{Limits, Link};
use rust_runspaces::sys::{
    Counters, EchoRequest, Event, OnLink, Operations, Overflows, ProbeId, SendResult,
};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// In nanoseconds: nobody's timeout ends while a test runs.
const DAY: u64 = 86_400_000_000_000;

/// Everybody is silent but 127.0.0.1, who answers at once. The clock goes on by itself.
#[derive(Default)]
struct Silence {
    now: Cell<u64>,
    replies: Vec<Event>,
}

impl Operations for Silence {
    const TELLS_DUPLICATES: bool = true;

    fn now(&self) -> Time {
        self.now.set(self.now.get() + 1_000);
        Time::from_nanos(self.now.get())
    }

    fn wall_clock(&self) -> i64 {
        0
    }

    fn suspended(&self) -> u64 {
        0
    }

    fn on_link(&mut self) -> OnLink {
        OnLink::default()
    }

    fn failed_neighbours(&mut self, _events: &mut Vec<Event>) {}

    fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        results.clear();
        let at = self.now();
        for request in batch {
            results.push(SendResult::Sent { at });
            if request.to == Address::v4([127, 0, 0, 1]) {
                let EchoRequest { id, transmission, .. } = *request;
                let (ttl, from) = (None, None);
                self.replies.push(Event::Reply { id, transmission, received: at, ttl, from });
            }
        }
    }

    fn close_echo(&mut self, _id: ProbeId, _to: Address) {}

    fn close_echo_sockets(&mut self) {}

    fn connect(&mut self, _: ProbeId, _: Address, _: u16) -> Result<(), ConnectError> {
        Err(ConnectError::Refused)
    }

    fn cancel_connect(&mut self, _id: ProbeId) {}

    fn receive(&mut self, events: &mut Vec<Event>) {
        events.append(&mut self.replies);
    }

    fn wait(&mut self, _deadline: Time, events: &mut Vec<Event>) {
        events.append(&mut self.replies);
    }

    fn overflows(&mut self, _family: Family) -> Overflows {
        Overflows { count: 0, certain: true }
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pool(shell: &mut Shell<Silence, NoNames>, key: u64) -> Arc<Completions> {
    let completions = Arc::new(Completions::default());
    let mut link = Link::new(Arc::clone(&completions), 0, Time::NEVER, Box::new(|| ()));
    link.backlog_limit = u64::MAX;
    // The one target that is submitted.
    link.waiting.store(1, Ordering::SeqCst);
    shell.turn(&mut VecDeque::from([Command::Join(key, Arc::new(link))]));
    completions
}

/// Opens a million probes of silent hosts, ends them by `end`, and submits a live host of another
/// pool at the same time: turns until that is answered, and until nothing of the million is open.
fn turns_of(end: fn(u64) -> Command) -> (usize, usize, Vec<Outcome>) {
    let mut shell = Shell::new(Silence::default(), NoNames, Limits::REAL);
    let (many, live) = (pool(&mut shell, 1), pool(&mut shell, 2));
    many.wake();
    let mut commands = VecDeque::from([Command::Targets(1, vec![target("10.0.0.0/11", DAY)])]);
    while shell.scheduler.probes().0 < 1 << 20 {
        shell.turn(&mut commands);
    }
    shell.turn(&mut commands);
    assert_eq!(shell.scheduler.probes().0, 1 << 20, "no more than the limit");
    commands.push_back(end(1));
    commands.push_back(Command::Targets(2, vec![target("127.0.0.1", DAY)]));
    let (mut answered, mut turns) = (0, 0);
    while shell.scheduler.probes().0 > 0 || answered == 0 {
        let before = shell.scheduler.probes().0;
        shell.turn(&mut commands);
        turns += 1;
        let ended = before.saturating_sub(shell.scheduler.probes().0);
        assert!(ended <= 2 * Limits::REAL.slice, "{} probes ended in one turn", ended);
        if answered == 0 && live.jobs_finished() > 0 {
            answered = turns;
        }
        assert!(turns < 10_000);
    }
    let mut taken = Vec::new();
    many.take(&mut taken);
    (answered, turns, taken.iter().map(|completion| completion.outcome).collect())
}

const MOST_TURNS: usize = (1 << 20) / Limits::REAL.slice + 8;

#[test]
fn a_pool_with_a_million_open_probes_leaves_in_slices_and_makes_no_completions() {
    let (answered, turns, outcomes) = turns_of(Command::Leave);
    assert!(answered <= 3, "a live host was answered in turn {}", answered);
    assert!(turns <= MOST_TURNS, "{} turns", turns);
    assert!(outcomes.is_empty());
}

#[test]
fn a_million_open_probes_are_cancelled_in_slices_and_each_is_answered() {
    let (answered, turns, outcomes) = turns_of(Command::Cancel);
    assert!(answered <= 3, "a live host was answered in turn {}", answered);
    assert!(turns <= MOST_TURNS, "{} turns", turns);
    let stopped = outcomes.iter().filter(|outcome| **outcome == Outcome::Stopped).count();
    assert_eq!(stopped, 1 << 20);
}
