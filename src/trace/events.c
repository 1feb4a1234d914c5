// trace/events.c - events.def as a table, and the official words of kinds and states.
// Room: constants only. Door: trace/trace.h.
#include "trace/trace.h"

#define EVENT(number, text, first, shape, sort, stack, subject_stack, name_arg, value_arg, ...)    \
    [number] = {.name = #text,                                                                     \
                .args = {__VA_ARGS__},                                                             \
                .n_args = sizeof((const char *[]){NULL, ##__VA_ARGS__}) / sizeof(char *) - 1,      \
                .since = (first),                                                                  \
                .form = TRACE_##shape,                                                             \
                .kind = TRACE_##sort,                                                              \
                .stack_at = (stack),                                                               \
                .subject_stack_at = (subject_stack),                                               \
                .name_at = (name_arg),                                                             \
                .value_at = (value_arg)},
const struct trace_spec trace_specs[256] = {
#include "trace/events.def"
    [TRACE_EV_NEW_GENERATION] = {.kind = TRACE_SYNC, .form = TRACE_PLAIN}};
#undef EVENT

str trace_kind_name(enum trace_kind kind) {
    static const str names[] = {
        [TRACE_STRUCTURE] = S("Bad"),
        [TRACE_SYNC] = S("Sync"),
        [TRACE_METRIC] = S("Metric"),
        [TRACE_LABEL] = S("Label"),
        [TRACE_SAMPLE] = S("StackSample"),
        [TRACE_RANGE_BEGIN] = S("RangeBegin"),
        [TRACE_RANGE_ACTIVE] = S("RangeActive"),
        [TRACE_RANGE_END] = S("RangeEnd"),
        [TRACE_TASK_BEGIN] = S("TaskBegin"),
        [TRACE_TASK_END] = S("TaskEnd"),
        [TRACE_REGION_BEGIN] = S("RegionBegin"),
        [TRACE_REGION_END] = S("RegionEnd"),
        [TRACE_LOG] = S("Log"),
        [TRACE_TRANSITION] = S("StateTransition"),
        [TRACE_EXPERIMENTAL] = S("Experimental"),
    };
    return names[kind];
}

str trace_state_name(enum trace_state state) {
    static const str names[] = {
        [TRACE_UNDETERMINED] = S("Undetermined"),
        [TRACE_NOT_EXIST] = S("NotExist"),
        [TRACE_RUNNABLE] = S("Runnable"),
        [TRACE_RUNNING] = S("Running"),
        [TRACE_WAITING] = S("Waiting"),
        [TRACE_IN_SYSCALL] = S("Syscall"),
        [TRACE_IDLE] = S("Idle"),
    };
    return names[state];
}
