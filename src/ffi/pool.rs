//! The exported functions on pools. Each checks its pointers and sizes, looks the handle up and
//! calls `pool`; no decision is made here.

use super::guard::{guard, is_forked_child};
use super::registry::Registry;
use super::text::TextBuffer;
use super::types::*;
use super::versioned::{self, is_size_of, struct_size};
use super::worker::CHost;
use crate::address::Family;
use crate::call::Apartment;
use crate::clock::{Time, MILLISECOND};
use crate::outcome::Completion;
use crate::pool::{Admission, Counts, Polled, Pool, PoolError, PoolOptions};
use crate::probe::{Kind, ProbeOptions, Schedule};
use crate::sys::repeats_refused_connects;
use crate::targets::TargetError;
use std::sync::Arc;
use std::time::Duration;

static POOLS: Registry<Pool> = Registry::new(1);

/// The longest finite timeout taken, about 24 days; longer ones are cut to it.
const LONGEST_WAIT_MS: u64 = i32::MAX as u64;

fn status_of(error: PoolError) -> rr_status {
    match error {
        PoolError::Busy => RR_STATUS_BUSY,
        PoolError::WouldDeadlock => RR_STATUS_WOULD_DEADLOCK,
        PoolError::InputClosed | PoolError::NoCallbacks => RR_STATUS_BAD_STATE,
        PoolError::EchoNotPermitted => RR_STATUS_ICMP_NOT_PERMITTED,
        PoolError::NoThreads => RR_STATUS_NO_THREADS,
        PoolError::NoResources => RR_STATUS_NO_RESOURCES,
        PoolError::NotSupported => RR_STATUS_NOT_SUPPORTED,
    }
}

fn with_pool(handle: rr_pool, body: impl FnOnce(&Arc<Pool>) -> rr_status) -> rr_status {
    guard(|| match POOLS.get(handle) {
        Some(pool) => body(&pool),
        None => RR_STATUS_BAD_HANDLE,
    })
}

/// Opens a pool. It runs until rr_pool_close.
///
/// Errors: NULL_POINTER, BAD_SIZE, INVALID_ARGUMENT, NO_RESOURCES, NO_THREADS; NOT_SUPPORTED for an
/// apartment on a system without COM; BAD_STATE in a forked child. On success `release` of the options will be called once; on
/// failure it is not called.
///
/// # Safety
/// `options` points to a readable rr_pool_options, `out_pool` to a writable rr_pool.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_open(
    options: *const rr_pool_options,
    out_pool: *mut rr_pool,
) -> rr_status {
    if is_forked_child() {
        return RR_STATUS_BAD_STATE;
    }
    guard(|| {
        if options.is_null() || out_pool.is_null() {
            return RR_STATUS_NULL_POINTER;
        }
        // SAFETY: not NULL, and every version of the struct begins with struct_size.
        let options = match unsafe { struct_size(options) } {
            // SAFETY: as large as struct_size says.
            Some(size) => unsafe { versioned::read(options, size) },
            None => return RR_STATUS_BAD_SIZE,
        };
        let apartment = match options.apartment {
            RR_APARTMENT_NONE => Apartment::None,
            RR_APARTMENT_STA => Apartment::SingleThreaded,
            RR_APARTMENT_MTA => Apartment::MultiThreaded,
            _ => return RR_STATUS_INVALID_ARGUMENT,
        };
        let max_workers = match options.max_workers {
            0 => 32,
            count @ 1..=1024 => count,
            _ => return RR_STATUS_INVALID_ARGUMENT,
        };
        let limit = |ms: u64| (ms != 0).then(|| Duration::from_millis(ms.min(LONGEST_WAIT_MS)));
        let host = CHost::new(&options).map(Arc::new);
        let opened = Pool::open(PoolOptions {
            max_workers,
            packets_per_second: options.packets_per_second,
            apartment,
            run_limit: limit(options.run_limit_ms),
            job_limit: limit(options.job_limit_ms),
            host: host.clone().map(|host| host as Arc<dyn crate::call::Host>),
        });
        let pool = match opened {
            Ok(pool) => pool,
            Err(error) => return status_of(error),
        };
        match POOLS.insert(Arc::clone(&pool)) {
            Some(handle) => {
                if let Some(host) = host {
                    host.release_on_drop();
                }
                // SAFETY: not NULL, writable by the contract.
                unsafe { out_pool.write(handle) };
                RR_STATUS_OK
            }
            None => {
                pool.close();
                RR_STATUS_NO_RESOURCES
            }
        }
    })
}

