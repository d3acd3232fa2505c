//! Small questions to the system about this process and its threads, and the few settings that
//! the engine makes for the whole process. Any thread.

use crate::sync::lock;
use crate::sys::{Apartment, NoApartments};
use once_cell::sync::Lazy;
use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::time::{SystemTime, UNIX_EPOCH};

/// Raises the soft limit of open descriptors to the hard one.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writable, then readable.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < limit.rlim_max
        {
            limit.rlim_cur = limit.rlim_max;
            // What cannot be raised is kept within.
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Nanoseconds since 1970-01-01 UTC on the wall clock, negative before.
pub fn wall_clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    }
}

/// How long the machine has been suspended so far, in nanoseconds.
pub fn suspended() -> u64 {
    let read = |clock| {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: writable.
        let result = unsafe { libc::clock_gettime(clock, &mut time) };
        (result == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
    };
    // The clock without the suspensions is read last: what lies between the two does not count.
    match (read(libc::CLOCK_BOOTTIME), read(libc::CLOCK_MONOTONIC)) {
        (Some(boot), Some(monotonic)) => boot.saturating_sub(monotonic),
        _ => 0,
    }
}

/// Fills with bytes that nobody can guess.
pub fn random_bytes(into: &mut [u8]) {
    let mut filled = 0;
    while filled < into.len() {
        let rest = &mut into[filled..];
        // SAFETY: writable for the length given.
        let count = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(count) {
            Ok(count) => filled += count,
            Err(_) if super::socket::errno() == libc::EINTR => {}
            Err(_) => {
                // A kernel before 3.17, or a sandbox: the standard library's hash keys are random
                // as well, and has means of its own to get them.
                use std::collections::hash_map::RandomState;
                use std::hash::{BuildHasher, Hasher};
                for chunk in rest.chunks_mut(8) {
                    let word = RandomState::new().build_hasher().finish().to_ne_bytes();
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
                return;
            }
        }
    }
}

/// Processors that this process may use; at least 1.
pub fn cores() -> usize {
    static CORES: Lazy<usize> =
        Lazy::new(|| std::thread::available_parallelism().map_or(1, |count| count.get()));
    *CORES
}

/// Keeps this library in memory until the process ends: its threads may outlive the last call.
pub fn pin_library() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: writable; the address is one of this library's functions. The path stays valid
        // while the library is loaded, which it is. The handle is meant to be kept for ever.
        unsafe {
            let address = pin_library as fn() as *const c_void;
            if libc::dladdr(address, info.as_mut_ptr()) != 0 {
                let flags = libc::RTLD_NOW | libc::RTLD_NODELETE | libc::RTLD_NOLOAD;
                libc::dlopen(info.assume_init().dli_fname, flags);
            }
        }
    });
}

static FORKED: AtomicBool = AtomicBool::new(false);

/// From now on a child made by fork knows that it is one. Takes no lock of ours, and so can stand
/// before all of them: two threads at once register the handler twice, which does no harm.
pub fn watch_fork() {
    extern "C" fn in_child() {
        FORKED.store(true, Ordering::Relaxed);
    }
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        // SAFETY: the handler is async-signal-safe and stays loaded (`pin_library`).
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        WATCHED.store(true, Ordering::Release);
    }
}

/// Whether this process was forked from one that had called [`watch_fork`]: threads and sockets of
/// the engine are the parent's.
pub fn is_forked_child() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Keeps signals off this thread: handlers run on the host program's own threads.
pub fn block_signals() {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialised by sigfillset before it is read.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut());
    }
}

/// The processor time of one thread, to be read from another.
pub struct ThreadClock {
    /// `None` once the thread has retired: a later thread may get the same clock.
    clock: Mutex<Option<libc::clockid_t>>,
    /// Its number in the system, 0 where there is none.
    thread: u32,
}

impl ThreadClock {
    /// The calling thread's.
    pub fn current() -> ThreadClock {
        let mut clock: libc::clockid_t = 0;
        // SAFETY: the calling thread lives; the clock is writable.
        let result = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        ThreadClock { clock: Mutex::new((result == 0).then_some(clock)), thread: thread_number() }
    }

