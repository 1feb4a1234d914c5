// tests/stress/stress.cc - everything at once that has hung or crashed profilers.
// Room: the program and its watchdog; who profiles it is stress_live.py. usage: stress SECONDS
// THREADS Proves: with every thread sampled and every fourth kilobyte of allocation sampled,
// threads that load and unload libraries, throw exceptions, begin and end, fork and exec, contend
// for locks, map memory and carry labels all go on, to the end. Source of the list:
// reference/native.md section 3 (rows 1, 2, 5, 11, 13-17, 24, 45, 46).
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "pprof.h"

// There when libpprof is preloaded.
#pragma weak pprof_scope_label
#pragma weak pprof_scope_leave

namespace {

using Clock = std::chrono::steady_clock;

// One kind of work: its counter must move, or the watchdog ends the program.
struct Work {
    const char *name;
    unsigned pause_us; // between rounds, so that all kinds share two cores
    void (*round)(unsigned number);
    std::atomic<unsigned long> n_rounds;
};

// 20 s without a single round: under load of eight other processes the slowest seen was 0.4 s.
constexpr int hang_seconds = 20;

std::atomic<bool> is_over{false};
std::atomic<unsigned long> n_threads_joined{0};
std::string folder; // of this program and its plugins
unsigned threads_wanted = 0;

[[noreturn]] void fail(const char *what, const char *detail) {
    std::fprintf(stderr, "stress: %s: %s\n", what, detail ? detail : "");
    std::_Exit(1);
}

void load_and_unload(unsigned number) {
    std::string path = folder + (number % 2 ? "/libplugin_a.so" : "/libplugin_b.so");
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail("dlopen", dlerror());
    auto work = reinterpret_cast<unsigned (*)(unsigned)>(dlsym(handle, "plugin_work"));
    if (!work || work(number) == 0) fail("plugin", "does not work");
    dlclose(handle);
}

__attribute__((noinline)) void throw_below(unsigned depth) {
    std::vector<std::string> held(
        3, std::string(40 + depth, 'x')); // destroyed while the stack unwinds
    if (depth == 0) throw std::runtime_error(held[0] + "!");
    throw_below(depth - 1);
    if (held.empty()) std::abort(); // keeps this a call and not a jump
}

void throw_and_catch(unsigned number) {
    unsigned depth = number % 12;
    try {
        throw_below(depth);
    } catch (const std::exception &e) {
        if (std::strlen(e.what()) != 41) fail("exception", "is not the one thrown");
    }
}

void *short_life(void *arg) {
    auto *sum = static_cast<unsigned long *>(arg);
    auto memory = std::make_unique<char[]>(3000);
    for (unsigned i = 0; i < 3000; i++) memory[i] = static_cast<char>(i * 7);
    *sum = static_cast<unsigned char>(memory[2999]);
    return arg;
}

void create_and_join(unsigned) {
    pthread_t threads[8];
    unsigned long sums[8];
    for (int i = 0; i < 8; i++) {
        if (pthread_create(&threads[i], nullptr, short_life, &sums[i]) != 0)
            fail("pthread_create", "");
    }
    for (int i = 0; i < 8; i++) {
        void *given = nullptr;
        pthread_join(threads[i], &given);
        if (given != &sums[i] || sums[i] != (2999u * 7 & 255))
            fail("thread", "gave something else");
    }
    n_threads_joined += 8;
}

void expect_status(pid_t pid, int wanted, const char *what) {
    int status = 0;
    pid_t ended;
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted) return;
    char detail[64];
    std::snprintf(detail, sizeof detail, "waitpid %d, status %#x", static_cast<int>(ended),
                  static_cast<unsigned>(status));
    fail(what, detail);
}

void fork_and_compute(unsigned number) {
    pid_t pid = fork();
    if (pid < 0) return; // out of processes: not ours to judge
    if (pid == 0) {
        // The child of a threaded process may use malloc with glibc; both must go on working.
        void *blocks[200];
        for (auto &block : blocks) block = std::malloc(number % 5000 + 1);
        for (auto &block : blocks) std::free(block);
        _exit(7);
    }
    expect_status(pid, 7, "forked child");
}

void fork_and_exec(unsigned) {
    pid_t pid = fork();
    if (pid < 0) return;
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 5", static_cast<char *>(nullptr));
        _exit(1);
    }
    expect_status(pid, 5, "exec'd child");
}

void vfork_and_exec(unsigned) {
    pid_t pid = vfork();
    if (pid < 0) return;
    if (pid == 0) {
        execl("/bin/true", "true", static_cast<char *>(nullptr));
        _exit(1);
    }
    expect_status(pid, 0, "vforked child");
}

void spawn(unsigned) {
    pid_t pid;
    char name[] = "sh", flag[] = "-c", text[] = "exit 3";
    char *argv[] = {name, flag, text, nullptr};
    if (posix_spawn(&pid, "/bin/sh", nullptr, nullptr, argv, environ) != 0) return;
    expect_status(pid, 3, "spawned child");
}

void start_programs(unsigned number) {
    void (*ways[])(unsigned) = {fork_and_compute, fork_and_exec, vfork_and_exec, spawn};
    ways[number % 4](number);
}

