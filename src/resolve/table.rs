//! The open lookups and the count of the threads that serve them, as a pure state machine: the
//! caller brings the time, holds the lock, makes the threads and calls the replies.
//!
//! A thread without a lookup in hand, also one that is being started, is *idle*; one whose lookup
//! is past its deadline is *overdue*. Overdue threads are replaced up to a limit, the rest keep
//! their places.

use super::Answer;
use crate::address::{Address, Family};
use crate::segment::SEGMENT_LIMIT;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Takes the answer to one question asked.
pub(super) type Callback = Box<dyn FnOnce(Arc<Answer>) + Send>;

/// What can be asked; equal questions share a lookup.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Question {
    /// The addresses of a name, which is in lower case.
    Name { name: Arc<str>, family: Option<Family>, canonical: bool },
    /// The name of an address.
    Address(Address),
}

impl Question {
    fn is_address(&self) -> bool {
        matches!(self, Question::Address(_))
    }
}

/// What the resolver keeps to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For one lookup, from its start on a thread.
    pub lookup: Duration,
    /// For a thread to wait for its next lookup.
    pub idle: Duration,
    /// Threads in service.
    pub threads: usize,
    /// Of them, those that look up addresses: names, without which nothing can be begun, always
    /// find one, however silent the name servers of the addresses are.
    pub address_threads: usize,
    /// Overdue threads that are replaced.
    pub abandoned: usize,
}

/// Which start of a lookup is meant; a late thread's number is no longer in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Serial(u64);

struct Started {
    question: Question,
    deadline: Instant,
}

struct Waiting {
    question: Question,
    asked: Instant,
}

pub(super) struct Table {
    limits: Limits,
    /// Every question without an answer, with all who asked it.
    open: HashMap<Question, Vec<Callback>>,
    /// Those no thread has taken yet, in the order asked: names, and addresses, which come after
    /// them.
    waiting: VecDeque<Waiting>,
    waiting_addresses: VecDeque<Waiting>,
    /// Addresses among those in a thread's hand.
    running_addresses: usize,
    /// Those in a thread's hand; the order of start is that of the deadlines.
    running: BTreeMap<Serial, Started>,
    next_serial: u64,
    idle: usize,
    overdue: usize,
}

impl Table {
    pub fn new(limits: Limits) -> Table {
        Table {
            limits,
            open: HashMap::new(),
            waiting: VecDeque::new(),
            waiting_addresses: VecDeque::new(),
            running_addresses: 0,
            running: BTreeMap::new(),
            next_serial: 0,
            idle: 0,
            overdue: 0,
        }
    }

    pub fn ask(&mut self, question: Question, reply: Callback, now: Instant) {
        if let Some(replies) = self.open.get_mut(&question) {
            replies.push(reply);
            return;
        }
        self.open.insert(question.clone(), vec![reply]);
        let waiting = match question {
            Question::Name { .. } => &mut self.waiting,
            Question::Address(_) => &mut self.waiting_addresses,
        };
        waiting.push_back(Waiting { question, asked: now });
    }

    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether an idle thread could take a question.
    pub fn has_waiting(&self) -> bool {
        self.may_be_taken() > 0
    }

    /// Waiting questions that may be in a thread's hand now.
    fn may_be_taken(&self) -> usize {
        let taken = self.running_addresses + self.not_replaced();
        let room = self.limits.address_threads.saturating_sub(taken);
        self.waiting.len() + self.waiting_addresses.len().min(room)
    }

    /// Whether one more thread is to be started, which then counts as idle; with the number of
    /// threads to open ahead: as many as there are, so that a burst of names needs few segments,
    /// but one when it makes up for an overdue one.
    pub fn wants_thread(&mut self) -> Option<usize> {
        if !self.has_work_for_one_more() {
            return None;
        }
        let ahead = if self.overdue > 0 { 1 } else { self.idle + self.running.len() };
        self.idle += 1;
        Some(ahead.clamp(1, SEGMENT_LIMIT))
    }

    /// The thread asked for could not be had. The others go on; without any, nothing is left to
    /// wait for.
    #[must_use]
    pub fn thread_failed(&mut self) -> Vec<Callback> {
        self.idle -= 1;
        if self.idle + self.running.len() > 0 {
            return Vec::new();
        }
        self.give_up()
    }

