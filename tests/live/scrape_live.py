#!/usr/bin/env python3
"""Continuous profilers: a Pyroscope- and a Parca-shaped client scrape a program for a while.

Paths, parameters and the names they build from sample types are those of grafana/alloy's pyroscope.scrape and of
parca's default configuration. What they get is judged as their servers do: gzip'd profile.proto, known types, a time
that advances, and deltas that add up to the whole.
"""
import time

import live

log = live.TEMP / "address"
program = live.start([live.BUILD / "tests/live/collect"], env={"PPROF_HEAP_RATE": "65536"}, stdout=open(log, "w"))
address = live.wait_for("the program prints its address", lambda: log.read_text().strip())
INTERVAL = 2  # seconds between scrapes; delta profiles are asked for one second less, as both do

# path: (asked with seconds, the ids that pyroscope builds: name:type:unit:periodtype:periodunit)
PYROSCOPE = {
    "/debug/pprof/profile": (True, {"process_cpu:samples:count:cpu:nanoseconds", "process_cpu:cpu:nanoseconds:cpu:nanoseconds"}),
    "/debug/pprof/allocs": (False, {f"memory:{t}:space:bytes" for t in (
        "alloc_objects:count", "alloc_space:bytes", "inuse_objects:count", "inuse_space:bytes")}),
    "/debug/pprof/delta_heap": (False, {f"memory:{t}:space:bytes" for t in (
        "alloc_objects:count", "alloc_space:bytes", "inuse_objects:count", "inuse_space:bytes")}),
    "/debug/pprof/goroutine": (False, {"goroutines:goroutine:count:goroutine:count"}),
    "/debug/fgprof": (True, {"wall:samples:count:wall:nanoseconds", "wall:time:nanoseconds:wall:nanoseconds"}),
    "/debug/pprof/wall": (True, {"wall:samples:count:wall:nanoseconds", "wall:wall:nanoseconds:wall:nanoseconds"}),
}
CONTENTION = {f"{{}}:{t}:contentions:count" for t in ("contentions:count", "delay:nanoseconds")}
for kind in ("mutex", "block"):
    if live.ask(address, f"/debug/pprof/{kind}").status == 200:
        for path in (kind, f"delta_{kind}"):
            PYROSCOPE[f"/debug/pprof/{path}"] = (False, {c.format(kind) for c in CONTENTION})
PARCA = [p for p in ("allocs", "block", "goroutine", "mutex", "profile") if f"/debug/pprof/{p}" in PYROSCOPE]


def scrape(path, with_seconds):
    answer = live.ask(address, path + (f"?seconds={INTERVAL - 1}" if with_seconds else ""))
    if answer.status != 200 or answer.body[:2] != b"\x1f\x8b":
        live.check(False, f"{path} answers a scrape", f"{answer.status} {answer.body[:80]}")
        return None
    return live.Profile(answer.body)


def ids_of(name, profile):
    period = ":".join(profile.period_type)
    return {f"{name}:{t}:{u}:{period}" for t, u in profile.types}


def sums(profile):
    return [sum(s.values[k] for s in profile.samples) for k in range(len(profile.types))]


first = {}
for path, (with_seconds, ids) in PYROSCOPE.items():
    profile = first[path] = scrape(path, with_seconds)
    name = next(iter(ids)).split(":")[0]
    if profile:
        live.check(ids_of(name, profile) == ids, f"{path} has the types that pyroscope knows", str(sorted(ids_of(name, profile))))
        live.check(profile.time_nanos > 1e18 and (profile.duration_nanos > 0) == with_seconds, f"{path} has its times",
                   f"{profile.time_nanos} {profile.duration_nanos}")
for name in PARCA:
    profile = scrape(f"/debug/pprof/{name}", name == "profile")
    live.check(profile and profile.samples is not None and profile.mappings[1].file.endswith("collect"),
               f"parca's scrape of {name} names the program first")

total = sums(first["/debug/pprof/delta_heap"])
last = first["/debug/pprof/delta_heap"]
for _ in range(3):
    time.sleep(INTERVAL / 2)
    profile = scrape("/debug/pprof/delta_heap", False)
    live.check(profile.time_nanos > last.time_nanos and
               abs(profile.duration_nanos - (profile.time_nanos - last.time_nanos)) < 0.2e9,
               "a delta covers the time since the last scrape", f"{profile.duration_nanos / 1e9:.2f} s")
    now = sums(profile)
    live.check(now[1] > 0 and min(now) >= 0, "and holds what was allocated meanwhile", f"{now[1] / 1e6:.0f} MB")
    total = [total[0] + now[0], total[1] + now[1], now[2], now[3]]
    last = profile
whole = sums(scrape("/debug/pprof/heap", False))
live.check(abs(total[1] - whole[1]) < 0.05 * whole[1], "the deltas add up to what was allocated in all",
           f"{total[1] / 1e6:.0f} of {whole[1] / 1e6:.0f} MB")
live.check(abs(total[3] - whole[3]) < 0.05 * whole[3], "and what is in use is given as it is",
           f"{total[3] / 1e6:.1f} and {whole[3] / 1e6:.1f} MB")
quiet = live.Profile(live.ask(address, "/debug/pprof/delta_threadcreate").body)
again = live.Profile(live.ask(address, "/debug/pprof/delta_threadcreate").body)
live.check(quiet.total() > 0 and again.total() == 0, "delta_ goes before every profile that grows")
unknown = live.ask(address, "/debug/pprof/delta_nonsense")
live.check((unknown.status, unknown.text) == (404, "Unknown profile\n"), "and before no other")
live.stop(program)
live.finish()
