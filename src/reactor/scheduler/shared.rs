//! Equal addresses of one pool and one set of options share the open probe: this is where it is
//! found. One look a probe, so with a cheap hash.

use super::feed::Target;
use crate::address::Address;
use crate::hash::FoldState;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
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
