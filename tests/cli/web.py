# tests/cli/web.py - proves that pprof -http answers who it should with what docs/api.md says, and nobody else.
# A real process is asked over raw HTTP: no browser, so nothing is decoded, followed or repeated on the way.
import gzip
import json
import os
import re
import socket
import subprocess
import threading
import time

from cli import PPROF, SCRATCH, Server, claim, env, field, finish, pprof, profile, write

WAIT = 60  # seconds for anything: far more than a loaded machine needs
running = []


class Web:
    def __init__(self, *args, stdin=subprocess.DEVNULL, **more):
        self.process = subprocess.Popen([PPROF, *args], cwd=SCRATCH, env=env(**more), stdin=stdin,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        running.append(self.process)
        self.port = None
        for line in self.process.stderr:
            found = re.search(r"Serving web UI on http://\S*:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)

    def raw(self, text):
        """(status, headers in small letters, body) of the bytes of a request."""
        with self.connect() as s:
            s.sendall(text if isinstance(text, bytes) else text.encode())
            data = b""
            while True:
                more = s.recv(1 << 16)
                if not more:
                    break
                data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode(errors="replace").split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
        status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0
        return status, headers, body

    def ask(self, path, method="GET", host=None, headers=(), body=b""):
        host = f"localhost:{self.port}" if host is None else host
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def json(self, path, **more):
        status, headers, body = self.ask(path, **more)
        claim(status == 200, "answers " + path, status, body[:200])
        claim(headers.get("content-type") == "application/json", path + " is JSON", headers)
        try:
            return json.loads(body)
        except ValueError as e:
            claim(False, "JSON of " + path, str(e), body[:200])
            return {}

    def refused(self, path, status, where=None, **more):
        got, _, body = self.ask(path, **more)
        claim(got == status, f"{path} gets {status}", got, body[:200])
        if got >= 400:
            said = json.loads(body)
            claim(said["error"] and "at" in said, "an error says what is wrong", said)
            claim(where is None or said["where"] == where, f"{path} blames {where}", said)


def start(*args, **more):
    web = Web("-http=localhost:0", "-no_browser", *args, **more)
    claim(web.port, "says where it serves")
    return web


def labelled():
    """Stacks root;busy and root;idle, one of them labelled, in two binaries of which one has no symbols."""
    strings = ["", "/bin/shop", "root", "busy", "idle", "shop.c", "kind", "gzip", "cpu", "nanoseconds", "/lib/z.so"]
    out = field(1, field(1, 8) + field(2, 9))
    out += field(2, field(1, 2) + field(1, 1) + field(2, 70) + field(3, field(1, 6) + field(2, 7)))
    out += field(2, field(1, 3) + field(1, 1) + field(2, 20))
    out += field(2, field(1, 4) + field(1, 1) + field(2, 10))
    out += field(3, field(1, 1) + field(2, 0x1000) + field(3, 0x2000) + field(5, 1) + field(7, 1))
    out += field(3, field(1, 2) + field(2, 0x7000) + field(3, 0x8000) + field(5, 10))
    for i in range(3):
        line = field(4, field(1, i + 1) + field(2, 10 + i))
        out += field(4, field(1, i + 1) + field(2, 1) + field(3, 0x1100 + i) + line)
        out += field(5, field(1, i + 1) + field(2, 2 + i) + field(3, 2 + i) + field(4, 5))
    out += field(4, field(1, 4) + field(2, 2) + field(3, 0x7042))
    for s in strings:
        out += field(6, s.encode())
    return gzip.compress(out)


def check_endpoints(web):
    summary = web.json("/api/summary")
    claim((summary["type"], summary["total"], summary["shown"]) == ("cpu", 100, 100), "summary adds up", summary)
    claim(summary["labels"] == [{"key": "kind", "n_values": 1, "is_numeric": False}], "summary has labels", summary)
    claim(summary["n_unsymbolized"] == 1, "summary counts what has no symbols", summary)
    claim(web.json("/api/summary?f=busy")["shown"] == 70, "a focus shows less")
    flame = web.json("/api/flame")
    names = [f["name"] for f in flame["frames"]]
    claim(sorted(names) == ["busy", "idle", "root", "z.so+0x42"], "the flame graph has every frame", names)
    down = flame["down"]
    claim([t * flame["scale"] for t in down["total"]] == [100, 100, 70, 20, 10], "its totals", down)
    claim(down["depth"] == [0, 1, 2, 2, 2], "its depths", down)
    pivot = web.json("/api/flame?view=pivot&p=busy")
    claim([t * pivot["scale"] for t in pivot["up"]["total"]] == [70, 70], "callers of busy", pivot)
    root = [f["id"] for f in flame["frames"] if f["name"] == "root"][0]
    below = web.json(f"/api/flame?root={root}&q=bus")
    claim([below["frames"][i]["name"] for i in below["matches"]] == ["busy"], "matches are marked", below)
    claim(web.json("/api/flame?view=up")["up"]["total"][0], "the other way round")
    search = web.json("/api/search?q=busy%7Croot")
    claim((search["n"], search["cum"], search["self"]) == (2, 100, 70), "nested matches count once", search)
    top = web.json("/api/top?limit=1&order=cum")
    claim(top["rows"][0]["name"] == "root" and top["n"] == 4, "top has its first page", top)
    claim(web.json("/api/top?off=1&limit=1&order=-flat&q=%5Ebusy%7Cidle")["rows"][0]["name"] == "busy", "pages, filters")
    claim(web.json("/api/peek?f=busy")["rows"][0]["callers"][0]["name"] == "root", "peek has callers")
    claim(web.json("/api/graph")["edges"], "graph has edges")
    claim(web.json("/api/source?f=busy")["rows"][0]["file"] == "shop.c", "source has its file")
    claim(web.json("/api/source")["f"] == "^busy$", "source begins with the hottest function")
    claim(web.json("/api/tags")["rows"] == [{"key": "kind", "value": "gzip", "weight": 70}], "tags")
    of_key = web.json("/api/tags?q=%5Ekind%3Dg&key=kind")
    claim(of_key["keys"] == [{"key": "kind", "n": 1, "total": 70}], "tags count what the search leaves", of_key)
    claim(web.json("/api/tags?q=%5Ekind%3Dx")["keys"] == [], "and say nothing of a key with none")
    claim(web.json("/api/tags?key=other")["rows"] == [] and web.json("/api/tags?off=1")["rows"] == [], "tags has pages")
    values = lambda query: [row["value"] for row in web.json("/api/traces?" + query)["rows"]]
    claim(values("off=1&limit=1") == [20], "traces has pages")
    claim(values("order=-value") == [10, 20, 70] and values("order=value&off=1") == [20, 10], "traces is sorted")
    claim(values("order=leaf") == [10, 70, 20] and values("order=-file") == [10, 20, 70], "by leaf and by file")
    claim(values("q=idle") == [20] and values("q=kind%3Dgz") == [70], "traces is searched by frame and by label")
    claim(web.json("/api/traces?q=root&order=value&limit=1")["n"] == 3, "and counts what it finds")
    claim(len(web.json("/api/facts?q=%5C.so")["mappings"]) == 1, "facts are searched")
    claim(len(web.json("/api/facts")["mappings"]) == 2, "facts has mappings")
    options = {o["key"]: o for o in web.json("/api/options")["options"]}
    claim(options["f"]["name"] == "focus" and options["si"]["choices"][0]["name"] == "cpu", "options", options.keys())
    claim(web.json("/api/command?f=a%20b")["command"].startswith("pprof '-focus=a b' -http=:"), "the command line")
    split = web.json("/api/flame?tagroot=kind")
    claim("gzip" in [f["name"] for f in split["frames"]], "a label splits the flame graph", split)


def check_exports(web):
    for form, start_of in {"folded": b"root;busy 70", "json": b"{", "csv": b"name,", "speedscope": b"{", "dot": b"digraph",
                           "raw": b"PeriodType", "text": b"File: shop", "tree": b"File: shop", "traces": b"File: shop",
                           "tags": b" kind", "callgrind": b"positions", "proto": b"\x1f\x8b"}.items():
        status, headers, body = web.ask(f"/api/export?form={form}")
        claim(status == 200 and start_of in body[:200], "exports " + form, status, body[:100])
        claim("attachment" in headers.get("content-disposition", ""), form + " is a file", headers)
    _, _, body = web.ask("/api/export?form=proto&f=busy")
    path = write("busy.pb.gz", body)
    claim("idle" not in pprof("-top", path)[1], "an exported profile is filtered")
    _, headers, body = web.ask("/download")
    claim("profile.pb.gz" in headers["content-disposition"] and b"idle" in gzip.decompress(body), "download is the whole")
    web.refused("/api/export?form=exe", 400, "form")


def check_errors(web):
    web.refused("/api/top?f=a(", 400, "f")
    for call in ("flame", "top", "traces", "tags", "facts", "search"):
        web.refused(f"/api/{call}?q=a(", 400, "q")
    web.refused("/api/traces?order=cum", 400, "order")
    said = json.loads(web.ask("/api/top?f=main%5C.%5Bz-a%5D")[2])
    claim((said["where"], said["at"]) == ("f", 7), "an error knows the byte", said)
    web.refused("/api/flame?view=pivot&p=nothing", 400, "p")
    web.refused("/api/flame?view=sideways", 400, "view")
    web.refused("/api/flame?px=9999999", 400, "px")
    web.refused("/api/flame?root=1.x", 400, "root")
    web.refused("/api/top?si=nothing", 400, "si")
    web.refused("/api/top?n=99999999999999999999999", 400, "n")
    web.refused("/api/top?limit=99999999999", 400, "limit")
    web.refused("/api/top?g=words", 400, "g")
    web.refused("/api/peek?f=nothing", 400, "f")
    web.refused("/api/search", 400, "q")
    web.refused("/api/top?src=77", 404, "src")
    web.refused("/api/top?base=77", 404, "base")
    web.refused("/api/nothing", 404)
    web.refused("/../../etc/passwd", 404)
    web.refused("/%2e%2e/%2e%2e/etc/passwd", 404)
    claim(web.json("/api/graph?n=2000000000")["rows"], "a huge count is a count")
    claim(web.json("/api/top?n=1")["n"] == 4 and len(web.json("/api/graph?n=1")["rows"]) == 1, "n is of graphs")
    claim(web.json("/api/top?f=nothing")["warnings"] == ["Focus expression matched no samples"], "warnings are told")


def check_protocol(web):
    status, headers, body = web.ask("/api/options", headers=["Accept-Encoding: gzip"])
    claim(headers.get("content-encoding") == "gzip" and json.loads(gzip.decompress(body)), "packs where it may", headers)
    status, headers, _ = web.ask("/api/options", headers=["If-None-Match: " + headers["etag"]])
    claim(status == 304, "what is known is not sent again", status)
    plain = web.ask("/api/options")
    status, headers, body = web.ask("/api/options", method="HEAD")
    claim(status == 200 and not body, "HEAD has no body", status, body)
    claim(headers["content-length"] == str(len(plain[2])), "HEAD has the length", headers)
    for path in ("/", "/ui/", "/ui/flamegraph", "/top", "/ui/source?f=x", "/flamegraphold", "/peek"):
        status, headers, body = web.ask(path)
        claim(status == 200 and b"<html" in body and "text/html" in headers["content-type"], "a page at " + path, status)
        claim("default-src 'none'" in headers.get("content-security-policy", ""), "a policy at " + path, headers)
        claim(headers.get("x-content-type-options") == "nosniff", "no sniffing at " + path)
    script = re.search(rb'src="(/assets/[^"]+)"', body)
    claim(script and web.ask(script[1].decode())[0] == 200, "the page's script is there", body[:300])
    claim(web.raw(f"GET /{'a' * 70000} HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] in (0, 400, 413, 414, 431), "long URLs end")
    claim(web.raw(b"\x00\x01\x02garbage\r\n\r\n")[0] in (0, 400, 501), "garbage ends")
    claim(web.ask("/api/configs", method="POST", body=b"x" * 200000)[0] in (0, 413), "large bodies are refused")


def check_guard(web):
    web.refused("/api/summary", 403, host="evil.example")
    web.refused("/api/summary", 403, host="localhost.evil.example:80")
    web.refused("/", 403, host="192.168.1.1")
    web.refused("/api/summary", 403, headers=["Origin: http://evil.example"])
    web.refused("/api/refresh", 403, method="POST", headers=["Origin: http://localhost:1"])
    web.refused("/api/refresh", 403, method="POST", headers=["Sec-Fetch-Site: cross-site"])
    for path in ("/saveconfig?config=x", "/deleteconfig?config=x", "/ui/saveconfig?config=x", "/api/refresh"):
        web.refused(path, 405)
    web.refused("/api/summary", 405, method="POST")
    claim(web.ask("/api/summary", host="127.0.0.1")[0] == 200, "the loopback address is a name of ours")
    claim(web.ask("/api/summary", host="localhost:9000")[0] == 200, "behind a tunnel the port differs")
    own = f"Origin: http://localhost:{web.port}"
    claim(web.ask("/api/configs", headers=[own])[0] == 200, "our own pages may ask")


def check_configs(web, settings):
    saved = web.json("/api/configs?config=hot&f=busy&n=5&si=cpu", method="POST")
    claim([c["name"] for c in saved["configs"]] == ["Default", "hot"], "saves a configuration", saved)
    claim(saved["configs"][1]["is_current"], "and it is the current one", saved)
    web.ask("/saveconfig?config=other&f=idle", method="POST")
    with open(settings) as f:
        kept = json.load(f)["configs"]
    claim(kept[0]["focus"] == "busy" and kept[0]["nodecount"] == 5 and kept[0]["trim"] is True, "in the original's form", kept)
    claim("sample_index" not in kept[0] and "call_tree" not in kept[0], "without what is zero or never saved", kept)
    web.ask("/deleteconfig?config=other", method="DELETE")
    claim(len(web.json("/api/configs?config=hot", method="DELETE")["configs"]) == 1, "deletes them")
    web.refused("/deleteconfig?config=hot", 404, "config", method="POST")
    web.refused("/saveconfig", 400, "config", method="POST")
    with open(settings, "w") as f:
        f.write("{broken")
    web.refused("/saveconfig?config=a", 400, method="POST")
    with open(settings) as f:
        claim(f.read() == "{broken", "what cannot be read is left alone")


def check_concurrency(web):
    """Clients that send nothing, half a request, or take nothing, and many at once: the next one is served."""
    idle = [web.connect() for _ in range(20)]
    for s in idle[:10]:
        s.sendall(b"GET /api/summary HTTP/1.1\r\nHost: loc")
    for s in idle[10:]:
        s.sendall(b"GET /api/options HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
    done = []

    def one(i):
        done.append(web.ask(("/api/flame", "/api/top", "/api/graph", "/api/flame?f=busy", "/api/flame?h=idle")[i % 5])[0])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    claim(len(done) == 40 and set(done) == {200}, "forty at once are all served", done)
    for s in idle:
        s.close()
    for _ in range(20):  # gone before the answer
        s = web.connect()
        s.sendall(b"GET /api/graph HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.close()
    claim(web.ask("/api/summary")[0] == 200, "and it goes on")


def check_refresh():
    table = {"/debug/pprof/heap": (200, {}, profile(value=7))}
    server = Server(table)
    web = start(f"http://{server.address}/debug/pprof/heap", PPROF_TMPDIR=SCRATCH + "/saved")
    first = web.json("/api/sources")["sources"]
    claim([(s["id"], s["is_newest"]) for s in first] == [(1, True)], "one source at first", first)
    table["/debug/pprof/heap"] = (200, {}, profile(value=10, function="main.more"))

    def refresh():
        web.ask("/api/refresh", method="POST")
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            got = web.json("/api/sources")
            if not got["is_refreshing"]:
                return got
            time.sleep(0.05)
        return {}

    got = refresh()
    claim([s["id"] for s in got["sources"]] == [1, 2], "a refresh is kept beside the first", got)
    claim(web.json("/api/flame")["total"] == 20 and web.json("/api/flame?src=1")["total"] == 14, "each by its number")
    compared = web.json("/api/flame?src=2&base=1")
    claim(compared["is_diff"] and compared["down"]["base"][0] * compared["scale"] == 14, "any two are compared", compared)
    claim(web.json("/api/top?src=1&base=1")["rows"] is not None, "even with itself")
    table["/debug/pprof/heap"] = (500, {}, b"")
    got = refresh()
    claim(len(got["sources"]) == 2 and got["error"], "a refresh that fails says so", got)
    table["/debug/pprof/heap"] = (200, {}, profile(value=1))
    for _ in range(8):
        got = refresh()
    claim(len(got["sources"]) == 8, "the last eight are kept", got)
    web.refused("/api/top?src=1", 404, "src")


def check_command_line(path):
    status, _, err = pprof("-http=nonsense", "-no_browser", path)
    claim(status == 2 and "could not split http address" in err, "an address needs a port", err)
    status, _, err = pprof("-http=localhost:99999", "-no_browser", path)
    claim(status == 2 and "invalid port number" in err, "a port is a number", err)
    web = start("-focus=busy", "-lines", path)
    status, headers, _ = web.ask("/")
    claim(status == 307 and headers["location"] == "/?f=busy&g=lines", "the first page begins with the flags", headers)
    claim(web.ask("/?f=")[0] == 200, "and any state may follow")
    with open(path, "rb") as stdin:
        piped = start("-", stdin=stdin)
    claim(not piped.json("/api/sources")["can_refresh"], "standard input is read once")
    piped.refused("/api/refresh", 409, method="POST")
    taken, _, err = pprof(f"-http=localhost:{web.port}", "-no_browser", path)
    claim(taken == 2 and "listen" in err, "a port that is taken is told", err)
    other = Web("-http=0.0.0.0:0", "-no_browser", "-allow_host=prof.example", path)
    for host, want in {"prof.example": 200, "10.1.2.3:80": 200, socket.gethostname(): 200, "evil.example": 403}.items():
        claim(other.ask("/api/summary", host=host)[0] == want, f"bound to all, {host} gets {want}")


def main():
    home = SCRATCH + "/config"
    path = write("shop.pb.gz", labelled())
    web = start(path, XDG_CONFIG_HOME=home)
    check_endpoints(web)
    check_exports(web)
    check_errors(web)
    check_protocol(web)
    check_guard(web)
    check_configs(web, home + "/pprof/settings.json")
    check_concurrency(web)
    check_refresh()
    check_command_line(path)
    claim(all(p.poll() is None for p in running), "no server has ended")


try:
    main()
finally:
    for p in running:
        p.kill()
        p.wait()
finish()
