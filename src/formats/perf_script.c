// formats/perf_script.c - the text `perf script` prints: an event line, then its stack, then a
// blank line.
// Room: that text. Door: formats/formats.h.
//
//     redis-server  1234/1236  [001]  5678.123456:     250000 cpu-clock:u:
//             7f0012345678 dictFind+0x18 (/usr/bin/redis-server)
//
// An event without a period counts 1. Each event name is a sample type of its own, so that
// `perf record -e a,b` gives both; commands and thread ids become labels.
#include "formats/recognize.h"
#include "profile/profile.h"

enum { MAX_EVENTS = 32 }; // perf itself multiplexes far fewer; more events count as the last one

struct script {
    struct profile_builder b;
    str events[MAX_EVENTS];
    bool is_counted[MAX_EVENTS]; // some sample of it has no period
    u32 n_events;
    u32 *stack;
    u32 n_stack;
    size_t cap_stack;
    str first_command;
    struct strmap mappings; // module name to mapping index
    // Functions inlined into the frame that comes next, innermost first.
    struct line *inlined;
    u32 n_inlined;
    size_t cap_inlined;
};

struct event_line {
    str command, event;
    i64 tid, period;
    bool has_period;
    str behind; // without callchains: the frame; of tracepoints: their fields
};

static str next_word(str *rest) {
    str word;
    *rest = str_trim(*rest);
    str_cut(*rest, ' ', &word, rest);
    return word;
}

// "1234" or "1234/1236": the thread's id.
static bool parse_tid(str word, i64 *tid) {
    ptrdiff_t slash = str_find_byte(word, '/');
    return num_parse_i64(str_skip(word, (size_t)(slash + 1)), 10, tid) && *tid >= 0;
}

static bool is_time(str word) {
    double seconds;
    return str_ends(word, S(":")) && str_contains(word, S(".")) &&
           num_parse_f64(str_drop_suffix(word, S(":")), &seconds);
}

// The command may hold blanks: it ends before the first word that is a thread id and is followed,
// at most one [cpu] later, by a time.
static bool find_tid(str line, struct event_line *ret, str *rest) {
    str left = line;
    while (left.len) {
        str word = next_word(&left), after = left;
        str following = next_word(&after);
        if (str_starts(following, S("["))) following = next_word(&after);
        if (parse_tid(word, &ret->tid) && is_time(following)) {
            ret->command = str_trim(str_take(line, (size_t)(word.p - line.p)));
            *rest = after;
            return true;
        }
    }
    return false;
}

static bool event_line_parse(str line, struct event_line *ret) {
    str rest;
    if (line.len == 0 || line.p[0] == '\t' || line.p[0] == '#') return false;
    if (!find_tid(line, ret, &rest)) return false;
    str word = next_word(&rest);
    ret->period = 1;
    ret->has_period = num_parse_i64(word, 10, &ret->period);
    if (ret->has_period) word = next_word(&rest);
    ret->event = str_drop_suffix(word, S(":"));
    ret->behind = str_trim(rest);
    return str_ends(word, S(":")) && ret->event.len > 0;
}

// What --show-task-events and its like print between the events.
static bool is_record_line(str line) {
    struct event_line e;
    str rest;
    return find_tid(line, &e, &rest) && str_starts(str_trim(rest), S("PERF_RECORD_"));
}

// perf counts these in nanoseconds.
static bool is_clock(str event) {
    return str_starts(event, S("cpu-clock")) || str_starts(event, S("task-clock"));
}

static u32 event_type(struct script *s, str event) {
    for (u32 i = 0; i < s->n_events; i++) {
        if (str_eq(s->events[i], event)) return i;
    }
    if (s->n_events == MAX_EVENTS) return MAX_EVENTS - 1;
    s->events[s->n_events] = event;
    return s->n_events++;
}

static u32 module_mapping(struct script *s, str module) {
    if (module.len == 0 || str_eq(module, S("[unknown]"))) return U32_NONE;
    u32 *at = strmap_at(&s->mappings, module);
    if (*at == U32_NONE) {
        struct mapping row = {.file = builder_str(&s->b, module), .has_functions = true};
        *at = builder_mapping(&s->b, &row);
    }
    return *at;
}

// "  7f00 name+0x18 (module)": address, symbol without its offset, module.
static bool frame_parse(str line, u64 *address, str *symbol, str *module) {
    str rest = str_trim(line);
    str word = next_word(&rest);
    if (!num_parse_u64(word, 16, address)) return false;
    ptrdiff_t open = str_rfind_byte(rest, '(');
    *module = (str){0};
    *symbol = str_trim(rest);
    if (open >= 0 && str_ends(rest, S(")"))) {
        *symbol = str_trim(str_take(rest, (size_t)open));
        *module = str_drop_suffix(str_skip(rest, (size_t)open + 1), S(")"));
    }
    ptrdiff_t plus = str_rfind_byte(*symbol, '+');
    if (plus > 0 && str_starts(str_skip(*symbol, (size_t)plus), S("+0x")))
        *symbol = str_take(*symbol, (size_t)plus);
    return true;
}

