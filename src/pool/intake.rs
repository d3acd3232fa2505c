//! Who may still submit. A submission is inside from its beginning to its end; the number of jobs is
//! final once the intake is closed and nobody is inside, and not before. So a poll that tells the end
//! asks here first and counts afterwards. Any thread; holds its lock for a few instructions only.

use crate::completions::Completions;
use crate::sync::lock;
use std::sync::Mutex;

/// See the file's head.
#[derive(Default)]
pub(super) struct Intake(Mutex<Gate>);

#[derive(Default)]
struct Gate {
    closed: bool,
    /// Submissions under way.
    inside: usize,
}

/// A submission under way; its jobs are counted before this is dropped.
pub(super) struct Submitting<'a> {
    intake: &'a Intake,
    /// Whose poller may be waiting for the last submission to end.
    completions: &'a Completions,
}

impl Intake {
    /// `None`: no more jobs are taken.
    pub fn enter<'a>(&'a self, completions: &'a Completions) -> Option<Submitting<'a>> {
        let mut gate = lock(&self.0);
        if gate.closed {
            return None;
        }
        gate.inside += 1;
        Some(Submitting { intake: self, completions })
    }

    /// From now on nobody enters.
    pub fn close(&self) {
        lock(&self.0).closed = true;
    }

    /// Whether nobody enters any more.
    pub fn is_closed(&self) -> bool {
        lock(&self.0).closed
    }

    /// Whether the jobs submitted have become as many as they will ever be.
    pub fn is_over(&self) -> bool {
        let gate = lock(&self.0);
        gate.closed && gate.inside == 0
    }
}

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        let mut gate = lock(&self.intake.0);
        gate.inside -= 1;
        let was_awaited = gate.closed && gate.inside == 0;
        drop(gate);
        if was_awaited {
            self.completions.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::completions::Woken;

    #[test]
    fn it_is_over_when_it_is_closed_and_the_last_submission_has_ended_which_wakes_the_poller() {
        let (intake, completions) = (Intake::default(), Completions::default());
        let first = intake.enter(&completions).unwrap();
        let second = intake.enter(&completions).unwrap();
        assert!(!intake.is_over());
        intake.close();
        assert!(intake.is_closed() && intake.enter(&completions).is_none());
        drop(first);
        assert!(!intake.is_over());
        assert_eq!(completions.wait(Time::from_nanos(0)), Woken::Deadline);
        drop(second);
        assert!(intake.is_over());
        assert_eq!(completions.wait(Time::from_nanos(0)), Woken::Asked);
    }
}
