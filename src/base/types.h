// base/types.h - short integer names and the few macros that stand for attributes.
// Room: types and attributes only; anything with behaviour has its own header. Door: base/base.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_i, first_i) __attribute__((format(printf, fmt_i, first_i)))
// Large tables begin on a page, so that small ones lie together and a fork copies few pages.
#define PAGE_ALIGNED __attribute__((aligned(4096)))
#define countof(array) (sizeof(array) / sizeof((array)[0]))

// "No such id": every table's ids are dense and start at 0, and a table holds at most U32_NONE
// entries.
#define U32_NONE UINT32_MAX

// size_mul and size_add give false, and leave *ret alone, when the sum does not fit a size_t.
static inline MUST_USE bool size_mul(size_t a, size_t b, size_t *ret) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *ret = product;
    return true;
}

static inline MUST_USE bool size_add(size_t a, size_t b, size_t *ret) {
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *ret = sum;
    return true;
}

// AUTO_CLOSE int fd = open(...): closed when fd leaves scope; -1 is nothing to close.
void fd_auto_close(int *fd);
#define AUTO_CLOSE __attribute__((cleanup(fd_auto_close)))
