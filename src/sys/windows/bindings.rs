//! Numbers and structs of the system's interface that this backend uses, by the names and layouts of
//! the Windows SDK, each with its page; the functions are beside it. Owns no behaviour. Where a field of a struct is not read it is still there, for
//! the layout; what follows the last field read is left out of structs that only the system makes.

pub(super) use super::functions::*;
use std::os::raw::{c_char, c_int, c_void};
use std::os::windows::io::{RawHandle, RawSocket};

// https://learn.microsoft.com/windows/win32/winprog/windows-data-types
/// A Win32 BOOL.
pub(super) type Bool = c_int;

// --- numbers ------------------------------------------------------------------------------

// https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex
pub(super) const INFINITE: u32 = u32::MAX;
pub(super) const INVALID_HANDLE_VALUE: RawHandle = usize::MAX as RawHandle;

// https://learn.microsoft.com/windows/win32/debug/system-error-codes
pub(super) const ERROR_ACCESS_DENIED: i32 = 5;
pub(super) const ERROR_NOT_ENOUGH_MEMORY: i32 = 8;
pub(super) const ERROR_NOT_SUPPORTED: i32 = 50;
pub(super) const ERROR_INVALID_PARAMETER: i32 = 87;
pub(super) const ERROR_BUFFER_OVERFLOW: u32 = 111;
pub(super) const WAIT_OBJECT_0: u32 = 0;
pub(super) const WAIT_FAILED: u32 = u32::MAX;
pub(super) const WAIT_TIMEOUT: i32 = 258;
/// An APC has run; no failure.
pub(super) const WAIT_IO_COMPLETION: i32 = 192;
pub(super) const ERROR_OPERATION_ABORTED: i32 = 995;
pub(super) const ERROR_IO_PENDING: i32 = 997;
pub(super) const ERROR_NETWORK_UNREACHABLE: i32 = 1231;
pub(super) const ERROR_HOST_UNREACHABLE: i32 = 1232;
pub(super) const ERROR_REQUEST_ABORTED: i32 = 1235;
pub(super) const ERROR_NO_SYSTEM_RESOURCES: i32 = 1450;
pub(super) const ERROR_WORKING_SET_QUOTA: i32 = 1453;

// https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
pub(super) const WSAEACCES: i32 = 10013;
pub(super) const WSAEMFILE: i32 = 10024;
pub(super) const WSAEMSGSIZE: i32 = 10040;
pub(super) const WSAEOPNOTSUPP: i32 = 10045;
pub(super) const WSAEADDRINUSE: i32 = 10048;
pub(super) const WSAEADDRNOTAVAIL: i32 = 10049;
pub(super) const WSAENETDOWN: i32 = 10050;
pub(super) const WSAENETUNREACH: i32 = 10051;
pub(super) const WSAENOBUFS: i32 = 10055;
pub(super) const WSAETIMEDOUT: i32 = 10060;
pub(super) const WSAECONNREFUSED: i32 = 10061;
pub(super) const WSAEHOSTDOWN: i32 = 10064;
pub(super) const WSAEHOSTUNREACH: i32 = 10065;
pub(super) const WSAHOST_NOT_FOUND: i32 = 11001;
pub(super) const WSATRY_AGAIN: i32 = 11002;
pub(super) const WSANO_DATA: i32 = 11004;

// https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasocketw
pub(super) const AF_UNSPEC: c_int = 0;
pub(super) const AF_INET: c_int = 2;
pub(super) const AF_INET6: c_int = 23;
pub(super) const SOCK_STREAM: c_int = 1;
pub(super) const IPPROTO_TCP: c_int = 6;
pub(super) const WSA_FLAG_OVERLAPPED: u32 = 0x01;
pub(super) const WSA_FLAG_NO_HANDLE_INHERIT: u32 = 0x80;
pub(super) const INVALID_SOCKET: RawSocket = RawSocket::MAX;
// https://learn.microsoft.com/windows/win32/winsock/sol-socket-socket-options
pub(super) const SOL_SOCKET: c_int = 0xffff;
pub(super) const SO_LINGER: c_int = 0x0080;
pub(super) const SO_REUSE_UNICASTPORT: c_int = 0x3007;
pub(super) const SO_UPDATE_CONNECT_CONTEXT: c_int = 0x7010;
// https://learn.microsoft.com/windows/win32/winsock/winsock-ioctls
pub(super) const SIO_GET_EXTENSION_FUNCTION_POINTER: u32 = 0xc800_0006;
// https://learn.microsoft.com/windows/win32/winsock/sio-tcp-initial-rto
pub(super) const SIO_TCP_INITIAL_RTO: u32 = 0x9800_0011;
/// TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS, -2 as an unsigned byte.
pub(super) const NO_SYN_RETRANSMISSIONS: u8 = 0xfe;
// https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-addrinfow
pub(super) const AI_CANONNAME: c_int = 0x02;
// https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfow
pub(super) const NI_NAMEREQD: c_int = 0x04;

