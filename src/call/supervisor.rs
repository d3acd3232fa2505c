//! The one thread of a pool that keeps its time: sleeps until the next deadline or sample, makes the
//! workers' threads, reads their processor clocks, and asks the host to stop a job. Calls the host
//! only without the lock. Decides nothing.

use super::hub::{Errand, Hub, Shared};
use super::seat::Seat;
use super::state::{Event, Sample, Times, WorkerId};
use super::worker::{self, Worker};
use super::{Apartment, Host, NoThreads};
use crate::clock::Time;
use crate::segment::{Threads, SEGMENT_LIMIT};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, MutexGuard};

/// Bytes of stack of a worker's thread: what PowerShell gives its own pipeline threads.
const STACK_SIZE: usize = 10 * 1024 * 1024;

/// See the file's head.
pub(super) struct Supervisor {
    hub: Arc<Hub>,
    host: Arc<dyn Host>,
    apartment: Apartment,
    threads: Threads,
}

impl Supervisor {
    pub fn new(hub: Arc<Hub>, host: Arc<dyn Host>, apartment: Apartment) -> Supervisor {
        Supervisor { hub, host, apartment, threads: Threads::new("rr-worker", STACK_SIZE) }
    }

    /// The body of the supervisor's thread: until the pool is closed and nobody is waited for.
    pub fn run(self) {
        let hub = Arc::clone(&self.hub);
        while let Some(shared) = self.awake() {
            self.work(shared);
        }
        // Before the end is told: the host may be gone with it.
        drop(self);
        hub.supervisor_is_gone();
    }

    /// The lock, unless the end has come.
    fn awake(&self) -> Option<MutexGuard<'_, Shared>> {
        let shared = self.hub.lock();
        (!shared.state.is_ended() || !shared.errands.is_empty()).then_some(shared)
    }

    /// Does what is due, the most urgent first, or sleeps.
    fn work(&self, mut shared: MutexGuard<'_, Shared>) {
        let now = Time::now();
        let tick = shared.state.next_tick();
        let sample = shared.state.next_sample().unwrap_or(Time::NEVER);
        let report = shared.next_report();
        if tick <= now {
            self.hub.step(shared, now, Event::Tick);
        } else if let Some(errand) = shared.errands.pop_front() {
            drop(shared);
            match errand {
                Errand::Stop(id, job) => self.stop(id, job),
                Errand::Open(id) => {
                    // The state has been told, and goes on with fewer.
                    let _ = self.open(id);
                }
            }
        } else if report <= now {
            self.hub.report(shared, now);
        } else if sample <= now {
            self.sample(shared);
        } else {
            self.hub.sleep(shared, now, tick.min(sample).min(report));
        }
    }

    /// Makes the thread of a worker.
    pub fn open(&self, id: WorkerId) -> Result<(), NoThreads> {
        let seat = Arc::new(Seat::new(self.apartment));
        let worker = Arc::new(Worker::new(Arc::clone(&self.hub), id, Arc::clone(&seat)));
        let mut shared = self.hub.lock();
        if shared.seats.len() <= id.slot {
            shared.seats.resize(id.slot + 1, None);
        }
        shared.seats[id.slot] = Some(seat);
        // Twice as many with each segment: threads nobody needs cost time and, beside a stuck one,
        // cannot be given back.
        let ahead = shared.state.workers().min(shared.state.headroom() + 1) as usize;
        drop(shared);
        let (host, apartment) = (Arc::clone(&self.host), self.apartment);
        let body = Box::new(move || worker::run(worker, host, apartment));
        if self.threads.run(ahead.min(SEGMENT_LIMIT), body).is_ok() {
            return Ok(());
        }
        let mut shared = self.hub.lock();
        shared.seats[id.slot] = None;
        self.hub.step(shared, Time::now(), Event::NotOpened(id));
        Err(NoThreads)
    }

    /// Asks the host to end a job, unless it has ended meanwhile.
    fn stop(&self, id: WorkerId, job: u64) {
        let mut shared = self.hub.lock();
        let seat = match &shared.seats[id.slot] {
            Some(seat) if self.host.can_stop() && shared.state.is_asked(id, job) => {
                Arc::clone(seat)
            }
            _ => return,
        };
        shared.stopping = Some(id);
        shared.supervisor_in_host = true;
        drop(shared);
        let inside = self.hub.enter();
        let _ = catch_unwind(AssertUnwindSafe(|| self.host.stop(id.number, job)));
        drop(inside);
        let mut shared = self.hub.lock();
        shared.stopping = None;
        shared.supervisor_in_host = false;
        drop(shared);
        seat.notify();
    }

    /// Reads the clocks, without the lock.
    fn sample(&self, mut shared: MutexGuard<'_, Shared>) {
        shared.supervisor_in_host = true;
        let state = &shared.state;
        let workers: Vec<_> = state
            .all()
            .filter_map(|(id, is_busy)| {
                let seat = Arc::clone(shared.seats[id.slot].as_ref()?);
                Some((id, is_busy, state.is_running(id), seat))
            })
            .collect();
        drop(shared);
        // First: a stop of the host's runtime that goes on now is over when this returns.
        let inside = self.hub.enter();
        let paused = catch_unwind(AssertUnwindSafe(|| self.host.paused_nanos())).unwrap_or(0);
        drop(inside);
        self.hub.lock().supervisor_in_host = false;
        let begin = Time::now();
        let process = crate::sys::process_cpu_nanos();
        let mut by_workers = 0;
        let mut clocks = Vec::with_capacity(workers.len());
        for (id, is_busy, is_running, seat) in &workers {
            if let Some(cpu) = seat.cpu_nanos() {
                by_workers += cpu;
                // On a busy machine a thread may get no time although it waits for nothing else: it
                // is left out, and so is not taken for one that waits.
                if *is_busy && !(*is_running && seat.is_runnable()) {
                    clocks.push((*id, cpu));
                }
            }
        }
        let times = Times { process, elsewhere: process.saturating_sub(by_workers), paused };
        let now = Time::now();
        let sample = Sample { times, took: now.nanos_since(begin), workers: &clocks };
        self.hub.step(self.hub.lock(), now, Event::Sample(sample));
    }
}
