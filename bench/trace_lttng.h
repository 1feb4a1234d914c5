// bench/trace_lttng.h - the event that trace_lttng.c measures, in lttng-ust's words: two numbers, as
// an event of ours has. Room: this one event; the library includes this file several times.
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER pprof_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./trace_lttng.h"

#if !defined(PPROF_BENCH_TRACE_LTTNG_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define PPROF_BENCH_TRACE_LTTNG_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(
    pprof_bench, event, LTTNG_UST_TP_ARGS(unsigned, stack, unsigned, arg),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned, stack, stack)
                            lttng_ust_field_integer(unsigned, arg, arg)))

#endif

#include <lttng/tracepoint-event.h>
