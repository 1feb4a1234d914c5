// tests/unit/driver_registry.c - files of profiled processes are read as docs/agent-files.md says.
#include "unit.h"

#include "driver/registry.h"

TEST(an_entry_needs_only_an_address) {
    struct running r;
    u64 ticks;
    CHECK(registry_entry_read(S("address=127.0.0.1:6060\n"), &r, &ticks));
    CHECK_STR(r.address, S("127.0.0.1:6060"));
    CHECK_EQ(ticks, 0);
    CHECK(!registry_entry_read(S("program=/bin/true\nstarted=1\n"), &r, &ticks));
    CHECK(!registry_entry_read(S(""), &r, &ticks));
}

TEST(unknown_lines_and_bad_numbers_are_passed_over) {
    struct running r;
    u64 ticks;
    str text = S("future=x\nnonsense\nstarted=soon\nticks=77\nprogram=/a=b\naddress=unix:/x");
    CHECK(registry_entry_read(text, &r, &ticks));
    CHECK_STR(r.program, S("/a=b"));
    CHECK_STR(r.address, S("unix:/x"));
    CHECK_EQ(r.started_s, 0);
    CHECK_EQ(ticks, 77);
}
