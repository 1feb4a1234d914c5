#!/usr/bin/env python3
"""The stress program under libpprof while a client fetches everything: usage: stress_live.py short|full|long

Sampled at 1000 Hz, heap sampled every 4 KiB on average, every lock wait sampled, every event kept by the flight recorder,
children profiled too. full is a minute, long ten.
"""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
import live  # noqa: E402
from proto import Profile  # noqa: E402

seconds, threads, limit = {"short": (16, 4000, 80), "full": (60, 40000, 180), "long": (600, 200000, 900)}[sys.argv[1]]
live.need()
program = live.BUILD / "tests/stress/stress"
address = f"127.0.0.1:{live.free_port()}"
output = open(live.TEMP / "stress.log", "w+")
begin = time.monotonic()
stress = live.start([program, seconds, threads], preload=address, stdout=output, stderr=output,
                    env={"PPROF_HEAP_RATE": "4096", "PPROF_CHILDREN": "all", "PPROF_MUTEX_FRACTION": "1", "PPROF_BLOCK_RATE": "1",
                         "PPROF_FLIGHT_RECORDER": "2s,4MiB"})
live.wait_profiles(address)
roots = live.Roots(program)
SOURCES = ["profile?seconds=1&hz=1000", "heap", "goroutine", "allocs", "threadcreate", "goroutine?debug=2", "heap?debug=1",
           "mutex", "block", "mmap", "heap?peak=1", "delta_heap", "wall?seconds=1", "trace?seconds=1", "flightrecorder"]
NO_PROFILES = ("debug", "trace", "flightrecorder")
fetched, total, whole = {s: 0 for s in SOURCES}, 0, 0
while stress.poll() is None and time.monotonic() - begin < limit:
    for source in SOURCES:
        try:
            answer = live.ask(address, f"/debug/pprof/{source}", 20)
            if answer.status != 200:
                live.check(False, f"{source} answers while everything happens", f"{answer.status} {answer.text[:100]}")
            fetched[source] += answer.status == 200
            if any(word in source for word in NO_PROFILES) or answer.status != 200:
                continue
            profile = Profile(answer.body)
            if source.startswith("profile"):
                total += profile.total()
                whole += sum(s.values[0] for s in profile.samples if roots.is_whole(profile, s))
        except (OSError, live.http.client.HTTPException) as e:
            if stress.poll() is None and not (live.TEMP / "stress.log").read_text().count("rounds"):
                time.sleep(0.3)
                if stress.poll() is None:
                    live.check(False, f"{source} is answered", repr(e))
try:
    status = stress.wait(max(1, limit - (time.monotonic() - begin)))
except live.subprocess.TimeoutExpired:
    status = "hangs"
text = (live.TEMP / "stress.log").read_text()
print(text, end="")
live.check(status == 0, f"{seconds} s of stress end well", status)
live.check(all(fetched.values()), "every profile was fetched meanwhile", fetched)
live.check(total > 0 and whole >= 0.98 * total, "CPU stacks reach the thread's first frame",
           f"{100 * whole / max(1, total):.2f} % of {total}")
live.finish()
