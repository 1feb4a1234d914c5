"""The harness of the live tests: a server under libpprof, its load, and what must be true of its profiles.

One script a server. Each prints one line a check and closes with `N passed, N failed`; it ends with status 77 when the
server or its load generator is not installed. PPROF_BUILD names the build folder.

Words: a server is a process that answers /debug/pprof/ at an address, because it is linked with libpprof or because
libpprof was preloaded; load is what keeps it busy while profiles are taken.
"""
import atexit
import http.client
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from proto import Profile

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PPROF_BUILD", ROOT / "build"))
BUILT_LIBPPROF = BUILD / "src/agent/libpprof.so"
PPROF = BUILD / "pprof"
PROFILE_SECONDS = 4  # 400 samples of a busy thread: one lost sample is a quarter of the 3 % allowed
ENOUGH_CPU_NS = 500_000_000  # 50 samples: a function with a tenth of them is missed once in 200 runs
counts = {"passed": 0, "failed": 0}
processes = []
TEMP = Path(tempfile.mkdtemp(prefix="pprof-live-"))
os.chmod(TEMP, 0o755)  # servers that drop to another user read their settings here


def readable_by_all(path):
    return all(p.stat().st_mode & 0o5 == 0o5 for p in path.resolve().parents)


# Below /root nobody else may read, and memcached and postgres run as somebody else.
LIBPPROF = BUILT_LIBPPROF
if LIBPPROF.exists() and not readable_by_all(LIBPPROF):
    LIBPPROF = Path(shutil.copy(BUILT_LIBPPROF, TEMP / "libpprof.so"))


def check(is_good, claim, detail=""):
    counts["passed" if is_good else "failed"] += 1
    print(f"{'ok  ' if is_good else 'FAIL'} {claim}{': ' if detail != '' else ''}{detail}", flush=True)
    return is_good


def finish():
    if counts["failed"]:
        for log in sorted(TEMP.glob("*.log")):
            print(f"--- {log.name}:", *log.read_text(errors="replace").splitlines()[-15:], sep="\n")
    print(f"{counts['passed']} passed, {counts['failed']} failed", flush=True)
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def find(name):
    """Path of a program, also where Debian keeps it out of PATH; None when it is not installed."""
    folders = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]
    folders += sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=":".join(folders))


def need(*programs):
    """Paths of programs; skips the test when one is missing."""
    found = [find(name) for name in programs]
    for name, path in zip(programs, found):
        if not path:
            skip(f"{name} is not installed")
    if not LIBPPROF.exists():
        check(False, f"{LIBPPROF} is built")
        finish()
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@atexit.register
def clean_up():
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
    shutil.rmtree(TEMP, ignore_errors=True)


def start(command, preload=None, env=None, **options):
    """Starts a process; preload is the address its profiles are served at."""
    env = {**os.environ, **(env or {})}
    if preload:
        env |= {"LD_PRELOAD": str(LIBPPROF), "PPROF_HTTP": preload}
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen([str(c) for c in command], env=env, **options)
    processes.append(process)
    return process


def run(command, seconds=30, **options):
    """Output of a program that ends by itself; fails the test when it does not succeed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds,
                          stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    if done.returncode:
        check(False, f"{Path(str(command[0])).name} succeeds", done.stderr[-500:] or done.stdout[-500:])
    return done.stdout


def as_user(name):
    """Options for start and run: as this user when we are root, since some servers refuse root."""
    if os.getuid() != 0:
        return {}
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        skip(f"there is no user {name}")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def wait_for(what, probe, seconds=30):
    """Calls probe until it gives something true."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = probe()
        except OSError:
            found = None
        if found or time.monotonic() > end:
            break
        time.sleep(0.05)
    if not found:
        check(False, f"{what} within {seconds} s")
        finish()
    return found


def wait_port(port, seconds=10):
    def probe():
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    wait_for(f"port {port} answers", probe, seconds)


# --- asking the endpoint -------------------------------------------------------------------------

class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")


