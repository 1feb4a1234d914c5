// fuzz/report.c - every kind of report over any profile that decodes, under options drawn from the
// input. The first 8 bytes choose kind and options, the rest is a plain profile.proto message. What
// is checked: no report crashes, hangs or reads past a table, however odd the profile.
#include "driver/pipeline.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 8, MAX_OUT = 1 << 20 };

static void choose(const uint8_t *b, struct report_request *req, struct options *o) {
    static const char *const words[] = {"", "a", "main|x", "^$", ".", "1kb:2mb", "k=v", "(["};
    o->view.granularity = b[1] % 6;
    o->view.noinlines = b[2] & 1;
    o->view.mean = b[2] & 2;
    o->view.relative_percentages = b[2] & 4;
    o->graph.call_tree = b[2] & 8;
    o->graph.drop_negative = b[2] & 16;
    o->graph.trim = !(b[2] & 32);
    o->graph.sort = b[2] & 64 ? SORT_CUM : SORT_FLAT;
    o->graph.nodecount = b[3] % 8 - 1;
    str word = str_of(words[b[5] % 8]);
    str *const targets[] = {&o->view.focus,    &o->view.ignore,    &o->view.hide,
                            &o->view.show,     &o->view.show_from, &o->view.prune_from,
                            &o->view.tagfocus, &o->view.tagignore, &o->view.tagshow,
                            &o->view.taghide,  &o->view.tagroot,   &o->view.tagleaf};
    *targets[b[4] % countof(targets)] = word;
    req->kind = b[0] % (REPORT_SPEEDSCOPE + 1);
    req->form = b[0] / 32 % (FORM_CSV + 1);
    if (!pipeline_has_form(req->kind, req->form)) req->form = FORM_TEXT;
    req->has_regex = req->kind == REPORT_PEEK || req->kind == REPORT_LIST ||
                     req->kind == REPORT_DISASM || req->kind == REPORT_WEBLIST;
    req->regex = str_of(words[b[6] % 8]);
    req->options = o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) return 0;
    struct arena arena;
    arena_init(&arena);
    struct profile p;
    struct err err;
    struct options options = options_default();
    struct report_request req = {0};
    choose(data, &req, &options);
    str bytes = {(const char *)data + HEAD, size - HEAD};
    if (profile_decode(&arena, bytes, &p, &err) && profile_check(&p, &err)) {
        struct buf to = buf_new(&arena, MAX_OUT), messages = buf_new(&arena, MAX_OUT);
        // A failure without a sentence would leave people with nothing.
        if (!pipeline_report(&arena, &p, &req, &to, &messages, &err)) assert(err.text[0]);
    }
    arena_done(&arena);
    return 0;
}
