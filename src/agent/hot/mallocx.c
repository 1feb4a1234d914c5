// agent/hot/mallocx.c - the hooks in front of jemalloc's own interface.
// Room: mallocx, rallocx, dallocx, sdallocx. Door: the program calls them.
//
// They are hooked because blocks cross over: a program may malloc a block (which may be sampled,
// and then is larger than its size class) and give it to sdallocx with its size, which jemalloc
// trusts; or give it to dallocx, after which it would look live forever. Programs that look whether
// these names exist (folly, rocksdb) also look for mallctl and nallocx, which we do not define, so
// our definitions never make a program take another allocator for jemalloc. Should one be called
// without jemalloc, it does what its name says through the program's malloc. Not hooked: xallocx
// (resizes in place: a sampled block keeps its sampled size), sallocx, nallocx, mallctl: right as
// they are. Source: jemalloc(3), "NON-STANDARD API".
#include "agent/hot/sample.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum {
    FLAG_ALIGN = 0x3f, // log2 of the alignment, 0: none asked for
    FLAG_ZERO = 0x40,
    SAMPLED_ALIGN = 10, // log2 of BLOCK_ALIGN
};
_Static_assert(1 << SAMPLED_ALIGN == BLOCK_ALIGN, "one alignment of sampled blocks");

void *mallocx(size_t n, int flags);
void *rallocx(void *p, size_t n, int flags);
void dallocx(void *p, int flags);
void sdallocx(void *p, size_t n, int flags);

static bool has_jemalloc(void) {
    real_settle();
    return real_heap.mallocx && real_heap.rallocx && real_heap.dallocx && real_heap.sdallocx;
}

// The flags that make a block which free recognises.
static int sampled_flags(int flags) {
    if ((flags & FLAG_ALIGN) >= SAMPLED_ALIGN) return flags;
    return (flags & ~FLAG_ALIGN) | SAMPLED_ALIGN;
}

static void *plain_mallocx(size_t n, int flags) {
    size_t align = (size_t)1 << (flags & FLAG_ALIGN);
    if (align <= _Alignof(max_align_t)) return flags & FLAG_ZERO ? calloc(1, n) : malloc(n);
    void *p = memalign(align, n);
    if (p && flags & FLAG_ZERO) memset(p, 0, n);
    return p;
}

static void *plain_rallocx(void *p, size_t n, int flags) {
    if (!(flags & (FLAG_ALIGN | FLAG_ZERO))) return realloc(p, n);
    void *fresh = plain_mallocx(n, flags);
    size_t held = malloc_usable_size(p);
    if (!fresh) return NULL;
    memcpy(fresh, p, held < n ? held : n);
    free(p);
    return fresh;
}

EXPORT void *mallocx(size_t n, int flags) {
    if (!has_jemalloc()) return plain_mallocx(n, flags);
    if (sample_passes(n) || !sample_due(n)) return real_heap.mallocx(n, flags);
    void *p = real_heap.mallocx(n, sampled_flags(flags));
    sample_in_place(p, n, CALLER);
    return p;
}

EXPORT void *rallocx(void *p, size_t n, int flags) {
    if (!has_jemalloc()) return plain_rallocx(p, n, flags);
    bool is_due = !sample_passes(n) && sample_due(n);
    u32 bucket;
    bool was_followed = sample_matches(p) && live_remove(p, &bucket);
    void *q = real_heap.rallocx(p, n, is_due ? sampled_flags(flags) : flags);
    if (!q && was_followed) live_restore(p, bucket);
    if (is_due) sample_in_place(q, n, CALLER);
    return q;
}

EXPORT void dallocx(void *p, int flags) {
    if (!has_jemalloc()) {
        free(p);
        return;
    }
    if (sample_matches(p)) sample_freed(p);
    real_heap.dallocx(p, flags);
}

EXPORT void sdallocx(void *p, size_t n, int flags) {
    if (!has_jemalloc())
        free(p);
    else if (sample_matches(p) && sample_freed(p) == FREED_SAMPLED)
        real_heap.dallocx(p, flags);
    else
        real_heap.sdallocx(p, n, flags);
}
