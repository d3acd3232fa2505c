//! The words between `call::state` and the rest of `call`: what happened, and what is to be done.

use crate::outcome::{Detail, Outcome};

/// What a pool may use; fixed from its start.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rules {
    /// Workers at most, those given up not counted.
    pub max_workers: u32,
    /// Processors this process may use.
    pub cores: u32,
    /// Nanoseconds a job may take from its start; `u64::MAX` where there is no limit.
    pub job_limit: u64,
    /// Threads of given-up workers from which on none is replaced any more; see [`abandoned_limit`].
    pub abandoned_limit: u32,
}

/// As many given-up workers are replaced at a time, for a pool of so many workers: a callback that
/// never returns keeps its thread and stack, and without a bound each job limit would add a set.
pub const fn abandoned_limit(max_workers: u32) -> u32 {
    let four_sets = max_workers.saturating_mul(4);
    if four_sets > 256 {
        four_sets
    } else {
        256
    }
}

/// How far a pool has come; it only goes forward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lifecycle {
    /// Jobs may come.
    Open,
    /// Every unfinished job is being ended.
    Cancelled,
    /// The workers leave, too.
    Closed,
}

/// Names a worker. The slot is used again when its thread has come back; the number, from 1, is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WorkerId {
    /// Index among the workers whose threads are out.
    pub slot: usize,
    /// The number people see.
    pub number: u32,
}

/// Nanoseconds so far, each from a start of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Times {
    /// Processor time of the process.
    pub process: u64,
    /// Processor time of those of its threads that are no workers of this pool.
    pub elsewhere: u64,
    /// Time in which the host's runtime kept all its threads stopped.
    pub paused: u64,
}

impl Times {
    /// What passed since `before`.
    pub fn since(self, before: Times) -> Times {
        Times {
            process: self.process.saturating_sub(before.process),
            elsewhere: self.elsewhere.saturating_sub(before.elsewhere),
            paused: self.paused.saturating_sub(before.paused),
        }
    }
}

/// Clocks, read at one time.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Of the process as a whole.
    pub times: Times,
    /// Nanoseconds that the reading took.
    pub took: u64,
    /// Processor times of the threads of workers that have a job or make themselves ready, by slot:
    /// of those whose clock can be read and that do not just wait for a processor.
    pub workers: &'a [(WorkerId, u64)],
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Jobs are about to come: open the first worker.
    Start,
    /// The caller submitted these jobs, at most [`State::room`].
    Submit(&'a [u64]),
    /// End every unfinished job.
    Cancel,
    /// End everything.
    Close,
    /// The thread of a worker could not be made.
    NotOpened(WorkerId),
    /// A worker's thread is there and asks whether to enter its callback.
    Begin(WorkerId),
    /// A worker is open; what it does before it asks for a job makes it ready.
    Opened(WorkerId),
    /// A worker asks for a job.
    Next(WorkerId),
    /// A worker reports its job as ended.
    Finish(WorkerId, Outcome),
    /// A worker's callback has come back, whatever the reason.
    Returned(WorkerId),
    /// Clocks were read.
    Sample(Sample<'a>),
    /// Time has passed.
    Tick,
}

/// The answer to the worker an event came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Response {
    /// Go on.
    Done,
    /// Work on this job.
    Take(u64),
    /// Sleep until woken, then ask again.
    Park,
    /// Leave: given up, or the pool is closed.
    Leave,
    /// Refused: there is no job to finish.
    NothingTaken,
    /// Refused: the job taken before is not finished.
    NotFinished,
}

/// Something to carry out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Make a thread for this worker.
    Open(WorkerId),
    /// Wake this parked worker.
    Wake(WorkerId),
    /// Ask the host to end this job of this worker.
    Stop(WorkerId, u64),
    /// A job has ended.
    Complete(JobResult),
}

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobResult {
    /// The job.
    pub job: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The worker's number; 0 where the job never began.
    pub worker: u32,
    /// Nanoseconds from its start; 0 where the job never began.
    pub duration: u64,
    /// What more can be said.
    pub detail: Detail,
}
