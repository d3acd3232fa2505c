//! The reactor: one thread per process that drives every probe of every pool, started with the
//! first pool that probes and ended with the last. This file owns its life and its mailbox. What is
//! to be done is decided in [`scheduler`], which is pure; [`shell`] carries it out.

mod link;
pub mod scheduler;
pub mod shell;

pub use link::{Link, WAITING_LIMIT};
pub use scheduler::{Limits, Source, Target};

use crate::address::{Address, Family};
use crate::counters::{NetworkCounters, NetworkFigures};
use crate::resolve;
use crate::sync::lock;
use crate::sys::{Network, ProbeId, Waker};
use shell::{Command, Names, Shell};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

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
    fn take(&self, into: &mut VecDeque<Command>) {
        if self.pending.swap(false, Ordering::Acquire) {
            into.extend(lock(&self.commands).drain(..));
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

/// The resolver's answers come back by the mailbox.
struct MailedNames(Arc<Mailbox>);

impl Names for MailedNames {
    fn forward(&mut self, id: ProbeId, name: Arc<str>, family: Option<Family>, canonical: bool) {
        let mailbox = Arc::clone(&self.0);
        let reply = move |answer| mailbox.send(Command::Resolved(id, answer));
        resolve::forward(name, family, canonical, Box::new(reply));
    }

    fn reverse(&mut self, id: ProbeId, address: Address) {
        let mailbox = Arc::clone(&self.0);
        resolve::reverse(address, Box::new(move |name| mailbox.send(Command::Reversed(id, name))));
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
    let mut shell = Shell::new(network, MailedNames(Arc::clone(&mailbox)), Limits::REAL);
    let told = Arc::clone(&mailbox);
    let thread = std::thread::Builder::new().name("rr-reactor".into()).spawn(move || {
        crate::sys::block_signals();
        let mut commands = VecDeque::new();
        loop {
            told.take(&mut commands);
            if !shell.turn(&mut commands) {
                return;
            }
            told.counters.store(shell.figures());
        }
    })?;
    Ok(Running { mailbox, thread, clients: 0, next_key: 0 })
}