static void frame_push(struct script *s, u64 address, str symbol, str module) {
    bool is_known = symbol.len && !str_eq(symbol, S("[unknown]"));
    GROW(s->b.arena, s->inlined, s->cap_inlined, s->n_inlined + 1);
    if (is_known) {
        u32 name = builder_str(&s->b, symbol);
        struct function function = {.name = name, .system_name = name};
        s->inlined[s->n_inlined++] =
            (struct line){.function_i = builder_function(&s->b, &function)};
    }
    if (str_eq(module, S("inlined"))) return; // into the frame below
    GROW(s->b.arena, s->stack, s->cap_stack, s->n_stack + 1);
    s->stack[s->n_stack++] =
        builder_location(&s->b, address, module_mapping(s, module), s->inlined, s->n_inlined);
    s->n_inlined = 0;
}

static void sample_add(struct script *s, const struct event_line *e) {
    i64 values[MAX_EVENTS] = {0};
    values[event_type(s, e->event)] = e->period;
    struct label labels[2] = {
        {.key = builder_str(&s->b, S("command")),
         .str = builder_str(&s->b, e->command),
         .is_string = true},
        {.key = builder_str(&s->b, S("tid")), .num = e->tid, .unit = 0},
    };
    builder_sample(&s->b, values, s->stack, s->n_stack, labels, 2);
    s->n_stack = s->n_inlined = 0;
}

// First pass: which events there are, since every sample has a value of each. False: other text.
static bool find_events(struct script *s, str bytes) {
    struct reader r = reader_of(bytes);
    struct event_line e;
    str line;
    bool is_first = true;
    while (reader_line(&r, &line)) {
        if (line.len == 0 || line.p[0] == '#' || is_record_line(line)) continue;
        bool is_event = event_line_parse(line, &e);
        if (is_first && !is_event) return false;
        is_first = false;
        if (!is_event) continue;
        if (s->n_events == 0) s->first_command = e.command;
        u32 i = event_type(s, e.event);
        s->is_counted[i] = s->is_counted[i] || !e.has_period;
    }
    return !is_first;
}

// The lines up to a blank one or, where no callchains were recorded, the next event.
static void read_stack(struct script *s, struct reader *r) {
    str line, symbol, module;
    u64 address;
    struct event_line next;
    struct reader before = *r;
    for (; reader_line(r, &line) && str_trim(line).len; before = *r) {
        if (event_line_parse(line, &next)) {
            *r = before;
            return;
        }
        if (frame_parse(line, &address, &symbol, &module)) frame_push(s, address, symbol, module);
    }
}

// The program of the first sample becomes the first mapping: reports are titled by it.
static void put_main_first(struct profile *p, str command) {
    u32 main_i = 0;
    while (main_i < p->n_mappings &&
           !str_starts(str_basename(profile_str(p, p->mappings[main_i].file)), command))
        main_i++;
    if (main_i == 0 || main_i >= p->n_mappings || command.len == 0) return;
    struct mapping first = p->mappings[0];
    p->mappings[0].file = p->mappings[main_i].file;
    p->mappings[main_i].file = first.file;
    for (u32 i = 0; i < p->n_locations; i++) {
        u32 *at = &p->locations[i].mapping_i;
        *at = *at == 0 ? main_i : *at == main_i ? 0 : *at;
    }
}

// A frame stands on the event's own line where no callchains were recorded; else all are below.
bool perf_script_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    struct script s = {0};
    builder_init(&s.b, out);
    strmap_init(&s.mappings, out);
    if (!find_events(&s, bytes)) return err_set(err, ERR_UNRECOGNIZED, 0, "not perf script text");
    for (u32 i = 0; i < s.n_events; i++) {
        bool is_time = is_clock(s.events[i]) && !s.is_counted[i];
        builder_sample_type(&s.b, s.events[i], is_time ? S("nanoseconds") : S("count"));
    }
    struct reader r = reader_of(bytes);
    struct event_line e;
    str line;
    while (reader_line(&r, &line)) {
        if (!event_line_parse(line, &e) || is_record_line(line)) continue;
        str symbol, module;
        u64 address;
        if (frame_parse(e.behind, &address, &symbol, &module))
            frame_push(&s, address, symbol, module);
        read_stack(&s, &r);
        sample_add(&s, &e);
    }
    *ret = builder_done(&s.b);
    ret->default_sample_type = ret->sample_types[0].type; // as of perf.data, there is an event
    put_main_first(ret, s.first_command);
    return true;
}
