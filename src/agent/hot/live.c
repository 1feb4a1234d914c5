// agent/hot/live.c - the tables of the heap profile.
// Room: see live.h. Door: live_insert(), live_remove().
//
// Live blocks stand in levels of growing size. A level is lines of 8 words; a block may stand in
// two lines of it, chosen by hash, so that there is nothing to probe and nothing to move: a look-up
// reads two cache lines a level, and a level is about 90 % full before the next one is opened. Most
// programs stay in the first (half a MiB, 50,000 live samples: 25 GiB of heap at the default rate).
#include "agent/hot/live.h"

#include "base/base.h"

#include "agent/hot/stacks.h"
#include "agent/hot/weight.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

enum {
    N_BUCKET_SLOTS = 2 * MAX_BUCKETS,
    MAX_PROBES = 64, // at half load a longer run means a hostile hash
    SIZE_BITS = 44,  // of a bucket key: sizes up to 16 TiB, more than the address space gives out
    BUCKET_BITS = 20,
    LINE_WORDS = 8, // one cache line
    N_LEVELS = 4,
};
_Static_assert(MAX_BUCKETS <= 1 << BUCKET_BITS, "a live word must hold a bucket");
_Static_assert(MAX_STACKS <= 1 << (63 - SIZE_BITS), "a bucket key must hold a stack");

// Lines of each level: 0.5, 2, 8 and 32 MiB, each four times the one before, so that a level that
// was just opened is a fifth full at least: with their times 60 bytes a live sample. The last
// bounds the table at 5 million.
static const u32 level_lines[N_LEVELS] = {1 << 13, 1 << 15, 1 << 17, 1 << 19};
enum { N_LINES = (1 << 13) + (1 << 15) + (1 << 17) + (1 << 19) };

struct tables {
    _Atomic u64 lines[N_LINES][LINE_WORDS]; // address >> 4 << BUCKET_BITS | bucket; 0: free
    _Atomic u32 times[N_LINES][LINE_WORDS]; // when the word was written: see now_s
    _Atomic u32 slots[N_BUCKET_SLOTS];      // bucket id; 0: free
    _Atomic u32 n_peak[MAX_BUCKETS];        // in use at the peak; under peak_lock
    struct heap_bucket buckets[MAX_BUCKETS];
};

// tables: set once by live_init. The rest: atomic, only added to.
static struct {
    struct tables *_Atomic tables;
    _Atomic u32 n_buckets;
    _Atomic u32 n_levels; // levels that hold or held blocks
    _Atomic u64 n_overflowed, n_unfollowed;
    _Atomic u64 rate;
    _Atomic i64 inuse_bytes; // weight of the blocks followed
    _Atomic i64 peak_bytes;  // of the last picture
    _Atomic u32 peak_s;
    _Atomic u32 peak_lock; // taken by whoever reads or takes the picture; never waited for in hooks
} live = {.n_buckets = N_OVERFLOW_BUCKETS};

#define KEY_SET ((u64)1 << 63) // so that no key is 0

static u64 key_of(u32 stack_id, u64 size) {
    u64 most = ((u64)1 << SIZE_BITS) - 1;
    return KEY_SET | (u64)stack_id << SIZE_BITS | (size < most ? size : most);
}

u32 bucket_stack(u64 key) {
    return (u32)((key & ~KEY_SET) >> SIZE_BITS);
}

u64 bucket_size(u64 key) {
    return key & (((u64)1 << SIZE_BITS) - 1);
}

bool live_is_ready(void) {
    return atomic_load_explicit(&live.tables, memory_order_acquire) != NULL;
}

bool live_init(void) {
    if (live_is_ready()) return true;
    struct tables *fresh = mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) return false;
    // The middle of each power of two stands for what is counted there.
    for (u32 i = 0; i < N_OVERFLOW_BUCKETS; i++)
        fresh->buckets[i].key = key_of(STACK_OVERFLOW, ((u64)3 << i) / 2);
    struct tables *none = NULL;
    if (!atomic_compare_exchange_strong(&live.tables, &none, fresh)) munmap(fresh, sizeof *fresh);
    return true;
}

