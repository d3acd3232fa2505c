//! The platform, as operations. Owns every socket, every foreign-function declaration and every
//! `cfg` on the operating system. Knows nothing of pools, attempts, retries or verdicts: the
//! reactor tells it what to send and is told what happened, through [`Operations`] alone.
//!
//! One backend is chosen here. Each offers the same items: [`Network`], [`Waker`], the resolver
//! calls, and the small questions about process and threads.

use crate::address::Address;
use crate::clock::Time;
use crate::outcome::Outcome;

pub mod names;
pub use names::{HostEntry, LookupError};

mod on_link;
pub use on_link::OnLink;
mod operations;
pub use crate::outcome::ConnectError;
pub use operations::{Counters, Operations, Overflows};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as backend;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as backend;

pub use backend::lookup::{interface_index, lookup, reverse_lookup};
pub use backend::{
    block_signals, cores, echo_permission, enter_apartment, is_forked_child, pin_library,
    process_cpu_nanos, raise_descriptor_limit, random_bytes, repeats_refused_connects, suspended,
    wall_clock, watch_fork, ApartmentGuard, Network, ThreadClock, Wake, Waker, APARTMENTS,
    TELLS_DUPLICATES,
};

// --- words shared by all backends ---------------------------------------------------------

/// Names one open echo probe or one connect under way, chosen by the reactor: a slot and its
/// generation. Echo probes and connects are numbered apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProbeId(pub u64);

impl ProbeId {
    /// The slot: no two that are open at a time have the same.
    pub fn slot(self) -> usize {
        self.0 as u32 as usize
    }
}

/// The most echo requests that are sent at once.
pub const BATCH: usize = 256;

/// One echo request to send.
#[derive(Clone, Copy, Debug)]
pub struct EchoRequest {
    /// The probe.
    pub id: ProbeId,
    /// Where to.
    pub to: Address,
    /// Which of the probe's transmissions this is, from 0.
    pub transmission: u16,
    /// How many the probe will make at most: so many sequences are kept for it from its first
    /// request on until `close_echo`.
    pub transmissions: u16,
    /// The time it leaves is wanted as the system's own, where that can be had
    /// ([`Event::Stamped`]): statistics, or a rate that leaves time.
    pub stamped: bool,
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
    Sent {
        /// When, as exactly as can be told at once.
        at: Time,
    },
    /// Not sent, for reasons of ours (buffers, neighbour table, sequences): try again later.
    NotSent {
        /// The raw error number; 0 where there is none.
        os_error: i32,
    },
    /// There is no socket of its family.
    NoSocket(OpenError),
    /// The system has no way to that address: the message's own error, with its raw number.
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
    /// A valid reply: identifier, sequence and token match; with less than a whole token (16 bytes) the
    /// address, too.
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
        /// Who answered, as far as the system tells; it may be another than the one asked.
        from: Option<Address>,
    },
    /// The system's own word on when a request left ([`EchoRequest::stamped`]). Comes before its
    /// reply where both are there.
    Stamped {
        /// Whose.
        id: ProbeId,
        /// Which transmission.
        transmission: u16,
        /// When it left.
        at: Time,
    },
    /// The link-layer address of an open probe's host could not be found: it is no live neighbour.
    NeighbourFailed {
        /// Whose.
        id: ProbeId,
    },
    /// The system has given a neighbour up: its place in the table is free, whether or not a probe
    /// of it is open. Comes behind the events of its probes.
    NeighbourGone {
        /// Which.
        address: Address,
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
        /// Its round trip.
        round_trip: RoundTrip,
    },
    /// A connect ended otherwise.
    ConnectFailed {
        /// Whose.
        id: ProbeId,
        /// When it was seen.
        at: Time,
        /// Why.
        error: ConnectError,
        /// The round trip of a refusal.
        round_trip: RoundTrip,
    },
}

/// What is known of the round trip of a connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundTrip {
    /// It was measured, in nanoseconds: by the system itself, or by the backend.
    Measured(u64),
    /// From the call to the time it was seen.
    BySight,
    /// Nothing: the system repeats by itself before it tells.
    Unknown,
}

/// Why no echo socket could be had for a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// Neither raw nor datagram ICMP sockets are permitted to this process.
    NotPermitted,
    /// No descriptor or memory is left, with the raw error number: try again later.
    NoResources(i32),
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

#[cfg(test)]
mod tests {
    /// What a declaration is told to follow is written beside it: its page's address, above its
    /// attributes and its documentation.
    #[test]
    fn every_declaration_for_windows_names_its_page() {
        let mut declared = 0;
        for source in [
            include_str!("windows/functions.rs"),
            include_str!("windows/bindings.rs"),
            include_str!("windows/tests/apartment.rs"),
        ] {
            let (mut pages, mut is_extern) = (Vec::new(), false);
            for line in source.lines() {
                let text = line.trim_start();
                let item = text.trim_start_matches("pub(super) ").trim_start_matches("pub ");
                is_extern = (is_extern && line != "}") || line == "extern \"system\" {";
                if let Some(page) = text.strip_prefix("// https://learn.microsoft.com/windows") {
                    assert_eq!(page, page.to_lowercase());
                    pages.push(page);
                } else if is_extern && item.starts_with("fn ") {
                    let name = item[3..].split('(').next().unwrap_or_default().to_lowercase();
                    assert!(pages.iter().any(|page| page.ends_with(&format!("-{name}"))), "{line}");
                    declared += 1;
                } else if line.starts_with("pub")
                    && (text.contains(" struct ") || text.contains(" type "))
                {
                    assert!(!pages.is_empty(), "{line}");
                    declared += 1;
                }
                if !text.starts_with("//") && !text.starts_with("#[") {
                    pages.clear();
                }
            }
        }
        assert!(declared > 60, "{declared}: they are elsewhere");
    }
}
