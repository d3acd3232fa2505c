//! What the simulator's small worlds do not show: the real sizes of the system's neighbour table.

use super::*;
use crate::probe::{ProbeOptions, Schedule};
use crate::sys::SendResult;
use crate::targets::{self, Hosts};

const NOW: Time = Time::from_nanos(crate::clock::SECOND);

fn target(text: &str) -> Target {
    let schedule = Schedule { count: 1, interval: 1, reply_timeout: 1 << 32, statistics: false };
    let (kind, family) = (crate::probe::Kind::Echo, None);
    let options =
        ProbeOptions { kind, schedule, payload_size: 32, hops: 0, family, resolve: false };
    let source = match targets::parse(text.as_bytes(), None, &|_| None).unwrap().hosts {
        Hosts::Name(name) => Source::Name(name.into()),
        Hosts::Addresses(span) => Source::Span(span),
    };
    Target { user_data: 0, options: Arc::new(options), source }
}

/// Of silent targets, all on a link whose table has 1,024 places: how many are asked before any
/// neighbour is given up.
fn asked_at_once(pools: &[&[&str]]) -> usize {
    let mut scheduler = Scheduler::new(Limits::REAL, NOW, 0, true);
    let link = (Address::v4([10, 0, 0, 0]), 8);
    scheduler.set_on_link(OnLink { prefixes: vec![link], table: [1024, 1024] });
    for texts in pools {
        let member = scheduler.join(0, Time::NEVER);
        scheduler.accept(member, texts.iter().map(|text| target(text)).collect());
    }
    let mut sent = 0;
    loop {
        scheduler.set_time(NOW, 0);
        let more = scheduler.plan();
        let requests = std::mem::take(&mut scheduler.actions().requests);
        for request in &requests {
            scheduler.sent(request.id, SendResult::Sent { at: NOW });
        }
        sent += requests.len();
        if !more && requests.is_empty() {
            return sent;
        }
    }
}

#[test]
fn neighbours_take_all_places_only_where_that_serves_them_all() {
    assert_eq!(asked_at_once(&[&["10.0.0.1-10.0.3.254"]]), 1022, "a /22 fits");
    assert_eq!(asked_at_once(&[&["10.0.0.0-10.0.3.255"]]), 1024);
    assert_eq!(asked_at_once(&[&["10.0.0.0-10.0.4.0"]]), 768, "one too many");
    assert_eq!(asked_at_once(&[&["10.0.0.1-10.0.3.254"], &["10.1.0.1-10.1.3.254"]]), 768);
    assert_eq!(asked_at_once(&[&["10.0.0.1-10.0.3.254", "10.1.0.1-10.1.0.10"]]), 768);
}
