// symbols/demangle.c - linker names to the names people wrote.
// Room: which names are demangled, and what is left out of them. The grammar is libiberty's.
// Door: demangle_profile(), at the end. Source: reference/pprof.md section 5.5.
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

// Longer names are left as they are: libiberty needs stack and time that grow with them, and the
// longest name seen in a real program (Eigen, boost::spirit) had 60 KB.
enum { MAX_NAME_BYTES = 256 << 10 };

// Java's constructors ("A.<init>") and Go's generics ("(*T[...]).M") are not C++.
static bool looks_demangled(str name) {
    if (str_contains(name, S(".<")) || str_contains(name, S("])."))) return false;
    for (size_t i = 0; i < name.len; i++)
        if (memchr("<>[]", name.p[i], 4)) return true;
    return str_contains(name, S("::"));
}

// name without its outermost open...close groups; as it is when they do not match.
static str remove_groups(struct arena *out, str name, char open, char close) {
    struct buf b = buf_new(out, name.len);
    size_t depth = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (c == open) depth++;
        if (c == close && depth == 0) return name;
        if (depth == 0) buf_byte(&b, c);
        if (c == close) depth--;
    }
    if (depth == 0) return buf_str(&b);
    // What stands behind an open group that never closes stays, with the groups before it gone.
    size_t last = 0;
    for (size_t i = name.len; i-- > 0 && depth;) {
        if (name.p[i] == close) depth++;
        if (name.p[i] == open) depth--, last = i;
    }
    buf_put(&b, str_skip(name, last));
    return buf_str(&b);
}

static str simplify(struct arena *out, str name, enum demangle_mode mode) {
    if (mode == DEMANGLE_FULL || !looks_demangled(name)) return name;
    name = remove_groups(out, name, '(', ')');
    return mode == DEMANGLE_DEFAULT ? remove_groups(out, name, '<', '>') : name;
}

str demangle_name(struct arena *out, str name, enum demangle_mode mode) {
    if (mode == DEMANGLE_NONE) return name;
    return simplify(out, name, mode);
}

struct renaming {
    struct arena *arena;
    enum demangle_mode mode;
    struct profile p;
    struct strmap ids;    // strings added, by text
    struct idmap by_name; // new name's string id by the linker name's
    size_t cap_strings;
};

static u32 add_string(struct renaming *r, str text) {
    if (!text.len) return 0;
    u32 *id = strmap_at(&r->ids, text);
    if (*id != U32_NONE) return *id;
    if (r->p.n_strings >= r->cap_strings) {
        size_t cap = (size_t)r->p.n_strings * 2 + 64;
        str *strings = NEW(r->arena, str, cap);
        memcpy(strings, r->p.strings, r->p.n_strings * sizeof *strings);
        r->p.strings = strings;
        r->cap_strings = cap;
    }
    r->p.strings[r->p.n_strings] = text;
    return *id = r->p.n_strings++;
}

static u32 new_name(struct renaming *r, u32 system_name) {
    u32 *known = idmap_at(&r->by_name, system_name);
    if (*known != U32_NONE) return *known;
    str before = profile_str(&r->p, system_name);
    str after = demangle_name(r->arena, before, r->mode);
    return *known = str_eq(before, after) ? system_name : add_string(r, after);
}

struct profile demangle_profile(struct arena *out, const struct profile *p, enum demangle_mode mode,
                                bool is_forced) {
    struct renaming r = {.arena = out, .mode = mode, .p = *p};
    strmap_init(&r.ids, out);
    idmap_init(&r.by_name, out);
    struct function *functions = NEW(out, struct function, p->n_functions);
    for (u32 i = 0; i < p->n_functions; i++) {
        struct function f = p->functions[i];
        if (is_forced && f.name && f.system_name) f.name = f.system_name;
        bool is_named = f.name && f.name != f.system_name &&
                        !str_eq(profile_str(p, f.name), profile_str(p, f.system_name));
        if (!is_named && mode != DEMANGLE_NONE) f.name = new_name(&r, f.system_name);
        functions[i] = f;
    }
    r.p.functions = functions;
    return r.p;
}
