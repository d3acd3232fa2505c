//! The checks of a run: after each turn, and of each completion.

use crate::plan::{Collector, NameAnswer, Reverse, TargetPlan, BEGIN};
use crate::run::Run;
use crate::world::reverse_name;
use rust_runspaces::address::Address;
use rust_runspaces::clock::SECOND;
use rust_runspaces::outcome::{Completion, Detail, JobKind, Outcome};
use rust_runspaces::probe::Kind;
use std::sync::atomic::Ordering;

impl Run {
    pub fn was_ended(&self, pool: usize) -> bool {
        let state = &self.pools[pool];
        state.cancelled_at.is_some() || state.limit_passed.load(Ordering::SeqCst)
    }

    /// After each turn; true if jobs were answered.
    pub fn check_pool(&mut self, pool: usize) -> bool {
        let ready_now = self.pools[pool].link.completions.ready();
        if self.pools[pool].closed || !self.pools[pool].joined {
            return false;
        }
        let limits = self.plan.limits;
        let most = self.plan.backlog
            + limits.open
            + (3 * limits.slice + 2 * limits.work) as u64 * self.most_sharers;
        if ready_now > most {
            self.fail(format!("{ready_now} completions wait"));
        }
        let made = ready_now.saturating_sub(self.pools[pool].ready_before);
        let heard = self.hand.world().heard_in_turn + self.named_in_turn;
        if self.was_ended(pool)
            && self.pools[pool].shares_nothing
            && made > 3 * limits.slice as u64 + heard
        {
            self.fail(format!("pool {pool}: {made} jobs of a cancelled pool ended in one turn"));
        }
        self.pools[pool].ready_before = ready_now;
        let member = self.member_of(pool);
        let (open, forward, reverse) = self.shell.scheduler.open_of(member);
        if open > limits.open || forward > limits.lookups || reverse > limits.lookups {
            self.fail(format!(
                "pool {pool}: {open} jobs open, {forward} and {reverse} look-ups, of {limits:?}"
            ));
        }
        let begun = open.saturating_sub(self.pools[pool].open_before);
        if begun > 2 * limits.work as u64 {
            self.fail(format!("pool {pool}: {begun} jobs begun in one turn"));
        }
        self.pools[pool].open_before = open;
        let is_ended = self.was_ended(pool);
        self.hand.world_mut().callers_view[pool].ended = is_ended;
        if is_ended && self.pools[pool].ending_turns == 1 {
            // Its last requests may have been handed out before.
            self.hand.world_mut().book.last_sends[pool] = 0;
        }
        if is_ended {
            self.pools[pool].ending_turns += 1;
            let turns = self.pools[pool].ending_turns;
            if turns > 3 && self.hand.world().book.last_sends[pool] > 0 {
                self.fail(format!("pool {pool} sends after its end"));
            }
        }
        let collects = match self.plan.pools[pool].collector {
            Collector::AtOnce => true,
            Collector::Every(_) => false,
            Collector::From(_) => self.pools[pool].next_collect <= self.now(),
        };
        if collects && ready_now > 0 {
            self.collect(pool);
            return true;
        }
        ready_now > 0 && self.plan.pools[pool].collector == Collector::AtOnce
    }

    /// The scheduler numbers its pools as they join, and so do we while none has left.
    pub fn member_of(&self, pool: usize) -> usize {
        self.shell.index_of(pool as u64).unwrap_or(usize::MAX)
    }

    pub fn check_turn(&mut self) {
        let pending = self.shell.scheduler.actions().connects.len();
        let (ours, theirs) =
            (self.shell.scheduler.connects(), self.hand.world().book.connects_under_way());
        if ours > theirs + pending {
            self.fail(format!("{ours} connects are counted where {theirs} are under way"));
        }
    }

    pub fn check_completion(&mut self, pool: usize, completion: &Completion) {
        let target = match self.targets.get_mut(completion.user_data as usize) {
            Some(target) if target.pool == pool => target,
            _ => return self.fail(format!("{completion:?} is for nobody")),
        };
        for job in completion.index..completion.index + completion.jobs {
            match target.answered.get_mut(job as usize) {
                Some(answered) if !*answered => *answered = true,
                _ => return self.fail(format!("a second answer, or to no job: {completion:?}")),
            }
        }
        let plan = target.plan.clone();
        self.pools[pool].unanswered -= completion.jobs;
        if let Some(reason) = self.contradiction(pool, &plan, completion) {
            self.fail(format!("job {} of {}: {reason}", completion.index, plan.text));
        }
    }

