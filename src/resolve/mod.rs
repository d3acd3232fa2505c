//! Names and addresses looked up for all pools of the process, on threads of their own that may be
//! lost. Owns the limits on time and threads; must not know what a pool or a probe is.
//!
//! - `table`     which lookups are open, who waits for them, what to do next: pure
//! - `resolver`  the lock, the threads and the clock around the table

mod resolver;
mod table;

use crate::address::{Address, Family};
use crate::sys::{self, HostEntry, LookupError};
use once_cell::sync::Lazy;
use resolver::Resolver;
use std::sync::Arc;
use std::time::Duration;
use table::{Callback, Limits, Question};

/// How a lookup ended. The numbers are the system resolver's own, 0 where it has not spoken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is such a name.
    Found(HostEntry),
    /// There is none, or it has no address of the family asked for.
    NotFound(i32),
    /// No name server answered, or the lookup was given up after five seconds.
    TimedOut(i32),
    /// The resolver failed, or there was no thread to ask it on.
    Failed(i32),
}

const LIMITS: Limits = Limits {
    lookup: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    threads: 64,
    address_threads: 48,
    abandoned: 256,
};

static RESOLVER: Lazy<Arc<Resolver>> = Lazy::new(|| Resolver::new(LIMITS, Box::new(ask_system)));

/// Looks a name up, in one family or in both, with its canonical name if wanted. Any thread; never
/// blocks on the network.
///
/// `reply` is called exactly once, on a thread of the resolver's or within this call: the caller
/// holds no lock that `reply` takes, and `reply` does not block. Equal names whose lookup is open
/// share it. A lookup has five seconds from its start; it starts when one of the resolver's
/// threads is free.
pub fn forward(
    name: impl AsRef<str>,
    family: Option<Family>,
    canonical: bool,
    reply: Box<dyn FnOnce(Arc<Answer>) + Send>,
) {
    // Names compare without regard to case (RFC 4343), and so may be asked for in one.
    let name = name.as_ref().to_ascii_lowercase().into();
    RESOLVER.ask(Question::Name { name, family, canonical }, reply);
}

/// Looks up the name of an address; `None` where it has none or none came in time. For the rest as
/// [`forward`].
pub fn reverse(address: Address, reply: Box<dyn FnOnce(Option<Arc<str>>) + Send>) {
    RESOLVER.ask(Question::Address(address), name_reply(reply));
}

/// A lookup of an address answers with the name alone.
fn name_reply(reply: Box<dyn FnOnce(Option<Arc<str>>) + Send>) -> Callback {
    Box::new(move |answer| {
        reply(match &*answer {
            Answer::Found(found) => found.canonical.as_deref().map(Arc::from),
            _ => None,
        })
    })
}

/// Asks the system; blocks for as long as that likes.
fn ask_system(question: &Question) -> Answer {
    match question {
        Question::Name { name, family, canonical } => {
            match sys::lookup(name, *family, *canonical) {
                Ok(found) => Answer::Found(found),
                Err(LookupError::NotFound(code)) => Answer::NotFound(code),
                Err(LookupError::TimedOut(code)) => Answer::TimedOut(code),
                Err(LookupError::Failed(code)) => Answer::Failed(code),
            }
        }
        Question::Address(address) => match sys::reverse_lookup(address) {
            Some(name) => Answer::Found(HostEntry { addresses: Vec::new(), canonical: Some(name) }),
            None => Answer::NotFound(0),
        },
    }
}

#[cfg(test)]
mod tests;
