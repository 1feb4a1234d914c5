// report/weblist_code.c - the instructions that weblist shows.
// Room: which functions are of interest, their instructions, weights and inlined calls. Whole
// functions are decoded, where the original decodes 500 bytes around each sample. Door:
// weblist_collect(). Source: reference/pprof.md section 2.20.
#include "report/weblist.h"

enum {
    // Functions decoded, the hottest first. The original stops at 25 stretches of code; a page of
    // 100 functions of 1,000 instructions has 15 MB, which browsers still show.
    MAX_FUNCTIONS = 100,
    // An instruction without a line takes the one before it where that is at most this far.
    MAX_LINE_REACH_BYTES = 32,
    // Code decoded where no symbol says how far a function goes.
    UNKNOWN_CODE_BYTES = 500,
};

// An address of the profile, at its place in a binary.
struct spot {
    u32 object_i; // U32_NONE: no binary
    u32 location_i;
    u64 address;
    i64 flat, cum;
    bool is_wanted;
};

struct stretch {
    u32 object_i;
    u64 start, end;
    str name;
    i64 flat;
};

struct collecting {
    struct arena *out;
    const struct summary *s;
    const struct disasm_request *req;
    struct profile p; // the view's
    bool is_address;
    u64 address;
    struct object **objects; // [mapping]: NULL: cannot be read
    bool *is_tried;          // [mapping]: opening it was tried
    u32 *object_of;          // [mapping]: the first mapping of the same file
    struct spot *spots;      // by object and address
    u32 n_spots;
    struct stretch *stretches;
    u32 n_stretches;
    size_t cap_stretches;
    struct strmap interest;
    struct web_listing *ret;
};

static i64 add(i64 a, i64 b) {
    return (i64)((u64)a + (u64)b);
}

static void mark(struct collecting *c, const struct function *f) {
    *strmap_at(&c->interest, profile_str(&c->p, f->name)) = 1;
    *strmap_at(&c->interest, profile_str(&c->p, f->system_name)) = 1;
}

static void remember_name(struct collecting *c, const struct function *f) {
    u32 *at = strmap_at(&c->ret->pretty, profile_str(&c->p, f->system_name));
    if (*at != U32_NONE) return;
    *at = c->ret->n_names;
    GROW(c->out, c->ret->names, c->ret->cap_names, c->ret->n_names + 1);
    c->ret->names[c->ret->n_names++] = profile_str(&c->p, f->name);
}

static bool line_matches(const struct collecting *c, const struct function *f) {
    return regex_match(c->req->re, profile_str(&c->p, f->name)) ||
           regex_match(c->req->re, profile_str(&c->p, f->system_name)) ||
           regex_match(c->req->re, profile_str(&c->p, f->filename));
}

// Whether a location is of interest; its functions that are become so.
static bool look_at_location(struct collecting *c, const struct location *l) {
    bool is_wanted = false;
    bool is_it = c->is_address && l->address == c->address;
    bool has_file = l->mapping_i != U32_NONE &&
                    regex_match(c->req->re, profile_str(&c->p, c->p.mappings[l->mapping_i].file));
    for (u32 i = 0; i < l->n_lines; i++) {
        u32 function_i = c->p.lines[l->lines_at + i].function_i;
        if (function_i == U32_NONE) continue;
        const struct function *f = &c->p.functions[function_i];
        remember_name(c, f);
        bool is_match = is_it ? i + 1 == l->n_lines : (i == 0 && has_file) || line_matches(c, f);
        if (is_match) mark(c, f);
        is_wanted |= is_match;
    }
    return is_wanted;
}

// Weights by location; is_seen: some sample holds it.
static void weigh(struct collecting *c, bool *is_seen) {
    const struct view *v = c->s->view;
    for (u32 i = 0; i < c->p.n_samples; i++) {
        const i64 *values = profile_values(&c->p, i);
        i64 value = v->is_mean ? mean_of(values[v->type_i], values[0]) : values[v->type_i];
        u32 n;
        const u32 *stack = profile_stack(&c->p, i, &n);
        for (u32 k = 0; k < n; k++) {
            struct spot *spot = &c->spots[stack[k]];
            is_seen[stack[k]] = true;
            spot->cum = add(spot->cum, value);
            if (k == 0) spot->flat = add(spot->flat, value);
        }
    }
}

static void find_objects(struct collecting *c) {
    c->objects = NEW(c->out, struct object *, c->p.n_mappings);
    c->is_tried = NEW(c->out, bool, c->p.n_mappings);
    c->object_of = NEW(c->out, u32, c->p.n_mappings);
    for (u32 i = 0; i < c->p.n_mappings; i++) {
        u32 first = 0;
        while (c->p.mappings[first].file != c->p.mappings[i].file) first++;
        c->object_of[i] = first;
    }
}

