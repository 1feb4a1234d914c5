// driver/source.c - what a source word means.
// Room: see source.h. Door: driver/driver.h. Follows Go's net/url where words are odd: "host:1/x"
// is no URL there until http:// is put in front, "host/x" never is one.
#include "driver/source.h"

#include <ctype.h>

#define CPU_PROFILE_PATH S("/debug/pprof/profile")

enum {
    MAX_QUERY_PAIRS = 256, // pprof's servers know five keys; what comes after is dropped
    DEFAULT_TIMEOUT_S = 60,
    MAX_URL_BYTES = 64 << 10, // Go's and nginx's servers refuse request lines far shorter
};

struct url {
    str scheme, host, path, query; // query without '?'; fragments are dropped
};

// The scheme's length, or 0 when s does not open with one.
static size_t scheme_len(str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == ':') return i;
        if (isalpha(c)) continue;
        if (i == 0 || !(isdigit(c) || c == '+' || c == '-' || c == '.')) return 0;
    }
    return 0;
}

static size_t find_any(str s, const char *set) {
    for (size_t i = 0; i < s.len; i++)
        for (const char *c = set; *c; c++)
            if (s.p[i] == *c) return i;
    return s.len;
}

// False where Go's url.Parse fails.
static bool url_split(str s, struct url *ret) {
    struct url u = {0};
    size_t n = scheme_len(s);
    if (s.len && s.p[0] == ':') return false; // "missing protocol scheme"
    u.scheme = str_take(s, n);
    str rest = n ? str_skip(s, n + 1) : s;
    rest = str_take(rest, find_any(rest, "#"));
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)rest.p[i] <= ' ' || rest.p[i] == 0x7f) return false;
    if (str_starts(rest, S("//"))) {
        rest = str_skip(rest, 2);
        size_t host_len = find_any(rest, "/?");
        u.host = str_take(rest, host_len);
        rest = str_skip(rest, host_len);
    } else if (!n) {
        str segment = str_take(rest, find_any(rest, "/"));
        if (str_find_byte(segment, ':') >= 0) return false; // "first path segment ... colon"
    }
    size_t path_len = find_any(rest, "?");
    u.path = str_take(rest, path_len);
    u.query = str_skip(rest, path_len + 1);
    *ret = u;
    return true;
}

