//! Which addresses are neighbours: on a link of this machine, so that a packet to one has to wait
//! for its link-layer address.

use super::socket::SocketAddress;
use crate::address::{Address, Family};
use std::os::raw::c_int;
use std::ptr::null_mut;

/// The prefixes of this machine's broadcast links, as of when they were read.
pub struct OnLink {
    prefixes: Vec<(Address, u32)>,
}

impl OnLink {
    /// Reads the prefixes of all interfaces that are up, broadcast-capable and not loopback.
    pub fn read() -> OnLink {
        let mut prefixes = Vec::new();
        let mut list: *mut libc::ifaddrs = null_mut();
        // SAFETY: writable; on success a list that is freed below.
        if unsafe { libc::getifaddrs(&mut list) } != 0 {
            return OnLink { prefixes };
        }
        let wanted = libc::IFF_UP | libc::IFF_BROADCAST;
        let mut next = list;
        while !next.is_null() {
            // SAFETY: an entry of the list; its addresses are NULL or valid.
            let (flags, address, mask) = unsafe {
                let entry = &*next;
                next = entry.ifa_next;
                (
                    entry.ifa_flags as c_int,
                    SocketAddress::copy_of(entry.ifa_addr).read(),
                    SocketAddress::copy_of(entry.ifa_netmask).read(),
                )
            };
            if flags & (wanted | libc::IFF_LOOPBACK) != wanted {
                continue;
            }
            if let (Some((address, _)), Some((mask, _))) = (address, mask) {
                let length = mask.octets().iter().map(|octet| octet.count_ones()).sum();
                prefixes.push((address, length));
            }
        }
        // SAFETY: from getifaddrs, freed once.
        unsafe { libc::freeifaddrs(list) };
        OnLink { prefixes }
    }

    /// Whether an address is on one of the links. IPv6 link-local addresses always are.
    pub fn contains(&self, address: &Address) -> bool {
        let bytes = address.bytes();
        if address.family() == Family::V6 && bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 {
            return true;
        }
        self.prefixes.iter().any(|(prefix, length)| {
            prefix.family() == address.family() && shares_prefix(prefix, address, *length)
        })
    }
}

fn shares_prefix(one: &Address, other: &Address, length: u32) -> bool {
    let difference = u128::from_be_bytes(*one.bytes()) ^ u128::from_be_bytes(*other.bytes());
    difference.leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_link(prefix: &str, length: u32, address: &str) -> bool {
        let parse = |text: &str| Address::from_ip(text.parse().unwrap(), 0);
        OnLink { prefixes: vec![(parse(prefix), length)] }.contains(&parse(address))
    }

    #[test]
    fn neighbours_share_the_prefix_to_its_last_bit() {
        assert!(on_link("10.1.2.3", 23, "10.1.3.255"));
        assert!(!on_link("10.1.2.3", 23, "10.1.4.0"));
        assert!(on_link("10.1.2.3", 32, "10.1.2.3"));
        assert!(on_link("2001:db8::1", 64, "2001:db8::ffff:1"));
        assert!(!on_link("2001:db8::1", 64, "2001:db8:0:1::1"));
        assert!(!on_link("10.1.2.3", 0, "::1"));
    }

    #[test]
    fn link_local_addresses_are_neighbours_and_loopback_is_not() {
        assert!(on_link("10.1.2.3", 24, "fe80::1"));
        let here = OnLink::read();
        assert!(!here.contains(&Address::v4([127, 0, 0, 1])));
        assert!(!here.contains(&Address::from_ip("::1".parse().unwrap(), 0)));
    }
}
