//! TCP connects under way, by ConnectEx: each a socket that is bound first, as ConnectEx demands,
//! and closed with a reset the moment it is known to be open or not. A connect belongs to the
//! system from the call until its packet has arrived at the port, cancelled or not.
//!
//! The system repeats a SYN that is refused, for about two seconds, before it tells. So it is asked
//! to send one and no more, and one that may be lost is repeated here, as any TCP does (RFC 6298:
//! after one second, then two, then four), from a socket of its own beside the first: the answer to
//! any of them is the host's, and its time is a round trip.

use super::bindings::*;
use super::calls::{Calls, System};
use super::port::{Port, Waited};
use super::socket::{bind_any, open_tcp_socket, set_option};
use super::status::connect_error;
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND, SECOND};
use crate::outcome::Outcome;
use crate::sys::{ConnectError, Event, ProbeId, RoundTrip};
use once_cell::sync::Lazy;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::os::windows::io::OwnedSocket;
use std::ptr::null_mut;

/// How long the end waits for connects that it has just cancelled; then their memory is left to the
/// system.
const END_LIMIT: u64 = 200 * MILLISECOND;

/// From the first SYN to the second; it doubles each time.
pub(super) const FIRST_PAUSE: u64 = SECOND;

/// One connect of the system's. It knows it by its first field.
#[repr(C)]
struct Connecting {
    overlapped: Overlapped,
    id: ProbeId,
    begun: Time,
    /// `None`: cancelled, its packet is still awaited.
    socket: Option<OwnedSocket>,
}

#[cfg(test)]
thread_local! {
    /// How many of this thread's there are.
    pub(super) static ALIVE: std::cell::Cell<usize> = std::cell::Cell::new(0);
}

#[cfg(test)]
impl Drop for Connecting {
    fn drop(&mut self) {
        ALIVE.with(|alive| alive.set(alive.get() - 1));
    }
}

/// What a probe wants.
struct Wanted {
    to: Address,
    port: u16,
    under_way: Vec<*mut Connecting>,
    /// When the next SYN is due; never where the system repeats them by itself.
    next: Time,
    pause: u64,
}

/// See the file's head.
pub(super) struct Connects<C: Calls = System> {
    calls: C,
    by_probe: HashMap<ProbeId, Wanted>,
    /// When SYNs are due, with those that are no longer wanted.
    due: BinaryHeap<Reverse<(Time, u64)>>,
    /// The system's, cancelled ones included.
    under_way: usize,
}

// SAFETY: the pointers are owned by this table, or by the system on its behalf.
unsafe impl<C: Calls> Send for Connects<C> {}

impl<C: Calls> Connects<C> {
    pub(super) fn new(calls: C) -> Connects<C> {
        Connects { calls, by_probe: HashMap::new(), due: BinaryHeap::new(), under_way: 0 }
    }

    /// Begins a connect; its packet will tell.
    pub(super) fn begin(
        &mut self,
        completions: &Port<C>,
        id: ProbeId,
        to: Address,
        port: u16,
    ) -> Result<(), ConnectError> {
        let (next, pause) = (Time::NEVER, FIRST_PAUSE);
        let mut wanted = Wanted { to, port, under_way: Vec::with_capacity(1), next, pause };
        let is_one_syn = wanted.send(&self.calls, completions, id)?;
        self.under_way += 1;
        if is_one_syn {
            self.due.push(wanted.plan(id, self.calls.now()));
        }
        self.by_probe.insert(id, wanted);
        Ok(())
    }

    /// When a SYN is due again, or nearly.
    pub(super) fn next_due(&mut self) -> Time {
        if self.is_empty() {
            self.due.clear();
        }
        self.due.peek().map_or(Time::NEVER, |Reverse((at, _))| *at)
    }

    /// Whether no probe waits for one.
    pub(super) fn is_empty(&self) -> bool {
        self.by_probe.is_empty()
    }

    /// Sends again what is due.
    pub(super) fn repeat(&mut self, completions: &Port<C>) {
        let now = self.calls.now();
        while self.next_due() <= now {
            let (at, id) = match self.due.pop() {
                Some(Reverse((at, id))) => (at, ProbeId(id)),
                None => return,
            };
            if let Some(wanted) = self.by_probe.get_mut(&id).filter(|wanted| wanted.next == at) {
                // One that cannot be sent is as good as lost: the next one may be.
                if wanted.send(&self.calls, completions, id).is_ok() {
                    self.under_way += 1;
                }
                self.due.push(wanted.plan(id, now));
            }
        }
    }

