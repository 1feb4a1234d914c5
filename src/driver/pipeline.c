// driver/pipeline.c - the stages of one report, in order: view, frames, graph, rows, bytes.
// Room: what each kind of report overrides and which stages it needs; no stage's own work.
// Door: driver/pipeline.h. Source: reference/pprof.md sections 2.2, 2.3.
#include "driver/pipeline.h"

#include "graph/graph.h"
#include "render/render.h"
#include "report/report.h"
#include "view/view.h"

// How the command itself changes options; the output form does it after (section 2.2).
static void override_for_command(enum report_kind kind, struct options *o) {
    switch (kind) {
    case REPORT_DISASM:
    case REPORT_WEBLIST:
        o->graph.trim = false;
        o->view.granularity = GRANULARITY_ADDRESSES;
        o->view.noinlines = kind == REPORT_DISASM;
        break;
    case REPORT_PEEK:
        o->graph.trim = false;
        break;
    case REPORT_LIST:
        o->graph.trim = false;
        o->view.granularity = GRANULARITY_LINES;
        break;
    case REPORT_TEXT:
    case REPORT_TOPPROTO:
        if (o->graph.nodecount == -1) o->graph.nodecount = 0;
        break;
    case REPORT_PROTO:
    case REPORT_RAW:
    case REPORT_CALLGRIND:
        o->graph.trim = false;
        o->view.granularity = GRANULARITY_ADDRESSES;
        break;
    case REPORT_TREE:
    case REPORT_TRACES:
    case REPORT_TAGS:
    case REPORT_COMMENTS:
    case REPORT_DOT:
    case REPORT_FOLDED:
    case REPORT_SPEEDSCOPE:
    case REPORT_FLAMEGRAPH:
        if (o->graph.nodecount == -1) o->graph.nodecount = 80;
        break;
    }
    if (o->graph.trim) return;
    o->graph.nodecount = 0;
    o->graph.nodefraction = o->graph.edgefraction = 0;
}

bool pipeline_has_form(enum report_kind kind, enum report_form form) {
    switch (kind) {
    case REPORT_TEXT:
    case REPORT_TREE:
    case REPORT_PEEK:
    case REPORT_TAGS:
    case REPORT_LIST:
    case REPORT_DISASM:
    case REPORT_TRACES:
    case REPORT_COMMENTS:
        return true;
    case REPORT_DOT:
    case REPORT_WEBLIST:
        return form != FORM_CSV; // two tables in one
    case REPORT_RAW:
    case REPORT_PROTO:
    case REPORT_TOPPROTO:
    case REPORT_CALLGRIND:
    case REPORT_FOLDED:
    case REPORT_SPEEDSCOPE:
    case REPORT_FLAMEGRAPH:
        return form == FORM_TEXT;
    }
    return false;
}

// Everything one run carries from stage to stage.
struct run {
    struct arena *out;
    const struct report_request *req;
    struct options options; // overridden
    struct regex *regex;    // NULL: none
    struct view view;
    struct summary summary;
    struct frames frames;
    struct graph graph;
    struct lines legend;
    struct buf *to, *messages;
    struct err *err;
};

static bool look(struct run *r, const struct profile *p, struct buf *messages) {
    const struct report_request *req = r->req;
    r->options = *req->options;
    override_for_command(req->kind, &r->options);
    if (!view_build(r->out, p, &r->options.view, r->options.report.unit, messages, &r->view,
                    r->err)) {
        return false;
    }
    if (!summary_build(r->out, &r->view, &r->options.report, &r->summary, r->err)) return false;
    if (!req->has_regex) return true;
    if (regex_compile(r->out, req->regex, &r->regex, r->err)) return true;
    struct buf context = buf_new(r->out, ERR_TEXT_CAP);
    buf_put(&context, S("parsing argument regexp "));
    buf_put(&context, req->regex);
    return err_in(r->err, str_z(r->out, buf_str(&context)));
}

static void make_frames(struct run *r, bool has_objects, bool has_raw_paths) {
    view_frames(r->out, &r->view,
                &(struct frame_opts){.has_objects = has_objects, .has_raw_paths = has_raw_paths},
                &r->frames);
}

static void make_graph(struct run *r, bool needs_edges) {
    enum report_kind kind = r->req->kind;
    bool is_dot = kind == REPORT_DOT, is_callgrind = kind == REPORT_CALLGRIND;
    make_frames(r, is_callgrind || kind == REPORT_LIST || kind == REPORT_DISASM, false);
    graph_build(
        r->out, &r->view, &r->frames,
        &(struct graph_request){.opts = &r->options.graph,
                                .is_visual = is_dot,
                                .call_tree = r->options.graph.call_tree && (is_dot || is_callgrind),
                                .needs_edges = needs_edges,
                                .re = kind == REPORT_PEEK ? r->regex : NULL,
                                .unit = r->options.report.unit},
        &r->graph);
    summary_choose_unit(&r->summary, &r->graph, is_callgrind);
}

