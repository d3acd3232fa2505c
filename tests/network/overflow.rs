//! A receive buffer that overflows: replies are lost on this machine, and no host is called down
//! for it. While the process is stopped for a moment, packets with its own identifier fill the
//! buffer, so that the true reply finds no room. The process goes on long before the reply is
//! overdue: only the system's drop counter tells what happened.

use crate::lab::{lab_or_skip, skip, Namespace};
use crate::packets::Request;
use crate::sweep::{start, Running};
use crate::tun::{now, silence, Answer, Tun};
use std::fs;
use std::net::IpAddr;
use std::sync::mpsc::{channel, sync_channel, Receiver, Sender, SyncSender};
use std::time::{Duration, Instant};

/// Junk packets per flood and their bytes: together more than any receive buffer a process gets
/// here, yet sent within milliseconds.
const FLOOD: usize = 1000;
const JUNK: usize = 60_000;
/// With a timeout in which a busy machine comes to stop the process and to send the flood.
const SWEEP: &str = "--count 1 --timeout 2000 10.80.1.1";
const LONGEST_FLOOD: Duration = Duration::from_millis(400);

/// The two ends of the test: the played network asks it to stop the process before it floods, and
/// waits until that is done.
struct Stage {
    requests: Receiver<()>,
    stopped: SyncSender<()>,
    network: Tun,
}

fn flood(request: &Request) -> Vec<Answer> {
    let mut junk = request.clone();
    junk.payload = vec![0x5a; JUNK];
    let packet = junk.reply_from(IpAddr::from([10, 80, 99, 99]));
    let mut answers: Vec<Answer> =
        (0..FLOOD).map(|_| Answer { after: Duration::ZERO, packet: packet.clone() }).collect();
    answers.extend(now(request.reply()));
    answers
}

/// The drop counters of all raw sockets in the namespace of `process` together.
fn drops(process: u32) -> u64 {
    let sockets = fs::read_to_string(format!("/proc/{}/net/raw", process)).expect("our child");
    let drops = sockets.lines().skip(1).filter_map(|line| line.split_whitespace().last());
    drops.map(|count| count.parse::<u64>().expect("a number")).sum()
}

impl Stage {
    /// A network of one host whose first `floods` replies are drowned.
    fn new(namespace: &Namespace, floods: u32) -> Result<Stage, String> {
        let (ask, requests): (Sender<()>, _) = channel();
        let (stopped, wait): (_, Receiver<()>) = sync_channel(0);
        let mut left = floods;
        let network = Tun::open(namespace, move |request| {
            if left == 0 {
                return now(request.reply());
            }
            left -= 1;
            let answers = flood(request);
            if ask.send(()).is_err() || wait.recv().is_err() {
                return silence(); // the test has ended
            }
            answers
        })?;
        Ok(Stage { requests, stopped, network })
    }

    /// Stops `sweep` when its request is out, until the flood has passed.
    fn drown_one_reply(&self, sweep: &Running) {
        self.requests.recv_timeout(Duration::from_secs(5)).expect("a request");
        let before = drops(sweep.id());
        sweep.signal(libc::SIGSTOP);
        self.stopped.send(()).expect("the network plays");
        // The flood has passed when the counter stands still; the reply is its last packet.
        let end = Instant::now() + LONGEST_FLOOD;
        let mut lost = 0;
        loop {
            std::thread::sleep(Duration::from_millis(40));
            let all = drops(sweep.id()) - before;
            if (all > 0 && all == lost) || Instant::now() > end {
                break;
            }
            lost = all;
        }
        sweep.signal(libc::SIGCONT);
        assert!(lost > 0, "the receive buffer held the whole flood");
    }
}

#[test]
fn an_overflow_repeats_the_attempt() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let stage = match Stage::new(&namespace, 1) {
        Ok(stage) => stage,
        Err(reason) => return skip(&reason),
    };
    let sweep = start(&namespace, SWEEP);
    stage.drown_one_reply(&sweep);
    let swept = sweep.finish();
    drop(stage.network);
    let job = swept.of("10.80.1.1");
    assert_eq!(job.outcome(), "Success");
    // The repeat does not count.
    assert_eq!((job.number("sent"), job.number("received")), (1, 1));
    assert!(swept.total.as_ref().expect("totals").number("buffer_overflows") >= 1);
}

#[test]
fn an_overflow_through_all_repeats_is_no_verdict() {
    let lab = lab_or_skip!();
    let namespace = lab.namespace();
    let stage = match Stage::new(&namespace, 4) {
        Ok(stage) => stage,
        Err(reason) => return skip(&reason),
    };
    let sweep = start(&namespace, SWEEP);
    for _ in 0..4 {
        stage.drown_one_reply(&sweep);
    }
    let swept = sweep.finish();
    drop(stage.network);
    let job = swept.of("10.80.1.1");
    assert_eq!(job.outcome(), "Unknown");
    assert!(!job.text("detail").is_empty());
}
