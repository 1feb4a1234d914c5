// report/disasm.c - instructions of functions with their weights.
// Room: which functions of which binaries have samples, and which instruction each sample belongs
// to; decoding is symbols/. Door: report/report.h. Source: reference/pprof.md section 2.19.
#include "report/report.h"

#include "symbols/symbols.h"

// A node at its place in the binary.
struct placed {
    u64 address;
    u32 node_i;
};

struct work {
    struct arena *out, *scratch;
    const struct graph *g;
    const struct disasm_request *req;
    bool is_address; // the expression is a number: address
    u64 address;
    size_t cap;  // of ret->routines
    u32 n_found; // functions asked for, with samples or without
    struct disasm_listing *ret;
};

static const struct frame *frame_of(const struct graph *g, u32 node_i) {
    return &g->frames->items[g->nodes[node_i].frame_i];
}

static bool holds(const struct mapping *m, u64 address) {
    return address >= m->start && address < m->limit;
}

static int placed_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    u64 x = ((const struct placed *)a)->address, y = ((const struct placed *)b)->address;
    return x < y ? -1 : x > y;
}

// Whether a function of this binary may match: one of its nodes does, or the address lies in it.
static bool is_wanted(const struct work *w, u32 mapping_i) {
    const struct profile *p = w->g->view->p;
    const struct mapping *m = &p->mappings[mapping_i];
    str file = profile_str(p, m->file);
    if (file.len == 0) return false;
    if (w->is_address && holds(m, w->address)) return true;
    for (u32 i = 0; i < w->g->n_shown; i++) {
        u32 node_i = w->g->shown[i];
        const struct frame *f = frame_of(w->g, node_i);
        if (!str_eq(f->object, file)) continue;
        if (regex_match(w->req->re, f->name) || regex_match(w->req->re, w->g->names[node_i]))
            return true;
    }
    return false;
}

// The mappings of one file are one binary: the nodes of all of them, by object address.
static u32 place_nodes(const struct work *w, const struct object *o, str file, struct placed *ret) {
    const struct profile *p = w->g->view->p;
    u32 n = 0;
    for (u32 i = 0; i < w->g->n_shown; i++) {
        const struct frame *f = frame_of(w->g, w->g->shown[i]);
        if (!str_eq(f->object, file)) continue;
        struct placed placed = {.node_i = w->g->shown[i]};
        bool is_placed = false;
        for (u32 m = 0; m < p->n_mappings && !is_placed; m++) {
            is_placed = str_eq(profile_str(p, p->mappings[m].file), file) &&
                        object_address(o, &p->mappings[m], f->address, &placed.address);
        }
        if (is_placed) ret[n++] = placed;
    }
    sort_stable(w->scratch, ret, n, sizeof *ret, placed_order, NULL);
    return n;
}

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

// Weights of the nodes from *at on that lie before end; *at moves behind them.
static void add_nodes(const struct work *w, const struct placed *nodes, u32 n, u64 end, u32 *at,
                      struct disasm_line *line) {
    i64 flat_div = 0, cum_div = 0;
    for (; *at < n && nodes[*at].address < end; ++*at) {
        const struct node *node = &w->g->nodes[nodes[*at].node_i];
        const struct frame *f = frame_of(w->g, nodes[*at].node_i);
        line->flat = add(line->flat, node->flat);
        line->cum = add(line->cum, node->cum);
        flat_div = add(flat_div, node->flat_div);
        cum_div = add(cum_div, node->cum_div);
        if (line->file.len == 0 && f->file.len) line->file = str_basename(f->file);
        if (line->line == 0) line->line = f->line;
        if (line->function.len == 0) line->function = f->name;
    }
    line->flat = mean_of(line->flat, flat_div);
    line->cum = mean_of(line->cum, cum_div);
}

static void fill_lines(const struct work *w, const struct instructions *code,
                       const struct placed *nodes, u32 n, struct disasm_routine *r) {
    r->lines = NEW(w->out, struct disasm_line, code->n);
    r->n_lines = code->n;
    for (u32 i = 0, at = 0; i < code->n; i++) {
        const struct instruction *insn = &code->items[i];
        struct disasm_line *line = &r->lines[i];
        *line = (struct disasm_line){.address = insn->address, .text = insn->text};
        if (insn->n_frames > 0) {
            const struct dwarf_frame *f = &insn->frames[0];
            line->function = demangle_name(w->out, f->function, DEMANGLE_FULL);
            line->line = f->line;
            if (f->file.len) line->file = str_basename(f->file);
        }
        add_nodes(w, nodes, n, i + 1 < code->n ? insn[1].address : UINT64_MAX, &at, line);
    }
}

