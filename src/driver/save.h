// driver/save.h - copies of fetched profiles, so that no profile is lost.
// Room: where they go and what they are called. Door: driver/driver.h. Source: reference/pprof.md
// section 1.4.
#pragma once

#include "base/base.h"

#include "driver/ui.h"
#include "profile/profile.h"

// Writes p, gzip'd, to the first usable of $PPROF_TMPDIR, $HOME/pprof and the temporary folder as
// pprof.BINARY.TYPE.TYPE.nnn.pb.gz, and says where. A failure is told, not returned: the report
// goes on without it. Fails: only when no folder can be used.
MUST_USE bool save_fetched(const struct profile *p, const struct ui *ui, struct err *err);