/// Submits targets to probe; any thread, also while the pool runs.
///
/// `targets` are `target_count` elements of `target_size` bytes each; their texts lie in `text`.
/// `*out_taken` says how many were taken, from the first on; each of them has its status, flags and
/// number of jobs. An invalid target is taken, has its error as status and becomes no job. Fewer
/// than `target_count` with AGAIN means that the pool has as much as it holds: poll, collect, and
/// submit the rest again.
///
/// Errors: NULL_POINTER, BAD_SIZE, BAD_HANDLE, INVALID_ARGUMENT (options, or a text outside the
/// buffer), ICMP_NOT_PERMITTED (nothing was taken), BAD_STATE after rr_pool_close_input; CLOSED
/// after rr_pool_cancel or the run limit.
///
/// # Safety
/// The pointers are valid for the sizes given; `targets` and `out_taken` are writable.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_submit_probes(
    pool: rr_pool,
    options: *const rr_probe_options,
    targets: *mut rr_target,
    target_count: usize,
    target_size: usize,
    text: *const u8,
    text_length: usize,
    out_taken: *mut usize,
) -> rr_status {
    with_pool(pool, |pool| {
        if options.is_null() || out_taken.is_null() {
            return RR_STATUS_NULL_POINTER;
        }
        if (targets.is_null() && target_count > 0) || (text.is_null() && text_length > 0) {
            return RR_STATUS_NULL_POINTER;
        }
        if !is_size_of::<rr_target>(target_size) {
            return RR_STATUS_BAD_SIZE;
        }
        // SAFETY: not NULL, and every version of the struct begins with struct_size.
        let options = match unsafe { struct_size(options) } {
            // SAFETY: as large as struct_size says.
            Some(size) => unsafe { versioned::read(options, size) },
            None => return RR_STATUS_BAD_SIZE,
        };
        // SAFETY: the ports are readable by the contract.
        let options = match unsafe { probe_options(&options) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        let text: &[u8] = if text_length == 0 {
            &[]
        } else {
            // SAFETY: not NULL, readable for text_length bytes by the contract.
            unsafe { std::slice::from_raw_parts(text, text_length) }
        };
        let mut batch = match pool.begin_submit(options) {
            Ok(batch) => batch,
            Err(error) => return status_of(error),
        };
        let mut status = RR_STATUS_OK;
        let mut taken = 0;
        while taken < target_count {
            // SAFETY: element `taken` of `target_count`, `target_size` bytes apart.
            let target =
                unsafe { targets.cast::<u8>().add(taken * target_size) }.cast::<rr_target>();
            // SAFETY: as above; the caller's memory may be unaligned for us only against the rules.
            let mut value: rr_target = unsafe { versioned::read(target, target_size) };
            let begin = value.text_offset as usize;
            let bytes = match text.get(begin..begin.saturating_add(value.text_length as usize)) {
                Some(bytes) => bytes,
                None => {
                    status = RR_STATUS_INVALID_ARGUMENT;
                    break;
                }
            };
            match batch.push(value.user_data, bytes) {
                Admission::Taken(info) => {
                    value.status = RR_STATUS_OK;
                    value.jobs = info.jobs;
                    value.flags = if info.expanded { RR_TARGET_EXPANDED } else { 0 }
                        | if info.name { RR_TARGET_NAME } else { 0 };
                }
                Admission::Invalid(error) => {
                    value.status = match error {
                        TargetError::Invalid => RR_STATUS_INVALID_TARGET,
                        TargetError::TooManyAddresses => RR_STATUS_TOO_MANY_ADDRESSES,
                    };
                    value.jobs = 0;
                    value.flags = 0;
                }
                Admission::Full => {
                    status = RR_STATUS_AGAIN;
                    break;
                }
                Admission::Cancelled => {
                    status = RR_STATUS_CLOSED;
                    break;
                }
            }
            // SAFETY: as above, writable by the contract.
            unsafe { versioned::write(target, target_size, &value) };
            taken += 1;
        }
        drop(batch);
        // SAFETY: not NULL, writable by the contract.
        unsafe { out_taken.write(taken) };
        status
    })
}

/// # Safety
/// `options.ports` is readable for `options.port_count` numbers.
unsafe fn probe_options(options: &rr_probe_options) -> Result<ProbeOptions, rr_status> {
    if options.flags & !(RR_PROBE_STATISTICS | RR_PROBE_RESOLVE) != 0
        || options.count > 1000
        || options.payload_size > 65_500
        || options.hops > 255
        || options.port_count > 65_535
    {
        return Err(RR_STATUS_INVALID_ARGUMENT);
    }
    let family = match options.family {
        0 => None,
        4 => Some(Family::V4),
        6 => Some(Family::V6),
        _ => return Err(RR_STATUS_INVALID_ARGUMENT),
    };
    let (kind, count) = match options.kind {
        RR_KIND_ECHO if options.port_count == 0 => (Kind::Echo, 4),
        RR_KIND_CONNECT if options.port_count > 0 => {
            if options.ports.is_null() {
                return Err(RR_STATUS_NULL_POINTER);
            }
            // SAFETY: not NULL, readable for port_count numbers by the contract.
            let ports =
                unsafe { std::slice::from_raw_parts(options.ports, options.port_count as usize) };
            if ports.contains(&0) {
                return Err(RR_STATUS_INVALID_ARGUMENT);
            }
            (Kind::Connect { ports: ports.into() }, 1)
        }
        _ => return Err(RR_STATUS_INVALID_ARGUMENT),
    };
    let timeout_ms = rr_default_reply_timeout(options.kind);
    let or = |given: u32, default: u32| if given == 0 { default } else { given };
    Ok(ProbeOptions {
        kind,
        schedule: Schedule {
            count: or(options.count, count) as u16,
            interval: u64::from(or(options.interval_ms, 1000)) * MILLISECOND,
            reply_timeout: u64::from(or(options.reply_timeout_ms, timeout_ms)) * MILLISECOND,
            statistics: options.flags & RR_PROBE_STATISTICS != 0,
        },
        payload_size: options.payload_size as u16,
        hops: options.hops as u8,
        family,
        resolve: options.flags & RR_PROBE_RESOLVE != 0,
    })
}

/// Milliseconds that a reply is waited for where rr_probe_options.reply_timeout_ms is 0, by its kind:
/// 1000 for RR_KIND_ECHO; for RR_KIND_CONNECT a second for the answer to the first SYN, which may be
/// lost, and one for the answer to the second, or 2500 on systems that repeat SYNs that are refused,
/// which takes up to two seconds. 0 for any other kind.
#[no_mangle]
pub extern "C" fn rr_default_reply_timeout(kind: u32) -> u32 {
    match kind {
        RR_KIND_ECHO => 1000,
        RR_KIND_CONNECT if repeats_refused_connects() => 2500,
        RR_KIND_CONNECT => 2000,
        _ => 0,
    }
}

/// Submits calls: `user_data` are `count` numbers, each becomes one job for the pool's callback.
/// `*out_taken` and AGAIN are as in rr_pool_submit_probes.
///
/// Errors: NULL_POINTER, BAD_HANDLE, NO_THREADS, BAD_STATE (the pool has no `run` callback, or its
/// input is closed); CLOSED after rr_pool_cancel or the run limit.
///
/// # Safety
/// `user_data` is readable for `count` numbers, `out_taken` is writable.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_submit_calls(
    pool: rr_pool,
    user_data: *const u64,
    count: usize,
    out_taken: *mut usize,
) -> rr_status {
    with_pool(pool, |pool| {
        if out_taken.is_null() || (user_data.is_null() && count > 0) {
            return RR_STATUS_NULL_POINTER;
        }
        let calls: &[u64] = if count == 0 {
            &[]
        } else {
            // SAFETY: not NULL, readable for count numbers by the contract.
            unsafe { std::slice::from_raw_parts(user_data, count) }
        };
        let (taken, status) = match pool.submit_calls(calls) {
            Ok(Some(taken)) if taken == count => (taken, RR_STATUS_OK),
            Ok(Some(taken)) => (taken, RR_STATUS_AGAIN),
            Ok(None) => (0, RR_STATUS_CLOSED),
            Err(error) => return status_of(error),
        };
        // SAFETY: not NULL, writable by the contract.
        unsafe { out_taken.write(taken) };
        status
    })
}

