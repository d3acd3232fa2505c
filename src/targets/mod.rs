//! One target as a person writes it: a name, an address, a CIDR block or a range. Decides what the
//! text is and which addresses it stands for; resolves nothing and sends nothing. Pure: any thread.
//!
//! - `name`        what can be a host name
//! - `expression`  addresses, blocks and ranges
//! - `span`        consecutive addresses, one at a time

mod expression;
mod name;
mod span;

pub use span::{is_host, Span};

use crate::address::Family;

/// The most addresses one expression may stand for: an IPv4 /8, an IPv6 /104.
pub const MAX_ADDRESSES: u64 = 1 << 24;

/// Why a text is no target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// Neither a name nor an address, block or range of hosts in the family asked for.
    Invalid,
    /// It stands for more than [`MAX_ADDRESSES`] addresses.
    TooManyAddresses,
}

/// What a text stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hosts {
    /// A name to be resolved, as written but for white space around it.
    Name(Box<str>),
    /// Addresses, at least one.
    Addresses(Span),
}

/// A text understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// What it stands for.
    pub hosts: Hosts,
    /// Whether it was written as a block or a range, even if of one address.
    pub expanded: bool,
}

/// Parses one target. `text` should be UTF-8 and may have white space around it; `family` restricts
/// addresses (names are looked up in it later); `scope_of` gives the index of an interface by its
/// name.
///
/// - Names are taken as the resolver may know them: international ones in UTF-8, underscores and
///   one trailing dot allowed. A text that ends like an address (`1.2.3`, `10.0.0.256`) is not one.
/// - IPv4 is dotted decimal without leading zeros. IPv6 may stand in brackets. A scope (`%2`,
///   `%eth0`) belongs to link-local addresses, which are nothing without it, and to no others.
/// - An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is the IPv4 address in it; blocks and ranges
///   of them are invalid.
/// - A block may have bits set behind its prefix; they do not count. IPv4 blocks stand for their
///   hosts, without network and broadcast address, but /31 and /32 for all, like those of IPv6.
/// - A range is two addresses of one family with `-` between them, in order; in IPv4 the second may
///   be the last number alone (`10.0.0.1-50`), in IPv6 there is no such short form.
/// - Addresses that are no single host (see [`is_host`]) are invalid, also as the first or last of
///   a block or range; no block or range of the size allowed has others within.
pub fn parse(
    text: &[u8],
    family: Option<Family>,
    scope_of: &dyn Fn(&str) -> Option<u32>,
) -> Result<Parsed, TargetError> {
    let text = std::str::from_utf8(text).map_err(|_| TargetError::Invalid)?.trim();
    if !name::has_sane_length(text) {
        return Err(TargetError::Invalid);
    }
    if let Some(expression) = expression::parse(text, scope_of)? {
        if matches!(family, Some(wanted) if wanted != expression.family) {
            return Err(TargetError::Invalid);
        }
        let expanded = expression.expanded;
        return Ok(Parsed { hosts: Hosts::Addresses(expression.span()?), expanded });
    }
    if name::is_name(text) {
        return Ok(Parsed { hosts: Hosts::Name(text.into()), expanded: false });
    }
    Err(TargetError::Invalid)
}

#[cfg(test)]
mod tests;
