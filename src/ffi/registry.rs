//! Handles: a `u64` of kind, slot and generation, looked up here and never dereferenced. A handle
//! that is zero, closed or of another kind finds nothing; nobody asks in a forked child (`guard`).

use crate::sync::lock;
use std::sync::{Arc, Mutex};

/// Bits of a handle: generation (32) | kind (8) | slot + 1 (24).
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

struct Entry<T> {
    generation: u32,
    value: Option<Arc<T>>,
}

struct Entries<T> {
    list: Vec<Entry<T>>,
    free: Vec<usize>,
}

/// All live values of one kind of handle.
pub struct Registry<T> {
    kind: u8,
    entries: Mutex<Entries<T>>,
}

impl<T> Registry<T> {
    /// An empty registry; `kind` tells its handles from those of others.
    pub const fn new(kind: u8) -> Registry<T> {
        Registry { kind, entries: Mutex::new(Entries { list: Vec::new(), free: Vec::new() }) }
    }

    /// Enters `value`; `None` when all slots are taken.
    pub fn insert(&self, value: Arc<T>) -> Option<u64> {
        let mut entries = lock(&self.entries);
        let slot = match entries.free.pop() {
            Some(slot) => slot,
            None => {
                if entries.list.len() as u64 >= SLOT_MASK {
                    return None;
                }
                entries.list.push(Entry { generation: 1, value: None });
                entries.list.len() - 1
            }
        };
        entries.list[slot].value = Some(value);
        let generation = u64::from(entries.list[slot].generation);
        Some(generation << 32 | u64::from(self.kind) << SLOT_BITS | (slot as u64 + 1))
    }

    fn slot_of(&self, handle: u64) -> Option<(usize, u32)> {
        if (handle >> SLOT_BITS) as u8 != self.kind {
            return None;
        }
        let slot = usize::try_from(handle & SLOT_MASK).ok()?.checked_sub(1)?;
        Some((slot, (handle >> 32) as u32))
    }

    /// The value of `handle`, if it is still open.
    pub fn get(&self, handle: u64) -> Option<Arc<T>> {
        let (slot, generation) = self.slot_of(handle)?;
        let entries = lock(&self.entries);
        let entry = entries.list.get(slot)?;
        if entry.generation != generation {
            return None;
        }
        entry.value.clone()
    }

    /// Takes the value of `handle` out; the handle finds nothing from now on.
    pub fn remove(&self, handle: u64) -> Option<Arc<T>> {
        let (slot, generation) = self.slot_of(handle)?;
        let mut entries = lock(&self.entries);
        let entry = entries.list.get_mut(slot)?;
        if entry.generation != generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1).max(1);
        entries.free.push(slot);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_die_with_their_value_and_keep_to_their_kind() {
        let pools = Registry::new(1);
        let workers: Registry<&str> = Registry::new(2);
        let first = pools.insert(Arc::new("first")).unwrap();
        assert_eq!(*pools.get(first).unwrap(), "first");
        assert!(workers.get(first).is_none());
        assert!(pools.remove(first).is_some());
        assert!(pools.remove(first).is_none());
        let second = pools.insert(Arc::new("second")).unwrap();
        assert_ne!(first, second, "the slot is the same, the generation is not");
        assert!(pools.get(first).is_none());
        assert!(pools.get(0).is_none());
        assert!(pools.get(u64::MAX).is_none());
    }
}
