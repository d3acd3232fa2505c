//! A pool: jobs in, exactly one completion each out. This file wires the parts: probes go to the
//! process's reactor, calls to the pool's own workers, completions of both to one queue; run
//! limit, cancel and close reach both.

mod intake;

use crate::address::Family;
use crate::call::{CallOptions, Calls, Host};
use crate::clock::Time;
use crate::completions::{Completions, Woken};
use crate::counters::NetworkFigures;
use crate::outcome::Completion;
use crate::probe::{Kind, ProbeOptions};
use crate::reactor::{Client, Link, Source, Target, WAITING_LIMIT};
use crate::sync::lock;
use crate::sys::{self, Apartment, OpenError};
use crate::targets::{self, TargetError};
use intake::{Intake, Submitting};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

/// How a pool is opened.
pub struct PoolOptions {
    /// Workers for calls at most.
    pub max_workers: u32,
    /// Echo requests a second; 0 is unlimited.
    pub packets_per_second: u32,
    /// The COM apartment of the workers.
    pub apartment: Apartment,
    /// From opening until the pool cancels itself.
    pub run_limit: Option<Duration>,
    /// How long a call may take from its start.
    pub job_limit: Option<Duration>,
    /// Who runs the calls; `None` in a pool for probes only.
    pub host: Option<Arc<dyn Host>>,
}

/// Why a call on a pool failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoolError {
    /// Another thread polls or collects.
    Busy,
    /// A wait in the pool's own callback.
    WouldDeadlock,
    /// Submitted after `close_input`.
    InputClosed,
    /// Calls submitted to a pool without a host.
    NoCallbacks,
    /// No ICMP socket of any kind is permitted.
    EchoNotPermitted,
    /// Not one worker thread could be started.
    NoThreads,
    /// The system has no descriptors, memory or threads left.
    NoResources,
    /// The apartment is not known on this system.
    NotSupported,
}

/// What became of a target.
pub enum Admission {
    /// It became jobs.
    Taken(TargetInfo),
    /// It is no target.
    Invalid(TargetError),
    /// The pool holds as much as it may: come again.
    Full,
    /// The pool was cancelled: nothing is taken any more.
    Cancelled,
}

/// What a target turned out to be.
pub struct TargetInfo {
    /// Jobs it became.
    pub jobs: u64,
    /// CIDR block or range.
    pub expanded: bool,
    /// A name.
    pub name: bool,
}

/// How a poll ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Polled {
    /// There is something to collect, or somebody asked for attention.
    Ready,
    /// Nothing happened in time.
    TimedOut,
    /// Nothing will come any more.
    Finished,
    /// The pool was closed by another thread.
    PoolClosed,
}

/// The pool's figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// No more jobs will come.
    pub input_closed: bool,
    /// Cancelled, by whomever.
    pub cancelled: bool,
    /// Cancelled by the run limit.
    pub run_limit_reached: bool,
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs begun.
    pub begun: u64,
    /// Jobs answered.
    pub finished: u64,
    /// Completions not collected yet.
    pub ready: u64,
    /// Echo requests sent.
    pub packets_sent: u64,
    /// Workers there are.
    pub workers: u32,
    /// Workers given up.
    pub workers_abandoned: u32,
    /// Echo requests that could not leave, for reasons of this machine, and were tried again.
    pub packets_not_sent: u64,
    /// Look-ups under way.
    pub lookups_open: u64,
    /// What all pools of the process have counted since this one began to probe.
    pub network: NetworkFigures,
}

/// The collector's side of the queue.
#[derive(Default)]
struct Collector {
    /// Taken from the queue, from `next` on not yet handed out.
    taken: Vec<Completion>,
    next: usize,
    /// Jobs whose completions have been handed out. The end is told by this number, which changes
    /// on the collector's side only, so no push can slip between a look at it and a sleep.
    collected: u64,
}

