// tests/stress/locks_std.cc - waits by C++'s own means, for known times. usage: locks_std PREFIX
// See locks_truth.h; judged by locks_live.py. libstdc++ goes through pthread functions inlined
// here, and since C++20 through syscall(SYS_futex).
#include "locks_truth.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>

static std::mutex mutex;
static std::timed_mutex timed_mutex;
static std::recursive_mutex recursive_mutex;
static std::shared_mutex shared_mutex;
static std::condition_variable condition;
static std::counting_semaphore<8> semaphore{0};
static std::atomic<int> number;
static std::latch *latch;
static bool is_there;

template <class Mutex> static inline int64_t hold(Mutex &m) {
    m.lock();
    hold_on();
    int64_t ns = caused();
    m.unlock();
    return ns;
}
SCENE static int64_t hold_std_mutex() {
    return hold(mutex);
}
SCENE static int64_t hold_std_timed() {
    return hold(timed_mutex);
}
SCENE static int64_t hold_std_recursive() {
    return hold(recursive_mutex);
}
SCENE static int64_t hold_std_shared() {
    return hold(shared_mutex);
}

template <class Mutex> static inline int64_t wait(Mutex &m) {
    int64_t begun = begins();
    m.lock();
    int64_t ns = now_ns() - begun;
    m.unlock();
    return ns;
}
SCENE static int64_t wait_std_mutex() {
    return wait(mutex);
}
SCENE static int64_t wait_std_recursive() {
    return wait(recursive_mutex);
}
SCENE static int64_t wait_std_timed() {
    int64_t begun = begins();
    if (!timed_mutex.try_lock_for(std::chrono::seconds(20))) exit(1);
    int64_t ns = now_ns() - begun;
    timed_mutex.unlock();
    return ns;
}
SCENE static int64_t wait_std_shared() {
    int64_t begun = begins();
    shared_mutex.lock_shared();
    int64_t ns = now_ns() - begun;
    shared_mutex.unlock_shared();
    return ns;
}

SCENE static int64_t hold_std_condition() {
    is_there = false;
    hold_on();
    std::unique_lock<std::mutex> lock(mutex);
    is_there = true;
    condition.notify_one();
    return 0;
}
SCENE static int64_t wait_std_condition() {
    int64_t begun = begins();
    std::unique_lock<std::mutex> lock(mutex);
    while (!is_there) condition.wait_for(lock, std::chrono::seconds(20));
    return now_ns() - begun;
}

SCENE static int64_t hold_std_semaphore() {
    hold_on();
    semaphore.release();
    return 0;
}
SCENE static int64_t wait_std_semaphore() {
    int64_t begun = begins();
    semaphore.acquire();
    return now_ns() - begun;
}

SCENE static int64_t hold_std_atomic() {
    number = 0;
    hold_on();
    number = 1;
    number.notify_one();
    return 0;
}
SCENE static int64_t wait_std_atomic() {
    int64_t begun = begins();
    number.wait(0);
    return now_ns() - begun;
}

SCENE static int64_t hold_std_latch() {
    latch = new std::latch(1);
    hold_on();
    latch->count_down();
    return 0;
}
SCENE static int64_t wait_std_latch() {
    int64_t begun = begins();
    latch->wait();
    return now_ns() - begun;
}

static std::once_flag *flag;
SCENE static int64_t hold_std_once() {
    flag = new std::once_flag;
    std::call_once(*flag, hold_on);
    return 0;
}
SCENE static int64_t wait_std_once() {
    int64_t begun = begins();
    std::call_once(*flag, hold_on);
    return now_ns() - begun;
}

// An exception out of call_once passes our frames, and the flag is as it was.
static bool throws_through() {
    std::once_flag thrown;
    try {
        std::call_once(thrown, [] { throw 1; });
    } catch (int) {
        bool is_run = false;
        std::call_once(thrown, [&] { is_run = true; });
        return is_run;
    }
    return false;
}

static const scene scenes[] = {
    SCENE_OF(std_mutex, true),   SCENE_OF(std_timed, true),      SCENE_OF(std_recursive, true),
    SCENE_OF(std_shared, true),  SCENE_OF(std_condition, false), SCENE_OF(std_semaphore, false),
    SCENE_OF(std_atomic, false), SCENE_OF(std_latch, false),     SCENE_OF(std_once, false),
};

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    if (!throws_through()) return 4;
    for (const scene &s : scenes) scene_play(&s);
    profiles_write(argv[1]);
    return 0;
}
