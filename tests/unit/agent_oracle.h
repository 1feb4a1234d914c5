// tests/unit/agent_oracle.h - the same stack as libgcc's unwinder sees it, as lookup pcs.
// Room: the oracle of the unwinder's tests. Door: agent_unwind.c, agent_unwind_step.c.
#pragma once

#include "agent_frames.h"

#include <unwind.h>

struct oracle {
    u64 pcs[MAX_FRAMES];
    u32 n;
    u32 interrupted_i; // the index of the last interrupted frame, which a signal frame precedes
};

static _Unwind_Reason_Code oracle_frame(struct _Unwind_Context *context, void *arg) {
    struct oracle *oracle = arg;
    int is_exact = 0;
    u64 pc = _Unwind_GetIPInfo(context, &is_exact);
    // The frame before interrupted code is the handler's trampoline, and no call led to it.
    if (is_exact && oracle->n > 0) {
        oracle->pcs[oracle->n - 1]++;
        oracle->interrupted_i = oracle->n;
    }
    if (oracle->n < MAX_FRAMES && pc) oracle->pcs[oracle->n++] = pc - !is_exact;
    return _URC_NO_REASON;
}

static NOINLINE void oracle_here(struct oracle *ret) {
    ret->n = ret->interrupted_i = 0;
    _Unwind_Backtrace(oracle_frame, ret);
    NO_TAIL_CALL;
}