struct pair {
    str key, value;
};

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static str query_unescape(struct arena *out, str s) {
    struct buf b = buf_new(out, s.len);
    for (size_t i = 0; i < s.len; i++) {
        int hi = s.p[i] == '%' && i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
        if (lo >= 0) {
            buf_byte(&b, (char)(hi << 4 | lo));
            i += 2;
        } else {
            buf_byte(&b, s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
    return buf_str(&b);
}

static void query_escape(struct buf *b, str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            buf_byte(b, (char)c);
        else if (c == ' ')
            buf_byte(b, '+');
        else
            buf_printf(b, "%%%02X", c);
    }
}

static int pair_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static size_t query_split(struct arena *out, str query, struct pair *pairs) {
    size_t n = 0;
    while (query.len && n < MAX_QUERY_PAIRS) {
        str word, key, value;
        str_cut(query, '&', &word, &query);
        if (!word.len) continue;
        str_cut(word, '=', &key, &value);
        pairs[n++] = (struct pair){query_unescape(out, key), query_unescape(out, value)};
    }
    return n;
}

// The query with seconds set where asked for, its keys sorted as Go's Values.Encode does. *seconds
// gets how long the profile will take, 0 where nobody said.
static str query_rebuild(struct arena *out, str query, struct source_time time, i64 *seconds) {
    struct pair *pairs = NEW(out, struct pair, MAX_QUERY_PAIRS + 1);
    size_t n = query_split(out, query, pairs), kept = 0;
    *seconds = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_seconds = str_eq(pairs[i].key, S("seconds"));
        if (is_seconds && time.seconds > 0) continue;
        if (is_seconds && !*seconds && !num_parse_i64(pairs[i].value, 10, seconds)) *seconds = 0;
        pairs[kept++] = pairs[i];
    }
    if (time.seconds > 0) {
        struct buf b = buf_new(out, 24);
        num_i64(&b, time.seconds);
        pairs[kept++] = (struct pair){S("seconds"), buf_str(&b)};
        *seconds = time.seconds;
    }
    sort_stable(out, pairs, kept, sizeof *pairs, pair_order, NULL);
    struct buf b = buf_new(out, MAX_URL_BYTES);
    for (size_t i = 0; i < kept; i++) {
        if (i) buf_byte(&b, '&');
        query_escape(&b, pairs[i].key);
        buf_byte(&b, '=');
        query_escape(&b, pairs[i].value);
    }
    return buf_str(&b);
}

static str url_join(struct arena *out, str scheme, str host, str path, str query) {
    struct buf b = buf_new(out, MAX_URL_BYTES);
    buf_put(&b, scheme);
    buf_put(&b, S("://"));
    buf_put(&b, host);
    buf_put(&b, path);
    if (query.len) buf_byte(&b, '?');
    buf_put(&b, query);
    return buf_str(&b);
}

static i64 timeout_of(struct source_time time, i64 seconds) {
    if (time.timeout > 0) return time.timeout;
    return seconds > 0 ? seconds + seconds / 2 : DEFAULT_TIMEOUT_S;
}

static str path_or_default(str path) {
    return !path.len || str_eq(path, S("/")) ? CPU_PROFILE_PATH : path;
}

// unix:/run/x.sock:/debug/pprof/heap?gc=1
static void unix_url(struct arena *out, str word, struct source_time time, struct source_url *ret) {
    str rest = str_skip(word, 5), path, query;
    str_cut(rest, ':', &ret->unix_socket, &rest);
    str_cut(rest, '?', &path, &query);
    i64 seconds;
    path = path_or_default(path);
    query = query_rebuild(out, query, time, &seconds);
    ret->fetch = url_join(out, S("http"), S("localhost"), path, query);
    struct buf b = buf_new(out, MAX_URL_BYTES);
    buf_put(&b, S("unix:"));
    buf_put(&b, ret->unix_socket);
    buf_byte(&b, ':');
    buf_put(&b, path);
    if (query.len) buf_byte(&b, '?');
    buf_put(&b, query);
    ret->text = buf_str(&b);
    ret->timeout_s = timeout_of(time, seconds);
}

bool source_url_parse(struct arena *out, str word, struct source_time time,
                      struct source_url *ret) {
    struct source_url result = {0};
    if (str_starts(word, S("unix:/"))) {
        unix_url(out, word, time, &result);
        *ret = result;
        return true;
    }
    struct url u;
    bool is_ok = url_split(word, &u);
    if (!is_ok || (!u.host.len && u.scheme.len && !str_eq(u.scheme, S("file")))) {
        str parts[] = {S("http://"), word};
        is_ok = url_split(str_join(out, parts, 2, S("")), &u);
    }
    if (!is_ok || !u.host.len) return false;
    if (!u.scheme.len) u.scheme = S("http"); // "//host/path"; Go's client has no protocol for it
    i64 seconds;
    str query = query_rebuild(out, u.query, time, &seconds);
    str path = path_or_default(u.path);
    result.text = url_join(out, u.scheme, u.host, path, query);
    result.is_insecure = str_eq(u.scheme, S("https+insecure"));
    str host = u.host;
    if (host.p[0] == ':') { // Go dials the local host where none is named
        str parts[] = {S("localhost"), host};
        host = str_join(out, parts, 2, S(""));
    }
    result.fetch = url_join(out, result.is_insecure ? S("https") : u.scheme, host, path, query);
    result.timeout_s = timeout_of(time, seconds);
    *ret = result;
    return true;
}

void duration_show(struct buf *to, i64 seconds) {
    i64 h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;
    if (h) buf_printf(to, "%lldh", (long long)h);
    if (h || m) buf_printf(to, "%lldm", (long long)m);
    buf_printf(to, "%llds", (long long)s);
}

bool source_is_absolute_url(str s) {
    struct url u;
    return url_split(s, &u) && u.scheme.len > 0;
}
