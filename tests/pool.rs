//! Pools from outside, over the engine's own interface below the C ABI: every job has exactly one
//! answer, whatever happens; the end is told at once; memory in flight is bounded. Probes go to
//! loopback; where no ICMP socket is permitted, TCP connects to closed ports stand in.

use proptest::prelude::*;
use rust_runspaces::call::{Host, Worker};
use rust_runspaces::clock::{Time, MILLISECOND, SECOND};
use rust_runspaces::outcome::{Completion, Outcome};
use rust_runspaces::pool::{Admission, Polled, Pool, PoolOptions};
use rust_runspaces::probe::{Kind, ProbeOptions, Schedule};
use rust_runspaces::sys::{echo_permission, Apartment};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn open(run_limit: Option<Duration>) -> Arc<Pool> {
    open_with(run_limit, None)
}

fn open_with(run_limit: Option<Duration>, host: Option<Arc<dyn Host>>) -> Arc<Pool> {
    let options = PoolOptions {
        max_workers: 2,
        packets_per_second: 0,
        apartment: Apartment::None,
        run_limit,
        job_limit: None,
        host,
    };
    match Pool::open(options) {
        Ok(pool) => pool,
        Err(error) => panic!("no pool: {:?}", error),
    }
}

/// One attempt, answered at once on loopback.
fn quick() -> ProbeOptions {
    let kind = match echo_permission(rust_runspaces::address::Family::V4) {
        Ok(()) => Kind::Echo,
        Err(_) => Kind::Connect { ports: Box::new([1]) },
    };
    let schedule =
        Schedule { count: 1, interval: SECOND, reply_timeout: SECOND, statistics: false };
    ProbeOptions { kind, schedule, payload_size: 16, hops: 0, family: None, resolve: false }
}

/// Submits one target; how many jobs it became, or `None` when the pool takes no more.
fn submit(pool: &Pool, options: ProbeOptions, user_data: u64, text: &str) -> Option<u64> {
    let mut submission = pool.begin_submit(options).ok()?;
    match submission.push(user_data, text.as_bytes()) {
        Admission::Taken(info) => Some(info.jobs),
        Admission::Full | Admission::Cancelled => None,
        Admission::Invalid(error) => panic!("{} is a target: {:?}", text, error),
    }
}

/// Collects until the pool says that nothing more will come.
fn collect_all(pool: &Pool) -> Vec<Completion> {
    let mut all = Vec::new();
    loop {
        let deadline = Time::now().plus_nanos(20 * SECOND);
        match pool.poll(deadline).expect("one poller").0 {
            Polled::Finished => return all,
            Polled::Ready => {}
            other => panic!("{:?} after {} completions: {:?}", other, all.len(), pool.counts()),
        }
        pool.collect(&mut |completion| {
            all.push(completion.clone());
            true
        })
        .expect("one collector");
    }
}

/// Asserts that each job of each target is answered once: `jobs` by user data.
fn assert_one_answer_each(completions: &[Completion], jobs: &BTreeMap<u64, u64>) {
    let mut answered: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for completion in completions {
        assert!(completion.jobs == 1 || completion.outcome == Outcome::NotStarted);
        let spans = answered.entry(completion.user_data).or_default();
        spans.push((completion.index, completion.index + completion.jobs));
    }
    for (user_data, count) in jobs {
        let mut spans = answered.remove(user_data).unwrap_or_default();
        spans.sort_unstable();
        let mut next = 0;
        for (begin, end) in spans {
            assert_eq!(begin, next, "target {}: each job once", user_data);
            next = end;
        }
        assert_eq!(next, *count, "target {}: every job", user_data);
    }
    assert!(answered.is_empty(), "answers to targets nobody submitted: {:?}", answered);
}

