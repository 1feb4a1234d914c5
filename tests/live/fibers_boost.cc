// tests/live/fibers_boost.cc - the same as fibers.c by boost.context's fcontext, whose trampoline
// has no unwind information.
#include "pprof.h"

#include <boost/context/detail/fcontext.hpp>
#include <ctime>
#include <sys/mman.h>

using namespace boost::context::detail;

enum { STACK_BYTES = 1 << 20, DEPTH = 300, N_ROUNDS = 40 };

static volatile unsigned long sink;

__attribute__((noinline)) static void burn() {
    clock_t end = clock() + CLOCKS_PER_SEC / 100;
    while (clock() < end)
        for (int i = 0; i < 10000; i++) sink = sink + 1;
}

__attribute__((noinline)) static void descend(int n) {
    volatile char pad[2000];
    pad[0] = (char)n;
    if (n)
        descend(n - 1);
    else
        burn();
    sink = sink + (unsigned char)pad[0];
}

static void fiber_main(transfer_t from) {
    for (;;) {
        descend(DEPTH);
        from = jump_fcontext(from.fctx, nullptr);
    }
}

int main() {
    void *stack =
        mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned id = pprof_stack_register(stack, STACK_BYTES);
    transfer_t fiber = {make_fcontext((char *)stack + STACK_BYTES, STACK_BYTES, fiber_main),
                        nullptr};
    for (int k = 0; k < N_ROUNDS; k++) fiber = jump_fcontext(fiber.fctx, nullptr);
    pprof_stack_unregister(id);
    return id == 0;
}
