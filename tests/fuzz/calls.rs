//! Random sequences of calls of the C interface, with right and with wrong arguments, over up to
//! three pools at once. What was accepted is counted by its number; each has exactly one
//! completion when its pool has been emptied, and nothing ever panics. One call is one case.

use crate::{fuzz, Random};
use rust_runspaces::ffi::pool::*;
use rust_runspaces::ffi::types::*;
use rust_runspaces::ffi::worker::{rr_worker_finish, rr_worker_next};
use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::{size_of, zeroed};
use std::ptr::{null, null_mut};

/// Loopback, and what is none. No names: nothing is to be asked.
const TARGETS: &[&[u8]] = &[
    b"127.0.0.1",
    b"127.9.9.9",
    b"127.0.1.1-127.0.1.9",
    b"127.0.2.0/29",
    b"::1",
    b"",
    b" ",
    b"\xff\xfe",
    b"10.0.0.0/33",
    b"1.2.3",
    b"0.0.0.0/0",
    b"fe80::1",
    b"a b",
    b"127.0.0.9-127.0.0.1",
    b"\0",
];

unsafe extern "C" fn run(context: *mut c_void, worker: rr_worker) {
    let mut call =
        rr_call { struct_size: size_of::<rr_call>() as u32, worker_number: 0, user_data: 0 };
    // SAFETY: a writable call with its size.
    while unsafe { rr_worker_next(worker, &mut call) } == RR_STATUS_OK {
        // Some are reported wrongly first, some twice.
        if call.user_data % 3 == 0 {
            rr_worker_finish(worker, 77);
        }
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
        if call.user_data % 5 == 0 {
            rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
        }
        if call.user_data % 7 == 0 {
            rr_pool_wake(context as rr_pool);
        }
    }
}

#[derive(Default)]
struct Pool {
    handle: rr_pool,
    /// Jobs open, by their number.
    open: HashMap<u64, u64>,
    input_closed: bool,
}

struct Player<'a> {
    random: &'a mut Random,
    pools: Vec<Pool>,
    next_number: u64,
    calls: u64,
}