static void make_legend(struct run *r) {
    legend_graph(r->out, &r->summary, &r->graph, &r->options.graph, r->req->kind == REPORT_DOT,
                 &r->legend);
}

static bool run_top(struct run *r) {
    struct top top;
    make_graph(r, false);
    make_legend(r);
    report_top(r->out, &r->graph, &top);
    if (r->req->page) report_top_page(r->out, r->req->page, &top);
    switch (r->req->form) {
    case FORM_TEXT:
        render_top(r->to, &r->summary, &r->legend, &top);
        break;
    case FORM_JSON:
        render_top_json(r->to, &r->summary, &top);
        break;
    case FORM_CSV:
        render_top_csv(r->to, &r->summary, &top);
        break;
    }
    return true;
}

static bool run_tree(struct run *r) {
    struct tree tree;
    make_graph(r, true);
    make_legend(r);
    if (!report_tree(r->out, &r->graph, r->regex, r->req->regex, &tree, r->err)) return false;
    switch (r->req->form) {
    case FORM_TEXT:
        render_tree(r->to, &r->summary, &r->legend, &tree, r->graph.n_shown > 0);
        break;
    case FORM_JSON:
        render_tree_json(r->to, &r->summary, &tree);
        break;
    case FORM_CSV:
        render_tree_csv(r->to, &r->summary, &tree);
        break;
    }
    return true;
}

static bool run_traces(struct run *r) {
    make_frames(r, false, true);
    if (r->req->stacks) report_stack_page(r->out, &r->frames, r->req->stacks, &r->view);
    if (r->req->kind == REPORT_FOLDED) {
        render_folded(r->to, &r->summary, &r->frames);
        return true;
    }
    if (r->req->kind == REPORT_SPEEDSCOPE) {
        render_speedscope(r->to, &r->summary, &r->frames);
        return true;
    }
    if (r->req->form == FORM_JSON) {
        render_traces_json(r->to, &r->summary, &r->frames);
        return true;
    }
    if (r->req->form == FORM_CSV) {
        render_traces_csv(r->to, &r->summary, &r->frames);
        return true;
    }
    legend_profile(r->out, &r->summary, &r->legend);
    render_traces(r->to, &r->summary, &r->legend, &r->frames);
    return true;
}

enum {
    FLAME_NODES = 20000,       // a file of some 600 KB at most; nobody can ask it for more
    FLAME_PARTS = 20000,       // lighter nodes are left out: half a pixel of a very wide screen
    FLAME_JSON_MAX = 64 << 20, // 20,000 nodes of names as long as C++ has them
};

static bool run_flamegraph(struct run *r) {
    struct flame_index index;
    struct flame_weights weights;
    struct flame_tree tree;
    flame_index_build(r->out, &r->view, false, &index);
    flame_weigh(r->out, &index, &r->view, &weights);
    u64 whole = (u64)weights.positive[index.n_stacks];
    if (weights.negative) whole += (u64)weights.negative[index.n_stacks];
    struct flame_query query = {.least = (i64)(whole / FLAME_PARTS), .max_nodes = FLAME_NODES};
    if (query.least < 1) query.least = 1;
    flame_ask(r->out, &index, &weights, &query, &tree);
    struct flame_shown shown = {.index = &index, .down = &tree, .view = S("down")};
    shown.is_diff = weights.negative != NULL;
    struct buf json = buf_new(r->out, FLAME_JSON_MAX);
    render_flame_json(&json, &r->summary, &shown);
    return render_flame_page(r->out, r->to, r->summary.title, buf_str(&json), r->err);
}

static bool run_tags(struct run *r) {
    struct tags tags;
    report_tags(r->out, &r->summary, &tags);
    if (r->req->tags) report_tag_page(r->out, &r->summary, r->req->tags, &tags);
    switch (r->req->form) {
    case FORM_TEXT:
        render_tags(r->to, &r->summary, &tags);
        break;
    case FORM_JSON:
        render_tags_json(r->to, &r->summary, &tags);
        break;
    case FORM_CSV:
        render_tags_csv(r->to, &r->summary, &tags);
        break;
    }
    return true;
}

static bool run_raw(struct run *r) {
    struct profile p = view_profile(r->out, &r->view);
    render_raw(r->to, &p);
    return true;
}

// Packing is most of what -proto costs, and this level two thirds of it; what it writes is from a
// thousandth to a twentieth larger than the original's.
enum { PACKED_LEVEL = 1 };

static bool put_profile(struct run *r, const struct profile *p) {
    str plain, packed;
    if (!profile_encode(r->out, p, &plain, r->err)) return false;
    if (!gzip_pack(r->out, plain, PACKED_LEVEL, &packed, r->err)) return false;
    buf_put(r->to, packed);
    return true;
}

static bool run_proto(struct run *r) {
    struct profile p;
    if (r->req->kind == REPORT_PROTO) {
        p = report_proto(r->out, &r->summary);
    } else {
        make_graph(r, false);
        report_topproto(r->out, &r->summary, &r->graph, &p);
    }
    return put_profile(r, &p);
}

