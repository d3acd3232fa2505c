//! Echo requests. The system sends, matches, times and retries nothing else: it wants one call and
//! one buffer a request, and runs an APC on the reactor's thread when that has ended.
//!
//! Who owns a request: the table here, from before its call until no completion can come any more,
//! whatever the call returned. That is when its APC has run, once. A call that did not promise one
//! leaves the request in doubt: an APC may be queued all the same, and the system may still write
//! to the buffers. It is dropped [`GRACE`] after the time that the system was given for it, when an
//! alertable wait has found no APC left. What the system knows a request by is a number that is
//! never used again, so that an APC that comes against all this finds nothing.

use super::calls::{Calls, System};
use super::request::{Request, Taken};
use super::status::{echo_end, EchoEnd};
use super::{bindings::*, process::random_bytes};
use crate::address::Family;
use crate::clock::{Time, MILLISECOND, SECOND};
use crate::sync::lock;
use crate::sys::{EchoRequest, Event, OpenError, ProbeId, SendResult};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::mem::take;
use std::os::raw::c_void;
use std::os::windows::io::RawHandle;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Requests that the system may hold at a time: below the 65,536 sequences it tells them apart by.
pub(super) const MOST_IN_FLIGHT: usize = 49_152;

/// How much longer than the time that the system was given a request is kept that it may still use.
pub(super) const GRACE: u64 = SECOND;

/// How long the end waits for requests that end soon or that it has just cancelled; then the process
/// keeps them for as long as they may be used.
const END_LIMIT: u64 = 200 * MILLISECOND;

/// The system's handle for echo requests of one family. The page of IcmpCloseHandle does not say what
/// becomes of requests under way: they are known to end at once, and nothing is built on it.
struct IcmpFile<C: Calls> {
    calls: C,
    handle: RawHandle,
}

// SAFETY: a handle may be used and closed by any thread.
unsafe impl<C: Calls> Send for IcmpFile<C> {}

impl<C: Calls> IcmpFile<C> {
    fn open(calls: C, family: Family) -> Result<IcmpFile<C>, OpenError> {
        match calls.open_icmp(family) {
            Ok(handle) => Ok(IcmpFile { calls, handle }),
            Err(ERROR_ACCESS_DENIED) => Err(OpenError::NotPermitted),
            Err(error @ (ERROR_NOT_ENOUGH_MEMORY | ERROR_NO_SYSTEM_RESOURCES)) => {
                Err(OpenError::NoResources(error))
            }
            Err(error) => Err(OpenError::Failed(error)),
        }
    }
}

impl<C: Calls> Drop for IcmpFile<C> {
    fn drop(&mut self) {
        self.calls.close_icmp(self.handle);
    }
}

/// Whether this process may send echo requests of a family. Opens a handle and closes it again; any
/// thread.
pub fn echo_permission(family: Family) -> Result<(), OpenError> {
    IcmpFile::open(System, family).map(|_| ())
}

thread_local! {
    /// The contexts of requests whose APCs have run on this thread, with the time.
    static ENDED: RefCell<Vec<(usize, Time)>> = RefCell::new(Vec::new());
}

/// The APC of every request. Runs on the reactor's thread while that waits alertably.
pub(super) unsafe extern "system" fn ended(
    context: *mut c_void,
    _status: *mut IoStatusBlock,
    _reserved: u32,
) {
    // A thread that ends has nobody left to tell.
    let _ = ENDED.try_with(|ended| ended.borrow_mut().push((context as usize, Time::now())));
}

/// Requests that outlived their table, each with the time from which it is nobody's.
static REMAINDER: Mutex<Vec<(Time, Request)>> = Mutex::new(Vec::new());

fn remainder() -> MutexGuard<'static, Vec<(Time, Request)>> {
    let now = Time::now();
    let mut requests = lock(&REMAINDER);
    requests.retain(|(until, _)| *until > now);
    requests
}

/// A request in the table.
struct Held {
    request: Request,
    /// Its call has promised a completion.
    is_promised: bool,
    /// What is to be told of it has been told.
    is_told: bool,
}

