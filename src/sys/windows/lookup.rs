//! Names and addresses through the system's resolver. Owns the calls to GetAddrInfoW, GetNameInfoW
//! and those for interfaces, and the reading of what they return; knows nothing of deadlines or
//! sharing (see `resolve`). Every call may block for as long as the resolver likes: call it on a
//! thread that may be lost.

use super::bindings::*;
use super::socket::{family_number, start_sockets, SocketAddress};
use crate::address::{Address, Family};
use crate::sys::names::{HostEntry, LookupError};
use std::ffi::CString;
use std::mem::zeroed;
use std::os::raw::c_int;
use std::ptr;

/// The longest host name GetNameInfoW returns, with its NUL (NI_MAXHOST).
const MAX_HOST: usize = 1025;

/// UTF-16 with a NUL at its end; `None` where there is one inside.
fn wide(text: &str) -> Option<Vec<u16>> {
    (!text.contains('\0')).then(|| text.encode_utf16().chain([0]).collect())
}

/// Looks a name up. Without a family both are returned, whether or not this machine has an address
/// of it. What is not ASCII is converted by the system.
pub fn lookup(
    name: &str,
    family: Option<Family>,
    want_canonical: bool,
) -> Result<HostEntry, LookupError> {
    start_sockets();
    let name = wide(name).ok_or(LookupError::NotFound(WSAHOST_NOT_FOUND))?;
    let list = AddressList::get(&name, family, want_canonical).map_err(error)?;
    let mut found = HostEntry { addresses: Vec::new(), canonical: None };
    for info in list.iter() {
        if want_canonical && found.canonical.is_none() && !info.canonical_name.is_null() {
            // SAFETY: NUL-terminated, and lives as long as the list.
            found.canonical = Some(unsafe { text_at(info.canonical_name) });
        }
        // SAFETY: readable for the length beside it.
        let address = unsafe { SocketAddress::copy_of(info.address, info.address_length).read() };
        if let Some((address, _)) = address {
            if !found.addresses.contains(&address) {
                found.addresses.push(address);
            }
        }
    }
    if found.addresses.is_empty() {
        return Err(LookupError::NotFound(WSANO_DATA));
    }
    Ok(found)
}

/// The name of an address, where it has one.
pub fn reverse_lookup(address: &Address) -> Option<String> {
    start_sockets();
    let name = SocketAddress::new(address, 0);
    let length = SocketAddress::length(address.family());
    let mut host = [0u16; MAX_HOST];
    // SAFETY: readable and writable for the lengths given.
    let result = unsafe {
        let (host, room) = (host.as_mut_ptr(), MAX_HOST as u32);
        GetNameInfoW(name.as_ptr(), length, host, room, ptr::null_mut(), 0, NI_NAMEREQD)
    };
    // SAFETY: on success the buffer holds a NUL-terminated string.
    (result == 0).then(|| unsafe { text_at(host.as_ptr()) })
}

/// The index of a network interface, which is the scope id of its link-local addresses, by either
/// of its names: the system's (`ethernet_32769`) or the one that people see (`Ethernet`).
pub fn interface_index(name: &str) -> Option<u32> {
    let system_name = CString::new(name).ok()?;
    let alias = wide(name)?;
    // SAFETY: NUL-terminated strings; writable for the numbers.
    unsafe {
        let index = if_nametoindex(system_name.as_ptr());
        if index != 0 {
            return Some(index);
        }
        let (mut luid, mut index) = (0, 0);
        let known = ConvertInterfaceAliasToLuid(alias.as_ptr(), &mut luid) == 0
            && ConvertInterfaceLuidToIndex(&luid, &mut index) == 0;
        (known && index != 0).then_some(index)
    }
}

/// # Safety
/// `text` is readable up to a NUL.
unsafe fn text_at(text: *const u16) -> String {
    // SAFETY: by the contract.
    let units = unsafe {
        let length = (0..).take_while(|index| *text.add(*index) != 0).count();
        std::slice::from_raw_parts(text, length)
    };
    String::from_utf16_lossy(units)
}

