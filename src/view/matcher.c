// view/matcher.c - expressions over the strings of a profile, each string matched once.
// Room: compile, remember, answer. Door: view/parts.h.
#include "view/parts.h"

#include <stdio.h>

bool matcher_init(struct arena *out, const struct profile *p, const char *option, str pattern,
                  struct matcher *ret, struct err *err) {
    *ret = (struct matcher){.p = p};
    if (pattern.len == 0) return true;
    if (!regex_compile(out, pattern, &ret->re, err)) {
        char context[64];
        snprintf(context, sizeof context, "parsing %s regexp", option);
        return err_in(err, context);
    }
    ret->memo = NEW(out, u8, p->n_strings);
    return true;
}

bool matcher_matches(struct matcher *m, u32 string_id) {
    if (!m->memo[string_id]) {
        m->memo[string_id] = regex_match(m->re, profile_str(m->p, string_id)) ? 2 : 1;
    }
    return m->memo[string_id] == 2;
}

void matcher_done(struct matcher *m) {
    regex_done(m->re);
    m->re = NULL;
}

void warn_no_match(struct buf *messages, const char *what, bool is_given, bool matched) {
    if (is_given && !matched) buf_printf(messages, "%s expression matched no samples\n", what);
}