/// See the file's head.
pub(super) struct Echoes<C: Calls = System> {
    calls: C,
    /// IPv4, IPv6.
    files: [Option<IcmpFile<C>>; 2],
    /// Asked to be closed: at this time at the latest, and sooner when nothing is under way.
    closing: Option<Time>,
    /// The open probes and their openings.
    open: HashMap<ProbeId, u64>,
    openings: u64,
    /// By context.
    requests: HashMap<usize, Held>,
    /// How many of them have a completion promised.
    promised: usize,
    /// Contexts of those in doubt, each with the time from which it is nobody's.
    doubtful: VecDeque<(Time, usize)>,
    /// Those that were complete when their call returned, with the number of replies and the time.
    complete: Vec<(usize, u32, Time)>,
    /// Requests of either family that the system had no memory for after it had taken them.
    pub lost: [u64; 2],
    /// Differs from process to process, so that a stranger's payload is not ours.
    key: u64,
}

impl<C: Calls> Echoes<C> {
    pub(super) fn new(calls: C) -> Echoes<C> {
        let mut key = [0; 8];
        random_bytes(&mut key);
        // What is over by now is dropped.
        drop(remainder());
        Echoes {
            calls,
            files: [None, None],
            closing: None,
            open: HashMap::new(),
            openings: 0,
            requests: HashMap::new(),
            promised: 0,
            doubtful: VecDeque::new(),
            complete: Vec::new(),
            lost: [0; 2],
            key: u64::from_ne_bytes(key),
        }
    }

    pub(super) fn ensure(&mut self, family: Family) -> Result<(), OpenError> {
        self.closing = None;
        let place = &mut self.files[family.index()];
        if place.is_none() {
            *place = Some(IcmpFile::open(self.calls.clone(), family)?);
        }
        Ok(())
    }

    /// Closes the handles when what is under way has ended. Cancelling it all at the very time at
    /// which the system gives it up gains nothing, and Wine has stood still over it.
    pub(super) fn close_files(&mut self) {
        self.closing = Some(self.last_expiry().plus_nanos(GRACE));
        self.close_idle_files();
    }

    fn close_idle_files(&mut self) {
        let is_over = |limit| self.promised == 0 || self.calls.now() >= limit;
        if self.closing.map_or(false, is_over) {
            self.closing = None;
            self.files = [None, None];
        }
    }

    /// Forgets every probe, and so what its requests would tell. The requests stay: this thread lives
    /// on, and their APCs run on it.
    pub(super) fn forget(&mut self) {
        self.open = HashMap::new();
        self.close_files();
    }

    /// When the system has given up everything that it has.
    fn last_expiry(&self) -> Time {
        let promised = self.requests.values().filter(|held| held.is_promised);
        promised.map(|held| held.request.expiry()).max().unwrap_or(Time::from_nanos(0))
    }

    pub(super) fn open(&mut self, id: ProbeId) {
        self.openings += 1;
        self.open.insert(id, self.openings);
    }

    pub(super) fn close(&mut self, id: ProbeId) {
        self.open.remove(&id);
        if self.open.is_empty() {
            self.open.shrink_to_fit();
        }
    }

    /// Sends one request of a batch that began at `batch`.
    pub(super) fn send(&mut self, request: &EchoRequest, batch: Time) -> SendResult {
        let family = request.to.family();
        if !self.open.contains_key(&request.id) {
            self.open(request.id);
        }
        let (file, opening) = match (&self.files[family.index()], self.open.get(&request.id)) {
            (Some(file), Some(opening)) if self.requests.len() < MOST_IN_FLIGHT => {
                (file.handle, *opening)
            }
            _ => return SendResult::NotSent { os_error: 0 },
        };
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let context = NEXT.fetch_add(1, Ordering::Relaxed);
        let request = Request::new(request, opening, self.key, batch, self.calls.now());
        let held = Held { request, is_promised: false, is_told: false };
        // It has its place before the system knows of it.
        let held = self.requests.entry(context).or_insert(held);
        let taken = held.request.hand_over(&self.calls, file, context);
        held.is_promised = taken == Taken::Pending;
        if held.is_promised {
            self.promised += 1;
        } else {
            self.doubtful.push_back((held.request.expiry().plus_nanos(GRACE), context));
        }
        let error = match taken {
            Taken::Pending => return SendResult::Sent { at: batch },
            Taken::Complete(replies) => {
                self.complete.push((context, replies, self.calls.now()));
                return SendResult::Sent { at: batch };
            }
            Taken::Failed(error) => error,
        };
        match echo_end(family, error) {
            // It counts as sent and lost. What its APC may yet tell is heard.
            EchoEnd::Silence | EchoEnd::Reply => SendResult::Sent { at: batch },
            EchoEnd::NoResources => {
                held.is_told = true;
                SendResult::NotSent { os_error: error as i32 }
            }
            EchoEnd::Local(outcome) | EchoEnd::IcmpError { outcome, .. } => {
                held.is_told = true;
                SendResult::Failed { outcome, os_error: error as i32 }
            }
        }
    }

