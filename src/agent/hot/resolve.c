// agent/hot/resolve.c - symbol lookup over link maps, as the loader does it, without the loader.
// Room: see resolve.h. Door: hot_resolve(), at the end.
// Source: the System V ABI's dynamic section, GNU hash (bloom words, buckets, chains with the end
// bit) and symbol versioning as the LSB describes it.
// The list is read without the loader's lock: everything that is asked for is found in objects
// loaded before main, which stay in front of the list.
#include "agent/hot/resolve.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

enum { VERSYM_HIDDEN = 0x8000 }; // not the default version of its name

// The tables of one object; a missing one is NULL.
struct object {
    ElfW(Addr) base;
    const ElfW(Sym) * symbols;
    const char *strings;
    const u32 *gnu_hash, *sysv_hash;
    const ElfW(Versym) * versions;
    const ElfW(Verdef) * definitions;
};

// In fully static programs there is no list of objects. The linker's --wrap puts our hooks in front
// of libc's functions there, and a table of what is behind them comes from
// packaging/libpprof-static.sh.
struct behind {
    const char *name; // NULL: the end
    void *address;
};
extern __attribute__((weak)) const struct behind pprof_static_behind[];
static const struct link_map static_object = {.l_name = (char *)(uintptr_t) "libc.so, static"};

extern __attribute__((weak)) struct r_debug _r_debug; // ld.so's; absent in static programs
extern __attribute__((weak, visibility("hidden"))) ElfW(Dyn) _DYNAMIC[]; // ours; same

// ld.so has put absolute addresses into most dynamic sections; those it may not write (the vDSO's)
// still hold offsets.
static const void *table_at(const struct link_map *map, const ElfW(Dyn) * entry) {
    ElfW(Addr) at = entry->d_un.d_ptr;
    return (const void *)(at < map->l_addr ? at + map->l_addr : at);
}

static struct object object_of(const struct link_map *map) {
    struct object o = {.base = map->l_addr};
    for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_SYMTAB) o.symbols = table_at(map, d);
        if (d->d_tag == DT_STRTAB) o.strings = table_at(map, d);
        if (d->d_tag == DT_GNU_HASH) o.gnu_hash = table_at(map, d);
        if (d->d_tag == DT_HASH) o.sysv_hash = table_at(map, d);
        if (d->d_tag == DT_VERSYM) o.versions = table_at(map, d);
        if (d->d_tag == DT_VERDEF) o.definitions = table_at(map, d);
    }
    return o;
}

static bool version_is(const struct object *o, u32 index, const char *version) {
    const ElfW(Verdef) *def = o->definitions;
    while (def) {
        const ElfW(Verdaux) *aux = (const void *)((const char *)def + def->vd_aux);
        if (def->vd_ndx == index) return strcmp(o->strings + aux->vda_name, version) == 0;
        if (!def->vd_next) return false;
        def = (const void *)((const char *)def + def->vd_next);
    }
    return false;
}

// Whether symbol i of the object defines name in the version asked for.
static bool symbol_is(const struct object *o, u32 i, const char *name, const char *version) {
    const ElfW(Sym) *sym = &o->symbols[i];
    u32 type = ELF64_ST_TYPE(sym->st_info), bind = ELF64_ST_BIND(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF || !sym->st_value) return false;
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_OBJECT && type != STT_NOTYPE)
        return false;
    if (bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE) return false;
    if (strcmp(o->strings + sym->st_name, name) != 0) return false;
    if (!o->versions) return true;
    u32 index = o->versions[i];
    if (!version || !o->definitions) return !(index & VERSYM_HIDDEN);
    return version_is(o, index & ~(u32)VERSYM_HIDDEN, version);
}

static u32 gnu_hash_of(const char *name) {
    u32 h = 5381;
    for (; *name; name++) h = h * 33 + (u8)*name;
    return h;
}

static u32 sysv_hash_of(const char *name) {
    u32 h = 0;
    for (; *name; name++) {
        h = (h << 4) + (u8)*name;
        h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
    }
    return h;
}

