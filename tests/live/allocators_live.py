#!/usr/bin/env python3
"""The shop preloaded with libpprof over each allocator: same answers, and a heap profile that agrees with the shop's own
count of its cache. Sampled every 16 KiB, so that chance is a few per cent of the 20 MB the cache then holds."""
import json
from pathlib import Path

import live

live.need()
folder = live.BUILD / "examples/shop"
LIBS = Path("/usr/lib/x86_64-linux-gnu")
allocators = {"glibc": None, "jemalloc": LIBS / "libjemalloc.so.2", "tcmalloc": LIBS / "libtcmalloc.so.4",
              "mimalloc": LIBS / "libmimalloc.so.2"}


def serve(preload, address):
    port = live.free_port()
    env = {"PPROF_HEAP_RATE": "16384", "PPROF_HTTP": address} if address else {}
    server = live.start([folder / "shop-plain", "-p", port, "-t", "40", "-r", "100"], stdout=live.subprocess.DEVNULL,
                        env=env | ({"LD_PRELOAD": ":".join(map(str, preload))} if preload else {}))
    live.wait_port(port)
    return server, port


def load(port):
    return live.run([folder / "shop-load", "-p", port, "-n", 12000]).split("digest=")[1].strip()


def check_heap(order, address, port):
    stats = json.loads(live.ask(f"127.0.0.1:{port}", "/stats").text)
    profile = live.check_profile(address, "heap")
    if not profile:
        return
    held = profile.weight_by_function(3).get("cache_put", 0)
    off = held / stats["cache_bytes"] - 1
    live.check(abs(off) < 0.15, f"{order}: inuse_space under cache_put is what the cache holds",
               f"{held / 1e6:.1f} MB of {stats['cache_bytes'] / 1e6:.1f} MB, {100 * off:+.1f} %")
    rebuilt = [profile.weight_by_function(i).get("index_build", 0) for i in (1, 3)]
    live.check(rebuilt[0] > 2 * rebuilt[1], f"{order}: what index_build freed is in alloc_space only",
               f"{rebuilt[0] / 1e6:.1f} MB allocated, {rebuilt[1] / 1e6:.1f} MB in use")


server, port = serve(None, None)
digest = load(port)
live.stop(server)
for name, library in allocators.items():
    if library and not library.exists():
        print(f"{name} is not installed: left out")
        continue
    orders = {name: [live.LIBPPROF] + ([library] if library else [])}
    if library:
        orders[f"{name} first"] = [library, live.LIBPPROF]
    for order, preload in orders.items():
        address = f"127.0.0.1:{live.free_port()}"
        server, port = serve(preload, address)
        live.wait_profiles(address)
        live.check(load(port) == digest, f"{order}: the shop answers the same")
        if order == name:
            check_heap(order, address, port)
        else:  # calls never reach us: the index page must say so
            live.check(live.ask(address, "/debug/pprof/heap").status == 200, f"{order}: heap is answered")
        live.check(live.stop(server) == 0, f"{order}: the shop ends well")
live.finish()
