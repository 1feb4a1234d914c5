# tests/cli/symbolz.py - proves that names which no binary here has are asked from the server a profile came from.
import gzip
import os
import subprocess
import sys
import time

from cli import PPROF, SCRATCH, Server, claim, env, field, finish, pprof, write

START = 0x400000


def addresses(*locations, start=START, build_id="", file="", value=1):
    """A profile with a sample for each address, all in one mapping without names."""
    strings = ["", "samples", "count", file, build_id]
    out = field(1, field(1, 1) + field(2, 2))
    for i in range(len(locations)):
        out += field(2, field(1, i + 1) + field(2, value))
    out += field(3, field(1, 1) + field(2, start) + field(3, start + 0x100000) + field(5, 3 if file else 0)
                 + field(6, 4 if build_id else 0))
    for i, address in enumerate(locations):
        out += field(4, field(1, i + 1) + field(2, 1) + field(3, address))
    for s in strings:
        out += field(6, s.encode())
    return gzip.compress(out)


def name_each(path, body):
    """What Go's handler says: a count, then a name for each address."""
    lines = ["num_symbols: 1"] + [f"{a}\tname_{int(a, 16):x}" for a in body.split("+")]
    return 200, {}, "\n".join(lines).encode() + b"\n"


def rows(out):
    return sorted(line.split()[-1] for line in out.splitlines() if "%" in line and "flat%" not in line and "of" not in line.split())


def modes():
    server = Server({"/debug/pprof/heap": (200, {}, addresses(START + 16, START + 32)),
                     "/stats/profilez": (200, {}, addresses(START + 16))}, post=name_each)
    url = f"http://{server.address}/debug/pprof/heap?gc=1"
    status, out, err = pprof("-text", url)
    claim(rows(out) == ["name_400010", "name_400020"], "names come from the server", out, err)
    path, body, headers = server.posted[-1]
    claim((path, body) == ("/debug/pprof/symbol", "0x400010+0x400020"), "one question holds every address", server.posted)
    claim(headers["Content-Type"] == "application/octet-stream", "its type is the original's", headers)
    claim(f"File: {server.address}" not in out and "File: heap" not in out, "the URL is no file in the end", out)
    pprof("-text", f"http://{server.address}/stats/profilez")
    claim(server.posted[-1][0] == "/stats/symbolz", "other services are called symbolz", server.posted[-1])
    before = len(server.posted)
    for mode in ("none", "local", "fastlocal", "local:force"):
        status, out, err = pprof("-text", f"-symbolize={mode}", url)
        claim(len(server.posted) == before and "name_" not in out, f"{mode} asks nobody", out)
    for mode in ("remote", "Remote:force", "demangle=none", "force"):
        status, out, err = pprof("-text", f"-symbolize={mode}", url)
        claim(len(server.posted) == before + 1 and "name_400010" in out, f"{mode} asks", out, err)
        before = len(server.posted)
    saved = [line.split(" in ", 1)[1] for line in err.splitlines() if line.startswith("Saved profile in ")]
    claim("name_400010" in pprof("-text", saved[0])[1], "the saved copy has the names", saved)
    claim(len(server.posted) == before, "and needs no asking", server.posted[before:])
    pprof("-text", write("file.pb.gz", addresses(START + 16)))
    claim(len(server.posted) == before, "a file has nobody to ask", server.posted[before:])


def moved():
    """Merging moves addresses of the second source to where the first has the mapping: each server is asked for its own."""
    servers = []
    for start, at in ((0x400000, 0x10), (0x7F0000000000, 0x20)):
        servers.append(Server({"/pprof/heap": (200, {}, addresses(start + at, start=start, build_id="abc", file="/bin/gone"))},
                              post=name_each))
    urls = [f"http://{s.address}/pprof/heap" for s in servers]
    status, out, err = pprof("-text", *urls)
    claim(rows(out) == ["name_400010", "name_400020"], "the first origin is asked for all", out, err)
    claim(len(servers[1].posted) == 0, "the second is not needed", servers[1].posted)
    servers[0].posted.clear()
    status, out, err = pprof("-text", f"-base={urls[0]}", urls[1])
    claim(servers[1].posted[-1][1] == "0x7f0000000020+0x7f0000000010", "a base is another origin", servers[1].posted)


