//! One timer a slot, cheap at a million slots: a hierarchical timing wheel (Varghese and Lauck,
//! 1987) of four levels of 256 lists. Setting and cancelling are O(1) and touch the slot's own
//! links and its neighbours'; a timer moves at most three times before it fires. No allocation but
//! for the links, eight bytes and a deadline a slot.
//!
//! A timer never fires early, and at most one tick (about a millisecond) late.

use crate::clock::Time;

/// A tick is 2^20 ns, about 1.05 ms.
const TICK_BITS: u32 = 20;
const LEVEL_BITS: u32 = 8;
const LEVELS: usize = 4;
const LISTS: usize = 1 << LEVEL_BITS;
const NONE: u32 = u32::MAX;
/// A slot that is in no list.
const IDLE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    /// The list it is in, or `IDLE`.
    list: u32,
    deadline: u64,
}

/// See the file's head. Slots are numbered from 0.
pub struct Timers {
    links: Vec<Link>,
    heads: Vec<u32>,
    /// One bit a list that is not empty.
    occupied: [[u64; LISTS / 64]; LEVELS],
    /// Every tick before this one has been expired.
    tick: u64,
    armed: usize,
}

impl Timers {
    /// A wheel that begins at `now`.
    pub fn new(now: Time) -> Timers {
        Timers {
            links: Vec::new(),
            heads: vec![NONE; LEVELS * LISTS],
            occupied: [[0; LISTS / 64]; LEVELS],
            tick: now.as_nanos() >> TICK_BITS,
            armed: 0,
        }
    }

    /// Takes all timers away; the wheel goes on at `now`.
    pub fn clear(&mut self, now: Time) {
        *self = Timers::new(now);
    }

    /// Sets the slot's timer, in place of the one it had; `Time::NEVER` leaves it without.
    pub fn set(&mut self, slot: u32, deadline: Time) {
        self.cancel(slot);
        if deadline == Time::NEVER {
            return;
        }
        let index = slot as usize;
        if index >= self.links.len() {
            let idle = Link { previous: NONE, next: NONE, list: IDLE, deadline: 0 };
            self.links.resize(index + 1, idle);
        }
        // The first tick that begins at or after the deadline.
        let tick = deadline.as_nanos().saturating_add((1 << TICK_BITS) - 1) >> TICK_BITS;
        self.links[index].deadline = tick;
        self.armed += 1;
        self.link(slot);
    }

    /// Takes the slot's timer away, if it has one.
    pub fn cancel(&mut self, slot: u32) {
        if let Some(link) = self.links.get(slot as usize) {
            if link.list != IDLE {
                self.unlink(slot);
                self.armed -= 1;
            }
        }
    }

    /// Appends the slots whose timers are due at `now` to `due`, in no particular order.
    pub fn expire(&mut self, now: Time, due: &mut Vec<u32>) {
        let end = now.as_nanos() >> TICK_BITS;
        while self.tick <= end {
            // Nothing lies before the next occupied list: go there at once.
            self.tick = self.next_tick().min(end + 1);
            self.cascade();
            if self.tick <= end {
                self.take_list(0, (self.tick & 0xff) as usize, due);
                self.tick += 1;
                self.cascade();
            }
        }
    }

    /// No timer is due before this; `Time::NEVER` where there is none. It may be early where the
    /// next timers are further away than a quarter of a second.
    pub fn next(&self) -> Time {
        match self.next_tick() {
            u64::MAX => Time::NEVER,
            tick => Time::from_nanos(tick << TICK_BITS),
        }
    }

    /// The tick at which the first list that is not empty is taken or spread.
    fn next_tick(&self) -> u64 {
        if self.armed == 0 {
            return u64::MAX;
        }
        for level in 0..LEVELS {
            let shift = level as u32 * LEVEL_BITS;
            let present = (self.tick >> shift & 0xff) as usize;
            let round = self.tick >> shift >> LEVEL_BITS << LEVEL_BITS;
            // On the upper levels the present list has been spread out already.
            let from = present + usize::from(level > 0);
            if let Some(list) = self.next_occupied(level, from) {
                return (round + list as u64) << shift;
            }
            // The highest level goes on behind its end: its lists reach a whole round ahead.
            if level == LEVELS - 1 {
                if let Some(list) = self.next_occupied(level, 0) {
                    return (round + LISTS as u64 + list as u64) << shift;
                }
            }
        }
        u64::MAX
    }

    fn list_of(&self, deadline: u64) -> (usize, usize) {
        const TOP: u32 = (LEVELS as u32 - 1) * LEVEL_BITS;
        let deadline = deadline.max(self.tick);
        let differing = deadline ^ self.tick;
        if differing >> TOP == 0 {
            // The highest group of bits in which deadline and present differ names the level.
            let level = (63 - (differing | 1).leading_zeros()) / LEVEL_BITS;
            return (level as usize, (deadline >> (level * LEVEL_BITS) & 0xff) as usize);
        }
        // What lies beyond the wheel (52 days) is parked in the furthest list and linked again
        // from there.
        let furthest = (self.tick >> TOP) + LISTS as u64 - 1;
        (LEVELS - 1, ((deadline >> TOP).min(furthest) & 0xff) as usize)
    }

