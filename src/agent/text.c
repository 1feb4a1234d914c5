// agent/text.c - the text forms: debug=1, debug=2, cmdline.
// Room: Go's grammar, line by line. Door: agent/text.h. Source: reference/go.md 2.10.
// A frame's place is its image and offset: files and lines are known at the desk only.
#include "agent/text.h"

#include "agent/deadlocks.h"
#include "agent/heap.h"
#include "agent/labels.h"
#include "agent/maps.h"
#include "agent/names.h"
#include "agent/threads.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TEXT_MAX = 256 << 20, // 16,384 threads with 512 frames of 30 bytes
    PROC_MAX = 64 << 20,  // maps of a program with 500,000 mappings
    TAB = 8,              // Go's tabwriter: cells end at multiples of 8
};

// A frame as the texts show it.
struct frame {
    u64 pc;
    str name; // "main+0x1f"; empty: unknown
    const struct image *image;
};

struct writer {
    struct arena *arena;
    struct buf out;
    struct image_map images;
    struct frame *frames; // of the stack at hand
    size_t cap_frames;
    struct idmap known_by_pc; // index in known
    struct frame *known;
    u32 n_known;
    size_t cap_known;
};

static struct frame frame_new(struct writer *w, u64 pc) {
    struct frame frame = {.pc = pc, .image = image_at(&w->images, pc)};
    struct buf b = buf_new(w->arena, SIZE_MAX);
    u64 start = 0;
    if (!frame.image) return frame;
    str name = name_at_address(w->arena, frame.image, pc, &start);
    if (name.len == 0) return frame;
    buf_put(&b, name);
    buf_printf(&b, "+0x%llx", (unsigned long long)(pc - start));
    frame.name = buf_str(&b);
    return frame;
}

// A frame's name is made once: 7,000 stacks of a program have 1,000 different pcs.
static struct frame frame_of(struct writer *w, u64 pc) {
    u32 i = idmap_get(&w->known_by_pc, pc);
    if (i != U32_NONE) return w->known[i];
    GROW(w->arena, w->known, w->cap_known, w->n_known + 1);
    w->known[w->n_known] = frame_new(w, pc);
    *idmap_at(&w->known_by_pc, pc) = w->n_known;
    return w->known[w->n_known++];
}

// Fills what is left of a cell of width bytes with tabs.
static void pad_cell(struct buf *out, size_t len, size_t width) {
    for (size_t at = len; at < width; at = (at / TAB + 1) * TAB) buf_byte(out, '\t');
}

static size_t hex_len(u64 x) {
    size_t n = 3;
    for (; x > 15; x >>= 4) n++;
    return n;
}

// A column ends one byte behind its longest cell, at a multiple of TAB.
static size_t column(size_t longest) {
    return (longest + 1 + TAB - 1) / TAB * TAB;
}

static void write_named(struct buf *out, const struct frame *frames, u32 n) {
    size_t pc_width = 0, name_width = 0;
    for (u32 i = 0; i < n; i++) {
        size_t pc = column(hex_len(frames[i].pc)), name = column(frames[i].name.len);
        if (pc > pc_width) pc_width = pc;
        if (name > name_width) name_width = name;
    }
    for (u32 i = 0; i < n; i++) {
        const struct frame *f = &frames[i];
        buf_printf(out, "#\t0x%llx", (unsigned long long)f->pc);
        pad_cell(out, hex_len(f->pc), pc_width);
        buf_put(out, f->name);
        pad_cell(out, f->name.len, name_width);
        buf_printf(out, "%s+0x%llx\n", f->image->path,
                   (unsigned long long)(f->pc - f->image->start + f->image->offset));
    }
}

// Comment lines of one stack: runs of named frames are aligned with each other, as tabwriter does.
static void write_frames(struct writer *w, const u64 *pcs, u32 n) {
    GROW(w->arena, w->frames, w->cap_frames, n);
    for (u32 i = 0; i < n; i++) w->frames[i] = frame_of(w, pcs[i]);
    for (u32 i = 0; i < n;) {
        u32 run = i;
        while (run < n && w->frames[run].name.len > 0) run++;
        write_named(&w->out, w->frames + i, run - i);
        for (i = run; i < n && w->frames[i].name.len == 0; i++)
            buf_printf(&w->out, "#\t0x%llx\n", (unsigned long long)w->frames[i].pc);
    }
}

