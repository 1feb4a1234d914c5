// tests/unit/agent_waited.c - what locks and descriptors are called in dumps, and circles of
// waiters.
#include "unit.h"

#include "agent/deadlocks.h"
#include "agent/waited.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

TEST(lines_of_tcp_tables_are_both_ends_and_an_inode) {
    str text;
    u64 inode;
    CHECK(waited_inet_line(t->arena, S("tcp"),
                           S("   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 02:000A 0 "
                             "1000        0 20337 2 0000"),
                           &text, &inode));
    CHECK_STR(text, S("tcp 127.0.0.1:8080->127.0.0.1:50000"));
    CHECK_EQ(inode, 20337);
    CHECK(waited_inet_line(t->arena, S("tcp"),
                           S("0: 00000000000000000000000001000000:0050 "
                             "00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1"),
                           &text, &inode));
    CHECK_STR(text, S("tcp (0:0:0:0:0:0:0:1):80"));
    CHECK(waited_inet_line(t->arena, S("tcp"),
                           S("0: 0000000000000000FFFF00000100007F:0050 "
                             "00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 78 1"),
                           &text, &inode));
    CHECK_STR(text, S("tcp 127.0.0.1:80"));
}

TEST(other_lines_are_none) {
    const str lines[] = {S(""), S("  sl  local_address rem_address   st tx_queue rx_queue inode"),
                         S("0: 0100007F 0100007F:C350 01"), S("0: 01:1 01:1 01 0 0 0 0 0 5"),
                         S("0: 0100007F:1F90 0100007F:C350 01 0 0 0 0 0 x")};
    str text;
    u64 inode;
    for (u32 i = 0; i < countof(lines); i++)
        CHECK(!waited_inet_line(t->arena, S("tcp"), lines[i], &text, &inode));
}

static pthread_mutex_t known_mutex[2];

TEST(a_lock_has_its_variables_name) {
    struct waited waited;
    struct thread_dump thread = {.object = {.word = "mutex", .fd = -1, .holder = 9}};
    waited_init(&waited, t->arena);
    thread.object.address = (u64)(uintptr_t)known_mutex;
    waited_describe(&waited, &thread);
    CHECK(str_contains(thread.wait_info, S(" known_mutex held by thread 9")));
    thread.object.address = (u64)(uintptr_t)&known_mutex[1];
    waited_describe(&waited, &thread);
    CHECK(str_contains(thread.wait_info, S(" known_mutex+0x28 held")));
    thread.object.address = (u64)(uintptr_t)&waited; // on the stack
    thread.object.holder = 0;
    waited_describe(&waited, &thread);
    CHECK(!str_contains(str_skip(thread.wait_info, 8), S(" ")));
}

TEST(a_descriptor_says_where_it_leads) {
    struct waited waited;
    int pipes[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(pipe(pipes) == 0 && file >= 0);
    waited_init(&waited, t->arena);
    struct thread_dump thread = {
        .tid = (u32)getpid(), .wait_info = S("read"), .object = {.fd = file}};
    waited_describe(&waited, &thread);
    CHECK(str_ends(thread.wait_info, S(" /dev/null")) &&
          str_starts(thread.wait_info, S("read fd ")));
    thread.object.fd = pipes[0];
    thread.wait_info = S("read");
    waited_describe(&waited, &thread);
    CHECK(str_contains(thread.wait_info, S(" pipe ")) && !str_contains(thread.wait_info, S("[")));
    close(pipes[0]), close(pipes[1]), close(file);
}

TEST(who_waits_for_whom_is_found_by_tid) {
    struct thread_dump items[] = {
        {.tid = 3, .object = {.word = "mutex", .holder = 8}},
        {.tid = 5, .object = {.word = NULL, .holder = 3}},
        {.tid = 8, .object = {.word = "mutex", .holder = 3}},
        {.tid = 9, .object = {.word = "mutex", .holder = 4}},
    };
    struct thread_dumps dumps = {.items = items, .n = countof(items)};
    CHECK_EQ(deadlocks_next(&dumps, 0), 2);
    CHECK_EQ(deadlocks_next(&dumps, 1), U32_NONE);
    CHECK_EQ(deadlocks_next(&dumps, 2), 0);
    CHECK_EQ(deadlocks_next(&dumps, 3), U32_NONE);
    // None of these threads exists: a second look does not find the circle.
    CHECK_EQ(deadlocks_text(t->arena, &dumps).len, 0);
}

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold;

struct pair {
    pthread_mutex_t *first, *second;
};

static void *lock_both(void *arg) {
    const struct pair *pair = arg;
    pthread_mutex_lock(pair->first);
    pthread_barrier_wait(&both_hold);
    pthread_mutex_lock(pair->second);
    return NULL;
}

TEST(a_circle_of_owners_is_told_once_with_both_locks) {
    static struct pair pairs[] = {{&left, &right}, {&right, &left}};
    pthread_t threads[2];
    str text = {0};
    pthread_barrier_init(&both_hold, NULL, 2);
    for (u32 i = 0; i < 2; i++) CHECK(!pthread_create(&threads[i], NULL, lock_both, &pairs[i]));
    for (u32 i = 0; i < 200 && !text.len; i++) { // at most 4 s, until both wait
        usleep(20000);
        text = deadlocks_now(t->arena);
    }
    CHECK(str_starts(text, S("deadlock: thread ")));
    CHECK(str_contains(text, S(" left held by")) && str_contains(text, S(" right held by")));
    CHECK(!str_contains(text, S("; deadlock")));
}
