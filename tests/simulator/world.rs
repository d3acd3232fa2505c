//! The world under the reactor: a virtual clock, the hosts of the plan, the system's moods. It stands
//! in the place of the network and of the resolver, and writes down what truly happened.

use crate::connects::ConnectFate;
use crate::plan::{NameAnswer, Plain, Plan, Reverse, BEGIN};
use crate::random::Random;
use crate::truth::Book;
use rust_runspaces::address::{Address, Family};
use rust_runspaces::clock::{Time, MILLISECOND, SECOND};
use rust_runspaces::outcome::{ConnectError, Detail};
use rust_runspaces::reactor::shell::{Command, Names, LATE};
use rust_runspaces::reactor::Link;
use rust_runspaces::resolve::Answer;
use rust_runspaces::sys::{
    Counters, EchoRequest, Event, OnLink, Operations, Overflows, ProbeId, SendResult,
};
use std::cell::{Ref, RefCell, RefMut};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// What the backend's defect says.
pub const DEFECT: &str = "a defect of the backend, made by the simulator";

/// Something that will happen.
pub enum Happening {
    Event(Event),
    Command(Command),
    /// A pool's caller does something.
    Caller(usize),
    /// An address is known to be no neighbour.
    NeighbourGone(Address),
}

/// What a pool's caller sees, also while the reactor sleeps.
pub struct View {
    pub link: Arc<Link>,
    pub submitted: u64,
    pub closed: bool,
    pub ended: bool,
    /// It collects at once.
    pub at_once: bool,
    pub plain: Option<Plain>,
}

/// See the file's head.
pub struct World {
    pub plan: Rc<Plan>,
    pub now: u64,
    pub random: Random,
    pub suspended: u64,
    /// The wall clock is set all the time.
    pub sets_wall_clock: bool,
    pub overflows: [u64; 2],
    pub queue: BTreeMap<(u64, u64), Happening>,
    pub order: u64,
    pub gone: Vec<Address>,
    /// How often something was tried with an address that fails so many times.
    pub tries: HashMap<Address, u32>,
    pub connect_tries: HashMap<Address, u32>,
    pub batches: u64,
    pub book: Book,
    /// Commands and callers whose time has come.
    pub commands: Vec<Command>,
    pub callers: Vec<usize>,
    /// What the pools' callers see.
    pub callers_view: Vec<View>,
    /// Something was done or heard in this turn.
    pub active: bool,
    /// Events delivered, and requests and connects given, in this turn.
    pub heard_in_turn: u64,
    pub last_deadline: Time,
    pub lookups: usize,
}

/// The reactor's hand on the world.
#[derive(Clone)]
pub struct Hand(Rc<RefCell<World>>);

impl Hand {
    pub fn new(plan: Rc<Plan>, random: Random) -> Hand {
        let world = World {
            plan,
            now: BEGIN,
            random,
            suspended: 0,
            sets_wall_clock: false,
            overflows: [0; 2],
            queue: BTreeMap::new(),
            order: 0,
            gone: Vec::new(),
            tries: HashMap::new(),
            connect_tries: HashMap::new(),
            batches: 0,
            book: Book::default(),
            commands: Vec::new(),
            callers: Vec::new(),
            callers_view: Vec::new(),
            active: false,
            heard_in_turn: 0,
            last_deadline: Time::NEVER,
            lookups: 0,
        };
        Hand(Rc::new(RefCell::new(world)))
    }

    pub fn world(&self) -> Ref<'_, World> {
        self.0.borrow()
    }

    pub fn world_mut(&self) -> RefMut<'_, World> {
        self.0.borrow_mut()
    }
}

impl World {
    pub fn time(&self) -> Time {
        Time::from_nanos(self.now)
    }

    pub fn at(&mut self, time: u64, happening: Happening) {
        self.order += 1;
        self.queue.insert((time.max(self.now), self.order), happening);
    }

    /// A pool's caller does something then.
    pub fn call_at(&mut self, time: u64, action: usize) {
        self.at(time, Happening::Caller(action));
    }

