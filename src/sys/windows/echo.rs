//! Echo requests. The system sends, matches, times and retries nothing else: it wants one call and
//! one buffer a request, and runs an APC on the reactor's thread when that has ended. A request
//! belongs to the system from the call to its APC, whether or not its probe is still open, and to
//! nobody else: that is what keeps its buffer alive.

use super::bindings::*;
use super::socket::{last_error, SocketAddress};
use super::status::{echo_end, is_ip_status, EchoEnd};
use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND};
use crate::sync::lock;
use crate::sys::{EchoRequest, Event, OpenError, ProbeId, SendResult};
use std::collections::HashMap;
use std::mem::{size_of, take};
use std::os::raw::c_void;
use std::os::windows::io::RawHandle;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

/// Requests that the system may hold at a time: below the 65,536 sequences it tells them apart by.
const MOST_IN_FLIGHT: usize = 49_152;

/// Beyond the reply and its data the system wants room for an ICMP error and its own status.
const REPLY_ROOM: usize = 8 + size_of::<IoStatusBlock>();

/// How long the end waits for requests that it has just cancelled; then their memory is left to
/// the system.
const END_LIMIT: u64 = 200 * MILLISECOND;

/// The system's handle for echo requests of one family. Closing it cancels its requests; their APCs
/// still run.
struct IcmpFile(RawHandle);

// SAFETY: a handle may be used and closed by any thread.
unsafe impl Send for IcmpFile {}

impl IcmpFile {
    fn open(family: Family) -> Result<IcmpFile, OpenError> {
        // SAFETY: no arguments.
        let handle = unsafe {
            match family {
                Family::V4 => IcmpCreateFile(),
                Family::V6 => Icmp6CreateFile(),
            }
        };
        if handle == INVALID_HANDLE_VALUE || handle.is_null() {
            return Err(match last_error() {
                ERROR_ACCESS_DENIED => OpenError::NotPermitted,
                error @ (ERROR_NOT_ENOUGH_MEMORY | ERROR_NO_SYSTEM_RESOURCES) => {
                    OpenError::NoResources(error)
                }
                error => OpenError::Failed(error),
            });
        }
        Ok(IcmpFile(handle))
    }
}

impl Drop for IcmpFile {
    fn drop(&mut self) {
        // SAFETY: open, and closed once.
        unsafe { IcmpCloseHandle(self.0) };
    }
}

/// Whether this process may send echo requests of a family. Opens a handle and closes it again; any
/// thread.
pub fn echo_permission(family: Family) -> Result<(), OpenError> {
    IcmpFile::open(family).map(|_| ())
}

/// Requests whose APC has run.
type Ended = Arc<Mutex<Vec<Request>>>;

/// One request, from the call to its APC the system's.
struct Request {
    id: ProbeId,
    /// Tells the probe from an earlier one of the same id.
    opening: u64,
    transmission: u16,
    to: Address,
    /// When the batch went out, which is what the probe reckons from, and when this request did.
    batch: Time,
    begun: Time,
    ended: Time,
    payload: Box<[u8]>,
    /// Words, because the reply in it holds a pointer.
    reply: Box<[u64]>,
    /// Where it goes in the end.
    done: Ended,
}

/// Runs on the reactor's thread while that sleeps alertably.
unsafe extern "system" fn ended(context: *mut c_void, _status: *mut IoStatusBlock, _reserved: u32) {
    // SAFETY: the pointer of a request that was given to the system with this routine, which is
    // called once: the request is ours again.
    let mut request = unsafe { Box::from_raw(context.cast::<Request>()) };
    request.ended = Time::now();
    let done = Arc::clone(&request.done);
    lock(&done).push(*request);
}

/// See the file's head.
pub(super) struct Echoes {
    /// IPv4, IPv6.
    files: [Option<IcmpFile>; 2],
    /// The open probes and their openings.
    open: HashMap<ProbeId, u64>,
    openings: u64,
    in_flight: usize,
    done: Ended,
    /// Requests of either family that the system had no memory for after it had taken them.
    pub lost: [u64; 2],
    /// Differs from process to process, so that a stranger's payload is not ours.
    key: u64,
}

impl Echoes {
    pub(super) fn new() -> Echoes {
        let mut key = [0; 8];
        super::process::random_bytes(&mut key);
        Echoes {
            files: [None, None],
            open: HashMap::new(),
            openings: 0,
            in_flight: 0,
            done: Ended::default(),
            lost: [0; 2],
            key: u64::from_ne_bytes(key),
        }
    }

    pub(super) fn ensure(&mut self, family: Family) -> Result<(), OpenError> {
        let place = &mut self.files[slot(family)];
        if place.is_none() {
            *place = Some(IcmpFile::open(family)?);
        }
        Ok(())
    }

    pub(super) fn close_files(&mut self) {
        self.files = [None, None];
    }

