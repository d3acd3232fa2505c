//! The system's calls whose contracts the port and the echo requests are built on, as a trait, so
//! that tests can play what the documentation says and no machine at hand shows: every value that a
//! call may return, late completions, a port that is always full. Decides nothing.

use super::bindings::*;
use super::socket::{last_error, local_name, set_option, SocketAddress};
use crate::address::{Address, Family};
use crate::clock::Time;
use once_cell::sync::OnceCell;
use std::mem::{size_of, MaybeUninit};
use std::os::raw::c_void;
use std::os::windows::io::{AsRawSocket, FromRawHandle, OwnedHandle, OwnedSocket, RawHandle};
use std::ptr::{null, null_mut};

/// What an echo request is sent with. The system uses payload and reply until its completion.
pub struct EchoCall {
    pub family: Family,
    /// Of IPv4, in network byte order.
    pub to_v4: u32,
    pub from_v6: *const SockaddrIn6,
    pub to_v6: *const SockaddrIn6,
    pub context: usize,
    pub data: *const u8,
    pub size: u16,
    /// NULL: the system's own.
    pub options: *const IpOptions,
    pub replies: *mut c_void,
    pub replies_size: u32,
    pub milliseconds: u32,
}

/// See the file's head.
pub trait Calls: Clone + Send {
    /// The monotonic clock.
    fn now(&self) -> Time;

    /// GetQueuedCompletionStatusEx, alertable: how many entries it filled, or the last error.
    fn dequeue(
        &self,
        port: RawHandle,
        entries: &mut [OverlappedEntry],
        milliseconds: u32,
    ) -> Result<usize, i32>;

    /// PostQueuedCompletionStatus; whether it could.
    fn post(&self, port: RawHandle, key: usize) -> bool;

    /// SleepEx, alertable; whether APCs have run.
    fn run_calls(&self, milliseconds: u32) -> bool;

    /// CreateWaitableTimerExW, of high resolution; `None` where the system has none.
    fn make_timer(&self) -> Option<OwnedHandle>;

    /// SetWaitableTimer, for so many units of 100 ns from now on; whether it could.
    fn set_timer(&self, timer: RawHandle, hundred_nanos: i64) -> bool;

    /// WaitForSingleObjectEx, alertable, for the timer; whether APCs have run. `None`: it failed.
    fn sleep_on(&self, timer: RawHandle, milliseconds: u32) -> Option<bool>;

    /// IcmpCreateFile, Icmp6CreateFile.
    fn open_icmp(&self, family: Family) -> Result<RawHandle, i32>;

    /// IcmpCloseHandle.
    fn close_icmp(&self, file: RawHandle);

    /// IcmpSendEcho2, Icmp6SendEcho2: the result and the last error. The context comes back to
    /// [`super::echo::ended`] on this thread.
    ///
    /// # Safety
    /// The data are readable and the replies writable until no completion can come any more.
    unsafe fn send_echo(&self, file: RawHandle, call: &EchoCall) -> (u32, i32);

    /// IcmpParseReplies, Icmp6ParseReplies: the number of replies and the last error.
    ///
    /// # Safety
    /// Writable for the size; not the system's any more.
    unsafe fn parse(&self, family: Family, replies: *mut c_void, size: u32) -> (u32, i32);

    /// Has the system send one SYN for this socket and no more; whether it promised to.
    fn ask_for_one_syn(&self, socket: &OwnedSocket) -> bool;

    /// ConnectEx. An error: the system has not taken it, and no packet will come.
    ///
    /// # Safety
    /// `overlapped` is valid until its packet has been taken.
    unsafe fn connect(
        &self,
        socket: &OwnedSocket,
        to: &Address,
        port: u16,
        overlapped: *mut Overlapped,
    ) -> Result<(), i32>;

    /// WSAGetOverlappedResult for a connect whose packet has been taken: its error, or the socket's
    /// own address and port.
    fn connect_end(
        &self,
        socket: &OwnedSocket,
        overlapped: &mut Overlapped,
    ) -> Result<Option<(Address, u16)>, i32>;
}

/// The system's own.
#[derive(Clone, Copy)]
pub struct System;

impl Calls for System {
    fn now(&self) -> Time {
        Time::now()
    }

    fn dequeue(
        &self,
        port: RawHandle,
        entries: &mut [OverlappedEntry],
        milliseconds: u32,
    ) -> Result<usize, i32> {
        let (room, mut removed) = (entries.len() as u32, 0);
        // SAFETY: an open port; writable for the entries and for the count.
        let result = unsafe {
            let entries = entries.as_mut_ptr();
            GetQueuedCompletionStatusEx(port, entries, room, &mut removed, milliseconds, 1)
        };
        match result {
            0 => Err(last_error()),
            _ => Ok(removed as usize),
        }
    }

