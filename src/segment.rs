//! Threads that may block or get stuck, taken from rayon in segments: thread pools of at most 32,
//! opened as they are asked for and ended when all their threads are free again. Owns the count of
//! free threads, so that nothing ever queues behind a body that does not return. Must not know what
//! the bodies do. Any thread may call in; bodies run on the segments' own threads.
//!
//! A body that never returns costs its own thread and, because rayon ends a pool as a whole, keeps
//! the other threads of its segment: they stay in use here, and asleep after [`Threads`] is gone.
//! So callers ask for no more threads ahead than they are about to need.

#[cfg(feature = "races")]
mod plain;

use crate::sync::lock;
#[cfg(feature = "races")]
use plain::{ThreadPool, ThreadPoolBuilder};
#[cfg(not(feature = "races"))]
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Threads a segment has at most. Opening this many takes about a millisecond.
pub const SEGMENT_LIMIT: usize = 32;

/// Not one thread could be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoThread;

/// A growing set of threads of one name and stack size. Dropping it neither blocks nor waits: a
/// body that still runs ends its thread when it returns.
pub struct Threads {
    name: &'static str,
    stack_size: usize,
    segments: Arc<Segments>,
}

/// The open segments, oldest first, so that the younger ones become free and end.
#[derive(Default)]
struct Segments(Mutex<Open>);

#[derive(Default)]
struct Open {
    list: Vec<Segment>,
    next_id: u64,
}

struct Segment {
    id: u64,
    pool: ThreadPool,
    size: usize,
    /// Threads without a body; a body is only spawned where this was above zero.
    free: usize,
}

/// One body's claim to a thread; dropped behind the body, also when that panics.
struct Claim {
    segments: Weak<Segments>,
    id: u64,
}

impl Threads {
    /// No thread yet. `name` shows in debuggers (the first 15 bytes on Linux); `stack_size` is in
    /// bytes.
    pub fn new(name: &'static str, stack_size: usize) -> Threads {
        Threads { name, stack_size, segments: Arc::default() }
    }

    /// Runs `body` on a thread that is free. Where none is, opens a segment of `ahead` threads, at
    /// least one and at most [`SEGMENT_LIMIT`], or as many of them as can be had by halving. A panic
    /// in `body` ends only `body`. On failure `body` is dropped.
    pub fn run(&self, ahead: usize, body: Box<dyn FnOnce() + Send>) -> Result<(), NoThread> {
        let mut open = self.segments.lock();
        if let Some(segment) = open.list.iter_mut().find(|segment| segment.free > 0) {
            self.start(segment, body);
            return Ok(());
        }
        drop(open);

        // Starting threads takes time: not under the lock that returning bodies need.
        let (pool, size) = self.open_segment(ahead)?;
        let mut open = self.segments.lock();
        let id = open.next_id;
        open.next_id += 1;
        let mut segment = Segment { id, pool, size, free: size };
        self.start(&mut segment, body);
        open.list.push(segment);
        Ok(())
    }

    /// Threads that exist at this moment, with and without a body.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.segments.lock().list.iter().map(|segment| segment.size).sum()
    }

    /// The caller holds the lock and knows that a thread is free.
    fn start(&self, segment: &mut Segment, body: Box<dyn FnOnce() + Send>) {
        segment.free -= 1;
        let claim = Claim { segments: Arc::downgrade(&self.segments), id: segment.id };
        segment.pool.spawn_fifo(move || {
            let _claim = claim;
            body();
        });
    }

    fn open_segment(&self, ahead: usize) -> Result<(ThreadPool, usize), NoThread> {
        let name = self.name;
        halving(ahead.clamp(1, SEGMENT_LIMIT), |size| {
            ThreadPoolBuilder::new()
                .num_threads(size)
                .stack_size(self.stack_size)
                .thread_name(move |_| name.to_string())
                // Without a handler rayon aborts the process.
                .panic_handler(|_| ())
                .build()
        })
    }
}

/// What `build` makes of `size`, of half of it, and so on; with the size it worked for.
fn halving<T, E>(
    mut size: usize,
    mut build: impl FnMut(usize) -> Result<T, E>,
) -> Result<(T, usize), NoThread> {
    while size > 0 {
        match build(size) {
            Ok(built) => return Ok((built, size)),
            Err(_) => size /= 2,
        }
    }
    Err(NoThread)
}

