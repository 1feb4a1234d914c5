// symbols/dwarf.c - one sorted pass over the debugging information of a file.
// Room: see dwarf.h. libdw decodes; which unit, which functions and which inlined calls hold an
// address is found here, for all addresses at once: libdw's own search starts anew for every
// address, and finds nothing in files of compilers that write no .debug_aranges (clang). Door:
// dwarf_lookup().
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    // Calls inlined into each other deeper than this keep their outermost ones; compilers stop
    // below a hundred.
    MAX_INLINED = 256,
    // Namespaces, classes, blocks within each other; damaged files may nest without end.
    MAX_DEPTH = 256,
    MAX_BUILD_ID = 64, // bytes; linkers write 16 or 20
};

struct dwarf_file {
    Dwfl *dwfl;
    Dwfl_Module *module;
    Dwarf_Addr symbol_bias; // what libdwfl adds to the file's addresses
    Dwarf *dwarf;           // NULL: no debugging information
};

// A function or inlined call that holds queried addresses, and what it was inlined into.
struct scope {
    Dwarf_Die die;
    struct scope *outer;
    bool is_inlined;
};

struct unit_range {
    u64 start, end;
    u32 unit_i;
};

struct lookup {
    struct arena *out, *scratch;
    struct dwarf_query *queries; // sorted by address
    struct scope **scopes;       // the innermost scope of each query
    size_t n;
    Dwarf_Die *units;
    size_t n_units, cap_units;
    struct unit_range *ranges;
    size_t n_ranges, cap_ranges;
    u32 *unit_of; // each query's unit, U32_NONE
};

static char *no_debuginfo_path; // libdw's default folders

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &no_debuginfo_path,
};

bool dwarf_open(struct arena *out, const char *path, struct dwarf_file **ret, struct err *err) {
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!dwfl) return err_set(err, ERR_SYSTEM, 0, "libdw: %s", dwfl_errmsg(-1));
    Dwfl_Module *module = dwfl_report_offline(dwfl, "file", path, -1);
    if (!module) {
        err_set(err, ERR_UNRECOGNIZED, 0, "unrecognized binary format: %s", dwfl_errmsg(-1));
        dwfl_end(dwfl);
        return false;
    }
    dwfl_report_end(dwfl, NULL, NULL);
    struct dwarf_file *f = NEW(out, struct dwarf_file, 1);
    Dwarf_Addr bias;
    *f = (struct dwarf_file){.dwfl = dwfl, .module = module};
    dwfl_module_getelf(module, &f->symbol_bias);
    f->dwarf = dwfl_module_getdwarf(module, &bias);
    *ret = f;
    return true;
}

// The bytes that hex digits stand for; 0: they are none, or too many.
static size_t read_hex(str hex, u8 *ret, size_t cap) {
    if (hex.len == 0 || hex.len % 2 || hex.len / 2 > cap) return 0;
    for (size_t i = 0; i < hex.len / 2; i++) {
        u64 byte;
        if (!num_parse_u64(str_take(str_skip(hex, 2 * i), 2), 16, &byte)) return 0;
        ret[i] = (u8)byte;
    }
    return hex.len / 2;
}

static bool path_of(struct arena *out, int fd, str *ret) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    if (n <= 0) return false;
    *ret = str_copy(out, (str){path, (size_t)n});
    return true;
}

bool dwarf_find_binary(struct arena *out, str build_id, str *ret_path) {
    u8 id[MAX_BUILD_ID];
    size_t len = read_hex(build_id, id, sizeof id);
    Dwfl *dwfl = len ? dwfl_begin(&callbacks) : NULL;
    if (!dwfl) return false;
    Dwfl_Module *module = dwfl_report_module(dwfl, "binary", 0, 1);
    char *name = NULL;
    Elf *elf = NULL;
    int fd = -1;
    if (module && dwfl_module_report_build_id(module, id, len, 0) == 0)
        fd = dwfl_build_id_find_elf(module, NULL, "binary", 0, &name, &elf);
    // What debuginfod has fetched gets no name here.
    bool is_found = fd >= 0 && path_of(out, fd, ret_path);
    if (elf) elf_end(elf);
    if (fd >= 0) close(fd);
    free(name);
    dwfl_end(dwfl);
    return is_found;
}

