// symbols/local.c - names and lines from binaries.
// Room: which mappings are asked, where in the file an address lies, and what the answers become.
// Files are read side by side, each in one sorted pass; then their answers go into the profile in
// its order. Finding binaries is locate.c, DWARF is dwarf.c, symbol tables are elf.c, what runs now
// is running.c. Door: local_symbolize(). Source: reference/pprof.md sections 5.2 and 5.3.
#include "symbols/local.h"

#include "symbols/binary.h"
#include "symbols/dwarf.h"
#include "symbols/edit.h"
#include "symbols/elf.h"
#include "symbols/running.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MAX_THREADS = 8 }; // files are read by; disks and memory are busy with fewer

bool local_is_unsymbolizable(str file) {
    str name = str_basename(file);
    return file.len == 0 || str_starts(name, S("[")) || str_starts(name, S("linux-vdso")) ||
           str_starts(file, S("/dev/dri/")) || str_starts(file, S("/memfd:")) ||
           str_eq(file, S("//anon"));
}

// What is asked about a mapping.
enum want {
    WANT_NOT,
    WANT_ALL,
    // It has names and nothing else, as libpprof writes it: files and lines are added where the
    // very same binary is here. The original leaves such mappings alone.
    WANT_LINES,
    // It stands for no file, but for the kernel or the vDSO. The original leaves these alone too.
    WANT_RUNNING,
};

// The locations of one mapping, by the address in its file.
struct place {
    u64 address;
    u32 location_i;
};

// One mapping to be asked about. Jobs share nothing they write to.
struct job {
    u32 mapping_i;
    enum want want;
    struct arena arena; // of all the job makes; ends when the answers are in the profile
    struct place *places;
    struct dwarf_query *queries; // the answer of each place
    size_t n;
    bool is_found;  // queries are answered
    struct err err; // why not, for people; no code: nothing to say
};

struct asking {
    struct arena *out, *scratch;
    struct edit edit; // edit.p is the profile; its tables are copied when there is an answer
    bool has_edit;
    u32 *at, *location_ids; // locations of mapping i: location_ids[at[i] .. at[i + 1])
    const struct local_opts *opts;
    struct buf *messages;
    bool has_missing;
    struct job *jobs;
    size_t n_jobs;
    atomic_size_t next; // the first job nobody took: each thread adds one
};

static int place_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    u64 x = ((const struct place *)a)->address, y = ((const struct place *)b)->address;
    return (x > y) - (x < y);
}

