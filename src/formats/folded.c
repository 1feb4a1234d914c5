// formats/folded.c - folded stacks: "main;parse;read 42", one a line, root first.
// Room: the text Brendan Gregg's stackcollapse scripts write and flamegraph.pl reads. Door:
// formats/formats.h.
//
// Recognized when every line that is not empty or a '#' comment ends in a blank and a number, with
// something before it. The legacy text forms are asked first; what is damaged of theirs comes here
// ("sampling period = 100") and is told from stacks by having blanks and no ';' anywhere.
#include "formats/named.h"
#include "formats/recognize.h"

// The last blank of a line splits frames from count; false when the line is of another kind.
static bool line_split(str line, str *frames, i64 *count) {
    ptrdiff_t at = str_rfind_byte(line, ' ');
    if (at <= 0) return false;
    *frames = str_trim(str_take(line, (size_t)at));
    return frames->len > 0 && num_parse_i64(str_skip(line, (size_t)at + 1), 10, count);
}

static bool is_blank(str line) {
    return str_trim(line).len == 0 || line.p[0] == '#';
}

static bool is_folded(str bytes) {
    struct reader r = reader_of(bytes);
    str line, frames;
    i64 count;
    u32 n_stacks = 0;
    bool has_calls = false, has_blanks = false;
    while (reader_line(&r, &line)) {
        if (is_blank(line)) continue;
        if (!line_split(line, &frames, &count)) return false;
        has_calls = has_calls || str_find_byte(frames, ';') >= 0;
        has_blanks = has_blanks || str_find_byte(frames, ' ') >= 0;
        n_stacks++;
    }
    return n_stacks > 0 && (has_calls || !has_blanks);
}

static void push_frames(struct named *n, str frames) {
    str frame;
    bool has_more = true;
    while (has_more) {
        has_more = str_cut(frames, ';', &frame, &frames);
        if (frame.len) named_push(n, named_frame(n, frame, (str){0}, 0));
    }
}

bool folded_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    if (!is_folded(bytes)) return err_set(err, ERR_UNRECOGNIZED, 0, "not folded stacks");
    struct named n;
    named_init(&n, out);
    builder_sample_type(&n.b, S("samples"), S("count"));
    struct reader r = reader_of(bytes);
    str line, frames;
    i64 count;
    while (reader_line(&r, &line)) {
        if (is_blank(line) || !line_split(line, &frames, &count)) continue;
        push_frames(&n, frames);
        named_sample(&n, &count, ROOT_FIRST);
    }
    *ret = builder_done(&n.b);
    return true;
}
