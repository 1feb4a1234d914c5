// formats/cpuprofile.c - V8's CPU profiles, as Chrome and Node write them (.cpuprofile).
// Room: that JSON: nodes with callFrame and children, samples of node ids, timeDeltas. Door:
// formats/formats.h. Source: the DevTools protocol, domain Profiler, type Profile.
//
// Sample i began timeDeltas[i] microseconds after the one before; it lasts until the next, so its
// time is timeDeltas[i + 1], and the last one's ends with endTime. Negative deltas (the clock of
// another core) count as 0.
#include "formats/json.h"
#include "formats/named.h"
#include "formats/recognize.h"

struct nodes {
    struct idmap index_by_id;
    u32 *parent; // [node index]: index of its parent, or U32_NONE
    u32 *location;
    u32 n;
};

enum { MAX_DEPTH = 1 << 16 }; // deeper chains of parents can only be a cycle or garbage

static str frame_name_of(const json_t *call_frame) {
    str name = json_text_of(call_frame, "functionName");
    return name.len ? name : S("(anonymous)");
}

static bool nodes_read(struct named *n, const json_t *list, struct nodes *ret, struct err *err) {
    ret->n = (u32)json_array_size(list);
    ret->parent = NEW(n->b.arena, u32, ret->n);
    ret->location = NEW(n->b.arena, u32, ret->n);
    idmap_init(&ret->index_by_id, n->b.arena);
    for (u32 i = 0; i < ret->n; i++) {
        const json_t *node = json_array_get(list, i);
        const json_t *frame = json_object_get(node, "callFrame");
        if (!json_is_object(frame))
            return err_set(err, ERR_MALFORMED, 0, "cpuprofile: node %u has no callFrame", i);
        // Lines count from 0 in V8; -1 is a function without source.
        i64 line = json_is_integer(json_object_get(frame, "lineNumber"))
                       ? json_int_of(frame, "lineNumber") + 1
                       : 0;
        ret->parent[i] = U32_NONE;
        ret->location[i] =
            named_frame(n, frame_name_of(frame), json_text_of(frame, "url"), line > 0 ? line : 0);
        *idmap_at(&ret->index_by_id, (u64)json_int_of(node, "id")) = i;
    }
    return true;
}

static void parents_read(const json_t *list, struct nodes *nodes) {
    for (u32 i = 0; i < nodes->n; i++) {
        const json_t *children = json_list_of(json_array_get(list, i), "children");
        for (size_t c = 0; c < json_array_size(children); c++) {
            u64 id = (u64)json_integer_value(json_array_get(children, c));
            u32 child = idmap_get(&nodes->index_by_id, id);
            if (child != U32_NONE) nodes->parent[child] = i;
        }
    }
}

// The stack of a node without the "(root)" at its end.
static bool stack_push(struct named *n, const struct nodes *nodes, u32 node, struct err *err) {
    for (u32 depth = 0; nodes->parent[node] != U32_NONE; depth++) {
        if (depth == MAX_DEPTH)
            return err_set(err, ERR_MALFORMED, 0, "cpuprofile: nodes are their own parents");
        named_push(n, nodes->location[node]);
        node = nodes->parent[node];
    }
    return true;
}

static i64 sample_ns(const json_t *document, const json_t *deltas, size_t i, i64 began_us) {
    if (i + 1 < json_array_size(deltas)) {
        i64 delta_us = json_integer_value(json_array_get(deltas, i + 1));
        return delta_us > 0 && delta_us < INT64_MAX / 1000 ? delta_us * 1000 : 0;
    }
    i64 left_us = json_int_of(document, "endTime") - began_us;
    return left_us > 0 && left_us < INT64_MAX / 1000 ? left_us * 1000 : 0;
}

static bool samples_read(struct named *n, const json_t *document, const struct nodes *nodes,
                         struct err *err) {
    const json_t *samples = json_list_of(document, "samples"),
                 *deltas = json_list_of(document, "timeDeltas");
    i64 began_us = json_int_of(document, "startTime");
    for (size_t i = 0; i < json_array_size(samples); i++) {
        u64 id = (u64)json_integer_value(json_array_get(samples, i));
        u32 node = idmap_get(&nodes->index_by_id, id);
        if (node == U32_NONE)
            return err_set(err, ERR_MALFORMED, 0, "cpuprofile: sample %zu has no node", i);
        if (i < json_array_size(deltas))
            __builtin_add_overflow(began_us, json_integer_value(json_array_get(deltas, i)),
                                   &began_us);
        if (!stack_push(n, nodes, node, err)) return false;
        i64 values[2] = {1, sample_ns(document, deltas, i, began_us)};
        named_sample(n, values, LEAF_FIRST);
    }
    return true;
}

static void header_fill(struct named *n, const json_t *document) {
    struct profile *p = &n->b.p;
    i64 us = json_int_of(document, "endTime") - json_int_of(document, "startTime");
    if (us > 0 && us < INT64_MAX / 1000) p->duration_nanos = us * 1000;
    size_t n_samples = json_array_size(json_list_of(document, "samples"));
    if (n_samples) p->period = p->duration_nanos / (i64)n_samples;
    p->period_type =
        (struct value_type){builder_str(&n->b, S("cpu")), builder_str(&n->b, S("nanoseconds"))};
}

static bool document_read(struct named *n, const json_t *document, struct err *err) {
    const json_t *list = json_list_of(document, "nodes");
    if (!list || !json_list_of(document, "samples"))
        return err_set(err, ERR_UNRECOGNIZED, 0, "not a cpuprofile");
    builder_sample_type(&n->b, S("samples"), S("count"));
    builder_sample_type(&n->b, S("cpu"), S("nanoseconds"));
    header_fill(n, document);
    struct nodes nodes;
    if (!nodes_read(n, list, &nodes, err)) return false;
    parents_read(list, &nodes);
    return samples_read(n, document, &nodes, err);
}

bool cpuprofile_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    json_t *document;
    if (!json_document(bytes, &document, err)) return false;
    struct named n;
    named_init(&n, out);
    bool is_ok = document_read(&n, document, err);
    json_decref(document);
    if (is_ok) *ret = builder_done(&n.b);
    return is_ok;
}
