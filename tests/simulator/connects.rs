//! The book's pages on connects: each with what became of it, and what a completion may say after that.

use crate::truth::Book;
use rust_runspaces::address::Address;
use rust_runspaces::outcome::{Completion, ConnectError, Outcome};
use rust_runspaces::probe::Schedule;
use rust_runspaces::sys::ProbeId;

/// What became of a connect.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ConnectFate {
    UnderWay,
    Cancelled,
    /// With the round trip as it was told.
    Open(Option<u64>),
    Failed(ConnectError, Option<u64>),
}

#[derive(Clone, Copy, Debug)]
pub struct ConnectRecord {
    pub to: Address,
    pub port: u16,
    pub begun: u64,
    pub fate: ConnectFate,
}

impl Book {
    pub fn connect(
        &mut self,
        id: ProbeId,
        to: Address,
        port: u16,
        begun: u64,
        fate: ConnectFate,
        limit: usize,
    ) {
        let record = ConnectRecord { to, port, begun, fate };
        if fate != ConnectFate::UnderWay {
            if let ConnectFate::Failed(ConnectError::NotStarted { .. }, _) = fate {
                self.refused = begun;
            }
            self.past_connects.push(record);
            return;
        }
        if self.connects.insert(id, record).is_some() {
            self.fail(format!("{id:?} stands for two connects at once"));
        }
        if self.connects.len() > limit {
            let count = self.connects.len();
            self.fail(format!("{count} connects under way where {limit} may be"));
        }
    }

    pub fn cancel_connect(&mut self, id: ProbeId) {
        if let Some(mut record) = self.connects.remove(&id) {
            record.fate = ConnectFate::Cancelled;
            self.past_connects.push(record);
            self.cancelled.push(id);
        }
    }

    pub fn connects_under_way(&self) -> usize {
        self.connects.len()
    }

    /// Why the completion of a connect job cannot be true. `addresses`: all that it may go to.
    pub fn check_connect(
        &self,
        completion: &Completion,
        addresses: &[Address],
        schedule: &Schedule,
        ended: bool,
    ) -> Option<String> {
        let ours = |record: &&ConnectRecord| {
            record.port == completion.port && addresses.contains(&record.to)
        };
        let records: Vec<_> =
            self.past_connects.iter().chain(self.connects.values()).filter(ours).collect();
        let at_address = |record: &&&ConnectRecord| Some(record.to) == completion.address;
        let here = || records.iter().filter(at_address);
        let statistics = &completion.statistics;
        let begun = records.iter().filter(|record| {
            !matches!(record.fate, ConnectFate::Failed(ConnectError::NotStarted { .. }, Some(0)))
        });
        let begun = begun.count();
        let is_true = match completion.outcome {
            Outcome::Success => here().any(|record| match record.fate {
                ConnectFate::Open(trip) => schedule.statistics || trip == statistics.last,
                _ => false,
            }),
            Outcome::Refused => {
                here().any(|it| matches!(it.fate, ConnectFate::Failed(ConnectError::Refused, _)))
            }
            Outcome::Stopped => ended,
            Outcome::TimedOut => here().any(|it| it.fate == ConnectFate::Cancelled),
            Outcome::Unknown => self.suspensions > 0,
            Outcome::NoResources => here().any(|it| {
                matches!(it.fate, ConnectFate::Failed(ConnectError::NotStarted { .. }, _))
            }),
            Outcome::Failed if self.defects > 0 => true,
            outcome => here().any(|it| match it.fate {
                ConnectFate::Failed(ConnectError::Failed { outcome: told, .. }, _) => {
                    told == outcome
                }
                _ => false,
            }),
        };
        let enough = match completion.outcome {
            Outcome::TimedOut => statistics.sent >= u32::from(schedule.count),
            _ => true,
        };
        if is_true && enough && statistics.sent as usize <= begun {
            return None;
        }
        Some(format!("{completion:?}: {records:?}"))
    }
}
