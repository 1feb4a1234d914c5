// agent/hot/weight.h - what a sampled block stands for.
// Room: the one formula. Source: Go's runtime/pprof, as the sampling of sample.h asks for.
#pragma once

#include "base/types.h"

// 1 - exp(-x) for x >= 0, without libm, which libpprof does not bring into programs.
static inline double chance_of(double x) {
    if (x > 40) return 1; // exp(-40) is below what a double adds to 1
    u32 n_halvings = 0;
    for (; x > 0.25; x /= 2) n_halvings++;
    // The series of 1 - exp(-x); the tenth term is below 1e-13 of the first.
    double term = x, sum = 0;
    for (u32 i = 2; i <= 11; i++) {
        sum += term;
        term *= -x / i;
    }
    // 1 - exp(-2x) = c (2 - c) where c = 1 - exp(-x).
    for (; n_halvings; n_halvings--) sum *= 2 - sum;
    return sum;
}

// What each sampled block of this size stands for at this rate: 1 over its chance of being sampled.
static inline double weight_of(u64 size_bytes, u64 rate) {
    if (rate <= 1 || !size_bytes) return 1;
    return 1 / chance_of((double)size_bytes / (double)rate);
}
