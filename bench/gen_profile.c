// bench/gen_profile.c - writes the synthetic CPU profile that the decoder and reports are timed on.
// usage: gen_profile OUT.pb.gz [SAMPLES]
// 1,000,000 samples of about 30 frames over 40,000 locations, a label on every third sample: about
// 90 MB unpacked. Stacks are walks down a fixed random call graph in which a few callees take most
// calls, so that stacks share their outer frames as real ones do. The same bytes on every machine.
#include "profile/profile.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    N_SAMPLES = 1000000,
    N_LOCATIONS = 40000,
    LINES_PER_FUNCTION = 4, // 10,000 functions
    N_FILES = 500,
    N_CALLEES = 8,
    DEPTH_MIN = 15,
    DEPTH_SPAN = 31, // depths 15 to 45, 30 on average
    N_LABEL_VALUES = 1000,
    PERIOD_NS = 10000000,
};

static u64 seed = 0x2545f4914f6cdd1d;

static u32 random_below(u32 n) {
    seed ^= seed << 13; // xorshift64
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (u32)((seed >> 32) * n >> 32);
}

// Callee 0 takes half of all calls, callee 1 a quarter and so on.
static u32 pick_callee(void) {
    return (u32)__builtin_ctz(random_below(1u << (N_CALLEES - 1)) | 1u << (N_CALLEES - 1));
}

static void make_locations(struct profile_builder *b, u32 mapping_i) {
    char text[64];
    struct function f = {0};
    u32 function_i = 0;
    for (u32 i = 0; i < N_LOCATIONS; i++) {
        if (i % LINES_PER_FUNCTION == 0) {
            u32 n = i / LINES_PER_FUNCTION;
            snprintf(text, sizeof text, "shop/internal/part%u.(*Worker).Function%u", n % 97, n);
            f.name = f.system_name = builder_str(b, str_of(text));
            snprintf(text, sizeof text, "/src/shop/internal/part%u/file%u.go", n % 97, n % N_FILES);
            f.filename = builder_str(b, str_of(text));
            f.start_line = n % 900 + 1;
            function_i = builder_function(b, &f);
        }
        struct line line = {.function_i = function_i, .line = f.start_line + i % 40};
        builder_location(b, 0x400000 + (u64)i * 64, mapping_i, &line, 1);
    }
}

static void make_samples(struct profile_builder *b, u32 n_samples) {
    static u32 callees[N_LOCATIONS][N_CALLEES], stack[DEPTH_MIN + DEPTH_SPAN],
        values[N_LABEL_VALUES];
    char text[32];
    for (u32 i = 0; i < N_LOCATIONS; i++) {
        for (u32 k = 0; k < N_CALLEES; k++) callees[i][k] = random_below(N_LOCATIONS);
    }
    for (u32 i = 0; i < N_LABEL_VALUES; i++) {
        snprintf(text, sizeof text, "/cart/%u", i);
        values[i] = builder_str(b, str_of(text));
    }
    u32 key = builder_str(b, S("endpoint"));
    for (u32 i = 0; i < n_samples; i++) {
        u32 depth = DEPTH_MIN + random_below(DEPTH_SPAN), at = random_below(4);
        for (u32 d = depth; d-- > 0; at = callees[at][pick_callee()]) stack[d] = at;
        struct label label = {
            .key = key, .is_string = true, .str = values[random_below(N_LABEL_VALUES)]};
        i64 n = 1 + (random_below(16) == 0);
        builder_sample(b, (i64[]){n, n * PERIOD_NS}, stack, depth, &label, i % 3 == 0);
    }
}

static struct profile make_profile(struct arena *arena, u32 n_samples) {
    struct profile_builder b;
    builder_init(&b, arena);
    builder_sample_type(&b, S("samples"), S("count"));
    builder_sample_type(&b, S("cpu"), S("nanoseconds"));
    b.p.period_type = b.p.sample_types[1];
    b.p.period = PERIOD_NS;
    b.p.time_nanos = 1700000000000000000;
    b.p.duration_nanos = (i64)n_samples * PERIOD_NS;
    struct mapping m = {.start = 0x400000,
                        .limit = 0x800000,
                        .file = builder_str(&b, S("/usr/bin/shop")),
                        .build_id = builder_str(&b, S("d65fdbd9d9bd4a19b0a6")),
                        .has_functions = true,
                        .has_filenames = true,
                        .has_line_numbers = true};
    make_locations(&b, builder_mapping(&b, &m));
    builder_reserve(&b, n_samples, (u64)n_samples * (DEPTH_MIN + DEPTH_SPAN), n_samples / 3 + 1);
    make_samples(&b, n_samples);
    return builder_done(&b);
}

static bool write_file(const char *path, str bytes) {
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    bool is_ok = fwrite(bytes.p, 1, bytes.len, file) == bytes.len;
    return fclose(file) == 0 && is_ok;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: gen_profile OUT.pb.gz [SAMPLES]\n");
        return 2;
    }
    struct arena arena;
    arena_init(&arena);
    struct err err = {0};
    u32 n_samples = argc > 2 ? (u32)strtoul(argv[2], NULL, 10) : N_SAMPLES;
    struct profile p = make_profile(&arena, n_samples);
    str plain, packed;
    if (!profile_encode(&arena, &p, &plain, &err) || !gzip_pack(&arena, plain, 1, &packed, &err) ||
        !write_file(argv[1], packed)) {
        fprintf(stderr, "gen_profile: %s: %s\n", argv[1], err.text[0] ? err.text : "cannot write");
        return 1;
    }
    printf("%s: %u samples, %zu bytes, %zu unpacked\n", argv[1], n_samples, packed.len, plain.len);
    arena_done(&arena);
    return 0;
}
