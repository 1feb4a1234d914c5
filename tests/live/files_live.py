#!/usr/bin/env python3
"""Profiles without HTTP: at exit, on a signal beside the program's own handler, and taken by the program itself."""
import os
import subprocess

import live

PROGRAM = live.BUILD / "tests/live/files"


def run(what, **env):
    """Runs the program in a fresh folder; gives the folder and what it printed."""
    folder = live.TEMP / (what or "plain")
    folder.mkdir(exist_ok=True)
    done = subprocess.run([PROGRAM, what], cwd=folder, env={**os.environ, **env}, capture_output=True, text=True,
                          timeout=60)
    live.check(done.returncode == 0, f"the program ends well ({what or 'plain'} {' '.join(env)})",
               f"{done.returncode} {done.stdout}{done.stderr}")
    return folder, done.stdout.strip()


def read(file):
    return live.Profile(file.read_bytes()) if file.exists() else live.Profile(b"\x32\x00")


def weight(profile, function, type_i=-1):
    names = {i: l.names for i, l in profile.locations.items()}
    return sum(s.values[type_i] for s in profile.samples if any(function in names[i] for i in s.location_ids))


folder, _ = run("", PPROF_CPU_PROFILE="cpu.pb.gz", PPROF_HEAP_AT_EXIT="heap.pb.gz", PPROF_CPU_HZ="250")
cpu, heap = read(folder / "cpu.pb.gz"), read(folder / "heap.pb.gz")
live.check(weight(cpu, "burn") > 0.25e9 and cpu.period == 4000000, "PPROF_CPU_PROFILE holds the program's CPU time",
           f"{weight(cpu, 'burn') / 1e6:.0f} ms at {cpu.period}")
live.check(abs(weight(heap, "leak") - 200e6) < 40e6, "PPROF_HEAP_AT_EXIT holds what leaked",
           f"{weight(heap, 'leak') / 1e6:.0f} of 200 MB")
live.check(sorted(p.name for p in folder.iterdir()) == ["cpu.pb.gz", "heap.pb.gz"], "and nothing else is written")

folder, _ = run("fork", PPROF_CPU_PROFILE="cpu.%p", PPROF_HEAP_AT_EXIT="heap.%p")
live.check(len(list(folder.glob("cpu.*"))) == 2 and len(list(folder.glob("heap.*"))) == 2,
           "with %p forked children write files of their own", str(sorted(p.name for p in folder.iterdir())))
live.check(all(weight(read(f), "burn") > 0.15e9 for f in folder.glob("cpu.*")), "each with its own CPU time")
folder, _ = run("fork", PPROF_HEAP_AT_EXIT="one.pb.gz")
live.check(len(list(folder.glob("one*"))) == 1, "without %p they do not write over their parent's")

folder, got = run("signal", PPROF_SIGNAL="SIGUSR2", PPROF_SIGNAL_FILES="a/../asked")
live.check(not list(folder.glob("asked*")), "a folder that is not there keeps nobody from running")
folder, got = run("signal", PPROF_SIGNAL="USR2", PPROF_SIGNAL_FILES="asked")
names = sorted(p.name.split(".", 2)[2] for p in folder.glob("asked.*"))
live.check(names == ["1.goroutine.pb.gz", "1.heap.pb.gz"], "a signal writes heap and goroutine", str(names))
folder, got = run("handler", PPROF_SIGNAL="USR2:threadcreate,profile,heap", PPROF_SIGNAL_FILES="asked.%p")
names = sorted(p.name.split(".", 3)[3] for p in folder.glob("asked.*"))
live.check(names == ["1.heap.pb.gz", "1.profile.pb.gz", "1.threadcreate.pb.gz"], "or what the variable lists", str(names))
live.check(got == "1", "and the program's own handler gets the signal", got)
live.check(weight(read(next(folder.glob("*profile*"), folder / "none")), "burn") > 0.2e9,
           "a CPU profile that exit() cut short is written too")

folder, _ = run("child", PPROF_SIGNAL="USR2:heap", PPROF_SIGNAL_FILES="asked")
names = sorted(p.name for p in folder.glob("asked.*"))
live.check(len(names) == 1, "a forked child writes files of its own when the signal comes to it", str(names))

folder, _ = run("own")
live.check(weight(read(folder / "own.pb.gz"), "burn") > 0.25e9, "pprof_stop_cpu_profile_bytes gives the profile")
live.check(weight(read(folder / "own-heap.pb.gz"), "leak") > 150e6, "pprof_profile_bytes gives the heap profile")
live.finish()
