// formats/otlp.h - OTLP's protobuf messages, between the files that read them.
// Room: private to formats/: the wire and the dictionary (otlp_tables.c), profiles and samples
// (otlp.c). Door: otlp_decode() in otlp.c. Source: opentelemetry/proto/profiles/v1development.
#pragma once

#include "profile/profile.h"

enum { OTLP_VARINT = 0, OTLP_FIXED64 = 1, OTLP_BYTES = 2, OTLP_FIXED32 = 5 };

// One field of a message.
struct otlp_field {
    u64 number;
    u32 type;
    u64 num;   // of a number
    str bytes; // of OTLP_BYTES
};

// Reads the next field; false at the end and where the message is malformed, which err tells.
MUST_USE bool otlp_next(struct reader *r, struct otlp_field *ret, struct err *err);
// Reads all of a message of that field's shape; NULL checks only.
typedef bool (*otlp_take)(void *to, const struct otlp_field *field, struct err *err);
MUST_USE bool otlp_each(str message, otlp_take take, void *to, struct err *err);

// An attribute made a label; key U32_NONE: a list or nothing, which labels cannot hold.
struct otlp_attributes {
    struct label *items;
    u32 n;
    size_t cap;
};

struct otlp_list {
    str *items;
    u32 n;
    size_t cap;
};

// The dictionary: messages by index, and what they became.
struct otlp_tables {
    struct profile_builder *b;
    struct arena *scratch;
    struct otlp_list mappings, locations, functions, links, strings, attributes, stacks;
    struct otlp_attributes labels;                     // [attribute index]
    u32 *mapping_rows, *function_rows, *location_rows; // [index]: row of the profile, or U32_NONE
    u64 *stack_at; // [stack index]: stack_locations[stack_at[i] .. stack_at[i + 1])
    u32 *stack_locations;
    size_t cap_stack_locations;
};

// Splits the dictionary message into its tables.
MUST_USE bool otlp_tables_read(struct otlp_tables *t, str dictionary, struct err *err);
// Makes mappings, functions, locations and labels of them.
MUST_USE bool otlp_tables_make(struct otlp_tables *t, struct err *err);
str otlp_string(const struct otlp_tables *t, u64 index);
// A KeyValue or KeyValueAndUnit message as a label.
MUST_USE bool otlp_label(struct otlp_tables *t, str message, bool has_text_key, struct label *ret,
                         struct err *err);
// The numbers of a repeated field: packed, or one.
MUST_USE bool otlp_numbers(const struct otlp_field *field, u64 **items, size_t *n, size_t *cap,
                           struct arena *arena, struct err *err);
