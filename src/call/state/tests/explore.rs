//! Every state that the calls and the world around them can reach is visited, and checked: each job has
//! its one completion or is still on its way to it, nobody sleeps while there is work, no more callbacks
//! than allowed are inside, none begins after close, and from here the pool can end.

mod world;

use super::super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use world::{Budget, Move, World, ANY, LIMIT};

/// Visits all states, depth first; how many there are. They are remembered by their keys of 64 bits.
fn explore(start: World) -> usize {
    let mut seen = HashSet::from([start.key()]);
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        world.check();
        for step in world.moves() {
            let mut next = world.clone();
            next.make(step);
            if seen.insert(next.key()) {
                open.push(next);
            }
        }
    }
    seen.len()
}

fn rules(max_workers: u32, cores: u32, job_limit: u64) -> Rules {
    Rules { max_workers, cores, job_limit, abandoned_limit: 1 }
}

#[test]
fn every_state_of_two_workers_is_sound() {
    let budget = Budget {
        jobs: 3,
        fails: ANY,
        opens: ANY,
        returns: ANY,
        passes: ANY,
        samples: 0,
        backlog: 0,
    };
    let states = explore(World::new(rules(2, 3, LIMIT), budget));
    println!("{} states", states);
    assert!(states > 10_000, "{} states", states);
}

#[test]
fn every_state_of_three_workers_is_sound() {
    let budget =
        Budget { jobs: 3, fails: ANY, opens: 0, returns: ANY, passes: ANY, samples: 0, backlog: 0 };
    let states = explore(World::new(rules(3, 3, LIMIT), budget));
    println!("{} states", states);
    assert!(states > 10_000, "{} states", states);
}

#[test]
fn every_state_of_growth_is_sound() {
    let budget =
        Budget { jobs: 3, fails: 0, opens: ANY, returns: 0, passes: 0, samples: 5, backlog: 2 };
    let states = explore(World::new(rules(3, 1, u64::MAX), budget));
    println!("{} states", states);
    assert!(states > 10_000, "{} states", states);
}

proptest! {
    #[test]
    fn any_schedule_is_sound(
        choices in prop::collection::vec(any::<u16>(), 0..400),
        max_workers in 1u32..6,
        cores in 1u32..4,
        limited in any::<bool>(),
    ) {
        let (fails, returns, passes) = (2, 8, 40);
        let budget = Budget { jobs: 40, fails, opens: ANY, returns, passes, samples: 40, backlog: 3 };
        let limit = if limited { LIMIT } else { u64::MAX };
        let mut world = World::new(rules(max_workers, cores, limit), budget);
        for choice in choices {
            let mut moves = world.moves();
            // Seldom: what ends everything. Two thirds of a schedule would be spent behind it.
            if choice % 64 != 0 {
                moves.retain(|step| !matches!(step, Move::Cancel | Move::Close));
            }
            if let Some(step) = moves.get(usize::from(choice / 64) % moves.len().max(1)) {
                world.make(*step);
                world.check();
            }
        }
    }
}
