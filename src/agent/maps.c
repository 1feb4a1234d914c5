// agent/maps.c - what code lies where in this process, now and before.
// Room: the table of images and the dlclose hook that keeps it whole. Door: agent/maps.h.
//
// The table is written only inside dl_iterate_phdr's callback, which runs under the loader's own
// lock: that lock orders all writers. Readers see a prefix of finished entries.
#include "agent/maps.h"

#include "agent/hot/hot.h"
#include "symbols/symbols.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    PATHS_BYTES = 1 << 20, // 256 bytes a path for all of MAX_IMAGES
};

struct table {
    struct image items[MAX_IMAGES];
    char paths[PATHS_BYTES];
};

static struct {
    _Atomic(struct table *) table; // reserved at first use; pages are touched as images come
    _Atomic u32 n;                 // finished entries; pairs with the acquire in images_read
    _Atomic u32 n_lost;
    u32 paths_used;     // under the loader's lock
    _Atomic u64 n_adds; // the loader's count of loaded objects when all were in the table
    u64 n_subs;         // its count of unloaded ones at the last look; the agent thread's
} images;

// A loader's object while it is looked at.
struct object {
    const struct dl_phdr_info *info;
    u64 start, limit, offset;
};

static struct table *reserve(void) {
    struct table *table = atomic_load(&images.table);
    if (table) return table;
    void *pages = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    if (atomic_compare_exchange_strong(&images.table, &table, pages)) return pages;
    munmap(pages, sizeof *table); // another thread was faster
    return table;
}

static bool is_vdso(const struct dl_phdr_info *info) {
    u64 vdso = getauxval(AT_SYSINFO_EHDR);
    return vdso != 0 && info->dlpi_addr == vdso;
}

static bool is_program(const struct dl_phdr_info *info) {
    return (u64)info->dlpi_phdr == getauxval(AT_PHDR);
}

// The path of an object's file into full (PATH_MAX bytes), absolute and without links, as the
// kernel's maps have it.
static const char *full_path(const struct dl_phdr_info *info, char *full) {
    if (is_vdso(info)) return "[vdso]";
    if (!is_program(info)) return realpath(info->dlpi_name, full) ? full : info->dlpi_name;
    ssize_t len = readlink("/proc/self/exe", full, PATH_MAX - 1);
    if (len <= 0) return info->dlpi_name;
    full[len] = 0;
    str path = str_drop_suffix(str_of(full), S(" (deleted)"));
    full[path.len] = 0;
    return full;
}

static u32 find_build_id(const struct dl_phdr_info *info, u8 *ret) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_NOTE) continue;
        const char *notes = (const char *)(info->dlpi_addr + segment->p_vaddr);
        str id = str_take(elf_note_build_id((str){notes, segment->p_memsz}), BUILD_ID_MAX);
        if (id.len == 0) continue;
        memcpy(ret, id.p, id.len);
        return (u32)id.len;
    }
    return 0;
}

static const char *keep_path(struct table *table, const char *path) {
    size_t size = strlen(path) + 1;
    if (size > PATHS_BYTES - images.paths_used) return NULL;
    char *kept = table->paths + images.paths_used;
    memcpy(kept, path, size);
    images.paths_used += (u32)size;
    return kept;
}

static bool is_same(const struct image *image, const struct object *object, const u8 *id, u32 len) {
    return image->start == object->start && image->limit == object->limit &&
           image->build_id_len == len && memcmp(image->build_id, id, len) == 0;
}

static struct image *find(struct table *table, const struct object *object) {
    u8 id[BUILD_ID_MAX];
    u32 len = find_build_id(object->info, id);
    for (u32 n = atomic_load(&images.n); n-- > 0;) {
        struct image *image = &table->items[n];
        if (!is_same(image, object, id, len)) continue;
        // Without a build id the name must decide: as the loader has it, or its last part.
        if (len > 0 || image->is_program || image->is_vdso) return image;
        if (str_eq(str_basename(str_of(image->path)),
                   str_basename(str_of(object->info->dlpi_name))))
            return image;
    }
    return NULL;
}

static void add(struct table *table, const struct object *object) {
    char full[PATH_MAX];
    u32 n = atomic_load(&images.n);
    const char *path = n < MAX_IMAGES ? keep_path(table, full_path(object->info, full)) : NULL;
    if (!path) {
        atomic_fetch_add(&images.n_lost, 1);
        return;
    }
    struct image *image = &table->items[n];
    *image = (struct image){.start = object->start,
                            .limit = object->limit,
                            .offset = object->offset,
                            .bias = object->info->dlpi_addr,
                            .path = path,
                            .is_program = is_program(object->info),
                            .is_vdso = is_vdso(object->info)};
    image->build_id_len = find_build_id(object->info, image->build_id);
    atomic_store_explicit(&images.n, n + 1, memory_order_release);
}

