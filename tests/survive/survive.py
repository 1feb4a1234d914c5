#!/usr/bin/env python3
"""Ways in which profilers have broken programs, one function each; the names and numbers are those of docs/safety.md.

usage: survive.py [NAME...]
"""
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
import live  # noqa: E402
from proto import Profile  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILT = live.BUILD / "tests/survive"
ARCHIVE = live.BUILT_LIBPPROF.with_suffix(".a")
LIBS = Path("/usr/lib/x86_64-linux-gnu")


def preloaded(**more):
    """An environment with libpprof preloaded, every fourth kilobyte sampled."""
    return os.environ | {"LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": "127.0.0.1:0", "PPROF_HEAP_RATE": "4096"} | more


def ends_fine(command, env, claim, seconds=60):
    """Whether a program ends with status 0 and the word it prints when all is well."""
    done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL)
    good = done.returncode == 0 and done.stdout.endswith("fine\n")
    return live.check(good, claim, "" if good else f"status {done.returncode}: {(done.stdout + done.stderr)[-400:]}")


def begin(command, env=None):
    """A program that prints "serving ADDRESS"; (process, address)."""
    process = live.start(command, env=env, stdout=subprocess.PIPE, text=True)
    words = process.stdout.readline().split()
    if not live.check(words[:1] == ["serving"], f"{Path(str(command[0])).name} serves", " ".join(words)):
        live.finish()
    return process, words[1]


def ends_well(process, claim):
    out, _ = process.communicate(timeout=60)
    live.check(process.returncode == 0 and out.endswith("fine\n"), claim, f"status {process.returncode}: {out[-200:]}")


def compile_worker(name, *options, compiler=None):
    """The worker, built with these options; None when the compiler cannot."""
    out = live.TEMP / name
    command = [*(compiler or os.environ.get("CC", "cc")).split(), "-g", "-O1", "-o", out, HERE / "worker.c", *options, "-pthread", "-lm"]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        print(f"{name} cannot be built here: {done.stderr[-200:]}")
        return None
    return out


SERVES = ("-DSERVES", f"-I{live.ROOT / 'include'}")
LINKED = (*SERVES, f"-L{live.BUILT_LIBPPROF.parent}", "-lpprof", f"-Wl,-rpath,{live.BUILT_LIBPPROF.parent}")


def deepbind():
    """22: a plugin whose malloc is not the program's."""
    command = [BUILT / "survive_deepbind", BUILT / "libdeepbind_sharing.so", BUILT / "libdeepbind_owning.so"]
    ends_fine(command, dict(os.environ), "22: the plugins work without libpprof")
    for rate in ("1", "4096"):
        ends_fine(command, preloaded(PPROF_HEAP_RATE=rate), f"22: blocks cross to an RTLD_DEEPBIND plugin and back, rate {rate}")


def late():
    """28, 37: loaded by dlopen, after libraries that took thread-local memory."""
    plugins = []
    for i in range(20):
        plugins.append(live.TEMP / f"tls{i}.so")
        shutil.copy(BUILT / "libtls_plugin.so", plugins[-1])
    process, address = begin([BUILT / "survive_late", live.LIBPPROF, "127.0.0.1:0", "6", *plugins])
    profile = Profile(live.fetch(address, "profile", "?seconds=2"))
    live.check_hot(profile, ["^late_work"], share=0.3)
    heap = Profile(live.fetch(address, "heap"))
    said = [c for c in heap.comments if "late" in c or "in front" in c or "before" in c]
    live.check(bool(said), "28: the heap profile says that the program's calls do not come to it", heap.comments)
    ends_well(process, "28, 37: a program that loads libpprof late, after 20 libraries with thread-local memory, goes on")


def many_threads():
    """A thousand threads, listed and given timers."""
    address = f"127.0.0.1:{live.free_port()}"
    process = live.start([BUILT / "survive_threads", "1000", "6"], preload=address, stdout=subprocess.PIPE, text=True)
    live.wait_profiles(address)
    found = live.wait_for("1001 threads are there", lambda: len(os.listdir(f"/proc/{process.pid}/task")) >= 1002, 10)
    dump = Profile(live.fetch(address, "goroutine"))
    live.check(found and dump.total() == 1001, "a thousand threads are listed", dump.total())
    live.check(live.ask(address, "/debug/pprof/profile?seconds=1").status == 200, "a thousand threads get timers")
    ends_well(process, "a program of a thousand threads goes on")


