#!/usr/bin/env python3
"""What a linked program can ask libpprof to collect: labels in every profile."""
import ctypes
import os
import re
import struct

import live

log = live.TEMP / "address"
program = live.start([live.BUILD / "tests/live/collect"], env={"PPROF_HEAP_RATE": "8192"}, stdout=open(log, "w"))
address = live.wait_for("the program prints its address", lambda: log.read_text().strip())


def labelled(profile, key, value, type_i=-1):
    """The weight of samples that have this label."""
    return sum(s.values[type_i] for s in profile.samples if s.labels.get(key) == value)


def get(name, query=""):
    return live.Profile(live.fetch(address, name, query) or b"")


def check_labels():
    cpu = get("profile", "?seconds=2")
    share = labelled(cpu, "job", "spinner") / max(1, function(cpu, "spin_thread"))
    live.check(share > 0.9, "CPU samples carry the labels their thread inherited", f"{100 * share:.0f} %")
    heap = get("heap")
    kept = labelled(heap, "job", "keeper")
    live.check(abs(kept - 80e6) < 0.05 * 80e6, "heap samples carry labels, within 5 %", f"{kept / 1e6:.1f} of 80 MB")
    threads = get("goroutine")
    for job in ("spinner", "sleeper"):
        live.check(labelled(threads, "job", job) == 1, f"the thread of job {job} carries its label")
    text = live.ask(address, "/debug/pprof/goroutine?debug=1").text
    live.check('# labels: {"job":"sleeper"}\n' in text, "goroutine?debug=1 has Go's line of labels")
    dump = live.ask(address, "/debug/pprof/goroutine?debug=2").text
    live.check('] {"job":"sleeper"}:\n' in dump, "goroutine?debug=2 has the labels in the header")


def check_custom():
    name = "example.com/sessions"
    sessions = get(name)
    live.check(sessions.types == [(name, "count")] and sessions.total() == 200, "a custom profile has its live values",
               f"{sessions.types} {sessions.total()}")
    leaf = sessions.locations[sessions.samples[0].location_ids[0]].names
    live.check(leaf == ["open_session"], "its leaf is the caller of pprof_profile_add", str(leaf))
    live.check(labelled(sessions, "kind", "session") == 200, "its values carry labels")
    for debug in (1, 2):
        text = live.ask(address, f"/debug/pprof/{name}?debug={debug}").text
        live.check(text.startswith(f"{name} profile: total 200\n200 @ 0x"), f"debug={debug} is Go's text", text[:60])
    refused = live.ask(address, f"/debug/pprof/{name}?seconds=1")
    live.check((refused.status, refused.text) ==
               (400, '"seconds" parameter is not supported for this profile type\n'), "seconds= gets Go's refusal")
    index = live.ask(address, "/debug/pprof/").text
    live.check(f">200</td><td><a href='{name}?debug=1'>" in index, "the index counts it")


def function(profile, name, type_i=-1):
    """The weight of samples with this function in their stack."""
    return sum(s.values[type_i] for s in profile.samples
               if any(name in profile.locations[i].names for i in s.location_ids))


def check_heap():
    now, peak = get("heap"), get("heap", "?peak=1")
    grown = function(peak, "grow_and_shrink")
    live.check(function(now, "grow_and_shrink") == 0 and abs(grown - (30 << 20)) < 0.1 * (30 << 20),
               "peak=1 holds what was in use at the peak", f"{grown / (1 << 20):.1f} of 30 MiB")
    live.check(any("in use at its peak" in c for c in peak.comments), "and says how much it was, and when")
    live.check("peak" not in str(now.comments), "the plain profile says nothing of it")
    aged = get("heap", "?age=1")
    old = sum(s.values[3] for s in aged.samples if s.labels.get("job") == "keeper" and s.labels.get("age", 0) >= 1)
    live.check(abs(old - 80e6) < 0.05 * 80e6, "age=1 tells how old live blocks are", f"{old / 1e6:.1f} MB are 1 s or older")
    live.check(not any("age" in s.labels for s in now.samples), "which only those get who ask")
    both = live.ask(address, "/debug/pprof/heap?seconds=1&peak=1")
    live.check(both.status == 400, "peak and seconds together are refused", both.text.strip())
    text = live.ask(address, "/debug/pprof/heap?debug=1&peak=1").text
    live.check(text.startswith("heap profile: "), "peak=1 has a text form too")


