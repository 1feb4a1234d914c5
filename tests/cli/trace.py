# tests/cli/trace.py - proves pprof trace on recorded traces: the dumps and profiles of the official tool.
import glob
import gzip
import os
import re
import subprocess

from cli import PPROF, SCRATCH, SECONDS, Server, claim, finish, pprof, write

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = sorted(glob.glob(ROOT + "/tests/golden/trace/*.trace"))
SHARED = sorted(glob.glob(ROOT + "/../../shared/traces/*/*.trace") + glob.glob(ROOT + "/../shared/traces/*/*.trace"))
NATIVE = ROOT + "/tests/golden/trace/native-poc-v26.trace"
OLD = ROOT + "/tests/golden/trace/workload-go1.19.trace"


def content(path):
    with open(path, "rb") as f:
        return f.read()


def dumps():
    n = 0
    for path in TRACES + SHARED:
        for mode in "parsed", "wire":
            if not os.path.exists(f"{path}.{mode}.txt.gz"):
                continue
            want = gzip.open(f"{path}.{mode}.txt.gz").read().decode(errors="replace")
            status, out, err = pprof("trace", f"-d={mode}", path)
            claim((status, err) == (0, "") and out == want, f"-d={mode} of {path} is the recorded one", status, err)
            n += 1
    claim(n >= 6, "there are recorded dumps", n)


def rows(raw):
    """Samples of a -raw report as (count, delay, stack of places), in no order; and what stands around them."""
    samples, locations = raw.split("Mappings\n")[0].split("Locations\n")
    place = dict(re.findall(r"^ *(\d+): (.*)$", locations, re.M))
    found, around = [], []
    for line in samples.split("\n"):
        row = re.match(r" *(\d+) +(\d+): ?(.*)", line)
        if row:
            found.append((row[1], row[2], [place[i] for i in row[3].split()]))
        else:
            around.append(line)
    return around, sorted(found)


def profiles():
    n = 0
    for path in TRACES + SHARED:
        for kind in "net", "sync", "syscall", "sched":
            if not os.path.exists(f"{path}.{kind}.pb.gz"):
                continue
            done = subprocess.run([PPROF, "trace", f"-pprof={kind}", path], capture_output=True, timeout=SECONDS)
            claim(done.returncode == 0 and not done.stderr, f"-pprof={kind} of {path} is made", done.stderr)
            got = rows(pprof("-raw", write("got.pb.gz", done.stdout))[1])
            claim(got == rows(pprof("-raw", f"{path}.{kind}.pb.gz")[1]), f"-pprof={kind} of {path} is the recorded one", got[0])
            n += 1
    claim(n >= 8, "there are recorded profiles", n)
    claim(pprof("trace", "-pprof=all", NATIVE)[0] == 2, "other kinds are refused")


def versions():
    for path in TRACES:
        status, out, err = pprof("trace", "-d=parsed", path)
        claim(status == 0 and err == "" and out.endswith("N=3\n" if "native" in path else "N=2\n"), f"{path} is read", err)
    newer = content(NATIVE).replace(b"go 1.26", b"go 1.29")
    status, out, err = pprof("trace", "-d=parsed", write("newer", newer))
    claim(status == 0 and out == pprof("trace", "-d=parsed", NATIVE)[1], "a newer version is tried", status, err)
    claim("format go 1.29, newer than this pprof knows" in err, "and told", err)
    status, out, err = pprof("trace", "-d=parsed", write("older", b"go 1.10 trace\0\0\0"))
    claim(status == 2 and out == "" and "go 1.10 cannot be read" in err, "an older one is refused", err)
    status, out, err = pprof("trace", "-d=parsed", write("none", b"\x7fELF not a trace at all"))
    claim(status == 2 and "not a Go execution trace" in err, "and so is what is no trace", err)


def truncated():
    whole = pprof("trace", "-d=parsed", NATIVE)[1]
    bytes_ = content(NATIVE)
    status, out, err = pprof("trace", "-d=parsed", write("cut", bytes_[:-20]))
    first = whole[:whole.index("Sync", 20)]
    claim(status == 2 and out.startswith(first[:first.rindex("\n")]), "what comes before the break is shown", status, out[-300:])
    claim("is broken at byte" in err, "and the break is told", err)
    old = content(OLD)
    status, out, err = pprof("trace", "-d=parsed", "-", stdin=old[:len(old) // 2])
    claim(status == 2 and out.count("\nM=") > 500 and "is broken at byte" in err, "so it is with format v1", status, err)
    for n in range(0, len(bytes_), 7):
        status, out, err = pprof("trace", "-d=parsed", "-", stdin=bytes_[:n])
        claim(status in (0, 2) and (status == 0) == (err == ""), f"{n} bytes are no surprise", status, err)


def sources():
    server = Server({"/debug/pprof/trace": (200, {}, content(NATIVE))})
    want = pprof("trace", "-d=parsed", NATIVE)[1]
    status, out, err = pprof("trace", "-d=parsed", f"http://{server.address}/debug/pprof/trace?seconds=1")
    claim((status, out) == (0, want), "a URL is a source", status, err)
    status, out, err = pprof("trace", "-d=parsed", "-", stdin=content(NATIVE))
    claim((status, out) == (0, want), "and standard input", status, err)
    status, out, err = pprof("trace", "-d=parsed", SCRATCH + "/nosuchfile")
    claim(status == 2 and "no such file or directory" in err, "a missing file is told", err)
    for args in (["trace"], ["trace", "-d=parsed"], ["trace", NATIVE], ["trace", "-x", NATIVE], ["trace", "-d=all", NATIVE]):
        claim(pprof(*args)[0] == 2, f"{args} is refused")


dumps()
profiles()
versions()
truncated()
sources()
finish()
