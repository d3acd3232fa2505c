//! Text for people: one line a status, one sentence a detail; and the flat form of completions
//! with their texts in the caller's buffer.

use super::types::*;
use crate::address::{Address, Family};
use crate::outcome::{Completion, Detail, Outcome};
use std::fmt::{self, Write};

/// NUL-terminated, one line, no trailing dot.
pub fn status_message(status: rr_status) -> &'static str {
    match status {
        RR_STATUS_OK => "done\0",
        RR_STATUS_TIMEOUT => "the time given has passed and nothing has happened\0",
        RR_STATUS_AGAIN => "the pool is full: collect completions, then submit the rest\0",
        RR_STATUS_CLOSED => "the pool has ended: nothing more will come\0",
        RR_STATUS_INVALID_ARGUMENT => "a number or flag is out of its range\0",
        RR_STATUS_NULL_POINTER => "a pointer that may not be NULL is NULL\0",
        RR_STATUS_BAD_HANDLE => "the handle is zero, closed, of another kind or process\0",
        RR_STATUS_BAD_SIZE => "a struct or element size is none that the struct ever had\0",
        RR_STATUS_BUSY => "another thread is in poll or collect of this pool\0",
        RR_STATUS_WOULD_DEADLOCK => "the call would wait for the callback it is made from\0",
        RR_STATUS_INVALID_TARGET => "not a host name, address, CIDR block or range\0",
        RR_STATUS_TOO_MANY_ADDRESSES => "more than 16,777,216 addresses in one expression\0",
        RR_STATUS_BUFFER_TOO_SMALL => "the text buffer has no room for even one completion\0",
        RR_STATUS_BAD_STATE => "the call does not fit the state of the pool or worker\0",
        RR_STATUS_NO_RESOURCES => "the system has no memory, descriptors or threads left\0",
        RR_STATUS_NO_THREADS => "not one thread could be started\0",
        RR_STATUS_ICMP_NOT_PERMITTED => "ICMP sockets are not permitted to this process\0",
        RR_STATUS_NOT_SUPPORTED => "not available on this system\0",
        RR_STATUS_PANIC => "a defect of this library was contained; please report it\0",
        _ => "unknown status\0",
    }
}

fn detail(completion: &Completion, out: &mut dyn Write) -> fmt::Result {
    let code = completion.os_error;
    let system = |out: &mut dyn Write| {
        // The operating system's words; without the number the standard library appends.
        let text = std::io::Error::from_raw_os_error(code).to_string();
        let words = text.split(" (os error").next().unwrap_or(&text).to_owned();
        write!(out, "{} (error {})", words, code)
    };
    match completion.detail {
        Detail::None => Ok(()),
        Detail::IcmpFrom { from, kind, code } => {
            write!(out, "{} answered with ICMP type {} code {}", from, kind, code)
        }
        Detail::LocalRoute => {
            out.write_str("this machine has no way to the address: ")?;
            system(out)?;
            if completion.outcome == Outcome::DestinationProhibited {
                out.write_str(
                    "; a prohibiting route or firewall, or a directed broadcast address",
                )?;
            }
            Ok(())
        }
        Detail::AnsweredFrom { from } => write!(out, "{} answered in its place", from),
        Detail::LocalOverflow => out.write_str(
            "the local receive buffer overflowed during every attempt: no verdict; \
             lower the packet rate",
        ),
        Detail::LateTurn => out.write_str(
            "this process stood still during every attempt, and replies may have been dropped \
             meanwhile: no verdict",
        ),
        Detail::Suspended => {
            out.write_str("the machine was suspended during every attempt: no verdict")
        }
        Detail::NotBegun => {
            out.write_str("an attempt could not be begun within its reply timeout: ")?;
            system(out)
        }
        Detail::NoNeighbour => out.write_str("no host on the link has the address"),
        Detail::Resolver => match completion.outcome {
            Outcome::NameNotFound => {
                write!(out, "the resolver knows no such name (code {})", code)
            }
            Outcome::NameLookupTimedOut if code == 0 => {
                out.write_str("the resolver did not answer within 5 seconds")
            }
            Outcome::NameLookupTimedOut => {
                write!(out, "the resolver got no answer from its servers (code {})", code)
            }
            Outcome::BadDestination => {
                out.write_str("the name stands for no address that a host can have")
            }
            // The system's own number, which the resolver has handed on.
            _ if code > 0 => {
                out.write_str("the resolver failed: ")?;
                system(out)
            }
            _ => write!(out, "the resolver failed (code {})", code),
        },
        Detail::System => system(out),
        Detail::Abandoned => out.write_str("the worker did not come back in time and was given up"),
        Detail::TooManyAbandoned => out.write_str(
            "too many workers were given up and have not come back: this job was not begun",
        ),
        Detail::NoWorkerThread => out.write_str("not one worker thread could be started"),
        Detail::NothingTaken => out.write_str("the callbacks return without taking a call"),
    }
}

