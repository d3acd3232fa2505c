//! One rule of the state at a time; `explore` visits all its states.

mod explore;

use super::*;

const MS: u64 = MILLISECOND;

/// A state and a clock. Workers are named by their numbers.
struct Pool {
    state: State,
    now: Time,
    /// Of the last event.
    actions: Vec<Action>,
    /// Of each worker.
    cpu: u64,
    times: Times,
}

impl Pool {
    fn new(max_workers: u32, cores: u32, job_limit: u64) -> Pool {
        let state = State::new(Rules { max_workers, cores, job_limit, abandoned_limit: 2 });
        let (now, times) = (Time::from_nanos(0), Times::default());
        let mut pool = Pool { state, now, actions: Vec::new(), cpu: 0, times };
        pool.step(Event::Start);
        pool
    }

    fn step(&mut self, event: Event<'_>) -> Response {
        self.actions.clear();
        self.state.step(self.now, event, &mut self.actions)
    }

    fn id(&self, number: u32) -> WorkerId {
        let is_it = |worker: &Option<WorkerState>| worker.map_or(false, |it| it.number == number);
        WorkerId { slot: self.state.workers.iter().position(is_it).unwrap_or(0), number }
    }

    fn submit(&mut self, jobs: u64) {
        let jobs: Vec<u64> = (0..jobs).collect();
        self.step(Event::Submit(&jobs));
    }

    fn next(&mut self, number: u32) -> Response {
        self.step(Event::Next(self.id(number)))
    }

    fn finish(&mut self, number: u32) -> Response {
        self.step(Event::Finish(self.id(number), Outcome::Completed))
    }

    fn tick_after(&mut self, nanos: u64) {
        self.now = self.now.plus_nanos(nanos);
        self.step(Event::Tick);
    }

    /// A sample after `nanos`, in which each worker's thread ran for `run` and the process for `all`.
    fn sample(&mut self, nanos: u64, run: u64, all: u64) {
        self.now = self.now.plus_nanos(nanos);
        self.cpu += run;
        self.times.process += all;
        let busy = self.state.all().filter(|(_, busy)| *busy);
        let clocks: Vec<_> = busy.map(|(id, _)| (id, self.cpu)).collect();
        let times = self.times;
        self.step(Event::Sample(Sample { times, took: 0, workers: &clocks }));
    }

    /// A sample after `nanos`, whose reading took `took`, of workers that did nothing.
    fn slow_sample(&mut self, nanos: u64, took: u64) {
        self.now = self.now.plus_nanos(nanos);
        let clocks: Vec<_> = self.state.all().map(|(id, _)| (id, self.cpu)).collect();
        self.step(Event::Sample(Sample { times: self.times, took, workers: &clocks }));
    }

    /// Enough samples for workers that did nothing to count as waiting.
    fn idle_samples(&mut self) {
        (0..3).for_each(|_| self.sample(2 * MS, 0, 0));
    }

    /// The worker numbers that the last event opened.
    fn opened(&self) -> Vec<u32> {
        let number = |action: &Action| match action {
            Action::Open(id) => Some(id.number),
            _ => None,
        };
        self.actions.iter().filter_map(number).collect()
    }

    fn outcomes(&self) -> Vec<(u64, Outcome)> {
        let outcome = |action: &Action| match action {
            Action::Complete(result) => Some((result.job, result.outcome)),
            _ => None,
        };
        self.actions.iter().filter_map(outcome).collect()
    }
}

#[test]
fn workers_that_compute_are_as_many_as_cores() {
    let mut pool = Pool::new(32, 2, u64::MAX);
    pool.submit(100);
    assert_eq!(pool.opened(), [2]);
    pool.next(1);
    pool.next(2);
    for _ in 0..10 {
        pool.sample(2 * MS, 2 * MS, 3 * MS);
        assert_eq!(pool.opened(), []);
    }
}

#[test]
fn a_worker_is_added_when_all_others_wait() {
    let mut pool = Pool::new(4, 1, u64::MAX);
    pool.submit(100);
    assert_eq!(pool.opened(), [], "one is opening, one core");
    pool.next(1);
    pool.sample(2 * MS, 0, 0);
    pool.sample(2 * MS, 0, 0);
    assert_eq!(pool.opened(), []);
    pool.sample(2 * MS, 0, 0);
    assert_eq!(pool.opened(), [2]);
    pool.next(2);
    assert_eq!(pool.opened(), [], "it runs, as far as is known");
    pool.idle_samples();
    assert_eq!(pool.opened(), [3, 4], "two wait, two open at a time");
    pool.next(3);
    pool.next(4);
    pool.idle_samples();
    assert_eq!(pool.opened(), [], "four at most");
}