static bool run_graph(struct run *r) {
    make_graph(r, true);
    if (r->req->kind == REPORT_CALLGRIND) {
        render_callgrind(r->to, &r->summary, &r->graph);
        return true;
    }
    if (r->req->form == FORM_JSON) {
        render_graph_json(r->to, &r->summary, &r->graph);
        return true;
    }
    make_legend(r);
    render_dot(r->to, &r->summary, &r->legend, &r->graph);
    return true;
}

static bool run_list(struct run *r) {
    struct list list;
    struct value_style style = r->summary.style;
    make_graph(r, false);
    r->summary.style = style; // each value chooses its own unit here
    if (!report_list(r->out, &r->graph, r->regex, r->req->regex, &list, r->err)) return false;
    switch (r->req->form) {
    case FORM_TEXT:
        render_list(r->to, &r->summary, &list);
        break;
    case FORM_JSON:
        render_list_json(r->to, &r->summary, &list);
        break;
    case FORM_CSV:
        render_list_csv(r->to, &r->summary, &list);
        break;
    }
    return true;
}

static struct disasm_request disasm_request(const struct run *r) {
    return (struct disasm_request){.re = r->regex,
                                   .pattern = r->req->regex,
                                   .is_intel = r->options.report.intel_syntax,
                                   .messages = r->messages};
}

static bool run_weblist(struct run *r) {
    struct weblist list;
    struct disasm_request req = disasm_request(r);
    if (!report_weblist(r->out, &r->summary, &req, &list, r->err)) return false;
    if (r->req->form == FORM_JSON) {
        render_weblist_json(r->to, &r->summary, &list);
        return true;
    }
    legend_profile(r->out, &r->summary, &r->legend);
    render_weblist(r->to, &r->summary, &r->legend, &list);
    return true;
}

static bool run_disasm(struct run *r) {
    struct disasm_listing listing;
    struct value_style style = r->summary.style;
    make_graph(r, false);
    r->summary.style = style; // as for list
    struct disasm_request req = disasm_request(r);
    if (!report_disasm(r->out, &r->graph, &req, &listing, r->err)) return false;
    switch (r->req->form) {
    case FORM_TEXT:
        render_disasm(r->to, &r->summary, &listing);
        break;
    case FORM_JSON:
        render_disasm_json(r->to, &r->summary, &listing);
        break;
    case FORM_CSV:
        render_disasm_csv(r->to, &r->summary, &listing);
        break;
    }
    return true;
}

static bool run(struct run *r) {
    switch (r->req->kind) {
    case REPORT_TEXT:
        return run_top(r);
    case REPORT_TREE:
    case REPORT_PEEK:
        return run_tree(r);
    case REPORT_TRACES:
    case REPORT_FOLDED:
    case REPORT_SPEEDSCOPE:
        return run_traces(r);
    case REPORT_FLAMEGRAPH:
        return run_flamegraph(r);
    case REPORT_TAGS:
        return run_tags(r);
    case REPORT_RAW:
        return run_raw(r);
    case REPORT_COMMENTS:
        if (r->req->form == FORM_JSON) render_comments_json(r->to, &r->summary);
        if (r->req->form == FORM_CSV) render_comments_csv(r->to, r->view.p);
        if (r->req->form == FORM_TEXT) render_comments(r->to, r->view.p);
        return true;
    case REPORT_PROTO:
    case REPORT_TOPPROTO:
        return run_proto(r);
    case REPORT_DOT:
    case REPORT_CALLGRIND:
        return run_graph(r);
    case REPORT_LIST:
        return run_list(r);
    case REPORT_DISASM:
        return run_disasm(r);
    case REPORT_WEBLIST:
        return run_weblist(r);
    }
    return false;
}

bool pipeline_report(struct arena *out, const struct profile *p, const struct report_request *req,
                     struct buf *to, struct buf *messages, struct err *err) {
    struct run r = {.out = out, .req = req, .to = to, .messages = messages, .err = err};
    bool ok = look(&r, p, messages) && run(&r);
    regex_done(r.regex);
    return ok;
}

bool pipeline_greeting(struct arena *out, const struct profile *p, const struct options *options,
                       struct buf *to, i64 *ret_total, struct err *err) {
    struct options unfiltered = options_default();
    unfiltered.view.sample_index = options->view.sample_index;
    unfiltered.view.mean = options->view.mean;
    struct buf ignored = buf_new(out, 1 << 16);
    struct view view;
    if (!view_build(out, p, &unfiltered.view, options->report.unit, &ignored, &view, err))
        return false;
    struct summary summary;
    if (!summary_build(out, &view, &options->report, &summary, err)) return false;
    struct lines lines = {0};
    legend_profile(out, &summary, &lines);
    render_lines(to, &lines);
    *ret_total = view.total;
    return true;
}
