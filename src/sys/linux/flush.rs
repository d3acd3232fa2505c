//! How an echo socket sends its batch: in chunks, with a time for each request, each error laid on
//! the host that it belongs to. The sending itself touches nothing but the socket, so that another
//! thread may do it; what follows from it is the reactor's.

use super::echo::{EchoSocket, REPEATS};
use super::matching::Matching;
use super::outcome::{may_be_of_another, route_outcome};
use super::outgoing::Numbered;
use super::socket::set_option;
use super::stamps::ClockPair;
use crate::address::Family;
use crate::clock::Time;
use crate::sys::{Event, SendResult};
use std::ops::{Range, RangeInclusive};
use std::os::raw::c_int;
use std::os::unix::io::AsRawFd;

/// `linux/net_tstamp.h`: report software's stamps, number the requests that ask for one, and do
/// not send the packet back with it.
const TIMESTAMPING_SOFTWARE: c_int = 1 << 4;
const TIMESTAMPING_OPT_ID: c_int = 1 << 7;
const TIMESTAMPING_OPT_TSONLY: c_int = 1 << 11;

/// Whether the system tells when requests left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamping {
    /// Nobody has asked for it yet.
    Off,
    /// It does; the request that asks next has this number.
    From(u32),
    /// It cannot (Linux before 4.6).
    Unknown,
}

/// How far the batch in hand has come.
#[derive(Default)]
pub(super) struct Progress {
    /// The message that goes next.
    next: usize,
    /// Places of messages that have left, and when, since it was asked last.
    sent: Vec<(usize, Time)>,
    /// The last of them that asked for stamps.
    stamped: Option<Chunk>,
    /// What the message that goes next has failed with.
    error: Option<i32>,
}

/// Messages of one call, with the clock on either side of it.
struct Chunk {
    messages: Range<usize>,
    begin: Time,
    after: Time,
}

impl EchoSocket {
    /// Appends requests that ask for no stamps and sends until one fails, false then. Of what has left
    /// or failed [`EchoSocket::flush`] tells. Any thread.
    pub(super) fn send_ahead(&mut self, requests: &[Numbered]) -> bool {
        for request in requests {
            self.push(request);
        }
        self.send_on();
        let is_sent = self.progress.error.is_none();
        if is_sent {
            self.clear();
        }
        is_sent
    }

    fn clear(&mut self) {
        self.outgoing.clear();
        self.progress.next = 0;
    }

    /// Sends chunk after chunk, until one has failed or has asked for stamps. Messages of one call
    /// are taken to have left between its two times, each in its turn.
    fn send_on(&mut self) {
        let mut begin = Time::now();
        while self.progress.error.is_none() && self.progress.next < self.outgoing.len() {
            let next = self.progress.next;
            let end = self.outgoing.chunk_end(next);
            self.set_fragments(self.outgoing.may_fragment(next));
            let fd = self.socket.as_raw_fd();
            let count = match self.transfer.send(fd, self.outgoing.messages(next, end)) {
                Ok(count) => count,
                Err(error) => {
                    self.progress.error = Some(error);
                    return;
                }
            };
            let after = Time::now();
            let width = after.nanos_since(begin);
            for index in 0..count {
                let at = begin.plus_nanos(width * index as u64 / count as u64);
                self.progress.sent.push((self.outgoing.place(next + index), at));
            }
            let messages = next..next + count;
            self.progress.next = messages.end;
            if messages.clone().any(|index| self.outgoing.is_stamped(index)) {
                self.progress.stamped = Some(Chunk { messages, begin, after });
                return;
            }
            begin = after;
        }
    }

    /// Sends what is left of the batch and writes what became of each message to its place in
    /// `results`, where `NotSent` stands from before.
    ///
    /// An error may be about an earlier packet: it says nothing of the message in hand. So the
    /// error queue is emptied and the message repeated; what fails again with nothing in the queue
    /// is its own. The system stops a batch at each error; the rest goes on behind it.
    pub(super) fn flush(
        &mut self,
        results: &mut [SendResult],
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) {
        let mut failures = 0;
        loop {
            self.send_on();
            for (place, at) in self.progress.sent.drain(..) {
                results[place] = SendResult::Sent { at };
                failures = 0;
            }
            if let Some(chunk) = self.progress.stamped.take() {
                self.read_stamps(chunk, results, matching, events);
            }
            let next = self.progress.next;
            let error = match self.progress.error.take() {
                Some(error) => error,
                None if next < self.outgoing.len() => continue,
                None => break,
            };
            // Whether the failed message has taken a number is not told.
            if self.outgoing.is_stamped(next) {
                self.number_stamps();
            }
            let is_over = match error {
                libc::EINTR => false,
                // The send buffer is full; the others would fare no better.
                libc::EAGAIN => {
                    for index in next..self.outgoing.len() {
                        results[self.outgoing.place(index)] =
                            SendResult::NotSent { os_error: error };
                    }
                    break;
                }
                // For this destination: the neighbour table, a queue.
                libc::ENOBUFS | libc::ENOMEM => {
                    results[self.outgoing.place(next)] = SendResult::NotSent { os_error: error };
                    true
                }
                // Larger than its way takes in one piece.
                libc::EMSGSIZE if !self.outgoing.may_fragment(next) => {
                    self.outgoing.allow_fragments(next);
                    false
                }
                // Kernels that know no such wish say so with this number, too.
                libc::EINVAL if self.outgoing.is_stamped(next) => {
                    self.outgoing.drop_stamp(next);
                    false
                }
                _ => {
                    failures += 1;
                    let others = self.drain_errors(matching, events);
                    let is_own = failures > 1 && !(others && may_be_of_another(error));
                    if is_own {
                        results[self.outgoing.place(next)] =
                            SendResult::Failed { outcome: route_outcome(error), os_error: error };
                    }
                    is_own || failures > REPEATS
                }
            };
            if is_over {
                self.progress.next += 1;
                failures = 0;
            }
        }
        self.clear();
    }

