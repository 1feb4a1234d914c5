// trace/v1_index.c - one pass over a v1 trace: where its batches are, its strings, stacks, samples.
// Room: framing and tables; order is v1_order.c. Door: v1_index(), at the end.
#include "trace/v1.h"
#include "trace/varint.h"

static const struct v1_spec specs[64] = {
#define V1(number, text, first, args, stack, when, v2)                                             \
    [number] = {.name = #text,                                                                     \
                .since = (first),                                                                  \
                .n_args = (args),                                                                  \
                .rule = V1_##when,                                                                 \
                .becomes = (v2),                                                                   \
                .has_stack = (stack)},
#include "trace/v1.def"
#undef V1
};

const struct v1_spec *v1_spec(u8 type) {
    return &specs[type & 0x3f];
}

static bool take_bytes(const u8 **p, const u8 *end, u64 max, str *ret) {
    u64 len;
    if (!varint_take(p, end, &len) || len > max || len > (u64)(end - *p)) return false;
    *ret = (str){(const char *)*p, (size_t)len};
    *p += len;
    return true;
}

// What has no time: tables, batches, the clock.
static bool read_structure(const u8 **p, const u8 *end, u8 form, struct v1_raw *ret) {
    switch (ret->type) {
    case V1_Batch:
        return form == 1 && varint_take(p, end, &ret->args[0]) &&
               varint_take(p, end, &ret->args[1]);
    case V1_String:
        return varint_take(p, end, &ret->args[0]) && take_bytes(p, end, V1_MAX_STRING, &ret->text);
    case V1_Stack:
        if (form == 3) return take_bytes(p, end, V1_MAX_ARG_BYTES, &ret->text);
        for (u32 i = 0; i <= form; i++) { // an empty one
            if (!varint_take(p, end, &ret->args[0])) return false;
        }
        return true;
    default:
        return form == 0 && varint_take(p, end, &ret->args[0]);
    }
}

bool v1_is_structure(u8 type) {
    return type == V1_Batch || type == V1_Stack || type == V1_String || type == V1_Frequency ||
           type == V1_TimerGoroutine;
}

bool v1_read(const u8 **p, const u8 *end, u32 version, struct v1_raw *ret) {
    u8 head = *(*p)++, form = head >> 6;
    const struct v1_spec *spec = v1_spec(head);
    *ret = (struct v1_raw){.type = head & 0x3f};
    if (!spec->name || spec->since > version) return false;
    if (v1_is_structure(ret->type)) return read_structure(p, end, form, ret);
    // The time, the numbers, the stack: up to three stand there as they are, more have a length.
    u32 n = 1u + spec->n_args + spec->has_stack;
    u64 len, last = 0;
    const u8 *stop = end;
    if (form == 3) {
        if (!varint_take(p, end, &len) || len > (u64)(end - *p)) return false;
        stop = *p + len;
    } else if (form + 1u != n) {
        return false;
    }
    if (!varint_take(p, stop, &ret->dt)) return false;
    for (u32 i = 1; i < n; i++) {
        if (!varint_take(p, stop, &last)) return false;
        if (i <= spec->n_args) ret->args[i - 1] = last;
    }
    if (form == 3 && *p != stop) return false;
    ret->stack = spec->has_stack ? (u32)last : 0;
    return ret->type != V1_UserLog || take_bytes(p, end, V1_MAX_STRING, &ret->text);
}

u32 v1_go_index(struct v1 *v, u64 id) {
    u32 *at = idmap_at(&v->go_by_id, id);
    if (*at == U32_NONE) {
        *at = v->n_gos++;
        GROW(v->arena, v->gos, v->cap_gos, v->n_gos);
        v->gos[*at] = (struct v1_go){.id = id, .regions = U32_NONE};
    }
    return *at;
}

struct v1_proc *v1_proc_of(struct v1 *v, i32 pid) {
    u32 *at = idmap_at(&v->proc_by_pid, (u64)(i64)pid);
    if (*at == U32_NONE) {
        *at = v->n_procs++;
        GROW(v->arena, v->procs, v->cap_procs, v->n_procs);
        v->procs[*at] =
            (struct v1_proc){.pid = pid, .first = U32_NONE, .last = U32_NONE, .thread = TRACE_NONE};
    }
    return &v->procs[*at];
}

