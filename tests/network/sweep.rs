//! Runs the program `sweep` inside a namespace and reads its lines.

use crate::lab::Namespace;
use once_cell::sync::Lazy;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::Duration;

/// Milliseconds to wait for a reply in tests.
pub const TIMEOUT: &str = "200";

/// No sweep of these tests takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// One line: its fields by name.
#[derive(Debug)]
pub struct Line(HashMap<String, String>);

impl Line {
    fn parse(line: &str) -> Line {
        let fields = line.split('\t').filter_map(|field| field.split_once('='));
        Line(fields.map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// A field as it stands there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no field {} in {:?}", name, self))
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> i64 {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| panic!("field {} is {}", name, text))
    }

    /// The name of the outcome.
    pub fn outcome(&self) -> &str {
        self.text("outcome")
    }

    /// The round trip in milliseconds.
    pub fn rtt_ms(&self) -> f64 {
        self.number("rtt_ns") as f64 / 1e6
    }

    /// From the job's begin to its end in milliseconds.
    pub fn duration_ms(&self) -> f64 {
        self.number("duration_ns") as f64 / 1e6
    }
}

/// What a sweep printed.
#[derive(Debug)]
pub struct Swept {
    /// One line per completion.
    pub jobs: Vec<Line>,
    /// The targets refused.
    pub invalid: Vec<Line>,
    /// What the engine refused to do.
    pub error: Option<Line>,
    /// The totals; none after an error.
    pub total: Option<Line>,
}

impl Swept {
    fn parse(output: &str) -> Swept {
        let mut swept = Swept { jobs: vec![], invalid: vec![], error: None, total: None };
        for line in output.lines() {
            let parsed = Line::parse(line);
            match line.split('\t').next() {
                Some("total") => swept.total = Some(parsed),
                Some("error") => swept.error = Some(parsed),
                Some("invalid") => swept.invalid.push(parsed),
                _ => swept.jobs.push(parsed),
            }
        }
        swept
    }

    /// The only job of `target`.
    pub fn of(&self, target: &str) -> &Line {
        let mut jobs = self.jobs.iter().filter(|job| job.text("target") == target);
        let job = jobs.next().unwrap_or_else(|| panic!("no job of {} in {:?}", target, self));
        assert!(jobs.next().is_none(), "more than one job of {}", target);
        job
    }

    /// How many jobs ended how.
    pub fn outcomes(&self) -> BTreeMap<&str, usize> {
        let mut outcomes = BTreeMap::new();
        for job in &self.jobs {
            *outcomes.entry(job.outcome()).or_insert(0) += 1;
        }
        outcomes
    }

    /// Asserts that all of `count` jobs ended as `outcome`.
    pub fn assert_all(&self, count: usize, outcome: &str) {
        assert_eq!(self.outcomes(), BTreeMap::from([(outcome, count)]), "{:?}", self.error);
    }
}

/// Cargo builds examples only where no test is named on its command line: so the tests have theirs
/// built, which is no work where it is there already.
static PROGRAM: Lazy<PathBuf> = Lazy::new(|| {
    let test = std::env::current_exe().expect("the path of this program");
    // <target folder>/<profile>/deps/<this program>
    let profile = test.ancestors().nth(2).expect("a folder of cargo's");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--example", "sweep"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("the target folder"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.output().unwrap_or_else(|error| panic!("{:?}: {}", cargo, error));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    profile.join("examples/sweep")
});

/// The path of the program.
pub fn program() -> &'static str {
    PROGRAM.to_str().expect("a path in UTF-8")
}

/// A running sweep.
pub struct Running(Child);

impl Running {
    /// Runs `command`, which runs the program.
    pub fn start(mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().unwrap_or_else(|error| panic!("{:?}: {}", command, error)))
    }

    /// The process; `ip netns exec` becomes the program, it does not start another.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Stops or continues the whole process.
    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: a child that nobody has waited for yet: the number is still its own.
        let sent = unsafe { libc::kill(self.0.id() as libc::pid_t, signal) };
        assert_eq!(sent, 0, "kill: {}", std::io::Error::last_os_error());
    }

    /// Ends it at once, as nothing can be caught; whatever it has said is of no interest.
    pub fn kill(mut self) {
        self.0.kill().expect("our child");
        self.0.wait().expect("our child");
    }

    /// Waits for the end.
    pub fn finish(self) -> Swept {
        Swept::parse(&self.finish_within(LONGEST))
    }

    /// What it prints, for one who reads while it runs.
    pub fn output(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("piped, and taken once")
    }

    /// Waits for the end; what nobody has read. A sweep that hangs is killed and fails its test.
    pub fn finish_within(self, longest: Duration) -> String {
        let process = self.id() as libc::pid_t;
        let (ended, end) = channel::<()>();
        let guard = std::thread::spawn(move || {
            if end.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                // SAFETY: `ended` still lives, so nobody has waited for the child yet.
                unsafe { libc::kill(process, libc::SIGKILL) };
            }
        });
        let output = self.0.wait_with_output().expect("our child");
        drop(ended);
        guard.join().expect("the guard only waits");
        assert!(output.status.code().is_some(), "the sweep hung or crashed: {}", output.status);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "sweep: {}", said);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Starts a sweep in `namespace`; `arguments` are separated by spaces.
pub fn start(namespace: &Namespace, arguments: &str) -> Running {
    let mut command = namespace.command(program());
    command.args(["--timeout", TIMEOUT]).args(arguments.split_whitespace());
    Running::start(command)
}

/// Runs a sweep in `namespace` to its end.
pub fn sweep(namespace: &Namespace, arguments: &str) -> Swept {
    start(namespace, arguments).finish()
}
