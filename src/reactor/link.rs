//! What pool and reactor share: where completions go, and counters either side may read.

use crate::clock::Time;
use crate::completions::{Completions, BACKLOG_LIMIT};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// Targets accepted and not begun, from which on submitting pauses.
pub const WAITING_LIMIT: u64 = 65_536;

/// See the file's head.
pub struct Link {
    /// Where the completions go.
    pub completions: Arc<Completions>,
    /// Echo requests a second; 0 is unlimited.
    pub packets_per_second: u32,
    /// When the pool cancels itself.
    pub run_limit: Time,
    /// Called once, on the reactor's thread, when the run limit has passed; must not block.
    pub on_run_limit: Box<dyn Fn() + Send + Sync>,
    /// Uncollected completions from which on first attempts pause.
    pub backlog_limit: u64,
    /// Targets accepted and not begun.
    pub waiting: AtomicU64,
    /// The pool has told its caller to come again: it shall be woken when there is room.
    pub told_again: AtomicBool,
    /// First attempts pause until completions are collected: who collects shall say so.
    pub paused: AtomicBool,
    /// Jobs begun.
    pub begun: AtomicU64,
    /// Echo requests sent.
    pub packets_sent: AtomicU64,
    /// Requests and connects that the system had no room for, each time one was tried.
    pub packets_not_sent: AtomicU64,
    /// Look-ups under way.
    pub lookups_open: AtomicU64,
}

impl Link {
    /// A link without anything begun. `on_run_limit` is called once when `run_limit` has passed.
    pub fn new(
        completions: Arc<Completions>,
        packets_per_second: u32,
        run_limit: Time,
        on_run_limit: Box<dyn Fn() + Send + Sync>,
    ) -> Link {
        Link {
            completions,
            packets_per_second,
            run_limit,
            on_run_limit,
            backlog_limit: BACKLOG_LIMIT,
            waiting: AtomicU64::new(0),
            told_again: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            packets_sent: AtomicU64::new(0),
            packets_not_sent: AtomicU64::new(0),
            lookups_open: AtomicU64::new(0),
        }
    }

    /// Whether first attempts shall pause. Looks twice: the collector may have made room before it
    /// could see that somebody waits for it.
    pub(super) fn is_backed_up(&self) -> bool {
        if self.completions.ready() < self.backlog_limit {
            return false;
        }
        self.paused.store(true, Ordering::SeqCst);
        self.completions.ready() >= self.backlog_limit
    }

    /// Counts targets as begun or dropped; wakes a submitter that was told to come again.
    pub(super) fn targets_left(&self, count: u64) {
        if count == 0 {
            return;
        }
        let left = self.waiting.fetch_sub(count, Ordering::Relaxed) - count;
        if left < WAITING_LIMIT / 2 && self.told_again.swap(false, Ordering::Relaxed) {
            self.completions.wake();
        }
    }
}
