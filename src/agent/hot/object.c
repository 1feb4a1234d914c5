// agent/hot/object.c - the loaded object behind a pc, and its segments.
// Room: finding and bounding; what the bytes mean is cfi.c. Door: object.h.
#include "agent/hot/object.h"

#include "agent/hot/bounds.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    PAGE = 4096,
    MAX_PHDRS = 64, // Debian 12's libraries have at most 14
    MEMO_SLOTS = 64 // objects whose segment is remembered; more of them are walked again
};

// A remembered segment: two exact words, each with the header's address (45 bits, it is 4-aligned)
// and the pages from the header's page to one end. No word is ever torn, and a mixed pair is told
// by the key, so that there is no lock.
enum { MEMO_PAGE_BITS = 19 };
struct memo {
    _Atomic u64 below, above;
};

// The whole state of this file.
static struct {
    struct object vdso;              // set once; lo == 0: none
    struct object main;              // the program; set once
    const struct link_map *main_map; // its name for _dl_find_object; set last; NULL: not known
    struct memo memo[MEMO_SLOTS];
} objects;

static bool header_copy(void *dst, u64 addr, size_t len, bool is_doubtful) {
    if (is_doubtful) return bounds_copy(dst, addr, len);
    memcpy(dst, (const void *)addr, len);
    return true;
}

bool object_segment(const struct object *object, u64 addr, u32 p_flags, bool is_doubtful,
                    struct cfi_bytes *ret) {
    ElfW(Ehdr) ehdr;
    ElfW(Phdr) phdr;
    bool has_bias = false;
    u64 bias = 0;
    if (object->hi - object->lo < PAGE) return false;
    if (!header_copy(&ehdr, object->lo, sizeof ehdr, is_doubtful)) return false;
    if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_phentsize != sizeof phdr) return false;
    u64 at = ehdr.e_phoff;
    for (u32 i = 0; i < ehdr.e_phnum && i < MAX_PHDRS; i++, at += sizeof phdr) {
        if (at > PAGE - sizeof phdr) return false;
        if (!header_copy(&phdr, object->lo + at, sizeof phdr, is_doubtful)) return false;
        if (phdr.p_type != PT_LOAD) continue;
        if (!has_bias) bias = object->lo - (phdr.p_vaddr & ~(u64)(PAGE - 1));
        has_bias = true;
        u64 lo = phdr.p_vaddr + bias;
        if (addr - lo >= phdr.p_memsz) continue;
        if (lo < object->lo || phdr.p_memsz > object->hi - lo) return false;
        *ret = (struct cfi_bytes){(const u8 *)lo, phdr.p_memsz, lo};
        return (phdr.p_flags & p_flags) == p_flags;
    }
    return false;
}

static u64 memo_word(u64 hdr, u64 pages) {
    return hdr >> 2 << MEMO_PAGE_BITS | pages;
}

bool object_cfi_segment(const struct object *object, struct cfi_bytes *ret) {
    u64 hdr = object->hdr, page = hdr & ~(u64)(PAGE - 1), key = memo_word(hdr, 0);
    u64 mask = ((u64)1 << MEMO_PAGE_BITS) - 1;
    struct memo *memo = &objects.memo[(hdr >> 12) % MEMO_SLOTS];
    u64 below = atomic_load_explicit(&memo->below, memory_order_relaxed);
    u64 above = atomic_load_explicit(&memo->above, memory_order_relaxed);
    if ((below & ~mask) == key && (above & ~mask) == key) {
        u64 lo = page - (below & mask) * PAGE;
        *ret = (struct cfi_bytes){(const u8 *)lo, page + (above & mask) * PAGE - lo, lo};
        return true;
    }
    struct cfi_bytes found;
    if (!object_segment(object, hdr, PF_R, false, &found)) return false;
    // Whole pages are mapped, and whole pages are what the memo can say.
    u64 lo = found.addr & ~(u64)(PAGE - 1);
    u64 hi = (found.addr + found.len + PAGE - 1) & ~(u64)(PAGE - 1);
    *ret = (struct cfi_bytes){(const u8 *)lo, hi - lo, lo};
    u64 pages_below = (page - lo) / PAGE, pages_above = (hi - page) / PAGE;
    if (hdr % 4 == 0 && pages_below <= mask && pages_above <= mask) {
        atomic_store_explicit(&memo->below, memo_word(hdr, pages_below), memory_order_relaxed);
        atomic_store_explicit(&memo->above, memo_word(hdr, pages_above), memory_order_relaxed);
    }
    return true;
}

