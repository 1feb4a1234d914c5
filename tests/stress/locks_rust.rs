// tests/stress/locks_rust.rs - waits by Rust's std, for known times. usage: locks_rust PREFIX
// What locks_truth.h is for C, in Rust; judged by locks_live.py. std waits by syscall(SYS_futex).
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, RwLock};
use std::time::{Duration, Instant};
use std::{fs::File, os::fd::AsRawFd, thread};

extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

static MUTEX: Mutex<u32> = Mutex::new(0);
static RWLOCK: RwLock<u32> = RwLock::new(0);
static THERE: Mutex<bool> = Mutex::new(false);
static CONDVAR: Condvar = Condvar::new();
static HELD: AtomicBool = AtomicBool::new(false);
static BEGAN: AtomicU64 = AtomicU64::new(0); // nanoseconds since the start; 0: not yet
const HOLD: Duration = Duration::from_millis(30);
const ROUNDS: u32 = 3;

fn now() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

// In a holder, with the lock taken: lets the waiter come, and holds for a while.
fn hold_on() {
    BEGAN.store(0, SeqCst);
    HELD.store(true, SeqCst);
    while BEGAN.load(SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(HOLD);
}

// In a waiter, right before it waits.
fn begins() -> u64 {
    while !HELD.load(SeqCst) {
        thread::sleep(Duration::from_millis(1));
    }
    let at = now();
    BEGAN.store(at, SeqCst);
    at
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn hold_rust_mutex() -> u64 {
    let guard = MUTEX.lock().unwrap();
    hold_on();
    let caused = now() - BEGAN.load(SeqCst);
    drop(guard);
    caused
}
#[no_mangle]
#[inline(never)]
pub extern "C" fn wait_rust_mutex() -> u64 {
    let begun = begins();
    let guard = MUTEX.lock().unwrap();
    let waited = now() - begun;
    drop(guard);
    waited
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn hold_rust_rwlock() -> u64 {
    let guard = RWLOCK.write().unwrap();
    hold_on();
    drop(guard);
    0
}
#[no_mangle]
#[inline(never)]
pub extern "C" fn wait_rust_rwlock() -> u64 {
    let begun = begins();
    let guard = RWLOCK.read().unwrap();
    let waited = now() - begun;
    drop(guard);
    waited
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn hold_rust_condvar() -> u64 {
    *THERE.lock().unwrap() = false;
    hold_on();
    *THERE.lock().unwrap() = true;
    CONDVAR.notify_one();
    0
}
#[no_mangle]
#[inline(never)]
pub extern "C" fn wait_rust_condvar() -> u64 {
    let begun = begins();
    let mut there = THERE.lock().unwrap();
    while !*there {
        there = CONDVAR.wait(there).unwrap();
    }
    now() - begun
}

fn play(name: &str, hold: extern "C" fn() -> u64, wait: extern "C" fn() -> u64, is_charged: bool) {
    let (mut caused, mut waited) = (0, 0);
    for _ in 0..ROUNDS {
        HELD.store(false, SeqCst);
        let waiter = thread::spawn(move || wait());
        caused += hold();
        waited += waiter.join().unwrap();
    }
    println!("block wait_rust_{name} {waited}");
    if is_charged {
        println!("mutex hold_rust_{name} {caused}");
    }
}

fn symbol(name: &str) -> *mut c_void {
    let name = CString::new(name).unwrap();
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    assert!(!found.is_null(), "libpprof is not in this program");
    found
}

fn write_profile(prefix: &str, name: &str) {
    type Lookup = extern "C" fn(*const c_char) -> *const c_void;
    type Write = extern "C" fn(*const c_void, c_int, c_int, *mut c_char) -> bool;
    let lookup: Lookup = unsafe { std::mem::transmute(symbol("pprof_lookup")) };
    let write: Write = unsafe { std::mem::transmute(symbol("pprof_profile_write_to")) };
    let file = File::create(format!("{prefix}.{name}")).unwrap();
    let name = CString::new(name).unwrap();
    assert!(write(lookup(name.as_ptr()), file.as_raw_fd(), 0, std::ptr::null_mut()));
}

fn main() {
    let prefix = std::env::args().nth(1).expect("usage: locks_rust PREFIX");
    play("mutex", hold_rust_mutex, wait_rust_mutex, true);
    play("rwlock", hold_rust_rwlock, wait_rust_rwlock, false);
    play("condvar", hold_rust_condvar, wait_rust_condvar, false);
    write_profile(&prefix, "block");
    write_profile(&prefix, "mutex");
}
