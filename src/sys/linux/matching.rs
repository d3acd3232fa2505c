//! Finds the probe that a packet belongs to: by address, scope, sequence and token, the identifier
//! having been compared before. What matches nothing is foreign and only counted.

use crate::address::{Address, Family};
use crate::clock::Time;
use crate::sys::{EchoRequest, Event, ProbeId};
use crate::wire::{error_outcome, Echo, Found, Quote, SequenceMap, TokenKey, TOKEN_LENGTH};

pub(super) struct Matching {
    key: TokenKey,
    sequences: SequenceMap<ProbeId>,
    /// The same by the slots of the probes' names, for what is repeated: whose hosts are silent lie
    /// side by side there, where a look-up by address waits for memory each time.
    known: Vec<Known>,
    /// The scopes of all link-local targets so far: the interfaces in use, hardly ever more than
    /// a few. A quoted header has no scope.
    scopes: Vec<u32>,
    /// Packets that matched no open probe.
    pub(super) foreign: u64,
}

/// The sequences of an open probe.
#[derive(Clone, Copy, Default)]
struct Known {
    first: u16,
    /// 0: none is open.
    length: u16,
}

impl Matching {
    pub(super) fn new() -> Matching {
        let mut key = [0; 16];
        super::process::random_bytes(&mut key);
        let mut seed = [0; 32];
        super::process::random_bytes(&mut seed);
        Matching {
            key: TokenKey::new(key),
            sequences: SequenceMap::new(seed),
            known: Vec::new(),
            scopes: Vec::new(),
            foreign: 0,
        }
    }

    fn note_scope(&mut self, to: &Address) {
        if to.scope() != 0 && !self.scopes.contains(&to.scope()) {
            self.scopes.push(to.scope());
        }
    }

    pub(super) fn close(&mut self, id: ProbeId, to: Address) {
        self.sequences.close(to, id);
        if let Some(known) = self.known.get_mut(id.slot()) {
            *known = Known::default();
        }
    }

    /// The open probes of an address.
    pub(super) fn owners<'a>(&'a self, to: &Address) -> impl Iterator<Item = ProbeId> + 'a {
        self.sequences.owners(to)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Forgets what former probes needed.
    pub(super) fn shrink(&mut self) {
        self.sequences.shrink();
        if self.sequences.is_empty() {
            self.known = Vec::new();
            self.scopes.clear();
        }
    }

    /// The sequence for a transmission, whose probe is opened if it is not open; `None` where so many
    /// probes of that address are open that none is left.
    pub(super) fn begin(&mut self, request: &EchoRequest) -> Option<u16> {
        let EchoRequest { id, to, transmission, transmissions, size, .. } = *request;
        let slot = id.slot();
        let token_length = usize::from(size).min(TOKEN_LENGTH) as u8;
        if let Some(known) = self.known.get(slot).filter(|known| transmission < known.length) {
            let sequence = known.first.wrapping_add(transmission);
            debug_assert_eq!(
                self.sequences.begin(&to, id, transmission, token_length),
                Some(sequence)
            );
            return Some(sequence);
        }
        self.note_scope(&to);
        let sequence =
            self.sequences.begin_or_open(to, id, transmission, transmissions, token_length)?;
        if slot >= self.known.len() {
            self.known.resize(slot + 1, Known::default());
        }
        let first = sequence.wrapping_sub(transmission);
        self.known[slot] = Known { first, length: transmissions.max(1) };
        Some(sequence)
    }

    /// What tokens are made with, and looked at.
    pub(super) fn key(&self) -> &TokenKey {
        &self.key
    }

    /// What a reply answers. A whole token names its probe, whatever address it comes from and whether
    /// or not the probe is still open, without a look-up; with less, it is a probe of that address.
    pub(super) fn reply(
        &self,
        from: Address,
        echo: &Echo<'_>,
        received: Time,
        ttl: Option<u8>,
    ) -> Option<Event> {
        let (id, transmission) = match self.key.open(echo.sequence, echo.payload) {
            Some((id, transmission)) => (ProbeId(id), transmission),
            None => {
                let found = self.sequences.find(&from, echo.sequence)?;
                let is_proven = self.compare(echo, &found) == Comparison::Proven;
                is_proven.then_some((found.owner, found.transmission))?
            }
        };
        Some(Event::Reply { id, transmission, received, ttl, from: Some(from) })
    }

    pub(super) fn error(
        &self,
        from: Address,
        kind: u8,
        code: u8,
        quote: &Quote<'_>,
    ) -> Option<Event> {
        let (found, comparison) = self.quoted(quote)?;
        Some(Event::IcmpError {
            id: found.owner,
            transmission: found.transmission,
            outcome: error_outcome(quote.to.family(), kind, code),
            from,
            kind,
            code,
            proven: comparison == Comparison::Proven,
        })
    }

    /// The request that is quoted, under each scope that it may have been sent with.
    fn quoted(&self, quote: &Quote<'_>) -> Option<(Found<ProbeId>, Comparison)> {
        let link_local = quote.to.family() == Family::V6
            && quote.to.bytes()[0] == 0xfe
            && quote.to.bytes()[1] & 0xc0 == 0x80;
        let unscoped = [quote.to.scope()];
        let scopes = if link_local { &self.scopes[..] } else { &unscoped[..] };
        scopes.iter().find_map(|scope| {
            let to = match quote.to.family() {
                Family::V4 => quote.to,
                Family::V6 => Address::v6(*quote.to.bytes(), *scope),
            };
            let found = self.sequences.find(&to, quote.echo.sequence)?;
            match self.compare(&quote.echo, &found) {
                Comparison::Different => None,
                comparison => Some((found, comparison)),
            }
        })
    }

    fn compare(&self, echo: &Echo<'_>, found: &Found<ProbeId>) -> Comparison {
        let length = usize::from(found.token_length);
        let brought = echo.payload.len().min(length);
        if brought > 0 {
            let token = self.key.token(found.owner.0, echo.sequence, found.transmission);
            if echo.payload[..brought] != token[..brought] {
                return Comparison::Different;
            }
        }
        if brought == length {
            Comparison::Proven
        } else {
            Comparison::Cut
        }
    }
}

