// agent/hot/resolve.h - the definition of a function behind our own, found by hand.
// Room: walking the loader's list of objects and their hash tables. Never dlsym: it may allocate
// (and so call the very hook that asks), and it finds the caller by a return address that a tail
// call has already replaced. Door: agent/hot/hot.h.
#pragma once

#include "base/types.h"

struct link_map;

// Where a function was found. address NULL: nowhere.
struct resolved {
    void *address;
    const struct link_map *object;
    u64 size_bytes; // of the symbol; 0: not known
};

// The first definition of name in the objects the loader lists after libpprof itself (after the
// program itself, where libpprof.a was linked into it). version: the symbol version it must have
// ("GLIBC_2.3.2"), or NULL for the default one; objects without versions match any. Never an
// address of our own object. Where libpprof was loaded late, by dlopen, libc stands before it and
// no call comes to our hooks: the whole list is searched then. Takes no lock and no memory; usable
// before our constructor. Objects are not kept from being unloaded: ask for functions of libraries
// that stay.
void *hot_resolve(const char *name, const char *version);
// The same, and who defines it.
struct resolved hot_resolve_in(const char *name, const char *version);
// The first definition from the head of the list on, libpprof left out: what the program would get
// without us.
struct resolved hot_resolve_any(const char *name);
// Whether the program's calls of name arrive at our own definition: false when an object before us
// defines it too.
bool hot_is_first(const char *name);
// The object's file name without folders; "" for the program itself.
const char *object_name(const struct link_map *object);
