// tests/unit/agent_fork.c - the agent in a forked child.
// Room: claims about agent/control and agent/loop after a fork. AddressSanitizer cannot run it: the
// child's agent thread lies on the stack of the parent's, whose end ASan never saw, and it takes
// that thread's red zones for the new one's. Door: the test runner.
#include "unit.h"

#include "agent/control.h"
#include "agent/endpoint.h"
#include "agent/loop.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(a_forked_child_has_no_agent_until_it_begins) {
    CHECK(control_serve(S("127.0.0.1:0"), &t->err));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        // PPROF_CHILDREN is fork unless it says otherwise: its own thread, its own port, after a
        // moment.
        for (int i = 0; i < 300 && !endpoint_address()[0]; i++) usleep(10000);
        _exit(endpoint_address()[0] && loop_is_running() ? 0 : 1);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    control_stop();
}
