// formats/perf_maps.c - perf's processes: what they mapped where, and what their threads are
// called. Room: records of mappings, forks and names, played in the order of time; addresses to
// locations. Door: formats/perf.h.
//
// A file that several processes map at several places is one mapping here: the first place that a
// sample meets, and addresses seen elsewhere are moved there. Mappings no sample meets stay out.
#include "formats/perf.h"

#include "formats/text.h"

#include <string.h>

enum {
    RECORD_MMAP = 1,
    RECORD_COMM = 3,
    RECORD_FORK = 7,
    RECORD_MMAP2 = 10,
    MISC_IS_EXEC = 1 << 13,      // of COMM
    MISC_HAS_BUILD_ID = 1 << 14, // of MMAP2
    MMAP2_BUILD_ID_MAX = 20,
    // vm.max_map_count is 65530; JIT compilers that tell perf of each function need more.
    MAX_MAPS = 1 << 18,
    // Maps copied because a forked child changed its own: a fork that calls exec copies none.
    MAX_COPIED_MAPS = 1 << 22,
};

// One range of one process's addresses.
struct map {
    u64 start, limit;
    u32 image_i;
    u64 image_address; // where start is in the image's mapping
};

// One file at one offset: what becomes a mapping.
struct image {
    u64 start, len, offset;
    u32 file, build_id; // string ids
    u32 mapping_i;      // U32_NONE until a sample meets it
};

struct process {
    struct map *maps; // by start, none overlap
    u32 n_maps;
    size_t cap_maps;  // 0: maps belong to a parent too and are copied before a change
    u32 main_image_i; // its program, the first file it maps; U32_NONE: not seen
    u64 n_samples;
};

struct perf_processes {
    struct arena *scratch;
    struct profile_builder *b;
    const struct perf_facts *facts;
    struct process *items;
    u32 n;
    size_t cap, cap_images;
    struct idmap by_pid, comms_by_tid; // comms: string ids
    struct image *images;
    u32 n_images;
    struct idmap images_by_key;
    u64 n_copied;
};

struct perf_processes *perf_processes_new(struct arena *scratch, struct profile_builder *b,
                                          const struct perf_facts *facts) {
    struct perf_processes *all = NEW(scratch, struct perf_processes, 1);
    *all = (struct perf_processes){.scratch = scratch, .b = b, .facts = facts};
    idmap_init(&all->by_pid, scratch);
    idmap_init(&all->comms_by_tid, scratch);
    idmap_init(&all->images_by_key, scratch);
    return all;
}

// The process's index; it is made when new.
static u32 process_at(struct perf_processes *all, u32 pid) {
    u32 *at = idmap_at(&all->by_pid, pid);
    if (*at != U32_NONE) return *at;
    *at = all->n;
    GROW(all->scratch, all->items, all->cap, all->n + 1);
    all->items[all->n++] = (struct process){.main_image_i = U32_NONE};
    return *at;
}

