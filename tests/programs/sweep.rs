//! A sweep from the command line, over the functions of the C interface and nothing else: what
//! the engine does without PowerShell. The network tests run it inside network namespaces, the
//! benches run it as "the engine alone". Everything happens on the main thread.
//!
//! Output is for programs: one line per completion, fields `key=value` separated by tabs, in the
//! order in which the jobs finish; then one line `total`. Exit code 0: every target was swept,
//! whatever came out; 1: the engine refused, with a line `error`; 2: wrong arguments.

use rust_runspaces::ffi::pool::*;
use rust_runspaces::ffi::types::*;
use rust_runspaces::ffi::{rr_abi_version, rr_status_message};
use std::ffi::CStr;
use std::io::{self, BufWriter, Write};
use std::mem::size_of;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;

const USAGE: &str = "usage: sweep [--count N] [--interval MS] [--timeout MS] [--size BYTES] \
[--hops N] [--rate PACKETS_PER_SECOND] [--statistics] [--resolve] [--tcp PORT,PORT] [--ipv4 | --ipv6] \
[--run-limit MS] [--quiet] TARGET... (or @FILE, one target a line)";

/// Completions taken by one rr_pool_collect.
const COLLECT_AT_ONCE: usize = 4096;

/// The command line.
struct Arguments {
    probes: rr_probe_options,
    ports: Vec<u16>,
    packets_per_second: u32,
    run_limit_ms: u64,
    quiet: bool,
    targets: Vec<String>,
}

fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{} needs a value", option))?;
    value.parse().map_err(|_| format!("{} does not take {}", option, value))
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        probes: rr_probe_options {
            struct_size: size_of::<rr_probe_options>() as u32,
            kind: RR_KIND_ECHO,
            flags: 0,
            count: 0,
            interval_ms: 0,
            reply_timeout_ms: 0,
            payload_size: 32,
            hops: 0,
            family: 0,
            port_count: 0,
            ports: std::ptr::null(),
        },
        ports: Vec::new(),
        packets_per_second: 0,
        run_limit_ms: 0,
        quiet: false,
        targets: Vec::new(),
    };
    while let Some(argument) = given.next() {
        let probes = &mut arguments.probes;
        match argument.as_str() {
            "--count" => probes.count = number("--count", given.next())?,
            "--interval" => probes.interval_ms = number("--interval", given.next())?,
            "--timeout" => probes.reply_timeout_ms = number("--timeout", given.next())?,
            "--size" => probes.payload_size = number("--size", given.next())?,
            "--hops" => probes.hops = number("--hops", given.next())?,
            "--rate" => arguments.packets_per_second = number("--rate", given.next())?,
            "--run-limit" => arguments.run_limit_ms = number("--run-limit", given.next())?,
            "--statistics" => probes.flags |= RR_PROBE_STATISTICS,
            "--resolve" => probes.flags |= RR_PROBE_RESOLVE,
            "--ipv4" => probes.family = 4,
            "--ipv6" => probes.family = 6,
            "--quiet" => arguments.quiet = true,
            "--tcp" => {
                let list: String = number("--tcp", given.next())?;
                for port in list.split(',') {
                    arguments.ports.push(number("--tcp", Some(port.to_string()))?);
                }
            }
            option if option.starts_with("--") => return Err(format!("unknown: {}", option)),
            target => match target.strip_prefix('@') {
                Some(file) => {
                    let text =
                        std::fs::read_to_string(file).map_err(|e| format!("{}: {}", file, e))?;
                    arguments.targets.extend(text.lines().map(str::to_string));
                }
                None => arguments.targets.push(target.to_string()),
            },
        }
    }
    if arguments.targets.is_empty() {
        return Err("no targets".to_string());
    }
    if !arguments.ports.is_empty() {
        arguments.probes.kind = RR_KIND_CONNECT;
        arguments.probes.payload_size = 0;
    }
    Ok(arguments)
}

/// A call that the engine refused.
struct Refused {
    call: &'static str,
    status: rr_status,
}

fn check(call: &'static str, status: rr_status) -> Result<rr_status, Refused> {
    if status < 0 {
        Err(Refused { call, status })
    } else {
        Ok(status)
    }
}

