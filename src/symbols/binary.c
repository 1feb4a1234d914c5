// symbols/binary.c - ELF files on disk.
// Room: see binary.h. Door: binary_open(), binary_address(). Source: reference/pprof.md
// section 5.2.
#include "symbols/binary.h"

#include "symbols/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define KERNEL_START ((u64)1 << 63) // user space ends below
enum { KERNEL_PAGE = 4096 };        // it is moved by whole pages

static bool not_found(struct err *err, str path) {
    char words[128];
    const char *text = strerror_r(errno, words, sizeof words);
    // As Go spells it.
    if (errno == ENOENT) text = "no such file or directory";
    return err_set(err, ERR_NOT_FOUND, 0, "stat " S_FMT ": %s", S_ARG(path), text);
}

static bool is_elf(str bytes) {
    return bytes.len >= sizeof(Elf64_Ehdr) && memcmp(bytes.p, ELFMAG, SELFMAG) == 0 &&
           bytes.p[EI_CLASS] == ELFCLASS64 && bytes.p[EI_DATA] == ELFDATA2LSB;
}

bool binary_open(str path, struct binary *ret, struct err *err) {
    char z[PATH_MAX];
    if (path.len >= sizeof z)
        return err_set(err, ERR_NOT_FOUND, 0, "file name of %zu bytes", path.len);
    memcpy(z, path.p, path.len);
    z[path.len] = 0;
    // A profile may name a pipe, which nobody may ever write to.
    AUTO_CLOSE int fd = open(z, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return not_found(err, path);
    bool is_file = S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(Elf64_Ehdr);
    void *p = is_file ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (p == MAP_FAILED)
        return err_set(err, ERR_UNRECOGNIZED, 0, "unrecognized binary format: " S_FMT, S_ARG(path));
    struct binary b = {.bytes = {p, (size_t)st.st_size}};
    if (!is_elf(b.bytes)) {
        binary_close(&b);
        return err_set(err, ERR_UNRECOGNIZED, 0, "unrecognized binary format: " S_FMT, S_ARG(path));
    }
    Elf64_Ehdr head;
    memcpy(&head, b.bytes.p, sizeof head);
    b.is_fixed = head.e_type == ET_EXEC;
    *ret = b;
    return true;
}

void binary_close(struct binary *b) {
    if (b->bytes.p) munmap((void *)(uintptr_t)b->bytes.p, b->bytes.len);
    *b = (struct binary){0};
}

str binary_build_id(struct arena *out, const struct binary *b) {
    str raw = elf_file_build_id(b->bytes);
    struct buf text = buf_new(out, 2 * raw.len);
    for (size_t i = 0; i < raw.len; i++) num_hex(&text, (u8)raw.p[i], 2);
    return buf_str(&text);
}

// The i-th program header; false past the last or outside the file.
static bool read_segment(const struct binary *b, size_t i, Elf64_Phdr *ret) {
    Elf64_Ehdr head;
    memcpy(&head, b->bytes.p, sizeof head);
    size_t at;
    if (i >= head.e_phnum || !size_mul(i, sizeof *ret, &at) || !size_add(at, head.e_phoff, &at))
        return false;
    if (at > b->bytes.len || b->bytes.len - at < sizeof *ret) return false;
    memcpy(ret, b->bytes.p + at, sizeof *ret);
    return true;
}

// A mapping that says nothing: addresses are the file's own.
static bool is_unknown(const struct mapping *m) {
    return m->start == 0 && m->offset == 0 && (m->limit == 0 || m->limit == UINT64_MAX);
}

bool binary_address(const struct binary *b, const struct mapping *m, u64 address, u64 *ret) {
    if (is_unknown(m) || b->is_fixed) {
        *ret = address;
        return true;
    }
    if (address < m->start || address >= m->limit) return false;
    u64 offset = address - m->start + m->offset;
    bool is_found = false;
    Elf64_Phdr s;
    for (size_t i = 0; read_segment(b, i, &s); i++) {
        if (s.p_type != PT_LOAD || offset < s.p_offset || offset - s.p_offset >= s.p_memsz)
            continue;
        // Where two segments share a page of the file, code is in the one that may run.
        if (is_found && !(s.p_flags & PF_X)) continue;
        *ret = offset - s.p_offset + s.p_vaddr;
        is_found = true;
        if (s.p_flags & PF_X) break;
    }
    return is_found;
}

// Source: reference/pprof.md section 5.2, the kernel's rules.
bool binary_kernel_shift(const struct binary *b, const struct profile *p, const struct mapping *m,
                         u64 *ret) {
    if (m->start < KERNEL_START || !b->is_fixed) return false;
    str name = profile_str(p, m->kernel_relocation_symbol);
    u64 anchor;
    bool is_there = elf_symbol_value(b->bytes, name.len ? name : S("_stext"), &anchor);
    if (is_there && (anchor ^ m->start) % KERNEL_PAGE == 0) {
        *ret = anchor - m->start;
        return true;
    }
    Elf64_Phdr s;
    for (size_t i = 0; read_segment(b, i, &s); i++) {
        if (s.p_type != PT_LOAD || !(s.p_flags & PF_X)) continue;
        *ret = s.p_vaddr - m->start;
        return true;
    }
    return false;
}

str binary_bytes_at(const struct binary *b, u64 address) {
    Elf64_Phdr s;
    for (size_t i = 0; read_segment(b, i, &s); i++) {
        if (s.p_type != PT_LOAD || address < s.p_vaddr || address - s.p_vaddr >= s.p_filesz)
            continue;
        if (s.p_offset > b->bytes.len || s.p_filesz > b->bytes.len - s.p_offset) continue;
        u64 from = address - s.p_vaddr;
        return (str){b->bytes.p + s.p_offset + from, (size_t)(s.p_filesz - from)};
    }
    return (str){0};
}
