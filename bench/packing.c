// bench/packing.c - what inflating a profile, and deflating it again, cost without anything else.
// usage: packing FILE.gz: the floor below which no report, and no -proto, of it can get.
#include "profile/profile.h"

#include <stdio.h>
#include <time.h>

enum { MAX_FILE = 1 << 30 };

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static str read_file(struct arena *arena, const char *path) {
    struct buf b = buf_new(arena, MAX_FILE);
    static char chunk[64 << 10];
    FILE *file = fopen(path, "rb");
    for (size_t n = 1; file && n; buf_put(&b, (str){chunk, n}))
        n = fread(chunk, 1, sizeof chunk, file);
    if (file) fclose(file);
    return buf_str(&b);
}

int main(int argc, char **argv) {
    struct arena arena;
    arena_init(&arena);
    struct err err = {0};
    str packed = argc == 2 ? read_file(&arena, argv[1]) : (str){0}, plain, again;
    double start = cpu_seconds();
    bool is_ok = profile_unpack(&arena, packed, NULL, &plain, &err);
    double unpacked = cpu_seconds();
    if (!is_ok || !gzip_pack(&arena, plain, 1, &again, &err)) {
        fprintf(stderr, "usage: packing FILE.gz: %s\n", err.text);
        return 1;
    }
    printf("inflate %.3f s, deflate %.3f s, %zu bytes\n", unpacked - start,
           cpu_seconds() - unpacked, plain.len);
    arena_done(&arena);
    return 0;
}
