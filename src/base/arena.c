// base/arena.c - blocks from the system, pieces for everybody.
// Room: see arena.h. Door: base/base.h.
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct arena_block {
    struct arena_block *older;
    size_t size; // with this header
};

enum {
    FIRST_BLOCK = 64 << 10, // 64 KiB: most scratch arenas never need a second mmap
    MAX_BLOCK =
        64 << 20, // blocks double up to here, so that a big profile takes a few dozen mappings
    MAX_ALIGN = 4096,
    HUGE_BLOCK = 8 << 20, // from here on a block asks for huge pages: a fault for 2 MiB, not 4 KiB
};

void fd_auto_close(int *fd) {
    if (*fd >= 0) close(*fd);
}

void arena_init(struct arena *a) {
    *a = (struct arena){0};
}

struct arena arena_sub(const struct arena *parent) {
    return (struct arena){.on_oom = parent->on_oom};
}

static void blocks_release(struct arena_block *b) {
    while (b) {
        struct arena_block *older = b->older;
        munmap(b, b->size);
        b = older;
    }
}

void arena_done(struct arena *a) {
    blocks_release(a->blocks);
    *a = (struct arena){.on_oom = a->on_oom};
}

void arena_adopt(struct arena *a, struct arena *from) {
    struct arena_block **last = &a->blocks;
    if (!a->blocks) {
        a->at = from->at;
        a->end = from->end;
    }
    while (*last) last = &(*last)->older;
    *last = from->blocks;
    a->used_bytes += from->used_bytes;
    a->mapped_bytes += from->mapped_bytes;
    *from = (struct arena){.on_oom = from->on_oom};
}

void arena_reset(struct arena *a) {
    struct arena_block *b = a->blocks;
    if (!b) return;
    blocks_release(b->older);
    b->older = NULL;
    char *start = (char *)(b + 1);
    memset(start, 0, (size_t)(a->at - start));
    a->at = start;
    a->end = (char *)b + b->size;
    a->used_bytes = 0;
    a->mapped_bytes = b->size;
}

__attribute__((noreturn)) static void arena_oom(struct arena *a, size_t size) {
    if (a->on_oom) longjmp(*a->on_oom, 1);
    fprintf(stderr, "pprof: out of memory: the system gave no further %zu bytes\n", size);
    exit(2);
}

static void block_add(struct arena *a, size_t need) {
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (size > MAX_BLOCK) size = MAX_BLOCK;
    size_t least;
    if (!size_add(need, sizeof(struct arena_block) + MAX_ALIGN + 4095, &least)) arena_oom(a, need);
    least &= ~(size_t)4095;
    if (size < least) size = least;
    struct arena_block *b =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED) arena_oom(a, size);
    if (size >= HUGE_BLOCK) (void)madvise(b, size, MADV_HUGEPAGE); // a refusal costs time only
    b->older = a->blocks;
    b->size = size;
    a->blocks = b;
    a->at = (char *)(b + 1);
    a->end = (char *)b + size;
    a->mapped_bytes += size;
}

static char *align_up(char *p, size_t align) {
    return (char *)(((uintptr_t)p + align - 1) & ~(uintptr_t)(align - 1));
}

void *arena_alloc(struct arena *a, size_t size, size_t align) {
    char *p = align_up(a->at, align);
    if (!a->at || p > a->end || size > (size_t)(a->end - p)) {
        block_add(a, size);
        p = align_up(a->at, align);
    }
    a->at = p + size;
    a->used_bytes += size;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size, size_t align) {
    size_t bytes;
    if (!size_mul(n, size, &bytes)) arena_oom(a, SIZE_MAX);
    return arena_alloc(a, bytes, align);
}

void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n, size_t size,
                 size_t align) {
    size_t old_bytes = old_n * size, new_bytes;
    if (!size_mul(new_n, size, &new_bytes)) arena_oom(a, SIZE_MAX);
    bool is_newest = old && (char *)old + old_bytes == a->at;
    if (is_newest && new_bytes - old_bytes <= (size_t)(a->end - a->at)) {
        a->at += new_bytes - old_bytes;
        a->used_bytes += new_bytes - old_bytes;
        return old;
    }
    void *copy = arena_alloc(a, new_bytes, align);
    if (old_bytes) memcpy(copy, old, old_bytes);
    return copy;
}
