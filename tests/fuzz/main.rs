//! Bad input, made at random: packets, target texts, and sequences of calls of the C interface. Each
//! part runs through its corpus first, then from a fixed seed, then from a fresh one, for
//! `RR_FUZZ_SECONDS` (20) in all and for at least `RR_FUZZ_CASES` cases. A failure prints its input,
//! which belongs into tests/fuzz/corpus then. All traffic goes to 127.0.0.0/8 and ::1.
//!
//! - [`packets`]  decoding, compared with a decoder of the tests' own
//! - [`texts`]    targets: what is said of a text must be true of it
//! - [`calls`]    random calls with right and wrong arguments: one completion for each job

mod calls;
mod packets;
mod texts;

use std::time::{Duration, Instant, SystemTime};

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }

    /// One of them.
    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{}={}", name, text)))
}

/// Runs `case`, which tells how many cases it was, from the fixed seed for half of the time and then
/// from a fresh one.
pub fn fuzz(part: &str, mut case: impl FnMut(&mut Random) -> u64) {
    let fresh = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let half = Duration::from_secs(setting("RR_FUZZ_SECONDS", 20)) / 2;
    let least = setting("RR_FUZZ_CASES", 0) / 2;
    for seed in [0x5eed, fresh.as_nanos() as u64] {
        println!("fuzz\tpart={}\tseed={}", part, seed);
        let begin = Instant::now();
        let mut random = Random(seed);
        let mut cases = 0;
        while begin.elapsed() < half || cases < least {
            for _ in 0..16 {
                cases += case(&mut random);
            }
        }
        println!("fuzz\tpart={}\tseed={}\tcases={}", part, seed, cases);
        assert!(cases > 0);
    }
}
