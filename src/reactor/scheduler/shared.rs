//! Equal addresses of one pool and one set of options share the open probe: this is where it is
//! found. One look a probe, so with a cheap hash, and in a table without the keys, which would be
//! most of it: whether what is found there is what was looked for is for the probe itself to say.

use super::feed::Target;
use crate::address::Address;
use crate::hash::FoldState;
use std::collections::hash_map::Entry;
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
        self.address.hash(hasher);
        hasher.write_u64(self.member as u64);
    }
}

/// The open probes that others may share, by their slots.
#[derive(Default)]
pub struct Shared {
    /// By the hashes of their keys.
    probes: HashMap<u64, u32, FoldState>,
}

impl Shared {
    fn hash(&self, key: &ShareKey) -> u64 {
        let mut hasher = self.probes.hasher().build_hasher();
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// An open probe, of this key unless two have one hash; where there is none, it is the one about
    /// to be opened in `slot`.
    pub fn get_or_insert(&mut self, key: &ShareKey, slot: u32) -> u32 {
        *self.probes.entry(self.hash(key)).or_insert(slot)
    }

    /// A probe that has ended.
    pub fn remove(&mut self, key: &ShareKey, slot: u32) {
        if let Entry::Occupied(entry) = self.probes.entry(self.hash(key)) {
            if *entry.get() == slot {
                entry.remove();
            }
        }
    }

    /// Nothing is open.
    pub fn clear(&mut self) {
        self.probes = HashMap::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_found_there_takes_nobody_out() {
        let key = |host| ShareKey {
            member: 1,
            options: 2,
            address: Address::v4([192, 0, 2, host]),
            reverse: false,
        };
        let mut shared = Shared::default();
        assert_eq!(shared.get_or_insert(&key(1), 7), 7);
        assert_eq!(shared.get_or_insert(&key(1), 8), 7);
        assert_eq!(shared.get_or_insert(&key(2), 8), 8);
        // Another probe with the same hash, which was opened beside it.
        shared.remove(&key(1), 9);
        assert_eq!(shared.get_or_insert(&key(1), 9), 7);
        shared.remove(&key(1), 7);
        assert_eq!(shared.get_or_insert(&key(1), 9), 9);
    }
}
