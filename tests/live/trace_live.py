#!/usr/bin/env python3
"""Execution traces that libpprof writes: of a program that traces itself, of the shop, of redis and nginx, preloaded.

What is read back is read by pprof trace, and where go is installed by go tool trace, which must agree on every event and
answer every page with 200."""
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import live

live.need()
GO = shutil.which("go")
FOLDER = live.BUILD / "tests/live"
PAGES = ["", "goroutines", "io", "block", "syscall", "sched", "userregions", "usertasks", "mmu", "trace?view=proc",
         "trace?view=thread", "jsontrace?view=proc", "jsontrace?view=thread", "regionio", "regionblock"]
NEED_DOT = {"io", "block", "syscall", "sched", "regionio", "regionblock"}


def go_env():
    return {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off"}


def parsed(path):
    done = subprocess.run([live.PPROF, "trace", "-d=parsed", path], capture_output=True, timeout=60)
    text = done.stdout.decode(errors="replace")
    live.check(done.returncode == 0 and not done.stderr, f"pprof trace reads {path.name} to its end",
               done.stderr.decode()[-300:])
    return text


def events(text):
    """The events without their stacks."""
    return [line for line in text.splitlines() if line.startswith("M=")]


def go_agrees(path, ours):
    if not GO:
        return
    done = subprocess.run([GO, "tool", "trace", "-d=parsed", path], capture_output=True, timeout=100, env=go_env())
    if b"no such tool" in done.stderr or b"cannot find package" in done.stderr:
        return
    theirs = events(done.stdout.decode(errors="replace"))
    differs = next((pair for pair in zip(theirs, events(ours)) if pair[0] != pair[1]), "")
    live.check(done.returncode == 0 and theirs == events(ours), f"go tool trace reads the same {len(theirs)} events",
               differs or done.stderr.decode()[-300:])


def page(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as failed:
        return failed.code


def go_serves(path):
    if not GO:
        return
    port = live.free_port()
    server = live.start([GO, "tool", "trace", f"-http=127.0.0.1:{port}", path], env={**go_env(), "BROWSER": "true"},
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    live.wait_port(port)
    pages = [p for p in PAGES if live.find("dot") or p not in NEED_DOT]
    bad = {p: status for p in pages if (status := page(f"http://127.0.0.1:{port}/{p}")) != 200}
    live.check(not bad, f"go tool trace answers {len(pages)} pages with 200", bad or "")
    server.terminate()


def count(text, pattern):
    return len(re.findall(pattern, text, re.M))


def fetch(address, query, path, seconds=30):
    with urllib.request.urlopen(f"http://{address}/debug/pprof/trace?{query}", timeout=seconds) as answer:
        path.write_bytes(answer.read())
    return answer


def itself():
    trace, recorder = live.TEMP / "all.trace", live.TEMP / "recorder.trace"
    done = subprocess.run([FOLDER / "traced", "all", trace, recorder], capture_output=True, text=True, timeout=60)
    live.check(done.returncode == 0, "a program traces itself", done.stdout)
    text = parsed(trace)
    go_agrees(trace, text)
    live.check(count(text, r" RegionBegin .*Type=\"locked\"") == 100 == count(text, r" RegionEnd "), "100 regions, whole")
    live.check(count(text, r" Log .*Category=\"worker\" Message=\"round\"") == 100, "100 logs")
    live.check(count(text, r" TaskBegin .*Type=\"batch\"") == 1 == count(text, r" TaskEnd "), "a task, whole")
    live.check(count(text, r"NotExist->") == 7 == count(text, r"->NotExist"), "7 threads made and ended",
               f"{count(text, r'NotExist->')}, {count(text, r'->NotExist')}")
    live.check(count(text, r'Running->Waiting Reason="sleep"') == 125, "125 sleeps")
    locks = count(text, r'Running->Waiting Reason="sync"')
    conds = count(text, r'Running->Waiting Reason="sync.\(\*Cond\).Wait"')
    woken = sum(m.group(1) != m.group(2) for m in
                re.finditer(r"^M=\S+ P=\S+ G=(\S+) StateTransition .*GoID=(\d+) Waiting->Runnable", text, re.M))
    by_others = sum(m.group(1) not in (m.group(2), "-1") for m in
                    re.finditer(r"^M=\S+ P=\S+ G=(\S+) StateTransition .*GoID=(\d+) Waiting->Runnable", text, re.M))
    live.check(locks > 10 and conds > 10 and woken >= by_others > (locks + conds) / 2, "who woke whom is known",
               f"{locks} locks, {conds} conditions, {by_others} woken by others")
    live.check("worker @" in text and "traced.c" not in text.split("worker @")[0][-200:], "stacks have names")
    go_agrees(recorder, parsed(recorder))
    go_serves(trace)


def profile_of(path, kind):
    """The functions of pprof trace -pprof=kind."""
    out = live.TEMP / f"{kind}.pb.gz"
    with open(out, "wb") as file:
        subprocess.run([live.PPROF, "trace", f"-pprof={kind}", path], stdout=file, timeout=60, check=True)
    return live.run([live.PPROF, "-top", "-cum", "-nodecount=60", out])


def cxx():
    """std::mutex, condition_variable, thread and future; regions and tasks with owners; labels."""
    program, trace = FOLDER / "traced_cc", live.TEMP / "cc.trace"
    if not program.exists():
        return
    live.run([program, trace], 60)
    text = parsed(trace)
    go_agrees(trace, text)
    live.check(count(text, r' RegionBegin .*Type="turn"') == 60 == count(text, r' RegionEnd .*Type="turn"'), "60 regions by C++ owners")
    live.check(count(text, r' RegionEnd .*Type="throws"') == 1 == count(text, r' RegionEnd .*Type="hold"'), "regions end with their blocks")
    live.check(count(text, r' RegionBegin .*Type="endpoint=/(search|buy)"') == 2 == count(text, r' RegionEnd .*Type="endpoint='),
               "scopes of labels are regions")
    live.check(count(text, r' Label .*Label="traced_cc, endpoint=/search"') == 1, "a thread's labels stand beside its name")
    # The holder sleeps 30 ms with the lock, and main came after 10: neither can miss the other by chance.
    top = profile_of(trace, "sync")
    live.check("std::thread::join" in top, "joins are in the sync profile", top[:600])
    tables = live.run([live.PPROF, "trace", "-n=50", trace])
    live.check(re.search(r"^ +3 .*play", tables, re.M) and "libstdc++" not in tables.split("Functions in")[0],
               "threads of std::thread are named by what they run", tables[:900])
    live.check("push_and_wait" not in text, "the call that starts a trace is no wait of the program's")


def shop():
    """Everything of issue 5 at once: regions, tasks, locks, the network, CPU samples, the heap."""
    port, address = live.free_port(), f"127.0.0.1:{live.free_port()}"
    server = live.start([live.BUILD / "examples/shop/shop", "-p", port, "-a", address, "-t", "60", "-r", "100"],
                        stdout=subprocess.DEVNULL)
    live.wait_port(port)
    live.wait_profiles(address)
    live.start([live.BUILD / "examples/shop/shop-load", "-p", port, "-t", "30", "-c", "4", "-r", "1000"], stdout=subprocess.DEVNULL)
    cpu = live.start(["curl", "-s", "-o", "/dev/null", f"http://{address}/debug/pprof/profile?seconds=3&hz=1000"])
    time.sleep(0.5)
    trace = live.TEMP / "shop.trace"
    fetch(address, "seconds=1.5", trace)
    text = parsed(trace)
    for name in ("answer", "send", "reindex"):
        live.check(count(text, rf' RegionBegin .*Type="{name}"') > 2, f"the shop's region {name} is in its trace")
    live.check(count(text, r' TaskBegin .*Type="request"') > 100, "its requests are tasks")
    live.check(count(text, r'Running->Waiting Reason="network"') > 100, "it waits for the network")
    live.check(count(text, r'StateTransition .*Running->Waiting Reason="sleep"') > 2, "it sleeps")
    live.check(count(text, r" StackSample ") > 10, "it has CPU samples", count(text, r" StackSample "))
    live.check(count(text, r'Name="/memory/classes/heap/objects:bytes"') > 2, "it has the heap's size")
    live.check("accept_connections" in text and count(text, r'Undetermined->Waiting Reason=""') == 0,
               "threads that waited before say for what")
    go_agrees(trace, text)
    go_serves(trace)
    cpu.wait(30)
    live.check(live.stop(server) == 0, "the shop ends as it does without a trace")


def filtered():
    """Under a seccomp filter, which might end the program for perf_event_open: a whole trace, which says what it lacks."""
    import ctypes
    import struct
    libc, allow = ctypes.CDLL(None), ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))

    def filter_calls():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):  # NO_NEW_PRIVS, SECCOMP: everything is allowed
            os._exit(1)

    port, address = live.free_port(), f"127.0.0.1:{live.free_port()}"
    server = live.start([live.BUILD / "examples/shop/shop", "-p", port, "-a", address, "-t", "60"], preexec_fn=filter_calls,
                        stdout=subprocess.DEVNULL)
    live.wait_port(port)
    live.wait_profiles(address)
    trace = live.TEMP / "filtered.trace"
    fetch(address, "seconds=0.5", trace)
    text = parsed(trace)
    live.check(count(text, r' Log .*Category="pprof" Message="a seccomp filter is on') == 1, "a filtered program's trace says what it lacks")
    live.check(count(text, r'Undetermined->') >= 3 and 'Reason="sleep"' in text, "and is a trace")
    with urllib.request.urlopen(f"http://{address}/debug/pprof/", timeout=10) as index:
        live.check(b"what only the scheduler knows" in index.read(), "the index page says so")
    go_agrees(trace, text)
    live.stop(server)


