// examples/shop/load.c - shop-load: customers for the shop, and a digest of what they were told.
// Room: the load generator. The requests depend on the seed only, and the digest on the answers
// only, so that two runs with the same seed and count must print the same digest.
#include "shop.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct flags {
    unsigned port, n_customers, seconds, n_requests, rate, n_items;
};

struct customer {
    struct flags flags;
    unsigned number;
    uint64_t n_done, n_errors, digest;
};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Seven searches, two looks at an item and one sale in ten requests.
static void make_target(uint64_t *state, unsigned customer, unsigned n_items, char target[256]) {
    unsigned kind = (unsigned)(random_next(state) % 10);
    unsigned session = (unsigned)(random_next(state) % 100000);
    unsigned id = (unsigned)(random_next(state) % n_items);
    if (kind < 7) {
        char first[MAX_TERM_LEN + 1], second[MAX_TERM_LEN + 1];
        text_make_word((unsigned)(random_next(state) % N_WORDS / 8), first);
        text_make_word((unsigned)(random_next(state) % N_WORDS), second);
        snprintf(target, 256, "/search?q=%s+%s&session=%u-%u", first, second, customer, session);
    } else {
        snprintf(target, 256, "/%s?id=%u&session=%u-%u", kind < 9 ? "item" : "buy", id, customer,
                 session);
    }
}

static int connect_to(unsigned port) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    return -1;
}

// Reads one answer; gives its body (within buffer) or NULL.
static const char *read_answer(int fd, char *buffer, size_t size) {
    size_t len = 0;
    while (len < size - 1) {
        ssize_t n = recv(fd, buffer + len, size - 1 - len, 0);
        if (n <= 0) return NULL;
        len += (size_t)n;
        buffer[len] = '\0';
        const char *body = strstr(buffer, "\r\n\r\n");
        const char *length = strstr(buffer, "Content-Length: ");
        if (!body || !length || length > body) continue;
        body += 4;
        if (len - (size_t)(body - buffer) >= strtoul(length + 16, NULL, 10)) return body;
    }
    return NULL;
}

static bool ask(int fd, const char *target, uint64_t *digest) {
    char request[512], answer[32768]; // ten items of 24 words each are about 3 KiB
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", target);
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len) return false;
    const char *body = read_answer(fd, answer, sizeof answer);
    if (!body) return false;
    *digest += text_hash(body); // a sum: the order of customers does not matter
    return true;
}

static void sleep_s(double seconds) {
    if (seconds <= 0) return;
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

// Customers come at random, as people do. At a fixed rate their requests may keep step with the
// kernel's clock, 3 of them in each of its 4 ms ticks, say, and no tick ever finds the shop at
// work.
static double random_pause(uint64_t *state, double mean_s) {
    double share = (double)(random_next(state) >> 11) / (double)(1ull << 53);
    return -log(1 - share) * mean_s;
}

static void *customer_run(void *arg) {
    struct customer *c = arg;
    uint64_t state = 0x9e3779b97f4a7c15u * (c->number + 1), pauses = state;
    double start = now_s(), end = start + c->flags.seconds, due = start;
    double pause = c->flags.rate ? (double)c->flags.n_customers / c->flags.rate : 0;
    unsigned share = c->flags.n_requests / c->flags.n_customers;
    int fd = connect_to(c->flags.port);
    while (now_s() < end && (!share || c->n_done < share)) {
        char target[256];
        make_target(&state, c->number, c->flags.n_items, target);
        if (fd < 0 || !ask(fd, target, &c->digest)) {
            c->n_errors++;
            break;
        }
        c->n_done++;
        due += random_pause(&pauses, pause);
        sleep_s(due - now_s());
    }
    if (fd >= 0) close(fd);
    return NULL;
}

static struct flags parse_flags(int argc, char **argv) {
    struct flags f = {.port = 8080, .n_customers = 4, .seconds = 10, .n_items = 5000};
    int c;
    while ((c = getopt(argc, argv, "p:c:t:n:r:i:")) != -1) {
        unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        if (c == 'p') f.port = number;
        if (c == 'c') f.n_customers = number ? number : 1;
        if (c == 't') f.seconds = number;
        if (c == 'n') f.n_requests = number;
        if (c == 'r') f.rate = number;
        if (c == 'i') f.n_items = number ? number : 1;
        if (c == '?') {
            fprintf(stderr, "usage: shop-load [-p port] [-c customers] [-t seconds] [-n requests]\n"
                            "                 [-r requests a second, 0 for no limit] [-i items]\n");
            exit(2);
        }
    }
    return f;
}

int main(int argc, char **argv) {
    struct flags f = parse_flags(argc, argv);
    struct customer *customers = calloc(f.n_customers, sizeof *customers);
    pthread_t *threads = calloc(f.n_customers, sizeof *threads);
    uint64_t n_done = 0, n_errors = 0, digest = 0;
    double start = now_s();
    for (unsigned i = 0; i < f.n_customers; i++) {
        customers[i] = (struct customer){.flags = f, .number = i};
        if (pthread_create(&threads[i], NULL, customer_run, &customers[i]) != 0) return 1;
    }
    for (unsigned i = 0; i < f.n_customers; i++) {
        pthread_join(threads[i], NULL);
        n_done += customers[i].n_done;
        n_errors += customers[i].n_errors;
        digest += customers[i].digest;
    }
    printf("requests=%llu errors=%llu rate=%.0f digest=%016llx\n", (unsigned long long)n_done,
           (unsigned long long)n_errors, (double)n_done / (now_s() - start),
           (unsigned long long)digest);
    free(customers);
    free(threads);
    return n_errors ? 1 : 0;
}
