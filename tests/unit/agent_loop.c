// tests/unit/agent_loop.c - the agent thread, its descriptors, its end and its new beginning;
// addresses. Room: claims about agent/loop and agent/listen. Door: the test runner.
#include "unit.h"

#include "agent/control.h"
#include "agent/endpoint.h"
#include "agent/listen.h"
#include "agent/loop.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    pid_t tid;
    char name[16];
    int n_fds;
    sigset_t mask;
};

static int count_fds(const char *folder) {
    DIR *d = opendir(folder);
    int n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n - 3; // ".", ".." and the folder itself
}

static void look(void *ctx) {
    struct seen *seen = ctx;
    seen->tid = gettid();
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_SETMASK, NULL, &seen->mask);
}

TEST(calls_run_on_one_thread_that_takes_no_signals) {
    struct seen a = {0}, b = {0};
    CHECK(loop_call(look, &a, &t->err) && loop_call(look, &b, &t->err));
    CHECK(a.tid != gettid() && a.tid == b.tid);
    CHECK_STR(str_of(a.name), S("pprof-agent"));
    CHECK(sigismember(&a.mask, SIGTERM) && sigismember(&a.mask, SIGPROF) &&
          sigismember(&a.mask, SIGCHLD));
}

// The program's table of descriptors stays as it is, and closing all of it does not reach the
// agent.
TEST(its_descriptors_are_its_own) {
    int before = count_fds("/proc/self/fd");
    char port[ADDRESS_CAP];
    CHECK(control_serve(S("127.0.0.1:0"), &t->err));
    if (!loop_has_private_fds()) return control_stop(); // before Linux 5.9, or malloc is not ours
    CHECK_EQ(count_fds("/proc/self/fd"), before);
    snprintf(port, sizeof port, "%s", endpoint_address());
    CHECK(port[0] != 0);
    for (int fd = 3; fd < 1024; fd++) close(fd);
    CHECK(!control_serve(S("127.0.0.1:0"), &t->err));
    CHECK_EQ(t->err.code, ERR_BUSY);
    control_stop();
    CHECK_STR(str_of(endpoint_address()), S(""));
}

TEST(a_pause_ends_the_thread_and_keeps_the_address) {
    struct seen a = {0}, b = {0};
    char address[ADDRESS_CAP];
    CHECK(control_serve(S("127.0.0.1:0"), &t->err));
    snprintf(address, sizeof address, "%s", endpoint_address());
    CHECK(loop_call(look, &a, &t->err));
    CHECK(control_pause());
    CHECK(!loop_is_running() && !control_pause());
    control_resume();
    CHECK(loop_call(look, &b, &t->err));
    CHECK(a.tid != b.tid);
    for (int i = 0; i < 200 && !endpoint_address()[0]; i++) usleep(10000);
    CHECK_STR(str_of(endpoint_address()), str_of(address));
    control_stop();
}

static void *call_often(void *arg) {
    struct seen seen;
    for (int i = 0; i < 200; i++)
        if (!loop_call(look, &seen, NULL)) return arg;
    return NULL;
}

TEST(calls_survive_pauses) {
    pthread_t caller;
    static int failed;
    CHECK_EQ(pthread_create(&caller, NULL, call_often, &failed), 0);
    for (int i = 0; i < 50; i++) {
        usleep(500);
        if (control_pause()) control_resume();
    }
    void *result = &failed;
    CHECK_EQ(pthread_join(caller, &result), 0);
    CHECK(result == NULL);
}

static bool opens(struct unit *t, const char *address, struct listener *ret) {
    return listen_open(str_of(address), &(struct listen_opts){0}, ret, &t->err);
}

TEST(a_missing_host_is_this_machine_only) {
    struct listener l;
    const char *forms[] = {"localhost:0", ":0", "0", "127.0.0.1:0"};
    for (size_t i = 0; i < countof(forms); i++) {
        CHECK(opens(t, forms[i], &l));
        CHECK(str_starts(str_of(l.address), S("127.0.0.1:")));
        CHECK(!str_ends(str_of(l.address), S(":0")));
        listen_close(&l);
    }
}

TEST(what_is_no_address_is_told) {
    struct listener l;
    CHECK(!opens(t, "example.org:1", &l));
    CHECK_STR(str_of(t->err.text), S("\"example.org\" is neither localhost nor a numeric address"));
    CHECK(!opens(t, "localhost:http", &l) && t->err.code == ERR_USAGE);
    CHECK(!opens(t, "localhost:65536", &l) && t->err.code == ERR_USAGE);
    CHECK(!opens(t, "", &l) && !opens(t, "unix:", &l));
}

TEST(a_taken_port_is_busy) {
    struct listener l, second;
    CHECK(opens(t, ":0", &l));
    CHECK(!opens(t, l.address, &second));
    CHECK_EQ(t->err.code, ERR_BUSY);
    CHECK(str_ends(str_of(t->err.text), S("address already in use")));
    listen_close(&l);
}

TEST(a_socket_file_is_private_and_one_left_behind_is_replaced) {
    char path[64];
    struct listener l, second;
    struct stat st;
    snprintf(path, sizeof path, "unix:/tmp/pprof-unit-%d.sock", (int)getpid());
    CHECK(opens(t, path, &l));
    CHECK(stat(path + 5, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(!opens(t, path, &second) && t->err.code == ERR_BUSY); // somebody listens
    close(l.fd);
    CHECK(opens(t, path, &second)); // nobody does any more
    CHECK_STR(str_of(second.address), str_of(path));
    listen_close(&second);
    CHECK(stat(path + 5, &st) != 0);
}

TEST(elsewhere_is_a_free_port_or_a_file_named_by_pid) {
    struct listener l, first;
    char want[64], path[64];
    struct listen_opts elsewhere = {.is_elsewhere = true};
    CHECK(opens(t, ":0", &first));
    CHECK(listen_open(str_of(first.address), &elsewhere, &l, &t->err));
    CHECK(strcmp(l.address, first.address) != 0);
    listen_close(&l);
    listen_close(&first);
    snprintf(path, sizeof path, "unix:/tmp/pprof-unit-%d-x", (int)getpid());
    snprintf(want, sizeof want, "unix:/tmp/%d.sock", (int)getpid());
    CHECK(listen_open(str_of(path), &elsewhere, &l, &t->err));
    CHECK_STR(str_of(l.address), str_of(want));
    listen_close(&l);
}

TEST(children_are_those_forked_unless_told) {
    CHECK_EQ(control_parse_children(S("none")), CHILDREN_NONE);
    CHECK_EQ(control_parse_children(S("exec")), CHILDREN_EXEC);
    CHECK_EQ(control_parse_children(S("all")), CHILDREN_ALL);
    CHECK_EQ(control_parse_children(S("")), CHILDREN_FORK);
    CHECK_EQ(control_parse_children(S("everyone")), CHILDREN_FORK);
}
