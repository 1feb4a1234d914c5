// driver/batch.c - many inputs made one profile, in order, a few at a time.
// Room: see batch.h. Door: driver/driver.h.
#include "driver/batch.h"

#include "driver/edit.h"
#include "symbols/symbols.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    MAX_THREADS = 8,        // decoding is bound by memory bandwidth well before that
    MAX_HELD = 128,         // inputs of one merge, as the original's chunks
    HOLD_BYTES = 128 << 20, // of decoded inputs before they are merged: small ones merge at once,
                            // large ones singly
};

struct crew {
    struct input *inputs;
    size_t n;
    const struct batch_opts *opts;
    atomic_size_t next; // the first input nobody took: each thread adds one
};

static bool input_load(struct input *in, const struct batch_opts *opts) {
    str bytes = in->fetch.body;
    if (in->is_url && !in->fetch.is_done) return in->err = in->fetch.err, false;
    if (!in->is_url && !load_bytes(&in->arena, in->word, &opts->load, &bytes, &in->err))
        return false;
    struct profile p;
    if (!load_profile(&in->arena, bytes, &opts->load, &p, &in->err)) return false;
    in->notes = (struct buf){
        .p = in->notes_bytes, .cap = sizeof in->notes_bytes, .max = sizeof in->notes_bytes};
    p = local_locate(&in->arena, &p, opts->binary_path, &in->notes);
    p = edit_add_mapping(&in->arena, &p);
    in->profile = edit_main_binary(&in->arena, &p, opts->binary, opts->build_id);
    return in->is_loaded = true;
}

static void *crew_work(void *arg) {
    struct crew *crew = arg;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&crew->next, 1, memory_order_relaxed);
        if (i >= crew->n) return NULL;
        input_load(&crew->inputs[i], crew->opts);
    }
}

static size_t thread_count(size_t n) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = online > MAX_THREADS ? MAX_THREADS : online > 0 ? (size_t)online : 1;
    return n < most ? n : most;
}

static void load_some(struct input *inputs, size_t n, const struct batch_opts *opts) {
    struct crew crew = {.inputs = inputs, .n = n, .opts = opts};
    pthread_t threads[MAX_THREADS];
    size_t n_threads = 0;
    // This thread works too; one that cannot be started only makes the others do more.
    for (size_t i = 1; i < thread_count(n); i++)
        if (pthread_create(&threads[n_threads], NULL, crew_work, &crew) == 0) n_threads++;
    crew_work(&crew);
    for (size_t i = 0; i < n_threads; i++) pthread_join(threads[i], NULL);
}

// What is merged so far, and the inputs loaded since.
struct pile {
    struct arena *out;
    struct profile merged;
    struct arena *merged_arena; // NULL: nothing merged yet
    struct input *held[MAX_HELD];
    size_t n_held, held_bytes;
};

static bool pile_merge(struct pile *pile, struct err *err) {
    const struct profile *list[MAX_HELD + 1];
    size_t n = 0;
    if (pile->merged_arena) list[n++] = &pile->merged;
    for (size_t i = 0; i < pile->n_held; i++) list[n++] = &pile->held[i]->profile;
    if (!pile->n_held) return true;
    AUTO_ARENA struct arena scratch = arena_sub(pile->out);
    if (!profile_make_compatible(&scratch, list, n, err)) return false;
    struct arena *arena = NEW(pile->out, struct arena, 1);
    *arena = arena_sub(pile->out);
    struct profile merged;
    if (!profile_merge(arena, list, n, &merged, err)) return false;
    for (size_t i = 0; i < pile->n_held; i++) arena_done(&pile->held[i]->arena);
    if (pile->merged_arena) arena_done(pile->merged_arena);
    pile->merged = merged;
    pile->merged_arena = arena;
    pile->n_held = pile->held_bytes = 0;
    return true;
}

static bool pile_add(struct pile *pile, struct input *in, struct err *err) {
    pile->held[pile->n_held++] = in;
    pile->held_bytes += in->arena.mapped_bytes;
    bool is_enough = pile->n_held > 1 || pile->merged_arena;
    if (pile->n_held < MAX_HELD && (pile->held_bytes < HOLD_BYTES || !is_enough)) return true;
    return pile_merge(pile, err);
}

// The one input that loaded, unmerged; its sample types are checked as a merge would.
static bool pile_single(struct pile *pile, struct profile *ret, struct err *err) {
    const struct profile *only = &pile->held[0]->profile;
    if (!profile_make_compatible(pile->out, &only, 1, err)) return false;
    *ret = *only;
    return true;
}

bool batch_merge(struct arena *out, struct input *inputs, size_t n, const struct batch_opts *opts,
                 struct batch_result *ret, struct err *err) {
    struct pile *pile = NEW(out, struct pile, 1);
    pile->out = out;
    struct batch_result result = {0};
    size_t step = thread_count(MAX_THREADS);
    for (size_t at = 0; at < n; at += step) {
        size_t n_now = n - at < step ? n - at : step;
        load_some(inputs + at, n_now, opts);
        for (size_t i = at; i < at + n_now; i++) {
            if (!inputs[i].is_loaded) continue;
            result.n_loaded++;
            result.has_remote |= inputs[i].is_url;
            if (!pile_add(pile, &inputs[i], err)) return false;
        }
    }
    bool is_single = result.n_loaded == 1;
    if (is_single && !pile_single(pile, &result.profile, err)) return false;
    if (!is_single && !pile_merge(pile, err)) return false;
    if (!is_single) result.profile = pile->merged;
    *ret = result;
    return true;
}