def seccomp():
    """35: filters that kill for calls the program itself does not make."""
    command = [BUILT / "survive_confined"]
    for how in ("prctl", "syscall", "tsync"):
        if subprocess.run([*command, how], capture_output=True).returncode == 77:
            print(f"35: this machine allows no seccomp filter by {how}")
            continue
        ends_fine([*command, how], preloaded(), f"35: a program confined by {how} lives with the heap sampled")
        port = live.free_port()
        fetch = threading.Thread(target=profile_while_confined, args=(port,), daemon=True)
        fetch.start()
        ends_fine([*command, how], preloaded(PPROF_HTTP=f"127.0.0.1:{port}"), f"35: and while a CPU profile runs ({how})")
        fetch.join(20)


def profile_while_confined(port):
    try:
        live.wait_profiles(f"127.0.0.1:{port}")
        live.ask(f"127.0.0.1:{port}", "/debug/pprof/profile?seconds=3&hz=250")
    except (OSError, live.http.client.HTTPException, SystemExit):
        pass  # the endpoint may go when the program confines itself


def sanitizers():
    """38: programs under sanitizers, linked with libpprof and preloaded."""
    clang = live.find("clang-14") or live.find("clang")
    for kind in ("address", "thread", "undefined"):
        for compiler in filter(None, (live.find("gcc"), clang)):
            name = f"{Path(compiler).name} -fsanitize={kind}"
            options = (f"-fsanitize={kind}", "-Wno-unused-command-line-argument") if "clang" in compiler else (f"-fsanitize={kind}",)
            program = compile_worker(f"{Path(compiler).name}-{kind}", *options, *LINKED, compiler=compiler)
            if not program or subprocess.run([program, "-", "1"], capture_output=True).returncode:
                print(f"38: {name} does not run here")
                continue
            check_sanitized(name, program, kind)


def check_sanitized(name, program, kind):
    process, address = begin([program, "127.0.0.1:0", "4"])
    profile = Profile(live.fetch(address, "profile", "?seconds=2"))
    samples_come(profile, f"38: {name}: CPU samples come")
    heap = Profile(live.fetch(address, "heap"))
    if kind != "undefined":
        live.check(any("Sanitizer" in c for c in heap.comments), f"38: {name}: the heap profile says why it is empty", heap.comments)
    live.check(live.fetch(address, "goroutine") is not None, f"38: {name}: threads are listed")
    ends_well(process, f"38: {name}: the program goes on")


def samples_come(profile, claim):
    live.check(any(name.startswith("worker_computes") and weight for name, weight in profile.weight_by_function(1).items()), claim)


def environment():
    """39: the environment is the one the program was given."""
    env = preloaded(PPROF_CHILDREN="all")
    for command in (["env"], ["sh", "-c", "env"]):
        out = live.run(command, env=env)
        seen = {line for line in out.splitlines() if not line.startswith(("_=", "PWD=", "SHLVL=", "OLDPWD="))}
        given = {f"{k}={v}" for k, v in env.items() if k not in ("_", "PWD", "SHLVL", "OLDPWD") and "\n" not in v}
        live.check(given <= seen and len(seen - given) == 0, f"39: {' '.join(command)} sees its environment unchanged", seen ^ given or "")


def two_agents():
    """51: another profiler in the same program, and libpprof twice."""
    worker, cpu = BUILT / "survive_worker", LIBS / "libprofiler.so.0"
    if cpu.exists():
        for order in ([cpu, live.LIBPPROF], [live.LIBPPROF, cpu]):
            port, out = live.free_port(), live.TEMP / "gperftools.prof"
            process = live.start([worker, "-", "4"], stdout=subprocess.PIPE, text=True, env={
                "LD_PRELOAD": ":".join(map(str, order)), "PPROF_HTTP": f"127.0.0.1:{port}", "CPUPROFILE": str(out)})
            live.wait_profiles(f"127.0.0.1:{port}")
            profile = Profile(live.fetch(f"127.0.0.1:{port}", "profile", "?seconds=2"))
            samples_come(profile, f"51: samples come with {order[0].name} first")
            ends_well(process, f"51: a program under two profilers goes on, {order[0].name} first")
            live.check(out.exists() and out.stat().st_size > 1000, "51: and the other one has its samples")
    twice = compile_worker("twice", *SERVES, ARCHIVE)
    if twice:
        port = live.free_port()
        process = live.start([twice, "-", "4"], preload=f"127.0.0.1:{port}", stdout=subprocess.PIPE, text=True)
        live.wait_profiles(f"127.0.0.1:{port}")
        profile = Profile(live.fetch(f"127.0.0.1:{port}", "profile", "?seconds=1"))
        samples_come(profile, "51: libpprof linked and preloaded: samples come")
        ends_well(process, "51: a program with libpprof linked and preloaded goes on")