#[test]
fn one_worker_is_added_for_one_that_waits() {
    let mut pool = Pool::new(32, 2, u64::MAX);
    pool.submit(100);
    pool.next(1);
    pool.idle_samples();
    assert_eq!(pool.opened(), [3], "the second is opening");
    pool.next(2);
    pool.next(3);
    assert_eq!(pool.opened(), []);
}

#[test]
fn a_collector_that_stops_all_workers_adds_none() {
    let mut pool = Pool::new(4, 2, u64::MAX);
    pool.submit(100);
    pool.next(1);
    pool.next(2);
    for _ in 0..100 {
        pool.times.paused += MS / 2;
        pool.sample(2 * MS, 0, 2 * MS);
        assert_eq!(pool.opened(), []);
    }
    pool.sample(2 * MS, 0, 2 * MS);
    pool.times.paused += MS / 2 - 1;
    pool.sample(2 * MS, 0, 2 * MS);
    assert_eq!(pool.opened(), [3, 4]);
}

#[test]
fn beside_what_computes_it_takes_longer_until_a_worker_counts_as_waiting() {
    let mut pool = Pool::new(4, 2, u64::MAX);
    pool.submit(100);
    pool.next(1);
    pool.next(2);
    // The first sample is the baseline.
    for _ in 0..8 {
        pool.times.elsewhere += MS / 2;
        pool.sample(2 * MS, 0, MS / 2);
        assert_eq!(pool.opened(), []);
    }
    pool.times.elsewhere += MS / 2;
    pool.sample(2 * MS, 0, MS / 2);
    assert_eq!(pool.opened(), [3, 4], "it is no collector");
}

#[test]
fn workers_that_make_themselves_ready_and_wait_keep_no_other_from_opening() {
    let mut pool = Pool::new(8, 2, u64::MAX);
    pool.submit(8);
    assert_eq!(pool.opened(), [2], "two open at a time");
    let mut ready = 0;
    while ready < 8 {
        let opening = pool.state.tally.opening;
        assert!(opening <= 2);
        (ready + 1..=ready + opening).for_each(|number| {
            assert_eq!(pool.step(Event::Opened(pool.id(number))), Response::Done);
        });
        ready += opening;
        pool.idle_samples();
    }
    assert_eq!(pool.state.tally.preparing, 8);
    pool.idle_samples();
    assert_eq!(pool.opened(), [], "each of the jobs has its worker");
    assert_eq!(pool.next(5), Response::Take(0));
}

#[test]
fn workers_that_compute_while_they_make_themselves_ready_are_as_many_as_cores() {
    let mut pool = Pool::new(32, 2, u64::MAX);
    pool.submit(100);
    pool.step(Event::Opened(pool.id(1)));
    pool.step(Event::Opened(pool.id(2)));
    for _ in 0..10 {
        pool.sample(2 * MS, 2 * MS, 3 * MS);
        assert_eq!(pool.opened(), []);
    }
}

#[test]
fn opening_is_over_at_the_first_job_where_nobody_says_so() {
    let mut pool = Pool::new(32, 2, u64::MAX);
    pool.submit(100);
    (0..10).for_each(|_| pool.sample(2 * MS, 0, 0));
    assert_eq!(pool.state.workers(), 2);
    pool.next(1);
    pool.next(2);
    assert_eq!(pool.step(Event::Opened(pool.id(1))), Response::Done);
    pool.idle_samples();
    assert_eq!(pool.opened(), [3, 4]);
}

#[test]
fn a_worker_that_took_another_job_meanwhile_does_not_wait() {
    let mut pool = Pool::new(4, 1, u64::MAX);
    pool.submit(100);
    pool.next(1);
    for _ in 0..10 {
        pool.sample(2 * MS, 0, 0);
        pool.finish(1);
        pool.next(1);
    }
    assert_eq!(pool.state.workers(), 1);
}

#[test]
fn a_worker_that_computes_again_does_not_wait_any_more() {
    let mut pool = Pool::new(4, 1, u64::MAX);
    pool.submit(2);
    pool.next(1);
    pool.idle_samples();
    assert_eq!(pool.state.tally.blocked, 1);
    pool.sample(2 * MS, MS, MS);
    assert_eq!(pool.state.tally.blocked, 0);
}

