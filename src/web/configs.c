// web/configs.c - saved configurations, in google/pprof's file and form.
// Room: see configs.h. Door: web/configs.h.
#include "web/configs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_FILE = 4 << 20, // a configuration has half a KiB
    MAX_CONFIGS = 1000,
};

bool configs_path(struct arena *out, str *ret, struct err *err) {
    str xdg = str_of(getenv("XDG_CONFIG_HOME")), home = str_of(getenv("HOME"));
    str in_xdg[] = {xdg, S("/pprof/settings.json")};
    str in_home[] = {home, S("/.config/pprof/settings.json")};
    if (!xdg.len && !home.len)
        return err_set(err, ERR_SYSTEM, 0, "neither $XDG_CONFIG_HOME nor $HOME are defined");
    *ret = str_join(out, xdg.len ? in_xdg : in_home, 2, S(""));
    return true;
}

// Go's zero values, but for what is never saved.
static struct options options_zero(void) {
    struct options o = options_default();
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        void *field = (char *)&o + opt->offset;
        if (!opt->is_saved) continue;
        switch (opt->type) {
        case OPTION_BOOL:
            *(bool *)field = false;
            break;
        case OPTION_INT:
            *(i64 *)field = 0;
            break;
        case OPTION_FLOAT:
            *(double *)field = 0;
            break;
        case OPTION_STR:
            *(str *)field = S("");
            break;
        case OPTION_GRANULARITY:
            *(enum granularity *)field = GRANULARITY_DEFAULT;
            break;
        case OPTION_SORT:
            *(enum sort_order *)field = SORT_FLAT;
            break;
        }
    }
    return o;
}

// A field as text that option_set takes; false: it has another type.
static bool field_text(const json_t *value, enum option_type type, struct buf *b) {
    switch (type) {
    case OPTION_BOOL:
        if (!json_is_boolean(value)) return false;
        buf_put(b, json_is_true(value) ? S("true") : S("false"));
        return true;
    case OPTION_INT:
        if (!json_is_integer(value)) return false;
        num_i64(b, json_integer_value(value));
        return true;
    case OPTION_FLOAT:
        if (!json_is_number(value)) return false;
        num_general(b, json_number_value(value), -1);
        return true;
    case OPTION_STR:
    case OPTION_GRANULARITY:
    case OPTION_SORT:
        if (!json_is_string(value)) return false;
        buf_put(b, (str){json_string_value(value), json_string_length(value)});
        return true;
    }
    return false;
}

static bool read_config(struct arena *out, const json_t *object, struct config *ret,
                        struct err *err) {
    const json_t *name = json_object_get(object, "name");
    if (!json_is_string(name))
        return err_set(err, ERR_MALFORMED, 0, "settings.json: a configuration has no name");
    ret->name = str_copy(out, (str){json_string_value(name), json_string_length(name)});
    ret->options = options_zero();
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        const json_t *value = json_object_get(object, str_z(out, opt->name));
        struct buf text = buf_new(out, MAX_FILE);
        if (!value || !opt->is_saved) continue;
        if (!field_text(value, opt->type, &text))
            return err_set(err, ERR_MALFORMED, 0,
                           "settings.json: " S_FMT " of " S_FMT " has the wrong type",
                           S_ARG(opt->name), S_ARG(str_take(ret->name, 100)));
        bool is_choice = opt->type == OPTION_GRANULARITY || opt->type == OPTION_SORT;
        if (is_choice && !text.len) continue; // none was made
        if (!option_set(out, &ret->options, opt, buf_str(&text), err)) return false;
    }
    return true;
}

// The document, with its list of configurations; *ret is given to the caller.
static bool parse(str text, json_t **ret, struct err *err) {
    json_error_t at;
    json_t *root = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &at);
    if (!root)
        return err_set(err, ERR_MALFORMED, (u64)(at.position > 0 ? at.position : 0),
                       "settings.json: %s", at.text);
    json_t *list = json_object_get(root, "configs");
    if (json_is_object(root) && (!list || json_is_null(list))) {
        json_object_set_new(root, "configs", json_array());
        list = json_object_get(root, "configs");
    }
    if (json_is_array(list) && json_array_size(list) <= MAX_CONFIGS) return *ret = root, true;
    json_decref(root);
    return err_set(err, ERR_MALFORMED, 0, "settings.json: no list of at most %d configurations",
                   MAX_CONFIGS);
}

static bool read_list(struct arena *out, const json_t *root, struct config_list *ret,
                      struct err *err) {
    const json_t *list = json_object_get(root, "configs");
    ret->n = json_array_size(list);
    ret->items = NEW(out, struct config, ret->n);
    for (size_t i = 0; i < ret->n; i++)
        if (!read_config(out, json_array_get(list, i), &ret->items[i], err)) return false;
    return true;
}

