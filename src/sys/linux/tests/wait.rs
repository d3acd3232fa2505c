//! Sleeping, waking, and the end of sleep.

use super::*;
use std::time::{Duration, Instant};

/// Far beyond what any of these tests needs.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_wake_before_the_sleep_is_not_lost() {
    let mut network = Network::new().unwrap();
    network.waker().wake();
    let begin = Instant::now();
    network.wait(Time::now().plus(LIMIT), &mut Vec::new());
    assert!(begin.elapsed() < LIMIT);
}

#[test]
fn a_wake_from_another_thread_ends_a_sleep_without_deadline() {
    let mut network = Network::new().unwrap();
    let waker = network.waker();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        waker.wake();
    });
    network.wait(Time::NEVER, &mut Vec::new());
    thread.join().unwrap();
}

#[test]
fn many_wakes_end_one_sleep() {
    let mut network = Network::new().unwrap();
    for _ in 0..100_000 {
        network.waker().wake();
    }
    network.wait(Time::NEVER, &mut Vec::new());
    let deadline = Time::now().plus_nanos(5 * MILLISECOND);
    network.wait(deadline, &mut Vec::new());
    assert!(Time::now() >= deadline);
    network.waker().wake();
    network.wait(Time::NEVER, &mut Vec::new());
}

#[test]
fn a_waker_outlives_its_network() {
    let waker = Network::new().unwrap().waker();
    waker.wake();
}

#[test]
fn no_wake_is_lost_between_threads() {
    let mut network = Network::new().unwrap();
    let waker = network.waker();
    let (send, receive) = std::sync::mpsc::channel();
    let rounds = 20_000;
    let thread = std::thread::spawn(move || {
        for round in 0..rounds {
            send.send(round).unwrap();
            waker.wake();
        }
    });
    let mut seen = 0;
    while seen < rounds {
        let begin = Instant::now();
        network.wait(Time::now().plus(LIMIT), &mut Vec::new());
        assert!(begin.elapsed() < LIMIT, "a wake was lost after {seen}");
        seen += receive.try_iter().count();
    }
    thread.join().unwrap();
}

#[test]
fn a_deadline_in_the_past_does_not_sleep() {
    let mut network = Network::new().unwrap();
    let begin = Instant::now();
    for _ in 0..1_000 {
        network.wait(Time::from_nanos(0), &mut Vec::new());
    }
    assert!(begin.elapsed() < Duration::from_millis(500));
}
