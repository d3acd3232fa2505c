//! TCP connects.

use super::namespace::{add_dead_link, in_namespace, ip, set};
use super::*;
use crate::outcome::Outcome;
use crate::sys::linux::socket::{local_name, open_socket, SocketAddress};
use crate::sys::{ConnectError, RoundTrip};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::io::{AsRawFd, OwnedFd};

const ID: ProbeId = ProbeId(5);

/// The end of a connect, wherever it is told.
fn connect(network: &mut Network, to: Address, port: u16) -> Result<(), ConnectError> {
    network.connect(ID, to, port)?;
    match wait_for(network, 1)[0] {
        Event::Connected { id: ID, .. } => Ok(()),
        Event::ConnectFailed { id: ID, error, .. } => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_port_is_connected_and_reset() {
    for host in ["127.0.0.1", "::1"] {
        let listener = match TcpListener::bind((host, 0)) {
            Ok(listener) => listener,
            Err(error) => {
                println!("skipped: {host}: {error}");
                continue;
            }
        };
        let port = listener.local_addr().unwrap().port();
        let mut network = Network::new().unwrap();
        let begin = Time::now();
        network.connect(ID, address(host), port).unwrap();
        match wait_for(&mut network, 1)[0] {
            Event::Connected { id: ID, at, round_trip: RoundTrip::Measured(nanos) } => {
                assert!(at >= begin && at <= Time::now());
                assert!(nanos <= at.nanos_since(begin));
            }
            other => panic!("{other:?}"),
        }
        let (mut stream, _) = listener.accept().unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

/// A port of 127.0.0.1 that is taken, so that nobody else can open it, but where nobody listens.
pub(super) fn closed_port() -> (OwnedFd, u16) {
    let socket = open_socket(Family::V4, libc::SOCK_STREAM, 0).unwrap();
    let name = SocketAddress::new(&address("127.0.0.1"), 0);
    let (pointer, length) = (&name as *const SocketAddress, SocketAddress::length(Family::V4));
    // SAFETY: readable for the length given.
    assert_eq!(unsafe { libc::bind(socket.as_raw_fd(), pointer.cast(), length) }, 0);
    let (_, port) = local_name(&socket).unwrap();
    (socket, port)
}

#[test]
fn a_closed_port_is_refused() {
    let (_taken, port) = closed_port();
    let mut network = Network::new().unwrap();
    assert_eq!(connect(&mut network, address("127.0.0.1"), port), Err(ConnectError::Refused));
}

#[test]
fn a_connect_that_meets_itself_is_refused() {
    in_namespace(|| {
        // The only local port there is: a connect to it is a connect from it.
        set("ipv4/ip_local_port_range", "40000 40000");
        let mut network = Network::new().unwrap();
        for host in ["127.0.0.1", "::1"] {
            assert_eq!(connect(&mut network, address(host), 40_000), Err(ConnectError::Refused));
        }
    });
}

#[test]
fn without_a_local_port_a_connect_is_not_started() {
    in_namespace(|| {
        set("ipv4/ip_local_port_range", "40000 40000");
        let _listener = TcpListener::bind("127.0.0.1:80").unwrap();
        let _holds_the_only_port = TcpStream::connect("127.0.0.1:80").unwrap();
        let mut network = Network::new().unwrap();
        let result = network.connect(ID, address("127.0.0.1"), 80);
        let os_error = libc::EADDRNOTAVAIL;
        assert_eq!(result, Err(ConnectError::NotStarted { os_error }));
    });
}

#[test]
fn without_an_address_of_the_family_a_connect_fails() {
    in_namespace(|| {
        set("ipv6/conf/all/disable_ipv6", "1");
        let mut network = Network::new().unwrap();
        let outcome = Outcome::DestinationNetworkUnreachable;
        for host in ["::1", "fd77::1"] {
            match network.connect(ID, address(host), 80) {
                Err(ConnectError::Failed { outcome: told, .. }) => assert_eq!(told, outcome),
                other => panic!("{host}: {other:?}"),
            }
        }
        // So it is for echo requests.
        let results = send_all(&mut network, &[address("::1")]);
        match results[..] {
            [SendResult::Failed { outcome: told, .. }] => assert_eq!(told, outcome),
            _ => panic!("{results:?}"),
        }
    });
}

#[test]
fn without_a_descriptor_a_connect_is_not_started() {
    let mut network = Network::new().unwrap();
    let result = without_descriptors(|| network.connect(ID, address("127.0.0.1"), 9));
    assert!(matches!(result, Err(ConnectError::NotStarted { .. })), "{result:?}");
}

#[test]
fn routes_and_dead_neighbours_fail_a_connect_with_their_state() {
    in_namespace(|| {
        add_dead_link();
        ip("route add blackhole 10.78.0.1");
        ip("route add unreachable 10.78.0.2");
        ip("route add prohibit 10.78.0.3");
        let mut network = Network::new().unwrap();
        let failed = |outcome, os_error| Err(ConnectError::Failed { outcome, os_error });
        for (host, expected) in [
            ("10.78.0.1", failed(Outcome::DestinationUnreachable, libc::EINVAL)),
            ("10.78.0.2", failed(Outcome::DestinationHostUnreachable, libc::EHOSTUNREACH)),
            ("10.78.0.3", failed(Outcome::DestinationProhibited, libc::EACCES)),
            ("10.79.0.1", failed(Outcome::DestinationNetworkUnreachable, libc::ENETUNREACH)),
            ("10.77.9.9", failed(Outcome::DestinationHostUnreachable, libc::EHOSTUNREACH)),
        ] {
            assert_eq!(connect(&mut network, address(host), 80), expected, "{host}");
        }
    });
}

#[test]
fn a_cancelled_connect_tells_nothing() {
    in_namespace(|| {
        add_dead_link();
        let mut network = Network::new().unwrap();
        network.connect(ID, address("10.77.9.9"), 80).unwrap();
        network.cancel_connect(ID);
        // Long enough for the neighbour to have failed.
        assert!(wait_out(&mut network, 200 * MILLISECOND).is_empty());
    });
}

#[test]
fn many_connects_at_once_are_all_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut network = Network::new().unwrap();
    let hosts = 100;
    for host in 0..hosts {
        network.connect(ProbeId(host), Address::v4([127, 0, 6, host as u8]), port).unwrap();
    }
    let events = wait_for(&mut network, hosts as usize);
    // The listener is on 127.0.0.1 alone.
    assert!(events
        .iter()
        .all(|event| matches!(event, Event::ConnectFailed { error: ConnectError::Refused, .. })));
}
