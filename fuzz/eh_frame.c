// fuzz/eh_frame.c - any bytes as .eh_frame_hdr and .eh_frame, any pc, any registers.
// The input is {i32 pc offset, i32 FDE offset, the segment}. The stack is a small buffer: a load
// outside of it or of the segment is the finding.
#include "agent/hot/frame.h"
#include "agent/hot/rules.h"
#include "agent/hot/thread.h"

#include <stdlib.h>
#include <string.h>

// Its own, so that threads.c stays out of the program: its pthread_create would hide libFuzzer's
// threads from the leak checker.
__thread struct hot_thread hot_thread;

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void apply(const struct cfi_bytes *bytes, u64 fde, u64 pc) {
    static u64 stack[64];
    struct cfi_row row;
    if (!cfi_row_at(bytes, fde, pc, &row)) return;
    rule_of_row(bytes, &row, pc);
    struct regs regs = {.known = ((u64)1 << N_REGS) - 1};
    for (u32 i = 0; i < N_REGS; i++) regs.r[i] = (u64)&stack[i * 3];
    u64 lo = (u64)stack, hi = lo + sizeof stack;
    struct window window = {.lo = lo, .span = sizeof stack - 7, .floor = lo, .limit = hi};
    frame_apply(bytes, &row, &regs, &window);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    i32 offsets[2];
    if (len <= sizeof offsets) return 0;
    memcpy(offsets, data, sizeof offsets);
    len -= sizeof offsets;
    u8 *copy = malloc(len); // of the exact size, so that a read past the end is seen
    if (!copy) return 0;
    memcpy(copy, data + sizeof offsets, len);
    struct cfi_bytes bytes = {copy, len, 0x7f0000001000};
    u64 pc = bytes.addr + (u64)(i64)offsets[0], fde;
    apply(&bytes, bytes.addr + (u64)(i64)offsets[1], pc);
    if (cfi_find(&bytes, pc, &fde)) apply(&bytes, fde, pc);
    free(copy);
    return 0;
}
