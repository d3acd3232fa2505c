//! Replies that are late, and a process that is.

use crate::lab::lab_or_skip;
use crate::packets::Request;
use crate::sweep::{start, sweep};
use crate::tun::{later, network_or_skip, now, silence};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_reply_later_than_an_interval_has_its_own_latency() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| later(120, request.reply()));
    let swept = sweep(&namespace, "--count 4 --interval 40 10.80.1.1-10.80.1.20");
    swept.assert_all(20, "Success");
    for job in &swept.jobs {
        assert!(job.number("sent") >= 2, "{:?}", job);
        // From the attempt it answers, not from the one that was sent last.
        assert!((120.0..200.0).contains(&job.rtt_ms()), "{:?}", job);
    }
}

#[test]
fn a_reply_past_its_timeout_counts_while_the_job_is_open() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    // Only the first attempt is answered, 250 ms late: past 200 ms, but the third one is due
    // until 2 x 60 + 200.
    let mut seen: HashMap<u8, u32> = HashMap::new();
    let _network = network_or_skip!(&namespace, move |request: &Request| {
        let attempt = seen.entry(request.host()).or_insert(0);
        *attempt += 1;
        match attempt {
            1 => later(250, request.reply()),
            _ => silence(),
        }
    });
    let swept = sweep(&namespace, "--count 3 --interval 60 10.80.1.1");
    let job = swept.of("10.80.1.1");
    assert_eq!(job.outcome(), "Success");
    assert!((250.0..320.0).contains(&job.rtt_ms()), "{:?}", job);
}

#[test]
fn a_probe_in_flight_is_not_lost() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| later(150, request.reply()));
    let swept = sweep(&namespace, "--statistics --count 3 --interval 20 10.80.1.1");
    let job = swept.of("10.80.1.1");
    assert_eq!((job.number("sent"), job.number("received")), (3, 3));
    assert!(job.number("rtt_min_ns") >= 150_000_000, "{:?}", job);
}

/// The process is stopped for longer than the reply timeout while replies arrive: they were in
/// time, and their stamps tell it.
#[test]
fn a_stopped_process_calls_nobody_down() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let _network = network_or_skip!(&namespace, move |request| {
        count.fetch_add(1, Ordering::SeqCst);
        later(100, request.reply())
    });
    let sweep = start(&namespace, "--count 1 --timeout 5000 --rate 2000 10.80.1.1-10.80.4.232");
    let begin = Instant::now();
    while requests.load(Ordering::SeqCst) < 500 {
        assert!(begin.elapsed() < Duration::from_secs(10), "no requests");
        std::thread::sleep(Duration::from_millis(1));
    }
    sweep.signal(libc::SIGSTOP);
    std::thread::sleep(Duration::from_millis(500));
    sweep.signal(libc::SIGCONT);
    let swept = sweep.finish();
    swept.assert_all(1000, "Success");
    for job in &swept.jobs {
        assert!((100.0..400.0).contains(&job.rtt_ms()), "{:?}", job);
    }
}

/// A process that stood still misses nothing as long as the system's drop counter says so: what came
/// meanwhile waits in its buffer, and a host that was silent was silent.
#[test]
fn a_turn_that_is_late_is_no_overflow() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let (asked, requests) = channel();
    let mut first = true;
    let _network = network_or_skip!(&namespace, move |request| {
        if std::mem::take(&mut first) {
            asked.send(()).expect("the test waits");
            return silence();
        }
        now(request.reply())
    });
    let sweep = start(&namespace, "--count 1 10.80.1.1");
    requests.recv_timeout(Duration::from_secs(5)).expect("a request");
    sweep.signal(libc::SIGSTOP);
    std::thread::sleep(Duration::from_millis(400));
    sweep.signal(libc::SIGCONT);
    let swept = sweep.finish();
    let job = swept.of("10.80.1.1");
    assert_eq!(job.outcome(), "TimedOut");
    assert_eq!((job.number("sent"), job.number("received")), (1, 0));
}

#[test]
fn a_stopped_process_still_times_out_silent_hosts() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| match request.host() {
        1 => now(request.reply()),
        _ => silence(),
    });
    let sweep = start(&namespace, "--count 1 10.80.1.1-10.80.1.5");
    std::thread::sleep(Duration::from_millis(100));
    sweep.signal(libc::SIGSTOP);
    std::thread::sleep(Duration::from_millis(400));
    sweep.signal(libc::SIGCONT);
    let swept = sweep.finish();
    assert_eq!(swept.outcomes()["Success"], 1);
    assert_eq!(swept.outcomes()["TimedOut"], 4);
}

#[test]
fn the_rate_is_kept() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| now(request.reply()));
    let begin = Instant::now();
    let swept = sweep(&namespace, "--count 1 --rate 2000 10.80.1.1-10.80.4.232");
    swept.assert_all(1000, "Success");
    // 256 at once, the other 744 at 2,000 a second.
    assert!(begin.elapsed() >= Duration::from_millis(372), "{:?}", begin.elapsed());
}

#[test]
fn the_run_limit_ends_a_sweep() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |_| silence());
    let begin = Instant::now();
    let swept = sweep(&namespace, "--count 100 --rate 100 --run-limit 300 10.80.128.0/17");
    // A sweep of this kind takes days.
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    let answered: i64 = swept.jobs.iter().map(|job| job.number("jobs")).sum();
    assert_eq!(answered, 32_766);
    assert!(swept.outcomes().keys().all(|outcome| matches!(*outcome, "Stopped" | "NotStarted")));
}
