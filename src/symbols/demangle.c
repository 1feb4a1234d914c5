// symbols/demangle.c - linker names to the names people wrote.
// Room: which names are demangled, and what is left out of them. The grammar is libiberty's.
// Door: demangle_profile(), at the end. Source: reference/pprof.md section 5.5.
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <string.h>

// Longer names are left as they are: libiberty needs stack and time that grow with them, and the
// longest name seen in a real program (Eigen, boost::spirit) had 60 KB.
enum {
    MAX_NAME_BYTES = 256 << 10,
    MAX_TEXT_BYTES = 1 << 20, // substitutions can make a short name arbitrarily long text
};

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

// The operator's sign after "operator" at the start of s, so that its brackets are not taken for
// groups; 0 where none follows (operator new, conversions).
static size_t operator_sign_len(str s) {
    static const char *const signs[] = {"()", "[]", "<=>", "<<=", ">>=", "->*", "<<",
                                        ">>", "<=", ">=",  "->",  "<",   ">"};
    for (size_t i = 0; i < countof(signs); i++)
        if (str_starts(s, str_of(signs[i]))) return strlen(signs[i]);
    return 0;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of "operator" and its sign at s[at]; 0: none begins there.
static size_t operator_len(str s, size_t at) {
    str rest = str_skip(s, at);
    if (!str_starts(rest, S("operator")) || (at && is_word(s.p[at - 1]))) return 0;
    size_t sign = operator_sign_len(str_skip(rest, 8));
    return sign ? 8 + sign : 0;
}

// Just behind the group that opens at s[at]; s.len where it never closes. Angle brackets inside
// parentheses are signs of an expression.
static size_t group_end(str s, size_t at) {
    size_t angles = 0, parens = 0;
    for (size_t i = at; i < s.len; i++) {
        size_t op = operator_len(s, i);
        if (op) {
            i += op - 1;
            continue;
        }
        char c = s.p[i];
        bool is_arrow = c == '>' && i && s.p[i - 1] == '-';
        if (c == '(') parens++;
        if (c == ')' && parens) parens--;
        if (c == '<' && !(s.p[at] == '<' && parens)) angles++;
        if (c == '>' && !is_arrow && angles && !(s.p[at] == '<' && parens)) angles--;
        if (s.p[at] == '<' ? angles == 0 : parens == 0) return i + 1;
    }
    return s.len;
}

// Whether the parameters that end before at belong to a function something lives in:
// "f(int)::{lambda()#1}", "A::f(int) const::B".
static bool is_enclosing(str s, size_t at) {
    static const char *const words[] = {" const", " volatile", "&&", "&"};
    str rest = str_skip(s, at);
    for (size_t i = 0; i < countof(words); i++) rest = str_drop_prefix(rest, str_of(words[i]));
    return str_starts(rest, S("::"));
}

// What the original leaves out of a name that libiberty wrote: the parameters of enclosing
// functions, and template arguments unless has_templates. Those of lambdas stay.
static str leave_out(struct arena *out, str s, bool has_templates) {
    struct buf b = buf_new(out, s.len + 1);
    for (size_t i = 0; i < s.len;) {
        size_t op = operator_len(s, i);
        if (op) {
            buf_put(&b, str_take(str_skip(s, i), op));
            i += op;
            // libiberty sets template arguments of operator< apart by a blank.
            if (!has_templates && str_starts(str_skip(s, i), S(" <"))) i++;
            continue;
        }
        bool is_lambda = i >= 7 && str_ends(str_take(s, i), S("{lambda"));
        bool is_anonymous = str_starts(str_skip(s, i), S("(anonymous namespace)"));
        bool is_type = i >= 9 && str_ends(str_take(s, i), S("decltype "));
        if (s.p[i] == '<' && !has_templates) {
            i = group_end(s, i);
        } else if (s.p[i] == '(' && !is_lambda && !is_anonymous && !is_type &&
                   is_enclosing(s, group_end(s, i))) {
            buf_put(&b, S("()"));
            i = group_end(s, i);
        } else {
            buf_byte(&b, s.p[i++]);
        }
    }
    return buf_str(&b);
}

// Lists of arguments that end together end in "> >": libiberty forgets the blank behind an empty
// pack. A shift stands behind the ")" of its left side.
static str part_angles(struct arena *out, str s) {
    if (str_find(s, S(">>")) < 0) return s;
    struct buf b = buf_new(out, s.len * 2);
    for (size_t i = 0; i < s.len;) {
        size_t op = operator_len(s, i);
        if (!op) op = 1;
        buf_put(&b, str_take(str_skip(s, i), op));
        bool is_shift = i > 0 && (s.p[i - 1] == ')' || s.p[i - 1] == ' ');
        if (op == 1 && !is_shift && str_starts(str_skip(s, i), S(">>"))) buf_byte(&b, ' ');
        i += op;
    }
    return buf_str(&b);
}

static void take_text(const char *bytes, size_t n, void *to) {
    buf_put(to, (str){bytes, n});
}

// Rust writes the arguments of generics behind "::": "Vec<T>" is "Vec::<T>"; "<T as Trait>" is no
// such argument and stays.
static str leave_out_generics(struct arena *out, str s) {
    struct buf b = buf_new(out, s.len);
    for (size_t i = 0; i < s.len;) {
        if (str_starts(str_skip(s, i), S("::<"))) {
            buf_put(&b, S("::<>")); // as there
            i = group_end(s, i + 2);
            continue;
        }
        buf_byte(&b, s.p[i++]);
    }
    return buf_str(&b);
}

// _ZN...17h<16 hexadecimal digits>E, of Rust before 2019's mangling.
static bool is_old_rust(str name) {
    ptrdiff_t dot = str_find(name, S("E."));
    if (dot > 0) name = str_take(name, (size_t)dot + 1);
    return str_starts(name, S("_ZN")) && str_ends(name, S("E")) && name.len > 23 &&
           str_eq(str_take(str_skip(name, name.len - 20), 3), S("17h"));
}

static bool demangle_rust(struct arena *out, str name, enum demangle_mode mode, str *ret) {
    bool is_new = str_starts(name, S("_R"));
    if (!is_new && !is_old_rust(name)) return false;
    struct buf text = buf_new(out, MAX_TEXT_BYTES);
    if (!rust_demangle_callback(str_z(out, name), DMGL_PARAMS, take_text, &text)) return false;
    if (text.is_full) return false;
    *ret = buf_str(&text);
    if (is_new && mode == DEMANGLE_DEFAULT) *ret = leave_out_generics(out, *ret);
    return true;
}

static bool demangle_cxx(struct arena *out, str name, enum demangle_mode mode, str *ret) {
    bool is_global = str_starts(name, S("_GLOBAL_")), is_block = str_starts(name, S("___Z"));
    if (!str_starts(name, S("_Z")) && !is_global && !is_block) return false;
    // Constructors of globals keep their parameters in every mode, as there.
    int flags = DMGL_ANSI | (mode == DEMANGLE_FULL || is_global ? DMGL_PARAMS : 0);
    ptrdiff_t dot = is_global ? -1 : str_find_byte(name, '.');
    if (dot > 0) name = str_take(name, (size_t)dot); // ".part.0", ".llvm.123"
    if (is_block) {
        ptrdiff_t block = str_find(name, S("_block_invoke"));
        if (block < 0) return false;
        name = str_skip(str_take(name, (size_t)block), 2);
    }
    struct buf text = buf_new(out, MAX_TEXT_BYTES);
    if (is_block) buf_put(&text, S("invocation function for block in "));
    if (!cplus_demangle_v3_callback(str_z(out, name), flags, take_text, &text)) return false;
    if (text.is_full) return false;
    str whole = buf_str(&text);
    if (mode != DEMANGLE_DEFAULT) whole = part_angles(out, whole);
    *ret = mode == DEMANGLE_FULL ? whole : leave_out(out, whole, mode == DEMANGLE_TEMPLATES);
    return true;
}

str demangle_name(struct arena *out, str name, enum demangle_mode mode) {
    str found;
    if (mode == DEMANGLE_NONE || name.len > MAX_NAME_BYTES) return name;
    // macOS puts a '_' in front of every name.
    for (size_t skip = 0; skip < 2 && skip < name.len; skip++) {
        str part = str_skip(name, skip);
        if (!str_starts(part, S("_"))) break;
        if (demangle_rust(out, part, mode, &found) || demangle_cxx(out, part, mode, &found))
            return found;
    }
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