static u32 overflow_bucket(u64 size) {
    atomic_fetch_add_explicit(&live.n_overflowed, 1, memory_order_relaxed);
    return size ? 63 - (u32)__builtin_clzll(size) : 0;
}

// A new bucket, not yet findable; 0 when there are no more.
static u32 bucket_new(struct tables *t, u64 key, u32 label_id) {
    if (atomic_load_explicit(&live.n_buckets, memory_order_relaxed) >= MAX_BUCKETS) return 0;
    u32 id = atomic_fetch_add_explicit(&live.n_buckets, 1, memory_order_relaxed);
    if (id >= MAX_BUCKETS) return 0;
    t->buckets[id].label_id = label_id;
    atomic_store_explicit(&t->buckets[id].key, key, memory_order_release);
    return id;
}

static bool bucket_is(const struct heap_bucket *b, u64 key, u32 label_id) {
    return atomic_load_explicit(&b->key, memory_order_relaxed) == key && b->label_id == label_id;
}

static bool is_half_full(void) {
    return atomic_load_explicit(&live.n_buckets, memory_order_relaxed) >= MAX_BUCKETS / 2;
}

u32 bucket_of(u32 stack_id, u64 size_bytes, u32 label_id) {
    struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    if (label_id && is_half_full()) label_id = 0;
    u64 key = key_of(stack_id, size_bytes), hash = hash_mix(key + label_id);
    u32 fresh = 0;
    for (u32 probe = 0; probe < MAX_PROBES;) {
        _Atomic u32 *slot = &t->slots[(hash + probe) % N_BUCKET_SLOTS];
        // Acquire: pairs with the release below, so that the bucket's key is seen.
        u32 id = atomic_load_explicit(slot, memory_order_acquire);
        if (id && bucket_is(&t->buckets[id], key, label_id)) return id;
        if (id) {
            probe++;
            continue;
        }
        if (!fresh) fresh = bucket_new(t, key, label_id);
        if (!fresh) break;
        if (atomic_compare_exchange_strong_explicit(slot, &id, fresh, memory_order_release,
                                                    memory_order_relaxed))
            return fresh;
    }
    return overflow_bucket(size_bytes);
}

const struct heap_bucket *heap_buckets(u32 *n) {
    const struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    u32 made = atomic_load_explicit(&live.n_buckets, memory_order_relaxed);
    *n = !t ? 0 : made < MAX_BUCKETS ? made : MAX_BUCKETS;
    return t ? t->buckets : NULL;
}

_Atomic u8 live_filter[N_FILTER] PAGE_ALIGNED;
enum { FILTER_STUCK = 255 }; // too many to count: this hash is looked up from now on

void live_filter_add(const void *block) {
    _Atomic u8 *at = live_filter_of(block);
    u8 n = atomic_load_explicit(at, memory_order_relaxed);
    while (n != FILTER_STUCK && !atomic_compare_exchange_weak(at, &n, n + 1)) {
    }
}

static void filter_take(const void *block) {
    _Atomic u8 *at = live_filter_of(block);
    u8 n = atomic_load_explicit(at, memory_order_relaxed);
    while (n != FILTER_STUCK && n && !atomic_compare_exchange_weak(at, &n, n - 1)) {
    }
}

static u64 block_hash(const void *block) {
    return hash_mix((uintptr_t)block >> 4);
}

static u64 word_of(const void *block, u32 bucket) {
    return (u64)(uintptr_t)block >> 4 << BUCKET_BITS | bucket;
}

// The two lines of a level in which a block with this hash may stand.
static void level_places(struct tables *t, u32 level, u64 hash, _Atomic u64 *places[2]) {
    u32 first = 0;
    for (u32 i = 0; i < level; i++) first += level_lines[i];
    u32 mask = level_lines[level] - 1;
    places[0] = t->lines[first + ((u32)hash & mask)];
    places[1] = t->lines[first + ((u32)(hash >> 32) & mask)];
}

