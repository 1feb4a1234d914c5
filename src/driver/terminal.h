// driver/terminal.h - lines from a person: editing, TAB, and a history kept between sessions.
// Room: libedit, and plain reading where standard input is no terminal. Door: driver/driver.h.
#pragma once

#include "base/base.h"
#include "profile/profile.h"

struct terminal {
    struct arena *arena;
    const struct profile *p; // whose functions TAB offers
    struct editline *edit;   // NULL: plain reading
    struct history *history;
    str history_path; // empty: nowhere to keep it
    char *line;       // getline's
    size_t line_cap;
};

// Opens standard input for lines. The history is $XDG_STATE_HOME/pprof/history, or
// ~/.local/state/pprof/history.
void terminal_open(struct arena *out, const struct profile *p, struct terminal *ret);
// The next line without its end; valid until the next call. False: the input has ended.
MUST_USE bool terminal_read(struct terminal *t, str *ret);
void terminal_close(struct terminal *t);
