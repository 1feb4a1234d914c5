// tests/stress/heap_storm.cc - every allocation function there is, from many threads, each freeing
// what others made, with every block checked and everything counted. Room: the program; who
// preloads what around it and compares its count with the heap profile is heap_live.py. usage:
// heap_storm THREADS ROUNDS [PROFILE] Prints one line of JSON: bytes and blocks allocated in
// storm_allocate, and those of them still live when it wrote the heap profile to PROFILE (where
// pprof_write_heap_profile exists). Proves: blocks keep their content through sampling, realloc and
// free in other threads; errno stays; a forked child can allocate and free at any moment.
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

extern "C" {
__attribute__((weak)) void *mallocx(size_t n, int flags);
__attribute__((weak)) void *rallocx(void *p, size_t n, int flags);
__attribute__((weak)) void dallocx(void *p, int flags);
__attribute__((weak)) void sdallocx(void *p, size_t n, int flags);
}

namespace {

// How a block was made, which says how it must be freed.
enum Kind { C, C_ALIGNED, NEW, NEW_ARRAY, NEW_ALIGNED, NEW_ARRAY_ALIGNED, EXTENDED, N_KINDS };
constexpr std::align_val_t wide{128};
constexpr int n_cells = 2048, n_sizes = 24;

struct Block {
    size_t size;
    Kind kind;
    unsigned fill;
};

std::atomic<Block *> cells[n_cells];
std::atomic<uint64_t> n_bytes{0}, n_blocks{0}, n_forks{0};
unsigned long n_rounds;

[[noreturn]] void fail(const char *what, const Block *b) {
    fprintf(stderr, "heap_storm: %s (block %p of %zu, kind %d)\n", what,
            static_cast<const void *>(b), b ? b->size : 0, b ? b->kind : 0);
    abort();
}

// xorshift: one per thread, so that a run with one thread repeats.
struct Random {
    uint64_t state;
    uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        return state ^= state << 17;
    }
    unsigned below(unsigned n) {
        return static_cast<unsigned>(next() >> 33) % n;
    }
};

// From 24 bytes to 300 KiB: the last ones are beyond glibc's threshold for a mapping of their own.
size_t size_number(unsigned i) {
    size_t size = 24;
    for (; i >= 2; i -= 2) size = size * 9 / 4;
    return i ? size * 3 / 2 : size;
}

Block *block_fill(void *p, size_t size, Kind kind, unsigned fill) {
    if (!p) fail("no memory", nullptr);
    if (kind == NEW_ALIGNED || kind == NEW_ARRAY_ALIGNED)
        if (reinterpret_cast<uintptr_t>(p) % 128) fail("not aligned", nullptr);
    memset(p, static_cast<int>(fill), size);
    Block *b = static_cast<Block *>(p);
    *b = {size, kind, fill & 255};
    return b;
}

void block_check(const Block *b, size_t size) {
    const unsigned char *bytes = reinterpret_cast<const unsigned char *>(b);
    for (size_t i = sizeof *b; i < size; i += i < 256 ? 1 : 61)
        if (bytes[i] != b->fill) fail("content changed", b);
    if (size > sizeof *b && bytes[size - 1] != b->fill) fail("last byte changed", b);
}

void *c_block(size_t n, unsigned how) {
    void *p = nullptr;
    switch (how) { // 1 to 4: C_ALIGNED
    case 0:
        p = calloc(1, n);
        break;
    case 1:
        p = aligned_alloc(64, (n + 63) / 64 * 64);
        break;
    case 2:
        return posix_memalign(&p, 256, n) ? nullptr : p;
    case 3:
        p = memalign(32, n);
        break;
    case 4:
        p = valloc(n);
        break;
    case 5:
        p = reallocarray(nullptr, n, 1);
        break;
    case 6:
        p = realloc(nullptr, n);
        break;
    default:
        p = malloc(n);
        break;
    }
    if (how == 0)
        for (size_t i = 0; i < n; i++)
            if (static_cast<char *>(p)[i]) fail("calloc is not zero", nullptr);
    return p;
}

// aligned_alloc's sizes are rounded, and counted as asked for.
size_t asked_size(size_t n, Kind kind, unsigned how) {
    return kind == C_ALIGNED && how == 1 ? (n + 63) / 64 * 64 : n;
}

void *any_block(size_t n, Kind kind, unsigned how) {
    switch (kind) {
    case C:
    case C_ALIGNED:
        return c_block(n, how);
    case NEW:
        return how & 1 ? operator new(n) : operator new(n, std::nothrow);
    case NEW_ARRAY:
        return how & 1 ? operator new[](n) : operator new[](n, std::nothrow);
    case NEW_ALIGNED:
        return how & 1 ? operator new(n, wide) : operator new(n, wide, std::nothrow);
    case NEW_ARRAY_ALIGNED:
        return how & 1 ? operator new[](n, wide) : operator new[](n, wide, std::nothrow);
    case EXTENDED:
        return mallocx(n, how & 1 ? 0 : 6);
    case N_KINDS:
        break;
    }
    return nullptr;
}

