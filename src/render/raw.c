// render/raw.c - the tables of a profile as text.
// Room: one line a row. Door: render/render.h. Source: reference/pprof.md section 2.23.
#include "render/render.h"

#include <time.h>

enum { MAX_LINE = 1 << 24 }; // bytes of the labels of one sample

static void put_field(struct buf *b, const char *name, str value) {
    buf_put(b, str_of(name));
    buf_put(b, value);
    buf_byte(b, '\n');
}

// Go's default form of a time: "2024-05-01 12:00:00.5 +0200 CEST".
static void put_time(struct buf *b, i64 time_nanos) {
    i64 seconds = time_nanos / 1000000000, nanos = time_nanos % 1000000000;
    if (nanos < 0) {
        seconds--;
        nanos += 1000000000;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[64];
    tzset();
    if (!localtime_r(&t, &tm)) return;
    buf_put(b, S("Time: "));
    buf_put(b, (str){text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm)});
    if (nanos) {
        int digits = 9;
        for (; nanos % 10 == 0; nanos /= 10) digits--;
        buf_printf(b, ".%0*lld", digits, (long long)nanos);
    }
    buf_put(b, (str){text, strftime(text, sizeof text, " %z %Z\n", &tm)});
}

// value / unit with its fraction, trailing zeros gone.
static void put_fraction(struct buf *b, u64 value, u64 unit) {
    num_u64(b, value / unit);
    u64 rest = value % unit;
    if (rest == 0) return;
    buf_byte(b, '.');
    for (u64 digit = unit / 10; rest; digit /= 10) {
        buf_byte(b, (char)('0' + rest / digit));
        rest %= digit;
    }
}

// Go's text of a duration: "1h2m3.5s", "1.5ms".
static void put_duration(struct buf *b, i64 nanos) {
    u64 n = nanos < 0 ? 0 - (u64)nanos : (u64)nanos;
    if (nanos < 0) buf_byte(b, '-');
    if (n < 1000000000) {
        u64 unit = n < 1000 ? 1 : n < 1000000 ? 1000 : 1000000;
        put_fraction(b, n, unit);
        buf_put(b, n == 0 ? S("s") : unit == 1 ? S("ns") : unit == 1000 ? S("\u00b5s") : S("ms"));
        return;
    }
    u64 minutes = n / 60000000000;
    if (minutes >= 60) {
        num_u64(b, minutes / 60);
        buf_byte(b, 'h');
    }
    if (minutes) {
        num_u64(b, minutes % 60);
        buf_byte(b, 'm');
    }
    put_fraction(b, n % 60000000000, 1000000000);
    buf_byte(b, 's');
}

// The reference cuts the text to four characters, whatever they say (Q9).
static void put_short_duration(struct buf *b, i64 nanos) {
    char space[64];
    struct buf text = {.p = space, .cap = sizeof space, .max = sizeof space};
    put_duration(&text, nanos);
    str s = buf_str(&text);
    size_t end = 0;
    for (int runes = 0; end < s.len; end++) {
        bool starts_rune = ((u8)s.p[end] & 0xc0) != 0x80;
        if (starts_rune && runes++ == 4) break;
    }
    put_field(b, "Duration: ", str_take(s, end));
}

static void put_header(struct buf *b, const struct profile *p) {
    for (u32 i = 0; i < p->n_comments; i++)
        put_field(b, "Comment: ", profile_str(p, p->comments[i]));
    if (profile_str(p, p->doc_url).len) put_field(b, "Doc: ", profile_str(p, p->doc_url));
    buf_put(b, S("PeriodType: "));
    buf_put(b, profile_str(p, p->period_type.type));
    buf_byte(b, ' ');
    put_field(b, "", profile_str(p, p->period_type.unit));
    buf_put(b, S("Period: "));
    num_i64(b, p->period);
    buf_byte(b, '\n');
    if (p->time_nanos) put_time(b, p->time_nanos);
    if (p->duration_nanos) put_short_duration(b, p->duration_nanos);
}

static void put_types(struct buf *b, const struct profile *p) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    struct buf line = buf_new(&scratch, MAX_LINE);
    str dflt = profile_str(p, p->default_sample_type);
    for (u32 i = 0; i < p->n_types; i++) {
        str type = profile_str(p, p->sample_types[i].type);
        buf_put(&line, type);
        buf_byte(&line, '/');
        buf_put(&line, profile_str(p, p->sample_types[i].unit));
        if (str_eq(type, dflt)) buf_put(&line, S("[dflt]"));
        buf_byte(&line, ' ');
    }
    put_field(b, "Samples:\n", str_trim(buf_str(&line)));
}

static int str_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool is_same_key(const struct profile *p, const struct label *a, const struct label *b) {
    return label_is_text(a) == label_is_text(b) &&
           str_eq(profile_str(p, a->key), profile_str(p, b->key));
}

static bool is_first_of_key(const struct profile *p, const struct label *labels, u32 i) {
    for (u32 j = 0; j < i; j++) {
        if (is_same_key(p, &labels[j], &labels[i])) return false;
    }
    return true;
}