    pub fn after(&mut self, nanos: u64, event: Event) {
        let time = self.now + nanos;
        self.at(time, Happening::Event(event));
    }

    /// All that has happened by now.
    fn deliver(&mut self, events: &mut Vec<Event>, late: bool) {
        self.batches += 1;
        let later = self.queue.split_off(&(self.now + 1, 0));
        let due = std::mem::replace(&mut self.queue, later);
        let first = events.len();
        for (_, happening) in due {
            match happening {
                Happening::Event(event) => events.push(event),
                Happening::Command(command) => self.commands.push(command),
                Happening::Caller(action) => self.callers.push(action),
                Happening::NeighbourGone(address) => self.gone.push(address),
            }
        }
        self.overflow(events, first, late);
        for event in &events[first..] {
            self.book.deliver(event, self.batches, self.now);
        }
        self.active |= events.len() > first;
        self.heard_in_turn += (events.len() - first) as u64;
        if self.random.permille(self.plan.stale) {
            if let Some(event) = self.book.stale(self.now) {
                events.push(event);
            }
        }
    }

    /// The receive buffer has no room for some of what came; where the drop counter cannot be read
    /// that happens in late turns only, or nobody could do anything about it.
    fn overflow(&mut self, events: &mut Vec<Event>, first: usize, late: bool) {
        let is_reply = |event: &Event| matches!(event, Event::Reply { .. });
        let replies = events[first..].iter().filter(|event| is_reply(event)).count();
        let happens = self.random.permille(self.plan.overflow);
        if replies == 0 || !happens || (!self.plan.certain && !late) {
            return;
        }
        let dropped = first + self.random.below((events.len() - first) as u64) as usize;
        if let Event::Reply { id, transmission, .. } = events[dropped] {
            if let Some(address) = self.book.address_of(id) {
                let family = address.family().index();
                events.remove(dropped);
                self.book.lost(id, transmission);
                if self.plan.certain {
                    self.overflows[family] += 1;
                    self.book.void(family, self.now, Detail::LocalOverflow);
                }
            }
        }
    }

    /// Jobs without a completion.
    fn unanswered(&self) -> u64 {
        let open = self.callers_view.iter().filter(|view| !view.closed);
        open.map(|view| view.submitted - view.link.completions.jobs_finished()).sum()
    }

    /// A job that could start has to have a wake-up no later than that. The rate's own clock is
    /// coarse by what goes out together (2 ms) and by a tick of the timers.
    fn overslept(&self, deadline: Time) -> Option<String> {
        const COARSE: u64 = 4 * MILLISECOND;
        // What was refused pauses for 64 ms at most; a defect costs tokens.
        if self.book.refused + 70 * MILLISECOND > self.now || self.book.defects > 0 {
            return None;
        }
        let limits = &self.plan.limits;
        let late = |(pool, view): (usize, &View)| {
            let link = &view.link;
            let begun = link.begun.load(Ordering::SeqCst);
            let open = begun.saturating_sub(link.completions.jobs_finished());
            let is_held = view.closed
                || view.ended
                || link.waiting.load(Ordering::SeqCst) == 0
                || open >= limits.open
                || link.paused.load(Ordering::SeqCst);
            let plain = view.plain.filter(|_| !is_held)?;
            let from = match plain {
                Plain::Connects if self.book.connects_under_way() >= limits.connects => {
                    return None
                }
                Plain::Connects => self.now,
                Plain::Echoes => self.book.may_send_from(pool, &self.plan).max(self.now),
            };
            let latest = from + COARSE;
            (deadline.as_nanos() > latest).then(|| {
                format!("pool {pool} sleeps until {deadline:?}, it may start a job at {from}")
            })
        };
        self.callers_view.iter().enumerate().find_map(late)
    }

    /// A collector that is awake ends the reactor's sleep where that waits for it.
    fn is_resumed(&self) -> bool {
        self.callers_view.iter().any(|view| {
            let waits = view.link.paused.load(Ordering::SeqCst);
            view.at_once && !view.closed && waits && view.link.completions.ready() > 0
        })
    }

