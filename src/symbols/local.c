// symbols/local.c - names and lines from binaries.
// Room: which mappings are asked, where in the file an address lies, and what the answers become.
// Finding binaries is locate.c, DWARF is dwarf.c, symbol tables are elf.c. Door: local_symbolize().
// Source: reference/pprof.md sections 5.2 and 5.3.
#include "symbols/local.h"

#include "symbols/binary.h"
#include "symbols/dwarf.h"
#include "symbols/edit.h"
#include "symbols/elf.h"

bool local_is_unsymbolizable(str file) {
    str name = str_basename(file);
    return file.len == 0 || str_starts(name, S("[")) || str_starts(name, S("linux-vdso")) ||
           str_starts(file, S("/dev/dri/")) || str_starts(file, S("/memfd:")) ||
           str_eq(file, S("//anon"));
}

struct asking {
    struct arena *out, *scratch;
    struct edit edit; // edit.p is the profile; its tables are copied when the first file is read
    bool has_edit;
    u32 *n_locations; // of each mapping
    const struct local_opts *opts;
    struct buf *messages;
    bool has_missing;
};

// The locations of one mapping, by the address in its file.
struct place {
    u64 address;
    u32 location_i;
};

static int place_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    u64 x = ((const struct place *)a)->address, y = ((const struct place *)b)->address;
    return (x > y) - (x < y);
}

static size_t collect_places(struct asking *a, u32 mapping_i, const struct binary *file,
                             struct place *ret) {
    const struct profile *p = &a->edit.p;
    size_t n = 0;
    for (u32 i = 0; i < p->n_locations; i++) {
        const struct location *l = &p->locations[i];
        struct place place = {.location_i = i};
        if (l->mapping_i != mapping_i) continue;
        if (binary_address(file, &p->mappings[mapping_i], l->address, &place.address))
            ret[n++] = place;
    }
    sort_stable(a->scratch, ret, n, sizeof *ret, place_order, NULL);
    return n;
}

static void put_frames(struct asking *a, u32 mapping_i, u32 location_i,
                       const struct dwarf_query *answer) {
    struct edit *e = &a->edit;
    struct mapping *m = &e->p.mappings[mapping_i];
    struct line *lines = NEW(a->scratch, struct line, answer->n_frames);
    for (u32 i = 0; i < answer->n_frames; i++) {
        const struct dwarf_frame *frame = &answer->frames[i];
        struct function f = {.name = edit_str(e, frame->function),
                             .filename = edit_str(e, frame->file),
                             .start_line = frame->start_line};
        f.system_name = f.name;
        lines[i] = (struct line){edit_function(e, &f), frame->line, frame->column};
        m->has_functions = m->has_functions || frame->function.len > 0;
        m->has_filenames = m->has_filenames || frame->file.len > 0;
        m->has_line_numbers = m->has_line_numbers || frame->line != 0;
    }
    m->has_inline_frames = true;
    edit_lines(e, location_i, lines, answer->n_frames);
}

// The outermost function takes the symbol table's name, which tells clones apart ("f.part.0"); an
// address without DWARF has that name only.
static void add_symbol(struct arena *scratch, const struct elf_symbols *symbols,
                       struct dwarf_query *query) {
    str name = elf_symbol_at(symbols, query->address, NULL);
    if (name.len == 0) return;
    if (query->n_frames == 0) {
        query->frames = NEW(scratch, struct dwarf_frame, 1);
        query->n_frames = 1;
    }
    query->frames[query->n_frames - 1].function = name;
}

// The fullest symbol table: the file's own, or the one of its separate debug file.
static struct elf_symbols read_symbols(struct asking *a, const struct binary *file,
                                       struct dwarf_file *dwarf, struct binary *debug) {
    struct elf_symbols symbols = {0}, fuller;
    struct err ignored;
    if (!elf_symbols_read(a->scratch, file->bytes, &symbols, &ignored)) symbols.n = 0;
    const char *path = dwarf && !symbols.is_full ? dwarf_debug_path(dwarf) : NULL;
    if (path && binary_open(str_of(path), debug, &ignored) &&
        elf_symbols_read(a->scratch, debug->bytes, &fuller, &ignored) && fuller.is_full)
        symbols = fuller;
    return symbols;
}

