// agent/hot/labels.c - label sets and the ids of their contents.
// Room: see labels.h. Door: label_set_new(), labels_swap(), label_set_keep().
// Free sets are a list whose head carries a count, so that a head that left and came back is not
// taken for the same.
#include "agent/hot/labels.h"

#include "base/base.h"

#include "agent/hot/pages.h"

#include <string.h>
#include <sys/mman.h>

enum {
    SET_BYTES = 512,
    MAX_KEY = 64,    // longer keys are cut
    MAX_VALUE = 200, // longer values are cut
    KEPT_BYTES = 1 << 20,
    N_KEPT_SLOTS = 2 * MAX_KEPT_LABELS,
    MAX_PROBES = 64,
};

struct label_set {
    _Atomic u32 n_holds; // 0: free
    _Atomic u32 id;      // of its content; LABELS_NONE: no sample asked yet
    _Atomic u32 next;    // in the list of free sets: index + 1
    u16 n, len;          // pairs; bytes of text
    char text[SET_BYTES - 16];
};
_Static_assert(sizeof(struct label_set) == SET_BYTES, "sets fill lines");

struct kept {
    _Atomic u32 len; // 0: not written yet
    u32 at, n;
};

struct tables {
    struct label_set sets[MAX_LABEL_SETS];
    _Atomic u64 slots[N_KEPT_SLOTS]; // hash tag << 32 | id; 0: free
    struct kept kept[MAX_KEPT_LABELS];
    char text[KEPT_BYTES];
};

// tables: set once. free: count << 32 | index + 1 of the first free set.
static struct {
    struct tables *_Atomic tables;
    _Atomic u64 free;
    _Atomic u32 n_sets;        // ever used
    _Atomic u32 n_ids, n_text; // handed out
    _Atomic u32 n_held;        // now
    _Atomic u64 lost[3];       // as struct labels_lost
} labels = {.n_ids = 2};

static void lose(u32 what) {
    atomic_fetch_add_explicit(&labels.lost[what], 1, memory_order_relaxed);
}

static struct tables *tables_get(void) {
    struct tables *t = atomic_load_explicit(&labels.tables, memory_order_acquire);
    if (t) return t;
    struct tables *fresh = map_own(sizeof *fresh);
    if (!fresh) return NULL;
    if (atomic_compare_exchange_strong(&labels.tables, &t, fresh)) return fresh;
    munmap(fresh, sizeof *fresh);
    return t;
}

static struct label_set *set_take(struct tables *t) {
    u64 head = atomic_load(&labels.free);
    while ((u32)head) {
        struct label_set *set = &t->sets[(u32)head - 1];
        u64 next = ((head >> 32) + 1) << 32 | atomic_load(&set->next);
        if (atomic_compare_exchange_weak(&labels.free, &head, next)) return set;
    }
    if (atomic_load(&labels.n_sets) >= MAX_LABEL_SETS) return NULL;
    u32 i = atomic_fetch_add(&labels.n_sets, 1);
    return i < MAX_LABEL_SETS ? &t->sets[i] : NULL;
}

static void set_give(struct label_set *set) {
    u32 index = (u32)(set - atomic_load(&labels.tables)->sets);
    u64 head = atomic_load(&labels.free), mine;
    do {
        atomic_store(&set->next, (u32)head);
        mine = ((head >> 32) + 1) << 32 | (index + 1);
    } while (!atomic_compare_exchange_weak(&labels.free, &head, mine));
}

// Labels on their way into a set, sorted by key.
struct draft {
    str keys[MAX_LABELS], values[MAX_LABELS];
    u32 n;
};

static void draft_put(struct draft *d, str key, str value) {
    u32 at = 0;
    key = str_take(key, MAX_KEY);
    value = str_take(value, MAX_VALUE);
    while (at < d->n && str_cmp(d->keys[at], key) < 0) at++;
    if (at == d->n || !str_eq(d->keys[at], key)) {
        if (d->n == MAX_LABELS) return lose(1);
        for (u32 i = d->n++; i > at; i--)
            d->keys[i] = d->keys[i - 1], d->values[i] = d->values[i - 1];
    }
    d->keys[at] = key;
    d->values[at] = value;
}

