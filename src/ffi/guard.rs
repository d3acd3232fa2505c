//! Keeps panics inside the library: every exported body and every thread of ours runs under
//! [`guard`], which turns a panic into a status, and nothing is printed. It is also where a forked child
//! learns that it is one, before it meets a lock that a thread of the parent held at the fork.

use super::types::{rr_status, RR_STATUS_BAD_HANDLE, RR_STATUS_PANIC};
use crate::sys;
use once_cell::sync::Lazy;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Threads of the engine's own have names that begin so; their panics are contained as well.
const OWN_THREADS: &str = "rr-";

fn is_contained() -> bool {
    GUARDED.with(Cell::get) > 0
        || std::thread::current().name().map_or(false, |name| name.starts_with(OWN_THREADS))
}

/// Installed once: silent where the panic is contained, as before for all others.
static HOOK: Lazy<()> = Lazy::new(|| {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_contained() {
            previous(info);
        }
    }));
});

/// Whether this process is a forked child of one that has used the library. No thread has taken a lock
/// before it asked here, so the answer is right wherever a lock may be held.
pub fn is_forked_child() -> bool {
    sys::watch_fork();
    sys::is_forked_child()
}

/// Runs `body`; a panic becomes `RR_STATUS_PANIC`. In a forked child every handle is the parent's.
pub fn guard(body: impl FnOnce() -> rr_status) -> rr_status {
    if is_forked_child() {
        return RR_STATUS_BAD_HANDLE;
    }
    Lazy::force(&HOOK);
    GUARDED.with(|depth| depth.set(depth.get() + 1));
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    GUARDED.with(|depth| depth.set(depth.get() - 1));
    result.unwrap_or(RR_STATUS_PANIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status() {
        assert_eq!(guard(|| panic!("contained")), RR_STATUS_PANIC);
        assert_eq!(guard(|| 0), 0);
    }
}