def ask(address, path, seconds=40, method="GET", body=None):
    """One request to HOST:PORT or unix:PATH."""
    is_unix = address.startswith("unix:")
    kind = UnixConnection if is_unix else http.client.HTTPConnection
    connection = kind(address[5:] if is_unix else address, timeout=seconds)
    try:
        connection.request(method, path, body=body, headers={"Host": "localhost"} if is_unix else {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def wait_profiles(address, seconds=10):
    wait_for(f"{address} answers /debug/pprof/", lambda: ask(address, "/debug/pprof/").status == 200, seconds)


def fetch(address, name, query=""):
    """A profile, checked for status and headers; None when there is none."""
    answer = ask(address, f"/debug/pprof/{name}{query}")
    filename = f'attachment; filename="{name}"'
    is_good = (answer.status == 200 and answer.headers["Content-Type"] == "application/octet-stream"
               and answer.headers["Content-Disposition"] == filename
               and answer.headers["X-Content-Type-Options"] == "nosniff")
    if not is_good:
        check(False, f"{name} answers as Go does", f"{answer.status} {dict(answer.headers)} {answer.text[:200]}")
        return None
    return answer.body


def children(pid):
    """Pids of the direct children, oldest first."""
    return sorted(int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def addresses():
    """{pid: address} of the profiled processes, as pprof ps lists them."""
    found = {}
    for line in run([PPROF, "ps"]).splitlines():
        words = line.split()
        if len(words) > 1 and words[0].isdigit():
            found[int(words[0])] = next(w for w in words if ":" in w)
    return found


# --- CPU time ------------------------------------------------------------------------------------

class CpuMeter(threading.Thread):
    """Reads the CPU time of a process often, so that the time between any two moments can be told afterwards.

    The profile says when it began and how long it took; comparing exactly that interval keeps the check honest on a
    busy machine. libpprof's own threads are not sampled, and their CPU time is taken off.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.readings, self.is_over = pid, [], threading.Event()
        self.start()

    def read(self):
        clock = (~self.pid << 3) | 2  # the process's CPU clock, as clock_getcpuclockid makes it: in ns, ended threads too
        return time.time_ns(), time.clock_gettime_ns(clock) - self.own_ns()

    def own_ns(self):
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                if (task / "comm").read_text().startswith("pprof"):
                    total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
        return total

    def run(self):
        while not self.is_over.is_set():
            try:
                self.readings.append(self.read())
            except OSError:
                return
            self.is_over.wait(0.02)

    def stop(self):
        self.is_over.set()
        self.join()

    def at(self, when):
        """CPU ns at a moment, between two readings in a straight line."""
        before, after = self.readings[0], self.readings[-1]
        for a, b in zip(self.readings, self.readings[1:]):
            if a[0] <= when <= b[0]:
                before, after = a, b
                break
        share = (when - before[0]) / max(1, after[0] - before[0])
        return before[1] + share * (after[1] - before[1])

    def between(self, begin, end):
        return self.at(end) - self.at(begin)


def check_cpu_time(profile, meter, allowed=0.03):
    """The sum of weights against the CPU time of the same interval."""
    begin = profile.time_nanos
    used = meter.between(begin, begin + profile.duration_nanos)
    found = profile.total(1)
    # With few samples chance alone is larger than 3 %: a thread is off by up to one period at each end.
    n_threads = len(list(Path(f"/proc/{meter.pid}/task").iterdir()))
    chance = 2 * profile.period * n_threads ** 0.5
    difference = found - used
    return check(abs(difference) <= max(allowed * used, chance), "the sum of weights is the CPU time used",
                 f"{found / 1e9:.3f} s sampled, {used / 1e9:.3f} s used, {100 * difference / max(used, 1):+.2f} %")


# --- stacks --------------------------------------------------------------------------------------

def elf_segments(path):
    """(entry, [(file offset, address, size)]) of an ELF file."""
    with open(path, "rb") as f:
        head = f.read(64)
        entry, table = struct.unpack_from("<QQ", head, 24)
        size, number = struct.unpack_from("<HH", head, 54)
        loads = []
        for i in range(number):
            f.seek(table + i * size)
            kind, _, offset, address, _, file_size = struct.unpack_from("<IIQQQQ", f.read(size))
            if kind == 1:
                loads.append((offset, address, file_size))
    return entry, loads


def file_offset(path, address):
    _, loads = elf_segments(path)
    return next(o + address - a for o, a, n in loads if a <= address < a + n)


class Roots:
    """Where whole stacks end: _start of the programs, clone3 of libc; as (file, offset within it)."""

    def __init__(self, *programs):
        path, address = run([BUILD / "tests/live/roots"]).split()
        self.places = [(os.path.realpath(path), file_offset(path, int(address, 16)))]
        for program in programs:
            real = os.path.realpath(program)
            self.places.append((real, file_offset(real, elf_segments(real)[0]) + 32))

    def is_whole(self, profile, sample):
        if not sample.location_ids:
            return False
        root = profile.locations[sample.location_ids[-1]]
        mapping = profile.mappings.get(root.mapping_id)
        if not mapping:
            return False
        offset = root.address - mapping.start + mapping.offset
        return any(os.path.realpath(mapping.file) == file and abs(offset - place) <= 48 for file, place in self.places)


def check_stacks(profile, roots, allowed=0.98, what="stacks"):
    """At least 98 % of the weight reaches a thread's first frame."""
    total = profile.total()
    whole = sum(s.values[0] for s in profile.samples if roots.is_whole(profile, s))
    share = whole / total if total else 0
    detail = f"{100 * share:.2f} % of {total}"
    if share < allowed:
        broken = [s for s in profile.samples if not roots.is_whole(profile, s)]
        for s in sorted(broken, key=lambda s: -s.values[0])[:3]:
            root = profile.locations[s.location_ids[-1]] if s.location_ids else None
            mapping = profile.mappings.get(root.mapping_id) if root else None
            detail += f"\n       {s.values[0]} x {' < '.join(profile.names(s))} [{mapping and mapping.file}]"
    return check(total > 0 and share >= allowed, f"{what} reach the thread's first frame", detail)


def check_hot(profile, patterns, share=0.01, type_i=0):
    """Each pattern names a function with at least this share of the weight."""
    weights, total = profile.weight_by_function(type_i), profile.total(type_i)
    for pattern in patterns:
        weight = max((w for name, w in weights.items() if re.search(pattern, name)), default=0)
        good = total > 0 and weight >= share * total
        top = "" if good else f"; top: {sorted(weights, key=weights.get)[-8:]}"
        check(good, f"{pattern} is seen", f"{100 * weight / max(1, total):.1f} %{top}")


# --- the standard set ----------------------------------------------------------------------------

TYPES = {
    "profile": [("samples", "count"), ("cpu", "nanoseconds")],
    "heap": [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")],
    "goroutine": [("goroutine", "count")],
    "threadcreate": [("threadcreate", "count")],
}
TYPES["allocs"] = TYPES["heap"]


def check_profile(address, name, query=""):
    """Fetches and decodes one profile; its types must be Go's."""
    body = fetch(address, name, query)
    if body is None:
        return None
    (TEMP / f"{name}.pb.gz").write_bytes(body)
    profile = Profile(body)
    good = profile.types == TYPES[name] and profile.mappings and all(m.file for m in profile.mappings.values())
    check(good, f"{name} has Go's types and named mappings", f"{len(profile.samples)} samples")
    return profile


def cpu_profile(address, seconds, query=""):
    """A CPU profile long enough to say something: where neighbours leave the server little CPU, it is taken again."""
    for longer in (1, 2, 3):
        profile = check_profile(address, "profile", f"?seconds={longer * seconds}{query}")
        if profile is None or profile.total(1) >= ENOUGH_CPU_NS:
            break
    return profile


def check_cpu(address, pid, roots, hot, seconds=PROFILE_SECONDS, meter=None, query=""):
    """A CPU profile under load: weights, whole stacks, hot functions."""
    meter = meter or CpuMeter(pid)
    time.sleep(0.1)
    profile = cpu_profile(address, seconds, query)
    meter.stop()
    if profile is None:
        return None
    check_cpu_time(profile, meter)
    check_stacks(profile, roots, what="CPU stacks")
    check_hot(profile, hot)
    return profile


def check_threads(address, pid, roots):
    """Every thread is listed once, whole, and none of libpprof's own."""
    profile = check_profile(address, "goroutine")
    if profile is None:
        return None
    comms = [p.read_text().strip() for p in Path(f"/proc/{pid}/task").glob("*/comm")]
    expected = sum(not comm.startswith("pprof") for comm in comms)
    check(abs(profile.total() - expected) <= 1, "the thread dump lists every thread",
          f"{profile.total()} of {expected}: {sorted(set(comms))}")
    check_stacks(profile, roots, what="thread dump stacks", allowed=0.9)
    return profile


def check_pages(address, pid):
    """The pages beside profiles: index, cmdline, symbol, text forms, errors."""
    index = ask(address, "/debug/pprof/")
    names = ("allocs", "cmdline", "goroutine", "heap", "profile", "symbol", "threadcreate")
    check(index.status == 200 and index.headers["Content-Type"] == "text/html; charset=utf-8"
          and all(f"{n}?debug=1" in index.text for n in names), "the index lists every profile")
    cmdline = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
    check(ask(address, "/debug/pprof/cmdline").body.rstrip(b"\0") == cmdline, "cmdline is the command line")
    check(ask(address, "/debug/pprof/symbol").text.startswith("num_symbols: 1\n"), "symbol has symbols")
    for name in ("heap", "allocs", "goroutine", "threadcreate"):
        answer = ask(address, f"/debug/pprof/{name}?debug=1")
        check(answer.status == 200 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
              and " profile: " in answer.text.split("\n")[0], f"{name}?debug=1 is text", answer.text.split("\n")[0])
    missing = ask(address, "/debug/pprof/nonsense")
    check((missing.status, missing.headers["X-Go-Pprof"], missing.text) == (404, "1", "Unknown profile\n"),
          "an unknown profile gets Go's 404", missing.text[:80])


def check_pprof_reads(*names):
    """Our pprof, and go tool pprof where it is installed, read what was fetched."""
    for name in names:
        file = TEMP / f"{name}.pb.gz"
        if not file.exists():
            continue
        raw = run([PPROF, "-raw", file]) if PPROF.exists() else ""
        check("Samples:" in raw, f"pprof -raw reads {name}")
        if shutil.which("go"):
            theirs = run(["go", "tool", "pprof", "-raw", file], env={**os.environ, "PPROF_BINARY_PATH": "/nonexistent"})
            check("Samples:" in theirs, f"go tool pprof -raw reads {name}")


def check_all(address, pid, programs, hot, heap_hot=(), seconds=PROFILE_SECONDS):
    """The whole standard set on a server whose load is running."""
    roots = Roots(*programs)
    check_cpu(address, pid, roots, hot, seconds)
    check_threads(address, pid, roots)
    heap = check_profile(address, "heap")
    if heap:
        check_hot(heap, heap_hot, type_i=1)
        check(all(min(s.values) >= 0 for s in heap.samples), "no heap value is negative")
        if heap.samples:
            check_stacks(heap, roots, what="heap stacks")
    check_profile(address, "allocs")
    check_profile(address, "threadcreate")
    check_pages(address, pid)
    check_pprof_reads("profile", "heap", "allocs", "goroutine", "threadcreate")


def fetch_waits(address, name, seconds):
    """A mutex or block profile of some seconds, every wait sampled; None when the answer is none."""
    rate = {"mutex": "fraction=1", "block": "rate=1"}[name]
    answer = ask(address, f"/debug/pprof/{name}?seconds={seconds}&{rate}")
    is_good = answer.status == 200 and answer.headers["Content-Disposition"] == f'attachment; filename="{name}-delta"'
    profile = Profile(answer.body) if is_good else None
    is_good = is_good and profile.types == [("contentions", "count"), ("delay", "nanoseconds")]
    check(is_good, f"{name}?seconds= answers with Go's types", "" if is_good else f"{answer.status} {answer.text[:200]}")
    if is_good:
        (TEMP / f"{name}.pb.gz").write_bytes(answer.body)
    return profile if is_good else None


def check_waits(address, holders=None, waiters=None, seconds=2):
    """Who makes others wait and who waits, under the load that runs: patterns of functions of which one must be there.

    None: the server may well have nobody who waits. Contention is a matter of chance, so many looks: three were not enough once.
    """
    for name, wanted in (("mutex", holders), ("block", waiters)):
        for _ in range(12):
            profile = fetch_waits(address, name, seconds)
            functions = profile.weight_by_function(1) if profile else {}
            found = [f for f in functions if wanted and re.search(wanted, f)]
            if found or not wanted or not profile:
                break
        if wanted:
            check(found, f"{name} has {wanted}", f"{sorted(functions, key=functions.get)[-5:]}" if not found else found[0])
        check_pprof_reads(name)
        off = ask(address, f"/debug/pprof/{name}?debug=1").text
        check(off.startswith({"mutex": "--- mutex:\ncycles/second=", "block": "--- contention:\ncycles/second="}[name]),
              f"{name}?debug=1 is Go's text")
        (TEMP / f"{name}.txt").write_text(off)
        if "@" in off:
            check("Type: delay" in run([PPROF, "-top", TEMP / f"{name}.txt"]), f"pprof reads the text of {name}")


def plain(text):
    """Output with what changes from run to run (numbers, blank ends) replaced: pids, times, ports, sizes."""
    return [re.sub(r"\d+", "N", line.rstrip()) for line in text.splitlines() if line.strip()]


def check_same(with_us, without_us, what):
    """The program's own output is the same with and without libpprof."""
    detail = f"{len(without_us)} lines"
    if with_us != without_us:
        odd = [f"+{a}" for a in with_us if a not in without_us] + [f"-{b}" for b in without_us if b not in with_us]
        detail = "; ".join(odd[:6]) or "order differs"
    check(with_us == without_us and without_us, what, detail)


def stop(process, seconds=10, how=signal.SIGTERM):
    """Ends a server as its owner would; gives its status."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        check(False, f"{process.args[0]} ends when told to")
        return process.wait()
