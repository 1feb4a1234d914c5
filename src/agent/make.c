// agent/make.c - rows to a finished profile.
// Room: see agent/make.h. Source of the types: reference/go.md 2.2; of the mappings: 2.8.
#include "agent/make.h"

#include "agent/hot/hot.h"
#include "agent/maps.h"
#include "agent/names.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

// A profile while it is made.
struct maker {
    struct arena *arena; // of the profile
    struct profile_builder builder;
    struct image_map images;
    struct idmap location_by_pc;
    u32 *mapping_by_image; // index + 1, by image_id; 0: not in the profile yet
    bool *is_named;        // by mapping index: all its locations have names
    bool *is_used;         // by mapping index: it has locations
    u32 *stack;            // of the row at hand
    size_t cap_stack;
};

i64 time_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (i64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static u32 add_mapping(struct maker *m, const struct image *image) {
    u32 *known = &m->mapping_by_image[image_id(image)];
    if (*known) return *known - 1;
    struct buf id = buf_new(m->arena, BUILD_ID_MAX * 2);
    for (u32 i = 0; i < image->build_id_len; i++) num_hex(&id, image->build_id[i], 2);
    u32 mapping_i =
        builder_mapping(&m->builder, &(struct mapping){
                                         .start = image->start,
                                         .limit = image->limit,
                                         .offset = image->offset,
                                         .file = builder_str(&m->builder, str_of(image->path)),
                                         .build_id = builder_str(&m->builder, buf_str(&id)),
                                     });
    m->is_named[mapping_i] = true;
    *known = mapping_i + 1;
    return mapping_i;
}

static u32 add_function(struct maker *m, str name) {
    u32 name_id = builder_str(&m->builder, name);
    return builder_function(&m->builder,
                            &(struct function){.name = name_id, .system_name = name_id});
}

// A frame that stands for something that is no code.
static u32 add_pseudo(struct maker *m, str name) {
    struct line line = {.function_i = add_function(m, name)};
    return builder_location(&m->builder, 0, U32_NONE, &line, 1);
}

static u32 add_location(struct maker *m, u64 pc) {
    const struct image *image = image_at(&m->images, pc);
    if (!image) return builder_location(&m->builder, pc, U32_NONE, NULL, 0);
    u32 mapping_i = add_mapping(m, image);
    str name = name_at_address(m->arena, image, pc, NULL);
    m->is_used[mapping_i] = true;
    if (name.len == 0) {
        m->is_named[mapping_i] = false;
        return builder_location(&m->builder, pc, mapping_i, NULL, 0);
    }
    struct line line = {.function_i = add_function(m, name)};
    return builder_location(&m->builder, pc, mapping_i, &line, 1);
}

static u32 location_of(struct maker *m, u64 pc) {
    u32 location_i = idmap_get(&m->location_by_pc, pc);
    if (location_i != U32_NONE) return location_i;
    if (pc == STACK_TRUNCATED)
        location_i = add_pseudo(m, S("[truncated]"));
    else if (pc == STACK_PC_OVERFLOW)
        location_i = add_pseudo(m, S("[overflow]"));
    else if (pc == STACK_PC_NOT_SEEN)
        location_i = add_pseudo(m, S("[not seen]"));
    else
        location_i = add_location(m, pc);
    return *idmap_at(&m->location_by_pc, pc) = location_i;
}

static void add_row(struct maker *m, const struct row *row) {
    struct label *labels = NEW(m->arena, struct label, row->n_labels);
    for (u32 i = 0; i < row->n_labels; i++) {
        const struct row_label *label = &row->labels[i];
        labels[i] = (struct label){.key = builder_str(&m->builder, label->key)};
        labels[i].is_string = label->text.p != NULL;
        if (labels[i].is_string) {
            labels[i].str = builder_str(&m->builder, label->text);
        } else {
            labels[i].num = label->num;
            labels[i].unit = builder_str(&m->builder, label->unit);
        }
    }
    GROW(m->arena, m->stack, m->cap_stack, row->n_pcs);
    for (u32 i = 0; i < row->n_pcs; i++) m->stack[i] = location_of(m, row->pcs[i]);
    builder_sample(&m->builder, row->values, m->stack, row->n_pcs, labels, row->n_labels);
}

static void set_header(struct maker *m, const struct collector *of, const struct rows *rows) {
    struct profile_builder *b = &m->builder;
    for (u32 i = 0; i < of->n_types; i++)
        builder_sample_type(b, of->types[i].type, of->types[i].unit);
    b->p.period_type.type = builder_str(b, of->period_type);
    b->p.period_type.unit = builder_str(b, of->period_unit);
    b->p.period = rows->period ? rows->period : 1;
    b->p.time_nanos = rows->time_nanos ? rows->time_nanos : time_now_ns();
    b->p.duration_nanos = rows->duration_nanos;
    if (of->default_type.len > 0) b->p.default_sample_type = builder_str(b, of->default_type);
}

static void add_comments(struct maker *m, const struct rows *rows) {
    char host[256] = "", text[512];
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "pid %d on %s: %s", (int)getpid(), host,
             m->images.program ? m->images.program->path : "a program");
    builder_comment(&m->builder, str_of(text));
    for (u32 i = 0; i < rows->n_comments; i++) builder_comment(&m->builder, rows->comments[i]);
    if (images_lost() == 0) return;
    snprintf(text, sizeof text, "%u libraries were loaded beyond the %d that are told apart",
             images_lost(), MAX_IMAGES);
    builder_comment(&m->builder, str_of(text));
}

