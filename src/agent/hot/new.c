// agent/hot/new.c - the hooks in front of C++'s operator new and delete, in C.
// Room: the twenty functions of new.def, each in front of its real one. Door: the program calls
// them.
//
// All of them, because a sampled block is larger than its size class and a sized delete of an
// allocator of its own (jemalloc, tcmalloc, mimalloc) trusts the size: sampled blocks go to plain
// free. libstdc++'s operators are malloc and free with an error path; in front of those malloc is
// called directly, and theirs only when it fails (they call the new handler and throw).
#include "agent/hot/resolve.h"
#include "agent/hot/sample.h"

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    void *symbol parameters;
#define OPERATOR_DELETE(symbol, parameters, arguments) void symbol parameters;
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE

// What stands behind us under each name; NULL: nothing yet (a C++ library may come later).
static struct {
#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    void *(*symbol)parameters;
#define OPERATOR_DELETE(symbol, parameters, arguments) void(*symbol) parameters;
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE
} behind;

// Memory as libstdc++'s operator new takes it; NULL where that would call the new handler.
static void *standard_block(size_t n, size_t align) {
    if (!n) n = 1;
    if (!align) return real_heap.malloc(n);
    // The size as it is: an allocator's sized delete finds the size class by it.
    if (real_heap.can_align) return real_heap.memalign(align, n);
    size_t rounded;
    if (!size_add(n, align - 1, &rounded)) return NULL;
    return real_heap.aligned_alloc(align, rounded & ~(align - 1));
}

// Sizes, alignments and nothrow tags of delete say nothing that free needs.
#pragma GCC diagnostic ignored "-Wunused-parameter"

// The real operators where those are libstdc++'s: no detour on success.
#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    static void *standard##symbol parameters {                                                     \
        void *p = standard_block(n, align);                                                        \
        if (LIKELY(p)) return p;                                                                   \
        if (!behind.symbol) real_find(&behind.symbol, #symbol);                                    \
        return behind.symbol ? behind.symbol arguments : NULL;                                     \
    }
#define OPERATOR_DELETE(symbol, parameters, arguments)                                             \
    static void standard##symbol parameters {                                                      \
        real_heap.free(p);                                                                         \
    }
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE

// In front of somebody's own operators: what our hook has counted is taken back, since the malloc
// behind them counts it.
#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    static void *foreign##symbol parameters {                                                      \
        hot_thread.heap_left = (i64)((u64)hot_thread.heap_left + n);                               \
        return behind.symbol arguments;                                                            \
    }
#define OPERATOR_DELETE(symbol, parameters, arguments)
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE

static bool name_starts(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static enum new_kind kind_of(struct resolved plain_new) {
    if (!plain_new.address) return NEW_STANDARD;
    if (plain_new.object == real_heap.owner) return NEW_OF_ALLOCATOR;
    const char *name = object_name(plain_new.object);
    bool is_standard = name_starts(name, "libstdc++.so") || name_starts(name, "libc++.so") ||
                       name_starts(name, "libc++abi.so");
    return is_standard ? NEW_STANDARD : NEW_FOREIGN;
}

void real_init_new(void) {
    struct resolved plain_new =
        real_heap.is_in_front ? hot_resolve_any("_Znwm") : hot_resolve_in("_Znwm", NULL);
    enum new_kind kind = kind_of(plain_new);
#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    real_find(&behind.symbol, #symbol);                                                            \
    real_heap.symbol = standard##symbol;                                                           \
    if (kind == NEW_FOREIGN && behind.symbol) real_heap.symbol = foreign##symbol;                  \
    if (kind == NEW_OF_ALLOCATOR && behind.symbol) real_heap.symbol = behind.symbol;
#define OPERATOR_DELETE(symbol, parameters, arguments)                                             \
    real_find(&behind.symbol, #symbol);                                                            \
    real_heap.symbol = standard##symbol;                                                           \
    if (kind != NEW_STANDARD && behind.symbol) real_heap.symbol = behind.symbol;
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE
    real_heap.new_kind = kind;
}

// jemalloc's operator new calls malloc by its name, so that our malloc would count it again. Each
// form is tried once; those that come back to us are malloc with an error path, as libstdc++'s.
void real_settle_new(void) {
    if (real_heap.new_kind != NEW_OF_ALLOCATOR) return;
    size_t n = 64, align = 64;
    const void *nothrow = &n;
    void *p;
    i64 before;
#define OPERATOR_NEW(symbol, parameters, arguments, by, partner, its_arguments)                    \
    before = hooks_mark();                                                                         \
    p = behind.symbol && behind.partner ? behind.symbol arguments : NULL;                          \
    if (p) behind.partner its_arguments;                                                           \
    if (hooks_entered(before)) real_heap.symbol = standard##symbol;
#define OPERATOR_DELETE(symbol, parameters, arguments)
#include "agent/hot/new.def"
#undef OPERATOR_NEW
#undef OPERATOR_DELETE
}

static bool new_due(size_t n) {
    real_init();
    return real_heap.new_kind != NEW_FOREIGN && sample_due(n);
}

// Whether delete is done with p: a sampled block went to the plain free, one of the boot pool
// nowhere.
__attribute__((noinline)) static bool delete_done(void *p) {
    enum freed freed = sample_freed(p);
    if (freed == FREED_SAMPLED) real_heap.free(p);
    return freed != FREED_NORMAL;
}

#define OPERATOR_NEW(symbol, parameters, arguments, align, partner, its_arguments)                 \
    EXPORT void *symbol parameters {                                                               \
        if (sample_passes(n) || !new_due(n)) return real_heap.symbol arguments;                    \
        return sample_fresh(real_heap.symbol arguments, n, CALLER);                                \
    }
#define OPERATOR_DELETE(symbol, parameters, arguments)                                             \
    EXPORT void symbol parameters {                                                                \
        if (!sample_matches(p) || !delete_done(p)) real_heap.symbol arguments;                     \
    }
#include "agent/hot/new.def"