// https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses
pub(super) const GAA_FLAG_SKIP_ANYCAST: u32 = 0x02;
pub(super) const GAA_FLAG_SKIP_MULTICAST: u32 = 0x04;
pub(super) const GAA_FLAG_SKIP_DNS_SERVER: u32 = 0x08;
pub(super) const GAA_FLAG_SKIP_FRIENDLY_NAME: u32 = 0x20;
// https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_addresses_lh
pub(super) const IF_TYPE_PPP: u32 = 23;
pub(super) const IF_TYPE_SOFTWARE_LOOPBACK: u32 = 24;
pub(super) const IF_TYPE_TUNNEL: u32 = 131;
pub(super) const IF_OPER_STATUS_UP: c_int = 1;

// https://learn.microsoft.com/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom
pub(super) const BCRYPT_USE_SYSTEM_PREFERRED_RNG: u32 = 2;
// https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandleexw
pub(super) const GET_MODULE_HANDLE_EX_FLAG_PIN: u32 = 1;
pub(super) const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;
// https://learn.microsoft.com/windows/win32/procthread/thread-security-and-access-rights
pub(super) const THREAD_QUERY_LIMITED_INFORMATION: u32 = 0x0800;

// https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerexw
pub(super) const CREATE_WAITABLE_TIMER_HIGH_RESOLUTION: u32 = 2;
// https://learn.microsoft.com/windows/win32/sync/synchronization-object-security-and-access-rights
pub(super) const TIMER_MODIFY_STATE: u32 = 2;
pub(super) const SYNCHRONIZE: u32 = 0x0010_0000;

// https://learn.microsoft.com/windows/win32/api/objbase/ne-objbase-coinit
pub(super) const COINIT_MULTITHREADED: u32 = 0;
pub(super) const COINIT_APARTMENTTHREADED: u32 = 2;
// https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex
pub(super) const QS_ALLINPUT: u32 = 0x04ff;
pub(super) const MWMO_INPUTAVAILABLE: u32 = 0x0004;
// https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-peekmessagew
pub(super) const PM_REMOVE: u32 = 1;

// --- structs ------------------------------------------------------------------------------

// https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-sockaddr_in
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct SockaddrIn {
    pub family: u16,
    /// Network byte order.
    pub port: u16,
    pub address: [u8; 4],
    pub zero: [u8; 8],
}

// https://learn.microsoft.com/windows/win32/api/ws2ipdef/ns-ws2ipdef-sockaddr_in6_lh
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SockaddrIn6 {
    pub family: u16,
    /// Network byte order.
    pub port: u16,
    pub flow: u32,
    pub address: [u8; 16],
    pub scope: u32,
}

// https://learn.microsoft.com/windows/win32/api/winsock/ns-winsock-linger
#[repr(C)]
pub(super) struct Linger {
    pub onoff: u16,
    pub linger: u16,
}

// https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-overlapped
#[repr(C)]
pub struct Overlapped {
    pub internal: usize,
    pub internal_high: usize,
    pub offset: u32,
    pub offset_high: u32,
    pub event: RawHandle,
}

// https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-overlapped_entry
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OverlappedEntry {
    pub key: usize,
    pub overlapped: *mut Overlapped,
    pub internal: usize,
    pub bytes: u32,
}

// https://learn.microsoft.com/windows/win32/api/guiddef/ns-guiddef-guid
#[repr(C)]
pub(super) struct Guid(pub u32, pub u16, pub u16, pub [u8; 8]);

/// The extension function ConnectEx (mswsock.h).
pub(super) const WSAID_CONNECTEX: Guid =
    Guid(0x25a2_07b9, 0xddf3, 0x4660, [0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e]);

// https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex
pub(super) type ConnectEx = unsafe extern "system" fn(
    socket: RawSocket,
    name: *const c_void,
    name_length: c_int,
    send_buffer: *const c_void,
    send_length: u32,
    sent: *mut u32,
    overlapped: *mut Overlapped,
) -> Bool;

// https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-addrinfow
#[repr(C)]
pub(super) struct AddrInfo {
    pub flags: c_int,
    pub family: c_int,
    pub socket_type: c_int,
    pub protocol: c_int,
    pub address_length: usize,
    pub canonical_name: *mut u16,
    pub address: *mut c_void,
    pub next: *mut AddrInfo,
}

// https://learn.microsoft.com/windows/win32/api/ipexport/ns-ipexport-ip_option_information
#[repr(C)]
pub struct IpOptions {
    pub ttl: u8,
    pub tos: u8,
    pub flags: u8,
    pub options_size: u8,
    pub options_data: *mut u8,
}

