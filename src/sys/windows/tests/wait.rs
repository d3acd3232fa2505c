//! Sleep, deadlines and wake-ups.

use super::*;
use crate::clock::SECOND;

#[test]
fn a_wait_ends_at_its_deadline() {
    let mut network = Network::new().unwrap();
    let begin = Time::now();
    let deadline = begin.plus_nanos(30 * MILLISECOND);
    let mut events = Vec::new();
    network.wait(deadline, &mut events);
    assert!(events.is_empty());
    let late = Time::now().nanos_since(deadline);
    // The system's clock ticks every 16 ms; the rest is for a busy machine.
    assert!(Time::now() >= deadline && late < 500 * MILLISECOND, "{late} ns late");
}

#[test]
fn a_wake_up_ends_the_present_wait_from_another_thread() {
    let mut network = Network::new().unwrap();
    let waker = network.waker();
    let thread = std::thread::spawn(move || waker.wake());
    network.wait(Time::now().plus_nanos(20 * SECOND), &mut Vec::new());
    thread.join().unwrap();
}

#[test]
fn a_wake_up_ends_the_next_wait_once_however_often_it_was_given() {
    let mut network = Network::new().unwrap();
    for _ in 0..1000 {
        network.waker().wake();
    }
    network.wait(Time::NEVER, &mut Vec::new());
    let begin = Time::now();
    network.wait(begin.plus_nanos(30 * MILLISECOND), &mut Vec::new());
    assert!(Time::now().nanos_since(begin) >= 30 * MILLISECOND, "the second wait sleeps");
}

#[test]
fn a_wake_up_after_the_end_of_the_network_does_nothing() {
    let waker = Network::new().unwrap().waker();
    waker.wake();
    waker.wake();
}
