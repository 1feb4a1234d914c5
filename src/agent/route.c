// agent/route.c - which request gets which plan.
// Room: paths, methods and the order of net/http/pprof's checks. No bytes are sent here. Door:
// agent/http.h.
#include "agent/agent.h"
#include "agent/http.h"

static const char text_plain[] = "text/plain; charset=utf-8";

// strconv.Atoi with errors as 0.
static i64 param_int(struct arena *out, const struct http_request *request, str key);

// r.FormValue: a urlencoded POST body comes before the query.
static str form_value(struct arena *out, const struct http_request *request, str key) {
    if (request->method == HTTP_POST &&
        str_starts(request->content_type, S("application/x-www-form-urlencoded"))) {
        str value = http_param(out, request->body, key);
        if (value.len > 0) return value;
    }
    return http_param(out, request->query, key);
}

static i64 param_int(struct arena *out, const struct http_request *request, str key) {
    i64 value;
    return num_parse_i64(form_value(out, request, key), 10, &value) ? value : 0;
}

static void plan_answer(struct plan *ret, struct reply reply) {
    ret->kind = PLAN_ANSWER;
    ret->reply = reply;
}

static i64 seconds_capped(i64 seconds) {
    return seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
}

static void plan_cpu(struct arena *out, const struct http_request *request, struct plan *ret) {
    i64 seconds = param_int(out, request, S("seconds"));
    i64 hz = param_int(out, request, S("hz"));
    ret->kind = PLAN_CPU;
    ret->seconds = seconds > 0 ? seconds_capped(seconds) : CPU_SECONDS_DEFAULT;
    ret->hz = hz > 0 ? hz : 0;
}

// felixge/fgprof's parameters: seconds (30), format pprof or folded.
static void plan_wall(struct arena *out, const struct http_request *request,
                      const struct collector *of, struct plan *ret) {
    i64 seconds = param_int(out, request, S("seconds"));
    str format = form_value(out, request, S("format"));
    ret->kind = PLAN_WALL;
    ret->of = of;
    ret->seconds = seconds > 0 ? seconds_capped(seconds) : CPU_SECONDS_DEFAULT;
    ret->is_folded = str_eq(format, S("folded"));
    if (format.len > 0 && !ret->is_folded && !str_eq(format, S("pprof")))
        plan_answer(
            ret, http_error(out, 400, S("invalid value for \"format\" - must be pprof or folded")));
}