void allocate(unsigned number) {
    static thread_local std::vector<std::unique_ptr<std::string>> held(64);
    auto &slot = held[number * 2654435761u % held.size()];
    slot = std::make_unique<std::string>(number % 9000 + 1, 'a');
    void *aligned = nullptr;
    if (posix_memalign(&aligned, 256, number % 3000 + 1) != 0) fail("posix_memalign", "");
    if (reinterpret_cast<uintptr_t>(aligned) % 256) fail("posix_memalign", "is not aligned");
    void *grown = std::realloc(std::calloc(1, 100), number % 20000 + 100);
    if (!grown || static_cast<char *>(grown)[50] != 0) fail("realloc", "lost the zeros");
    std::free(grown);
    std::free(aligned);
}

std::mutex lock;
std::condition_variable changed;
unsigned long n_changes = 0;

// Contends on purpose: the lock is held across a sleep now and then, and who waits is woken in
// crowds.
void lock_and_wait(unsigned number) {
    std::unique_lock<std::mutex> held(lock);
    unsigned long before = n_changes++;
    changed.notify_all();
    if (number % 16 == 0) usleep(50);
    if (number % 4 == 0) changed.wait_for(held, std::chrono::milliseconds(1));
    if (n_changes <= before) fail("lock", "lost a change");
}

void map_and_unmap(unsigned number) {
    size_t size = (number % 16 + 1) * 4096;
    void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) fail("mmap", std::strerror(errno));
    static_cast<char *>(at)[size - 1] = 1;
    void *moved = mremap(at, size, 2 * size, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) fail("mremap", std::strerror(errno));
    if (static_cast<char *>(moved)[size - 1] != 1) fail("mremap", "lost a byte");
    munmap(moved, 2 * size);
}

void label_and_allocate(unsigned number) {
    static const char *const values[] = {"red", "green", "blue"};
    if (!pprof_scope_label) return allocate(number);
    pprof_scope scope = pprof_scope_label("colour", values[number % 3]);
    allocate(number);
    lock_and_wait(number);
    pprof_scope_leave(&scope);
}

Work works[] = {
    {"load and unload", 500, load_and_unload, {}},
    {"load and unload, again", 500, load_and_unload, {}},
    {"throw and catch", 20, throw_and_catch, {}},
    {"throw and catch, again", 20, throw_and_catch, {}},
    {"create and join threads", 0, create_and_join, {}},
    {"fork, exec and spawn", 20000, start_programs, {}},
    {"allocate", 5, allocate, {}},
    {"allocate, again", 5, allocate, {}},
    {"lock and wait", 100, lock_and_wait, {}},
    {"lock and wait, again", 100, lock_and_wait, {}},
    {"map and unmap", 1000, map_and_unmap, {}},
    {"label and allocate", 100, label_and_allocate, {}},
};

void pause_for(const Work &work, unsigned number) {
    if (work.round == create_and_join && number * 8 < threads_wanted) return;
    usleep(work.pause_us ? work.pause_us : 10000);
}

void *run_work(void *arg) {
    auto *work = static_cast<Work *>(arg);
    for (unsigned number = 1; !is_over; number++) {
        work->round(number);
        work->n_rounds++;
        pause_for(*work, number);
    }
    return nullptr;
}

// Looks at every counter each second, and ends the program with the name of what stands still.
void watch(Clock::time_point end) {
    unsigned long before[std::size(works)] = {};
    int still_seconds[std::size(works)] = {};
    while (Clock::now() < end || n_threads_joined < threads_wanted) {
        sleep(1);
        for (size_t i = 0; i < std::size(works); i++) {
            unsigned long now = works[i].n_rounds;
            still_seconds[i] = now == before[i] ? still_seconds[i] + 1 : 0;
            before[i] = now;
            if (still_seconds[i] >= hang_seconds) {
                std::fprintf(stderr, "stress: HANG in %s after %lu rounds\n", works[i].name, now);
                std::abort();
            }
        }
    }
}

void *watch_end(void *) {
    sleep(hang_seconds);
    std::fprintf(stderr, "stress: HANG: the threads do not end\n");
    std::abort();
}

} // namespace

int main(int argc, char **argv) {
    int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
    threads_wanted = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 40000;
    folder = std::string(argv[0]).substr(0, std::string(argv[0]).find_last_of('/'));
    pthread_t threads[std::size(works)], last_watch;
    for (size_t i = 0; i < std::size(works); i++) {
        if (pthread_create(&threads[i], nullptr, run_work, &works[i]) != 0)
            fail("pthread_create", "");
    }
    watch(Clock::now() + std::chrono::seconds(seconds));
    is_over = true;
    if (pthread_create(&last_watch, nullptr, watch_end, nullptr) != 0) fail("pthread_create", "");
    for (auto &thread : threads) pthread_join(thread, nullptr);
    for (auto &work : works) std::printf("%-24s %lu rounds\n", work.name, work.n_rounds.load());
    std::printf("%lu threads created and joined\n", n_threads_joined.load());
    return 0;
}
