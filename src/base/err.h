// base/err.h - what went wrong: a code, a place and one sentence, travelling together.
// Room: the record and its helpers; printing it is the driver's. Door: base/base.h.
#pragma once

#include "base/types.h"

enum err_code {
    ERR_NONE = 0,
    ERR_MALFORMED,    // the bytes are not what they claim to be
    ERR_INCONSISTENT, // well formed, and in contradiction with itself
    ERR_UNRECOGNIZED, // none of our formats
    ERR_LIMIT,        // larger than a limit allows; the sentence names the limit
    ERR_SYSTEM,       // a system call failed; the sentence holds strerror's words
    ERR_USAGE,        // the user asked for something that makes no sense
    ERR_NOT_FOUND,    // a file, a function, a profile that is not there
    ERR_NETWORK,      // the other side is unreachable or answered with an error
    ERR_UNSUPPORTED,  // understood, and not possible here
    ERR_BUSY,         // somebody else is using it: Go's "already in use"
};

enum {
    ERR_TEXT_CAP = 1024
}; // the longest sentence; longer ones end in "..." (URLs with their answers need hundreds)

struct err {
    enum err_code code;
    u64 at; // byte offset in the input where that makes sense, else 0
    char text[ERR_TEXT_CAP];
};

// Each gives false, so that a failing function can end in "return err_set(...)": as expressions and
// not functions, so that the compiler knows it too. err may be NULL.
// Fills *err: err_set(err, ERR_LIMIT, at, "format", ...).
#define err_set(err, ...)                                                                          \
    ({                                                                                             \
        err_fill((err), __VA_ARGS__);                                                              \
        false;                                                                                     \
    })
// Fills *err with ERR_SYSTEM and ": strerror(errno)" behind the sentence: err_sys(err, "format",
// ...).
#define err_sys(err, ...)                                                                          \
    ({                                                                                             \
        err_fill_sys((err), __VA_ARGS__);                                                          \
        false;                                                                                     \
    })
// Puts "context: " in front of the sentence.
#define err_in(err, context)                                                                       \
    ({                                                                                             \
        err_wrap((err), (context));                                                                \
        false;                                                                                     \
    })

void err_fill(struct err *err, enum err_code code, u64 at, const char *fmt, ...) PRINTF_LIKE(4, 5);
void err_fill_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_wrap(struct err *err, const char *context);