// Records show return addresses, which are one past what is looked up.
static void write_pcs(struct buf *out, const u64 *pcs, u32 n) {
    buf_put(out, S("@"));
    for (u32 i = 0; i < n; i++) buf_printf(out, " 0x%llx", (unsigned long long)(pcs[i] + 1));
    buf_byte(out, '\n');
}

str text_proc_file(struct arena *out, const char *path) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = buf_new(out, PROC_MAX);
    char chunk[4096];
    ssize_t n;
    while (fd >= 0 && (n = read(fd, chunk, sizeof chunk)) > 0) buf_put(&b, (str){chunk, (size_t)n});
    return buf_str(&b);
}

// A program that shortened its title leaves more than one NUL behind.
str text_cmdline(struct arena *out) {
    str text = text_proc_file(out, "/proc/self/cmdline");
    while (text.len > 0 && text.p[text.len - 1] == 0) text.len--;
    return text;
}

// The counters of Go's MemStats that have a meaning here; those of its collector stay 0.
static void write_mem_stats(struct buf *out) {
    struct heap_totals totals = heap_totals();
    struct rusage usage;
    long long live = totals.inuse_bytes, all = totals.alloc_bytes;
    getrusage(RUSAGE_SELF, &usage);
    buf_put(out, S("\n# runtime.MemStats\n"));
    buf_printf(out, "# Alloc = %lld\n# TotalAlloc = %lld\n# Sys = %ld\n# Lookups = 0\n", live, all,
               usage.ru_maxrss * 1024);
    buf_printf(out, "# Mallocs = %lld\n# Frees = %lld\n", (long long)totals.alloc_objects,
               (long long)(totals.alloc_objects - totals.inuse_objects));
    buf_printf(out, "# HeapAlloc = %lld\n# HeapSys = %lld\n# HeapIdle = 0\n", live, live);
    buf_printf(out, "# HeapInuse = %lld\n# HeapReleased = 0\n# HeapObjects = %lld\n", live,
               (long long)totals.inuse_objects);
    buf_put(out, S("# NumGC = 0\n# NumForcedGC = 0\n# GCCPUFraction = 0\n# DebugGC = false\n"));
    buf_printf(out, "# MaxRSS = %ld\n", usage.ru_maxrss * 1024);
}

// What symbolizes Go's text has names in it; tools for C find the files by this.
// head: contention ends at "---" only.
static void write_maps(struct writer *w, const char *head) {
    buf_printf(&w->out, "\n%s\n", head);
    buf_put(&w->out, text_proc_file(w->arena, "/proc/self/maps"));
}

static void write_heap(struct writer *w, const struct rows *rows, bool is_malloc) {
    u64 rate = is_malloc ? heap_rate() : 1;
    i64 sum[ROW_VALUES] = {0};
    for (u32 i = 0; i < rows->n; i++)
        for (u32 k = 0; k < ROW_VALUES; k++) sum[k] += rows->items[i].values[k];
    // Readers take equal sums for a format that has no allocated bytes: one more tells them apart.
    if (sum[HEAP_ALLOC_SPACE] == sum[HEAP_INUSE_SPACE]) sum[HEAP_ALLOC_SPACE]++;
    buf_printf(&w->out, "heap profile: %lld: %lld [%lld: %lld] @ heap/%llu\n",
               (long long)sum[HEAP_INUSE_OBJECTS], (long long)sum[HEAP_INUSE_SPACE],
               (long long)sum[HEAP_ALLOC_OBJECTS], (long long)sum[HEAP_ALLOC_SPACE],
               (unsigned long long)(2 * rate));
    for (u32 i = 0; i < rows->n; i++) {
        const struct row *row = &rows->items[i];
        buf_printf(&w->out, "%lld: %lld [%lld: %lld] ", (long long)row->values[HEAP_INUSE_OBJECTS],
                   (long long)row->values[HEAP_INUSE_SPACE],
                   (long long)row->values[HEAP_ALLOC_OBJECTS],
                   (long long)row->values[HEAP_ALLOC_SPACE]);
        write_pcs(&w->out, row->pcs, row->n_pcs);
        write_frames(w, row->pcs, row->n_pcs);
        buf_byte(&w->out, '\n');
    }
    if (is_malloc) write_mem_stats(&w->out);
    write_maps(w, "MAPPED_LIBRARIES:");
}

