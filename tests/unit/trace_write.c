// tests/unit/trace_write.c - proves that whatever acts a writer is told, in whatever order and with
// whatever missing, its trace is one that the reader follows to the end, and that what was told in
// order is read back as it was told.
#include "trace/trace.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAIN = 100, WORKER = 101, N_RANDOM = 20000, SECOND = 1000000000 };

static const u64 pcs_of_stack[] = {0x1001, 0x2001, 0x3001};

// Stack s is the first s of three frames; 0 is empty.
static const u64 *stack_of(void *ctx, u32 stack, u32 *n) {
    (void)ctx;
    *n = stack % 4;
    return pcs_of_stack;
}

static struct trace_frame frame_of(void *ctx, u64 pc) {
    static const str names[] = {S("lock"), S("work"), S("start")};
    (void)ctx;
    str name = pc >> 12 >= 1 && pc >> 12 <= 3 ? names[(pc >> 12) - 1] : S("entry");
    return (struct trace_frame){.pc = pc, .line = 7, .func = name, .file = S("a.c")};
}

static const struct trace_namer namer = {stack_of, frame_of, NULL};

static struct trace_writer *begin(u32 version) {
    struct trace_writer *w = trace_writer_new(version, &namer, NULL);
    trace_writer_thread(w, &(struct trace_known){.tid = MAIN, .start_pc = 0x4001, .name = "m"});
    trace_writer_begin(w, &(struct trace_clock){.mono_ns = 5000, .wall_s = 1700000000});
    return w;
}

// A file of what the writer gives from here on.
struct file {
    struct buf bytes;
    u64 now;
};

static struct file file_new(struct unit *t, u32 version) {
    struct file file = {.bytes = buf_new(t->arena, 64 << 20), .now = 5000};
    buf_put(&file.bytes, trace_write_header(version));
    return file;
}

static void next_generation(struct file *file, struct trace_writer *w) {
    buf_put(&file->bytes, trace_writer_cut(w));
    trace_writer_begin(w, &(struct trace_clock){.mono_ns = file->now, .wall_s = 1700000001});
}

static void put(struct file *file, struct trace_writer *w, struct trace_act act) {
    act.time_ns = file->now += 100;
    trace_writer_put(w, &act);
}

static struct trace_reader *finish(struct unit *t, struct file *file, struct trace_writer *w) {
    struct trace_reader *r;
    buf_put(&file->bytes, trace_writer_cut(w));
    trace_writer_free(w);
    CHECK(trace_open(t->arena, buf_str(&file->bytes), &r, &t->err));
    return r;
}

// The next change of a goroutine's state.
static struct trace_event next_of(struct trace_reader *r, i64 g) {
    struct trace_event ev;
    while (trace_next(r, &ev))
        if (ev.kind == TRACE_TRANSITION && ev.subject_kind == TRACE_GOROUTINE && ev.subject == g)
            return ev;
    fail_msg("no more events of goroutine %d", (int)g);
    return ev;
}

static void check_next(struct trace_reader *r, i64 g, enum trace_state from, enum trace_state to) {
    struct trace_event ev = next_of(r, g);
    CHECK_EQ(ev.from, from);
    CHECK_EQ(ev.to, to);
}