// Opens the binary that a wanted spot lies in.
static void open_object(struct collecting *c, const struct spot *spot) {
    u32 mapping_i = c->p.locations[spot->location_i].mapping_i;
    if (!spot->is_wanted || mapping_i == U32_NONE) return;
    u32 object_i = c->object_of[mapping_i];
    str file = profile_str(&c->p, c->p.mappings[object_i].file);
    struct err ignored;
    if (c->objects[object_i] || c->is_tried[object_i] || file.len == 0) return;
    c->is_tried[object_i] = true;
    str path = local_path(c->out, &c->p, object_i);
    if (!object_open(c->out, path, &c->objects[object_i], &ignored)) c->objects[object_i] = NULL;
}

static void place_spot(struct collecting *c, struct spot *spot) {
    const struct location *l = &c->p.locations[spot->location_i];
    spot->object_i = U32_NONE;
    spot->address = l->address;
    if (l->mapping_i == U32_NONE || l->address == 0) return;
    u32 object_i = c->object_of[l->mapping_i];
    const struct object *o = c->objects[object_i];
    if (o && object_address(o, &c->p.mappings[l->mapping_i], l->address, &spot->address))
        spot->object_i = object_i;
}

static int spot_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    const struct spot *x = a, *y = b;
    if (x->object_i != y->object_i) return x->object_i < y->object_i ? -1 : 1;
    return x->address < y->address ? -1 : x->address > y->address;
}

static void make_spots(struct collecting *c) {
    u32 n = 0;
    bool *is_seen = NEW(c->out, bool, c->p.n_locations);
    c->spots = NEW(c->out, struct spot, c->p.n_locations);
    weigh(c, is_seen);
    for (u32 i = 0; i < c->p.n_locations; i++) {
        struct spot spot = c->spots[i];
        if (!is_seen[i]) continue;
        spot.location_i = i;
        spot.is_wanted = look_at_location(c, &c->p.locations[i]);
        open_object(c, &spot);
        c->spots[n++] = spot;
    }
    c->n_spots = n;
    for (u32 i = 0; i < n; i++) place_spot(c, &c->spots[i]);
    sort_stable(c->out, c->spots, n, sizeof *c->spots, spot_order, NULL);
}

static int stretch_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    i64 x = ((const struct stretch *)a)->flat, y = ((const struct stretch *)b)->flat;
    return x > y ? -1 : x < y;
}

// The functions that hold wanted spots, hottest first.
static void make_stretches(struct collecting *c) {
    struct stretch *last = NULL;
    for (u32 i = 0; i < c->n_spots; i++) {
        const struct spot *spot = &c->spots[i];
        if (!spot->is_wanted || spot->object_i == U32_NONE) continue;
        bool is_inside = last && last->object_i == spot->object_i && spot->address < last->end;
        if (!is_inside) {
            GROW(c->out, c->stretches, c->cap_stretches, c->n_stretches + 1);
            last = &c->stretches[c->n_stretches++];
            *last = (struct stretch){.object_i = spot->object_i,
                                     .start = spot->address,
                                     .end = spot->address + UNKNOWN_CODE_BYTES};
            u64 start, end;
            if (object_function_at(c->out, c->objects[spot->object_i], spot->address, &last->name,
                                   &start, &end)) {
                last->start = start;
                last->end = end;
            }
        }
        last->flat = add(last->flat, spot->flat);
    }
    sort_stable(c->out, c->stretches, c->n_stretches, sizeof *c->stretches, stretch_order, NULL);
    if (c->n_stretches > MAX_FUNCTIONS) c->n_stretches = MAX_FUNCTIONS;
}

// "./x" and "/proc/self/cwd/x" are "x".
static str canonical(struct arena *out, str file) {
    return path_clean(out, str_drop_prefix(str_drop_prefix(file, S("/proc/self/cwd/")), S("./")));
}

// Lists the instruction under each line of its inlined calls that belongs to a function of
// interest.
static void add_entries(struct collecting *c, u32 code_i, const struct dwarf_frame *frames, u32 n) {
    struct web_listing *ret = c->ret;
    for (u32 i = 0; i < n; i++) {
        if (strmap_get(&c->interest, frames[i].function) == U32_NONE) continue;
        GROW(c->out, ret->entries, ret->cap_entries, ret->n_entries + 1);
        ret->entries[ret->n_entries++] =
            (struct web_entry){.file = canonical(c->out, frames[i].file),
                               .function = frames[i].function,
                               .line = frames[i].line,
                               .code_i = code_i,
                               .frame_i = i};
    }
}

static struct web_code *add_code(struct collecting *c) {
    GROW(c->out, c->ret->code, c->ret->cap_code, c->ret->n_code + 1);
    return &c->ret->code[c->ret->n_code++];
}

