// driver/edit.c - a profile with a little changed.
// Room: see edit.h. Door: driver/driver.h.
#include "driver/edit.h"

#include "driver/source.h"

#include <string.h>

// p with one more string; *id gets its place. The empty string is always 0.
static struct profile add_string(struct arena *out, const struct profile *p, str s, u32 *id) {
    struct profile q = *p;
    *id = 0;
    if (!s.len) return q;
    q.strings = NEW(out, str, (size_t)p->n_strings + 1);
    memcpy(q.strings, p->strings, p->n_strings * sizeof *q.strings);
    q.strings[p->n_strings] = str_copy(out, s);
    *id = q.n_strings++;
    return q;
}

struct profile edit_add_mapping(struct arena *out, const struct profile *p) {
    struct profile q = *p;
    if (p->n_mappings) return q;
    q.mappings = NEW(out, struct mapping, 1);
    q.mappings[0].id = 1;
    q.n_mappings = 1;
    q.locations = NEW(out, struct location, p->n_locations);
    for (u32 i = 0; i < p->n_locations; i++) {
        q.locations[i] = p->locations[i];
        q.locations[i].mapping_i = 0;
    }
    return q;
}

struct profile edit_main_binary(struct arena *out, const struct profile *p, str file,
                                str build_id) {
    if (!p->n_mappings || (!file.len && !build_id.len)) return *p;
    u32 file_id, build_id_id;
    struct profile q = add_string(out, p, file, &file_id);
    q = add_string(out, &q, build_id, &build_id_id);
    q.mappings = NEW(out, struct mapping, p->n_mappings);
    memcpy(q.mappings, p->mappings, p->n_mappings * sizeof *q.mappings);
    if (file.len) q.mappings[0].file = file_id;
    if (!q.mappings[0].build_id) q.mappings[0].build_id = build_id_id;
    return q;
}

struct profile edit_add_comment(struct arena *out, const struct profile *p, str comment) {
    u32 id;
    struct profile q = add_string(out, p, comment, &id);
    q.comments = NEW(out, u32, (size_t)p->n_comments + 1);
    if (p->n_comments) memcpy(q.comments, p->comments, p->n_comments * sizeof *q.comments);
    q.comments[q.n_comments++] = id;
    return q;
}

struct profile edit_all_frames(const struct profile *p) {
    struct profile q = *p;
    q.drop_frames = q.keep_frames = 0;
    return q;
}

struct profile edit_forget_urls(struct arena *out, const struct profile *p) {
    struct profile q = *p;
    for (u32 i = 0; i < p->n_mappings; i++) {
        const struct mapping *m = &p->mappings[i];
        if (m->build_id || !m->file || !source_is_absolute_url(profile_str(p, m->file))) continue;
        if (q.mappings == p->mappings) {
            q.mappings = NEW(out, struct mapping, p->n_mappings);
            memcpy(q.mappings, p->mappings, p->n_mappings * sizeof *q.mappings);
        }
        q.mappings[i].file = 0;
    }
    return q;
}
