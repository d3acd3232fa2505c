//! The table of open probes. A slot's generation tells an event for the probe that is there now
//! from a late one for a probe that was there before.

use crate::sys::ProbeId;

/// Bits of a [`ProbeId`]: generation (16) | flight (16) | slot (32). `flight` is the address index
/// of a connect.
const FLIGHT_SHIFT: u32 = 32;
const GENERATION_SHIFT: u32 = 48;

struct Slot<T> {
    generation: u16,
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

    /// Takes the value out.
    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let entry = self.slots.get_mut(slot as usize)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(slot);
        Some(value)
    }

    /// The value in the slot.
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.value.as_mut()
    }

    /// The name of the slot's probe towards `sys`.
    pub fn id(&self, slot: u32, flight: u16) -> ProbeId {
        let generation = self.slots.get(slot as usize).map_or(0, |entry| entry.generation);
        ProbeId(
            u64::from(generation) << GENERATION_SHIFT
                | u64::from(flight) << FLIGHT_SHIFT
                | u64::from(slot),
        )
    }

    /// Slot and flight of a name, if that probe is still open.
    pub fn find(&self, id: ProbeId) -> Option<(u32, u16)> {
        let slot = id.0 as u32;
        let entry = self.slots.get(slot as usize)?;
        let matches =
            entry.value.is_some() && entry.generation == (id.0 >> GENERATION_SHIFT) as u16;
        matches.then_some((slot, (id.0 >> FLIGHT_SHIFT) as u16))
    }

    /// Numbers of the open slots for which `wanted` holds.
    pub fn select(&self, wanted: impl Fn(&T) -> bool) -> Vec<u32> {
        let is_wanted = |slot: &Slot<T>| slot.value.as_ref().map_or(false, &wanted);
        (0..self.slots.len()).filter(|&n| is_wanted(&self.slots[n])).map(|n| n as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_event_finds_nothing() {
        let mut slots = Slots::default();
        let first = slots.insert('a');
        let id = slots.id(first, 3);
        assert_eq!(slots.find(id), Some((first, 3)));
        assert_eq!(slots.remove(first), Some('a'));
        assert_eq!(slots.find(id), None);
        assert_eq!(slots.insert('b'), first);
        assert_eq!(slots.find(id), None, "the slot is the same, the probe is not");
    }
}
