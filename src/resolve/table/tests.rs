//! Questions, threads and deadlines, driven by hand and at random.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const LIMITS: Limits = Limits {
    lookup: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    threads: 4,
    address_threads: 3,
    abandoned: 4,
};

fn address(number: u8) -> Question {
    Question::Address(Address::v4([127, 0, 0, number]))
}

fn name(name: &str) -> Question {
    Question::Name { name: name.into(), family: None, canonical: false }
}

fn no_reply() -> Callback {
    Box::new(|_| ())
}

/// Starts every thread wanted; each takes a question at once.
fn start_all(table: &mut Table, now: Instant) -> Vec<Serial> {
    std::iter::from_fn(|| {
        table.wants_thread()?;
        table.take(now).map(|(serial, _)| serial)
    })
    .collect()
}

#[test]
fn equal_questions_are_taken_once_and_others_apart() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    let four = Question::Name { name: "a".into(), family: Some(Family::V4), canonical: false };
    let canonical = Question::Name { name: "a".into(), family: None, canonical: true };
    for question in [name("a"), name("a"), four, canonical, name("a")] {
        table.ask(question, no_reply(), now);
    }
    let taken = start_all(&mut table, now);
    let replies: Vec<_> = taken.iter().map(|serial| table.finish(*serial).0.len()).collect();
    assert_eq!(replies, [3, 1, 1]);
}

#[test]
fn threads_grow_with_the_names_up_to_their_limit() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    assert_eq!(table.wants_thread(), None);
    for index in 0..10 {
        table.ask(name(&index.to_string()), no_reply(), now);
    }
    let ahead: Vec<_> = std::iter::from_fn(|| table.wants_thread()).collect();
    assert_eq!(ahead, [1, 1, 2, 3]);
}

#[test]
fn an_idle_thread_is_used_before_another_is_started() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    table.ask(name("a"), no_reply(), now);
    let first = start_all(&mut table, now)[0];
    assert!(table.finish(first).1);
    table.ask(name("b"), no_reply(), now);
    assert_eq!(table.wants_thread(), None);
    assert!(table.take(now).is_some());
}

#[test]
fn a_lookup_ends_at_its_deadline_and_its_thread_is_replaced() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    for index in 0..5 {
        table.ask(name(&index.to_string()), no_reply(), now);
    }
    assert_eq!(start_all(&mut table, now).len(), 4);
    let deadline = now + LIMITS.lookup;
    assert_eq!(table.next_deadline(), Some(deadline));
    assert!(table.expire(deadline - Duration::from_nanos(1)).is_empty());
    assert_eq!(table.expire(deadline).len(), 4);
    // One name is left, and one thread is enough for it.
    assert_eq!(table.wants_thread(), Some(1));
    assert_eq!(table.wants_thread(), None);
}

#[test]
fn waiting_names_end_at_their_own_deadlines_once_a_thread_is_not_replaced() {
    let mut table = Table::new(LIMITS);
    let mut now = Instant::now();
    // Four threads are lost and replaced, and then lost again.
    for index in 0..8 {
        table.ask(name(&index.to_string()), no_reply(), now);
    }
    let mut started = 0;
    while table.has_open() {
        started += start_all(&mut table, now).len();
        now += LIMITS.lookup;
        let _ = table.expire(now);
    }
    assert_eq!(started, 8);
    table.ask(name("late"), no_reply(), now);
    assert_eq!(table.wants_thread(), None, "more than the limit are abandoned");
    assert_eq!(table.next_deadline(), Some(now + LIMITS.lookup));
    assert_eq!(table.expire(now + LIMITS.lookup).len(), 1);
    assert!(!table.has_open());
}

#[test]
fn waiting_names_have_no_deadline_while_lost_threads_are_replaced() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    for index in 0..8 {
        table.ask(name(&index.to_string()), no_reply(), now);
    }
    let taken = start_all(&mut table, now);
    for serial in &taken[1..] {
        let _ = table.finish(*serial);
        assert!(table.take(now + LIMITS.lookup / 2).is_some());
    }
    assert_eq!(table.expire(now + LIMITS.lookup).len(), 1);
    assert!(table.has_waiting());
}

