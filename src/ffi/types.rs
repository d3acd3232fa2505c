//! The types and numbers of the C ABI. Structs that a caller fills start with `struct_size`, only
//! grow at the end, use fixed-width integers, have no implicit padding; reserved fields are 0.
//! The sizes are asserted here, in C and in C#; `versioned` knows those of earlier versions.

use std::ffi::c_void;

/// Handle of a pool: never a pointer; 0 is no handle.
pub type rr_pool = u64;
/// Handle of a worker, valid inside its callback.
pub type rr_worker = u64;
/// About the call: 0 is success, positive is not an error, negative is an error.
pub type rr_status = i32;

/// The number `rr_abi_version` returns; it changes whenever this header changes incompatibly.
pub const RR_ABI_VERSION: u32 = 1;

/// Done.
pub const RR_STATUS_OK: rr_status = 0;
/// Not an error: the time given has passed and nothing has happened.
pub const RR_STATUS_TIMEOUT: rr_status = 1;
/// Not an error: the pool has as much as it holds; collect, then submit the rest again.
pub const RR_STATUS_AGAIN: rr_status = 2;
/// Not an error: nothing more will come (poll), or the worker shall return (rr_worker_next).
pub const RR_STATUS_CLOSED: rr_status = 3;
/// A number or flag is out of its range.
pub const RR_STATUS_INVALID_ARGUMENT: rr_status = -1;
/// A pointer that may not be NULL is NULL.
pub const RR_STATUS_NULL_POINTER: rr_status = -2;
/// The handle is zero, closed, of another kind, or inherited through fork.
pub const RR_STATUS_BAD_HANDLE: rr_status = -3;
/// struct_size or an element size is none that any version of the struct has had.
pub const RR_STATUS_BAD_SIZE: rr_status = -4;
/// Another thread is in rr_pool_poll or rr_pool_collect of this pool.
pub const RR_STATUS_BUSY: rr_status = -5;
/// The call would wait for the callback it is made from.
pub const RR_STATUS_WOULD_DEADLOCK: rr_status = -6;
/// The text is not a name, address, CIDR block or range.
pub const RR_STATUS_INVALID_TARGET: rr_status = -7;
/// The expression stands for more than 16,777,216 addresses.
pub const RR_STATUS_TOO_MANY_ADDRESSES: rr_status = -8;
/// The text buffer has no room for even one completion; its length says how much is needed.
pub const RR_STATUS_BUFFER_TOO_SMALL: rr_status = -9;
/// The call does not fit the state, e.g. submit after rr_pool_close_input.
pub const RR_STATUS_BAD_STATE: rr_status = -10;
/// Memory, descriptors or another resource of the system ran out.
pub const RR_STATUS_NO_RESOURCES: rr_status = -20;
/// Not one thread could be started.
pub const RR_STATUS_NO_THREADS: rr_status = -21;
/// Neither raw nor datagram ICMP sockets are permitted to this process.
pub const RR_STATUS_ICMP_NOT_PERMITTED: rr_status = -40;
/// Not available on this system.
pub const RR_STATUS_NOT_SUPPORTED: rr_status = -41;
/// A defect of this library: it panicked and was contained.
pub const RR_STATUS_PANIC: rr_status = -60;

