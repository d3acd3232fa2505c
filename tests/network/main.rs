//! The engine on real packets, in network namespaces the tests make themselves and remove again.
//! Each test runs the program `sweep` (tests/programs) inside a namespace and looks at its lines.
//! Needs root and `ip`; without them every test prints `skipped: REASON` and passes.
//!
//! [`lab`] makes namespaces and links, [`sweep`] runs the program, [`tun`] plays networks packet
//! by packet with the [`packets`] it is told to; a [`witness`] has the kernel's times of what passes
//! an interface; a [`name_server`] answers as badly as it is told to. The other modules are the tests.

mod lab;
mod name_server;
mod packets;
#[path = "../shared/shells.rs"]
mod shells;
mod sweep;
mod tun;
mod witness;

mod answers;
mod crowd;
mod faults;
mod hosts;
mod identity;
mod ipv6;
mod latency;
mod names;
mod overflow;
mod permission;
mod ports;
mod rooms;
mod routes;
mod timing;
mod troubles;
