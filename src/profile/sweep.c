// profile/sweep.c - counting what a message holds, so that decoding allocates each table once.
// Room: see sweep.h. Door: sweep_count(), ids_make(). Costs about a tenth of the decoding itself:
// one look at each field's head, and a count of the bytes that end a varint.
#include "profile/sweep.h"

// A repeated number, packed or not; false when it is neither.
static bool count_numbers(struct wire *w, u64 *n) {
    if (w->type == WIRE_BYTES)
        *n += wire_count(w->data, w->num);
    else if (w->type == WIRE_VARINT)
        *n += 1;
    else
        return wire_fail(w, "field has the wrong wire type");
    return true;
}

static bool sweep_sample(struct wire *top, struct sweep *s) {
    struct wire w = wire_of(top->data, top->num);
    u64 n_values = 0;
    while (wire_next(&w)) {
        bool is_ok = true;
        if (w.field == SAMPLE_LOCATION_ID)
            is_ok = count_numbers(&w, &s->n_stack);
        else if (w.field == SAMPLE_VALUE)
            is_ok = count_numbers(&w, &n_values);
        else if (w.field == SAMPLE_LABEL)
            s->n_labels++;
        if (!is_ok) break;
    }
    if (s->n_samples == 0) s->n_values_first = s->n_values_odd = n_values;
    if (s->n_values_odd == s->n_values_first) s->n_values_odd = n_values;
    s->n_samples++;
    if (w.why) *top = w;
    return !w.why;
}

// The id (field 1) of a mapping, location or function; the last one counts, 0 when absent.
static bool sweep_row(struct wire *top, struct ids *ids, u64 *n_lines) {
    struct wire w = wire_of(top->data, top->num);
    u64 id = 0;
    while (wire_next(&w)) {
        if (w.field == 1) id = w.num;
        if (w.field == LOCATION_LINE) ++*n_lines;
    }
    ids->is_dense = ids->is_dense && id == ids->n + 1;
    ids->n++;
    if (w.why) *top = w;
    return !w.why;
}

static void sweep_string(const struct wire *w, struct sweep *s) {
    if (s->n_strings == 0) s->strings_from = w->data;
    s->strings_to = w->data + w->num;
    s->n_strings++;
}

static bool sweep_field(struct wire *w, struct sweep *s) {
    u64 not_lines = 0;
    if (w->field == 0 || w->field > PROFILE_STRING_TABLE) {
        return w->field != PROFILE_COMMENT || count_numbers(w, &s->n_comments);
    }
    if (w->type != WIRE_BYTES) return wire_fail(w, "field has the wrong wire type");
    switch (w->field) {
    case PROFILE_SAMPLE_TYPE:
        s->n_types++;
        return true;
    case PROFILE_SAMPLE:
        return sweep_sample(w, s);
    case PROFILE_MAPPING:
        return sweep_row(w, &s->mappings, &not_lines);
    case PROFILE_LOCATION:
        return sweep_row(w, &s->locations, &s->n_lines);
    case PROFILE_FUNCTION:
        return sweep_row(w, &s->functions, &not_lines);
    default:
        sweep_string(w, s);
        return true;
    }
}

bool sweep_count(str msg, struct sweep *ret, struct wire *bad) {
    struct sweep s = {0};
    s.mappings.is_dense = s.locations.is_dense = s.functions.is_dense = true;
    struct wire w = wire_of((const u8 *)msg.p, msg.len);
    while (wire_next(&w)) {
        if (!sweep_field(&w, &s)) break;
    }
    if (w.why) {
        *bad = w;
        return false;
    }
    *ret = s;
    return true;
}

static struct ids *ids_of_field(struct sweep *s, u64 field) {
    struct ids *ids = field == PROFILE_MAPPING    ? &s->mappings
                      : field == PROFILE_LOCATION ? &s->locations
                      : field == PROFILE_FUNCTION ? &s->functions
                                                  : NULL;
    return ids && !ids->is_dense ? ids : NULL;
}

// A later row takes the place of an earlier one with the same id; profile_check refuses both.
static void ids_put(struct ids *ids, const struct wire *row, u32 index) {
    struct wire w = wire_of(row->data, row->num);
    u64 id = 0;
    while (wire_next(&w)) {
        if (w.field == 1) id = w.num;
    }
    if (id <= ids->n)
        ids->small[id] = index;
    else
        *idmap_at(&ids->large, id) = index;
}

static void ids_init(struct arena *scratch, struct ids *ids) {
    if (ids->is_dense) return;
    ids->small = NEW(scratch, u32, ids->n + 1);
    memset(ids->small, 0xff, (ids->n + 1) * sizeof(u32));
    idmap_init(&ids->large, scratch);
}

void ids_make(struct arena *scratch, str msg, struct sweep *s) {
    if (s->mappings.is_dense && s->locations.is_dense && s->functions.is_dense) return;
    ids_init(scratch, &s->mappings);
    ids_init(scratch, &s->locations);
    ids_init(scratch, &s->functions);
    u32 next[PROFILE_FUNCTION + 1] = {0};
    struct wire w = wire_of((const u8 *)msg.p, msg.len);
    while (wire_next(&w)) {
        struct ids *ids = ids_of_field(s, w.field);
        if (ids) ids_put(ids, &w, next[w.field]++);
    }
}
