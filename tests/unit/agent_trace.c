// tests/unit/agent_trace.c - proves what a thread's records keep, what happens when there is no
// room or a handler comes in between, and what the flight recorder's variable means.
#include "agent/hot/hot.h"
#include "agent/trace.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct trace_stream *stream_now(void) {
    return hot_thread.trace;
}

static const struct trace_chunk *chunk_now(void) {
    return &trace_hot.chunks[stream_now()->chunk - 1];
}

TEST(records_keep_their_parts_and_grow_in_time) {
    CHECK(trace_hot_init());
    errno = ENOENT;
    trace_put(TRACE_MARK_SYNC, 0x123456, 0x89abcdef);
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
    CHECK_EQ(errno, ENOENT);
    u32 n = atomic_load(&chunk_now()->n);
    const struct trace_record *r = &chunk_now()->records[n - 2];
    CHECK_EQ(trace_mark_of(r), TRACE_MARK_SYNC);
    CHECK_EQ(trace_stack_of(r), 0x123456);
    CHECK_EQ(trace_arg_of(r), 0x89abcdef);
    CHECK_EQ(trace_mark_of(r + 1), TRACE_MARK_WOKEN);
    CHECK_EQ(trace_stack_of(r + 1), TRACE_NO_STACK);
    CHECK(r[1].ticks >= r[0].ticks);
}

TEST(a_text_is_cut_and_never_split_between_chunks) {
    static char text[5000];
    memset(text, 'x', sizeof text);
    CHECK(trace_hot_init());
    for (u32 i = 0; i < 10; i++)
        trace_put_text(TRACE_MARK_LOG, 1, 7, 8, S("category"), (str){text, sizeof text});
    u32 at = 0, n = atomic_load(&chunk_now()->n), last = 0;
    for (; at < n; at += trace_mark_of(&chunk_now()->records[at]) == TRACE_MARK_LOG
                             ? trace_arg_of(&chunk_now()->records[at])
                             : 1)
        last = at;
    CHECK_EQ(at, n);
    const struct trace_text *got = (const void *)&chunk_now()->records[last + 1];
    CHECK_EQ(got->id, 7);
    CHECK_EQ(got->parent, 8);
    CHECK_STR(((str){got->bytes, got->name_len}), S("category"));
    CHECK_EQ(got->value_len, TRACE_MAX_TEXT);
}

TEST(a_record_inside_another_is_lost_and_counted) {
    CHECK(trace_hot_init());
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
    u32 n = atomic_load(&chunk_now()->n);
    u64 n_lost = atomic_load(&trace_hot.n_lost);
    hot_thread.is_tracing = true; // as a handler finds it that interrupts trace_put
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
    hot_thread.is_tracing = false;
    CHECK_EQ(atomic_load(&trace_hot.n_lost), n_lost + 1);
    CHECK_EQ(atomic_load(&chunk_now()->n), n);
}

static void *write_until_lost(void *ret) {
    u64 n = 0;
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
    while (atomic_load(&stream_now()->n_lost) == 0) {
        trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
        n++;
    }
    *(u64 *)ret = n;
    trace_thread_ended();
    return NULL;
}

TEST(without_room_records_are_lost_and_memory_stays_bounded) {
    pthread_t thread;
    u64 n = 0;
    CHECK(trace_hot_init());
    CHECK_EQ(pthread_create(&thread, NULL, write_until_lost, &n), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(n > 1000000);
    CHECK(n <= (u64)TRACE_MAX_CHUNKS * TRACE_CHUNK_RECORDS);
    // Its chunks come back, and the next thread's records have room again.
    for (u32 i = 1; i <= TRACE_MAX_CHUNKS; i++)
        if (!hot_thread.trace || i != hot_thread.trace->chunk) trace_chunk_free(i);
    trace_put(TRACE_MARK_WOKEN, TRACE_NO_STACK, 0);
    CHECK_EQ(atomic_load(&stream_now()->n_lost), 0);
}

static void check_recorder(const char *text, bool is_good, u64 age_ms, size_t max_bytes) {
    u64 age = 0;
    size_t bytes = 0;
    CHECK_EQ(recorder_parse(str_of(text), &age, &bytes), is_good);
    if (!is_good) return;
    CHECK_EQ(age, age_ms);
    CHECK_EQ(bytes, max_bytes);
}

TEST(the_recorders_variable_has_two_parts_in_any_order) {
    check_recorder("10s,16MiB", true, 10000, 16 << 20);
    check_recorder("16MiB, 500ms", true, 500, 16 << 20);
    check_recorder("2m", true, 120000, RECORDER_BYTES_DEFAULT);
    check_recorder("4MB", true, RECORDER_AGE_MS_DEFAULT, 4000000);
    check_recorder("1", true, RECORDER_AGE_MS_DEFAULT, RECORDER_BYTES_DEFAULT);
    check_recorder("100GiB", true, RECORDER_AGE_MS_DEFAULT, RECORDER_BYTES_MAX);
    check_recorder("", false, 0, 0);
    check_recorder("0s", false, 0, 0);
    check_recorder("yes", false, 0, 0);
    check_recorder("10s,lots", false, 0, 0);
    check_recorder("-1s", false, 0, 0);
}
