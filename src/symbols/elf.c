// symbols/elf.c - a small ELF reader: symbol tables by address, build ids.
// Room: see symbols/elf.h. Every offset of the file is checked before it is followed. Source: gABI,
// chapters "Sections", "Symbol Table"; GNU build ids: note type 3 of owner "GNU".
#include "symbols/elf.h"

#include <elf.h>
#include <string.h>

enum {
    OVERLAP_MAX = 32, // how many earlier symbols are asked whether they reach over an address
};

// size bytes at offset of file; false when they are not all there.
static bool file_range(str file, u64 offset, u64 size, str *ret) {
    if (offset > file.len || size > file.len - offset) return false;
    *ret = (str){file.p + offset, (size_t)size};
    return true;
}

static bool read_header(str file, Elf64_Ehdr *ret, struct err *err) {
    if (file.len < sizeof *ret || memcmp(file.p, ELFMAG, SELFMAG) != 0)
        return err_set(err, ERR_UNRECOGNIZED, 0, "not an ELF file");
    memcpy(ret, file.p, sizeof *ret);
    if (ret->e_ident[EI_CLASS] != ELFCLASS64 || ret->e_ident[EI_DATA] != ELFDATA2LSB)
        return err_set(err, ERR_UNSUPPORTED, EI_CLASS, "not a 64-bit little-endian ELF file");
    return true;
}

// The section headers; n 0 when the file has none or they are damaged.
static u32 read_sections(str file, const Elf64_Ehdr *header, str *ret) {
    if (header->e_shentsize != sizeof(Elf64_Shdr)) return 0;
    if (!file_range(file, header->e_shoff, (u64)header->e_shnum * sizeof(Elf64_Shdr), ret))
        return 0;
    return header->e_shnum;
}

static Elf64_Shdr section_at(str sections, u32 i) {
    Elf64_Shdr section;
    memcpy(&section, sections.p + (size_t)i * sizeof section, sizeof section);
    return section;
}

// What a table of symbols is read with: sections tell how far a symbol without size may reach.
struct symbol_source {
    str symbols, names, sections;
    u32 n_sections;
    bool is_full;
};

// Where a symbol ends: by its size, or, in a full table, at its section's end for assembler code
// that states none (fill_gaps then stops it at its neighbour).
static u64 symbol_end(const struct symbol_source *from, const Elf64_Sym *symbol) {
    if (symbol->st_size > 0) {
        u64 end;
        return __builtin_add_overflow(symbol->st_value, symbol->st_size, &end) ? 0 : end;
    }
    if (!from->is_full || symbol->st_shndx >= from->n_sections) return 0;
    Elf64_Shdr section = section_at(from->sections, symbol->st_shndx);
    if (!(section.sh_flags & SHF_EXECINSTR)) return 0;
    return section.sh_addr + section.sh_size;
}

static bool is_function(const Elf64_Sym *symbol) {
    u8 type = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0) return false;
    return type == STT_FUNC || type == STT_GNU_IFUNC || (type == STT_NOTYPE && symbol->st_size > 0);
}

struct sortable {
    struct elf_symbol symbol;
    bool is_sized;
    u8 binding, type;
};

static str name_at(str names, u32 at) {
    str rest = str_skip(names, at);
    const char *end = rest.len ? memchr(rest.p, 0, rest.len) : NULL;
    return end ? (str){rest.p, (size_t)(end - rest.p)} : (str){0};
}

static size_t leading_underscores(str name) {
    size_t n = 0;
    while (n < name.len && name.p[n] == '_') n++;
    return n;
}

static int compare_u64(u64 a, u64 b) {
    return a < b ? -1 : a > b;
}

// By start; among aliases the best name comes last: sized, typed, "write" after "__write", global,
// short.
static int compare_symbols(const void *a, const void *b, void *ctx) {
    const struct sortable *x = a, *y = b;
    const str *names = ctx;
    int order = compare_u64(x->symbol.start, y->symbol.start);
    if (order == 0) order = (int)x->is_sized - (int)y->is_sized;
    if (order == 0) order = (int)(x->type != STT_NOTYPE) - (int)(y->type != STT_NOTYPE);
    if (order != 0) return order;
    str name_x = name_at(*names, x->symbol.name), name_y = name_at(*names, y->symbol.name);
    order = compare_u64(leading_underscores(name_y), leading_underscores(name_x));
    if (order == 0) order = (int)(x->binding != STB_LOCAL) - (int)(y->binding != STB_LOCAL);
    if (order == 0) order = compare_u64(name_y.len, name_x.len);
    return order ? order : str_cmp(name_y, name_x);
}