/// How a pool is cancelled, by whomever. It holds no pool: the reactor's thread cancels when the run
/// limit passes, and the last reference to a pool must not end there.
struct Cancellation {
    completions: Arc<Completions>,
    calls: Option<Arc<Calls>>,
    done: AtomicBool,
    by_run_limit: AtomicBool,
}

impl Cancellation {
    fn cancel_calls(&self) {
        self.done.store(true, Ordering::Release);
        if let Some(calls) = &self.calls {
            calls.cancel();
        }
        self.completions.wake();
    }

    fn run_limit_passed(&self) {
        self.by_run_limit.store(true, Ordering::Release);
        self.cancel_calls();
    }
}

/// The pool's membership in the reactor.
enum Membership {
    /// No probe has been submitted, and there is no run limit.
    NotNeeded,
    Joined(Arc<Client>),
    /// The pool is closed: nobody joins any more.
    Over,
}

/// See the file's head.
pub struct Pool {
    completions: Arc<Completions>,
    /// `None` in a pool for probes only.
    calls: Option<Arc<Calls>>,
    cancellation: Arc<Cancellation>,
    link: Arc<Link>,
    membership: Mutex<Membership>,
    /// The options submitted last: equal ones are one and the same, so that equal probes can share.
    last_options: Mutex<Option<Arc<ProbeOptions>>>,
    collector: Mutex<Collector>,
    /// Jobs of probes.
    submitted: AtomicU64,
    intake: Intake,
    closed: AtomicBool,
    echo_permitted: AtomicBool,
}

impl Pool {
    /// Opens a pool. No thread is started before the first job, unless there is a run limit.
    pub fn open(options: PoolOptions) -> Result<Arc<Pool>, PoolError> {
        if options.apartment != Apartment::None && !sys::APARTMENTS {
            return Err(PoolError::NotSupported);
        }
        sys::pin_library();
        let completions = Arc::new(Completions::default());
        let run_limit =
            options.run_limit.map_or(Time::NEVER, |run_limit| Time::now().plus(run_limit));
        let (max_workers, job_limit) = (options.max_workers, options.job_limit);
        let (apartment, to) = (options.apartment, &completions);
        let calls = options.host.map(|host| {
            let completions = Arc::clone(to);
            Arc::new(Calls::new(CallOptions {
                max_workers,
                job_limit,
                apartment,
                host,
                completions,
            }))
        });
        let cancellation = Arc::new(Cancellation {
            completions: Arc::clone(&completions),
            calls: calls.clone(),
            done: AtomicBool::new(false),
            by_run_limit: AtomicBool::new(false),
        });
        let limited = Arc::clone(&cancellation);
        let pool = Arc::new(Pool {
            link: Arc::new(Link::new(
                Arc::clone(&completions),
                options.packets_per_second,
                run_limit,
                Box::new(move || limited.run_limit_passed()),
            )),
            completions,
            calls,
            cancellation,
            membership: Mutex::new(Membership::NotNeeded),
            last_options: Mutex::new(None),
            collector: Mutex::new(Collector::default()),
            submitted: AtomicU64::new(0),
            intake: Intake::default(),
            closed: AtomicBool::new(false),
            echo_permitted: AtomicBool::new(false),
        });
        if run_limit != Time::NEVER {
            pool.client()?;
        }
        Ok(pool)
    }

    /// The reactor, joined when it is first needed.
    fn client(&self) -> Result<Arc<Client>, PoolError> {
        let mut membership = lock(&self.membership);
        match &*membership {
            Membership::Joined(client) => return Ok(Arc::clone(client)),
            Membership::Over => return Err(PoolError::InputClosed),
            Membership::NotNeeded => {}
        }
        let joined = Client::join(Arc::clone(&self.link)).map_err(|_| PoolError::NoResources)?;
        let joined = Arc::new(joined);
        *membership = Membership::Joined(Arc::clone(&joined));
        Ok(joined)
    }

    fn joined(&self) -> Option<Arc<Client>> {
        match &*lock(&self.membership) {
            Membership::Joined(client) => Some(Arc::clone(client)),
            Membership::NotNeeded | Membership::Over => None,
        }
    }