TEST(writer_tells_a_thread_from_birth_to_end) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    put(&file, w,
        (struct trace_act){
            .kind = TRACE_ACT_CREATES, .tid = MAIN, .other = WORKER, .stack = 2, .id = 0x3001});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_BORN, .tid = WORKER});
    put(&file, w,
        (struct trace_act){
            .kind = TRACE_ACT_BLOCKED, .tid = WORKER, .name = S("sync"), .stack = 3});
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_UNBLOCKS, .tid = MAIN, .other = WORKER, .stack = 1});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_WOKEN, .tid = WORKER});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_ENDED, .tid = WORKER});
    struct trace_reader *r = finish(t, &file, w);
    check_next(r, MAIN, TRACE_UNDETERMINED, TRACE_RUNNING);
    check_next(r, WORKER, TRACE_NOT_EXIST, TRACE_RUNNABLE);
    check_next(r, WORKER, TRACE_RUNNABLE, TRACE_RUNNING);
    struct trace_event ev = next_of(r, WORKER);
    CHECK_STR(ev.name, S("sync"));
    CHECK_EQ(trace_depth(r, ev.stack), 3);
    CHECK_STR(trace_frame(r, ev.stack, 2)->func, S("start"));
    CHECK_STR(trace_frame(r, ev.stack, 2)->file, S("a.c"));
    ev = next_of(r, WORKER);
    CHECK_EQ(ev.to, TRACE_RUNNABLE);
    CHECK_EQ(ev.g, MAIN); // who woke it
    check_next(r, WORKER, TRACE_RUNNABLE, TRACE_RUNNING);
    check_next(r, WORKER, TRACE_RUNNING, TRACE_NOT_EXIST);
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(writer_supplies_what_was_lost) {
    struct trace_writer *w = begin(TRACE_WRITE_GO126);
    struct file file = file_new(t, TRACE_WRITE_GO126);
    // A thread nobody heard of blocks twice and ends; then it is woken.
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_BLOCKED, .tid = 7, .name = S("sleep")});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_BLOCKED, .tid = 7, .name = S("network")});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_ENDED, .tid = 7});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_UNBLOCKS, .tid = MAIN, .other = 7});
    struct trace_reader *r = finish(t, &file, w);
    check_next(r, 7, TRACE_NOT_EXIST, TRACE_IN_SYSCALL);
    check_next(r, 7, TRACE_IN_SYSCALL, TRACE_RUNNABLE);
    check_next(r, 7, TRACE_RUNNABLE, TRACE_RUNNING);
    check_next(r, 7, TRACE_RUNNING, TRACE_WAITING);
    check_next(r, 7, TRACE_WAITING, TRACE_RUNNABLE);
    check_next(r, 7, TRACE_RUNNABLE, TRACE_RUNNING);
    CHECK_STR(next_of(r, 7).name, S("network"));
    trace_close(r);
}

TEST(writer_shows_a_thread_that_left_its_cpu_unseen) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    u32 at = 0, tid = 0;
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_ON, .tid = MAIN, .stack = U32_NONE});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_OFF, .tid = MAIN, .stack = U32_NONE});
    CHECK(trace_writer_unseen(w, &at, &tid));
    CHECK_EQ(tid, MAIN);
    CHECK(!trace_writer_unseen(w, &at, &tid));
    trace_writer_stack(w, MAIN, 2);
    next_generation(&file, w);
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_ON, .tid = MAIN, .stack = U32_NONE});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_PREEMPTED, .tid = MAIN, .stack = U32_NONE});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_OFF, .tid = MAIN, .stack = U32_NONE});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_ON, .tid = MAIN, .stack = U32_NONE});
    struct trace_reader *r = finish(t, &file, w);
    check_next(r, MAIN, TRACE_UNDETERMINED, TRACE_RUNNING);
    check_next(r, MAIN, TRACE_RUNNING, TRACE_IN_SYSCALL);
    struct trace_event ev = next_of(r, MAIN); // the second generation's status
    CHECK_EQ(ev.to, TRACE_IN_SYSCALL);
    CHECK_EQ(trace_depth(r, ev.stack), 2);
    check_next(r, MAIN, TRACE_IN_SYSCALL, TRACE_RUNNING);
    CHECK_STR(next_of(r, MAIN).name, S("preempted"));
    check_next(r, MAIN, TRACE_RUNNABLE, TRACE_RUNNING);
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(writer_ends_regions_inside_out) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    static const char *const wanted[] = {"outer", "inner", "inner", "outer"};
    struct trace_event ev;
    u32 n = 0;
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_REGION_END, .tid = MAIN, .name = S("x")});
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_REGION_BEGIN, .tid = MAIN, .name = S("outer")});
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_REGION_BEGIN, .tid = MAIN, .name = S("inner")});
    next_generation(&file, w);
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_REGION_END, .tid = MAIN, .name = S("outer")});
    struct trace_reader *r = finish(t, &file, w);
    while (trace_next(r, &ev)) {
        if (ev.kind != TRACE_REGION_BEGIN && ev.kind != TRACE_REGION_END) continue;
        CHECK(n < countof(wanted));
        CHECK_STR(ev.name, str_of(wanted[n]));
        n++;
    }
    CHECK_EQ(n, 4);
    CHECK(!trace_broken(r));
    trace_close(r);
}

