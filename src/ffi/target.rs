//! The exported function on targets alone, for callers that share one target out among several
//! engines. Opens nothing and sends nothing: any thread.

use super::guard::guard;
use super::types::*;
use crate::address::Family;
use crate::sys;
use crate::targets::{self, Hosts, Span, TargetError};

/// Says what a target stands for, and writes a part of it as a target of its own: `count` addresses
/// from the one at `first` on, as a range (of names and of single addresses, which have no parts, the
/// text as given). `family` is 4, 6, or 0 for either.
///
/// `*out_addresses` is 1 for a name, `*out_flags` are RR_TARGET_*. With `count` 0 no text is written,
/// and `part` may be NULL.
///
/// Errors: NULL_POINTER; INVALID_ARGUMENT (another family, or addresses that the target has not);
/// INVALID_TARGET; TOO_MANY_ADDRESSES; BUFFER_TOO_SMALL (128 bytes are enough for every part of a
/// block or range; `*out_part_length` is the length needed then, nothing else is written).
///
/// # Safety
/// `text` is readable for `text_length` bytes, `part` writable for `part_capacity`; the `out_`
/// pointers are writable.
#[no_mangle]
pub unsafe extern "C" fn rr_target_part(
    text: *const u8,
    text_length: usize,
    family: u32,
    first: u64,
    count: u64,
    part: *mut u8,
    part_capacity: usize,
    out_addresses: *mut u64,
    out_flags: *mut u32,
    out_part_length: *mut usize,
) -> rr_status {
    guard(|| {
        if out_addresses.is_null() || out_flags.is_null() || out_part_length.is_null() {
            return RR_STATUS_NULL_POINTER;
        }
        if (text.is_null() && text_length > 0) || (part.is_null() && count > 0) {
            return RR_STATUS_NULL_POINTER;
        }
        let family = match family {
            0 => None,
            4 => Some(Family::V4),
            6 => Some(Family::V6),
            _ => return RR_STATUS_INVALID_ARGUMENT,
        };
        let text: &[u8] = if text_length == 0 {
            &[]
        } else {
            // SAFETY: not NULL, readable for text_length bytes by the contract.
            unsafe { std::slice::from_raw_parts(text, text_length) }
        };
        let parsed = match targets::parse(text, family, &sys::interface_index) {
            Ok(parsed) => parsed,
            Err(TargetError::Invalid) => return RR_STATUS_INVALID_TARGET,
            Err(TargetError::TooManyAddresses) => return RR_STATUS_TOO_MANY_ADDRESSES,
        };
        let (addresses, span) = match &parsed.hosts {
            Hosts::Name(_) => (1, None),
            Hosts::Addresses(span) => (span.len(), Some(*span)),
        };
        if first.checked_add(count).map_or(true, |end| end > addresses) {
            return RR_STATUS_INVALID_ARGUMENT;
        }
        let written = match span {
            _ if count == 0 => Vec::new(),
            Some(span) if parsed.expanded => range(&span, first, count).into_bytes(),
            _ => text.to_vec(),
        };
        if written.len() > part_capacity {
            // SAFETY: not NULL, writable by the contract.
            unsafe { out_part_length.write(written.len()) };
            return RR_STATUS_BUFFER_TOO_SMALL;
        }
        let flags = if parsed.expanded { RR_TARGET_EXPANDED } else { 0 }
            | if span.is_none() { RR_TARGET_NAME } else { 0 };
        // SAFETY: not NULL and writable by the contract; the part fits, and where it is empty
        // nothing is copied.
        unsafe {
            if !written.is_empty() {
                part.copy_from_nonoverlapping(written.as_ptr(), written.len());
            }
            out_part_length.write(written.len());
            out_addresses.write(addresses);
            out_flags.write(flags);
        }
        RR_STATUS_OK
    })
}

fn range(span: &Span, first: u64, count: u64) -> String {
    format!("{}-{}", span.address(first), span.address(first + count - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(
        text: &str,
        family: u32,
        first: u64,
        count: u64,
    ) -> Result<(String, u64, u32), rr_status> {
        let mut buffer = [0u8; 128];
        let (mut addresses, mut flags, mut length) = (0, 0, 0);
        // SAFETY: every pointer is to a local, with its size.
        let status = unsafe {
            rr_target_part(
                text.as_ptr(),
                text.len(),
                family,
                first,
                count,
                buffer.as_mut_ptr(),
                buffer.len(),
                &mut addresses,
                &mut flags,
                &mut length,
            )
        };
        if status != RR_STATUS_OK {
            return Err(status);
        }
        Ok((String::from_utf8(buffer[..length].to_vec()).unwrap(), addresses, flags))
    }

    #[test]
    fn a_part_of_a_block_is_a_range() {
        let block = "127.0.0.0/24";
        assert_eq!(part(block, 0, 0, 0), Ok(("".into(), 254, RR_TARGET_EXPANDED)));
        assert_eq!(part(block, 4, 0, 10).unwrap().0, "127.0.0.1-127.0.0.10");
        assert_eq!(part(block, 4, 253, 1).unwrap().0, "127.0.0.254-127.0.0.254");
        assert_eq!(part("fd00::/120", 6, 255, 1).unwrap().0, "fd00::ff-fd00::ff");
    }

    #[test]
    fn the_parts_of_a_target_are_targets_and_make_it_up() {
        let whole = "127.0.3.250-127.0.5.7";
        let addresses = part(whole, 0, 0, 0).unwrap().1;
        let mut sum = 0;
        for first in (0..addresses).step_by(100) {
            let count = 100.min(addresses - first);
            let (text, _, flags) = part(whole, 0, first, count).unwrap();
            assert_eq!(part(&text, 0, 0, 0), Ok(("".into(), count, RR_TARGET_EXPANDED)));
            assert_eq!(flags, RR_TARGET_EXPANDED);
            sum += count;
        }
        assert_eq!(sum, addresses);
    }

    #[test]
    fn names_and_literals_stay_as_they_are() {
        assert_eq!(part("mini.test", 4, 0, 1), Ok(("mini.test".into(), 1, RR_TARGET_NAME)));
        assert_eq!(part("127.0.0.1", 0, 0, 1), Ok(("127.0.0.1".into(), 1, 0)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(part("127.0.0.1", 6, 0, 1), Err(RR_STATUS_INVALID_TARGET));
        assert_eq!(part("127.0.0.0/7", 0, 0, 0), Err(RR_STATUS_TOO_MANY_ADDRESSES));
        assert_eq!(part("127.0.0.0/30", 0, 1, 2), Err(RR_STATUS_INVALID_ARGUMENT));
        assert_eq!(part("127.0.0.0/30", 0, u64::MAX, 2), Err(RR_STATUS_INVALID_ARGUMENT));
        assert_eq!(part("127.0.0.1", 5, 0, 1), Err(RR_STATUS_INVALID_ARGUMENT));
    }
}
