// tests/unit/agent_labels.c - label sets: merged, held, let go of, inherited, kept by samples.
// Room: claims about agent/hot/labels.h and the label functions of include/pprof.h. Door: the test
// runner.
#include "unit.h"

#include "pprof.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static str quoted(struct unit *t, u32 id) {
    return labels_as_text(t->arena, id);
}

TEST(later_values_win_and_keys_are_sorted) {
    pprof_labels *base = pprof_labels_new(NULL, PPROF_LABELS("job", "index", "a", "1"));
    pprof_labels *over = pprof_labels_new(base, PPROF_LABELS("job", "query", "z", "\"2\""));
    CHECK_STR(quoted(t, label_set_keep((struct label_set *)base)),
              S("{\"a\":\"1\", \"job\":\"index\"}"));
    CHECK_STR(quoted(t, label_set_keep((struct label_set *)over)),
              S("{\"a\":\"1\", \"job\":\"query\", \"z\":\"\\\"2\\\"\"}"));
    CHECK(!pprof_labels_new(NULL, NULL));
    pprof_labels_free(base);
    pprof_labels_free(over);
    CHECK_EQ(labels_held(), 0);
}

TEST(equal_sets_have_one_id) {
    pprof_labels *a = pprof_labels_new(NULL, PPROF_LABELS("x", "1", "y", "2"));
    pprof_labels *b = pprof_labels_new(NULL, PPROF_LABELS("y", "2", "x", "1"));
    CHECK(a != b);
    CHECK_EQ(label_set_keep((struct label_set *)a), label_set_keep((struct label_set *)b));
    pprof_labels_free(a);
    pprof_labels_free(b);
}

static void in_do(void *arg) {
    CHECK_EQ(strcmp(pprof_label("job"), "index"), 0);
    CHECK_EQ(strcmp(pprof_label("outer"), "yes"), 0);
    CHECK(!pprof_label("none"));
    *(u32 *)arg = labels_now();
}

TEST(do_adds_labels_and_takes_them_back) {
    pprof_labels *job = pprof_labels_new(NULL, PPROF_LABELS("job", "index"));
    u32 id = 0;
    {
        PPROF_SCOPE("outer", "yes");
        pprof_do(job, in_do, &id);
        CHECK(!pprof_label("job"));
        CHECK_EQ(strcmp(pprof_label("outer"), "yes"), 0);
    }
    CHECK(!hot_thread.labels);
    CHECK_STR(quoted(t, id), S("{\"job\":\"index\", \"outer\":\"yes\"}"));
    pprof_labels_free(job);
    CHECK_EQ(labels_held(), 0);
}

static void *child(void *arg) {
    (void)arg;
    return (void *)(uintptr_t)labels_now();
}

TEST(threads_inherit_the_labels_of_their_maker) {
    CHECK(threads_init());
    pthread_t thread;
    void *id;
    pprof_scope scope = pprof_scope_label("job", "index");
    u32 own = labels_now();
    CHECK_EQ(pthread_create(&thread, NULL, child, NULL), 0);
    pprof_scope_leave(&scope);
    CHECK_EQ(pthread_join(thread, &id), 0);
    CHECK_EQ((u32)(uintptr_t)id, own);
    for (u32 i = 0; labels_held() && i < 1000; i++) sched_yield();
    CHECK_EQ(labels_held(), 0); // the thread's own hold ended with it
}

TEST(the_agent_reads_labels_of_other_threads) {
    CHECK(threads_init());
    PPROF_SCOPE("job", "index");
    CHECK_EQ(labels_of(thread_slot_of((u32)gettid())), labels_now());
}

TEST(freeing_twice_and_setting_a_freed_set_do_no_harm) {
    pprof_labels *job = pprof_labels_new(NULL, PPROF_LABELS("job", "index"));
    pprof_labels_free(job);
    pprof_labels_free(job);
    pprof_set_labels(job);
    CHECK(!hot_thread.labels);
    CHECK_EQ(labels_held(), 0);
}

TEST(too_many_and_too_long_labels_are_cut_and_counted) {
    char keys[20][8], value[1000];
    const char *pairs[41] = {0};
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    for (u32 i = 0; i < 20; i++) {
        snprintf(keys[i], sizeof keys[i], "k%02u", i);
        pairs[2 * i] = keys[i];
        pairs[2 * i + 1] = value;
    }
    u64 before = labels_lost().n_labels;
    pprof_labels *set = pprof_labels_new(NULL, pairs);
    const char *key, *kept;
    CHECK(label_set_pair((struct label_set *)set, 0, &key, &kept));
    CHECK_EQ(strlen(kept), 200);
    CHECK(labels_lost().n_labels > before);
    pprof_labels_free(set);
}

// A server that labels by request makes new sets for ever.
TEST(sets_without_samples_leave_nothing_behind) {
    u64 before = labels_lost().n_sets;
    for (u32 i = 0; i < 100000; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        PPROF_SCOPE("request", text);
    }
    CHECK_EQ(labels_lost().n_sets, before);
    CHECK_EQ(labels_held(), 0);
}

TEST(samples_beyond_the_table_carry_overflow) {
    u32 id = 0;
    for (u32 i = 0; i < 2 * MAX_KEPT_LABELS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        PPROF_SCOPE("request", text);
        id = labels_now();
    }
    CHECK_EQ(id, LABELS_OVERFLOW);
    CHECK_STR(quoted(t, id), S("{\"labels\":\"[overflow]\"}"));
    CHECK(labels_lost().n_kept > 0);
    CHECK(labels_status(t->arena).len > 0);
}

enum { N_THREADS = 8, N_ROUNDS = 20000 };

static void *stormer(void *arg) {
    pprof_labels *shared = arg;
    for (u32 i = 0; i < N_ROUNDS; i++) {
        PPROF_SCOPE("inner", i % 2 ? "odd" : "even");
        pprof_scope scope = pprof_scope_enter(shared);
        if (strcmp(pprof_label("shared"), "yes") != 0 || !labels_now()) abort();
        pprof_scope_leave(&scope);
    }
    return NULL;
}

TEST(many_threads_make_and_free_sets_at_once) {
    CHECK(threads_init());
    pthread_t threads[N_THREADS];
    pprof_labels *shared = pprof_labels_new(NULL, PPROF_LABELS("shared", "yes"));
    for (u32 i = 0; i < N_THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, stormer, shared), 0);
    for (u32 i = 0; i < N_THREADS; i++) {
        for (u32 k = 0; k < 1000; k++)
            for (u32 at = 0, n = 0; n < N_THREADS && at < MAX_THREADS; n++)
                labels_of(thread_slot_next(&at));
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    pprof_labels_free(shared);
    for (u32 i = 0; labels_held() && i < 1000; i++) sched_yield();
    CHECK_EQ(labels_held(), 0);
}