def churn():
    trace = live.TEMP / "churn.trace"
    done = subprocess.run([FOLDER / "traced", "churn", trace], capture_output=True, text=True, timeout=100)
    live.check(done.returncode == 0, "threads come and go, and the program forks, under a trace", done.stdout or done.returncode)
    text = parsed(trace)
    made = int(done.stderr.split()[0])
    live.check(count(text, "NotExist->") >= made * 0.9 or " events were lost" in text, "threads are in the trace",
               f"{count(text, 'NotExist->')} of {made}")
    go_agrees(trace, text)


def pipe():
    done = subprocess.run([FOLDER / "traced", "pipe", "-"], capture_output=True, text=True, timeout=60)
    live.check(done.returncode == 0, "a pipe that nobody reads stops nothing", done.stdout or done.returncode)


def redis():
    found = [live.find(name) for name in ("redis-server", "redis-benchmark", "redis-cli")]
    if not all(found):
        return
    address, port = f"127.0.0.1:{live.free_port()}", live.free_port()
    server = live.start([found[0], "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", live.TEMP],
                        preload=address, env={"PPROF_FLIGHT_RECORDER": "5s,4MiB", "PPROF_SIGNAL": "USR2:flightrecorder",
                                              "PPROF_SIGNAL_FILES": str(live.TEMP / "redis")}, stdout=subprocess.DEVNULL)
    live.wait_port(port)
    live.wait_profiles(address)
    load = live.start([found[1], "-p", port, "-n", "100000000", "-c", "8", "-q", "-t", "set,get"], stdout=subprocess.DEVNULL)
    trace = live.TEMP / "redis.trace"
    answer = fetch(address, "seconds=1.5", trace)
    headers = {k.lower(): v for k, v in answer.headers.items()}
    live.check(headers.get("content-type") == "application/octet-stream" and
               headers.get("content-disposition") == 'attachment; filename="trace"', "Go's headers", headers)
    text = parsed(trace)
    network, calls = count(text, r'Running->Waiting Reason="network"'), count(text, r"Running->Syscall")
    live.check(network > 100 and calls > 1000, "redis waits for its network and makes system calls", f"{network}, {calls}")
    go_agrees(trace, text)
    top = profile_of(trace, "net")
    live.check(" main" in top or "redis-server+" in top or "aeMain" in top, "the net profile has redis' stacks", top[:600])
    recorded = live.TEMP / "recorded.trace"
    with urllib.request.urlopen(f"http://{address}/debug/pprof/flightrecorder", timeout=30) as recorder:
        recorded.write_bytes(recorder.read())
    live.check(1000 < recorded.stat().st_size <= 5 << 20, "the flight recorder is bounded", recorded.stat().st_size)
    parsed(recorded)
    server.send_signal(signal.SIGUSR2)
    name = live.TEMP / f"redis.{server.pid}.1.flightrecorder.trace"
    if live.check(live.wait_for("the flight recorder's file", name.exists), "a signal writes the flight recorder's file"):
        live.check(count(parsed(name), "Running->Syscall") > 1000, "it has the last seconds")
    hangs_up(address)
    load.terminate()
    live.check(live.stop(server) == 0, "redis ends as it does without libpprof")


