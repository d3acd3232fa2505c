//! The map from (address, sequence) to the probe and transmission it was sent for. A sequence has
//! only 16 bits, far fewer than there may be probes, so it counts per address: an open probe owns
//! a run of consecutive sequences of its address, one for each transmission. Several probes of one
//! address (of several pools) have runs that do not overlap. Knows no packet and no clock.

use crate::address::Address;
use crate::hash::FoldState;
use std::collections::hash_map::Entry;
use std::collections::HashMap;

/// Tables that the map is made of.
const PARTS: usize = 64;

/// Which of them an address is in. Its last octet varies most within a block of addresses.
fn part(address: &Address) -> usize {
    let bytes = address.bytes();
    usize::from(bytes[3] ^ bytes[15]) % PARTS
}

/// No further run.
const NONE: u32 = u32::MAX;

/// An open probe's sequences: `first`, `first` + 1, ... (`length` of them, wrapping).
#[derive(Clone, Copy)]
struct Run<Owner> {
    owner: Owner,
    first: u16,
    length: u16,
    /// The next run of the same address, an index into `SequenceMap::more`, or `NONE`.
    next: u32,
    /// Bytes of token that the last request carried.
    token_length: u8,
}

impl<Owner> Run<Owner> {
    /// The transmission that `sequence` belongs to.
    fn transmission(&self, sequence: u16) -> Option<u16> {
        let offset = sequence.wrapping_sub(self.first);
        (offset < self.length).then_some(offset)
    }

    fn overlaps(&self, first: u16, length: u16) -> bool {
        self.transmission(first).is_some() || self.first.wrapping_sub(first) < length
    }
}

/// The probe and transmission that a sequence stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found<Owner> {
    /// Whose run it is in.
    pub owner: Owner,
    /// Its place in that run.
    pub transmission: u16,
    /// Bytes of token that an answer has to bring back.
    pub token_length: u8,
}

/// See the file's head.
pub struct SequenceMap<Owner> {
    /// The first run of each address with an open probe; nearly always the only one. In parts:
    /// one table of a million would stop the reactor for tens of milliseconds whenever it grows.
    runs: Vec<HashMap<Address, Run<Owner>, FoldState>>,
    /// All others, chained by `Run::next`; free places are chained from `free`.
    more: Vec<Run<Owner>>,
    free: u32,
    /// Addresses with an open probe.
    open: usize,
    /// State of the generator of first sequences.
    random: u64,
}