    /// Begins a submission of targets to be probed alike.
    pub fn begin_submit(&self, options: ProbeOptions) -> Result<Submission<'_>, PoolError> {
        let submitting = self.intake.enter(&self.completions).ok_or(PoolError::InputClosed)?;
        if options.kind == Kind::Echo && !self.echo_permitted.load(Ordering::Relaxed) {
            let family = options.family.unwrap_or(Family::V4);
            if sys::echo_permission(family) == Err(OpenError::NotPermitted) {
                return Err(PoolError::EchoNotPermitted);
            }
            self.echo_permitted.store(true, Ordering::Relaxed);
        }
        let client = self.client()?;
        let mut last = lock(&self.last_options);
        let options = match &*last {
            Some(last) if **last == options => Arc::clone(last),
            _ => Arc::clone(last.insert(Arc::new(options))),
        };
        Ok(Submission { pool: self, client, options, targets: Vec::new(), _submitting: submitting })
    }

    /// Submits calls; how many were taken, or `None` when the pool is cancelled.
    pub fn submit_calls(&self, user_data: &[u64]) -> Result<Option<usize>, PoolError> {
        let _submitting = self.intake.enter(&self.completions).ok_or(PoolError::InputClosed)?;
        let calls = self.calls.as_ref().ok_or(PoolError::NoCallbacks)?;
        if self.is_cancelled() {
            return Ok(None);
        }
        calls.submit(user_data).map_err(|_| PoolError::NoThreads)
    }

    /// No more jobs will come.
    pub fn close_input(&self) {
        self.intake.close();
        self.completions.wake();
    }

    /// The figures now.
    pub fn counts(&self) -> Counts {
        let calls = self.calls.as_ref().map(|calls| calls.counts()).unwrap_or_default();
        let client = self.joined();
        let finished = self.completions.jobs_finished();
        Counts {
            finished,
            ready: self.completions.ready(),
            input_closed: self.intake.is_closed(),
            cancelled: self.is_cancelled(),
            run_limit_reached: self.cancellation.by_run_limit.load(Ordering::Acquire),
            submitted: self.submitted.load(Ordering::Acquire) + calls.submitted,
            begun: self.link.begun.load(Ordering::Relaxed) + calls.begun,
            packets_sent: self.link.packets_sent.load(Ordering::Relaxed),
            packets_not_sent: self.link.packets_not_sent.load(Ordering::Relaxed),
            lookups_open: self.link.lookups_open.load(Ordering::Relaxed),
            network: client.map(|client| client.figures()).unwrap_or_default(),
            workers: calls.workers,
            workers_abandoned: calls.workers_abandoned,
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.done.load(Ordering::Acquire)
    }

    /// Whether the calling thread is inside one of this pool's callbacks.
    pub fn is_own_callback(&self) -> bool {
        self.calls.as_ref().map_or(false, |calls| calls.is_own_callback())
    }

    fn collector(&self) -> Result<MutexGuard<'_, Collector>, PoolError> {
        match self.collector.try_lock() {
            Ok(collector) => Ok(collector),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PoolError::Busy),
        }
    }

    /// Sleeps until there is something to collect, somebody asks for attention, or the deadline.
    pub fn poll(&self, deadline: Time) -> Result<(Polled, Counts), PoolError> {
        if deadline > Time::now() && self.is_own_callback() {
            return Err(PoolError::WouldDeadlock);
        }
        let collector = self.collector()?;
        // Asked before counting: what is counted then is final.
        let look = || {
            let is_over = self.intake.is_over();
            let counts = self.counts();
            (counts, is_over && collector.collected == counts.submitted)
        };
        loop {
            let (counts, is_finished) = look();
            if self.closed.load(Ordering::Acquire) {
                return Ok((Polled::PoolClosed, counts));
            }
            if counts.ready > 0 {
                return Ok((Polled::Ready, counts));
            }
            if is_finished {
                return Ok((Polled::Finished, counts));
            }
            match self.completions.wait(deadline) {
                Woken::Ready => {}
                Woken::Deadline => return Ok((Polled::TimedOut, counts)),
                Woken::Asked => {
                    let (counts, is_finished) = look();
                    let is_closed = self.closed.load(Ordering::Acquire);
                    if is_closed || (is_finished && counts.ready == 0) {
                        continue;
                    }
                    return Ok((Polled::Ready, counts));
                }
            }
        }
    }

    /// Hands finished completions to `accept` until it declines one or none is left.
    pub fn collect(&self, accept: &mut dyn FnMut(&Completion) -> bool) -> Result<(), PoolError> {
        let mut collector = self.collector()?;
        let mut count = 0;
        loop {
            if collector.next == collector.taken.len() {
                collector.taken.clear();
                collector.next = 0;
                self.completions.take(&mut collector.taken);
                if collector.taken.is_empty() {
                    break;
                }
            }
            let next = collector.next;
            if !accept(&collector.taken[next]) {
                break;
            }
            collector.next += 1;
            collector.collected += collector.taken[next].jobs;
            count += 1;
        }
        self.completions.collected(count);
        drop(collector);
        if !self.completions.is_full() && self.link.paused.swap(false, Ordering::SeqCst) {
            if let Some(client) = self.joined() {
                client.resume();
            }
        }
        Ok(())
    }

    /// Ends every unfinished job.
    pub fn cancel(&self) {
        self.cancellation.done.store(true, Ordering::Release);
        if let Some(client) = self.joined() {
            client.cancel();
        }
        self.cancellation.cancel_calls();
    }

    /// Makes the present or the next poll return.
    pub fn wake(&self) {
        self.completions.wake();
    }

    /// Ends the pool within a second; returns the callbacks that have not come back.
    pub fn close(&self) -> u32 {
        self.closed.store(true, Ordering::Release);
        self.intake.close();
        self.cancellation.done.store(true, Ordering::Release);
        self.completions.close();
        self.completions.wake();
        let running = self.calls.as_ref().map_or(0, |calls| calls.close());
        let membership = std::mem::replace(&mut *lock(&self.membership), Membership::Over);
        // Without the lock: leaving may end the reactor's thread.
        drop(membership);
        running
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.closed.load(Ordering::Acquire) {
            self.close();
        }
    }
}

