//! What tests give a shell of the reactor that they turn by themselves: a target that is sent one echo
//! request, and a resolver that is never asked.

use rust_runspaces::address::{Address, Family};
use rust_runspaces::probe::{Kind, ProbeOptions, Schedule};
use rust_runspaces::reactor::shell::Names;
use rust_runspaces::reactor::{Source, Target};
use rust_runspaces::sys::ProbeId;
use rust_runspaces::targets;
use std::sync::Arc;

pub struct NoNames;

impl Names for NoNames {
    fn forward(&mut self, _: ProbeId, _: Arc<str>, _: Option<Family>, _: bool) {}
    fn reverse(&mut self, _: ProbeId, _: Address) {}
}

/// The target `text`, whose one request may wait `reply_timeout` nanoseconds for its reply.
pub fn target(text: &str, reply_timeout: u64) -> Target {
    let schedule = Schedule { count: 1, interval: reply_timeout, reply_timeout, statistics: false };
    let options = ProbeOptions {
        kind: Kind::Echo,
        schedule,
        payload_size: 32,
        hops: 0,
        family: None,
        resolve: false,
    };
    let source = match targets::parse(text.as_bytes(), None, &|_| None).expect("a target").hosts {
        targets::Hosts::Name(name) => Source::Name(name.into()),
        targets::Hosts::Addresses(span) => Source::Span(span),
    };
    Target { user_data: 0, options: Arc::new(options), source }
}
