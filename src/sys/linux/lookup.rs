//! Names and addresses through the system's resolver. Owns the calls to getaddrinfo, getnameinfo
//! and if_nametoindex and the reading of what they return; knows nothing of deadlines or sharing
//! (see `resolve`). Every call may block for as long as the resolver likes: call it on a thread
//! that may be lost.

use crate::address::{Address, Family};
use crate::sys::names::{HostEntry, LookupError};
use std::ffi::{CStr, CString};
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_int};
use std::ptr;

/// Converts names that are not ASCII to their DNS form; glibc's, absent from musl and others.
#[cfg(target_env = "gnu")]
const AI_IDN: c_int = 0x0040;
#[cfg(not(target_env = "gnu"))]
const AI_IDN: c_int = 0;

/// "The name has no address of this family", which the libc crate leaves out for Linux.
const EAI_ADDRFAMILY: c_int = -9;

/// "The name cannot be written in DNS", glibc's.
const EAI_IDN_ENCODE: c_int = -105;

/// The longest host name getnameinfo returns, with its NUL (NI_MAXHOST).
const MAX_HOST: usize = 1025;

/// Descriptors that a look-up may have open at a time: a file, a module of the resolver's, and a
/// socket for each family.
const DESCRIPTORS: usize = 4;

/// Looks a name up. Without a family both are returned, whether or not this machine has an address
/// of it. `name` is UTF-8; what is not ASCII is converted where the C library can.
pub fn lookup(
    name: &str,
    family: Option<Family>,
    want_canonical: bool,
) -> Result<HostEntry, LookupError> {
    let c_name = CString::new(name).map_err(|_| LookupError::NotFound(libc::EAI_NONAME))?;
    let flags = if want_canonical { libc::AI_CANONNAME } else { 0 };
    let lacking = lacking_descriptors();
    let list = if name.is_ascii() {
        get_address_info(&c_name, family, flags)
    } else {
        let _locale = Utf8Locale::enter();
        match get_address_info(&c_name, family, flags | AI_IDN) {
            Err(libc::EAI_BADFLAGS) => get_address_info(&c_name, family, flags),
            result => result,
        }
    };
    // The C library says of a file that it could not open, or a server that it could not ask, that
    // there is no such name: that would be our fault, not the name's.
    let list = list.map_err(|code| match lacking.or_else(lacking_descriptors) {
        Some(number) if code < 0 => LookupError::Failed(number),
        _ => error(code),
    })?;
    let mut found = HostEntry { addresses: Vec::new(), canonical: None };
    for info in list.iter() {
        if found.canonical.is_none() && !info.ai_canonname.is_null() {
            // SAFETY: a C string that lives as long as the list.
            let canonical = unsafe { CStr::from_ptr(info.ai_canonname) };
            found.canonical = canonical.to_str().ok().map(str::to_owned);
        }
        if let Some(address) = address_of(info) {
            if !found.addresses.contains(&address) {
                found.addresses.push(address);
            }
        }
    }
    if found.addresses.is_empty() {
        return Err(LookupError::NotFound(libc::EAI_NONAME));
    }
    Ok(found)
}

/// The system's number, where this process cannot get the descriptors of a look-up.
fn lacking_descriptors() -> Option<i32> {
    // SAFETY: takes no pointers; what is opened is closed here.
    let open = || unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    let descriptors: [c_int; DESCRIPTORS] = std::array::from_fn(|_| open());
    let number = descriptors.contains(&-1).then(super::socket::errno);
    for descriptor in descriptors {
        // SAFETY: our own, or -1, which is none.
        unsafe { libc::close(descriptor) };
    }
    // A sandbox may refuse the call itself: that says nothing of descriptors.
    number.filter(|number| matches!(*number, libc::EMFILE | libc::ENFILE))
}