impl<Owner: Copy + PartialEq> SequenceMap<Owner> {
    /// An empty map; its hashes and first sequences follow from 32 random bytes.
    pub fn new(random: [u8; 32]) -> SequenceMap<Owner> {
        let word = |index: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&random[index * 8..index * 8 + 8]);
            u64::from_le_bytes(bytes)
        };
        let hasher = FoldState::new(word(0), word(1));
        SequenceMap {
            runs: (0..PARTS).map(|_| HashMap::with_hasher(hasher)).collect(),
            open: 0,
            more: Vec::new(),
            free: NONE,
            random: word(2) ^ word(3).rotate_left(32),
        }
    }

    /// Whether no probe is open.
    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Gives `owner` a run of `transmissions` sequences of `address`, which start at random.
    /// False: so many probes of this address are open that no run of that length is left.
    pub fn open(&mut self, address: Address, owner: Owner, transmissions: u16) -> bool {
        let length = transmissions.max(1);
        let mut first = self.next_random();
        let mut run = Run { owner, first, length, next: NONE, token_length: 0 };
        let head = match self.runs[part(&address)].entry(address) {
            Entry::Vacant(vacant) => {
                self.open += 1;
                vacant.insert(run);
                return true;
            }
            Entry::Occupied(head) => head.into_mut(),
        };
        // Move past each run in the way. More moves than runs mean once around the circle.
        let mut moves = 0;
        while let Some(other) =
            chain(head, &self.more).find(|other| other.overlaps(first, length)).copied()
        {
            moves += 1;
            if moves > 1 + chain(head, &self.more).count() {
                return false;
            }
            first = other.first.wrapping_add(other.length);
        }
        run.first = first;
        run.next = head.next;
        head.next = if self.free == NONE {
            self.more.push(run);
            (self.more.len() - 1) as u32
        } else {
            let place = self.free;
            self.free = self.more[place as usize].next;
            self.more[place as usize] = run;
            place
        };
        true
    }

    /// Takes the run of `owner` back; sequences of it are unknown from now on.
    pub fn close(&mut self, address: Address, owner: Owner) {
        let mut head = match self.runs[part(&address)].entry(address) {
            Entry::Occupied(head) => head,
            Entry::Vacant(_) => return,
        };
        let first = head.get().next;
        if head.get().owner == owner {
            if first == NONE {
                head.remove();
                self.open -= 1;
                return;
            }
            *head.get_mut() = self.more[first as usize];
            self.release(first);
            return;
        }
        let mut before = NONE;
        let mut place = first;
        while place != NONE {
            let run = self.more[place as usize];
            if run.owner == owner {
                if before == NONE {
                    head.get_mut().next = run.next;
                } else {
                    self.more[before as usize].next = run.next;
                }
                self.release(place);
                return;
            }
            before = place;
            place = run.next;
        }
    }

    /// The sequence for one transmission of an open probe, and notes how much of the token it
    /// carries. `None`: the probe is not open, or has fewer transmissions.
    pub fn begin(
        &mut self,
        address: &Address,
        owner: Owner,
        transmission: u16,
        token_length: u8,
    ) -> Option<u16> {
        let head = self.runs[part(address)].get_mut(address)?;
        let run = if head.owner == owner {
            head
        } else {
            let mut place = head.next as usize;
            while self.more.get(place)?.owner != owner {
                place = self.more[place].next as usize;
            }
            &mut self.more[place]
        };
        if transmission >= run.length {
            return None;
        }
        run.token_length = token_length;
        Some(run.first.wrapping_add(transmission))
    }

    /// As [`SequenceMap::begin`]; a probe that is not open is opened. One look-up for the only probe
    /// of an address. `None`: no run is left, or the probe has fewer transmissions.
    pub fn begin_or_open(
        &mut self,
        address: Address,
        owner: Owner,
        transmission: u16,
        transmissions: u16,
        token_length: u8,
    ) -> Option<u16> {
        let random = self.next_random();
        match self.runs[part(&address)].entry(address) {
            Entry::Vacant(vacant) => {
                let length = transmissions.max(1);
                let run = Run { owner, first: random, length, next: NONE, token_length };
                vacant.insert(run);
                self.open += 1;
                return (transmission < length).then(|| random.wrapping_add(transmission));
            }
            Entry::Occupied(mut head) if head.get().owner == owner => {
                let run = head.get_mut();
                run.token_length = token_length;
                return (transmission < run.length).then(|| run.first.wrapping_add(transmission));
            }
            Entry::Occupied(_) => {}
        }
        self.begin(&address, owner, transmission, token_length).or_else(|| {
            let is_open = self.owners(&address).any(|other| other == owner);
            if is_open || !self.open(address, owner, transmissions) {
                return None;
            }
            self.begin(&address, owner, transmission, token_length)
        })
    }

    /// Whose a sequence of `address` is.
    pub fn find(&self, address: &Address, sequence: u16) -> Option<Found<Owner>> {
        let head = self.runs[part(address)].get(address)?;
        chain(head, &self.more).find_map(|run| {
            let transmission = run.transmission(sequence)?;
            Some(Found { owner: run.owner, transmission, token_length: run.token_length })
        })
    }

    /// All owners of runs of an address.
    pub fn owners<'a>(&'a self, address: &Address) -> impl Iterator<Item = Owner> + 'a {
        let head = self.runs[part(address)].get(address);
        head.into_iter().flat_map(move |head| chain(head, &self.more).map(|run| run.owner))
    }

    /// Gives back memory of a former rush, as far as what is open now does not need it.
    pub fn shrink(&mut self) {
        self.runs.iter_mut().for_each(HashMap::shrink_to_fit);
        if self.is_empty() {
            self.more = Vec::new();
            self.free = NONE;
        }
    }

    fn release(&mut self, place: u32) {
        self.more[place as usize].next = self.free;
        self.free = place;
    }

    /// SplitMix64: spread well enough for late answers to a former probe of the same address to
    /// meet none of a new one. What proves an answer is the token.
    fn next_random(&mut self) -> u16 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 48) as u16
    }
}

