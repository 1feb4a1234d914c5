// agent/hot/malloc.c - the hooks in front of C's allocation functions.
// Room: the functions themselves; each is a fast path that counts down and goes on to the real one.
// Which allocations are sampled and how is sample.c, the real functions are real.c's. Not hooked:
// malloc_usable_size, which is right about sampled blocks too. Door: the program calls them.
// These names must not depend on each other: each goes to its own real function, so that an
// allocator is called as it would be without us.
#include "agent/hot/own.h"
#include "agent/hot/sample.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

// Not in glibc 2.36's headers.
void free_sized(void *p, size_t n);
void free_aligned_sized(void *p, size_t align, size_t n);

// What a hidden thread gets; NULL: this is no hidden thread, or there is nothing left for it.
// Nothing either where an allocator stands in front of us: its free may be given the block.
static void *hidden_block(size_t n, size_t align) {
    if (LIKELY(!hot_thread.is_hidden) || real_heap.is_in_front) return NULL;
    return own_alloc(n, align);
}

__attribute__((noinline)) static void *malloc_slow(size_t n, const void *caller) {
    void *own = hidden_block(n, 1);
    if (own) return own;
    if (!sample_due(n)) return real_heap.malloc(n);
    return sample_fresh(real_heap.malloc(n), n, caller);
}

EXPORT void *malloc(size_t n) {
    if (sample_passes(n)) return real_heap.malloc(n);
    return malloc_slow(n, CALLER);
}

EXPORT void free(void *p) {
    if (sample_matches(p) && sample_freed(p) == FREED_NOTHING) return;
    real_heap.free(p);
}

EXPORT void free_sized(void *p, size_t n) {
    real_settle(); // as reallocarray; glibc has had it since 2.40 only
    enum freed freed = sample_matches(p) ? sample_freed(p) : FREED_NORMAL;
    if (freed == FREED_NOTHING) return;
    if (freed == FREED_NORMAL && real_heap.free_sized)
        real_heap.free_sized(p, n);
    else
        real_heap.free(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t n) {
    real_settle();
    enum freed freed = sample_matches(p) ? sample_freed(p) : FREED_NORMAL;
    if (freed == FREED_NOTHING) return;
    if (freed == FREED_NORMAL && real_heap.free_aligned_sized)
        real_heap.free_aligned_sized(p, align, n);
    else
        real_heap.free(p);
}

__attribute__((noinline)) static void *calloc_slow(size_t n, size_t size, size_t bytes,
                                                   const void *caller) {
    void *own = bytes || !n || !size ? hidden_block(bytes, 1) : NULL; // not when it overflowed
    if (own) return memset(own, 0, bytes);
    if (!sample_due(bytes)) return real_heap.calloc(n, size);
    return sample_zeroed(real_heap.calloc(n, size), bytes, caller);
}

EXPORT void *calloc(size_t n, size_t size) {
    size_t bytes;
    if (!size_mul(n, size, &bytes)) bytes = 0; // the real one refuses it
    if (sample_passes(bytes)) return real_heap.calloc(n, size);
    return calloc_slow(n, size, bytes, CALLER);
}

// realloc of a block that is not the allocator's: out of a pool with room bytes to read.
static void *pool_moved(void *p, size_t room, size_t n) {
    void *fresh = hidden_block(n, 1);
    if (!fresh) fresh = real_heap.malloc(n);
    if (fresh) memcpy(fresh, p, room < n ? room : n);
    return fresh;
}

static void *own_resized(void *p, size_t n) {
    if (n && n <= own_room(p)) return p;
    void *fresh = n ? pool_moved(p, own_room(p), n) : NULL;
    if (fresh || !n) own_free(p);
    return fresh;
}

// A block given to realloc counts as freed and what comes back as allocated, also when it is the
// same place, as in Go and jemalloc: each byte asked for is a chance to be sampled.
__attribute__((noinline)) static void *realloc_slow(void *p, size_t n, bool passed,
                                                    const void *caller) {
    bool is_due = !passed && sample_due(n) && (n || !p);
    real_init();
    if (boot_owns(p)) return pool_moved(p, boot_room(p), n);
    if (own_owns(p)) return own_resized(p, n);
    void *own = p ? NULL : hidden_block(n, 1);
    if (own) return own;
    u32 bucket;
    bool was_followed = p && sample_matches(p) && live_remove(p, &bucket);
    void *q = real_heap.realloc(p, n);
    if (!q && n && was_followed) live_restore(p, bucket);
    return is_due ? sample_filled(q, n, caller) : q;
}

EXPORT void *realloc(void *p, size_t n) {
    bool passed = sample_passes(n);
    if (LIKELY(passed && !sample_matches(p))) return real_heap.realloc(p, n);
    return realloc_slow(p, n, passed, CALLER);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size) {
    size_t bytes;
    if (!size_mul(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    real_settle(); // the allocator in front may lack this one, and then its realloc is meant
    bool passed = sample_passes(bytes);
    if (LIKELY(passed && !sample_matches(p))) return real_heap.realloc(p, bytes);
    return realloc_slow(p, bytes, passed, CALLER);
}

EXPORT void *memalign(size_t align, size_t n) {
    void *own = hidden_block(n, align);
    if (own) return own;
    if (sample_passes(n) || !sample_due(n)) return real_heap.memalign(align, n);
    return sample_fresh(real_heap.memalign(align, n), n, CALLER);
}

EXPORT void *aligned_alloc(size_t align, size_t n) {
    void *own = hidden_block(n, align);
    if (own) return own;
    if (sample_passes(n) || !sample_due(n)) return real_heap.aligned_alloc(align, n);
    return sample_fresh(real_heap.aligned_alloc(align, n), n, CALLER);
}

EXPORT int posix_memalign(void **ret, size_t align, size_t n) {
    void *own = hidden_block(n, align);
    if (own) {
        *ret = own;
        return 0;
    }
    if (sample_passes(n) || !sample_due(n)) return real_heap.posix_memalign(ret, align, n);
    int failed = real_heap.posix_memalign(ret, align, n);
    if (!failed) *ret = sample_fresh(*ret, n, CALLER);
    return failed;
}

EXPORT void *valloc(size_t n) {
    if (sample_passes(n) || !sample_due(n)) return real_heap.valloc(n);
    return sample_fresh(real_heap.valloc(n), n, CALLER);
}

EXPORT void *pvalloc(size_t n) {
    if (sample_passes(n) || !sample_due(n)) return real_heap.pvalloc(n);
    return sample_fresh(real_heap.pvalloc(n), n, CALLER);
}
