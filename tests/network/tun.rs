//! A network played by the test: every packet that a namespace sends to the device's subnets
//! comes to the test, and what the test answers arrives there. It can be late, double, wrong.

use crate::lab::Namespace;
use crate::packets::Request;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::raw::{c_int, c_short};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::io::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// `ifreq` as TUNSETIFF reads it; the kernel's has 40 bytes.
#[repr(C)]
struct DeviceRequest {
    name: [u8; 16],
    flags: c_short,
    rest: [u8; 22],
}

const TUNSETIFF: u64 = 0x4004_54ca;
/// Packets without a link layer, and without four bytes of the driver's own before each.
const IFF_TUN_NO_PI: c_short = 0x1001;

/// A packet to send, and when.
pub struct Answer {
    /// How long after the request.
    pub after: Duration,
    /// The IP packet.
    pub packet: Vec<u8>,
}

/// At once.
pub fn now(packet: Vec<u8>) -> Vec<Answer> {
    vec![Answer { after: Duration::ZERO, packet }]
}

/// After `ms` milliseconds.
pub fn later(ms: u64, packet: Vec<u8>) -> Vec<Answer> {
    vec![Answer { after: Duration::from_millis(ms), packet }]
}

/// Never.
pub fn silence() -> Vec<Answer> {
    vec![]
}

/// The device `tun0` and the thread that plays the network behind it, until dropped.
pub struct Tun {
    stop: Option<UnixStream>,
    player: Option<JoinHandle<()>>,
}

impl Tun {
    /// Makes the device in `namespace` with 10.80.0.1/16 and fd80::1/64. `play` is called with
    /// every echo request that comes out of it, on a thread of its own. An error where the system
    /// has no such devices.
    pub fn open(
        namespace: &Namespace,
        play: impl FnMut(&Request) -> Vec<Answer> + Send + 'static,
    ) -> Result<Tun, String> {
        let device = namespace.enter(open_device)?;
        namespace.ip("link set tun0 addrgenmode none");
        namespace.ip("link set tun0 up");
        namespace.ip("addr add 10.80.0.1/16 dev tun0");
        namespace.ip("addr add fd80::1/64 dev tun0 nodad");
        let (stop, stopped) = UnixStream::pair().expect("two sockets");
        let player = std::thread::spawn(move || play_network(device, &stopped, play));
        Ok(Tun { stop: Some(stop), player: Some(player) })
    }
}

/// Opens a [`Tun`], or prints why not and returns from the test.
macro_rules! network_or_skip {
    ($namespace:expr, $play:expr) => {
        match crate::tun::Tun::open($namespace, $play) {
            Ok(network) => network,
            Err(reason) => return crate::lab::skip(&reason),
        }
    };
}
pub(crate) use network_or_skip;

impl Drop for Tun {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.player.take().expect("dropped once").join();
        if ended.is_err() && !std::thread::panicking() {
            panic!("the played network panicked");
        }
    }
}

/// Makes the device `tun0` in the thread's namespace.
pub fn open_device() -> Result<File, String> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")
        .map_err(|error| format!("/dev/net/tun: {}", error))?;
    let mut request = DeviceRequest { name: [0; 16], flags: IFF_TUN_NO_PI, rest: [0; 22] };
    request.name[..4].copy_from_slice(b"tun0");
    // SAFETY: an open descriptor and a structure as large as the kernel reads and writes.
    let made = unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF as _, &mut request) };
    assert_eq!(made, 0, "TUNSETIFF: {}", std::io::Error::last_os_error());
    Ok(device)
}

/// Sleeps until the device can be read (true), the test ends (`None`), or the deadline (false).
fn wait(device: &File, stopped: &UnixStream, deadline: Option<Instant>) -> Option<bool> {
    let mut ready = [device.as_raw_fd(), stopped.as_raw_fd()].map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = deadline.map_or(-1, |deadline| {
        // Up, so that no turn ends just before the deadline.
        deadline.saturating_duration_since(Instant::now()).as_micros() as c_int / 1000 + 1
    });
    // SAFETY: an array of two.
    unsafe { libc::poll(ready.as_mut_ptr(), 2, timeout) };
    if ready[1].revents != 0 {
        return None;
    }
    Some(ready[0].revents != 0)
}

fn play_network(
    mut device: File,
    stopped: &UnixStream,
    mut play: impl FnMut(&Request) -> Vec<Answer>,
) {
    let mut due: Vec<(Instant, Vec<u8>)> = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        let next = due.iter().map(|answer| answer.0).min();
        match wait(&device, stopped, next) {
            None => return,
            Some(false) => {}
            Some(true) => loop {
                let length = match device.read(&mut buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("tun0: {}", error),
                };
                if let Some(request) = Request::parse(&buffer[..length]) {
                    let seen = Instant::now();
                    due.extend(play(&request).into_iter().map(|a| (seen + a.after, a.packet)));
                }
            },
        }
        let now = Instant::now();
        let (ready, waiting): (Vec<_>, Vec<_>) = due.into_iter().partition(|a| a.0 <= now);
        due = waiting;
        for (_, packet) in ready {
            // A full queue loses packets, as networks do.
            let _ = device.write(&packet);
        }
    }
}
