//! Equal addresses of one pool and one set of options share the open probe: this is where it is
//! found. One look a probe, so with a cheap hash; its key is drawn at random, so that no list of
//! targets can be chosen to meet in one bucket.

use super::feed::Target;
use crate::address::Address;
use std::collections::hash_map::RandomState;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

/// Equal keys share one probe.
#[derive(PartialEq, Eq)]
pub struct ShareKey {
    /// The pool.
    member: usize,
    /// The options, by identity.
    options: usize,
    address: Address,
    /// It asks for the name of its address.
    reverse: bool,
}

impl ShareKey {
    /// Of a job of a target.
    pub fn new(member: usize, target: &Target, job: u64, address: Address) -> ShareKey {
        let options = Arc::as_ptr(&target.options) as usize;
        ShareKey { member, options, address, reverse: target.wants_reverse(job) }
    }
}

impl Hash for ShareKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let number = u128::from_be_bytes(*self.address.bytes());
        hasher.write_u64(number as u64);
        hasher.write_u64((number >> 64) as u64 ^ (self.member as u64) << 1);
    }
}

/// Keyed multiply-and-fold.
#[derive(Clone, Copy)]
struct FoldState {
    start: u64,
    factor: u64,
}

impl Default for FoldState {
    fn default() -> FoldState {
        // The standard library's own source of random keys.
        let random = |number| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(number);
            hasher.finish()
        };
        FoldState { start: random(1), factor: random(2) | 1 }
    }
}

struct FoldHasher {
    state: u64,
    factor: u64,
}

impl BuildHasher for FoldState {
    type Hasher = FoldHasher;

    fn build_hasher(&self) -> FoldHasher {
        FoldHasher { state: self.start, factor: self.factor }
    }
}

impl Hasher for FoldHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        // The rotation keeps a state that equals the word from staying 0.
        self.state = (product as u64 ^ (product >> 64) as u64).rotate_left(23) ^ self.factor;
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

/// The open probes that others may share, by their slots.
#[derive(Default)]
pub struct Shared {
    probes: HashMap<ShareKey, u32, FoldState>,
}

impl Shared {
    /// The open probe for a key; where there is none, it is the one about to be opened in `slot`.
    pub fn get_or_insert(&mut self, key: ShareKey, slot: u32) -> u32 {
        *self.probes.entry(key).or_insert(slot)
    }

    /// A probe that has ended.
    pub fn remove(&mut self, key: &ShareKey) {
        self.probes.remove(key);
    }

    /// Nothing is open.
    pub fn clear(&mut self) {
        self.probes = HashMap::default();
    }
}
