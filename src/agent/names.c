// agent/names.c - which function an address belongs to.
// Room: finding and keeping symbol tables; reading them is symbols/elf.c. Door: agent/names.h.
#include "agent/names.h"

#include "symbols/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// The names of one image; images with the same build id share them.
struct names {
    bool is_read;
    struct elf_symbols symbols;
};

static struct {
    struct arena arena;          // of all tables, for the life of the process
    struct names *by_image;      // MAX_IMAGES, indexed by image_id
    const struct image **images; // the image of each entry that is_read
} names;

// The bytes of a regular file, mapped for ever; empty when there is none. A program whose binary is
// cut short in place would fault here as in its own code.
static str map_file(const char *path) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0) return (str){0};
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    return bytes == MAP_FAILED ? (str){0} : (str){bytes, (size_t)st.st_size};
}

static str build_id(const struct image *image) {
    return (str){(const char *)image->build_id, image->build_id_len};
}

static bool read_file(struct arena *out, const struct image *image, struct elf_symbols *ret) {
    // The link leads to the program's own file even when its name is gone or taken by another.
    str file = map_file(image->is_program ? "/proc/self/exe" : image->path);
    if (file.len == 0) return false;
    bool is_ours = str_eq(elf_file_build_id(file), build_id(image));
    if (is_ours && elf_symbols_read(out, file, ret, NULL) && ret->n > 0) return true;
    munmap((void *)(uintptr_t)file.p, file.len);
    return false;
}

// What the dynamic segment says about an image's symbols.
struct dynamic {
    u64 symbols, names, names_len, gnu_hash;
};

// The loader has turned these into addresses, except in the vDSO and on some machines.
static u64 in_memory(const struct image *image, u64 address) {
    return address < image->bias ? address + image->bias : address;
}

static void read_dynamic(const struct image *image, const ElfW(Dyn) * entry, struct dynamic *ret) {
    for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB) ret->symbols = in_memory(image, entry->d_un.d_ptr);
        if (entry->d_tag == DT_STRTAB) ret->names = in_memory(image, entry->d_un.d_ptr);
        if (entry->d_tag == DT_GNU_HASH) ret->gnu_hash = in_memory(image, entry->d_un.d_ptr);
        if (entry->d_tag == DT_STRSZ) ret->names_len = entry->d_un.d_val;
    }
}

// The number of dynamic symbols: one past the end of the longest chain of the GNU hash table.
static u32 count_symbols(u64 gnu_hash) {
    const u32 *header = (const u32 *)gnu_hash; // buckets, first symbol, bloom words, shift
    const u32 *buckets = header + 4 + (size_t)header[2] * 2;
    const u32 *chains = buckets + header[0];
    u32 last = 0;
    for (u32 i = 0; i < header[0]; i++)
        if (buckets[i] > last) last = buckets[i];
    if (last < header[1]) return header[1];
    while (!(chains[last - header[1]] & 1)) last++;
    return last + 1;
}

struct memory_search {
    const struct image *image;
    struct arena *out;
    struct elf_symbols *ret;
    struct dynamic found;
};

// Under the loader's lock: copies the tables, for the library may go at any time after. Without
// memory it leaves them unread: a jump from here would keep the lock.
static int copy_dynamic(struct dl_phdr_info *info, size_t size, void *ctx) {
    struct memory_search *search = ctx;
    struct dynamic *found = &search->found;
    jmp_buf no_memory;
    (void)size;
    if (info->dlpi_addr != search->image->bias) return 0;
    search->out->on_oom = &no_memory;
    if (setjmp(no_memory)) return 1;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            read_dynamic(search->image,
                         (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), found);
    if (found->symbols && found->names && found->gnu_hash) {
        size_t len = count_symbols(found->gnu_hash) * sizeof(ElfW(Sym));
        str symbols = {(const char *)found->symbols, len};
        str text = str_copy(search->out, (str){(const char *)found->names, found->names_len});
        if (elf_symbols_raw(search->out, symbols, text, search->ret, NULL)) return 1;
    }
    return 1;
}

static void read_memory(struct arena *out, const struct image *image, struct elf_symbols *ret) {
    struct memory_search search = {.image = image, .out = out, .ret = ret};
    if (image->is_vdso) { // mapped whole, section headers included
        str file = {(const char *)image->start, image->limit - image->start};
        if (elf_symbols_read(out, file, ret, NULL)) return;
    }
    jmp_buf *on_oom = out->on_oom;
    dl_iterate_phdr(copy_dynamic, &search);
    out->on_oom = on_oom;
}

// Another image whose names are read and the same: the library was loaded before, elsewhere.
static const struct names *find_twin(const struct image *image) {
    for (u32 i = 0; i < MAX_IMAGES && image->build_id_len > 0; i++)
        if (names.by_image[i].is_read && str_eq(build_id(names.images[i]), build_id(image)))
            return &names.by_image[i];
    return NULL;
}

static const struct elf_symbols *symbols_of(const struct arena *scratch,
                                            const struct image *image) {
    names.arena.on_oom = scratch->on_oom;
    if (!names.by_image) {
        names.images = NEW(&names.arena, const struct image *, MAX_IMAGES);
        names.by_image = NEW(&names.arena, struct names, MAX_IMAGES);
    }
    struct names *entry = &names.by_image[image_id(image)];
    if (entry->is_read) return &entry->symbols;
    const struct names *twin = find_twin(image);
    names.images[image_id(image)] = image;
    entry->is_read = true; // also when memory runs out below: it would again
    if (twin)
        entry->symbols = twin->symbols;
    else if (!read_file(&names.arena, image, &entry->symbols))
        read_memory(&names.arena, image, &entry->symbols);
    return &entry->symbols;
}

str name_at_address(const struct arena *scratch, const struct image *image, u64 address,
                    u64 *start) {
    str name = elf_symbol_at(symbols_of(scratch, image), address - image->bias, start);
    if (start && name.len > 0) *start += image->bias;
    return name;
}

// The loaded image whose data address may be: the last one whose file begins at or before it.
static const struct image *image_before(const struct image_map *images, u64 address) {
    const struct image *best = NULL;
    for (u32 i = 0; i < images->n_now; i++) {
        const struct image *image = images->now[i];
        if (image->start <= address && (!best || image->start > best->start)) best = image;
    }
    return best;
}

str name_of_variable(struct arena *out, const struct image_map *images, u64 address) {
    const struct image *image = image_before(images, address);
    u64 start;
    if (!image || image->is_vdso) return (str){0};
    str file = map_file(image->is_program ? "/proc/self/exe" : image->path);
    if (!file.len) return (str){0};
    bool is_ours = str_eq(elf_file_build_id(file), build_id(image));
    str name = is_ours ? elf_variable_at(file, address - image->bias, &start) : (str){0};
    struct buf b = buf_new(out, name.len + 32);
    buf_put(&b, name);
    if (name.len > 0 && address - image->bias > start)
        buf_printf(&b, "+0x%llx", (unsigned long long)(address - image->bias - start));
    munmap((void *)(uintptr_t)file.p, file.len);
    return buf_str(&b);
}

const char *names_source(const struct image *image) {
    if (!names.by_image || !names.by_image[image_id(image)].is_read) return "not read yet";
    const struct elf_symbols *symbols = &names.by_image[image_id(image)].symbols;
    return symbols->n == 0 ? "none" : symbols->is_full ? "symtab" : "dynsym";
}

void names_after_fork_child(void) {
    memset(&names, 0, sizeof names);
}