    pub(super) fn open(&mut self, id: ProbeId) {
        self.openings += 1;
        self.open.insert(id, self.openings);
    }

    pub(super) fn close(&mut self, id: ProbeId) {
        self.open.remove(&id);
        if self.open.is_empty() {
            self.open.shrink_to_fit();
        }
    }

    /// Sends one request of a batch that began at `batch`.
    pub(super) fn send(&mut self, request: &EchoRequest, batch: Time) -> SendResult {
        let family = request.to.family();
        if !self.open.contains_key(&request.id) {
            self.open(request.id);
        }
        let (file, opening) = match (&self.files[slot(family)], self.open.get(&request.id)) {
            (Some(file), Some(opening)) if self.in_flight < MOST_IN_FLIGHT => (file.0, *opening),
            _ => return SendResult::NotSent { os_error: 0 },
        };
        let payload = self.payload(opening, request);
        let head = match family {
            Family::V4 => size_of::<EchoReply>(),
            Family::V6 => size_of::<EchoReply6>(),
        };
        // Eight bytes of data at least are what an ICMP error quotes.
        let room = head + payload.len().max(8) + REPLY_ROOM;
        let context = Box::into_raw(Box::new(Request {
            id: request.id,
            opening,
            transmission: request.transmission,
            to: request.to,
            batch,
            begun: Time::now(),
            ended: Time::NEVER,
            payload,
            reply: vec![0; (room + 7) / 8].into(),
            done: Arc::clone(&self.done),
        }));
        // SAFETY: the request lives until its APC; the reply's room is writable for its size.
        let status = unsafe {
            // Far above are numbers that the system may take for none or for ever.
            hand_over(file, context, request.hops, request.lifetime_ms.min(i32::MAX as u32))
        };
        if status == ERROR_IO_PENDING as u32 {
            self.in_flight += 1;
            return SendResult::Sent { at: batch };
        }
        // SAFETY: not taken by the system, so no APC will come: it is ours again.
        drop(unsafe { Box::from_raw(context) });
        match echo_end(family, status) {
            EchoEnd::Local(outcome) | EchoEnd::IcmpError { outcome, .. } => {
                SendResult::Failed { outcome, os_error: status as i32 }
            }
            EchoEnd::NoResources | EchoEnd::Silence | EchoEnd::Reply => {
                SendResult::NotSent { os_error: status as i32 }
            }
        }
    }