    /// Whether the thread runs or waits for a processor at this moment, and for nothing else.
    /// False where the system does not tell.
    pub fn is_runnable(&self) -> bool {
        // "11206 (name) R ...": the state follows the name, which may contain anything
        // (proc_pid_stat(5)).
        let path = format!("/proc/self/task/{}/stat", self.thread);
        let line = std::fs::read(path).unwrap_or_default();
        let state = line.iter().rposition(|&byte| byte == b')').and_then(|end| line.get(end + 2));
        state == Some(&b'R')
    }

    /// Nanoseconds that the thread has run on a processor; `None` once it has retired.
    pub fn cpu_nanos(&self) -> Option<u64> {
        // Held during the reading: the thread cannot end meanwhile.
        let clock = lock(&self.clock);
        clock.and_then(read_clock)
    }

    /// To be called by the thread before it ends.
    pub fn retire(&self) {
        *lock(&self.clock) = None;
    }
}

/// Nanoseconds that all threads of this process together have run on processors.
pub fn process_cpu_nanos() -> u64 {
    read_clock(libc::CLOCK_PROCESS_CPUTIME_ID).unwrap_or(0)
}

fn thread_number() -> u32 {
    // SAFETY: the call has no arguments and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

fn read_clock(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writable.
    let result: c_int = unsafe { libc::clock_gettime(clock, &mut time) };
    (result == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Whether this system has COM apartments.
pub const APARTMENTS: bool = false;

/// Leaves the apartment when dropped; to be dropped by the thread that entered.
pub struct ApartmentGuard(());

/// Enters an apartment on this thread; here only none can be.
pub fn enter_apartment(apartment: Apartment) -> Result<ApartmentGuard, NoApartments> {
    match apartment {
        Apartment::None => Ok(ApartmentGuard(())),
        Apartment::SingleThreaded | Apartment::MultiThreaded => Err(NoApartments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::sync::Arc;

    #[test]
    fn a_thread_s_clock_is_read_from_another_and_stops_when_it_retires() {
        let (send, receive) = channel();
        let (release, wait) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let clock = Arc::new(ThreadClock::current());
            let mut sum = 0u64;
            while clock.cpu_nanos().unwrap() < 2_000_000 {
                sum = sum.wrapping_add(1);
            }
            send.send(Arc::clone(&clock)).unwrap();
            wait.recv().unwrap();
            clock.retire();
            sum
        });
        let clock = receive.recv().unwrap();
        let busy = clock.cpu_nanos().unwrap();
        assert!(busy >= 2_000_000);
        assert!(process_cpu_nanos() >= busy);
        release.send(()).unwrap();
        thread.join().unwrap();
        assert_eq!(clock.cpu_nanos(), None);
    }

    #[test]
    fn a_thread_that_sleeps_is_not_runnable_and_one_that_computes_is() {
        let (send, receive) = channel();
        let (release, wait) = channel::<()>();
        let sleeper = std::thread::spawn(move || {
            send.send(ThreadClock::current()).unwrap();
            wait.recv().unwrap();
        });
        let clock = receive.recv().unwrap();
        let begin = std::time::Instant::now();
        while clock.is_runnable() && begin.elapsed().as_secs() < 10 {
            std::thread::yield_now();
        }
        assert!(!clock.is_runnable());
        release.send(()).unwrap();
        sleeper.join().unwrap();
        assert!(ThreadClock::current().is_runnable(), "who asks is running");
    }

    #[test]
    fn a_forked_child_knows_that_it_is_one() {
        watch_fork();
        // SAFETY: the child only reads an atomic and ends.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(if is_forked_child() { 42 } else { 1 });
            }
            let mut status = 0;
            libc::waitpid(child, &mut status, 0);
            status
        };
        assert_eq!(libc::WEXITSTATUS(status), 42);
        assert!(!is_forked_child());
    }

    #[test]
    fn random_bytes_differ_and_reach_the_end() {
        let mut first = [0; 100];
        let mut second = [0; 100];
        random_bytes(&mut first);
        random_bytes(&mut second);
        assert_ne!(first, second);
        assert!(first[80..].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn the_soft_descriptor_limit_becomes_the_hard_one() {
        raise_descriptor_limit();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: writable.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
        assert_eq!(limit.rlim_cur, limit.rlim_max);
    }
}
