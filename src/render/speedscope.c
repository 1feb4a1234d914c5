// render/speedscope.c - every stack of the view as speedscope's JSON.
// Room: that syntax. Door: render_speedscope(). Source: speedscope's file-format-schema.json, type
// "sampled": frames once, a list of stacks (root first), a list of weights.
#include "render/render.h"

#include "render/json.h"

// speedscope knows these; values of another unit are plain numbers to it.
static str known_unit(str unit) {
    static const char *const units[] = {"nanoseconds", "microseconds", "milliseconds", "seconds",
                                        "bytes"};
    for (size_t i = 0; i < countof(units); i++) {
        if (str_eq(unit, str_of(units[i]))) return unit;
    }
    return S("none");
}

static void put_frame(struct buf *b, struct arena *scratch, const struct frame *frame) {
    buf_put(b, S("\n{\"name\":"));
    json_text(b, frame->name.len ? frame->name : frame_name(scratch, frame));
    if (frame->file.len) {
        buf_put(b, S(",\"file\":"));
        json_text(b, frame->file);
    }
    if (frame->line > 0) {
        buf_put(b, S(",\"line\":"));
        num_i64(b, frame->line);
    }
    buf_byte(b, '}');
}

static i64 weight_of(const struct summary *s, u32 i) {
    const struct view *v = s->view;
    u32 sample_i = view_sample(v, i);
    i64 value = view_value(v, sample_i), divisor = view_divisor(v, sample_i);
    return value_scaled(&s->style, mean_of(value, divisor));
}

// Root first; a location's outermost inlined function comes first too. False: nothing to show.
static bool put_stack(struct buf *b, const struct frames *frames, const u32 *stack, u32 n,
                      bool is_first) {
    bool has_frames = false;
    for (u32 j = n; j-- > 0;) {
        for (u32 k = frames->at[stack[j] + 1]; k-- > frames->at[stack[j]];) {
            if (has_frames) {
                buf_byte(b, ',');
            } else {
                buf_put(b, is_first ? S("\n[") : S(",\n["));
            }
            num_u64(b, frames->ids[k]);
            has_frames = true;
        }
    }
    if (has_frames) buf_byte(b, ']');
    return has_frames;
}

static i64 put_stacks(struct buf *b, const struct summary *s, const struct frames *frames) {
    u64 total = 0;
    bool is_first = true;
    buf_put(b, S("\"samples\":["));
    for (u32 i = 0; i < s->view->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(s->view, i, &n);
        i64 weight = weight_of(s, i);
        if (weight == 0 || !put_stack(b, frames, stack, n, is_first)) continue;
        is_first = false;
        total += (u64)weight;
    }
    buf_put(b, S("\n],\n"));
    return (i64)total;
}

static void put_weights(struct buf *b, const struct summary *s, const struct frames *frames) {
    bool is_first = true;
    buf_put(b, S("\"weights\":["));
    for (u32 i = 0; i < s->view->n_samples; i++) {
        u32 n;
        const u32 *stack = view_stack(s->view, i, &n);
        i64 weight = weight_of(s, i);
        if (weight == 0 || !frames_any(frames, stack, n)) continue;
        if (!is_first) buf_byte(b, ',');
        num_i64(b, weight);
        is_first = false;
    }
    buf_put(b, S("],\n"));
}

void render_speedscope(struct buf *b, const struct summary *s, const struct frames *frames) {
    AUTO_ARENA struct arena scratch = arena_sub(b->arena);
    buf_put(b, S("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                 "\"exporter\":\"pprof\",\n\"activeProfileIndex\":0,\n\"shared\":{\"frames\":["));
    for (u32 i = 0; i < frames->n; i++) {
        if (i) buf_byte(b, ',');
        put_frame(b, &scratch, &frames->items[i]);
    }
    buf_put(b, S("\n]},\n\"profiles\":[{\"type\":\"sampled\",\n\"name\":"));
    json_text(b, s->type);
    buf_put(b, S(",\n\"unit\":"));
    json_text(b, known_unit(s->style.sample_unit));
    buf_put(b, S(",\n"));
    i64 total = put_stacks(b, s, frames);
    put_weights(b, s, frames);
    buf_put(b, S("\"startValue\":0,\"endValue\":"));
    num_i64(b, total);
    buf_put(b, S("}]}\n"));
}