// The first map that ends behind address.
static u32 map_index(const struct process *p, u64 address) {
    u32 low = 0, high = p->n_maps;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (p->maps[mid].limit > address) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

static bool own_maps(struct perf_processes *all, struct process *p, struct err *err) {
    u32 n = p->n_maps;
    if (n >= MAX_MAPS)
        return err_set(err, ERR_LIMIT, 0, "perf.data: a process with more than %u mappings",
                       MAX_MAPS);
    if (p->cap_maps == 0 && n > 0) {
        all->n_copied += n;
        if (all->n_copied > MAX_COPIED_MAPS)
            return err_set(err, ERR_LIMIT, 0,
                           "perf.data: forked processes hold more than %u mappings",
                           MAX_COPIED_MAPS);
        struct map *own = NEW(all->scratch, struct map, (size_t)n + 16);
        memcpy(own, p->maps, n * sizeof *own);
        p->maps = own;
        p->cap_maps = (size_t)n + 16;
    }
    GROW(all->scratch, p->maps, p->cap_maps, (size_t)n + 2); // a split adds one more
    return true;
}

static struct map map_from(const struct map *m, u64 start) {
    struct map rest = *m;
    rest.image_address += start - m->start;
    rest.start = start;
    return rest;
}

// Puts a map among the others; what it covers of them is gone.
static bool map_insert(struct perf_processes *all, struct process *p, const struct map *m,
                       struct err *err) {
    if (!own_maps(all, p, err)) return false;
    u32 from = map_index(p, m->start), to = from;
    while (to < p->n_maps && p->maps[to].start < m->limit) to++;
    struct map put[3];
    u32 n_put = 0;
    if (from < to && p->maps[from].start < m->start) {
        put[n_put] = p->maps[from];
        put[n_put++].limit = m->start;
    }
    put[n_put++] = *m;
    if (from < to && p->maps[to - 1].limit > m->limit)
        put[n_put++] = map_from(&p->maps[to - 1], m->limit);
    memmove(p->maps + from + n_put, p->maps + to, (p->n_maps - to) * sizeof *p->maps);
    memcpy(p->maps + from, put, n_put * sizeof *put);
    p->n_maps = p->n_maps - (to - from) + n_put;
    return true;
}

// Whether two processes that map this mean the same bytes. "//anon" and "[heap]" are each one's
// own.
static bool is_shared_file(str name) {
    return str_eq(name, S("[vdso]")) || (name.len > 1 && name.p[0] == '/' && name.p[1] != '/');
}

static bool is_same_image(const struct image *a, const struct image *b, bool is_shared) {
    return a->file == b->file && a->build_id == b->build_id && a->offset == b->offset &&
           a->len == b->len && (is_shared || a->start == b->start);
}

static u32 image_at(struct perf_processes *all, const struct image *image, bool is_shared) {
    u64 key = hash_mix(image->file ^ ((u64)image->build_id << 32)) ^ hash_mix(image->offset + 1) ^
              hash_mix(image->len ^ 0x5bd1e995u);
    if (!is_shared) key ^= hash_mix(image->start + 3);
    for (;; key++) {
        u32 *at = idmap_at(&all->images_by_key, key);
        if (*at != U32_NONE && !is_same_image(&all->images[*at], image, is_shared)) continue;
        if (*at == U32_NONE) {
            *at = all->n_images;
            GROW(all->scratch, all->images, all->cap_images, all->n_images + 1);
            all->images[all->n_images++] = *image;
        }
        return *at;
    }
}

static str file_name(str body) {
    ptrdiff_t end = str_find_byte(body, '\0');
    return end < 0 ? body : str_take(body, (size_t)end);
}

// The build id that the file's table says; the kernel stands there without its symbol.
static str build_id_of(const struct perf_facts *facts, str name) {
    const str kernel = S("[kernel.kallsyms]");
    if (str_starts(name, kernel)) name = kernel;
    u32 i = strmap_get(&facts->build_ids, name);
    return i == U32_NONE ? (str){0} : facts->build_id_texts[i];
}

// What MMAP2 holds between the offset and the name: device and inode, or a build id.
static bool read_identity(struct perf_processes *all, const struct perf_record *record,
                          struct reader *r, str *build_id, struct err *err) {
    str identity, protection;
    if (!reader_bytes(r, 24, &identity, err) || !reader_bytes(r, 8, &protection, err)) return false;
    if (!(record->misc & MISC_HAS_BUILD_ID)) return true;
    size_t len = (u8)identity.p[0];
    if (len > MMAP2_BUILD_ID_MAX) len = MMAP2_BUILD_ID_MAX;
    *build_id = perf_hex(all->scratch, str_take(str_skip(identity, 4), len));
    return true;
}

static bool take_mmap(struct perf_processes *all, const struct perf_record *record,
                      struct err *err) {
    struct reader r = reader_of(record->body);
    u32 pid, tid;
    u64 start, len, offset;
    str build_id = {0};
    bool is_whole = reader_u32le(&r, &pid, err) && reader_u32le(&r, &tid, err) &&
                    reader_u64le(&r, &start, err) && reader_u64le(&r, &len, err) &&
                    reader_u64le(&r, &offset, err) &&
                    (record->type == RECORD_MMAP || read_identity(all, record, &r, &build_id, err));
    if (!is_whole) return err_in(err, "perf.data: mapping");
    if (len == 0) return true;
    str name = file_name((str){(const char *)r.p, reader_left(&r)});
    if (build_id.len == 0) build_id = build_id_of(all->facts, name);
    struct image image = {.start = start,
                          .len = len,
                          .offset = offset,
                          .file = builder_str(all->b, name),
                          .build_id = builder_str(all->b, build_id),
                          .mapping_i = U32_NONE};
    bool is_kernel = perf_record_mode(record) == PERF_KERNEL;
    u32 image_i = image_at(all, &image, is_shared_file(name) && !is_kernel);
    u32 process_i = process_at(all, is_kernel ? (u32)PERF_KERNEL_PID : pid);
    struct process *p = &all->items[process_i];
    // With data mappings recorded too, the stack comes before the program.
    if (p->main_image_i == U32_NONE && str_starts(name, S("/"))) p->main_image_i = image_i;
    u64 limit = start > UINT64_MAX - len ? UINT64_MAX : start + len;
    struct map m = {start, limit, image_i, all->images[image_i].start};
    return map_insert(all, p, &m, err);
}

static bool take_fork(struct perf_processes *all, const struct perf_record *record,
                      struct err *err) {
    struct reader r = reader_of(record->body);
    u32 pid, parent_pid, tid, parent_tid;
    u64 time;
    if (!reader_u32le(&r, &pid, err) || !reader_u32le(&r, &parent_pid, err) ||
        !reader_u32le(&r, &tid, err) || !reader_u32le(&r, &parent_tid, err) ||
        !reader_u64le(&r, &time, err))
        return err_in(err, "perf.data: fork");
    u32 comm = idmap_get(&all->comms_by_tid, parent_tid);
    if (comm != U32_NONE) *idmap_at(&all->comms_by_tid, tid) = comm;
    // At time 0 perf tells of a process that was there before: what it has mapped follows.
    if (pid == parent_pid || time == 0) return true;
    u32 child_i = process_at(all, pid), parent_i = process_at(all, parent_pid);
    struct process *child = &all->items[child_i], *parent = &all->items[parent_i];
    u64 n_samples = child->n_samples;
    parent->cap_maps = 0; // from now on both copy before they change
    *child = *parent;
    child->n_samples = n_samples;
    return true;
}

static bool take_comm(struct perf_processes *all, const struct perf_record *record,
                      struct err *err) {
    struct reader r = reader_of(record->body);
    u32 pid, tid;
    if (!reader_u32le(&r, &pid, err) || !reader_u32le(&r, &tid, err))
        return err_in(err, "perf.data: name of a thread");
    str name = file_name((str){(const char *)r.p, reader_left(&r)});
    *idmap_at(&all->comms_by_tid, tid) = builder_str(all->b, name);
    if (!(record->misc & MISC_IS_EXEC)) return true;
    u32 process_i = process_at(all, pid);
    u64 n_samples = all->items[process_i].n_samples;
    all->items[process_i] = (struct process){.main_image_i = U32_NONE, .n_samples = n_samples};
    return true;
}

bool perf_processes_take(struct perf_processes *all, const struct perf_record *record,
                         struct err *err) {
    switch (record->type) {
    case RECORD_MMAP:
    case RECORD_MMAP2:
        return take_mmap(all, record, err);
    case RECORD_FORK:
        return take_fork(all, record, err);
    case RECORD_COMM:
        return take_comm(all, record, err);
    default:
        return true;
    }
}

static u32 image_mapping(struct perf_processes *all, u32 image_i) {
    struct image *image = &all->images[image_i];
    if (image->mapping_i != U32_NONE) return image->mapping_i;
    const str kernel = S("[kernel.kallsyms]");
    str name = profile_str(&all->b->p, image->file);
    u64 room = UINT64_MAX - image->start;
    struct mapping row = {.start = image->start,
                          .limit = image->start + (image->len < room ? image->len : room),
                          .offset = image->offset,
                          .file = image->file,
                          .build_id = image->build_id};
    if (str_starts(name, kernel))
        row.kernel_relocation_symbol = builder_str(all->b, str_skip(name, kernel.len));
    return image->mapping_i = builder_mapping(all->b, &row);
}

static const struct map *find_map(const struct perf_processes *all, u32 pid, u64 address) {
    u32 process_i = idmap_get(&all->by_pid, pid);
    if (process_i == U32_NONE) return NULL;
    const struct process *p = &all->items[process_i];
    u32 i = map_index(p, address);
    return i < p->n_maps && p->maps[i].start <= address ? &p->maps[i] : NULL;
}

bool perf_is_mapped(const struct perf_processes *all, u32 pid, u64 address) {
    return find_map(all, pid, address) != NULL;
}

const struct profile *perf_profile(const struct perf_processes *all) {
    return &all->b->p;
}

u32 perf_location(struct perf_processes *all, u32 pid, enum perf_mode mode, u64 address,
                  bool is_return) {
    // A return address may be the first of the next function: the call is what ran.
    if (is_return && address > 0) address--;
    const struct map *m = NULL;
    if (mode != PERF_OTHER)
        m = find_map(all, mode == PERF_KERNEL ? (u32)PERF_KERNEL_PID : pid, address);
    if (!m) return builder_location(all->b, address, U32_NONE, NULL, 0);
    u64 moved = m->image_address + (address - m->start);
    return builder_location(all->b, moved, image_mapping(all, m->image_i), NULL, 0);
}

u32 perf_comm(const struct perf_processes *all, u32 pid, u32 tid) {
    u32 comm = idmap_get(&all->comms_by_tid, tid);
    if (comm == U32_NONE) comm = idmap_get(&all->comms_by_tid, pid);
    return comm == U32_NONE ? 0 : comm;
}

void perf_sample_counted(struct perf_processes *all, u32 pid) {
    u32 process_i = idmap_get(&all->by_pid, pid);
    if (process_i != U32_NONE) all->items[process_i].n_samples++;
}

// A mapping of the program: one that samples met, if there is one, for its text may be another part
// of the file than what was mapped first.
static u32 program_mapping(struct perf_processes *all, u32 image_i) {
    const struct image *image = &all->images[image_i];
    for (u32 i = 0; i < all->n_images; i++) {
        const struct image *other = &all->images[i];
        bool is_same = other->file == image->file && other->build_id == image->build_id;
        if (is_same && other->mapping_i != U32_NONE) return other->mapping_i;
    }
    return image_mapping(all, image_i);
}

void perf_main_first(struct perf_processes *all) {
    const struct process *most = NULL;
    for (u32 i = 0; i < all->n; i++) {
        const struct process *p = &all->items[i];
        if (p->main_image_i == U32_NONE || p->n_samples == 0) continue;
        if (!most || p->n_samples > most->n_samples) most = p;
    }
    if (!most) return;
    struct profile *p = &all->b->p;
    u32 main_i = program_mapping(all, most->main_image_i);
    struct mapping main = p->mappings[main_i];
    p->mappings[main_i] = p->mappings[0];
    p->mappings[0] = main;
    p->mappings[0].id = 1;
    p->mappings[main_i].id = main_i + 1;
    for (u32 i = 0; i < p->n_locations; i++) {
        u32 *at = &p->locations[i].mapping_i;
        *at = *at == main_i ? 0 : *at == 0 ? main_i : *at;
    }
}