def secure():
    """52: a program that gained rights opens no socket."""
    if os.getuid() != 0:
        return print("52: needs root")
    program = compile_worker("secure", *SERVES, ARCHIVE)
    shutil.chown(program, "nobody")
    os.chmod(program, 0o4755)
    env = {"PATH": os.environ["PATH"], "PPROF_HTTP": f"127.0.0.1:{live.free_port()}"}
    done = subprocess.run(["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", program, "127.0.0.1:0", "1"],
                          capture_output=True, text=True, env=env, timeout=20)
    live.check(done.returncode == 2 and "serving" not in done.stdout and "set-user-id" in done.stderr,
               "52: a set-user-id program is told no", f"{done.returncode} {done.stdout} {done.stderr}".strip())


# Programs that make no other process, from sorters to interpreters: 100,000 steps of each are about 2 s.
STEPPED = [
    ["sqlite3", ":memory:", "create table t(a, b); insert into t values (1, 'x'), (2, 'y'); select sum(a), group_concat(b) from t;"],
    ["perl", "-e", "print join ',', sort map { $_ ** 2 % 17 } 1 .. 50"],
    ["python3", "-c", "print(sorted(str(n) for n in range(50)))"],
    ["grep", "-cE", "(tcp|udp).*[0-9]{2}", "/etc/services"],
    ["sort", "-r", "/etc/passwd"],
    ["xz", "-c", "/etc/services"],
    ["redis-cli", "--help"],
    ["git", "log", "--oneline", "-3"],
]


def stepping():
    """9: every instruction of programs can be interrupted; each pc's stack is libunwind's or libgcc's."""
    step, n_pcs, n_wrong = BUILT / "libsurvive_step.so", 0, 0
    if not step.exists():
        return print("9: libunwind-dev is not installed")
    for command in STEPPED:
        if not live.find(command[0]):
            print(f"9: {command[0]} is not installed: left out")
            continue
        out = live.TEMP / "step"
        env = os.environ | {"LD_PRELOAD": str(step), "PPROF_DISABLE": "1", "STEP_OUT": str(out), "STEP_LIMIT": "100000"}
        alone = subprocess.run(command, capture_output=True, timeout=60, cwd=live.ROOT)
        stepped = subprocess.run(command, env=env, capture_output=True, timeout=120, cwd=live.ROOT)
        words = out.read_text().split("\n") if out.exists() else ["steps 0 pcs 0 wrong 0"]
        found = dict(zip(words[0].split()[::2], map(int, words[0].split()[1::2])))
        n_pcs, n_wrong = n_pcs + found["pcs"], n_wrong + found["wrong"]
        live.check((alone.returncode, alone.stdout) == (stepped.returncode, stepped.stdout) and found["wrong"] * 200 <= found["pcs"],
                   f"9: {command[0]} is unwound at each of its instructions", "; ".join(w for w in words if w))
        out.unlink(missing_ok=True)
    live.check(n_pcs >= 20000 and n_wrong * 1000 <= n_pcs, "9: 99.9 % of at least 20,000 pcs are right", f"{n_wrong} wrong of {n_pcs}")


ENDPOINTS = ["", "cmdline", "symbol", "profile?seconds=2", "heap", "heap?seconds=1", "allocs?debug=1", "goroutine", "goroutine?debug=2",
             "threadcreate", "mutex", "block", "wall?seconds=1", "mmap", "trace?seconds=1"]


def own_threads():
    """libpprof's cold code under ThreadSanitizer: every endpoint at once, three times. Run from a build with b_sanitize=thread."""
    program = compile_worker("own-threads", "-fsanitize=thread", *LINKED)
    process = live.start([program, "127.0.0.1:0", "15"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address, statuses = process.stdout.readline().split()[1], []
    for _ in range(3):
        asking = [threading.Thread(target=lambda p=p: statuses.append(live.ask(address, f"/debug/pprof/{p}").status)) for p in ENDPOINTS]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(30)
    out, words = process.communicate(timeout=60)
    live.check(statuses.count(200) >= 2 * len(ENDPOINTS), "every endpoint answers under ThreadSanitizer", f"{statuses}")
    live.check(process.returncode == 0 and "WARNING: ThreadSanitizer" not in words, "ThreadSanitizer finds no race in libpprof", words[:3000])


TESTS = [stepping, deepbind, late, many_threads, seccomp, sanitizers, environment, two_agents, secure, own_threads]
chosen = set(sys.argv[1:]) or {t.__name__ for t in TESTS} - {"own_threads"}
live.need()
for test in TESTS:
    if test.__name__ in chosen:
        test()
live.finish()