    fn post(&self, port: RawHandle, key: usize) -> bool {
        // SAFETY: an open port; no pointer is passed.
        unsafe { PostQueuedCompletionStatus(port, 0, key, null_mut()) != 0 }
    }

    fn run_calls(&self, milliseconds: u32) -> bool {
        // SAFETY: runs APCs of ours, which only note that they have run.
        unsafe { SleepEx(milliseconds, 1) == WAIT_IO_COMPLETION as u32 }
    }

    fn make_timer(&self) -> Option<OwnedHandle> {
        let (flags, access) =
            (CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_MODIFY_STATE | SYNCHRONIZE);
        // SAFETY: no attributes, no name.
        let timer = unsafe { CreateWaitableTimerExW(null(), null(), flags, access) };
        // SAFETY: new, and nobody else's.
        (!timer.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(timer) })
    }

    fn set_timer(&self, timer: RawHandle, hundred_nanos: i64) -> bool {
        // Negative: from now on.
        let due = -hundred_nanos;
        // SAFETY: an open timer, a readable time, no routine.
        unsafe { SetWaitableTimer(timer, &due, 0, null(), null_mut(), 0) != 0 }
    }

    fn sleep_on(&self, timer: RawHandle, milliseconds: u32) -> Option<bool> {
        // SAFETY: an open timer.
        let woken = unsafe { WaitForSingleObjectEx(timer, milliseconds, 1) };
        (woken != WAIT_FAILED).then_some(woken == WAIT_IO_COMPLETION as u32)
    }

    fn open_icmp(&self, family: Family) -> Result<RawHandle, i32> {
        // SAFETY: no arguments.
        let file = unsafe {
            match family {
                Family::V4 => IcmpCreateFile(),
                Family::V6 => Icmp6CreateFile(),
            }
        };
        match file == INVALID_HANDLE_VALUE || file.is_null() {
            true => Err(last_error()),
            false => Ok(file),
        }
    }

    fn close_icmp(&self, file: RawHandle) {
        // SAFETY: open, and closed once by its owner.
        unsafe { IcmpCloseHandle(file) };
    }

    unsafe fn send_echo(&self, file: RawHandle, call: &EchoCall) -> (u32, i32) {
        let (apc, context) = (Some(super::echo::ended as ApcRoutine), call.context as *mut c_void);
        // SAFETY: by the contract; addresses and options are read before the call returns.
        let result = unsafe {
            match call.family {
                Family::V4 => IcmpSendEcho2(
                    file,
                    null_mut(),
                    apc,
                    context,
                    call.to_v4,
                    call.data,
                    call.size,
                    call.options,
                    call.replies,
                    call.replies_size,
                    call.milliseconds,
                ),
                Family::V6 => Icmp6SendEcho2(
                    file,
                    null_mut(),
                    apc,
                    context,
                    call.from_v6,
                    call.to_v6,
                    call.data,
                    call.size,
                    call.options,
                    call.replies,
                    call.replies_size,
                    call.milliseconds,
                ),
            }
        };
        (result, last_error())
    }

    unsafe fn parse(&self, family: Family, replies: *mut c_void, size: u32) -> (u32, i32) {
        // SAFETY: by the contract.
        let count = unsafe {
            match family {
                Family::V4 => IcmpParseReplies(replies, size),
                Family::V6 => Icmp6ParseReplies(replies, size),
            }
        };
        (count, last_error())
    }

    /// The pages of SIO_TCP_INITIAL_RTO and of TCP_INITIAL_RTO_PARAMETERS; mstcpip.h has the number
    /// for no retransmission since [`ONE_SYN_BUILD`]. Before it, that number was one of retransmissions.
    fn ask_for_one_syn(&self, socket: &OwnedSocket) -> bool {
        let parameters = InitialRto {
            round_trip: ANSWER_TIME,
            most_syn_retransmissions: NO_SYN_RETRANSMISSIONS,
        };
        // SAFETY: readable for the length given; nothing is written but the count.
        build() >= ONE_SYN_BUILD
            && unsafe { control(socket, SIO_TCP_INITIAL_RTO, &parameters, null_mut::<()>()) }
                .is_ok()
    }

    unsafe fn connect(
        &self,
        socket: &OwnedSocket,
        to: &Address,
        port: u16,
        overlapped: *mut Overlapped,
    ) -> Result<(), i32> {
        let connect_ex = connect_ex(socket, to.family())?;
        let (name, length) = (SocketAddress::new(to, port), SocketAddress::length(to.family()));
        let raw = socket.as_raw_socket();
        // SAFETY: the name is readable for its length; the rest is the contract.
        let (result, error) = unsafe {
            let name = name.as_ptr();
            (connect_ex(raw, name, length, null(), 0, null_mut(), overlapped), last_error())
        };
        // The page of ConnectEx: also what succeeds at once sends its packet.
        match result == 0 && error != ERROR_IO_PENDING {
            true => Err(error),
            false => Ok(()),
        }
    }

    fn connect_end(
        &self,
        socket: &OwnedSocket,
        overlapped: &mut Overlapped,
    ) -> Result<Option<(Address, u16)>, i32> {
        let (mut bytes, mut flags) = (0, 0);
        let raw = socket.as_raw_socket();
        // SAFETY: the operation has ended; all pointers are writable.
        if unsafe { WSAGetOverlappedResult(raw, overlapped, &mut bytes, 0, &mut flags) } == 0 {
            return Err(last_error());
        }
        // The page of ConnectEx: until then the system does not know the socket for a connected one.
        set_option::<u32>(socket, SO_UPDATE_CONNECT_CONTEXT, None)?;
        Ok(local_name(socket))
    }
}

