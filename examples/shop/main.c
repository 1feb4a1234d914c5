// examples/shop/main.c - the shop server: flags, a thread a connection, a thread that reindexes.
// Room: sockets, threads and the end of the run. Compiled twice: shop (SHOP_SERVES_PROFILES)
// answers /debug/pprof/ itself; shop-plain knows nothing of pprof and is profiled by LD_PRELOAD.
#include "shop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef SHOP_SERVES_PROFILES
#include "pprof.h"
#else // what an execution trace would show
#define PPROF_REGION(type) (void)0
#define PPROF_TASK_REGION(task, type) (void)(task)
#define pprof_trace_task_new(parent, type) 0
#define pprof_trace_task_end(task) (void)(task)
#endif

struct flags {
    unsigned port, seconds, n_items, reindex_ms;
    size_t cache_mb;
    const char *pprof_address;
};

enum { MAX_CONNECTIONS = 200 }; // one thread each

static struct shop shop;
static atomic_uint n_connections;

static int answer(uint64_t task, const struct request *r, struct body *b) {
    PPROF_TASK_REGION(task, "answer");
    return shop_answer(&shop, r, b);
}

static bool send_answer(uint64_t task, struct connection *c, int status, const struct body *b,
                        bool is_keep_alive) {
    PPROF_TASK_REGION(task, "send");
    return http_answer(c, status, b, is_keep_alive);
}

static void *serve_connection(void *arg) {
    struct connection *c = arg;
    struct request r;
    bool goes_on = true;
    while (goes_on && http_read(c, &r)) {
        struct body b = {0};
        uint64_t task = pprof_trace_task_new(0, "request");
        int status = answer(task, &r, &b);
        goes_on = send_answer(task, c, status, &b, r.is_keep_alive) && r.is_keep_alive;
        pprof_trace_task_end(task);
        free(b.text);
    }
    close(c->fd);
    free(c);
    n_connections--;
    return NULL;
}

static void start_connection(int fd) {
    struct connection *c = n_connections < MAX_CONNECTIONS ? malloc(sizeof *c) : NULL;
    pthread_t thread;
    if (!c) {
        close(fd);
        return;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd;
    c->n_held = 0;
    n_connections++;
    if (pthread_create(&thread, NULL, serve_connection, c) != 0) {
        n_connections--;
        close(fd);
        free(c);
        return;
    }
    pthread_detach(thread);
}

static void *accept_connections(void *arg) {
    int listener = *(int *)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) start_connection(fd);
        if (fd < 0 && errno != EINTR && errno != ECONNABORTED) return NULL;
    }
}

static void *reindex_loop(void *arg) {
    unsigned pause_ms = *(unsigned *)arg;
    for (;;) {
        struct timespec pause = {pause_ms / 1000, (long)(pause_ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
        PPROF_REGION("reindex");
        shop_reindex(&shop);
    }
    return NULL;
}

static int listen_on(unsigned *port) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)*port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 128) != 0) {
        fprintf(stderr, "shop: cannot listen on port %u: %s\n", *port, strerror(errno));
        exit(1);
    }
    getsockname(fd, (struct sockaddr *)&at, &len);
    *port = ntohs(at.sin_port);
    return fd;
}

static struct flags parse_flags(int argc, char **argv) {
    struct flags f = {.port = 8080, .seconds = 60, .n_items = 5000, .reindex_ms = 250};
    f.cache_mb = 512;
    f.pprof_address = "localhost:6060";
    int c;
    while ((c = getopt(argc, argv, "p:t:n:r:c:a:")) != -1) {
        unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        if (c == 'p') f.port = number;
        if (c == 't') f.seconds = number;
        if (c == 'n') f.n_items = number ? number : 1;
        if (c == 'r') f.reindex_ms = number;
        if (c == 'c') f.cache_mb = number;
        if (c == 'a') f.pprof_address = optarg;
        if (c == '?') {
            fprintf(stderr, "usage: shop [-p port] [-t seconds to run] [-n items] [-r pause between"
                            " reindexing, ms]\n            [-c cache limit, MB] [-a address of"
                            " /debug/pprof/]\n");
            exit(2);
        }
    }
    return f;
}

static void serve_profiles(const char *address) {
#ifdef SHOP_SERVES_PROFILES
    char why[PPROF_ERROR_SIZE];
    if (!pprof_serve(address, why)) {
        fprintf(stderr, "shop: no profiles: %s\n", why);
        return;
    }
    printf("shop: profiles at http://%s/debug/pprof/\n", pprof_address());
#else
    (void)address;
#endif
}

// Waits for the end of the run or a signal that asks for it.
static void wait_for_end(unsigned seconds) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    struct timespec limit = {.tv_sec = seconds};
    while (sigtimedwait(&ends, NULL, &limit) < 0 && errno == EINTR) {
    }
}

int main(int argc, char **argv) {
    struct flags f = parse_flags(argc, argv);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); // for every thread: only wait_for_end takes them

    serve_profiles(f.pprof_address);
    shop_init(&shop, f.n_items, f.cache_mb << 20);
    int listener = listen_on(&f.port);
    printf("shop: %u items at http://127.0.0.1:%u/search?q=bari\n", f.n_items, f.port);
    fflush(stdout);

    pthread_t acceptor, reindexer;
    if (pthread_create(&acceptor, NULL, accept_connections, &listener) != 0) return 1;
    if (f.reindex_ms) pthread_create(&reindexer, NULL, reindex_loop, &f.reindex_ms);
    wait_for_end(f.seconds);
    printf("shop: %llu requests, %llu sales\n", (unsigned long long)shop.n_requests,
           (unsigned long long)ledger_count(shop.ledger));
    return 0;
}
