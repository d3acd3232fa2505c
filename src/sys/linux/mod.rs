//! The backend for Linux. [`Network`] owns the engine's sockets and is used on the reactor's thread
//! only; the rest are free functions for any thread. Where the kernel or a sandbox refuses the calls
//! for batches, `transfer` moves messages one by one, and where it refuses epoll, `poller` sleeps by
//! ppoll. All behaviour on the network is the same.

mod connect;
mod echo;
mod epoll;
mod error_queue;
mod filter;
mod flush;
mod incoming;
mod interfaces;
mod matching;
mod messages;
mod neighbours;
mod outcome;
mod outgoing;
mod poll;
mod poller;
mod process;
mod second_sender;
mod socket;
mod stamps;
mod transfer;
mod wake;
mod waker;

pub mod lookup;

#[cfg(test)]
mod tests;

use self::connect::Connects;
use self::echo::EchoSocket;
use self::matching::Matching;
use self::neighbours::Neighbours;
use self::outgoing::Numbered;
use self::poller::{Interest, Poller, Ready};
use self::second_sender::{SecondSender, PART};
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND};
use crate::sys::{
    ConnectError, Counters, EchoRequest, Event, OpenError, Overflows, ProbeId, SendResult, BATCH,
};
use std::collections::HashSet;
use std::io;

pub use self::connect::repeats_refused_connects;
pub use self::echo::echo_permission;
pub use self::interfaces::{broadcast_prefixes, neighbour_tables};
pub use self::process::{
    block_signals, cores, enter_apartment, is_forked_child, pin_library, process_cpu_nanos,
    raise_descriptor_limit, random_bytes, suspended, wall_clock, watch_fork, ApartmentGuard,
    ThreadClock, APARTMENTS,
};
pub use self::wake::Wake;
pub use self::waker::Waker;

/// Whether further replies to a request that has its reply are seen.
pub const TELLS_DUPLICATES: bool = true;

/// Requests in a batch from which on their replies are many.
const MANY: usize = 16;

/// Full batches after which there is a second sender: before, it is not worth its start.
const FULL_BATCHES: u32 = 2;

/// Answers since the last full batch from which on the next one is sent by two. Where hosts are silent
/// the time goes into waiting for them, and the threads' wake-ups would be for nothing.
const ANSWERS: usize = BATCH / 4;

/// All sockets of the engine, and what they are waited for with.
pub struct Network {
    poller: Poller,
    /// IPv4, IPv6, then the second sender's for each.
    echo: [Option<Box<EchoSocket>>; 4],
    /// A thread that sends a part of large batches.
    second_sender: Option<SecondSender>,
    /// Batches that it could have had a part in, since the sockets were opened.
    full_batches: u32,
    /// What has been heard since the last full batch.
    answers: usize,
    /// Whether the poller watches the echo sockets. Every packet would tell it of itself, which
    /// costs more than asking, so it watches only while we sleep after little was sent.
    watching: bool,
    /// What `overflows` had counted on sockets closed since.
    past_overflows: [u64; 2],
    /// Errors drained from sockets closed since.
    past_drained: u64,
    matching: Matching,
    connects: Connects,
    /// From the first question about them until the echo sockets are closed.
    neighbours: Option<Neighbours>,
    /// Found out while something else was done; told at the next receive or wait.
    pending: Vec<Event>,
    ready: Vec<Ready>,
}

