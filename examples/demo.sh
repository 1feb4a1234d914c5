#!/bin/bash
# examples/demo.sh - what `make demo` runs: the shop under load, profiled over HTTP while it works.
# usage: examples/demo.sh BUILD. Ends by itself after about 20 seconds and leaves nothing running.
set -euo pipefail

cd "$(dirname "$0")/.."
build=$(cd "${1:-build}" && pwd)
pprof=$build/pprof
short=${1:-build} # as a person would type it, from the folder of the project
temp=$(mktemp -d "${TMPDIR:-/tmp}/pprof-demo.XXXXXX")
export PPROF_TMPDIR=$temp XDG_STATE_HOME=$temp XDG_CONFIG_HOME=$temp # the user's own stay as they are
seconds=5 # long enough for 150 samples of a load that uses a third of a core

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
clean() {
    trap - EXIT
    for pid in ${load:-} ${shop:-}; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    rm -rf "$temp"
}
fail() {
    echo "demo: $*" >&2
    for log in "$temp"/*.log; do [ -s "$log" ] && sed 's/^/    /' "$log" >&2; done
    clean
    exit 1
}
trap clean EXIT
trap 'fail "interrupted"' INT TERM
# Shows a command, then runs it; what it says on stderr is kept for the case that it fails.
show() {
    echo "\$ ${*/$pprof/pprof}"
    timeout 30 "$@" 2>"$temp/stderr.log" || fail "pprof failed"
}

for program in "$pprof" "$build/examples/shop/shop" "$build/examples/shop/shop-load"; do
    [ -x "$program" ] || fail "$program is missing: run make first"
done

say 'A shop server in C, linked with libpprof: one call, pprof_serve("localhost:0"), and nothing else.'
"$build/examples/shop/shop" -p 0 -a localhost:0 -t 60 >"$temp/shop.log" 2>&1 &
shop=$!
for _ in $(seq 100); do
    grep -q 'items at' "$temp/shop.log" && break
    kill -0 $shop 2>/dev/null || fail 'the shop did not start'
    sleep 0.05
done
profiles=$(sed -n 's,^shop: profiles at \(.*\)/debug/pprof/$,\1,p' "$temp/shop.log")
port=$(sed -n 's,^shop: .* items at http://127.0.0.1:\([0-9]*\)/.*,\1,p' "$temp/shop.log")
[ -n "$profiles" ] && [ -n "$port" ] || fail 'the shop did not say where it listens'
cat "$temp/shop.log"
"$build/examples/shop/shop-load" -p "$port" -t 60 -r 3000 >"$temp/load.log" 2>&1 &
load=$!

say "Where does its CPU time go? ($seconds seconds of it, 100 samples a second of CPU time)"
show "$pprof" -top -nodecount=12 "$profiles/debug/pprof/profile?seconds=$seconds"

say 'What holds its memory? (cache_put never forgets: the leak to find)'
show "$pprof" -top -cum -nodecount=12 "$profiles/debug/pprof/heap"

say 'What is each thread doing now? (nobody was interrupted to find out)'
show "$pprof" -top -cum -nodecount=16 "$profiles/debug/pprof/goroutine"

say 'Which locks are waited for, and who holds them? (watched for 3 seconds)'
show "$pprof" -top -cum -nodecount=8 "$profiles/debug/pprof/mutex?seconds=3&fraction=1"

say 'Who ran when? (a trace of 2 seconds, as totals; pprof trace -http shows it as a timeline)'
show "$pprof" trace -top "$profiles/debug/pprof/trace?seconds=2" | sed -n 1,8p

say 'The same in the interactive shell:'
echo "\$ pprof $profiles/debug/pprof/allocs"
timeout 30 examples/transcript.py '(pprof) ' 'top5 -cum' 'sample_index=alloc_objects' 'top3 body' quit -- \
    "$pprof" "$profiles/debug/pprof/allocs" || fail 'the shell failed'

say 'Where to look next'
cat <<TEXT
  This in a browser:            $short/examples/shop/shop -a localhost:6060 -t 600 &
                                $short/examples/shop/shop-load -t 600 &
                                $short/pprof -http=: http://localhost:6060/debug/pprof/profile?seconds=5
                                $short/pprof trace -http=: http://localhost:6060/debug/pprof/trace?seconds=5
  What the program answers:     http://localhost:6060/debug/pprof/
  A program you cannot change:  $short/pprof run -http localhost:6060 -- redis-server
  Anything that reads pprof:    go tool pprof http://localhost:6060/debug/pprof/heap
  The example itself:           examples/shop; the API: include/pprof.h; all commands: make help
TEXT
