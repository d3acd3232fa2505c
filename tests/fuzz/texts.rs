//! Target texts: whatever is said of a text must be true of it, checked with the standard library's
//! own reading of addresses.

use crate::{fuzz, Random};
use rust_runspaces::address::{Address, Family};
use rust_runspaces::targets::{is_host, parse, Hosts, TargetError, MAX_ADDRESSES};
use std::net::IpAddr;

const CORPUS: &str = include_str!("corpus/texts.txt");

const PIECES: &[&str] = &[
    "127.0.0.1",
    "10.0.0.0",
    "255.255.255.255",
    "0.0.0.0",
    "224.0.0.1",
    "1.2.3",
    "0x7f.1",
    "01.2.3.4",
    "::1",
    "::",
    "fe80::1",
    "ff02::1",
    "::ffff:1.2.3.4",
    "fd00::1:2:3",
    "1:2:3:4:5:6:7:8",
    "[",
    "]",
    "/",
    "-",
    "%",
    "%eth0",
    "%2",
    "%0",
    "%4294967296",
    "/0",
    "/8",
    "/24",
    "/31",
    "/32",
    "/33",
    "/104",
    "/128",
    "/129",
    "-50",
    "-300",
    "10.0.0.255",
    ".",
    "..",
    ":",
    "host",
    "a-b",
    "_x",
    "xn--bcher-kva",
    "b\u{fc}cher",
    "\u{3002}",
    "\u{202e}",
    "\u{0}",
    "\u{7f}",
    "\u{a0}",
    " ",
    "\t",
    "\n",
    "\u{feff}",
    "\u{e9}",
    "e\u{301}",
    "\u{1f600}",
    "0",
    "256",
    "99999999999999999999",
    "-1",
    "+1",
    "e",
    "é.example",
];

fn is_single(text: &str) -> Option<IpAddr> {
    text.trim().parse().ok()
}

/// Whether the text was understood as addresses.
fn check(text: &[u8]) -> bool {
    let scope_of = |name: &str| (name == "eth0").then_some(7);
    for family in [None, Some(Family::V4), Some(Family::V6)] {
        let result = parse(text, family, &scope_of);
        assert_eq!(result, parse(text, family, &scope_of), "{:?}", text);
        if family.is_none() {
            continue;
        }
        // The family only takes away.
        if result != Err(TargetError::Invalid) {
            assert_eq!(result, parse(text, None, &scope_of), "{:?}", text);
        }
    }
    let result = parse(text, None, &scope_of);
    let readable = std::str::from_utf8(text).ok();
    let parsed = match result {
        Err(_) => {
            // No address of a host is refused.
            if let Some(ip) = readable.and_then(is_single) {
                assert!(!is_host(&Address::from_ip(ip, 0)), "{:?}", readable);
            }
            return false;
        }
        Ok(parsed) => parsed,
    };
    let text = readable.expect("text that is none was taken");
    match parsed.hosts {
        Hosts::Name(name) => {
            assert_eq!(&*name, text.trim(), "the name is another");
            assert!(!name.chars().any(|c| c.is_control() || c.is_whitespace()), "{:?}", text);
            assert!(is_single(text).is_none(), "an address as a name: {:?}", text);
            assert!(!parsed.expanded);
            false
        }
        Hosts::Addresses(span) => {
            assert!((1..=MAX_ADDRESSES).contains(&span.len()), "{:?}", text);
            let (first, last) = (span.address(0), span.address(span.len() - 1));
            for address in [first, last] {
                assert!(is_host(&address), "{:?} has {}", text, address);
            }
            assert!(parsed.expanded || span.len() == 1, "{:?}", text);
            if let Some(ip) = is_single(text).filter(|ip| is_host(&Address::from_ip(*ip, 0))) {
                assert_eq!((first.ip(), span.len()), (ip, 1), "{:?}", text);
            }
            // What is written out is understood as the same.
            let again = parse(first.to_string().as_bytes(), None, &scope_of).expect("an address");
            match again.hosts {
                Hosts::Addresses(span) => assert_eq!(span.address(0), first, "{:?}", text),
                Hosts::Name(_) => panic!("{} became a name", first),
            }
            true
        }
    }
}

fn text(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..1 + random.below(4) {
        match random.below(12) {
            0 => text.extend_from_slice(&random.number().to_le_bytes()[..random.below(8)]),
            1 => text.extend(random.below(300).to_string().bytes()),
            2 => {
                let ip = std::net::Ipv4Addr::from(random.number() as u32);
                text.extend(ip.to_string().bytes());
            }
            3 => {
                let high = u128::from(random.number()) << 64 << random.below(64);
                let ip = std::net::Ipv6Addr::from(high | u128::from(random.number()));
                text.extend(ip.to_string().bytes());
            }
            _ => text.extend_from_slice(random.pick(PIECES).as_bytes()),
        }
    }
    if random.below(64) == 0 {
        text = text.repeat(random.below(2000));
    }
    if random.below(8) == 0 && !text.is_empty() {
        let at = random.below(text.len());
        text[at] = random.number() as u8;
    }
    text
}

#[test]
fn what_is_said_of_a_text_is_true_of_it() {
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        check(line.as_bytes());
    }
    let (mut understood, mut all) = (0u64, 0u64);
    fuzz("texts", "", |random| {
        all += 1;
        understood += u64::from(check(&text(random)));
        1
    });
    let are_some = understood > all / 100 && understood < all * 9 / 10;
    assert!(all == 1 || are_some, "{} of {}", understood, all);
}
