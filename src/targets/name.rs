//! What can be a host name. Lenient: the resolver has the last word, and local names need not keep
//! the rules of DNS; but what is plainly a mistyped address must not be looked up, because
//! resolvers take `1.2.3` for the address 1.2.0.3.

/// The longest name in characters, without a trailing dot (RFC 1035 section 2.3.4, as text).
const MAX_NAME: usize = 253;
/// The longest label in characters.
const MAX_LABEL: usize = 63;

/// Whether a text is short enough to be looked at: no expression is longer than a name.
pub(super) fn has_sane_length(text: &str) -> bool {
    text.strip_suffix('.').unwrap_or(text).chars().take(MAX_NAME + 1).count() <= MAX_NAME
}

/// Whether a text of sane length is to be handed to the resolver.
pub(super) fn is_name(text: &str) -> bool {
    // The other dots are those that IDNA reads as one (UTS 46).
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
    let text = text.strip_suffix(dots).unwrap_or(text);
    let last = text.rsplit(dots).next().unwrap_or(text);
    text.split(dots).all(is_label)
        && text.chars().any(char::is_alphanumeric)
        && !is_number(last)
        && !(text.contains('.') && text.chars().all(|c| matches!(c, '0'..='9' | '.' | '-')))
}

fn is_label(label: &str) -> bool {
    let allowed = |c: char| match c {
        '-' | '_' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => !c.is_control() && !c.is_whitespace() && !is_misleading(c),
    };
    !label.is_empty() && label.chars().all(allowed) && label.chars().count() <= MAX_LABEL
}

/// Marks of the reading direction, which make a name look like another, and what stands for half of a
/// surrogate pair: no name has them (RFC 5892).
fn is_misleading(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffd}')
}

/// Whether a resolver would read the last label, and with it the whole name, as an IPv4 address:
/// decimal, or hexadecimal with its prefix.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => label.bytes().all(|b| b.is_ascii_digit()),
    }
}
