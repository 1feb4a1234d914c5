// tests/unit/driver_registry.c - files of profiled processes are read as docs/agent-files.md says.
#include "unit.h"

#include "driver/registry.h"

TEST(an_entry_needs_an_address_or_the_reason_why_not) {
    struct running r;
    CHECK(registry_entry_read(S("address=127.0.0.1:6060\n"), &r));
    CHECK_STR(r.address, S("127.0.0.1:6060"));
    CHECK(!registry_entry_read(S("program=/bin/true\nstarted=1\n"), &r));
    CHECK(!registry_entry_read(S(""), &r));
    CHECK(registry_entry_read(S("address=\nstate=port in use\n"), &r));
    CHECK_STR(r.state, S("port in use"));
}

TEST(unknown_lines_and_bad_numbers_are_passed_over) {
    struct running r;
    str text = S("future=x\nnonsense\nstarted=soon\nparent=77\nprogram=/a=b\naddress=unix:/x");
    CHECK(registry_entry_read(text, &r));
    CHECK_STR(r.program, S("/a=b"));
    CHECK_STR(r.address, S("unix:/x"));
    CHECK_EQ(r.started_s, 0);
    CHECK_EQ(r.parent, 77);
}
