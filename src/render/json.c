// render/json.c - JSON as it is written.
// Room: escapes, UTF-8, commas. Door: render/json.h. Source: RFC 8259, section 7; RFC 3629.
#include "render/json.h"

static bool is_tail(u8 c) {
    return (c & 0xc0) == 0x80;
}

// How many bytes the code point at the front of s has; 0 when it is no UTF-8.
static size_t utf8_len(str s) {
    u8 c = (u8)s.p[0];
    if (c < 0x80) return 1;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || s.len < len) return 0;
    for (size_t i = 1; i < len; i++) {
        if (!is_tail((u8)s.p[i])) return 0;
    }
    u8 second = (u8)s.p[1];
    bool is_overlong = (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90);
    bool is_surrogate = c == 0xed && second > 0x9f;
    return is_overlong || is_surrogate || (c == 0xf4 && second > 0x8f) ? 0 : len;
}

static void put_escaped(struct buf *b, u8 c) {
    switch (c) {
    case '"':
        buf_put(b, S("\\\""));
        break;
    case '\\':
        buf_put(b, S("\\\\"));
        break;
    case '\n':
        buf_put(b, S("\\n"));
        break;
    case '\t':
        buf_put(b, S("\\t"));
        break;
    default:
        if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\u%04x", c);
        } else {
            buf_byte(b, (char)c);
        }
    }
}

void json_text(struct buf *b, str s) {
    buf_byte(b, '"');
    while (s.len) {
        size_t len = utf8_len(s);
        if (len == 1) put_escaped(b, (u8)s.p[0]);
        if (len > 1) buf_put(b, str_take(s, len));
        if (len == 0) buf_put(b, S("\\ufffd"));
        s = str_skip(s, len ? len : 1);
    }
    buf_byte(b, '"');
}

static void before_value(struct json *j) {
    if (j->needs_comma) buf_byte(j->to, ',');
    j->needs_comma = true;
}

void json_open(struct json *j, char bracket) {
    before_value(j);
    buf_byte(j->to, bracket);
    j->needs_comma = false;
}

void json_close(struct json *j, char bracket) {
    buf_byte(j->to, bracket);
    j->needs_comma = true;
}

void json_key(struct json *j, const char *key) {
    before_value(j);
    json_text(j->to, str_of(key));
    buf_byte(j->to, ':');
    j->needs_comma = false;
}

void json_str(struct json *j, str s) {
    before_value(j);
    json_text(j->to, s);
}

void json_i64(struct json *j, i64 x) {
    before_value(j);
    num_i64(j->to, x);
}

void json_bool(struct json *j, bool x) {
    before_value(j);
    buf_put(j->to, x ? S("true") : S("false"));
}

void json_address(struct json *j, u64 x) {
    before_value(j);
    buf_printf(j->to, "\"0x%llx\"", (unsigned long long)x);
}

void json_key_text(struct json *j, const char *key, str s) {
    json_key(j, key);
    json_str(j, s);
}

void json_key_i64(struct json *j, const char *key, i64 x) {
    json_key(j, key);
    json_i64(j, x);
}

void json_key_bool(struct json *j, const char *key, bool x) {
    json_key(j, key);
    json_bool(j, x);
}

void json_lines(struct json *j, str text) {
    str line;
    json_open(j, '[');
    while (text.len) {
        str_cut(text, '\n', &line, &text);
        if (line.len) json_str(j, line);
    }
    json_close(j, ']');
}
