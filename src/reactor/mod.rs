//! The reactor: one thread per process that drives every probe of every pool, started with the
//! first pool that probes and ended with the last. This file owns its life and its mailbox; the
//! thread's own work is in [`engine`], what it sends in [`sending`], what it hears in [`hearing`].

mod engine;
mod feed;
mod hearing;
mod pacing;
mod sending;
mod slots;
mod timers;

pub use feed::{Source, Target};

use crate::clock::Time;
use crate::completions::Completions;
use crate::counters::{NetworkCounters, NetworkFigures};
use crate::resolve::Answer;
use crate::sync::lock;
use crate::sys::{Network, ProbeId, Waker};
use engine::Engine;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Targets accepted and not begun, from which on submitting pauses.
pub const WAITING_LIMIT: u64 = 65_536;

/// What pool and reactor share: where completions go, and counters either side may read.
pub struct Link {
    /// Where the completions go.
    pub completions: Arc<Completions>,
    /// Echo requests a second; 0 is unlimited.
    pub packets_per_second: u32,
    /// When the pool cancels itself.
    pub run_limit: Time,
    /// Called once, on the reactor's thread, when the run limit has passed; must not block.
    pub on_run_limit: Box<dyn Fn() + Send + Sync>,
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
    /// Echo requests that could not leave, for reasons of this machine, and were tried again.
    pub packets_not_sent: AtomicU64,
    /// Look-ups under way.
    pub lookups_open: AtomicU64,
}

impl Link {
    /// Whether first attempts shall pause. Looks twice: the collector may have made room before it
    /// could see that somebody waits for it.
    fn is_backed_up(&self) -> bool {
        if !self.completions.is_full() {
            return false;
        }
        self.paused.store(true, Ordering::SeqCst);
        self.completions.is_full()
    }

    /// Counts a target as begun or dropped; wakes a submitter that was told to come again.
    fn target_left(&self) {
        let before = self.waiting.fetch_sub(1, Ordering::Relaxed);
        if before <= WAITING_LIMIT / 2 && self.told_again.swap(false, Ordering::Relaxed) {
            self.completions.wake();
        }
    }
}

enum Command {
    Join(u64, Arc<Link>),
    Targets(u64, Vec<Target>),
    Resolved(ProbeId, Arc<Answer>),
    Reversed(ProbeId, Option<Arc<str>>),
    Cancel(u64),
    Leave(u64),
    /// Look again: completions were collected.
    Resume,
    Shutdown,
}

struct Mailbox {
    commands: Mutex<Vec<Command>>,
    pending: AtomicBool,
    waker: Waker,
    counters: NetworkCounters,
}

impl Mailbox {
    fn send(&self, command: Command) {
        lock(&self.commands).push(command);
        self.pending.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Appends all commands to `into`.
    fn take(&self, into: &mut Vec<Command>) {
        if self.pending.swap(false, Ordering::Acquire) {
            into.append(&mut lock(&self.commands));
        }
    }
}

struct Running {
    mailbox: Arc<Mailbox>,
    thread: JoinHandle<()>,
    clients: usize,
    next_key: u64,
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// A pool's membership in the reactor; dropping it ends the pool's probes without completions.
pub struct Client {
    key: u64,
    mailbox: Arc<Mailbox>,
    /// What had been counted when the pool joined.
    counted_before: NetworkFigures,
}

impl Client {
    /// Joins the process's reactor, starting it where it does not run.
    pub fn join(link: Arc<Link>) -> io::Result<Client> {
        let mut running = lock(&RUNNING);
        if running.is_none() {
            *running = Some(start()?);
        }
        let running = match running.as_mut() {
            Some(running) => running,
            None => return Err(io::Error::from(io::ErrorKind::Other)),
        };
        running.clients += 1;
        running.next_key += 1;
        let mailbox = Arc::clone(&running.mailbox);
        let counted_before = mailbox.counters.figures();
        let client = Client { key: running.next_key, mailbox, counted_before };
        client.mailbox.send(Command::Join(client.key, link));
        Ok(client)
    }

    /// Hands targets over; they are begun in this order as far as windows and rates allow.
    pub fn submit(&self, targets: Vec<Target>) {
        self.mailbox.send(Command::Targets(self.key, targets));
    }

    /// Every unfinished job gets its completion now.
    pub fn cancel(&self) {
        self.mailbox.send(Command::Cancel(self.key));
    }

    /// Completions were collected: what paused may go on.
    pub fn resume(&self) {
        self.mailbox.send(Command::Resume);
    }

    /// What the sockets and the thread of all pools have counted since this one joined.
    pub fn figures(&self) -> NetworkFigures {
        self.mailbox.counters.figures().since(self.counted_before)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.mailbox.send(Command::Leave(self.key));
        let mut running = lock(&RUNNING);
        let is_last = match running.as_mut() {
            Some(running) => {
                running.clients -= 1;
                running.clients == 0
            }
            None => false,
        };
        if is_last {
            if let Some(Running { mailbox, thread, .. }) = running.take() {
                mailbox.send(Command::Shutdown);
                // The thread leaves within one turn; a pool that opens meanwhile waits at the lock
                // and starts another.
                let _ = thread.join();
            }
        }
    }
}

fn start() -> io::Result<Running> {
    crate::sys::raise_descriptor_limit();
    let network = Network::new()?;
    let mailbox = Arc::new(Mailbox {
        commands: Mutex::new(Vec::new()),
        pending: AtomicBool::new(false),
        waker: network.waker(),
        counters: NetworkCounters::default(),
    });
    let mut engine = Engine::new(network, Arc::clone(&mailbox));
    let thread = std::thread::Builder::new().name("rr-reactor".into()).spawn(move || {
        crate::sys::block_signals();
        engine.run();
    })?;
    Ok(Running { mailbox, thread, clients: 0, next_key: 0 })
}
