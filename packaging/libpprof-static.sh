#!/bin/sh
# Makes libpprof.a and libpprof-static.a: each one object with libpprof and the parts of libevent and libdeflate it needs,
# in which only the names of libpprof.map are visible. So a program's own libevent, of whatever version, is never mixed
# with ours, and all hooks are linked or none.
#
# libpprof.a is for programs that are linked to libc.so. In fully static ones there is nothing behind a hook that stands
# in front of libc's function: there the linker's --wrap does it. In libpprof-static.a the hooks are called __wrap_malloc
# and so on, a table holds what --wrap calls __real_malloc, and libpprof-static.ld has the options for the linker.
# usage: libpprof-static.sh OUT OUT-STATIC OUT-OPTIONS MAP LIBAGENT LIBHOT OTHER-ARCHIVES...
set -eu
out=$1 out_static=$2 out_options=$3 map=$4 agent=$5 hot=$6
shift 6
part=$out.d
rm -rf "$part" "$out" "$out_static"
mkdir -p "$part"
# The names between "global:" and "local:", without comments.
sed -n '/global:/,/local:/p' "$map" | sed 's/#.*//; /global:/d; /local:/d' | tr -s '; \n' '\n' | sed '/^$/d' > "$part/names"
events=$(${CC:-cc} -print-file-name=libevent.a)
deflate=$(${CC:-cc} -print-file-name=libdeflate.a)
${LD:-ld} -r -o "$part/all.o" --whole-archive "$agent" "$hot" --no-whole-archive \
    --start-group "$@" "$events" "$deflate" --end-group
${OBJCOPY:-objcopy} --wildcard --keep-global-symbols="$part/names" "$part/all.o" "$part/libpprof.o"
${AR:-ar} rcs "$out" "$part/libpprof.o"

# Not wrapped: what libc.a does not have or C++'s libraries call malloc for; what would bring in the loader or NSS, with
# the linker's warnings, though the program does not use them.
grep -vE '^(pprof_\*|_Z.*|.*allocx|free_sized|free_aligned_sized|dlclose|initgroups)$' "$part/names" > "$part/wrapped"
{
    echo 'struct behind { const char *name; void *address; };'
    sed 's/.*/extern char __real_&[];/' "$part/wrapped"
    echo 'extern const struct behind pprof_static_behind[];'
    echo 'const struct behind pprof_static_behind[] = {'
    sed 's/.*/{"&", __real_&},/' "$part/wrapped"
    echo '{0, 0}};'
} > "$part/behind.c"
${CC:-cc} -O2 -fPIC -c -o "$part/behind.o" "$part/behind.c"
sed 's/.*/& __wrap_&/' "$part/wrapped" > "$part/renames"
{ echo 'pprof_*'; sed 's/.*/__wrap_&/' "$part/wrapped"; } > "$part/static-names"
${OBJCOPY:-objcopy} --redefine-syms="$part/renames" "$part/all.o" "$part/renamed.o"
${LD:-ld} -r -o "$part/both.o" "$part/renamed.o" "$part/behind.o"
${OBJCOPY:-objcopy} --wildcard --keep-global-symbols="$part/static-names" "$part/both.o" "$part/libpprof-static.o"
${AR:-ar} rcs "$out_static" "$part/libpprof-static.o"
{ echo '--eh-frame-hdr'; echo '-u pprof_serve'; sed 's/.*/--wrap=&/' "$part/wrapped"; } > "$out_options"
rm -rf "$part"
