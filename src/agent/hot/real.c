// agent/hot/real.c - finds the allocator behind our hooks.
// Room: see real.h. Door: real_init().
#include "agent/hot/real.h"

#include "agent/hot/live.h"
#include "agent/hot/resolve.h"
#include "agent/hot/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

struct real_heap real_heap;

// The pool is used when the loader's list is not there yet, which no Debian program does; it makes
// the difference between a late crash that nobody understands and a few kilobytes lost.
static _Alignas(4096) char boot_pool[BOOT_POOL];
static _Atomic size_t boot_used;

bool boot_owns(const void *p) {
    uintptr_t at = (uintptr_t)p - (uintptr_t)boot_pool;
    return at < BOOT_POOL;
}

size_t boot_room(const void *p) {
    return (size_t)(boot_pool + BOOT_POOL - (const char *)p);
}

// Pieces start at multiples of BOOT_BLOCK, so that free's mask test leads them into its slow path.
static void *boot_malloc(size_t n) {
    size_t size = (n + BOOT_BLOCK - 1) / BOOT_BLOCK * BOOT_BLOCK;
    size_t at = n < BOOT_POOL ? atomic_fetch_add(&boot_used, size ? size : BOOT_BLOCK) : BOOT_POOL;
    if (at + size <= BOOT_POOL) {
        live_filter_add(boot_pool + at); // so that free looks at it
        return boot_pool + at;
    }
    errno = ENOMEM;
    return NULL;
}

static void *boot_calloc(size_t n, size_t size) {
    size_t bytes;
    return size_mul(n, size, &bytes) ? boot_malloc(bytes) : NULL; // the pool is zero and used once
}

static void boot_free(void *p) {
    (void)p;
}

static void *boot_realloc(void *p, size_t n) {
    char *fresh = boot_malloc(n);
    if (fresh && p) memcpy(fresh, p, n < boot_room(fresh) ? n : boot_room(fresh));
    return fresh;
}

static void *boot_memalign(size_t align, size_t n) {
    return align <= BOOT_BLOCK ? boot_malloc(n) : NULL;
}

static int boot_posix_memalign(void **ret, size_t align, size_t n) {
    *ret = boot_memalign(align, n);
    return *ret ? 0 : ENOMEM;
}

void real_find(void *ret, const char *name) {
    struct resolved found =
        real_heap.is_in_front ? hot_resolve_any(name) : hot_resolve_in(name, NULL);
    if (found.address) memcpy(ret, &found.address, sizeof found.address);
}

static void find_boot(void) {
    real_heap.malloc = boot_malloc;
    real_heap.calloc = boot_calloc;
    real_heap.realloc = boot_realloc;
    real_heap.memalign = boot_memalign;
    real_heap.aligned_alloc = boot_memalign;
    real_heap.posix_memalign = boot_posix_memalign;
    real_heap.valloc = boot_malloc;
    real_heap.pvalloc = boot_malloc;
    real_heap.free = boot_free;
    real_init_new();
}

static void find_c(void) {
    real_find(&real_heap.malloc, "malloc");
    real_find(&real_heap.calloc, "calloc");
    real_find(&real_heap.realloc, "realloc");
    real_find(&real_heap.memalign, "memalign");
    real_find(&real_heap.aligned_alloc, "aligned_alloc");
    real_find(&real_heap.posix_memalign, "posix_memalign");
    real_find(&real_heap.valloc, "valloc");
    real_find(&real_heap.pvalloc, "pvalloc");
    real_find(&real_heap.free_sized, "free_sized");
    real_find(&real_heap.free_aligned_sized, "free_aligned_sized");
    real_find(&real_heap.mallocx, "mallocx");
    real_find(&real_heap.rallocx, "rallocx");
    real_find(&real_heap.dallocx, "dallocx");
    real_find(&real_heap.sdallocx, "sdallocx");
    real_find(&real_heap.zalloc_aligned, "mi_zalloc_aligned");
    real_find(&real_heap.free, "free");
}

// An allocator that defines malloc and free but leaves memalign to libc would be handed libc's
// block at free.
static bool memalign_fits(void) {
    struct resolved malloc_at = hot_resolve_in("malloc", NULL);
    return malloc_at.object && malloc_at.object == hot_resolve_in("memalign", NULL).object &&
           malloc_at.object == hot_resolve_in("free", NULL).object;
}

static const char *find_sanitizer(void) {
    if (hot_resolve_any("__asan_init").address) return "AddressSanitizer";
    if (hot_resolve_any("__tsan_init").address) return "ThreadSanitizer";
    if (hot_resolve_any("__msan_init").address) return "MemorySanitizer";
    if (hot_resolve_any("__hwasan_init").address) return "HWAddressSanitizer";
    return NULL;
}

i64 hooks_mark(void) {
    i64 before = hot_thread.heap_left;
    hot_thread.heap_left = 0;
    return before;
}

// The countdown tells: a hook would have changed it, if only to draw a new distance.
bool hooks_entered(i64 before) {
    bool is_entered = hot_thread.heap_left != 0;
    hot_thread.heap_left = before;
    return is_entered;
}

// Whether the allocator in front of us calls our malloc: then it passes calls on (a tracer), and
// the real malloc is behind us.
static bool front_passes_on(void *(*front_malloc)(size_t), void (*front_free)(void *)) {
    i64 before = hooks_mark();
    front_free(front_malloc(64));
    return hooks_entered(before);
}

static void settle(void) {
    real_init();
    if (hot_is_first("malloc")) return;
    void *(*front_malloc)(size_t) = NULL;
    void (*front_free)(void *) = NULL;
    real_heap.is_in_front = true;
    real_find(&front_malloc, "malloc");
    real_find(&front_free, "free");
    if (!front_malloc || !front_free || front_passes_on(front_malloc, front_free)) {
        real_heap.is_in_front = false;
        return;
    }
    real_heap.owner = hot_resolve_any("malloc").object;
    find_c();
    real_init_new();
}

bool real_settle(void) {
    if (!atomic_load_explicit(&real_heap.is_settled, memory_order_acquire)) {
        settle();
        real_settle_new();
        atomic_store_explicit(&real_heap.is_settled, true, memory_order_release);
    }
    return !real_heap.is_in_front;
}

void real_init(void) {
    if (atomic_load_explicit(&real_heap.is_found, memory_order_acquire)) return;
    struct resolved malloc_at = hot_resolve_in("malloc", NULL);
    if (!malloc_at.address) {
        if (!real_heap.malloc) find_boot();
        return;
    }
    real_heap.owner = malloc_at.object;
    real_heap.is_glibc = strncmp(object_name(malloc_at.object), "libc.so", 7) == 0;
    real_heap.sanitizer = find_sanitizer();
    real_heap.can_align = memalign_fits();
    find_c();
    real_init_new();
    // From here on, also where nothing is ever sampled: blocks of own.h must be told as well.
    uintptr_t mask = real_heap.can_align ? BLOCK_SIGNATURE : 0;
    atomic_store_explicit(&real_heap.free_mask, mask, memory_order_release);
    atomic_store_explicit(&real_heap.is_found, true, memory_order_release);
}