impl Player<'_> {
    fn said(&mut self, status: rr_status) -> rr_status {
        self.calls += 1;
        assert_ne!(status, RR_STATUS_PANIC);
        status
    }

    fn open(&mut self) {
        let workers = self.random.below(4) as u32;
        let options = rr_pool_options {
            struct_size: size_of::<rr_pool_options>() as u32,
            max_workers: workers,
            packets_per_second: 0,
            apartment: RR_APARTMENT_NONE,
            run_limit_ms: if self.random.below(16) == 0 { 5 } else { 0 },
            job_limit_ms: 0,
            run: if workers > 0 { Some(run) } else { None },
            stop: None,
            release: None,
            context: null_mut(),
            paused: None,
        };
        let mut handle = 0;
        // SAFETY: both are live values.
        let status = unsafe { rr_pool_open(&options, &mut handle) };
        assert_eq!(self.said(status), RR_STATUS_OK);
        self.pools.push(Pool { handle, ..Pool::default() });
    }

    fn submit_probes(&mut self, pool: usize) {
        let connect = self.random.below(4) == 0;
        let ports = [1u16, 2];
        let mut options = rr_probe_options {
            struct_size: size_of::<rr_probe_options>() as u32,
            kind: if connect { RR_KIND_CONNECT } else { RR_KIND_ECHO },
            flags: self.random.below(2) as u32,
            count: self.random.below(3) as u32,
            interval_ms: 1,
            reply_timeout_ms: 20,
            payload_size: self.random.below(64) as u32,
            hops: 0,
            family: [0, 4, 6, 5][self.random.below(4)],
            port_count: if connect { 1 + self.random.below(2) as u32 } else { 0 },
            ports: ports.as_ptr(),
        };
        if self.random.below(8) == 0 {
            match self.random.below(4) {
                0 => options.struct_size = self.random.below(60) as u32 & !1,
                1 => options.kind = self.random.number() as u32,
                2 => options.flags = self.random.number() as u32 & !RR_PROBE_RESOLVE,
                _ => options.hops = self.random.number() as u32,
            }
            // A larger struct than there is may not be claimed, and others are not ours to read.
            options.struct_size = options.struct_size.min(size_of::<rr_probe_options>() as u32);
        }
        let mut text = Vec::new();
        let mut targets = Vec::new();
        for _ in 0..self.random.below(5) {
            let target = self.random.pick(TARGETS);
            self.next_number += 1;
            let (text_offset, text_length) = (text.len() as u32, target.len() as u32);
            let user_data = self.next_number;
            targets.push(rr_target {
                user_data,
                text_offset,
                text_length,
                status: 99,
                flags: 0,
                jobs: 0,
            });
            text.extend_from_slice(target);
        }
        if self.random.below(16) == 0 {
            if let Some(last) = targets.last_mut() {
                last.text_offset = self.random.number() as u32 | 0x1000;
            }
        }
        let mut taken = usize::MAX;
        let size =
            if self.random.below(16) == 0 { self.random.below(33) } else { size_of::<rr_target>() };
        let handle = self.pools[pool].handle;
        // SAFETY: live slices with their lengths; smaller elements lie within them.
        let status = unsafe {
            rr_pool_submit_probes(
                handle,
                &options,
                targets.as_mut_ptr(),
                targets.len(),
                size,
                text.as_ptr(),
                text.len(),
                &mut taken,
            )
        };
        self.said(status);
        if taken == usize::MAX {
            assert!(
                status < 0 || status == RR_STATUS_CLOSED,
                "nothing said about {} targets",
                targets.len()
            );
            return;
        }
        assert!(!self.pools[pool].input_closed || taken == 0);
        for target in &targets[..taken] {
            assert!(target.status <= 0 && (target.status == 0) == (target.jobs > 0));
            if target.jobs > 0 {
                self.pools[pool].open.insert(target.user_data, target.jobs);
            }
        }
    }

    fn submit_calls(&mut self, pool: usize) {
        let numbers: Vec<u64> =
            (0..self.random.below(6) as u64).map(|i| self.next_number + 1 + i).collect();
        self.next_number += numbers.len() as u64;
        let mut taken = 0;
        // SAFETY: a live slice with its length.
        let status = unsafe {
            rr_pool_submit_calls(
                self.pools[pool].handle,
                numbers.as_ptr(),
                numbers.len(),
                &mut taken,
            )
        };
        self.said(status);
        for number in &numbers[..taken] {
            self.pools[pool].open.insert(*number, 1);
        }
    }

    fn collect(&mut self, pool: usize) -> usize {
        // SAFETY: numbers only.
        let mut completions: [rr_completion; 16] = unsafe { zeroed() };
        let capacity = self.random.below(17);
        let mut text =
            vec![0u8; if self.random.below(4) == 0 { self.random.below(64) } else { 4096 }];
        let (mut count, mut length) = (0, 0);
        // SAFETY: live memory with its lengths.
        let status = unsafe {
            rr_pool_collect(
                self.pools[pool].handle,
                completions.as_mut_ptr(),
                capacity,
                size_of::<rr_completion>(),
                text.as_mut_ptr(),
                text.len(),
                &mut count,
                &mut length,
            )
        };
        self.said(status);
        assert!(count <= capacity);
        if status != RR_STATUS_OK {
            return 0;
        }
        for completion in &completions[..count] {
            let open = &mut self.pools[pool].open;
            let left = open.get_mut(&completion.user_data);
            let left = left.unwrap_or_else(|| panic!("nobody asked for {}", completion.user_data));
            assert!(completion.jobs >= 1 && completion.jobs <= *left, "more answers than jobs");
            *left -= completion.jobs;
            if *left == 0 {
                open.remove(&completion.user_data);
            }
            for (offset, part) in [
                (completion.detail_offset, completion.detail_length),
                (completion.addresses_offset, completion.addresses_length),
                (completion.host_name_offset, completion.host_name_length),
            ] {
                let end = offset as usize + part as usize;
                assert!(part == 0 || end <= text.len(), "a text outside the buffer");
            }
        }
        count
    }

    fn poll(&mut self, pool: usize, timeout: u64) -> rr_status {
        // SAFETY: numbers only; the size is set.
        let mut counts: rr_pool_counts = unsafe { zeroed() };
        counts.struct_size = size_of::<rr_pool_counts>() as u32;
        // SAFETY: writable with its size.
        let status = unsafe { rr_pool_poll(self.pools[pool].handle, timeout, &mut counts) };
        assert!(counts.finished <= counts.submitted && counts.ready <= counts.finished);
        self.said(status)
    }

    /// No handle, one of a pool that was closed, or any number.
    fn misuse(&mut self, closed: rr_pool) {
        let any = self.random.number();
        let handle = if self.pools.iter().any(|pool| pool.handle == any) {
            0
        } else {
            [0, closed, any][self.random.below(3)]
        };
        let mut taken = 0;
        let status = match self.random.below(8) {
            0 => rr_pool_cancel(handle),
            1 => rr_pool_wake(handle),
            2 => rr_pool_close_input(handle),
            3 => rr_worker_finish(any, any as u32),
            // SAFETY: NULL is allowed here, and checked for there.
            4 => unsafe { rr_pool_poll(handle, 0, null_mut()) },
            5 => unsafe { rr_pool_close(handle, null_mut()) },
            6 => unsafe { rr_pool_submit_calls(handle, null(), 0, &mut taken) },
            _ => unsafe { rr_worker_next(any, null_mut()) },
        };
        assert!(status < 0, "{}", self.said(status));
        self.said(status);
    }

    /// Empties a pool in one of three ways and closes it.
    fn end(&mut self, pool: usize) -> rr_pool {
        let handle = self.pools[pool].handle;
        match self.random.below(3) {
            // Closed with jobs open: nobody waits for their completions.
            0 => {}
            way => {
                if way == 1 {
                    let status = rr_pool_cancel(handle);
                    self.said(status);
                }
                let status = rr_pool_close_input(handle);
                self.said(status);
                while self.poll(pool, 10_000) != RR_STATUS_CLOSED {
                    while self.collect(pool) > 0 {}
                }
                assert!(
                    self.pools[pool].open.is_empty(),
                    "without completion: {:?}",
                    self.pools[pool].open
                );
            }
        }
        let mut running = 0;
        // SAFETY: writable.
        let status = unsafe { rr_pool_close(handle, &mut running) };
        assert_eq!(self.said(status), RR_STATUS_OK);
        self.pools.swap_remove(pool);
        handle
    }
}

