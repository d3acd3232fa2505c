//! Callbacks that do anything, in any order.

use super::*;
use proptest::prelude::*;

/// What a job of the property test does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Complete,
    Fail,
    Panic,
    Return,
    Doze,
    Overstay,
    GetStuck,
    Cancel,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_job_has_exactly_one_completion_whatever_the_callbacks_do(
        deeds in prop::collection::vec(prop_oneof![
            20 => Just(Deed::Complete), 4 => Just(Deed::Fail), 2 => Just(Deed::Panic),
            2 => Just(Deed::Return), 4 => Just(Deed::Doze), 1 => Just(Deed::Overstay),
            1 => Just(Deed::GetStuck), 1 => Just(Deed::Cancel),
        ], 1..80),
        max_workers in 1u32..5,
        close_after in 0usize..160,
    ) {
        const LIMIT: u64 = 20;
        let gate = Arc::new(Gate::default());
        let slot: Arc<Mutex<Weak<Fixture>>> = Arc::default();
        let (held, acts, pool_of_callback) = (Arc::clone(&gate), deeds.clone(), Arc::clone(&slot));
        let host = each(move |_, job| {
            match acts[job as usize] {
                Deed::Complete => {}
                Deed::Fail => return Some(Outcome::Failed),
                Deed::Panic => std::panic::resume_unwind(Box::new("contained")),
                Deed::Return => return None,
                Deed::Doze => std::thread::sleep(Duration::from_millis(1)),
                Deed::Overstay => std::thread::sleep(Duration::from_millis(2 * LIMIT)),
                Deed::GetStuck => held.pass(),
                Deed::Cancel => {
                    let pool = pool_of_callback.lock().unwrap().upgrade();
                    pool.iter().for_each(|pool| pool.calls.cancel());
                }
            }
            Some(Outcome::Completed)
        });
        let pool = Arc::new(Fixture::new(max_workers, Some(LIMIT), host));
        *slot.lock().unwrap() = Arc::downgrade(&pool);
        pool.submit(0..deeds.len() as u64);
        let mut done = Vec::new();
        pool.collect_into(&mut done, close_after.min(deeds.len()));
        if close_after < deeds.len() {
            pool.calls.close();
        }
        pool.collect_into(&mut done, deeds.len());
        pool.calls.close();
        gate.open();
        prop_assert_eq!(pool.completions.ready(), 0);
        let ended = close_after < deeds.len() || deeds.iter().any(|d| matches!(d, Deed::Cancel));
        for (job, outcome) in outcomes(&done) {
            let deed = deeds[job as usize];
            // A busy machine may make any job late.
            let fits = outcome == Outcome::TimedOut
                || (ended && matches!(outcome, Outcome::Stopped | Outcome::NotStarted))
                || match deed {
                    Deed::Complete | Deed::Doze => outcome == Outcome::Completed,
                    Deed::Fail | Deed::Panic | Deed::Return => outcome == Outcome::Failed,
                    Deed::Overstay | Deed::GetStuck | Deed::Cancel => false,
                };
            prop_assert!(fits, "job {} ({:?}) ended as {:?}", job, deed, outcome);
        }
    }
}
