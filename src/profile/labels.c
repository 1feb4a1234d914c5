// profile/labels.c - sorting the labels of one sample.
// Room: see labels.h. Door: labels_sorted().
#include "profile/labels.h"

#include <string.h>

static int label_order(const void *a, const void *b, void *ctx) {
    const struct profile *p = ctx;
    const struct label *x = a, *y = b;
    if (x->is_string != y->is_string) return x->is_string ? -1 : 1;
    return x->key == y->key ? 0 : str_cmp(p->strings[x->key], p->strings[y->key]);
}

const struct label *labels_sorted(const struct profile *p, u32 sample_i, struct arena *scratch,
                                  struct label few[FEW_LABELS], u32 *n) {
    const struct label *labels = profile_labels(p, sample_i, n);
    if (*n < 2) return labels;
    void *ctx = (void *)(uintptr_t)p;
    if (*n > FEW_LABELS) {
        struct label *many = NEW(scratch, struct label, *n);
        memcpy(many, labels, *n * sizeof *many);
        sort_stable(scratch, many, *n, sizeof *many, label_order, ctx);
        return many;
    }
    for (u32 i = 0; i < *n; i++) {
        u32 at = i;
        for (; at > 0 && label_order(&few[at - 1], &labels[i], ctx) > 0; at--)
            few[at] = few[at - 1];
        few[at] = labels[i];
    }
    return few;
}
