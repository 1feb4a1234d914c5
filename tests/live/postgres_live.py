#!/usr/bin/env python3
"""postgres of Debian, unmodified: a process a connection, forked when it comes, under pgbench."""
import shutil
import signal

import live

postgres, initdb, pgbench, psql = live.need("postgres", "initdb", "pgbench", "psql")
data = live.TEMP / "data"
options = live.as_user("postgres")
if options:
    shutil.chown(live.TEMP, "postgres")
live.run([initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], **options)
QUESTIONS = "select version(); select sum(abalance), count(*) from pgbench_accounts; select 1/0; explain select 1;"


def serve(address, name):
    port = live.free_port()
    log = open(live.TEMP / name, "w+")
    server = live.start([postgres, "-D", data, "-p", port, "-h", "127.0.0.1", "-k", live.TEMP, "-c", "fsync=off",
                         "-c", "jit=off"], preload=address, env={"PPROF_CHILDREN": "all"}, stdout=log, stderr=log, **options)
    live.wait_for("postgres is ready", lambda: "ready to accept" in (live.TEMP / name).read_text(), 20)
    return server, port


def answers(port):
    done = live.subprocess.run([psql, "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", QUESTIONS],
                               capture_output=True, text=True, timeout=20)
    return (done.stdout + done.stderr).splitlines()


def backends(server):
    """Processes that serve a client now: their title names the client's address."""
    return [p for p in live.children(server.pid) if "127.0.0.1" in live.title(p)]


server, port = serve(None, "without.log")
live.run([pgbench, "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-i", "-s", "1", "-q", "postgres"])
expected = answers(port)
status_without = live.stop(server, how=signal.SIGINT)

address = f"127.0.0.1:{live.free_port()}"
server, port = serve(address, "with.log")
live.wait_profiles(address)
live.check_same(answers(port), expected, "postgres answers the same")
live.start([pgbench, "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-c", "2", "-T", "30", "-S", "-n", "postgres"],
           stdout=live.subprocess.DEVNULL, stderr=live.subprocess.DEVNULL)


def listed_backends():
    """pgbench's two backends with their addresses; an earlier client's may still be ending, and is not listed."""
    listed = live.addresses()
    found = [(pid, listed[pid]) for pid in backends(server) if pid in listed]
    return found if len(found) == 2 else None


(pid, backend), _ = live.wait_for("pprof ps lists the two backends", listed_backends)
HOT = ["^exec_simple_query$|^PostgresMain$", "^PortalRun$|^ExecutorRun$|^standard_ExecutorRun$", "^main$|^PostmasterMain$"]
roots = live.Roots(postgres)
live.check_cpu(backend, pid, roots, HOT)
live.check_threads(backend, pid, roots)
live.check_profile(backend, "heap")
live.check_waits(backend, seconds=1)
live.start([pgbench, "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-c", "6", "-T", "30", "-N", "-n", "postgres"],
           stdout=live.subprocess.DEVNULL, stderr=live.subprocess.DEVNULL)


def semaphores():
    """Waits of one backend after the other, until one has waited for another's semaphore: they write one log."""
    for pid, address in [(pid, live.addresses().get(pid)) for pid in backends(server)]:
        profile = address and live.fetch_waits(address, "block", 1)
        if profile and any(live.re.search("^PGSemaphoreLock$", f) for f in profile.weight_by_function(1)):
            return profile
    return None


waited = live.wait_for("a backend waits for a semaphore", semaphores, 30)
live.check(waited.total(1) > 0, "block has backends that wait for semaphores", f"{waited.total(0)} waits")
live.check_threads(address, server.pid, roots)
live.check_pprof_reads("profile", "heap", "goroutine")
status = live.stop(server, how=signal.SIGINT)
live.check(status == status_without, "postgres ends as it does without libpprof", status)
text = (live.TEMP / "with.log").read_text()
live.check("PANIC" not in text and "was terminated by signal" not in text, "no postgres process crashed")
live.finish()
