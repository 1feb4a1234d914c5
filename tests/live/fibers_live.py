#!/usr/bin/env python3
"""Stacks of fibers, by ucontext and boost.context, reach their first function once they are registered."""
import os
import subprocess

import live


def run(program, *arguments):
    folder = live.TEMP / ("-".join((program, *arguments)))
    folder.mkdir()
    done = subprocess.run([live.BUILD / "tests/live" / program, *arguments], cwd=folder, timeout=60,
                          env={**os.environ, "PPROF_CPU_PROFILE": "cpu.pb.gz"})
    live.check(done.returncode == 0, f"{program} ends well", str(done.returncode))
    return folder


def whole(file, type_i):
    """The share of weight under descend that also has fiber_main, and the profile's comments."""
    profile = live.Profile(file.read_bytes())
    deep = reached = 0
    for s in profile.samples:
        names = [n for i in s.location_ids for n in profile.locations[i].names]
        if any("descend" in n for n in names):
            deep += s.values[type_i]
            reached += s.values[type_i] * any("fiber_main" in n for n in names)
    return reached / max(1, deep), deep, profile.comments


def cut(comments):
    """How many stacks were not whole; one may be taken in the middle of a switch."""
    return sum(int(c.split()[1]) for c in comments if "did not reach" in c)


folder = run("fibers")
share, deep, comments = whole(folder / "cpu.pb.gz", 1)
live.check(deep > 0.15e9 and share > 0.99, "CPU stacks of ucontext fibers are whole", f"{100 * share:.1f} % of {deep / 1e9:.2f} s")
live.check(cut(comments) <= 2, "and known to be", str(comments))
share, deep, _ = whole(folder / "heap.pb.gz", 1)
live.check(deep > 25e6 and share > 0.99, "heap stacks too", f"{100 * share:.1f} % of {deep / 1e6:.0f} MB")
share, _, comments = whole(run("fibers", "plain") / "cpu.pb.gz", 1)
live.check(share < 0.5 and cut(comments) > 10, "unregistered ones are cut, and say so",
           f"{100 * share:.0f} %")
if (live.BUILD / "tests/live/fibers_boost").exists():
    share, deep, comments = whole(run("fibers_boost") / "cpu.pb.gz", 1)
    live.check(deep > 0.15e9 and share > 0.99, "CPU stacks of boost.context are whole", f"{100 * share:.1f} % of {deep / 1e9:.2f} s")
    live.check(cut(comments) <= 2, "and known to be", str(comments))
else:
    print("boost.context is not installed: left out")
live.finish()