// seconds is a float here, and what is none, or not above 0, is 1 s.
static void plan_trace(struct arena *out, const struct http_request *request, struct plan *ret) {
    double seconds;
    ret->kind = PLAN_TRACE;
    ret->ms = TRACE_MS_DEFAULT;
    if (num_parse_f64(form_value(out, request, S("seconds")), &seconds) && seconds > 0)
        ret->ms = (u64)((seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000);
    if (str_eq(form_value(out, request, S("go")), S("1.26"))) ret->version = 26;
}

// The order of checks is Go's: the number, whether the profile can, then debug.
static void plan_delta(struct arena *out, str seconds, struct plan *ret) {
    i64 value;
    if (!num_parse_i64(seconds, 10, &value) || value <= 0) {
        plan_answer(ret, http_error(out, 400,
                                    S("invalid value for \"seconds\" - must be a positive "
                                      "integer")));
    } else if (!ret->of->has_delta) {
        plan_answer(ret, http_error(out, 400,
                                    S("\"seconds\" parameter is not supported for this "
                                      "profile type")));
    } else if (ret->debug != 0) {
        plan_answer(ret, http_error(out, 400, S("seconds and debug params are incompatible")));
    } else if (ret->is_peak || ret->by_age) {
        plan_answer(ret,
                    http_error(out, 400, S("seconds and peak or age params are incompatible")));
    } else {
        ret->kind = PLAN_DELTA;
        ret->seconds = seconds_capped(value);
    }
}

static i64 plan_rate(struct arena *out, const struct http_request *request,
                     const struct collector *of) {
    i64 rate = 0;
    if (of->text == TEXT_MUTEX) rate = param_int(out, request, S("fraction"));
    if (of->text == TEXT_BLOCK) rate = param_int(out, request, S("rate"));
    return rate > 0 ? rate : 0;
}

static void plan_profile(struct arena *out, const struct http_request *request, str name,
                         struct plan *ret) {
    ret->of = collector_find(name);
    if (!ret->of && str_starts(name, S("delta_"))) {
        ret->of = collector_find(str_drop_prefix(name, S("delta_")));
        ret->kind = PLAN_SCRAPE;
        if (ret->of && ret->of->has_delta) return;
        ret->of = NULL;
    }
    if (!ret->of) return plan_answer(ret, http_error(out, 404, S("Unknown profile")));
    ret->debug = param_int(out, request, S("debug"));
    ret->gc = param_int(out, request, S("gc"));
    bool is_heap = str_eq(name, S("heap")) || str_eq(name, S("allocs"));
    ret->is_peak = is_heap && param_int(out, request, S("peak")) > 0;
    ret->by_age = is_heap && param_int(out, request, S("age")) > 0;
    str seconds = form_value(out, request, S("seconds"));
    if (seconds.len > 0) {
        plan_delta(out, seconds, ret);
        ret->rate = plan_rate(out, request, ret->of);
        return;
    }
    ret->kind = PLAN_SNAPSHOT;
}

static void plan_symbol(const struct http_request *request, struct plan *ret) {
    ret->kind = PLAN_SYMBOL;
    ret->addresses = request->method == HTTP_POST ? request->body : request->query;
}

// Go's mux answers a path without its slash this way, and keeps the query.
static void plan_redirect(struct arena *out, str path, str query, struct plan *ret) {
    str parts[] = {path, query.len > 0 ? S("?") : S(""), query};
    str location = str_join(out, parts, countof(parts), S(""));
    str body[] = {S("<a href=\""), path, S("\">Moved Permanently</a>.\n\n")};
    plan_answer(ret, (struct reply){.status = 301,
                                    .content_type = "text/html; charset=utf-8",
                                    .location = str_z(out, location),
                                    .body = str_join(out, body, countof(body), S(""))});
}

static void plan_name(struct arena *out, const struct http_request *request, str name,
                      struct plan *ret) {
    if (name.len == 0) {
        ret->kind = PLAN_INDEX;
    } else if (str_eq(name, S("cmdline"))) {
        ret->kind = PLAN_CMDLINE;
    } else if (str_eq(name, S("symbol"))) {
        plan_symbol(request, ret);
    } else if (str_eq(name, S("profile"))) {
        plan_cpu(out, request, ret);
    } else if (str_eq(name, S("trace"))) {
        plan_trace(out, request, ret);
    } else if (str_eq(name, S("flightrecorder"))) {
        ret->kind = PLAN_RECORDER;
    } else if (str_eq(name, S("wall")) || str_eq(name, S("offcpu"))) {
        plan_wall(out, request, collector_find(name), ret);
        if (ret->kind == PLAN_WALL && str_eq(name, S("offcpu"))) ret->kind = PLAN_OFFCPU;
    } else {
        plan_profile(out, request, name, ret);
    }
}

void http_plan(struct arena *out, const struct http_request *request, struct plan *ret) {
    static const struct reply not_found = {
        .status = 404, .content_type = text_plain, .body = {"404 page not found\n", 19}};
    static const struct reply not_allowed = {
        .status = 405, .content_type = text_plain, .body = {"Method Not Allowed\n", 19}};
    str prefix = S("/debug/pprof/");
    *ret = (struct plan){0};
    if (request->method == HTTP_OTHER) {
        plan_answer(ret, not_allowed);
    } else if (str_eq(request->path, S("/debug/fgprof"))) {
        plan_wall(out, request, &fgprof_collector, ret);
    } else if (str_starts(request->path, prefix)) {
        plan_name(out, request, str_skip(request->path, prefix.len), ret);
    } else if (str_eq(request->path, S("/debug/pprof")) || str_eq(request->path, S("/"))) {
        plan_redirect(out, prefix, request->query, ret);
    } else {
        plan_answer(ret, not_found);
    }
}
