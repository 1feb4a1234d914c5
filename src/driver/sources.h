// driver/sources.h - every source of a command line, loaded and made one profile.
// Room: fetch, decode, merge, base, comment, save: what happens between the command line and the
// first report. Door: driver/driver.h. Source: reference/pprof.md sections 1.3 and 1.4.
#pragma once

#include "base/base.h"

#include "driver/cli.h"
#include "driver/ui.h"
#include "profile/profile.h"

// Loads and merges. out owns the profile. Sources that fail are told through ui and skipped.
// Fails: when no source could be loaded, or what was loaded cannot be one profile.
MUST_USE bool sources_load(struct arena *out, const struct cli *cli, const struct ui *ui,
                           struct profile *ret, struct err *err);
// *ret = p with base subtracted as -diff_base does. normalize: p is scaled to the base's total
// first. Tables are copied to out.
MUST_USE bool sources_subtract(struct arena *out, const struct profile *p,
                               const struct profile *base, bool normalize, struct profile *ret,
                               struct err *err);
