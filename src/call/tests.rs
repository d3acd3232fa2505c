//! Each behaviour of `Calls` with hosts written in Rust.

mod growth;
mod random;

use super::*;
use crate::completions::Woken;
use crate::outcome::{Completion, Outcome};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Weak};
use std::time::Instant;

/// Long for a busy machine; a test only waits it out to fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `job` for each job; its outcome is reported, `None` makes the callback return instead.
struct Each<F> {
    job: F,
    stop: Option<fn(u64)>,
}

impl<F: Fn(&Arc<Worker>, u64) -> Option<Outcome> + Send + Sync> Host for Each<F> {
    fn run(&self, worker: &Arc<Worker>) {
        while let Ok(Some(job)) = worker.next() {
            match (self.job)(worker, job) {
                Some(outcome) if worker.finish(outcome) == Ok(true) => {}
                _ => return,
            }
        }
    }

    fn can_stop(&self) -> bool {
        self.stop.is_some()
    }

    fn stop(&self, _worker: u32, job: u64) {
        if let Some(stop) = self.stop {
            stop(job);
        }
    }
}

fn each<F>(job: F) -> Arc<dyn Host>
where
    F: Fn(&Arc<Worker>, u64) -> Option<Outcome> + Send + Sync + 'static,
{
    Arc::new(Each { job, stop: None })
}

/// Holds threads until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    /// Whether it was opened in time.
    fn pass_within(&self, limit: Duration) -> bool {
        let open = self.open.lock().unwrap();
        *self.opened.wait_timeout_while(open, limit, |open| !*open).unwrap().0
    }
}

struct Fixture {
    calls: Calls,
    completions: Arc<Completions>,
}

impl Fixture {
    fn new(max_workers: u32, job_limit: Option<u64>, host: Arc<dyn Host>) -> Fixture {
        let completions = Arc::new(Completions::default());
        let calls = Calls::new(CallOptions {
            max_workers,
            job_limit: job_limit.map(Duration::from_millis),
            apartment: Apartment::None,
            host,
            completions: Arc::clone(&completions),
        });
        Fixture { calls, completions }
    }

    fn submit(&self, jobs: std::ops::Range<u64>) {
        let jobs: Vec<u64> = jobs.collect();
        assert_eq!(self.calls.submit(&jobs), Ok(Some(jobs.len())));
    }

    /// Collects until `into` has `count` completions or more.
    fn collect_into(&self, into: &mut Vec<Completion>, count: usize) {
        let end = Time::now().plus(PATIENCE);
        while into.len() < count {
            assert!(self.completions.wait(end) != Woken::Deadline, "{} completions", into.len());
            let before = into.len();
            self.completions.take(into);
            self.completions.collected((into.len() - before) as u64);
        }
    }

    /// Waits for exactly `count` completions.
    fn collect(&self, count: usize) -> Vec<Completion> {
        let mut all = Vec::new();
        self.collect_into(&mut all, count);
        assert_eq!(all.len(), count);
        all
    }

    fn await_counts(&self, reached: impl Fn(CallCounts) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !reached(self.calls.counts()) {
            assert!(Instant::now() < end, "not reached: {:?}", self.calls.counts());
            std::thread::yield_now();
        }
    }
}

fn outcomes(completions: &[Completion]) -> BTreeMap<u64, Outcome> {
    let map: BTreeMap<_, _> = completions.iter().map(|one| (one.user_data, one.outcome)).collect();
    assert_eq!(map.len(), completions.len(), "a job has two completions");
    map
}