/// How the token that came compares to the one sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// All of it came back.
    Proven,
    /// As far as it came, it is the same.
    Cut,
    Different,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::wire::Token;

    const ID: ProbeId = ProbeId(9);

    struct Sent {
        matching: Matching,
        to: Address,
        sequence: u16,
        token: Token,
    }

    fn request(to: Address, size: u16) -> EchoRequest {
        EchoRequest {
            id: ID,
            to,
            transmission: 1,
            transmissions: 2,
            stamped: false,
            size,
            hops: 0,
            lifetime_ms: 0,
        }
    }

    fn sent(to: Address, size: u16) -> Sent {
        let mut matching = Matching::new();
        let sequence = matching.begin(&request(to, size)).unwrap();
        let token = matching.key().token(ID.0, sequence, 1);
        Sent { matching, to, sequence, token }
    }

    impl Sent {
        /// Who a reply comes from, `None` for the host asked; an error where it is no reply to us.
        fn answer(
            &self,
            from: Address,
            sequence: u16,
            payload: &[u8],
        ) -> Result<Option<Address>, ()> {
            let echo = Echo { identifier: 0, sequence, payload };
            match self.matching.reply(from, &echo, Time::from_nanos(1), None) {
                Some(Event::Reply { id: ID, transmission: 1, from, .. }) => {
                    Ok(from.filter(|from| *from != self.to))
                }
                Some(other) => panic!("{other:?}"),
                None => Err(()),
            }
        }

        fn reply(&self, from: Address, sequence: u16, payload: &[u8]) -> bool {
            self.answer(from, sequence, payload) == Ok(None)
        }

        fn error(&self, to: Address, payload: &[u8]) -> Option<(Outcome, bool)> {
            let echo = Echo { identifier: 0, sequence: self.sequence, payload };
            let router = Address::v4([10, 0, 0, 1]);
            match self.matching.error(router, 3, 1, &Quote { to, echo })? {
                Event::IcmpError { id: ID, transmission: 1, outcome, proven, .. } => {
                    Some((outcome, proven))
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn host() -> Address {
        Address::v4([192, 0, 2, 1])
    }

    #[test]
    fn a_slot_that_is_used_again_has_sequences_of_its_own() {
        let mut matching = Matching::new();
        let next = ProbeId(1 << 32 | ID.0);
        let (first, other) = (request(host(), 32), Address::v4([192, 0, 2, 2]));
        let second = EchoRequest { id: next, to: other, transmissions: 4, ..first };
        let sequence = matching.begin(&first).unwrap();
        assert_eq!(matching.begin(&first), Some(sequence));
        matching.close(ID, host());
        let sequence = matching.begin(&second).unwrap();
        let last = EchoRequest { transmission: 3, ..second };
        assert_eq!(matching.begin(&last), Some(sequence.wrapping_add(2)));
        let quote =
            |to, sequence| Quote { to, echo: Echo { identifier: 0, sequence, payload: &[] } };
        let owner = |to, sequence| matching.quoted(&quote(to, sequence)).map(|found| found.0.owner);
        assert_eq!(owner(other, sequence.wrapping_add(2)), Some(next));
        assert_eq!(owner(host(), sequence), None);
    }

    #[test]
    fn a_reply_counts_with_address_sequence_and_token() {
        let sent = sent(host(), 32);
        assert!(sent.reply(sent.to, sent.sequence, &sent.token));
        assert!(!sent.reply(sent.to, sent.sequence.wrapping_sub(1), &sent.token));
        assert!(!sent.reply(sent.to, sent.sequence, &[0; 16]));
    }

    #[test]
    fn another_address_may_answer_with_the_whole_token() {
        for other in [Address::v4([192, 0, 2, 2]), Address::v6([0xfd; 16], 0)] {
            let sent = sent(host(), 32);
            assert_eq!(sent.answer(other, sent.sequence, &sent.token), Ok(Some(other)));
            assert_eq!(sent.answer(other, sent.sequence, &sent.token[..15]), Err(()));
            assert_eq!(sent.answer(other, sent.sequence ^ 1, &sent.token), Err(()));
            assert_eq!(sent.answer(other, sent.sequence, &[0; 16]), Err(()));
        }
        let short = self::sent(host(), 15);
        let other = Address::v4([192, 0, 2, 2]);
        assert_eq!(short.answer(other, short.sequence, &short.token[..15]), Err(()));
    }

    #[test]
    fn a_reply_without_all_of_the_token_does_not_count() {
        let sent = sent(host(), 32);
        assert!(!sent.reply(sent.to, sent.sequence, &sent.token[..15]));
        assert!(!sent.reply(sent.to, sent.sequence, &[]));
    }

    #[test]
    fn a_short_payload_is_proven_by_what_fits() {
        let short = sent(host(), 3);
        assert!(short.reply(short.to, short.sequence, &short.token[..3]));
        assert!(!short.reply(short.to, short.sequence, &short.token[..2]));
        let none = sent(host(), 0);
        assert!(none.reply(none.to, none.sequence, &[]));
    }

    #[test]
    fn an_error_is_proven_by_the_whole_token_and_refuted_by_another() {
        let sent = sent(host(), 32);
        let unreachable = Outcome::DestinationHostUnreachable;
        assert_eq!(sent.error(sent.to, &sent.token), Some((unreachable, true)));
        assert_eq!(sent.error(sent.to, &[]), Some((unreachable, false)));
        assert_eq!(sent.error(sent.to, &sent.token[..8]), Some((unreachable, false)));
        assert_eq!(sent.error(sent.to, &[0; 16]), None);
        assert_eq!(sent.error(Address::v4([192, 0, 2, 9]), &sent.token), None);
    }

    #[test]
    fn an_error_finds_a_link_local_target_whose_scope_it_cannot_know() {
        let bytes = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let sent = sent(Address::v6(bytes, 7), 32);
        assert!(sent.error(Address::v6(bytes, 0), &sent.token).is_some());
        let unscoped = Address::v6(bytes, 0);
        assert_eq!(sent.answer(unscoped, sent.sequence, &sent.token), Ok(Some(unscoped)));
    }
}