bool object_find(u64 pc, struct object *ret) {
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) == 0) {
        *ret = (struct object){(u64)found.dlfo_map_start, (u64)found.dlfo_map_end,
                               (u64)found.dlfo_eh_frame};
        // A program with gaps between its segments (Debian's node) is told one segment at a time,
        // and the header that says where its .eh_frame lies is in another one.
        if (found.dlfo_link_map == objects.main_map) {
            ret->lo = objects.main.lo;
            ret->hi = objects.main.hi;
        }
        return true;
    }
    if (pc - objects.vdso.lo >= objects.vdso.hi - objects.vdso.lo) return false;
    *ret = objects.vdso;
    return true;
}

// Where the program was put. A static one has no segment of program headers; they stand behind the
// ELF header then, in the page where the file begins.
static u64 main_bias(const ElfW(Phdr) * phdr, u64 n) {
    u64 page = (u64)phdr & ~(u64)(PAGE - 1);
    for (u64 i = 0; i < n; i++)
        if (phdr[i].p_type == PT_PHDR) return (u64)phdr - phdr[i].p_vaddr;
    for (u64 i = 0; i < n; i++)
        if (phdr[i].p_type == PT_LOAD && phdr[i].p_offset == 0) return page - phdr[i].p_vaddr;
    return 0;
}

// The extent of the program: its segments as the kernel mapped them, gaps included.
static void main_init(void) {
    const ElfW(Phdr) *phdr = (const void *)getauxval(AT_PHDR);
    u64 n = getauxval(AT_PHNUM), lo = UINT64_MAX, hi = 0;
    struct dl_find_object found;
    if (!phdr || objects.main_map || _dl_find_object((void *)(uintptr_t)phdr, &found) != 0) return;
    u64 bias = main_bias(phdr, n);
    for (u64 i = 0; i < n; i++) {
        if (phdr[i].p_type != PT_LOAD) continue;
        u64 at = phdr[i].p_vaddr + bias;
        if (at < lo) lo = at & ~(u64)(PAGE - 1);
        if (at + phdr[i].p_memsz > hi) hi = at + phdr[i].p_memsz;
    }
    // Only where the ELF header is, as everywhere, at the start of the first segment.
    if ((u64)phdr - lo >= PAGE || memcmp((const void *)lo, ELFMAG, SELFMAG) != 0) return;
    objects.main = (struct object){.lo = lo, .hi = hi};
    objects.main_map = found.dlfo_link_map;
}

void objects_init(void) {
    main_init();
    u64 base = getauxval(AT_SYSINFO_EHDR);
    if (!base || objects.vdso.lo) return;
    const ElfW(Ehdr) *ehdr = (const void *)base;
    const ElfW(Phdr) *phdr = (const void *)(base + ehdr->e_phoff);
    struct object vdso = {.lo = base};
    for (u32 i = 0; i < ehdr->e_phnum; i++) {
        // The vDSO is linked at 0 and has one loaded segment.
        if (phdr[i].p_type == PT_LOAD) vdso.hi = base + phdr[i].p_vaddr + phdr[i].p_memsz;
        if (phdr[i].p_type == PT_GNU_EH_FRAME) vdso.hdr = base + phdr[i].p_vaddr;
    }
    vdso.hi = (vdso.hi + PAGE - 1) & ~(u64)(PAGE - 1);
    objects.vdso = vdso;
}

void objects_forget(void) {
    for (u32 i = 0; i < MEMO_SLOTS; i++) {
        atomic_store_explicit(&objects.memo[i].below, 0, memory_order_relaxed);
        atomic_store_explicit(&objects.memo[i].above, 0, memory_order_relaxed);
    }
}
