// agent/hot/bounds.h - which memory an unwind may read, and reading it.
// Room: windows of readable stack, and copies of doubtful bytes. A stack whose top is known (the
// main thread's, a pthread's) is readable from sp to there; any other stack (alternate signal
// stack, fiber) is probed page by page; another thread's stack is copied piecewise, since it may
// be unmapped under our eyes. Door: agent/hot/unwind.h.
#pragma once

#include "base/types.h"

enum {
    // A stack of unknown extent is followed this far above sp. Fibers have 8 to 256 KiB.
    UNKNOWN_STACK_BYTES = 256 << 10,
    // One copy of another thread's stack: blocked threads seldom have more than 4 KiB in use.
    COPY_BYTES = 4096,
};

enum window_mode {
    WINDOW_FIXED, // [lo, hi) is all there is
    WINDOW_PROBE, // grows up to limit by probing
    WINDOW_COPY,  // a piece of [floor, limit) that lives in a buffer
};

// The readable bytes: addr can be loaded as 8 bytes when addr - lo < span, from addr + delta.
struct window {
    u64 lo, span, delta;
    u64 floor, limit; // what reach may extend to
    bool is_fiber;    // limit is the end of a registered stack
    u8 *copy;
    enum window_mode mode;
};

// Finds the main stack and checks that process_vm_readv works. Idempotent, from cold code.
void bounds_init(void);
// The window of the calling thread's stack that sp points into; empty when nothing can be read.
void window_open(struct window *w, u64 sp);
// The window of another thread's stack; buffer has COPY_BYTES and lives as long as the window.
void window_open_parked(struct window *w, u64 sp, u64 lo, u64 hi, u8 *buffer);
// Whether sp is so near the end of a registered stack that no frame is above it.
bool window_is_at_end(const struct window *w, u64 sp);
// Makes the 8 bytes at addr part of the window; false: they are outside or not readable.
bool window_reach(struct window *w, u64 addr);
// Copies len bytes from anywhere in this process without a fault; false: not readable.
bool bounds_copy(void *dst, u64 addr, size_t len);

static inline bool window_load(struct window *w, u64 addr, u64 *ret) {
    if (__builtin_expect(addr - w->lo >= w->span, 0) && !window_reach(w, addr)) return false;
    __builtin_memcpy(ret, (const void *)(addr + w->delta), 8); // addr may be unaligned in odd CFI
    return true;
}