// Names of regions are kept as long as one is open, whatever comes by: labels with numbers in them
// had filled the table for good.
TEST(writer_forgets_names_of_regions_that_ended) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    struct trace_event ev;
    u32 n_begun = 0, n_ended = 0, n_other = 0;
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_REGION_BEGIN, .tid = MAIN, .name = S("outer")});
    for (u32 i = 0; i < 10000; i++) {
        char text[32];
        snprintf(text, sizeof text, "request %u", i);
        struct trace_act act = {.kind = TRACE_ACT_REGION_BEGIN, .tid = MAIN, .name = str_of(text)};
        put(&file, w, act);
        act.kind = TRACE_ACT_REGION_END;
        put(&file, w, act);
        if (i % 1000 == 0) next_generation(&file, w);
    }
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_REGION_END, .tid = MAIN, .name = S("outer")});
    struct trace_reader *r = finish(t, &file, w);
    while (trace_next(r, &ev)) {
        n_begun += ev.kind == TRACE_REGION_BEGIN;
        n_ended += ev.kind == TRACE_REGION_END;
        n_other += ev.kind == TRACE_REGION_BEGIN && str_eq(ev.name, S("[other]"));
    }
    CHECK_EQ(n_begun, 10001);
    CHECK_EQ(n_ended, 10001);
    CHECK_EQ(n_other, 0);
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(writer_shows_labels_beside_the_name) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    static const char *const wanted[] = {"m", "m, page=/buy", "m, page=/buy", "m"};
    struct trace_event ev;
    u32 n = 0;
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_LABELS, .tid = MAIN, .value = S("page=/buy")});
    next_generation(&file, w);
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_LABELS, .tid = MAIN});
    struct trace_reader *r = finish(t, &file, w);
    while (trace_next(r, &ev)) {
        if (ev.kind != TRACE_LABEL) continue;
        CHECK(n < countof(wanted));
        CHECK_STR(ev.name, str_of(wanted[n]));
        n++;
    }
    CHECK_EQ(n, countof(wanted));
    CHECK(!trace_broken(r));
    trace_close(r);
}

TEST(writer_keeps_tasks_logs_samples_and_metrics) {
    struct trace_writer *w = begin(TRACE_WRITE_GO126);
    struct file file = file_new(t, TRACE_WRITE_GO126);
    u32 seen = 0;
    struct trace_event ev;
    put(&file, w,
        (struct trace_act){
            .kind = TRACE_ACT_TASK_BEGIN, .tid = MAIN, .id = 9, .name = S("order"), .stack = 1});
    put(&file, w,
        (struct trace_act){.kind = TRACE_ACT_LOG,
                           .tid = MAIN,
                           .id = 9,
                           .name = S("shop"),
                           .value = S("sold out"),
                           .stack = 1});
    put(&file, w, (struct trace_act){.kind = TRACE_ACT_TASK_END, .tid = MAIN, .id = 9});
    trace_writer_heap(w, file.now, 1000, 2000);
    trace_writer_sample(w, file.now, MAIN, 3);
    trace_writer_notice(w, file.now, 999, S("3 events were lost"));
    struct trace_reader *r = finish(t, &file, w);
    while (trace_next(r, &ev)) {
        if (ev.kind == TRACE_TASK_BEGIN) seen += str_eq(ev.name, S("order")) && ev.args[0] == 9;
        if (ev.kind == TRACE_LOG && ev.g == MAIN) seen += str_eq(ev.value, S("sold out"));
        if (ev.kind == TRACE_LOG && ev.g == 999) seen += str_eq(ev.value, S("3 events were lost"));
        if (ev.kind == TRACE_TASK_END) seen += ev.args[0] == 9;
        if (ev.kind == TRACE_METRIC && ev.type == TRACE_EV_HeapGoal) seen += ev.args[0] == 2000;
        if (ev.kind == TRACE_SAMPLE) seen += ev.g == MAIN && trace_depth(r, ev.stack) == 3;
        if (ev.type == TRACE_EV_NEW_GENERATION && ev.has_clock) seen += ev.args[3] == 1700000000;
    }
    CHECK_EQ(seen, 7);
    CHECK(!trace_broken(r));
    trace_close(r);
}

