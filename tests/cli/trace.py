# tests/cli/trace.py - proves pprof trace on recorded traces: the dumps and profiles of the official tool.
import glob
import gzip
import json
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
    for args in (["trace"], ["trace", "-d=parsed"], ["trace", "-json", "-top", NATIVE], ["trace", "-x", NATIVE], ["trace", "-d=all", NATIVE]):
        claim(pprof(*args)[0] == 2, f"{args} is refused")


def tables():
    status, out, err = pprof("trace", NATIVE)
    claim((status, err) == (0, "") and out == pprof("trace", "-top", NATIVE)[1], "tables are what is shown first", status, err)
    for title in "Goroutines by the function they start in", "Functions in which goroutines wait", "Tasks", "Regions":
        claim(title in out, f"there is a table of {title}", out)
    status, out, err = pprof("trace", "-top", "-n=2", OLD)
    claim(status == 0 and "(2 of " in out and out.index("Goroutines by") < out.index("(threads"), "-n limits rows", status, out)
    status, out, err = pprof("trace", "-d=footprint", NATIVE)
    rows = [line.split() for line in out.split("\n")[2:-1]]
    claim(status == 0 and out.startswith("Event  ") and rows[0][2].endswith("%"), "a footprint has the official columns", out)
    claim(abs(sum(float(r[4][:-1]) for r in rows) - 100) < 1, "and all events", out)
    wire = pprof("trace", "-d=wire", NATIVE)[1]
    claim(int(dict((r[0], r[3]) for r in rows)["GoBlock"]) == len(re.findall("^GoBlock ", wire, re.M)), "as many as there are", rows)
    claim(pprof("trace", "-d=footprint", OLD)[0] == 2, "format v1 has no records of that form")


def viewers():
    for path in TRACES:
        done = subprocess.run([PPROF, "trace", "-json", path], capture_output=True, timeout=SECONDS)
        whole = json.loads(done.stdout)
        events, frames = whole["traceEvents"], whole["stackFrames"]
        claim(all(str(e["sf"]) in frames for e in events if "sf" in e), "stacks are there", path)
        claim(all(str(f["parent"]) in frames for f in frames.values() if "parent" in f), "and their callers", path)
        has_frames = path == NATIVE or any("sf" in e and e["ph"] == "B" for e in events)
        claim(has_frames, f"slices of {path} have stacks")
        depth, last, flows = {}, 0, set()
        for e in events:
            lane = e["pid"], e["tid"]
            if e["ph"] == "M":
                continue
            claim(e["ts"] >= last, "times never fall", path, e)
            last = e["ts"]
            depth[lane] = depth.get(lane, 0) + {"B": 1, "E": -1}.get(e["ph"], 0)
            claim(depth[lane] >= 0, "slices end after they began", path, e)
            if e["ph"] == "s":
                flows.add(e["id"])
            claim(e["ph"] != "f" or e["id"] in flows, "arrows have a begin", path, e)
        claim(done.returncode == 0 and not any(depth.values()), f"all slices of {path} end", done.returncode)
        names = {e["args"]["name"] for e in events if e["ph"] == "M"}
        claim({"PROCS", "Proc 0"} <= names and any(n.startswith("G") and "main" in n for n in names), "tracks are named", names)
        done = subprocess.run([PPROF, "trace", "-perfetto", path], capture_output=True, timeout=SECONDS)
        n, stacks, used = packets(done.stdout)
        claim(done.returncode == 0 and n > 20, f"-perfetto of {path} is packets", done.returncode)
        claim(used <= stacks and (path == NATIVE or used), f"whose stacks were given before", used - stacks)


def fields(data):
    """The fields of a protobuf message: (number, value), value a number or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = {1: 8, 2: None, 5: 4}[key & 7]
            size = varint() if size is None else size
            claim(at + size <= len(data), "a field is whole", at, size)
            yield key >> 3, data[at:at + size]
            at += size


def packets(data):
    """Perfetto's packets: how many, the numbers of the stacks they give, and of those that events refer to, each given before."""
    n, stacks, used = 0, set(), set()
    for number, packet in fields(data):
        claim(number == 1, "nothing but packets", number)
        n += 1
        for field, value in fields(packet):
            if field == 12:
                stacks |= {next(v for k, v in fields(item) if k == 1) for kind, item in fields(value) if kind == 7}
            elif field == 11:
                used |= {v for k, v in fields(value) if k == 56}
                claim(used <= stacks, "a stack is given before it is used", n)
    return n, stacks, used


dumps()
profiles()
versions()
truncated()
sources()
tables()
viewers()
finish()
