// profile/check.c - whether a profile makes sense in itself.
// Room: the checks of google/pprof's CheckValid in its order and with its sentences; repairing is
// nobody's. Door: profile_check(), at the end. Source: reference/pprof.md section 4.
#include "profile/check.h"

#include "profile/codec.h"

static bool inconsistent(struct err *err, const char *what) {
    return err_set(err, ERR_INCONSISTENT, 0, "%s", what);
}

static bool check_samples(const struct profile *p, struct err *err) {
    if (p->n_samples == 0) return true;
    if (p->n_types == 0) return inconsistent(err, "missing sample type information");
    u64 n_stack = p->stack_at[p->n_samples];
    u32 most = 0; // compilers make vectors of this loop: a profile has tens of millions of frames
    for (u64 i = 0; i < n_stack; i++) most = p->stack_locs[i] > most ? p->stack_locs[i] : most;
    if (n_stack && most >= p->n_locations) return inconsistent(err, "sample has nil location");
    return true;
}

// The ids of one table as they are walked. While they rise, as every writer's do, each is new; the
// map of all ids is made at the first that does not.
struct id_walk {
    const u8 *rows; // the ids are the first member of each row
    size_t row_bytes;
    const char *table, *id_word; // for the sentences: "mapping", "ID"
    struct idmap seen;
    u64 last;
    bool has_map;
};

static u64 row_id(const struct id_walk *w, u32 i) {
    return *(const u64 *)(const void *)(w->rows + (size_t)i * w->row_bytes);
}

static bool id_is_new(struct id_walk *w, u32 i) {
    u64 id = row_id(w, i);
    if (!w->has_map && id > w->last) {
        w->last = id;
        return true;
    }
    for (u32 before = 0; !w->has_map && before < i; before++)
        *idmap_at(&w->seen, row_id(w, before)) = 1;
    w->has_map = true;
    u32 *slot = idmap_at(&w->seen, id);
    if (*slot == 1) return false;
    *slot = 1;
    return true;
}

static bool check_id(struct id_walk *w, u32 i, struct err *err) {
    u64 id = row_id(w, i);
    if (id == 0)
        return err_set(err, ERR_INCONSISTENT, 0, "found %s with reserved %s=0", w->table,
                       w->id_word);
    if (!id_is_new(w, i))
        return err_set(err, ERR_INCONSISTENT, 0, "multiple %ss with same id: %llu", w->table,
                       (unsigned long long)id);
    return true;
}

static bool check_lines(const struct profile *p, const struct location *l, struct err *err) {
    for (u32 i = 0; i < l->n_lines; i++) {
        if (p->lines[l->lines_at + i].function_i < p->n_functions) continue;
        return err_set(err, ERR_INCONSISTENT, 0, "location id: %llu has a line with nil function",
                       (unsigned long long)l->id);
    }
    return true;
}

bool check_tables(const struct profile *p, struct err *err) {
    struct arena none = {0};
    AUTO_ARENA struct arena scratch = arena_sub(&none);
    struct id_walk walks[] = {
        {(const u8 *)p->mappings, sizeof *p->mappings, "mapping", "ID", {0}, 0, false},
        {(const u8 *)p->functions, sizeof *p->functions, "function", "ID", {0}, 0, false},
        {(const u8 *)p->locations, sizeof *p->locations, "location", "id", {0}, 0, false},
    };
    const u32 sizes[] = {p->n_mappings, p->n_functions, p->n_locations};
    for (size_t table = 0; table < countof(walks); table++) {
        idmap_init(&walks[table].seen, &scratch);
        bool is_locations = table == 2;
        for (u32 i = 0; i < sizes[table]; i++) {
            if (!check_id(&walks[table], i, err)) return false;
            if (is_locations && !check_lines(p, &p->locations[i], err)) return false;
        }
    }
    return true;
}

_Static_assert(offsetof(struct mapping, id) == 0 && offsetof(struct function, id) == 0 &&
                   offsetof(struct location, id) == 0,
               "row_id reads the first member");

bool profile_check(const struct profile *p, struct err *err) {
    return check_samples(p, err) && check_tables(p, err);
}
