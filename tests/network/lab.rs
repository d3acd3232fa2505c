//! Network namespaces and the links between them. They are removed when their values are dropped,
//! so also after a panic. One lab at a time on the machine, whatever process it is of: the kernel's
//! neighbour table is shared by all namespaces, and tests with time limits shall not slow each other down.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::os::raw::c_int;
use std::os::unix::io::AsRawFd;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::new(());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Whoever has a lab has this file locked; the kernel unlocks it with the process at the latest.
const LOCK: &str = "/run/rust-runspaces-lab.lock";

/// The right to make namespaces.
pub struct Lab {
    _alone_on_the_machine: File,
    _alone: MutexGuard<'static, ()>,
}

fn lock(path: &str) -> Result<File, String> {
    let file = File::create(path).map_err(|error| format!("{}: {}", path, error))?;
    // SAFETY: an open descriptor.
    while unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) } != 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("{}: {}", path, error));
        }
    }
    Ok(file)
}

impl Lab {
    /// The lab, or why there is none on this machine.
    pub fn open() -> Result<Lab, String> {
        let guard = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // SAFETY: takes nothing and cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            return Err("network namespaces need root".to_string());
        }
        let lab = Lab { _alone_on_the_machine: lock(LOCK)?, _alone: guard };
        match Namespace::try_new() {
            Ok(_) => Ok(lab),
            Err(reason) => Err(reason),
        }
    }

    /// A new namespace with its loopback interface up.
    pub fn namespace(&self) -> Namespace {
        Namespace::try_new().expect("a second namespace, like the first")
    }

    /// Two namespaces, `left` with 10.1.0.1/16 on `v0` and `right` with 10.1.0.2/16 on `v0`.
    pub fn pair(&self) -> (Namespace, Namespace) {
        let (left, right) = (self.namespace(), self.namespace());
        link(&left, "v0", &right, "v0");
        left.ip("addr add 10.1.0.1/16 dev v0");
        right.ip("addr add 10.1.0.2/16 dev v0");
        (left, right)
    }
}

/// Opens the lab, or prints why not and returns from the test.
macro_rules! lab_or_skip {
    () => {
        match crate::lab::Lab::open() {
            Ok(lab) => lab,
            Err(reason) => return crate::lab::skip(&reason),
        }
    };
}
pub(crate) use lab_or_skip;

/// Says that a test cannot run here, in the form that the test run counts.
pub fn skip(reason: &str) {
    println!("skipped: {}", reason);
}

/// The thread that calls goes before what else there is on the machine, where it may; who is a network
/// by 2, before those with 1.
pub fn go_first(priority: c_int) {
    let urgent = libc::sched_param { sched_priority: priority };
    // SAFETY: a structure to read.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &urgent) };
}

/// Where `ip netns exec` finds what it puts in the place of files in /etc.
const ETC: &str = "/etc/netns";

/// A network namespace.
pub struct Namespace {
    name: String,
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{:?}: {}", command, error))
}

fn succeed(command: &mut Command) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {}", command, said);
}

impl Namespace {
    fn try_new() -> Result<Namespace, String> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rr{}-{}", std::process::id(), number);
        let output = Command::new("ip")
            .args(["netns", "add", &name])
            .output()
            .map_err(|error| format!("no command ip: {}", error))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_string());
        }
        let namespace = Namespace { name };
        namespace.ip("link set lo up");
        Ok(namespace)
    }

    /// Runs `ip` with `arguments` on this namespace.
    pub fn ip(&self, arguments: &str) {
        succeed(Command::new("ip").args(["-n", &self.name]).args(arguments.split_whitespace()));
    }

    /// Puts `rules` into the packet filter's IPv4 `hook`; `false` where there is no `nft`.
    pub fn filter(&self, hook: &str, rules: &[&str]) -> bool {
        if Command::new("nft").arg("--version").output().is_err() {
            return false;
        }
        let mut script = format!("table ip test {{\nchain {} {{\n", hook);
        script += &format!("type filter hook {} priority 0\n", hook);
        script += &rules.join("\n");
        script += "\n}\n}\n";
        let mut child = self
            .command("nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("ip was there before");
        let mut input = child.stdin.take().expect("piped");
        input.write_all(script.as_bytes()).expect("nft reads");
        drop(input);
        assert!(child.wait().expect("our child").success(), "{}", script);
        true
    }

    /// Sets `/proc/sys/net/<path>`.
    pub fn sysctl(&self, path: &str, value: &str) {
        self.enter(|| {
            let path = format!("/proc/sys/net/{}", path);
            fs::write(&path, value).unwrap_or_else(|error| panic!("{}: {}", path, error));
        });
    }

    /// Neighbours on `v0` are given up after one question and so long, instead of after 3 s.
    /// `family`: `ipv4` or `ipv6`.
    pub fn give_up_neighbours(&self, family: &str, milliseconds: u32) {
        self.sysctl(&format!("{family}/neigh/v0/mcast_solicit"), "1");
        self.sysctl(&format!("{family}/neigh/v0/retrans_time_ms"), &milliseconds.to_string());
    }

    /// What programs inside see as `/etc/<file>`.
    pub fn etc(&self, file: &str, text: &str) {
        let folder = format!("{}/{}", ETC, self.name);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {}", folder, error));
        fs::write(format!("{}/{}", folder, file), text).expect("a new folder of ours");
    }

    /// Forwards packets, and says so as often as there is reason to (by default routers say
    /// unreachable to one host only once a second).
    pub fn make_router(&self) {
        self.sysctl("ipv4/ip_forward", "1");
        self.sysctl("ipv4/icmp_ratelimit", "0");
        self.sysctl("ipv6/conf/all/forwarding", "1");
        self.sysctl("ipv6/icmp/ratelimit", "0");
    }

    /// A command that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `body` on a thread inside. What it opens stays inside.
    pub fn enter<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.name);
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let namespace = File::open(&path).expect("made by ip netns add");
                // SAFETY: an open descriptor; only this thread changes its namespace.
                let entered = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(entered, 0, "setns: {}", std::io::Error::last_os_error());
                body()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
        if fs::remove_dir_all(format!("{}/{}", ETC, self.name)).is_ok() {
            let _ = fs::remove_dir(ETC); // where nobody else has anything in it
        }
    }
}

/// Joins two namespaces by a cable. Both ends are up, with fe80::1 on the left and fe80::2 on the
/// right: chosen here, for those that the kernel makes up are first checked for duplicates.
pub fn link(left: &Namespace, left_device: &str, right: &Namespace, right_device: &str) {
    let arguments = format!(
        "link add {} netns {} type veth peer name {} netns {}",
        left_device, left, right_device, right
    );
    succeed(Command::new("ip").args(arguments.split_whitespace()));
    for (namespace, device, address) in
        [(left, left_device, "fe80::1"), (right, right_device, "fe80::2")]
    {
        namespace.ip(&format!("link set {} addrgenmode none", device));
        namespace.ip(&format!("link set {} up", device));
        namespace.ip(&format!("addr add {}/64 dev {} nodad", address, device));
    }
}