#[test]
fn late_samples_are_discarded() {
    let mut pool = Pool::new(4, 1, u64::MAX);
    pool.submit(100);
    pool.next(1);
    (0..10).for_each(|_| pool.sample(4 * MS + 1, 0, 0));
    assert_eq!(pool.state.workers(), 1);
}

#[test]
fn samples_of_a_process_that_uses_its_cores_are_discarded() {
    let mut pool = Pool::new(4, 2, u64::MAX);
    pool.submit(100);
    pool.next(1);
    pool.next(2);
    (0..10).for_each(|_| pool.sample(2 * MS, 0, 4 * MS * 80 / 100));
    assert_eq!(pool.state.workers(), 2);
    (0..10).for_each(|_| pool.sample(2 * MS, 0, 4 * MS * 79 / 100));
    assert_eq!(pool.state.workers(), 4);
}

#[test]
fn samples_are_due_only_while_jobs_wait_that_another_worker_could_take() {
    let mut pool = Pool::new(2, 1, u64::MAX);
    assert_eq!(pool.state.next_sample(), None);
    pool.submit(3);
    assert!(pool.state.next_sample().is_some());
    pool.next(1);
    pool.idle_samples();
    assert_eq!(pool.state.next_sample(), None, "the last worker allowed is opening");
}

#[test]
fn a_reading_that_takes_long_makes_no_sample_late() {
    let mut pool = Pool::new(2, 1, u64::MAX);
    pool.submit(3);
    pool.next(1);
    // As a thousand workers' clocks take.
    for _ in 0..3 {
        pool.slow_sample(15 * MS, 3 * MS);
        assert_eq!(pool.state.workers() < 2, pool.state.next_sample().is_some());
    }
    assert_eq!(pool.state.workers(), 2);
    // The samples that follow are further apart, so that they take a fifth of a processor at most.
    let mut pool = Pool::new(2, 1, u64::MAX);
    pool.submit(3);
    pool.next(1);
    pool.slow_sample(15 * MS, 3 * MS);
    assert_eq!(pool.state.next_sample(), Some(pool.now.plus_nanos(12 * MS)));
    // Without such readings they come late.
    for _ in 0..3 {
        pool.slow_sample(15 * MS, 0);
    }
    assert_eq!(pool.state.workers(), 1);
}

#[test]
fn one_worker_is_woken_for_one_job_and_the_last_to_sleep_first() {
    let mut pool = Pool::new(2, 2, u64::MAX);
    pool.submit(2);
    for number in [1, 2] {
        pool.next(number);
    }
    for number in [1, 2] {
        pool.finish(number);
        assert_eq!(pool.next(number), Response::Park);
    }
    pool.submit(1);
    assert_eq!(pool.actions, [Action::Wake(pool.id(2))]);
    pool.submit(1);
    assert_eq!(pool.actions, [Action::Wake(pool.id(1))]);
    pool.submit(1);
    assert_eq!(pool.actions, []);
}

#[test]
fn the_job_limit_counts_from_the_jobs_start() {
    let mut pool = Pool::new(1, 1, 100 * MS);
    pool.submit(2);
    pool.now = pool.now.plus_nanos(500 * MS);
    pool.next(1);
    assert_eq!(pool.state.next_tick(), pool.now.plus_nanos(100 * MS));
    pool.tick_after(100 * MS - 1);
    assert_eq!(pool.actions, []);
    pool.tick_after(1);
    assert_eq!(pool.actions, [Action::Stop(pool.id(1), 0)]);
}

#[test]
fn a_job_that_comes_back_within_its_grace_time_is_timed_out_and_its_worker_stays() {
    let mut pool = Pool::new(1, 1, 100 * MS);
    pool.submit(2);
    pool.next(1);
    pool.tick_after(100 * MS);
    pool.tick_after(GRACE - 1);
    assert_eq!(pool.finish(1), Response::Done);
    assert_eq!(pool.outcomes(), [(0, Outcome::TimedOut)]);
    assert_eq!(pool.next(1), Response::Take(1));
}

#[test]
fn a_job_past_its_limit_is_timed_out_though_nobody_looked_at_the_clock() {
    let mut pool = Pool::new(1, 1, 100 * MS);
    pool.submit(1);
    pool.next(1);
    pool.now = pool.now.plus_nanos(100 * MS);
    pool.finish(1);
    assert_eq!(pool.outcomes(), [(0, Outcome::TimedOut)]);
}