    fn sleep_until(&mut self, deadline: Time, events: &mut Vec<Event>) {
        self.last_deadline = deadline;
        // What other threads have done by now has woken it.
        if self.is_resumed() || !self.commands.is_empty() || !self.callers.is_empty() {
            self.now += 1_000;
            return self.deliver(events, false);
        }
        let next = self.queue.keys().next().map_or(u64::MAX, |key| key.0);
        let mut until = next.min(deadline.as_nanos());
        if until == u64::MAX {
            let count = self.unanswered();
            if count > 0 {
                self.book.fail(format!("sleeps for ever with {count} jobs unanswered"));
            }
            return;
        }
        if let Some(overslept) = self.overslept(deadline) {
            self.book.fail(overslept);
        }
        self.now += 1_000;
        if self.random.permille(30) {
            until = until.max(self.now) + self.random.below(3 * MILLISECOND);
        }
        let mut late = false;
        if self.random.permille(self.plan.late) {
            let wake = deadline.as_nanos().min(next).max(self.now);
            until = wake + LATE + self.random.between(MILLISECOND, SECOND);
            // Only where it lies behind the deadline can it be seen to be late.
            late = deadline.as_nanos().saturating_add(LATE) < until;
        }
        self.now = self.now.max(until);
        if late && !self.plan.certain {
            self.book.void(0, self.now, Detail::LateTurn);
            self.book.void(1, self.now, Detail::LateTurn);
        }
        if self.random.permille(self.plan.suspension) {
            self.suspend();
        }
        self.deliver(events, late);
    }

    /// The machine sleeps: what is on its way in the network is lost, the clock stands still.
    fn suspend(&mut self) {
        self.suspended += self.random.between(2, 3_600) * SECOND;
        for family in 0..2 {
            self.book.void(family, self.now, Detail::Suspended);
        }
        self.book.suspensions += 1;
        let now = self.now;
        let lost: Vec<_> = self
            .queue
            .iter()
            .filter(|((time, _), happening)| {
                *time > now && matches!(happening, Happening::Event(Event::Reply { .. }))
            })
            .map(|(key, _)| *key)
            .collect();
        for key in lost {
            if let Some(Happening::Event(Event::Reply { id, transmission, .. })) =
                self.queue.remove(&key)
            {
                self.book.lost(id, transmission);
            }
        }
    }
}

impl Operations for Hand {
    const TELLS_DUPLICATES: bool = true;

    fn now(&self) -> Time {
        self.world().time()
    }

    fn wall_clock(&self) -> i64 {
        let world = self.world();
        // Where it is set again and again: by up to ten years, each 7 ms another way.
        let years = match world.sets_wall_clock {
            true => (world.now / (7 * MILLISECOND)).wrapping_mul(7_919) % 21,
            false => 10,
        };
        world.now as i64 + (1_700_000_000 + (years as i64 - 10) * 31_536_000) * SECOND as i64
    }

    fn suspended(&self) -> u64 {
        self.world().suspended
    }

    fn on_link(&mut self) -> OnLink {
        let mut link = [0; 16];
        link[..4].copy_from_slice(&[10, 9, 0, 0]);
        let prefixes = vec![(Address::v4([10, 9, 0, 0]), 24)];
        OnLink { prefixes, table: self.world().plan.table }
    }

    fn failed_neighbours(&mut self, events: &mut Vec<Event>) {
        let mut world = self.world_mut();
        let gone = std::mem::take(&mut world.gone);
        events.extend(gone.into_iter().map(|address| Event::NeighbourGone { address }));
    }

    fn send_echoes(&mut self, batch: &[EchoRequest], results: &mut Vec<SendResult>) {
        let mut world = self.world_mut();
        let world = &mut *world;
        world.active = true;
        world.book.sends += 1;
        if world.plan.panic_at == Some(world.book.sends) {
            world.book.defects += 1;
            std::panic::panic_any(DEFECT);
        }
        results.clear();
        world.heard_in_turn += batch.len() as u64;
        for request in batch {
            let result = world.send(request);
            world.book.sent(request, result, world.now, &world.plan);
            results.push(result);
        }
    }

