//! A thread beside the reactor's that sends a part of large batches on a socket of its own: nearly all
//! of a sweep's time is the kernel's, below the calls that send, and two sockets do not wait for each
//! other there. The batch lies between the two, and who is free takes the next part, so that a thread
//! that does not get to run holds nobody up. All that follows from what was sent is the reactor's.

use super::echo::EchoSocket;
use super::outgoing::Numbered;
use super::process::block_signals;
use crate::sync::{lock, wait_for};
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{Builder, JoinHandle};

/// Requests that either thread takes at once.
pub(super) const PART: usize = 32;

/// Bytes; enough for what it calls.
const STACK: usize = 128 * 1024;

#[derive(Default)]
struct Batch {
    requests: Vec<Numbered>,
    /// The first that nobody has taken.
    next: usize,
    /// The thread's socket, while it is not at work.
    socket: Option<Box<EchoSocket>>,
    /// The thread has not begun yet.
    is_new: bool,
    at_work: bool,
    /// The thread shall end.
    over: bool,
}

impl Batch {
    /// Takes the next part; false where there is none.
    fn take(&mut self, part: &mut Vec<Numbered>) -> bool {
        part.clear();
        let end = self.requests.len().min(self.next + PART);
        part.extend_from_slice(&self.requests[self.next..end]);
        self.next = end;
        !part.is_empty()
    }
}

#[derive(Default)]
struct Shared {
    batch: Mutex<Batch>,
    changed: Condvar,
}

/// See the file's head. Dropping it ends the thread, and waits for that.
pub(super) struct SecondSender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SecondSender {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<SecondSender> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let thread = Builder::new().name("rr-sender".into()).stack_size(STACK);
        let thread = thread.spawn(move || {
            block_signals();
            run(&theirs);
        })?;
        Ok(SecondSender { shared, thread: Some(thread) })
    }

    /// Begins a batch; the thread sends on `socket`, all of whose requests ask for no stamps.
    pub(super) fn lend(&self, socket: Box<EchoSocket>) {
        let mut batch = lock(&self.shared.batch);
        batch.requests.clear();
        batch.next = 0;
        batch.socket = Some(socket);
        batch.is_new = true;
    }

    /// Moves requests to the batch.
    pub(super) fn add(&self, requests: &mut Vec<Numbered>) {
        let mut batch = lock(&self.shared.batch);
        let is_first = batch.requests.is_empty();
        batch.requests.append(requests);
        drop(batch);
        if is_first {
            self.shared.changed.notify_one();
        }
    }

    /// Takes a part of the batch, to be sent by the caller; false where none is left.
    pub(super) fn take(&self, part: &mut Vec<Numbered>) -> bool {
        lock(&self.shared.batch).take(part)
    }

    /// Whether the thread has begun with the batch.
    #[cfg(test)]
    pub(super) fn is_begun(&self) -> bool {
        !lock(&self.shared.batch).is_new
    }

    /// The socket that was lent, once the thread is not at work with it. `None`: lost with a panic.
    pub(super) fn take_back(&self) -> Option<Box<EchoSocket>> {
        let mut batch = lock(&self.shared.batch);
        while batch.at_work {
            batch = wait_for(&self.shared.changed, &self.shared.batch, batch, None);
        }
        batch.socket.take()
    }
}

impl Drop for SecondSender {
    fn drop(&mut self) {
        lock(&self.shared.batch).over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread. An error ends its part in a batch: what to do about it is the reactor's.
fn run(shared: &Shared) {
    let mut part = Vec::with_capacity(PART);
    let mut batch = lock(&shared.batch);
    while !batch.over {
        let mut socket = match batch.socket.take() {
            Some(socket) if batch.is_new && batch.take(&mut part) => socket,
            socket => {
                batch.socket = socket;
                batch = wait_for(&shared.changed, &shared.batch, batch, None);
                continue;
            }
        };
        batch.is_new = false;
        batch.at_work = true;
        drop(batch);
        let worked = catch_unwind(AssertUnwindSafe(|| {
            while socket.send_ahead(&part) && lock(&shared.batch).take(&mut part) {}
            socket.read_ahead();
            socket
        }));
        batch = lock(&shared.batch);
        batch.socket = worked.ok();
        batch.at_work = false;
        shared.changed.notify_one();
    }
}
