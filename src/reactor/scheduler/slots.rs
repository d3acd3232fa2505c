//! Tables of what is open: probes, connects, look-ups. A slot's generation tells an event for what
//! is there now from a late one for what was there before.

use crate::sys::ProbeId;

/// Bits of a [`ProbeId`]: generation (32) | slot (32).
const GENERATION_SHIFT: u32 = 32;

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// See the file's head.
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Places a value; the slot used last is used first, so a sweep of live hosts stays in cache.
    pub fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize].value = Some(value);
                slot
            }
            None => {
                self.slots.push(Slot { generation: 0, value: Some(value) });
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// The slot that the next value will be placed in.
    pub fn next(&self) -> u32 {
        self.free.last().map_or(self.slots.len() as u32, |slot| *slot)
    }

    /// Takes the value out.
    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let entry = self.slots.get_mut(slot as usize)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(slot);
        Some(value)
    }

    /// Drops the value where it is: large ones are not moved for that.
    pub fn discard(&mut self, slot: u32) {
        if let Some(entry @ Slot { value: Some(_), .. }) = self.slots.get_mut(slot as usize) {
            entry.value = None;
            entry.generation = entry.generation.wrapping_add(1);
            self.free.push(slot);
        }
    }

    /// The value in the slot.
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.value.as_ref()
    }

    /// The value in the slot.
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.value.as_mut()
    }

    /// The name of what is in the slot, towards `sys` and the resolver.
    pub fn id(&self, slot: u32) -> ProbeId {
        let generation = self.slots.get(slot as usize).map_or(0, |entry| entry.generation);
        ProbeId(u64::from(generation) << GENERATION_SHIFT | u64::from(slot))
    }

    /// The slot of a name, if what it names is still there.
    pub fn find(&self, id: ProbeId) -> Option<u32> {
        let entry = self.slots.get(id.slot())?;
        let is_there =
            entry.value.is_some() && entry.generation == (id.0 >> GENERATION_SHIFT) as u32;
        is_there.then(|| id.slot() as u32)
    }

    /// Values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Slots there are, in use or not.
    pub fn capacity(&self) -> u32 {
        self.slots.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_event_finds_nothing() {
        let mut slots = Slots::default();
        let first = slots.insert('a');
        let id = slots.id(first);
        assert_eq!(slots.find(id), Some(first));
        assert_eq!(slots.remove(first), Some('a'));
        assert_eq!(slots.find(id), None);
        assert_eq!(slots.insert('b'), first);
        assert_eq!(slots.find(id), None, "the slot is the same, the probe is not");
    }

    #[test]
    fn a_name_is_not_used_again_for_65536_others() {
        let mut slots = Slots::default();
        let slot = slots.insert(0);
        let id = slots.id(slot);
        for value in 1..=65_536 {
            slots.remove(slot);
            slots.insert(value);
        }
        assert_eq!(slots.find(id), None);
    }
}
