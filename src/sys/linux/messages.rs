//! What the system's calls for messages take: headers in one block with the buffers that they point
//! to, allocated once. Nothing here knows what a packet means.

use std::alloc::{alloc_zeroed, handle_alloc_error, Layout};
use std::os::raw::c_uint;
use std::ptr::NonNull;

/// A message header with the number of bytes sent or received: laid out as the system's `mmsghdr`.
#[repr(C)]
pub(super) struct Message {
    pub(super) header: libc::msghdr,
    pub(super) length: c_uint,
}

impl Message {
    /// Without buffers.
    pub(super) fn empty() -> Message {
        // SAFETY: integers and raw pointers only.
        Message { header: unsafe { std::mem::zeroed() }, length: 0 }
    }
}

/// Enough of a packet to know it: an error with IP header and options, the quoted header with
/// options or some extension headers, the quoted request with its token.
pub(super) const RECEIVE_LENGTH: usize = 256;

/// Owns a heap block of zeros, reached only through its raw pointer, so that pointers from one
/// part of it into another stay valid while it moves.
pub(super) struct Block<T>(NonNull<T>);

impl<T> Block<T> {
    /// # Safety
    /// All zeros are a value of `T`, and `T` needs no drop.
    pub(super) unsafe fn zeroed() -> Block<T> {
        let layout = Layout::new::<T>();
        // SAFETY: no `T` used here is of size 0.
        let block = unsafe { alloc_zeroed(layout) };
        match NonNull::new(block.cast()) {
            Some(block) => Block(block),
            None => handle_alloc_error(layout),
        }
    }

    pub(super) fn pointer(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { std::alloc::dealloc(self.0.as_ptr().cast(), Layout::new::<T>()) };
    }
}

// SAFETY: the owner of a block is the only one to reach it.
unsafe impl<T> Send for Block<T> {}