/// A family's place in `echo`.
fn slot(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

/// The place of the second sender's socket.
fn second_slot(family: Family) -> usize {
    Family::BOTH.len() + slot(family)
}

fn random_identifier() -> u16 {
    let mut identifier = [0; 2];
    random_bytes(&mut identifier);
    u16::from_ne_bytes(identifier)
}

impl Network {
    /// Without any echo socket yet.
    pub fn new() -> io::Result<Network> {
        Ok(Network {
            poller: Poller::new()?,
            echo: [None, None, None, None],
            second_sender: None,
            full_batches: 0,
            answers: 0,
            watching: false,
            past_overflows: [0; 2],
            past_drained: 0,
            matching: Matching::new(),
            connects: Connects::default(),
            neighbours: None,
            pending: Vec::new(),
            ready: Vec::new(),
        })
    }

    /// Something for other threads to end a [`Network::wait`] with.
    pub fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Opens the echo socket of a family, unless it is open: raw, else ICMP datagram.
    pub fn ensure_echo(&mut self, family: Family) -> Result<(), OpenError> {
        if self.echo[slot(family)].is_none() {
            let socket = EchoSocket::open(family, random_identifier(), self.matching.key())?;
            self.echo[slot(family)] = Some(Box::new(socket));
            self.unwatch();
        }
        Ok(())
    }

    /// Whether a batch is to be sent by two, on two sockets; has both there.
    fn is_for_two(&mut self, batch: &[EchoRequest]) -> bool {
        let is_full = batch.len() >= BATCH && cores() > 1;
        let family = match batch.first() {
            Some(first) if is_full => first.to.family(),
            _ => return false,
        };
        let is_answered = std::mem::take(&mut self.answers) >= ANSWERS;
        let suits = |request: &EchoRequest| request.to.family() == family && !request.stamped;
        if !is_answered || !batch.iter().all(suits) {
            return false;
        }
        self.full_batches = self.full_batches.saturating_add(1);
        if self.full_batches == FULL_BATCHES {
            // Where one of the two cannot be had, one socket is enough.
            self.second_sender = SecondSender::start().ok();
        }
        let second = second_slot(family);
        if self.second_sender.is_some() && self.echo[second].is_none() {
            let first = self.echo[slot(family)].as_ref();
            self.echo[second] = first.and_then(|first| first.open_another()).map(Box::new);
            if self.echo[second].is_none() {
                self.second_sender = None;
            }
            self.unwatch();
        }
        self.second_sender.is_some() && self.echo[slot(family)].is_some()
    }

    /// Closes the echo sockets; for when no echo probe is open.
    pub fn close_echo_sockets(&mut self) {
        self.unwatch();
        self.second_sender = None;
        self.full_batches = 0;
        for mut socket in self.echo.iter_mut().filter_map(Option::take) {
            self.past_overflows[slot(socket.family)] += socket.overflows();
            self.past_drained += socket.drained();
        }
        self.matching.shrink();
        self.neighbours = None;
    }

    /// Forgets a probe; what comes for it from now on is foreign.
    pub fn close_echo(&mut self, id: ProbeId, to: Address) {
        self.matching.close(id, to);
    }

    /// Sends requests of either family, at most [`BATCH`]; see `Operations::send_echoes`.
    pub fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        debug_assert!(batch.len() <= BATCH);
        if batch.len() >= MANY {
            self.unwatch();
        }
        self.hear_neighbours_first();
        results.clear();
        results.resize(batch.len(), SendResult::NotSent { os_error: 0 });
        if self.is_for_two(batch) {
            self.send_by_two(batch, results);
        } else {
            self.send_by_one(batch, results);
        }
    }

    fn send_by_one(&mut self, batch: &[EchoRequest], results: &mut [SendResult]) {
        let mut opened = [None; 2];
        for (place, request) in batch.iter().enumerate().take(BATCH) {
            let family = slot(request.to.family());
            if self.echo[family].is_none() && opened[family].is_none() {
                opened[family] = self.ensure_echo(request.to.family()).err();
            }
            let socket = match &mut self.echo[family] {
                Some(socket) => socket,
                None => {
                    results[place] = opened[family].map_or(results[place], SendResult::NoSocket);
                    continue;
                }
            };
            if let Some(sequence) = self.matching.begin(request) {
                socket.push(&Numbered { place, sequence, request: *request });
            }
        }
        for family in Family::BOTH {
            if let Some(socket) = &mut self.echo[slot(family)] {
                socket.flush(results, &mut self.matching, &mut self.pending);
            }
        }
    }

    /// Sends a batch of one family whose sockets are there, as is the second sender.
    fn send_by_two(&mut self, batch: &[EchoRequest], results: &mut [SendResult]) {
        let family = batch[0].to.family();
        let Network { second_sender, echo, matching, pending, .. } = self;
        let second = echo[second_slot(family)].take();
        let (sender, first, second) =
            match (second_sender.as_ref(), &mut echo[slot(family)], second) {
                (Some(sender), Some(first), Some(second)) => (sender, first, second),
                _ => return,
            };
        sender.lend(second);
        let mut part = Vec::with_capacity(PART);
        for (place, request) in batch.iter().enumerate() {
            if let Some(sequence) = matching.begin(request) {
                part.push(Numbered { place, sequence, request: *request });
                if part.len() == PART {
                    sender.add(&mut part);
                }
            }
        }
        sender.add(&mut part);
        while sender.take(&mut part) {
            part.iter().for_each(|request| first.push(request));
            first.flush(results, matching, pending);
        }
        match sender.take_back() {
            Some(mut second) => {
                second.flush(results, matching, pending);
                // What it has read is nothing that a sleep would end for.
                second.receive(matching, pending);
                echo[second_slot(family)] = Some(second);
            }
            // It has panicked: what it had is not sent.
            None => *second_sender = None,
        }
    }

    /// Begins a TCP connect; an event will tell how it ended. Open connections are closed at once,
    /// with a reset.
    pub fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError> {
        self.hear_neighbours_first();
        let event = self.connects.begin(&mut self.poller, id, to, port)?;
        self.pending.extend(event);
        if self.connects.wants_look() {
            let mut events = std::mem::take(&mut self.pending);
            self.wait_once(Time::from_nanos(0), &mut events);
            self.pending = events;
        }
        Ok(())
    }

    /// Ends a connect under way. An event that is already on its way may still come.
    pub fn cancel_connect(&mut self, id: ProbeId) {
        self.connects.cancel(&mut self.poller, id);
    }

    /// Appends what the echo sockets have received. Never sleeps.
    pub fn receive(&mut self, events: &mut Vec<Event>) {
        let before = events.len();
        events.append(&mut self.pending);
        self.read_echoes(events);
        self.answers += events.len() - before;
    }

    fn read_echoes(&mut self, events: &mut Vec<Event>) {
        if !self.matching.is_empty() {
            for socket in self.echo.iter_mut().flatten() {
                socket.receive(&mut self.matching, events);
            }
        }
    }

    /// Sleeps until something happens, somebody wakes, or the deadline ([`Time::NEVER`]: none), and
    /// appends all that happened.
    pub fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        let before = events.len();
        let told = !self.pending.is_empty();
        events.append(&mut self.pending);
        let mut deadline = if told { Time::from_nanos(0) } else { deadline };
        while self.wait_once(deadline, events) {
            deadline = Time::from_nanos(0);
        }
        self.answers += events.len() - before;
    }

    /// True: there may be more.
    fn wait_once(&mut self, deadline: Time, events: &mut Vec<Event>) -> bool {
        let deadline = if deadline > Time::now() { self.watch(deadline) } else { deadline };
        let more = self.poller.wait(deadline, &mut self.ready);
        let now = Time::now();
        for ready in &self.ready {
            let socket =
                self.echo.iter_mut().flatten().find(|socket| socket.descriptor() == ready.fd);
            match socket {
                Some(socket) => {
                    if ready.error {
                        socket.drain_errors(&mut self.matching, events);
                    }
                    socket.receive(&mut self.matching, events);
                }
                None => events.extend(self.connects.finish(*ready, now)),
            }
        }
        if !self.watching {
            self.read_echoes(events);
        }
        more
    }

    /// Has the echo sockets end a sleep until `deadline`, which it returns; an earlier one where
    /// the system refuses.
    fn watch(&mut self, deadline: Time) -> Time {
        if self.watching {
            return deadline;
        }
        self.watching = true;
        for socket in self.echo.iter().flatten() {
            if self.poller.add(socket.descriptor(), Interest::Read).is_err() {
                self.unwatch();
                return deadline.min(Time::now().plus_nanos(MILLISECOND));
            }
        }
        deadline
    }

    fn unwatch(&mut self) {
        if std::mem::take(&mut self.watching) {
            for socket in self.echo.iter().flatten() {
                self.poller.remove(socket.descriptor());
            }
        }
    }

    /// See `Operations::overflows`.
    pub fn overflows(&mut self, family: Family) -> Overflows {
        let mut overflows = Overflows { count: self.past_overflows[slot(family)], certain: true };
        for socket in self.echo.iter_mut().flatten().filter(|socket| socket.family == family) {
            overflows.count += socket.overflows();
            overflows.certain &= socket.tells_drops();
        }
        overflows
    }

    /// See `Operations::failed_neighbours`.
    pub fn failed_neighbours(&mut self, events: &mut Vec<Event>) {
        if self.neighbours.is_none() {
            self.neighbours = Neighbours::listen();
        }
        self.hear_neighbours(events);
    }

    /// Before anything is sent to an address for the first time, too: what was known of it then is
    /// no answer.
    fn hear_neighbours(&mut self, events: &mut Vec<Event>) {
        let neighbours = match &mut self.neighbours {
            Some(neighbours) => neighbours,
            None => return,
        };
        let mut failed = HashSet::new();
        neighbours.failed(&mut failed);
        for address in &failed {
            events.extend(self.matching.owners(address).map(|id| Event::NeighbourFailed { id }));
            events.push(Event::NeighbourGone { address: *address });
        }
        if !failed.is_empty() {
            self.connects.fail(&mut self.poller, |to| failed.contains(to), events);
        }
    }

    fn hear_neighbours_first(&mut self) {
        if self.neighbours.is_some() {
            let mut events = std::mem::take(&mut self.pending);
            self.hear_neighbours(&mut events);
            self.pending = events;
        }
    }

    /// See `Operations::counters`.
    pub fn counters(&self) -> Counters {
        let open = || self.echo.iter().flatten();
        Counters {
            foreign: self.matching.foreign,
            errors_drained: self.past_drained + open().map(|socket| socket.drained()).sum::<u64>(),
            overflows: self.past_overflows.iter().sum::<u64>()
                + open().map(|socket| socket.overflows_seen()).sum::<u64>(),
        }
    }

    /// See `Operations::reset`.
    pub fn reset(&mut self) -> io::Result<()> {
        self.close_echo_sockets();
        self.connects.clear(&mut self.poller);
        self.matching = Matching::new();
        self.pending.clear();
        Ok(())
    }
}
