// trace/v1_waits.c - the waits of a v1 trace, as the official tools of its time counted them.
// Room: pairing the begin of a wait with its end; profiles are blocked.c. Door: v1_next_wait(), at
// the end. Those tools count calls only when they lost their processor, and the time from being
// created or woken to running, not after a preemption. Tools of today count what v2 tells, which
// gives every call of a v1 trace a nanosecond.
#include "trace/v1.h"

static bool is_wait_of(enum trace_wait wait, u8 type) {
    switch (wait) {
    case TRACE_WAIT_NET:
        return type == V1_GoBlockNet;
    case TRACE_WAIT_SYNC:
        return type == V1_GoBlockSend || type == V1_GoBlockRecv || type == V1_GoBlockSelect ||
               type == V1_GoBlockSync || type == V1_GoBlockCond || type == V1_GoBlockGC;
    case TRACE_WAIT_SYSCALL:
        return type == V1_GoSysCall;
    case TRACE_WAIT_SCHED:
        return type == V1_GoUnblock || type == V1_GoUnblockLocal || type == V1_GoCreate;
    }
    return false;
}

// The goroutine whose last event may be one that others end; that event is replaced by this one.
static u32 owner(struct v1 *v, const struct v1_record *r, const struct v1_raw *raw) {
    switch (v1_spec(raw->type)->rule) {
    case V1_CREATE:
    case V1_WAKE:
    case V1_WAKE_LOCAL:
        return v1_go_index(v, raw->args[0]);
    case V1_START:
    case V1_START_LOCAL:
    case V1_BLOCK:
    case V1_YIELD:
    case V1_WAITING:
        return raw->type == V1_GoSysBlock ? U32_NONE : r->go_i;
    default:
        return raw->type == V1_GoSysCall ? r->go_i : U32_NONE;
    }
}

static bool is_end(u8 type) {
    u8 rule = v1_spec(type)->rule;
    return rule == V1_WAKE || rule == V1_WAKE_LOCAL || rule == V1_START || rule == V1_START_LOCAL;
}

bool v1_next_wait(struct v1 *v, enum trace_wait wait, struct trace_event *ret, i64 *ret_ns) {
    while (v->record_i < v->n_records) {
        const struct v1_record *r = &v->records[v->record_i++];
        const u8 *at = v->bytes.start + (r->at & ~V1_IS_BLOCKING);
        struct v1_raw raw;
        if (!v1_read(&at, v->bytes.end, v->version, &raw)) break;
        u32 go_i = owner(v, r, &raw);
        if (go_i == U32_NONE) continue;
        struct v1_go *g = &v->gos[go_i];
        u8 began = g->wait_type;
        u32 stack = id_table_get(&v->table->stack_ids, g->wait_stack);
        *ret_ns = r->ts - g->wait_ns;
        g->wait_type =
            v1_spec(raw.type)->rule == V1_START || v1_spec(raw.type)->rule == V1_START_LOCAL
                ? 0
                : raw.type;
        g->wait_stack = (u32)raw.stack;
        g->wait_ns = r->ts;
        if (!is_end(raw.type) || !is_wait_of(wait, began) || *ret_ns <= 0) continue;
        if (stack == U32_NONE || v->table->stacks[stack].n == 0) continue;
        ret->stack = stack;
        ret->subject = (i64)g->id;
        return true;
    }
    return false;
}
