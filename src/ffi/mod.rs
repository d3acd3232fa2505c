//! The C ABI: everything exported, and the only place that sees a caller's pointer. The rules,
//! and which function may be called from which thread, stand in docs/c-api.md.
//!
//! [`types`] has the structs and numbers, [`pool`], [`target`] and [`worker`] the exported functions,
//! [`registry`] the handles, [`guard`] what keeps a panic from leaving the library, [`versioned`] the
//! structs of older and newer callers, [`text`] the sentences for people.

#![allow(non_camel_case_types)]

pub mod guard;
mod numbers;
pub mod pool;
mod registry;
pub mod target;
mod text;
pub mod types;
mod versioned;
pub mod worker;

use std::os::raw::c_char;
use types::*;

/// The version of this interface: compare with RR_ABI_VERSION of the header before anything else.
#[no_mangle]
pub extern "C" fn rr_abi_version() -> u32 {
    RR_ABI_VERSION
}

/// The version of the library, as in "0.1.0": static, NUL-terminated.
#[no_mangle]
pub extern "C" fn rr_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// One line in English on a status: static, NUL-terminated, never NULL.
#[no_mangle]
pub extern "C" fn rr_status_message(status: rr_status) -> *const c_char {
    text::status_message(status).as_ptr().cast()
}
