//! What a sweep leaves on the machine: no files, and no descriptors in the programs that are started
//! meanwhile. All traffic goes to 127.0.0.0/8.

#![cfg(target_os = "linux")]

use rust_runspaces::ffi::pool::*;
use rust_runspaces::ffi::types::*;
use std::collections::BTreeSet;
use std::fs;
use std::mem::size_of;
use std::process::Command;
use std::ptr::null_mut;

/// The numbers of the descriptors of this process that are open and not closed on exec.
fn inheritable() -> BTreeSet<i32> {
    let open = fs::read_dir("/proc/self/fd").expect("proc");
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let stays = |fd: &i32| {
        // SAFETY: only asks.
        let flags = unsafe { libc::fcntl(*fd, libc::F_GETFD) };
        flags >= 0 && flags & libc::FD_CLOEXEC == 0
    };
    numbers.filter(stays).collect()
}

/// What this process has open for writing that is a file with a name.
fn files() -> BTreeSet<String> {
    let open = fs::read_dir("/proc/self/fd").expect("proc");
    let targets = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let texts = targets.map(|target| target.to_string_lossy().into_owned());
    texts.filter(|text| text.starts_with('/') && !text.starts_with("/proc/")).collect()
}

/// Opens a pool and probes loopback by echo (where that is permitted) and by TCP, and calls
/// `meanwhile` when all of it is under way.
fn sweep(meanwhile: impl FnOnce()) {
    let options = rr_pool_options {
        struct_size: size_of::<rr_pool_options>() as u32,
        max_workers: 0,
        packets_per_second: 0,
        apartment: RR_APARTMENT_NONE,
        run_limit_ms: 0,
        job_limit_ms: 0,
        run: None,
        stop: None,
        release: None,
        context: null_mut(),
        paused: None,
    };
    let mut pool = 0;
    // SAFETY: both are live values.
    assert_eq!(unsafe { rr_pool_open(&options, &mut pool) }, RR_STATUS_OK);
    let ports = [1];
    for kind in [RR_KIND_ECHO, RR_KIND_CONNECT] {
        let connects = kind == RR_KIND_CONNECT;
        let options = rr_probe_options {
            struct_size: size_of::<rr_probe_options>() as u32,
            kind,
            flags: 0,
            count: 1,
            interval_ms: 0,
            reply_timeout_ms: 200,
            payload_size: if connects { 0 } else { 32 },
            hops: 0,
            family: 0,
            port_count: u32::from(connects),
            ports: ports.as_ptr(),
        };
        let text = b"127.0.0.0/24";
        let mut target = rr_target {
            user_data: 0,
            text_offset: 0,
            text_length: 12,
            status: 0,
            flags: 0,
            jobs: 0,
        };
        let mut taken = 0;
        // SAFETY: live values with their sizes.
        let status = unsafe {
            rr_pool_submit_probes(
                pool,
                &options,
                &mut target,
                1,
                size_of::<rr_target>(),
                text.as_ptr(),
                text.len(),
                &mut taken,
            )
        };
        assert!(matches!(status, RR_STATUS_OK | RR_STATUS_ICMP_NOT_PERMITTED), "{}", status);
    }
    // The first completion shows that the sockets are there.
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { rr_pool_poll(pool, 10_000, null_mut()) }, RR_STATUS_OK);
    meanwhile();
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { rr_pool_close(pool, null_mut()) }, RR_STATUS_OK);
}

#[test]
fn a_sweep_opens_no_file_and_leaves_programs_no_descriptor() {
    let folder = std::env::temp_dir().join(format!("rust-runspaces-{}", std::process::id()));
    fs::create_dir(&folder).expect("a new folder");
    // Where a library that makes temporary files would make them.
    std::env::set_var("TMPDIR", &folder);
    std::env::set_current_dir(&folder).expect("our folder");
    let (before, files_before) = (inheritable(), files());
    sweep(|| {
        let sockets = fs::read_dir("/proc/self/fd").expect("proc").count();
        assert!(sockets > before.len() + 2, "nothing is open: nothing was tested");
        assert_eq!(inheritable(), before);
        assert_eq!(files(), files_before);
        let child = Command::new("/bin/sh").args(["-c", "ls -l /proc/$$/fd"]).output();
        let told = String::from_utf8_lossy(&child.expect("a shell").stdout).into_owned();
        assert!(!told.contains("socket:") && !told.contains("eventpoll"), "{}", told);
    });
    let left: Vec<_> = fs::read_dir(&folder).expect("our folder").collect();
    std::env::set_current_dir("/").expect("a root");
    fs::remove_dir_all(&folder).expect("our folder");
    assert!(left.is_empty(), "{:?}", left);
}
