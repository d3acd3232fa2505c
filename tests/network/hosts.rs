//! Hosts that are there, and hosts that are not.

use crate::lab::{lab_or_skip, skip};
use crate::sweep::sweep;
use std::collections::HashSet;

#[test]
fn live_hosts_answer() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.9.0/24 dev lo");
    let swept = sweep(&left, "--count 1 10.1.9.0/24 10.1.0.2");
    swept.assert_all(255, "Success");
    let addresses: HashSet<_> = swept.jobs.iter().map(|job| job.text("address")).collect();
    assert_eq!(addresses.len(), 255);
    for job in &swept.jobs {
        assert_eq!((job.number("sent"), job.number("received")), (1, 1));
        assert_eq!(job.number("ttl"), 64);
        assert!(job.rtt_ms() > 0.0 && job.rtt_ms() < 200.0, "{:?}", job);
    }
}

#[test]
fn a_silent_host_is_down_when_its_last_reply_is_overdue() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    // A host that does not forward takes packets for others and says nothing.
    right.sysctl("ipv4/ip_forward", "0");
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    let swept = sweep(&left, "--count 3 --interval 50 10.2.0.1-10.2.0.20");
    swept.assert_all(20, "TimedOut");
    for job in &swept.jobs {
        assert_eq!((job.number("sent"), job.number("received")), (3, 0));
        assert_eq!(job.number("rtt_ns"), -1);
        // (3 - 1) x 50 ms + 200 ms; the upper bound leaves room for a busy machine.
        let duration = job.duration_ms();
        assert!((300.0..600.0).contains(&duration), "{} ms", duration);
    }
}

#[test]
fn dead_and_live_hosts_of_one_block_are_told_apart() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    right.ip("route add local 10.2.0.64/26 dev lo");
    let swept = sweep(&left, "--count 2 --interval 50 10.2.0.0/24");
    for job in &swept.jobs {
        // The block begins at .1.
        let live = (64..128).contains(&(job.number("index") + 1));
        assert_eq!(job.outcome(), if live { "Success" } else { "TimedOut" }, "{:?}", job);
    }
    assert_eq!(swept.jobs.len(), 254);
}

#[test]
fn hosts_missing_on_the_link_are_unreachable() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv4", 50);
    let swept = sweep(&left, "--count 1 10.1.7.1-10.1.7.5 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    for job in swept.jobs.iter().filter(|job| job.text("target") != "10.1.0.2") {
        assert_eq!(job.outcome(), "DestinationHostUnreachable", "{:?}", job);
    }
}

/// The neighbour table takes 1,024 (gc_thresh3); what does not fit is refused with ENOBUFS, or
/// silently where nobody asked for errors.
#[test]
fn dead_neighbours_do_not_make_live_ones_look_down() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.1.200.0/24 dev lo");
    left.give_up_neighbours("ipv4", 500);
    let swept = sweep(&left, "--count 1 10.1.100.1-10.1.105.220 10.1.200.1-10.1.200.50");
    let (dead, live): (Vec<_>, Vec<_>) =
        swept.jobs.iter().partition(|job| job.text("target").starts_with("10.1.100."));
    assert_eq!((dead.len(), live.len()), (1500, 50));
    for job in live {
        assert_eq!(job.outcome(), "Success", "{:?}", job);
    }
    for job in dead {
        let outcome = job.outcome();
        assert!(matches!(outcome, "TimedOut" | "DestinationHostUnreachable"), "{:?}", job);
    }
}

/// The kernel's own word on a dead neighbour is limited to 50 at once; its table is not.
#[test]
fn equal_dead_neighbours_end_equally() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv4", 100);
    let swept =
        sweep(&left, "--count 2 --interval 300 --timeout 200 10.1.100.1-10.1.101.200 10.1.0.2");
    assert_eq!(swept.of("10.1.0.2").outcome(), "Success");
    let outcomes = swept.outcomes();
    assert_eq!(outcomes["DestinationHostUnreachable"], 456, "{:?}", outcomes);
}

/// The kernel tells only of what it gives up after it was asked to tell.
#[test]
fn neighbours_that_are_given_up_at_once_are_heard_of() {
    let lab = lab_or_skip!();
    let (left, _right) = lab.pair();
    left.give_up_neighbours("ipv4", 20);
    let swept = sweep(&left, "--count 1 --timeout 500 10.1.100.1-10.1.101.200");
    swept.assert_all(456, "DestinationHostUnreachable");
}

#[test]
fn dead_neighbours_do_not_delay_routed_hosts() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    right.ip("route add local 10.2.0.0/16 dev lo");
    left.ip("route add 10.2.0.0/16 via 10.1.0.2");
    let swept = sweep(&left, "--count 1 10.1.100.1-10.1.105.220 10.2.0.1-10.2.0.50");
    let first_dead = swept.jobs.iter().position(|job| job.text("target").starts_with("10.1.100."));
    let last_routed = swept.jobs.iter().rposition(|job| job.outcome() == "Success");
    let routed = swept.jobs.iter().filter(|job| job.outcome() == "Success").count();
    assert_eq!(routed, 50);
    // Lines stand in the order of finishing, and a dead host takes the whole reply timeout.
    assert!(last_routed < first_dead, "{:?} {:?}", last_routed, first_dead);
}

#[test]
fn a_lost_reply_is_made_up_for_by_the_next_attempt() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    // Every second echo request from the left is lost, the first one among them.
    let loaded = right.filter("input", &["icmp type echo-request numgen inc mod 2 == 0 drop"]);
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--count 3 --interval 50 10.1.0.2");
    let job = swept.of("10.1.0.2");
    assert_eq!(job.outcome(), "Success");
    assert_eq!((job.number("sent"), job.number("received")), (2, 1));
}

#[test]
fn statistics_tell_the_losses() {
    let lab = lab_or_skip!();
    let (left, right) = lab.pair();
    let loaded = right.filter("input", &["icmp type echo-request numgen inc mod 2 == 0 drop"]);
    if !loaded {
        return skip("no nft on this machine");
    }
    let swept = sweep(&left, "--statistics --count 6 --interval 20 10.1.0.2");
    let job = swept.of("10.1.0.2");
    assert_eq!(job.outcome(), "Success");
    assert_eq!((job.number("sent"), job.number("received")), (6, 3));
    assert_eq!(job.number("duplicates"), 0);
    assert!(job.number("rtt_min_ns") > 0);
    assert!(job.number("rtt_min_ns") <= job.number("rtt_mean_ns"));
    assert!(job.number("rtt_mean_ns") <= job.number("rtt_max_ns"));
}
