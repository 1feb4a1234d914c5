// tests/live/traced_cc.cc - what C++ programs wait in, for traces: usage: traced_cc TRACE.
// Room: known numbers of waits of std::mutex, condition_variable, thread, call_once and future, of
// regions and tasks by their owners, and of labels. What trace_live.py expects is in the numbers
// below.
#include <pprof.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fcntl.h>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum { N_WORKERS = 3, N_ROUNDS = 20 };

std::mutex mutex;
std::condition_variable changed;
int turn;

void pause_ms(int ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

// Each waits for the one before: who waits and who wakes is known.
void play(const pprof::task &task, int me) {
    for (int i = 0; i < N_ROUNDS; i++) {
        pprof::region region("turn", task.id());
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [&] { return turn % N_WORKERS == me; });
        turn++;
        changed.notify_all();
    }
}

void hold() {
    PPROF_REGION("hold");
    std::lock_guard<std::mutex> lock(mutex);
    pause_ms(30);
}

void label(const char *endpoint) {
    pprof::scope scope("endpoint", endpoint);
    pause_ms(2);
}

// A region ends with its block also when that throws.
void throws() {
    pprof::region region("throws");
    throw std::runtime_error("on purpose");
}

void work() {
    pprof::task task("game");
    std::vector<std::thread> threads;
    for (int i = 0; i < N_WORKERS; i++) threads.emplace_back(play, std::cref(task), i);
    for (auto &thread : threads) thread.join();
    std::thread holder(hold);
    pause_ms(10);
    mutex.lock();
    mutex.unlock();
    holder.join();
    label("/search");
    label("/buy");
    try {
        throws();
    } catch (const std::runtime_error &) {
    }
    std::async(std::launch::async, pause_ms, 5).get();
}

} // namespace

int main(int argc, char **argv) {
    char why[PPROF_ERROR_SIZE];
    int fd = argc == 2 ? open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644) : -1;
    if (fd < 0 || !pprof_trace_start(fd, why)) return 1;
    work();
    bool is_written = pprof_trace_stop(why);
    if (!is_written) std::puts(why);
    return !is_written || close(fd);
}