/// A valid reply or an open connection.
pub const RR_OUTCOME_SUCCESS: u32 = 0;
/// TCP: the host itself said no.
pub const RR_OUTCOME_REFUSED: u32 = 1;
/// No answer to any attempt; a call past its time limit.
pub const RR_OUTCOME_TIMED_OUT: u32 = 2;
/// The resolver knows no such name.
pub const RR_OUTCOME_NAME_NOT_FOUND: u32 = 3;
/// The resolver did not answer in time.
pub const RR_OUTCOME_NAME_LOOKUP_TIMED_OUT: u32 = 4;
/// The local receive buffer overflowed through all repeats: no verdict.
pub const RR_OUTCOME_UNKNOWN: u32 = 5;
/// The system refused; os_error says what.
pub const RR_OUTCOME_PERMISSION_DENIED: u32 = 6;
/// The system refused, or the call failed.
pub const RR_OUTCOME_FAILED: u32 = 7;
/// A call that ended.
pub const RR_OUTCOME_COMPLETED: u32 = 8;
/// Begun, but ended by cancel, close or the run limit.
pub const RR_OUTCOME_STOPPED: u32 = 9;
/// Never begun; `jobs` says how many consecutive jobs this answers.
pub const RR_OUTCOME_NOT_STARTED: u32 = 10;
/// A call on a remote machine that went away.
pub const RR_OUTCOME_LOST: u32 = 11;
/// The following are named like .NET's IPStatus.
pub const RR_OUTCOME_DESTINATION_NETWORK_UNREACHABLE: u32 = 20;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_HOST_UNREACHABLE: u32 = 21;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_PROTOCOL_UNREACHABLE: u32 = 22;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_PORT_UNREACHABLE: u32 = 23;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_PROHIBITED: u32 = 24;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_UNREACHABLE: u32 = 25;
/// See IPStatus.
pub const RR_OUTCOME_DESTINATION_SCOPE_MISMATCH: u32 = 26;
/// See IPStatus.
pub const RR_OUTCOME_PACKET_TOO_BIG: u32 = 27;
/// See IPStatus.
pub const RR_OUTCOME_TTL_EXPIRED: u32 = 28;
/// See IPStatus.
pub const RR_OUTCOME_TTL_REASSEMBLY_TIME_EXCEEDED: u32 = 29;
/// See IPStatus.
pub const RR_OUTCOME_TIME_EXCEEDED: u32 = 30;
/// See IPStatus.
pub const RR_OUTCOME_PARAMETER_PROBLEM: u32 = 31;
/// See IPStatus.
pub const RR_OUTCOME_BAD_HEADER: u32 = 32;
/// See IPStatus.
pub const RR_OUTCOME_UNRECOGNIZED_NEXT_HEADER: u32 = 33;
/// See IPStatus.
pub const RR_OUTCOME_BAD_OPTION: u32 = 34;
/// See IPStatus.
pub const RR_OUTCOME_BAD_ROUTE: u32 = 35;
/// See IPStatus.
pub const RR_OUTCOME_BAD_DESTINATION: u32 = 36;
/// See IPStatus.
pub const RR_OUTCOME_SOURCE_QUENCH: u32 = 37;
/// See IPStatus.
pub const RR_OUTCOME_NO_RESOURCES: u32 = 38;
/// See IPStatus.
pub const RR_OUTCOME_HARDWARE_ERROR: u32 = 39;
/// See IPStatus.
pub const RR_OUTCOME_ICMP_ERROR: u32 = 40;

/// ICMP echo.
pub const RR_KIND_ECHO: u32 = 1;
/// TCP connect.
pub const RR_KIND_CONNECT: u32 = 2;
/// Host callback (completions only).
pub const RR_KIND_CALL: u32 = 3;

/// Probe option: send every attempt and report all of them, instead of stopping at the first reply.
pub const RR_PROBE_STATISTICS: u32 = 1;
/// Probe option: report the host's name and all its addresses.
pub const RR_PROBE_RESOLVE: u32 = 2;

/// Target flag (out): the text is a CIDR block or a range, so its jobs are named by address.
pub const RR_TARGET_EXPANDED: u32 = 1;
/// Target flag (out): the text is a name, to be looked up.
pub const RR_TARGET_NAME: u32 = 2;

/// Pool flag in rr_pool_counts: no more jobs will come.
pub const RR_POOL_INPUT_CLOSED: u32 = 1;
/// Pool flag in rr_pool_counts: rr_pool_cancel was called, or the run limit has passed.
pub const RR_POOL_CANCELLED: u32 = 2;
/// Pool flag in rr_pool_counts: the run limit has passed.
pub const RR_POOL_RUN_LIMIT_REACHED: u32 = 4;

/// Worker threads enter no COM apartment (all a system without COM knows).
pub const RR_APARTMENT_NONE: u32 = 0;
/// Windows: worker threads are single-threaded apartments and pump messages while they wait.
pub const RR_APARTMENT_STA: u32 = 1;
/// Windows: worker threads join the multithreaded apartment.
pub const RR_APARTMENT_MTA: u32 = 2;

