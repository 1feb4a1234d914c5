#!/usr/bin/env python3
"""The endpoint beside Go's: every recorded exchange of net/http/pprof (http/go1.19.txt) that libpprof has an answer to."""
import re
import socket
import time
from pathlib import Path

import live

live.need("sleep")
RECORDED = Path(__file__).parent / "http/go1.19.txt"
HEADERS = ["Content-Type", "Content-Disposition", "X-Go-Pprof", "X-Content-Type-Options"]
# What Go has and libpprof does not yet collect, and addresses that are Go's.
OTHERS = re.compile(r"example\.com|/trace|symbol\?0x|symbol \"0x")


def exchanges():
    """(method, target, body, status, headers) of each request in the file."""
    for part in RECORDED.read_text().split(">>> ")[1:]:
        lines = part.split("\n")
        method, target, body = re.fullmatch(r'(\S+) (\S+) "(.*)"', lines[0]).groups()
        status = int(lines[1].split()[1])
        headers = dict(line.split(": ", 1) for line in lines[2:] if re.match(r"[A-Z][\w-]*: ", line))
        yield method, target, body, status, headers


def compare(address):
    for method, target, body, status, headers in exchanges():
        if OTHERS.search(f'{target} "{body}'):
            continue
        if target == "/debug/pprof":
            status, target = 200, "/debug/pprof/"  # recorded by a client that followed the redirect
        if status == 500:
            continue  # needs a second profile at the same time: processes_live.py
        answer = live.ask(address, target, method=method, body=body or None)
        ours = {h: answer.headers[h] for h in HEADERS}
        theirs = {h: headers.get(h) for h in HEADERS}
        is_same = answer.status == status and ours == theirs
        if status >= 400:
            is_same = is_same and answer.headers["Content-Length"] == headers["Content-Length"]
        live.check(is_same, f"{method} {target} as Go's", "" if is_same else f"{answer.status} {ours}, not {status} {theirs}")


def beyond(address):
    """What the recording lacks."""
    answer = live.ask(address, "/debug/pprof?debug=1")
    live.check((answer.status, answer.headers["Location"]) == (301, "/debug/pprof/?debug=1"), "redirect keeps the query")
    answer = live.ask(address, "/debug/pprof/heap", method="DELETE")
    live.check((answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST"), "DELETE is refused")
    head = live.ask(address, "/debug/pprof/heap", method="HEAD")
    live.check(head.body == b"" and int(head.headers["Content-Length"]) > 100, "HEAD has a length and no body")
    live.check(live.ask(address, "/nothing").text == "404 page not found\n", "another path is Go's mux's 404")
    answer = live.ask(address, "/debug/pprof/symbol", method="POST", body="+".join(["0x1"] * 100000))
    live.check(answer.text == "num_symbols: 1\n", "100,000 addresses in one POST")
    for query in ("?hz=99999999", "?hz=4000000000"):
        answer = live.ask(address, "/debug/pprof/profile" + query)
        live.check(answer.status == 400, f"{query} is refused", answer.text)


def raw(address, data):
    """The status line of raw bytes on a connection of their own."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 5) as s:
        s.sendall(data)
        s.settimeout(5)
        try:
            return s.recv(4096).split(b"\r\n")[0].decode("latin1")
        except OSError:
            return "closed"


def rough(address):
    """Bytes that are no request: an error or a closed connection, and the endpoint goes on."""
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET /%zz HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9 + b"\r\n\r\n",
                 b"GET /debug/pprof/ HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                 b"POST /debug/pprof/symbol HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"):
        line = raw(address, data)
        live.check(not line.startswith("HTTP/1.1 2"), f"{data[:30]} is no request", line)
    live.check(live.ask(address, "/debug/pprof/").status == 200, "the endpoint goes on")


def patient(address):
    """Two deltas and a CPU profile at once take as long as the longest, and nobody waits for a client that does not read."""
    host, port = address.split(":")
    stuck = socket.create_connection((host, int(port)), 5)
    stuck.sendall(b"GET /debug/pprof/heap?debug=1 HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    begin = time.monotonic()
    waiting = [socket.create_connection((host, int(port)), 9) for _ in range(3)]
    for s, name in zip(waiting, ("heap?seconds=2", "goroutine?seconds=2", "profile?seconds=2")):
        s.sendall(f"GET /debug/pprof/{name} HTTP/1.0\r\n\r\n".encode())
    quick = live.ask(address, "/debug/pprof/cmdline")
    live.check(quick.status == 200 and time.monotonic() - begin < 1.5, "cmdline is answered meanwhile")
    answers = [s.recv(12) for s in waiting]
    live.check(all(a.endswith(b" 200") for a in answers) and time.monotonic() - begin < 6, "all three are answered",
               f"{answers} {time.monotonic() - begin:.1f} s")
    stuck.close()


ADDRESS = f"127.0.0.1:{live.free_port()}"
live.start(["sleep", "60"], preload=ADDRESS)
live.wait_profiles(ADDRESS)
compare(ADDRESS)
beyond(ADDRESS)
rough(ADDRESS)
patient(ADDRESS)
live.finish()