static u64 draw(u64 *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static struct trace_act random_act(u64 *state) {
    static const str names[] = {S("sync"), S("network"), S("sleep"), S("a region"), S("")};
    struct trace_act act = {.kind = (enum trace_act_kind)(draw(state) % (TRACE_ACT_LABELS + 1)),
                            .tid = MAIN + (u32)(draw(state) % 24),
                            .other = MAIN + (u32)(draw(state) % 24),
                            .stack = (u32)(draw(state) % 5),
                            .id = draw(state) % 3,
                            .name = names[draw(state) % countof(names)],
                            .value = names[draw(state) % countof(names)]};
    if (act.stack == 4) act.stack = U32_NONE;
    // A task's id is used once by whoever makes tasks.
    if (act.kind == TRACE_ACT_TASK_BEGIN) act.id = 1000 + draw(state);
    return act;
}

// TRACE_WRITE_TO=file keeps the trace, for other readers.
static void keep(str bytes) {
    const char *path = getenv("TRACE_WRITE_TO");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fwrite(bytes.p, 1, bytes.len, file);
    fclose(file);
}

TEST(writer_makes_a_good_trace_of_any_acts) {
    static const u32 versions[] = {TRACE_WRITE_GO123, TRACE_WRITE_GO126};
    for (u64 seed = 0; seed < 20; seed++) {
        u64 state = seed;
        u32 version = versions[seed % 2], n_generations = 0;
        struct trace_event ev;
        struct trace_writer *w = begin(version);
        struct file file = file_new(t, version);
        for (u32 i = 0; i < N_RANDOM; i++) {
            put(&file, w, random_act(&state));
            if (draw(&state) % 50 == 0) trace_writer_sample(w, file.now, MAIN, 2);
            if (draw(&state) % 2000 == 0) next_generation(&file, w);
        }
        struct trace_reader *r = finish(t, &file, w);
        while (trace_next(r, &ev)) n_generations += ev.type == TRACE_EV_NEW_GENERATION;
        keep(buf_str(&file.bytes));
        if (trace_broken(r)) fail_msg("seed %d: %s", (int)seed, trace_broken(r)->text);
        CHECK(n_generations > 1);
        trace_close(r);
        keep(buf_str(&file.bytes));
    }
}

TEST(writer_survives_more_frames_threads_and_text_than_fit) {
    struct trace_writer *w = begin(TRACE_WRITE_GO123);
    struct file file = file_new(t, TRACE_WRITE_GO123);
    struct trace_event ev;
    char text[3000];
    u32 n_logs = 0;
    memset(text, 'x', sizeof text);
    for (u32 i = 0; i < 5000; i++) { // tids that fill more than a batch of statuses
        put(&file, w,
            (struct trace_act){.kind = TRACE_ACT_BLOCKED, .tid = 1000 + i, .name = S("sync")});
        text[0] = (char)('a' + i % 26), text[1] = (char)('a' + i / 26 % 26);
        put(&file, w,
            (struct trace_act){.kind = TRACE_ACT_LOG,
                               .tid = MAIN,
                               .stack = U32_NONE,
                               .name = S("c"),
                               .value = {text, sizeof text}});
    }
    next_generation(&file, w);
    struct trace_reader *r = finish(t, &file, w);
    while (trace_next(r, &ev)) {
        n_logs += ev.kind == TRACE_LOG;
        if (ev.kind == TRACE_LOG) CHECK_EQ(ev.value.len, TRACE_MAX_STRING);
    }
    CHECK_EQ(n_logs, 5000);
    CHECK(!trace_broken(r));
    trace_close(r);
}
