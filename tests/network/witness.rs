//! A witness of what passes an interface: the kernel's own times of each request that leaves and of
//! each answer that comes in, taken by a packet socket beside the engine. It sees ICMP echoes and
//! the first two packets of TCP connections. Its packets come in blocks of memory that the kernel
//! shares (packet(7), PACKET_RX_RING, version 3), and are only noted while it watches: a system call
//! and a look into a table for each would take the engine's time.

use crate::lab::{go_first, Namespace};
use crate::packets::{word, Ip, ICMP, ICMPV6, TCP};
use std::collections::HashMap;
use std::mem::{size_of, zeroed};
use std::net::IpAddr;
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Nanoseconds on the wall clock.
pub type Stamp = i64;

/// What a packet is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    Echo,
    Tcp,
}

/// The other host, and what tells its requests apart: identifier and sequence, or our port.
pub type Key = (Protocol, IpAddr, u32);

/// A request that left, or (false) an answer to it.
type Note = (bool, Key, Stamp);

/// Watches until it is asked.
pub struct Witness {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<Vec<Note>>,
}

/// What passed the interface.
#[derive(Default)]
pub struct Seen {
    /// When each request left.
    pub requests: HashMap<Key, Stamp>,
    /// When the last request to a host left.
    pub last: HashMap<(Protocol, IpAddr), Stamp>,
    /// Of each host, the round trips in nanoseconds.
    pub trips: HashMap<(Protocol, IpAddr), Vec<i64>>,
}

impl Witness {
    /// Watches an interface of `namespace` from now on.
    pub fn watch(namespace: &Namespace, device: &str) -> Witness {
        let mut ring = namespace.enter(|| Ring::open(device));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watching = std::thread::spawn(move || {
            go_first(1);
            let mut notes = Vec::new();
            loop {
                // Read before the last look, so that nothing is left behind it.
                let last = stopped.load(Ordering::SeqCst);
                // So long may a packet lie in a block that is not full.
                std::thread::sleep(if last { RETIRED * 10 } else { RETIRED });
                while ring.read_block(&mut notes) {}
                if last {
                    assert_eq!(ring.lost(), 0, "the witness missed packets");
                    return notes;
                }
            }
        });
        Witness { stop, watching }
    }

    /// Everything.
    pub fn seen(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen = Seen::default();
        for (is_request, key, stamp) in self.watching.join().expect("its own panic is above") {
            let (protocol, host, _) = key;
            if is_request {
                // The system repeats a SYN by itself.
                let first = *seen.requests.entry(key).or_insert(stamp);
                seen.last.insert((protocol, host), first);
            } else if let Some(sent) = seen.requests.get(&key) {
                seen.trips.entry((protocol, host)).or_default().push(stamp - sent);
            }
        }
        seen
    }
}

const ETH_P_ALL: u16 = 3;
const PACKET_HOST: u8 = 0;
const PACKET_OUTGOING: u8 = 4;
// <linux/if_packet.h>
const PACKET_RX_RING: c_int = 5;
const PACKET_STATISTICS: c_int = 6;
const PACKET_VERSION: c_int = 10;
const TPACKET_V3: c_int = 2;

/// Of each packet; nothing that is looked at lies behind it.
const SNAP: u32 = 128;
const BLOCK: usize = 1 << 20;
const BLOCKS: usize = 64;
/// After this time the kernel hands over a block that is not full.
const RETIRED: Duration = Duration::from_millis(5);

/// The socket and the memory that is the kernel's and ours by turns, block by block.
struct Ring {
    socket: OwnedFd,
    memory: *mut u8,
    block: usize,
}

// SAFETY: the memory is mapped for the whole process, and one thread has the ring.
unsafe impl Send for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: as it was mapped; nobody has a reference into it.
        unsafe { libc::munmap(self.memory.cast(), BLOCK * BLOCKS) };
    }
}

fn set<T>(socket: &OwnedFd, level: c_int, option: c_int, value: &T) {
    let length = size_of::<T>() as libc::socklen_t;
    let value = (value as *const T).cast();
    // SAFETY: readable for the length given.
    let set = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, length) };
    assert_eq!(set, 0, "option {}: {}", option, std::io::Error::last_os_error());
}

