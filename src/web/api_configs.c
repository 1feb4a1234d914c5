// web/api_configs.c - saved configurations: the list, saving, deleting.
// Room: requests around configs.c. Door: web/profile.h. The forms are in docs/api.md.
#include "web/profile.h"

#include "web/configs.h"

static void put_config(struct json *j, str name, str query, str current, bool is_saved) {
    json_open(j, '{');
    json_key_text(j, "name", name);
    json_key_text(j, "query", query);
    json_key_bool(j, "is_current", str_eq(query, current));
    json_key_bool(j, "is_saved", is_saved);
    json_close(j, '}');
}

// The state without what is never saved: two states are one configuration when these are equal.
static str saved_query(struct arena *out, const struct options *o) {
    struct options all = *o, defaults = options_default();
    all.view.sample_index = defaults.view.sample_index;
    all.report.divide_by = defaults.report.divide_by;
    return state_query(out, &all);
}

static bool put_list(struct web_request *rq, struct web_reply *reply, const struct options *o,
                     str path, struct err *err) {
    struct config_list list;
    struct json j = {.to = &reply->body};
    str current = saved_query(rq->arena, o);
    if (!configs_load(rq->arena, path, &list, err)) return false;
    json_open(&j, '{');
    json_key(&j, "configs");
    json_open(&j, '[');
    put_config(&j, S("Default"), S(""), current, false);
    for (size_t i = 0; i < list.n; i++)
        put_config(&j, list.items[i].name, saved_query(rq->arena, &list.items[i].options), current,
                   true);
    json_close(&j, ']');
    json_close(&j, '}');
    return true;
}

static bool change(struct web_request *rq, struct web_reply *reply, const struct options *o,
                   str path, bool deletes, struct err *err) {
    struct profile_site *site = rq->ctx;
    struct config c = {.name = query_get(&rq->query, S("config")), .options = *o};
    pthread_mutex_lock(&site->configs_lock);
    bool ok = deletes ? configs_delete(rq->arena, path, c.name, err)
                      : configs_save(rq->arena, path, &c, err);
    pthread_mutex_unlock(&site->configs_lock);
    if (ok) return true;
    reply->where = S("config");
    if (err->code == ERR_NOT_FOUND) reply->status = 404;
    return false;
}

static bool answer(struct web_request *rq, struct web_reply *reply, bool changes, bool deletes,
                   struct err *err) {
    struct profile_site *site = rq->ctx;
    struct options o;
    str path;
    return state_read(rq->arena, &site->cli->options, &rq->query, false, &o, &reply->where, err) &&
           configs_path(rq->arena, &path, err) &&
           (!changes || change(rq, reply, &o, path, deletes, err)) &&
           put_list(rq, reply, &o, path, err);
}

bool api_configs(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return answer(rq, reply, rq->is_change, rq->is_delete, err);
}

bool api_save_config(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return answer(rq, reply, true, false, err);
}

bool api_delete_config(struct web_request *rq, struct web_reply *reply, struct err *err) {
    return answer(rq, reply, true, true, err);
}
