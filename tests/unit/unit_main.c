// tests/unit/unit_main.c - runs the tests that registered themselves. See unit.h.
#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TESTS = 512 }; // one executable holds one file's tests

static struct CMUnitTest tests[MAX_TESTS];
static unit_fn fns[MAX_TESTS];
static size_t n_tests;

static void run_one(void **state) {
    unit_fn fn = *(unit_fn *)*state;
    struct arena arena;
    arena_init(&arena);
    struct unit t = {.arena = &arena};
    fn(&t);
    arena_done(&arena);
}

void unit_register(const char *name, unit_fn fn) {
    assert_true(n_tests < MAX_TESTS);
    fns[n_tests] = fn;
    tests[n_tests] =
        (struct CMUnitTest){.name = name, .test_func = run_one, .initial_state = &fns[n_tests]};
    n_tests++;
}

void unit_check_str(str got, str want, const char *file, int line) {
    if (str_eq(got, want)) return;
    print_error("got  \"" S_FMT "\"\nwant \"" S_FMT "\"\n", S_ARG(got), S_ARG(want));
    _fail(file, line);
}

int main(void) {
    // The array is full-sized for _cmocka_run_group_tests, which takes a count.
    return _cmocka_run_group_tests("unit", tests, n_tests, NULL, NULL);
}