/// Milliseconds that the system may wait for the answer to its one SYN: the longest initial
/// retransmission time that it takes (`-InitialRtoMs` on the page of Set-NetTCPSetting: 300 to 3000;
/// that of TCP_INITIAL_RTO_PARAMETERS names no bounds), and longer than connects are usually waited for.
// https://learn.microsoft.com/powershell/module/nettcpip/set-nettcpsetting
const ANSWER_TIME: u16 = 3000;

/// Windows 10 version 1709.
const ONE_SYN_BUILD: u32 = 16_299;

/// The number of this Windows; it has only grown.
fn build() -> u32 {
    let mut version = MaybeUninit::<OsVersion>::zeroed();
    // SAFETY: plain data, writable, and its size stands in it (the page of RtlGetVersion).
    unsafe {
        (*version.as_mut_ptr()).size = size_of::<OsVersion>() as u32;
        RtlGetVersion(version.as_mut_ptr());
        version.assume_init().build
    }
}

/// ConnectEx is an extension that a socket is asked for.
fn connect_ex(socket: &OwnedSocket, family: Family) -> Result<ConnectEx, i32> {
    static KNOWN: OfEach<ConnectEx> = OfEach::new();
    KNOWN.get(family, || {
        let mut found: Option<ConnectEx> = None;
        // SAFETY: writable for what the system writes, a function pointer.
        unsafe {
            control(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &WSAID_CONNECTEX, &mut found)
        }?;
        found.ok_or(WSAEOPNOTSUPP)
    })
}

/// An extension function belongs to the provider of the socket that was asked for it, and each family
/// may have its own (the page of WSAIoctl, SIO_GET_EXTENSION_FUNCTION_POINTER): one of each family,
/// asked for once.
struct OfEach<T>([OnceCell<T>; 2]);

impl<T: Copy> OfEach<T> {
    const fn new() -> OfEach<T> {
        OfEach([OnceCell::new(), OnceCell::new()])
    }

    fn get(&self, family: Family, ask: impl FnOnce() -> Result<T, i32>) -> Result<T, i32> {
        self.0[family.index()].get_or_try_init(ask).copied()
    }
}

/// WSAIoctl, at once.
///
/// # Safety
/// `output` is NULL or writable for what the control code writes.
unsafe fn control<I, O>(
    socket: &OwnedSocket,
    code: u32,
    input: &I,
    output: *mut O,
) -> Result<(), i32> {
    let mut returned = 0;
    let output_length = if output.is_null() { 0 } else { size_of::<O>() as u32 };
    // SAFETY: readable for the length given; the rest is the contract.
    let result = unsafe {
        WSAIoctl(
            socket.as_raw_socket(),
            code,
            (input as *const I).cast(),
            size_of::<I>() as u32,
            output.cast(),
            output_length,
            &mut returned,
            null_mut(),
            null(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_s_function_is_asked_for_once_and_is_its_own() {
        let known = OfEach::new();
        assert_eq!(known.get(Family::V4, || Ok(4)), Ok(4));
        assert_eq!(known.get(Family::V6, || Ok(6)), Ok(6));
        assert_eq!(known.get(Family::V4, || Err(0)), Ok(4), "not asked again");
        let known = OfEach::<u8>::new();
        assert_eq!(known.get(Family::V6, || Err(WSAEOPNOTSUPP)), Err(WSAEOPNOTSUPP));
        assert_eq!(known.get(Family::V6, || Ok(7)), Ok(7), "asked again");
    }
}