def check_rate():
    """Allocations of a known rate: the difference over a time against the program's own count."""
    before = get("example.com/batches").total()
    delta = live.Profile(live.ask(address, "/debug/pprof/allocs?seconds=3").body)
    done = get("example.com/batches").total() - before
    n, size = function(delta, "allocate_steadily", 0), function(delta, "allocate_steadily", 1)
    live.check(size > 0 and abs(size / n - 10000) < 100, "blocks have their size", f"{size / max(1, n):.0f}")
    seen = size / (3000 * 10000)
    live.check(done > 20 and abs(seen - done) < 0.05 * done + 2, "allocations of a known rate are right within 5 %",
               f"{seen:.1f} of {done} batches in {delta.duration_nanos / 1e9:.1f} s")
    live.check(min(s.values[k] for s in delta.samples for k in (0, 1)) >= 0, "no allocation is negative")


def check_mmap():
    mapped = get("mmap")
    live.check(mapped.types == live.TYPES["heap"], "mmap has the heap's types")
    live.check((function(mapped, "map_memory", 1), function(mapped, "map_memory", 3)) == (24 << 20, 18 << 20),
               "mmap holds what is still mapped, exactly", str(function(mapped, "map_memory", 3)))
    live.check(labelled(mapped, "kind", "anonymous") >= 18 << 20, "with its kind")
    text = live.ask(address, "/debug/pprof/mmap?debug=1").text
    live.check(text.startswith("heap profile: ") and "@ heap/2\n" in text, "and a text form", text.split("\n")[0])


def check_contention_labels():
    mutex = live.Profile(live.ask(address, "/debug/pprof/mutex").body)
    block = live.Profile(live.ask(address, "/debug/pprof/block").body)
    held, waited = labelled(mutex, "job", "holder"), labelled(block, "job", "waiter")
    live.check(held > 0.5 * mutex.total(1) > 0, "mutex samples carry the labels of who held the lock",
               f"{held / 1e6:.0f} of {mutex.total(1) / 1e6:.0f} ms")
    live.check(waited > 0.5 * block.total(1) > 0, "block samples carry the labels of who waited",
               f"{waited / 1e6:.0f} of {block.total(1) / 1e6:.0f} ms")


def by_label(profile, key, value):
    return [s for s in profile.samples if s.labels.get(key) == value]


def check_wall():
    answer = live.ask(address, "/debug/pprof/wall?seconds=3")
    wall = live.Profile(answer.body)
    live.check(wall.types == [("samples", "count"), ("wall", "nanoseconds")] and wall.period_type == ("wall", "nanoseconds")
               and wall.default_type == "wall", "wall has Pyroscope's types", f"{wall.types} {wall.period_type}")
    slept = labelled(wall, "job", "sleeper")
    live.check(abs(slept - wall.duration_nanos) < 0.05 * wall.duration_nanos, "a sleeping thread's time is all there",
               f"{slept / 1e9:.2f} of {wall.duration_nanos / 1e9:.2f} s")
    states = {s.labels.get("state") for s in by_label(wall, "job", "sleeper")}
    live.check(states == {"sleep"}, "with its state", str(states))
    whole = wall.total(1) / wall.duration_nanos
    n_threads = get("goroutine").total()
    live.check(abs(whole - n_threads) < 0.1 * n_threads, "every thread's time is all there", f"{whole:.2f} of {n_threads} threads")
    spun = [s for s in by_label(wall, "job", "spinner") if s.labels["state"] in ("running", "runnable")]
    live.check(sum(s.values[1] for s in spun) > 0.05 * wall.duration_nanos, "running threads are seen too",
               f"{sum(s.values[1] for s in spun) / 1e6:.0f} of {wall.duration_nanos / 1e6:.0f} ms")
    fg = live.Profile(live.ask(address, "/debug/fgprof?seconds=1").body)
    live.check(fg.types == [("samples", "count"), ("time", "nanoseconds")], "/debug/fgprof has fgprof's types", str(fg.types))
    folded = live.ask(address, "/debug/fgprof?seconds=1&format=folded").text
    live.check(any("main;" in l and l.split()[-1].isdigit() for l in folded.splitlines()), "and its folded format",
               folded[:80])
    bad = live.ask(address, "/debug/fgprof?format=x")
    live.check(bad.status == 400, "an unknown format is refused", bad.text)


