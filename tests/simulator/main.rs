//! The reactor's real shell and scheduler on a virtual clock, over a world that follows from a seed.
//! A seed replays exactly; one that fails is printed with the command that replays it.
//!
//! - `random`  the one source of chance
//! - `plan`    what a seed decides: hosts, names, pools, callers, troubles
//! - `world`   the network and the resolver that the reactor talks to; `hosts` what is behind them
//! - `truth`   what truly happened, and what a completion may say after that; `connects` for those
//! - `million` the product's own limits, under a million open probes
//! - `run`     one run, `checks` after each turn and of each completion
//!
//! `cargo test --test simulator` plays the kept seeds and fresh ones for 20 seconds. For longer, or
//! for one seed: `SIMULATE_SECONDS=600 cargo test --release --test simulator fresh_seeds -- --nocapture`,
//! `SIMULATE_SEED=42 cargo test --test simulator one_seed -- --ignored --nocapture`.
//! With `--features faults` each mended fault is put back and must be found.

mod checks;
mod connects;
mod hosts;
mod million;
mod plan;
mod random;
mod run;
#[path = "../shared/shells.rs"]
mod shells;
mod truth;
mod world;

use run::{Outline, Prepare, Run};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use world::DEFECT;

/// Seeds that found something once, or stand for a kind of world.
const KEPT: &[u64] = &[2_223_473, 2_322_024, 3_405_811, 4_080_412, 5_412_212, 10_751_093];

/// The reactor contains the panics of the defects that the simulator makes: they are no news.
fn be_quiet() {
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.swap(true, Ordering::SeqCst) {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&DEFECT) {
                usual(info);
            }
        }));
    }
}

fn play(seed: u64, prepare: Prepare<'_>) -> Outline {
    be_quiet();
    Run::new(seed, prepare, false).play()
}

fn check(seed: u64) -> Outline {
    let outline = play(seed, &|_| {});
    if let Some(failure) = &outline.failure {
        panic!(
            "seed {seed} fails: {failure}\nto replay it: SIMULATE_SEED={seed} ./build.sh cargo \
             test --test simulator one_seed -- --ignored --nocapture"
        );
    }
    outline
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn kept_seeds() {
    (0..200).chain(KEPT.iter().copied()).for_each(|seed| {
        check(seed);
    });
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..20 {
        let (first, second) = (check(seed), check(seed));
        assert_eq!((first.turns, first.packets), (second.turns, second.packets), "seed {seed}");
    }
}

/// Only the time of day is told by the wall clock: every deadline, rate and duration is as without it.
#[test]
fn a_wall_clock_that_is_set_all_the_time_changes_nothing() {
    for seed in 0..100 {
        let steady = check(seed);
        let wild = play(seed, &|shell| shell.network.world_mut().sets_wall_clock = true);
        assert_eq!(wild.failure, None, "seed {seed}");
        let figures = |of: &Outline| (of.turns, of.packets, of.jobs, of.told);
        assert_eq!(figures(&steady), figures(&wild), "seed {seed}");
    }
}

#[test]
fn fresh_seeds() {
    let seconds = number("SIMULATE_SECONDS").unwrap_or(20);
    let begin = Instant::now();
    let start = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    let first = number("SIMULATE_SEED").unwrap_or(start >> 10 << 20);
    let next = AtomicU64::new(first);
    let (turns, jobs) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = if number("SIMULATE_SECONDS").is_some() { 2 } else { 1 };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begin.elapsed() < Duration::from_secs(seconds) {
                    let outline = check(next.fetch_add(1, Ordering::Relaxed));
                    turns.fetch_add(outline.turns, Ordering::Relaxed);
                    jobs.fetch_add(outline.jobs, Ordering::Relaxed);
                }
            });
        }
    });
    let runs = next.load(Ordering::Relaxed) - first;
    let mean = |sum: &AtomicU64| sum.load(Ordering::Relaxed) as f64 / runs.max(1) as f64;
    println!(
        "{runs} runs from seed {first}: {:.1} turns and {:.1} jobs each, in {:.0} s",
        mean(&turns),
        mean(&jobs),
        begin.elapsed().as_secs_f64()
    );
    assert!(runs > 0);
}

/// One seed, told turn by turn.
#[test]
#[ignore = "replays the seed in SIMULATE_SEED"]
fn one_seed() {
    let seed = number("SIMULATE_SEED").expect("SIMULATE_SEED");
    be_quiet();
    let outline = Run::new(seed, &|_| {}, true).play();
    assert_eq!(outline.failure, None);
}

/// All seeds of a range that fail, each in a line.
#[test]
#[ignore = "for whoever works on the scheduler: SIMULATE_SEED and SIMULATE_COUNT"]
fn scan() {
    let (first, count) = (number("SIMULATE_SEED").unwrap_or(0), number("SIMULATE_COUNT"));
    let end = first + count.unwrap_or(1000);
    let failures = (first..end).filter_map(|seed| Some((seed, play(seed, &|_| {}).failure?)));
    let shown = failures.take(10).map(|(seed, failure)| println!("seed {seed}: {failure}")).count();
    println!("scanned {count:?} seeds from {first}: {shown} failures shown");
}

/// Each fault that was mended, put back, is found within 20,000 runs.
#[cfg(feature = "faults")]
#[test]
fn every_fault_is_found() {
    use rust_runspaces::reactor::scheduler::fault::ALL;
    const MOST: u64 = 20_000;
    let mut missed = Vec::new();
    for fault in ALL {
        let found = (0..MOST).find_map(|seed| {
            let outline = play(seed, &|shell| shell.scheduler.put_back(fault));
            outline.failure.map(|failure| (seed, failure))
        });
        match found {
            Some((seed, failure)) => {
                let short: String = failure.chars().take(150).collect();
                println!("| {fault:?} | {} | {short}", seed + 1);
            }
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "not found in {MOST} runs: {missed:?}");
}
