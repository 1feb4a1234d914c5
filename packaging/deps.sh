#!/bin/bash
# Installs the Debian packages that building, testing and measuring need, where they are missing.
# With everything present it does nothing and needs no network. Only `make deps` calls it.
set -euo pipefail

build='build-essential pkg-config meson ninja-build python3'
libraries='libcmocka-dev libdeflate-dev libzstd-dev libcurl4-openssl-dev libevent-dev libdw-dev libiberty-dev
    libpcre2-dev libedit-dev libcapstone-dev libjansson-dev'
# chromium shows the pages to the tests.
# cmake and libboost-context-dev: what programs that link libpprof may use. The shells complete, perf records.
checks='zsh fish linux-perf chromium cmake libboost-context-dev clang-14 clang-format-14 libclang-rt-14-dev gdb curl'
servers='redis-server redis-tools nginx-light memcached libmemcached-tools postgresql-15 sqlite3 wrk'
peers='libgoogle-perftools-dev google-perftools libjemalloc2 libmimalloc2.0 heaptrack libunwind-dev
    liblttng-ust-dev lttng-tools'

is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=()
for package in $build $libraries $checks $servers $peers; do
    is_installed "$package" || missing+=("$package")
done
# A machine may have node from elsewhere, newer than Debian's; any from 18 on will do.
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)

install_packages() {
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "make deps: missing ${missing[*]}; run it as root or install sudo" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "make deps: installing ${missing[*]}"
    # Servers come for the tests only: none may be started by its package.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    "${as_root[@]}" apt-get update -q >/dev/null || echo 'make deps: the package lists could not be refreshed; trying with those at hand' >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# What the web pages are built and tested with, exactly as the lock file says.
install_modules() {
    cd "$(dirname "$0")/../ui"
    cmp -s package-lock.json node_modules/.installed && return
    echo 'make deps: fetching what the web pages are built with'
    npm ci --ignore-scripts --silent
    cp package-lock.json node_modules/.installed
}

[ ${#missing[@]} -eq 0 ] || install_packages
install_modules