/// Says that no more jobs will come, so that rr_pool_poll can tell the end. May be repeated.
///
/// Errors: BAD_HANDLE.
#[no_mangle]
pub extern "C" fn rr_pool_close_input(pool: rr_pool) -> rr_status {
    with_pool(pool, |pool| {
        pool.close_input();
        RR_STATUS_OK
    })
}

/// Sleeps until a completion is ready, the pool was cancelled or woken, or `timeout_ms` have passed
/// (UINT64_MAX: no limit; 0: do not sleep). One thread at a time, together with rr_pool_collect.
///
/// Returns OK; TIMEOUT; CLOSED when the input is closed and every completion has been collected.
/// `out_counts` (may be NULL) is written in these three cases.
///
/// Errors: BAD_HANDLE (also when the pool is closed meanwhile), BAD_SIZE, BUSY, WOULD_DEADLOCK (from
/// the pool's own callback with a timeout).
///
/// # Safety
/// `out_counts` is NULL or points to a writable rr_pool_counts with its struct_size set.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_poll(
    pool: rr_pool,
    timeout_ms: u64,
    out_counts: *mut rr_pool_counts,
) -> rr_status {
    with_pool(pool, |pool| {
        // SAFETY: not NULL where read; every version of the struct begins with struct_size.
        if !out_counts.is_null() && unsafe { struct_size(out_counts) }.is_none() {
            return RR_STATUS_BAD_SIZE;
        }
        let deadline = match timeout_ms {
            u64::MAX => Time::NEVER,
            0 => Time::from_nanos(0),
            ms => Time::now().plus(Duration::from_millis(ms.min(LONGEST_WAIT_MS))),
        };
        let (polled, counts) = match pool.poll(deadline) {
            Ok(polled) => polled,
            Err(error) => return status_of(error),
        };
        let status = match polled {
            Polled::Ready => RR_STATUS_OK,
            Polled::TimedOut => RR_STATUS_TIMEOUT,
            Polled::Finished => RR_STATUS_CLOSED,
            Polled::PoolClosed => return RR_STATUS_BAD_HANDLE,
        };
        if !out_counts.is_null() {
            // SAFETY: not NULL, writable and large enough by the check above.
            unsafe { write_counts(out_counts, &counts) };
        }
        status
    })
}

