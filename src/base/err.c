// base/err.c - filling the error record.
// Room: see err.h. Door: base/base.h.
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct err *err, int len) {
    if (len >= ERR_TEXT_CAP) memcpy(err->text + ERR_TEXT_CAP - 4, "...", 4);
}

void err_fill(struct err *err, enum err_code code, u64 at, const char *fmt, ...) {
    if (!err) return;
    err->code = code;
    err->at = at;
    va_list args;
    va_start(args, fmt);
    mark_cut(err, vsnprintf(err->text, ERR_TEXT_CAP, fmt, args));
    va_end(args);
}

void err_wrap(struct err *err, const char *context) {
    if (!err) return;
    char inner[ERR_TEXT_CAP];
    memcpy(inner, err->text, ERR_TEXT_CAP);
    mark_cut(err, snprintf(err->text, ERR_TEXT_CAP, "%s: %s", context, inner));
}

void err_fill_sys(struct err *err, const char *fmt, ...) {
    int code = errno;
    if (!err) return;
    err->code = ERR_SYSTEM;
    err->at = 0;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(err->text, ERR_TEXT_CAP, fmt, args);
    va_end(args);
    if (len < 0 || len >= ERR_TEXT_CAP) {
        mark_cut(err, len);
        return;
    }
    char words[128];
    const char *text = strerror_r(code, words, sizeof words);
    // The small letter is how Go says it, and how a sentence goes on.
    mark_cut(err, len + snprintf(err->text + len, (size_t)(ERR_TEXT_CAP - len), ": %c%s",
                                 tolower((unsigned char)text[0]), text + 1));
}
