// driver/sources.c - every source of a command line, loaded and made one profile.
// Room: see sources.h. Door: driver/driver.h.
#include "driver/sources.h"

#include "driver/batch.h"
#include "driver/edit.h"
#include "driver/save.h"
#include "driver/symbolize.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

// Source words and base words, fetched in one go.
struct sources {
    struct input *inputs;
    size_t n, n_bases; // the bases are the last ones
    struct origins origins;
};

static struct fetch_opts fetch_opts_of(const struct cli *cli) {
    const struct source_flags *f = &cli->flags;
    return (struct fetch_opts){
        .tls_cert = f->tls_cert,
        .tls_key = f->tls_key,
        .tls_ca = f->tls_ca,
        .max_bytes = (u64)f->max_megabytes << 20,
    };
}

// A file that is there is a file, whatever its name looks like.
static bool is_file(struct arena *scratch, str word) {
    struct stat st;
    return str_eq(word, S("-")) || stat(str_z(scratch, word), &st) == 0;
}

static void input_init(struct arena *out, struct input *in, str word, struct source_time time) {
    *in = (struct input){.word = word, .arena = arena_sub(out)};
    in->is_url = !is_file(out, word) && source_url_parse(out, word, time, &in->url);
    in->fetch = (struct fetch_job){.url = &in->url, .out = &in->arena};
}

static void say_fetching(struct arena *out, const struct input *in, struct source_time time,
                         const struct ui *ui) {
    ui_say(ui, "Fetching profile over HTTP from " S_FMT, S_ARG(in->url.text));
    if (time.seconds <= 0) return;
    struct buf b = buf_new(out, 64);
    duration_show(&b, time.seconds);
    ui_say(ui, "Please wait... (" S_FMT ")", S_ARG(buf_str(&b)));
}

// Runs the fetches of all inputs at once and hands the answers back to them.
static bool fetch_inputs(struct arena *out, struct sources *s, const struct cli *cli,
                         const struct ui *ui, struct source_time time, struct err *err) {
    struct fetch_job *jobs = NEW(out, struct fetch_job, s->n);
    struct fetch_opts opts = fetch_opts_of(cli);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->inputs[i].is_url) continue;
        say_fetching(out, &s->inputs[i], time, ui);
        jobs[n++] = s->inputs[i].fetch;
    }
    if (n && !fetch_check_opts(&opts, err)) return false; // files need no certificate
    if (!fetch_all(jobs, n, &opts, err)) return false;
    n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->inputs[i].is_url) s->inputs[i].fetch = jobs[n++];
    return true;
}

static bool sources_open(struct arena *out, const struct cli *cli, const struct ui *ui,
                         struct sources *ret, struct err *err) {
    struct sources s = {.n = cli->n_sources + cli->n_bases, .n_bases = cli->n_bases};
    struct source_time time = {cli->flags.seconds, cli->flags.timeout};
    s.inputs = NEW(out, struct input, s.n);
    for (size_t i = 0; i < s.n; i++) {
        bool is_base = i >= cli->n_sources;
        str word = is_base ? cli->bases[i - cli->n_sources] : cli->sources[i];
        input_init(out, &s.inputs[i], word, time);
    }
    if (!fetch_inputs(out, &s, cli, ui, time, err)) return false;
    *ret = s;
    return true;
}

// Where binaries are looked for.
static str binary_path(struct arena *out) {
    str path = str_of(getenv("PPROF_BINARY_PATH"));
    if (path.len) return path;
    str parts[] = {str_of(getenv("HOME")), S("/pprof/binaries")};
    return str_join(out, parts, countof(parts), (str){0});
}

// One side, sources or bases, as one profile; what failed is told.
static bool side_merge(struct arena *out, struct sources *s, bool is_base, const struct cli *cli,
                       const struct ui *ui, struct batch_result *ret, struct err *err) {
    const char *side = is_base ? "base" : "source";
    size_t n_sources = s->n - s->n_bases, n = is_base ? s->n_bases : n_sources;
    struct input *inputs = s->inputs + (is_base ? n_sources : 0);
    struct batch_opts opts = {
        .load = {.max_bytes = (u64)cli->flags.max_megabytes << 20, .binary_path = binary_path(out)},
        .binary = cli->binary,
        .build_id = cli->flags.buildid,
        .origins = &s->origins,
    };
    char context[64];
    snprintf(context, sizeof context, "problem fetching %s profiles", side);
    if (!batch_merge(out, inputs, n, &opts, ret, err)) return err_in(err, context);
    for (size_t i = 0; i < n; i++) ui_text(ui, buf_str(&inputs[i].notes));
    for (size_t i = 0; i < n; i++)
        if (!inputs[i].is_loaded)
            ui_error(ui, S_FMT ": %s", S_ARG(inputs[i].word), inputs[i].err.text);
    if (n && !ret->n_loaded)
        return err_set(err, ERR_NOT_FOUND, 0, "failed to fetch any %s profiles", side);
    if (ret->n_loaded != n)
        ui_error(ui, "Fetched %zu %s profiles out of %zu", ret->n_loaded, side, n);
    return true;
}

