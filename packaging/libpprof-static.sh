#!/bin/sh
# Makes libpprof.a: one object with libpprof and the parts of libevent and libdeflate it needs, in which only the names
# of libpprof.map are visible. So a program's own libevent, of whatever version, is never mixed with ours, and all hooks
# are linked or none. usage: libpprof-static.sh OUT MAP LIBAGENT LIBHOT OTHER-ARCHIVES...
set -eu
out=$1 map=$2 agent=$3 hot=$4
shift 4
part=$out.d
rm -rf "$part" "$out"
mkdir -p "$part"
# The names between "global:" and "local:", without comments.
sed -n '/global:/,/local:/p' "$map" | sed 's/#.*//; /global:/d; /local:/d' | tr -s '; \n' '\n' | sed '/^$/d' > "$part/names"
events=$(${CC:-cc} -print-file-name=libevent.a)
deflate=$(${CC:-cc} -print-file-name=libdeflate.a)
${LD:-ld} -r -o "$part/all.o" --whole-archive "$agent" "$hot" --no-whole-archive \
    --start-group "$@" "$events" "$deflate" --end-group
${OBJCOPY:-objcopy} --wildcard --keep-global-symbols="$part/names" "$part/all.o" "$part/libpprof.o"
${AR:-ar} rcs "$out" "$part/libpprof.o"
rm -rf "$part"