def offcpu_state(where):
    """What the index says of the off-CPU profile."""
    return re.search("<td>offcpu</td><td[^>]*>([^<]*)", live.ask(where, "/debug/pprof/").text)[1]


def check_offcpu():
    state = offcpu_state(address)
    answer = live.ask(address, "/debug/pprof/offcpu?seconds=2")
    if answer.status != 200:
        return live.check("perf_event_open" in answer.text and "perf_event_open" in state,
                          "offcpu says why it cannot, and the index too", answer.text)
    off = live.Profile(answer.body)
    live.check(off.types == [("waits", "count"), ("offcpu", "nanoseconds")] and state == "works", "offcpu has its types", state)
    slept = labelled(off, "job", "sleeper")
    live.check(abs(slept - off.duration_nanos) < 0.05 * off.duration_nanos, "a sleeping thread was off CPU all the time",
               f"{slept / 1e9:.2f} of {off.duration_nanos / 1e9:.2f} s")
    waits = labelled(off, "job", "sleeper", 0)
    live.check(1 <= waits <= 5, "and woke as often as it did", str(waits))
    spun = labelled(off, "job", "spinner")
    cpu = live.Profile(live.ask(address, "/debug/pprof/profile?seconds=1").body)
    busy = labelled(cpu, "job", "spinner") / cpu.duration_nanos
    live.check(0.05 < spun / off.duration_nanos < 1, "a thread that runs was off CPU for a part of the time",
               f"{100 * spun / off.duration_nanos:.0f} %, on CPU {100 * busy:.0f} %")


def refuse_switches():
    """In a child before exec: a seccomp filter that refuses perf_event_open, as containers have it."""
    EPERM, ALLOW, ERRNO, PERF_EVENT_OPEN = 1, 0x7fff0000, 0x00050000, {"x86_64": 298, "aarch64": 241}[os.uname().machine]
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, PERF_EVENT_OPEN), (0x06, 0, 0, ERRNO | EPERM), (0x06, 0, 0, ALLOW)]
    rules = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(rules))
    libc, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = ctypes.CDLL(None), 38, 22, 2
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, program):
        os._exit(77)


def check_refusal():
    """Where the kernel gives no records of switches, offcpu and the index say why, and traces do without."""
    said = live.TEMP / "refused"
    confined = live.start([live.BUILD / "tests/live/collect"], stdout=open(said, "w"), preexec_fn=refuse_switches)
    where = live.wait_for("a confined program prints its address", lambda: said.read_text().strip() or confined.poll() == 77)
    if confined.poll() == 77:
        return print("this machine allows no seccomp filter")
    answer = live.ask(where, "/debug/pprof/offcpu?seconds=1")
    state = offcpu_state(where)
    live.check(answer.status != 200 and all("seccomp" in text and "perf_event_open" in text for text in (answer.text, state)),
               "under a filter offcpu says why it cannot, and the index too", f"{answer.status} {answer.text.strip()}")
    (live.TEMP / "refused.trace").write_bytes(live.ask(where, "/debug/pprof/trace?seconds=1").body)
    events = live.run([live.PPROF, "trace", "-d=parsed", live.TEMP / "refused.trace"])
    logged = [line for line in events.splitlines() if 'Category="pprof"' in line]
    live.check("Waiting" in events and any("seccomp" in line for line in logged), "a trace has its waits, and a log that says why it lacks "
               "these records", logged)
    wall = live.Profile(live.ask(where, "/debug/pprof/wall?seconds=1").body)
    live.check(wall.total(1) > 0, "and the wall profile needs none", f"{wall.total(1) / 1e9:.1f} s")
    live.stop(confined)


check_labels()
check_custom()
check_refusal()
check_offcpu()
check_contention_labels()
check_wall()
check_heap()
check_rate()
check_mmap()
live.stop(program)
live.finish()