def hangs_up(address):
    """A client that goes away ends its trace; one beside it gets Go's error."""
    client = None

    def is_traced():
        # The look at it is a trace too, and may have come first.
        nonlocal client
        if not client or client.poll() is not None:
            client = live.start(["curl", "-s", "-f", "-o", live.TEMP / "cut.trace",
                                 f"http://{address}/debug/pprof/trace?seconds=60"])
            time.sleep(0.5)
        return client.poll() is None and status_of(address) == 500

    live.wait_for("the other trace", is_traced)
    try:
        urllib.request.urlopen(f"http://{address}/debug/pprof/trace?seconds=0.1", timeout=10)
        live.check(False, "a second trace is refused")
    except urllib.error.HTTPError as failed:
        body = failed.read().decode()
        live.check(failed.code == 500 and failed.headers["X-Go-Pprof"] == "1" and
                   body == "Could not enable tracing: execution tracer already enabled\n", "Go's words for a second trace", body)
    client.kill()
    client.wait()
    live.check(live.wait_for("the trace's end", lambda: status_of(address) == 200), "a client that hangs up ends its trace")


def status_of(address):
    try:
        with urllib.request.urlopen(f"http://{address}/debug/pprof/trace?seconds=0.01", timeout=10) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as failed:
        return failed.code


