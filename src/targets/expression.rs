//! Addresses, CIDR blocks and ranges: from text to first and last address. Knows nothing of names;
//! a text that is none of these and may be a name is not its business.

use super::span::{address_of, is_host, mapped, number_of, Span};
use super::{TargetError, MAX_ADDRESSES};
use crate::address::{Address, Family};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An interface's index by its name.
type ScopeOf<'a> = &'a dyn Fn(&str) -> Option<u32>;

/// What was written, before it is judged.
pub(super) struct Expression {
    pub family: Family,
    /// Written as a block or range.
    pub expanded: bool,
    first: u128,
    last: u128,
    scope: u32,
}

impl Expression {
    /// Its addresses, if there are not too many and all of them are hosts.
    pub fn span(&self) -> Result<Span, TargetError> {
        let beyond_first = self.last.checked_sub(self.first).ok_or(TargetError::Invalid)?;
        if beyond_first >= MAX_ADDRESSES.into() {
            return Err(TargetError::TooManyAddresses);
        }
        // What is no host begins or ends the address space or is a block larger than a span, so
        // the ends speak for all between them.
        let first = address_of(self.family, self.first, self.scope);
        let last = address_of(self.family, self.last, self.scope);
        if is_host(&first) && is_host(&last) {
            Ok(Span::new(first, beyond_first as u32 + 1))
        } else {
            Err(TargetError::Invalid)
        }
    }

    fn literal(address: Address) -> Expression {
        let number = number_of(&address);
        let (family, scope) = (address.family(), address.scope());
        Expression { family, expanded: false, first: number, last: number, scope }
    }

    /// `None` unless both ends are of one family and scope; the last one may leave the scope out.
    fn range(first: Address, last: Address) -> Option<Expression> {
        let scope = first.scope();
        if first.family() != last.family() || (last.scope() != 0 && last.scope() != scope) {
            return None;
        }
        let (first_number, last_number) = (number_of(&first), number_of(&last));
        Some(Expression {
            family: first.family(),
            expanded: true,
            first: first_number,
            last: last_number,
            scope,
        })
    }

    fn block(address: Address, prefix: u32) -> Option<Expression> {
        let family = address.family();
        let bits = match family {
            Family::V4 => 32,
            Family::V6 => 128,
        };
        let host_bits = bits - Some(prefix).filter(|prefix| *prefix <= bits)?;
        let host_mask = match host_bits {
            128 => u128::MAX,
            _ => (1 << host_bits) - 1,
        };
        let mut first = number_of(&address) & !host_mask;
        let mut last = first | host_mask;
        if family == Family::V4 && host_bits > 1 {
            // The network and broadcast address; both are hosts where there are only two (RFC 3021).
            first += 1;
            last -= 1;
        }
        Some(Expression { family, expanded: true, first, last, scope: address.scope() })
    }
}

/// `None` where the text is neither an address, a block nor a range, but may be a name.
pub(super) fn parse(text: &str, scope_of: ScopeOf<'_>) -> Result<Option<Expression>, TargetError> {
    if let Some(address) = literal(text, scope_of) {
        // A single mapped address is another way to write the IPv4 one.
        let plain = match address.ip() {
            std::net::IpAddr::V6(ip) if address.scope() == 0 => mapped(&ip),
            _ => None,
        };
        return Ok(Some(Expression::literal(plain.map_or(address, |ip| Address::v4(ip.octets())))));
    }
    if let Some((address, prefix)) = text.split_once('/') {
        let address = literal(address, scope_of).ok_or(TargetError::Invalid)?;
        let prefix = decimal(prefix).ok_or(TargetError::Invalid)?;
        return Expression::block(address, prefix).ok_or(TargetError::Invalid).map(Some);
    }
    // Names of interfaces may have hyphens, so any of them may be the one between two addresses.
    for (at, _) in text.match_indices('-') {
        if let Some(range) = range(&text[..at], &text[at + 1..], scope_of) {
            return Ok(Some(range));
        }
    }
    Ok(None)
}

fn range(first: &str, last: &str, scope_of: ScopeOf<'_>) -> Option<Expression> {
    let first = literal(first, scope_of)?;
    let last = match (first.family(), decimal(last)) {
        (Family::V4, Some(number)) => {
            let mut octets = [0; 4];
            octets.copy_from_slice(first.octets());
            octets[3] = u8::try_from(number).ok()?;
            Address::v4(octets)
        }
        _ => literal(last, scope_of)?,
    };
    Expression::range(first, last)
}

/// One address, whatever it is good for.
fn literal(text: &str, scope_of: ScopeOf<'_>) -> Option<Address> {
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Some(Address::v4(ip.octets()));
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => text,
    };
    let (ip, scope) = match inner.split_once('%') {
        Some((ip, scope)) => (ip.parse::<Ipv6Addr>().ok()?, self::scope(scope, scope_of)?),
        None => (inner.parse::<Ipv6Addr>().ok()?, 0),
    };
    Some(Address::v6(ip.octets(), scope))
}

/// An interface's index, given as such or as its name; never 0.
fn scope(text: &str, scope_of: ScopeOf<'_>) -> Option<u32> {
    if text.is_empty() || text.contains(|c: char| c.is_control() || "%:/[]".contains(c)) {
        return None;
    }
    decimal(text).or_else(|| scope_of(text)).filter(|index| *index != 0)
}

/// A number without sign, leading zeros or other decoration.
fn decimal(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain {
        text.parse().ok()
    } else {
        None
    }
}
