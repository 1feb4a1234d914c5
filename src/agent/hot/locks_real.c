// agent/hot/locks_real.c - finds the lock functions behind our hooks.
// Room: see locks.h. Door: locks_find().
#include "agent/hot/locks.h"

#include "agent/hot/real.h"
#include "agent/hot/resolve.h"

#include <string.h>

// Where each pointer begins: the function that finds all, then goes on.
#define LOCK_HOOK(result, field, symbol, version, parameters, arguments)                           \
    static result first_##field parameters {                                                       \
        locks_find();                                                                              \
        return real_locks.field arguments;                                                         \
    }
#include "agent/hot/locks.def"
#undef LOCK_HOOK

struct real_locks real_locks = {
#define LOCK_HOOK(result, field, symbol, version, parameters, arguments) .field = first_##field,
#include "agent/hot/locks.def"
#undef LOCK_HOOK
};

static void find(void *ret, const char *symbol, const char *version) {
    void *found = hot_resolve(symbol, version);
    if (found) memcpy(ret, &found, sizeof found);
}

void locks_find(void) {
#define LOCK_HOOK(result, field, symbol, version, parameters, arguments)                           \
    find(&real_locks.field, symbol, version);
#include "agent/hot/locks.def"
#undef LOCK_HOOK
}

bool locks_are_ours(void) {
    return hot_is_first("pthread_mutex_lock") && hot_is_first("pthread_mutex_unlock");
}