    fn close_echo(&mut self, id: ProbeId, to: Address) {
        let mut world = self.world_mut();
        let (batch, now) = (world.batches, world.now);
        world.active = true;
        world.book.close(id, to, batch, now);
    }

    fn close_echo_sockets(&mut self) {}

    fn connect(&mut self, id: ProbeId, to: Address, port: u16) -> Result<(), ConnectError> {
        let mut world = self.world_mut();
        world.active = true;
        let begun = world.now;
        world.heard_in_turn += 1;
        let result = world.connect(id, to);
        let (ended, limit) = (world.now, world.plan.limits.connects);
        let fate = match result {
            Ok(()) => ConnectFate::UnderWay,
            Err(error @ ConnectError::NotStarted { .. }) => ConnectFate::Failed(error, Some(0)),
            Err(error) => ConnectFate::Failed(error, Some(ended - begun)),
        };
        world.book.connect(id, to, port, begun, fate, limit);
        result
    }

    fn cancel_connect(&mut self, id: ProbeId) {
        let mut world = self.world_mut();
        world.active = true;
        world.book.cancel_connect(id);
    }

    fn receive(&mut self, events: &mut Vec<Event>) {
        let mut world = self.world_mut();
        world.now += 1_000;
        world.last_deadline = Time::from_nanos(0);
        world.deliver(events, false);
    }

    fn wait(&mut self, deadline: Time, events: &mut Vec<Event>) {
        let mut world = self.world_mut();
        if deadline.as_nanos() <= world.now {
            world.last_deadline = deadline;
            world.now += 1_000;
            world.deliver(events, false);
        } else {
            world.sleep_until(deadline, events);
        }
    }

    fn overflows(&mut self, family: Family) -> Overflows {
        let world = self.world();
        Overflows { count: world.overflows[family.index()], certain: world.plan.certain }
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn reset(&mut self) -> io::Result<()> {
        let mut world = self.world_mut();
        let (batch, now) = (world.batches, world.now);
        world.book.reset(batch, now);
        Ok(())
    }
}

impl Names for Hand {
    fn forward(&mut self, id: ProbeId, name: Arc<str>, _: Option<Family>, canonical: bool) {
        let mut world = self.world_mut();
        world.active = true;
        world.lookups += 1;
        let plan = Rc::clone(&world.plan);
        let known = plan.names.iter().find(|known| known.text == *name);
        let (delay, answer) = match known {
            Some(known) => (known.delay, name_answer(&known.answer, &name, canonical)),
            None => (0, Answer::NotFound(0)),
        };
        let time = world.now + delay;
        world.at(time, Happening::Command(Command::Resolved(id, Arc::new(answer))));
    }

    fn reverse(&mut self, id: ProbeId, address: Address) {
        let mut world = self.world_mut();
        world.active = true;
        world.lookups += 1;
        let (delay, name) = match world.plan.host(&address).reverse {
            Reverse::Known => (MILLISECOND, Some(reverse_name(&address))),
            Reverse::Unknown => (MILLISECOND, None),
            Reverse::Silent => (5 * SECOND, None),
        };
        let time = world.now + delay;
        world.at(time, Happening::Command(Command::Reversed(id, name)));
    }
}

/// The name of an address, where it has one.
pub fn reverse_name(address: &Address) -> Arc<str> {
    format!("host-{address}").into()
}

fn name_answer(answer: &NameAnswer, name: &str, canonical: bool) -> Answer {
    match answer {
        NameAnswer::NotFound => Answer::NotFound(-2),
        NameAnswer::TimedOut => Answer::TimedOut(-3),
        NameAnswer::Failed => Answer::Failed(-4),
        NameAnswer::Addresses(addresses) => Answer::Found(rust_runspaces::sys::HostEntry {
            addresses: addresses.clone(),
            canonical: canonical.then(|| format!("{name}.canonical")),
        }),
    }
}
