// agent/hot/real.h - the allocator behind our hooks.
// Room: finding it, once, and what is known about it. Door: agent/hot/hot.h; used by the hooks
// (malloc.c, mallocx.c, new.c) and by agent/heap.c.
//
// Bootstrap: until real_init has run, free_mask is 0, so that every free enters its slow path, and
// hot_thread.heap_left is 0, so that every thread's first allocation enters its own; the slow paths
// call real_init. Fast paths may therefore use the pointers without a test.
#pragma once

#include "base/types.h"

struct link_map;

enum new_kind {
    NEW_OF_ALLOCATOR, // the allocator brings its own operator new: it is called
    NEW_STANDARD,     // libstdc++'s or libc++'s, which are malloc and free: those are called
    NEW_FOREIGN,      // somebody's own: called and not counted; the malloc it calls is
};

// Written once by real_init, then only read, but for free_mask.
struct real_heap {
    void *(*malloc)(size_t);
    void (*free)(void *);
    // A block p can be a sampled one only if (p & free_mask) == 0.
    _Atomic uintptr_t free_mask;
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    void (*free_sized)(void *, size_t);
    void (*free_aligned_sized)(void *, size_t, size_t);
    // jemalloc's own interface, NULL elsewhere.
    void *(*mallocx)(size_t, int);
    void *(*rallocx)(void *, size_t, int);
    void (*dallocx)(void *, int);
    void (*sdallocx)(void *, size_t, int);
    void *(*zalloc_aligned)(size_t, size_t); // mimalloc's zeroed memalign, NULL elsewhere
#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    void *(*symbol)parameters;
#define OPERATOR_DELETE(symbol, parameters, arguments) void(*symbol) parameters;
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE
    enum new_kind new_kind;
    _Atomic bool is_found;        // all of this is filled in
    _Atomic bool is_settled;      // real_settle has been here
    bool is_in_front;             // the allocator stands in front of us: nobody calls our hooks
    bool can_align;               // memalign belongs to the same allocator as malloc and free
    bool is_glibc;                // owner is libc.so.6
    const struct link_map *owner; // the object that defines malloc
    const char *sanitizer;        // "AddressSanitizer" and the like: hooks step aside
};
extern struct real_heap real_heap __attribute__((visibility("hidden")));

// Finds everything. Idempotent; two threads that do it at the same time find the same.
void real_init(void);
// Whether the program's allocations come to our hooks. False: an allocator in front of libpprof
// takes them; the pointers are then set to it, so that what our own code allocates and what libc
// allocates for it (strdup) belong together. From the constructor, and from hooks of functions that
// such an allocator may lack. Idempotent; calls the malloc in front, so not on the way of every
// malloc.
bool real_settle(void);
// Finds one function where this process' allocator is; leaves *ret, a function pointer, alone when
// there is none.
void real_find(void *ret, const char *name);
// The C++ parts of real_init and real_settle, at home in new.c.
void real_init_new(void);
void real_settle_new(void);
// Whether the heap hooks of this thread were entered since the mark was set (and the old state kept
// in *before). Only right where nobody else can run in this thread, and where it matters little.
i64 hooks_mark(void);
bool hooks_entered(i64 before);

// Memory for allocations that come before there is an allocator to ask: BOOT_BLOCK pieces of a
// static pool, never given back.
enum { BOOT_POOL = 64 << 10, BOOT_BLOCK = 1024 };
bool boot_owns(const void *p);
size_t boot_room(const void *p); // bytes from p to the pool's end: what may be read there