static bool add_routine(struct work *w, struct object *o, const struct object_range *range,
                        const struct placed *nodes, u32 n, struct err *err) {
    u32 from = 0, end;
    while (from < n && nodes[from].address < range->start) from++;
    for (end = from; end < n && nodes[end].address < range->end;) end++;
    if (from == end) return true;
    struct disasm_routine r = {.names = range->names, .n_names = range->n_names};
    for (u32 i = from; i < end; i++) {
        r.flat = add(r.flat, node_flat(&w->g->nodes[nodes[i].node_i]));
        r.cum = add(r.cum, node_cum(&w->g->nodes[nodes[i].node_i]));
    }
    r.start = range->start;
    struct instructions code;
    if (!object_disasm(w->out, o, range->start, range->end, w->req->is_intel, &code, err))
        return false;
    fill_lines(w, &code, nodes + from, end - from, &r);
    GROW(w->out, w->ret->routines, w->cap, w->ret->n + 1);
    w->ret->routines[w->ret->n++] = r;
    return true;
}

static bool add_binary(struct work *w, u32 mapping_i, struct err *err) {
    const struct profile *p = w->g->view->p;
    const struct mapping *m = &p->mappings[mapping_i];
    str file = profile_str(p, m->file);
    struct object *o;
    struct err why;
    if (!object_open(w->out, local_path(w->scratch, p, mapping_i), &o, &why)) {
        buf_printf(w->req->messages, "%s\n", why.text);
        return true;
    }
    u64 address = w->address;
    bool has_address =
        w->is_address && (!holds(m, address) || object_address(o, m, address, &address));
    struct object_ranges ranges;
    object_find(w->out, o, w->req->re, has_address ? &address : NULL, &ranges);
    w->n_found += ranges.n;
    struct placed *nodes = NEW(w->scratch, struct placed, w->g->n_shown);
    u32 n = place_nodes(w, o, file, nodes);
    bool ok = true;
    for (u32 i = 0; i < ranges.n && ok; i++)
        ok = add_routine(w, o, &ranges.items[i], nodes, n, err);
    object_close(o);
    return ok;
}

static int routine_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct disasm_routine *x = a, *y = b;
    int order = str_cmp(x->names[0], y->names[0]);
    return order ? order : x->start < y->start ? -1 : x->start > y->start;
}

static bool tell_nothing(const struct work *w, struct err *err) {
    unsigned long long address = w->address;
    if (!w->is_address)
        return err_set(err, ERR_NOT_FOUND, 0, "no matches found for regexp " S_FMT,
                       S_ARG(w->req->pattern));
    if (w->n_found == 0)
        return err_set(err, ERR_NOT_FOUND, 0, "no matches found for address 0x%llx", address);
    return err_set(err, ERR_NOT_FOUND, 0,
                   "address 0x%llx found in binary, but the corresponding symbols do not have "
                   "samples in the profile",
                   address);
}

static bool is_first_of_file(const struct profile *p, u32 mapping_i) {
    for (u32 i = 0; i < mapping_i; i++) {
        if (p->mappings[i].file == p->mappings[mapping_i].file) return false;
    }
    return true;
}

bool report_disasm(struct arena *out, const struct graph *g, const struct disasm_request *req,
                   struct disasm_listing *ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    const struct profile *p = g->view->p;
    struct work w = {.out = out, .scratch = &scratch, .g = g, .req = req, .ret = ret};
    w.is_address = num_parse_u64(req->pattern, 0, &w.address);
    *ret = (struct disasm_listing){0};
    for (u32 i = 0; i < p->n_mappings; i++) {
        // The address may lie in a later mapping of the file than the first.
        u32 chosen = U32_NONE;
        if (!is_first_of_file(p, i)) continue;
        for (u32 j = i; j < p->n_mappings; j++) {
            if (p->mappings[j].file != p->mappings[i].file || !is_wanted(&w, j)) continue;
            bool has_address = w.is_address && holds(&p->mappings[j], w.address);
            if (chosen == U32_NONE || has_address) chosen = j;
        }
        if (chosen != U32_NONE && !add_binary(&w, chosen, err)) return false;
    }
    if (ret->n == 0) return tell_nothing(&w, err);
    sort_stable(&scratch, ret->routines, ret->n, sizeof *ret->routines, routine_order, NULL);
    return true;
}