// https://learn.microsoft.com/windows/win32/api/ipexport/ns-ipexport-icmp_echo_reply
/// ICMP_ECHO_REPLY.
#[repr(C)]
pub(super) struct EchoReply {
    pub address: [u8; 4],
    pub status: u32,
    /// Milliseconds.
    pub round_trip: u32,
    pub data_size: u16,
    pub reserved: u16,
    /// Into the buffer that the reply stands in.
    pub data: *const u8,
    pub options: IpOptions,
}

// https://learn.microsoft.com/windows/win32/api/ipexport/ns-ipexport-ipv6_address_ex
/// IPV6_ADDRESS_EX.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(super) struct AddressEx {
    pub port: u16,
    pub flow: u32,
    pub address: [u8; 16],
    pub scope: u32,
}

// https://learn.microsoft.com/windows/win32/api/ipexport/ns-ipexport-icmpv6_echo_reply_lh
/// ICMPV6_ECHO_REPLY; the data follow it.
#[repr(C)]
pub(super) struct EchoReply6 {
    pub address: AddressEx,
    pub status: u32,
    /// Milliseconds.
    pub round_trip: u32,
}

// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/ns-wdm-_io_status_block
#[repr(C)]
pub struct IoStatusBlock {
    pub status: usize,
    pub information: usize,
}

// https://learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho2
pub type ApcRoutine =
    unsafe extern "system" fn(context: *mut c_void, status: *mut IoStatusBlock, reserved: u32);

// https://learn.microsoft.com/windows/win32/api/mstcpip/ns-mstcpip-tcp_initial_rto_parameters
/// TCP_INITIAL_RTO_PARAMETERS.
#[repr(C)]
pub(super) struct InitialRto {
    /// Milliseconds.
    pub round_trip: u16,
    pub most_syn_retransmissions: u8,
}

// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-osversioninfow
/// OSVERSIONINFOW.
#[repr(C)]
pub(super) struct OsVersion {
    pub size: u32,
    pub major: u32,
    pub minor: u32,
    pub build: u32,
    pub platform: u32,
    pub service_pack: [u16; 128],
}

// https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_addresses_lh
/// The head of IP_ADAPTER_ADDRESSES_LH.
#[repr(C)]
pub(super) struct AdapterAddresses {
    pub length: u32,
    pub index: u32,
    pub next: *mut AdapterAddresses,
    pub adapter_name: *mut c_char,
    pub first_unicast: *mut UnicastAddress,
    pub first_anycast: *mut c_void,
    pub first_multicast: *mut c_void,
    pub first_dns_server: *mut c_void,
    pub dns_suffix: *mut u16,
    pub description: *mut u16,
    pub friendly_name: *mut u16,
    pub physical_address: [u8; 8],
    pub physical_address_length: u32,
    pub flags: u32,
    pub mtu: u32,
    pub kind: u32,
    pub oper_status: c_int,
}

// https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-socket_address
/// SOCKET_ADDRESS.
#[repr(C)]
pub(super) struct SocketAddressPointer {
    pub pointer: *mut c_void,
    pub length: c_int,
}

// https://learn.microsoft.com/windows/win32/api/iptypes/ns-iptypes-ip_adapter_unicast_address_lh
/// IP_ADAPTER_UNICAST_ADDRESS_LH.
#[repr(C)]
pub(super) struct UnicastAddress {
    pub length: u32,
    pub flags: u32,
    pub next: *mut UnicastAddress,
    pub address: SocketAddressPointer,
    pub prefix_origin: c_int,
    pub suffix_origin: c_int,
    pub dad_state: c_int,
    pub valid_lifetime: u32,
    pub preferred_lifetime: u32,
    pub lease_lifetime: u32,
    pub on_link_prefix_length: u8,
}

// https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-filetime
/// 100 ns since 1601, or of processor time, in two halves.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct FileTime {
    pub low: u32,
    pub high: u32,
}

// https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-msg
/// MSG.
#[repr(C)]
pub(super) struct Message {
    pub window: RawHandle,
    pub message: u32,
    pub w_param: usize,
    pub l_param: isize,
    pub time: u32,
    pub point: [i32; 2],
}

// https://learn.microsoft.com/windows/win32/api/winsock/ns-winsock-wsadata
/// WSADATA, whose content is not read: 408 bytes at most.
pub(super) type WsaData = [u64; 51];

// What the system writes must lie where it is read (x86_64).
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::size_of;
    assert!(size_of::<SockaddrIn>() == 16 && size_of::<SockaddrIn6>() == 28);
    assert!(size_of::<Overlapped>() == 32 && size_of::<OverlappedEntry>() == 32);
    assert!(size_of::<EchoReply>() == 40 && size_of::<EchoReply6>() == 36);
    assert!(size_of::<InitialRto>() == 4 && size_of::<OsVersion>() == 276);
    assert!(size_of::<AddrInfo>() == 48 && size_of::<Message>() == 48);
    assert!(size_of::<AdapterAddresses>() == 112 && size_of::<UnicastAddress>() == 64);
};
