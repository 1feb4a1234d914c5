# tests/cli/sources.py - proves what counts as a source and what pprof says about those that fail.
import os
import ssl
import subprocess

from cli import PPROF, SCRATCH, Server, claim, env, finish, pprof, profile, write

GO_ERROR = {"Content-Type": "text/plain; charset=utf-8", "X-Go-Pprof": "1"}
one, two = write("one.pb.gz", profile("first")), write("two.pb.gz", profile("second"))


def files():
    status, out, _ = pprof("-comments", one)
    claim((status, out) == (0, "first\n"), "a file is a source", status, out)
    status, out, _ = pprof("-comments", one, two)
    claim(out == "first\nsecond\n", "several files are merged in order", out)
    status, out, _ = pprof("-comments", "-", stdin=profile("piped"))
    claim(out == "piped\n", "- is standard input", out)
    done = subprocess.run(["bash", "-c", f"{PPROF} -comments <(cat {one}) <(cat {two})"], env=env(), capture_output=True)
    claim(done.stdout == b"first\nsecond\n", "process substitution works", done)
    status, out, err = pprof("-comments", one, "nosuchfile")
    claim((status, out) == (0, "first\n"), "a missing source is skipped", status, out)
    claim("nosuchfile: stat nosuchfile: no such file or directory\n" in err, "and told", err)
    claim("Fetched 1 source profiles out of 2\n" in err, "with the count", err)
    status, out, err = pprof("-comments", "nosuchfile")
    claim(status == 2 and err.endswith("pprof: failed to fetch any source profiles\n"), "no source at all fails", status, err)
    status, out, err = pprof("-comments", one, f"-base={two}")
    claim("-base=" in err and out == "first\n", "flags after a source are sources", out, err)
    status, out, err = pprof("-comments", SCRATCH)
    claim("is a directory" in err and status == 2, "a folder is no source", err)
    os.rename(write("x", profile("colon")), os.path.join(SCRATCH, "mem_03:55:24"))
    claim(pprof("-comments", "mem_03:55:24")[1] == "colon\n", "a file that looks like host:port is a file")
    claim(not os.path.exists(SCRATCH + "/saved"), "profiles from files are not saved")


def http():
    server = Server({
        "/debug/pprof/profile": (200, {}, profile("cpu")),
        "/debug/pprof/heap": (200, {}, profile("heap")),
        "/busy": (500, GO_ERROR, b"Could not enable CPU profiling: cpu profiling already in use\n"),
        "/plain": (503, {"Content-Type": "text/plain"}, b"secret words\n"),
        "/moved": (302, {"Location": "/debug/pprof/heap"}, b""),
        "/garbage": (200, {}, b"<html>login</html>"),
        "/long": (200, {}, b"x" * (3 << 20)),
    })
    host = server.address
    status, out, err = pprof("-comments", host)
    claim(out == "cpu\n", "host:port is its CPU profile", out, err)
    claim(f"Fetching profile over HTTP from http://{host}/debug/pprof/profile\n" in err, "progress names the URL", err)
    claim("Please wait" not in err, "nobody waits without -seconds", err)
    saved = SCRATCH + "/saved/pprof.server.samples.cpu.001.pb.gz"
    claim(f"Saved profile in {saved}\n" in err and os.path.exists(saved), "what was fetched is saved", err)
    claim(pprof("-comments", saved)[1] == "cpu\n", "and reads back")
    status, out, err = pprof("-seconds=1", "-comments", f"http://{host}/debug/pprof/heap?seconds=9&gc=1")
    claim(server.asked[-1][0] == "/debug/pprof/heap?gc=1&seconds=1", "-seconds goes into the query", server.asked[-1])
    claim("Please wait... (1s)\n" in err, "and is told", err)
    claim("/pprof.server.samples.cpu.002.pb.gz" in err, "the second copy has the next number", err)
    status, out, err = pprof("-comments", f"{host}/busy", f"{host}/plain", f"{host}/nosuch", f"{host}/garbage", one)
    claim(f"{host}/busy: server response: 500 Internal Server Error - Could not enable CPU profiling: cpu profiling already "
          "in use\n" in err, "the words of Go's handlers are told", err)
    claim("503 Service Unavailable\n" in err and "secret" not in err, "those of others are not", err)
    claim("404 Not Found\n" in err and "Fetched 1 source profiles out of 5\n" in err, "each failure is told", err)
    claim(out == "first\n", "the rest is reported", out)
    claim("unrecognized profile format" in err, "a page is no profile", err)
    claim(pprof("-comments", f"{host}/moved")[1] == "heap\n", "redirects are followed")
    status, out, err = pprof("-max_megabytes=1", "-comments", f"{host}/long")
    claim("longer than 1 MiB" in err and status == 2, "answers have a limit", err)
    status, out, err = pprof("-comments", "127.0.0.1:1/x")
    claim('127.0.0.1:1/x: http fetch: Get "http://127.0.0.1:1/x": ' in err, "an unreachable server is told", err)
    status, out, err = pprof("-comments", "proxied.test/debug/pprof/heap", "http://proxied.test/debug/pprof/heap",
                             http_proxy=f"http://{host}")
    claim(out == "heap\n" and server.asked[-1][0].startswith("http://proxied.test/"), "proxies are used", out, err)
    claim("stat proxied.test/debug/pprof/heap" in err, "a host without a port is no URL", err)


