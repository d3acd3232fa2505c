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

#[test]
fn a_probe_whose_key_has_another_one_s_hash_is_opened_beside_it() {
    let mut scheduler = Scheduler::new(Limits::REAL, NOW, 0, true);
    let member = scheduler.join(0, Time::NEVER);
    scheduler.accept(member, vec![target("192.0.2.1")]);
    scheduler.plan();
    let second = target("192.0.2.2");
    let address = Address::v4([192, 0, 2, 2]);
    let key = ShareKey::new(member, &second, 0, address);
    let found = scheduler.shared.get_or_insert(&key, 0);
    assert_eq!(found, 0, "the first probe is where the second one is looked for");
    scheduler.accept(member, vec![second]);
    scheduler.plan();
    let to: Vec<_> = scheduler.actions().requests.iter().map(|request| request.to).collect();
    assert_eq!(to, [Address::v4([192, 0, 2, 1]), address]);
    assert!(scheduler.probes.get(0).unwrap().sharers.is_empty());
}
