//! TCP connects.

use super::*;
use crate::sys::ConnectError;
use std::io::Read;
use std::net::TcpListener;

const ID: ProbeId = ProbeId(5);

fn listeners() -> impl Iterator<Item = (Address, TcpListener)> {
    ["127.0.0.1", "::1"].iter().filter_map(|host| match TcpListener::bind((*host, 0)) {
        Ok(listener) => Some((address(host), listener)),
        Err(error) => {
            println!("skipped: {host}: {error}");
            None
        }
    })
}

#[test]
fn an_open_port_is_connected_and_reset() {
    for (host, listener) in listeners() {
        let port = listener.local_addr().unwrap().port();
        let mut network = Network::new().unwrap();
        let begin = Time::now();
        network.connect(ID, host, port).unwrap();
        match wait_for(&mut network, 1)[0] {
            Event::Connected { id: ID, at, .. } => assert!(at >= begin && at <= Time::now()),
            other => panic!("{other:?}"),
        }
        // Which call tells the reset, and by which number, differs; an ordinary end would be Ok(0).
        let read = listener.accept().and_then(|(mut stream, _)| stream.read(&mut [0; 1]));
        assert!(read.is_err());
    }
}

#[test]
fn a_closed_port_is_refused() {
    for (host, listener) in listeners() {
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut network = Network::new().unwrap();
        network.connect(ID, host, port).unwrap();
        match wait_for(&mut network, 1)[0] {
            Event::ConnectFailed { id: ID, error: ConnectError::Refused, .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn many_connects_at_once_are_all_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut network = Network::new().unwrap();
    // As many as the listener's queue holds.
    for id in 0..100 {
        network.connect(ProbeId(id), address("127.0.0.1"), port).unwrap();
    }
    let events = wait_for(&mut network, 100);
    assert!(events.iter().all(|event| matches!(event, Event::Connected { .. })));
}

#[test]
fn a_cancelled_connect_tells_nothing_and_gives_its_memory_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut network = Network::new().unwrap();
    for id in 0..20 {
        network.connect(ProbeId(id), address("127.0.0.1"), port).unwrap();
        network.cancel_connect(ProbeId(id));
    }
    assert!(wait_out(&mut network, 200 * MILLISECOND).is_empty());
    assert!(network.connects.is_idle());
}

#[test]
fn an_end_with_connects_under_way_is_quick() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut network = Network::new().unwrap();
    for id in 0..20 {
        network.connect(ProbeId(id), address("127.0.0.1"), port).unwrap();
    }
    let begin = Time::now();
    drop(network);
    assert!(Time::now().nanos_since(begin) < 500 * MILLISECOND);
}
