# tests/cli/cli.py - what the command line tests share: running pprof, small profiles, a server, counting failures.
# Each test is a script: script.py PPROF. It prints a line per failed claim and ends with status 1 if there was one.
import gzip
import http.server
import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

PPROF = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
SCRATCH = tempfile.mkdtemp(prefix="pprof-cli-")
SECONDS = 60  # of one run of pprof: ASan builds on a loaded machine stay far below
SKIPPED = 77  # meson's word for a test that could not run here
failures = []


def env(**more):
    base = {"PATH": os.environ["PATH"], "HOME": SCRATCH, "PPROF_TMPDIR": SCRATCH + "/saved", "TZ": "UTC",
            "TERM": "dumb", "LC_ALL": "C.UTF-8", "PPROF_BINARY_PATH": "/nonexistent"}
    base.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    base.update(more)
    return base


def pprof(*args, stdin=b"", cwd=SCRATCH, **more):
    """(status, standard output, standard error) as text."""
    done = subprocess.run([PPROF, *args], cwd=cwd, env=env(**more), input=stdin, capture_output=True, timeout=SECONDS)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def claim(is_true, what, *shown):
    if is_true:
        return
    failures.append(what)
    print("FAILED:", what, *[repr(s) for s in shown])


def finish():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def profile(comment="", value=7, function="main.work", types=("samples", "cpu"), units=("count", "nanoseconds")):
    """A profile of one sample in one function of one binary called server."""
    strings = ["", "/bin/server", function, "work.c", comment, *types, *units]
    n = len(types)
    out = b""
    for i in range(n):
        out += field(1, field(1, 5 + i) + field(2, 5 + n + i))
    out += field(2, field(1, 1) + b"".join(field(2, value * (i + 1)) for i in range(n)))
    out += field(3, field(1, 1) + field(2, 0x1000) + field(3, 0x2000) + field(5, 1) + field(7, 1))
    out += field(4, field(1, 1) + field(2, 1) + field(3, 0x1100) + field(4, field(1, 1) + field(2, 12)))
    out += field(5, field(1, 1) + field(2, 2) + field(3, 2) + field(4, 3))
    for s in strings:
        out += field(6, s.encode())
    if comment:
        out += field(13, 4)
    return gzip.compress(out)


def write(name, data):
    path = os.path.join(SCRATCH, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


class Server:
    """Answers paths by a table {path: (status, headers, body)}, POSTs by post(path, body); remembers what it was asked."""

    def __init__(self, table, unix=None, tls=None, post=None):
        server = self
        server.asked, server.posted = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append((self.path, dict(self.headers)))
                status, headers, body = table.get(self.path.split("?")[0].replace("http://proxied.test", ""),
                                                  (404, {}, b"no such page\n"))
                self.answer(status, headers, body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                server.posted.append((self.path, body, dict(self.headers)))
                self.answer(*post(self.path, body) if post else (405, {}, b"no POST\n"))

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the client had enough

            def log_message(self, *words):
                pass

            def address_string(self):
                return "client"

        if unix:
            kind = type("Unix", (socketserver.ThreadingMixIn, socketserver.UnixStreamServer), {"daemon_threads": True})
            self.http = kind(unix, Handler)
        else:
            # A queue of 5, Python's, makes the kernel drop connections when many come at once.
            kind = type("Tcp", (http.server.ThreadingHTTPServer,), {"request_queue_size": 256})
            self.http = kind(("127.0.0.1", 0), Handler)
            self.address = "127.0.0.1:%d" % self.http.server_address[1]
        if tls:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
