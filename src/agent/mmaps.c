// agent/mmaps.c - the mmap collector.
// Room: see mmaps.h.
#include "agent/mmaps.h"

#include "agent/heap.h"
#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/rows.h"

static const char status_front[] =
    "mappings are not seen: another library's mmap comes before libpprof's";

bool mmaps_init(void) {
    return maps_record();
}

static str kind_name(enum map_kind kind) {
    switch (kind) {
    case MAP_KIND_ANONYMOUS:
        return S("anonymous");
    case MAP_KIND_FILE:
        return S("file");
    case MAP_KIND_SHARED:
        return S("shared");
    case MAP_KIND_RESERVED:
        return S("reserved");
    }
    return S("");
}

struct piece_sums {
    u64 n[MAX_SITES], bytes[MAX_SITES];
};

static void piece_take(void *ctx, u32 site, u64 bytes) {
    struct piece_sums *sums = ctx;
    sums->n[site]++;
    sums->bytes[site] += bytes;
}

static void comments(struct arena *out, struct rows *rows) {
    rows_tell(out, rows, "mmap", mmaps_status(out));
    rows_tell_count(out, rows, "mmap", map_pieces_lost(),
                    "mappings found the table full: they are missing from inuse");
}

bool mmaps_collect(struct arena *out, const struct collect_opts *opts, struct rows *ret,
                   struct err *err) {
    (void)opts, (void)err;
    struct rows rows = {.period = 1};
    const struct map_site *sites = map_sites();
    struct piece_sums *sums = NEW(out, struct piece_sums, 1);
    map_pieces(piece_take, sums);
    for (u32 i = 0; sites && i < MAX_SITES; i++) {
        u64 key = atomic_load(&sites[i].key), n = atomic_load(&sites[i].n);
        if (!key || !n) continue;
        GROW(out, rows.items, rows.cap, rows.n + 1);
        struct row *row = &rows.items[rows.n++];
        *row = (struct row){0};
        row->pcs = stack_pcs(map_site_stack(key), &row->n_pcs);
        row->values[HEAP_ALLOC_OBJECTS] = (i64)n;
        row->values[HEAP_ALLOC_SPACE] = (i64)atomic_load(&sites[i].bytes);
        row->values[HEAP_INUSE_OBJECTS] = (i64)sums->n[i];
        row->values[HEAP_INUSE_SPACE] = (i64)sums->bytes[i];
        struct row_label *labels = labels_put(out, row, map_site_labels(key), 1);
        labels[0] = (struct row_label){.key = S("kind"), .text = kind_name(map_site_kind(key))};
    }
    comments(out, &rows);
    *ret = rows;
    return true;
}

u64 mmaps_count(void) {
    const struct map_site *sites = map_sites();
    u64 n = 0;
    for (u32 i = 0; sites && i < MAX_SITES; i++) n += atomic_load(&sites[i].n);
    return n;
}

str mmaps_status(struct arena *out) {
    (void)out;
    if (!maps_are_recorded()) return S("mappings are not recorded: libpprof does not collect here");
    return hot_is_first("mmap") ? S("") : str_of(status_front);
}