// '# labels: {"k":"v", "k2":"v2"}'
static void write_labels(struct writer *w, const struct row *row) {
    if (!row->n_labels) return;
    buf_put(&w->out, S("# labels: "));
    buf_put(&w->out, labels_quoted(w->arena, row->labels, row->n_labels));
    buf_byte(&w->out, '\n');
}

static int compare_counts(const void *a, const void *b, void *ctx) {
    const struct row *x = a, *y = b;
    (void)ctx;
    return x->values[0] > y->values[0] ? -1 : x->values[0] < y->values[0];
}

static void write_counts(struct writer *w, const struct collector *of, const struct rows *rows) {
    long long total = 0;
    for (u32 i = 0; i < rows->n; i++) total += rows->items[i].values[0];
    sort_stable(w->arena, rows->items, rows->n, sizeof *rows->items, compare_counts, NULL);
    buf_printf(&w->out, S_FMT " profile: total %lld\n", S_ARG(of->name), total);
    for (u32 i = 0; i < rows->n; i++) {
        const struct row *row = &rows->items[i];
        // Readers of this text, Go's too, refuse "1 @" with nothing behind it.
        if (row->n_pcs == 0) buf_printf(&w->out, "# without a stack: ");
        buf_printf(&w->out, "%lld ", (long long)row->values[0]);
        write_pcs(&w->out, row->pcs, row->n_pcs);
        write_labels(w, row);
        write_frames(w, row->pcs, row->n_pcs);
        buf_byte(&w->out, '\n');
    }
}

// Delays are nanoseconds, which is what the header calls cycles. The mutex text divides by the
// sampling period, by which what reads it multiplies.
static void write_contention(struct writer *w, const struct collector *of,
                             const struct rows *rows) {
    buf_printf(&w->out, "--- %s:\ncycles/second=1000000000\n",
               of->text == TEXT_MUTEX ? "mutex" : "contention");
    if (of->text == TEXT_MUTEX)
        buf_printf(&w->out, "sampling period=%lld\n", (long long)rows->period);
    for (u32 i = 0; i < rows->n; i++) {
        const struct row *row = &rows->items[i];
        buf_printf(&w->out, "%lld %lld ", (long long)row->values[1], (long long)row->values[0]);
        write_pcs(&w->out, row->pcs, row->n_pcs);
        write_frames(w, row->pcs, row->n_pcs);
        buf_byte(&w->out, '\n');
    }
    write_maps(w, "--- Memory map: ---");
}

// One frame of a dump: "name(...)" and its place. Code without a name is told by its image.
static void write_dump_frame(struct writer *w, u64 pc, const char *after_name) {
    const struct image *image = image_at(&w->images, pc);
    u64 start = pc;
    str name = image ? name_at_address(w->arena, image, pc, &start) : (str){0};
    unsigned long long at = image ? pc - image->start + image->offset : pc;
    if (name.len > 0)
        buf_put(&w->out, name);
    else if (image)
        buf_printf(&w->out, "[" S_FMT "]+0x%llx", S_ARG(str_basename(str_of(image->path))), at);
    else
        buf_printf(&w->out, "0x%llx", at);
    buf_printf(&w->out, "%s\n\t%s:0 +0x%llx\n", after_name, image ? image->path : "?",
               (unsigned long long)(name.len > 0 ? pc - start : at));
}

