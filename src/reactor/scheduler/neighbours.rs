//! Neighbours whose link-layer address is asked for: each takes a place in the system's table, from
//! the request that asks until the system has found or given up the neighbour, whether or not the
//! probe is still open then. Owns the places and their number; must not know what is probed.

use crate::address::Address;
use crate::clock::{Time, SECOND};
use crate::sys::OnLink;
use std::collections::{HashMap, VecDeque};

/// Places where the system does not say how many it has; they are given back with the probe.
const UNKNOWN_TABLE: usize = 256;

/// The longest that a place is held: a neighbour is given up after 3 s (`mcast_solicit` times
/// `retrans_time_ms`), which the system tells, but a loss of that must not cost the place for ever.
const HOLD: u64 = 4 * SECOND;

/// See the file's head.
#[derive(Default)]
pub struct Neighbours {
    asked: HashMap<Address, Time>,
    /// In the order of time; what is no longer `asked` at that time has been given back.
    order: VecDeque<(Time, Address)>,
    /// IPv4, IPv6.
    count: [usize; 2],
}

impl Neighbours {
    /// Something is sent to a neighbour that is not known to be there.
    pub fn ask(&mut self, address: Address, now: Time) {
        match self.asked.insert(address, now) {
            None => self.count[address.family().index()] += 1,
            Some(before) if before == now => return,
            Some(_) => {}
        }
        self.order.push_back((now, address));
    }

    /// The neighbour is found, or given up.
    pub fn give_back(&mut self, address: &Address) {
        if self.asked.remove(address).is_some() {
            self.count[address.family().index()] -= 1;
        }
    }

    /// Gives back what was held long enough.
    pub fn expire(&mut self, now: Time) {
        while let Some((asked, address)) = self.order.front() {
            let is_held = self.asked.get(address) == Some(asked);
            if is_held && asked.plus_nanos(HOLD) > now {
                break;
            }
            let address = *address;
            if is_held {
                self.give_back(&address);
            }
            self.order.pop_front();
        }
    }

    /// When [`Neighbours::expire`] may give a place back.
    pub fn next(&self) -> Time {
        self.order.front().map_or(Time::NEVER, |(asked, _)| asked.plus_nanos(HOLD))
    }

    /// Whether no place is taken.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Places taken in a family.
    pub fn taken(&self, family: usize) -> usize {
        self.count[family]
    }

    /// Nothing is asked any more.
    pub fn clear(&mut self) {
        *self = Neighbours::default();
    }
}

/// Places that may be taken in a family as a rule: three quarters of the system's table, so that
/// other programs still find their neighbours.
pub fn places(on_link: &OnLink, family: usize) -> usize {
    match on_link.table[family] as usize {
        0 => UNKNOWN_TABLE,
        table => (table / 4 * 3).max(1),
    }
}