def many_at_once():
    server = Server({f"/{i}": (200, {}, profile(f"c{i:03}")) for i in range(200)})
    status, out, err = pprof("-comments", *[f"http://{server.address}/{i}" for i in range(200)])
    want = "".join(f"c{i:03}\n" for i in range(200))
    claim(out == want, "two hundred sources are merged in their order", out[:200], err[-300:])


def unix_sockets():
    path = SCRATCH + "/pprof.sock"
    Server({"/debug/pprof/heap": (200, {}, profile("socket"))}, unix=path)
    status, out, err = pprof("-comments", f"unix:{path}:/debug/pprof/heap")
    claim(out == "socket\n", "unix sockets are sources", out, err)


def tls():
    cert, key = SCRATCH + "/cert.pem", SCRATCH + "/key.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext",
                           "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", cert], capture_output=True)
    if made.returncode != 0:
        return print("no openssl: https is not tried")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.load_verify_locations(cert)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Server({"/heap": (200, {}, profile("safe"))}, tls=context)
    status, out, err = pprof("-comments", f"https://{server.address}/heap")
    claim(status == 2 and "certificate" in err.lower(), "an unknown certificate is refused", err)
    claim(pprof("-comments", f"https+insecure://{server.address}/heap")[1] == "safe\n", "https+insecure takes it")
    claim(pprof("-comments", f"-tls_ca={cert}", f"https://{server.address}/heap")[1] == "safe\n", "-tls_ca trusts it")
    status, out, err = pprof("-comments", f"-tls_ca={cert}", f"-tls_cert={cert}", f"-tls_key={key}",
                             f"https://{server.address}/heap")
    claim(out == "safe\n", "a client certificate is sent", out, err)
    status, out, err = pprof("-comments", f"-tls_cert={cert}", f"https://{server.address}/heap")
    claim(status == 2 and "-tls_key" in err, "a certificate needs its key", err)


def saving():
    server = Server({"/heap": (200, {}, profile("kept"))})
    url = f"http://{server.address}/heap"
    home = SCRATCH + "/home"
    status, out, err = pprof("-comments", url, PPROF_TMPDIR="", HOME=home)
    claim(f"Saved profile in {home}/pprof/pprof.server.samples.cpu.001.pb.gz\n" in err, "$HOME/pprof is the default", err)
    blocked = write("blocked", b"")
    status, out, err = pprof("-comments", url, PPROF_TMPDIR=blocked + "/x", HOME=home)
    claim(f"Could not use temp dir {blocked}/x" in err and "home/pprof/pprof.server.samples.cpu.002" in err,
          "a folder that cannot be made is told and passed over", err)
    status, out, err = pprof("-comments", "-buildid=abc", "-add_comment=mine", url, PPROF_TMPDIR=home)
    claim(out == "kept\nmine\n", "-add_comment comes last", out)
    claim(pprof("-comments", home + "/pprof.server.samples.cpu.001.pb.gz")[1] == "kept\nmine\n", "and is saved")


files()
http()
many_at_once()
unix_sockets()
tls()
saving()
finish()