#[test]
fn of_100_000_jobs_none_is_lost() {
    let sum = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&sum);
    let host = each(move |_, job| {
        seen.fetch_add(job, Ordering::Relaxed);
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(4, None, host);
    let jobs: Vec<u64> = (0..100_000).collect();
    let (mut next, mut done) = (0, Vec::new());
    while done.len() < jobs.len() {
        next += pool.calls.submit(&jobs[next..]).unwrap().unwrap();
        let more = done.len() + 1;
        pool.collect_into(&mut done, more);
    }
    assert!(outcomes(&done).values().all(|outcome| *outcome == Outcome::Completed));
    assert_eq!(sum.load(Ordering::Relaxed), 100_000 * 99_999 / 2);
    let counts = pool.calls.counts();
    assert_eq!((counts.submitted, counts.begun), (100_000, 100_000));
    assert_eq!(pool.calls.close(), 0);
}

#[test]
fn what_was_not_taken_can_be_submitted_again() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let host = each(move |_, _| {
        held.pass();
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(1, None, host);
    let taken = pool.calls.submit(&[7; 70_000]).unwrap().unwrap();
    assert_eq!(taken, 65_536);
    pool.await_counts(|counts| counts.begun == 1);
    assert_eq!(pool.calls.submit(&[7; 10]), Ok(Some(1)), "one has begun");
    gate.open();
    pool.await_counts(|_| pool.completions.ready() == 65_537);
    assert_eq!(pool.calls.submit(&[7]), Ok(Some(0)), "the backlog is full");
    pool.collect(65_537);
    assert_eq!(pool.calls.submit(&[7]), Ok(Some(1)));
}

#[test]
fn a_completion_does_not_wait_for_the_jobs_behind_it() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let host = each(move |_, job| {
        if job == 1 {
            held.pass();
        }
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(1, None, host);
    pool.submit(0..3);
    assert_eq!(pool.collect(1)[0].user_data, 0);
    gate.open();
    pool.collect(2);
}

#[test]
fn a_completion_tells_worker_and_times() {
    let host = each(|worker, _| {
        assert_eq!(worker.number(), 1);
        assert_eq!(worker.next(), Err(FinishError::NotFinished));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(worker.finish(Outcome::Lost), Ok(true));
        assert_eq!(worker.finish(Outcome::Lost), Err(FinishError::NothingTaken));
        None
    });
    let pool = Fixture::new(1, None, host);
    pool.submit(42..43);
    let done = pool.collect(1).remove(0);
    assert_eq!((done.user_data, done.outcome, done.worker), (42, Outcome::Lost, 1));
    assert!(done.duration >= 5 * MILLISECOND);
    assert!((crate::sys::wall_clock() - done.finished).abs() < PATIENCE.as_nanos() as i64);
}

#[test]
fn a_panic_or_an_early_return_fails_its_job_and_no_other() {
    let host = each(|_, job| match job % 3 {
        // resume_unwind panics without a message on the test's output.
        0 => std::panic::resume_unwind(Box::new("contained")),
        1 => None,
        _ => Some(Outcome::Completed),
    });
    let pool = Fixture::new(3, None, host);
    pool.submit(0..90);
    for (job, outcome) in outcomes(&pool.collect(90)) {
        let expected = if job % 3 == 2 { Outcome::Completed } else { Outcome::Failed };
        assert_eq!(outcome, expected, "job {}", job);
    }
    assert_eq!(pool.calls.close(), 0);
}

#[test]
fn callbacks_that_never_take_a_job_fail_the_jobs_and_are_not_called_forever() {
    struct Idle(AtomicU32);
    impl Host for Idle {
        fn run(&self, _worker: &Arc<Worker>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn can_stop(&self) -> bool {
            false
        }
        fn stop(&self, _worker: u32, _job: u64) {}
    }
    let host = Arc::new(Idle(AtomicU32::new(0)));
    let pool = Fixture::new(5, None, Arc::clone(&host) as Arc<dyn Host>);
    pool.submit(0..20);
    assert!(outcomes(&pool.collect(20)).values().all(|outcome| *outcome == Outcome::Failed));
    let calls = host.0.load(Ordering::Relaxed);
    assert!((5..=6).contains(&calls), "{} callbacks", calls);
}

#[test]
fn a_stuck_callback_is_given_up_and_replaced_and_the_others_go_on() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let late = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&late);
    let host = each(move |worker, job| {
        if job == 0 {
            held.pass();
            let finished = worker.finish(Outcome::Completed);
            let next = worker.next();
            told.fetch_add(u32::from((finished, next) == (Ok(false), Ok(None))), Ordering::Relaxed);
            return None;
        }
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(1, Some(30), host);
    pool.submit(0..1000);
    let done = pool.collect(1000);
    let stuck = done.iter().find(|one| one.user_data == 0).unwrap();
    assert_eq!((stuck.outcome, stuck.worker), (Outcome::TimedOut, 1));
    assert_eq!(stuck.detail, crate::outcome::Detail::Abandoned);
    assert_eq!(outcomes(&done).values().filter(|one| **one == Outcome::Completed).count(), 999);
    let counts = pool.calls.counts();
    assert_eq!((counts.workers, counts.workers_abandoned), (1, 1));
    gate.open();
    pool.await_counts(|_| late.load(Ordering::Relaxed) == 1);
    assert_eq!(pool.calls.close(), 0);
}

#[test]
fn the_job_limit_counts_from_the_start_of_the_job() {
    let host = each(|_, job| {
        std::thread::sleep(Duration::from_millis(if job == 7 { 250 } else { 50 }));
        Some(Outcome::Completed)
    });
    // The last job waits longer than the limit before it begins.
    let pool = Fixture::new(1, Some(200), host);
    pool.submit(0..9);
    let done = pool.collect(9);
    for one in &done {
        let expected = if one.user_data == 7 { Outcome::TimedOut } else { Outcome::Completed };
        assert_eq!(one.outcome, expected, "job {}", one.user_data);
    }
    assert_eq!(pool.calls.counts().workers_abandoned, 0, "it came back within its grace time");
}

#[test]
fn a_job_past_its_limit_is_asked_to_stop_and_its_worker_goes_on() {
    static ASKED: Gate = Gate { open: Mutex::new(false), opened: Condvar::new() };
    let job = |_: &Arc<Worker>, job: u64| {
        let stopped = job == 0 && ASKED.pass_within(PATIENCE);
        Some(if stopped { Outcome::Failed } else { Outcome::Completed })
    };
    let stop = |job: u64| {
        assert_eq!(job, 0);
        ASKED.open();
    };
    let pool = Fixture::new(1, Some(20), Arc::new(Each { job, stop: Some(stop) }));
    pool.submit(0..2);
    let done = pool.collect(2);
    assert_eq!(outcomes(&done)[&0], Outcome::TimedOut);
    assert_eq!(outcomes(&done)[&1], Outcome::Completed);
    assert!(done.iter().all(|one| one.worker == 1));
}

#[test]
fn no_stop_reaches_the_job_after_the_one_it_was_meant_for() {
    struct SlowStop {
        stopping: AtomicBool,
        wrong: AtomicU32,
    }
    impl Host for SlowStop {
        fn run(&self, worker: &Arc<Worker>) {
            while let Ok(Some(_)) = worker.next() {
                let seen = self.stopping.load(Ordering::SeqCst);
                self.wrong.fetch_add(u32::from(seen), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(6));
                let _ = worker.finish(Outcome::Completed);
            }
        }
        fn can_stop(&self) -> bool {
            true
        }
        fn stop(&self, _worker: u32, _job: u64) {
            self.stopping.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(10));
            self.stopping.store(false, Ordering::SeqCst);
        }
    }
    let host = Arc::new(SlowStop { stopping: AtomicBool::new(false), wrong: AtomicU32::new(0) });
    let pool = Fixture::new(1, Some(5), Arc::clone(&host) as Arc<dyn Host>);
    pool.submit(0..10);
    pool.collect(10);
    assert_eq!(host.wrong.load(Ordering::SeqCst), 0);
}

#[test]
fn cancel_stops_what_has_begun_and_nothing_else_begins() {
    let host = each(|_, _| {
        std::thread::sleep(Duration::from_millis(20));
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(1, None, host);
    pool.submit(0..10);
    pool.await_counts(|counts| counts.begun == 1);
    pool.calls.cancel();
    let done = outcomes(&pool.collect(10));
    assert_eq!(done[&0], Outcome::Stopped);
    assert!((1..10).all(|job| done[&job] == Outcome::NotStarted));
    assert_eq!(pool.calls.submit(&[1]), Ok(None));
    assert_eq!(pool.calls.counts().begun, 1);
}

#[test]
fn close_takes_less_than_a_second_with_stuck_callbacks_and_the_host_lives_as_long_as_they() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let host = each(move |_, _| {
        held.pass();
        Some(Outcome::Completed)
    });
    let weak: Weak<dyn Host> = Arc::downgrade(&host);
    let pool = Fixture::new(2, None, host);
    pool.submit(0..3);
    pool.await_counts(|counts| counts.begun == 2);
    let begun = Instant::now();
    assert_eq!(pool.calls.close(), 2);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let done = outcomes(&pool.collect(3));
    assert_eq!(done[&2], Outcome::NotStarted);
    assert_eq!((done[&0], done[&1]), (Outcome::Stopped, Outcome::Stopped));
    assert!(weak.upgrade().is_some(), "the callbacks still use it");
    gate.open();
    let end = Instant::now() + PATIENCE;
    while weak.strong_count() > 0 {
        assert!(Instant::now() < end, "the host was not dropped");
        std::thread::yield_now();
    }
}

#[test]
fn close_without_stuck_callbacks_leaves_no_host() {
    for _ in 0..50 {
        let host = each(|_, _| Some(Outcome::Completed));
        let weak = Arc::downgrade(&host);
        let pool = Fixture::new(4, None, host);
        pool.submit(0..8);
        assert_eq!(pool.calls.close(), 0);
        assert_eq!(weak.strong_count(), 0);
        assert_eq!(pool.collect(8).len(), 8);
    }
}

#[test]
fn close_returns_though_the_hosts_stop_does_not() {
    static HOLD: Gate = Gate { open: Mutex::new(false), opened: Condvar::new() };
    let job = |_: &Arc<Worker>, _: u64| {
        HOLD.pass();
        Some(Outcome::Completed)
    };
    let pool = Fixture::new(1, None, Arc::new(Each { job, stop: Some(|_| HOLD.pass()) }));
    pool.submit(0..1);
    pool.await_counts(|counts| counts.begun == 1);
    let begun = Instant::now();
    assert_eq!(pool.calls.close(), 2, "the job and the stop");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(pool.collect(1)[0].outcome, Outcome::Stopped);
    HOLD.open();
}

#[test]
fn a_worker_held_by_the_hosts_stop_leaves_at_close() {
    static ASKED: Gate = Gate { open: Mutex::new(false), opened: Condvar::new() };
    static HOLD: Gate = Gate { open: Mutex::new(false), opened: Condvar::new() };
    let job = |_: &Arc<Worker>, _: u64| {
        ASKED.pass();
        Some(Outcome::Completed)
    };
    let stop = |_: u64| {
        ASKED.open();
        HOLD.pass();
    };
    let pool = Fixture::new(1, Some(20), Arc::new(Each { job, stop: Some(stop) }));
    pool.submit(0..1);
    pool.collect(1);
    assert_eq!(pool.calls.close(), 1, "the stop has not come back");
    HOLD.open();
}

#[test]
fn a_callback_may_submit_and_cancel_and_is_known_as_the_pools_own() {
    let slot: Arc<Mutex<Option<Arc<Fixture>>>> = Arc::default();
    let pool_of_callback = Arc::clone(&slot);
    let host = each(move |_, job| {
        let pool = pool_of_callback.lock().unwrap().clone()?;
        assert!(pool.calls.is_own_callback());
        match job {
            0 => assert_eq!(pool.calls.submit(&[1, 2]), Ok(Some(2))),
            1 => pool.calls.cancel(),
            _ => {}
        }
        Some(Outcome::Completed)
    });
    let pool = Arc::new(Fixture::new(1, None, host));
    *slot.lock().unwrap() = Some(Arc::clone(&pool));
    assert!(!pool.calls.is_own_callback());
    pool.submit(0..1);
    let done = outcomes(&pool.collect(3));
    let expected = [(0, Outcome::Completed), (1, Outcome::Stopped), (2, Outcome::NotStarted)];
    assert_eq!(done, expected.into_iter().collect());
    *slot.lock().unwrap() = None;
    assert_eq!(pool.calls.close(), 0);
}
