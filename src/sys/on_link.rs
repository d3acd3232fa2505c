//! Which addresses are neighbours: on a link of this machine, so that a packet to one has to wait
//! for its link-layer address. The backend reads the prefixes, here they are compared.

use super::backend::{broadcast_prefixes, neighbour_tables};
use crate::address::{Address, Family};

/// The prefixes of this machine's broadcast links, as of when they were read.
#[derive(Clone, Debug, Default)]
pub struct OnLink {
    /// Each prefix with its length in bits (of the sixteen bytes of an [`Address`]).
    pub prefixes: Vec<(Address, u32)>,
    /// Places in the system's neighbour table, IPv4 and IPv6; 0 where it does not say.
    pub table: [u32; 2],
}

impl OnLink {
    /// Reads the prefixes of all interfaces that are up, broadcast-capable and not loopback.
    pub fn read() -> OnLink {
        OnLink { prefixes: broadcast_prefixes(), table: neighbour_tables() }
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
        OnLink { prefixes: vec![(parse(prefix), length)], table: [0; 2] }.contains(&parse(address))
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