    /// Puts the system's own times in the place of ours, for those messages that ask for it. Nearly
    /// always the driver has had a message, and has stamped it, before the call that sends it returns;
    /// what waits longer, for its neighbour's address above all, keeps our time, from which its round
    /// trip counts.
    fn read_stamps(
        &mut self,
        chunk: Chunk,
        results: &mut [SendResult],
        matching: &mut Matching,
        events: &mut Vec<Event>,
    ) {
        let first = match self.stamping {
            Stamping::From(first) => first,
            Stamping::Off | Stamping::Unknown => return,
        };
        let Chunk { messages, begin, after } = chunk;
        let count = messages.clone().filter(|index| self.outgoing.is_stamped(*index)).count();
        if count == 0 {
            return;
        }
        self.stamping = Stamping::From(first.wrapping_add(count as u32));
        self.stamps.clear();
        self.read_queue(matching, events);
        let (times, in_step) =
            times_of_stamps(&self.stamps, first, count, &ClockPair::now(), begin..=after);
        let stamped = messages.filter(|index| self.outgoing.is_stamped(*index));
        for (index, at) in stamped.zip(times) {
            if let Some(at) = at {
                results[self.outgoing.place(index)] = SendResult::Sent { at };
            }
        }
        if !in_step {
            self.number_stamps();
        }
    }

    /// Has the system number the requests that ask for a stamp, from 0 on.
    pub(super) fn number_stamps(&mut self) {
        let set = |flags: c_int| {
            set_option(self.socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &flags)
        };
        let flags = TIMESTAMPING_SOFTWARE | TIMESTAMPING_OPT_TSONLY;
        // Numbers begin again when they are switched on.
        let numbered = set(flags).and_then(|()| set(flags | TIMESTAMPING_OPT_ID));
        self.stamping = match numbered {
            Ok(()) => Stamping::From(0),
            Err(_) => Stamping::Unknown,
        };
    }

    /// Whether what does not fit into one packet is sent in several. Where it is not, the kernel
    /// need not find an identification for each packet, which costs a hash over its addresses.
    /// Either way the first packet on the way has "do not fragment" set.
    fn set_fragments(&mut self, fragments: bool) {
        if self.family == Family::V6 || self.fragments == Some(fragments) {
            return;
        }
        let mode = if fragments { libc::IP_PMTUDISC_WANT } else { libc::IP_PMTUDISC_DO };
        let fd = self.socket.as_raw_fd();
        let _ = set_option(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &mode);
        self.fragments = Some(fragments);
    }
}

/// The times of `count` requests, numbered from `first`, that left within `window`; `None` where
/// there is no stamp yet. False: the system counts otherwise than we do, and a stamp may be another
/// request's.
fn times_of_stamps(
    stamps: &[(u32, i64)],
    first: u32,
    count: usize,
    clock: &ClockPair,
    window: RangeInclusive<Time>,
) -> (Vec<Option<Time>>, bool) {
    let mut times = vec![None; count];
    let mut in_step = true;
    for (number, stamp) in stamps {
        let at = clock.time_of(*stamp);
        let in_window = at.map_or(false, |at| window.contains(&at));
        match times.get_mut(number.wrapping_sub(first) as usize) {
            Some(time) if in_window => *time = at,
            Some(_) => in_step = false,
            // Of an earlier call, and late; or of this one, with a number that is none of it.
            None => in_step &= !in_window,
        }
    }
    (times, in_step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two requests with the numbers 5 and 6, which left between 1,000 and 2,000.
    fn times(stamps: &[(u32, i64)]) -> (Vec<Option<u64>>, bool) {
        let clock = ClockPair::of(Time::from_nanos(5_000), 5_000);
        let window = Time::from_nanos(1_000)..=Time::from_nanos(2_000);
        let (times, in_step) = times_of_stamps(stamps, 5, 2, &clock, window);
        (times.into_iter().map(|time| time.map(Time::as_nanos)).collect(), in_step)
    }

    #[test]
    fn each_request_gets_its_own_stamp() {
        assert_eq!(times(&[(6, 1_900), (5, 1_100)]), (vec![Some(1_100), Some(1_900)], true));
        assert_eq!(times(&[(6, 1_900)]), (vec![None, Some(1_900)], true));
    }

    #[test]
    fn late_stamps_of_earlier_requests_are_nobody_s() {
        assert_eq!(times(&[(4, 500), (5, 1_100)]), (vec![Some(1_100), None], true));
    }

    #[test]
    fn stamps_that_do_not_fit_are_not_taken_and_told() {
        // The system has counted one more, or one less, than we have.
        assert_eq!(times(&[(6, 1_100), (7, 1_900)]), (vec![None, Some(1_100)], false));
        assert_eq!(times(&[(4, 1_100), (5, 1_900)]), (vec![Some(1_900), None], false));
        // An earlier request's number has come to one of these.
        assert_eq!(times(&[(5, 500)]), (vec![None, None], false));
        // Of a time when the wall clock was another.
        assert_eq!(times(&[(5, 90_000)]), (vec![None, None], false));
    }
}
