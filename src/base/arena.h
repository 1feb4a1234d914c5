// base/arena.h - memory that ends all at once.
// Room: taking blocks from the system and handing out pieces; no piece is ever freed alone. Door:
// base/base.h.
//
// An arena is a list of mmap'd blocks, so its memory is zero, never passes through malloc (libpprof
// must not see itself in the program's heap), and pages not touched cost nothing. One arena per
// lifetime: process, profile, request, scratch. Not thread-safe: an arena belongs to one thread at
// a time.
#pragma once

#include <setjmp.h>

#include "base/types.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; // newest first
    char *at, *end;             // free part of the newest block
    size_t used_bytes;          // handed out so far, for reports and tests
    size_t mapped_bytes;        // taken from the system
    jmp_buf
        *on_oom; // where to go when the system has no memory left; NULL: arena_oom ends the process
};

void arena_init(struct arena *a);
// Gives every block back. The arena may be used again after arena_init only.
void arena_done(struct arena *a);
// Gives back all but the newest block and starts over in it (zeroed again): a request loop's arena.
void arena_reset(struct arena *a);

// Hands from's blocks to a: what lies in them lives as long as a, and from is empty.
void arena_adopt(struct arena *a, struct arena *from);

// An empty arena with the same on_oom as parent, for work that ends before its caller does:
//     AUTO_ARENA struct arena scratch = arena_sub(out);
struct arena arena_sub(const struct arena *parent);
#define AUTO_ARENA __attribute__((cleanup(arena_done)))

// size bytes, zeroed, aligned to align (a power of two up to 4096). size 0 gives a valid, unusable
// pointer. Never NULL: without memory it jumps to on_oom, or says so on stderr and exits with
// status 2.
void *arena_alloc(struct arena *a, size_t size, size_t align)
    __attribute__((malloc, returns_nonnull));
// n * size bytes, checked; an overflow counts as running out of memory.
void *arena_array(struct arena *a, size_t n, size_t size, size_t align)
    __attribute__((malloc, returns_nonnull));
// Grows an array made by arena_array from old_n to new_n elements: in place when it is the newest
// piece, else by copy.
void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n, size_t size, size_t align);

// NEW(arena, struct node, n): n zeroed structs.
#define NEW(a, type, n) ((type *)arena_array((a), (n), sizeof(type), _Alignof(type)))

// GROW(arena, items, cap, need): makes room for need elements in an array of cap, doubling; both
// are updated.
#define GROW(a, items, cap, need)                                                                  \
    do {                                                                                           \
        if ((size_t)(need) > (size_t)(cap)) {                                                      \
            size_t new_cap_ = (size_t)(cap)*2 > (size_t)(need) ? (size_t)(cap)*2 : (size_t)(need); \
            if (new_cap_ < 16) new_cap_ = 16;                                                      \
            (items) = arena_grow((a), (items), (cap), new_cap_, sizeof *(items),                   \
                                 _Alignof(__typeof__(*(items))));                                  \
            (cap) = (__typeof__(cap))new_cap_;                                                     \
        }                                                                                          \
    } while (0)