    /// Hands the oldest waiting question to an idle thread.
    pub fn take(&mut self, now: Instant) -> Option<(Serial, Question)> {
        if !self.has_waiting() {
            return None;
        }
        let waiting = self.waiting.pop_front().or_else(|| self.waiting_addresses.pop_front());
        let question = waiting?.question;
        self.running_addresses += usize::from(question.is_address());
        let serial = Serial(self.next_serial);
        self.next_serial += 1;
        self.idle -= 1;
        let deadline = now + self.limits.lookup;
        self.running.insert(serial, Started { question: question.clone(), deadline });
        Some((serial, question))
    }

    /// An idle thread ends.
    pub fn leave(&mut self) {
        self.idle -= 1;
    }

    /// A thread comes back with an answer: who gets it, and whether the thread goes on, then idle.
    /// A late one has been answered for; it goes on where it is of use.
    #[must_use]
    pub fn finish(&mut self, serial: Serial) -> (Vec<Callback>, bool) {
        match self.running.remove(&serial) {
            Some(started) => {
                self.running_addresses -= usize::from(started.question.is_address());
                self.idle += 1;
                (self.close(&started.question), true)
            }
            None => {
                self.overdue -= 1;
                let goes_on = self.has_work_for_one_more();
                self.idle += usize::from(goes_on);
                (Vec::new(), goes_on)
            }
        }
    }

    /// Ends what is past its deadline: lookups in hand, and waiting ones where threads are lost
    /// that will not be replaced.
    #[must_use]
    pub fn expire(&mut self, now: Instant) -> Vec<Callback> {
        let mut replies = Vec::new();
        loop {
            let serial = match self.running.iter().next() {
                Some((serial, started)) if started.deadline <= now => *serial,
                _ => break,
            };
            if let Some(started) = self.running.remove(&serial) {
                self.overdue += 1;
                self.running_addresses -= usize::from(started.question.is_address());
                replies.append(&mut self.close(&started.question));
            }
        }
        while self.waiting_deadline().map_or(false, |deadline| deadline <= now) {
            let waiting = match self.oldest_waiting() {
                Some(Question::Address(_)) => self.waiting_addresses.pop_front(),
                _ => self.waiting.pop_front(),
            };
            if let Some(waiting) = waiting {
                replies.append(&mut self.close(&waiting.question));
            }
        }
        replies
    }

    /// Ends everything: no thread can be had, or none that would keep the time.
    #[must_use]
    pub fn give_up(&mut self) -> Vec<Callback> {
        self.waiting.clear();
        self.waiting_addresses.clear();
        self.running_addresses = 0;
        self.overdue += self.running.len();
        self.running.clear();
        self.open.drain().flat_map(|(_, replies)| replies).collect()
    }

    /// When [`Table::expire`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let running = self.running.values().next().map(|started| started.deadline);
        running.into_iter().chain(self.waiting_deadline()).min()
    }

    fn waiting_deadline(&self) -> Option<Instant> {
        let fronts = [self.waiting.front(), self.waiting_addresses.front()];
        let oldest = fronts.into_iter().flatten().map(|waiting| waiting.asked).min();
        let oldest = oldest.filter(|_| self.not_replaced() > 0)?;
        Some(oldest + self.limits.lookup)
    }

    fn oldest_waiting(&self) -> Option<&Question> {
        let fronts = [self.waiting.front(), self.waiting_addresses.front()];
        let oldest = fronts.into_iter().flatten().min_by_key(|waiting| waiting.asked);
        oldest.map(|waiting| &waiting.question)
    }

    /// Overdue threads that keep their places.
    fn not_replaced(&self) -> usize {
        self.overdue.saturating_sub(self.limits.abandoned)
    }

    fn has_work_for_one_more(&self) -> bool {
        let in_service = self.idle + self.running.len() + self.not_replaced();
        self.may_be_taken() > self.idle && in_service < self.limits.threads
    }

    fn close(&mut self, question: &Question) -> Vec<Callback> {
        self.open.remove(question).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
