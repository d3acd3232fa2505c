//! Round trips as they come in, one pass, numerically stable (Welford's method).

use crate::outcome::Statistics;

/// Sums over the round trips of one probe; nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrips {
    /// Answers, and those of them whose round trip is known.
    received: u32,
    timed: u32,
    last: u64,
    min: u64,
    max: u64,
    mean: f64,
    squares: f64,
}

impl RoundTrips {
    /// Takes in an answer, with its round trip where it is known.
    pub fn answered(&mut self, round_trip: Option<u64>) {
        self.received += 1;
        let nanos = match round_trip {
            Some(nanos) => nanos,
            None => return,
        };
        self.min = if self.timed == 0 { nanos } else { self.min.min(nanos) };
        self.max = self.max.max(nanos);
        self.last = nanos;
        self.timed += 1;
        let value = nanos as f64;
        // Most probes have one.
        if self.timed == 1 {
            self.mean = value;
            return;
        }
        let from_old_mean = value - self.mean;
        self.mean += from_old_mean / f64::from(self.timed);
        self.squares += from_old_mean * (value - self.mean);
    }

    /// The figures, `None` where no round trip is known.
    pub fn statistics(&self, sent: u32, duplicates: Option<u32>) -> Statistics {
        let received = self.received;
        if self.timed == 0 {
            return Statistics { sent, received, duplicates, ..Statistics::default() };
        }
        let (mean, deviation) = match self.timed {
            1 => (self.last, 0),
            timed => {
                let variance = self.squares / f64::from(timed);
                (self.mean.round() as u64, variance.max(0.0).sqrt().round() as u64)
            }
        };
        Statistics {
            sent,
            received,
            duplicates,
            last: Some(self.last),
            min: Some(self.min),
            mean: Some(mean),
            max: Some(self.max),
            deviation: Some(deviation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_received_is_none_everywhere() {
        let figures = RoundTrips::default().statistics(4, Some(0));
        assert_eq!(figures.sent, 4);
        assert_eq!(figures.received, 0);
        assert_eq!((figures.last, figures.min, figures.mean), (None, None, None));
        assert_eq!((figures.max, figures.deviation), (None, None));
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_population() {
        let mut rounds = RoundTrips::default();
        for nanos in [2, 4, 4, 4, 5, 5, 7, 9] {
            rounds.answered(Some(nanos * 1000));
        }
        let figures = rounds.statistics(8, None);
        assert_eq!(figures.mean, Some(5000));
        assert_eq!(figures.deviation, Some(2000));
        assert_eq!((figures.min, figures.max, figures.last), (Some(2000), Some(9000), Some(9000)));
    }
}
