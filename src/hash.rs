//! A hash of addresses, a few nanoseconds for one: keyed multiply-and-fold. The key is drawn at random,
//! so that no list of targets can be chosen to meet in one bucket.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 2^64 divided by the golden ratio (Knuth, TAOCP 6.4): odd, its bits without a pattern.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a product: each bit depends on bits above and below it.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// The key; makes the hashers of a table.
#[derive(Clone, Copy)]
pub struct FoldState {
    start: u64,
    factor: u64,
}

impl FoldState {
    /// With two random words as its key.
    pub fn new(start: u64, factor: u64) -> FoldState {
        FoldState { start, factor: factor | 1 }
    }
}

impl Default for FoldState {
    fn default() -> FoldState {
        // The standard library's own source of random keys.
        let random = |number| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(number);
            hasher.finish()
        };
        FoldState::new(random(1), random(2))
    }
}

impl BuildHasher for FoldState {
    type Hasher = FoldHasher;

    fn build_hasher(&self) -> FoldHasher {
        FoldHasher { state: self.start, factor: self.factor }
    }
}

/// See the file's head.
pub struct FoldHasher {
    state: u64,
    factor: u64,
}

impl Hasher for FoldHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // The rotation keeps a state that equals the word from staying 0.
        self.state = fold(self.state ^ word, self.factor).rotate_left(23) ^ self.factor;
    }

    /// Folded once more: tables look at the lowest bits and at the highest seven, in which the states
    /// of addresses in a row are too much alike.
    fn finish(&self) -> u64 {
        fold(self.state, SPREAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use std::collections::{HashMap, HashSet};
    use std::hash::Hash;

    const ADDRESSES: u32 = 1 << 16;

    fn hash(state: FoldState, address: Address) -> u64 {
        let mut hasher = state.build_hasher();
        address.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn addresses_spread_over_the_hash() {
        let state = FoldState::new(1, SPREAD);
        // A table uses the lowest bits for the bucket, the highest seven within it.
        let mut low = HashSet::new();
        for host in 0..ADDRESSES {
            low.insert(hash(state, Address::v4((0x7f00_0000 + host).to_be_bytes())) & 0xffff);
        }
        // 65,536 balls in as many bins leave 1/e of them empty.
        assert!(low.len() > 40_000, "{} of 65536", low.len());
    }

    /// Pairs of addresses that a table would have to compare, though they differ: it looks at sixteen
    /// places at once, which the lowest bits name, for the highest seven.
    fn alike(state: FoldState, address: impl Fn(u32) -> Address) -> f64 {
        let mut places: HashMap<(u64, u64), u64> = HashMap::new();
        for number in 0..ADDRESSES {
            let hash = hash(state, address(number));
            *places.entry((hash >> 4 & 0xfff, hash >> 57)).or_default() += 1;
        }
        places.values().map(|count| count * (count - 1) / 2).sum::<u64>() as f64
    }

    #[test]
    fn addresses_in_a_row_are_no_more_alike_than_by_chance() {
        let places = f64::from(1 << 12) * f64::from(1 << 7);
        let chance = f64::from(ADDRESSES) * f64::from(ADDRESSES - 1) / 2.0 / places;
        let fixed = FoldState::new(1, SPREAD);
        for state in (0..20).map(|_| FoldState::default()).chain([fixed]) {
            let v4 = alike(state, |number| Address::v4((0x0a00_0000 + number).to_be_bytes()));
            let v6 = alike(state, |number| {
                let mut bytes = [0xfd; 16];
                bytes[12..].copy_from_slice(&number.to_be_bytes());
                Address::v6(bytes, 0)
            });
            assert!(v4 < 1.3 * chance && v6 < 1.3 * chance, "{} and {} of {}", v4, v6, chance);
        }
    }
}
