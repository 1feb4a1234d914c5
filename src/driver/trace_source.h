// driver/trace_source.h - the bytes of an execution trace, whatever their size.
// Room: files, standard input and URLs as one mapped range; reading them is trace/trace.h. Door:
// driver/driver.h.
#pragma once

#include "base/base.h"

#include "driver/ui.h"

struct trace_input {
    str bytes;
    void *map; // NULL: bytes lie in the arena
    u64 n_released;
    const struct ui *ui;
    bool tells_progress;
};

// A file is mapped. A pipe or an answer goes to an unlinked file in $TMPDIR first, which is mapped:
// memory does not grow with it, and nothing stays behind. word: a file, "-" or a URL.
MUST_USE bool trace_input_open(struct arena *out, str word, const struct ui *ui,
                               struct trace_input *ret, struct err *err);
// Whether word is a URL, so that it can be fetched again.
bool trace_input_is_url(struct arena *out, str word);
// Fetches such a one again, with these seconds in its query. *ret is mapped: munmap ends it.
MUST_USE bool trace_input_again(struct arena *out, str word, i64 seconds, str *ret,
                                struct err *err);
void trace_input_close(struct trace_input *input);
// Gives pages before at back to the system (they come again if they are wanted), and tells progress
// of long traces to a terminal. For trace_on_generation.
void trace_input_behind(void *input, u64 at);