// The word that follows block, with its present value in *word; NULL: none does.
static _Atomic u64 *word_find(struct tables *t, const void *block, u64 *word) {
    u64 hash = block_hash(block), address = (u64)(uintptr_t)block >> 4;
    u32 n_levels = atomic_load_explicit(&live.n_levels, memory_order_acquire);
    for (u32 level = 0; level < n_levels; level++) {
        _Atomic u64 *places[2];
        level_places(t, level, hash, places);
        for (u32 i = 0; i < 2 * LINE_WORDS; i++) {
            _Atomic u64 *at = &places[i / LINE_WORDS][i % LINE_WORDS];
            *word = atomic_load_explicit(at, memory_order_relaxed);
            if (*word && *word >> BUCKET_BITS == address) return at;
        }
    }
    return NULL;
}

// Seconds, fine enough for ages.
static u32 now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (u32)now.tv_sec;
}

// Where the second of a word stands.
static _Atomic u32 *time_of(struct tables *t, const _Atomic u64 *word) {
    size_t i = (size_t)(word - t->lines[0]);
    return &t->times[i / LINE_WORDS][i % LINE_WORDS];
}

static bool word_place(struct tables *t, u32 level, u64 hash, u64 word) {
    _Atomic u64 *places[2];
    level_places(t, level, hash, places);
    for (u32 i = 0; i < 2 * LINE_WORDS; i++) {
        // Alternating between the two lines fills both evenly.
        _Atomic u64 *at = &places[i % 2][i / 2];
        u64 none = 0;
        if (!atomic_load_explicit(at, memory_order_relaxed) &&
            atomic_compare_exchange_strong_explicit(at, &none, word, memory_order_release,
                                                    memory_order_relaxed)) {
            atomic_store_explicit(time_of(t, at), now_s(), memory_order_relaxed);
            return true;
        }
    }
    return false;
}

static void level_open(u32 level) {
    u32 n = atomic_load_explicit(&live.n_levels, memory_order_relaxed);
    while (n <= level && !atomic_compare_exchange_weak(&live.n_levels, &n, level + 1)) {
    }
}

static bool word_insert(struct tables *t, const void *block, u32 bucket) {
    if ((u64)(uintptr_t)block >> 48) return false; // five-level paging: more bits than a word has
    u64 hash = block_hash(block);
    live_filter_add(block);
    for (u32 level = 0; level < N_LEVELS; level++) {
        level_open(level); // before the word appears, so that whoever frees the block looks there
        if (word_place(t, level, hash, word_of(block, bucket))) return true;
    }
    filter_take(block);
    return false;
}

static void bucket_count(_Atomic u64 *counter, i64 n) {
    atomic_fetch_add_explicit(counter, (u64)n, memory_order_release);
}

static i64 weight_bytes(u64 key) {
    u64 size = bucket_size(key), rate = atomic_load_explicit(&live.rate, memory_order_relaxed);
    return (i64)((double)size * weight_of(size, rate));
}

static bool peak_try(void) {
    return atomic_exchange_explicit(&live.peak_lock, 1, memory_order_acquire) == 0;
}

static void peak_release(void) {
    atomic_store_explicit(&live.peak_lock, 0, memory_order_release);
}

static void peak_picture(struct tables *t, i64 inuse_bytes) {
    u32 n;
    heap_buckets(&n);
    for (u32 i = 0; i < n; i++) {
        u64 n_frees = atomic_load_explicit(&t->buckets[i].n_frees, memory_order_acquire);
        u64 n_allocs = atomic_load_explicit(&t->buckets[i].n_allocs, memory_order_acquire);
        u64 n_inuse = n_allocs - n_frees;
        if (n_inuse != t->n_peak[i]) // pages that stay as they are need no memory
            atomic_store_explicit(&t->n_peak[i], (u32)n_inuse, memory_order_relaxed);
    }
    atomic_store(&live.peak_bytes, inuse_bytes);
    atomic_store(&live.peak_s, now_s());
}

static void inuse_count(struct tables *t, u64 key, i64 sign) {
    i64 bytes = sign * weight_bytes(key);
    i64 now = atomic_fetch_add_explicit(&live.inuse_bytes, bytes, memory_order_relaxed) + bytes;
    i64 peak = atomic_load_explicit(&live.peak_bytes, memory_order_relaxed);
    if (now <= peak + peak / 50 || !peak_try()) return; // 2 %
    peak_picture(t, now);
    peak_release();
}

