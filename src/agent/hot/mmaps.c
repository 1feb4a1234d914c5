// agent/hot/mmaps.c - memory that the program maps itself.
// Room: see mmaps.h. Door: the program calls the hooks, at the end.
#include "agent/hot/mmaps.h"

#include "base/base.h"

#include "agent/hot/arch.h"
#include "agent/hot/labels.h"
#include "agent/hot/pages.h"
#include "agent/hot/resolve.h"
#include "agent/hot/stacks.h"
#include "agent/hot/thread.h"
#include "agent/hot/unwind.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum {
    PAGE = 4096,
    STACK_BITS = 18,
    LABEL_BITS = 13,
    PIECE_BUSY = 1, // in the place of a start: it is just being filled
};
_Static_assert(MAX_STACKS <= 1 << STACK_BITS, "a key must hold a stack");
_Static_assert((u32)MAX_KEPT_LABELS <= 1u << LABEL_BITS, "a key must hold labels");
#define KEY_SET ((u64)1 << 63) // so that no key is 0

// Pieces by column: a look for an address reads starts and little else.
struct tables {
    _Atomic u64 starts[MAX_PIECES]; // 0: free
    _Atomic u64 ends[MAX_PIECES];
    _Atomic u32 sites[MAX_PIECES];
    struct map_site site[MAX_SITES];
};

// tables: set once by maps_record. The rest: atomic, only added to.
static struct {
    struct tables *_Atomic tables;
    _Atomic u32 n_pieces; // places ever used
    _Atomic u64 n_lost;
} maps;

static u64 key_of(u32 stack, u32 label_id, enum map_kind kind) {
    return KEY_SET | (u64)kind << (STACK_BITS + LABEL_BITS) | (u64)label_id << STACK_BITS | stack;
}

u32 map_site_stack(u64 key) {
    return (u32)key & ((1u << STACK_BITS) - 1);
}

u32 map_site_labels(u64 key) {
    return (u32)(key >> STACK_BITS) & ((1u << LABEL_BITS) - 1);
}

enum map_kind map_site_kind(u64 key) {
    return (enum map_kind)(key >> (STACK_BITS + LABEL_BITS) & 3);
}

bool maps_are_recorded(void) {
    return atomic_load_explicit(&maps.tables, memory_order_acquire) != NULL;
}

bool maps_record(void) {
    if (maps_are_recorded()) return true;
    struct tables *fresh = map_own(sizeof *fresh), *none = NULL;
    if (!fresh) return false;
    atomic_store(&fresh->site[MAX_SITES - 1].key, key_of(STACK_OVERFLOW, 0, MAP_KIND_ANONYMOUS));
    if (!atomic_compare_exchange_strong(&maps.tables, &none, fresh)) munmap(fresh, sizeof *fresh);
    return true;
}

static u32 site_of(struct tables *t, u64 key) {
    u32 at = (u32)hash_mix(key);
    for (u32 i = 0; i < MAX_SITES; i++) {
        struct map_site *site = &t->site[(at + i) % MAX_SITES];
        u64 seen = 0;
        if (atomic_load_explicit(&site->key, memory_order_relaxed) == key ||
            atomic_compare_exchange_strong(&site->key, &seen, key) || seen == key)
            return (at + i) % MAX_SITES;
    }
    return MAX_SITES - 1;
}

static void piece_add(struct tables *t, u64 start, u64 end, u32 site) {
    for (u32 i = 0; i < MAX_PIECES; i++) {
        u64 none = 0;
        if (atomic_load_explicit(&t->starts[i], memory_order_relaxed)) continue;
        // Before the piece appears, so that whoever unmaps it looks there.
        u32 n = atomic_load(&maps.n_pieces);
        while (n <= i && !atomic_compare_exchange_weak(&maps.n_pieces, &n, i + 1)) {
        }
        if (!atomic_compare_exchange_strong(&t->starts[i], &none, PIECE_BUSY)) continue;
        atomic_store(&t->ends[i], end);
        atomic_store(&t->sites[i], site);
        atomic_store_explicit(&t->starts[i], start, memory_order_release);
        return;
    }
    atomic_fetch_add(&maps.n_lost, 1);
}

// Takes [start, end) out of piece i, which is [from, to). Only a program that unmaps the same range
// in two threads meets itself here, and then it does not know either what is mapped.
static void piece_cut(struct tables *t, u32 i, u64 from, u64 to, u64 start, u64 end) {
    u32 site = atomic_load(&t->sites[i]);
    if (start > from) {
        atomic_store(&t->ends[i], start);
        if (end < to) piece_add(t, end, to, site);
    } else if (end < to) {
        atomic_store(&t->starts[i], end);
    } else {
        atomic_store(&t->starts[i], 0);
    }
}

static void pieces_cut(u64 start, size_t len) {
    struct tables *t = atomic_load_explicit(&maps.tables, memory_order_acquire);
    u64 end = start + ((len + PAGE - 1) & ~(u64)(PAGE - 1));
    u32 n = t ? atomic_load(&maps.n_pieces) : 0;
    for (u32 i = 0; i < n; i++) {
        u64 from = atomic_load_explicit(&t->starts[i], memory_order_acquire);
        if (from <= PIECE_BUSY || from >= end) continue;
        u64 to = atomic_load_explicit(&t->ends[i], memory_order_relaxed);
        if (to > start) piece_cut(t, i, from, to, start, end);
    }
}

static enum map_kind kind_of(int prot, int flags) {
    if (prot == PROT_NONE) return MAP_KIND_RESERVED;
    if (!(flags & MAP_ANONYMOUS)) return MAP_KIND_FILE;
    return flags & MAP_PRIVATE ? MAP_KIND_ANONYMOUS : MAP_KIND_SHARED;
}

