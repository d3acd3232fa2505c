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
use self::poller::{Interest, Poller, Ready};
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

/// All sockets of the engine, and what they are waited for with.
pub struct Network {
    poller: Poller,
    /// IPv4, IPv6.
    echo: [Option<EchoSocket>; 2],
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

fn slot(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

impl Network {
    /// Without any echo socket yet.
    pub fn new() -> io::Result<Network> {
        Ok(Network {
            poller: Poller::new()?,
            echo: [None, None],
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

    /// Opens the process's one echo socket of a family, unless it is open: raw, else ICMP datagram.
    pub fn ensure_echo(&mut self, family: Family) -> Result<(), OpenError> {
        let place = &mut self.echo[slot(family)];
        if place.is_none() {
            let mut identifier = [0; 2];
            random_bytes(&mut identifier);
            *place = Some(EchoSocket::open(family, u16::from_ne_bytes(identifier))?);
            self.unwatch();
        }
        Ok(())
    }

    /// Closes the echo sockets; for when no echo probe is open.
    pub fn close_echo_sockets(&mut self) {
        self.unwatch();
        for (place, past) in self.echo.iter_mut().zip(&mut self.past_overflows) {
            if let Some(mut socket) = place.take() {
                *past += socket.overflows();
                self.past_drained += socket.drained();
            }
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
            if let Some((sequence, token)) = self.matching.begin(request) {
                socket.push(place, request, sequence, &token);
            }
        }
        for socket in self.echo.iter_mut().flatten() {
            socket.flush(results, &mut self.matching, &mut self.pending);
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
        events.append(&mut self.pending);
        if !self.matching.is_empty() {
            for socket in self.echo.iter_mut().flatten() {
                socket.receive(&mut self.matching, events);
            }
        }
    }

    /// Sleeps until something happens, somebody wakes, or the deadline ([`Time::NEVER`]: none), and
    /// appends all that happened.
    pub fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        let told = !self.pending.is_empty();
        events.append(&mut self.pending);
        let mut deadline = if told { Time::from_nanos(0) } else { deadline };
        while self.wait_once(deadline, events) {
            deadline = Time::from_nanos(0);
        }
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
            self.receive(events);
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
        let slot = slot(family);
        let here = self.echo[slot].as_mut().map_or(0, EchoSocket::overflows);
        let certain = self.echo[slot].as_ref().map_or(true, EchoSocket::tells_drops);
        Overflows { count: self.past_overflows[slot] + here, certain }
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
            errors_drained: self.past_drained + open().map(EchoSocket::drained).sum::<u64>(),
            overflows: self.past_overflows.iter().sum::<u64>()
                + open().map(EchoSocket::overflows_seen).sum::<u64>(),
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
