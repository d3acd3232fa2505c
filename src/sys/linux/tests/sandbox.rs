//! Sandboxes that refuse the system calls for batches, or epoll: real seccomp filters, each on a
//! thread of its own and gone with that.

use super::namespace::{in_namespace, nft};
use super::*;
use crate::outcome::Outcome;
use crate::sys::linux::poller::Poller;
use std::os::raw::{c_int, c_long};

const BATCHES: [c_long; 2] = [libc::SYS_sendmmsg, libc::SYS_recvmmsg];
const MESSAGES: [c_long; 2] = [libc::SYS_sendmsg, libc::SYS_recvmsg];

/// From now on these calls fail on this thread with `error`.
fn refuse(calls: &[c_long], error: c_int) {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
    let mut program = vec![step(LOAD_NUMBER, 0)];
    for (place, call) in calls.iter().enumerate() {
        let to_refusal = (calls.len() - place) as u8;
        program.push(libc::sock_filter { jt: to_refusal, ..step(JUMP_EQUAL, *call as u32) });
    }
    program.push(step(RETURN, libc::SECCOMP_RET_ALLOW));
    program.push(step(RETURN, libc::SECCOMP_RET_ERRNO | error as u32));
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program is readable for its length; both affect this thread alone.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        let filter = &filter as *const libc::sock_fprog;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, filter, 0, 0), 0);
    }
}

fn all_answer(network: &mut Network) {
    // So many that two threads send.
    for address in [vec![full_batch(9); 5], vec![vec![address("::1"); 40]]].concat() {
        let results = send_all(network, &address);
        assert!(results.iter().all(|result| *result == SENT), "{results:?}");
        let events = wait_for(network, address.len());
        assert!(events.iter().all(|event| matches!(event, Event::Reply { .. })));
        for (id, host) in address.iter().enumerate() {
            network.close_echo(ProbeId(id as u64), *host);
        }
    }
}

#[test]
fn refused_batches_go_one_by_one() {
    for error in [libc::EPERM, libc::ENOSYS, libc::EACCES] {
        in_namespace(move || {
            let mut network = Network::new().unwrap();
            // It may come while we are at it.
            all_answer(&mut network);
            refuse(&BATCHES, error);
            all_answer(&mut network);
            all_answer(&mut Network::new().unwrap());
        });
    }
}

#[test]
fn either_of_the_two_may_be_refused() {
    for call in BATCHES {
        in_namespace(move || {
            refuse(&[call], libc::EPERM);
            all_answer(&mut Network::new().unwrap());
        });
    }
}

#[test]
fn a_firewall_s_word_is_told_apart_from_a_refusal() {
    for refused in [false, true] {
        in_namespace(move || {
            if !nft("add table ip t; add chain ip t o { type filter hook output priority 0; }; \
                     add rule ip t o ip daddr 127.0.9.3 drop")
            {
                return;
            }
            if refused {
                refuse(&BATCHES, libc::EPERM);
            }
            let mut network = Network::new().unwrap();
            let results = send_all(&mut network, &full_batch(9)[..5]);
            let (outcome, os_error) = (Outcome::DestinationProhibited, libc::EPERM);
            let failed = SendResult::Failed { outcome, os_error };
            assert_eq!(results, [SENT, SENT, SENT, failed, SENT]);
        });
    }
}

#[test]
fn where_no_message_may_be_sent_echo_is_not_permitted() {
    for call in MESSAGES {
        in_namespace(move || {
            refuse(&[call, BATCHES[0], BATCHES[1]], libc::EPERM);
            let mut network = Network::new().unwrap();
            assert_eq!(network.ensure_echo(Family::V4), Err(OpenError::NotPermitted));
            assert_eq!(crate::sys::echo_permission(Family::V4), Err(OpenError::NotPermitted));
        });
    }
}

#[test]
fn without_epoll_the_sleep_is_by_ppoll() {
    let all: &[&[c_long]] = &[
        &[libc::SYS_epoll_create1],
        &[libc::SYS_epoll_ctl],
        &[libc::SYS_eventfd2],
        &[libc::SYS_epoll_pwait2, libc::SYS_timerfd_create],
        #[cfg(target_arch = "x86_64")]
        &[libc::SYS_epoll_pwait2, libc::SYS_epoll_pwait, libc::SYS_epoll_wait],
    ];
    for calls in all {
        for error in [libc::EPERM, libc::ENOSYS] {
            in_namespace(move || {
                refuse(calls, error);
                assert!(matches!(Poller::new(), Ok(Poller::Poll(_))), "{calls:?}");
                let mut network = Network::new().unwrap();
                let begin = Time::now();
                network.wait(begin.plus_nanos(5 * MILLISECOND), &mut Vec::new());
                assert!(Time::now().nanos_since(begin) >= 5 * MILLISECOND);
                let waker = network.waker();
                let waking = std::thread::spawn(move || waker.wake());
                network.wait(Time::NEVER, &mut Vec::new());
                waking.join().unwrap();
                all_answer(&mut network);
            });
        }
    }
}

/// Docker's profile of 2021 has no epoll_pwait2.
#[test]
fn without_epoll_pwait2_the_sleep_is_by_epoll_and_a_timer() {
    in_namespace(|| {
        refuse(&[libc::SYS_epoll_pwait2], libc::EPERM);
        assert!(matches!(Poller::new(), Ok(Poller::Epoll(_))));
        all_answer(&mut Network::new().unwrap());
    });
}