/// The caller's text buffer, filled from its beginning.
pub struct TextBuffer<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl Write for TextBuffer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.used + text.len();
        self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}

fn write_addresses(addresses: &[Address], out: &mut dyn Write) -> fmt::Result {
    for (index, address) in addresses.iter().enumerate() {
        if index > 0 {
            out.write_char(' ')?;
        }
        write!(out, "{}", address)?;
    }
    Ok(())
}

fn family_number(address: Address) -> u16 {
    match address.family() {
        Family::V4 => 4,
        Family::V6 => 6,
    }
}

fn signed(nanos: Option<u64>) -> i64 {
    nanos.map_or(-1, |nanos| i64::try_from(nanos).unwrap_or(i64::MAX))
}

impl<'a> TextBuffer<'a> {
    /// # Safety
    /// `text` is NULL with `capacity` 0, or writable for `capacity` bytes for as long as `'a`.
    pub unsafe fn new(text: *mut u8, capacity: usize) -> TextBuffer<'a> {
        // Offsets are 32 bits wide; more room than that is not used.
        let capacity = capacity.min(u32::MAX as usize);
        let bytes: &mut [u8] = if capacity == 0 {
            &mut []
        } else {
            // SAFETY: by the contract.
            unsafe { std::slice::from_raw_parts_mut(text, capacity) }
        };
        TextBuffer { bytes, used: 0 }
    }

    /// Bytes used so far.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes the texts of this completion need.
    pub fn needed(completion: &Completion) -> usize {
        let mut counter = Counter(0);
        let names = completion.names.as_deref();
        // A counter cannot fail.
        let _ = detail(completion, &mut counter);
        let _ = write_addresses(names.map_or(&[], |names| &names.addresses), &mut counter);
        counter.0 + names.and_then(|names| names.host_name.as_ref()).map_or(0, String::len)
    }

    /// The completion with its texts in the buffer; `None`, and nothing used, where they have no
    /// room.
    pub fn flatten(&mut self, completion: &Completion) -> Option<rr_completion> {
        let before = self.used;
        let flat = self.try_flatten(completion);
        if flat.is_none() {
            self.used = before;
        }
        flat
    }

    fn part(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) -> Option<(u32, u32)> {
        let begin = self.used;
        write(self).ok()?;
        Some((begin as u32, (self.used - begin) as u32))
    }

    fn try_flatten(&mut self, completion: &Completion) -> Option<rr_completion> {
        let detail = match completion.detail {
            Detail::None => (0, 0),
            _ => self.part(|out| detail(completion, out))?,
        };
        let (host_name, addresses) = match completion.names.as_deref() {
            None => ((0, 0), (0, 0)),
            Some(names) => (
                self.part(|out| out.write_str(names.host_name.as_deref().unwrap_or("")))?,
                self.part(|out| write_addresses(&names.addresses, out))?,
            ),
        };
        let statistics = &completion.statistics;
        let address = completion.address;
        let answered_from = match completion.detail {
            Detail::AnsweredFrom { from } => Some(from),
            _ => None,
        };
        Some(rr_completion {
            user_data: completion.user_data,
            index: completion.index,
            jobs: completion.jobs,
            finished_unix_ns: completion.finished,
            duration_ns: completion.duration,
            rtt_last_ns: signed(statistics.last),
            rtt_min_ns: signed(statistics.min),
            rtt_mean_ns: signed(statistics.mean),
            rtt_max_ns: signed(statistics.max),
            rtt_deviation_ns: signed(statistics.deviation),
            address: address.map_or([0; 16], |address| *address.bytes()),
            kind: completion.kind as u32,
            outcome: completion.outcome as u32,
            os_error: completion.os_error,
            scope_id: address.map_or(0, |address| address.scope()),
            sent: statistics.sent,
            received: statistics.received,
            duplicates: statistics.duplicates.map_or(-1, |count| count as i32),
            worker: completion.worker,
            host_name_offset: host_name.0,
            host_name_length: host_name.1,
            addresses_offset: addresses.0,
            addresses_length: addresses.1,
            detail_offset: detail.0,
            detail_length: detail.1,
            family: address.map_or(0, family_number),
            port: completion.port,
            ttl: completion.ttl.map_or(-1, i16::from),
            reserved: 0,
            answered_from: answered_from.map_or([0; 16], |address| *address.bytes()),
            answered_from_scope_id: answered_from.map_or(0, |address| address.scope()),
            answered_from_family: answered_from.map_or(0, family_number),
            reserved_too: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{JobKind, Names, Statistics};

    fn completion() -> Completion {
        Completion {
            user_data: 7,
            index: 0,
            jobs: 1,
            kind: JobKind::Echo,
            outcome: Outcome::DestinationHostUnreachable,
            os_error: 0,
            detail: Detail::IcmpFrom { from: Address::v4([10, 0, 0, 1]), kind: 3, code: 1 },
            address: Some(Address::v4([10, 0, 0, 9])),
            port: 0,
            ttl: None,
            statistics: Statistics::default(),
            finished: 0,
            duration: 0,
            worker: 0,
            names: Some(Box::new(Names {
                host_name: Some("nine".into()),
                addresses: vec![Address::v4([10, 0, 0, 9]), Address::v4([10, 0, 0, 10])],
            })),
        }
    }

    fn text(buffer: &[u8], offset: u32, length: u32) -> &str {
        std::str::from_utf8(&buffer[offset as usize..(offset + length) as usize]).unwrap()
    }

    #[test]
    fn texts_lie_in_the_buffer_and_are_referred_to() {
        let mut memory = [0; 256];
        // SAFETY: the array is writable for its length.
        let mut buffer = unsafe { TextBuffer::new(memory.as_mut_ptr(), memory.len()) };
        let flat = buffer.flatten(&completion()).unwrap();
        assert_eq!(buffer.used(), TextBuffer::needed(&completion()));
        assert_eq!(text(&memory, flat.host_name_offset, flat.host_name_length), "nine");
        let addresses = text(&memory, flat.addresses_offset, flat.addresses_length);
        assert_eq!(addresses, "10.0.0.9 10.0.0.10");
        let detail = text(&memory, flat.detail_offset, flat.detail_length);
        assert_eq!(detail, "10.0.0.1 answered with ICMP type 3 code 1");
        assert_eq!((flat.rtt_last_ns, flat.ttl, flat.duplicates), (-1, -1, -1));
        assert_eq!((flat.family, &flat.address[..4]), (4, &[10, 0, 0, 9][..]));
    }

    #[test]
    fn a_resolver_that_failed_for_the_system_s_reason_tells_it() {
        let detail = |os_error| {
            let failed = Completion {
                outcome: Outcome::Failed,
                detail: Detail::Resolver,
                os_error,
                ..completion()
            };
            let mut memory = [0; 256];
            // SAFETY: the array is writable for its length.
            let mut buffer = unsafe { TextBuffer::new(memory.as_mut_ptr(), memory.len()) };
            let flat = buffer.flatten(&failed).unwrap();
            text(&memory, flat.detail_offset, flat.detail_length).to_owned()
        };
        assert_eq!(detail(-4), "the resolver failed (code -4)");
        let own = std::io::Error::from_raw_os_error(5).to_string();
        assert_eq!(
            detail(5),
            format!("the resolver failed: {} (error 5)", own.split(" (os").next().unwrap())
        );
    }

    #[test]
    fn what_has_no_room_uses_nothing() {
        let mut memory = [0; 8];
        // SAFETY: the array is writable for its length.
        let mut buffer = unsafe { TextBuffer::new(memory.as_mut_ptr(), memory.len()) };
        assert!(buffer.flatten(&completion()).is_none());
        assert_eq!(buffer.used(), 0);
    }

    #[test]
    fn every_status_has_one_terminated_line() {
        for status in -64..=4 {
            let message = status_message(status);
            assert!(message.ends_with('\0') && !message.contains('\n'));
            assert_eq!(message.matches('\0').count(), 1);
        }
    }
}
