//! Runs the program `sweep` over a crowd and keeps of each line what is compared with the truth:
//! a million lines do not fit into maps of strings.

use crate::lab::go_first;
use crate::sweep::Running;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::Command;
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
    /// How long one of its threads waited for a core, in all, in nanoseconds.
    pub waited: u64,
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
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// How long the thread that has waited longest for a core has waited, in nanoseconds.
fn waited_by(process: u32) -> Option<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process)).ok()?;
    let told = tasks.flatten().filter_map(|task| {
        // Time on a core, time in wait for one, how often.
        let figures = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        figures.split(' ').nth(1)?.parse().ok()
    });
    told.max()
}

/// A sweep under way.
pub struct Sweep {
    pub running: Running,
    reading: JoinHandle<Verdicts>,
}

impl Sweep {
    /// Starts `command`, which runs the program.
    pub fn start(mut command: Command, arguments: &str) -> Sweep {
        command.args(arguments.split_whitespace());
        let mut running = Running::start(command);
        let process = running.id();
        let output = BufReader::with_capacity(1 << 20, running.output());
        let reading = std::thread::spawn(move || {
            go_first(1);
            let mut verdicts = Verdicts::default();
            for (number, line) in output.lines().enumerate() {
                verdicts.read(&line.expect("text"));
                if number % 1024 == 0 {
                    verdicts.peak_kib = peak_of(process).unwrap_or(verdicts.peak_kib);
                    verdicts.waited = waited_by(process).unwrap_or(verdicts.waited);
                }
            }
            verdicts
        });
        Sweep { running, reading }
    }

    pub fn is_over(&self) -> bool {
        self.reading.is_finished()
    }

    /// Waits for the end, so long at most.
    pub fn finish(self, longest: Duration) -> Verdicts {
        self.running.finish_within(longest);
        self.reading.join().expect("the reader's own panic is above")
    }
}
