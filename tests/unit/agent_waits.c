// tests/unit/agent_waits.c - the kernel's line about a blocked thread, and the words for it.
// Room: claims about agent/waits. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"
#include "agent/waits.h"

#include <sys/syscall.h>

TEST(a_blocked_threads_line_is_read) {
    struct task_syscall call;
    CHECK(task_syscall_parse(
        S("7 0x1 0xabc 0x0 0x0 0x5 0xffffffffffffffff 0x7ffccf9dfe08 0x7fb6a45762ad"), &call));
    CHECK(!call.is_running);
    CHECK_EQ(call.number, 7);
    CHECK_EQ(call.args[1], 0xabc);
    CHECK(call.args[5] == UINT64_MAX);
    CHECK(call.sp == 0x7ffccf9dfe08 && call.pc == 0x7fb6a45762ad);
}

TEST(running_and_page_fault_lines_are_read) {
    struct task_syscall call;
    CHECK(task_syscall_parse(S("running"), &call));
    CHECK(call.is_running);
    CHECK(task_syscall_parse(S("-1 0x7ffc01 0x401000"), &call));
    CHECK(!call.is_running && call.number == -1 && call.sp == 0x7ffc01);
}

TEST(other_lines_are_refused) {
    const str lines[] = {S(""),           S("runnin"),         S("7"),
                         S("7 0x1 0x2"),  S("-1 0x7ffc01"),    S("x 0x1 0x2"),
                         S("-1 1 2"),     S("-1 0x1 0x2 0x3"), S("-1 0x1 0xg"),
                         S("-1  0x1 0x2")};
    struct task_syscall call;
    for (u32 i = 0; i < countof(lines); i++) CHECK(!task_syscall_parse(lines[i], &call));
}

static struct wait wait_in(struct unit *t, i64 number, u64 arg1) {
    struct task_syscall call = {.number = number, .args = {[1] = arg1}};
    return wait_of(t->arena, wait_places_find(t->arena), &call, NULL, 0);
}

TEST(system_calls_get_gos_words) {
    CHECK_STR(wait_in(t, SYS_read, 0).state, S("IO wait"));
    CHECK_STR(wait_in(t, SYS_epoll_pwait, 0).state, S("IO wait"));
    CHECK_STR(wait_in(t, SYS_clock_nanosleep, 0).state, S("sleep"));
    CHECK_STR(wait_in(t, SYS_futex, 0).state, S("semacquire"));
    CHECK_STR(wait_in(t, SYS_wait4, 0).state, S("syscall"));
    CHECK_STR(wait_in(t, SYS_wait4, 0).info, S("wait4"));
    CHECK_STR(wait_in(t, 100000, 0).info, S("system call 100000"));
    CHECK_STR(wait_in(t, -1, 0).state, S("runnable"));
}

TEST(poll_is_a_sleep_a_wait_or_a_select) {
    CHECK_STR(wait_in(t, SYS_ppoll, 0).state, S("sleep"));
    CHECK_STR(wait_in(t, SYS_ppoll, 1).state, S("IO wait"));
    CHECK_STR(wait_in(t, SYS_ppoll, 2).state, S("select"));
}

TEST(a_frame_in_pthread_mutex_lock_names_the_mutex_and_its_holder) {
    u32 mutex[10] = {[2] = 4711}; // glibc: lock, count, owner
    u64 pcs[] = {1, (u64)(uintptr_t)hot_resolve("pthread_mutex_lock", NULL) + 10, 2};
    struct task_syscall call = {.number = SYS_futex, .args = {(u64)(uintptr_t)mutex}};
    struct wait wait = wait_of(t->arena, wait_places_find(t->arena), &call, pcs, 3);
    CHECK_STR(wait.state, S("sync.Mutex.Lock"));
    CHECK(str_starts(wait.info, S("mutex 0x")) && str_ends(wait.info, S("held by thread 4711")));
}

TEST(a_mutex_that_is_unmapped_by_now_is_no_harm) {
    u64 pcs[] = {(u64)(uintptr_t)hot_resolve("pthread_mutex_lock", NULL) + 10};
    struct task_syscall call = {.number = SYS_futex, .args = {8}};
    CHECK_STR(wait_of(t->arena, wait_places_find(t->arena), &call, pcs, 1).info, S("mutex 0x8"));
}

TEST(kernel_functions_tell_the_state_where_calls_are_hidden) {
    CHECK_STR(wait_by_channel(S("futex_do_wait")).state, S("semacquire"));
    CHECK_STR(wait_by_channel(S("hrtimer_nanosleep")).state, S("sleep"));
    CHECK_STR(wait_by_channel(S("do_epoll_wait")).state, S("IO wait"));
    CHECK_STR(wait_by_channel(S("inet_csk_accept")).state, S("IO wait"));
    CHECK_STR(wait_by_channel(S("poll_schedule_timeout.constprop.0")).state, S("select"));
    CHECK_STR(wait_by_channel(S("do_wait")).state, S("syscall"));
    CHECK_STR(wait_by_channel(S("do_wait")).info, S("do_wait"));
}
