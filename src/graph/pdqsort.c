// graph/pdqsort.c - a pattern-defeating quicksort that takes the same steps as Go's sort.Sort.
// Room: one unstable sort. Door: graph/parts.h (pdqsort).
//
// Call trees have nodes that compare equal, and google/pprof sorts them twice with an unstable
// sort: what is on top of what then depends on the steps the sort takes (conformance/synthetic
// 0144-dot-deep). Source of the algorithm: Orson Peters, "Pattern-defeating Quicksort"; of its
// constants: Go's package sort.
#include "graph/parts.h"

#include <string.h>

enum {
    MAX_INSERTION = 12,     // shorter runs are sorted by insertion
    NINTHER_LEN = 50,       // longer runs take their pivot from nine elements
    MAX_SWAPS = 4 * 3,      // swaps of a pivot search that mean "descending"
    MAX_SHIFTS = 5,         // pairs out of order that a nearly sorted run may have
    MAX_ELEMENT_BYTES = 128 // of one element: struct ranked has 64
};

struct sorter {
    char *items;
    size_t size;
    pdq_less less;
    void *ctx;
};

typedef ptrdiff_t idx;

static bool less(const struct sorter *s, idx i, idx j) {
    return s->less(s->items + (size_t)i * s->size, s->items + (size_t)j * s->size, s->ctx);
}

static void swap(const struct sorter *s, idx i, idx j) {
    char spare[MAX_ELEMENT_BYTES];
    char *a = s->items + (size_t)i * s->size, *b = s->items + (size_t)j * s->size;
    memcpy(spare, a, s->size);
    memmove(a, b, s->size);
    memcpy(b, spare, s->size);
}

static void insertion_sort(const struct sorter *s, idx a, idx b) {
    for (idx i = a + 1; i < b; i++) {
        for (idx j = i; j > a && less(s, j, j - 1); j--) swap(s, j, j - 1);
    }
}

static void sift_down(const struct sorter *s, idx root, idx end, idx first) {
    for (;;) {
        idx child = 2 * root + 1;
        if (child >= end) return;
        if (child + 1 < end && less(s, first + child, first + child + 1)) child++;
        if (!less(s, first + root, first + child)) return;
        swap(s, first + root, first + child);
        root = child;
    }
}

static void heap_sort(const struct sorter *s, idx a, idx b) {
    idx n = b - a;
    for (idx i = (n - 1) / 2; i >= 0; i--) sift_down(s, i, n, a);
    for (idx i = n - 1; i >= 0; i--) {
        swap(s, a, a + i);
        sift_down(s, 0, i, a);
    }
}

// Scatters three elements around the middle, by a xorshift seeded with the length.
static void break_patterns(const struct sorter *s, idx a, idx b) {
    idx n = b - a;
    if (n < 8) return;
    u64 random = (u64)n, mask = 1;
    while (mask <= (u64)n) mask <<= 1;
    for (idx i = a + n / 4 * 2 - 1; i <= a + n / 4 * 2 + 1; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        idx other = (idx)(random & (mask - 1));
        if (other >= n) other -= n;
        swap(s, i, a + other);
    }
}

static void order_two(const struct sorter *s, idx *a, idx *b, int *swaps) {
    if (!less(s, *b, *a)) return;
    idx t = *a;
    *a = *b;
    *b = t;
    (*swaps)++;
}

static idx median(const struct sorter *s, idx a, idx b, idx c, int *swaps) {
    order_two(s, &a, &b, swaps);
    order_two(s, &b, &c, swaps);
    order_two(s, &a, &b, swaps);
    return b;
}

enum hint { HINT_NONE, HINT_ASCENDING, HINT_DESCENDING };

static idx choose_pivot(const struct sorter *s, idx a, idx b, enum hint *hint) {
    idx n = b - a, i = a + n / 4, j = a + n / 4 * 2, k = a + n / 4 * 3;
    int swaps = 0;
    if (n >= NINTHER_LEN) {
        i = median(s, i - 1, i, i + 1, &swaps);
        j = median(s, j - 1, j, j + 1, &swaps);
        k = median(s, k - 1, k, k + 1, &swaps);
    }
    if (n >= 8) j = median(s, i, j, k, &swaps);
    *hint = swaps == 0 ? HINT_ASCENDING : swaps == MAX_SWAPS ? HINT_DESCENDING : HINT_NONE;
    return j;
}

// Sorts a run with few elements out of place; false when it gave up.
static bool nearly_sorted(const struct sorter *s, idx a, idx b) {
    idx i = a + 1;
    for (int shift = 0; shift < MAX_SHIFTS; shift++) {
        while (i < b && !less(s, i, i - 1)) i++;
        if (i == b) return true;
        if (b - a < NINTHER_LEN) return false;
        swap(s, i, i - 1);
        for (idx j = i - 1; i - a >= 2 && j >= 1 && less(s, j, j - 1); j--) swap(s, j, j - 1);
        for (idx j = i + 1; b - i >= 2 && j < b && less(s, j, j - 1); j++) swap(s, j, j - 1);
    }
    return false;
}

// Elements equal to the pivot first; gives where the greater ones start.
static idx partition_equal(const struct sorter *s, idx a, idx b, idx pivot) {
    swap(s, a, pivot);
    idx i = a + 1, j = b - 1;
    for (;;) {
        while (i <= j && !less(s, a, i)) i++;
        while (i <= j && less(s, a, j)) j--;
        if (i > j) return i;
        swap(s, i++, j--);
    }
}

static idx partition(const struct sorter *s, idx a, idx b, idx pivot, bool *was_partitioned) {
    swap(s, a, pivot);
    idx i = a + 1, j = b - 1;
    for (*was_partitioned = true;; *was_partitioned = false) {
        while (i <= j && less(s, i, a)) i++;
        while (i <= j && !less(s, j, a)) j--;
        if (i > j) break;
        swap(s, i++, j--);
    }
    swap(s, j, a);
    return j;
}

static void sort_range(const struct sorter *s, idx a, idx b, int limit) {
    bool was_balanced = true, was_partitioned = true;
    while (b - a > MAX_INSERTION) {
        if (limit == 0) {
            heap_sort(s, a, b);
            return;
        }
        if (!was_balanced) {
            break_patterns(s, a, b);
            limit--;
        }
        enum hint hint;
        idx pivot = choose_pivot(s, a, b, &hint);
        if (hint == HINT_DESCENDING) {
            for (idx i = a, j = b - 1; i < j; i++, j--) swap(s, i, j);
            pivot = (b - 1) - (pivot - a);
            hint = HINT_ASCENDING;
        }
        if (was_balanced && was_partitioned && hint == HINT_ASCENDING && nearly_sorted(s, a, b))
            return;
        if (a > 0 && !less(s, a - 1, pivot)) {
            a = partition_equal(s, a, b, pivot);
            continue;
        }
        idx n = b - a, mid = partition(s, a, b, pivot, &was_partitioned);
        idx n_left = mid - a, n_right = b - mid;
        was_balanced = (n_left < n_right ? n_left : n_right) >= n / 8;
        if (n_left < n_right) {
            sort_range(s, a, mid, limit);
            a = mid + 1;
        } else {
            sort_range(s, mid + 1, b, limit);
            b = mid;
        }
    }
    insertion_sort(s, a, b);
}

void pdqsort(void *items, size_t n, size_t size, pdq_less cmp, void *ctx) {
    struct sorter s = {.items = items, .size = size, .less = cmp, .ctx = ctx};
    int limit = 0;
    for (size_t left = n; left; left >>= 1) limit++;
    sort_range(&s, 0, (idx)n, limit);
}