static u32 gather(const struct symbol_source *from, struct sortable *into) {
    size_t n = from->symbols.len / sizeof(Elf64_Sym);
    u32 kept = 0, source = 0; // a file's symbol stands before those of its static functions
    for (size_t i = 0; i < n; i++) {
        Elf64_Sym symbol;
        memcpy(&symbol, from->symbols.p + i * sizeof symbol, sizeof symbol);
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FILE) source = symbol.st_name;
        if (!is_function(&symbol) || name_at(from->names, symbol.st_name).len == 0) continue;
        u64 end = symbol_end(from, &symbol);
        if (end <= symbol.st_value) continue;
        u8 binding = ELF64_ST_BIND(symbol.st_info);
        into[kept++] = (struct sortable){
            {symbol.st_value, end, symbol.st_name, binding == STB_LOCAL ? source : 0},
            symbol.st_size > 0,
            binding,
            ELF64_ST_TYPE(symbol.st_info)};
    }
    return kept;
}

// A symbol without size ends where the next one starts.
static void fill_gaps(struct sortable *items, u32 n) {
    u64 next = UINT64_MAX;
    for (u32 i = n; i-- > 0;) {
        if (!items[i].is_sized && items[i].symbol.end > next) items[i].symbol.end = next;
        if (i > 0 && items[i - 1].symbol.start != items[i].symbol.start)
            next = items[i].symbol.start;
    }
}

static bool read_table(struct arena *out, const struct symbol_source *from, struct elf_symbols *ret,
                       struct err *err) {
    AUTO_ARENA struct arena scratch = arena_sub(out);
    size_t most = from->symbols.len / sizeof(Elf64_Sym);
    if (most > ELF_SYMBOLS_MAX)
        return err_set(err, ERR_LIMIT, 0, "%zu symbols, more than %d", most, ELF_SYMBOLS_MAX);
    struct sortable *items = NEW(&scratch, struct sortable, most);
    str names = from->names;
    u32 n = gather(from, items);
    sort_stable(&scratch, items, n, sizeof *items, compare_symbols, &names);
    fill_gaps(items, n);
    *ret = (struct elf_symbols){
        .items = NEW(out, struct elf_symbol, n), .n = n, .names = names, .is_full = from->is_full};
    for (u32 i = 0; i < n; i++) ret->items[i] = items[i].symbol;
    return true;
}

// The first section of type with the string table it links to.
static bool find_table(str file, str sections, u32 n_sections, u32 type,
                       struct symbol_source *ret) {
    for (u32 i = 0; i < n_sections; i++) {
        Elf64_Shdr section = section_at(sections, i);
        if (section.sh_type != type || section.sh_link >= n_sections) continue;
        Elf64_Shdr strings = section_at(sections, section.sh_link);
        *ret = (struct symbol_source){
            .sections = sections, .n_sections = n_sections, .is_full = type == SHT_SYMTAB};
        return file_range(file, section.sh_offset, section.sh_size, &ret->symbols) &&
               file_range(file, strings.sh_offset, strings.sh_size, &ret->names);
    }
    return false;
}

bool elf_symbols_read(struct arena *out, str file, struct elf_symbols *ret, struct err *err) {
    Elf64_Ehdr header;
    str sections;
    struct symbol_source from;
    if (!read_header(file, &header, err)) return false;
    u32 n = read_sections(file, &header, &sections);
    if (find_table(file, sections, n, SHT_SYMTAB, &from) ||
        find_table(file, sections, n, SHT_DYNSYM, &from))
        return read_table(out, &from, ret, err);
    *ret = (struct elf_symbols){0};
    return true;
}

bool elf_symbols_raw(struct arena *out, str symbols, str names, struct elf_symbols *ret,
                     struct err *err) {
    struct symbol_source from = {.symbols = symbols, .names = names};
    return read_table(out, &from, ret, err);
}

