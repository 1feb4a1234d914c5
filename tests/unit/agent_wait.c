// tests/unit/agent_wait.c - proves that wait scopes tell whom they should, and nobody else.
#include "unit.h"

#include "agent/hot/hot.h"

#include <errno.h>
#include <string.h>

// What the tracer below was told.
static struct {
    u32 n_begun, n_ended, n_waited, n_wakes;
    struct wait_scope last;
} told;

static void told_begin(const struct wait_scope *scope) {
    told.n_begun++;
    told.last = *scope;
    errno = EBADF;
}

static void told_end(const struct wait_scope *scope, bool has_waited) {
    told.n_ended++;
    told.n_waited += has_waited;
    told.last = *scope;
    errno = EBADF;
}

static void told_wakes(const void *object, const void *caller) {
    told.n_wakes += object != NULL && caller != NULL;
    errno = EBADF;
}

static const struct wait_tracer tracer = {told_begin, told_end, told_wakes};

static void wait_once(const void *object, bool has_waited) {
    struct wait_scope scope;
    wait_begin(&scope, WAIT_IO, object, CALLER);
    wait_end(&scope, has_waited);
}

TEST(a_tracer_is_told_of_both_ends_while_it_wants_to_be) {
    int object;
    memset(&told, 0, sizeof told);
    CHECK(!wait_is_on());
    wait_trace(&tracer);
    CHECK(wait_is_on());
    wait_once(&object, true);
    wait_once(&object, false);
    CHECK_EQ(told.n_begun, 2);
    CHECK_EQ(told.n_ended, 2);
    CHECK_EQ(told.n_waited, 1);
    CHECK(told.last.object == &object);
    CHECK_EQ(told.last.kind, WAIT_IO);
    CHECK(told.last.caller != NULL);
    CHECK_EQ(told.last.begin_ns, 0); // nobody else asked for the time
    errno = ENOENT;
    wait_wakes(&object, CALLER);
    CHECK_EQ(told.n_wakes, 1);
    CHECK_EQ(errno, ENOENT);
    wait_trace(NULL);
    CHECK(!wait_is_on());
    wait_once(&object, true);
    wait_wakes(&object, CALLER);
    CHECK_EQ(told.n_begun, 2);
    CHECK_EQ(told.n_wakes, 1);
}

TEST(a_wait_begun_under_a_trace_ends_for_it_and_others_do_not) {
    struct wait_scope early, late;
    memset(&told, 0, sizeof told);
    wait_begin(&early, WAIT_CALL, NULL, CALLER);
    wait_trace(&tracer);
    wait_end(&early, true);
    CHECK_EQ(told.n_ended, 0);
    wait_begin(&late, WAIT_CALL, NULL, CALLER);
    wait_trace(NULL);
    wait_end(&late, true);
    CHECK_EQ(told.n_ended, 1);
}

TEST(errno_is_kept) {
    wait_trace(&tracer);
    errno = ENOTTY;
    wait_once(NULL, true);
    CHECK_EQ(errno, ENOTTY);
    wait_trace(NULL);
}

TEST(our_own_code_and_hidden_threads_tell_nobody) {
    memset(&told, 0, sizeof told);
    wait_trace(&tracer);
    hot_thread.depth++;
    wait_once(NULL, true);
    hot_thread.depth--;
    hot_thread.is_hidden = true;
    wait_once(NULL, true);
    hot_thread.is_hidden = false;
    wait_trace(NULL);
    CHECK_EQ(told.n_begun + told.n_ended, 0);
}