// The i-th program header as an object; false when it is no executable segment.
static bool executable(const struct dl_phdr_info *info, int i, struct object *ret) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) return false;
    u64 start = info->dlpi_addr + segment->p_vaddr;
    *ret = (struct object){.info = info,
                           .start = start & ~(u64)(PAGE - 1),
                           .limit = (start + segment->p_memsz + PAGE - 1) & ~(u64)(PAGE - 1),
                           .offset = segment->p_offset & ~(u64)(PAGE - 1)};
    return true;
}

// Remembers the executable segments of one object.
static int note_object(struct dl_phdr_info *info, size_t size, void *ctx) {
    struct table *table = ctx;
    struct object object;
    (void)size;
    if (info->dlpi_adds == atomic_load(&images.n_adds))
        return 1; // nothing was loaded since all were noted
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (executable(info, i, &object) && !find(table, &object)) add(table, &object);
    return 0;
}

// Runs last under the same kind of lock: remembers that everything up to now is in the table.
static int note_adds(struct dl_phdr_info *info, size_t size, void *ctx) {
    u64 *seen = ctx;
    (void)size;
    *seen = info->dlpi_adds;
    return 1;
}

void images_note(void) {
    struct table *table = reserve();
    u64 before = 0, after = 0;
    if (!table) return;
    dl_iterate_phdr(note_adds, &before);
    dl_iterate_phdr(note_object, table);
    dl_iterate_phdr(note_adds, &after);
    if (before == after) atomic_store(&images.n_adds, after);
}

struct counts {
    u64 n_adds, n_subs;
};

static int read_counts(struct dl_phdr_info *info, size_t size, void *ctx) {
    struct counts *to = ctx;
    (void)size;
    *to = (struct counts){info->dlpi_adds, info->dlpi_subs};
    return 1;
}

void images_follow(void) {
    struct counts now = {0};
    dl_iterate_phdr(read_counts, &now);
    if (now.n_adds != atomic_load(&images.n_adds)) images_note();
    if (now.n_subs == images.n_subs) return;
    images.n_subs = now.n_subs;
    unwind_forget();
}

// What images_read gathers under the loader's lock.
struct gathering {
    struct table *table;
    bool is_loaded[MAX_IMAGES];
};

static int gather_object(struct dl_phdr_info *info, size_t size, void *ctx) {
    struct gathering *to = ctx;
    struct object object;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (!executable(info, i, &object)) continue;
        const struct image *image = find(to->table, &object);
        if (image) to->is_loaded[image - to->table->items] = true;
    }
    return 0;
}

static int compare_start(const void *a, const void *b, void *ctx) {
    const struct image *x = *(const struct image *const *)a, *y = *(const struct image *const *)b;
    (void)ctx;
    return x->start < y->start ? -1 : x->start > y->start;
}

struct image_map images_read(struct arena *out) {
    struct image_map map = {0};
    struct gathering *found = NEW(out, struct gathering, 1);
    images_note();
    found->table = atomic_load(&images.table);
    if (!found->table) return map;
    u32 n = atomic_load_explicit(&images.n, memory_order_acquire);
    map.now = NEW(out, const struct image *, n);
    map.past = NEW(out, const struct image *, n);
    dl_iterate_phdr(gather_object, found);
    for (u32 i = n; i-- > 0;) {
        const struct image *image = &found->table->items[i];
        if (image->is_program && !map.program) map.program = image;
        if (found->is_loaded[i])
            map.now[map.n_now++] = image;
        else
            map.past[map.n_past++] = image;
    }
    sort_stable(out, map.now, map.n_now, sizeof *map.now, compare_start, NULL);
    return map;
}

const struct image *image_at(const struct image_map *map, u64 address) {
    u32 lo = 0, hi = map->n_now;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (map->now[mid]->start <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && address < map->now[lo - 1]->limit) return map->now[lo - 1];
    for (u32 i = 0; i < map->n_past; i++)
        if (address >= map->past[i]->start && address < map->past[i]->limit) return map->past[i];
    return NULL;
}

u32 images_lost(void) {
    return atomic_load(&images.n_lost);
}

u32 image_id(const struct image *image) {
    return (u32)(image - atomic_load(&images.table)->items);
}

// The hook; what libc unloads itself (iconv, NSS) passes it by and is images_follow's. An image
// must be in the table before it goes; after, cached rules for its addresses are wrong. dlopen has
// no hook: it finds RPATHs by its caller's address, which a hook would replace by its own.
__attribute__((visibility("default"))) int dlclose(void *handle) {
    static _Atomic(int (*)(void *)) real;
    int (*next)(void *) = atomic_load(&real);
    if (!next) {
        next = (int (*)(void *))hot_resolve("dlclose", NULL);
        atomic_store(&real, next);
    }
    hot_thread.depth++;
    images_note();
    hot_thread.depth--;
    int failed = next(handle);
    unwind_forget();
    return failed;
}
