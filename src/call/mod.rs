//! Jobs for host callbacks, on worker threads. Owns the threads, their sleep and their waking, and
//! the calls of the host. Must not know what a host does with a job, nor any C pointer (`ffi` has a
//! [`Host`] of function pointers).
//!
//! [`state`] decides what happens, `hub` feeds it and has what all threads of a pool share, `seat` is
//! what others need of a worker's thread, `worker` runs on the workers' threads, `supervisor` on one
//! thread a pool, which keeps its time. The functions of [`Calls`] run on the callers' threads.

mod hub;
mod seat;
pub mod state;
mod supervisor;
#[cfg(test)]
mod tests;
mod worker;

pub use crate::sys::Apartment;
pub use worker::Worker;

use crate::clock::{Time, MILLISECOND};
use crate::completions::Completions;
use crate::sync::lock;
use hub::{Errand, Hub};
use state::{Event, Rules};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use supervisor::Supervisor;

/// Nanoseconds after which close returns, whatever the host's callbacks do.
const CLOSE_LIMIT: u64 = 900 * MILLISECOND;

/// What runs the jobs. It is dropped when no thread can call it any more.
pub trait Host: Send + Sync {
    /// Runs one worker, on that worker's thread: takes jobs by [`Worker::next`] until there is none.
    /// When it returns or panics its worker is over, and a job still taken has failed.
    fn run(&self, worker: &Arc<Worker>);
    /// Whether [`Host::stop`] does anything.
    fn can_stop(&self) -> bool;
    /// Asks the worker of this number to stop the job `user_data` it is at, from another thread. Must
    /// not block: the worker takes no further job before this has returned.
    fn stop(&self, worker: u32, user_data: u64);
    /// Nanoseconds for which the host's runtime has kept all its threads stopped so far; 0 where it
    /// never does. Called from the supervisor's thread, and may last as long as such a stop.
    fn paused_nanos(&self) -> u64 {
        0
    }
}

/// A worker's call that does not fit what it did before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinishError {
    /// Finish without a job.
    NothingTaken,
    /// Next before the last job was finished.
    NotFinished,
}

/// Not one thread could be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoThreads;

/// What [`Calls`] needs to know.
pub struct CallOptions {
    /// Workers at most.
    pub max_workers: u32,
    /// How long a job may take from its start.
    pub job_limit: Option<Duration>,
    /// The COM apartment of the workers' threads.
    pub apartment: Apartment,
    /// Runs the jobs.
    pub host: Arc<dyn Host>,
    /// Where the completions go.
    pub completions: Arc<Completions>,
}

/// How far the calls of a pool are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallCounts {
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs begun.
    pub begun: u64,
    /// Workers there are.
    pub workers: u32,
    /// Workers given up because they did not come back.
    pub workers_abandoned: u32,
}

/// The call jobs of one pool. No thread is made before the first of them.
pub struct Calls {
    hub: Arc<Hub>,
    supervision: Mutex<Supervision>,
}

/// Where the supervisor's thread is. Under a mutex of its own, which is held while threads are made:
/// the hub's must stay short.
enum Supervision {
    NotStarted { host: Arc<dyn Host>, apartment: Apartment },
    Running(JoinHandle<()>),
    Over,
}

impl Calls {
    /// Takes the host; it is dropped when no thread can call it any more, at [`Calls::close`] at the
    /// earliest.
    pub fn new(options: CallOptions) -> Calls {
        let nanos = |limit: Duration| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let rules = Rules {
            max_workers: options.max_workers,
            cores: crate::sys::cores() as u32,
            job_limit: options.job_limit.map_or(u64::MAX, nanos),
            abandoned_limit: state::abandoned_limit(options.max_workers),
        };
        let (host, apartment) = (options.host, options.apartment);
        Calls {
            hub: Arc::new(Hub::new(rules, options.completions)),
            supervision: Mutex::new(Supervision::NotStarted { host, apartment }),
        }
    }

    /// Starts the first worker and the supervisor where they are not. Does nothing where the calls are
    /// cancelled or closed: what begins after that, leaves without entering its callback.
    fn start(&self) -> Result<(), NoThreads> {
        let mut supervision = lock(&self.supervision);
        let (host, apartment) = match &*supervision {
            Supervision::NotStarted { host, apartment } => (Arc::clone(host), *apartment),
            Supervision::Running(_) | Supervision::Over => return Ok(()),
        };
        let hub = &self.hub;
        let supervisor = Supervisor::new(Arc::clone(hub), host, apartment);
        hub.step(hub.lock(), Time::now(), Event::Start);
        let first = hub.lock().errands.pop_front();
        if let Some(Errand::Open(id)) = first {
            supervisor.open(id)?;
        }
        let thread = std::thread::Builder::new()
            .name("rr-supervisor".to_string())
            .spawn(move || supervisor.run())
            .map_err(|_| NoThreads)?;
        *supervision = Supervision::Running(thread);
        Ok(())
    }

    /// Submits one job for each of `user_data`, from the first on, and returns how many were taken;
    /// `None` when the pool is cancelled or closed.
    pub fn submit(&self, user_data: &[u64]) -> Result<Option<usize>, NoThreads> {
        if self.hub.lock().state.room().is_none() {
            return Ok(None);
        }
        self.start()?;
        let mut shared = self.hub.lock();
        let room = match shared.state.room() {
            Some(room) => room,
            None => return Ok(None),
        };
        let taken = if self.hub.is_backed_up() { 0 } else { room.min(user_data.len()) };
        shared.submitted += taken as u64;
        self.hub.step(shared, Time::now(), Event::Submit(&user_data[..taken]));
        Ok(Some(taken))
    }

    /// Completes every unfinished job.
    pub fn cancel(&self) {
        self.hub.step(self.hub.lock(), Time::now(), Event::Cancel);
    }

    /// See [`CallCounts`].
    pub fn counts(&self) -> CallCounts {
        let shared = self.hub.lock();
        CallCounts {
            submitted: shared.submitted,
            begun: shared.begun,
            workers: shared.state.workers(),
            workers_abandoned: shared.state.given_up(),
        }
    }

    /// Ends everything and waits for it, for less than a second. Returns how many callbacks have not
    /// come back; none begins from now on. May be repeated, and does not wait again then.
    pub fn close(&self) -> u32 {
        let begun = Time::now();
        self.hub.step(self.hub.lock(), begun, Event::Close);
        // After the step: who starts threads at this moment, starts them to leave.
        let supervision = std::mem::replace(&mut *lock(&self.supervision), Supervision::Over);
        let (limit, thread) = match supervision {
            Supervision::Running(thread) => (begun.plus_nanos(CLOSE_LIMIT), Some(thread)),
            Supervision::NotStarted { .. } => {
                self.hub.supervisor_is_gone();
                (begun.plus_nanos(CLOSE_LIMIT), None)
            }
            // What has not ended by now has been waited for.
            Supervision::Over => (begun, None),
        };
        let outstanding = self.hub.wait_for_end(limit);
        if let (false, Some(thread)) = (outstanding.supervisor, thread) {
            // Its last statement has run: this does not wait. A panic of its is no news here.
            let _ = thread.join();
        }
        outstanding.callbacks
    }

    /// Whether the calling thread is inside one of this pool's callbacks.
    pub fn is_own_callback(&self) -> bool {
        self.hub.is_current()
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.close();
    }
}