void dwarf_close(struct dwarf_file *f) {
    if (f) dwfl_end(f->dwfl);
}

const char *dwarf_debug_path(struct dwarf_file *f) {
    const char *main_path = NULL, *debug_path = NULL;
    dwfl_module_info(f->module, NULL, NULL, NULL, NULL, NULL, &main_path, &debug_path);
    return debug_path;
}

// The first query at or past address.
static size_t first_query(const struct lookup *l, u64 address) {
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->queries[mid].address < address)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_unit(struct lookup *l, Dwarf_Die *die) {
    Dwarf_Addr base, start, end;
    bool is_wanted = false;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        size_t i = first_query(l, start);
        if (i == l->n || l->queries[i].address >= end) continue;
        GROW(l->scratch, l->ranges, l->cap_ranges, l->n_ranges + 1);
        l->ranges[l->n_ranges++] = (struct unit_range){start, end, (u32)l->n_units};
        is_wanted = true;
    }
    if (!is_wanted) return;
    GROW(l->scratch, l->units, l->cap_units, l->n_units + 1);
    l->units[l->n_units++] = *die;
}

static void find_units(struct lookup *l, Dwarf *dwarf) {
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, sub_die;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, &sub_die) == 0) {
        // A skeleton's ranges are its own, its functions those of the split unit.
        bool has_split = dwarf_tag(&die) == DW_TAG_skeleton_unit && sub_die.addr;
        if (has_split || dwarf_tag(&die) == DW_TAG_compile_unit ||
            dwarf_tag(&die) == DW_TAG_partial_unit)
            add_unit(l, has_split ? &sub_die : &die);
    }
    for (size_t i = 0; i < l->n_ranges; i++) {
        const struct unit_range *r = &l->ranges[i];
        for (size_t q = first_query(l, r->start); q < l->n && l->queries[q].address < r->end; q++)
            l->unit_of[q] = r->unit_i;
    }
}

// Makes the function or call at die the innermost scope of the addresses it holds; NULL when it
// holds none.
static struct scope *enter_scope(struct lookup *l, Dwarf_Die *die, struct scope *outer,
                                 u32 unit_i) {
    struct scope *scope = NULL;
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        for (size_t q = first_query(l, start); q < l->n && l->queries[q].address < end; q++) {
            if (l->unit_of[q] != unit_i) continue;
            if (!scope) {
                scope = NEW(l->scratch, struct scope, 1);
                *scope = (struct scope){.die = *die,
                                        .outer = outer,
                                        .is_inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine};
            }
            l->scopes[q] = scope;
        }
    }
    return scope;
}

// Whether code may be found below a DIE of this kind.
static bool may_hold_code(int tag) {
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_enumeration_type ||
           tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static void walk_children(struct lookup *l, Dwarf_Die *parent, struct scope *outer, u32 unit_i,
                          int depth) {
    Dwarf_Die die;
    if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0) return;
    do {
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
            bool is_call = tag == DW_TAG_inlined_subroutine;
            struct scope *scope = enter_scope(l, &die, is_call ? outer : NULL, unit_i);
            if (scope) walk_children(l, &die, scope, unit_i, depth + 1);
        } else if (may_hold_code(tag)) {
            walk_children(l, &die, outer, unit_i, depth + 1);
        }
    } while (dwarf_siblingof(&die, &die) == 0);
}

static str attr_text(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute attr;
    return str_of(dwarf_formstring(dwarf_attr_integrate(die, name, &attr)));
}

static str function_name(Dwarf_Die *die) {
    str name = attr_text(die, DW_AT_linkage_name);
    if (name.len == 0) name = attr_text(die, DW_AT_MIPS_linkage_name);
    return name.len ? name : attr_text(die, DW_AT_name);
}

