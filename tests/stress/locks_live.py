#!/usr/bin/env python3
"""Known waits at every lock, against the block and mutex profiles: usage: locks_live.py

The programs measure what each of their functions waits or makes others wait (locks_truth.h); the profiles must say the
same within 5 %, by function, however libpprof came into the program.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
import live  # noqa: E402
from proto import Profile  # noqa: E402

ALLOWED = 0.05
SLACK_NS = 3_000_000  # a preemption between the program's clock and ours, on a loaded machine
TRIES = 3
STRESS = live.BUILD / "tests/stress"
TYPES = [("contentions", "count"), ("delay", "nanoseconds")]
live.need()


def play(program, preload, prefix, **env):
    """(lines the program printed, profiles by name); None: it failed."""
    env = {**os.environ, "PPROF_MUTEX_FRACTION": "1", "PPROF_BLOCK_RATE": "1", **env}
    if preload:
        env |= {"LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": "localhost:0"}
    done = subprocess.run([program, prefix], env=env, capture_output=True, text=True, timeout=60)
    if done.returncode:
        return live.check(False, f"{program.name} ends well", f"{done.returncode} {done.stderr}") and None
    return done.stdout.splitlines(), {name: Profile(Path(f"{prefix}.{name}").read_bytes()) for name in ("block", "mutex")}


def plain(function):
    """The name in _ZL14wait_std_mutexv."""
    mangled = re.fullmatch(r"_ZL?\d+(\w+)v", function)
    return mangled[1] if mangled else function


def differences(lines, profiles):
    """What is not as the program says it."""
    found = {name: {plain(f): ns for f, ns in p.weight_by_function(1).items()} for name, p in profiles.items()}
    wrong = []
    for line in lines:
        name, function, told = line.split()
        got = found[name].get(function, 0)
        if abs(got - int(told)) > ALLOWED * int(told) + SLACK_NS:
            wrong.append(f"{name} {function}: {got / 1e6:.1f} ms, not {int(told) / 1e6:.1f}")
    return wrong


def judge(program, how, preload=True):
    """A neighbour that takes the CPU may spoil a round: the best of a few counts."""
    path, prefix = Path(STRESS / program), str(live.TEMP / Path(program).name)
    if not path.exists():
        return live.check(False, f"{program} is built")
    wrong = None
    for _ in range(TRIES):
        played = play(path, preload, prefix)
        if not played:
            return None
        lines, profiles = played
        wrong = differences(lines, profiles)
        if not wrong:
            break
    claim = f"{len(lines)} waits are as long as the program says, at the function that it says, {how}"
    live.check(not wrong and len(lines) > 0, claim, "; ".join(wrong))
    for name, profile in profiles.items():
        live.check(profile.types == TYPES and profile.period_type == ("contentions", "count") and profile.period == 1,
                   f"{program}: {name} has Go's types")
    return profiles


judge("locks", "preloaded")
judge("locks_so", "linked with libpprof.so", preload=False)
judge("locks_a", "linked with libpprof.a", preload=False)
if (STRESS / "locks_std").exists():
    judge("locks_std", "from C++'s library")
if (STRESS / "locks_old").exists():
    judge("locks_old", "by the condition of glibc before 2.3.2")
    judge("locks_old_so", "by the old condition, linked with libpprof.so", preload=False)

rustc = live.find("rustc")
if rustc:
    rust = live.TEMP / "locks_rust"
    live.run([rustc, "-O", "-g", "-o", rust, Path(__file__).with_name("locks_rust.rs")], seconds=120)
    judge(rust, "from Rust's std")
else:
    print("rustc is not installed: Rust's std is left out")

played = play(STRESS / "locks", True, str(live.TEMP / "off"), PPROF_MUTEX_FRACTION="0", PPROF_BLOCK_RATE="0")
live.check(bool(played) and not any(p.samples for p in played[1].values()), "what is off counts nothing")
live.check(bool(played) and all(any("off; " in c for c in p.comments) for p in played[1].values()), "and says so")
live.finish()
