//! The system's calls whose contracts the port and the echo requests are built on, as a trait, so
//! that tests can play what the documentation says and no machine at hand shows: every value that a
//! call may return, late completions, a port that is always full. Decides nothing.

use super::bindings::*;
use super::socket::last_error;
use crate::address::Family;
use crate::clock::Time;
use std::os::raw::c_void;
use std::os::windows::io::{FromRawHandle, OwnedHandle, RawHandle};
use std::ptr::{null, null_mut};

/// What an echo request is sent with. The system uses payload and reply until its completion.
pub struct EchoCall {
    pub family: Family,
    /// Of IPv4, in network byte order.
    pub to_v4: u32,
    pub from_v6: *const SockaddrIn6,
    pub to_v6: *const SockaddrIn6,
    pub context: usize,
    pub data: *const u8,
    pub size: u16,
    /// NULL: the system's own.
    pub options: *const IpOptions,
    pub replies: *mut c_void,
    pub replies_size: u32,
    pub milliseconds: u32,
}

/// See the file's head.
pub trait Calls: Clone + Send {
    /// The monotonic clock.
    fn now(&self) -> Time;

    /// GetQueuedCompletionStatusEx, alertable: how many entries it filled, or the last error.
    fn dequeue(
        &self,
        port: RawHandle,
        entries: &mut [OverlappedEntry],
        milliseconds: u32,
    ) -> Result<usize, i32>;

    /// PostQueuedCompletionStatus; whether it could.
    fn post(&self, port: RawHandle, key: usize) -> bool;

    /// SleepEx, alertable; whether APCs have run.
    fn run_calls(&self, milliseconds: u32) -> bool;

    /// CreateWaitableTimerExW, of high resolution; `None` where the system has none.
    fn make_timer(&self) -> Option<OwnedHandle>;

    /// SetWaitableTimer, for so many units of 100 ns from now on; whether it could.
    fn set_timer(&self, timer: RawHandle, hundred_nanos: i64) -> bool;

    /// WaitForSingleObjectEx, alertable, for the timer; whether APCs have run.
    fn sleep_on(&self, timer: RawHandle, milliseconds: u32) -> bool;

    /// IcmpCreateFile, Icmp6CreateFile.
    fn open_icmp(&self, family: Family) -> Result<RawHandle, i32>;

    /// IcmpCloseHandle.
    fn close_icmp(&self, file: RawHandle);

    /// IcmpSendEcho2, Icmp6SendEcho2: the result and the last error. The context comes back to
    /// [`super::echo::ended`] on this thread.
    ///
    /// # Safety
    /// The data are readable and the replies writable until no completion can come any more.
    unsafe fn send_echo(&self, file: RawHandle, call: &EchoCall) -> (u32, i32);

    /// IcmpParseReplies, Icmp6ParseReplies: the number of replies and the last error.
    ///
    /// # Safety
    /// Writable for the size; not the system's any more.
    unsafe fn parse(&self, family: Family, replies: *mut c_void, size: u32) -> (u32, i32);
}

/// The system's own.
#[derive(Clone, Copy)]
pub struct System;

impl Calls for System {
    fn now(&self) -> Time {
        Time::now()
    }

    fn dequeue(
        &self,
        port: RawHandle,
        entries: &mut [OverlappedEntry],
        milliseconds: u32,
    ) -> Result<usize, i32> {
        let (room, mut removed) = (entries.len() as u32, 0);
        // SAFETY: an open port; writable for the entries and for the count.
        let result = unsafe {
            let entries = entries.as_mut_ptr();
            GetQueuedCompletionStatusEx(port, entries, room, &mut removed, milliseconds, 1)
        };
        match result {
            0 => Err(last_error()),
            _ => Ok(removed as usize),
        }
    }

    fn post(&self, port: RawHandle, key: usize) -> bool {
        // SAFETY: an open port; no pointer is passed.
        unsafe { PostQueuedCompletionStatus(port, 0, key, null_mut()) != 0 }
    }

    fn run_calls(&self, milliseconds: u32) -> bool {
        // SAFETY: runs APCs of ours, which only note that they have run.
        unsafe { SleepEx(milliseconds, 1) == WAIT_IO_COMPLETION as u32 }
    }

    fn make_timer(&self) -> Option<OwnedHandle> {
        let (flags, access) =
            (CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_MODIFY_STATE | SYNCHRONIZE);
        // SAFETY: no attributes, no name.
        let timer = unsafe { CreateWaitableTimerExW(null(), null(), flags, access) };
        // SAFETY: new, and nobody else's.
        (!timer.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(timer) })
    }

    fn set_timer(&self, timer: RawHandle, hundred_nanos: i64) -> bool {
        // Negative: from now on.
        let due = -hundred_nanos;
        // SAFETY: an open timer, a readable time, no routine.
        unsafe { SetWaitableTimer(timer, &due, 0, null(), null_mut(), 0) != 0 }
    }

    fn sleep_on(&self, timer: RawHandle, milliseconds: u32) -> bool {
        // SAFETY: an open timer.
        unsafe { WaitForSingleObjectEx(timer, milliseconds, 1) == WAIT_IO_COMPLETION as u32 }
    }

    fn open_icmp(&self, family: Family) -> Result<RawHandle, i32> {
        // SAFETY: no arguments.
        let file = unsafe {
            match family {
                Family::V4 => IcmpCreateFile(),
                Family::V6 => Icmp6CreateFile(),
            }
        };
        match file == INVALID_HANDLE_VALUE || file.is_null() {
            true => Err(last_error()),
            false => Ok(file),
        }
    }

    fn close_icmp(&self, file: RawHandle) {
        // SAFETY: open, and closed once by its owner.
        unsafe { IcmpCloseHandle(file) };
    }

    unsafe fn send_echo(&self, file: RawHandle, call: &EchoCall) -> (u32, i32) {
        let (apc, context) = (Some(super::echo::ended as ApcRoutine), call.context as *mut c_void);
        // SAFETY: by the contract; addresses and options are read before the call returns.
        let result = unsafe {
            match call.family {
                Family::V4 => IcmpSendEcho2(
                    file,
                    null_mut(),
                    apc,
                    context,
                    call.to_v4,
                    call.data,
                    call.size,
                    call.options,
                    call.replies,
                    call.replies_size,
                    call.milliseconds,
                ),
                Family::V6 => Icmp6SendEcho2(
                    file,
                    null_mut(),
                    apc,
                    context,
                    call.from_v6,
                    call.to_v6,
                    call.data,
                    call.size,
                    call.options,
                    call.replies,
                    call.replies_size,
                    call.milliseconds,
                ),
            }
        };
        (result, last_error())
    }

    unsafe fn parse(&self, family: Family, replies: *mut c_void, size: u32) -> (u32, i32) {
        // SAFETY: by the contract.
        let count = unsafe {
            match family {
                Family::V4 => IcmpParseReplies(replies, size),
                Family::V6 => Icmp6ParseReplies(replies, size),
            }
        };
        (count, last_error())
    }
}
