// tests/unit/agent_resolve.c - symbol lookup by hand finds what dlsym finds.
// Room: claims about agent/hot/resolve; dlsym is the oracle. Door: the test runner.
#include "unit.h"

#include "agent/hot/hot.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Defined here as well, so that ours comes first and must be passed over.
__attribute__((visibility("default"))) long labs(long x) {
    return x < 0 ? -x : x + 0;
}

TEST(libc_functions_are_where_dlsym_says) {
    static const char *const names[] = {"getpid",       "pthread_create", "strtod",
                                        "qsort",        "_exit",          "aligned_alloc",
                                        "pthread_join", "write",          "posix_memalign"};
    for (size_t i = 0; i < countof(names); i++) {
        void *want = dlsym(RTLD_NEXT, names[i]);
        __asm__ volatile("" : "+r"(want)); // keeps the call from becoming a jump
        CHECK(want != NULL);
        assert_ptr_equal(hot_resolve(names[i], NULL), want);
    }
}

TEST(indirect_functions_give_the_chosen_implementation) {
    char a[] = "pprof", b[8] = {0};
    void *(*copy)(void *, const void *, size_t);
    void *at = hot_resolve("memcpy", NULL);
    CHECK(at != NULL);
    memcpy(&copy, &at, sizeof copy);
    copy(b, a, sizeof a);
    CHECK(strcmp(a, b) == 0);
}

TEST(versions_are_told_apart) {
    // x86-64 glibc has pthread_cond_wait twice; the old one takes another struct.
    void *plain = hot_resolve("pthread_cond_wait", NULL);
    CHECK(plain != NULL);
#ifdef __x86_64__
    assert_ptr_equal(hot_resolve("pthread_cond_wait", "GLIBC_2.3.2"), plain);
    void *old = hot_resolve("pthread_cond_wait", "GLIBC_2.2.5");
    CHECK(old != NULL);
    CHECK(old != plain);
    assert_ptr_equal(old, dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.2.5"));
#endif
    CHECK(hot_resolve("pthread_cond_wait", "GLIBC_9.9") == NULL);
}

TEST(our_own_definition_is_never_given) {
    struct resolved got = hot_resolve_in("labs", NULL);
    CHECK(got.address != NULL);
    CHECK(got.address != (void *)(uintptr_t)labs);
    CHECK(str_starts(str_of(object_name(got.object)), S("libc.so")));
    CHECK_EQ(((long (*)(long))got.address)(-5), 5);
    CHECK(hot_resolve_any("labs").address == got.address);
    CHECK(hot_is_first("labs"));
    CHECK(!hot_is_first("getpid"));
}

TEST(unknown_names_are_nowhere) {
    CHECK(hot_resolve("no_such_function_anywhere", NULL) == NULL);
    CHECK(hot_resolve("", NULL) == NULL);
    CHECK(!hot_is_first("no_such_function_anywhere"));
}