/// All runs of an address, from its first on.
fn chain<'a, Owner>(
    head: &'a Run<Owner>,
    more: &'a [Run<Owner>],
) -> impl Iterator<Item = &'a Run<Owner>> {
    std::iter::successors(Some(head), move |run| more.get(run.next as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const HOST: [u8; 4] = [192, 0, 2, 1];

    fn map() -> SequenceMap<u64> {
        SequenceMap::new([0x5a; 32])
    }

    fn found(owner: u64, transmission: u16, token_length: u8) -> Option<Found<u64>> {
        Some(Found { owner, transmission, token_length })
    }

    #[test]
    fn a_sequence_leads_back_to_probe_and_transmission() {
        let mut map = map();
        let host = Address::v4(HOST);
        assert!(map.open(host, 7, 4));
        let sequence = map.begin(&host, 7, 3, 16).unwrap();
        assert_eq!(map.find(&host, sequence), found(7, 3, 16));
        assert_eq!(map.find(&host, sequence.wrapping_add(1)), None);
        assert_eq!(map.begin(&host, 7, 4, 16), None);
        map.close(host, 7);
        assert_eq!(map.find(&host, sequence), None);
        assert!(map.is_empty());
    }

    #[test]
    fn a_probe_is_opened_by_its_first_transmission() {
        let mut map = map();
        let host = Address::v4(HOST);
        for owner in [7, 8] {
            let first = map.begin_or_open(host, owner, 0, 4, 16).unwrap();
            assert_eq!(map.begin_or_open(host, owner, 3, 4, 9), Some(first.wrapping_add(3)));
            assert_eq!(map.find(&host, first), found(owner, 0, 9));
            assert_eq!(map.begin_or_open(host, owner, 4, 4, 16), None);
        }
        assert_eq!(map.owners(&host).collect::<Vec<_>>(), [7, 8]);
        map.close(host, 7);
        assert_eq!(map.owners(&host).collect::<Vec<_>>(), [8]);
        map.close(host, 8);
        assert!(map.is_empty());
        // All sequences are taken.
        assert!(map.begin_or_open(host, 1, 0, u16::MAX, 16).is_some());
        assert!(map.begin_or_open(host, 2, 0, 2, 16).is_none());
        assert!(map.begin_or_open(host, 2, 0, 1, 16).is_some());
    }

    #[test]
    fn equal_bytes_of_another_family_or_scope_are_another_address() {
        let mut map = map();
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&HOST);
        let scoped = Address::v6(bytes, 2);
        map.open(scoped, 1, 1);
        let sequence = map.begin(&scoped, 1, 0, 16).unwrap();
        assert_eq!(map.find(&Address::v6(bytes, 3), sequence), None);
        assert_eq!(map.find(&Address::v4(HOST), sequence), None);
        assert_eq!(map.find(&scoped, sequence), found(1, 0, 16));
    }

    #[test]
    fn first_sequences_differ_from_probe_to_probe() {
        let mut map = map();
        let host = Address::v4(HOST);
        let mut firsts = HashSet::new();
        for probe in 0..64 {
            map.open(host, probe, 1);
            firsts.insert(map.begin(&host, probe, 0, 16).unwrap());
            map.close(host, probe);
        }
        assert!(firsts.len() > 48, "{} of 64", firsts.len());
    }

    #[test]
    fn all_sequences_of_an_address_can_be_given_out_and_no_more() {
        let mut map = map();
        let host = Address::v4(HOST);
        // Single sequences at random leave gaps of all sizes; the last runs of one fill them.
        for probe in 0..20 {
            assert!(map.open(host, probe, 1));
        }
        let mut owned = 20u32;
        let mut probe = 20;
        for length in [1000u16, 100, 10, 1] {
            while map.open(host, probe, length) {
                owned += u32::from(length);
                probe += 1;
            }
        }
        assert_eq!(owned, 65_536);
        assert!((0..=u16::MAX).all(|sequence| map.find(&host, sequence).is_some()));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Open { host: u8, length: u16 },
        Close { index: usize },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let open = (0u8..3, prop_oneof![1u16..5, 1000u16..9000])
            .prop_map(|(host, length)| Step::Open { host, length });
        let close = any::<usize>().prop_map(|index| Step::Close { index });
        proptest::collection::vec(prop_oneof![2 => open, 1 => close], 1..80)
    }

    proptest! {
        #[test]
        fn open_probes_never_share_a_sequence_and_all_lead_back(steps in steps()) {
            let mut map = map();
            let mut open: Vec<(Address, u64, u16)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Open { host, length } => {
                        let address = Address::v4([10, 0, 0, host]);
                        if map.open(address, number as u64, length) {
                            open.push((address, number as u64, length));
                        }
                    }
                    Step::Close { index } => {
                        if !open.is_empty() {
                            let (address, owner, _) = open.swap_remove(index % open.len());
                            map.close(address, owner);
                        }
                    }
                }
            }
            let mut runs = Vec::new();
            for &(address, owner, length) in &open {
                for transmission in [0, length / 2, length - 1] {
                    let sequence = map.begin(&address, owner, transmission, 9).unwrap();
                    let found = Found { owner, transmission, token_length: 9 };
                    prop_assert_eq!(map.find(&address, sequence), Some(found));
                }
                let first = map.begin(&address, owner, 0, 9).unwrap();
                for &(other, other_first, other_length) in &runs {
                    let (after, before) = (first.wrapping_sub(other_first), other_length);
                    let apart = after >= before && other_first.wrapping_sub(first) >= length;
                    prop_assert!(address != other || apart);
                }
                runs.push((address, first, length));
            }
            for (address, owner, _) in open {
                map.close(address, owner);
            }
            prop_assert!(map.is_empty());
        }
    }
}