impl Ring {
    fn open(device: &str) -> Ring {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        // No packets before it is bound.
        // SAFETY: no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        assert!(fd >= 0, "packet socket: {}", std::io::Error::last_os_error());
        // SAFETY: a new descriptor that nobody else owns.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // Without it packets that go out have no stamp before they come here.
        set(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1i32);
        let mut all = libc::sock_filter { code: 6, jt: 0, jf: 0, k: SNAP }; // return SNAP
        let filter = libc::sock_fprog { len: 1, filter: &mut all };
        set(&socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter);
        set(&socket, libc::SOL_PACKET, PACKET_VERSION, &TPACKET_V3);
        // tpacket_req3: sizes and numbers of blocks and frames, milliseconds, and nothing else.
        let (block, blocks, frame) = (BLOCK as u32, BLOCKS as u32, 2048);
        let (frames, retired) = (block / frame * blocks, RETIRED.as_millis() as u32);
        let request = [block, blocks, frame, frames, retired, 0, 0];
        set(&socket, libc::SOL_PACKET, PACKET_RX_RING, &request);
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: new memory, wherever there is room.
        let memory = unsafe {
            libc::mmap(std::ptr::null_mut(), BLOCK * BLOCKS, access, flags, socket.as_raw_fd(), 0)
        };
        assert_ne!(memory, libc::MAP_FAILED, "mmap: {}", std::io::Error::last_os_error());
        let ring = Ring { socket, memory: memory.cast(), block: 0 };
        let name = std::ffi::CString::new(device).expect("no NUL in a device's name");
        // SAFETY: integers only.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ETH_P_ALL.to_be();
        // SAFETY: a NUL-terminated name.
        address.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) } as c_int;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        let address = (&address as *const libc::sockaddr_ll).cast();
        // SAFETY: readable for the length given.
        let bound = unsafe { libc::bind(ring.socket.as_raw_fd(), address, length) };
        assert_eq!(bound, 0, "bind to {}: {}", device, std::io::Error::last_os_error());
        ring
    }

    /// Notes what is in the next block; `false` where that is not full and not old enough.
    fn read_block(&mut self, notes: &mut Vec<Note>) -> bool {
        // SAFETY: the block lies in the ring.
        let block = unsafe { self.memory.add(self.block * BLOCK) };
        // SAFETY: tpacket_block_desc has its state at 8, aligned; only the kernel writes beside us.
        let state = unsafe { &*block.add(8).cast::<AtomicU32>() };
        if state.load(Ordering::Acquire) & 1 == 0 {
            return false;
        }
        // SAFETY: the block is ours until its state is 0, and nobody writes to it until then.
        let bytes = unsafe { std::slice::from_raw_parts(block, BLOCK) };
        let number = |at: usize| {
            u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let packets = number(12);
        let mut at = number(16) as usize;
        for _ in 0..packets {
            // tpacket3_hdr: distance to the next, seconds, nanoseconds, length here, ..., begin of
            // the packet; behind it, at 48, a sockaddr_ll.
            let stamp = i64::from(number(at + 4)) * 1_000_000_000 + i64::from(number(at + 8));
            let length = number(at + 12) as usize;
            let begin = at + usize::from(u16::from_ne_bytes([bytes[at + 26], bytes[at + 27]]));
            let direction = bytes[at + 48 + 10];
            let note = classify(&bytes[begin..begin + length], direction);
            notes.extend(note.map(|(is_request, key)| (is_request, key, stamp)));
            at += number(at) as usize;
        }
        state.store(0, Ordering::Release);
        self.block = (self.block + 1) % BLOCKS;
        true
    }

    /// Packets that found no room.
    fn lost(&self) -> u32 {
        let mut counts = [0u32; 3];
        let mut length = std::mem::size_of_val(&counts) as libc::socklen_t;
        let (fd, told) = (self.socket.as_raw_fd(), counts.as_mut_ptr().cast());
        // SAFETY: writable for the length given.
        let got =
            unsafe { libc::getsockopt(fd, libc::SOL_PACKET, PACKET_STATISTICS, told, &mut length) };
        assert_eq!(got, 0, "statistics: {}", std::io::Error::last_os_error());
        counts[1]
    }
}

fn classify(packet: &[u8], direction: u8) -> Option<(bool, Key)> {
    let Ip { source, destination, protocol, message } = Ip::parse(packet)?;
    let is_request = match direction {
        PACKET_OUTGOING => true,
        PACKET_HOST => false,
        _ => return None,
    };
    let host = if is_request { destination } else { source };
    let first = *message.get(..8)?.first()?;
    let echo = u32::from(word(message, 4)) << 16 | u32::from(word(message, 6));
    let (protocol, number) = match (protocol, is_request) {
        (ICMP, true) if first == 8 => (Protocol::Echo, echo),
        (ICMP, false) if first == 0 => (Protocol::Echo, echo),
        (ICMPV6, true) if first == 128 => (Protocol::Echo, echo),
        (ICMPV6, false) if first == 129 => (Protocol::Echo, echo),
        // A SYN alone; an answer to it with SYN or RST.
        (TCP, true) if *message.get(13)? == 2 => (Protocol::Tcp, word(message, 0).into()),
        (TCP, false) if matches!(message.get(13)?, 18 | 20) => {
            (Protocol::Tcp, word(message, 2).into())
        }
        _ => return None,
    };
    Some((is_request, (protocol, host, number)))
}