static i64 attr_number(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute attr;
    Dwarf_Word value = 0;
    if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value) != 0) return 0;
    return (i64)value;
}

// Where code was written.
struct source {
    str file;
    i64 line, column;
};

// A file as the unit names it; relative ones are meant from the folder it was compiled in. DWARF 5
// writes those for every file beside the unit, so without this no build folder's source is found.
static str file_path(struct arena *out, Dwarf_Die *unit, const char *name) {
    str file = str_of(name), folder = attr_text(unit, DW_AT_comp_dir);
    if (file.len == 0 || file.p[0] == '/' || folder.len == 0) return str_copy(out, file);
    return str_join(out, (str[]){folder, file}, 2, S("/"));
}

static struct source source_of_address(struct arena *out, Dwarf_Die *unit, u64 address) {
    struct source s = {0};
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    if (!line) return s;
    int number = 0, column = 0;
    s.file = file_path(out, unit, dwarf_linesrc(line, NULL, NULL));
    if (dwarf_lineno(line, &number) == 0) s.line = number;
    if (dwarf_linecol(line, &column) == 0) s.column = column;
    return s;
}

// The place of the call that an inlined scope stands for.
static struct source source_of_call(struct arena *out, Dwarf_Die *unit, Dwarf_Die *call) {
    struct source s = {.line = attr_number(call, DW_AT_call_line),
                       .column = attr_number(call, DW_AT_call_column)};
    Dwarf_Files *files;
    size_t n_files;
    if (dwarf_getsrcfiles(unit, &files, &n_files) != 0) return s;
    i64 file_i = attr_number(call, DW_AT_call_file);
    s.file = file_path(out, unit, dwarf_filesrc(files, (size_t)file_i, NULL, NULL));
    return s;
}

static void answer(struct lookup *l, size_t q) {
    struct dwarf_query *query = &l->queries[q];
    Dwarf_Die *unit = &l->units[l->unit_of[q]];
    struct source source = source_of_address(l->out, unit, query->address);
    u32 n = 0;
    for (struct scope *s = l->scopes[q]; s && n < MAX_INLINED; s = s->outer) n++;
    if (n == 0 && source.file.len == 0) return;
    query->frames = NEW(l->out, struct dwarf_frame, n ? n : 1);
    query->n_frames = n ? n : 1;
    struct scope *s = l->scopes[q];
    for (u32 i = 0; i < query->n_frames; i++) {
        struct dwarf_frame *frame = &query->frames[i];
        *frame =
            (struct dwarf_frame){.file = source.file, .line = source.line, .column = source.column};
        if (!s) break;
        frame->function = str_copy(l->out, function_name(&s->die));
        frame->start_line = attr_number(&s->die, DW_AT_decl_line);
        if (s->is_inlined) source = source_of_call(l->out, unit, &s->die);
        s = s->outer;
    }
}

void dwarf_lookup(struct arena *out, struct dwarf_file *f, struct dwarf_query *queries, size_t n) {
    if (!f->dwarf || n == 0) return;
    AUTO_ARENA struct arena scratch = arena_sub(out);
    struct lookup l = {.out = out, .scratch = &scratch, .queries = queries, .n = n};
    l.scopes = NEW(&scratch, struct scope *, n);
    l.unit_of = NEW(&scratch, u32, n);
    for (size_t q = 0; q < n; q++) l.unit_of[q] = U32_NONE;
    find_units(&l, f->dwarf);
    for (u32 i = 0; i < l.n_units; i++) walk_children(&l, &l.units[i], NULL, i, 0);
    for (size_t q = 0; q < n; q++) {
        if (l.unit_of[q] != U32_NONE) answer(&l, q);
    }
}

const char *dwarf_symbol(struct dwarf_file *f, u64 address, u64 *ret_offset) {
    GElf_Sym symbol;
    GElf_Off offset;
    const char *name = dwfl_module_addrinfo(f->module, address + f->symbol_bias, &offset, &symbol,
                                            NULL, NULL, NULL);
    *ret_offset = name ? offset : 0;
    return name;
}
