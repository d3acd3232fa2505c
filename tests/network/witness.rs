//! A witness of what passes an interface: the kernel's own times of each request that leaves and of
//! each answer that comes in, taken by a packet socket beside the engine. It sees ICMP echoes and
//! the first two packets of TCP connections, of IPv4.

use crate::lab::Namespace;
use std::collections::HashMap;
use std::mem::{size_of, zeroed};
use std::net::Ipv4Addr;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

const ETH_P_ALL: u16 = 3;
const PACKET_HOST: u8 = 0;
const PACKET_OUTGOING: u8 = 4;
/// Nanoseconds on the wall clock.
type Stamp = i64;

/// The other host, and what tells its requests apart: identifier and sequence, or our port.
type Key = (Ipv4Addr, u32);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Answer,
}

/// Watches until it is asked.
pub struct Witness {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: HashMap<Key, Stamp>,
    /// Of each host, the round trips in nanoseconds.
    trips: HashMap<Ipv4Addr, Vec<i64>>,
}

impl Witness {
    /// Watches an interface of `namespace` from now on.
    pub fn watch(namespace: &Namespace, device: &str) -> Witness {
        let socket = namespace.enter(|| open(device));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watching = std::thread::spawn(move || {
            let mut seen = Seen::default();
            loop {
                // Read before the last look, so that nothing is left behind it.
                let last = stopped.load(Ordering::SeqCst);
                while let Some((way, key, stamp)) = read(&socket, !last) {
                    if let Some(way) = way {
                        seen.note(way, key, stamp);
                    }
                }
                if last {
                    return seen;
                }
            }
        });
        Witness { stop, watching }
    }

    /// The round trips of each host, in nanoseconds.
    pub fn round_trips(self) -> HashMap<Ipv4Addr, Vec<i64>> {
        self.stop.store(true, Ordering::SeqCst);
        self.watching.join().expect("it only watches").trips
    }
}

impl Seen {
    fn note(&mut self, way: Way, key: Key, stamp: Stamp) {
        match way {
            Way::Request => {
                self.requests.entry(key).or_insert(stamp);
            }
            Way::Answer => {
                if let Some(sent) = self.requests.get(&key) {
                    self.trips.entry(key.0).or_default().push(stamp - sent);
                }
            }
        }
    }
}

fn open(device: &str) -> OwnedFd {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, c_int::from(ETH_P_ALL.to_be())) };
    assert!(fd >= 0, "packet socket: {}", std::io::Error::last_os_error());
    // SAFETY: a new descriptor that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let patience = libc::timeval { tv_sec: 0, tv_usec: 20_000 };
    set(&socket, libc::SO_RCVBUFFORCE, &(64 << 20 as c_int));
    set(&socket, libc::SO_TIMESTAMPNS, &(1 as c_int));
    set(&socket, libc::SO_RCVTIMEO, &patience);
    let name = std::ffi::CString::new(device).expect("no NUL in a device's name");
    // SAFETY: integers only, and a NUL-terminated name.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ETH_P_ALL.to_be();
    // SAFETY: a NUL-terminated name.
    address.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) } as c_int;
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: readable for the length given.
    let bound = unsafe {
        libc::bind(socket.as_raw_fd(), (&address as *const libc::sockaddr_ll).cast(), length)
    };
    assert_eq!(bound, 0, "bind to {}: {}", device, std::io::Error::last_os_error());
    socket
}

fn set<T>(socket: &OwnedFd, option: c_int, value: &T) {
    let length = size_of::<T>() as libc::socklen_t;
    let value = (value as *const T).cast();
    // SAFETY: readable for the length given.
    let set =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, length) };
    assert_eq!(set, 0, "option {}: {}", option, std::io::Error::last_os_error());
}

/// The next packet, waited for a moment where that is wanted; without a way where it is none of
/// ours.
fn read(socket: &OwnedFd, wait: bool) -> Option<(Option<Way>, Key, Stamp)> {
    let mut packet = [0u8; 128];
    let mut control = [0u64; 16];
    // SAFETY: integers and raw pointers only.
    let (mut header, mut from): (libc::msghdr, libc::sockaddr_ll) = unsafe { (zeroed(), zeroed()) };
    let mut vector = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
    header.msg_name = (&mut from as *mut libc::sockaddr_ll).cast();
    header.msg_namelen = size_of::<libc::sockaddr_ll>() as c_uint;
    header.msg_iov = &mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = std::mem::size_of_val(&control) as _;
    let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: every pointer in the header is valid for the length beside it.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, flags) };
    let length = usize::try_from(length).ok()?.min(packet.len());
    // SAFETY: as the system has filled it; the only control message asked for is the stamp.
    let stamp = unsafe {
        let control = libc::CMSG_FIRSTHDR(&header);
        assert!(!control.is_null(), "a packet without a stamp");
        let time = libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned();
        time.tv_sec as i64 * 1_000_000_000 + time.tv_nsec as i64
    };
    let (way, key) = classify(&packet[..length], from.sll_pkttype);
    Some((way, key, stamp))
}

fn classify(packet: &[u8], direction: u8) -> (Option<Way>, Key) {
    let nothing = (None, (Ipv4Addr::UNSPECIFIED, 0));
    if packet.len() < 28 || packet[0] >> 4 != 4 {
        return nothing;
    }
    let address = |at: usize| Ipv4Addr::from([0, 1, 2, 3].map(|byte| packet[at + byte]));
    let message = &packet[usize::from(packet[0] & 15) * 4..];
    if message.len() < 8 {
        return nothing;
    }
    let word = |at: usize| u32::from(message[at]) << 8 | u32::from(message[at + 1]);
    let (way, number) = match (c_int::from(packet[9]), direction) {
        (libc::IPPROTO_ICMP, PACKET_OUTGOING) if message[0] == 8 => {
            (Way::Request, word(4) << 16 | word(6))
        }
        (libc::IPPROTO_ICMP, PACKET_HOST) if message[0] == 0 => {
            (Way::Answer, word(4) << 16 | word(6))
        }
        // A SYN alone; an answer to it with SYN or RST.
        (libc::IPPROTO_TCP, PACKET_OUTGOING) if message.len() > 13 && message[13] == 2 => {
            (Way::Request, word(0))
        }
        (libc::IPPROTO_TCP, PACKET_HOST)
            if message.len() > 13 && matches!(message[13], 18 | 20) =>
        {
            (Way::Answer, word(2))
        }
        _ => return nothing,
    };
    let host = if way == Way::Request { address(16) } else { address(12) };
    (Some(way), (host, number))
}
