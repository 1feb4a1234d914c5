// formats/speedscope.c - speedscope's own JSON: shared frames, sampled and evented profiles.
// Room: that JSON. Door: formats/formats.h. Source: speedscope's file-format-schema.json.
//
// Every profile of the file whose unit is that of the first is read; each becomes samples of one
// profile with the label "thread" left out, as their names are often empty. Evented profiles give
// one sample for every stretch between two events.
#include "formats/json.h"
#include "formats/named.h"
#include "formats/recognize.h"

struct speedscope {
    struct named n;
    u32 *locations; // [frame index]
    u32 n_locations;
    double to_value; // from the file's unit to ours
};

struct unit_row {
    const char *theirs;
    str type, unit;
    double to_value;
};

static const struct unit_row units[] = {
    {"nanoseconds", {"time", 4}, {"nanoseconds", 11}, 1},
    {"microseconds", {"time", 4}, {"nanoseconds", 11}, 1e3},
    {"milliseconds", {"time", 4}, {"nanoseconds", 11}, 1e6},
    {"seconds", {"time", 4}, {"nanoseconds", 11}, 1e9},
    {"bytes", {"space", 5}, {"bytes", 5}, 1},
    {"none", {"samples", 7}, {"count", 5}, 1},
};

static const struct unit_row *unit_of(const json_t *profile) {
    str unit = json_text_of(profile, "unit");
    for (size_t i = 0; i < countof(units); i++) {
        if (str_eq(unit, str_of(units[i].theirs))) return &units[i];
    }
    return &units[countof(units) - 1];
}

static void frames_read(struct speedscope *s, const json_t *frames) {
    s->n_locations = (u32)json_array_size(frames);
    s->locations = NEW(s->n.b.arena, u32, s->n_locations);
    for (u32 i = 0; i < s->n_locations; i++) {
        const json_t *frame = json_array_get(frames, i);
        i64 line = json_int_of(frame, "line");
        s->locations[i] = named_frame(&s->n, json_text_of(frame, "name"),
                                      json_text_of(frame, "file"), line > 0 ? line : 0);
    }
}

static bool frame_at(const struct speedscope *s, const json_t *index, u32 *ret, struct err *err) {
    json_int_t i = json_integer_value(index);
    if (!json_is_integer(index) || i < 0 || i >= s->n_locations)
        return err_set(err, ERR_MALFORMED, 0, "speedscope: frame %lld does not exist",
                       (long long)i);
    *ret = s->locations[i];
    return true;
}

static i64 scaled(const struct speedscope *s, double weight) {
    double value = weight * s->to_value;
    return value > -9e18 && value < 9e18 ? (i64)(value + 0.5) : 0; // what an i64 holds
}

static bool sampled_read(struct speedscope *s, const json_t *profile, struct err *err) {
    const json_t *samples = json_list_of(profile, "samples"),
                 *weights = json_list_of(profile, "weights");
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const json_t *stack = json_array_get(samples, i);
        for (size_t f = 0; f < json_array_size(stack); f++) {
            u32 location_i;
            if (!frame_at(s, json_array_get(stack, f), &location_i, err)) return false;
            named_push(&s->n, location_i);
        }
        const json_t *weight = json_array_get(weights, i);
        i64 value = scaled(s, weight ? json_number_value(weight) : 1);
        named_sample(&s->n, &value, ROOT_FIRST);
    }
    return true;
}

// The open frames, root first; a sample of them is added for the time until the next event.
struct open_frames {
    u32 *items;
    u32 n;
    size_t cap;
};

static void stretch_add(struct speedscope *s, const struct open_frames *open, double length) {
    i64 value = scaled(s, length);
    if (open->n == 0 || value <= 0) return;
    for (u32 i = 0; i < open->n; i++) named_push(&s->n, open->items[i]);
    named_sample(&s->n, &value, ROOT_FIRST);
}

static bool evented_read(struct speedscope *s, const json_t *profile, struct err *err) {
    const json_t *events = json_list_of(profile, "events");
    struct open_frames open = {0};
    double last = json_real_of(profile, "startValue");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        u32 location_i;
        if (!frame_at(s, json_object_get(event, "frame"), &location_i, err)) return false;
        double at = json_real_of(event, "at");
        stretch_add(s, &open, at - last);
        last = at;
        if (str_eq(json_text_of(event, "type"), S("O"))) {
            GROW(s->n.b.arena, open.items, open.cap, open.n + 1);
            open.items[open.n++] = location_i;
        } else if (open.n == 0 || open.items[open.n - 1] != location_i) {
            return err_set(err, ERR_MALFORMED, 0,
                           "speedscope: event %zu closes a frame that is not the innermost", i);
        } else {
            open.n--;
        }
    }
    return true;
}

static bool profiles_read(struct speedscope *s, const json_t *profiles, struct err *err) {
    const struct unit_row *unit = unit_of(json_array_get(profiles, 0));
    builder_sample_type(&s->n.b, unit->type, unit->unit);
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *profile = json_array_get(profiles, i);
        const struct unit_row *its_unit = unit_of(profile);
        if (!str_eq(its_unit->unit, unit->unit)) continue;
        s->to_value = its_unit->to_value;
        bool is_evented = str_eq(json_text_of(profile, "type"), S("evented"));
        if (!(is_evented ? evented_read : sampled_read)(s, profile, err)) return false;
    }
    return true;
}

static bool document_read(struct speedscope *s, const json_t *document, struct err *err) {
    const json_t *profiles = json_list_of(document, "profiles");
    const json_t *frames = json_list_of(json_object_get(document, "shared"), "frames");
    bool is_ours = str_contains(json_text_of(document, "$schema"), S("speedscope")) || frames;
    if (!is_ours || !frames || json_array_size(profiles) == 0)
        return err_set(err, ERR_UNRECOGNIZED, 0, "not a speedscope file");
    frames_read(s, frames);
    return profiles_read(s, profiles, err);
}

bool speedscope_decode(struct arena *out, str bytes, struct profile *ret, struct err *err) {
    json_t *document;
    if (!json_document(bytes, &document, err)) return false;
    struct speedscope s = {0};
    named_init(&s.n, out);
    bool is_ok = document_read(&s, document, err);
    json_decref(document);
    if (is_ok) *ret = builder_done(&s.n.b);
    return is_ok;
}
