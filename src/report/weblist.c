// report/weblist.c - instructions laid under source lines.
// Room: functions as runs of lines, what is shown around them, which calls are named again. Door:
// report/report.h. Source: reference/pprof.md section 2.20.
#include "report/weblist.h"

#include "report/source.h"

enum {
    MERGE_LINES = 20, // code of one function with smaller gaps between is shown in one piece
    EXPAND_LINES = 5, // lines shown around it
};

struct layout {
    struct arena *out;
    const struct web_listing *from;
    struct source_reader reader;
};

// Lines [begin, end) of one function, entries [at, at_end).
struct piece {
    str name, file;
    i64 begin, end, flat, cum;
    u32 at, at_end;
};

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

static int entry_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct web_entry *x = a, *y = b;
    int order = str_cmp(x->file, y->file);
    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

// The first entry behind those of entry at's line.
static u32 line_end(const struct web_listing *l, u32 at) {
    u32 end = at;
    while (end < l->n_entries && entry_order(&l->entries[end], &l->entries[at], NULL) == 0) end++;
    return end;
}

static str pretty_name(const struct web_listing *l, str name) {
    u32 i = strmap_get(&l->pretty, name);
    return i == U32_NONE ? name : l->names[i];
}

// The lines of one file, cut where the function changes or leaves a gap.
static u32 make_pieces(const struct web_listing *l, u32 at, u32 file_end, struct piece *ret) {
    u32 n = 0;
    for (u32 end; at < file_end; at = end) {
        const struct web_entry *e = &l->entries[at];
        end = line_end(l, at);
        struct piece p = {.name = pretty_name(l, e->function),
                          .file = e->file,
                          .begin = e->line,
                          .end = e->line + 1,
                          .at = at,
                          .at_end = end};
        for (u32 i = at; i < end; i++) {
            p.flat = add(p.flat, l->code[l->entries[i].code_i].flat);
            p.cum = add(p.cum, l->code[l->entries[i].code_i].cum);
        }
        struct piece *last = n ? &ret[n - 1] : NULL;
        if (last && p.begin - last->end < MERGE_LINES && str_eq(last->name, p.name)) {
            last->end = p.end;
            last->at_end = end;
            last->flat = add(last->flat, p.flat);
            last->cum = add(last->cum, p.cum);
        } else {
            ret[n++] = p;
        }
    }
    return n;
}

// Neighbours share the gap between them. Line 0 stands for unknown lines and stays alone.
static void expand_pieces(struct piece *pieces, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (i == 0) {
            i64 begin = pieces[0].begin - EXPAND_LINES;
            if (pieces[0].begin > 1) pieces[0].begin = begin > 1 ? begin : 1;
            continue;
        }
        i64 half = (pieces[i].begin - pieces[i - 1].end) / 2;
        if (half > EXPAND_LINES) half = EXPAND_LINES;
        pieces[i - 1].end += half;
        pieces[i].begin -= half;
    }
    pieces[n - 1].end += EXPAND_LINES;
}

static bool source_line(struct layout *l, str file, i64 line, str *ret) {
    if (line <= 0) return false;
    const struct source_file *f = source_reader_file(&l->reader, file);
    if (!f->is_found || line > f->n_lines) return false;
    *ret = f->lines[line - 1];
    return true;
}

// The frames between the line shown and the instruction, outermost first; those the instruction
// before lay in too are left out, up to the first that differs.
static void add_calls(struct layout *l, const struct web_entry *e, const struct web_entry *before,
                      struct weblist_instruction *ret) {
    const struct dwarf_frame *frames = l->from->code[e->code_i].frames;
    const struct dwarf_frame *others = before ? l->from->code[before->code_i].frames : NULL;
    u32 n_others = before ? before->frame_i : 0;
    struct weblist_call *calls = NEW(l->out, struct weblist_call, e->frame_i);
    u32 n = 0;
    for (u32 depth = 0; depth < e->frame_i; depth++) {
        const struct dwarf_frame *f = &frames[e->frame_i - 1 - depth];
        const struct dwarf_frame *other = depth < n_others ? &others[n_others - 1 - depth] : NULL;
        if (other && other->line == f->line && str_eq(other->file, f->file)) continue;
        n_others = 0;
        struct weblist_call *call = &calls[n++];
        *call =
            (struct weblist_call){.file = str_basename(f->file), .line = f->line, .depth = depth};
        str text;
        if (source_line(l, f->file, f->line, &text)) call->text = str_trim(text);
    }
    ret->calls = calls;
    ret->n_calls = n;
    ret->depth = e->frame_i;
}

