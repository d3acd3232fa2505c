use super::*;
use crate::address::Address;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn scope_of(name: &str) -> Option<u32> {
    match name {
        "eth0" => Some(7),
        "br-lan" => Some(8),
        _ => None,
    }
}

fn parse_any(text: &str) -> Result<Parsed, TargetError> {
    parse(text.as_bytes(), None, &scope_of)
}

/// The addresses as text; panics where the text is a name.
fn addresses(text: &str) -> Result<Vec<String>, TargetError> {
    match parse_any(text)?.hosts {
        Hosts::Addresses(span) => {
            Ok((0..span.len()).map(|index| span.address(index).to_string()).collect())
        }
        Hosts::Name(name) => panic!("{:?} is a name", name),
    }
}

fn span(text: &str) -> Span {
    match parse_any(text).map(|parsed| parsed.hosts) {
        Ok(Hosts::Addresses(span)) => span,
        other => panic!("{:?}: {:?}", text, other),
    }
}

#[track_caller]
fn assert_name(text: &str) {
    let name = Hosts::Name(text.into());
    assert_eq!(parse_any(text), Ok(Parsed { hosts: name, expanded: false }), "{:?}", text);
}

#[track_caller]
fn assert_invalid(text: &str) {
    assert_eq!(parse_any(text), Err(TargetError::Invalid), "{:?}", text);
}

#[test]
fn names_that_look_like_others_are_none() {
    for c in ['\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{fffd}'] {
        assert_invalid(&format!("{}moc.elpmaxe", c));
        assert_invalid(&format!("example.c{}om", c));
    }
    // Letters that are read from right to left are letters.
    assert_name("\u{5d0}\u{5d1}.example");
}

#[test]
fn names_are_passed_on_as_written() {
    let names = [
        "localhost",
        "srv-01",
        "web1-2",
        "10-0-0-1",
        "10-0-0-1.example",
        "1and1.example",
        "SRV",
        "_ldap._tcp.example",
        "example.com.",
        "a",
        "3com",
        "1.2.3.4-rack.example",
        "xn--mnchen-3ya",
        "münchen.example",
        "例え.テスト",
        "0xg",
        "beef",
        "dead.beef",
        "-x",
    ];
    names.into_iter().for_each(assert_name);
}

#[test]
fn white_space_around_is_not_part_of_the_target() {
    let name = Hosts::Name("host".into());
    assert_eq!(parse_any(" \thost\r\n").unwrap().hosts, name);
    assert_eq!(addresses("  10.0.0.1\u{a0}"), Ok(vec!["10.0.0.1".into()]));
}

#[test]
fn what_no_resolver_could_know_is_invalid() {
    let texts = [
        "",
        " ",
        ".",
        "..",
        "a..b",
        ".a",
        "a b",
        "a\tb",
        "a\0b",
        "a\u{7f}",
        "a\u{2003}b",
        "host:80",
        "http://host",
        "host/24",
        "a,b",
        "*",
        "\\\\server",
        "user@host",
        "[host]",
        "-",
        "_",
        "--.--",
        "fe80::1%",
        "a%eth0",
        "\"host\"",
    ];
    texts.into_iter().for_each(assert_invalid);
    assert_eq!(parse(b"caf\xe9", None, &scope_of), Err(TargetError::Invalid));
}

#[test]
fn names_and_labels_have_their_longest() {
    let label = "a".repeat(63);
    let name = [&label[..], &label, &label, &label[..61]].join(".");
    assert_eq!(name.len(), 253);
    assert_name(&name);
    assert_name(&format!("{}.", name));
    assert_invalid(&format!("{}a", name));
    assert_invalid(&format!("{}a", label));
    assert_invalid(&"é".repeat(100_000));
}

#[test]
fn a_mistyped_address_is_not_looked_up() {
    let texts = [
        "10.0.0.256",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        "10.0.0.1.",
        "010.0.0.1",
        "167772161",
        "0x7f000001",
        "127.0x1",
        "127.1",
        "host.1",
        "1.2.3.-4",
        "::g",
        ":",
        "1:2:3",
        "12345::",
        "1::2::3",
        "[::1",
        "::1]",
        "[]",
        "[10.0.0.1]",
        "[[::1]]",
    ];
    texts.into_iter().for_each(assert_invalid);
}

