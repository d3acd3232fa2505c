//! The trait through which the reactor reaches the network, its clocks and its neighbours. The
//! backend's `Network` is the real one; the simulator stands a world of its own in its place.

use super::{ConnectError, EchoRequest, Event, Network, OnLink, ProbeId, SendResult};
use crate::address::{Address, Family};
use crate::clock::Time;
use std::io;

/// What the system may have dropped of the packets of one family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overflows {
    /// A number that changes whenever packets were dropped because a buffer of ours was full.
    pub count: u64,
    /// The system tells every drop: what is not counted was not dropped.
    pub certain: bool,
}

/// Figures for diagnosis, counted since the process began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// ICMP packets that reached our sockets and matched no open probe.
    pub foreign: u64,
    /// Errors about earlier packets that were taken out of the sockets' queues.
    pub errors_drained: u64,
    /// Times at which a buffer of ours was seen to have overflowed.
    pub overflows: u64,
}

/// The platform's network, as the reactor's thread uses it.
pub trait Operations {
    /// Whether further replies to a request that has its reply are seen.
    const TELLS_DUPLICATES: bool;

    /// The monotonic clock.
    fn now(&self) -> Time;

    /// Nanoseconds since 1970-01-01 UTC on the wall clock.
    fn wall_clock(&self) -> i64;

    /// How long the machine has been suspended so far, in nanoseconds, where the monotonic clock
    /// stands still meanwhile; else 0 for ever.
    fn suspended(&self) -> u64;

    /// This machine's links and the size of its neighbour tables, read now.
    fn on_link(&mut self) -> OnLink;

    /// Appends an [`Event::NeighbourFailed`] for every open echo probe, a [`Event::ConnectFailed`]
    /// for every connect under way, and one [`Event::NeighbourGone`], for every link-layer address
    /// that the system has given up to find. Never sleeps; costs about one look at the neighbour table.
    fn failed_neighbours(&mut self, events: &mut Vec<Event>);

    /// Sends requests of either family, at most [`super::BATCH`]; opens the family's socket where it
    /// is not open. `results` gets one entry for each, in order.
    fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>);

    /// Forgets an echo probe: its sequences are free, and what comes for it from now on is foreign.
    /// Nothing where none of its requests was ever given to `send_echoes`.
    fn close_echo(&mut self, id: ProbeId, to: Address);

    /// Closes the echo sockets; for when no echo probe is open.
    fn close_echo_sockets(&mut self);

    /// Begins a TCP connect; an event will tell how it ended. Open connections are closed at once,
    /// with a reset.
    fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError>;

    /// Ends a connect under way. An event that is already on its way may still come.
    fn cancel_connect(&mut self, id: ProbeId);

    /// Appends what has happened. Never sleeps.
    fn receive(&mut self, events: &mut Vec<Event>);

    /// Sleeps until something happens, somebody wakes, or the deadline ([`Time::NEVER`]: none), and
    /// appends all that happened.
    fn wait(&mut self, deadline: Time, events: &mut Vec<Event>);

    /// What was dropped of a family's packets, asked after they were received.
    fn overflows(&mut self, family: Family) -> Overflows;

    /// Figures for diagnosis.
    fn counters(&self) -> Counters;

    /// Forgets every probe and every connect, after a contained panic.
    fn reset(&mut self) -> io::Result<()>;
}

impl Operations for Network {
    const TELLS_DUPLICATES: bool = super::TELLS_DUPLICATES;

    fn now(&self) -> Time {
        Time::now()
    }

    fn wall_clock(&self) -> i64 {
        super::wall_clock()
    }

    fn suspended(&self) -> u64 {
        super::suspended()
    }

    fn on_link(&mut self) -> OnLink {
        OnLink::read()
    }

    fn failed_neighbours(&mut self, events: &mut Vec<Event>) {
        Network::failed_neighbours(self, events);
    }

    fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        Network::send_echoes(self, batch, results);
    }

    fn close_echo(&mut self, id: ProbeId, to: Address) {
        Network::close_echo(self, id, to);
    }

    fn close_echo_sockets(&mut self) {
        Network::close_echo_sockets(self);
    }

    fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError> {
        Network::connect(self, id, to, port)
    }

    fn cancel_connect(&mut self, id: ProbeId) {
        Network::cancel_connect(self, id);
    }

    fn receive(&mut self, events: &mut Vec<Event>) {
        Network::receive(self, events);
    }

    fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        Network::wait(self, deadline, events);
    }

    fn overflows(&mut self, family: Family) -> Overflows {
        Network::overflows(self, family)
    }

    fn counters(&self) -> Counters {
        Network::counters(self)
    }

    fn reset(&mut self) -> io::Result<()> {
        Network::reset(self)
    }
}