#[test]
fn a_worker_past_its_grace_time_is_given_up_and_replaced() {
    let mut pool = Pool::new(1, 1, 100 * MS);
    pool.submit(2);
    pool.next(1);
    pool.tick_after(100 * MS);
    pool.tick_after(GRACE);
    let duration = 100 * MS + GRACE;
    let (outcome, detail) = (Outcome::TimedOut, Detail::Abandoned);
    let result = JobResult { job: 0, outcome, worker: 1, duration, detail };
    assert!(pool.actions.contains(&Action::Complete(result)));
    assert_eq!(pool.opened(), [2]);
    assert_eq!((pool.state.workers(), pool.state.given_up(), pool.state.threads()), (1, 1, 2));
    assert_eq!(pool.next(2), Response::Take(1));
    assert_eq!(pool.finish(1), Response::Leave);
    assert_eq!(pool.outcomes(), []);
    assert_eq!(pool.next(1), Response::Leave);
}

/// Takes a job with worker `number` and never comes back: it is given up.
fn get_stuck(pool: &mut Pool, number: u32) {
    assert!(matches!(pool.next(number), Response::Take(_)));
    pool.tick_after(100 * MS);
    pool.tick_after(GRACE);
}

#[test]
fn workers_given_up_are_replaced_until_too_many_have_not_come_back() {
    let mut pool = Pool::new(1, 1, 100 * MS);
    pool.submit(6);
    get_stuck(&mut pool, 1);
    assert_eq!(pool.opened(), [2]);
    get_stuck(&mut pool, 2);
    assert_eq!(pool.opened(), [], "two have not come back");
    let detail = |action: &Action| match action {
        Action::Complete(result) => Some((result.job, result.outcome, result.detail)),
        _ => None,
    };
    let details: Vec<_> = pool.actions.iter().filter_map(detail).collect();
    let too_many = |job| (job, Outcome::Failed, Detail::TooManyAbandoned);
    let expected = [(1, Outcome::TimedOut, Detail::Abandoned), too_many(2), too_many(3)];
    assert_eq!(details, [&expected[..], &[too_many(4), too_many(5)]].concat());
    pool.submit(1);
    assert_eq!(pool.outcomes(), [(0, Outcome::Failed)], "nor is one opened for later jobs");
    assert_eq!(pool.state.next_sample(), None);
    pool.step(Event::Returned(pool.id(1)));
    pool.submit(1);
    assert_eq!(pool.opened(), [3], "one has come back");
    assert_eq!(pool.next(3), Response::Take(0));
}

#[test]
fn workers_that_are_left_go_on_where_no_other_is_replaced() {
    let mut pool = Pool::new(2, 2, 100 * MS);
    pool.submit(8);
    for number in [1, 2] {
        assert!(matches!(pool.next(number), Response::Take(_)));
    }
    pool.tick_after(100 * MS);
    pool.finish(2);
    pool.tick_after(GRACE);
    assert_eq!(pool.opened(), [3]);
    get_stuck(&mut pool, 3);
    assert_eq!((pool.opened(), pool.state.workers()), (vec![], 1));
    assert_eq!(pool.outcomes(), [(2, Outcome::TimedOut)]);
    assert_eq!(pool.next(2), Response::Take(3), "in its own time");
}

#[test]
fn the_first_worker_is_opened_once_and_again_only_where_it_could_not_be() {
    let mut pool = Pool::new(8, 2, u64::MAX);
    pool.step(Event::Start);
    assert_eq!(pool.opened(), []);
    pool.step(Event::NotOpened(pool.id(1)));
    pool.step(Event::Start);
    assert_eq!(pool.opened(), [2]);
    assert_eq!(pool.state.headroom(), 7);
    pool.step(Event::NotOpened(pool.id(2)));
    pool.step(Event::Cancel);
    pool.step(Event::Start);
    assert_eq!(pool.opened(), [], "nothing begins after a cancellation");
}

#[test]
fn cancel_stops_the_begun_and_never_begins_the_others_and_keeps_a_time_out() {
    let mut pool = Pool::new(2, 2, 100 * MS);
    pool.submit(4);
    pool.next(1);
    pool.now = pool.now.plus_nanos(50 * MS);
    pool.next(2);
    pool.tick_after(50 * MS);
    pool.step(Event::Cancel);
    let rest = [(2, Outcome::NotStarted), (3, Outcome::NotStarted)];
    assert_eq!(pool.outcomes(), rest);
    assert_eq!(pool.actions[2..], [Action::Stop(pool.id(2), 1)], "the first was asked before");
    assert_eq!(pool.state.room(), None);
    pool.finish(1);
    assert_eq!(pool.outcomes(), [(0, Outcome::TimedOut)]);
    pool.tick_after(GRACE);
    assert_eq!(pool.outcomes(), [(1, Outcome::Stopped)]);
}

