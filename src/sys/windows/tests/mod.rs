//! What this backend does on loopback: the answers that the unix backends give, too.

mod apartment;
mod connect;
mod contracts;
mod echo;
mod play;
mod replies;
mod syns;
mod wait;

use super::*;
use crate::clock::MILLISECOND;

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
        transmissions: 1,
        stamped: false,
        size: 32,
        hops: 0,
        lifetime_ms: 1000,
    }
}

/// With a handle for echo requests; prints why there is none.
fn network(family: Family) -> Option<Network> {
    let mut network = Network::new().unwrap();
    match network.ensure_echo(family) {
        Ok(()) => Some(network),
        Err(error) => {
            println!("skipped: no echo requests of family {family:?} here: {error:?}");
            None
        }
    }
}

/// Events until there are `count`; panics after five seconds.
fn wait_for(network: &mut Network, count: usize) -> Vec<Event> {
    let limit = Time::now().plus_nanos(5_000 * MILLISECOND);
    let mut events = Vec::new();
    while events.len() < count {
        assert!(Time::now() < limit, "{} of {count} events: {events:?}", events.len());
        network.wait(limit, &mut events);
    }
    events
}

/// Events until nothing has come for `nanos`.
fn wait_out(network: &mut Network, nanos: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let limit = Time::now().plus_nanos(nanos);
    while Time::now() < limit {
        network.wait(limit, &mut events);
    }
    events
}

/// Opens one probe for each host and sends it a request.
fn send_all(network: &mut Network, hosts: &[Address]) -> Vec<SendResult> {
    let batch: Vec<EchoRequest> =
        hosts.iter().enumerate().map(|(id, host)| request(id as u64, *host)).collect();
    for request in &batch {
        assert!(network.open_echo(request.id, request.to, 1));
    }
    let mut results = Vec::new();
    network.send_echoes(&batch, &mut results);
    plain(&results)
}
