// web/api_facts.c - what a profile is: sums, sample types, labels, mappings, comments.
// Room: reading tables; nothing here depends on frames. Door: web/profile.h.
#include "web/profile.h"

static void put_types(struct json *j, const struct profile *p) {
    i64 *totals = NEW(j->to->arena, i64, p->n_types);
    for (u32 i = 0; i < p->n_samples; i++)
        for (u32 k = 0; k < p->n_types; k++)
            totals[k] = (i64)((u64)totals[k] + (u64)profile_values(p, i)[k]);
    json_key(j, "types");
    json_open(j, '[');
    for (u32 k = 0; k < p->n_types; k++) {
        json_open(j, '{');
        json_key_text(j, "name", profile_str(p, p->sample_types[k].type));
        json_key_text(j, "unit", profile_str(p, p->sample_types[k].unit));
        json_key_i64(j, "total", totals[k]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_period(struct json *j, const struct profile *p) {
    json_key(j, "period");
    json_open(j, '{');
    json_key_text(j, "type", profile_str(p, p->period_type.type));
    json_key_text(j, "unit", profile_str(p, p->period_type.unit));
    json_key_i64(j, "value", p->period);
    json_close(j, '}');
    json_key_i64(j, "time_nanos", p->time_nanos);
    json_key_i64(j, "duration_nanos", p->duration_nanos);
}

static void put_counts(struct json *j, const struct profile *p) {
    i64 n_unsymbolized = 0;
    for (u32 i = 0; i < p->n_locations; i++) n_unsymbolized += p->locations[i].n_lines == 0;
    json_key_i64(j, "n_samples", p->n_samples);
    json_key_i64(j, "n_locations", p->n_locations);
    json_key_i64(j, "n_functions", p->n_functions);
    json_key_i64(j, "n_mappings", p->n_mappings);
    json_key_i64(j, "n_unsymbolized", n_unsymbolized);
}

struct label_key {
    u32 key, n_values;
    bool is_number;
};

// Distinct values of every key, in order of first appearance.
static void put_labels(struct json *j, const struct profile *p) {
    AUTO_ARENA struct arena scratch = arena_sub(j->to->arena);
    struct idmap keys, values; // values: by key and value
    struct label_key *items = NULL;
    u32 n = 0, cap = 0;
    idmap_init(&keys, &scratch);
    idmap_init(&values, &scratch);
    for (u32 i = 0; p->label_at && i < p->label_at[p->n_samples]; i++) {
        const struct label *l = &p->labels[i];
        bool is_text = label_is_text(l);
        u32 *at = idmap_at(&keys, l->key);
        if (*at == U32_NONE) {
            GROW(&scratch, items, cap, n + 1);
            items[n] = (struct label_key){.key = l->key, .is_number = !is_text};
            *at = n++;
        }
        struct label_key *key = &items[*at];
        u64 value = is_text ? l->str : hash_mix((u64)l->num) | 1;
        u32 *seen = idmap_at(&values, hash_mix(value ^ (u64)l->key << 33));
        if (*seen == U32_NONE) *seen = key->n_values++;
    }
    json_key(j, "labels");
    json_open(j, '[');
    for (u32 i = 0; i < n; i++) {
        json_open(j, '{');
        json_key_text(j, "key", profile_str(p, items[i].key));
        json_key_i64(j, "n_values", items[i].n_values);
        json_key_bool(j, "is_numeric", items[i].is_number);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static i64 sum_shown(const struct view *v) {
    i64 sum = 0, div = 0;
    for (u32 i = 0; i < v->n_samples; i++) {
        u32 s = view_sample(v, i);
        sum = (i64)((u64)sum + (u64)abs_i64(view_value(v, s)));
        div += view_divisor(v, s);
    }
    return mean_of(sum, div);
}

static bool has_negative(const struct view *v) {
    for (u32 i = 0; i < v->p->n_samples; i++)
        if (view_value(v, i) < 0) return true;
    return false;
}

static void put_sums(struct json *j, const struct asked *a, const struct view *v,
                     const struct summary *s) {
    json_key_i64(j, "source", a->source->id);
    json_key_text(j, "title", s->title);
    json_key_text(j, "type", s->type);
    json_key_text(j, "unit", s->style.sample_unit);
    json_key_i64(j, "total", value_scaled(&s->style, s->total));
    json_key_i64(j, "shown", value_scaled(&s->style, sum_shown(v)));
    json_key_bool(j, "is_diff", has_negative(v));
}

static bool summary(struct asked *a) {
    struct arena *out = a->rq->arena;
    const struct profile *p = &a->source->profile;
    struct view v;
    struct summary s;
    struct lines legend = {0};
    struct json j = {.to = &a->reply->body};
    const struct options *o = &a->options;
    if (!view_build(out, p, &o->view, o->report.unit, &a->messages, &v, a->err) ||
        !summary_build(out, &v, &o->report, &s, a->err)) {
        a->reply->where = state_where(a->err);
        return false;
    }
    legend_profile(out, &s, &legend);
    json_open(&j, '{');
    put_sums(&j, a, &v, &s);
    put_types(&j, p);
    put_period(&j, p);
    put_counts(&j, p);
    put_labels(&j, p);
    json_key(&j, "legend");
    json_open(&j, '[');
    for (u32 i = 0; i < legend.n; i++) json_str(&j, legend.items[i]);
    json_close(&j, ']');
    json_key_text(&j, "doc_url", profile_str(p, p->doc_url));
    asked_put_warnings(a, &j);
    json_close(&j, '}');
    return true;
}
HANDLER(api_summary, false, summary)

struct mapping_counts {
    i64 n_locations, n_unsymbolized;
};

static void put_address(struct json *j, const char *key, u64 address) {
    json_key(j, key);
    json_address(j, address);
}

static void put_mapping(struct json *j, const struct profile *p, const struct mapping *m,
                        const struct mapping_counts *n) {
    json_open(j, '{');
    put_address(j, "start", m->start);
    put_address(j, "limit", m->limit);
    put_address(j, "offset", m->offset);
    json_key_text(j, "file", profile_str(p, m->file));
    json_key_text(j, "build_id", profile_str(p, m->build_id));
    json_key_bool(j, "has_functions", m->has_functions);
    json_key_bool(j, "has_filenames", m->has_filenames);
    json_key_bool(j, "has_line_numbers", m->has_line_numbers);
    json_key_bool(j, "has_inline_frames", m->has_inline_frames);
    json_key_i64(j, "n_locations", n->n_locations);
    json_key_i64(j, "n_unsymbolized", n->n_unsymbolized);
    json_close(j, '}');
}

// re NULL: every one.
static void put_mappings(struct json *j, const struct profile *p, const struct regex *re) {
    struct mapping_counts *counts = NEW(j->to->arena, struct mapping_counts, p->n_mappings);
    for (u32 i = 0; i < p->n_locations; i++) {
        u32 m = p->locations[i].mapping_i;
        if (m == U32_NONE) continue;
        counts[m].n_locations++;
        counts[m].n_unsymbolized += p->locations[i].n_lines == 0;
    }
    json_key(j, "mappings");
    json_open(j, '[');
    for (u32 i = 0; i < p->n_mappings; i++) {
        const struct mapping *m = &p->mappings[i];
        if (!re || regex_match(re, profile_str(p, m->file)) ||
            regex_match(re, profile_str(p, m->build_id)))
            put_mapping(j, p, m, &counts[i]);
    }
    json_close(j, ']');
}

static void put_comments(struct json *j, const struct profile *p, const struct regex *re) {
    json_key(j, "comments");
    json_open(j, '[');
    for (u32 i = 0; i < p->n_comments; i++) {
        str comment = profile_str(p, p->comments[i]);
        if (!re || regex_match(re, comment)) json_str(j, comment);
    }
    json_close(j, ']');
}

static bool facts(struct asked *a) {
    const struct profile *p = &a->source->profile;
    struct json j = {.to = &a->reply->body};
    struct regex *re;
    if (!asked_regex(a, S("q"), &re)) return false;
    json_open(&j, '{');
    put_mappings(&j, p, re);
    put_comments(&j, p, re);
    regex_done(re);
    json_key_text(&j, "drop_frames", profile_str(p, p->drop_frames));
    json_key_text(&j, "keep_frames", profile_str(p, p->keep_frames));
    json_key_text(&j, "default_sample_type", profile_str(p, p->default_sample_type));
    json_key_text(&j, "doc_url", profile_str(p, p->doc_url));
    json_close(&j, '}');
    return true;
}
HANDLER(api_facts, false, facts)
