// tests/unit/agent_mmaps.c - memory mapped by the program itself, piece by piece.
// Room: claims about agent/hot/mmaps and agent/mmaps; this program is linked with the hooks. Door:
// the test runner.
#include "unit.h"

#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/mmaps.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void start(void) {
    stacks_init();
    unwind_init();
    CHECK(mmaps_init());
}

static void *map(size_t pages) {
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

struct sums {
    i64 values[ROW_VALUES];
};

static struct sums sums_of(struct unit *t, const char *kind) {
    struct rows rows;
    struct sums sums = {0};
    hot_thread.depth++; // what the arena maps is not looked at
    CHECK(mmaps_collect(t->arena, &(struct collect_opts){0}, &rows, &t->err));
    hot_thread.depth--;
    for (u32 i = 0; i < rows.n; i++) {
        CHECK_STR(rows.items[i].labels[0].key, S("kind"));
        if (!str_eq(rows.items[i].labels[0].text, str_of(kind))) continue;
        for (u32 k = 0; k < ROW_VALUES; k++) sums.values[k] += rows.items[i].values[k];
    }
    return sums;
}

static struct sums less(struct sums a, struct sums b) {
    for (u32 k = 0; k < ROW_VALUES; k++) a.values[k] -= b.values[k];
    return a;
}

TEST(mappings_are_counted_and_unmapped_pieces_taken_out) {
    start();
    struct sums before = sums_of(t, "anonymous"), now;
    char *p = map(10);
    now = less(sums_of(t, "anonymous"), before);
    CHECK_EQ(now.values[HEAP_ALLOC_OBJECTS], 1);
    CHECK_EQ(now.values[HEAP_INUSE_SPACE], 10 * PAGE);
    CHECK_EQ(munmap(p + 4 * PAGE, 2 * PAGE), 0); // out of the middle: two pieces
    now = less(sums_of(t, "anonymous"), before);
    CHECK_EQ(now.values[HEAP_INUSE_SPACE], 8 * PAGE);
    CHECK_EQ(now.values[HEAP_INUSE_OBJECTS], 2);
    CHECK_EQ(munmap(p, PAGE), 0);            // the head of the first
    CHECK_EQ(munmap(p + 9 * PAGE, PAGE), 0); // the tail of the second
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_INUSE_SPACE], 6 * PAGE);
    CHECK_EQ(munmap(p, 10 * PAGE), 0); // all that is left, gaps included
    now = less(sums_of(t, "anonymous"), before);
    CHECK_EQ(now.values[HEAP_INUSE_SPACE], 0);
    CHECK_EQ(now.values[HEAP_INUSE_OBJECTS], 0);
    CHECK_EQ(now.values[HEAP_ALLOC_SPACE], 10 * PAGE);
}

TEST(a_fixed_mapping_takes_the_place_of_what_was_there) {
    start();
    struct sums before = sums_of(t, "anonymous");
    char *p = map(8);
    CHECK(mmap(p + 2 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          p + 2 * PAGE);
    struct sums now = less(sums_of(t, "anonymous"), before);
    CHECK_EQ(now.values[HEAP_INUSE_SPACE], 8 * PAGE);
    CHECK_EQ(now.values[HEAP_ALLOC_SPACE], 10 * PAGE);
    CHECK_EQ(munmap(p, 8 * PAGE), 0);
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_INUSE_SPACE], 0);
}

TEST(mremap_moves_what_is_in_use) {
    start();
    struct sums before = sums_of(t, "anonymous");
    void *p = map(4);
    p = mremap(p, 4 * PAGE, 1000 * PAGE, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_INUSE_SPACE], 1000 * PAGE);
    CHECK_EQ(munmap(p, 1000 * PAGE), 0);
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_INUSE_SPACE], 0);
}

TEST(kinds_are_told_apart) {
    start();
    struct sums reserved = sums_of(t, "reserved"), file = sums_of(t, "file"),
                shared = sums_of(t, "shared");
    int fd = open("/proc/self/exe", O_RDONLY);
    void *a = mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *b = mmap(NULL, 100, PROT_READ, MAP_PRIVATE, fd, 0);
    void *c = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(less(sums_of(t, "reserved"), reserved).values[HEAP_INUSE_SPACE], 1 << 30);
    CHECK_EQ(less(sums_of(t, "file"), file).values[HEAP_INUSE_SPACE], PAGE);
    CHECK_EQ(less(sums_of(t, "shared"), shared).values[HEAP_INUSE_SPACE], PAGE);
    CHECK(munmap(a, 1 << 30) == 0 && munmap(b, 100) == 0 && munmap(c, PAGE) == 0);
    close(fd);
    CHECK_EQ(less(sums_of(t, "file"), file).values[HEAP_INUSE_SPACE], 0);
}

TEST(failures_keep_their_errno_and_change_nothing) {
    start();
    struct sums before = sums_of(t, "anonymous");
    errno = 0;
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    errno = 0;
    CHECK_EQ(munmap((void *)(uintptr_t)1, PAGE), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_ALLOC_OBJECTS], 0);
}

TEST(more_mappings_than_places_are_counted_as_lost) {
    start();
    enum { N = MAX_PIECES + 100 };
    static void *maps[N];
    u64 lost = map_pieces_lost();
    struct sums before = sums_of(t, "anonymous");
    for (u32 i = 0; i < N; i++) maps[i] = map(1);
    CHECK(map_pieces_lost() >= lost + 100);
    for (u32 i = 0; i < N; i++) CHECK_EQ(munmap(maps[i], PAGE), 0);
    CHECK_EQ(less(sums_of(t, "anonymous"), before).values[HEAP_INUSE_SPACE], 0);
}

static void *stormer(void *arg) {
    for (u32 i = 0; i < 3000; i++) {
        void *p = map(1 + i % 7);
        if (p == MAP_FAILED || munmap(p, (1 + i % 7) * PAGE)) abort();
    }
    return arg;
}

TEST(threads_map_and_unmap_at_once) {
    start();
    pthread_t threads[8];
    struct sums before = sums_of(t, "anonymous");
    for (u32 i = 0; i < 8; i++) CHECK_EQ(pthread_create(&threads[i], NULL, stormer, NULL), 0);
    for (u32 i = 0; i < 8; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    struct sums now = less(sums_of(t, "anonymous"), before);
    CHECK_EQ(now.values[HEAP_ALLOC_OBJECTS], 8 * 3000);
    CHECK_EQ(now.values[HEAP_INUSE_SPACE], 0);
}
