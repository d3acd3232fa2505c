//! Runs the program `sweep` over a crowd and keeps of each line what is compared with the truth:
//! a million lines do not fit into maps of strings.

use crate::lab::Namespace;
use crate::sweep::program;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the engine said of a host.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// An index into [`Verdicts::states`].
    state: u8,
    pub sent: u8,
    pub received: u8,
    /// -1 where they are not told.
    pub duplicates: i32,
    pub rtt_ns: i64,
}

#[derive(Default)]
pub struct Verdicts {
    states: Vec<String>,
    pub hosts: HashMap<IpAddr, Verdict>,
    /// Hosts with more than one completion.
    pub repeated: Vec<IpAddr>,
    pub totals: HashMap<String, u64>,
    /// The most memory the process ever had, in KiB.
    pub peak_kib: u64,
}

impl Verdicts {
    pub fn state(&self, verdict: &Verdict) -> &str {
        &self.states[usize::from(verdict.state)]
    }

    pub fn total(&self, name: &str) -> u64 {
        *self.totals.get(name).unwrap_or_else(|| panic!("no total {}: {:?}", name, self.totals))
    }

    /// How many hosts have which state.
    pub fn counts(&self) -> Vec<(&str, usize)> {
        let mut counts = vec![0; self.states.len()];
        for verdict in self.hosts.values() {
            counts[usize::from(verdict.state)] += 1;
        }
        self.states.iter().map(String::as_str).zip(counts).collect()
    }

    fn read(&mut self, line: &str) {
        let mut fields = line.split('\t');
        let total = line.starts_with("total\t");
        assert!(total || line.starts_with("target="), "{}", line);
        let mut verdict = Verdict { state: 0, sent: 0, received: 0, duplicates: 0, rtt_ns: -1 };
        let mut address = None;
        for (name, value) in fields.by_ref().filter_map(|field| field.split_once('=')) {
            if total {
                if let Ok(value) = value.parse() {
                    self.totals.insert(name.to_string(), value);
                }
                continue;
            }
            match name {
                "address" => address = value.parse().ok(),
                "sent" => verdict.sent = value.parse().expect("a number"),
                "received" => verdict.received = value.parse().expect("a number"),
                "duplicates" => verdict.duplicates = value.parse().expect("a number"),
                "rtt_ns" => verdict.rtt_ns = value.parse().expect("a number"),
                "outcome" => {
                    let known = self.states.iter().position(|state| state == value);
                    verdict.state = known.unwrap_or_else(|| {
                        self.states.push(value.to_string());
                        self.states.len() - 1
                    }) as u8;
                }
                _ => {}
            }
        }
        if !total {
            let address = address.unwrap_or_else(|| panic!("no address: {}", line));
            if self.hosts.insert(address, verdict).is_some() {
                self.repeated.push(address);
            }
        }
    }
}

/// The most memory that a process ever had, in KiB. (What wait4 tells begins with that of its parent.)
fn peak_of(process: libc::pid_t) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// A sweep under way.
pub struct Sweep {
    child: Child,
    reading: JoinHandle<Verdicts>,
    ended: Sender<()>,
    guard: JoinHandle<()>,
}

impl Sweep {
    /// Starts the program; it is killed, and the test fails, after `longest`.
    pub fn start(namespace: &Namespace, arguments: &str, longest: Duration) -> Sweep {
        Sweep::run(namespace.command(program()), arguments, longest)
    }

    /// The same by a command that runs the program.
    pub fn run(mut command: Command, arguments: &str, longest: Duration) -> Sweep {
        command.args(arguments.split_whitespace()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{:?}: {}", command, e));
        let process = child.id() as libc::pid_t;
        let output = BufReader::with_capacity(1 << 20, child.stdout.take().expect("piped"));
        let reading = std::thread::spawn(move || {
            let mut verdicts = Verdicts::default();
            for (number, line) in output.lines().enumerate() {
                verdicts.read(&line.expect("text"));
                if number % 1024 == 0 {
                    verdicts.peak_kib = peak_of(process).unwrap_or(verdicts.peak_kib);
                }
            }
            verdicts
        });
        let (ended, end) = channel::<()>();
        let guard = std::thread::spawn(move || {
            if end.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                // SAFETY: `ended` still lives, so nobody has waited for the child yet.
                unsafe { libc::kill(process, libc::SIGKILL) };
            }
        });
        Sweep { child, reading, ended, guard }
    }

    pub fn is_over(&self) -> bool {
        self.reading.is_finished()
    }

    /// Stops or continues the whole process.
    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: a child that nobody has waited for yet: the number is still its own.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Verdicts {
        let verdicts = self.reading.join().expect("the reader's own panic is above");
        let status = self.child.wait().expect("our child");
        drop(self.ended);
        self.guard.join().expect("the guard only waits");
        assert!(status.success(), "the sweep hung or failed: {}", status);
        verdicts
    }
}
