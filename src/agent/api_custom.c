// agent/api_custom.c - custom profiles, as include/pprof.h declares them.
// Room: the public names over agent/custom.h.
#include "pprof.h"

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/custom.h"
#include "agent/hot/hot.h"

#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT pprof_profile *pprof_new_profile(const char *name, char why[PPROF_ERROR_SIZE]) {
    const struct collector *of;
    struct err err = {0};
    bool is_ready = stacks_init() && unwind_init();
    if (is_ready && custom_new(str_of(name), &of, &err)) return (pprof_profile *)(uintptr_t)of;
    if (why) snprintf(why, PPROF_ERROR_SIZE, "%s", is_ready ? err.text : "no memory for stacks");
    return NULL;
}

EXPORT __attribute__((noinline)) bool pprof_profile_add(pprof_profile *profile, const void *value,
                                                        int skip) {
    const struct collector *of = api_collector_of(profile);
    u64 pcs[MAX_FRAMES];
    if (!of || !of->custom || pages_are_stopped()) return false;
    // One frame more than asked: this function.
    struct unwound got = unwind_here(pcs, MAX_FRAMES, 1 + (skip > 0 ? (u32)skip : 0));
    return custom_add(of, (u64)(uintptr_t)value, pcs, got.n);
}

EXPORT bool pprof_profile_remove(pprof_profile *profile, const void *value) {
    const struct collector *of = api_collector_of(profile);
    return of && of->custom && custom_remove(of, (u64)(uintptr_t)value);
}

EXPORT size_t pprof_profiles(const pprof_profile *profiles[], size_t cap) {
    const struct collector *of;
    size_t n = 0;
    for (u32 i = 0; (of = collector_at(i)); i++) {
        if (of->text == TEXT_NONE) continue;
        if (n < cap) profiles[n] = (const pprof_profile *)of;
        n++;
    }
    return n;
}
