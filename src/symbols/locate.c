// symbols/locate.c - finding the binaries of a profile under the user's folders.
// Room: the names tried and their order. Door: local_locate(). Source: reference/pprof.md section
// 5.1.
#include "symbols/binary.h"
#include "symbols/local.h"

#include <glob.h>
#include <string.h>

struct search {
    struct arena *out, *scratch;
    struct profile p; // gets its own mappings when one of them changes
    bool has_own_mappings;
    struct buf *messages;
    u32 mapping_i;
};

static const struct mapping *mapping_of(const struct search *s) {
    return &s->p.mappings[s->mapping_i];
}

static void set_file(struct search *s, str path) {
    if (!s->has_own_mappings) {
        struct mapping *own = NEW(s->out, struct mapping, s->p.n_mappings);
        memcpy(own, s->p.mappings, s->p.n_mappings * sizeof *own);
        s->p.mappings = own;
        s->has_own_mappings = true;
    }
    s->p.mappings[s->mapping_i].file = profile_add_str(s->out, &s->p, path);
}

// The parts joined by single slashes; empty parts are left out, as filepath.Join does.
static str join_path(struct arena *out, const str *parts, size_t n) {
    struct buf b = buf_new(out, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        str part = parts[i];
        while (b.len && part.len && part.p[0] == '/') part = str_skip(part, 1);
        while (part.len > 1 && part.p[part.len - 1] == '/') part.len--;
        if (part.len == 0) continue;
        if (b.len && b.p[b.len - 1] != '/') buf_byte(&b, '/');
        buf_put(&b, part);
    }
    return buf_str(&b);
}

#define JOIN(s, ...)                                                                               \
    join_path((s)->scratch, (const str[]){__VA_ARGS__}, countof(((const str[]){__VA_ARGS__})))

// Takes path for the mapping when it opens and its build id fits.
static bool try_file(struct search *s, str path) {
    struct binary file;
    struct err ignored;
    if (!binary_open(path, &file, &ignored)) return false;
    str own = binary_build_id(s->scratch, &file);
    binary_close(&file);
    str wanted = profile_str(&s->p, mapping_of(s)->build_id);
    if (wanted.len && !str_eq(wanted, own)) {
        buf_printf(s->messages,
                   "Ignoring local file " S_FMT ": build-id mismatch (" S_FMT " != " S_FMT ")\n",
                   S_ARG(path), S_ARG(wanted), S_ARG(own));
        return false;
    }
    set_file(s, path);
    return true;
}

static bool try_all_in(struct search *s, str folder) {
    glob_t found;
    bool is_found = false;
    str pattern = JOIN(s, folder, S("*"));
    if (glob(str_z(s->scratch, pattern), 0, NULL, &found) != 0) return false;
    for (size_t i = 0; i < found.gl_pathc && !is_found; i++)
        is_found = try_file(s, str_copy(s->scratch, str_of(found.gl_pathv[i])));
    globfree(&found);
    return is_found;
}

static str suffixed(struct search *s, str text, str suffix) {
    return str_join(s->scratch, (str[]){text, suffix}, 2, (str){0});
}

static bool try_by_build_id(struct search *s, str folder, str file, str id) {
    str base = file.len ? str_basename(file) : (str){0};
    if (try_file(s, JOIN(s, folder, id, base)) || try_all_in(s, JOIN(s, folder, id)) ||
        try_file(s, JOIN(s, folder, file, id)))
        return true;
    // A build id of one character has no folder of two; the original stops with a panic there.
    return id.len >= 2 &&
           try_file(s, JOIN(s, folder, str_take(id, 2), suffixed(s, str_skip(id, 2), S(".debug"))));
}

static bool try_by_name(struct search *s, str folder, str file) {
    str base = str_basename(file), debug = suffixed(s, base, S(".debug"));
    ptrdiff_t slash = str_rfind_byte(file, '/');
    str dir = slash > 0 ? str_take(file, (size_t)slash) : (str){0};
    return try_file(s, JOIN(s, folder, base)) || try_file(s, JOIN(s, folder, file)) ||
           try_file(s, JOIN(s, folder, suffixed(s, file, S(".debug")))) ||
           try_file(s, JOIN(s, folder, dir, S(".debug"), debug)) ||
           try_file(s, JOIN(s, folder, S("usr/lib/debug"), dir, debug));
}

static void locate_mapping(struct search *s, str search_path) {
    str file = profile_str(&s->p, mapping_of(s)->file);
    str id = profile_str(&s->p, mapping_of(s)->build_id), folder;
    while (search_path.len) {
        str_cut(search_path, ':', &folder, &search_path);
        if (id.len && try_by_build_id(s, folder, file, id)) return;
        if (file.len && try_by_name(s, folder, file)) return;
    }
}

struct profile local_locate(struct arena *out, const struct profile *p, str search_path,
                            struct buf *messages) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct search s = {.out = out, .scratch = &scratch, .p = *p, .messages = messages};
    for (; s.mapping_i < p->n_mappings; s.mapping_i++) locate_mapping(&s, search_path);
    return s.p;
}