/// The name of an address, where it has one.
pub fn reverse_lookup(address: &Address) -> Option<String> {
    let mut host: [c_char; MAX_HOST] = [0; MAX_HOST];
    // SAFETY: plain data, for which all zero is a valid value.
    let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
    let length = match address.family() {
        Family::V4 => {
            let mut octets = [0; 4];
            octets.copy_from_slice(address.octets());
            // SAFETY: sockaddr_storage is large enough and aligned for every socket address.
            let v4 = unsafe { &mut *(&mut storage as *mut _ as *mut libc::sockaddr_in) };
            v4.sin_family = libc::AF_INET as libc::sa_family_t;
            v4.sin_addr.s_addr = u32::from_ne_bytes(octets);
            size_of::<libc::sockaddr_in>()
        }
        Family::V6 => {
            // SAFETY: as above.
            let v6 = unsafe { &mut *(&mut storage as *mut _ as *mut libc::sockaddr_in6) };
            v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            v6.sin6_addr.s6_addr = *address.bytes();
            v6.sin6_scope_id = address.scope();
            size_of::<libc::sockaddr_in6>()
        }
    };
    // SAFETY: the address is initialised for `length` bytes, the buffer writable for MAX_HOST.
    let result = unsafe {
        libc::getnameinfo(
            (&storage as *const libc::sockaddr_storage).cast(),
            length as libc::socklen_t,
            host.as_mut_ptr(),
            MAX_HOST as libc::socklen_t,
            ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    if result != 0 {
        return None;
    }
    // SAFETY: on success the buffer holds a NUL-terminated string.
    let name = unsafe { CStr::from_ptr(host.as_ptr()) };
    name.to_str().ok().map(str::to_owned)
}

/// The index of a network interface, which is the scope id of its link-local addresses.
pub fn interface_index(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: a NUL-terminated string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

/// A list from getaddrinfo, not empty.
struct AddressInfo(*mut libc::addrinfo);

impl AddressInfo {
    fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: the head is a valid element until drop, and each element's link is NULL or valid.
        let head = unsafe { self.0.as_ref() };
        // SAFETY: as above.
        std::iter::successors(head, |info| unsafe { info.ai_next.as_ref() })
    }
}

impl Drop for AddressInfo {
    fn drop(&mut self) {
        // SAFETY: came from getaddrinfo and is freed once.
        unsafe { libc::freeaddrinfo(self.0) };
    }
}

/// getaddrinfo with one entry per address; the error is its return value.
fn get_address_info(
    name: &CStr,
    family: Option<Family>,
    flags: c_int,
) -> Result<AddressInfo, c_int> {
    // SAFETY: plain data, for which all zero is a valid value.
    let mut hints: libc::addrinfo = unsafe { zeroed() };
    hints.ai_family = match family {
        None => libc::AF_UNSPEC,
        Some(Family::V4) => libc::AF_INET,
        Some(Family::V6) => libc::AF_INET6,
    };
    // Otherwise every address comes once per kind of socket.
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_flags = flags;
    let mut list = ptr::null_mut();
    // SAFETY: a NUL-terminated name, initialised hints, a writable place for the list.
    match unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &hints, &mut list) } {
        0 => Ok(AddressInfo(list)),
        code => Err(own_number(code, super::socket::errno())),
    }
}

/// What getaddrinfo has returned, or, where that only says "the system", the system's number, which
/// is above 0 as no `EAI_*` is.
fn own_number(code: c_int, errno: i32) -> c_int {
    if code == libc::EAI_SYSTEM && errno > 0 {
        errno
    } else {
        code
    }
}

fn address_of(info: &libc::addrinfo) -> Option<Address> {
    let length = info.ai_addrlen as usize;
    if info.ai_addr.is_null() {
        return None;
    }
    match info.ai_family {
        libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: not NULL, of this type by its family, and long enough.
            let v4 = unsafe { info.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Address::v4(v4.sin_addr.s_addr.to_ne_bytes()))
        }
        libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: as above.
            let v6 = unsafe { info.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Address::v6(v6.sin6_addr.s6_addr, v6.sin6_scope_id))
        }
        _ => None,
    }
}

fn error(code: c_int) -> LookupError {
    match code {
        libc::EAI_NONAME | libc::EAI_NODATA => LookupError::NotFound(code),
        EAI_ADDRFAMILY | EAI_IDN_ENCODE => LookupError::NotFound(code),
        libc::EAI_AGAIN => LookupError::TimedOut(code),
        _ => LookupError::Failed(code),
    }
}

/// The calling thread in a UTF-8 locale, until dropped: AI_IDN reads the name in the thread's
/// character set, which is ASCII wherever the host process has not chosen another one.
struct Utf8Locale {
    own: libc::locale_t,
    previous: libc::locale_t,
}

