//! The targets of one pool that are not begun yet, as ranges of job numbers: nothing is expanded
//! before its turn. Echo and connect jobs wait in lanes of their own, so that neither blocks the
//! other; on-link jobs that find their window full are set aside, so that they delay no other host.

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

    /// Whether a job asks for the name of its address. Names come with the first port of an
    /// address: the host is looked up once.
    pub fn wants_reverse(&self, job: u64) -> bool {
        self.options.resolve
            && self.begins_with_probe()
            && job % self.options.jobs_per_address() == 0
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

    /// The lane its jobs wait in.
    pub fn lane(&self) -> Lane {
        match self.options.kind {
            Kind::Echo => Lane::Echo,
            Kind::Connect { .. } => Lane::Connect,
        }
    }
}

/// Consecutive jobs of one target.
pub struct JobRange {
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

/// Where jobs of a kind wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// ICMP echo.
    Echo,
    /// TCP connects.
    Connect,
}

/// What [`Feed::next_job`] found.
pub enum Next {
    /// A job to begin.
    Job(Job),
    /// An on-link job, set aside because its window is full; there may be more behind it.
    SetAside,
    /// None.
    Nothing,
}

/// Whether the on-link windows have room, IPv4 and IPv6.
pub type Room = [bool; 2];

#[derive(Default)]
struct Waiting {
    ranges: VecDeque<JobRange>,
    /// On-link jobs that found their family's window full.
    aside: [VecDeque<JobRange>; 2],
}

impl Waiting {
    /// The queue that the next job comes from.
    fn next_queue(&mut self, room: Room) -> (&mut VecDeque<JobRange>, bool) {
        for (aside, has_room) in self.aside.iter_mut().zip(room) {
            if has_room && !aside.is_empty() {
                return (aside, true);
            }
        }
        (&mut self.ranges, false)
    }
}

/// See the file's head.
#[derive(Default)]
pub struct Feed {
    lanes: [Waiting; 2],
    names: VecDeque<JobRange>,
}

impl Feed {
    /// Appends a whole target.
    pub fn push(&mut self, target: Target) {
        let range = JobRange { end: target.jobs(), next: 0, target: Arc::new(target) };
        match range.target.source {
            Source::Name(_) => self.names.push_back(range),
            _ => self.lanes[range.target.lane() as usize].ranges.push_back(range),
        }
    }

    /// Puts a looked-up name in front: its look-up has waited already.
    pub fn push_resolved(&mut self, range: JobRange) {
        self.lanes[range.target.lane() as usize].ranges.push_front(range);
    }

    /// The next name to look up.
    pub fn next_name(&mut self) -> Option<JobRange> {
        self.names.pop_front()
    }

    /// Whether names wait to be looked up.
    pub fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The next job of a lane. On-link jobs whose window has no room are set aside; where it has,
    /// those set aside come first.
    pub fn next_job(&mut self, lane: Lane, on_link: &OnLink, room: Room) -> Next {
        let waiting = &mut self.lanes[lane as usize];
        let (queue, was_aside) = waiting.next_queue(room);
        let (target, index, address) = match pop(queue) {
            Some(popped) => popped,
            None => return Next::Nothing,
        };
        let is_on_link = was_aside || on_link.contains(&address);
        let family = address.family();
        if !is_on_link || room[family.index()] {
            return Next::Job(Job { target, index, address, on_link: is_on_link });
        }
        set_aside(&mut waiting.aside[family.index()], target, index);
        Next::SetAside
    }

    /// The job that [`Feed::next_job`] would take: its target and its index.
    pub fn peek(&self, lane: Lane, room: Room) -> Option<(&Target, u64)> {
        let waiting = &self.lanes[lane as usize];
        let aside = waiting.aside.iter().zip(room).filter(|(_, has_room)| *has_room);
        let range = aside
            .filter_map(|(aside, _)| aside.front())
            .next()
            .or_else(|| waiting.ranges.front())?;
        Some((&range.target, range.next))
    }

    /// Takes out a range of jobs that were not begun, whatever it waits for.
    pub fn take_any(&mut self) -> Option<JobRange> {
        let lanes = self.lanes.iter_mut();
        let mut queues = lanes.flat_map(|lane| lane.aside.iter_mut().chain([&mut lane.ranges]));
        queues.find_map(VecDeque::pop_front).or_else(|| self.names.pop_front())
    }

    /// Whether the on-link jobs set aside are all that waits to be begun, are there at all, and
    /// are `places` at most.
    pub fn fits(&self, family: usize, places: usize) -> bool {
        let looked_at = self.names.is_empty() && self.lanes.iter().all(|it| it.ranges.is_empty());
        let aside = || self.lanes.iter().flat_map(|lane| &lane.aside[family]);
        if !looked_at || aside().take(places + 1).count() > places {
            return false;
        }
        let jobs: u64 = aside().map(|range| range.end - range.next).sum();
        jobs > 0 && jobs <= places as u64
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        let is_empty =
            |lane: &Waiting| lane.ranges.is_empty() && lane.aside.iter().all(VecDeque::is_empty);
        self.names.is_empty() && self.lanes.iter().all(is_empty)
    }
}

fn set_aside(aside: &mut VecDeque<JobRange>, target: Arc<Target>, index: u64) {
    if let Some(last) = aside.back_mut() {
        if Arc::ptr_eq(&last.target, &target) && last.end == index {
            last.end += 1;
            return;
        }
    }
    aside.push_back(JobRange { target, next: index, end: index + 1 });
}

fn pop(ranges: &mut VecDeque<JobRange>) -> Option<(Arc<Target>, u64, Address)> {
    let range = ranges.front_mut()?;
    let index = range.next;
    let address = range.target.address(index)?;
    range.next += 1;
    let target = Arc::clone(&range.target);
    if range.next == range.end {
        ranges.pop_front();
    }
    Some((target, index, address))
}