#[test]
fn close_wakes_the_sleeping_and_waits_for_the_leaving_longer_than_for_the_stuck() {
    let mut pool = Pool::new(2, 2, u64::MAX);
    pool.submit(2);
    pool.next(1);
    pool.next(2);
    pool.finish(2);
    pool.next(2);
    pool.step(Event::Close);
    let expected = [Action::Stop(pool.id(1), 0), Action::Wake(pool.id(2))];
    assert_eq!(pool.actions, expected);
    assert_eq!(pool.next(2), Response::Leave);
    pool.tick_after(GRACE);
    assert_eq!(pool.outcomes(), [(0, Outcome::Stopped)]);
    assert_eq!((pool.state.workers(), pool.state.is_ended()), (1, false));
    pool.tick_after(LEAVE - GRACE - 1);
    assert!(!pool.state.is_ended());
    pool.tick_after(1);
    assert!(pool.state.is_ended());
    assert_eq!(pool.state.threads(), 2, "neither has come back");
}

#[test]
fn a_thread_that_begins_after_close_does_not_enter_its_callback() {
    let mut pool = Pool::new(1, 1, u64::MAX);
    pool.step(Event::Close);
    assert_eq!(pool.step(Event::Begin(pool.id(1))), Response::Leave);
}

#[test]
fn a_callback_that_returns_with_its_job_fails_it_and_is_replaced() {
    let mut pool = Pool::new(1, 1, u64::MAX);
    pool.submit(2);
    pool.next(1);
    pool.step(Event::Returned(pool.id(1)));
    assert_eq!(pool.outcomes(), [(0, Outcome::Failed)]);
    assert_eq!(pool.opened(), [2]);
    assert_eq!(pool.next(2), Response::Take(1));
}

#[test]
fn the_id_of_a_worker_that_returned_does_nothing_to_the_next_one_in_its_slot() {
    let mut pool = Pool::new(2, 1, u64::MAX);
    let old = pool.id(1);
    pool.submit(1);
    pool.step(Event::Returned(old));
    assert_eq!(pool.id(2).slot, old.slot);
    let before = pool.state.clone();
    assert_eq!(pool.step(Event::Next(old)), Response::Leave);
    assert_eq!(pool.step(Event::Finish(old, Outcome::Completed)), Response::Leave);
    pool.step(Event::Returned(old));
    assert_eq!(pool.state, before);
}

#[test]
fn callbacks_that_return_without_ever_taking_a_job_end_the_waiting_jobs() {
    let mut pool = Pool::new(2, 1, u64::MAX);
    pool.submit(1);
    pool.step(Event::Returned(pool.id(1)));
    assert_eq!(pool.opened(), [2]);
    pool.step(Event::Returned(pool.id(2)));
    assert_eq!(pool.opened(), []);
    assert_eq!(pool.outcomes(), [(0, Outcome::Failed)]);
    pool.submit(1);
    assert_eq!(pool.outcomes(), [(0, Outcome::Failed)], "nor is there hope for later ones");
}

#[test]
fn a_thread_that_cannot_be_made_means_fewer_workers() {
    let mut pool = Pool::new(8, 2, u64::MAX);
    pool.submit(10);
    pool.next(1);
    pool.step(Event::NotOpened(pool.id(2)));
    assert_eq!(pool.actions, []);
    pool.idle_samples();
    assert_eq!(pool.state.workers(), 1);
    pool.finish(1);
    pool.step(Event::Returned(pool.id(1)));
    assert_eq!(pool.opened(), [3], "as many as there were");
}

#[test]
fn waiting_jobs_fail_where_no_thread_can_be_made_at_all() {
    let mut pool = Pool::new(8, 1, u64::MAX);
    pool.submit(2);
    pool.step(Event::NotOpened(pool.id(1)));
    assert_eq!(pool.outcomes(), [(0, Outcome::Failed), (1, Outcome::Failed)]);
}

#[test]
fn what_may_be_submitted_is_bounded() {
    let mut pool = Pool::new(1, 1, u64::MAX);
    assert_eq!(pool.state.room(), Some(WAITING_LIMIT));
    pool.submit(5);
    assert_eq!(pool.state.room(), Some(WAITING_LIMIT - 5));
    pool.next(1);
    assert_eq!(pool.state.room(), Some(WAITING_LIMIT - 4));
}
