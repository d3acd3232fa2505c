//! The exported functions for use inside a callback, and the host whose callbacks are C function
//! pointers.

use super::guard::guard;
use super::registry::Registry;
use super::types::*;
use super::versioned::{self, struct_size};
use crate::call::{FinishError, Host, Worker};
use crate::outcome::Outcome;
use crate::sync::lock;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

static WORKERS: Registry<Worker> = Registry::new(2);

/// The callbacks of `rr_pool_options`. Dropped when no thread can call them any more: that is when
/// `release` is called.
pub struct CHost {
    run: unsafe extern "C" fn(*mut c_void, rr_worker),
    stop: Option<unsafe extern "C" fn(*mut c_void, rr_worker, u64)>,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
    paused: Option<unsafe extern "C" fn(*mut c_void) -> u64>,
    context: *mut c_void,
    opened: AtomicBool,
    /// Handles by worker number, for `stop`.
    handles: Mutex<Vec<(u32, rr_worker)>>,
}

// SAFETY: the context is only handed back to the caller's functions, which by the contract of
// rr_pool_open may be called from any thread of the pool.
unsafe impl Send for CHost {}
// SAFETY: as above.
unsafe impl Sync for CHost {}

impl CHost {
    /// `None` where there is no `run`.
    pub fn new(options: &rr_pool_options) -> Option<CHost> {
        Some(CHost {
            run: options.run?,
            stop: options.stop,
            release: options.release,
            paused: options.paused,
            context: options.context,
            opened: AtomicBool::new(false),
            handles: Mutex::new(Vec::new()),
        })
    }

    /// From now on dropping the host calls `release`: the pool has been opened.
    pub fn release_on_drop(&self) {
        self.opened.store(true, Ordering::Release);
    }
}

impl Host for CHost {
    fn run(&self, worker: &Arc<Worker>) {
        let handle = match WORKERS.insert(Arc::clone(worker)) {
            Some(handle) => handle,
            None => return,
        };
        lock(&self.handles).push((worker.number(), handle));
        // SAFETY: the caller's function, as promised to rr_pool_open; it does not unwind.
        unsafe { (self.run)(self.context, handle) };
        lock(&self.handles).retain(|(_, open)| *open != handle);
        WORKERS.remove(handle);
    }

    fn can_stop(&self) -> bool {
        self.stop.is_some()
    }

    fn stop(&self, worker: u32, user_data: u64) {
        let handles = lock(&self.handles);
        let handle = handles.iter().find(|(open, _)| *open == worker).map(|open| open.1);
        drop(handles);
        if let (Some(stop), Some(handle)) = (self.stop, handle) {
            // SAFETY: the caller's function, as promised to rr_pool_open; it does not unwind.
            unsafe { stop(self.context, handle, user_data) };
        }
    }

    fn paused_nanos(&self) -> u64 {
        match self.paused {
            // SAFETY: the caller's function, as promised to rr_pool_open; it does not unwind.
            Some(paused) => unsafe { paused(self.context) },
            None => 0,
        }
    }
}

impl Drop for CHost {
    fn drop(&mut self) {
        if let (true, Some(release)) = (*self.opened.get_mut(), self.release) {
            // SAFETY: the caller's function; this is the last reference, so it is called once.
            unsafe { release(self.context) };
        }
    }
}

/// Says that what this worker runs in is open: what it does from here until its first rr_worker_next
/// makes it ready. Optional: pools open at most two workers at a time, and one is opening until this
/// or its first rr_worker_next. Only inside the worker's callback, on its thread.
///
/// Returns OK, or CLOSED: the callback shall return.
/// Errors: BAD_HANDLE.
#[no_mangle]
pub extern "C" fn rr_worker_opened(worker: rr_worker) -> rr_status {
    guard(|| match WORKERS.get(worker) {
        Some(worker) if worker.opened() => RR_STATUS_OK,
        Some(_) => RR_STATUS_CLOSED,
        None => RR_STATUS_BAD_HANDLE,
    })
}

/// Takes the next call; sleeps until there is one. Only inside the worker's callback, on its thread.
///
/// Returns OK, or CLOSED: the callback shall return.
/// Errors: NULL_POINTER, BAD_SIZE, BAD_HANDLE, BAD_STATE (the call taken before is not finished).
///
/// # Safety
/// `out_call` points to a writable rr_call with its struct_size set.
#[no_mangle]
pub unsafe extern "C" fn rr_worker_next(worker: rr_worker, out_call: *mut rr_call) -> rr_status {
    guard(|| {
        if out_call.is_null() {
            return RR_STATUS_NULL_POINTER;
        }
        // SAFETY: not NULL; every version of the struct begins with struct_size.
        let size = match unsafe { struct_size(out_call) } {
            Some(size) => size,
            None => return RR_STATUS_BAD_SIZE,
        };
        let worker = match WORKERS.get(worker) {
            Some(worker) => worker,
            None => return RR_STATUS_BAD_HANDLE,
        };
        match worker.next() {
            Ok(Some(user_data)) => {
                let worker_number = worker.number();
                let call = rr_call { struct_size: size as u32, worker_number, user_data };
                // SAFETY: not NULL, writable for its size by the contract.
                unsafe { versioned::write(out_call, size, &call) };
                RR_STATUS_OK
            }
            Ok(None) => RR_STATUS_CLOSED,
            Err(FinishError::NothingTaken | FinishError::NotFinished) => RR_STATUS_BAD_STATE,
        }
    })
}

/// Reports the call taken last as ended, with RR_OUTCOME_COMPLETED, RR_OUTCOME_FAILED,
/// RR_OUTCOME_STOPPED or RR_OUTCOME_LOST. A call that was asked to stop keeps the outcome of that.
/// Only inside the worker's callback, on its thread.
///
/// Returns OK, or CLOSED: the worker was given up meanwhile, or the pool closed; the callback
/// shall return.
/// Errors: BAD_HANDLE, INVALID_ARGUMENT (outcome), BAD_STATE (no call is taken).
#[no_mangle]
pub extern "C" fn rr_worker_finish(worker: rr_worker, outcome: u32) -> rr_status {
    guard(|| {
        let outcome = match outcome {
            RR_OUTCOME_COMPLETED => Outcome::Completed,
            RR_OUTCOME_FAILED => Outcome::Failed,
            RR_OUTCOME_STOPPED => Outcome::Stopped,
            RR_OUTCOME_LOST => Outcome::Lost,
            _ => return RR_STATUS_INVALID_ARGUMENT,
        };
        let worker = match WORKERS.get(worker) {
            Some(worker) => worker,
            None => return RR_STATUS_BAD_HANDLE,
        };
        match worker.finish(outcome) {
            Ok(true) => RR_STATUS_OK,
            Ok(false) => RR_STATUS_CLOSED,
            Err(_) => RR_STATUS_BAD_STATE,
        }
    })
}
