#!/usr/bin/env python3
"""memcached of Debian, unmodified (four workers in libevent, a binary without any symbol), under memcslap."""
import contextlib
import socket
import threading

import live

memcached, slap = live.need("memcached", "memcslap")
APPENDED = 400_000  # bytes that each append copies while it holds the item's lock: 40 us and more
QUESTIONS = b"set k 0 0 5\r\nhello\r\nget k\r\nincr k 1\r\nset n 0 0 1\r\n7\r\nincr n 5\r\ndelete k\r\nget k\r\nnonsense\r\nquit\r\n"


def serve(address, name):
    port = live.free_port()
    log = open(live.TEMP / name, "w+")
    server = live.start([memcached, "-l", "127.0.0.1", "-p", port, "-t", "4", "-m", "64", "-v"], preload=address,
                        stdout=log, stderr=log, **live.as_user("nobody"))
    live.wait_port(port)
    return server, port


def answers(port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(QUESTIONS)
        found = b""
        while True:
            part = s.recv(4096)
            if not part:
                return found.decode().splitlines()
            found += part


server, port = serve(None, "without.log")
expected = answers(port)
status_without = live.stop(server)

address = f"127.0.0.1:{live.free_port()}"
server, port = serve(address, "with.log")
live.wait_profiles(address)
live.check_same(answers(port), expected, "memcached answers the same")
live.start(["sh", "-c", f"while {slap} --servers=127.0.0.1:{port} --concurrency=4 --execute-number=10000 --test=get "
            ">/dev/null 2>&1; do :; done"])
HOT = ["^event_base_loop$", "^sendmsg$|^write$", "^read$|^recv"]
live.check_all(address, server.pid, [memcached], HOT)


def append_forever():
    """Appends to one large item, the same as all others, until the server is gone."""
    with socket.create_connection(("127.0.0.1", port), 5) as s, contextlib.suppress(OSError):
        while True:
            s.sendall(b"append big 0 0 1\r\nx\r\n" * 20)
            n = 0
            while n < 20 and (part := s.recv(4096)):
                n += part.count(b"\n")
            if n < 20:
                return


# The workers have no symbols; libevent's loop calls them.
with socket.create_connection(("127.0.0.1", port), 5) as s:
    s.sendall(b"set big 0 0 %d\r\n%s\r\n" % (APPENDED, b"x" * APPENDED))
    live.check(s.recv(100) == b"STORED\r\n", "memcached stores a large item")
for _ in range(8):
    threading.Thread(target=append_forever, daemon=True).start()
live.check_waits(address, holders="^event_base_loop$", waiters="^event_base_loop$")
status = live.stop(server)
live.check(status == status_without, "memcached ends as it does without libpprof", status)
logs = [live.plain((live.TEMP / name).read_text()) for name in ("with.log", "without.log")]
live.check_same(logs[0], logs[1], "memcached says the same")
live.finish()
