//! Plain threads behind the part of rayon's interface that segments use: rayon's own queues and sleeps,
//! which are not what is looked at, would drown a race detector's reports. A thread for each body.

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread::Builder;

type Name = Box<dyn Fn(usize) -> String + Send + Sync>;

#[derive(Default)]
pub struct ThreadPoolBuilder {
    stack_size: usize,
    name: Option<Name>,
}

impl ThreadPoolBuilder {
    pub fn new() -> ThreadPoolBuilder {
        ThreadPoolBuilder::default()
    }

    pub fn num_threads(self, _: usize) -> ThreadPoolBuilder {
        self
    }

    pub fn stack_size(self, stack_size: usize) -> ThreadPoolBuilder {
        ThreadPoolBuilder { stack_size, ..self }
    }

    pub fn thread_name(
        self,
        name: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> ThreadPoolBuilder {
        ThreadPoolBuilder { name: Some(Box::new(name)), ..self }
    }

    pub fn panic_handler(self, _: impl Fn(Box<dyn std::any::Any + Send>)) -> ThreadPoolBuilder {
        self
    }

    pub fn build(self) -> io::Result<ThreadPool> {
        Ok(ThreadPool(self))
    }
}

pub struct ThreadPool(ThreadPoolBuilder);

impl ThreadPool {
    pub fn spawn_fifo(&self, body: impl FnOnce() + Send + 'static) {
        let name = self.0.name.as_ref().map_or_else(String::new, |name| name(0));
        let thread = Builder::new().name(name).stack_size(self.0.stack_size);
        let contained = || drop(catch_unwind(AssertUnwindSafe(body)));
        thread.spawn(contained).expect("a test has threads to spare");
    }
}
