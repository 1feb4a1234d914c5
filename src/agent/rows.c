// agent/rows.c - what the makers of rows share.
// Room: see rows.h.
#include "agent/rows.h"

#include <setjmp.h>

void rows_comment(struct arena *out, struct rows *rows, str sentence) {
    if (!sentence.len) return;
    GROW(out, rows->comments, rows->cap_comments, rows->n_comments + 1);
    rows->comments[rows->n_comments++] = sentence;
}

void rows_tell(struct arena *out, struct rows *rows, const char *of, str sentence) {
    str parts[] = {str_of(of), S(": "), sentence};
    if (sentence.len) rows_comment(out, rows, str_join(out, parts, countof(parts), S("")));
}

void rows_tell_count(struct arena *out, struct rows *rows, const char *of, u64 n,
                     const char *what) {
    if (!n) return;
    struct buf b = buf_new(out, 256);
    buf_printf(&b, "%llu %s", (unsigned long long)n, what);
    rows_tell(out, rows, of, buf_str(&b));
}

bool rows_attempt(struct arena *arena, void (*step)(void)) {
    jmp_buf no_memory;
    arena->on_oom = &no_memory;
    bool is_enough = setjmp(no_memory) == 0;
    if (is_enough) step();
    arena->on_oom = NULL;
    return is_enough;
}
