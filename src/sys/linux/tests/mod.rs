//! The backend against the real system: loopback, and network namespaces that a test makes for
//! itself and that end with its thread. What the machine does not permit is skipped and said.

mod connect;
mod echo;
mod errors;
mod namespace;
mod neighbours;
mod sandbox;
mod second_sender;
mod timing;
mod wait;

use crate::address::{Address, Family};
use crate::clock::{Time, MILLISECOND, SECOND};
use crate::sys::{EchoRequest, Event, Network, OpenError, ProbeId, SendResult, BATCH};
use std::sync::Mutex;
use std::time::Duration;

/// A result without its time or its number; see `plain`.
const SENT: SendResult = SendResult::Sent { at: Time::from_nanos(0) };
const NOT_SENT: SendResult = SendResult::NotSent { os_error: 0 };

/// What became of a batch, without times and numbers.
fn plain(results: &[SendResult]) -> Vec<SendResult> {
    let plain = |result: &SendResult| match result {
        SendResult::Sent { .. } => SENT,
        SendResult::NotSent { .. } => NOT_SENT,
        other => *other,
    };
    results.iter().map(plain).collect()
}

fn address(text: &str) -> Address {
    Address::from_ip(text.parse().unwrap(), 0)
}

fn request(id: u64, to: Address) -> EchoRequest {
    EchoRequest {
        id: ProbeId(id),
        to,
        transmission: 0,
        transmissions: 4,
        stamped: false,
        size: 32,
        hops: 0,
        lifetime_ms: 1000,
    }
}

/// A network with its echo socket; `None`, said why, where that is not permitted.
fn network(family: Family) -> Option<Network> {
    let mut network = Network::new().unwrap();
    match network.ensure_echo(family) {
        Ok(()) => Some(network),
        Err(OpenError::NotPermitted) => {
            println!("skipped: neither raw nor datagram ICMP sockets are permitted here");
            None
        }
        Err(OpenError::Failed(error) | OpenError::NoResources(error)) => {
            println!("skipped: no echo socket of {family:?}: error {error}");
            None
        }
    }
}

/// As many hosts as a batch has, in 127.0.x.0/24 with the number given.
fn full_batch(number: u8) -> Vec<Address> {
    (0..BATCH).map(|host| Address::v4([127, 0, number, host as u8])).collect()
}

/// One request to each address; probe ids are places in `to`.
fn requests(to: &[Address]) -> Vec<EchoRequest> {
    to.iter().enumerate().map(|(id, to)| request(id as u64, *to)).collect()
}

/// Sends one request to each address; probe ids are places in `to`.
fn send_all(network: &mut Network, to: &[Address]) -> Vec<SendResult> {
    let batch = requests(to);
    let mut results = Vec::new();
    network.send_echoes(&batch, &mut results);
    assert_eq!(results.len(), batch.len());
    plain(&results)
}

/// Sends a batch, and again what was not sent: the neighbour table is shared by all namespaces of
/// the machine, and may be full of somebody else's.
fn send_patiently(network: &mut Network, batch: &[EchoRequest]) {
    let deadline = Time::now().plus_nanos(10 * SECOND);
    let mut results = Vec::new();
    for request in batch {
        loop {
            network.send_echoes(&[*request], &mut results);
            match plain(&results)[..] {
                [SENT] => break,
                [NOT_SENT] => assert!(Time::now() < deadline),
                _ => panic!("{results:?}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Waits until `enough` says so, at most for `limit` nanoseconds; all events seen.
fn wait_until(network: &mut Network, limit: u64, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let deadline = Time::now().plus_nanos(limit);
    let mut events = Vec::new();
    while !enough(&events) && Time::now() < deadline {
        network.wait(deadline, &mut events);
    }
    events
}

/// Waits for a number of events, at most a second.
fn wait_for(network: &mut Network, count: usize) -> Vec<Event> {
    let events = wait_until(network, SECOND, |events| events.len() >= count);
    assert_eq!(events.len(), count, "{events:?}");
    events
}

/// All that comes within `limit` nanoseconds.
fn wait_out(network: &mut Network, limit: u64) -> Vec<Event> {
    wait_until(network, limit, |_| false)
}

/// Runs `body` while no descriptor can be had. The limit is the whole process's; open descriptors
/// are not touched, and it is lifted at once.
fn without_descriptors<T>(body: impl FnOnce() -> T) -> T {
    // One at a time: a second would take the lowered limit for the old one.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = crate::sync::lock(&ALONE);
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writable, then readable.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut old);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: old.rlim_max };
        libc::setrlimit(libc::RLIMIT_NOFILE, &none);
    }
    let result = body();
    // SAFETY: readable.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &old) };
    result
}