// Every frame of this program's own allocations has this one in it.
extern "C" __attribute__((noinline)) Block *storm_allocate(Random &r) {
    Kind kind = static_cast<Kind>(r.below(mallocx ? N_KINDS : EXTENDED));
    unsigned how = r.below(12);
    size_t size = size_number(r.below(n_sizes));
    if (kind == EXTENDED && (how & 1)) kind = C; // what malloc made, dallocx frees, and the reverse
    if (kind == C_ALIGNED)
        how = 1 + how % 4;
    else if (kind == C)
        how = how % 4 ? 4 + how % 4 : 0;
    errno = 4321;
    void *p = any_block(size, kind, how);
    if (errno != 4321) fail("errno changed", nullptr);
    size = asked_size(size, kind, how);
    n_bytes += size;
    n_blocks++;
    return block_fill(p, size, kind, static_cast<unsigned>(r.next()));
}

extern "C" __attribute__((noinline)) Block *storm_reallocate(Block *b, Random &r) {
    size_t old = b->size, size = size_number(r.below(n_sizes));
    unsigned fill = b->fill;
    Block *q =
        static_cast<Block *>(rallocx && r.below(4) == 0 ? rallocx(b, size, 0) : realloc(b, size));
    if (!q) fail("no memory", b);
    block_check(q, size < old ? size : old);
    return block_fill(q, size, C, fill);
}

// Frees a checked block in one of the ways its kind allows.
void block_end(Block *b, Random &r) {
    block_check(b, b->size);
    Kind kind = b->kind;
    size_t size = b->size;
    unsigned how = r.below(4);
    memset(static_cast<void *>(b), 0xdd, sizeof *b);
    switch (kind) {
    case C:
        if (how == 0 && sdallocx) return sdallocx(b, size, 0);
        [[fallthrough]];
    case C_ALIGNED: // its size class is not that of its size alone
        if (how == 1 && dallocx) return dallocx(b, 0);
        return free(b);
    case NEW:
        return how & 1 ? operator delete(b) : operator delete(b, size);
    case NEW_ARRAY:
        return how & 1 ? operator delete[](b) : operator delete[](b, size);
    case NEW_ALIGNED:
        return how & 1 ? operator delete(b, wide) : operator delete(b, size, wide);
    case NEW_ARRAY_ALIGNED:
        return how & 1 ? operator delete[](b, wide) : operator delete[](b, size, wide);
    case EXTENDED:
        return how & 1 ? dallocx(b, 6) : sdallocx(b, size, 6);
    case N_KINDS:
        break;
    }
}

// The child frees and makes blocks that were being made when it was forked, and ends.
void fork_once(Random &r) {
    pid_t child = fork();
    if (child < 0) return;
    if (child == 0) {
        for (int i = 0; i < 200; i++)
            if (Block *b = cells[r.below(n_cells)].exchange(storm_allocate(r))) block_end(b, r);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status) fail("the forked child failed", nullptr);
    n_forks++;
}

void *storm(void *number) {
    Random r{0x9e3779b97f4a7c15u + reinterpret_cast<uintptr_t>(number)};
    for (unsigned long i = 0; i < n_rounds; i++) {
        Block *b = storm_allocate(r);
        b = cells[r.below(n_cells)].exchange(b);
        if (b && (b->kind == C || b->kind == C_ALIGNED) && r.below(3) == 0) {
            block_check(b, b->size);
            b = cells[r.below(n_cells)].exchange(storm_reallocate(b, r));
        }
        if (b) block_end(b, r);
        free(nullptr);
        if (!number && i % 2000 == 1000) fork_once(r);
    }
    return nullptr;
}

void profile_write(const char *path) {
    using write_fn = bool (*)(int, char *);
    write_fn write_profile =
        reinterpret_cast<write_fn>(dlsym(RTLD_DEFAULT, "pprof_write_heap_profile"));
    char why[1024] = "";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (write_profile && !write_profile(fd, why)) fprintf(stderr, "heap_storm: %s\n", why);
    close(fd);
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    n_rounds = strtoul(argv[2], nullptr, 10);
    std::vector<pthread_t> threads(strtoul(argv[1], nullptr, 10));
    for (size_t i = 0; i < threads.size(); i++)
        if (pthread_create(&threads[i], nullptr, storm, reinterpret_cast<void *>(i))) return 3;
    for (pthread_t t : threads) pthread_join(t, nullptr);
    uint64_t live_bytes = 0, n_live = 0;
    for (std::atomic<Block *> &cell : cells)
        if (Block *b = cell.load()) live_bytes += b->size, n_live++;
    if (argc > 3) profile_write(argv[3]);
    printf("{\"bytes\": %lu, \"blocks\": %lu, \"live_bytes\": %lu, \"live_blocks\": %lu, "
           "\"forks\": %lu}\n",
           n_bytes.load(), n_blocks.load(), live_bytes, n_live, n_forks.load());
    Random r{1};
    for (std::atomic<Block *> &cell : cells)
        if (Block *b = cell.exchange(nullptr)) block_end(b, r);
    return 0;
}