static void draft_put_set(struct draft *d, const struct label_set *set) {
    const char *key, *value;
    for (u32 i = 0; label_set_pair(set, i, &key, &value); i++)
        draft_put(d, str_of(key), str_of(value));
}

static bool text_put(struct label_set *set, u32 *at, str part) {
    if (part.len >= sizeof set->text - *at) return false;
    memcpy(set->text + *at, part.p, part.len);
    set->text[*at + part.len] = 0;
    *at += (u32)part.len + 1;
    return true;
}

static void set_fill(struct label_set *set, const struct draft *d) {
    set->n = set->len = 0;
    for (u32 i = 0; i < d->n; i++) {
        u32 at = set->len;
        if (!text_put(set, &at, d->keys[i]) || !text_put(set, &at, d->values[i])) {
            lose(1);
            continue;
        }
        set->n++;
        set->len = (u16)at;
    }
    atomic_store(&set->id, LABELS_NONE);
    atomic_store(&set->n_holds, 1); // last: from here on others may hold it
    atomic_fetch_add_explicit(&labels.n_held, 1, memory_order_relaxed);
}

struct label_set *label_set_new(const struct label_set *base, const char *const *pairs, u32 n) {
    struct draft d;
    d.n = 0;
    if (base) draft_put_set(&d, base);
    for (u32 i = 0; i < n; i++) draft_put(&d, str_of(pairs[2 * i]), str_of(pairs[2 * i + 1]));
    if (!d.n) return NULL;
    struct tables *t = tables_get();
    struct label_set *set = t ? set_take(t) : NULL;
    if (!set) {
        lose(0);
        return NULL;
    }
    set_fill(set, &d);
    return set;
}

bool label_set_hold(struct label_set *set) {
    if (!set) return true;
    u32 n = atomic_load(&set->n_holds);
    while (n && !atomic_compare_exchange_weak(&set->n_holds, &n, n + 1)) {
    }
    return n != 0;
}

void label_set_drop(struct label_set *set) {
    if (!set) return;
    u32 n = atomic_load(&set->n_holds);
    // 0: the program let go of it once too often.
    while (n && !atomic_compare_exchange_weak(&set->n_holds, &n, n - 1)) {
    }
    if (n != 1) return;
    atomic_fetch_sub_explicit(&labels.n_held, 1, memory_order_relaxed);
    set_give(set);
}

// The pair at byte *at of a text; *at is then behind it.
static void pair_at(const char *text, u32 *at, const char **key, const char **value) {
    *key = text + *at;
    *value = *key + strlen(*key) + 1;
    *at = (u32)(*value - text) + (u32)strlen(*value) + 1;
}

bool label_set_pair(const struct label_set *set, u32 i, const char **key, const char **value) {
    u32 at = 0;
    if (!set || i >= set->n) return false;
    for (u32 k = 0; k <= i; k++) pair_at(set->text, &at, key, value);
    return true;
}

str label_set_text(const struct label_set *set) {
    return set ? (str){set->text, set->len} : (str){0};
}

const char *label_set_value(const struct label_set *set, const char *name) {
    const char *key, *value;
    u32 at = 0;
    for (u32 i = 0; set && i < set->n; i++) {
        pair_at(set->text, &at, &key, &value);
        if (strcmp(key, name) == 0) return value;
    }
    return NULL;
}

struct label_set *labels_swap(struct label_set *set) {
    struct label_set *before = hot_thread.labels;
    hot_thread.labels = set;
    atomic_signal_fence(
        memory_order_seq_cst); // a handler sees the new one before the old is let go
    if (hot_thread.slot) atomic_store(&hot_thread.slot->labels, set);
    return before;
}

