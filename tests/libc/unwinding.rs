//! What the engine asks of unwinding and of threads, in a library linked as the engine is, for C
//! libraries that the engine's own tests do not run on: a panic is contained, and a thread's values
//! are dropped when it ends. Returns 0, or which of them is not so.

use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook};
use std::sync::atomic::{AtomicU32, Ordering};

static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static OWN: RefCell<Option<Counted>> = RefCell::new(None);
}

#[no_mangle]
pub extern "C" fn unwinding_and_threads() -> i32 {
    set_hook(Box::new(|_| {}));
    let unwound = catch_unwind(|| {
        let _dropped_on_the_way = Counted;
        panic!("contained");
    });
    if unwound.is_ok() || DROPPED.load(Ordering::SeqCst) != 1 {
        return 1;
    }
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| OWN.with(|own| *own.borrow_mut() = Some(Counted))))
        .collect();
    let ended = threads.into_iter().all(|thread| thread.join().is_ok());
    if !ended || DROPPED.load(Ordering::SeqCst) != 5 {
        return 2;
    }
    0
}