    fn link(&mut self, slot: u32) {
        let (level, list) = self.list_of(self.links[slot as usize].deadline);
        let index = level * LISTS + list;
        let head = self.heads[index];
        let link = &mut self.links[slot as usize];
        link.previous = NONE;
        link.next = head;
        link.list = index as u32;
        if head != NONE {
            self.links[head as usize].previous = slot;
        }
        self.heads[index] = slot;
        self.occupied[level][list / 64] |= 1 << (list % 64);
    }

    fn unlink(&mut self, slot: u32) {
        let Link { previous, next, list, .. } = self.links[slot as usize];
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
        } else {
            self.heads[list as usize] = next;
            if next == NONE {
                self.vacate(list as usize);
            }
        }
        self.links[slot as usize].list = IDLE;
    }

    fn vacate(&mut self, index: usize) {
        let (level, list) = (index / LISTS, index % LISTS);
        self.occupied[level][list / 64] &= !(1 << (list % 64));
    }

    fn take_list(&mut self, level: usize, list: usize, due: &mut Vec<u32>) {
        let index = level * LISTS + list;
        let mut slot = self.heads[index];
        self.heads[index] = NONE;
        self.vacate(index);
        while slot != NONE {
            let link = &mut self.links[slot as usize];
            link.list = IDLE;
            due.push(slot);
            self.armed -= 1;
            slot = link.next;
        }
    }

    /// When the lowest level has gone round, spreads the next list of the level above, and so on.
    fn cascade(&mut self) {
        for level in 1..LEVELS {
            let below = level as u32 * LEVEL_BITS;
            if self.tick & ((1 << below) - 1) != 0 {
                return;
            }
            let list = (self.tick >> below & 0xff) as usize;
            let index = level * LISTS + list;
            let mut slot = self.heads[index];
            self.heads[index] = NONE;
            self.vacate(index);
            while slot != NONE {
                let next = self.links[slot as usize].next;
                self.link(slot);
                slot = next;
            }
        }
    }

    fn next_occupied(&self, level: usize, from: usize) -> Option<usize> {
        let words = &self.occupied[level];
        let mut word = from / 64;
        let mut bits = words.get(word)? & (u64::MAX << (from % 64));
        loop {
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            word += 1;
            bits = *words.get(word)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{MILLISECOND, SECOND};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const TICK: u64 = 1 << TICK_BITS;

    #[test]
    fn fires_never_early_and_at_most_a_tick_late() {
        for wait in [0, 1, 300, 70_000, 20_000_000_u64].map(|ms| ms * MILLISECOND + 17) {
            let start = Time::from_nanos(123 * SECOND + 456);
            let mut timers = Timers::new(start);
            timers.set(3, start.plus_nanos(wait));
            let mut due = Vec::new();
            timers.expire(start.plus_nanos(wait - 1), &mut due);
            assert!(due.is_empty(), "{} early", wait);
            assert!(timers.next() <= start.plus_nanos(wait + TICK));
            timers.expire(start.plus_nanos(wait + TICK), &mut due);
            assert_eq!(due, [3], "{} late", wait);
            assert_eq!(timers.next(), Time::NEVER);
        }
    }

    #[test]
    fn a_timer_beyond_the_wheel_fires_at_its_time() {
        let start = Time::from_nanos(5);
        let far = start.plus_nanos(100 * 24 * 3600 * SECOND);
        let mut timers = Timers::new(start);
        timers.set(0, far);
        let mut due = Vec::new();
        timers.expire(start.plus_nanos(99 * 24 * 3600 * SECOND), &mut due);
        assert!(due.is_empty());
        timers.expire(far.plus_nanos(TICK), &mut due);
        assert_eq!(due, [0]);
    }

    proptest! {
        #[test]
        fn behaves_like_a_sorted_map(
            actions in proptest::collection::vec((0_u32..40, 0_u64..400_000, 0_u8..4), 1..300)
        ) {
            let mut now = Time::from_nanos(777 * SECOND);
            let mut timers = Timers::new(now);
            let mut model: BTreeMap<u32, Time> = BTreeMap::new();
            for (slot, ms, action) in actions {
                match action {
                    0 | 1 => {
                        let deadline = now.plus_nanos(ms * MILLISECOND / 7);
                        timers.set(slot, deadline);
                        model.insert(slot, deadline);
                    }
                    2 => {
                        timers.cancel(slot);
                        model.remove(&slot);
                    }
                    _ => {
                        now = now.plus_nanos(ms * MILLISECOND / 20);
                        let mut due = Vec::new();
                        timers.expire(now, &mut due);
                        for slot in &due {
                            let deadline = model.remove(slot);
                            prop_assert!(deadline.map_or(false, |deadline| deadline <= now));
                        }
                        for deadline in model.values() {
                            prop_assert!(deadline.plus_nanos(TICK) > now);
                        }
                    }
                }
                match model.values().min() {
                    Some(first) => prop_assert!(timers.next() <= first.plus_nanos(TICK)),
                    None => prop_assert_eq!(timers.next(), Time::NEVER),
                }
            }
        }
    }
}