// file: NULL where addresses only move by shift.
static void collect_places(const struct asking *a, struct job *job, const struct binary *file,
                           u64 shift) {
    const struct profile *p = &a->edit.p;
    u32 from = a->at[job->mapping_i], to = a->at[job->mapping_i + 1];
    job->places = NEW(&job->arena, struct place, to - from);
    for (u32 i = from; i < to; i++) {
        struct place place = {.location_i = a->location_ids[i]};
        u64 address = p->locations[place.location_i].address;
        place.address = address + shift;
        if (!file || binary_address(file, &p->mappings[job->mapping_i], address, &place.address))
            job->places[job->n++] = place;
    }
    sort_stable(&job->arena, job->places, job->n, sizeof *job->places, place_order, NULL);
    job->queries = NEW(&job->arena, struct dwarf_query, job->n);
    for (size_t i = 0; i < job->n; i++) job->queries[i].address = job->places[i].address;
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

// Whether the symbol or another one at its address (D1 and D2 destructors are one) is called so.
static bool has_alias(const struct elf_symbols *symbols, const struct elf_symbol *symbol,
                      str name) {
    const struct elf_symbol *s = symbol;
    while (s + 1 < symbols->items + symbols->n && s[1].start == symbol->start) s++;
    for (;; s--) {
        if (str_eq(elf_symbol_name(symbols, s), name)) return true;
        if (s == symbols->items || s[-1].start != symbol->start) return false;
    }
}

// The outermost function takes the symbol table's name, which tells clones apart ("f.part.0"); an
// address without DWARF has that name only, and the file of a static function (not with fastlocal).
static void add_symbol(struct arena *scratch, const struct elf_symbols *symbols, bool is_fast,
                       struct dwarf_query *query) {
    const struct elf_symbol *symbol = elf_symbol_find(symbols, query->address);
    str name = symbol ? elf_symbol_name(symbols, symbol) : S("");
    if (name.len == 0) return;
    if (query->n_frames == 0) {
        query->frames = NEW(scratch, struct dwarf_frame, 1);
        query->n_frames = 1;
        if (!is_fast) query->frames[0].file = str_copy(scratch, elf_symbol_source(symbols, symbol));
    }
    struct dwarf_frame *outer = &query->frames[query->n_frames - 1];
    if (outer->function.len && has_alias(symbols, symbol, outer->function)) return;
    outer->function = str_copy(scratch, name); // the file will close
}

// The fullest symbol table: the file's own, or the one of its separate debug file.
static struct elf_symbols read_symbols(struct job *job, const struct binary *file,
                                       struct dwarf_file *dwarf, struct binary *debug) {
    struct elf_symbols symbols = {0}, fuller;
    struct err ignored;
    if (!elf_symbols_read(&job->arena, file->bytes, &symbols, &ignored)) symbols.n = 0;
    const char *path = dwarf && !symbols.is_full ? dwarf_debug_path(dwarf) : NULL;
    if (path && binary_open(str_of(path), debug, &ignored) &&
        elf_symbols_read(&job->arena, debug->bytes, &fuller, &ignored) && fuller.is_full)
        symbols = fuller;
    return symbols;
}

static void add_symbols(struct job *job, const struct elf_symbols *symbols, bool is_fast) {
    for (size_t i = 0; i < job->n; i++) {
        struct dwarf_query *query = &job->queries[i];
        if (job->want == WANT_LINES && query->n_frames == 0) continue;
        add_symbol(&job->arena, symbols, is_fast, query);
    }
}

static void look_up(const struct asking *a, struct job *job, const struct binary *file, str path) {
    const struct profile *p = &a->edit.p;
    u64 shift = 0;
    bool is_kernel = binary_kernel_shift(file, p, &p->mappings[job->mapping_i], &shift);
    collect_places(a, job, is_kernel ? NULL : file, shift);
    struct dwarf_file *dwarf = NULL;
    struct err ignored;
    if (!a->opts->is_fast && dwarf_open(&job->arena, str_z(&job->arena, path), &dwarf, &ignored))
        dwarf_lookup(&job->arena, dwarf, job->queries, job->n);
    struct binary debug = {0};
    struct elf_symbols symbols = read_symbols(job, file, dwarf, &debug);
    add_symbols(job, &symbols, a->opts->is_fast);
    binary_close(&debug);
    dwarf_close(dwarf);
    job->is_found = true;
}

static void do_job(const struct asking *a, struct job *job) {
    const struct profile *p = &a->edit.p;
    const struct mapping *m = &p->mappings[job->mapping_i];
    if (job->want == WANT_RUNNING) {
        struct elf_symbols symbols;
        u64 shift;
        if (!running_symbols(&job->arena, p, m, &symbols, &shift)) return;
        collect_places(a, job, NULL, shift);
        add_symbols(job, &symbols, true);
        job->is_found = true;
        return;
    }
    struct binary file;
    str path;
    if (!mapping_open(&job->arena, p, m, job->want == WANT_LINES, &file, &path, &job->err)) return;
    look_up(a, job, &file, path);
    binary_close(&file);
}

static void *crew_work(void *arg) {
    struct asking *a = arg;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&a->next, 1, memory_order_relaxed);
        if (i >= a->n_jobs) return NULL;
        do_job(a, &a->jobs[i]);
    }
}

static void do_jobs(struct asking *a) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = online > MAX_THREADS ? MAX_THREADS : online > 0 ? (size_t)online : 1;
    pthread_t threads[MAX_THREADS];
    size_t n_threads = 0;
    // This thread works too; one that cannot be started only makes the others do more.
    for (size_t i = 1; i < n && i < a->n_jobs; i++)
        if (pthread_create(&threads[n_threads], NULL, crew_work, a) == 0) n_threads++;
    crew_work(a);
    for (size_t i = 0; i < n_threads; i++) pthread_join(threads[i], NULL);
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