impl Segments {
    fn lock(&self) -> MutexGuard<'_, Open> {
        lock(&self.0)
    }

    /// A body has ended: its thread is free. A segment that has become free as a whole is ended.
    fn give_back(&self, id: u64) {
        let mut open = self.lock();
        if let Some(index) = open.list.iter().position(|segment| segment.id == id) {
            let segment = &mut open.list[index];
            segment.free += 1;
            if segment.free == segment.size {
                let ended = open.list.remove(index);
                drop(open);
                drop(ended);
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(segments) = self.segments.upgrade() {
            segments.give_back(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    const STACK: usize = 512 * 1024;
    /// Long for a thread to be scheduled on a busy machine; a test only waits it out to fail.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Runs a body that reports on the channel and then waits until the returned sender is dropped.
    fn stuck(threads: &Threads, ahead: usize, begun: &mpsc::Sender<()>) -> mpsc::Sender<()> {
        let (hold, released) = mpsc::channel::<()>();
        let begun = begun.clone();
        let body = move || {
            begun.send(()).unwrap();
            let _ = released.recv();
        };
        threads.run(ahead, Box::new(body)).unwrap();
        hold
    }

    fn await_count(threads: &Threads, count: usize) {
        let end = Instant::now() + PATIENCE;
        while threads.count() != count {
            assert!(Instant::now() < end, "{} threads instead of {}", threads.count(), count);
            std::thread::yield_now();
        }
    }

    #[test]
    fn every_body_begins_though_all_before_it_are_stuck() {
        let threads = Threads::new("rr-test", STACK);
        let (begun, begins) = mpsc::channel();
        let holds: Vec<_> = (0..100).map(|_| stuck(&threads, 8, &begun)).collect();
        for _ in 0..100 {
            begins.recv_timeout(PATIENCE).expect("a body waits behind a stuck one");
        }
        assert_eq!(threads.count(), 104);
        drop(holds);
    }

    #[test]
    fn a_thread_is_free_again_when_its_body_returns() {
        let threads = Threads::new("rr-test", STACK);
        let (begun, begins) = mpsc::channel();
        let first = stuck(&threads, 2, &begun);
        let second = stuck(&threads, 2, &begun);
        begins.recv_timeout(PATIENCE).unwrap();
        begins.recv_timeout(PATIENCE).unwrap();
        drop(second);
        let end = Instant::now() + PATIENCE;
        while threads.segments.lock().list[0].free == 0 {
            assert!(Instant::now() < end, "the thread was not given back");
            std::thread::yield_now();
        }
        let third = stuck(&threads, 2, &begun);
        begins.recv_timeout(PATIENCE).unwrap();
        assert_eq!(threads.count(), 2, "the free thread was not used");
        drop((first, third));
    }

    #[test]
    fn a_panicking_body_gives_its_thread_back() {
        let threads = Threads::new("rr-test", STACK);
        let (begun, begins) = mpsc::channel();
        let hold = stuck(&threads, 2, &begun);
        begins.recv_timeout(PATIENCE).unwrap();
        // resume_unwind panics without a message on the test's output.
        threads.run(2, Box::new(|| std::panic::resume_unwind(Box::new("contained")))).unwrap();
        drop(hold);
        await_count(&threads, 0);
    }

    #[test]
    fn a_segment_ends_when_all_its_threads_are_free() {
        let threads = Threads::new("rr-test", STACK);
        let (begun, begins) = mpsc::channel();
        let holds: Vec<_> = (0..3).map(|_| stuck(&threads, 2, &begun)).collect();
        (0..3).for_each(|_| begins.recv_timeout(PATIENCE).unwrap());
        assert_eq!(threads.count(), 4);
        drop(holds);
        await_count(&threads, 0);
    }

    #[test]
    fn a_segment_has_at_least_one_and_at_most_32_threads() {
        for (ahead, size) in [(0, 1), (1, 1), (32, 32), (1000, 32)] {
            let threads = Threads::new("rr-test", STACK);
            let (begun, begins) = mpsc::channel();
            let _hold = stuck(&threads, ahead, &begun);
            begins.recv_timeout(PATIENCE).unwrap();
            assert_eq!(threads.count(), size);
        }
    }

    #[test]
    fn drop_does_not_wait_for_a_stuck_body_and_a_waiting_body_still_runs() {
        let threads = Threads::new("rr-test", STACK);
        let (begun, begins) = mpsc::channel();
        let hold = stuck(&threads, 2, &begun);
        begins.recv_timeout(PATIENCE).unwrap();
        let (ran, runs) = mpsc::channel();
        threads.run(2, Box::new(move || ran.send(()).unwrap())).unwrap();
        drop(threads);
        runs.recv_timeout(PATIENCE).expect("the body was lost");
        drop(hold);
    }

    #[test]
    fn a_body_may_run_another_one() {
        let threads = Arc::new(Threads::new("rr-test", STACK));
        let (ran, runs) = mpsc::channel();
        let inner = Arc::clone(&threads);
        let body = move || {
            let (done, wait) = mpsc::channel();
            inner.run(1, Box::new(move || done.send(()).unwrap())).unwrap();
            wait.recv().unwrap();
            ran.send(()).unwrap();
        };
        threads.run(2, Box::new(body)).unwrap();
        runs.recv_timeout(PATIENCE).expect("the inner body waits behind the outer one");
    }

    #[test]
    fn threads_have_the_name_and_the_stack_asked_for() {
        /// Keeps a frame of 64 KiB for every level; each reads the one above it.
        fn deep(levels: usize, above: &[u8]) -> usize {
            let mut frame = [0; 64 * 1024];
            frame[levels] = above[levels + 1] + 1;
            match levels {
                0 => frame[0].into(),
                _ => deep(levels - 1, &frame).max(frame[levels].into()),
            }
        }
        let threads = Threads::new("rr-deep", 10 * 1024 * 1024);
        let (result, results) = mpsc::channel();
        let body = move || {
            let name = std::thread::current().name().map(str::to_string);
            result.send((name, deep(63, &[0; 65]))).unwrap();
        };
        threads.run(1, Box::new(body)).unwrap();
        // 4 MiB of frames: twice what a thread has by default.
        assert_eq!(results.recv_timeout(PATIENCE).unwrap(), (Some("rr-deep".to_string()), 64));
    }

    #[test]
    fn half_is_tried_where_a_segment_cannot_be_built() {
        let mut tried = Vec::new();
        let built = halving(32, |size| {
            tried.push(size);
            if size > 5 {
                Err(())
            } else {
                Ok(())
            }
        });
        assert_eq!((built, tried), (Ok(((), 4)), vec![32, 16, 8, 4]));
    }

    #[test]
    #[cfg_attr(feature = "races", ignore = "plain threads are made when a body comes")]
    fn no_thread_at_all_is_an_error() {
        // No address space has room for a stack of this size.
        let threads = Threads::new("rr-test", usize::MAX / 4);
        assert_eq!(threads.run(32, Box::new(|| ())), Err(NoThread));
        assert_eq!(threads.count(), 0);
    }
}
