// symbols/remote.c - the text of a symbol service.
// Room: see remote.h. Door: remote_url(), remote_question(), remote_answer(). Source:
// reference/pprof.md section 5.4.
#include "symbols/remote.h"

#include "symbols/edit.h"

enum {
    // A question holds every address of a mapping, 20 bytes each; the original sets no bound.
    MAX_QUESTION_BYTES = 1 << 30,
};

static bool is_go_or_gperftools(str path) {
    static const char *const ends[] = {"/pprof/heap", "/pprof/growth", "/pprof/profile",
                                       "/pprof/pmuprofile", "/pprof/contention"};
    for (size_t i = 0; i < countof(ends); i++) {
        if (str_ends(path, str_of(ends[i]))) return true;
    }
    return str_contains(path, S("/debug/pprof/"));
}

str remote_url(struct arena *out, str source) {
    ptrdiff_t colon = str_find(source, S("://"));
    if (colon <= 0) return (str){0};
    size_t host_at = (size_t)colon + 3;
    str rest = str_skip(source, host_at);
    ptrdiff_t end = str_find_byte(rest, '/'), query = str_find_byte(rest, '?');
    size_t host_len = end >= 0 && (query < 0 || end < query) ? (size_t)end
                      : query >= 0                           ? (size_t)query
                                                             : rest.len;
    if (host_len == 0) return (str){0};
    str path = str_skip(rest, host_len), ignored;
    str_cut(path, '#', &path, &ignored);
    str_cut(path, '?', &path, &ignored);
    str name = is_go_or_gperftools(path) ? S("symbol") : S("symbolz");
    ptrdiff_t last = str_rfind_byte(path, '/');
    str folder = last >= 0 ? str_take(path, (size_t)last) : (str){0};
    str parts[] = {str_take(source, host_at + host_len), folder, S("/"), name};
    return str_join(out, parts, countof(parts), (str){0});
}

// address moved by offset; false when it wraps.
static bool move(u64 address, i64 offset, u64 *ret) {
    *ret = address + (u64)offset;
    return offset < 0 ? *ret < address : *ret >= address;
}

bool remote_question(struct arena *out, const struct profile *p, u32 mapping_i, i64 offset,
                     str *ret, struct err *err) {
    struct buf b = buf_new(out, MAX_QUESTION_BYTES);
    for (u32 i = 0; i < p->n_locations; i++) {
        const struct location *l = &p->locations[i];
        u64 address;
        if (l->mapping_i != mapping_i || l->address == 0 || l->n_lines > 0) continue;
        if (!move(l->address, offset, &address))
            return err_set(err, ERR_LIMIT, 0,
                           "cannot adjust address %llu by %lld, it would overflow",
                           (unsigned long long)l->address, (long long)offset);
        if (b.len) buf_byte(&b, '+');
        buf_put(&b, S("0x"));
        num_hex(&b, address, 1);
    }
    *ret = buf_str(&b);
    return !b.is_full || err_set(err, ERR_LIMIT, 0, "more than 1 GiB of addresses to ask for");
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// "0xADDRESS NAME" anywhere in line.
static bool split_answer(str line, str *address, str *name) {
    for (ptrdiff_t at; (at = str_find(line, S("0x"))) >= 0;) {
        line = str_skip(line, (size_t)at + 2);
        size_t n = 0, space;
        while (n < line.len && is_hex(line.p[n])) n++;
        for (space = n; space < line.len && (line.p[space] == ' ' || line.p[space] == '\t');)
            space++;
        if (n == 0 || space == n) continue;
        *address = str_take(line, n);
        *name = str_skip(line, space);
        return true;
    }
    return false;
}

// Reads the answer into functions by the profile's addresses.
static bool read_answer(struct edit *e, i64 offset, str answer, struct idmap *functions,
                        struct err *err) {
    struct reader r = reader_of(answer);
    str line, text, name;
    while (reader_line(&r, &line)) {
        u64 there, here;
        if (!split_answer(line, &text, &name)) continue;
        if (!num_parse_u64(text, 16, &there))
            return err_set(err, ERR_MALFORMED, 0, "unexpected parse failure 0x" S_FMT, S_ARG(text));
        if (!move(there, (i64)(0 - (u64)offset), &here))
            return err_set(err, ERR_LIMIT, 0,
                           "cannot adjust symbolz address %llu by %lld, it would overflow",
                           (unsigned long long)there, (long long)(0 - (u64)offset));
        struct function f = {.name = edit_str(e, name)};
        f.system_name = f.name;
        *idmap_at(functions, here) = edit_function(e, &f);
    }
    return true;
}

bool remote_answer(struct arena *out, const struct profile *p, u32 mapping_i, i64 offset,
                   str answer, struct profile *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct edit e;
    struct idmap functions;
    edit_init(&e, out, p);
    idmap_init(&functions, &scratch);
    if (!read_answer(&e, offset, answer, &functions, err)) return false;
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].mapping_i != mapping_i) continue;
        struct line line = {.function_i = idmap_get(&functions, p->locations[i].address)};
        if (line.function_i != U32_NONE) edit_lines(&e, i, &line, 1);
    }
    e.p.mappings[mapping_i].has_functions = true;
    *ret = e.p;
    return true;
}