// Ends what a single input was loaded into; of several, the merge already did.
static void side_done(struct sources *s, bool is_base) {
    size_t n_sources = s->n - s->n_bases, n = is_base ? s->n_bases : n_sources;
    if (n == 1) arena_done(&s->inputs[is_base ? n_sources : 0].arena);
}

// A profile and its base scaled by -1, ready to be merged: list[] points into pair[] or to out.
static bool make_pair(struct arena *out, const struct profile *p, const struct profile *base,
                      bool is_diff, bool normalize, struct profile pair[2],
                      const struct profile *list[2], struct err *err) {
    struct profile b = *base;
    pair[0] = *p;
    if (is_diff) b = profile_with_label(out, &b, S("pprof::base"), S("true"));
    if (normalize && !profile_normalize(out, p, &b, &pair[0], err)) return false;
    double *minus = NEW(out, double, b.n_types);
    for (u32 i = 0; i < b.n_types; i++) minus[i] = -1;
    pair[1] = profile_scale(out, &b, minus);
    list[0] = &pair[0];
    list[1] = &pair[1];
    return profile_make_compatible(out, list, 2, err);
}

bool sources_subtract(struct arena *out, const struct profile *p, const struct profile *base,
                      bool normalize, struct profile *ret, struct err *err) {
    struct profile pair[2];
    const struct profile *list[2];
    return make_pair(out, p, base, true, normalize, pair, list, err) &&
           profile_merge(out, list, 2, ret, err);
}

// The source with the base merged in; each side's input ends as soon as it is.
static bool subtract_base(struct arena *out, const struct cli *cli, struct sources *s,
                          struct profile *p, const struct profile *base, struct err *err) {
    struct profile pair[2];
    const struct profile *list[2];
    if (!make_pair(out, p, base, cli->is_diff_base, cli->options.driver.normalize, pair, list,
                   err) ||
        !profile_can_merge(list[0], list[1], err))
        return false;
    struct merger *m = merger_new(out, list[0]);
    merger_expect(m, list, 2, 1);
    bool is_ok = merger_add(m, list[0], err);
    side_done(s, false);
    is_ok = is_ok && merger_add(m, list[1], err);
    side_done(s, true);
    *p = merger_done(m);
    return is_ok;
}

// What is done to the one profile before it is shown: reference/pprof.md section 1.4.
// is_fetched: some of it came over the network.
static bool finish(struct arena *out, const struct cli *cli, const struct ui *ui,
                   const struct origins *origins, bool is_fetched, struct profile *p,
                   struct err *err) {
    struct profile q = *p;
    struct fetch_opts fetch = fetch_opts_of(cli);
    struct symbolize_request req = {cli->flags.symbolize, origins, &fetch};
    if (cli->flags.all_frames) q = edit_all_frames(&q);
    struct profile named, pruned;
    symbolize(out, &q, &req, ui, &named);
    profile_prune(out, &named, &pruned);
    q = edit_forget_urls(out, &pruned);
    if (cli->flags.add_comment.len) q = edit_add_comment(out, &q, cli->flags.add_comment);
    if (is_fetched && !save_fetched(&q, ui, err)) return false;
    *p = q;
    return profile_check(p, err);
}

static bool load(struct arena *out, struct sources *s, const struct cli *cli, const struct ui *ui,
                 struct profile *ret, struct err *err) {
    struct batch_result source, base;
    if (!sources_open(out, cli, ui, s, err)) return false;
    if (!side_merge(out, s, false, cli, ui, &source, err)) return false;
    if (!side_merge(out, s, true, cli, ui, &base, err)) return false;
    struct profile p = source.profile;
    if (base.n_loaded && !subtract_base(out, cli, s, &p, &base.profile, err)) return false;
    bool is_fetched = source.has_remote || base.has_remote;
    if (!finish(out, cli, ui, &s->origins, is_fetched, &p, err)) return false;
    *ret = p;
    return true;
}

bool sources_load(struct arena *out, const struct cli *cli, const struct ui *ui,
                  struct profile *ret, struct err *err) {
    struct sources s = {0};
    bool ok = load(out, &s, cli, ui, ret, err);
    // A profile that needed no merge lies where its input was loaded.
    for (size_t i = 0; i < s.n; i++) arena_adopt(out, &s.inputs[i].arena);
    return ok;
}
