// symbols/object.c - functions and instructions of one binary.
// Room: see object.h. Code comes from the file, symbols from it or its separate debug file, inlined
// calls from one sorted pass over the debugging information. Door: object_open() to object_close().
#include "symbols/object.h"

#include "symbols/binary.h"
#include "symbols/demangle.h"
#include "symbols/disasm.h"
#include "symbols/elf.h"

#include <elf.h>
#include <string.h>

enum {
    MAX_CODE_BYTES = 16 << 20, // the largest function of LLVM's own build has 400 KB
    MAX_TEXT = 4096,           // bytes of one instruction; demangled names in it can be long
};

struct object {
    struct arena *arena;
    struct binary file, debug;
    struct dwarf_file *dwarf; // NULL: libdw could not read the file
    struct elf_symbols symbols;
    enum machine machine;
};

static bool read_machine(const struct binary *file, enum machine *ret) {
    Elf64_Ehdr head;
    memcpy(&head, file->bytes.p, sizeof head);
    *ret = head.e_machine == EM_AARCH64 ? MACHINE_AARCH64 : MACHINE_X86_64;
    return head.e_machine == EM_AARCH64 || head.e_machine == EM_X86_64;
}

static void read_symbols(struct object *o) {
    struct elf_symbols fuller;
    struct err ignored;
    if (!elf_symbols_read(o->arena, o->file.bytes, &o->symbols, &ignored)) o->symbols.n = 0;
    const char *path = o->dwarf && !o->symbols.is_full ? dwarf_debug_path(o->dwarf) : NULL;
    if (path && binary_open(str_of(path), &o->debug, &ignored) &&
        elf_symbols_read(o->arena, o->debug.bytes, &fuller, &ignored) && fuller.is_full)
        o->symbols = fuller;
}

bool object_open(struct arena *out, str path, struct object **ret, struct err *err) {
    struct object *o = NEW(out, struct object, 1);
    struct err ignored;
    o->arena = out;
    if (!binary_open(path, &o->file, err)) return false;
    if (!read_machine(&o->file, &o->machine)) {
        binary_close(&o->file);
        return err_set(err, ERR_UNSUPPORTED, offsetof(Elf64_Ehdr, e_machine),
                       S_FMT ": neither x86-64 nor aarch64", S_ARG(path));
    }
    if (!dwarf_open(out, str_z(out, path), &o->dwarf, &ignored)) o->dwarf = NULL;
    read_symbols(o);
    *ret = o;
    return true;
}

void object_close(struct object *o) {
    if (!o) return;
    dwarf_close(o->dwarf);
    binary_close(&o->debug);
    binary_close(&o->file);
}

bool object_address(const struct object *o, const struct mapping *m, u64 address, u64 *ret) {
    return binary_address(&o->file, m, address, ret);
}

static bool try_name(const struct regex *re, str name, str *ret) {
    *ret = name;
    return !re || regex_match(re, name);
}

// The first form of the name that matches: the linker's, then demangled ones.
static bool match_name(struct arena *out, const struct regex *re, str name, str *ret) {
    static const enum demangle_mode modes[] = {DEMANGLE_FULL, DEMANGLE_TEMPLATES, DEMANGLE_DEFAULT};
    if (try_name(re, name, ret)) return true;
    for (size_t i = 0; i < countof(modes); i++) {
        str form = demangle_name(out, name, modes[i]);
        if (!str_eq(form, name) && try_name(re, form, ret)) return true;
    }
    return false;
}

// A range of the n symbols that start where the first does; false: none of them was asked for.
static bool match_group(struct arena *out, const struct object *o, const struct elf_symbol *symbols,
                        u32 n, const struct regex *re, const u64 *address,
                        struct object_range *ret) {
    *ret = (struct object_range){.start = symbols[0].start, .names = NULL};
    for (u32 i = 0; i < n; i++) {
        if (symbols[i].end > ret->end) ret->end = symbols[i].end;
    }
    bool is_inside = address && *address >= ret->start && *address < ret->end;
    ret->names = NEW(out, str, is_inside ? n : 1);
    ret->n_names = is_inside ? n : 1;
    // The best name stands last.
    for (u32 i = 0; i < n; i++) {
        str name = elf_symbol_name(&o->symbols, &symbols[n - 1 - i]);
        bool is_match = is_inside || match_name(out, re, name, &name);
        if (is_match) ret->names[is_inside ? i : 0] = str_copy(out, name); // the file will close
        if (is_match && !is_inside) return true;
    }
    return is_inside;
}

