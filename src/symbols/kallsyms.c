// symbols/kallsyms.c - /proc/kallsyms: an address, a type and a name a line.
// Room: see kallsyms.h. Door: kallsyms_read().
#include "symbols/kallsyms.h"

#include <string.h>

// "ffffffff81000000 T _text" or "... t helper\t[module]"; *name_len: without the module.
static bool read_line(str line, u64 *address, u32 *name_at, size_t *name_len, char *type) {
    if (!num_parse_u64(str_take(line, 16), 16, address) || line.len < 20) return false;
    *type = line.p[17];
    *name_at = 19;
    str name = str_skip(line, 19), module;
    str_cut(name, '\t', &name, &module);
    *name_len = name.len;
    return name.len > 0;
}

static int symbol_order(const void *a, const void *b, void *ctx) {
    (void)ctx;
    u64 x = ((const struct elf_symbol *)a)->start, y = ((const struct elf_symbol *)b)->start;
    return (x > y) - (x < y);
}

void kallsyms_read(struct arena *out, str list, str anchor_name, struct elf_symbols *ret,
                   u64 *anchor) {
    size_t cap = 0;
    str line, rest = str_take(list, (size_t)(str_rfind_byte(list, '\n') + 1));
    *anchor = 0;
    *ret = (struct elf_symbols){.names = list, .is_full = true};
    while (rest.len) {
        u32 at = (u32)(rest.p - list.p), name_at;
        u64 address;
        size_t name_len;
        char type;
        str_cut(rest, '\n', &line, &rest);
        if (!read_line(line, &address, &name_at, &name_len, &type) || address == 0) continue;
        str name = {line.p + name_at, name_len};
        if (str_eq(name, anchor_name)) *anchor = address;
        if (!memchr("tTwW", type, 4) || address == UINT64_MAX) continue;
        ((char *)(uintptr_t)name.p)[name_len] = 0;
        GROW(out, ret->items, cap, ret->n + 1);
        ret->items[ret->n++] = (struct elf_symbol){.start = address, .name = at + name_at};
    }
    sort_stable(out, ret->items, ret->n, sizeof *ret->items, symbol_order, NULL);
    u64 next = UINT64_MAX;
    for (u32 i = ret->n; i-- > 0;) {
        if (i + 1 < ret->n && ret->items[i + 1].start != ret->items[i].start)
            next = ret->items[i + 1].start;
        ret->items[i].end = next;
    }
}
