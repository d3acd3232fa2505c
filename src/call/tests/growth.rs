//! How many workers and threads there are. Some of it needs a process of its own.

use super::*;

/// Runs `body` in a process of its own, which the work of other tests cannot disturb.
fn alone(test: &str, body: impl FnOnce()) {
    const INNER: &str = "RUST_RUNSPACES_TEST_ALONE";
    if std::env::var_os(INNER).is_some() {
        return body();
    }
    let name = format!("{}::{}", module_path!().split_once("::").unwrap().1, test);
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--test-threads=1", "--nocapture"])
        .env(INNER, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{}{}", text, String::from_utf8_lossy(&output.stderr));
    if let Some(begin) = text.find("skipped:") {
        println!("{}", text[begin..].lines().next().unwrap());
    }
}

#[test]
fn two_jobs_that_wait_for_each_other_both_run() {
    let both = std::sync::Barrier::new(2);
    let host = each(move |_, _| {
        both.wait();
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(2, None, host);
    pool.submit(0..2);
    pool.collect(2);
}

#[test]
fn a_job_that_comes_later_gets_a_worker_though_all_others_wait() {
    let gate = Arc::new(Gate::default());
    let held = Arc::clone(&gate);
    let host = each(move |_, _| {
        held.pass();
        Some(Outcome::Completed)
    });
    let pool = Fixture::new(6, None, host);
    for job in 0..6 {
        pool.submit(job..job + 1);
        pool.await_counts(|counts| counts.begun == job + 1);
    }
    gate.open();
    pool.collect(6);
}

#[test]
fn jobs_that_wait_grow_the_pool_to_its_maximum() {
    alone("jobs_that_wait_grow_the_pool_to_its_maximum", || {
        let gate = Arc::new(Gate::default());
        let held = Arc::clone(&gate);
        let host = each(move |_, _| {
            held.pass();
            Some(Outcome::Completed)
        });
        let pool = Fixture::new(40, None, host);
        pool.submit(0..100);
        pool.await_counts(|counts| counts.begun == 40);
        gate.open();
        pool.collect(100);
        assert_eq!(pool.calls.counts().workers, 40);
        assert_eq!(pool.calls.close(), 0);
    });
}

#[test]
fn a_runtime_that_stands_still_is_no_reason_for_more_workers() {
    /// Jobs that do nothing, in a runtime that has been stopped ever since.
    struct Stopped {
        since: Instant,
        gate: Gate,
        asked: AtomicU32,
    }
    impl Host for Stopped {
        fn run(&self, worker: &Arc<Worker>) {
            while let Ok(Some(_)) = worker.next() {
                self.gate.pass();
                let _ = worker.finish(Outcome::Completed);
            }
        }
        fn can_stop(&self) -> bool {
            false
        }
        fn stop(&self, _worker: u32, _job: u64) {}
        fn paused_nanos(&self) -> u64 {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.since.elapsed().as_nanos() as u64
        }
    }
    let cores = crate::sys::cores() as u32;
    let (gate, asked) = (Gate::default(), AtomicU32::new(0));
    let host = Arc::new(Stopped { since: Instant::now(), gate, asked });
    let pool = Fixture::new(cores + 8, None, Arc::clone(&host) as Arc<dyn Host>);
    pool.submit(0..100);
    pool.await_counts(|counts| counts.begun == u64::from(cores));
    // Two samples are enough for a worker to count as waiting, unless something computes.
    let before = host.asked.load(Ordering::SeqCst);
    let end = Instant::now() + PATIENCE;
    while host.asked.load(Ordering::SeqCst) < before + 50 {
        assert!(Instant::now() < end, "the host is not asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(pool.calls.counts().workers, cores);
    host.gate.open();
    pool.collect(100);
}

#[test]
fn jobs_that_compute_stay_at_the_number_of_cores() {
    alone("jobs_that_compute_stay_at_the_number_of_cores", || {
        let cores = crate::sys::cores() as u32;
        let mut shares = Vec::new();
        // Beside another busy process a thread that waits for a processor may pass for one that
        // waits for something else: one quiet run of five proves the rule.
        for _ in 0..5 {
            let host = each(|_, _| {
                let end = Instant::now() + Duration::from_millis(5);
                while Instant::now() < end {
                    std::hint::spin_loop();
                }
                Some(Outcome::Completed)
            });
            let pool = Fixture::new(32, None, host);
            let (begun, cpu) = (Instant::now(), crate::sys::process_cpu_nanos());
            pool.submit(0..200);
            pool.collect(200);
            if pool.calls.counts().workers <= cores + 1 {
                return;
            }
            let used = (crate::sys::process_cpu_nanos() - cpu) as f64;
            shares.push(used / begun.elapsed().as_nanos() as f64 / f64::from(cores));
        }
        assert!(shares.iter().all(|share| *share < 0.8), "more than {} workers", cores + 1);
        println!("skipped: others use this machine, our share was {:.2?}", shares);
    });
}

#[test]
fn after_200_pools_the_threads_are_as_before() {
    alone("after_200_pools_the_threads_are_as_before", || {
        let threads = || std::fs::read_dir("/proc/self/task").map(Iterator::count);
        let before = match threads() {
            Ok(before) => before,
            Err(_) => return println!("skipped: this system has no /proc"),
        };
        for _ in 0..200 {
            let pool = Fixture::new(8, None, each(|_, _| Some(Outcome::Completed)));
            pool.submit(0..20);
            pool.collect(20);
            // A thread that gets no processor for a second is not waited for; it ends later.
            let end = Instant::now() + PATIENCE;
            while pool.calls.close() != 0 {
                assert!(Instant::now() < end, "callbacks have not come back");
                std::thread::yield_now();
            }
        }
        let end = Instant::now() + PATIENCE;
        while threads().unwrap() > before {
            assert!(Instant::now() < end, "{} threads, {} before", threads().unwrap(), before);
            std::thread::yield_now();
        }
    });
}
