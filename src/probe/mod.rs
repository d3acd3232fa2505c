//! Probes as pure state machines: attempts, retries, verdicts, statistics. They own no socket and
//! no clock: the reactor tells them what happened and when, and asks what to do next.

pub mod connect;
pub mod echo;
mod rounds;

use crate::address::{Address, Family};
use crate::clock::Time;
use crate::outcome::{Detail, Outcome, Statistics};

/// What is probed. The match on it is the place where a new kind of probe begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// ICMP echo.
    Echo,
    /// TCP connect to each of these ports, in this order.
    Connect {
        /// 1..=65535 each, never empty.
        ports: Box<[u16]>,
    },
}

/// How it is probed; the same for all targets of one submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeOptions {
    /// What is probed.
    pub kind: Kind,
    /// When and how often.
    pub schedule: Schedule,
    /// Bytes of payload of an echo request.
    pub payload_size: u16,
    /// Time to live / hop limit; 0 leaves the system's.
    pub hops: u8,
    /// Only this family; `None` for either.
    pub family: Option<Family>,
    /// Report the host's name and all its addresses.
    pub resolve: bool,
}

impl ProbeOptions {
    /// Jobs per address: one, or one a port.
    pub fn jobs_per_address(&self) -> u64 {
        match &self.kind {
            Kind::Echo => 1,
            Kind::Connect { ports } => ports.len() as u64,
        }
    }
}

/// When and how often a probe is attempted; nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Attempts, 1..=1000.
    pub count: u16,
    /// From attempt to attempt.
    pub interval: u64,
    /// How long each attempt waits for its reply.
    pub reply_timeout: u64,
    /// Make every attempt and report all of them, instead of stopping at the first answer.
    pub statistics: bool,
}

impl Schedule {
    /// From the beginning of this attempt (from 0) until the probe ends by itself: as long as a
    /// reply to it counts.
    pub fn lifetime(&self, attempt: u16) -> u64 {
        let later = u64::from(self.count.saturating_sub(attempt + 1));
        later.saturating_mul(self.interval).saturating_add(self.reply_timeout)
    }
}

/// What was heard, and what made attempts void: a number that changes with each such event, and the
/// last of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voids {
    /// All that had come by then was heard, and the number was read after it: what is overdue later
    /// than that may have been answered.
    pub until: Time,
    /// Changes with each event.
    pub count: u32,
    /// The last event's.
    pub cause: Detail,
}

impl Voids {
    /// Nothing has happened, and all was heard.
    pub const NONE: Voids = Voids { until: Time::NEVER, count: 0, cause: Detail::None };
}

/// Transmissions beyond `Count` that void attempts may cost.
pub const MAX_REPEATS: u16 = 3;

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Make this transmission (echo) or start a connect to this address (connect) now.
    Start(u16),
    /// Nothing until this time or until something happens.
    Wait(Time),
    /// The probe has ended: take its [`Verdict`].
    Done,
}

/// How a probe ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    /// The state.
    pub outcome: Outcome,
    /// The raw error number behind it, or 0.
    pub os_error: i32,
    /// What more can be said.
    pub detail: Detail,
    /// Attempts, answers, round trips.
    pub statistics: Statistics,
    /// Of several addresses, the one that the outcome is about.
    pub address: Option<Address>,
}
