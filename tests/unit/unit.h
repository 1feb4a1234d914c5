// tests/unit/unit.h - TEST and CHECK over cmocka.
// A test file holds TEST(claim_about_behaviour) { ... } blocks and nothing else is needed: they
// register themselves, and unit_main.c runs them. Each test gets `t` with a fresh arena and an
// empty err.
#pragma once

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct unit {
    struct arena *arena;
    struct err err;
};

typedef void (*unit_fn)(struct unit *t);
void unit_register(const char *name, unit_fn fn);

#define TEST(name)                                                                                 \
    static void name(struct unit *t);                                                              \
    __attribute__((constructor)) static void register_##name(void) {                               \
        unit_register(#name, name);                                                                \
    }                                                                                              \
    static void name(struct unit *t __attribute__((unused)))

#define CHECK(claim) assert_true(claim)
#define CHECK_EQ(a, b) assert_int_equal(a, b)
void unit_check_str(str got, str want, const char *file, int line);
#define CHECK_STR(got, want) unit_check_str((got), (want), __FILE__, __LINE__)
