//! Apartments, and the sleep of a worker in one.

use super::super::apartment::wait_dispatching;
use super::super::bindings::*;
use super::super::socket::last_error;
use super::*;
use crate::sys::Apartment;
use std::os::raw::c_void;
use std::os::windows::io::{FromRawHandle, OwnedHandle, RawHandle};
use std::ptr::null_mut;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

#[link(name = "ole32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetapartmenttype
    fn CoGetApartmentType(kind: *mut i32, qualifier: *mut i32) -> i32;
}

#[link(name = "user32")]
extern "system" {
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-settimer
    fn SetTimer(
        window: RawHandle,
        id: usize,
        milliseconds: u32,
        procedure: unsafe extern "system" fn(RawHandle, u32, usize, u32),
    ) -> usize;
    // https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-killtimer
    fn KillTimer(window: RawHandle, id: usize) -> Bool;
}

/// APTTYPE of the calling thread; `None`: it is in none.
fn apartment_type() -> Option<i32> {
    let (mut kind, mut qualifier) = (0, 0);
    // SAFETY: writable.
    (unsafe { CoGetApartmentType(&mut kind, &mut qualifier) } >= 0).then_some(kind)
}

fn in_apartment(apartment: Apartment, test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let guard = enter_apartment(apartment).unwrap();
        test();
        drop(guard);
        assert!(!matches!(apartment_type(), Some(0 | 3)), "still single-threaded after its end");
    });
    thread.join().unwrap();
}

#[test]
fn a_thread_is_in_the_apartment_asked_for_and_leaves_it() {
    // APTTYPE_STA 0, APTTYPE_MTA 1, APTTYPE_MAINSTA 3.
    in_apartment(Apartment::SingleThreaded, || {
        assert!(matches!(apartment_type(), Some(0 | 3)));
    });
    in_apartment(Apartment::MultiThreaded, || assert_eq!(apartment_type(), Some(1)));
    in_apartment(Apartment::None, || {});
}

#[test]
fn an_apartment_of_the_other_kind_is_refused() {
    in_apartment(Apartment::SingleThreaded, || {
        assert!(enter_apartment(Apartment::MultiThreaded).is_err());
        assert!(enter_apartment(Apartment::SingleThreaded).is_ok());
    });
}

#[test]
fn a_notice_before_the_sleep_ends_it() {
    let wake = Wake::new(Apartment::SingleThreaded);
    let mutex = Mutex::new(());
    wake.notify();
    drop(wake.wait(&mutex, mutex.lock().unwrap()));
}

#[test]
fn a_sleep_gives_the_lock_back_and_ends_with_a_notice() {
    for apartment in [Apartment::None, Apartment::SingleThreaded, Apartment::MultiThreaded] {
        let shared = Arc::new((Mutex::new(false), Wake::new(apartment)));
        let sleeper = Arc::clone(&shared);
        let (ready, is_ready) = channel();
        let thread = std::thread::spawn(move || {
            let mut set = sleeper.0.lock().unwrap();
            ready.send(()).unwrap();
            while !*set {
                set = sleeper.1.wait(&sleeper.0, set);
            }
        });
        is_ready.recv().unwrap();
        *shared.0.lock().unwrap() = true;
        shared.1.notify();
        thread.join().unwrap();
    }
}

/// The page of MsgWaitForMultipleObjectsEx: the handle must have the right SYNCHRONIZE.
#[test]
fn a_sleep_that_fails_at_once_takes_its_time_all_the_same() {
    // SAFETY: the calling thread lives; the handle is new, and nobody else's.
    let event = unsafe {
        let thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, 0, GetCurrentThreadId());
        assert!(!thread.is_null(), "{}", last_error());
        OwnedHandle::from_raw_handle(thread)
    };
    let begun = Time::now();
    wait_dispatching(&event);
    assert!(Time::now().nanos_since(begun) >= 10 * MILLISECOND);
}

/// Posts to a thread by way of its message queue, as COM does.
#[test]
fn window_messages_are_dispatched_during_the_sleep_of_a_single_threaded_apartment() {
    static NOTIFY: Mutex<Option<Arc<Wake>>> = Mutex::new(None);
    unsafe extern "system" fn dispatched(_: RawHandle, _: u32, _: usize, _: u32) {
        if let Some(wake) = NOTIFY.lock().unwrap().take() {
            wake.notify();
        }
    }
    in_apartment(Apartment::SingleThreaded, || {
        let wake = Arc::new(Wake::new(Apartment::SingleThreaded));
        *NOTIFY.lock().unwrap() = Some(Arc::clone(&wake));
        // SAFETY: a procedure of the type wanted, called by this thread's dispatch.
        let timer = unsafe { SetTimer(null_mut(), 0, 10, dispatched) };
        assert_ne!(timer, 0, "{}", last_error());
        let mutex = Mutex::new(());
        // Nobody but the timer's procedure notifies.
        drop(wake.wait(&mutex, mutex.lock().unwrap()));
        // SAFETY: a timer of this thread's.
        unsafe { KillTimer(null_mut::<c_void>(), timer) };
        assert!(NOTIFY.lock().unwrap().is_none());
    });
}
