//! Several threads at one pool at a time, over the C interface and nothing else: who submits, closes
//! the input, polls, collects, cancels and closes is chosen at random for each pool. Whatever the order,
//! CLOSED comes after the last completion and not before, each job has one, and no callback begins
//! after a close that said that none is running. Probes go to a closed port of loopback.

#![deny(unsafe_op_in_unsafe_fn)]

use rust_runspaces::ffi::pool::*;
use rust_runspaces::ffi::types::*;
use rust_runspaces::ffi::worker::*;
use std::ffi::c_void;
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What the callbacks of one pool leave behind. Lives as long as the process, for late ones.
#[derive(Default)]
struct Host {
    /// The pool was closed, and close said that no callback is running.
    over: AtomicBool,
    begun: AtomicU32,
    inside: AtomicU32,
    /// Callbacks that began when it was over.
    late: AtomicU32,
    released: AtomicU32,
}

unsafe extern "C" fn run(context: *mut c_void, worker: rr_worker) {
    // SAFETY: leaked by `Host::leak`.
    let host = unsafe { &*context.cast::<Host>() };
    host.inside.fetch_add(1, SeqCst);
    host.begun.fetch_add(1, SeqCst);
    host.late.fetch_add(u32::from(host.over.load(SeqCst)), SeqCst);
    let mut call =
        rr_call { struct_size: size_of::<rr_call>() as u32, worker_number: 0, user_data: 0 };
    // SAFETY: writable.
    while unsafe { rr_worker_next(worker, &mut call) } == RR_STATUS_OK {
        if rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK {
            break;
        }
    }
    host.inside.fetch_sub(1, SeqCst);
}

unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: leaked by `Host::leak`.
    unsafe { &*context.cast::<Host>() }.released.fetch_add(1, SeqCst);
}

impl Host {
    fn leak() -> &'static Host {
        Box::leak(Box::default())
    }
}

/// A row of numbers, the same for the same seed (xorshift64*).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// Up to some fifty microseconds, mostly less.
    fn linger(&mut self) {
        let rounds = 1 << self.below(14);
        for _ in 0..self.below(rounds) {
            std::hint::spin_loop();
        }
        if self.below(4) == 0 {
            std::thread::yield_now();
        }
    }
}

fn open(host: &'static Host) -> rr_pool {
    let options = rr_pool_options {
        struct_size: size_of::<rr_pool_options>() as u32,
        max_workers: 2,
        packets_per_second: 0,
        apartment: RR_APARTMENT_NONE,
        run_limit_ms: 0,
        job_limit_ms: 0,
        run: Some(run),
        stop: None,
        release: Some(release),
        context: (host as *const Host as *mut Host).cast(),
        paused: None,
    };
    let mut pool = 0;
    // SAFETY: readable and writable; the context lives for ever.
    assert_eq!(unsafe { rr_pool_open(&options, &mut pool) }, RR_STATUS_OK);
    pool
}

/// Submits calls; how many were taken, and the status.
fn submit_calls(pool: rr_pool, count: usize) -> (u64, rr_status) {
    let mut taken = 0;
    let calls = vec![0; count];
    // SAFETY: as long as said.
    let status = unsafe { rr_pool_submit_calls(pool, calls.as_ptr(), count, &mut taken) };
    (taken as u64, status)
}

/// Submits one probe of a port nobody listens on.
fn submit_probe(pool: rr_pool) -> (u64, rr_status) {
    let ports = [1];
    let options = rr_probe_options {
        struct_size: size_of::<rr_probe_options>() as u32,
        kind: RR_KIND_CONNECT,
        flags: 0,
        count: 1,
        interval_ms: 0,
        reply_timeout_ms: 0,
        payload_size: 0,
        hops: 0,
        family: 0,
        port_count: 1,
        ports: ports.as_ptr(),
    };
    let text = b"127.0.0.1";
    let length = text.len();
    let mut target = rr_target {
        user_data: 1,
        text_offset: 0,
        text_length: length as u32,
        status: 0,
        flags: 0,
        jobs: 0,
    };
    let (size, mut taken) = (size_of::<rr_target>(), 0);
    // SAFETY: as long as said.
    let status = unsafe {
        rr_pool_submit_probes(
            pool,
            &options,
            &mut target,
            1,
            size,
            text.as_ptr(),
            length,
            &mut taken,
        )
    };
    (taken as u64, status)
}

/// Polls and collects until the end; the jobs collected, or `None` where another thread closed the pool.
fn collect_all(pool: rr_pool) -> Option<u64> {
    let mut jobs = 0;
    loop {
        // SAFETY: NULL is allowed.
        match unsafe { rr_pool_poll(pool, 20_000, std::ptr::null_mut()) } {
            RR_STATUS_CLOSED => return Some(jobs),
            RR_STATUS_BAD_HANDLE => return None,
            RR_STATUS_OK => {}
            other => panic!("poll: {}", other),
        }
        // SAFETY: numbers and bytes only.
        let mut completions: [rr_completion; 32] = unsafe { std::mem::zeroed() };
        let (mut text, mut count, mut used) = ([0; 4096], 0, 0);
        // SAFETY: as long as said.
        let status = unsafe {
            let size = size_of::<rr_completion>();
            let (at, text, room) = (completions.as_mut_ptr(), text.as_mut_ptr(), text.len());
            rr_pool_collect(pool, at, 32, size, text, room, &mut count, &mut used)
        };
        match status {
            RR_STATUS_OK => {}
            RR_STATUS_BAD_HANDLE => return None,
            other => panic!("collect: {}", other),
        }
        jobs += completions[..count].iter().map(|completion| completion.jobs).sum::<u64>();
    }
}

