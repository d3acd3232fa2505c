//! RustRunspaces: one piece of work over many computers.
//!
//! This file is the table of contents. Each module knows only those below it:
//!
//! - [`ffi`]      the C ABI: exported functions, `repr(C)` types, handles, the panic guard
//! - [`pool`]     a pool: jobs in, exactly one completion each out; limits, cancel, close
//! - [`call`]     jobs for host callbacks, on worker threads
//! - [`reactor`]  one per process: drives every probe of every pool from one thread; a second one
//!   sends with it where there is much to send
//! - [`resolve`]  names, on threads of their own
//! - [`probe`]    echo and connect jobs as pure state machines
//! - [`targets`]  names, literals, CIDR blocks and ranges, expanded lazily
//! - [`sys`]      the platform: sockets, resolver calls, clocks, threads
//! - [`wire`]     ICMP and ICMPv6 packets, tokens, the sequence map; used by the unix backends
//! - [`segment`]  the threads of workers and resolvers, in rayon pools of up to 32
//! - [`completions`]  the queue of finished jobs, between those who finish and who collects
//! - [`counters`]  figures for diagnosis
//! - [`sync`]     locks whose poison means nothing
//! - [`hash`]     the hash of tables of addresses
//! - [`outcome`], [`address`], [`clock`]  the words that all of them share

#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

pub mod address;
pub mod call;
pub mod clock;
pub mod completions;
pub mod counters;
pub mod ffi;
pub mod hash;
pub mod outcome;
pub mod pool;
pub mod probe;
pub mod reactor;
pub mod resolve;
pub mod segment;
pub mod sync;
pub mod sys;
pub mod targets;
pub mod wire;
