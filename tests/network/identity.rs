//! Only the right reply counts: source address, identifier, sequence and token.

use crate::lab::lab_or_skip;
use crate::packets::Request;
use crate::sweep::sweep;
use crate::tun::{network_or_skip, now, silence, Answer};
use std::net::IpAddr;
use std::time::Duration;

/// The same host number, in the other half of the subnet.
fn neighbour(request: &Request) -> IpAddr {
    match request.destination {
        IpAddr::V4(address) => {
            let [a, b, _, d] = address.octets();
            IpAddr::from([a, b, 99, d])
        }
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8] = 0x99;
            IpAddr::from(octets)
        }
    }
}

/// Host 1 answers rightly, host 7 from another address, the others each with one thing wrong.
fn impostors(request: &Request) -> Vec<Answer> {
    let mut wrong = request.clone();
    match request.host() {
        1 => return now(request.reply()),
        2 => wrong.sequence = wrong.sequence.wrapping_add(1),
        3 => wrong.identifier = wrong.identifier.wrapping_add(1),
        4 => wrong.payload[0] ^= 1,
        5 => wrong.payload[15] ^= 0x80,
        6 => wrong.payload.truncate(8),
        7 => return now(request.reply_from(neighbour(request))),
        8 => return now(request.sent_back()),
        9 => return now(request.forged().unreachable_from(neighbour(request), 64)),
        _ => return silence(),
    }
    now(wrong.reply())
}

#[test]
fn wrong_replies_count_for_nobody() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, impostors);
    let swept = sweep(&namespace, "--count 2 --interval 50 10.80.1.1-10.80.1.10");
    for job in &swept.jobs {
        // Host 7 answers from another of its addresses, with the whole token: it is there.
        let right = matches!(job.number("index"), 0 | 6);
        assert_eq!(job.outcome(), if right { "Success" } else { "TimedOut" }, "{:?}", job);
    }
    assert_eq!(swept.jobs.len(), 10);
    let elsewhere = swept.jobs.iter().find(|job| job.number("index") == 6).expect("host 7");
    assert_eq!(elsewhere.text("address"), "10.80.1.7");
    assert_eq!(elsewhere.text("detail"), "10.80.99.7 answered in its place");
    // Wrong sequences, tokens and sources pass the kernel's filter and are counted.
    assert!(swept.total.expect("totals").number("packets_foreign") >= 4);
}

#[test]
fn wrong_ipv6_replies_count_for_nobody() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, impostors);
    let swept = sweep(
        &namespace,
        "--count 2 --interval 50 fd80::1:1 fd80::1:2 fd80::1:3 fd80::1:4 fd80::1:5 fd80::1:6 \
         fd80::1:7 fd80::1:8 fd80::1:9",
    );
    for job in &swept.jobs {
        let right = matches!(job.text("target"), "fd80::1:1" | "fd80::1:7");
        assert_eq!(job.outcome(), if right { "Success" } else { "TimedOut" }, "{:?}", job);
    }
    assert_eq!(swept.jobs.len(), 9);
}

#[test]
fn a_reply_to_one_host_is_none_for_another() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    // Host 1 answers for itself and, with its own token, in the name of host 2.
    let _network = network_or_skip!(&namespace, |request| match request.host() {
        1 => {
            let mut answers = now(request.reply_from(IpAddr::from([10, 80, 1, 2])));
            answers.extend(now(request.reply()));
            answers
        }
        _ => silence(),
    });
    let swept = sweep(&namespace, "--count 2 --interval 50 10.80.1.1 10.80.1.2");
    assert_eq!(swept.of("10.80.1.1").outcome(), "Success");
    assert_eq!(swept.of("10.80.1.2").outcome(), "TimedOut");
}

#[test]
fn duplicates_are_counted_apart() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| {
        let mut answers = now(request.reply());
        answers.extend(now(request.reply()));
        answers.extend(now(request.reply()));
        answers
    });
    let swept = sweep(&namespace, "--statistics --count 3 --interval 50 10.80.1.1");
    let job = swept.of("10.80.1.1");
    assert_eq!((job.number("sent"), job.number("received")), (3, 3));
    // Two further answers to each attempt; the job ends with the first to the last one.
    let duplicates = job.number("duplicates");
    assert!((4..=6).contains(&duplicates), "{}", duplicates);
}

#[test]
fn an_error_that_proves_nothing_is_only_noted() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let router = IpAddr::from([10, 80, 7, 7]);
    // Eight quoted bytes hold no token: anybody on the way could have made them up.
    let _network = network_or_skip!(&namespace, move |request| {
        let mut answers = now(request.unreachable_from(router, 8));
        if request.host() == 1 {
            let after = Duration::from_millis(50);
            answers.push(Answer { after, packet: request.reply() });
        }
        answers
    });
    let swept = sweep(&namespace, "--count 1 10.80.1.1 10.80.1.2");
    assert_eq!(swept.of("10.80.1.1").outcome(), "Success");
    // With no reply at all, the noted error is the best there is; but only at the end.
    let noted = swept.of("10.80.1.2");
    assert_eq!(noted.outcome(), "DestinationHostUnreachable");
    assert!(noted.duration_ms() >= 200.0, "{:?}", noted);
}

#[test]
fn an_error_with_the_token_ends_its_attempt() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let router = IpAddr::from([10, 80, 7, 7]);
    let _network =
        network_or_skip!(&namespace, move |request| now(request.unreachable_from(router, 64)));
    let swept = sweep(&namespace, "--count 1 10.80.1.1");
    let job = swept.of("10.80.1.1");
    assert_eq!(job.outcome(), "DestinationHostUnreachable");
    assert!(job.text("detail").contains("10.80.7.7"), "{}", job.text("detail"));
    assert!(job.duration_ms() < 150.0, "{:?}", job);
}

#[test]
fn equal_targets_have_one_answer_each() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let _network = network_or_skip!(&namespace, |request| now(request.reply()));
    let swept = sweep(&namespace, "--count 1 10.80.1.1 10.80.1.1 10.80.1.1");
    swept.assert_all(3, "Success");
}
