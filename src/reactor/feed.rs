//! The targets of one pool that are not begun yet, as runs of job numbers: nothing is expanded
//! before its turn. On-link targets that find their window full are set aside, so that they delay
//! no other host.

use crate::address::Address;
use crate::outcome::Names;
use crate::probe::{Kind, ProbeOptions};
use crate::sys::OnLink;
use crate::targets::Span;
use std::collections::VecDeque;
use std::sync::Arc;

/// The addresses a target stands for.
pub enum Source {
    /// A literal, CIDR block or range.
    Span(Span),
    /// A name to be looked up.
    Name(Arc<str>),
    /// A name that has been looked up: its addresses in the resolver's order, never empty.
    Host(Arc<[Address]>, Option<Box<Names>>),
}

/// One target as submitted.
pub struct Target {
    /// The caller's number.
    pub user_data: u64,
    /// How it is probed.
    pub options: Arc<ProbeOptions>,
    /// What it stands for.
    pub source: Source,
}

impl Target {
    /// Jobs it becomes: addresses (a name counts as one) times ports.
    pub fn jobs(&self) -> u64 {
        let addresses = match &self.source {
            Source::Span(span) => span.len(),
            Source::Name(_) | Source::Host(..) => 1,
        };
        addresses * self.options.jobs_per_address()
    }

    /// Whether its jobs begin with the connect or the echo itself: those of a name have begun with
    /// its look-up.
    pub fn begins_with_probe(&self) -> bool {
        matches!(self.source, Source::Span(_))
    }

    /// The address of a job; `None` for names not looked up.
    pub fn address(&self, job: u64) -> Option<Address> {
        match &self.source {
            Source::Span(span) => Some(span.address(job / self.options.jobs_per_address())),
            Source::Name(_) => None,
            Source::Host(addresses, _) => addresses.first().copied(),
        }
    }

    /// The port of a job; 0 for echo.
    pub fn port(&self, job: u64) -> u16 {
        match &self.options.kind {
            Kind::Echo => 0,
            Kind::Connect { ports } => ports[(job % ports.len() as u64) as usize],
        }
    }
}

/// Consecutive jobs of one target that are not begun.
pub struct Run {
    /// The target.
    pub target: Arc<Target>,
    /// The first of the jobs.
    pub next: u64,
    /// Behind the last of the jobs.
    pub end: u64,
}

/// A job to begin.
pub struct Job {
    /// Its target.
    pub target: Arc<Target>,
    /// Its index within the target.
    pub index: u64,
    /// The (first) address.
    pub address: Address,
    /// Whether the address is on-link, and so needs a place in the window.
    pub on_link: bool,
}

/// On-link jobs set aside in one search at most; then the turn goes on.
const SEARCH_LIMIT: usize = 1024;

/// See the file's head.
#[derive(Default)]
pub struct Feed {
    runs: VecDeque<Run>,
    /// On-link jobs that found the window full.
    aside: VecDeque<Run>,
    names: VecDeque<Run>,
}

impl Feed {
    /// Appends a whole target.
    pub fn push(&mut self, target: Target) {
        let run = Run { end: target.jobs(), next: 0, target: Arc::new(target) };
        match run.target.source {
            Source::Name(_) => self.names.push_back(run),
            _ => self.runs.push_back(run),
        }
    }

    /// Puts a looked-up name in front: its look-up has waited already.
    pub fn push_resolved(&mut self, run: Run) {
        self.runs.push_front(run);
    }

    /// The next name to look up.
    pub fn next_name(&mut self) -> Option<Run> {
        self.names.pop_front()
    }

    /// The next job to begin. With `window_open` false on-link jobs are set aside; with it true,
    /// those set aside come first.
    pub fn next_job(&mut self, on_link: &OnLink, window_open: bool) -> Option<Job> {
        if window_open {
            if let Some((target, index, address)) = pop(&mut self.aside) {
                return Some(Job { target, index, address, on_link: true });
            }
        }
        for _ in 0..SEARCH_LIMIT {
            let (target, index, address) = pop(&mut self.runs)?;
            let is_on_link = on_link.contains(&address);
            if window_open || !is_on_link {
                return Some(Job { target, index, address, on_link: is_on_link });
            }
            self.set_aside(target, index);
        }
        None
    }

    fn set_aside(&mut self, target: Arc<Target>, index: u64) {
        if let Some(last) = self.aside.back_mut() {
            if Arc::ptr_eq(&last.target, &target) && last.end == index {
                last.end += 1;
                return;
            }
        }
        self.aside.push_back(Run { target, next: index, end: index + 1 });
    }

    /// What the next job probes, under the same rules as [`Feed::next_job`].
    pub fn kind_of_next(&self, window_open: bool) -> Option<&Kind> {
        let aside = if window_open { self.aside.front() } else { None };
        aside.or_else(|| self.runs.front()).map(|run| &run.target.options.kind)
    }

    /// Whether a job could be begun now: any not set aside, or one set aside and the window open.
    pub fn has_jobs(&self, window_open: bool) -> bool {
        !self.runs.is_empty() || (window_open && !self.aside.is_empty())
    }

    /// Takes out everything that was not begun.
    pub fn drain(&mut self) -> impl Iterator<Item = Run> + '_ {
        self.aside.drain(..).chain(self.runs.drain(..)).chain(self.names.drain(..))
    }
}

fn pop(runs: &mut VecDeque<Run>) -> Option<(Arc<Target>, u64, Address)> {
    let run = runs.front_mut()?;
    let index = run.next;
    let address = run.target.address(index)?;
    run.next += 1;
    let target = Arc::clone(&run.target);
    if run.next == run.end {
        runs.pop_front();
    }
    Some((target, index, address))
}