impl Utf8Locale {
    /// `None` where the system has no such locale; the name is then read as the thread reads it.
    fn enter() -> Option<Utf8Locale> {
        const NAME: &[u8] = b"C.UTF-8\0";
        // SAFETY: a NUL-terminated name and no base; the result is checked.
        let own =
            unsafe { libc::newlocale(libc::LC_CTYPE_MASK, NAME.as_ptr().cast(), ptr::null_mut()) };
        if own.is_null() {
            return None;
        }
        // SAFETY: a valid locale, freed only after the thread has left it.
        let previous = unsafe { libc::uselocale(own) };
        Some(Utf8Locale { own, previous })
    }
}

impl Drop for Utf8Locale {
    fn drop(&mut self) {
        // SAFETY: the thread goes back to the locale it had, then nothing uses ours any more.
        unsafe {
            libc::uselocale(self.previous);
            libc::freelocale(self.own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_this_machine() {
        let found = lookup("localhost", Some(Family::V4), true).unwrap();
        assert_eq!(found.addresses, [Address::v4([127, 0, 0, 1])]);
        assert!(found.canonical.unwrap().starts_with("localhost"));
    }

    #[test]
    fn a_canonical_name_comes_only_when_asked_for() {
        assert_eq!(lookup("localhost", None, false).unwrap().canonical, None);
    }

    #[test]
    fn the_family_asked_for_is_the_one_returned() {
        // Literals never leave the C library, and so need no IPv6 entry in the hosts file.
        assert_eq!(lookup("::1", None, false).unwrap().addresses.len(), 1);
        let other = lookup("::1", Some(Family::V4), false);
        assert!(matches!(other, Err(LookupError::NotFound(_))), "{:?}", other);
    }

    #[test]
    fn a_scope_id_is_kept() {
        let found = lookup("fe80::1%1", None, false).unwrap();
        assert_eq!(found.addresses[0].scope(), 1);
    }

    #[test]
    fn a_name_with_a_nul_is_not_found() {
        assert_eq!(lookup("a\0b", None, false), Err(LookupError::NotFound(libc::EAI_NONAME)));
    }

    #[test]
    fn loopback_has_a_name() {
        assert!(reverse_lookup(&Address::v4([127, 0, 0, 1])).is_some());
    }

    #[test]
    fn the_loopback_interface_has_an_index_and_others_have_none() {
        assert!(interface_index("lo").is_some());
        assert_eq!(interface_index("no-such-if"), None);
        assert_eq!(interface_index("l\0o"), None);
    }

    #[test]
    fn resolver_numbers_are_told_apart() {
        assert_eq!(error(libc::EAI_AGAIN), LookupError::TimedOut(libc::EAI_AGAIN));
        assert_eq!(error(libc::EAI_NODATA), LookupError::NotFound(libc::EAI_NODATA));
        assert_eq!(error(EAI_IDN_ENCODE), LookupError::NotFound(EAI_IDN_ENCODE));
        assert_eq!(error(libc::EAI_FAIL), LookupError::Failed(libc::EAI_FAIL));
        let from_system = own_number(libc::EAI_SYSTEM, libc::EMFILE);
        assert_eq!(error(from_system), LookupError::Failed(libc::EMFILE));
        assert_eq!(own_number(libc::EAI_AGAIN, libc::EMFILE), libc::EAI_AGAIN);
        assert_eq!(own_number(libc::EAI_SYSTEM, 0), libc::EAI_SYSTEM);
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn names_beyond_ascii_are_read_as_utf8() {
        const LIBIDN: &[u8] = b"libidn2.so.0\0";
        // SAFETY: a NUL-terminated name; the library has no initialisers to fear.
        if unsafe { libc::dlopen(LIBIDN.as_ptr().cast(), libc::RTLD_LAZY) }.is_null() {
            eprintln!("skipped: the C library needs libidn2, which is not installed");
            return;
        }
        // Full-width letters, which IDNA maps to ASCII: needs no name server.
        let found = lookup("ｌｏｃａｌｈｏｓｔ", Some(Family::V4), false).unwrap();
        assert_eq!(found.addresses, [Address::v4([127, 0, 0, 1])]);
    }
}