/// Targets on their way in; dropping it hands them to the reactor.
pub struct Submission<'a> {
    pool: &'a Pool,
    client: Arc<Client>,
    options: Arc<ProbeOptions>,
    targets: Vec<Target>,
    _submitting: Submitting<'a>,
}

impl Submission<'_> {
    /// Takes one target's text, if there is room.
    pub fn push(&mut self, user_data: u64, text: &[u8]) -> Admission {
        let pool = self.pool;
        if pool.is_cancelled() {
            return Admission::Cancelled;
        }
        let waiting = pool.link.waiting.load(Ordering::Relaxed);
        if waiting >= WAITING_LIMIT || pool.completions.is_full() {
            pool.link.told_again.store(true, Ordering::Relaxed);
            return Admission::Full;
        }
        let parsed = match targets::parse(text, self.options.family, &sys::interface_index) {
            Ok(parsed) => parsed,
            Err(error) => return Admission::Invalid(error),
        };
        let (source, name) = match parsed.hosts {
            targets::Hosts::Name(name) => (Source::Name(name.into()), true),
            targets::Hosts::Addresses(span) => (Source::Span(span), false),
        };
        let target = Target { user_data, options: Arc::clone(&self.options), source };
        let jobs = target.jobs();
        pool.link.waiting.fetch_add(1, Ordering::Relaxed);
        pool.submitted.fetch_add(jobs, Ordering::AcqRel);
        self.targets.push(target);
        Admission::Taken(TargetInfo { jobs, expanded: parsed.expanded, name })
    }
}

impl Drop for Submission<'_> {
    fn drop(&mut self) {
        if !self.targets.is_empty() {
            self.client.submit(std::mem::take(&mut self.targets));
        }
    }
}