static bool kept_is(const struct tables *t, u32 id, const char *text, u32 len) {
    const struct kept *kept = &t->kept[id];
    return atomic_load_explicit(&kept->len, memory_order_relaxed) == len &&
           memcmp(t->text + kept->at, text, len) == 0;
}

// A new id with a copy of the text, not yet findable; LABELS_OVERFLOW: no room.
static u32 kept_new(struct tables *t, const char *text, u32 len, u32 n) {
    if (atomic_load(&labels.n_ids) >= MAX_KEPT_LABELS ||
        atomic_load(&labels.n_text) + len > KEPT_BYTES)
        return LABELS_OVERFLOW;
    u32 at = atomic_fetch_add(&labels.n_text, len);
    u32 id = atomic_fetch_add(&labels.n_ids, 1);
    if (id >= MAX_KEPT_LABELS || at + len > KEPT_BYTES) return LABELS_OVERFLOW;
    memcpy(t->text + at, text, len);
    t->kept[id].at = at;
    t->kept[id].n = n;
    atomic_store_explicit(&t->kept[id].len, len, memory_order_release);
    return id;
}

static u32 kept_of(struct tables *t, const char *text, u32 len, u32 n) {
    u64 hash = str_hash((str){text, len}), tag = hash >> 32;
    u32 fresh = LABELS_OVERFLOW;
    for (u32 probe = 0; probe < MAX_PROBES;) {
        _Atomic u64 *slot = &t->slots[(hash + probe) % N_KEPT_SLOTS];
        // Acquire: pairs with the release below, so that the text is seen whole.
        u64 word = atomic_load_explicit(slot, memory_order_acquire);
        if (word >> 32 == tag && word && kept_is(t, (u32)word, text, len)) return (u32)word;
        if (word) {
            probe++;
            continue;
        }
        if (fresh == LABELS_OVERFLOW) fresh = kept_new(t, text, len, n);
        if (fresh == LABELS_OVERFLOW) break;
        if (atomic_compare_exchange_strong_explicit(slot, &word, tag << 32 | fresh,
                                                    memory_order_release, memory_order_relaxed))
            return fresh;
    }
    lose(2);
    return LABELS_OVERFLOW;
}

u32 label_set_keep(struct label_set *set) {
    if (!set) return LABELS_NONE;
    u32 id = atomic_load_explicit(&set->id, memory_order_acquire);
    if (id != LABELS_NONE) return id;
    id = set->n ? kept_of(atomic_load(&labels.tables), set->text, set->len, set->n) : LABELS_NONE;
    atomic_store_explicit(&set->id, id, memory_order_release);
    return id;
}

u32 labels_of(const struct thread_slot *slot) {
    struct label_set *set = slot ? atomic_load(&slot->labels) : NULL;
    if (!set || !label_set_hold(set)) return LABELS_NONE;
    bool is_still = atomic_load(&slot->labels) == set; // else it may be another set by now
    u32 id = is_still ? label_set_keep(set) : LABELS_NONE;
    label_set_drop(set);
    return id;
}

const char *labels_text(u32 id, u32 *n) {
    static const char overflow[] = "labels\0[overflow]";
    const struct tables *t = atomic_load(&labels.tables);
    *n = id == LABELS_OVERFLOW;
    if (id == LABELS_OVERFLOW) return overflow;
    if (id == LABELS_NONE || id >= MAX_KEPT_LABELS || !t ||
        !atomic_load_explicit(&t->kept[id].len, memory_order_acquire))
        return "";
    *n = t->kept[id].n;
    return t->text + t->kept[id].at;
}

struct labels_lost labels_lost(void) {
    return (struct labels_lost){atomic_load(&labels.lost[0]), atomic_load(&labels.lost[1]),
                                atomic_load(&labels.lost[2])};
}

u32 labels_held(void) {
    return atomic_load(&labels.n_held);
}