#[test]
fn the_end_is_told_at_once() {
    let begin = Instant::now();
    for _ in 0..300 {
        let pool = open(None);
        assert_eq!(submit(&pool, quick(), 7, "127.0.0.1"), Some(1));
        pool.close_input();
        assert_eq!(collect_all(&pool).len(), 1);
    }
    // A poll that missed the end would sleep for its 20 seconds, once is enough to fail.
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

#[test]
fn a_whole_block_is_expanded_as_room_allows() {
    let pool = open(None);
    let jobs = submit(&pool, quick(), 1, "127.0.0.0/15").expect("taken");
    pool.close_input();
    // Nothing is collected until first attempts have paused at the limit of the backlog.
    let begin = Instant::now();
    while pool.counts().ready < rust_runspaces::completions::BACKLOG_LIMIT {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", pool.counts());
        std::thread::yield_now();
    }
    let paused = pool.counts();
    assert!(paused.begun < jobs, "expansion pauses: {:?}", paused);
    let completions = collect_all(&pool);
    assert_one_answer_each(&completions, &BTreeMap::from([(1, jobs)]));
}

#[test]
fn equal_addresses_share_the_probe_and_each_has_its_answer() {
    let pool = open(None);
    let mut submission = pool.begin_submit(quick()).expect("open");
    for user_data in 0..100 {
        assert!(matches!(submission.push(user_data, b"127.0.0.1"), Admission::Taken(_)));
    }
    drop(submission);
    pool.close_input();
    let completions = collect_all(&pool);
    assert_one_answer_each(&completions, &(0..100).map(|n| (n, 1)).collect());
    assert!(pool.counts().packets_sent < 100, "{:?}", pool.counts());
}

#[test]
fn the_run_limit_answers_everything() {
    let pool = open(Some(Duration::from_millis(50)));
    let mut options = quick();
    options.schedule.statistics = true;
    options.schedule.count = 1000;
    let begun = submit(&pool, options.clone(), 1, "127.0.0.1").expect("taken");
    let never = submit(&pool, options, 2, "127.128.0.0/9").expect("taken");
    pool.close_input();
    let begin = Instant::now();
    let completions = collect_all(&pool);
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(pool.counts().run_limit_reached);
    assert_one_answer_each(&completions, &BTreeMap::from([(1, begun), (2, never)]));
    let first = completions.iter().find(|completion| completion.user_data == 1).expect("answer");
    assert_eq!(first.outcome, Outcome::Stopped);
}

#[test]
fn after_cancel_nothing_is_taken() {
    let pool = open(None);
    pool.cancel();
    assert_eq!(submit(&pool, quick(), 1, "127.0.0.1"), None);
    pool.close_input();
    assert_eq!(collect_all(&pool).len(), 0);
}

#[test]
fn closing_is_quick_while_another_thread_polls() {
    let pool = open(None);
    let mut options = quick();
    options.schedule.statistics = true;
    options.schedule.count = 1000;
    submit(&pool, options, 1, "127.0.0.0/16").expect("taken");
    let poller = {
        let pool = Arc::clone(&pool);
        std::thread::spawn(move || loop {
            let deadline = Time::now().plus_nanos(10 * SECOND);
            match pool.poll(deadline).expect("one poller").0 {
                Polled::PoolClosed => return,
                _ => pool.collect(&mut |_| true).expect("one collector"),
            }
        })
    };
    std::thread::sleep(Duration::from_millis(20));
    let begin = Instant::now();
    assert_eq!(pool.close(), 0);
    poller.join().expect("the poller left");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

/// Takes its time.
struct Slow;

impl Host for Slow {
    fn run(&self, worker: &Arc<Worker>) {
        while let Ok(Some(_)) = worker.next() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    fn can_stop(&self) -> bool {
        false
    }
    fn stop(&self, _worker: u32, _job: u64) {}
}

#[test]
fn what_nobody_will_collect_is_not_made() {
    let pool = open_with(None, Some(Arc::new(Slow)));
    assert_eq!(pool.submit_calls(&[7; 60_000]), Ok(Some(60_000)));
    pool.close();
    let counts = pool.counts();
    assert_eq!((counts.submitted, counts.finished, counts.ready), (60_000, 0, 0));
}

#[derive(Clone, Debug)]
enum Act {
    Submit(u8),
    Collect(u8),
    Pause,
    Cancel,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<u8>().prop_map(Act::Submit),
        3 => (1_u8..).prop_map(Act::Collect),
        1 => Just(Act::Pause),
        1 => Just(Act::Cancel),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn exactly_one_answer_a_job(acts in proptest::collection::vec(act(), 1..30)) {
        let pool = open(None);
        let mut jobs = BTreeMap::new();
        let mut completions = Vec::new();
        let mut silent = quick();
        silent.schedule.statistics = true;
        silent.schedule.count = 3;
        silent.schedule.interval = 10 * MILLISECOND;
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Submit(kind) => {
                    let text = match kind % 4 {
                        0 => "127.0.0.1".to_owned(),
                        1 => format!("127.0.{}.0/{}", kind, 24 + kind % 8),
                        2 => "localhost".to_owned(),
                        _ => format!("127.1.0.0-127.1.{}.9", kind),
                    };
                    let options = if kind % 3 == 0 { silent.clone() } else { quick() };
                    if let Some(count) = submit(&pool, options, number as u64, &text) {
                        jobs.insert(number as u64, count);
                    }
                }
                Act::Collect(limit) => {
                    let mut left = limit;
                    pool.collect(&mut |completion| {
                        if left == 0 {
                            return false;
                        }
                        left -= 1;
                        completions.push(completion.clone());
                        true
                    })
                    .expect("one collector");
                }
                Act::Pause => {
                    let deadline = Time::now().plus_nanos(MILLISECOND);
                    pool.poll(deadline).expect("one poller");
                }
                Act::Cancel => pool.cancel(),
            }
        }
        pool.close_input();
        if jobs.len() % 2 == 0 {
            pool.cancel();
        }
        completions.extend(collect_all(&pool));
        assert_one_answer_each(&completions, &jobs);
    }
}
