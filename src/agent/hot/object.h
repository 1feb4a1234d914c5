// agent/hot/object.h - the loaded object behind a pc, and its segments.
// Room: _dl_find_object, the vDSO, program headers. Lock-free and async-signal-safe:
// _dl_find_object is documented so since glibc 2.35. Door: agent/hot/unwind.h.
#pragma once

#include "agent/hot/cfi.h"

struct object {
    u64 lo, hi; // its mapping
    u64 hdr;    // address of .eh_frame_hdr, 0: none
};

// Finds the vDSO. Idempotent, from cold code.
void objects_init(void);
// The object pc lies in; false: JIT code, or nonsense.
bool object_find(u64 pc, struct object *ret);
// The bytes of the mapped segment that holds .eh_frame_hdr, remembered per object.
bool object_cfi_segment(const struct object *object, struct cfi_bytes *ret);
// The bytes of the segment that holds addr; every bit of p_flags (PF_X ...) must be set in it.
// Headers are copied with bounds_copy when is_doubtful: an object found through a stale word of
// the stack may be unmapped at any time, one that a live frame runs in may not.
bool object_segment(const struct object *object, u64 addr, u32 p_flags, bool is_doubtful,
                    struct cfi_bytes *ret);
// Forgets remembered segments.
void objects_forget(void);
