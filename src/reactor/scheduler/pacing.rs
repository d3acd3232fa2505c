//! The token bucket of a pool: so many packets a second, in bursts of at most [`DEPTH`].

use crate::clock::{Time, MILLISECOND, SECOND};

/// Packets that may go out at once after a pause.
pub const DEPTH: u64 = 256;

/// Packets that are let through together where the rate, not the network, is the limit: fewer
/// wake-ups than one a packet. At low rates fewer, down to one: they shall be spread evenly over
/// [`GRAIN_TIME`], and no packet shall wait for others to become due.
const GRAIN: u64 = 16;
const GRAIN_TIME: u64 = 2 * MILLISECOND;
/// Where a tick of the timers is worth several packets, and no more than half a bucket, packets go
/// out on the ticks: one wake-up serves both.
const TICK: u64 = 1 << 20;

/// See the file's head. Counts in nanoseconds of credit, so nothing is lost to rounding.
pub struct TokenBucket {
    /// Nanoseconds a packet; 0 where the rate is unlimited.
    cost: u64,
    /// Packets that may go out at once after a pause.
    depth: u64,
    /// The credit reaches back from now to this time, both on a clock that is ahead by a full
    /// bucket: so a full bucket does not reach back to before the epoch.
    empty_since: Time,
    /// Once empty, nothing goes out before this: packets go together.
    pause: Time,
}

impl TokenBucket {
    /// A full bucket, `depth` packets, for `packets_per_second`; 0 is unlimited.
    pub fn new(packets_per_second: u32, depth: u64, now: Time) -> TokenBucket {
        let cost = match u64::from(packets_per_second) {
            0 => 0,
            rate => (SECOND / rate).max(1),
        };
        TokenBucket { cost, depth, empty_since: now, pause: Time::from_nanos(0) }
    }

    /// Whether there is a rate at all.
    pub fn is_limited(&self) -> bool {
        self.cost > 0
    }

    /// What a full bucket's credit costs.
    fn full(&self) -> u64 {
        self.cost * self.depth
    }

    /// Packets that may go out at `now`.
    pub fn available(&self, now: Time) -> u64 {
        if now < self.pause {
            return 0;
        }
        self.credit(now)
    }

    fn credit(&self, now: Time) -> u64 {
        if self.cost == 0 {
            return u64::MAX;
        }
        (now.plus_nanos(self.full()).nanos_since(self.empty_since) / self.cost).min(self.depth)
    }

    /// Takes one packet's credit; only when one is available.
    pub fn take(&mut self, now: Time) {
        if self.cost == 0 {
            return;
        }
        // Credit older than the bucket is deep is lost.
        self.empty_since = self.empty_since.max(now).plus_nanos(self.cost);
        if self.credit(now) == 0 {
            self.pause = self.refilled();
        }
    }

    /// Gives one packet's credit back: it did not leave.
    pub fn give_back(&mut self) {
        self.empty_since = Time::from_nanos(self.empty_since.as_nanos().saturating_sub(self.cost));
        self.pause = Time::from_nanos(0);
    }

    /// When the next packets may go out, if none may now.
    pub fn next(&self) -> Time {
        self.pause.max(self.earned(1))
    }

    /// When a bucket that is empty now has earned so much that it is worth a wake-up.
    fn refilled(&self) -> Time {
        let most = GRAIN.min(self.depth);
        let grain = GRAIN_TIME.checked_div(self.cost).map_or(most, |fit| fit.clamp(1, most));
        let enough = self.earned(grain);
        if self.cost <= TICK / 4 && TICK / self.cost <= self.depth / 2 {
            return Time::from_nanos(enough.as_nanos().saturating_add(TICK - 1) / TICK * TICK);
        }
        enough
    }

    /// When the credit is worth so many packets.
    fn earned(&self, packets: u64) -> Time {
        let enough = self.empty_since.plus_nanos(self.cost * packets);
        Time::from_nanos(enough.nanos_since(Time::from_nanos(self.full())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_bounded_and_the_rate_holds() {
        let start = Time::from_nanos(100 * SECOND);
        let mut bucket = TokenBucket::new(1000, DEPTH, start);
        let mut sent = 0;
        let mut now = start;
        while now < start.plus_nanos(2 * SECOND) {
            while bucket.available(now) > 0 {
                bucket.take(now);
                sent += 1;
            }
            now = now.plus_nanos(MILLISECOND / 2);
        }
        assert!((2250..=2257).contains(&sent), "{} = 256 at once and 1,000 a second", sent);
    }

    #[test]
    fn a_long_pause_saves_no_more_than_a_burst() {
        let start = Time::from_nanos(100 * SECOND);
        let mut bucket = TokenBucket::new(1000, DEPTH, start);
        let later = start.plus_nanos(60 * SECOND);
        let mut sent = 0;
        while bucket.available(later) > 0 {
            bucket.take(later);
            sent += 1;
        }
        assert_eq!(sent, DEPTH);
        bucket.give_back();
        assert_eq!(bucket.available(later), 1);
    }

    #[test]
    fn a_bucket_is_full_when_the_process_has_just_begun() {
        let start = Time::from_nanos(5);
        let mut bucket = TokenBucket::new(1, DEPTH, start);
        assert_eq!(bucket.available(start), DEPTH);
        for _ in 0..DEPTH {
            bucket.take(start);
        }
        assert_eq!(bucket.available(start), 0);
        assert_eq!(bucket.available(start.plus_nanos(SECOND)), 1);
    }

    #[test]
    fn a_packet_waits_for_others_only_where_they_are_due_in_a_moment() {
        let start = Time::from_nanos(SECOND);
        let rates = [(1, 1, 1), (400, 1, 1), (1_000, 2, 2), (20_000, 16, 37), (1_000_000, 16, 16)];
        for &(rate, least, most) in &rates {
            let mut bucket = TokenBucket::new(rate, DEPTH, start);
            for _ in 0..DEPTH {
                bucket.take(start);
            }
            let packets = bucket.available(bucket.next());
            assert!((least..=most).contains(&packets), "{} at {} a second", packets, rate);
            let before = Time::from_nanos(bucket.next().as_nanos() - 1);
            assert_eq!(bucket.available(before), 0, "at {} a second", rate);
        }
    }

    #[test]
    fn zero_is_unlimited() {
        let mut bucket = TokenBucket::new(0, DEPTH, Time::from_nanos(0));
        bucket.take(Time::from_nanos(0));
        assert_eq!(bucket.available(Time::from_nanos(0)), u64::MAX);
    }
}