// The profile's own lines of a location as frames.
static void own_frames(struct collecting *c, u32 location_i, struct web_code *code) {
    const struct location *l = &c->p.locations[location_i];
    struct dwarf_frame *frames = NEW(c->out, struct dwarf_frame, l->n_lines);
    code->n_frames = 0;
    for (u32 i = 0; i < l->n_lines; i++) {
        const struct line *line = &c->p.lines[l->lines_at + i];
        if (line->function_i == U32_NONE) continue;
        const struct function *f = &c->p.functions[line->function_i];
        frames[code->n_frames++] = (struct dwarf_frame){.function = profile_str(&c->p, f->name),
                                                        .file = profile_str(&c->p, f->filename),
                                                        .line = line->line};
    }
    code->frames = frames;
}

// The outermost function has its symbol's name, as local_symbolize gives it ("f.part.0").
static void name_outermost(struct collecting *c, str name, struct web_code *code) {
    if (name.len == 0 || code->n_frames == 0) return;
    struct dwarf_frame *frames = NEW(c->out, struct dwarf_frame, code->n_frames);
    for (u32 i = 0; i < code->n_frames; i++) frames[i] = code->frames[i];
    if (strmap_get(&c->interest, name) != U32_NONE) frames[code->n_frames - 1].function = name;
    code->frames = frames;
}

static u32 first_spot(const struct collecting *c, u32 object_i, u64 address) {
    struct spot key = {.object_i = object_i, .address = address};
    u32 low = 0, high = c->n_spots;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (spot_order(&c->spots[mid], &key, NULL) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_stretch(struct collecting *c, const struct stretch *stretch) {
    struct instructions insns;
    struct err ignored; // what cannot be decoded is not shown
    if (!object_disasm(c->out, c->objects[stretch->object_i], stretch->start, stretch->end,
                       c->req->is_intel, &insns, &ignored))
        return;
    struct web_code last = {0}; // the last one with a line
    for (u32 i = 0; i < insns.n; i++) {
        const struct instruction *insn = &insns.items[i];
        struct web_code *code = add_code(c);
        *code = (struct web_code){.key = ((u64)stretch->object_i << 48) + insn->address,
                                  .address = insn->address,
                                  .len = insn->len,
                                  .text = insn->text,
                                  .frames = insn->frames,
                                  .n_frames = insn->n_frames};
        u32 at = first_spot(c, stretch->object_i, insn->address), first = at;
        for (; at < c->n_spots && c->spots[at].object_i == stretch->object_i &&
               c->spots[at].address < insn->address + insn->len;
             at++) {
            code->flat = add(code->flat, c->spots[at].flat);
            code->cum = add(code->cum, c->spots[at].cum);
        }
        name_outermost(c, stretch->name, code);
        if (code->n_frames == 0 && at > first) own_frames(c, c->spots[first].location_i, code);
        struct web_code shown = *code;
        if (code->n_frames > 0 && code->frames[0].line != 0) {
            last = *code;
        } else if (last.n_frames > 0 && insn->address - last.address <= MAX_LINE_REACH_BYTES) {
            shown = last;
        }
        if (shown.n_frames > 0) {
            code->frames = shown.frames;
            code->n_frames = shown.n_frames;
        }
        add_entries(c, c->ret->n_code - 1, code->frames, code->n_frames);
    }
}

// An address without a binary is one line of the source, without instructions.
static void add_spot(struct collecting *c, const struct spot *spot) {
    struct web_code *code = add_code(c);
    *code = (struct web_code){.key = ((u64)0xffff << 48) + spot->location_i * 2u,
                              .address = spot->address,
                              .len = 1,
                              .flat = spot->flat,
                              .cum = spot->cum};
    own_frames(c, spot->location_i, code);
    add_entries(c, c->ret->n_code - 1, code->frames, code->n_frames);
}

bool weblist_collect(struct arena *out, const struct summary *s, const struct disasm_request *req,
                     struct web_listing *ret, struct err *err) {
    struct collecting c = {.out = out, .s = s, .req = req, .ret = ret};
    *ret = (struct web_listing){0};
    c.p = view_profile(out, s->view);
    c.is_address = num_parse_u64(req->pattern, 0, &c.address);
    strmap_init(&c.interest, out);
    strmap_init(&ret->pretty, out);
    find_objects(&c);
    make_spots(&c);
    make_stretches(&c);
    for (u32 i = 0; i < c.n_spots; i++) {
        if (c.spots[i].is_wanted && c.spots[i].object_i == U32_NONE) add_spot(&c, &c.spots[i]);
    }
    for (u32 i = 0; i < c.n_stretches; i++) add_stretch(&c, &c.stretches[i]);
    for (u32 i = 0; i < c.p.n_mappings; i++) object_close(c.objects[i]);
    if (c.interest.n > 0) return true;
    return err_set(err, ERR_NOT_FOUND, 0, "no matches found for regexp: " S_FMT,
                   S_ARG(req->pattern));
}