#[test]
fn literals_are_one_address_each() {
    for (text, address) in [
        ("10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("240.0.0.1", "240.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%2", "fe80::1%2"),
        ("fe80::1%eth0", "fe80::1%7"),
        ("[fe80::1%br-lan]", "fe80::1%8"),
    ] {
        assert_eq!(addresses(text), Ok(vec![address.into()]), "{:?}", text);
        assert!(!parse_any(text).unwrap().expanded);
    }
}

#[test]
fn a_mapped_address_is_the_ipv4_address_in_it() {
    assert_eq!(addresses("::ffff:10.0.0.1"), Ok(vec!["10.0.0.1".into()]));
    assert_invalid("::ffff:0.0.0.0");
    assert_invalid("::ffff:10.0.0.1%2");
    assert_invalid("::ffff:10.0.0.0/120");
    assert_invalid("::ffff:10.0.0.1-::ffff:10.0.0.9");
    let six = parse(b"::ffff:10.0.0.1", Some(Family::V6), &scope_of);
    assert_eq!(six, Err(TargetError::Invalid));
}

#[test]
fn a_scope_belongs_to_link_local_addresses() {
    for text in ["fe80::1", "fe80::1%0", "fe80::1%eth9", "febf::1", "2001:db8::1%2", "10.0.0.1%2"] {
        assert_invalid(text);
    }
    assert_invalid("fe80::1%4294967296");
    assert_eq!(addresses("febf::1%4294967295"), Ok(vec!["febf::1%4294967295".into()]));
}

#[test]
fn what_is_no_single_host_is_invalid() {
    for text in ["0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1%2"] {
        assert_invalid(text);
    }
}

#[test]
fn an_ipv4_block_is_its_hosts() {
    assert_eq!(addresses("10.0.0.0/30"), Ok(vec!["10.0.0.1".into(), "10.0.0.2".into()]));
    assert_eq!(addresses("10.0.0.77/30").unwrap(), ["10.0.0.77", "10.0.0.78"]);
    assert_eq!(addresses("10.0.0.1/31").unwrap(), ["10.0.0.0", "10.0.0.1"]);
    assert_eq!(addresses("10.0.0.0/32").unwrap(), ["10.0.0.0"]);
    assert_eq!(span("10.0.0.0/16").len(), 65_534);
    assert_eq!(span("10.1.2.3/8").len(), 16_777_214);
    assert_eq!(span("0.0.0.0/8").address(0).to_string(), "0.0.0.1");
    assert_eq!(span("255.0.0.0/8").address(16_777_213).to_string(), "255.255.255.254");
}

#[test]
fn an_ipv6_block_is_all_its_addresses() {
    assert_eq!(addresses("2001:db8::6/127").unwrap(), ["2001:db8::6", "2001:db8::7"]);
    assert_eq!(addresses("[2001:db8::6]/128").unwrap(), ["2001:db8::6"]);
    assert_eq!(span("2001:db8::/104").len(), MAX_ADDRESSES);
    assert_eq!(addresses("fe80::%eth0/127").unwrap(), ["fe80::%7", "fe80::1%7"]);
}

#[test]
fn a_range_is_both_ends_and_all_between() {
    assert_eq!(addresses("10.0.0.254-10.0.1.1").unwrap().len(), 4);
    assert_eq!(addresses("10.0.0.1-3").unwrap(), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    assert_eq!(addresses("10.0.0.5-5").unwrap(), ["10.0.0.5"]);
    assert_eq!(
        addresses("2001:db8::ffff-2001:db8::1:0").unwrap(),
        ["2001:db8::ffff", "2001:db8::1:0"]
    );
    assert_eq!(span("10.0.0.0-10.255.255.255").len(), MAX_ADDRESSES);
    for text in ["fe80::1%br-lan-fe80::3%br-lan", "fe80::1%8-fe80::3"] {
        assert_eq!(addresses(text).unwrap(), ["fe80::1%8", "fe80::2%8", "fe80::3%8"], "{:?}", text);
    }
}

#[test]
fn blocks_and_ranges_are_marked_as_expanded() {
    for text in ["10.0.0.1/32", "10.0.0.1-1", "::1/128", "10.0.0.0/24"] {
        assert!(parse_any(text).unwrap().expanded, "{:?}", text);
    }
}

#[test]
fn broken_blocks_and_ranges_are_invalid() {
    let texts = [
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/024",
        "/24",
        "10.0.0/24",
        "10.0.0.0/24/24",
        "10.0.0.0/255.255.255.0",
        "::/129",
        "10.0.0.5-1",
        "10.0.0.5-10.0.0.4",
        "10.0.0.1-256",
        "10.0.0.1-050",
        "10.0.0.1-",
        "-10.0.0.1",
        "10.0.0.1-2-3",
        "10.0.0.1-::2",
        "::1-f",
        "::5-::4",
        "10.0.0.1 - 10.0.0.5",
        "fe80::1%7-fe80::3%8",
        "10.0.0.1-10.0.0.256",
        "10.0.0.1-5/24",
        "host-10.0.0.1",
    ];
    texts.into_iter().for_each(assert_invalid);
}

#[test]
fn blocks_and_ranges_end_in_hosts() {
    let texts = [
        "224.0.0.0/24",
        "0.0.0.0/31",
        "0.0.0.0/32",
        "255.255.255.254/31",
        "0.0.0.0-5",
        "::/104",
        "223.255.255.250-224.0.0.5",
        "255.255.255.250-255",
        "ff02::/120",
        "fe80::/120",
        "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:fff0-fe80::1",
    ];
    texts.into_iter().for_each(assert_invalid);
}

#[test]
fn more_addresses_than_allowed_have_an_error_of_their_own() {
    for text in [
        "10.0.0.0/7",
        "0.0.0.0/0",
        "2001:db8::/103",
        "::/0",
        "10.0.0.0-11.0.0.0",
        "::1-1::",
        "10.0.0.0-255.255.255.255",
    ] {
        assert_eq!(parse_any(text), Err(TargetError::TooManyAddresses), "{:?}", text);
    }
}

#[test]
fn addresses_of_the_other_family_are_invalid_and_names_are_not() {
    for (text, four, six) in [
        ("10.0.0.1", true, false),
        ("10.0.0.0/24", true, false),
        ("::1", false, true),
        ("::1-::2", false, true),
        ("host", true, true),
    ] {
        let bytes = text.as_bytes();
        assert_eq!(parse(bytes, Some(Family::V4), &scope_of).is_ok(), four, "{:?}", text);
        assert_eq!(parse(bytes, Some(Family::V6), &scope_of).is_ok(), six, "{:?}", text);
    }
}

#[test]
fn a_span_is_as_small_as_an_address_and_a_count() {
    assert_eq!(std::mem::size_of::<Span>(), std::mem::size_of::<Address>() + 4);
}

/// Texts near the syntax, where arbitrary bytes would hardly get.
fn near_targets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.:/%a-f\\[\\]-]{0,40}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}[-/.][0-9.]{0,15}",
        "[0-9a-f:]{2,20}(%[a-z0-9-]{0,8})?[-/]?[0-9a-f:%]{0,20}",
        "[a-z0-9._-]{1,70}",
    ]
}

