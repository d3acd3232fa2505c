//! The links of this machine, from its network adapters.

use super::bindings::*;
use super::socket::SocketAddress;
use crate::address::Address;
use std::ptr::null_mut;

/// Bytes that usually hold the list of adapters; the system says where it needs more.
const USUAL_SIZE: u32 = 16 << 10;
/// The list may grow between two calls, but not each time.
const TRIES: u32 = 4;

/// The prefixes, each with its length, of all interfaces that are up, broadcast-capable and not
/// loopback.
pub fn broadcast_prefixes() -> Vec<(Address, u32)> {
    let mut prefixes = Vec::new();
    let buffer = adapters();
    if buffer.is_empty() {
        return prefixes;
    }
    // SAFETY: the list's head; its links are NULL or stay in the buffer.
    let mut next = unsafe { buffer.as_ptr().cast::<AdapterAddresses>().as_ref() };
    while let Some(adapter) = next {
        if adapter.oper_status == IF_OPER_STATUS_UP && has_neighbours(adapter.kind) {
            add_prefixes(adapter, &mut prefixes);
        }
        // SAFETY: as above.
        next = unsafe { adapter.next.as_ref() };
    }
    prefixes
}

/// The system does not say how many places its neighbour tables have.
pub fn neighbour_tables() -> [u32; 2] {
    [0; 2]
}

fn has_neighbours(kind: u32) -> bool {
    !matches!(kind, IF_TYPE_SOFTWARE_LOOPBACK | IF_TYPE_PPP | IF_TYPE_TUNNEL)
}

/// The system's list of adapters, empty where it has none.
fn adapters() -> Vec<u64> {
    let flags = GAA_FLAG_SKIP_ANYCAST
        | GAA_FLAG_SKIP_MULTICAST
        | GAA_FLAG_SKIP_DNS_SERVER
        | GAA_FLAG_SKIP_FRIENDLY_NAME;
    let mut size = USUAL_SIZE;
    for _ in 0..TRIES {
        // Words, because the list holds pointers.
        let mut buffer = vec![0u64; (size as usize + 7) / 8];
        // SAFETY: writable for the size given.
        let result = unsafe {
            let list = buffer.as_mut_ptr().cast();
            GetAdaptersAddresses(AF_UNSPEC as u32, flags, null_mut(), list, &mut size)
        };
        match result {
            0 => return buffer,
            ERROR_BUFFER_OVERFLOW => {}
            _ => break,
        }
    }
    Vec::new()
}

fn add_prefixes(adapter: &AdapterAddresses, prefixes: &mut Vec<(Address, u32)>) {
    // SAFETY: NULL, or an entry in the buffer that the adapter stands in; likewise its links.
    let mut next = unsafe { adapter.first_unicast.as_ref() };
    while let Some(unicast) = next {
        // SAFETY: readable for the length beside it.
        let address = unsafe {
            let address = &unicast.address;
            SocketAddress::copy_of(address.pointer, address.length as usize).read()
        };
        if let Some((address, _)) = address {
            prefixes.push((address, u32::from(unicast.on_link_prefix_length)));
        }
        // SAFETY: as above.
        next = unsafe { unicast.next.as_ref() };
    }
}
