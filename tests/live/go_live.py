#!/usr/bin/env python3
"""Go and we read each other: our pprof fetches from a Go program; go tool pprof fetches from the shop."""
import os
from pathlib import Path

import live

go, _ = live.need("go", "sh")
if not live.PPROF.exists():
    live.check(False, f"{live.PPROF} is built")
    live.finish()
env = {**os.environ, "PPROF_TMPDIR": str(live.TEMP), "PPROF_BINARY_PATH": "/nonexistent", "GOFLAGS": "-mod=mod",
       "GOPROXY": "off", "GOTOOLCHAIN": "local"}
here = Path(__file__).resolve().parent


def same_report(what, file, *flags):
    """-top of one file by both, without symbolizing again."""
    ours, theirs = (live.run([*tool, "-symbolize=none", *flags, file], env=env).splitlines()
                    for tool in ([live.PPROF], [go, "tool", "pprof"]))
    live.check(ours == theirs and ours, f"{what}: {' '.join(flags)} is what go tool pprof prints",
               next((f"{a!r} is not {b!r}" for a, b in zip(ours, theirs) if a != b), f"{len(ours)} lines"))


program = live.TEMP / "goserver"
live.run([go, "build", "-o", program, "."], 120, cwd=here / "goserver", env=env)
server = live.start([program], stdout=open(live.TEMP / "address", "w"))
address = live.wait_for("the Go program prints its address", lambda: (live.TEMP / "address").read_text().strip())
for name, query, seen in (("profile", "?seconds=2", "main.hashForever"), ("heap", "", "main.keepMemory"),
                          ("goroutine", "", "main.main"), ("allocs", "", "main.keepMemory"), ("threadcreate", "", "")):
    file = live.TEMP / f"go-{name}.pb.gz"
    live.run([live.PPROF, "-proto", "-symbolize=none", f"-output={file}", f"http://{address}/debug/pprof/{name}{query}"],
             env=env)
    top = live.run([live.PPROF, "-top", file], env=env)
    live.check(seen in top and "Type: " in top, f"pprof fetches {name} from a Go program", top.split("\n")[0])
    same_report(f"a Go program's {name}", file, "-top")
top = live.run([live.PPROF, "-top", "-seconds=1", address], env=env)
live.check("main.hashForever" in top, "HOST:PORT alone means the CPU profile, with -seconds")
live.stop(server)

shop = live.BUILD / "examples/shop/shop-plain"
address, port = f"127.0.0.1:{live.free_port()}", live.free_port()
live.start([shop, "-p", port, "-t", "40"], preload=address, stdout=live.subprocess.DEVNULL)
live.wait_profiles(address)
live.wait_port(port)
live.start([live.BUILD / "examples/shop/shop-load", "-p", port, "-t", "30", "-r", "2000"], stdout=live.subprocess.DEVNULL)
for name, query, seen in (("profile", "?seconds=2", "serve_connection"), ("heap", "", "cache_put"),
                          ("goroutine", "", "serve_connection"), ("allocs", "", "index_build"),
                          ("threadcreate", "", "accept_connections"), ("heap", "?seconds=1", ""),
                          ("heap", "?peak=1", "cache_put"), ("heap", "?age=1", "cache_put"), ("mmap", "", ""),
                          ("delta_heap", "", "cache_put"), ("wall", "?seconds=1", "serve_connection"),
                          ("fgprof", "?seconds=1", "serve_connection"), ("offcpu", "?seconds=1", "")):
    url = f"http://{address}/debug/{name if name == 'fgprof' else 'pprof/' + name}{query}"
    file = live.TEMP / f"c-{name}.pb.gz"
    for _ in range(4):  # on a busy machine the shop may get no CPU for seconds
        top = live.run([go, "tool", "pprof", "-top", "-symbolize=none", url], env=env)
        if seen in top:
            break
    live.check(seen in top and "Type: " in top, f"go tool pprof fetches {name}{query}", top.split("\n")[0])
    live.run([live.PPROF, "-proto", "-symbolize=none", f"-output={file}", url], env=env)
    same_report(f"the shop's {name}{query}", file, "-top")
    same_report(f"the shop's {name}{query}", file, "-raw")
live.finish()
