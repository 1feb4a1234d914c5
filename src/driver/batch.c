// driver/batch.c - many inputs made one profile, in order, a few at a time.
// Room: see batch.h. Door: driver/driver.h.
#include "driver/batch.h"

#include "driver/edit.h"
#include "symbols/symbols.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    MAX_THREADS = 8,       // decoding is bound by memory bandwidth well before that
    MAX_HELD = 128,        // inputs of one merge, as the original's chunks
    HOLD_BYTES = 16 << 20, // of decoded inputs before they are merged: small ones are made fit each
                           // other all at once, as there, large ones singly
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
    p = local_locate(&in->arena, &p, opts->load.binary_path, &in->notes);
    p = edit_add_mapping(&in->arena, &p);
    in->profile = edit_main_binary(&in->arena, &p, opts->binary, opts->build_id);
    if (in->is_url) in->profile = origins_name(&in->arena, &in->profile, &in->url);
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
    struct merger *merger; // NULL: nothing merged yet
    struct arena *arena;   // the merger's
    size_t n_left;         // inputs that may still come
    struct input *held[MAX_HELD];
    size_t n_held, held_bytes;
};

// Starts a merger with p, which had other sample types or units before.
static bool pile_start(struct pile *pile, const struct profile *p, const struct profile **held,
                       struct err *err) {
    struct arena *before = pile->arena, *arena = NEW(pile->out, struct arena, 1);
    *arena = arena_sub(pile->out);
    struct merger *m = merger_new(arena, p ? p : held[0]);
    merger_expect(m, held, pile->n_held, pile->n_left / pile->n_held + 1);
    if (p && !merger_add(m, p, err)) return false;
    if (pile->merger) {
        (void)merger_done(pile->merger);
        arena_done(before);
    }
    pile->merger = m;
    pile->arena = arena;
    return true;
}

// What is merged so far, ready to become part of another merge where an input does not fit it.
static const struct profile *pile_so_far(struct pile *pile) {
    if (!pile->merger) return NULL;
    bool is_fit = true;
    for (size_t i = 0; i < pile->n_held && is_fit; i++)
        is_fit = profile_can_merge(merger_so_far(pile->merger), &pile->held[i]->profile, NULL);
    if (!is_fit) merger_cut(pile->merger);
    return merger_so_far(pile->merger);
}

static bool pile_merge(struct pile *pile, struct err *err) {
    const struct profile *list[MAX_HELD + 1];
    if (!pile->n_held) return true;
    const struct profile *so_far = pile_so_far(pile);
    size_t n = 0, n_before = so_far != NULL;
    if (so_far) list[n++] = so_far;
    for (size_t i = 0; i < pile->n_held; i++) list[n++] = &pile->held[i]->profile;
    AUTO_ARENA struct arena scratch = arena_sub(pile->out);
    if (!profile_make_compatible(&scratch, list, n, err)) return false;
    bool is_other = !so_far || list[0] != so_far;
    if (is_other && !pile_start(pile, so_far ? list[0] : NULL, list + n_before, err)) return false;
    for (size_t i = 0; i < pile->n_held; i++) {
        if (!merger_add(pile->merger, list[n_before + i], err)) return false;
        arena_done(&pile->held[i]->arena);
    }
    pile->n_held = pile->held_bytes = 0;
    return true;
}

static bool pile_add(struct pile *pile, struct input *in, struct err *err) {
    pile->held[pile->n_held++] = in;
    pile->held_bytes += in->arena.mapped_bytes;
    bool is_enough = pile->n_held > 1 || pile->merger;
    if (pile->n_held < MAX_HELD && (pile->held_bytes < HOLD_BYTES || !is_enough)) return true;
    return pile_merge(pile, err);
}

// The original merges each chunk of sources by itself first.
static bool pile_end_chunk(struct pile *pile, struct err *err) {
    if (!pile->merger && pile->n_held < 2) return true;
    if (!pile_merge(pile, err)) return false;
    merger_cut(pile->merger);
    return true;
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
            pile->n_left = n - i - 1;
            if (i % MAX_HELD == 0 && !pile_end_chunk(pile, err)) return false;
            if (!inputs[i].is_loaded) continue;
            result.n_loaded++;
            result.has_remote |= inputs[i].is_url;
            if (inputs[i].is_url)
                origins_add(out, opts->origins, &inputs[i].profile, &inputs[i].url);
            if (!pile_add(pile, &inputs[i], err)) return false;
        }
    }
    bool is_single = result.n_loaded == 1;
    if (is_single && !pile_single(pile, &result.profile, err)) return false;
    if (!is_single && !pile_merge(pile, err)) return false;
    if (pile->merger) {
        result.profile = merger_done(pile->merger);
        arena_adopt(out, pile->arena);
    }
    *ret = result;
    return true;
}