static void symbolize_file(struct asking *a, u32 mapping_i, const struct binary *file,
                           bool keeps_names) {
    const struct profile *p = &a->edit.p;
    struct place *places = NEW(a->scratch, struct place, p->n_locations);
    size_t n = collect_places(a, mapping_i, file, places);
    struct dwarf_query *queries = NEW(a->scratch, struct dwarf_query, n);
    for (size_t i = 0; i < n; i++) queries[i].address = places[i].address;
    struct dwarf_file *dwarf = NULL;
    struct err ignored;
    const char *path = str_z(a->scratch, profile_str(p, p->mappings[mapping_i].file));
    if (!a->opts->is_fast && dwarf_open(a->scratch, path, &dwarf, &ignored))
        dwarf_lookup(a->scratch, dwarf, queries, n);
    struct binary debug = {0};
    struct elf_symbols symbols = read_symbols(a, file, dwarf, &debug);
    for (size_t i = 0; i < n; i++) {
        if (keeps_names && queries[i].n_frames == 0) continue;
        add_symbol(a->scratch, &symbols, &queries[i]);
        if (queries[i].n_frames > 0) put_frames(a, mapping_i, places[i].location_i, &queries[i]);
    }
    binary_close(&debug);
    dwarf_close(dwarf);
}

static bool is_url(str file) {
    str scheme, rest;
    if (str_starts(file, S("unix:/"))) return true;
    return str_cut(file, ':', &scheme, &rest) && str_starts(rest, S("//")) &&
           str_contains(scheme, S("http"));
}

static void say_failed(struct asking *a, const struct mapping *m, const char *why) {
    str build_id = profile_str(&a->edit.p, m->build_id);
    buf_put(a->messages, S("Local symbolization failed for "));
    buf_put(a->messages, str_basename(profile_str(&a->edit.p, m->file)));
    if (build_id.len) buf_printf(a->messages, " (build ID " S_FMT ")", S_ARG(build_id));
    buf_printf(a->messages, ": %s\n", why);
}

// What is asked about a mapping.
enum want {
    WANT_NOT,
    WANT_ALL,
    // It has names and nothing else, as libpprof writes it: files and lines are added where the
    // very same binary is here. The original leaves such mappings alone.
    WANT_LINES,
};

static enum want want_of(struct asking *a, u32 mapping_i) {
    const struct profile *p = &a->edit.p;
    const struct mapping *m = &p->mappings[mapping_i];
    str file = profile_str(p, m->file);
    if (a->n_locations[mapping_i] == 0) return WANT_NOT;
    bool is_done = m->has_filenames || m->has_line_numbers;
    bool is_silent = !a->opts->is_forced && (m->has_functions || is_done);
    if (file.len == 0 && !is_silent) {
        if (mapping_i == 0)
            buf_put(a->messages, S("Main binary filename not available.\n"));
        else
            a->has_missing = true;
    }
    if (local_is_unsymbolizable(file) || (m->build_id == 0 && is_url(file))) return WANT_NOT;
    if (!is_silent) return WANT_ALL;
    return !is_done && m->build_id && !a->opts->is_fast ? WANT_LINES : WANT_NOT;
}

static void start_edit(struct asking *a) {
    struct profile before = a->edit.p;
    if (!a->has_edit) edit_init(&a->edit, a->out, &before);
    a->has_edit = true;
}

static void symbolize_mapping(struct asking *a, u32 mapping_i, enum want want) {
    const struct profile *p = &a->edit.p;
    const struct mapping *m = &p->mappings[mapping_i];
    struct binary file;
    struct err err;
    if (!binary_open(profile_str(p, m->file), &file, &err)) {
        if (want == WANT_ALL) say_failed(a, m, err.text);
        a->has_missing = a->has_missing || want == WANT_ALL;
        return;
    }
    str build_id = profile_str(p, m->build_id), own = binary_build_id(a->scratch, &file);
    bool is_other = build_id.len && own.len && !str_eq(build_id, own);
    if (is_other && want == WANT_ALL) say_failed(a, m, "build ID mismatch");
    if (!is_other && (want == WANT_ALL || own.len)) {
        start_edit(a);
        symbolize_file(a, mapping_i, &file, want == WANT_LINES);
    }
    binary_close(&file);
}

static void count_locations(struct asking *a) {
    const struct profile *p = &a->edit.p;
    a->n_locations = NEW(a->scratch, u32, p->n_mappings);
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].mapping_i != U32_NONE) a->n_locations[p->locations[i].mapping_i]++;
    }
}

struct profile local_symbolize(struct arena *out, const struct profile *p,
                               const struct local_opts *opts, struct buf *messages) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct asking a = {.out = out, .scratch = &scratch, .opts = opts, .messages = messages};
    a.edit.p = *p;
    count_locations(&a);
    for (u32 i = 0; i < p->n_mappings; i++) {
        enum want want = want_of(&a, i);
        if (want != WANT_NOT) symbolize_mapping(&a, i, want);
    }
    if (a.has_missing)
        buf_put(messages,
                S("Some binary filenames not available. Symbolization may be incomplete.\n"
                  "Try setting PPROF_BINARY_PATH to the search path for local binaries.\n"));
    return a.edit.p;
}