fn play(random: &mut Random) -> u64 {
    let steps = 20 + random.below(400);
    let mut player = Player { random, pools: Vec::new(), next_number: 0, calls: 0 };
    let mut closed = 0;
    for _ in 0..steps {
        if player.pools.is_empty() {
            player.open();
        }
        let pool = player.random.below(player.pools.len());
        match player.random.below(64) {
            0 if player.pools.len() < 3 => player.open(),
            1 => closed = player.end(pool),
            2 => {
                let status = rr_pool_cancel(player.pools[pool].handle);
                player.said(status);
            }
            3 => {
                let status = rr_pool_close_input(player.pools[pool].handle);
                player.said(status);
                player.pools[pool].input_closed = true;
            }
            4..=11 => player.submit_probes(pool),
            12..=19 => player.submit_calls(pool),
            20..=35 => {
                player.collect(pool);
            }
            36..=43 => {
                player.poll(pool, 0);
            }
            44..=47 => {
                let status = rr_pool_wake(player.pools[pool].handle);
                player.said(status);
            }
            _ => player.misuse(closed),
        }
    }
    while !player.pools.is_empty() {
        player.end(0);
    }
    player.calls
}

#[test]
fn every_job_of_any_calls_has_one_completion() {
    fuzz("calls", include_str!("corpus/calls.txt"), play);
}
