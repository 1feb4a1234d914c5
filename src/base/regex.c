// base/regex.c - expressions compiled by PCRE2 after translation.
// Room: compiling and matching; syntax is regex_syntax.c. Door: base/base.h.
#include "base/regex.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/regex_syntax.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    // Steps before a match is given up: a thousand times what any sane expression needs on a 300
    // byte
    // name, and still only milliseconds when (a*)*b meets a long one.
    MATCH_LIMIT = 200000,
    MAX_PATTERN = 1 << 20, // bytes of a translated pattern; longer ones are mistakes
    MAX_NESTING = 1100,    // Go's 1000 and the groups the translation adds
};

struct regex {
    pcre2_code *code; // NULL: literal
    pcre2_match_context *context;
    str literal;
};

static bool compile(struct regex *re, str text, str pattern, struct err *err) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) return err_set(err, ERR_SYSTEM, 0, "no memory for a regular expression");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, MAX_NESTING);
    int code;
    PCRE2_SIZE at;
    u32 options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_CIRCUMFLEX | PCRE2_NO_AUTO_CAPTURE;
    re->code = pcre2_compile((PCRE2_SPTR)text.p, text.len, options, &code, &at, context);
    pcre2_compile_context_free(context);
    // What the translator lets through and PCRE2 does not are class names it has no table for.
    if (!re->code) return regex_fail(err, "invalid character class range", pattern);
    pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); // without JIT the interpreter answers
    re->context = pcre2_match_context_create(NULL);
    if (re->context) pcre2_set_match_limit(re->context, MATCH_LIMIT);
    return true;
}

bool regex_compile(struct arena *out, str pattern, struct regex **ret, struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct buf text = buf_new(&scratch, MAX_PATTERN);
    bool is_literal;
    if (!regex_translate(pattern, &text, &is_literal, err)) return false;
    if (text.is_full) return regex_fail(err, "expression too large", str_take(pattern, 80));
    struct regex *re = NEW(out, struct regex, 1);
    if (is_literal) {
        re->literal = str_copy(out, pattern);
    } else if (!compile(re, buf_str(&text), pattern, err)) {
        return false;
    }
    *ret = re;
    return true;
}

void regex_done(struct regex *re) {
    if (!re) return;
    pcre2_code_free(re->code);
    pcre2_match_context_free(re->context);
    re->code = NULL;
    re->context = NULL;
}

bool regex_match(const struct regex *re, str text) {
    if (!re->code) return str_contains(text, re->literal);
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    if (!found) return false;
    PCRE2_SPTR p = (PCRE2_SPTR)(text.p ? text.p : "");
    int n = pcre2_match(re->code, p, text.len, 0, 0, found, re->context);
    pcre2_match_data_free(found);
    return n >= 0;
}