fn message(status: rr_status) -> String {
    // SAFETY: static, NUL-terminated and never NULL, as the function promises.
    unsafe { CStr::from_ptr(rr_status_message(status)) }.to_string_lossy().into_owned()
}

fn outcome_name(outcome: u32) -> &'static str {
    match outcome {
        RR_OUTCOME_SUCCESS => "Success",
        RR_OUTCOME_REFUSED => "Refused",
        RR_OUTCOME_TIMED_OUT => "TimedOut",
        RR_OUTCOME_NAME_NOT_FOUND => "NameNotFound",
        RR_OUTCOME_NAME_LOOKUP_TIMED_OUT => "NameLookupTimedOut",
        RR_OUTCOME_UNKNOWN => "Unknown",
        RR_OUTCOME_PERMISSION_DENIED => "PermissionDenied",
        RR_OUTCOME_FAILED => "Failed",
        RR_OUTCOME_STOPPED => "Stopped",
        RR_OUTCOME_NOT_STARTED => "NotStarted",
        RR_OUTCOME_DESTINATION_NETWORK_UNREACHABLE => "DestinationNetworkUnreachable",
        RR_OUTCOME_DESTINATION_HOST_UNREACHABLE => "DestinationHostUnreachable",
        RR_OUTCOME_DESTINATION_PROTOCOL_UNREACHABLE => "DestinationProtocolUnreachable",
        RR_OUTCOME_DESTINATION_PORT_UNREACHABLE => "DestinationPortUnreachable",
        RR_OUTCOME_DESTINATION_PROHIBITED => "DestinationProhibited",
        RR_OUTCOME_DESTINATION_UNREACHABLE => "DestinationUnreachable",
        RR_OUTCOME_DESTINATION_SCOPE_MISMATCH => "DestinationScopeMismatch",
        RR_OUTCOME_PACKET_TOO_BIG => "PacketTooBig",
        RR_OUTCOME_TTL_EXPIRED => "TtlExpired",
        RR_OUTCOME_TTL_REASSEMBLY_TIME_EXCEEDED => "TtlReassemblyTimeExceeded",
        RR_OUTCOME_TIME_EXCEEDED => "TimeExceeded",
        RR_OUTCOME_PARAMETER_PROBLEM => "ParameterProblem",
        RR_OUTCOME_BAD_HEADER => "BadHeader",
        RR_OUTCOME_UNRECOGNIZED_NEXT_HEADER => "UnrecognizedNextHeader",
        RR_OUTCOME_BAD_OPTION => "BadOption",
        RR_OUTCOME_BAD_ROUTE => "BadRoute",
        RR_OUTCOME_BAD_DESTINATION => "BadDestination",
        RR_OUTCOME_SOURCE_QUENCH => "SourceQuench",
        RR_OUTCOME_NO_RESOURCES => "NoResources",
        RR_OUTCOME_HARDWARE_ERROR => "HardwareError",
        RR_OUTCOME_ICMP_ERROR => "IcmpError",
        _ => "?",
    }
}

fn address(completion: &rr_completion) -> String {
    let bytes = completion.address;
    match completion.family {
        4 => Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).to_string(),
        6 if completion.scope_id == 0 => Ipv6Addr::from(bytes).to_string(),
        6 => format!("{}%{}", Ipv6Addr::from(bytes), completion.scope_id),
        _ => String::new(),
    }
}

fn write_completion(
    out: &mut dyn Write,
    target: &str,
    completion: &rr_completion,
    text: &[u8],
) -> io::Result<()> {
    let part = |offset: u32, length: u32| {
        String::from_utf8_lossy(&text[offset as usize..][..length as usize]).into_owned()
    };
    writeln!(
        out,
        "target={}\tindex={}\tjobs={}\taddress={}\tport={}\toutcome={}\tos_error={}\tsent={}\t\
         received={}\tduplicates={}\trtt_ns={}\trtt_min_ns={}\trtt_mean_ns={}\trtt_max_ns={}\t\
         rtt_deviation_ns={}\tttl={}\tduration_ns={}\thost_name={}\taddresses={}\tdetail={}",
        target,
        completion.index,
        completion.jobs,
        address(completion),
        completion.port,
        outcome_name(completion.outcome),
        completion.os_error,
        completion.sent,
        completion.received,
        completion.duplicates,
        completion.rtt_last_ns,
        completion.rtt_min_ns,
        completion.rtt_mean_ns,
        completion.rtt_max_ns,
        completion.rtt_deviation_ns,
        completion.ttl,
        completion.duration_ns,
        part(completion.host_name_offset, completion.host_name_length),
        part(completion.addresses_offset, completion.addresses_length),
        part(completion.detail_offset, completion.detail_length),
    )
}

