// web/configs.h - saved configurations, in google/pprof's file and form.
// Room: reading and writing settings.json. Door: web/web.h. Source: reference/pprof.md section 6.
//
// {"configs": [{"name": ..., "focus": ..., "trim": true}]}: a field that is absent is zero, not the
// default. What the file has besides is kept.
#pragma once

#include "base/base.h"

#include "driver/driver.h"

struct config {
    str name;
    struct options options;
};
struct config_list {
    struct config *items;
    size_t n;
};

// $XDG_CONFIG_HOME/pprof/settings.json or ~/.config/pprof/settings.json. Fails: neither is set.
MUST_USE bool configs_path(struct arena *out, str *ret, struct err *err);
// No file is no configuration. Fails: ERR_MALFORMED, ERR_SYSTEM, ERR_LIMIT.
MUST_USE bool configs_load(struct arena *out, str path, struct config_list *ret, struct err *err);
// The text of a file, for load and for fuzzing.
MUST_USE bool configs_parse(struct arena *out, str text, struct config_list *ret, struct err *err);
// Adds or replaces one. The folder is made when needed. Fails: as load; then nothing is changed.
MUST_USE bool configs_save(struct arena *out, str path, const struct config *c, struct err *err);
// Fails: ERR_NOT_FOUND.
MUST_USE bool configs_delete(struct arena *out, str path, str name, struct err *err);
