use super::*;
use std::collections::HashMap;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

const LIMITS: Limits = Limits {
    // Long enough for a quick lookup on a busy machine, as every stuck one is waited out.
    lookup: Duration::from_millis(200),
    idle: Duration::from_millis(30),
    threads: 8,
    address_threads: 8,
    abandoned: 8,
};
/// Longer than any lookup of a test takes on a busy machine; only waited out to fail.
const PATIENCE: Duration = Duration::from_secs(20);
const NO_DEADLINE: Duration = Duration::from_secs(3600);

/// Closed until opened; lookups of the names that begin with "stuck" wait here.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

struct Fixture {
    resolver: Arc<Resolver>,
    gate: Arc<Gate>,
    lookups: Arc<AtomicUsize>,
    answer: mpsc::Sender<(String, Arc<Answer>)>,
    answers: mpsc::Receiver<(String, Arc<Answer>)>,
}

/// What the test's system answers: the name itself as the canonical one.
fn found(name: &str) -> Answer {
    Answer::Found(HostEntry {
        addresses: vec![Address::v4([127, 0, 0, 1])],
        canonical: Some(name.to_string()),
    })
}

fn question(name: &str) -> Question {
    Question::Name { name: name.into(), family: None, canonical: false }
}

impl Fixture {
    fn new(limits: Limits) -> Fixture {
        let gate = Arc::new(Gate::default());
        let lookups = Arc::new(AtomicUsize::new(0));
        let (gate_of_lookup, lookups_done) = (Arc::clone(&gate), Arc::clone(&lookups));
        let lookup = move |question: &Question| {
            lookups_done.fetch_add(1, Ordering::SeqCst);
            match question {
                Question::Name { name, .. } if name.starts_with("stuck") => {
                    gate_of_lookup.pass();
                    found(name)
                }
                // Without a message on the test's output.
                Question::Name { name, .. } if name.starts_with("panic") => {
                    panic::resume_unwind(Box::new("contained"))
                }
                Question::Name { name, .. } => found(name),
                Question::Address(address) => found(&address.to_string()),
            }
        };
        let (answer, answers) = mpsc::channel();
        let resolver = Resolver::new(limits, Box::new(lookup));
        Fixture { resolver, gate, lookups, answer, answers }
    }

    fn ask(&self, name: &str) {
        let (answer, asked) = (self.answer.clone(), name.to_string());
        let reply = Box::new(move |given| drop(answer.send((asked, given))));
        self.resolver.ask(question(name), reply);
    }

    fn next(&self) -> (String, Arc<Answer>) {
        self.answers.recv_timeout(PATIENCE).expect("a name without an answer")
    }

    /// Until every lookup begun is in its thread's hand.
    fn await_lookups(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.lookups.load(Ordering::SeqCst) < count {
            assert!(Instant::now() < end, "a lookup does not begin");
            thread::yield_now();
        }
    }

