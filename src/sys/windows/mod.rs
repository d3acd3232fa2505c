//! The backend for Windows. [`Network`] is used on the reactor's thread only, where it sleeps at a
//! completion port: ended connects arrive there as packets, ended echo requests as APCs, which
//! only run while the thread sleeps alertably. The rest are free functions for any thread. The
//! system matches echo replies itself, for every user, and hides duplicates and strangers' packets.

mod apartment;
mod bindings;
mod calls;
mod connect;
mod echo;
mod functions;
mod interfaces;
mod port;
mod process;
mod request;
mod socket;
mod status;

pub mod lookup;

#[cfg(test)]
mod tests;

use self::bindings::Overlapped;
use self::calls::{Calls, System};
use self::connect::Connects;
use self::echo::Echoes;
use self::port::{Port, Waited};
use crate::address::{Address, Family};
use crate::clock::Time;
use crate::sys::{
    ConnectError, Counters, EchoRequest, Event, OpenError, Overflows, ProbeId, SendResult, BATCH,
};
use std::io;

pub use self::apartment::{enter_apartment, ApartmentGuard, Wake, APARTMENTS};
pub use self::connect::repeats_refused_connects;
pub use self::echo::echo_permission;
pub use self::interfaces::{broadcast_prefixes, neighbour_tables};
pub use self::port::Waker;
pub use self::process::{
    block_signals, cores, is_forked_child, pin_library, process_cpu_nanos, raise_descriptor_limit,
    random_bytes, suspended, wall_clock, watch_fork, ThreadClock,
};

/// Whether further replies to a request that has its reply are seen: the system keeps them.
pub const TELLS_DUPLICATES: bool = false;

/// Most looks at the port in one turn, so that a flood cannot keep the reactor.
const TURN: usize = 512;
/// Looks at a port that has packets each time before APCs get their turn: by themselves they have
/// none then.
const LOOKS_PER_CALLS: usize = 16;

/// All that the engine has open, and where it waits for it.
pub struct Network<C: Calls = System> {
    port: Port<C>,
    echoes: Echoes<C>,
    calls: C,
    connects: Connects<C>,
    /// Empty between calls; kept for its capacity.
    ended: Vec<*mut Overlapped>,
}

// SAFETY: the pointers in `ended` are owned by `connects`; see there.
unsafe impl<C: Calls> Send for Network<C> {}

impl Network {
    /// Without any handle for echo requests yet.
    pub fn new() -> io::Result<Network> {
        Network::over(System)
    }
}

impl<C: Calls> Network<C> {
    fn over(calls: C) -> io::Result<Network<C>> {
        socket::start_sockets();
        Ok(Network {
            port: Port::new(calls.clone())?,
            echoes: Echoes::new(calls.clone()),
            connects: Connects::new(calls.clone()),
            calls,
            ended: Vec::new(),
        })
    }

    /// Something for other threads to end a [`Network::wait`] with.
    pub fn waker(&self) -> Waker<C> {
        self.port.waker()
    }

    /// Opens the process's one handle for echo requests of a family, unless it is open.
    pub fn ensure_echo(&mut self, family: Family) -> Result<(), OpenError> {
        self.echoes.ensure(family)
    }

    /// Closes the handles, for when no echo probe is open: at a later wait where requests are still
    /// under way.
    pub fn close_echo_sockets(&mut self) {
        self.echoes.close_files();
    }

    /// Registers a probe. Always true: the system has the sequences.
    pub fn open_echo(&mut self, id: ProbeId, _to: Address, _transmissions: u16) -> bool {
        self.echoes.open(id);
        true
    }

    /// Forgets a probe; what comes for it from now on is not told.
    pub fn close_echo(&mut self, id: ProbeId, _to: Address) {
        self.echoes.close(id);
    }

    /// Sends requests of either family, at most [`BATCH`]; see `Operations::send_echoes`.
    pub fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        debug_assert!(batch.len() <= BATCH);
        results.clear();
        let sent = Time::now();
        for request in batch {
            results.push(match self.echoes.ensure(request.to.family()) {
                Ok(()) => self.echoes.send(request, sent),
                Err(error) => SendResult::NoSocket(error),
            });
        }
    }

    /// Begins a TCP connect; an event will tell how it ended. Open connections are closed at once,
    /// with a reset.
    pub fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError> {
        self.connects.begin(&self.port, id, to, port)
    }

    /// Ends a connect under way. An event that is already on its way may still come.
    pub fn cancel_connect(&mut self, id: ProbeId) {
        self.connects.cancel(id);
    }

    /// Appends what has come. Never sleeps.
    pub fn receive(&mut self, events: &mut Vec<Event>) {
        self.wait(Time::from_nanos(0), events);
    }

    /// Sleeps until something happens, somebody wakes, or the deadline ([`Time::NEVER`]: none), and
    /// appends all that happened. Returns early, with nothing, where a SYN was to be repeated.
    pub fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        let mut deadline = deadline.min(self.connects.next_due());
        for look in 1..=TURN {
            // The time of a connect is told by sight of its packet.
            let fine = self.connects.is_empty();
            let waited = self.port.wait(deadline, fine, &mut self.ended);
            let now = self.calls.now();
            for overlapped in self.ended.drain(..) {
                events.extend(self.connects.finish(overlapped, now));
            }
            if waited == Waited::Nothing {
                break;
            }
            if look % LOOKS_PER_CALLS == 0 {
                self.port.run_calls();
            }
            deadline = Time::from_nanos(0);
        }
        let no_calls_left = self.port.run_calls();
        self.echoes.collect(no_calls_left, events);
        self.connects.repeat(&self.port);
    }

    /// Changes whenever the system has taken a request of a family and then had no memory for it.
    /// The system waits for replies itself, so a turn of ours that comes late misses none.
    pub fn overflows(&mut self, family: Family) -> Overflows {
        let count = match family {
            Family::V4 => self.echoes.lost[0],
            Family::V6 => self.echoes.lost[1],
        };
        Overflows { count, certain: true }
    }

    /// The system tells at the request itself: nothing to look up.
    pub fn failed_neighbours(&mut self, _events: &mut Vec<Event>) {}

    /// The system hides ICMP packets that match no request.
    pub fn counters(&self) -> Counters {
        Counters { overflows: self.echoes.lost.iter().sum(), ..Counters::default() }
    }

    /// See `Operations::reset`. The thread lives on, and what the system has may end on it at any
    /// time: the tables stay, and only what they would tell is forgotten.
    pub fn reset(&mut self) -> io::Result<()> {
        self.connects.cancel_all();
        self.echoes.forget();
        Ok(())
    }
}

impl<C: Calls> Drop for Network<C> {
    fn drop(&mut self) {
        self.connects.end(&mut self.port);
    }
}
