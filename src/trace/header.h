// trace/header.h - the 16 bytes in front of every trace.
// Room: reading the version. Door: trace/trace.h.
#pragma once

#include "base/base.h"

enum { TRACE_HEADER_LEN = 16, TRACE_V1_LEAST = 11, TRACE_V2_LEAST = 22, TRACE_NEWEST = 26 };

// Takes "go 1.NN trace\0\0\0" off r. Fails: ERR_UNRECOGNIZED.
MUST_USE bool header_read(struct reader *r, u32 *ret_version, struct err *err);
