//! The words in which every backend answers a name lookup. Plain data; knows no system call.

use crate::address::Address;

/// What a name stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostEntry {
    /// All addresses in the system's order, each once; at least one.
    pub addresses: Vec<Address>,
    /// The canonical name, where it was asked for and the system knows it.
    pub canonical: Option<String>,
}

/// Why a name has no address, each with the resolver's own number (`EAI_*`, on Windows `WSA*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupError {
    /// There is no such name, or it has no address of the family asked for.
    NotFound(i32),
    /// No name server answered.
    TimedOut(i32),
    /// The resolver failed for another reason. A number above 0 is the system's own.
    Failed(i32),
}