/// Options of rr_pool_open. All callback fields are NULL in a pool for probes only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_pool_options {
    /// sizeof(rr_pool_options) as the caller knows it.
    pub struct_size: u32,
    /// Workers at most, 1..=1024; 0 means 32.
    pub max_workers: u32,
    /// Echo requests a second of this pool, with bursts of up to 256; 0 means unlimited.
    pub packets_per_second: u32,
    /// RR_APARTMENT_*.
    pub apartment: u32,
    /// Milliseconds from rr_pool_open until the pool cancels itself; 0 means no limit.
    pub run_limit_ms: u64,
    /// Milliseconds a call may take from its start; 0 means no limit.
    pub job_limit_ms: u64,
    /// Runs one worker: called once on each worker thread, calls rr_worker_next until CLOSED.
    pub run: Option<unsafe extern "C" fn(context: *mut c_void, worker: rr_worker)>,
    /// Asks the worker to end the call `user_data` it is at: from a thread of the pool's, must not
    /// block. May be NULL: then calls past their limit are given up after their grace time.
    pub stop: Option<unsafe extern "C" fn(context: *mut c_void, worker: rr_worker, user_data: u64)>,
    /// Called exactly once, when no callback can touch the context any more. May be NULL.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Handed to the callbacks.
    pub context: *mut c_void,
    /// Nanoseconds for which the host's runtime has kept all its threads stopped so far, as a garbage
    /// collector does: a worker that did nothing in that time does not count as waiting. Called from
    /// a thread of the pool's every few milliseconds while jobs wait for workers; may last as long as
    /// such a stop does. May be NULL.
    pub paused: Option<unsafe extern "C" fn(context: *mut c_void) -> u64>,
}

/// Options of the probes of one rr_pool_submit_probes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_probe_options {
    /// sizeof(rr_probe_options) as the caller knows it.
    pub struct_size: u32,
    /// RR_KIND_ECHO or RR_KIND_CONNECT.
    pub kind: u32,
    /// RR_PROBE_* flags.
    pub flags: u32,
    /// Attempts, 1..=1000; 0 means 4 for echo and 1 for connect.
    pub count: u32,
    /// Milliseconds from attempt to attempt; 0 means 1000.
    pub interval_ms: u32,
    /// Milliseconds to wait for each reply; 0 means what rr_default_reply_timeout says: 1000 for echo and
    /// 2000 for connect, 2500 where the system does not tell a refusal at once (Windows before
    /// 10.0.16299).
    pub reply_timeout_ms: u32,
    /// Bytes of payload of an echo request, 0..=65500.
    pub payload_size: u32,
    /// Time to live / hop limit, 1..=255; 0 leaves the system's.
    pub hops: u32,
    /// Address family for names: 4, 6, or 0 for either. Literals of the other one are invalid.
    pub family: u32,
    /// Number of ports; 0 for echo.
    pub port_count: u32,
    /// Ports to connect to, 1..=65535 each, in the order of the jobs; NULL for echo.
    pub ports: *const u16,
}

/// One target of rr_pool_submit_probes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_target {
    /// In: comes back with every completion of this target.
    pub user_data: u64,
    /// In: where the target's text begins in the text buffer (UTF-8, not terminated).
    pub text_offset: u32,
    /// In: its length in bytes.
    pub text_length: u32,
    /// Out: OK, INVALID_TARGET or TOO_MANY_ADDRESSES; written for each target taken.
    pub status: rr_status,
    /// Out: RR_TARGET_* flags.
    pub flags: u32,
    /// Out: jobs it became (addresses x ports); 0 where the status is an error.
    pub jobs: u64,
}