def failing():
    def refuse(path, body):
        return 500, {}, b"no\n"
    first = Server({"/pprof/heap": (200, {}, addresses(START + 16, build_id="abc"))}, post=refuse)
    second = Server({"/pprof/heap": (200, {}, addresses(START + 0x1020, start=START + 0x1000, build_id="abc"))}, post=name_each)
    status, out, err = pprof("-text", f"http://{first.address}/pprof/heap")
    claim(status == 0 and "0x400010" not in err, "a failing service is not the end", status, err)
    claim(err.count("remote symbolization: ") == 1 and "500 Internal Server Error" in err, "it is told once", err)
    status, out, err = pprof("-text", f"http://{first.address}/pprof/heap", f"http://{second.address}/pprof/heap")
    claim(len(rows(out)) == 2 and "name_401010" in out and "name_401020" in out, "the next origin is asked instead", out, err)
    slow = Server({"/pprof/heap": (200, {}, addresses(START + 16))}, post=lambda *_: time.sleep(20) or (200, {}, b""))
    started = time.monotonic()
    status, out, err = pprof("-timeout=1", "-text", f"http://{slow.address}/pprof/heap")
    claim(status == 0 and time.monotonic() - started < 15, "nobody waits for ever", time.monotonic() - started, err)
    nonsense = Server({"/pprof/heap": (200, {}, addresses(START + 16))},
                      post=lambda *_: (200, {}, b"<html>0xzz 0x 0x1\n0xffffffffffffffffffff x\n"))
    status, out, err = pprof("-text", f"http://{nonsense.address}/pprof/heap")
    claim(status == 0 and "unexpected parse failure" in err, "an answer that is none is told", status, err)


def pieces():
    n = 10000
    server = Server({"/pprof/heap": (200, {}, addresses(*range(START, START + n * 16, 16)))}, post=name_each)
    status, out, err = pprof("-text", "-nodecount=20000", "-nodefraction=0", f"http://{server.address}/pprof/heap")
    claim(len(server.posted) == 2 and sum(body.count("+") + 1 for _, body, _ in server.posted) == n,
          "many addresses are asked in pieces", [len(b) for _, b, _ in server.posted])
    claim(len(rows(out)) == n, "and none is lost", len(rows(out)), err)


def own_library(libpprof):
    """A stripped program preloaded with libpprof: names of its exported functions come over /debug/pprof/symbol."""
    write("busy.c", b"int exported_work(int n) { volatile int x = 0; for (int i = 0; i < n; i++) x += i; return x; }\n"
          b"int main(void) { for (;;) exported_work(1000000); }\n")
    done = subprocess.run(["cc", "-O1", "-rdynamic", "-s", "-fno-inline", "-o", "busy", "busy.c"], cwd=SCRATCH)
    if done.returncode != 0:
        return print("no cc: libpprof's service is not tried")
    socket = SCRATCH + "/busy.sock"
    program = subprocess.Popen([SCRATCH + "/busy"], env=env(LD_PRELOAD=libpprof, PPROF_HTTP="unix:" + socket))
    try:
        deadline = time.monotonic() + 30
        while not os.path.exists(socket) and time.monotonic() < deadline:
            time.sleep(0.05)
        url = f"unix:{socket}:/debug/pprof/threads?debug=1"  # text: addresses only
        bare = pprof("-text", "-symbolize=none", url)[1]
        claim("exported_work" not in bare and "<unknown>" in bare, "text profiles bring addresses", bare)
        for _ in range(10):  # on a loaded machine the stack of a running thread may not be had in time
            status, out, err = pprof("-text", "-symbolize=remote", url)
            if status == 0 and "exported_work" in out:
                break
        claim("exported_work" in out and "remote symbolization" not in err, "libpprof is asked", out, err)
    finally:
        program.kill()
        program.wait()


modes()
moved()
failing()
pieces()
own_library(sys.argv[2])
finish()