// Whether names are missing: made-up mappings of formats with names are no loss.
static bool lacks_names(const struct asking *a, u32 mapping_i) {
    for (u32 i = a->at[mapping_i]; i < a->at[mapping_i + 1]; i++) {
        if (a->edit.p.locations[a->location_ids[i]].n_lines == 0) return true;
    }
    return false;
}

static enum want want_of(struct asking *a, u32 mapping_i) {
    const struct profile *p = &a->edit.p;
    const struct mapping *m = &p->mappings[mapping_i];
    str file = profile_str(p, m->file);
    if (a->at[mapping_i] == a->at[mapping_i + 1]) return WANT_NOT;
    bool is_done = m->has_filenames || m->has_line_numbers;
    bool is_silent = !a->opts->is_forced && (m->has_functions || is_done);
    if (file.len == 0 && !is_silent && lacks_names(a, mapping_i)) {
        if (mapping_i == 0)
            buf_put(a->messages, S("Main binary filename not available.\n"));
        else
            a->has_missing = true;
    }
    if (str_starts(file, S("["))) return is_silent ? WANT_NOT : WANT_RUNNING;
    if (local_is_unsymbolizable(file) || (m->build_id == 0 && is_url(file))) return WANT_NOT;
    if (!is_silent) return WANT_ALL;
    return !is_done && m->build_id && !a->opts->is_fast ? WANT_LINES : WANT_NOT;
}

static void make_jobs(struct asking *a) {
    u32 n = a->edit.p.n_mappings;
    a->jobs = NEW(a->scratch, struct job, n);
    for (u32 i = 0; i < n; i++) {
        enum want want = want_of(a, i);
        if (want == WANT_NOT) continue;
        a->jobs[a->n_jobs++] =
            (struct job){.mapping_i = i, .want = want, .arena = arena_sub(a->out)};
    }
}

static void take_answers(struct asking *a, struct job *job) {
    struct profile before = a->edit.p;
    if (!a->has_edit) edit_init(&a->edit, a->out, &before);
    a->has_edit = true;
    for (size_t i = 0; i < job->n; i++) {
        if (job->queries[i].n_frames > 0)
            put_frames(a, job->mapping_i, job->places[i].location_i, &job->queries[i]);
    }
}

static void end_job(struct asking *a, struct job *job) {
    if (job->is_found) {
        take_answers(a, job);
    } else if (job->want == WANT_ALL) {
        say_failed(a, &a->edit.p.mappings[job->mapping_i], job->err.text);
        a->has_missing = true;
    }
    arena_done(&job->arena);
}

// Groups the locations by mapping.
static void sort_locations(struct asking *a) {
    const struct profile *p = &a->edit.p;
    a->at = NEW(a->scratch, u32, (size_t)p->n_mappings + 2);
    a->location_ids = NEW(a->scratch, u32, p->n_locations);
    u32 *to = a->at + 1; // where the next one of each mapping goes; ends as at[]
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].mapping_i != U32_NONE) to[p->locations[i].mapping_i + 1]++;
    }
    for (u32 i = 1; i <= p->n_mappings; i++) to[i] += to[i - 1];
    for (u32 i = 0; i < p->n_locations; i++) {
        if (p->locations[i].mapping_i != U32_NONE)
            a->location_ids[to[p->locations[i].mapping_i]++] = i;
    }
}

struct profile local_symbolize(struct arena *out, const struct profile *p,
                               const struct local_opts *opts, struct buf *messages) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct asking a = {.out = out, .scratch = &scratch, .opts = opts, .messages = messages};
    a.edit.p = *p;
    sort_locations(&a);
    make_jobs(&a);
    do_jobs(&a);
    for (size_t i = 0; i < a.n_jobs; i++) end_job(&a, &a.jobs[i]);
    if (a.has_missing)
        buf_put(messages,
                S("Some binary filenames not available. Symbolization may be incomplete.\n"
                  "Try setting PPROF_BINARY_PATH to the search path for local binaries.\n"));
    return a.edit.p;
}

str local_path(struct arena *out, const struct profile *p, u32 mapping_i) {
    struct binary file;
    struct err ignored;
    str path = profile_str(p, p->mappings[mapping_i].file);
    if (mapping_open(out, p, &p->mappings[mapping_i], false, &file, &path, &ignored))
        binary_close(&file);
    return path;
}
