//! The platform, as operations. Owns every socket, every foreign-function declaration and every
//! `cfg` on the operating system. Knows nothing of pools, attempts, retries or verdicts: the
//! reactor tells it what to send and is told what happened.
//!
//! One backend is chosen here. Each offers the same items: [`Network`], [`Waker`], the resolver
//! calls, and the small questions about process and threads.

use crate::address::Address;
use crate::clock::Time;
use crate::outcome::Outcome;

pub mod names;
pub use names::{Found, LookupError};

mod on_link;
pub use on_link::OnLink;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as backend;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as backend;

pub use backend::lookup::{interface_index, lookup, reverse_lookup};
pub use backend::{
    block_signals, cores, echo_permission, enter_apartment, is_forked_child, pin_library,
    process_cpu_nanos, raise_descriptor_limit, random_bytes, wall_clock, watch_fork,
    ApartmentGuard, Network, ThreadClock, Wake, Waker, APARTMENTS, TELLS_DUPLICATES,
};

// --- words shared by all backends ---------------------------------------------------------

/// Names one open probe, chosen by the reactor: its slot and that slot's generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProbeId(pub u64);

/// The most echo requests that are sent at once.
pub const BATCH: usize = 128;

/// One echo request to send.
#[derive(Clone, Copy, Debug)]
pub struct EchoRequest {
    /// The probe, registered before with `Network::open_echo`.
    pub id: ProbeId,
    /// Where to.
    pub to: Address,
    /// Which of the probe's transmissions this is, from 0; below the number registered.
    pub transmission: u16,
    /// Bytes of payload behind the ICMP header, 0..=65,500.
    pub size: u16,
    /// Time to live / hop limit; 0 leaves the system's.
    pub hops: u8,
    /// Milliseconds for which a reply is of use, for systems that do the waiting themselves.
    pub lifetime_ms: u32,
}

/// What became of one message of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendResult {
    /// It left this machine as far as the system tells.
    Sent,
    /// Not sent, for reasons of ours (buffers, neighbour table): the attempt has not begun.
    NotSent,
    /// The system has no way to that address: the message's own error, with its raw number.
    Failed {
        /// The fitting state.
        outcome: Outcome,
        /// The raw error number.
        os_error: i32,
    },
}

/// Why a connect ended without an open connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// The host itself said no (also: a connect to our own address that met itself).
    Refused,
    /// For reasons of ours (descriptors, ports, memory): wait and repeat.
    NotStarted,
    /// A route, router, host or firewall said no, with the raw number.
    Failed {
        /// The fitting state.
        outcome: Outcome,
        /// The raw error number.
        os_error: i32,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A valid reply: address, scope, identifier, sequence and token all match.
    Reply {
        /// Whose.
        id: ProbeId,
        /// To which transmission.
        transmission: u16,
        /// When it reached this machine, by the kernel's stamp where there is one. Before the
        /// request was sent: the wall clock was set meanwhile, and the time now is as good.
        received: Time,
        /// Its time to live / hop limit.
        ttl: Option<u8>,
    },
    /// An ICMP error that quotes one of our requests.
    IcmpError {
        /// Whose.
        id: ProbeId,
        /// Which transmission it quotes.
        transmission: u16,
        /// The fitting state.
        outcome: Outcome,
        /// Who sent it.
        from: Address,
        /// ICMP type and code as received.
        kind: u8,
        /// See `kind`.
        code: u8,
        /// Whether the quote contained the token; without it the error is only noted.
        proven: bool,
    },
    /// This machine's own word on an address, after a request to it had been taken for sent.
    LocalError {
        /// Whose.
        id: ProbeId,
        /// The fitting state.
        outcome: Outcome,
        /// The raw error number.
        os_error: i32,
    },
    /// A connection is open (and already closed again by the backend).
    Connected {
        /// Whose.
        id: ProbeId,
        /// When it was seen.
        at: Time,
    },
    /// A connect ended otherwise.
    ConnectFailed {
        /// Whose.
        id: ProbeId,
        /// When it was seen.
        at: Time,
        /// Why.
        error: ConnectError,
    },
}

/// Why no echo socket could be had for a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// Neither raw nor datagram ICMP sockets are permitted to this process.
    NotPermitted,
    /// Something else, with the raw error number (e.g. the family is not there).
    Failed(i32),
}

/// The COM apartment that a worker thread is in. Only Windows has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Apartment {
    /// None asked for.
    None,
    /// Single-threaded.
    SingleThreaded,
    /// Multi-threaded.
    MultiThreaded,
}

/// The system has no apartments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoApartments;
