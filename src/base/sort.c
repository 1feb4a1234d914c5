// base/sort.c - a bottom-up merge sort.
// Room: see sort.h. Door: base/base.h.
#include "base/sort.h"

#include "base/arena.h"

#include <string.h>

struct sorting {
    size_t size;
    sort_cmp cmp;
    void *ctx;
};

enum {
    RUN = 8
}; // runs of eight are sorted by insertion: below that a merge pass costs more than it saves

static void insertion_sort(const struct sorting *s, char *items, size_t n, char *spare) {
    for (size_t i = 1; i < n; i++) {
        size_t at = i;
        while (at > 0 && s->cmp(items + (at - 1) * s->size, items + i * s->size, s->ctx) > 0) at--;
        if (at == i) continue;
        memcpy(spare, items + i * s->size, s->size);
        memmove(items + (at + 1) * s->size, items + at * s->size, (i - at) * s->size);
        memcpy(items + at * s->size, spare, s->size);
    }
}

static void merge(const struct sorting *s, const char *left, size_t n_left, const char *right,
                  size_t n_right, char *to) {
    while (n_left && n_right) {
        bool take_right = s->cmp(left, right, s->ctx) > 0;
        const char **from = take_right ? &right : &left;
        memcpy(to, *from, s->size);
        *from += s->size;
        to += s->size;
        if (take_right)
            n_right--;
        else
            n_left--;
    }
    memcpy(to, n_left ? left : right, (n_left ? n_left : n_right) * s->size);
}

static void merge_pass(const struct sorting *s, const char *from, char *to, size_t n,
                       size_t width) {
    for (size_t at = 0; at < n; at += 2 * width) {
        size_t n_left = n - at < width ? n - at : width;
        size_t n_right = n - at - n_left < width ? n - at - n_left : width;
        const char *left = from + at * s->size;
        merge(s, left, n_left, left + n_left * s->size, n_right, to + at * s->size);
    }
}

void sort_stable(const struct arena *scratch, void *items, size_t n, size_t size, sort_cmp cmp,
                 void *ctx) {
    if (n < 2) return;
    AUTO_ARENA struct arena temp = arena_sub(scratch);
    struct sorting s = {.size = size, .cmp = cmp, .ctx = ctx};
    char *spare = arena_array(&temp, n, size, 16);
    for (size_t at = 0; at < n; at += RUN) {
        insertion_sort(&s, (char *)items + at * size, n - at < RUN ? n - at : RUN, spare);
    }
    char *from = items, *to = spare;
    for (size_t width = RUN; width < n; width *= 2) {
        merge_pass(&s, from, to, n, width);
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, n * size);
}