    /// What became of a connect whose packet has arrived; `None` where that is not told: it was
    /// cancelled, or nothing has come of one SYN and others may follow.
    pub(super) fn finish(&mut self, overlapped: *mut Overlapped, at: Time) -> Option<Event> {
        // SAFETY: packets of sockets are those of connects begun here, and each has one.
        let mut ended = unsafe { Box::from_raw(overlapped.cast::<Connecting>()) };
        self.under_way -= 1;
        let socket = ended.socket.take()?;
        let id = ended.id;
        let wanted = self.by_probe.get_mut(&id)?;
        wanted.under_way.retain(|other| *other != overlapped.cast());
        let is_one_syn = wanted.next != Time::NEVER;
        let error = match self.calls.connect_end(&socket, &mut ended.overlapped) {
            Err(error) => Some(connect_error(error)),
            // A connect to a closed port of our own, in the range that local ports are taken from,
            // may be given that very port and meet itself.
            Ok(Some((address, port))) if (address.octets(), port) == wanted.there() => {
                Some(ConnectError::Refused)
            }
            Ok(_) => None,
        };
        let measured = RoundTrip::Measured(at.nanos_since(ended.begun));
        let event = match error {
            None => Event::Connected { id, at, round_trip: measured },
            Some(ConnectError::Failed { outcome: Outcome::TimedOut, .. }) if is_one_syn => {
                return None;
            }
            Some(error) => {
                let round_trip = if is_one_syn { measured } else { RoundTrip::Unknown };
                Event::ConnectFailed { id, at, error, round_trip }
            }
        };
        self.cancel(id);
        Some(event)
    }

    /// Ends a connect under way, if it is one; nothing will tell of it.
    pub(super) fn cancel(&mut self, id: ProbeId) {
        let wanted = self.by_probe.remove(&id);
        for connecting in wanted.into_iter().flat_map(|wanted| wanted.under_way) {
            // SAFETY: until its packet has been taken the memory is there, and the system uses only
            // its first field. Closing the socket ends the operation.
            drop(unsafe { (*connecting).socket.take() });
        }
    }

    /// Whether the system holds none, not even cancelled ones.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// Cancels all; their packets are still awaited.
    pub(super) fn cancel_all(&mut self) {
        let ids: Vec<ProbeId> = self.by_probe.keys().copied().collect();
        for id in ids {
            self.cancel(id);
        }
    }

    /// Cancels all and waits for their packets, but not for ever.
    pub(super) fn end(&mut self, completions: &mut Port<C>) {
        self.cancel_all();
        let limit = self.calls.now().plus_nanos(END_LIMIT);
        let mut ended = Vec::new();
        while self.under_way > 0 {
            if completions.wait(limit, false, &mut ended) == Waited::Nothing {
                return;
            }
            for overlapped in ended.drain(..) {
                self.finish(overlapped, limit);
            }
        }
    }
}

impl Wanted {
    fn there(&self) -> (&[u8], u16) {
        (self.to.octets(), self.port)
    }

    /// When the next SYN after one at `now` is due.
    fn plan(&mut self, id: ProbeId, now: Time) -> Reverse<(Time, u64)> {
        self.next = now.plus_nanos(self.pause);
        self.pause *= 2;
        Reverse((self.next, id.0))
    }

    /// Begins one connect of the system's; whether that is one SYN.
    fn send<C: Calls>(
        &mut self,
        calls: &C,
        completions: &Port<C>,
        id: ProbeId,
    ) -> Result<bool, ConnectError> {
        let family = self.to.family();
        let socket = open_tcp_socket(family).map_err(connect_error)?;
        let reset = Linger { onoff: 1, linger: 0 };
        set_option(&socket, SO_LINGER, Some(&reset)).map_err(connect_error)?;
        // Where the system can, the port is chosen with the peer in view, so that connects to
        // different hosts may share one. Without it there are some 16,000 ports for all.
        let _ = set_option(&socket, SO_REUSE_UNICASTPORT, Some(&1u32));
        bind_any(&socket, family).map_err(connect_error)?;
        let is_one_syn = calls.ask_for_one_syn(&socket);
        completions.add(&socket).map_err(connect_error)?;
        let overlapped = Overlapped {
            internal: 0,
            internal_high: 0,
            offset: 0,
            offset_high: 0,
            event: null_mut(),
        };
        #[cfg(test)]
        ALIVE.with(|alive| alive.set(alive.get() + 1));
        let connecting = Connecting { overlapped, id, begun: calls.now(), socket: None };
        let connecting = Box::into_raw(Box::new(connecting));
        // SAFETY: it lives until its packet.
        let taken = unsafe { calls.connect(&socket, &self.to, self.port, connecting.cast()) };
        match taken {
            Ok(()) => {
                // SAFETY: the table's; the system uses only the first field.
                unsafe { (*connecting).socket = Some(socket) };
                self.under_way.push(connecting);
                Ok(is_one_syn)
            }
            Err(error) => {
                // SAFETY: not taken by the system: it is ours again.
                drop(unsafe { Box::from_raw(connecting) });
                Err(connect_error(error))
            }
        }
    }
}

/// Whether a refused connect is told only after the system has repeated its SYN, for about two
/// seconds: where it does not promise to send one.
pub fn repeats_refused_connects() -> bool {
    static REPEATS: Lazy<bool> = Lazy::new(|| {
        super::socket::start_sockets();
        open_tcp_socket(Family::V4).map_or(true, |socket| !System.ask_for_one_syn(&socket))
    });
    *REPEATS
}
