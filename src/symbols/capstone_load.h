// symbols/capstone_load.h - capstone, loaded when instructions are read.
// Room: the functions disasm.c and disasm_x86.c call. Door: disasm.h. Its tables are a third of
// what linking it made pprof's start take, time and memory: 1.8 MB of pointers to relocate.
#pragma once

#include <capstone/capstone.h>

#include "base/base.h"

#define CAPSTONE_FUNCTIONS(X)                                                                      \
    X(cs_open)                                                                                     \
    X(cs_close)                                                                                    \
    X(cs_option)                                                                                   \
    X(cs_strerror)                                                                                 \
    X(cs_malloc)                                                                                   \
    X(cs_free)                                                                                     \
    X(cs_disasm_iter)                                                                              \
    X(cs_insn_group)                                                                               \
    X(cs_reg_name)

struct capstone_api {
#define CAPSTONE_FIELD(name) __typeof__(name) *name;
    CAPSTONE_FUNCTIONS(CAPSTONE_FIELD)
#undef CAPSTONE_FIELD
};

// Loads the capstone whose headers this was built with; another major version lays its structs out
// differently. It stays loaded. Fails: ERR_UNSUPPORTED.
MUST_USE bool capstone_load(struct capstone_api *ret, struct err *err);
