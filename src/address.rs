//! Owns the one form in which the engine passes addresses about: family, 16 bytes, scope id.
//! Knows no socket structure (see `sys`) and no target syntax (see `targets`).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address family of an [`Address`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Family {
    /// IPv4; the first four of the address bytes are used, the rest are zero.
    V4,
    /// IPv6; all sixteen bytes are used.
    V6,
}

impl Family {
    /// Both, in the order of [`Family::index`].
    pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The place of the family in a pair: 0 or 1.
    pub const fn index(self) -> usize {
        match self {
            Family::V4 => 0,
            Family::V6 => 1,
        }
    }
}

/// A host address with its scope id (IPv6 link-local only; 0 elsewhere), in network byte order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    bytes: [u8; 16],
    scope: u32,
    family: Family,
}

/// Two words for all of it: what differs in nothing but its family is met by comparison.
impl Hash for Address {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let number = u128::from_be_bytes(self.bytes);
        hasher.write_u64(number as u64);
        hasher.write_u64((number >> 64) as u64 ^ u64::from(self.scope));
    }
}

impl Address {
    /// An IPv4 address.
    pub fn v4(octets: [u8; 4]) -> Address {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&octets);
        Address { bytes, scope: 0, family: Family::V4 }
    }

    /// An IPv6 address; `scope` is the interface index for link-local addresses, else 0.
    pub fn v6(bytes: [u8; 16], scope: u32) -> Address {
        Address { bytes, scope, family: Family::V6 }
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Sixteen bytes; an IPv4 address stands in the first four, the rest are zero.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The bytes that count: 4 or 16.
    pub fn octets(&self) -> &[u8] {
        match self.family {
            Family::V4 => &self.bytes[..4],
            Family::V6 => &self.bytes,
        }
    }

    /// The scope id, 0 where none applies.
    pub fn scope(&self) -> u32 {
        self.scope
    }

    /// The same address as the standard library has it, without the scope.
    pub fn ip(&self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(
                self.bytes[0],
                self.bytes[1],
                self.bytes[2],
                self.bytes[3],
            )),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.bytes)),
        }
    }

    /// From a standard-library address.
    pub fn from_ip(ip: IpAddr, scope: u32) -> Address {
        match ip {
            IpAddr::V4(v4) => Address::v4(v4.octets()),
            IpAddr::V6(v6) => Address::v6(v6.octets(), scope),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ip())?;
        if self.scope != 0 {
            write!(f, "%{}", self.scope)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_users_write_it() {
        assert_eq!(Address::v4([127, 0, 0, 1]).to_string(), "127.0.0.1");
        let link_local = Address::from_ip("fe80::1".parse().unwrap(), 3);
        assert_eq!(link_local.to_string(), "fe80::1%3");
        assert_eq!(link_local.octets().len(), 16);
    }
}
