#!/usr/bin/env python3
"""What a linked program can ask libpprof to collect: labels in every profile."""
import live

log = live.TEMP / "address"
program = live.start([live.BUILD / "tests/live/collect"], stdout=open(log, "w"))
address = live.wait_for("the program prints its address", lambda: log.read_text().strip())


def labelled(profile, key, value, type_i=-1):
    """The weight of samples that have this label."""
    return sum(s.values[type_i] for s in profile.samples if s.labels.get(key) == value)


def get(name, query=""):
    return live.Profile(live.fetch(address, name, query) or b"")


def check_labels():
    cpu = get("profile", "?seconds=2")
    share = labelled(cpu, "job", "spinner") / max(1, cpu.total(1))
    live.check(share > 0.9, "CPU samples carry the labels their thread inherited", f"{100 * share:.0f} %")
    heap = get("heap")
    kept = labelled(heap, "job", "keeper")
    live.check(abs(kept - 80e6) < 0.25 * 80e6, "heap samples carry labels", f"{kept / 1e6:.1f} of 80 MB")
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
    live.check(f"<tr><td>200</td><td><a href='{name}?debug=1'>" in index, "the index counts it")


check_labels()
check_custom()
live.stop(program)
live.finish()
