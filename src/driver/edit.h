// driver/edit.h - a profile with a little changed: copies, because a loaded profile is frozen.
// Room: the changes the command line asks for. Tables not named are shared with the old profile.
// Door: driver/driver.h. Source: reference/pprof.md sections 1.3 and 1.4.
#pragma once

#include "base/base.h"
#include "profile/profile.h"

// A mapping that every location belongs to, when the profile has none (quirk Q25 of the reference).
struct profile edit_add_mapping(struct arena *out, const struct profile *p);
// The main binary's file (empty: kept) and build id (set only where the profile has none).
struct profile edit_main_binary(struct arena *out, const struct profile *p, str file, str build_id);
// One more comment, at the end.
struct profile edit_add_comment(struct arena *out, const struct profile *p, str comment);
// Without drop_frames and keep_frames (-all_frames).
struct profile edit_all_frames(const struct profile *p);
// Mapping files that are URLs, where no build id tells the binary, are forgotten: they only served
// to symbolize.
struct profile edit_forget_urls(struct arena *out, const struct profile *p);
