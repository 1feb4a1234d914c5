// agent/trace_switches.c - what the scheduler says of a trace's threads.
// Room: whose switches are recorded, and keeping the records until the next drain; the records
// themselves are switches.c's. Door: agent/trace_inner.h.
//
// They tell what no hook sees: that the kernel took a thread's CPU, when a thread that was woken
// got one, and waits in calls that are not hooked. A microsecond a switch, 12 KiB a thread; threads
// that live less than a second are left alone.
#include "agent/trace_inner.h"

#include "agent/hot/hot.h"
#include "agent/switches.h"
#include "agent/tasks.h"

static void keep(u32 tid, u64 time_ns, bool is_out, bool is_preempted) {
    u64 mark = !is_out ? TRACE_MARK_ON : is_preempted ? TRACE_MARK_PREEMPTED : TRACE_MARK_OFF;
    GROW(&tracer.arena, tracer.switches, tracer.cap_switches, tracer.n_switches + 1);
    tracer.switches[tracer.n_switches++] =
        (struct trace_record){time_ns, mark << 56 | (u64)TRACE_NO_STACK << 32 | tid};
}

void tracer_switches_begin(void) {
    AUTO_ARENA struct arena scratch = arena_sub(&tracer.arena);
    tracer.n_switches = 0;
    tracer.is_switches_told = false;
    tracer.has_switches = switches_status(&scratch).len == 0;
    if (!tracer.has_switches) return;
    switches_open();
    switches_listen(keep);
}

// Without room for its records a thread looks as it does where the kernel gives none.
void tracer_switches_follow(u32 tid) {
    if (tracer.has_switches && !switches_follow(tid)) tracer.is_unfollowed = true;
}

void tracer_switches_sweep(void) {
    if (tracer.has_switches) switches_keep(task_exists);
}

void tracer_switches_end(void) {
    if (!tracer.has_switches) return;
    tracer.has_switches = false;
    switches_listen(NULL);
    switches_close();
    tracer.switches = NULL;
    tracer.cap_switches = tracer.n_switches = 0;
}
