# tests/cli/formats.py - proves that our outputs are read back with the same totals, and that every foreign file is read
# from a file, from standard input and compressed.
import gzip
import json
import os
import shutil
import subprocess

from cli import SCRATCH, claim, finish, pprof

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fuzz/corpus")
FOREIGN = ["format_cpuprofile/small", "format_folded/small", "format_perf_script/small", "format_speedscope/sampled",
           "format_perf_data/file", "format_perf_data/pipe", "format_perf_data/compressed", "format_jemalloc/small",
           "format_otlp/new"]


def raw(*args, **more):
    status, out, err = pprof("-raw", *args, **more)
    return out if status == 0 else "failed: " + err


def total(name, *flags):
    """The sum of all stacks, by the folded output."""
    status, out, err = pprof("-folded", *flags, name)
    return sum(int(line.rsplit(" ", 1)[1]) for line in out.splitlines())


def save(name, text):
    path = os.path.join(SCRATCH, name)
    with open(path, "wb") as to:
        to.write(text)
    return path


def ways_in(seed):
    path = os.path.join(SEEDS, seed)
    data = open(path, "rb").read()
    want = raw(path)
    claim(want.startswith(("PeriodType", "Comment", "Samples", "Time", "Duration")), seed + " is read", want[:200])
    claim("Samples:" in want, seed + " has samples", want[:200])
    claim(raw("-", stdin=data) == want, seed + " is read from standard input")
    claim(raw(save("packed", gzip.compress(data))) == want, seed + " is read compressed")
    cut = raw(save("cut", data[: len(data) // 2]))
    claim("failed" in cut or "Samples:" in cut, seed + " cut in half ends in a sentence or a profile", cut[:200])


def round_trips(seed):
    path = os.path.join(SEEDS, seed)
    want = total(path, "-sample_index=0")
    status, out, err = pprof("-speedscope", "-sample_index=0", path)
    document = json.loads(out)
    profile = document["profiles"][0]
    claim(len(profile["samples"]) == len(profile["weights"]), seed + ": a weight a stack")
    claim(sum(profile["weights"]) == profile["endValue"] == want, seed + ": weights are the values", want)
    n_frames = len(document["shared"]["frames"])
    claim(all(i < n_frames for stack in profile["samples"] for i in stack), seed + ": frames exist")
    claim(total(save("back.json", out.encode())) == want, seed + ": speedscope output reads back")
    folded = pprof("-folded", "-sample_index=0", path)[1]
    claim(total(save("back.folded", folded.encode())) == want, seed + ": folded output reads back")
    claim(pprof("-folded", save("back.folded", folded.encode()))[1] == folded, seed + ": with the same stacks")
    rows = json.loads(pprof("-json", "-sample_index=0", "-nodefraction=0", path)[1])["rows"]
    lines = pprof("-csv", "-sample_index=0", "-nodefraction=0", path)[1].splitlines()
    claim(lines[0] == "name,flat,cum,unit,inlined" and len(lines) == len(rows) + 1, seed + ": csv has json's rows")
    claim(sum(row["flat"] for row in rows) == want, seed + ": json's rows add up", rows)


WALKED = """
#include <signal.h>
#include <stdlib.h>
#include <time.h>
static volatile unsigned long x;
__attribute__((noinline)) static void burn(void) {
    clock_t end = clock() + CLOCKS_PER_SEC / 10;
    while (clock() < end) for (int i = 0; i < 10000; i++) x += (unsigned)i;
}
static void on_signal(int s) { burn(); x += (unsigned)s; }
__attribute__((noinline)) static int compare(const void *a, const void *b) {
    if (x == 0) raise(SIGUSR1);
    x++;
    return *(const int *)a - *(const int *)b;
}
int main(void) {
    int a[3] = {3, 1, 2};
    signal(SIGUSR1, on_signal);
    qsort(a, 3, sizeof *a, compare);
    return a[0] - 1;
}
"""


# Without frame pointers, through libc and a signal handler: only the binaries' rules find main.
def walks_recorded_stacks():
    program, data = os.path.join(SCRATCH, "walked"), os.path.join(SCRATCH, "walked.data")
    cc = os.environ.get("CC", "cc").split()
    subprocess.run([*cc, "-O2", "-fomit-frame-pointer", "-x", "c", "-o", program, save("walked.c", WALKED.encode())],
                   check=True)
    record = ["perf", "record", "-q", "-e", "cpu-clock:u", "--call-graph", "dwarf", "-o", data, program]
    if not shutil.which("perf") or subprocess.run(record, capture_output=True, timeout=60).returncode != 0:
        print("skipped: perf may not record here")
        return
    status, out, err = pprof("-folded", data)
    want = ["_start", "main", "compare", "raise", "__restore_rt", "on_signal", "burn"]
    if "__restore_rt" not in out:  # libc's symbols are stripped and no debug file is here
        want = ["main", "on_signal", "burn"]
    stacks = [line.rsplit(" ", 1)[0].split(";") for line in out.splitlines()]
    found = [s for s in stacks if all(any(w in frame for frame in s) for w in want)]
    claim(found, "perf's recorded stacks are walked to main", out[:2000])


walks_recorded_stacks()
for seed in FOREIGN:
    ways_in(seed)
for seed in ["format_cpuprofile/small", "format_speedscope/sampled", "format_folded/small", "format_otlp/new"]:
    round_trips(seed)
finish()
