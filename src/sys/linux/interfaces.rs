//! The links of this machine, from its network interfaces.

use super::socket::SocketAddress;
use crate::address::Address;
use std::os::raw::c_int;
use std::ptr::null_mut;

/// The prefixes, each with its length, of all interfaces that are up, broadcast-capable and not
/// loopback.
pub fn broadcast_prefixes() -> Vec<(Address, u32)> {
    let mut prefixes = Vec::new();
    let mut list: *mut libc::ifaddrs = null_mut();
    // SAFETY: writable; on success a list that is freed below.
    if unsafe { libc::getifaddrs(&mut list) } != 0 {
        return prefixes;
    }
    let wanted = libc::IFF_UP | libc::IFF_BROADCAST;
    let mut next = list;
    while !next.is_null() {
        // SAFETY: an entry of the list; its addresses are NULL or valid.
        let (flags, address, mask) = unsafe {
            let entry = &*next;
            next = entry.ifa_next;
            (
                entry.ifa_flags as c_int,
                SocketAddress::copy_of(entry.ifa_addr).read(),
                SocketAddress::copy_of(entry.ifa_netmask).read(),
            )
        };
        if flags & (wanted | libc::IFF_LOOPBACK) != wanted {
            continue;
        }
        if let (Some((address, _)), Some((mask, _))) = (address, mask) {
            let length = mask.octets().iter().map(|octet| octet.count_ones()).sum();
            prefixes.push((address, length));
        }
    }
    // SAFETY: from getifaddrs, freed once.
    unsafe { libc::freeifaddrs(list) };
    prefixes
}

/// Places in the neighbour table, IPv4 and IPv6 (gc_thresh3); 0 where the system does not say. In a
/// network namespace, as containers have one, the file is not there; the answer by netlink is.
pub fn neighbour_tables() -> [u32; 2] {
    let mut sizes = super::neighbours::table_sizes();
    for (size, family) in sizes.iter_mut().zip(["ipv4", "ipv6"]) {
        if *size == 0 {
            let path = format!("/proc/sys/net/{}/neigh/default/gc_thresh3", family);
            let text = std::fs::read_to_string(path).unwrap_or_default();
            *size = text.trim().parse().unwrap_or(0);
        }
    }
    sizes
}