static void broken(struct v1 *v, const u8 *at, const char *what) {
    err_fill(&v->err, ERR_MALFORMED, (u64)(at - v->bytes.start), "%s", what);
}

static bool add_batch(struct v1 *v, const struct v1_raw *raw, u64 at) {
    u64 pid = raw->args[0];
    if ((pid != UINT64_MAX && pid > INT32_MAX) || v->n_batches == U32_NONE - 1) return false;
    struct v1_proc *proc = v1_proc_of(v, pid == UINT64_MAX ? -1 : (i32)pid);
    u32 i = v->n_batches++;
    GROW(v->arena, v->batches, v->cap_batches, v->n_batches);
    v->batches[i] =
        (struct v1_batch){.at = at, .end = at, .ticks = (i64)raw->args[1], .next = U32_NONE};
    if (proc->last == U32_NONE)
        proc->first = i;
    else
        v->batches[proc->last].next = i;
    proc->last = i;
    return true;
}

static bool add_stack(struct v1 *v, str body) {
    const u8 *p = (const u8 *)body.p, *stop = p + body.len;
    u64 id, n, pc, func, file, line;
    if (body.len == 0) return true;
    if (!varint_take(&p, stop, &id) || !varint_take(&p, stop, &n) || n > V1_MAX_FRAMES)
        return false;
    // The first stack of an id counts; no runtime writes two.
    bool is_kept = (u32)id != 0 && n != 0 && trace_table_stack(v->table, (u32)id);
    for (u64 i = 0; i < n; i++) {
        if (!varint_take(&p, stop, &pc) || !varint_take(&p, stop, &func) ||
            !varint_take(&p, stop, &file) || !varint_take(&p, stop, &line))
            return false;
        if (is_kept && i < TRACE_MAX_FRAMES) trace_table_frame(v->table, pc, func, file, line);
    }
    return p == stop;
}

static bool add_structure(struct v1 *v, const struct v1_raw *raw, u64 at) {
    u32 go_i;
    switch (raw->type) {
    case V1_Batch:
        return add_batch(v, raw, at);
    case V1_String:
        return raw->args[0] != 0 && raw->text.len != 0 &&
               trace_table_string(v->table, raw->args[0], raw->text);
    case V1_Stack:
        return add_stack(v, raw->text);
    case V1_TimerGoroutine:
        go_i = v1_go_index(v, raw->args[0]);
        v->gos[go_i].is_timer = true;
        return true;
    default:
        v->frequency = raw->args[0] <= INT64_MAX ? raw->args[0] : 0;
        return true;
    }
}

// Samples stand where they were written, long after they were taken: they are put in order apart.
static void add_sample(struct v1 *v, const struct v1_raw *raw, u64 at) {
    if (v->n_samples == U32_NONE - 1) return;
    GROW(v->arena, v->samples, v->cap_samples, v->n_samples + 1);
    v->samples[v->n_samples++] = (struct v1_record){.ts = (i64)raw->args[0],
                                                    .at = at,
                                                    .go_i = v1_go_index(v, raw->args[2]),
                                                    .p = (i32)raw->args[1]};
}

void v1_index(struct v1 *v) {
    const u8 *p = v->bytes.p, *end = v->bytes.end;
    while (p < end) {
        const u8 *start = p;
        struct v1_raw raw;
        if (!v1_read(&p, end, v->version, &raw)) {
            const struct v1_spec *spec = v1_spec(raw.type);
            bool is_known = spec->name && spec->since <= v->version;
            broken(v, start, is_known ? "an event is cut off" : "there is no such event");
            return;
        }
        if (v1_is_structure(raw.type)) {
            if (!add_structure(v, &raw, (u64)(p - v->bytes.start))) {
                broken(v, start, "a table or batch is cut off or contradicts itself");
                return;
            }
        } else if (v->n_batches == 0) {
            broken(v, start, "an event before the first batch");
            return;
        } else {
            v->n_events++;
            if (raw.type == V1_CPUSample) add_sample(v, &raw, (u64)(start - v->bytes.start));
        }
        // Batches follow each other: the last one holds all up to here.
        if (v->n_batches) v->batches[v->n_batches - 1].end = (u64)(p - v->bytes.start);
    }
}