def nginx():
    program = live.find("nginx")
    if not program:
        return
    folder, port, address = live.TEMP / "nginx", live.free_port(), f"127.0.0.1:{live.free_port()}"
    (folder / "html").mkdir(parents=True)
    (folder / "html/index.html").write_text("hello\n" * 100)
    (folder / "nginx.conf").write_text(f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; root {folder}/html; }} }}\n""")
    server = live.start([program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], preload=address,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    live.wait_port(port)
    live.wait_profiles(address)
    trace = live.TEMP / "nginx.trace"
    client = live.start([live.PPROF, "trace", "-d=parsed", f"http://{address}/debug/pprof/trace?seconds=1"],
                        stdout=open(live.TEMP / "nginx.txt", "w"))
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        page(f"http://127.0.0.1:{port}/index.html")
    client.wait(30)
    text = (live.TEMP / "nginx.txt").read_text(errors="replace")
    live.check(count(text, r'Running->Waiting Reason="network"') > 10 and count(text, "Running->Syscall") > 50,
               "pprof trace fetches nginx' trace", f"{len(text)} bytes")
    fetch(address, "seconds=0.3&go=1.26", trace)
    live.check(trace.read_bytes().startswith(b"go 1.26 trace\0\0\0"), "go=1.26 chooses the newer format")
    go_agrees(trace, parsed(trace))
    live.stop(server)


def workers():
    """The flight recorder of a forked worker that changes its user at once: it had never begun there."""
    program = live.find("nginx")
    if not program:
        return
    folder, port, address = live.TEMP / "workers", live.free_port(), f"127.0.0.1:{live.free_port()}"
    folder.mkdir()
    user = "user nobody nogroup;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log stderr; {user}
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }} }}\n""")
    server = live.start([program, "-p", folder, "-c", folder / "nginx.conf"], preload=address,
                        env={"PPROF_FLIGHT_RECORDER": "5s,4MiB"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    live.wait_port(port)

    def worker():
        pids = [pid for pid in live.children(server.pid) if pid in live.addresses()]
        return pids and live.addresses()[pids[0]]

    found = live.wait_for("the worker's address", worker)
    for _ in range(20):
        page(f"http://127.0.0.1:{port}/")
    trace = live.TEMP / "worker.trace"
    with urllib.request.urlopen(f"http://{found}/debug/pprof/flightrecorder", timeout=30) as answer:
        trace.write_bytes(answer.read())
    live.check(count(parsed(trace), "Running->Syscall") > 20, "a forked worker has a flight recorder of its own")
    live.stop(server)


itself()
cxx()
shop()
filtered()
churn()
pipe()
redis()
nginx()
workers()
live.finish()