bool configs_parse(struct arena *out, str text, struct config_list *ret, struct err *err) {
    json_t *root;
    if (!parse(text, &root, err)) return false;
    bool ok = read_list(out, root, ret, err);
    json_decref(root);
    return ok;
}

// An absent file reads as an empty list.
static bool read_text(struct arena *out, str path, str *ret, struct err *err) {
    struct load_opts limit = {.max_bytes = MAX_FILE};
    if (access(str_z(out, path), F_OK) && errno == ENOENT) {
        *ret = S("{}");
        return true;
    }
    return load_bytes(out, path, &limit, ret, err);
}

bool configs_load(struct arena *out, str path, struct config_list *ret, struct err *err) {
    str text;
    return read_text(out, path, &text, err) && configs_parse(out, text, ret, err);
}

static json_t *field_json(const struct options *o, const struct option *opt) {
    const void *field = (const char *)o + opt->offset;
    struct arena scratch;
    json_t *made = NULL;
    arena_init(&scratch);
    struct buf text = buf_new(&scratch, MAX_FILE);
    option_show(o, opt, &text);
    if (opt->type == OPTION_BOOL) {
        if (*(const bool *)field) made = json_true();
    } else if (opt->type == OPTION_INT) {
        if (*(const i64 *)field) made = json_integer(*(const i64 *)field);
    } else if (opt->type == OPTION_FLOAT) {
        if (*(const double *)field != 0) made = json_real(*(const double *)field);
    } else if (text.len) {
        made = json_stringn_nocheck(text.p, text.len);
    }
    arena_done(&scratch);
    return made;
}

static json_t *config_json(struct arena *out, const struct config *c) {
    json_t *object = json_object();
    json_object_set_new(object, "name", json_stringn(c->name.p, c->name.len));
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &option_table[i];
        json_t *value = opt->is_saved ? field_json(&c->options, opt) : NULL;
        if (value) json_object_set_new(object, str_z(out, opt->name), value);
    }
    return object;
}

// Folders with the modes the original gives them; the last part of path is the file.
static bool make_folders(struct arena *out, str path, struct err *err) {
    char *z = str_z(out, path);
    for (char *p = strchr(z + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        if (mkdir(z, 0700) && errno != EEXIST) return err_sys(err, "mkdir %s", z);
        *p = '/';
    }
    return true;
}

static bool write_all(int fd, const char *p, size_t len) {
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

// Under another name first, so that a reader never sees half of it.
static bool write_file(struct arena *out, str path, const char *text, struct err *err) {
    str parts[] = {path, S(".new")};
    const char *to = str_z(out, path), *temporary = str_z(out, str_join(out, parts, 2, S("")));
    if (!make_folders(out, path, err)) return false;
    AUTO_CLOSE int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return err_sys(err, "open %s", temporary);
    if (write_all(fd, text, strlen(text)) && fsync(fd) == 0 && rename(temporary, to) == 0)
        return true;
    err_sys(err, "write %s", to);
    unlink(temporary);
    return false;
}

static bool write_root(struct arena *out, str path, json_t *root, struct err *err) {
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    bool ok = text ? write_file(out, path, text, err)
                   : err_set(err, ERR_USAGE, 0, "a configuration must be UTF-8");
    free(text);
    return ok;
}

static size_t find(const json_t *list, str name) {
    size_t i;
    const json_t *object;
    json_array_foreach(list, i, object) {
        const json_t *its = json_object_get(object, "name");
        if (json_is_string(its) &&
            str_eq(name, (str){json_string_value(its), json_string_length(its)}))
            break;
    }
    return i;
}

bool configs_save(struct arena *out, str path, const struct config *c, struct err *err) {
    str text;
    json_t *root;
    if (!c->name.len) return err_set(err, ERR_USAGE, 0, "invalid config name");
    if (!read_text(out, path, &text, err) || !parse(text, &root, err)) return false;
    json_t *list = json_object_get(root, "configs"), *made = config_json(out, c);
    size_t i = find(list, c->name);
    if (i < json_array_size(list))
        json_array_set_new(list, i, made);
    else
        json_array_append_new(list, made);
    bool ok = write_root(out, path, root, err);
    json_decref(root);
    return ok;
}

bool configs_delete(struct arena *out, str path, str name, struct err *err) {
    str text;
    json_t *root;
    if (!read_text(out, path, &text, err) || !parse(text, &root, err)) return false;
    json_t *list = json_object_get(root, "configs");
    size_t i = find(list, name);
    bool ok = i < json_array_size(list)
                  ? json_array_remove(list, i) == 0 && write_root(out, path, root, err)
                  : err_set(err, ERR_NOT_FOUND, 0, "config " S_FMT " not found",
                            S_ARG(str_take(name, 200)));
    json_decref(root);
    return ok;
}
