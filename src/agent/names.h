// agent/names.h - which function an address belongs to.
// Room: symbol tables of images, read when first asked for and kept. On the agent thread only.
// A file is trusted only when its build id is that of the loaded image; else, and where there is no
// file, the image's own dynamic symbols in memory are used. Names are as the linker wrote them:
// demangling is done at the desk.
#pragma once

#include "base/base.h"

#include "agent/maps.h"

// The function that contains address in image, empty when no symbol does. *start (may be NULL) gets
// its first address. The name lives as long as the process. scratch: where running out of memory
// jumps to.
str name_at_address(const struct arena *scratch, const struct image *image, u64 address,
                    u64 *start);
// The global or static variable that address lies in, "name" or "name+0x8", in out; empty: none
// that a loaded file names. Reads the file's symbols each time.
str name_of_variable(struct arena *out, const struct image_map *images, u64 address);
// How the names of image are known: "symtab", "dynsym" or "none" (for the index page).
const char *names_source(const struct image *image);
// In a forked child: tables that the parent was reading are left alone.
void names_after_fork_child(void);
