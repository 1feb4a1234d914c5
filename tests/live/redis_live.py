#!/usr/bin/env python3
"""redis-server of Debian, unmodified (jemalloc, stripped, no frame pointers), under redis-benchmark."""
import live

redis, benchmark, cli = live.need("redis-server", "redis-benchmark", "redis-cli")
QUESTIONS = "\n".join(["set a 1", "incr a", "lpush l x y z", "lrange l 0 -1", "zadd s 1 one 2 two", "zrange s 0 -1 withscores",
                       "eval 'return redis.call(\"get\",\"a\")' 0", "nonsense", "debug sleep 0", "type l", "dbsize"]) + "\n"


def serve(address, name, *more):
    port = live.free_port()
    log = open(live.TEMP / name, "w+")
    server = live.start([redis, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                         "--dir", live.TEMP, *more], preload=address, stdout=log, stderr=log)
    live.wait_port(port)
    return server, port


def answers(port):
    done = live.subprocess.run([cli, "-p", str(port)], input=QUESTIONS, capture_output=True, text=True, timeout=10)
    return done.stdout.splitlines()


server, port = serve(None, "without.log")
expected = answers(port)
live.stop(server)

address = f"127.0.0.1:{live.free_port()}"
server, port = serve(address, "with.log")
live.wait_profiles(address)
live.check_same(answers(port), expected, "redis answers the same")
live.start([benchmark, "-p", port, "-n", "100000000", "-c", "20", "-P", "16", "-q", "-t", "set,get,lpush", "-r", "100000",
            "-d", "64"], stdout=live.subprocess.DEVNULL)
HOT = ["^processCommand$", "^call$", "^aeProcessEvents$|^aeMain$", "^main$|_start$|^__libc_start"]
live.check_all(address, server.pid, [redis], HOT, heap_hot=["^processInputBuffer$|^readQueryFromClient$|^call$"])
flushes = live.start(["sh", "-c", f"while {cli} -p {port} flushall async >/dev/null; do sleep 0.2; done"])
live.check_waits(address, waiters="^bioProcessBackgroundJobs$|clone3|start_thread")  # they wait for jobs
live.stop(flushes)
status = live.stop(server)

# A thread for writing waits on a mutex that the main thread holds while few clients write, and gives back before many do.
address = f"127.0.0.1:{live.free_port()}"
threaded, port = serve(address, "threaded.log", "--io-threads", "2")
live.wait_profiles(address)
live.start(["sh", "-c", f"while {benchmark} -p {port} -n 1000 -c 50 -P 8 -q -t get >/dev/null 2>&1; do {cli} -p {port} ping; "
            f"{cli} -p {port} ping; done >/dev/null 2>&1"])
live.check_waits(address, holders="^handleClientsWithPendingWritesUsingThreads$", waiters="^IOThreadMain$")
live.stop(threaded)
live.check(status == 0, "redis ends as it does without libpprof", status)
logs = [live.plain((live.TEMP / name).read_text()) for name in ("with.log", "without.log")]
live.check_same(logs[0], logs[1], "redis logs the same")
live.finish()