/// What the line `total` says.
#[derive(Default)]
struct Totals {
    jobs: u64,
    success: u64,
    refused: u64,
    timed_out: u64,
    sent: u64,
    received: u64,
}

impl Totals {
    fn add(&mut self, completion: &rr_completion) {
        self.jobs += completion.jobs;
        self.sent += u64::from(completion.sent);
        self.received += u64::from(completion.received);
        match completion.outcome {
            RR_OUTCOME_SUCCESS => self.success += 1,
            RR_OUTCOME_REFUSED => self.refused += 1,
            RR_OUTCOME_TIMED_OUT => self.timed_out += 1,
            _ => {}
        }
    }
}

/// The texts of all targets end to end, and where each lies.
fn target_list(targets: &[String]) -> (Vec<u8>, Vec<rr_target>) {
    let mut text = Vec::new();
    let mut list = Vec::with_capacity(targets.len());
    for (number, target) in targets.iter().enumerate() {
        list.push(rr_target {
            user_data: number as u64,
            text_offset: text.len() as u32,
            text_length: target.len() as u32,
            status: 0,
            flags: 0,
            jobs: 0,
        });
        text.extend_from_slice(target.as_bytes());
    }
    (text, list)
}

/// Submits from `targets[0]` on as many as the pool takes; their number.
fn submit(
    pool: rr_pool,
    probes: &rr_probe_options,
    targets: &mut [rr_target],
    text: &[u8],
) -> Result<usize, Refused> {
    let mut taken = 0;
    // SAFETY: the pointers are those of live slices, and the numbers are their lengths.
    let status = unsafe {
        rr_pool_submit_probes(
            pool,
            probes,
            targets.as_mut_ptr(),
            targets.len(),
            size_of::<rr_target>(),
            text.as_ptr(),
            text.len(),
            &mut taken,
        )
    };
    match check("rr_pool_submit_probes", status)? {
        // Cancelled by the run limit: the rest is not wanted any more.
        RR_STATUS_CLOSED => Ok(targets.len()),
        _ => Ok(taken),
    }
}

