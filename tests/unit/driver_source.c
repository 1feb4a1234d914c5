// tests/unit/driver_source.c - source words become the URLs go tool pprof makes of them.
#include "unit.h"

#include "driver/source.h"

static str url(struct unit *t, str word, i64 seconds) {
    struct source_url u;
    struct source_time time = {.seconds = seconds};
    return source_url_parse(t->arena, word, time, &u) ? u.text : S("none");
}

TEST(hosts_with_ports_are_urls_and_hosts_without_are_not) {
    CHECK_STR(url(t, S("localhost:6060"), 0), S("http://localhost:6060/debug/pprof/profile"));
    CHECK_STR(url(t, S("1.2.3.4:80/x"), 0), S("http://1.2.3.4:80/x"));
    CHECK_STR(url(t, S("[::1]:6060/"), 0), S("http://[::1]:6060/debug/pprof/profile"));
    CHECK_STR(url(t, S("host/debug/pprof/heap"), 0), S("none"));
    CHECK_STR(url(t, S("//host/debug/pprof/heap"), 0), S("http://host/debug/pprof/heap"));
    CHECK_STR(url(t, S("file:///x"), 0), S("none"));
    CHECK_STR(url(t, S("profile.pb.gz"), 0), S("none"));
    CHECK_STR(url(t, S(""), 0), S("none"));
}

TEST(seconds_replace_what_the_url_says_and_keys_are_sorted) {
    CHECK_STR(url(t, S("http://h/debug/pprof/heap?seconds=9&gc=1"), 3),
              S("http://h/debug/pprof/heap?gc=1&seconds=3"));
    CHECK_STR(url(t, S("h:1/x?b=2&a=x%20y"), 0), S("http://h:1/x?a=x+y&b=2"));
    CHECK_STR(url(t, S("h:1"), 5), S("http://h:1/debug/pprof/profile?seconds=5"));
}

TEST(timeouts_follow_the_duration) {
    struct source_url u;
    CHECK(source_url_parse(t->arena, S("h:1"), (struct source_time){0}, &u));
    CHECK_EQ(u.timeout_s, 60);
    CHECK(source_url_parse(t->arena, S("h:1?seconds=20"), (struct source_time){0}, &u));
    CHECK_EQ(u.timeout_s, 30);
    CHECK(source_url_parse(t->arena, S("h:1"), (struct source_time){.seconds = 10}, &u));
    CHECK_EQ(u.timeout_s, 15);
    CHECK(source_url_parse(t->arena, S("h:1"), (struct source_time){10, 7}, &u));
    CHECK_EQ(u.timeout_s, 7);
}

TEST(insecure_https_is_https_without_checks) {
    struct source_url u;
    CHECK(source_url_parse(t->arena, S("https+insecure://h/p"), (struct source_time){0}, &u));
    CHECK(u.is_insecure);
    CHECK_STR(u.fetch, S("https://h/p"));
    CHECK_STR(u.text, S("https+insecure://h/p"));
}

TEST(a_port_alone_is_this_machine) {
    struct source_url u;
    CHECK(source_url_parse(t->arena, S(":6060"), (struct source_time){0}, &u));
    CHECK_STR(u.fetch, S("http://localhost:6060/debug/pprof/profile"));
}

TEST(unix_sockets_have_a_path_of_their_own) {
    struct source_url u;
    CHECK(source_url_parse(t->arena, S("unix:/run/x.sock:/debug/pprof/heap?gc=1"),
                           (struct source_time){0}, &u));
    CHECK_STR(u.unix_socket, S("/run/x.sock"));
    CHECK_STR(u.fetch, S("http://localhost/debug/pprof/heap?gc=1"));
    CHECK(
        source_url_parse(t->arena, S("unix:/run/x.sock"), (struct source_time){.seconds = 2}, &u));
    CHECK_STR(u.fetch, S("http://localhost/debug/pprof/profile?seconds=2"));
}

TEST(durations_read_as_gos) {
    struct buf b = buf_new(t->arena, 64);
    duration_show(&b, 3);
    buf_byte(&b, ' ');
    duration_show(&b, 90);
    buf_byte(&b, ' ');
    duration_show(&b, 3600);
    CHECK_STR(buf_str(&b), S("3s 1m30s 1h0m0s"));
}
