//! The system's functions that this backend calls, each with the page that its callers follow. Owns no
//! behaviour.

#![allow(non_snake_case)]

use super::bindings::*;
use std::os::raw::{c_char, c_int, c_void};
use std::os::windows::io::{RawHandle, RawSocket};

#[link(name = "kernel32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-createiocompletionport
    pub(super) fn CreateIoCompletionPort(
        file: RawHandle,
        port: RawHandle,
        key: usize,
        threads: u32,
    ) -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatusex
    pub(super) fn GetQueuedCompletionStatusEx(
        port: RawHandle,
        entries: *mut OverlappedEntry,
        count: u32,
        removed: *mut u32,
        milliseconds: u32,
        alertable: Bool,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-postqueuedcompletionstatus
    pub(super) fn PostQueuedCompletionStatus(
        port: RawHandle,
        bytes: u32,
        key: usize,
        overlapped: *mut Overlapped,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepex
    pub(super) fn SleepEx(milliseconds: u32, alertable: Bool) -> u32;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerexw
    pub(super) fn CreateWaitableTimerExW(
        attributes: *const c_void,
        name: *const u16,
        flags: u32,
        access: u32,
    ) -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer
    pub(super) fn SetWaitableTimer(
        timer: RawHandle,
        due: *const i64,
        period: i32,
        routine: *const c_void,
        argument: *mut c_void,
        resume: Bool,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex
    pub(super) fn WaitForSingleObjectEx(
        handle: RawHandle,
        milliseconds: u32,
        alertable: Bool,
    ) -> u32;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventw
    pub(super) fn CreateEventW(
        attributes: *const c_void,
        manual_reset: Bool,
        initial_state: Bool,
        name: *const u16,
    ) -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent
    pub(super) fn SetEvent(event: RawHandle) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread
    pub(super) fn OpenThread(access: u32, inherit: Bool, id: u32) -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid
    pub(super) fn GetCurrentThreadId() -> u32;
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess
    pub(super) fn GetCurrentProcess() -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-querythreadcycletime
    pub(super) fn QueryThreadCycleTime(thread: RawHandle, cycles: *mut u64) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryprocesscycletime
    pub(super) fn QueryProcessCycleTime(process: RawHandle, cycles: *mut u64) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadtimes
    pub(super) fn GetThreadTimes(
        thread: RawHandle,
        creation: *mut FileTime,
        exit: *mut FileTime,
        kernel: *mut FileTime,
        user: *mut FileTime,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes
    pub(super) fn GetProcessTimes(
        process: RawHandle,
        creation: *mut FileTime,
        exit: *mut FileTime,
        kernel: *mut FileTime,
        user: *mut FileTime,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandleexw
    pub(super) fn GetModuleHandleExW(flags: u32, name: *const u16, module: *mut RawHandle) -> Bool;
}

#[link(name = "ws2_32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsastartup
    pub(super) fn WSAStartup(version: u16, data: *mut WsaData) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasocketw
    pub(super) fn WSASocketW(
        family: c_int,
        kind: c_int,
        protocol: c_int,
        protocol_info: *const c_void,
        group: u32,
        flags: u32,
    ) -> RawSocket;
    // https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaioctl
    pub(super) fn WSAIoctl(
        socket: RawSocket,
        code: u32,
        input: *const c_void,
        input_length: u32,
        output: *mut c_void,
        output_length: u32,
        returned: *mut u32,
        overlapped: *mut Overlapped,
        completion: *const c_void,
    ) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsagetoverlappedresult
    pub(super) fn WSAGetOverlappedResult(
        socket: RawSocket,
        overlapped: *mut Overlapped,
        bytes: *mut u32,
        wait: Bool,
        flags: *mut u32,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-setsockopt
    pub(super) fn setsockopt(
        socket: RawSocket,
        level: c_int,
        name: c_int,
        value: *const c_void,
        length: c_int,
    ) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-bind
    pub(super) fn bind(socket: RawSocket, name: *const c_void, length: c_int) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-getsockname
    pub(super) fn getsockname(socket: RawSocket, name: *mut c_void, length: *mut c_int) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfow
    pub(super) fn GetAddrInfoW(
        name: *const u16,
        service: *const u16,
        hints: *const AddrInfo,
        list: *mut *mut AddrInfo,
    ) -> c_int;
    // https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfow
    pub(super) fn FreeAddrInfoW(list: *mut AddrInfo);
    // https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfow
    pub(super) fn GetNameInfoW(
        address: *const c_void,
        length: c_int,
        host: *mut u16,
        host_length: u32,
        service: *mut u16,
        service_length: u32,
        flags: c_int,
    ) -> c_int;
}

#[link(name = "iphlpapi")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpcreatefile
    pub(super) fn IcmpCreateFile() -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6createfile
    pub(super) fn Icmp6CreateFile() -> RawHandle;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpclosehandle
    pub(super) fn IcmpCloseHandle(handle: RawHandle) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho2
    pub(super) fn IcmpSendEcho2(
        handle: RawHandle,
        event: RawHandle,
        apc: Option<ApcRoutine>,
        context: *mut c_void,
        to: u32,
        data: *const u8,
        size: u16,
        options: *const IpOptions,
        replies: *mut c_void,
        replies_size: u32,
        milliseconds: u32,
    ) -> u32;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6sendecho2
    pub(super) fn Icmp6SendEcho2(
        handle: RawHandle,
        event: RawHandle,
        apc: Option<ApcRoutine>,
        context: *mut c_void,
        from: *const SockaddrIn6,
        to: *const SockaddrIn6,
        data: *const u8,
        size: u16,
        options: *const IpOptions,
        replies: *mut c_void,
        replies_size: u32,
        milliseconds: u32,
    ) -> u32;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpparsereplies
    pub(super) fn IcmpParseReplies(replies: *mut c_void, size: u32) -> u32;
    // https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmp6parsereplies
    pub(super) fn Icmp6ParseReplies(replies: *mut c_void, size: u32) -> u32;
    // https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses
    pub(super) fn GetAdaptersAddresses(
        family: u32,
        flags: u32,
        reserved: *mut c_void,
        addresses: *mut AdapterAddresses,
        size: *mut u32,
    ) -> u32;
    // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-if_nametoindex
    pub(super) fn if_nametoindex(name: *const c_char) -> u32;
    // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfacealiastoluid
    pub(super) fn ConvertInterfaceAliasToLuid(alias: *const u16, luid: *mut u64) -> u32;
    // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceluidtoindex
    pub(super) fn ConvertInterfaceLuidToIndex(luid: *const u64, index: *mut u32) -> u32;
}

#[link(name = "ntdll")]
extern "system" {
    // https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlgetversion
    pub(super) fn RtlGetVersion(version: *mut OsVersion) -> i32;
}

#[link(name = "bcrypt")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom
    pub(super) fn BCryptGenRandom(
        algorithm: RawHandle,
        buffer: *mut u8,
        length: u32,
        flags: u32,
    ) -> i32;
}

#[link(name = "ole32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-coinitializeex
    pub(super) fn CoInitializeEx(reserved: *mut c_void, apartment: u32) -> i32;
    // https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-couninitialize
    pub(super) fn CoUninitialize();
}

#[link(name = "user32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex
    pub(super) fn MsgWaitForMultipleObjectsEx(
        count: u32,
        handles: *const RawHandle,
        milliseconds: u32,
        wake_mask: u32,
        flags: u32,
    ) -> u32;
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-peekmessagew
    pub(super) fn PeekMessageW(
        message: *mut Message,
        window: RawHandle,
        first: u32,
        last: u32,
        remove: u32,
    ) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-translatemessage
    pub(super) fn TranslateMessage(message: *const Message) -> Bool;
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-dispatchmessagew
    pub(super) fn DispatchMessageW(message: *const Message) -> isize;
}