/// What a pool has at hand; written by rr_pool_poll.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_pool_counts {
    /// sizeof(rr_pool_counts) as the caller knows it.
    pub struct_size: u32,
    /// RR_POOL_* flags.
    pub flags: u32,
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs begun.
    pub begun: u64,
    /// Jobs that have their completion, collected or not.
    pub finished: u64,
    /// Completions waiting to be collected.
    pub ready: u64,
    /// Echo requests sent.
    pub packets_sent: u64,
    /// ICMP packets that reached the sockets of the process and belonged to no open probe.
    pub packets_foreign: u64,
    /// Workers that are there, and those given up.
    pub workers: u32,
    /// Workers given up because they did not come back.
    pub workers_abandoned: u32,
    /// Echo requests that could not leave when they were due, because this machine had no room (send
    /// buffer, neighbour table); each is tried again and counts in packets_sent when it has left.
    pub packets_not_sent: u64,
    /// Errors about earlier packets that were taken out of the queues of the sockets. Counted for the
    /// process since this pool began to probe, like packets_foreign and the next two.
    pub errors_drained: u64,
    /// Times at which a receive buffer was seen to have overflowed.
    pub buffer_overflows: u64,
    /// Turns of the engine that came late: the process, or the machine, stood still.
    pub late_turns: u64,
    /// Look-ups of names and addresses under way.
    pub lookups_open: u32,
    /// 0.
    pub reserved: u32,
}

/// The one answer to a job.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_completion {
    /// As submitted.
    pub user_data: u64,
    /// Index within the target: address index x number of ports + port index.
    pub index: u64,
    /// Jobs answered, from `index` on: 1; more only with RR_OUTCOME_NOT_STARTED.
    pub jobs: u64,
    /// Wall clock at the end, nanoseconds since 1970-01-01 UTC.
    pub finished_unix_ns: i64,
    /// From begin to end in nanoseconds.
    pub duration_ns: u64,
    /// Round trip of the last answer in nanoseconds; -1 where there was none, like the next four.
    pub rtt_last_ns: i64,
    /// Shortest.
    pub rtt_min_ns: i64,
    /// Mean.
    pub rtt_mean_ns: i64,
    /// Longest.
    pub rtt_max_ns: i64,
    /// Standard deviation.
    pub rtt_deviation_ns: i64,
    /// Network byte order; IPv4 in the first four; all zero where there is none.
    pub address: [u8; 16],
    /// RR_KIND_*.
    pub kind: u32,
    /// RR_OUTCOME_*.
    pub outcome: u32,
    /// Raw error number of the system or its resolver; 0 where there is none.
    pub os_error: i32,
    /// IPv6 scope id; 0 elsewhere.
    pub scope_id: u32,
    /// Attempts sent.
    pub sent: u32,
    /// Attempts answered.
    pub received: u32,
    /// Further answers to attempts already answered; -1 where the system hides them.
    pub duplicates: i32,
    /// For calls: the worker's number, from 1; else 0.
    pub worker: u32,
    /// The host's name in the text buffer; length 0 where there is none.
    pub host_name_offset: u32,
    /// See host_name_offset.
    pub host_name_length: u32,
    /// All addresses of the host, separated by one space each.
    pub addresses_offset: u32,
    /// See addresses_offset.
    pub addresses_length: u32,
    /// One sentence for people on what happened; length 0 where the outcome says it all.
    pub detail_offset: u32,
    /// See detail_offset.
    pub detail_length: u32,
    /// 4, 6, or 0 where there is no address.
    pub family: u16,
    /// TCP port; 0 elsewhere.
    pub port: u16,
    /// Time to live of the last reply; -1 where unknown.
    pub ttl: i16,
    /// 0.
    pub reserved: u16,
    /// Who answered, where the reply came from another address than the one asked; as `address`.
    pub answered_from: [u8; 16],
    /// IPv6 scope id of answered_from; 0 elsewhere.
    pub answered_from_scope_id: u32,
    /// 4, 6, or 0 where the address asked has answered, or nobody.
    pub answered_from_family: u16,
    /// 0.
    pub reserved_too: u16,
}

/// A call taken by a worker.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rr_call {
    /// sizeof(rr_call) as the caller knows it.
    pub struct_size: u32,
    /// The worker's number in its pool, from 1.
    pub worker_number: u32,
    /// As submitted.
    pub user_data: u64,
}

macro_rules! assert_size {
    ($type:ty, $size:expr) => {
        const _: [(); $size] = [(); std::mem::size_of::<$type>()];
    };
}

assert_size!(rr_pool_options, 72);
assert_size!(rr_probe_options, 48);
assert_size!(rr_target, 32);
assert_size!(rr_pool_counts, 104);
assert_size!(rr_completion, 184);
assert_size!(rr_call, 16);