bool elf_symbol_value(str file, str name, u64 *ret) {
    Elf64_Ehdr header;
    str sections;
    struct symbol_source from;
    if (!read_header(file, &header, NULL)) return false;
    u32 n_sections = read_sections(file, &header, &sections);
    if (!find_table(file, sections, n_sections, SHT_SYMTAB, &from)) return false;
    for (size_t at = 0; from.symbols.len - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, from.symbols.p + at, sizeof symbol);
        if (symbol.st_shndx == SHN_UNDEF || !str_eq(name_at(from.names, symbol.st_name), name))
            continue;
        *ret = symbol.st_value;
        return true;
    }
    return false;
}

// The number of symbols that start at or before address.
static u32 count_before(const struct elf_symbols *table, u64 address) {
    u32 lo = 0, hi = table->n;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (table->items[mid].start <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

str elf_symbol_name(const struct elf_symbols *table, const struct elf_symbol *symbol) {
    str name = name_at(table->names, symbol->name), plain, version;
    return str_cut(name, '@', &plain, &version) && plain.len > 0 ? plain : name;
}

str elf_symbol_source(const struct elf_symbols *table, const struct elf_symbol *symbol) {
    return symbol->source ? name_at(table->names, symbol->source) : S("");
}

const struct elf_symbol *elf_symbol_find(const struct elf_symbols *table, u64 address) {
    u32 n = count_before(table, address);
    for (u32 i = n; i-- > 0 && n - i <= OVERLAP_MAX;) {
        if (address < table->items[i].end) return &table->items[i];
    }
    return NULL;
}

str elf_symbol_at(const struct elf_symbols *table, u64 address, u64 *start) {
    const struct elf_symbol *symbol = elf_symbol_find(table, address);
    if (!symbol) return (str){0};
    if (start) *start = symbol->start;
    return elf_symbol_name(table, symbol);
}

str elf_variable_at(str file, u64 address, u64 *start) {
    Elf64_Ehdr header;
    Elf64_Sym symbol;
    struct symbol_source from;
    struct err err;
    str sections;
    if (!read_header(file, &header, &err)) return (str){0};
    u32 n = read_sections(file, &header, &sections);
    if (!find_table(file, sections, n, SHT_SYMTAB, &from) &&
        !find_table(file, sections, n, SHT_DYNSYM, &from))
        return (str){0};
    for (size_t at = 0; at + sizeof symbol <= from.symbols.len; at += sizeof symbol) {
        memcpy(&symbol, from.symbols.p + at, sizeof symbol);
        if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF) continue;
        if (address < symbol.st_value || address - symbol.st_value >= symbol.st_size) continue;
        *start = symbol.st_value;
        return name_at(from.names, symbol.st_name);
    }
    return (str){0};
}

str elf_note_build_id(str notes) {
    struct reader r = reader_of(notes);
    u32 name_len, desc_len, type;
    while (reader_u32le(&r, &name_len, NULL) && reader_u32le(&r, &desc_len, NULL) &&
           reader_u32le(&r, &type, NULL)) {
        str name, desc;
        u64 name_padded = ((u64)name_len + 3) & ~(u64)3,
            desc_padded = ((u64)desc_len + 3) & ~(u64)3;
        if (!reader_bytes(&r, name_padded, &name, NULL)) break;
        if (!reader_bytes(&r, desc_padded, &desc, NULL) && !reader_bytes(&r, desc_len, &desc, NULL))
            break;
        if (type == NT_GNU_BUILD_ID && name_len == 4 && memcmp(name.p, "GNU", 4) == 0)
            return str_take(desc, desc_len);
    }
    return (str){0};
}

str elf_file_build_id(str file) {
    Elf64_Ehdr header;
    str all;
    if (!read_header(file, &header, NULL) || header.e_phentsize != sizeof(Elf64_Phdr))
        return (str){0};
    if (!file_range(file, header.e_phoff, (u64)header.e_phnum * sizeof(Elf64_Phdr), &all))
        return (str){0};
    for (u32 i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        str notes;
        memcpy(&segment, all.p + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_NOTE) continue;
        if (!file_range(file, segment.p_offset, segment.p_filesz, &notes)) continue;
        str id = elf_note_build_id(notes);
        if (id.len > 0) return id;
    }
    return (str){0};
}