// "key:[v1 v2]", "key:[1 bytes]": units are written when any value of the key has one.
static str label_text(struct arena *scratch, const struct profile *p, const struct label *labels,
                      u32 n, u32 first) {
    struct buf b = buf_new(scratch, MAX_LINE);
    buf_put(&b, profile_str(p, labels[first].key));
    buf_put(&b, S(":["));
    bool has_units = false;
    for (u32 i = first; i < n; i++) {
        has_units |= is_same_key(p, &labels[first], &labels[i]) && labels[i].unit != 0;
    }
    for (u32 i = first; i < n; i++) {
        if (!is_same_key(p, &labels[first], &labels[i])) continue;
        if (i != first) buf_byte(&b, ' ');
        if (label_is_text(&labels[i])) {
            buf_put(&b, profile_str(p, labels[i].str));
            continue;
        }
        num_i64(&b, labels[i].num);
        if (!has_units) continue;
        buf_byte(&b, ' ');
        buf_put(&b, profile_str(p, labels[i].unit));
    }
    buf_byte(&b, ']');
    return buf_str(&b);
}

static void put_labels(struct buf *b, struct arena *scratch, const struct profile *p,
                       u32 sample_i) {
    u32 n;
    const struct label *labels = profile_labels(p, sample_i, &n);
    if (n == 0) return;
    arena_reset(scratch);
    str *texts = NEW(scratch, str, n);
    for (int is_text = 1; is_text >= 0; is_text--) {
        u32 n_texts = 0;
        for (u32 i = 0; i < n; i++) {
            if (label_is_text(&labels[i]) != is_text || !is_first_of_key(p, labels, i)) continue;
            texts[n_texts++] = label_text(scratch, p, labels, n, i);
        }
        if (n_texts == 0) continue;
        if (n_texts > 1) sort_stable(scratch, texts, n_texts, sizeof *texts, str_order, NULL);
        put_field(b, "                ", str_join(scratch, texts, n_texts, S(" ")));
    }
}

static void put_sample(struct buf *b, struct arena *scratch, const struct profile *p,
                       u32 sample_i) {
    const i64 *values = profile_values(p, sample_i);
    for (u32 i = 0; i < p->n_types; i++) buf_printf(b, " %10lld", (long long)values[i]);
    buf_put(b, S(": "));
    u32 n;
    const u32 *stack = profile_stack(p, sample_i, &n);
    for (u32 i = 0; i < n; i++) {
        num_u64(b, p->locations[stack[i]].id);
        buf_byte(b, ' ');
    }
    buf_byte(b, '\n');
    put_labels(b, scratch, p, sample_i);
}

static void put_line(struct buf *b, const struct profile *p, const struct line *line) {
    if (line->function_i == U32_NONE) {
        buf_put(b, S("??\n"));
        return;
    }
    const struct function *f = &p->functions[line->function_i];
    str name = profile_str(p, f->name), system_name = profile_str(p, f->system_name);
    buf_put(b, name);
    buf_byte(b, ' ');
    buf_put(b, profile_str(p, f->filename));
    buf_printf(b, ":%lld:%lld s=%lld", (long long)line->line, (long long)line->column,
               (long long)f->start_line);
    if (!str_eq(name, system_name)) {
        buf_byte(b, '(');
        buf_put(b, system_name);
        buf_byte(b, ')');
    }
    buf_byte(b, '\n');
}

static void put_location(struct buf *b, const struct profile *p, const struct location *l) {
    buf_printf(b, "%6llu: 0x%llx ", (unsigned long long)l->id, (unsigned long long)l->address);
    if (l->mapping_i != U32_NONE) {
        buf_printf(b, "M=%llu ", (unsigned long long)p->mappings[l->mapping_i].id);
    }
    if (l->is_folded) buf_put(b, S("[F] "));
    if (l->n_lines == 0) buf_byte(b, '\n');
    for (u32 i = 0; i < l->n_lines; i++) {
        if (i) buf_put(b, S("             "));
        put_line(b, p, &p->lines[l->lines_at + i]);
    }
}

static void put_mapping(struct buf *b, const struct profile *p, const struct mapping *m) {
    buf_printf(b, "%llu: 0x%llx/0x%llx/0x%llx ", (unsigned long long)m->id,
               (unsigned long long)m->start, (unsigned long long)m->limit,
               (unsigned long long)m->offset);
    buf_put(b, profile_str(p, m->file));
    buf_byte(b, ' ');
    buf_put(b, profile_str(p, m->build_id));
    buf_byte(b, ' ');
    if (m->has_functions) buf_put(b, S("[FN]"));
    if (m->has_filenames) buf_put(b, S("[FL]"));
    if (m->has_line_numbers) buf_put(b, S("[LN]"));
    if (m->has_inline_frames) buf_put(b, S("[IN]"));
    buf_byte(b, '\n');
}

void render_raw(struct buf *b, const struct profile *p) {
    put_header(b, p);
    put_types(b, p);
    AUTO_ARENA struct arena per_sample = arena_sub(b->arena);
    for (u32 i = 0; i < p->n_samples; i++) put_sample(b, &per_sample, p, i);
    buf_put(b, S("Locations\n"));
    for (u32 i = 0; i < p->n_locations; i++) put_location(b, p, &p->locations[i]);
    buf_put(b, S("Mappings\n"));
    for (u32 i = 0; i < p->n_mappings; i++) put_mapping(b, p, &p->mappings[i]);
}
