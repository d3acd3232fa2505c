//! Network namespaces for tests: each has a thread of its own in it, and ends with that thread.

use std::net::UdpSocket;
use std::os::raw::c_long;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Runs `test` on a thread in a fresh network namespace whose loopback is up. Does nothing, said
/// why, where namespaces are not permitted.
pub(super) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let outcome = std::thread::spawn(|| {
        // SAFETY: no pointers; affects this thread alone.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            println!("skipped: no network namespace: {}", std::io::Error::last_os_error());
            return;
        }
        if !ip("link set lo up") {
            println!("skipped: the command ip (iproute2) is not there");
            return;
        }
        test();
    })
    .join();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs ip(8) in this thread's namespace. False: there is no such command.
pub(super) fn ip(arguments: &str) -> bool {
    match Command::new("ip").args(arguments.split_whitespace()).output() {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "ip {arguments}: {error}");
            true
        }
        Err(_) => false,
    }
}

/// Gives commands to nft(8) in this thread's namespace. False, said why: there is no such command.
pub(super) fn nft(commands: &str) -> bool {
    match Command::new("nft").arg(commands).output() {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "nft {commands}: {error}");
            true
        }
        Err(error) => {
            println!("skipped: no nft: {error}");
            false
        }
    }
}

/// Sets a network setting of this thread's namespace.
pub(super) fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

/// A link without anybody on it: every address in 10.77.0.0/16 is a neighbour that does not answer,
/// which the system finds out within 50 ms.
pub(super) fn add_dead_link() {
    ip("link add dead0 type veth peer name dead1");
    for family in ["ipv4", "ipv6"] {
        set(&format!("{family}/neigh/dead0/mcast_solicit"), "1");
        set(&format!("{family}/neigh/dead0/retrans_time_ms"), "20");
    }
    set("ipv6/conf/dead0/accept_dad", "0");
    ip("link set dead1 up");
    ip("link set dead0 up");
    ip("addr add 10.77.0.1/16 dev dead0");
    add_v6("fd77::1", "dead0");
}

/// A router in a namespace of its own, at 10.80.0.2 and fd80::2, with this namespace's default
/// routes to it; `setup` adds routes on it. Both end with this function.
pub(super) fn with_router(setup: fn(), test: impl FnOnce()) {
    let (send_id, receive_id) = channel();
    let (send_link, receive_link) = channel::<()>();
    let (send_ready, receive_ready) = channel();
    let (send_end, receive_end) = channel::<()>();
    let router = std::thread::spawn(move || {
        // SAFETY: no pointers; both affect or name this thread alone.
        let id = unsafe {
            assert_eq!(libc::unshare(libc::CLONE_NEWNET), 0);
            libc::syscall(libc::SYS_gettid)
        };
        send_id.send(id).unwrap();
        receive_link.recv().unwrap();
        for (name, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv4/icmp_ratelimit", "0"),
            ("ipv6/icmp/ratelimit", "0"),
        ] {
            set(name, value);
        }
        ip("link set router1 up");
        ip("addr add 10.80.0.2/24 dev router1");
        add_v6("fd80::2", "router1");
        setup();
        wait_for_link("router1");
        send_ready.send(()).unwrap();
        let _ = receive_end.recv();
    });
    let id = receive_id.recv().unwrap();
    ip("link add router0 type veth peer name router1");
    ip(&format!("link set router1 netns {id}"));
    ip("link set router0 up");
    // The router may not hear the first questions for its address: repeated soon, and often.
    for family in ["ipv4", "ipv6"] {
        set(&format!("{family}/neigh/router0/mcast_solicit"), "100");
        set(&format!("{family}/neigh/router0/retrans_time_ms"), "10");
    }
    send_link.send(()).unwrap();
    receive_ready.recv().unwrap();
    ip("addr add 10.80.0.1/24 dev router0");
    add_v6("fd80::1", "router0");
    ip("route add default via 10.80.0.2");
    ip("route add default via fd80::2");
    wait_for_link("router0");
    test();
    drop(send_end);
    router.join().unwrap();
}

/// Until a new link works, what is sent on it is lost.
fn wait_for_link(link: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let output = Command::new("ip").args(["-oneline", "link", "show", link]).output().unwrap();
        if String::from_utf8_lossy(&output.stdout).contains("state UP") {
            return;
        }
        assert!(Instant::now() < deadline, "{link} does not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn add_v6(address: &str, link: &str) {
    ip(&format!("addr add {address}/64 dev {link} nodad"));
    // The system makes an address its own a moment after it is added.
    while UdpSocket::bind((address, 0)).is_err() {
        std::thread::yield_now();
    }
}

/// Gives this thread, and it alone, the rights of an ordinary user.
pub(super) fn become_nobody() {
    let nobody: c_long = 65_534;
    // SAFETY: no pointers. The calls themselves, for libc's would change all threads.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_setresgid, nobody, nobody, nobody), 0);
        assert_eq!(libc::syscall(libc::SYS_setresuid, nobody, nobody, nobody), 0);
    }
}