void object_find(struct arena *out, const struct object *o, const struct regex *re,
                 const u64 *address, struct object_ranges *ret) {
    const struct elf_symbols *table = &o->symbols;
    size_t cap = 0;
    *ret = (struct object_ranges){0};
    for (u32 i = 0, end; i < table->n; i = end) {
        struct object_range range;
        for (end = i + 1; end < table->n && table->items[end].start == table->items[i].start;)
            end++;
        if (!match_group(out, o, &table->items[i], end - i, re, address, &range)) continue;
        GROW(out, ret->items, cap, ret->n + 1);
        ret->items[ret->n++] = range;
    }
}

bool object_function_at(struct arena *out, const struct object *o, u64 address, str *ret_name,
                        u64 *ret_start, u64 *ret_end) {
    const struct elf_symbol *symbol = elf_symbol_find(&o->symbols, address);
    if (!symbol) return false;
    *ret_name = str_copy(out, elf_symbol_name(&o->symbols, symbol));
    *ret_start = symbol->start;
    *ret_end = symbol->end;
    return true;
}

// "401136 <main+0x10>".
static void put_name(struct buf *b, void *ctx, u64 address) {
    struct object *o = ctx;
    num_hex(b, address, 1);
    u64 offset;
    const char *raw = o->dwarf ? dwarf_symbol(o->dwarf, address, &offset) : NULL;
    if (!raw) return;
    str name = demangle_name(o->arena, str_of(raw), DEMANGLE_FULL);
    buf_printf(b, " <" S_FMT, S_ARG(name));
    if (offset) {
        buf_put(b, S("+0x"));
        num_hex(b, offset, 1);
    }
    buf_byte(b, '>');
}

static void add_frames(struct arena *out, struct object *o, struct instructions *ret) {
    if (!o->dwarf) return;
    struct dwarf_query *queries = NEW(out, struct dwarf_query, ret->n);
    for (u32 i = 0; i < ret->n; i++) queries[i].address = ret->items[i].address;
    dwarf_lookup(out, o->dwarf, queries, ret->n);
    for (u32 i = 0; i < ret->n; i++) {
        ret->items[i].frames = queries[i].frames;
        ret->items[i].n_frames = queries[i].n_frames;
    }
}

bool object_disasm(struct arena *out, struct object *o, u64 start, u64 end, bool is_intel,
                   struct instructions *ret, struct err *err) {
    str code = binary_bytes_at(&o->file, start);
    if (code.len == 0 || end <= start)
        return err_set(err, ERR_NOT_FOUND, start, "no code at address 0x%llx",
                       (unsigned long long)start);
    code = str_take(code, end - start);
    if (code.len > MAX_CODE_BYTES)
        return err_set(err, ERR_LIMIT, start, "%zu bytes of code, more than %d", code.len,
                       MAX_CODE_BYTES);
    struct disasm *d;
    if (!disasm_open(out, o->machine, is_intel, put_name, o, &d, err)) return false;
    size_t cap = 0;
    *ret = (struct instructions){0};
    struct buf text = buf_new(out, MAX_TEXT);
    for (size_t at = 0; at < code.len;) {
        text.len = 0;
        u32 len = disasm_next(d, str_skip(code, at), start + at, &text);
        GROW(out, ret->items, cap, ret->n + 1);
        ret->items[ret->n++] = (struct instruction){
            .address = start + at, .len = len, .text = str_copy(out, buf_str(&text))};
        at += len;
    }
    disasm_close(d);
    add_frames(out, o, ret);
    return true;
}