    /// Appends what the requests have become that have ended. `no_calls_left`: an alertable wait
    /// found no APC of this thread's.
    pub(super) fn collect(&mut self, no_calls_left: bool, events: &mut Vec<Event>) {
        for (context, replies, at) in take(&mut self.complete) {
            if let Some(held) = self.requests.get_mut(&context) {
                tell(&self.calls, &self.open, &mut self.lost, held, replies, at, events);
            }
        }
        let ended = ENDED.with(|ended| take(&mut *ended.borrow_mut()));
        for (context, at) in ended {
            if let Some(mut held) = self.requests.remove(&context) {
                self.promised -= usize::from(held.is_promised);
                tell(&self.calls, &self.open, &mut self.lost, &mut held, 0, at, events);
            }
        }
        if no_calls_left && !self.doubtful.is_empty() {
            let now = self.calls.now();
            while matches!(self.doubtful.front(), Some((until, _)) if *until <= now) {
                if let Some((_, context)) = self.doubtful.pop_front() {
                    self.requests.remove(&context);
                }
            }
        }
        self.close_idle_files();
        if self.requests.is_empty() && self.requests.capacity() > 0 {
            self.requests = HashMap::new();
            self.doubtful = VecDeque::new();
        }
    }

    fn await_completions(&mut self, limit: Time) {
        self.collect(false, &mut Vec::new());
        while self.promised > 0 && self.calls.now() < limit {
            self.calls.run_calls(10);
            self.collect(false, &mut Vec::new());
        }
    }

    /// Requests whose buffers the system may use.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.requests.len()
    }
}

/// Appends what a request has become, where that has not been told and its probe is open.
fn tell<C: Calls>(
    calls: &C,
    open: &HashMap<ProbeId, u64>,
    lost: &mut [u64; 2],
    held: &mut Held,
    replies: u32,
    at: Time,
    events: &mut Vec<Event>,
) {
    if std::mem::replace(&mut held.is_told, true) {
        return;
    }
    let request = &mut held.request;
    let (end, heard) = request.read(calls, replies);
    if end == EchoEnd::NoResources {
        lost[request.to.family().index()] += 1;
    }
    if open.get(&request.id) == Some(&request.opening) {
        events.extend(request.event(end, &heard, at));
    }
}

impl<C: Calls> Drop for Echoes<C> {
    fn drop(&mut self) {
        // What is about to end by itself is waited for, the rest is cancelled.
        let now = self.calls.now();
        let soon = now.plus_nanos(END_LIMIT);
        if self.last_expiry() <= now.plus_nanos(END_LIMIT / 2) {
            self.await_completions(soon);
        }
        self.files = [None, None];
        self.await_completions(soon);
        // The table ends with its thread, and all that a thread has under way is cancelled when it
        // ends (the page of ExitThread). Kept for its own time all the same: nothing says when that
        // is done.
        let requests = take(&mut self.requests).into_iter().map(|(_, held)| held.request);
        let until = |request: &Request| request.expiry().plus_nanos(GRACE);
        remainder().extend(requests.map(|request| (until(&request), request)));
    }
}

/// How many requests to an address the process keeps although their table is gone.
#[cfg(test)]
pub(super) fn kept(to: crate::address::Address) -> usize {
    remainder().iter().filter(|(_, request)| request.to == to).count()
}
