//! A system that is played: its calls return what a test wants, within their documentation, and its
//! completions come when the test wants. Time goes on only as the test says.

use super::super::bindings::*;
use super::super::calls::{Calls, EchoCall, System};
use super::super::{echo, port};
use super::*;
use std::collections::VecDeque;
use std::os::raw::c_void;
use std::os::windows::io::{OwnedHandle, OwnedSocket, RawHandle};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// A request that the played system has.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    context: usize,
    to_v4: u32,
    data: usize,
    size: usize,
    replies: usize,
}

#[derive(Default)]
pub(super) struct State {
    pub now: u64,
    /// What the next calls of IcmpSendEcho2 return: the result and the last error. Then, pending.
    pub results: VecDeque<(u32, i32)>,
    pub sent: Vec<Sent>,
    pub queued: VecDeque<usize>,
    /// The port has a packet at every look.
    pub is_full: bool,
    /// Looks at the port since APCs were last run by an alertable wait of their own, and at most.
    pub looks: usize,
    pub most_looks: usize,
    /// Milliseconds of each look.
    pub waits: Vec<u32>,
    pub post_fails: bool,
    pub posted: usize,
    /// Done during the next look, as another thread would.
    pub meanwhile: Option<Box<dyn FnOnce() + Send>>,
    pub closed: usize,
    pub timer_fails: bool,
    /// Units of 100 ns.
    pub timers: Vec<i64>,
    /// Whether one SYN is promised for a socket.
    pub one_syn: bool,
    /// The connects that the system has been given, with the time; it has no other use for them.
    pub connects: Vec<(usize, Time)>,
    /// Those that have ended, and how: their packets, and what is then asked of each.
    pub ended: VecDeque<usize>,
    pub ends: VecDeque<Result<Option<(Address, u16)>, i32>>,
}

#[derive(Clone, Default)]
pub(super) struct Play(Arc<Mutex<State>>);

impl Play {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// The system writes a reply to the request into its buffer.
    pub(super) fn write_reply(&self, index: usize) {
        let sent = self.with(|state| state.sent[index]);
        let reply = sent.replies as *mut EchoReply;
        // SAFETY: the buffers of a request that the system may still use, which is what the caller
        // tests; the reply and the data behind it have room there.
        unsafe {
            let data = reply.add(1).cast::<u8>();
            data.copy_from_nonoverlapping(sent.data as *const u8, sent.size);
            reply.write(EchoReply {
                address: sent.to_v4.to_ne_bytes(),
                status: 0,
                round_trip: 0,
                data_size: sent.size as u16,
                reserved: 0,
                data,
                options: IpOptions {
                    ttl: 64,
                    tos: 0,
                    flags: 0,
                    options_size: 0,
                    options_data: null_mut(),
                },
            });
        }
    }

    /// The system queues the request's APC.
    pub(super) fn queue(&self, index: usize) {
        self.with(|state| {
            let context = state.sent[index].context;
            state.queued.push_back(context);
        });
    }

    pub(super) fn advance(&self, nanos: u64) {
        self.with(|state| state.now += nanos);
    }

    /// A connect ends, and its packet arrives.
    pub(super) fn end_connect(&self, index: usize, end: Result<Option<(Address, u16)>, i32>) {
        self.with(|state| {
            state.ended.push_back(state.connects[index].0);
            state.ends.push_back(end);
        });
    }

    fn run_queued(&self) -> bool {
        let queued = self.with(|state| std::mem::take(&mut state.queued));
        for context in &queued {
            // SAFETY: as the system calls it.
            unsafe { echo::ended(*context as *mut c_void, null_mut(), 0) };
        }
        !queued.is_empty()
    }
}

impl Calls for Play {
    fn now(&self) -> Time {
        self.with(|state| Time::from_nanos(state.now))
    }

    fn dequeue(
        &self,
        _port: RawHandle,
        entries: &mut [OverlappedEntry],
        milliseconds: u32,
    ) -> Result<usize, i32> {
        let meanwhile = self.with(|state| state.meanwhile.take());
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let is_full = self.with(|state| {
            state.looks += 1;
            state.most_looks = state.most_looks.max(state.looks);
            state.waits.push(milliseconds);
            state.is_full || std::mem::take(&mut state.posted) > 0
        });
        if is_full {
            entries[0].key = port::WAKE;
            return Ok(1);
        }
        if let Some(overlapped) = self.with(|state| state.ended.pop_front()) {
            entries[0].key = port::SOCKET;
            entries[0].overlapped = overlapped as *mut Overlapped;
            return Ok(1);
        }
        // An alertable wait: only without entries, and not for a time of zero.
        if milliseconds > 0 && self.run_queued() {
            return Err(WAIT_IO_COMPLETION);
        }
        self.advance(u64::from(milliseconds) * MILLISECOND);
        Err(WAIT_TIMEOUT)
    }

    fn post(&self, _port: RawHandle, _key: usize) -> bool {
        self.with(|state| {
            state.posted += usize::from(!state.post_fails);
            !state.post_fails
        })
    }

    fn run_calls(&self, milliseconds: u32) -> bool {
        self.advance(u64::from(milliseconds) * MILLISECOND);
        self.with(|state| state.looks = 0);
        self.run_queued()
    }

    fn make_timer(&self) -> Option<OwnedHandle> {
        System.make_timer()
    }

    fn set_timer(&self, _timer: RawHandle, hundred_nanos: i64) -> bool {
        self.with(|state| {
            state.timers.push(hundred_nanos);
            !state.timer_fails
        })
    }

    fn sleep_on(&self, _timer: RawHandle, _milliseconds: u32) -> bool {
        let nanos = self.with(|state| state.timers.last().map_or(0, |timer| *timer as u64 * 100));
        self.advance(nanos);
        self.run_queued()
    }

    fn open_icmp(&self, _family: Family) -> Result<RawHandle, i32> {
        Ok(8 as RawHandle)
    }

    fn close_icmp(&self, _file: RawHandle) {
        self.with(|state| state.closed += 1);
    }

    unsafe fn send_echo(&self, _file: RawHandle, call: &EchoCall) -> (u32, i32) {
        self.with(|state| {
            state.sent.push(Sent {
                context: call.context,
                to_v4: call.to_v4,
                data: call.data as usize,
                size: usize::from(call.size),
                replies: call.replies as usize,
            });
            state.results.pop_front().unwrap_or((0, ERROR_IO_PENDING))
        })
    }

    unsafe fn parse(&self, _family: Family, replies: *mut c_void, _size: u32) -> (u32, i32) {
        // SAFETY: the buffer's head.
        let reply = unsafe { &*replies.cast::<EchoReply>() };
        (u32::from(reply.address != [0; 4]), 0)
    }

    fn ask_for_one_syn(&self, _socket: &OwnedSocket) -> bool {
        self.with(|state| state.one_syn)
    }

    unsafe fn connect(
        &self,
        _socket: &OwnedSocket,
        _to: &Address,
        _port: u16,
        overlapped: *mut Overlapped,
    ) -> Result<(), i32> {
        let now = self.now();
        self.with(|state| state.connects.push((overlapped as usize, now)));
        Ok(())
    }

    fn connect_end(
        &self,
        _socket: &OwnedSocket,
        _overlapped: &mut Overlapped,
    ) -> Result<Option<(Address, u16)>, i32> {
        self.with(|state| state.ends.pop_front()).expect("a packet for each end")
    }
}