/// Submits, polls and collects until every job has its completion; `start` is when it all began.
fn sweep(
    pool: rr_pool,
    arguments: &Arguments,
    start: Instant,
    out: &mut dyn Write,
) -> Result<(), Refused> {
    let (text, mut targets) = target_list(&arguments.targets);
    let probes = rr_probe_options {
        port_count: arguments.ports.len() as u32,
        ports: arguments.ports.as_ptr(),
        ..arguments.probes
    };
    // SAFETY: all fields are numbers, for which zero is a value.
    let mut completions: Vec<rr_completion> = vec![unsafe { std::mem::zeroed() }; COLLECT_AT_ONCE];
    let mut texts = vec![0; 256 * 1024];
    // SAFETY: as above.
    let mut counts: rr_pool_counts = unsafe { std::mem::zeroed() };
    counts.struct_size = size_of::<rr_pool_counts>() as u32;
    let mut totals = Totals::default();
    // The most at any poll.
    let mut lookups_open = 0;
    let mut submitted = 0;
    let mut invalid = 0;
    let mut input_open = true;
    loop {
        if input_open {
            let taken = submit(pool, &probes, &mut targets[submitted..], &text)?;
            for target in &targets[submitted..submitted + taken] {
                if target.status < 0 {
                    invalid += 1;
                    let name = &arguments.targets[target.user_data as usize];
                    let said = message(target.status);
                    writeln!(
                        out,
                        "invalid\ttarget={}\tstatus={}\tmessage={}",
                        name, target.status, said
                    )
                    .expect("stdout");
                }
            }
            submitted += taken;
            if submitted == targets.len() {
                check("rr_pool_close_input", rr_pool_close_input(pool))?;
                input_open = false;
            }
        }
        // SAFETY: `counts` is writable and has its size set.
        let polled = check("rr_pool_poll", unsafe { rr_pool_poll(pool, u64::MAX, &mut counts) })?;
        if polled == RR_STATUS_CLOSED {
            break;
        }
        lookups_open = lookups_open.max(counts.lookups_open);
        collect_all(pool, &mut completions, &mut texts, &mut |completion, texts| {
            totals.add(completion);
            if !arguments.quiet {
                let target = &arguments.targets[completion.user_data as usize];
                write_completion(out, target, completion, texts).expect("stdout");
            }
        })?;
    }
    writeln!(
        out,
        "total\tjobs={}\tsuccess={}\trefused={}\ttimed_out={}\tinvalid={}\tsent={}\treceived={}\t\
         packets_sent={}\tpackets_foreign={}\tpackets_not_sent={}\terrors_drained={}\t\
         buffer_overflows={}\tlate_turns={}\tlookups_open={}\telapsed_ns={}",
        totals.jobs,
        totals.success,
        totals.refused,
        totals.timed_out,
        invalid,
        totals.sent,
        totals.received,
        counts.packets_sent,
        counts.packets_foreign,
        counts.packets_not_sent,
        counts.errors_drained,
        counts.buffer_overflows,
        counts.late_turns,
        lookups_open,
        start.elapsed().as_nanos(),
    )
    .expect("stdout");
    Ok(())
}

/// Hands every completion that is ready to `each`, together with the texts it refers to.
fn collect_all(
    pool: rr_pool,
    completions: &mut [rr_completion],
    texts: &mut Vec<u8>,
    each: &mut dyn FnMut(&rr_completion, &[u8]),
) -> Result<(), Refused> {
    loop {
        let mut count = 0;
        let mut text_length = 0;
        // SAFETY: the pointers are those of live slices, and the numbers are their lengths.
        let status = unsafe {
            rr_pool_collect(
                pool,
                completions.as_mut_ptr(),
                completions.len(),
                size_of::<rr_completion>(),
                texts.as_mut_ptr(),
                texts.len(),
                &mut count,
                &mut text_length,
            )
        };
        if status == RR_STATUS_BUFFER_TOO_SMALL {
            texts.resize(text_length, 0);
            continue;
        }
        check("rr_pool_collect", status)?;
        if count == 0 {
            return Ok(());
        }
        for completion in &completions[..count] {
            each(completion, texts);
        }
    }
}

fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Refused> {
    let options = rr_pool_options {
        struct_size: size_of::<rr_pool_options>() as u32,
        max_workers: 0,
        packets_per_second: arguments.packets_per_second,
        apartment: RR_APARTMENT_NONE,
        run_limit_ms: arguments.run_limit_ms,
        job_limit_ms: 0,
        run: None,
        stop: None,
        release: None,
        context: std::ptr::null_mut(),
        paused: None,
    };
    let start = Instant::now();
    let mut pool = 0;
    // SAFETY: both point to live values.
    check("rr_pool_open", unsafe { rr_pool_open(&options, &mut pool) })?;
    let swept = sweep(pool, arguments, start, out);
    // SAFETY: NULL is allowed.
    let closed = check("rr_pool_close", unsafe { rr_pool_close(pool, std::ptr::null_mut()) });
    swept.and(closed.map(|_| ()))
}

fn main() {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("sweep: {}\n{}", wrong, USAGE);
            std::process::exit(2);
        }
    };
    assert_eq!(rr_abi_version(), RR_ABI_VERSION);
    let mut out = BufWriter::with_capacity(256 * 1024, io::stdout());
    let result = run(&arguments, &mut out);
    if let Err(refused) = &result {
        let Refused { call, status } = refused;
        writeln!(out, "error\tcall={}\tstatus={}\tmessage={}", call, status, message(*status))
            .expect("stdout");
    }
    out.flush().expect("stdout");
    std::process::exit(i32::from(result.is_err()));
}
