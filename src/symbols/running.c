// symbols/running.c - the running kernel, vDSO and processes.
// Room: see running.h. Door: running_symbols(), running_vdso(), mapping_open().
#include "symbols/running.h"

#include "symbols/dwarf.h"
#include "symbols/kallsyms.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_KALLSYMS = 256 << 20, // bytes; a distribution's kernel with its modules has 15 MB
    MAX_NOTES = 64 << 10,     // bytes of /sys/kernel/notes; a few hundred
    MAX_VDSO = 64 << 10,      // bytes; two pages today
    MAX_PIDS = 64,            // processes whose files are looked at
    MAX_PID_LABELS = 1 << 16, // labels they are looked for in: perf.data has one a sample
    READ_BYTES = 1 << 20,
};

// A whole file of /proc or /sys, whose size stat does not tell; empty: none.
static str read_all(struct arena *out, const char *path, size_t most) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = buf_new(out, most);
    char *chunk = NEW(out, char, READ_BYTES);
    for (ssize_t n; fd >= 0 && (n = read(fd, chunk, READ_BYTES)) > 0;)
        buf_put(&b, (str){chunk, (size_t)n});
    return buf_str(&b);
}

static bool is_build(struct arena *scratch, str raw, str wanted) {
    struct buf text = buf_new(scratch, 2 * raw.len);
    for (size_t i = 0; i < raw.len; i++) num_hex(&text, (u8)raw.p[i], 2);
    return raw.len && str_eq(buf_str(&text), wanted);
}

// The kernel lies elsewhere after each start: the mapping's offset is where _text (or _stext) was.
static bool kernel_symbols(struct arena *out, const struct profile *p, const struct mapping *m,
                           struct elf_symbols *ret, u64 *ret_shift) {
    str notes = read_all(out, "/sys/kernel/notes", MAX_NOTES);
    if (!is_build(out, elf_note_build_id(notes), profile_str(p, m->build_id))) return false;
    str list = read_all(out, "/proc/kallsyms", MAX_KALLSYMS);
    str anchor = profile_str(p, m->kernel_relocation_symbol);
    u64 now;
    kallsyms_read(out, list, anchor.len ? anchor : S("_text"), ret, &now);
    u64 then = m->offset ? m->offset : m->start;
    *ret_shift = now && then ? now - then : 0;
    return ret->n > 0;
}

bool running_vdso(struct arena *out, const struct profile *p, const struct mapping *m, str *ret,
                  u64 *ret_shift) {
    const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr head;
    if (!image || m->build_id == 0 || !str_eq(profile_str(p, m->file), S("[vdso]"))) return false;
    memcpy(&head, image, sizeof head);
    size_t len = head.e_shoff + (size_t)head.e_shnum * head.e_shentsize;
    if (len > MAX_VDSO) return false;
    *ret = (str){image, len};
    *ret_shift = m->offset - m->start; // its first segment begins at 0
    return is_build(out, elf_file_build_id(*ret), profile_str(p, m->build_id));
}

bool running_symbols(struct arena *out, const struct profile *p, const struct mapping *m,
                     struct elf_symbols *ret, u64 *ret_shift) {
    str file = profile_str(p, m->file);
    if (m->build_id == 0) return false;
    if (str_starts(file, S("[kernel.kallsyms]"))) return kernel_symbols(out, p, m, ret, ret_shift);
    str vdso;
    struct err ignored;
    return running_vdso(out, p, m, &vdso, ret_shift) &&
           elf_symbols_read(out, vdso, ret, &ignored) && ret->n > 0;
}

struct pids {
    i64 items[MAX_PIDS];
    u32 n;
};

static void add_pid(struct pids *pids, i64 pid) {
    for (u32 i = 0; i < pids->n; i++) {
        if (pids->items[i] == pid) return;
    }
    if (pid > 0 && pids->n < MAX_PIDS) pids->items[pids->n++] = pid;
}

static struct pids find_pids(const struct profile *p) {
    struct pids ret = {.n = 0};
    str number, rest;
    i64 pid;
    for (u32 i = 0; i < p->n_comments; i++) {
        str comment = profile_str(p, p->comments[i]);
        if (!str_starts(comment, S("pid ")) || !str_cut(str_skip(comment, 4), ' ', &number, &rest))
            continue;
        if (num_parse_i64(number, 10, &pid)) add_pid(&ret, pid);
    }
    u32 n_labels = p->label_at ? p->label_at[p->n_samples] : 0;
    if (n_labels > MAX_PID_LABELS) n_labels = MAX_PID_LABELS;
    for (u32 i = 0; i < n_labels && ret.n < MAX_PIDS; i++) {
        const struct label *l = &p->labels[i];
        if (!l->is_string && str_eq(profile_str(p, l->key), S("pid"))) add_pid(&ret, l->num);
    }
    return ret;
}

static bool try_file(struct arena *out, const struct profile *p, const struct mapping *m, str path,
                     struct binary *ret, str *ret_path) {
    struct err ignored;
    if (!binary_open(path, ret, &ignored)) return false;
    if (str_eq(binary_build_id(out, ret), profile_str(p, m->build_id))) {
        *ret_path = path;
        return true;
    }
    binary_close(ret);
    return false;
}

static bool running_file(struct arena *out, const struct profile *p, const struct mapping *m,
                         struct binary *ret, str *ret_path) {
    struct pids pids = find_pids(p);
    str file = str_drop_suffix(profile_str(p, m->file), S(" (deleted)"));
    for (u32 i = 0; i < pids.n; i++) {
        long long pid = pids.items[i];
        struct buf root = buf_new(out, PATH_MAX), exe = buf_new(out, 64), map = buf_new(out, 128);
        buf_printf(&root, "/proc/%lld/root" S_FMT, pid, S_ARG(file));
        buf_printf(&exe, "/proc/%lld/exe", pid);
        buf_printf(&map, "/proc/%lld/map_files/%llx-%llx", pid, (unsigned long long)m->start,
                   (unsigned long long)m->limit);
        if (try_file(out, p, m, buf_str(&root), ret, ret_path) ||
            try_file(out, p, m, buf_str(&exe), ret, ret_path) ||
            try_file(out, p, m, buf_str(&map), ret, ret_path))
            return true;
    }
    return false;
}

bool mapping_open(struct arena *out, const struct profile *p, const struct mapping *m,
                  bool is_strict, struct binary *ret, str *ret_path, struct err *err) {
    str build_id = profile_str(p, m->build_id), path = profile_str(p, m->file);
    struct err why, ignored;
    if (binary_open(path, ret, &why)) {
        str own = binary_build_id(out, ret);
        bool is_same = build_id.len && str_eq(build_id, own);
        bool may_be = !build_id.len || !own.len;
        *ret_path = path;
        if (is_same || (may_be && !is_strict)) return true;
        binary_close(ret);
        err_set(&why, ERR_NOT_FOUND, 0, "build ID mismatch");
    }
    if (build_id.len && running_file(out, p, m, ret, ret_path)) return true;
    if (dwarf_find_binary(out, build_id, ret_path) && binary_open(*ret_path, ret, &ignored))
        return true;
    *err = why;
    return false;
}
