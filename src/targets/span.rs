//! Consecutive addresses, computed one at a time. Knows no syntax.

use crate::address::{Address, Family};
use std::net::{Ipv4Addr, Ipv6Addr};

/// One or more consecutive addresses of one family and scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    first: Address,
    /// 1..=MAX_ADDRESSES; four bytes, as a pool holds a span for every literal.
    count: u32,
}

impl Span {
    /// The addresses from `first` on. `count` is at least 1, and that many exist.
    pub(super) fn new(first: Address, count: u32) -> Span {
        debug_assert!(count > 0);
        Span { first, count }
    }

    /// Addresses in it, at least one.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.count.into()
    }

    /// The address at `index`, which is below [`Span::len`]; ascending, in constant time.
    pub fn address(&self, index: u64) -> Address {
        assert!(index < self.len(), "address {} of {}", index, self.len());
        let number = number_of(&self.first) + u128::from(index);
        address_of(self.first.family(), number, self.first.scope())
    }
}

/// Whether an address can be that of a single host: not unspecified, multicast or the limited
/// broadcast, not link-local IPv6 without its scope, no scope elsewhere, and not IPv4 in the form
/// of IPv6.
pub fn is_host(address: &Address) -> bool {
    match address.family() {
        Family::V4 => {
            let ip = Ipv4Addr::from(number_of(address) as u32);
            !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast()
        }
        Family::V6 => {
            let ip = Ipv6Addr::from(number_of(address));
            // fe80::/10, RFC 4291 section 2.4.
            let link_local = ip.segments()[0] & 0xffc0 == 0xfe80;
            !ip.is_unspecified()
                && !ip.is_multicast()
                && mapped(&ip).is_none()
                && link_local == (address.scope() != 0)
        }
    }
}

/// The IPv4 address in `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
pub(super) fn mapped(ip: &Ipv6Addr) -> Option<Ipv4Addr> {
    let number = u128::from(*ip);
    (number >> 32 == 0xffff).then(|| Ipv4Addr::from(number as u32))
}

/// The address as a number; IPv4 ones are below 2^32.
pub(super) fn number_of(address: &Address) -> u128 {
    address.octets().iter().fold(0, |number, octet| number << 8 | u128::from(*octet))
}

pub(super) fn address_of(family: Family, number: u128, scope: u32) -> Address {
    match family {
        Family::V4 => Address::v4((number as u32).to_be_bytes()),
        Family::V6 => Address::v6(number.to_be_bytes(), scope),
    }
}