/// # Safety
/// `out` is writable for its struct_size, which is that of a version.
unsafe fn write_counts(out: *mut rr_pool_counts, counts: &Counts) {
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    // SAFETY: by the contract.
    let struct_size = unsafe { out.cast::<u32>().read() };
    let network = &counts.network;
    let value = rr_pool_counts {
        struct_size,
        flags: flag(counts.input_closed, RR_POOL_INPUT_CLOSED)
            | flag(counts.cancelled, RR_POOL_CANCELLED)
            | flag(counts.run_limit_reached, RR_POOL_RUN_LIMIT_REACHED),
        submitted: counts.submitted,
        begun: counts.begun,
        finished: counts.finished,
        ready: counts.ready,
        packets_sent: counts.packets_sent,
        packets_foreign: network.packets_foreign,
        workers: counts.workers,
        workers_abandoned: counts.workers_abandoned,
        packets_not_sent: counts.packets_not_sent,
        errors_drained: network.errors_drained,
        buffer_overflows: network.overflows,
        late_turns: network.late_turns,
        lookups_open: u32::try_from(counts.lookups_open).unwrap_or(u32::MAX),
        reserved: 0,
    };
    // SAFETY: by the contract.
    unsafe { versioned::write(out, struct_size as usize, &value) };
}

