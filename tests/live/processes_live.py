#!/usr/bin/env python3
"""Fork, exec, daemons and descriptors: who is profiled, at which address, and that nothing breaks."""
import os
import subprocess
import time

import live

live.need("sh", "sleep")
DAEMON = live.BUILD / "tests/live/daemon"
# Its segments lie 2 MiB apart, as those of Debian's node: the loader tells of them one at a time, so that no
# .eh_frame was found and every stack was guessed and ended as lost in _start.
DAEMON_GAPS = live.BUILD / "tests/live/daemon_gaps"
FORKS = live.BUILD / "tests/live/forks"


def daemon_test(program):
    """A daemon that forked twice and closed every descriptor is still profiled."""
    pidfile = live.TEMP / f"{program.name}.pid"
    address = f"127.0.0.1:{live.free_port()}"
    first = live.start([program, pidfile, 15], preload=address, env={"PPROF_CHILDREN": "all"})
    live.check(first.wait(10) == 0, "a daemon's first process ends")
    pid = int(live.wait_for("the daemon runs", lambda: pidfile.exists() and pidfile.read_text()))
    listed = live.wait_for("pprof ps lists the daemon", lambda: pid in live.addresses() and live.addresses())
    roots = live.Roots(program)
    profile = live.check_cpu(listed[pid], pid, roots, ["^daemon_work"], seconds=3)
    live.check(profile and not guessed(profile), "no frame is guessed", profile and guessed(profile))
    live.check_profile(listed[pid], "heap")
    os.kill(pid, 15)
    live.wait_for("the daemon ends", lambda: not os.path.exists(f"/proc/{pid}"))
    live.wait_for("pprof ps forgets it", lambda: pid not in live.addresses())


def guessed(profile):
    return [c for c in profile.comments if "guessed" in c or "did not reach" in c]


def fork_cost_test():
    """A child that ends at once pays for none of libpprof's tables: 100 page faults it was, some 3 us each."""
    def faults(preload, mode):
        env = dict(os.environ) | ({"LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": "127.0.0.1:0",
                                   "PPROF_CHILDREN": mode} if preload else {})
        cpu_us, per_fork = map(float, subprocess.run([FORKS], env=env, capture_output=True, text=True,
                                                     timeout=30).stdout.split())
        return cpu_us, per_fork
    bare_us, bare = faults(False, "")
    for mode, allowed in (("none", 30), ("fork", 55)):
        cpu_us, per_fork = faults(True, mode)
        live.check(per_fork - bare <= allowed, f"PPROF_CHILDREN={mode}: a fork touches few pages",
                   f"{per_fork:.0f} faults, {bare:.0f} without; {cpu_us:.0f} us CPU, {bare_us:.0f} without")


def profiled_pids(mode, command, seconds=1.5):
    """{what: is profiled} of a process, its forked child and what it exec'd."""
    address = f"127.0.0.1:{live.free_port()}"
    top = live.start(command, preload=address, env={"PPROF_CHILDREN": mode}, start_new_session=True)
    live.wait_profiles(address)
    time.sleep(seconds)
    listed = live.addresses()
    found = {"top": top.pid in listed}
    for child in live.children(top.pid):
        is_exec = "sleep" in live.title(child).split(" ")[0]
        found["exec" if is_exec else "fork"] = child in listed
    os.killpg(top.pid, 15)  # the sleeping children too
    top.wait(10)
    return found


def children_test():
    """PPROF_CHILDREN decides who is profiled."""
    # The subshell in parentheses is a forked child that stays a shell; sleep is exec'd.
    command = [live.find("bash") or "sh", "-c", "(trap : USR1; while :; do sleep 30; done) & sleep 30 & wait"]
    for mode, fork, exec_ in (("none", False, False), ("fork", True, False), ("exec", False, True), ("all", True, True)):
        found = profiled_pids(mode, command)
        live.check(found == {"top": True, "fork": fork, "exec": exec_}, f"PPROF_CHILDREN={mode}", found)


def run_test():
    """pprof run starts a program under libpprof and gives its status."""
    done = subprocess.run([live.PPROF, "run", "-http", "localhost:0", "--", "sh", "-c", "echo out; exit 7"],
                          capture_output=True, text=True, timeout=20)
    live.check((done.returncode, done.stdout) == (7, "out\n"), "pprof run gives the program's output and status",
               (done.returncode, done.stdout, done.stderr[-300:]))
    port = live.free_port()
    top = live.start([live.PPROF, "run", "-http", f"localhost:{port}", "--", "sleep", "20"])
    live.wait_profiles(f"127.0.0.1:{port}")
    live.check(b"sleep\x0020" in live.ask(f"127.0.0.1:{port}", "/debug/pprof/cmdline").body, "pprof run -http serves profiles")
    live.stop(top)


def busy_port_test():
    """A port that is taken does not keep the program from running."""
    port = live.free_port()
    with live.socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        env = {**os.environ, "LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": f"127.0.0.1:{port}"}
        done = subprocess.run(["sh", "-c", "echo still here"], env=env, capture_output=True, text=True, timeout=10)
        live.check((done.returncode, done.stdout) == (0, "still here\n"), "a taken port keeps nobody from running", done.stderr)


def clients_test():
    """A stuck client holds up nobody; one that hangs up ends its CPU profile."""
    address = f"127.0.0.1:{live.free_port()}"
    port = int(address.split(":")[1])
    top = live.start(["sleep", "30"], preload=address)
    live.wait_profiles(address)
    stuck = [live.socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for s in stuck:
        s.sendall(b"GET /debug/pprof/heap HTTP/1.1\r\nHost: x\r\n")  # and never the end of the head
    begin = time.monotonic()
    live.check(live.ask(address, "/debug/pprof/heap").status == 200 and time.monotonic() - begin < 2,
               "twenty stuck clients hold up nobody")
    with live.socket.create_connection(("127.0.0.1", port)) as gone:
        gone.sendall(b"GET /debug/pprof/profile?seconds=30 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.4)
        busy = live.ask(address, "/debug/pprof/profile?seconds=1")
        live.check((busy.status, busy.text) == (500, "Could not enable CPU profiling: cpu profiling already in use\n"),
                   "a second CPU profile gets Go's error", (busy.status, busy.text))
    def again():
        return live.ask(address, "/debug/pprof/profile?seconds=1").status == 200
    live.check(live.wait_for("a client that hung up ends its CPU profile", again, 5), "a client that hung up ends its profile")
    for s in stuck:
        s.close()
    live.stop(top)


daemon_test(DAEMON)
daemon_test(DAEMON_GAPS)
fork_cost_test()
children_test()
run_test()
busy_port_test()
clients_test()
live.finish()