static void fill_line(struct layout *l, u32 at, u32 end, struct weblist_line *ret) {
    struct weblist_instruction *code = NEW(l->out, struct weblist_instruction, end - at);
    const struct web_code *last = NULL;
    bool has_code = false;
    for (u32 i = at; i < end; i++) {
        const struct web_entry *e = &l->from->entries[i];
        const struct web_code *c = &l->from->code[e->code_i];
        struct weblist_instruction *insn = &code[i - at];
        *insn =
            (struct weblist_instruction){.starts_block = last && last->key + last->len != c->key,
                                         .address = c->address,
                                         .text = c->text,
                                         .line = c->frames[0].line,
                                         .flat = c->flat,
                                         .cum = c->cum};
        if (c->frames[0].file.len) insn->file = str_basename(c->frames[0].file);
        add_calls(l, e, i > at ? e - 1 : NULL, insn);
        has_code |= e->frame_i > 0 || c->text.len > 0;
        ret->flat = add(ret->flat, c->flat);
        ret->cum = add(ret->cum, c->cum);
        last = c;
    }
    ret->has_code = has_code;
    ret->code = code;
    ret->n_code = end - at;
}

// The lines of a piece; those past the end of the file only where they have code.
static void fill_function(struct layout *l, const struct piece *p, struct weblist_function *ret) {
    struct weblist_line *lines = NULL;
    size_t cap = 0;
    u32 at = p->at;
    *ret =
        (struct weblist_function){.name = p->name, .file = p->file, .flat = p->flat, .cum = p->cum};
    for (i64 number = p->begin; number < p->end; number++) {
        struct weblist_line line = {.line = number};
        bool is_coded = at < p->at_end && l->from->entries[at].line == number;
        if (!source_line(l, p->file, number, &line.text)) {
            if (!is_coded) continue;
            line.text = number == 0 ? S("<instructions with unknown line numbers>") : S("???");
        }
        if (is_coded) {
            u32 end = line_end(l->from, at);
            fill_line(l, at, end, &line);
            at = end;
        }
        GROW(l->out, lines, cap, ret->n_lines + 1);
        lines[ret->n_lines++] = line;
    }
    ret->lines = lines;
}

bool report_weblist(struct arena *out, const struct summary *s, const struct disasm_request *req,
                    struct weblist *ret, struct err *err) {
    struct web_listing from;
    struct layout l = {.out = out, .from = &from};
    if (!weblist_collect(out, s, req, &from, err)) return false;
    source_reader_init(&l.reader, out, s->view->opts->source_path, s->view->opts->trim_path);
    sort_stable(out, from.entries, from.n_entries, sizeof *from.entries, entry_order, NULL);
    struct piece *pieces = NEW(out, struct piece, from.n_entries);
    size_t cap = 0;
    *ret = (struct weblist){0};
    for (u32 at = 0, end; at < from.n_entries; at = end) {
        for (end = at;
             end < from.n_entries && str_eq(from.entries[end].file, from.entries[at].file);)
            end++;
        u32 n = make_pieces(&from, at, end, pieces);
        expand_pieces(pieces, n);
        for (u32 i = 0; i < n; i++) {
            if (pieces[i].cum == 0) continue;
            GROW(out, ret->functions, cap, ret->n + 1);
            fill_function(&l, &pieces[i], &ret->functions[ret->n++]);
        }
    }
    return true;
}