    /// No two requests carry the same, as far as there is room for it.
    fn payload(&self, opening: u64, request: &EchoRequest) -> Box<[u8]> {
        let mut payload = vec![0; usize::from(request.size)];
        let number = opening << 16 | u64::from(request.transmission);
        // An odd factor (2^64 / golden ratio) keeps different numbers different.
        let word = (self.key ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes();
        for chunk in payload.chunks_mut(8) {
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        payload.into()
    }

    /// Appends what the requests have become whose APCs have run.
    pub(super) fn collect(&mut self, events: &mut Vec<Event>) {
        let ended = take(&mut *lock(&self.done));
        self.in_flight -= ended.len();
        for mut request in ended {
            let (end, heard) = request.read();
            if end == EchoEnd::NoResources {
                self.lost[slot(request.to.family())] += 1;
            }
            if self.open.get(&request.id) == Some(&request.opening) {
                events.extend(request.event(end, &heard));
            }
        }
    }
}

impl Drop for Echoes {
    fn drop(&mut self) {
        self.close_files();
        let limit = Time::now().plus_nanos(END_LIMIT);
        while self.in_flight > 0 && Time::now() < limit {
            // SAFETY: only runs the APCs, which touch nothing of ours but the queue.
            unsafe { SleepEx(10, 1) };
            self.in_flight -= take(&mut *lock(&self.done)).len();
        }
    }
}

fn slot(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

/// Gives a request to the system, with an APC. Returns ERROR_IO_PENDING when it has taken it.
///
/// # Safety
/// `context` lives until its APC, or until this has returned another number.
unsafe fn hand_over(file: RawHandle, context: *mut Request, hops: u8, milliseconds: u32) -> u32 {
    // SAFETY: alive by the contract, and not the system's yet.
    let request = unsafe { &mut *context };
    let options =
        IpOptions { ttl: hops, tos: 0, flags: 0, options_size: 0, options_data: null_mut() };
    // Without options the system takes its own time to live.
    let options = if hops == 0 { null() } else { &options as *const IpOptions };
    let (data, size) = (request.payload.as_ptr(), request.payload.len() as u16);
    let reply = request.reply.as_mut_ptr().cast();
    let room = (request.reply.len() * 8) as u32;
    let to = SocketAddress::new(&request.to, 0);
    // SAFETY: payload and reply live as long as the request, at their own places in memory; the
    // rest is copied before the call returns.
    let result = unsafe {
        match request.to.family() {
            Family::V4 => {
                let mut octets = [0; 4];
                octets.copy_from_slice(request.to.octets());
                let to = u32::from_ne_bytes(octets);
                IcmpSendEcho2(
                    file,
                    null_mut(),
                    Some(ended),
                    context.cast(),
                    to,
                    data,
                    size,
                    options,
                    reply,
                    room,
                    milliseconds,
                )
            }
            Family::V6 => Icmp6SendEcho2(
                file,
                null_mut(),
                Some(ended),
                context.cast(),
                SocketAddress::any(Family::V6).as_v6(),
                to.as_v6(),
                data,
                size,
                options,
                reply,
                room,
                milliseconds,
            ),
        }
    };
    // The number is said to be the result itself, and is the last error.
    match result {
        0 => last_error() as u32,
        number => number,
    }
}

/// What stands in a reply.
struct Heard {
    from: Address,
    status: u32,
    round_trip_ms: u32,
    hops: Option<u8>,
}

impl Request {
    /// How the request ended, and what the system says of it.
    fn read(&mut self) -> (EchoEnd, Heard) {
        let family = self.to.family();
        let room = (self.reply.len() * 8) as u32;
        let pointer = self.reply.as_mut_ptr().cast();
        // SAFETY: the buffer that the system has filled, and its size.
        let replies = unsafe {
            match family {
                Family::V4 => IcmpParseReplies(pointer, room),
                Family::V6 => Icmp6ParseReplies(pointer, room),
            }
        };
        let parse_error = last_error() as u32;
        let (mut heard, matches) = match family {
            Family::V4 => self.heard_v4(),
            Family::V6 => self.heard_v6(),
        };
        // Any other number is of an earlier call.
        if replies == 0 && heard.status == 0 && is_ip_status(parse_error) {
            heard.status = parse_error;
        }
        let end = match echo_end(family, heard.status) {
            // A cancelled request leaves no reply, and a reply of another host or with another
            // payload is none to this request.
            EchoEnd::Reply if replies == 0 || !matches => EchoEnd::Silence,
            EchoEnd::IcmpError { outcome, .. } if heard.from.octets().iter().all(|b| *b == 0) => {
                EchoEnd::Local(outcome)
            }
            end => end,
        };
        (end, heard)
    }

    fn heard_v4(&self) -> (Heard, bool) {
        // SAFETY: the buffer is aligned, initialised, and larger than the struct.
        let reply = unsafe { &*self.reply.as_ptr().cast::<EchoReply>() };
        let from = Address::v4(reply.address);
        let start = self.reply.as_ptr() as usize;
        let offset = (reply.data as usize).wrapping_sub(start);
        let data = self.bytes().get(offset..).and_then(|rest| rest.get(..self.payload.len()));
        let matches = from == self.to
            && usize::from(reply.data_size) == self.payload.len()
            && (self.payload.is_empty() || data == Some(&self.payload[..]));
        let hops = Some(reply.options.ttl);
        (Heard { from, status: reply.status, round_trip_ms: reply.round_trip, hops }, matches)
    }

    fn heard_v6(&self) -> (Heard, bool) {
        // SAFETY: the buffer is aligned, initialised, and larger than the struct.
        let reply = unsafe { &*self.reply.as_ptr().cast::<EchoReply6>() };
        let from = Address::v6(reply.address.address, reply.address.scope);
        let data = &self.bytes()[size_of::<EchoReply6>()..][..self.payload.len()];
        let matches = from.octets() == self.to.octets() && data == &self.payload[..];
        let round_trip_ms = reply.round_trip;
        (Heard { from, status: reply.status, round_trip_ms, hops: None }, matches)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the same memory, as bytes.
        unsafe { std::slice::from_raw_parts(self.reply.as_ptr().cast(), self.reply.len() * 8) }
    }

    fn event(&self, end: EchoEnd, heard: &Heard) -> Option<Event> {
        let (id, transmission) = (self.id, self.transmission);
        match end {
            EchoEnd::Reply => {
                // Ours is the finer clock, but runs on while the thread is busy and cannot take the
                // APC; the system's counts whole milliseconds, and counts them right.
                let counted = (u64::from(heard.round_trip_ms) + 1) * MILLISECOND;
                let round_trip = self.ended.nanos_since(self.begun).min(counted);
                let received = self.batch.plus_nanos(round_trip);
                Some(Event::Reply { id, transmission, received, ttl: heard.hops, from: None })
            }
            EchoEnd::IcmpError { outcome, kind, code } => {
                let from = heard.from;
                Some(Event::IcmpError { id, transmission, outcome, from, kind, code, proven: true })
            }
            EchoEnd::Local(outcome) => {
                Some(Event::LocalError { id, outcome, os_error: heard.status as i32 })
            }
            EchoEnd::Silence | EchoEnd::NoResources => None,
        }
    }
}
