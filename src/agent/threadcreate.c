// agent/threadcreate.c - who made the threads: rows of hot/threads.c's table of creators.
// Room: reading it. Door: agent/threadcreate.h.
#include "agent/threadcreate.h"

#include "agent/hot/hot.h"

bool threadcreate_collect(struct arena *out, struct rows *ret, struct err *err) {
    (void)err;
    const struct thread_creator *creators = thread_creators();
    struct rows rows = {.period = 1};
    for (u32 i = 0; i < MAX_CREATORS; i++) {
        u32 n = atomic_load_explicit(&creators[i].n_created, memory_order_relaxed);
        u32 id = atomic_load_explicit(&creators[i].stack_id_plus1, memory_order_acquire);
        if (!n || !id) continue;
        GROW(out, rows.items, rows.cap, rows.n + 1);
        struct row *row = &rows.items[rows.n++];
        *row = (struct row){.values = {n}};
        row->pcs = stack_pcs(id - 1, &row->n_pcs);
    }
    *ret = rows;
    return true;
}

u64 threadcreate_count(void) {
    const struct thread_creator *creators = thread_creators();
    u32 n = 0;
    for (u32 i = 0; i < MAX_CREATORS; i++)
        n += atomic_load_explicit(&creators[i].n_created, memory_order_relaxed);
    return n;
}

str threadcreate_status(struct arena *out) {
    (void)out;
    if (hot_is_first("pthread_create")) return S("");
    return S("threads are not seen as they are made: another library's pthread_create comes first");
}
