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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LIMITS: Limits = Limits {
        lookup: Duration::from_secs(5),
        idle: Duration::from_secs(10),
        threads: 4,
        address_threads: 3,
        abandoned: 4,
    };

    fn address(number: u8) -> Question {
        Question::Address(Address::v4([127, 0, 0, number]))
    }

    fn name(name: &str) -> Question {
        Question::Name { name: name.into(), family: None, canonical: false }
    }

    fn no_reply() -> Callback {
        Box::new(|_| ())
    }

    /// Starts every thread wanted; each takes a question at once.
    fn start_all(table: &mut Table, now: Instant) -> Vec<Serial> {
        std::iter::from_fn(|| {
            table.wants_thread()?;
            table.take(now).map(|(serial, _)| serial)
        })
        .collect()
    }

    #[test]
    fn equal_questions_are_taken_once_and_others_apart() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        let four = Question::Name { name: "a".into(), family: Some(Family::V4), canonical: false };
        let canonical = Question::Name { name: "a".into(), family: None, canonical: true };
        for question in [name("a"), name("a"), four, canonical, name("a")] {
            table.ask(question, no_reply(), now);
        }
        let taken = start_all(&mut table, now);
        let replies: Vec<_> = taken.iter().map(|serial| table.finish(*serial).0.len()).collect();
        assert_eq!(replies, [3, 1, 1]);
    }

    #[test]
    fn threads_grow_with_the_names_up_to_their_limit() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        assert_eq!(table.wants_thread(), None);
        for index in 0..10 {
            table.ask(name(&index.to_string()), no_reply(), now);
        }
        let ahead: Vec<_> = std::iter::from_fn(|| table.wants_thread()).collect();
        assert_eq!(ahead, [1, 1, 2, 3]);
    }

    #[test]
    fn an_idle_thread_is_used_before_another_is_started() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        table.ask(name("a"), no_reply(), now);
        let first = start_all(&mut table, now)[0];
        assert!(table.finish(first).1);
        table.ask(name("b"), no_reply(), now);
        assert_eq!(table.wants_thread(), None);
        assert!(table.take(now).is_some());
    }

    #[test]
    fn a_lookup_ends_at_its_deadline_and_its_thread_is_replaced() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        for index in 0..5 {
            table.ask(name(&index.to_string()), no_reply(), now);
        }
        assert_eq!(start_all(&mut table, now).len(), 4);
        let deadline = now + LIMITS.lookup;
        assert_eq!(table.next_deadline(), Some(deadline));
        assert!(table.expire(deadline - Duration::from_nanos(1)).is_empty());
        assert_eq!(table.expire(deadline).len(), 4);
        // One name is left, and one thread is enough for it.
        assert_eq!(table.wants_thread(), Some(1));
        assert_eq!(table.wants_thread(), None);
    }

    #[test]
    fn waiting_names_end_at_their_own_deadlines_once_a_thread_is_not_replaced() {
        let mut table = Table::new(LIMITS);
        let mut now = Instant::now();
        // Four threads are lost and replaced, and then lost again.
        for index in 0..8 {
            table.ask(name(&index.to_string()), no_reply(), now);
        }
        let mut started = 0;
        while table.has_open() {
            started += start_all(&mut table, now).len();
            now += LIMITS.lookup;
            let _ = table.expire(now);
        }
        assert_eq!(started, 8);
        table.ask(name("late"), no_reply(), now);
        assert_eq!(table.wants_thread(), None, "more than the limit are abandoned");
        assert_eq!(table.next_deadline(), Some(now + LIMITS.lookup));
        assert_eq!(table.expire(now + LIMITS.lookup).len(), 1);
        assert!(!table.has_open());
    }

    #[test]
    fn waiting_names_have_no_deadline_while_lost_threads_are_replaced() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        for index in 0..8 {
            table.ask(name(&index.to_string()), no_reply(), now);
        }
        let taken = start_all(&mut table, now);
        for serial in &taken[1..] {
            let _ = table.finish(*serial);
            assert!(table.take(now + LIMITS.lookup / 2).is_some());
        }
        assert_eq!(table.expire(now + LIMITS.lookup).len(), 1);
        assert!(table.has_waiting());
    }

    #[test]
    fn a_late_thread_goes_on_where_names_wait_and_else_ends() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        for index in 0..8 {
            table.ask(name(&index.to_string()), no_reply(), now);
        }
        let lost = start_all(&mut table, now);
        let mut later = now + LIMITS.lookup;
        let _ = table.expire(later);
        assert_eq!(start_all(&mut table, later).len(), 4);
        later += LIMITS.lookup;
        let _ = table.expire(later);

        table.ask(name("more"), no_reply(), later);
        assert_eq!(table.wants_thread(), None);
        let (replies, goes_on) = table.finish(lost[0]);
        assert!(replies.is_empty(), "the late answer reached someone");
        assert!(goes_on);
        assert!(table.take(later).is_some());
        assert!(!table.finish(lost[1]).1);
    }

    #[test]
    fn names_go_before_addresses_and_always_find_a_thread() {
        let mut table = Table::new(LIMITS);
        let mut now = Instant::now();
        for number in 0..20 {
            table.ask(address(number), no_reply(), now);
        }
        assert_eq!(start_all(&mut table, now).len(), LIMITS.address_threads);
        table.ask(name("a"), no_reply(), now);
        table.ask(name("b"), no_reply(), now);
        assert_eq!(table.wants_thread(), Some(3));
        let taken = table.take(now).expect("a name waits");
        assert_eq!(taken.1, name("a"));
        // Its thread goes on with the other name, not with an address.
        assert!(table.finish(taken.0).1);
        let taken = table.take(now).expect("a name waits");
        assert_eq!(taken.1, name("b"));
        assert!(table.finish(taken.0).1);
        assert!(table.take(now).is_none(), "addresses have all the threads that they may");
        table.leave();
        // However many threads are lost to silent servers of addresses: names find one.
        while table.has_open() {
            now += LIMITS.lookup;
            let _ = table.expire(now);
            start_all(&mut table, now);
        }
        table.ask(name("c"), no_reply(), now);
        assert!(table.wants_thread().is_some());
    }

    #[test]
    fn names_fail_only_when_not_one_thread_can_be_had() {
        let mut table = Table::new(LIMITS);
        let now = Instant::now();
        table.ask(name("a"), no_reply(), now);
        assert_eq!(start_all(&mut table, now).len(), 1);
        table.ask(name("b"), no_reply(), now);
        assert!(table.wants_thread().is_some());
        assert!(table.thread_failed().is_empty());
        let _ = table.expire(now + LIMITS.lookup);
        assert!(table.wants_thread().is_some());
        assert_eq!(table.thread_failed().len(), 1);
        assert!(!table.has_open());
    }

    proptest! {
        #[test]
        fn every_question_asked_has_exactly_one_reply(
            steps in proptest::collection::vec((0u8..7, any::<u8>()), 1..300)
        ) {
            let mut table = Table::new(LIMITS);
            let mut now = Instant::now();
            let replied = Arc::new(AtomicUsize::new(0));
            let mut asked = 0;
            let mut out: Vec<Serial> = Vec::new();
            let answer = |replies: Vec<Callback>| {
                replies.into_iter().for_each(|reply| reply(Arc::new(Answer::Failed(0))));
            };
            for (step, number) in steps {
                match step {
                    0 | 1 => {
                        let replied = Arc::clone(&replied);
                        let reply = Box::new(move |_| {
                            replied.fetch_add(1, Ordering::Relaxed);
                        });
                        let question = match number % 2 {
                            0 => name(&(number % 32).to_string()),
                            _ => address(number % 32),
                        };
                        table.ask(question, reply, now);
                        asked += 1;
                    }
                    2 => out.extend(start_all(&mut table, now)),
                    3 if !out.is_empty() => {
                        let serial = out.swap_remove(usize::from(number) % out.len());
                        let (replies, goes_on) = table.finish(serial);
                        answer(replies);
                        if goes_on {
                            match table.take(now) {
                                Some((serial, _)) => out.push(serial),
                                None => table.leave(),
                            }
                        }
                    }
                    4 => now += Duration::from_millis(u64::from(number) * 20),
                    5 => answer(table.expire(now)),
                    6 if table.wants_thread().is_some() => answer(table.thread_failed()),
                    _ => (),
                }
                prop_assert!(out.len() <= LIMITS.threads + LIMITS.abandoned);
            }
            // Every thread that is out stays out: time alone ends the rest.
            while table.has_open() {
                start_all(&mut table, now);
                now = table.next_deadline().expect("an open lookup that nothing will end");
                answer(table.expire(now));
            }
            prop_assert_eq!(replied.load(Ordering::Relaxed), asked);
        }
    }
}