/// A list from GetAddrInfoW, not empty.
struct AddressList(*mut AddrInfo);

impl AddressList {
    /// One entry per address; the error is a WSA number.
    fn get(name: &[u16], family: Option<Family>, canonical: bool) -> Result<AddressList, c_int> {
        // SAFETY: plain data, for which all zero is a valid value.
        let mut hints: AddrInfo = unsafe { zeroed() };
        hints.family = family.map_or(AF_UNSPEC, family_number);
        // Otherwise every address may come once per kind of socket.
        hints.socket_type = SOCK_STREAM;
        hints.flags = if canonical { AI_CANONNAME } else { 0 };
        let mut list = ptr::null_mut();
        // SAFETY: a NUL-terminated name, initialised hints, a writable place for the list.
        match unsafe { GetAddrInfoW(name.as_ptr(), ptr::null(), &hints, &mut list) } {
            0 => Ok(AddressList(list)),
            code => Err(code),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &AddrInfo> {
        // SAFETY: the head is a valid element until drop, and each element's link is NULL or valid.
        let head = unsafe { self.0.as_ref() };
        // SAFETY: as above.
        std::iter::successors(head, |info| unsafe { info.next.as_ref() })
    }
}

impl Drop for AddressList {
    fn drop(&mut self) {
        // SAFETY: came from GetAddrInfoW and is freed once.
        unsafe { FreeAddrInfoW(self.0) };
    }
}

/// By the return values on the page of GetAddrInfoW.
fn error(code: c_int) -> LookupError {
    match code {
        // There is no such name.
        WSAHOST_NOT_FOUND => LookupError::NotFound(code),
        // It has no address (of the family asked for).
        WSANO_DATA => LookupError::NotFound(code),
        // The server had no answer from the one that knows: usually temporary.
        WSATRY_AGAIN => LookupError::TimedOut(code),
        // Not on the page; what a name service provider may pass on.
        WSAETIMEDOUT => LookupError::TimedOut(code),
        // WSANO_RECOVERY, WSA_NOT_ENOUGH_MEMORY, what is wrong with the hints: with its number.
        _ => LookupError::Failed(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_this_machine() {
        let found = lookup("localhost", Some(Family::V4), false).unwrap();
        assert_eq!(found.addresses, [Address::v4([127, 0, 0, 1])]);
        assert_eq!(found.canonical, None);
    }

    #[test]
    fn a_canonical_name_comes_when_asked_for() {
        assert!(lookup("localhost", Some(Family::V4), true).unwrap().canonical.is_some());
    }

    #[test]
    fn the_family_asked_for_is_the_one_returned() {
        assert_eq!(lookup("::1", None, false).unwrap().addresses.len(), 1);
        let other = lookup("::1", Some(Family::V4), false);
        assert!(other.is_err(), "{other:?}");
    }

    #[test]
    fn a_scope_id_is_kept() {
        assert_eq!(lookup("fe80::1%1", None, false).unwrap().addresses[0].scope(), 1);
    }

    #[test]
    fn a_name_with_a_nul_is_not_found() {
        assert_eq!(lookup("a\0b", None, false), Err(LookupError::NotFound(WSAHOST_NOT_FOUND)));
        assert_eq!(interface_index("l\0o"), None);
    }

    #[test]
    fn an_unknown_interface_has_no_index() {
        assert_eq!(interface_index("no-such-if"), None);
    }

    #[test]
    fn loopback_has_a_name() {
        assert!(reverse_lookup(&Address::v4([127, 0, 0, 1])).is_some());
    }

    #[test]
    fn resolver_numbers_are_told_apart() {
        for code in [11_001, 11_004] {
            assert_eq!(error(code), LookupError::NotFound(code));
        }
        for code in [11_002, 10_060] {
            assert_eq!(error(code), LookupError::TimedOut(code));
        }
        for code in [8, 10_022, 10_044, 10_047, 10_093, 10_109, 11_003] {
            assert_eq!(error(code), LookupError::Failed(code));
        }
    }
}
