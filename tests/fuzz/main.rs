//! Bad input, made at random: packets, target texts, and sequences of calls of the C interface. Each
//! part runs through its corpus first, then from a fixed seed, then from a fresh one, for
//! `RR_FUZZ_SECONDS` (20) in all and for at least `RR_FUZZ_CASES` cases. A failure prints its input, or
//! the seed that makes it, which belongs into tests/fuzz/corpus then; `RR_FUZZ_SEED` plays one case. All traffic goes to 127.0.0.0/8 and ::1.
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

/// Tells how to see a case again, where it fails.
struct Case<'a> {
    part: &'a str,
    seed: u64,
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Case { part, seed } = self;
            println!("fuzz\tpart={}\tfailed={}\tagain: RR_FUZZ_SEED={} ./build.sh cargo test --test fuzz {}", part, seed, seed, part);
        }
    }
}

/// Runs `case`, which tells how many cases it was, once from the seed that the user names, or else from each
/// of the `corpus`, then for half of the time from seeds that follow a fixed one and then from
/// a fresh one. Each run has a seed of its own.
pub fn fuzz(part: &str, corpus: &str, mut case: impl FnMut(&mut Random) -> u64) {
    let mut play = |seed| {
        let _told = Case { part, seed };
        case(&mut Random(seed))
    };
    if let Ok(seed) = std::env::var("RR_FUZZ_SEED") {
        play(seed.parse().unwrap_or_else(|_| panic!("RR_FUZZ_SEED={}", seed)));
        return;
    }
    for seed in corpus.lines().filter(|line| !line.starts_with('#')) {
        play(seed.parse().unwrap_or_else(|_| panic!("no seed: {}", seed)));
    }
    let fresh = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let half = Duration::from_secs(setting("RR_FUZZ_SECONDS", 20)) / 2;
    let least = setting("RR_FUZZ_CASES", 0) / 2;
    for first in [0x5eed, fresh.as_nanos() as u64] {
        println!("fuzz\tpart={}\tseeds from={}", part, first);
        let begin = Instant::now();
        let mut seeds = Random(first);
        let mut cases = 0;
        while begin.elapsed() < half || cases < least {
            for _ in 0..16 {
                cases += play(seeds.number());
            }
        }
        println!("fuzz\tpart={}\tseeds from={}\tcases={}", part, first, cases);
        assert!(cases > 0);
    }
}