fn unicast_v4() -> impl Strategy<Value = u32> {
    (1u32..0xe000_0000).prop_filter("host", |number| is_host(&Address::v4(number.to_be_bytes())))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes, None, &scope_of);
    }

    #[test]
    fn whatever_is_taken_is_a_name_as_written_or_a_span_of_hosts(text in near_targets()) {
        match parse_any(&text).map(|parsed| parsed.hosts) {
            Ok(Hosts::Name(name)) => {
                prop_assert_eq!(&*name, text.trim());
                prop_assert!(text.parse::<std::net::IpAddr>().is_err());
            }
            Ok(Hosts::Addresses(span)) => {
                prop_assert!((1..=MAX_ADDRESSES).contains(&span.len()));
                for index in [0, span.len() / 2, span.len() - 1] {
                    prop_assert!(is_host(&span.address(index)), "{}", span.address(index));
                }
            }
            Err(_) => (),
        }
    }

    #[test]
    fn an_address_comes_back_as_it_was_written(number in any::<u128>(), scope in 1u32.., v4 in any::<u32>()) {
        for address in [
            Address::v6(number.to_be_bytes(), 0),
            Address::v6((number >> 16 | 0xfe80 << 112).to_be_bytes(), scope),
            Address::v4(v4.to_be_bytes()),
        ] {
            let expected = if is_host(&address) {
                Ok(vec![address.to_string()])
            } else {
                Err(TargetError::Invalid)
            };
            prop_assert_eq!(addresses(&address.to_string()), expected);
        }
    }

    #[test]
    fn a_block_has_the_addresses_with_its_prefix(number in unicast_v4(), prefix in 20u32..=30) {
        let block = addresses(&format!("{}/{}", Ipv4Addr::from(number), prefix)).unwrap();
        let size = 1u32 << (32 - prefix);
        let network = number / size * size;
        let hosts = network + 1..network + size - 1;
        let hosts: Vec<_> = hosts.map(|host| Ipv4Addr::from(host).to_string()).collect();
        prop_assert_eq!(block, hosts);
    }

    #[test]
    fn a_range_ascends_without_gaps(first in 1u128.., beyond in 0u128..3000) {
        // 3fff::/20, a block of ordinary addresses.
        let first = first >> 20 | 0x3fff << 112;
        let (from, to) = (Ipv6Addr::from(first), Ipv6Addr::from(first + beyond));
        let span = span(&format!("{}-{}", from, to));
        prop_assert_eq!(u128::from(span.len()), beyond + 1);
        for index in 0..span.len() {
            let expected = Ipv6Addr::from(first + u128::from(index));
            prop_assert_eq!(span.address(index), Address::v6(expected.octets(), 0));
        }
    }

    #[test]
    fn a_short_range_is_the_full_one(number in unicast_v4(), last in any::<u8>()) {
        let first = Ipv4Addr::from(number);
        let [a, b, c, _] = first.octets();
        let short = parse_any(&format!("{}-{}", first, last));
        let full = parse_any(&format!("{}-{}.{}.{}.{}", first, a, b, c, last));
        prop_assert_eq!(short, full);
    }
}
