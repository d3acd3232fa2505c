//! Runs a program, and all that it starts, in a sandbox which refuses what a sandbox may refuse: the
//! system calls for batches of messages, and epoll. `unbatched PROGRAM ARGUMENT...`; the network tests
//! are repeated that way (see build/TestRunners.ps1). Linux; a real seccomp filter.
//!
//! The C library's resolver is let through: it sends two questions by one sendmmsg and knows no other
//! way, so that names cannot be looked up where that is refused, whoever asks.

#[cfg(target_os = "linux")]
fn main() {
    use std::os::unix::process::CommandExt;

    let mut line = std::env::args_os().skip(1);
    let program = line.next().expect("a program");
    refuse_batches();
    let error = std::process::Command::new(&program).args(line).exec();
    panic!("{program:?}: {error}");
}

#[cfg(target_os = "linux")]
fn refuse_batches() {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const JUMP_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Of struct seccomp_data (linux/seccomp.h): the call's number, and its fourth argument's lower
    // half where the lower comes first.
    const NUMBER: u32 = 0;
    const FOURTH: u32 = 16 + 3 * 8;
    let step = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
    let jump = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut program = [
        step(LOAD, NUMBER),
        jump(JUMP_EQUAL, libc::SYS_recvmmsg as u32, 5, 0),
        jump(JUMP_EQUAL, libc::SYS_epoll_create1 as u32, 4, 0),
        jump(JUMP_EQUAL, libc::SYS_sendmmsg as u32, 0, 2),
        step(LOAD, FOURTH),
        jump(JUMP_ANY_BIT, libc::MSG_NOSIGNAL as u32, 0, 1),
        step(RETURN, libc::SECCOMP_RET_ALLOW),
        step(RETURN, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the program is readable for its length.
    let set = || unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &filter as *const _, 0, 0) };
    if set() != 0 {
        // Without CAP_SYS_ADMIN: then what is started gets no more rights than this has.
        // SAFETY: numbers only.
        unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        assert_eq!(set(), 0, "{}", std::io::Error::last_os_error());
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
