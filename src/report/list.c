// report/list.c - source lines of functions with their weights.
// Room: grouping nodes by function, file and line, and putting text beside them.
// Door: report/report.h. Source: reference/pprof.md section 2.18.
#include "report/report.h"

#include "report/source.h"

enum { MARGIN = 5 }; // lines shown before the first and after the last with samples

// One node of a listed function.
struct listed {
    str name, file;
    i64 start_line, line, flat, cum;
};

static int listed_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct listed *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    if (order == 0) order = str_cmp(x->file, y->file);
    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

struct range {
    i64 first, last;
};

// From where the function starts (or a margin before its first line) to a margin behind its last
// line.
static struct range shown_range(const struct listed *nodes, u32 n) {
    struct range r = {INT64_MAX, INT64_MIN};
    for (u32 i = 0; i < n; i++) {
        i64 start = nodes[i].start_line ? nodes[i].start_line : nodes[i].line - MARGIN;
        if (start < r.first) r.first = start;
        if (nodes[i].line + MARGIN > r.last) r.last = nodes[i].line + MARGIN;
    }
    if (r.first < 1) r.first = 1;
    return r;
}

static void add_lines(struct arena *out, const struct source_file *f, const struct listed *nodes,
                      u32 n, struct range range, struct list_routine *ret) {
    u32 first = (u32)range.first;
    if (range.first > f->n_lines) return;
    u32 last = range.last < f->n_lines ? (u32)range.last : f->n_lines;
    ret->lines = NEW(out, struct list_line, last - first + 1);
    ret->n_lines = last - first + 1;
    for (u32 i = 0; i < ret->n_lines; i++) {
        ret->lines[i] = (struct list_line){.line = first + i, .text = f->lines[first + i - 1]};
    }
    for (u32 i = 0; i < n; i++) {
        if (nodes[i].line < first || nodes[i].line > last) continue;
        struct list_line *line = &ret->lines[nodes[i].line - first];
        line->flat = add(line->flat, nodes[i].flat);
        line->cum = add(line->cum, nodes[i].cum);
    }
}

static void list_file(struct arena *out, struct source_reader *reader, const struct listed *nodes,
                      u32 n, struct list_routine *ret) {
    *ret = (struct list_routine){.name = nodes[0].name, .file = nodes[0].file};
    for (u32 i = 0; i < n; i++) {
        ret->flat = add(ret->flat, nodes[i].flat);
        ret->cum = add(ret->cum, nodes[i].cum);
    }
    if (ret->file.len == 0) return;
    struct range range = shown_range(nodes, n);
    // A start line behind every sample (a bad profile) leaves nothing to show, and the file is not
    // opened.
    bool is_empty = range.first > range.last;
    const struct source_file *f =
        is_empty ? source_reader_known(reader, ret->file) : source_reader_file(reader, ret->file);
    if (!f) return;
    if (!f->is_found) ret->error = f->error;
    if (f->is_found && !is_empty) add_lines(out, f, nodes, n, range, ret);
}

static u32 pick_nodes(const struct graph *g, const struct regex *re, struct listed *ret) {
    u32 n = 0;
    for (u32 i = 0; i < g->n_shown; i++) {
        const struct node *node = &g->nodes[g->shown[i]];
        const struct frame *f = &g->frames->items[node->frame_i];
        if (!regex_match(re, f->name)) continue;
        ret[n++] = (struct listed){.name = f->name,
                                   .file = f->file,
                                   .start_line = f->start_line,
                                   .line = f->line,
                                   .flat = node->flat,
                                   .cum = node->cum};
    }
    return n;
}

bool report_list(struct arena *out, const struct graph *g, const struct regex *re, str pattern,
                 struct list *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct listed *nodes = NEW(&scratch, struct listed, g->n_shown);
    u32 n = pick_nodes(g, re, nodes);
    if (n == 0) {
        return err_set(err, ERR_NOT_FOUND, 0, "no matches found for regexp: " S_FMT,
                       S_ARG(pattern));
    }
    sort_stable(&scratch, nodes, n, sizeof *nodes, listed_order, NULL);
    struct source_reader reader;
    source_reader_init(&reader, out, g->view->opts->source_path, g->view->opts->trim_path);
    ret->routines = NEW(out, struct list_routine, n);
    ret->n = 0;
    for (u32 i = 0; i < n;) {
        u32 end = i + 1;
        while (end < n && str_eq(nodes[end].name, nodes[i].name) &&
               str_eq(nodes[end].file, nodes[i].file)) {
            end++;
        }
        // Nodes without a file are left out where the function has others with one.
        bool has_others =
            nodes[i].file.len == 0 && end < n && str_eq(nodes[end].name, nodes[i].name);
        if (!has_others) list_file(out, &reader, nodes + i, end - i, &ret->routines[ret->n++]);
        i = end;
    }
    return true;
}
