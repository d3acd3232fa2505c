//! The kernel's stamps on the engine's clock. Stamps are of the wall clock, which may be set at any
//! time, so both clocks are read together, and again where something came between.

use super::process::wall_clock;
use crate::clock::Time;

/// Nanoseconds that one reading may take: several times what it does.
const BRACKET: u64 = 1_000;
/// Readings, of which the quickest counts; more on a machine that is never quick are for nothing.
const READINGS: usize = 4;

/// Both clocks at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ClockPair {
    monotonic: Time,
    real: i64,
}

impl ClockPair {
    pub(super) fn now() -> ClockPair {
        ClockPair::read(Time::now, wall_clock)
    }

    fn read(mut monotonic: impl FnMut() -> Time, mut real: impl FnMut() -> i64) -> ClockPair {
        let mut shortest = u64::MAX;
        let mut pair = ClockPair { monotonic: Time::from_nanos(0), real: 0 };
        for _ in 0..READINGS {
            let before = monotonic();
            let real = real();
            let width = monotonic().nanos_since(before);
            if width < shortest {
                shortest = width;
                pair = ClockPair { monotonic: before.plus_nanos(width / 2), real };
            }
            if width <= BRACKET {
                break;
            }
        }
        pair
    }

    #[cfg(test)]
    pub(super) fn of(monotonic: Time, real: i64) -> ClockPair {
        ClockPair { monotonic, real }
    }

    /// A stamp on the monotonic clock; `None` where it is of the future or from before the clock's
    /// beginning, as stamps are when the wall clock was set meanwhile.
    pub(super) fn time_of(&self, stamp: i64) -> Option<Time> {
        let age = u64::try_from(self.real.checked_sub(stamp)?).ok()?;
        self.monotonic.as_nanos().checked_sub(age).map(Time::from_nanos)
    }

    /// When a packet with this stamp came: now, where there is none or it makes no sense.
    pub(super) fn received(&self, stamp: Option<i64>) -> Time {
        stamp.and_then(|stamp| self.time_of(stamp)).unwrap_or(self.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_that_makes_no_sense_is_now() {
        let clock = ClockPair { monotonic: Time::from_nanos(1_000), real: 50_000 };
        assert_eq!(clock.received(Some(49_900)), Time::from_nanos(900));
        assert_eq!(clock.received(Some(50_001)), clock.monotonic);
        assert_eq!(clock.received(Some(0)), clock.monotonic);
        assert_eq!(clock.received(Some(i64::MIN)), clock.monotonic);
        assert_eq!(clock.received(None), clock.monotonic);
    }

    /// Reads clocks that run together, where the readings take these nanoseconds.
    fn read(widths: &[u64]) -> (ClockPair, i64) {
        let now = std::cell::Cell::new(1_000_000u64);
        let calls = std::cell::Cell::new(0usize);
        let step = || {
            let call = calls.get();
            calls.set(call + 1);
            // Before the second and the third reading of each three.
            if call % 3 != 0 {
                now.set(now.get() + widths[call / 3] / 2);
            }
            now.get()
        };
        let pair = ClockPair::read(|| Time::from_nanos(step()), || step() as i64 + 7_000);
        (pair, pair.real - 7_000 - pair.monotonic.as_nanos() as i64)
    }

    #[test]
    fn clocks_that_were_read_apart_are_read_again() {
        // Somebody else had the processor for 2 ms between the first two readings.
        let (pair, apart) = read(&[2_000_000, 40]);
        assert_eq!(apart, 0);
        assert!(pair.real > 7_000 + 2_000_000, "the first reading was kept");
    }

    #[test]
    fn the_quickest_of_slow_readings_counts() {
        let (pair, apart) = read(&[9_000, 3_000, 8_000, 7_000]);
        assert_eq!(apart, 0);
        assert_eq!(pair.real, 7_000 + 1_000_000 + 9_000 + 1_500);
    }
}
