//! What the scheduler wants done, and the figures it reports. Plain data.

use crate::address::{Address, Family};
use crate::sys::{EchoRequest, ProbeId};
use std::sync::Arc;

/// A TCP connect to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectRequest {
    /// What events about it will name.
    pub id: ProbeId,
    /// Where to.
    pub address: Address,
    /// Where to.
    pub port: u16,
}

/// A look-up to begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// The addresses of a name.
    Name {
        /// What its answer will name.
        id: ProbeId,
        /// As it was submitted.
        name: Arc<str>,
        /// In one family only.
        family: Option<Family>,
        /// With its canonical name.
        canonical: bool,
    },
    /// The name of an address.
    Address {
        /// What its answer will name.
        id: ProbeId,
        /// Whose name.
        address: Address,
    },
}

/// What is to be done, in this order. Who does it empties the lists.
#[derive(Default)]
pub struct Actions {
    /// Echo probes that have ended.
    pub closes: Vec<(ProbeId, Address)>,
    /// Connects that nobody waits for any more.
    pub cancels: Vec<ProbeId>,
    /// No echo probe of any pool is open, and no pool is left.
    pub close_sockets: bool,
    /// Look-ups to begin; each is answered once.
    pub lookups: Vec<Lookup>,
    /// Echo requests to send, at most a batch; what became of each is to be told.
    pub requests: Vec<EchoRequest>,
    /// Connects to begin; what became of each is to be told.
    pub connects: Vec<ConnectRequest>,
    /// Pools whose run limit has passed; they cancel themselves.
    pub run_limits: Vec<usize>,
    /// Pools that have left: their numbers may be used again.
    pub left: Vec<usize>,
}

/// How a pool got on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Jobs begun.
    pub begun: u64,
    /// Targets begun or dropped.
    pub targets: u64,
    /// Echo requests sent.
    pub packets_sent: u64,
    /// Echo requests and connects that the system had no room for.
    pub not_sent: u64,
}
