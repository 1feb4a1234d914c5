// base/num.c - numbers to text and back as Go's fmt and strconv do it.
// Room: see num.h. Door: base/base.h. The C library does the digits, in the "C" locale whatever the
// process uses.
#include "base/num.h"

#include "base/buf.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;

static void c_locale_make(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

// The locale of this thread only, so that a program that prints 1,5 neither sees nor changes what
// we print.
static locale_t c_locale_enter(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, c_locale_make);
    return uselocale(c_locale);
}

// NaN and infinities as Go spells them; false for every other number.
static bool put_special(struct buf *b, double x) {
    if (isnan(x))
        buf_put(b, S("NaN"));
    else if (isinf(x))
        buf_put(b, x < 0 ? S("-Inf") : S("+Inf"));
    else
        return false;
    return true;
}

enum { FIXED_CAP = 400 }; // %f of DBL_MAX has 309 digits before the point

void num_fixed(struct buf *b, double x, int digits) {
    if (put_special(b, x)) return;
    char text[FIXED_CAP];
    locale_t old = c_locale_enter();
    int len = snprintf(text, sizeof text, "%.*f", digits, x);
    uselocale(old);
    buf_put(b, (str){text, (size_t)len});
}

// The digits of x as %e has them: "d.ddde+XX", with the fewest digits that read back as x.
static int shortest_e(char *text, size_t cap, double x) {
    int len = 0;
    for (int digits = 0; digits < 17; digits++) {
        len = snprintf(text, cap, "%.*e", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    return len;
}

static bool wants_exponent(int exponent) {
    return exponent < -4 || exponent >= 6; // strconv decides as if the precision were 6
}

static void put_shortest(struct buf *b, double x) {
    char text[64];
    int len = shortest_e(text, sizeof text, x);
    char *e = memchr(text, 'e', (size_t)len);
    int exponent = atoi(e + 1);
    if (wants_exponent(exponent)) {
        buf_put(b, (str){text, (size_t)len});
        return;
    }
    int n_digits =
        (int)(e - text) - (text[0] == '-') - (memchr(text, '.', (size_t)(e - text)) ? 1 : 0);
    int after_point = n_digits - 1 - exponent;
    char plain[64];
    len = snprintf(plain, sizeof plain, "%.*f", after_point > 0 ? after_point : 0, x);
    buf_put(b, (str){plain, (size_t)len});
}

void num_general(struct buf *b, double x, int digits) {
    if (put_special(b, x)) return;
    locale_t old = c_locale_enter();
    if (digits < 0) {
        put_shortest(b, x);
    } else {
        char text[FIXED_CAP];
        int len = snprintf(text, sizeof text, "%.*g", digits, x);
        buf_put(b, (str){text, (size_t)len});
    }
    uselocale(old);
}

void num_u64(struct buf *b, u64 x) {
    char text[20]; // 2^64 has 20 digits
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    buf_put(b, (str){text + at, sizeof text - at});
}

void num_i64(struct buf *b, i64 x) {
    if (x < 0) buf_byte(b, '-');
    num_u64(b, x < 0 ? 0 - (u64)x : (u64)x);
}

void num_hex(struct buf *b, u64 x, int width) {
    char text[16];
    size_t at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[x & 15];
        x >>= 4;
    } while (x);
    int n = (int)(sizeof text - at);
    if (n < width) buf_fill(b, '0', (size_t)(width - n));
    buf_put(b, (str){text + at, (size_t)n});
}

// The code point at s and its length; a byte that is not UTF-8 gives length 1 and -1.
static int utf8_decode(str s, size_t *len) {
    u8 first = (u8)s.p[0];
    int n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    *len = 1;
    if (n == 1) return first;
    if (n == 0 || first > 0xf4 || s.len < (size_t)n) return -1;
    int code = first & (0x7f >> n);
    for (int i = 1; i < n; i++) {
        if (((u8)s.p[i] & 0xc0) != 0x80) return -1;
        code = code << 6 | ((u8)s.p[i] & 0x3f);
    }
    bool is_overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
    if (is_overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return -1;
    *len = (size_t)n;
    return code;
}

static bool quote_escape(struct buf *b, int code) {
    static const char letters[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";
    const char *at = code > 0 && code < 0x80 ? strchr(letters, code) : NULL;
    if (!at) return false;
    buf_byte(b, '\\');
    buf_byte(b, names[at - letters]);
    return true;
}

// Go prints what unicode.IsPrint accepts; of that rule this keeps the parts met in labels: C0, DEL,
// C1 and the soft hyphen are escaped, as are the byte order mark and the line and paragraph
// separators.
static bool is_printable(int code) {
    if (code < 0x20 || code == 0x7f) return false;
    if (code >= 0x80 && code <= 0xa0) return false;
    return code != 0xad && code != 0xfeff && code != 0x2028 && code != 0x2029;
}

void num_quote(struct buf *b, str s) {
    buf_byte(b, '"');
    while (s.len) {
        size_t len;
        int code = utf8_decode(s, &len);
        if (code < 0)
            buf_printf(b, "\\x%02x", (u8)s.p[0]);
        else if (quote_escape(b, code)) {
        } else if (is_printable(code))
            buf_put(b, str_take(s, len));
        else if (code < 0x80)
            buf_printf(b, "\\x%02x", code);
        else if (code < 0x10000)
            buf_printf(b, "\\u%04x", code);
        else
            buf_printf(b, "\\U%08x", code);
        s = str_skip(s, len);
    }
    buf_byte(b, '"');
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

// Strips a base prefix for base 0 and says which base follows.
static int literal_base(str *s) {
    if (s->len < 2 || s->p[0] != '0') return 10;
    char c = s->p[1] | 0x20;
    int base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 0;
    *s = str_skip(*s, base ? 2 : 1);
    return base ? base : 8;
}

// Go literals may have one underscore between two digits, or between a base prefix and the first
// digit.
static bool underscores_are_ok(str s, bool has_prefix) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '_') continue;
        bool has_left = i > 0 ? s.p[i - 1] != '_' : has_prefix;
        if (!has_left || i + 1 == s.len) return false;
    }
    return true;
}

bool num_parse_u64(str s, int base, u64 *ret) {
    bool is_literal = base == 0;
    if (is_literal) {
        size_t whole = s.len;
        base = literal_base(&s);
        if (!underscores_are_ok(s, s.len < whole)) return false;
    }
    u64 x = 0;
    bool has_digit = false;
    for (size_t i = 0; i < s.len; i++) {
        if (is_literal && s.p[i] == '_') continue;
        int digit = digit_value(s.p[i]);
        if (digit >= base) return false;
        if (__builtin_mul_overflow(x, (u64)base, &x) || __builtin_add_overflow(x, (u64)digit, &x))
            return false;
        has_digit = true;
    }
    if (has_digit) *ret = x;
    return has_digit;
}

bool num_parse_i64(str s, int base, i64 *ret) {
    bool is_negative = str_starts(s, S("-"));
    if (is_negative || str_starts(s, S("+"))) s = str_skip(s, 1);
    u64 x;
    if (!num_parse_u64(s, base, &x)) return false;
    if (x > (u64)INT64_MAX + is_negative) return false;
    *ret = (i64)(is_negative ? 0 - x : x);
    return true;
}

static bool is_float_text(str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool is_ok = digit_value(c) < 36 || c == '.' || c == '+' || c == '-';
        if (!is_ok) return false;
    }
    return s.len > 0;
}

enum {
    FLOAT_TEXT_CAP = 512
}; // longer than any float somebody types; more digits than that are refused

bool num_parse_f64(str s, double *ret) {
    char text[FLOAT_TEXT_CAP];
    if (!is_float_text(s) || s.len >= sizeof text) return false;
    memcpy(text, s.p, s.len);
    text[s.len] = 0;
    locale_t old = c_locale_enter();
    char *end;
    double x = strtod(text, &end);
    uselocale(old);
    if (*end || (isinf(x) && digit_value(text[s.len - 1]) < 10))
        return false; // Go reports a range error
    *ret = x;
    return true;
}
