#!/usr/bin/env python3
"""What libpprof.so and libpprof.a show of themselves: their own names, nothing of libevent, no lazy thread-local memory."""
import re
from pathlib import Path

import live

nm, readelf = live.need("nm", "readelf")
MAP = Path(__file__).resolve().parents[2] / "src/agent/libpprof.map"
ARCHIVE = live.BUILT_LIBPPROF.with_suffix(".a")


def names_of(*arguments):
    return {line.split()[-1].split("@")[0] for line in live.run([nm, *arguments]).splitlines() if " " in line and " A " not in line}  # not the names of versions


text = re.sub(r"#.*", "", MAP.read_text().split("global:")[1].split("local:")[0])
allowed = set(re.findall(r"[\w*]+", text))
for what, found in (("libpprof.so", names_of("-D", "--defined-only", live.LIBPPROF)),
                    ("libpprof.a", names_of("-g", "--defined-only", ARCHIVE))):
    extra = {n for n in found if n not in allowed and not n.startswith("pprof_")}
    live.check(not extra, f"{what} shows nothing else", " ".join(sorted(extra)))
    missing = {n for n in allowed - {"pprof_*"} if n not in found}
    live.check(not missing, f"{what} has every hook of libpprof.map", " ".join(sorted(missing)))

wanted = names_of("-D", "--undefined-only", live.LIBPPROF)
live.check("__tls_get_addr" not in wanted, "thread-local memory is there from the start")
live.check(not any(n.startswith(("evhttp", "evbuffer", "event_", "libdeflate", "_Z")) for n in wanted), "libevent, libdeflate and C++ are not asked for")
libraries = set(re.findall(r"NEEDED.*\[(.*)\]", live.run([readelf, "-d", live.LIBPPROF])))
live.check(libraries <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, "only libc is loaded",
           " ".join(sorted(libraries)))
live.finish()
