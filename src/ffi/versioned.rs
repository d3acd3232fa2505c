//! Structs that carry their size, because they grow at the end from version to version. Older callers
//! have shorter ones: what they do not have is zero when read, which is the default of every field, and
//! is not touched when written. Newer callers have longer ones, of which the rest is left alone.

use super::types::*;
use std::mem::{align_of, size_of, MaybeUninit};
use std::ptr::copy_nonoverlapping;

/// A struct of the C ABI that grows at the end.
///
/// # Safety
/// `repr(C)`, without padding, and all bytes zero is a value of it.
pub unsafe trait Versioned: Copy {
    /// The size of its first version: nobody has a smaller one.
    const FIRST_SIZE: usize;
}

// SAFETY: as asserted in `types`; numbers are 0, pointers and functions NULL.
unsafe impl Versioned for rr_pool_options {
    const FIRST_SIZE: usize = 32 + 4 * size_of::<usize>(); // all but `paused`
}
// SAFETY: as above.
unsafe impl Versioned for rr_probe_options {
    const FIRST_SIZE: usize = size_of::<rr_probe_options>();
}
// SAFETY: as above.
unsafe impl Versioned for rr_target {
    const FIRST_SIZE: usize = 32;
}
// SAFETY: as above.
unsafe impl Versioned for rr_pool_counts {
    const FIRST_SIZE: usize = 64; // up to `workers_abandoned`
}
// SAFETY: as above.
unsafe impl Versioned for rr_completion {
    const FIRST_SIZE: usize = 160; // up to `reserved`
}
// SAFETY: as above.
unsafe impl Versioned for rr_call {
    const FIRST_SIZE: usize = 16;
}

/// Whether some version of `T` has this size. One between two fields of ours is no version.
pub fn is_size_of<T: Versioned>(size: usize) -> bool {
    size >= T::FIRST_SIZE && size % align_of::<T>() == 0
}

/// The size that the caller wrote into the struct's first field, if a version of `T` has it.
///
/// # Safety
/// `at` points to a readable struct that begins with its `struct_size`.
pub unsafe fn struct_size<T: Versioned>(at: *const T) -> Option<usize> {
    // SAFETY: by the contract.
    let size = unsafe { at.cast::<u32>().read() } as usize;
    is_size_of::<T>(size).then_some(size)
}

/// Reads a struct of `size` bytes.
///
/// # Safety
/// `at` is readable for `size` bytes.
pub unsafe fn read<T: Versioned>(at: *const T, size: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: readable by the contract, writable for the size of a `T`; zeros are a value of it, and
    // the caller's bytes are one by the contract of the trait.
    unsafe {
        let bytes = size.min(size_of::<T>());
        copy_nonoverlapping(at.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), bytes);
        value.assume_init()
    }
}

/// Writes as much of `value` as a struct of `size` bytes has.
///
/// # Safety
/// `at` is writable for `size` bytes.
pub unsafe fn write<T: Versioned>(at: *mut T, size: usize, value: &T) {
    let from = (value as *const T).cast::<u8>();
    // SAFETY: writable by the contract; the value is ours and has no padding.
    unsafe { copy_nonoverlapping(from, at.cast::<u8>(), size.min(size_of::<T>())) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_caller_does_not_have_is_zero_when_read_and_untouched_when_written() {
        let mut memory = [0xEE_u64; 24];
        let at = memory.as_mut_ptr().cast::<rr_pool_counts>();
        // SAFETY: the array is larger than the struct.
        let counts = unsafe { read(at, 64) };
        assert_eq!((counts.ready, counts.packets_not_sent, counts.lookups_open), (0xEE, 0, 0));
        // SAFETY: as above.
        unsafe { write(at, 64, &rr_pool_counts { ready: 7, packets_not_sent: 8, ..counts }) };
        assert_eq!((memory[4], memory[7], memory[8]), (7, 0xEE, 0xEE));
    }

    #[test]
    fn sizes_are_those_of_a_version() {
        let sizes = |wanted: &[usize]| {
            wanted.iter().map(|size| is_size_of::<rr_pool_counts>(*size)).collect::<Vec<_>>()
        };
        assert_eq!(
            sizes(&[0, 56, 63, 64, 68, 72, 104, 112]),
            [false, false, false, true, false, true, true, true]
        );
    }
}