#[test]
fn a_late_thread_goes_on_where_names_wait_and_else_ends() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    for index in 0..8 {
        table.ask(name(&index.to_string()), no_reply(), now);
    }
    let lost = start_all(&mut table, now);
    let mut later = now + LIMITS.lookup;
    let _ = table.expire(later);
    assert_eq!(start_all(&mut table, later).len(), 4);
    later += LIMITS.lookup;
    let _ = table.expire(later);

    table.ask(name("more"), no_reply(), later);
    assert_eq!(table.wants_thread(), None);
    let (replies, goes_on) = table.finish(lost[0]);
    assert!(replies.is_empty(), "the late answer reached someone");
    assert!(goes_on);
    assert!(table.take(later).is_some());
    assert!(!table.finish(lost[1]).1);
}

#[test]
fn names_go_before_addresses_and_always_find_a_thread() {
    let mut table = Table::new(LIMITS);
    let mut now = Instant::now();
    for number in 0..20 {
        table.ask(address(number), no_reply(), now);
    }
    assert_eq!(start_all(&mut table, now).len(), LIMITS.address_threads);
    table.ask(name("a"), no_reply(), now);
    table.ask(name("b"), no_reply(), now);
    assert_eq!(table.wants_thread(), Some(3));
    let taken = table.take(now).expect("a name waits");
    assert_eq!(taken.1, name("a"));
    // Its thread goes on with the other name, not with an address.
    assert!(table.finish(taken.0).1);
    let taken = table.take(now).expect("a name waits");
    assert_eq!(taken.1, name("b"));
    assert!(table.finish(taken.0).1);
    assert!(table.take(now).is_none(), "addresses have all the threads that they may");
    table.leave();
    // However many threads are lost to silent servers of addresses: names find one.
    while table.has_open() {
        now += LIMITS.lookup;
        let _ = table.expire(now);
        start_all(&mut table, now);
    }
    table.ask(name("c"), no_reply(), now);
    assert!(table.wants_thread().is_some());
}

#[test]
fn names_fail_only_when_not_one_thread_can_be_had() {
    let mut table = Table::new(LIMITS);
    let now = Instant::now();
    table.ask(name("a"), no_reply(), now);
    assert_eq!(start_all(&mut table, now).len(), 1);
    table.ask(name("b"), no_reply(), now);
    assert!(table.wants_thread().is_some());
    assert!(table.thread_failed().is_empty());
    let _ = table.expire(now + LIMITS.lookup);
    assert!(table.wants_thread().is_some());
    assert_eq!(table.thread_failed().len(), 1);
    assert!(!table.has_open());
}

proptest! {
    #[test]
    fn every_question_asked_has_exactly_one_reply(
        steps in proptest::collection::vec((0u8..7, any::<u8>()), 1..300)
    ) {
        let mut table = Table::new(LIMITS);
        let mut now = Instant::now();
        let replied = Arc::new(AtomicUsize::new(0));
        let mut asked = 0;
        let mut out: Vec<Serial> = Vec::new();
        let answer = |replies: Vec<Callback>| {
            replies.into_iter().for_each(|reply| reply(Arc::new(Answer::Failed(0))));
        };
        for (step, number) in steps {
            match step {
                0 | 1 => {
                    let replied = Arc::clone(&replied);
                    let reply = Box::new(move |_| {
                        replied.fetch_add(1, Ordering::Relaxed);
                    });
                    let question = match number % 2 {
                        0 => name(&(number % 32).to_string()),
                        _ => address(number % 32),
                    };
                    table.ask(question, reply, now);
                    asked += 1;
                }
                2 => out.extend(start_all(&mut table, now)),
                3 if !out.is_empty() => {
                    let serial = out.swap_remove(usize::from(number) % out.len());
                    let (replies, goes_on) = table.finish(serial);
                    answer(replies);
                    if goes_on {
                        match table.take(now) {
                            Some((serial, _)) => out.push(serial),
                            None => table.leave(),
                        }
                    }
                }
                4 => now += Duration::from_millis(u64::from(number) * 20),
                5 => answer(table.expire(now)),
                6 if table.wants_thread().is_some() => answer(table.thread_failed()),
                _ => (),
            }
            prop_assert!(out.len() <= LIMITS.threads + LIMITS.abandoned);
        }
        // Every thread that is out stays out: time alone ends the rest.
        while table.has_open() {
            start_all(&mut table, now);
            now = table.next_deadline().expect("an open lookup that nothing will end");
            answer(table.expire(now));
        }
        prop_assert_eq!(replied.load(Ordering::Relaxed), asked);
    }
}