void live_set_rate(u64 rate_bytes) {
    u32 n;
    const struct heap_bucket *buckets = heap_buckets(&n);
    atomic_store(&live.rate, rate_bytes);
    i64 sum = 0;
    for (u32 i = 0; i < n; i++) {
        u64 key = atomic_load(&buckets[i].key), n_frees = atomic_load(&buckets[i].n_frees);
        if (key) sum += (i64)(atomic_load(&buckets[i].n_allocs) - n_frees) * weight_bytes(key);
    }
    atomic_store(&live.inuse_bytes, sum);
    atomic_store(&live.peak_bytes, 0);
}

void live_peak(u32 *n_inuse, u32 n, struct heap_peak *ret) {
    const struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    while (!peak_try()) sched_yield(); // for 10 us as a rule
    for (u32 i = 0; t && i < n; i++) n_inuse[i] = atomic_load(&t->n_peak[i]);
    ret->n_inuse = n_inuse;
    ret->inuse_bytes = (u64)atomic_load(&live.peak_bytes);
    ret->age_s = now_s() - atomic_load(&live.peak_s);
    peak_release();
}

void live_after_fork_child(void) {
    if (atomic_load(&live.peak_lock)) peak_release();
}

void live_insert(const void *block, u32 bucket) {
    struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    // A word for this address is left over from a block that was freed behind our back (by an
    // allocator's own interface): it is free now, since the allocator gave its address out again.
    u32 stale;
    while (live_remove(block, &stale)) {
    }
    bucket_count(&t->buckets[bucket].n_allocs, 1);
    if (word_insert(t, block, bucket)) {
        inuse_count(t, t->buckets[bucket].key, 1);
        return;
    }
    bucket_count(&t->buckets[bucket].n_frees, 1);
    atomic_fetch_add_explicit(&live.n_unfollowed, 1, memory_order_relaxed);
}

bool live_remove(const void *block, u32 *bucket) {
    struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    if (!t || !atomic_load_explicit(live_filter_of(block), memory_order_relaxed)) return false;
    u64 word;
    _Atomic u64 *at = word_find(t, block, &word);
    if (!at) return false;
    // Lost only to a second free of the same block at the same time: the program's own mistake.
    if (!atomic_compare_exchange_strong_explicit(at, &word, 0, memory_order_relaxed,
                                                 memory_order_relaxed))
        return false;
    filter_take(block);
    *bucket = (u32)(word & (((u64)1 << BUCKET_BITS) - 1));
    bucket_count(&t->buckets[*bucket].n_frees, 1);
    inuse_count(t, t->buckets[*bucket].key, -1);
    return true;
}

void live_restore(const void *block, u32 bucket) {
    struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    if (!word_insert(t, block, bucket)) return;
    bucket_count(&t->buckets[bucket].n_frees, -1);
    inuse_count(t, t->buckets[bucket].key, 1);
}

void live_each(void (*take)(void *ctx, u32 bucket, u32 age_s), void *ctx) {
    struct tables *t = atomic_load_explicit(&live.tables, memory_order_acquire);
    u32 n_lines = 0, now = now_s();
    for (u32 i = 0; i < atomic_load(&live.n_levels); i++) n_lines += level_lines[i];
    for (u32 i = 0; t && i < n_lines * LINE_WORDS; i++) {
        const _Atomic u64 *at = &t->lines[i / LINE_WORDS][i % LINE_WORDS];
        u64 word = atomic_load_explicit(at, memory_order_acquire);
        u32 time = atomic_load_explicit(time_of(t, at), memory_order_relaxed);
        u32 bucket = (u32)(word & (((u64)1 << BUCKET_BITS) - 1));
        if (word) take(ctx, bucket, now > time ? now - time : 0);
    }
}

struct live_lost live_lost(void) {
    return (struct live_lost){atomic_load(&live.n_overflowed), atomic_load(&live.n_unfollowed)};
}
