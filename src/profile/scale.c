// profile/scale.c - profiles with other values or labels: scaled, normalized, marked.
// Room: new columns over shared tables. Door: profile_scale(), profile_normalize(),
// profile_with_label(). Source: reference/pprof.md section 4 (Scale, Normalize) and 1.3.
#include "profile/merge.h"

#include <string.h>

// To the nearest integer, halves away from zero, without libm, which libpprof does not bring into
// programs; what does not fit gives what Go's conversion gives on x86-64.
static i64 round_value(double x) {
    if (!(x >= -0x1p63 && x < 0x1p63)) return INT64_MIN;
    i64 whole = (i64)x;
    double rest = x - (double)whole; // exact: from 2^52 on there is no rest
    return whole + (rest >= 0.5) - (rest <= -0.5);
}

// Scales one sample's values; whether a value that was to change is not zero now (quirk Q18: values
// whose ratio is 1 do not count).
static bool scale_values(const i64 *from, const double *ratios, u32 n, i64 *to) {
    bool is_kept = false;
    for (u32 i = 0; i < n; i++) {
        to[i] = ratios[i] == 1 ? from[i] : round_value((double)from[i] * ratios[i]);
        is_kept = is_kept || (ratios[i] != 1 && to[i] != 0);
    }
    return is_kept;
}

// The columns of p without the samples that are not kept; values holds those of the kept ones.
static struct profile drop_samples(struct arena *out, const struct profile *p, const bool *is_kept,
                                   i64 *values, u32 n_kept) {
    struct profile q = *p;
    q.values = values;
    if (n_kept == p->n_samples) return q;
    q.n_samples = n_kept;
    q.stack_at = NEW(out, u64, (size_t)n_kept + 1);
    q.stack_locs = NEW(out, u32, p->stack_at[p->n_samples]);
    if (p->label_at) {
        q.label_at = NEW(out, u32, (size_t)n_kept + 1);
        q.labels = NEW(out, struct label, p->label_at[p->n_samples]);
    }
    for (u32 i = 0, to = 0; i < p->n_samples; i++) {
        if (!is_kept[i]) continue;
        u32 n;
        const u32 *stack = profile_stack(p, i, &n);
        if (n) memcpy(q.stack_locs + q.stack_at[to], stack, n * sizeof *stack);
        q.stack_at[to + 1] = q.stack_at[to] + n;
        const struct label *labels = profile_labels(p, i, &n);
        if (n) memcpy(q.labels + q.label_at[to], labels, n * sizeof *labels);
        if (q.label_at) q.label_at[to + 1] = q.label_at[to] + n;
        to++;
    }
    return q;
}

struct profile profile_scale(struct arena *out, const struct profile *p, const double *ratios) {
    bool is_change = false;
    for (u32 i = 0; i < p->n_types; i++) is_change = is_change || ratios[i] != 1;
    if (!is_change) return *p;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    bool *is_kept = NEW(&scratch, bool, p->n_samples);
    i64 *values = NEW(out, i64, (size_t)p->n_samples * p->n_types);
    u32 n_kept = 0;
    for (u32 i = 0; i < p->n_samples; i++) {
        i64 *to = values + (size_t)n_kept * p->n_types;
        is_kept[i] = scale_values(profile_values(p, i), ratios, p->n_types, to);
        n_kept += is_kept[i];
    }
    return drop_samples(out, p, is_kept, values, n_kept);
}

static u64 *total_values(struct arena *scratch, const struct profile *p) {
    u64 *totals = NEW(scratch, u64, p->n_types);
    for (u32 i = 0; i < p->n_samples; i++) {
        const i64 *values = profile_values(p, i);
        for (u32 k = 0; k < p->n_types; k++) totals[k] += (u64)values[k];
    }
    return totals;
}

bool profile_normalize(struct arena *out, const struct profile *p, const struct profile *base,
                       struct profile *ret, struct err *err) {
    if (!profile_can_merge(p, base, err)) return false;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    const u64 *own = total_values(&scratch, p), *wanted = total_values(&scratch, base);
    double *ratios = NEW(&scratch, double, p->n_types);
    for (u32 i = 0; i < p->n_types; i++)
        ratios[i] = own[i] ? (double)(i64)wanted[i] / (double)(i64)own[i] : 0;
    *ret = profile_scale(out, p, ratios);
    return true;
}

struct profile profile_with_label(struct arena *out, const struct profile *p, str key, str value) {
    struct profile q = *p;
    struct label mark = {.is_string = true};
    mark.key = profile_add_str(out, &q, key);
    mark.str = profile_add_str(out, &q, value);
    u32 n_old = p->label_at ? p->label_at[p->n_samples] : 0;
    q.label_at = NEW(out, u32, (size_t)p->n_samples + 1);
    q.labels = NEW(out, struct label, (size_t)n_old + p->n_samples);
    for (u32 i = 0; i < p->n_samples; i++) {
        u32 n, to = q.label_at[i];
        const struct label *labels = profile_labels(p, i, &n);
        for (u32 k = 0; k < n; k++) {
            bool is_replaced = labels[k].is_string && labels[k].key == mark.key;
            if (!is_replaced) q.labels[to++] = labels[k];
        }
        q.labels[to++] = mark;
        q.label_at[i + 1] = to;
    }
    return q;
}
