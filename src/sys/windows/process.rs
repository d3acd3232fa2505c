//! Small questions to the system about this process and its threads. Any thread.

use super::bindings::*;
use crate::clock::MILLISECOND;
use crate::sync::lock;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::{Mutex, Once};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system limits handles by memory only.
pub fn raise_descriptor_limit() {}

/// Nanoseconds since 1970-01-01 UTC on the wall clock, negative before.
pub fn wall_clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    }
}

/// The monotonic clock goes on while the machine is suspended.
pub fn suspended() -> u64 {
    0
}

/// Fills with bytes that nobody can guess.
pub fn random_bytes(into: &mut [u8]) {
    fill(into, |chunk| {
        let (pointer, length) = (chunk.as_mut_ptr(), chunk.len() as u32);
        // SAFETY: writable for the length given; the system's own generator needs no handle. A
        // negative status is a failure.
        unsafe {
            BCryptGenRandom(null_mut(), pointer, length, BCRYPT_USE_SYSTEM_PREFERRED_RNG) >= 0
        }
    });
}

/// Where the system's generator fails (a library of the provider's may be missing or refused), the
/// standard library's keys stand in: seeded by the system once, by other means, and different each
/// time. Zeros would be anybody's.
fn fill(into: &mut [u8], generate: impl Fn(&mut [u8]) -> bool) {
    for chunk in into.chunks_mut(u32::MAX as usize) {
        if !generate(chunk) {
            for word in chunk.chunks_mut(8) {
                let random = RandomState::new().build_hasher().finish().to_ne_bytes();
                word.copy_from_slice(&random[..word.len()]);
            }
        }
    }
}

/// Processors that this process may use; at least 1.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get())
}

/// Keeps this library in memory until the process ends: its threads may outlive the last call.
pub fn pin_library() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
        let mut module = null_mut();
        // SAFETY: the address is one of this library's functions; writable for the handle, which
        // is not needed.
        unsafe { GetModuleHandleExW(flags, pin_library as fn() as *const u16, &mut module) };
    });
}

/// The system has no fork.
pub fn watch_fork() {}

/// Always false: the system has no fork.
pub fn is_forked_child() -> bool {
    false
}

/// The system has no signals.
pub fn block_signals() {}

/// The processor time of one thread, to be read from another.
pub struct ThreadClock {
    /// `None` once the thread has retired.
    clock: Mutex<Option<OwnedHandle>>,
}

impl ThreadClock {
    /// The calling thread's.
    pub fn current() -> ThreadClock {
        // SAFETY: the calling thread lives.
        let thread =
            unsafe { OpenThread(THREAD_QUERY_LIMITED_INFORMATION, 0, GetCurrentThreadId()) };
        // SAFETY: new, and nobody else's.
        let own = |thread| unsafe { OwnedHandle::from_raw_handle(thread) };
        let clock = (!thread.is_null()).then(|| own(thread));
        ThreadClock { clock: Mutex::new(clock) }
    }

    /// Nanoseconds that the thread has run on a processor; `None` once it has retired.
    ///
    /// Every Windows counts a thread's cycles (the page of QueryThreadCycleTime: since Vista). Wine
    /// does not: there the thread's times stand in, which move by ticks.
    pub fn cpu_nanos(&self) -> Option<u64> {
        let clock = lock(&self.clock);
        let thread = clock.as_ref()?;
        let mut cycles = 0;
        // SAFETY: the thread's handle is open; writable.
        if unsafe { QueryThreadCycleTime(thread.as_raw_handle(), &mut cycles) } != 0 {
            return Some(nanos_of(cycles));
        }
        thread_times(thread)
    }

    /// Whether the thread runs or waits for a processor at this moment. Windows does not tell
    /// without walking the threads of all processes.
    pub fn is_runnable(&self) -> bool {
        false
    }

    /// To be called by the thread before it ends.
    pub fn retire(&self) {
        *lock(&self.clock) = None;
    }
}

/// Nanoseconds that all threads of this process together have run on processors.
pub fn process_cpu_nanos() -> u64 {
    match process_cycles() {
        Some(cycles) => nanos_of(cycles),
        None => process_times(),
    }
}

fn process_cycles() -> Option<u64> {
    let mut cycles = 0;
    // SAFETY: the process's own handle; writable.
    let result = unsafe { QueryProcessCycleTime(GetCurrentProcess(), &mut cycles) };
    (result != 0).then_some(cycles)
}

/// Cycles as nanoseconds. The page of QueryThreadCycleTime warns that the one is not told from the
/// other, which differs by processor: so by the process's own account of both. Before there is enough
/// of it, at 2 GHz: a comparison of threads with the time that passes needs the order of magnitude.
fn nanos_of(cycles: u64) -> u64 {
    let nanos = process_times();
    let scaled = match process_cycles() {
        Some(all) if nanos >= 100 * MILLISECOND && all > 0 => {
            u128::from(cycles) * u128::from(nanos) / u128::from(all)
        }
        _ => u128::from(cycles / 2),
    };
    scaled as u64
}

fn thread_times(thread: &OwnedHandle) -> Option<u64> {
    let [mut creation, mut exit, mut kernel, mut user] = [FileTime::default(); 4];
    // SAFETY: the handle is open; all is writable.
    let result = unsafe {
        let thread = thread.as_raw_handle();
        GetThreadTimes(thread, &mut creation, &mut exit, &mut kernel, &mut user)
    };
    (result != 0).then(|| nanos(kernel) + nanos(user))
}

fn process_times() -> u64 {
    let [mut creation, mut exit, mut kernel, mut user] = [FileTime::default(); 4];
    // SAFETY: the process's own handle; all is writable, and stays zero in case of an error.
    unsafe {
        let process = GetCurrentProcess();
        GetProcessTimes(process, &mut creation, &mut exit, &mut kernel, &mut user);
    }
    nanos(kernel) + nanos(user)
}

fn nanos(time: FileTime) -> u64 {
    (u64::from(time.high) << 32 | u64::from(time.low)) * 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use std::sync::mpsc::channel;
    use std::sync::Arc;

    #[test]
    fn a_thread_s_clock_is_read_from_another_and_stops_when_it_retires() {
        let (send, receive) = channel();
        let (release, wait) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let clock = Arc::new(ThreadClock::current());
            let begun = clock.cpu_nanos().unwrap();
            while clock.cpu_nanos().unwrap() < begun + 2_000_000 {}
            send.send(Arc::clone(&clock)).unwrap();
            wait.recv().unwrap();
            clock.retire();
        });
        let clock = receive.recv().unwrap();
        assert!(clock.cpu_nanos().unwrap() >= 2_000_000);
        release.send(()).unwrap();
        thread.join().unwrap();
        assert_eq!(clock.cpu_nanos(), None);
    }

    #[test]
    fn the_process_clock_advances_with_work() {
        let begun = process_cpu_nanos();
        let limit = Time::now().plus_nanos(2_000 * MILLISECOND);
        while process_cpu_nanos() == begun {
            assert!(Time::now() < limit, "two seconds of work and nothing counted");
        }
        assert!(process_cpu_nanos() > begun);
    }

    #[test]
    fn random_bytes_differ_and_reach_the_end_even_where_the_system_gives_none() {
        for random in [random_bytes, |into: &mut [u8]| fill(into, |_| false)] {
            let mut first = [0; 100];
            let mut second = [0; 100];
            random(&mut first);
            random(&mut second);
            assert_ne!(first, second);
            assert_ne!(first[..8], first[8..16]);
            assert!(first[96..].iter().any(|byte| *byte != 0));
        }
    }
}
