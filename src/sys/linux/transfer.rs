//! Messages to and from a socket: whole batches in one call, or one by one where the system, or a
//! sandbox around this process, refuses the calls for batches. A refusal is told apart from the
//! network's own errors, which have the same numbers: it is the same for a socket that is none.

use super::messages::Message;
use super::socket::errno;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::RawFd;
use std::ptr::null_mut;

/// No socket: what is asked of it fails with EBADF, unless the call itself is refused.
const NONE: RawFd = -1;

/// How messages of one socket travel.
pub(super) struct Transfer {
    /// Whether to try sendmmsg, and recvmmsg.
    send_batches: bool,
    receive_batches: bool,
}

impl Transfer {
    /// In batches, until that is refused.
    pub(super) fn new() -> Transfer {
        Transfer { send_batches: true, receive_batches: true }
    }

    /// Whether this process may send and receive messages at all.
    pub(super) fn is_permitted() -> bool {
        !is_refused(send_one(NONE, &mut Message::empty()))
            && !is_refused(receive_one(NONE, &mut Message::empty(), 0))
    }

    /// Sends messages until one fails; `Ok` has the number sent, at least 1. `Err`: the first failed.
    pub(super) fn send(&mut self, socket: RawFd, messages: &mut [Message]) -> Result<usize, i32> {
        if self.send_batches {
            let result = send_batch(socket, messages);
            if !may_be_refusal(&result) || !is_refused(send_batch(NONE, &mut [])) {
                return result;
            }
            self.send_batches = false;
        }
        send_one(socket, &mut messages[0]).map(|()| 1)
    }

    /// Receives as many messages as there are, at most one for each; `Ok` has the number, at least
    /// 1. `flags`: MSG_ERRQUEUE or none.
    pub(super) fn receive(
        &mut self,
        socket: RawFd,
        messages: &mut [Message],
        flags: c_int,
    ) -> Result<usize, i32> {
        if self.receive_batches {
            let result = receive_batch(socket, messages, flags);
            if !may_be_refusal(&result) || !is_refused(receive_batch(NONE, &mut [], flags)) {
                return result;
            }
            self.receive_batches = false;
        }
        receive_one(socket, &mut messages[0], flags)?;
        // What ends the rest, an error among it, ends the next call as well or is told there.
        let mut count = 1;
        while count < messages.len() && receive_one(socket, &mut messages[count], flags).is_ok() {
            count += 1;
        }
        Ok(count)
    }
}

/// A kernel without the call says ENOSYS; sandboxes say that, or one of the two others.
fn may_be_refusal<T>(result: &Result<T, i32>) -> bool {
    matches!(result, Err(libc::EPERM | libc::EACCES | libc::ENOSYS))
}

/// Of a call on [`NONE`].
fn is_refused<T>(result: Result<T, i32>) -> bool {
    may_be_refusal(&result)
}

fn send_batch(socket: RawFd, messages: &mut [Message]) -> Result<usize, i32> {
    let count = messages.len() as c_uint;
    let flags = libc::MSG_DONTWAIT as _;
    // SAFETY: a Message is laid out as mmsghdr; its pointers are valid (see `messages`).
    let sent = unsafe { libc::sendmmsg(socket, messages.as_mut_ptr().cast(), count, flags) };
    usize::try_from(sent).map_err(|_| errno())
}

fn receive_batch(socket: RawFd, messages: &mut [Message], flags: c_int) -> Result<usize, i32> {
    let count = messages.len() as c_uint;
    let flags = (flags | libc::MSG_DONTWAIT) as _;
    let list = messages.as_mut_ptr().cast();
    // SAFETY: a Message is laid out as mmsghdr; its pointers are valid (see `messages`).
    let received = unsafe { libc::recvmmsg(socket, list, count, flags, null_mut()) };
    usize::try_from(received).map_err(|_| errno())
}

fn send_one(socket: RawFd, message: &mut Message) -> Result<(), i32> {
    // SAFETY: the header's pointers are valid (see `messages`).
    let sent = unsafe { libc::sendmsg(socket, &message.header, libc::MSG_DONTWAIT) };
    if sent < 0 {
        Err(errno())
    } else {
        Ok(())
    }
}

fn receive_one(socket: RawFd, message: &mut Message, flags: c_int) -> Result<(), i32> {
    let flags = flags | libc::MSG_DONTWAIT;
    // SAFETY: the header's pointers are valid (see `messages`).
    let received = unsafe { libc::recvmsg(socket, &mut message.header, flags) };
    if received < 0 {
        return Err(errno());
    }
    message.length = received as _;
    Ok(())
}
