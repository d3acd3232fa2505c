//! A system that is played: its calls return what a test wants, within their documentation, and its
//! completions come when the test wants. Time goes on only as the test says.

use super::super::bindings::*;
use super::super::calls::{Calls, EchoCall};
use super::super::{echo, port};
use super::*;
use std::collections::{HashMap, VecDeque};
use std::mem::size_of;
use std::os::raw::c_void;
use std::os::windows::io::{FromRawHandle, OwnedHandle, OwnedSocket, RawHandle};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

/// The time to live of each reply.
pub(super) const TTL: u8 = 64;

/// A request that the played system has.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    context: usize,
    pub to: Address,
    data: usize,
    size: usize,
    replies: usize,
    replies_size: usize,
}

/// What the system writes into a request's buffer.
#[derive(Clone)]
pub(super) struct Written {
    pub from: Address,
    /// IP_STATUS.
    pub status: u32,
    pub round_trip_ms: u32,
    pub data: Vec<u8>,
    /// How many replies IcmpParseReplies or Icmp6ParseReplies finds.
    pub count: u32,
}

#[derive(Default)]
pub(super) struct State {
    pub now: u64,
    /// What the next calls of IcmpSendEcho2 return: the result and the last error. Then, pending.
    pub results: VecDeque<(u32, i32)>,
    pub sent: Vec<Sent>,
    pub queued: VecDeque<usize>,
    /// Of written buffers, the replies in them.
    counts: HashMap<usize, u32>,
    /// The last error after a parser's call; of an earlier call where it found replies.
    pub parse_error: i32,
    /// The port has a packet at every look.
    pub is_full: bool,
    /// Looks at the port since APCs were last run by an alertable wait of their own, and at most.
    pub looks: usize,
    pub most_looks: usize,
    /// Milliseconds of each look.
    pub waits: Vec<u32>,
    /// What looks at the port fail with.
    pub port_fails: Option<i32>,
    pub post_fails: bool,
    pub posted: usize,
    /// Done during the next look, as another thread would.
    pub meanwhile: Option<Box<dyn FnOnce() + Send>>,
    pub closed: usize,
    pub timer_fails: bool,
    pub sleep_fails: bool,
    /// Units of 100 ns.
    pub timers: Vec<i64>,
    /// Whether one SYN is promised for a socket.
    pub one_syn: bool,
    /// What the next connects are not taken for.
    pub connect_errors: VecDeque<i32>,
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

    /// The reply of the host asked.
    pub(super) fn reply(&self, index: usize) -> Written {
        let Sent { to, data, size, .. } = self.with(|state| state.sent[index]);
        // SAFETY: the payload of a request that the system may still use.
        let data = unsafe { std::slice::from_raw_parts(data as *const u8, size) }.to_vec();
        Written { from: to, status: 0, round_trip_ms: 0, data, count: 1 }
    }

    /// The system writes the reply of the host asked into the request's buffer.
    pub(super) fn write_reply(&self, index: usize) {
        self.write(index, &self.reply(index));
    }