// "created by main in goroutine 12" and its place, as Go 1.21 and later end a dump.
static void write_creator(struct writer *w, const struct thread_dump *t) {
    struct buf in = buf_new(w->arena, 64);
    if (!t->creator_pc) return;
    buf_printf(&in, " in goroutine %u%c", t->creator_tid, 0);
    buf_put(&w->out, S("created by "));
    write_dump_frame(w, t->creator_pc, buf_str(&in).p);
}

static void write_dump(struct writer *w, const struct thread_dumps *dumps) {
    str deadlocks = deadlocks_text(w->arena, dumps);
    if (deadlocks.len > 0) buf_printf(&w->out, S_FMT "\n\n", S_ARG(deadlocks));
    for (u32 i = 0; i < dumps->n; i++) {
        const struct thread_dump *t = &dumps->items[i];
        if (i > 0) buf_byte(&w->out, '\n');
        buf_printf(&w->out, "goroutine %u [" S_FMT, t->tid, S_ARG(t->state));
        if (t->wait_info.len > 0) buf_printf(&w->out, ", " S_FMT, S_ARG(t->wait_info));
        if (t->name.len > 0) buf_printf(&w->out, ", thread " S_FMT, S_ARG(t->name));
        buf_byte(&w->out, ']');
        if (t->label_id) buf_byte(&w->out, ' ');
        buf_put(&w->out, labels_as_text(w->arena, t->label_id));
        buf_put(&w->out, S(":\n"));
        for (u32 k = 0; k < t->n_pcs; k++) write_dump_frame(w, t->pcs[k], "(...)");
        if (t->n_pcs == 0) buf_put(&w->out, S("goroutine stack unavailable\n"));
        write_creator(w, t);
    }
}

static bool write_text(struct writer *w, const struct collector *of, i64 debug,
                       const struct collect_opts *opts, struct err *err) {
    struct collect_opts raw = *opts;
    raw.is_raw = true;
    struct rows rows = {0};
    struct thread_dumps dumps;
    if (of->text == TEXT_THREADS && debug >= 2) {
        if (!threads_dump(w->arena, &dumps, err)) return false;
        write_dump(w, &dumps);
        return true;
    }
    if (!collector_collect(of, w->arena, &raw, &rows, err)) return false;
    if (of->text == TEXT_HEAP)
        write_heap(w, &rows, !str_eq(of->name, S("mmap")));
    else if (of->text == TEXT_MUTEX || of->text == TEXT_BLOCK)
        write_contention(w, of, &rows);
    else
        write_counts(w, of, &rows);
    return true;
}

bool text_write(struct arena *out, const struct collector *of, i64 debug,
                const struct collect_opts *opts, str *ret, struct err *err) {
    struct writer w = {.arena = out, .out = buf_new(out, TEXT_MAX), .images = images_read(out)};
    idmap_init(&w.known_by_pc, out);
    if (!write_text(&w, of, debug, opts, err)) return false;
    *ret = buf_str(&w.out);
    return true;
}

static void put_folded_frame(struct buf *b, const struct profile *p, u32 location_i) {
    const struct location *location = &p->locations[location_i];
    if (location->n_lines) {
        buf_put(b, profile_str(p, p->functions[p->lines[location->lines_at].function_i].name));
        return;
    }
    bool is_mapped = location->mapping_i != U32_NONE;
    const struct mapping *m = is_mapped ? &p->mappings[location->mapping_i] : NULL;
    if (m) buf_printf(b, "[" S_FMT "]+", S_ARG(str_basename(profile_str(p, m->file))));
    buf_printf(
        b, "0x%llx",
        (unsigned long long)(m ? location->address - m->start + m->offset : location->address));
}

str text_folded(struct arena *out, const struct profile *p) {
    struct buf b = buf_new(out, TEXT_MAX);
    for (u32 i = 0; i < p->n_samples; i++) {
        u32 n;
        const u32 *stack = profile_stack(p, i, &n);
        for (u32 k = n; k > 0; k--) {
            put_folded_frame(&b, p, stack[k - 1]);
            buf_byte(&b, k > 1 ? ';' : ' ');
        }
        buf_printf(&b, "%lld\n", (long long)profile_values(p, i)[0]);
    }
    return buf_str(&b);
}