// Enters a new mapping under the stack of the hook's caller. kind: of the mapping, or that of the
// site it was moved from.
static __attribute__((noinline)) void record(const void *at, size_t len, enum map_kind kind) {
    enum { OWN_FRAMES = 2 }; // this one and the hook's: the program's call is the leaf
    u64 pcs[MAX_FRAMES];
    struct tables *t = atomic_load_explicit(&maps.tables, memory_order_acquire);
    int kept = errno;
    hot_thread.depth++;
    struct unwound got = unwind_here(pcs, MAX_FRAMES, OWN_FRAMES);
    u32 site = site_of(t, key_of(stack_intern(pcs, got.n), labels_now(), kind));
    u64 bytes = (len + PAGE - 1) & ~(u64)(PAGE - 1);
    atomic_fetch_add(&t->site[site].n, 1);
    atomic_fetch_add(&t->site[site].bytes, bytes);
    piece_add(t, (u64)(uintptr_t)at, (u64)(uintptr_t)at + bytes, site);
    hot_thread.depth--;
    errno = kept;
}

static bool is_recording(void) {
    return maps_are_recorded() && !hot_thread.depth && !hot_thread.is_hidden &&
           !pages_are_stopped();
}

const struct map_site *map_sites(void) {
    struct tables *t = atomic_load_explicit(&maps.tables, memory_order_acquire);
    return t ? t->site : NULL;
}

void map_pieces(void (*take)(void *ctx, u32 site, u64 bytes), void *ctx) {
    struct tables *t = atomic_load_explicit(&maps.tables, memory_order_acquire);
    u32 n = t ? atomic_load(&maps.n_pieces) : 0;
    for (u32 i = 0; i < n; i++) {
        u64 from = atomic_load_explicit(&t->starts[i], memory_order_acquire);
        u64 to = atomic_load(&t->ends[i]);
        if (from > PIECE_BUSY && to > from) take(ctx, atomic_load(&t->sites[i]), to - from);
    }
}

u64 map_pieces_lost(void) {
    return atomic_load(&maps.n_lost);
}

#define EXPORT __attribute__((visibility("default")))

typedef void *(*mmap_fn)(void *, size_t, int, int, int, off_t);
typedef int (*munmap_fn)(void *, size_t);
typedef void *(*mremap_fn)(void *, size_t, size_t, int, void *);

// The function behind a hook; found once.
static void *real_of(_Atomic(void *) *known, const char *name) {
    void *real = atomic_load_explicit(known, memory_order_acquire);
    if (real) return real;
    real = hot_resolve(name, NULL);
    atomic_store_explicit(known, real, memory_order_release);
    return real;
}

// Allocators map before the loader is done: then there is nothing behind us yet but the kernel.
static void *mmap_real(void *at, size_t len, int prot, int flags, int fd, off_t offset) {
    static _Atomic(void *) known;
    mmap_fn real = (mmap_fn)real_of(&known, "mmap");
    if (real) return real(at, len, prot, flags, fd, offset);
    long got = arch_syscall(SYS_mmap, (long)at, (long)len, prot, flags, fd, offset);
    if (got >= 0 || got <= -PAGE) return (void *)got; // NOLINT: the kernel's answer
    errno = (int)-got;
    return MAP_FAILED;
}

// Under names of their own here: with 64-bit offsets the headers make one name of the other.
#define MAP_HOOK(hook, name)                                                                       \
    EXPORT void *hook(void *at, size_t len, int prot, int flags, int fd,                           \
                      off_t offset) __asm__(name);                                                 \
    void *hook(void *at, size_t len, int prot, int flags, int fd, off_t offset) {                  \
        void *got = mmap_real(at, len, prot, flags, fd, offset);                                   \
        if (got == MAP_FAILED || !is_recording()) return got;                                      \
        if (flags & MAP_FIXED) pieces_cut((u64)(uintptr_t)got, len);                               \
        record(got, len, kind_of(prot, flags));                                                    \
        return got;                                                                                \
    }
MAP_HOOK(hook_mmap, "mmap")
MAP_HOOK(hook_mmap64, "mmap64")

EXPORT int munmap(void *at, size_t len) {
    static _Atomic(void *) known;
    munmap_fn real = (munmap_fn)real_of(&known, "munmap");
    // Before the real one: afterwards another thread may already have mapped the range anew.
    if (len && !hot_thread.is_hidden) pieces_cut((u64)(uintptr_t)at, len);
    if (real) return real(at, len);
    long got = arch_syscall(SYS_munmap, (long)at, (long)len, 0, 0, 0, 0);
    if (got == 0) return 0;
    errno = (int)-got;
    return -1;
}

// Counts as unmapped and mapped anew, as realloc does.
EXPORT void *mremap(void *at, size_t old_len, size_t len, int flags, ...) {
    static _Atomic(void *) known;
    va_list more;
    va_start(more, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
    va_end(more);
    mremap_fn real = (mremap_fn)real_of(&known, "mremap");
    if (!real) {
        errno = ENOSYS;
        return MAP_FAILED;
    }
    void *got = real(at, old_len, len, flags, wanted);
    if (got == MAP_FAILED || !maps_are_recorded()) return got;
    if (old_len && !(flags & 4)) pieces_cut((u64)(uintptr_t)at, old_len); // 4: MREMAP_DONTUNMAP
    if (!is_recording()) return got;
    if (flags & MREMAP_FIXED) pieces_cut((u64)(uintptr_t)got, len);
    record(got, len, MAP_KIND_ANONYMOUS);
    return got;
}