    /// The system writes into the request's buffer.
    pub(super) fn write(&self, index: usize, written: &Written) {
        let sent = self.with(|state| state.sent[index]);
        self.with(|state| state.counts.insert(sent.replies, written.count));
        let bytes = match sent.to.family() {
            Family::V4 => written.v4(sent.replies),
            Family::V6 => written.v6(),
        };
        // The pages of IcmpSendEcho2 and Icmp6SendEcho2: an ICMP error and an IO_STATUS_BLOCK fit in
        // behind the reply.
        assert!(bytes.len() + 8 + 2 * size_of::<usize>() <= sent.replies_size);
        // SAFETY: the buffer of a request that the system may still use, which is what the caller
        // tests.
        unsafe { (sent.replies as *mut u8).copy_from(bytes.as_ptr(), bytes.len()) };
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

/// By the layouts that the pages show, not by those of the code.
impl Written {
    /// ICMP_ECHO_REPLY and the data, for a buffer at this address.
    fn v4(&self, buffer: usize) -> Vec<u8> {
        let mut bytes = self.from.octets().to_vec();
        bytes.extend(self.status.to_ne_bytes());
        bytes.extend(self.round_trip_ms.to_ne_bytes());
        bytes.extend((self.data.len() as u16).to_ne_bytes());
        bytes.extend([0; 2]);
        let head = 16 + 3 * size_of::<usize>();
        bytes.extend((buffer + head).to_ne_bytes());
        // IP_OPTION_INFORMATION: the time to live comes first.
        bytes.push(TTL);
        bytes.resize(head, 0);
        bytes.extend(&self.data);
        bytes
    }

    /// ICMPV6_ECHO_REPLY, whose address is packed, and the data behind it.
    fn v6(&self) -> Vec<u8> {
        let mut bytes = vec![0; 2 + 4];
        bytes.extend(self.from.octets());
        bytes.extend(self.from.scope().to_ne_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.status.to_ne_bytes());
        bytes.extend(self.round_trip_ms.to_ne_bytes());
        bytes.extend(&self.data);
        bytes
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
        if let Some(error) = self.with(|state| state.port_fails) {
            return Err(error);
        }
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
        // SAFETY: no attributes, no name; new, and nobody else's. Any handle serves: it is not used.
        Some(unsafe { OwnedHandle::from_raw_handle(CreateEventW(null(), 0, 0, null())) })
    }

    fn set_timer(&self, _timer: RawHandle, hundred_nanos: i64) -> bool {
        self.with(|state| {
            state.timers.push(hundred_nanos);
            !state.timer_fails
        })
    }

    fn sleep_on(&self, _timer: RawHandle, _milliseconds: u32) -> Option<bool> {
        if self.with(|state| state.sleep_fails) {
            return None;
        }
        let nanos = self.with(|state| state.timers.last().map_or(0, |timer| *timer as u64 * 100));
        self.advance(nanos);
        Some(self.run_queued())
    }

    fn open_icmp(&self, _family: Family) -> Result<RawHandle, i32> {
        Ok(8 as RawHandle)
    }

    fn close_icmp(&self, _file: RawHandle) {
        self.with(|state| state.closed += 1);
    }

    unsafe fn send_echo(&self, _file: RawHandle, call: &EchoCall) -> (u32, i32) {
        let to = match call.family {
            Family::V4 => Address::v4(call.to_v4.to_ne_bytes()),
            Family::V6 => {
                // SAFETY: readable during the call.
                let name = unsafe { &*call.to_v6 };
                assert_eq!(i32::from(name.family), AF_INET6);
                Address::v6(name.address, name.scope)
            }
        };
        self.with(|state| {
            // The memory may have been another request's.
            state.counts.remove(&(call.replies as usize));
            state.sent.push(Sent {
                context: call.context,
                to,
                data: call.data as usize,
                size: usize::from(call.size),
                replies: call.replies as usize,
                replies_size: call.replies_size as usize,
            });
            state.results.pop_front().unwrap_or((0, ERROR_IO_PENDING))
        })
    }

    unsafe fn parse(&self, _family: Family, replies: *mut c_void, _size: u32) -> (u32, i32) {
        self.with(|state| {
            let count = state.counts.get(&(replies as usize)).copied();
            (count.unwrap_or(0), state.parse_error)
        })
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
        self.with(|state| match state.connect_errors.pop_front() {
            Some(error) => Err(error),
            None => {
                state.connects.push((overlapped as usize, now));
                Ok(())
            }
        })
    }

    fn connect_end(
        &self,
        _socket: &OwnedSocket,
        _overlapped: &mut Overlapped,
    ) -> Result<Option<(Address, u16)>, i32> {
        self.with(|state| state.ends.pop_front()).expect("a packet for each end")
    }
}
