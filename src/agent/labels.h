// agent/labels.h - the labels that samples kept, as rows carry them.
// Room: from agent/hot/labels.h's ids to struct row_label. Door: agent/agent.h.
#pragma once

#include "agent/agent.h"

// Gives row the labels of id behind n_more places, which the caller fills: the result. Texts live
// as long as the process.
struct row_label *labels_put(struct arena *out, struct row *row, u32 id, u32 n_more);
// {"key":"value", "key2":"value2"}, quoted as Go does.
str labels_quoted(struct arena *out, const struct row_label *labels, u32 n);
// The same for an id; empty for LABELS_NONE.
str labels_as_text(struct arena *out, u32 id);
// What could not be kept, as comments.
void labels_tell(struct arena *out, struct rows *rows);
// One sentence for the index page; empty: works.
str labels_status(struct arena *out);
