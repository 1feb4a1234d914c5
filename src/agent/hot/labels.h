// agent/hot/labels.h - labels of threads (pprof_do), and what a sample keeps of them.
// Room: label sets, who holds them, and the ids of those that samples carry. Making rows of them is
// agent/labels.h's. Door: agent/hot/hot.h.
//
// The idea: a set is immutable and lies in libpprof's own memory, which is never given back, so
// that a handler or the agent may read one that is just being let go of. Programs make sets at will
// (one a request); a set lives as long as somebody holds it: its maker, a thread that runs under
// it, a thread being born. A sample keeps a set's content and not the set: the first sample under a
// set enters its text in a second table, which only grows, and remembers the id in the set. So sets
// that were never sampled cost nothing later, and equal sets have one id.
#pragma once

#include "base/base.h"

#include "agent/hot/thread.h"

enum {
    MAX_LABELS = 16,          // of one set; further ones are left out, and counted
    MAX_LABEL_SETS = 1 << 14, // held at a time: 8 MiB of address space, touched as sets come
    // Distinct contents that samples carry. A server that labels by endpoint has some hundreds; one
    // that labels by request reaches it, and its later samples carry LABELS_OVERFLOW.
    MAX_KEPT_LABELS = 1 << 13,
};
#define LABELS_NONE ((u32)0)     // the id of no labels
#define LABELS_OVERFLOW ((u32)1) // stands for contents that found the table full: labels=[overflow]

// A new set: those of base (NULL: none), then n pairs key, value, key, value ...; a later value of
// the same key wins. The caller holds it. NULL: it has no labels, or no set is free (counted).
struct label_set *label_set_new(const struct label_set *base, const char *const *pairs, u32 n);
// One holder more. False: nobody held it, so it may be another set by now. NULL is held for ever.
bool label_set_hold(struct label_set *set);
// One holder less; NULL does nothing.
void label_set_drop(struct label_set *set);
// The value of key in set, or NULL; valid while the set is held.
const char *label_set_value(const struct label_set *set, const char *key);
// All pairs by key, "key\0value\0" each; valid while the set is held. NULL: none.
str label_set_text(const struct label_set *set);
// The i-th pair by key; false: there are fewer.
bool label_set_pair(const struct label_set *set, u32 i, const char **key, const char **value);

// Makes set the calling thread's; the thread takes over the caller's hold, and the caller that of
// the set before, which is given.
struct label_set *labels_swap(struct label_set *set);

// The id of a set's content, for a sample to keep: valid for the life of the process. Lock-free,
// async-signal-safe. The caller or its thread holds set; NULL: LABELS_NONE.
u32 label_set_keep(struct label_set *set);
// The id for a sample of the calling thread.
static inline u32 labels_now(void) {
    return hot_thread.labels ? label_set_keep(hot_thread.labels) : LABELS_NONE;
}
// The id for a sample of another thread, by its slot (NULL: LABELS_NONE).
u32 labels_of(const struct thread_slot *slot);
// The text of an id: n pairs "key\0value\0", sorted by key.
const char *labels_text(u32 id, u32 *n);

struct labels_lost {
    u64 n_sets;   // sets that found none free: their threads went on with the labels they had
    u64 n_labels; // labels beyond MAX_LABELS, or too long: left out of their set
    u64 n_kept;   // contents that became LABELS_OVERFLOW
};
struct labels_lost labels_lost(void);
// Sets that are held now (for tests and the index page).
u32 labels_held(void);
