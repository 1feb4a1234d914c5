// agent/maps.h - what code lies where in this process, now and before: the loader's images.
// Room: the table of images, their files and build ids. Names of functions are names.c's. Source of
// truth is the loader's own list; build ids are read from the loaded notes, so a replaced or
// deleted file is noticed.
//
// Words: an image is one executable segment of a program, a library or the vDSO. A past image is
// one that was unloaded since it was seen; dlclose is hooked so that none is missed. Lifetimes:
// images and their strings live as long as the process; the table only grows.
#pragma once

#include "base/base.h"

enum {
    MAX_IMAGES =
        4096, // Chromium loads 150; more come only from programs that build libraries as they run
    BUILD_ID_MAX = 32, // bytes: sha1 has 20, lld's sha256 32
};

struct image {
    u64 start, limit, offset; // of the executable segment: addresses, and where it is in the file
    u64 bias;                 // address in memory - address in the file
    const char *path;         // absolute where the file still has a name; "[vdso]"
    u8 build_id[BUILD_ID_MAX];
    u32 build_id_len;
    bool is_program, is_vdso;
};

struct image_map {
    const struct image **now; // loaded images by address
    u32 n_now;
    const struct image **past; // newest first
    u32 n_past;
    const struct image *program; // NULL only when the loader tells nothing
};

// Looks at the loader's list and remembers what is new. From any thread; takes the loader's lock.
void images_note(void);
// Notes what was loaded, and drops cached unwind rules when something was unloaded, past our
// dlclose too. Some 100 ns when nothing has changed. On the agent thread, often while stacks are
// collected.
void images_follow(void);
// The images as they are now. On the agent thread.
struct image_map images_read(struct arena *out);
// The image of an address: one that is loaded, else the newest past one; NULL: none.
const struct image *image_at(const struct image_map *map, u64 address);
// Images that found no room in the table.
u32 images_lost(void);
// The dense number of an image, the same for the life of the process, below MAX_IMAGES.
u32 image_id(const struct image *image);