    pub fn contradiction(
        &self,
        pool: usize,
        target: &TargetPlan,
        completion: &Completion,
    ) -> Option<String> {
        let ended = self.was_ended(pool);
        let options = &self.plan.pools[pool].options[target.options];
        if completion.outcome == Outcome::NotStarted {
            return (!ended).then(|| "not started, though nobody cancelled".to_owned());
        }
        let name = self.plan.names.iter().find(|name| name.text == target.text);
        if completion.address.is_none() {
            return self.contradiction_of_name(name.map(|it| &it.answer), completion, ended);
        }
        if let Some(reason) = self.wrong_names(target, completion, options.resolve) {
            return Some(reason);
        }
        let book = &self.hand.world().book;
        let address = completion.address?;
        match completion.kind {
            JobKind::Connect => {
                let addresses = match name.map(|name| &name.answer) {
                    Some(NameAnswer::Addresses(addresses)) => addresses.clone(),
                    _ => vec![address],
                };
                let stopped_before = completion.statistics.sent == 0
                    && completion.outcome == Outcome::Stopped
                    && ended;
                if stopped_before {
                    return None;
                }
                book.check_connect(completion, &addresses, &options.schedule, ended)
            }
            _ => book.check_echo(completion, pool, &options.schedule, ended),
        }
    }

    pub fn contradiction_of_name(
        &self,
        answer: Option<&NameAnswer>,
        completion: &Completion,
        ended: bool,
    ) -> Option<String> {
        let is_true = match (answer, completion.outcome) {
            (_, Outcome::Stopped) => ended,
            (_, Outcome::Failed) if self.hand.world().book.defects > 0 => true,
            (Some(NameAnswer::NotFound), outcome) => outcome == Outcome::NameNotFound,
            (Some(NameAnswer::TimedOut), outcome) => outcome == Outcome::NameLookupTimedOut,
            (Some(NameAnswer::Failed), outcome) => {
                outcome == Outcome::Failed && completion.detail == Detail::Resolver
            }
            (Some(NameAnswer::Addresses(list)), outcome) => {
                outcome == Outcome::BadDestination && list[0] == Address::v4([0; 4])
            }
            (None, _) => false,
        };
        (!is_true).then(|| format!("{completion:?} where the resolver said {answer:?}"))
    }

    /// The names are those of this very target.
    pub fn wrong_names(
        &self,
        target: &TargetPlan,
        completion: &Completion,
        resolve: bool,
    ) -> Option<String> {
        let found = completion.names.as_deref();
        let wrong =
            |expected: String| Some(format!("{completion:?} where the name {expected} is right"));
        let name = self.plan.names.iter().find(|name| name.text == target.text);
        if !resolve {
            return found.is_some().then(|| "names that nobody asked for".to_owned());
        }
        // A probe that only waits for a name when its pool is cancelled ends without it.
        let is_unfinished = matches!(completion.outcome, Outcome::Stopped | Outcome::Failed)
            || self.was_ended(self.pool_of(completion));
        let names = match found {
            Some(names) => names,
            None => {
                let ports =
                    match &self.plan.pools[self.pool_of(completion)].options[target.options].kind {
                        Kind::Echo => 1,
                        Kind::Connect { ports } => ports.len() as u64,
                    };
                let wanted = name.is_some() || completion.index % ports == 0;
                return if wanted && !is_unfinished { wrong("of it".to_owned()) } else { None };
            }
        };
        match name {
            Some(name) => {
                let canonical = format!("{}.canonical", name.text);
                let addresses = match &name.answer {
                    NameAnswer::Addresses(addresses) => addresses.clone(),
                    _ => Vec::new(),
                };
                let is_right =
                    names.host_name.as_deref() == Some(&canonical) && names.addresses == addresses;
                if is_right {
                    None
                } else {
                    wrong(canonical)
                }
            }
            None => {
                let address = completion.address?;
                let expected = match self.plan.host(&address).reverse {
                    Reverse::Known => Some(reverse_name(&address).to_string()),
                    _ => None,
                };
                let is_right = names.host_name == expected && names.addresses == [address];
                if is_right {
                    None
                } else {
                    wrong(format!("{expected:?}"))
                }
            }
        }
    }

    pub fn pool_of(&self, completion: &Completion) -> usize {
        self.targets[completion.user_data as usize].pool
    }

    /// (Count - 1) x interval + reply timeout, + hosts / rate, + what the windows explain, for all
    /// jobs one after the other in the worst of cases, + all that was late.
    pub fn latest_end(&self) -> u64 {
        let mut end = BEGIN + 30 * SECOND;
        for target in &self.targets {
            let pool = &self.plan.pools[target.pool];
            let schedule = &pool.options[target.plan.options].schedule;
            let count = u64::from(schedule.count) + 3;
            let addresses = 3;
            let once = count * (schedule.interval + addresses * schedule.reply_timeout);
            let packets = if pool.rate > 0 { count * SECOND / u64::from(pool.rate) } else { 0 };
            let names = 10 * SECOND;
            let jobs = target.answered.len() as u64;
            end += jobs * (once + packets + names);
        }
        let late = self.hand.world().book.suspensions * SECOND;
        end + late + self.turns * (self.plan.late * 2 * SECOND / 1000)
    }
}
