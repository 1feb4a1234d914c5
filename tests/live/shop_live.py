#!/usr/bin/env python3
"""The shop, linked with libpprof or preloaded: usage: shop_live.py linked|preloaded"""
import sys

import live

is_linked = sys.argv[1] == "linked"
live.need()
folder = live.BUILD / "examples/shop"
program = folder / ("shop" if is_linked else "shop-plain")
LOAD = ["-c", "4", "-r", "3000"]  # about a third of one core


def serve(address, preload, *extra):
    port = live.free_port()
    server = live.start([program if address else folder / "shop-plain", "-p", port, "-t", "90", *extra,
                         *(["-a", address] if address and is_linked else [])],
                        preload=preload, stdout=open(live.TEMP / f"out{bool(address)}", "w+"))
    live.wait_port(port)
    return server, port


def answers(port):
    return live.run([folder / "shop-load", "-p", port, "-n", 2000]).split("digest=")[1]


# Without us first: the digest of the same 2000 answers, and the server's own words.
server, port = serve(None, None)
digest = answers(port)
live.stop(server)

address = f"127.0.0.1:{live.free_port()}"
server, port = serve(address, None if is_linked else address)
live.wait_profiles(address)
live.check(answers(port) == digest, "2000 answers are the same as without libpprof", digest.strip())
live.start([folder / "shop-load", "-p", port, "-t", "70", *LOAD], stdout=live.subprocess.DEVNULL)
HOT = ["^sha256_block$", "^serve_connection$", "^shop_answer$", "^index_search$", "^reindex_loop$", "^index_build$"]
live.check_all(address, server.pid, [program], HOT, heap_hot=["^cache_put$|^entry_new$", "^answer_search$"])
live.check_waits(address, holders="^(cache_|ledger_|shop_reindex|reindex|index_)", waiters="^(cache_|ledger_|shop_|reindex)")
live.check(live.stop(server) == 0, "the server ends as it does without libpprof")
words = [live.plain((live.TEMP / f"out{k}").read_text()) for k in (True, False)]
live.check_same([w for w in words[0] if "profiles at" not in w], words[1], "the server says the same")
live.finish()
