// formats/named.c - frames that have a name and no address, put together to stacks.
// Room: see named.h. Door: formats/formats.h.
#include "formats/named.h"

void named_init(struct named *n, struct arena *out) {
    *n = (struct named){0};
    builder_init(&n->b, out);
}

// Names that people chose or saw stay as they are: "<module>" is no template, "f (a.py:3)" has no
// parameters. Without a linker's name beside it, only what a linker wrote is made readable.
static bool is_linker_name(str name) {
    return str_starts(name, S("_Z")) || str_starts(name, S("_R"));
}

u32 named_frame(struct named *n, str name, str file, i64 line) {
    u32 name_id = builder_str(&n->b, name);
    struct function function = {.name = name_id,
                                .system_name = is_linker_name(name) ? name_id : 0,
                                .filename = builder_str(&n->b, file)};
    struct line row = {.function_i = builder_function(&n->b, &function), .line = line};
    return builder_location(&n->b, 0, U32_NONE, &row, 1);
}

void named_push(struct named *n, u32 location_i) {
    GROW(n->b.arena, n->stack, n->cap_stack, n->n_stack + 1);
    n->stack[n->n_stack++] = location_i;
}

static void reverse(u32 *items, u32 n) {
    for (u32 i = 0; i < n / 2; i++) {
        u32 kept = items[i];
        items[i] = items[n - 1 - i];
        items[n - 1 - i] = kept;
    }
}

void named_sample(struct named *n, const i64 *values, enum stack_order order) {
    if (order == ROOT_FIRST) reverse(n->stack, n->n_stack);
    builder_sample(&n->b, values, n->stack, n->n_stack, NULL, 0);
    n->n_stack = 0;
}