    fn await_no_thread(&self) {
        let end = Instant::now() + PATIENCE;
        while self.resolver.thread_count() > 0 {
            assert!(Instant::now() < end, "{} threads stay", self.resolver.thread_count());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.gate.open();
    }
}

#[test]
fn names_with_an_open_lookup_share_it() {
    let fixture = Fixture::new(Limits { lookup: NO_DEADLINE, ..LIMITS });
    (0..100).for_each(|_| fixture.ask("stuck"));
    fixture.await_lookups(1);
    fixture.gate.open();
    for _ in 0..100 {
        assert_eq!(*fixture.next().1, found("stuck"));
    }
    assert_eq!(fixture.lookups.load(Ordering::SeqCst), 1);
}

#[test]
fn a_name_asked_after_its_answer_is_looked_up_again() {
    let fixture = Fixture::new(Limits { lookup: NO_DEADLINE, ..LIMITS });
    fixture.ask("a");
    fixture.next();
    fixture.ask("a");
    fixture.next();
    assert_eq!(fixture.lookups.load(Ordering::SeqCst), 2);
}

#[test]
fn a_lookup_past_its_deadline_has_timed_out() {
    let fixture = Fixture::new(LIMITS);
    let asked = Instant::now();
    fixture.ask("stuck");
    assert_eq!(*fixture.next().1, Answer::TimedOut(0));
    let took = asked.elapsed();
    assert!(took >= LIMITS.lookup, "{:?}", took);
    // Far more than a busy machine adds, far less than waiting for the lookup itself.
    assert!(took < LIMITS.lookup + Duration::from_secs(5), "{:?}", took);
}

#[test]
fn a_late_answer_reaches_nobody() {
    let fixture = Fixture::new(LIMITS);
    fixture.ask("stuck");
    assert_eq!(*fixture.next().1, Answer::TimedOut(0));
    fixture.gate.open();
    fixture.await_no_thread();
    assert!(fixture.answers.try_recv().is_err());
}

#[test]
fn stuck_lookups_do_not_hold_up_other_names() {
    let fixture = Fixture::new(Limits { abandoned: 256, ..LIMITS });
    (0..24).for_each(|index| fixture.ask(&format!("stuck{}", index)));
    fixture.ask("quick");
    for _ in 0..25 {
        let (name, answer) = fixture.next();
        let expected = if name == "quick" { found("quick") } else { Answer::TimedOut(0) };
        assert_eq!(*answer, expected, "{}", name);
    }
}

#[test]
fn beyond_the_limit_of_abandoned_threads_names_time_out_without_one() {
    let fixture = Fixture::new(LIMITS);
    (0..100).for_each(|index| fixture.ask(&format!("stuck{}", index)));
    for _ in 0..100 {
        assert_eq!(*fixture.next().1, Answer::TimedOut(0));
    }
    let lookups = fixture.lookups.load(Ordering::SeqCst);
    assert!(lookups > LIMITS.abandoned, "{} lookups", lookups);
    assert!(lookups <= LIMITS.threads + LIMITS.abandoned, "{} lookups", lookups);
}

#[test]
fn threads_that_come_back_late_give_their_places_back() {
    let fixture = Fixture::new(LIMITS);
    let mut names = (0..).map(|index| format!("stuck{}", index));
    while fixture.lookups.load(Ordering::SeqCst) < LIMITS.threads + LIMITS.abandoned {
        names.by_ref().take(LIMITS.threads).for_each(|name| fixture.ask(&name));
        (0..LIMITS.threads).for_each(|_| drop(fixture.next()));
    }
    fixture.ask("other");
    assert_eq!(*fixture.next().1, Answer::TimedOut(0), "there was a thread for it");
    fixture.gate.open();
    fixture.await_no_thread();
    fixture.ask("other");
    assert_eq!(*fixture.next().1, found("other"));
}

#[test]
fn ten_thousand_names_have_one_answer_each() {
    let fixture = Fixture::new(Limits { lookup: NO_DEADLINE, ..LIMITS });
    (0..10_000).for_each(|index| fixture.ask(&format!("host{}", index)));
    let mut answers: HashMap<String, usize> = HashMap::new();
    for _ in 0..10_000 {
        let (name, answer) = fixture.next();
        assert_eq!(*answer, found(&name));
        *answers.entry(name).or_default() += 1;
    }
    assert_eq!(answers.len(), 10_000);
}

#[test]
fn a_panic_in_a_lookup_fails_that_name_only() {
    let fixture =
        Fixture::new(Limits { lookup: NO_DEADLINE, threads: 1, address_threads: 1, ..LIMITS });
    fixture.ask("panic");
    fixture.ask("after");
    assert_eq!(fixture.next(), ("panic".into(), Arc::new(Answer::Failed(0))));
    assert_eq!(fixture.next(), ("after".into(), Arc::new(found("after"))));
}

#[test]
fn a_panic_in_a_reply_takes_no_other_answer_away() {
    let fixture =
        Fixture::new(Limits { lookup: NO_DEADLINE, threads: 1, address_threads: 1, ..LIMITS });
    let reply = Box::new(|_| panic::resume_unwind(Box::new("contained")));
    fixture.resolver.ask(question("stuck"), reply);
    fixture.ask("stuck");
    fixture.ask("after");
    fixture.gate.open();
    assert_eq!(fixture.next().0, "stuck");
    assert_eq!(fixture.next().0, "after");
}

#[test]
fn a_reply_may_ask() {
    let fixture = Fixture::new(Limits { lookup: NO_DEADLINE, ..LIMITS });
    let (resolver, answer) = (Arc::clone(&fixture.resolver), fixture.answer.clone());
    let reply = move |_| {
        let second = Box::new(move |given| drop(answer.send(("second".into(), given))));
        resolver.ask(question("second"), second);
    };
    fixture.resolver.ask(question("first"), Box::new(reply));
    assert_eq!(*fixture.next().1, found("second"));
}

#[test]
fn no_thread_is_left_when_idle() {
    let fixture = Fixture::new(Limits { lookup: NO_DEADLINE, ..LIMITS });
    (0..100).for_each(|index| fixture.ask(&format!("host{}", index)));
    (0..100).for_each(|_| drop(fixture.next()));
    fixture.await_no_thread();
}

#[test]
fn the_name_of_an_address_is_the_whole_answer() {
    let (answer, answers) = mpsc::channel();
    for (given, expected) in
        [(found("host"), Some("host")), (Answer::NotFound(0), None), (Answer::TimedOut(0), None)]
    {
        let answer = answer.clone();
        name_reply(Box::new(move |name| answer.send(name).unwrap()))(Arc::new(given));
        assert_eq!(answers.recv().unwrap().as_deref(), expected);
    }
}

#[test]
fn the_system_knows_localhost_by_name_and_address() {
    let (answer, answers) = mpsc::channel();
    // In capitals: names compare without regard to case.
    let reply = Box::new(move |given| answer.send(given).unwrap());
    forward("LOCALHOST", Some(Family::V4), false, reply);
    let loopback = Address::v4([127, 0, 0, 1]);
    let expected = Answer::Found(HostEntry { addresses: vec![loopback], canonical: None });
    assert_eq!(*answers.recv_timeout(PATIENCE).unwrap(), expected);

    let (answer, answers) = mpsc::channel();
    reverse(loopback, Box::new(move |name| answer.send(name).unwrap()));
    assert!(answers.recv_timeout(PATIENCE).unwrap().is_some());
}
