// agent/api_labels.c - labels and stacks of threads, as include/pprof.h declares them.
// Room: the public names over agent/hot/labels.h and fibers.h. A pprof_labels is a label set; who
// holds it has one hold.
#include "pprof.h"

#include "base/base.h"

#include "agent/hot/hot.h"

#define EXPORT __attribute__((visibility("default")))

static struct label_set *set_of(const pprof_labels *labels) {
    return (struct label_set *)(uintptr_t)labels;
}

static pprof_labels *labels_of_set(struct label_set *set) {
    return (pprof_labels *)set;
}

EXPORT pprof_labels *pprof_labels_new(const pprof_labels *base, const char *const pairs[]) {
    u32 n = 0;
    while (pairs && pairs[2 * n] && pairs[2 * n + 1]) n++;
    return labels_of_set(label_set_new(set_of(base), pairs, n));
}

EXPORT void pprof_labels_free(pprof_labels *labels) {
    label_set_drop(set_of(labels));
}

EXPORT pprof_labels *pprof_labels_current(void) {
    struct label_set *set = hot_thread.labels;
    return label_set_hold(set) ? labels_of_set(set) : NULL;
}

EXPORT void pprof_set_labels(const pprof_labels *labels) {
    struct label_set *set = set_of(labels);
    if (!label_set_hold(set)) set = NULL; // it was freed before
    label_set_drop(labels_swap(set));
    if (trace_is_on()) trace_labels_changed(TRACE_LABELS_SET, (str){0});
}

EXPORT const char *pprof_label(const char *key) {
    return label_set_value(hot_thread.labels, key);
}

EXPORT void pprof_for_labels(bool (*fn)(void *arg, const char *key, const char *value), void *arg) {
    const char *key, *value;
    for (u32 i = 0; label_set_pair(hot_thread.labels, i, &key, &value); i++)
        if (!fn(arg, key, value)) return;
}

// Those of the thread with labels over them; held.
static struct label_set *set_over(struct label_set *labels) {
    const char *pairs[2 * MAX_LABELS];
    u32 n = 0;
    if (!hot_thread.labels && label_set_hold(labels)) return labels;
    while (n < MAX_LABELS && label_set_pair(labels, n, &pairs[2 * n], &pairs[2 * n + 1])) n++;
    return label_set_new(hot_thread.labels, pairs, n);
}

// Where no set is free the thread keeps the labels it has.
static pprof_scope scope_enter(struct label_set *set) {
    pprof_scope scope = {NULL, false};
    if (!set) return scope;
    scope.is_entered = true;
    scope.before = labels_of_set(labels_swap(set));
    if (trace_is_on()) trace_labels_changed(TRACE_LABELS_ENTER, label_set_text(set));
    return scope;
}

EXPORT pprof_scope pprof_scope_enter(const pprof_labels *labels) {
    return scope_enter(set_over(set_of(labels)));
}

EXPORT pprof_scope pprof_scope_label(const char *key, const char *value) {
    const char *const pair[] = {key, value};
    return scope_enter(label_set_new(hot_thread.labels, pair, 1));
}

EXPORT void pprof_scope_leave(pprof_scope *scope) {
    if (!scope->is_entered) return;
    scope->is_entered = false;
    struct label_set *left = labels_swap(set_of(scope->before));
    if (trace_is_on()) trace_labels_changed(TRACE_LABELS_LEAVE, label_set_text(left));
    label_set_drop(left);
}

EXPORT unsigned pprof_stack_register(const void *lowest, size_t size) {
    return fiber_add((u64)(uintptr_t)lowest, size);
}

EXPORT void pprof_stack_unregister(unsigned id) {
    fiber_remove(id);
}

EXPORT void pprof_do(const pprof_labels *labels, void (*fn)(void *arg), void *arg) {
    pprof_scope scope = pprof_scope_enter(labels);
    fn(arg);
    pprof_scope_leave(&scope);
}