// The program first: readers take the first mapping for it.
static void add_images(struct maker *m) {
    u32 n = m->images.n_now + m->images.n_past + 1;
    m->is_named = NEW(m->arena, bool, n);
    m->is_used = NEW(m->arena, bool, n);
    m->mapping_by_image = NEW(m->arena, u32, MAX_IMAGES);
    if (m->images.program) add_mapping(m, m->images.program);
    for (u32 i = 0; i < m->images.n_now; i++) add_mapping(m, m->images.now[i]);
}

struct profile make_profile(struct arena *out, const struct collector *of,
                            const struct rows *rows) {
    struct maker m = {.arena = out, .images = images_read(out)};
    builder_init(&m.builder, out);
    idmap_init(&m.location_by_pc, out);
    set_header(&m, of, rows);
    add_images(&m);
    for (u32 i = 0; i < rows->n; i++) add_row(&m, &rows->items[i]);
    add_comments(&m, rows);
    struct profile p = builder_done(&m.builder);
    for (u32 i = 0; i < p.n_mappings; i++)
        p.mappings[i].has_functions = m.is_used[i] && m.is_named[i];
    return p;
}

bool make_is_counter(str type) {
    return str_starts(type, S("alloc_")) || str_eq(type, S("contentions")) ||
           str_eq(type, S("delay")) || str_eq(type, S("threadcreate"));
}

// A counter that seems to have shrunk was scaled anew in between (pprof_set_heap_rate).
static void floor_counters(struct profile *p) {
    for (u32 k = 0; k < p->n_types; k++) {
        if (!make_is_counter(profile_str(p, p->sample_types[k].type))) continue;
        for (size_t i = k; i < (size_t)p->n_samples * p->n_types; i += p->n_types)
            if (p->values[i] < 0) p->values[i] = 0;
    }
}

bool make_delta(struct arena *out, const struct profile *p0, const struct profile *p1,
                struct profile *ret, struct err *err) {
    double minus[ROW_VALUES] = {-1, -1, -1, -1};
    struct profile less = profile_scale(out, p0, minus);
    const struct profile *both[] = {&less, p1};
    if (!profile_merge(out, both, countof(both), ret, err)) return false;
    floor_counters(ret);
    ret->time_nanos = p1->time_nanos;
    ret->duration_nanos = p1->time_nanos - p0->time_nanos;
    return true;
}

bool make_bytes(struct arena *out, const struct profile *p, int level, str *ret, struct err *err) {
    str plain;
    return profile_encode(out, p, &plain, err) && gzip_pack(out, plain, level, ret, err);
}
