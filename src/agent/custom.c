// agent/custom.c - profiles that a program makes itself.
// Room: see custom.h.
#include "agent/custom.h"

#include "agent/hot/hot.h"
#include "agent/labels.h"
#include "agent/rows.h"

#include <string.h>

struct custom {
    struct collector of;
    struct values values;
    char name[CUSTOM_NAME_MAX];
    _Atomic u32 is_ready; // 1: may be found; 2: never was, its name was taken
};

static struct {
    struct custom items[MAX_CUSTOM];
    _Atomic u32 n;
} customs PAGE_ALIGNED;

static struct custom *custom_of(const struct collector *of) {
    return (struct custom *)of->custom;
}

const struct collector *custom_at(u32 i) {
    u32 n = atomic_load(&customs.n);
    for (u32 k = 0; k < n && k < MAX_CUSTOM; k++)
        if (atomic_load_explicit(&customs.items[k].is_ready, memory_order_acquire) == 1 && i-- == 0)
            return &customs.items[k].of;
    return NULL;
}

static bool is_taken(str name, const struct custom *except) {
    const struct collector *of;
    for (u32 i = 0; i < n_collectors; i++)
        if (str_eq(collectors[i].name, name)) return true;
    for (u32 i = 0; (of = custom_at(i)); i++)
        if (of != &except->of && str_eq(of->name, name)) return true;
    return false;
}

bool custom_new(str name, const struct collector **ret, struct err *err) {
    if (!name.len || name.len >= CUSTOM_NAME_MAX)
        return err_set(err, ERR_USAGE, 0, "a profile's name has 1 to %d bytes",
                       CUSTOM_NAME_MAX - 1);
    if (is_taken(name, &(struct custom){0}))
        return err_set(err, ERR_USAGE, 0, "there is a profile of this name: " S_FMT, S_ARG(name));
    u32 i = atomic_fetch_add(&customs.n, 1);
    if (i >= MAX_CUSTOM) {
        atomic_fetch_sub(&customs.n, 1);
        return err_set(err, ERR_LIMIT, 0, "there are %d custom profiles already", MAX_CUSTOM);
    }
    struct custom *custom = &customs.items[i];
    memcpy(custom->name, name.p, name.len);
    str own = {custom->name, name.len};
    custom->of = (struct collector){.name = own,
                                    .types = {{own, S("count")}},
                                    .n_types = 1,
                                    .period_type = own,
                                    .period_unit = S("count"),
                                    .text = TEXT_COUNT,
                                    .custom = custom};
    atomic_store(&custom->is_ready, 1);
    // Two threads may make the same at the same time: then neither does.
    if (is_taken(name, custom)) {
        atomic_store(&custom->is_ready, 2);
        return err_set(err, ERR_USAGE, 0, "there is a profile of this name: " S_FMT, S_ARG(name));
    }
    *ret = &custom->of;
    return true;
}

bool custom_add(const struct collector *of, u64 value, const u64 *pcs, u32 n) {
    return values_add(&custom_of(of)->values, value, stack_intern(pcs, n), labels_now());
}

bool custom_remove(const struct collector *of, u64 value) {
    return values_remove(&custom_of(of)->values, value);
}

u64 custom_count(const struct collector *of) {
    return atomic_load(&custom_of(of)->values.n);
}

struct collection {
    struct arena *out;
    struct rows rows;
    struct idmap row_by_stack;
};

static void value_take(void *ctx, u32 stack_id, u32 label_id) {
    struct collection *c = ctx;
    u32 *at = idmap_at(&c->row_by_stack, (u64)label_id << 32 | stack_id);
    if (*at == U32_NONE) {
        GROW(c->out, c->rows.items, c->rows.cap, c->rows.n + 1);
        *at = c->rows.n;
        struct row *row = &c->rows.items[c->rows.n++];
        *row = (struct row){0};
        row->pcs = stack_pcs(stack_id, &row->n_pcs);
        labels_put(c->out, row, label_id, 0);
    }
    c->rows.items[*at].values[0]++;
}

bool custom_collect(const struct collector *of, struct arena *out, struct rows *ret) {
    struct collection c = {.out = out, .rows = {.period = 1}};
    struct values *values = &custom_of(of)->values;
    idmap_init(&c.row_by_stack, out);
    values_each(values, value_take, &c);
    rows_tell_count(out, &c.rows, "custom", atomic_load(&values->n_lost),
                    "values found the profile full");
    labels_tell(out, &c.rows);
    *ret = c.rows;
    return true;
}