/// Takes up to `capacity` finished completions, `completion_size` bytes apart, with their texts in
/// `text`. Never sleeps. `*out_count` may be 0; `*out_text_length` is the part of `text` used.
///
/// Errors: NULL_POINTER, BAD_SIZE, BAD_HANDLE, BUSY; BUFFER_TOO_SMALL when `text` has no room for
/// the texts of even one completion: `*out_text_length` is then the length it needs.
///
/// # Safety
/// The pointers are writable for the sizes given.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_collect(
    pool: rr_pool,
    completions: *mut rr_completion,
    capacity: usize,
    completion_size: usize,
    text: *mut u8,
    text_capacity: usize,
    out_count: *mut usize,
    out_text_length: *mut usize,
) -> rr_status {
    with_pool(pool, |pool| {
        if out_count.is_null()
            || out_text_length.is_null()
            || (completions.is_null() && capacity > 0)
            || (text.is_null() && text_capacity > 0)
        {
            return RR_STATUS_NULL_POINTER;
        }
        if !is_size_of::<rr_completion>(completion_size) {
            return RR_STATUS_BAD_SIZE;
        }
        // SAFETY: writable for text_capacity bytes by the contract.
        let mut texts = unsafe { TextBuffer::new(text, text_capacity) };
        let mut count = 0;
        let mut needed = None;
        let taken = pool.collect(&mut |completion: &Completion| {
            if count == capacity {
                return false;
            }
            let flat = match texts.flatten(completion) {
                Some(flat) => flat,
                None => {
                    needed = Some(TextBuffer::needed(completion));
                    return false;
                }
            };
            // SAFETY: element `count` of `capacity`, `completion_size` bytes apart, writable.
            unsafe {
                let at = completions.cast::<u8>().add(count * completion_size);
                versioned::write(at.cast::<rr_completion>(), completion_size, &flat);
            }
            count += 1;
            true
        });
        if let Err(error) = taken {
            return status_of(error);
        }
        let (status, text_length) = match needed {
            Some(needed) if count == 0 => (RR_STATUS_BUFFER_TOO_SMALL, needed),
            _ => (RR_STATUS_OK, texts.used()),
        };
        // SAFETY: not NULL, writable by the contract.
        unsafe {
            out_count.write(count);
            out_text_length.write(text_length);
        }
        status
    })
}

/// Ends every unfinished job: begun ones are Stopped, others NotStarted; each still gets its one
/// completion. Any thread, also from a callback; may be repeated. Wakes the poller.
///
/// Errors: BAD_HANDLE.
#[no_mangle]
pub extern "C" fn rr_pool_cancel(pool: rr_pool) -> rr_status {
    with_pool(pool, |pool| {
        pool.cancel();
        RR_STATUS_OK
    })
}

/// Makes the present or the next rr_pool_poll of this pool return OK. Any thread.
///
/// Errors: BAD_HANDLE.
#[no_mangle]
pub extern "C" fn rr_pool_wake(pool: rr_pool) -> rr_status {
    with_pool(pool, |pool| {
        pool.wake();
        RR_STATUS_OK
    })
}

/// Ends a pool within a second, whatever its callbacks do; what was not collected is lost. From
/// now on no callback begins. `*out_running_callbacks` (may be NULL) says how many have not come
/// back, `stop` and `paused` included; their rr_worker_* calls return CLOSED, and `release` is called
/// after the last of them.
///
/// Errors: BAD_HANDLE (also at the second close), WOULD_DEADLOCK from the pool's own callback.
///
/// # Safety
/// `out_running_callbacks` is NULL or writable.
#[no_mangle]
pub unsafe extern "C" fn rr_pool_close(
    pool: rr_pool,
    out_running_callbacks: *mut u32,
) -> rr_status {
    guard(|| {
        match POOLS.get(pool) {
            None => return RR_STATUS_BAD_HANDLE,
            Some(pool) if pool.is_own_callback() => return RR_STATUS_WOULD_DEADLOCK,
            Some(_) => {}
        }
        let running = match POOLS.remove(pool) {
            Some(pool) => pool.close(),
            None => return RR_STATUS_BAD_HANDLE, // another thread was faster
        };
        if !out_running_callbacks.is_null() {
            // SAFETY: not NULL, writable by the contract.
            unsafe { out_running_callbacks.write(running) };
        }
        RR_STATUS_OK
    })
}
