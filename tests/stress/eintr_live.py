#!/usr/bin/env python3
"""The counter of interrupted calls under libpprof: usage: eintr_live.py [SECONDS]

A CPU profile at 1000 Hz and an execution trace run while thread dumps are taken one after another. No call of the program may end with EINTR.
"""
import re
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
import live  # noqa: E402
from proto import Profile  # noqa: E402

seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
live.need()
address = f"127.0.0.1:{live.free_port()}"
output = open(live.TEMP / "eintr.log", "w+")
program = live.start([live.BUILD / "tests/stress/eintr", seconds + 2], preload=address, stdout=output, stderr=output)
live.wait_profiles(address)

profiles = []
profiler = threading.Thread(
    target=lambda: profiles.append(live.ask(address, f"/debug/pprof/profile?seconds={seconds}&hz=1000", seconds + 20)))
profiler.start()
traces = []
tracer = threading.Thread(
    target=lambda: traces.append(live.ask(address, f"/debug/pprof/trace?seconds={seconds}", seconds + 20)))
tracer.start()
dumps = threads = bare = 0
states = set()
while profiler.is_alive():
    text = live.ask(address, "/debug/pprof/goroutine?debug=2").text
    heads = re.findall(r"^goroutine \d+ \[([^],]+)[^\n]*\]:\n(.?)", text, re.M)
    dumps, threads, bare = dumps + 1, threads + len(heads), bare + sum(not first.strip() for _, first in heads)
    states |= {state for state, _ in heads}
    time.sleep(0.005)
profiler.join()
tracer.join()
status = program.wait(seconds + 30)
told = (live.TEMP / "eintr.log").read_text()

live.check(status == 0 and "eintr 0 of" in told, "no system call was interrupted", told.strip())
live.check(traces[0].status == 200 and len(traces[0].body) > 10000, "a trace was taken meanwhile", len(traces[0].body))
live.check(dumps >= 20 and threads == 8 * dumps, "every dump has all eight threads", f"{threads} in {dumps} dumps")
live.check(bare <= threads // 100, "threads have stacks", f"{bare} of {threads} have none")
live.check({"sleep", "IO wait", "semacquire", "running"} <= states, "threads say what they wait for", sorted(states))
profile = Profile(profiles[0].body)
comment = next((c for c in profile.comments if "samples stand for" in c), "")
share = re.search(r"\((\d+\.\d)%\)", comment)
live.check(share and 97 <= float(share[1]) <= 103, "weights match the CPU time", comment)
live.finish()