/// Who ends the pool, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The first submitter, when it has submitted all.
    LastSubmission,
    /// Another thread closes the input while others submit.
    CloseInput,
    /// Another thread cancels, then closes the input.
    Cancel,
    /// Two other threads close the pool: one of them does.
    Close,
}

/// One pool, used and ended by several threads.
fn round(seed: u64) -> &'static Host {
    let mut random = Random::new(seed);
    let ends = [End::LastSubmission, End::CloseInput, End::Cancel, End::Close];
    let end = ends[random.below(4) as usize];
    let submitters = if end == End::LastSubmission { 1 } else { 1 + random.below(4) };
    let with_probes = random.below(2) == 0;
    let host = Host::leak();
    let pool = open(host);
    let taken = AtomicU64::new(0);
    let start = Barrier::new(submitters as usize + 2);
    let collected = std::thread::scope(|scope| {
        let mut others = Vec::new();
        for number in 0..submitters {
            let (mut random, start, taken) =
                (Random::new((seed << 8) | (number + 1)), &start, &taken);
            others.push(scope.spawn(move || {
                start.wait();
                for _ in 0..1 + random.below(6) {
                    random.linger();
                    let (count, status) = match with_probes && random.below(2) == 0 {
                        true => submit_probe(pool),
                        false => submit_calls(pool, 1 + random.below(4) as usize),
                    };
                    taken.fetch_add(count, SeqCst);
                    match status {
                        RR_STATUS_OK => {}
                        RR_STATUS_BAD_STATE | RR_STATUS_CLOSED | RR_STATUS_BAD_HANDLE => break,
                        other => panic!("submit: {}", other),
                    }
                }
                if end == End::LastSubmission {
                    assert_eq!(rr_pool_close_input(pool), RR_STATUS_OK);
                }
            }));
        }
        let (random, start) = (&mut random, &start);
        let collector = scope.spawn(move || {
            start.wait();
            collect_all(pool)
        });
        start.wait();
        random.linger();
        match end {
            End::LastSubmission => {}
            End::CloseInput => assert_eq!(rr_pool_close_input(pool), RR_STATUS_OK),
            End::Cancel => {
                assert_eq!(rr_pool_cancel(pool), RR_STATUS_OK);
                random.linger();
                assert_eq!(rr_pool_close_input(pool), RR_STATUS_OK);
            }
            End::Close => {
                let mut other = Random::new(seed << 8);
                let rival = scope.spawn(move || {
                    other.linger();
                    close(pool, host)
                });
                let closed = close(pool, host);
                let by_rival = rival.join().expect("the rival's own assertions");
                assert!(closed != by_rival, "seed {}: one of two closes the pool", seed);
            }
        }
        // The end of the scope would wait for them, too, but out of a race detector's sight.
        for other in others {
            other.join().expect("the submitter's own assertions");
        }
        collector.join().expect("the collector's own assertions")
    });
    match (end, collected) {
        (End::Close, _) => {}
        (_, Some(jobs)) => {
            let taken = taken.into_inner();
            assert_eq!(jobs, taken, "seed {}: CLOSED with jobs outstanding ({:?})", seed, end);
            assert!(close(pool, host));
        }
        (_, None) => panic!("seed {}: nobody closed the pool", seed),
    }
    host
}

/// Whether it was this thread that closed the pool.
fn close(pool: rr_pool, host: &Host) -> bool {
    let mut running = 99;
    // SAFETY: writable.
    match unsafe { rr_pool_close(pool, &mut running) } {
        RR_STATUS_OK => {}
        RR_STATUS_BAD_HANDLE => return false,
        other => panic!("close: {}", other),
    }
    // Where the machine is so busy that a callback does not come back in time, it is told.
    if running == 0 {
        let inside = host.inside.load(SeqCst);
        host.over.store(true, SeqCst);
        assert_eq!(inside, 0, "close said that none is running");
    }
    true
}

#[test]
fn whatever_threads_do_at_once_no_job_is_lost_and_no_callback_comes_late() {
    let pools = std::env::var("RR_THREADS_POOLS").map_or(4000, |n| n.parse().expect("a number"));
    let fresh = u64::from(std::process::id()) << 32;
    let begin = Instant::now();
    // Half of the rows are those of every run, half are new ones.
    let hosts: Vec<_> =
        (0..pools).map(|n| (n, round(if n % 2 == 0 { n } else { fresh | n }))).collect();
    println!("{} pools in {:?}, seeds from {}", pools, begin.elapsed(), fresh);
    // A callback that comes late comes at once, and so does the end of a context.
    let end = Instant::now() + Duration::from_secs(20);
    for (number, host) in &hosts {
        while host.released.load(SeqCst) == 0 {
            assert!(Instant::now() < end, "pool {}: no release", number);
            std::thread::yield_now();
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    let begun: u32 = hosts.iter().map(|(_, host)| host.begun.load(SeqCst)).sum();
    assert!(u64::from(begun) > pools / 2, "{} callbacks", begun);
    for (number, host) in hosts {
        assert_eq!(host.late.load(SeqCst), 0, "pool {}: a callback began after close", number);
        assert_eq!(host.released.load(SeqCst), 1, "pool {}: released once", number);
    }
}