static const ElfW(Sym) * find_gnu(const struct object *o, const char *name, const char *version) {
    u32 n_buckets = o->gnu_hash[0], first = o->gnu_hash[1], n_bloom = o->gnu_hash[2];
    const u32 *buckets = o->gnu_hash + 4 + n_bloom * (sizeof(ElfW(Addr)) / sizeof(u32));
    const u32 *chains = buckets + n_buckets;
    u32 hash = gnu_hash_of(name);
    if (!n_buckets) return NULL;
    for (u32 i = buckets[hash % n_buckets]; i >= first; i++) {
        u32 chain = chains[i - first];
        if ((chain | 1) == (hash | 1) && symbol_is(o, i, name, version)) return &o->symbols[i];
        if (chain & 1) break;
    }
    return NULL;
}

static const ElfW(Sym) * find_sysv(const struct object *o, const char *name, const char *version) {
    u32 n_buckets = o->sysv_hash[0];
    const u32 *buckets = o->sysv_hash + 2, *chains = buckets + n_buckets;
    if (!n_buckets) return NULL;
    for (u32 i = buckets[sysv_hash_of(name) % n_buckets]; i != STN_UNDEF; i = chains[i])
        if (symbol_is(o, i, name, version)) return &o->symbols[i];
    return NULL;
}

// An indirect function's address is what its resolver says; ld.so calls it the same way.
static void *ifunc_address(ElfW(Addr) resolver) {
#if defined(__aarch64__)
    u64 hwcap = getauxval(AT_HWCAP) | 1ul << 62; // _IFUNC_ARG_HWCAP: the second argument is valid
    const u64 more[3] = {sizeof more, getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    return ((void *(*)(u64, const u64 *))resolver)(hwcap, more);
#else
    return ((void *(*)(void))resolver)();
#endif
}

static struct resolved find_in(const struct link_map *map, const char *name, const char *version) {
    struct object o = object_of(map);
    if (!o.symbols || !o.strings || (!o.gnu_hash && !o.sysv_hash)) return (struct resolved){0};
    const ElfW(Sym) *sym = o.gnu_hash ? find_gnu(&o, name, version) : find_sysv(&o, name, version);
    if (!sym) return (struct resolved){0};
    ElfW(Addr) address = o.base + sym->st_value;
    if (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC)
        return (struct resolved){.address = ifunc_address(address), .object = map};
    return (struct resolved){(void *)address, map, sym->st_size};
}

static const struct link_map *list_head(void) {
    return &_r_debug ? _r_debug.r_map : NULL;
}

static bool is_own(const struct link_map *map) {
    return map->l_ld == _DYNAMIC;
}

static struct resolved find_from(const struct link_map *map, const char *name,
                                 const char *version) {
    for (; map; map = map->l_next) {
        if (is_own(map)) continue;
        struct resolved found = find_in(map, name, version);
        if (found.address) return found;
    }
    return (struct resolved){0};
}

const char *object_name(const struct link_map *object) {
    const char *path = object && object->l_name ? object->l_name : "";
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct resolved find_static(const char *name) {
    for (const struct behind *b = pprof_static_behind; b->name; b++)
        if (strcmp(b->name, name) == 0)
            return (struct resolved){.address = b->address, .object = &static_object};
    return (struct resolved){0};
}

static bool is_static(void) {
    return pprof_static_behind != NULL;
}

struct resolved hot_resolve_in(const char *name, const char *version) {
    if (is_static()) return find_static(name);
    const struct link_map *map = list_head();
    bool is_late = false; // loaded by dlopen: all that stands in front of us is behind us as well
    for (; map && !is_own(map); map = map->l_next)
        is_late |= strncmp(object_name(map), "libc.so", 7) == 0;
    // In another namespace (an audit library) we are not in the list: its head is as good.
    return find_from(map && !is_late ? map : list_head(), name, version);
}

struct resolved hot_resolve_any(const char *name) {
    return is_static() ? find_static(name) : find_from(list_head(), name, NULL);
}

void *hot_resolve(const char *name, const char *version) {
    return hot_resolve_in(name, version).address;
}

bool hot_is_first(const char *name) {
    if (is_static()) return find_static(name).address != NULL;
    for (const struct link_map *map = list_head(); map; map = map->l_next) {
        if (find_in(map, name, NULL).address) return is_own(map);
    }
    return false;
}
