# tests/cli/go_interop.py - pprof fetches from a Go program with net/http/pprof, and agrees with go tool pprof on what it got.
import os
import shutil
import subprocess
import sys

from cli import PPROF, SCRATCH, SKIPPED, claim, env, finish, pprof, write

SERVER = b"""package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
)

var kept [][]byte

func burn() {
	for i := 0; ; i++ {
		if i%1000000 == 0 {
			kept = append(kept[len(kept)/512:], make([]byte, 100000))
		}
	}
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go burn()
	panic(http.Serve(l, nil))
}
"""


# Go keeps what it built (go tool pprof too) under the real home.
GO_ENV = env(GOTOOLCHAIN="local", GOFLAGS="-mod=mod", GOPROXY="off",
             **{k: os.environ[k] for k in ("GOCACHE", "HOME") if k in os.environ})


def build():
    """The server's path, or the end of the test where Go is missing or cannot build."""
    os.makedirs(SCRATCH + "/server")
    write("server/main.go", SERVER)
    write("server/go.mod", b"module server\n\ngo 1.20\n")
    if not shutil.which("go"):
        print("no go: skipped")
        sys.exit(SKIPPED)
    done = subprocess.run(["go", "build", "-o", "server", "."], cwd=SCRATCH + "/server", capture_output=True, env=GO_ENV)
    if done.returncode != 0:
        print("go cannot build here: skipped", done.stderr.decode())
        sys.exit(SKIPPED)
    return SCRATCH + "/server/server"


def original(*args):
    done = subprocess.run(["go", "tool", "pprof", *args], cwd=SCRATCH, env=GO_ENV, capture_output=True, timeout=120)
    return done.stdout.decode()


def saved(err):
    return next((line.split(" in ", 1)[1] for line in err.splitlines() if line.startswith("Saved profile in ")), "")


def fetch(address):
    status, out, err = pprof("-top", "-seconds=1", address)
    claim(status == 0 and "main.burn" in out, "host:port is the CPU profile", out, err)
    claim(f"http://{address}/debug/pprof/profile?seconds=1\n" in err and "Please wait... (1s)\n" in err, "told so", err)
    claim("/pprof.server.samples.cpu.001.pb.gz" in err, "and saved under the original's name", err)
    cpu = saved(err)
    for name, types in (("heap", "alloc_objects.alloc_space.inuse_objects.inuse_space"), ("goroutine", "goroutine"),
                        ("allocs", "alloc_objects.alloc_space.inuse_objects.inuse_space"), ("mutex", "contentions.delay"),
                        ("threadcreate", "threadcreate"), ("block", "contentions.delay")):
        status, out, err = pprof("-raw", f"http://{address}/debug/pprof/{name}")
        claim(status == 0 and f"/pprof.server.{types}.0" in err, f"{name} is fetched", status, err)
    status, out, err = pprof("-raw", f"http://{address}/debug/pprof/goroutine?debug=1")
    claim(status == 0 and "goroutine/count" in out, "Go's text form is read", out[:200], err)
    for mode in ("", "remote", "force"):  # it has addresses only: Go's symbol service names them
        status, out, err = pprof("-text", f"-symbolize={mode}", f"http://{address}/debug/pprof/goroutine?debug=1")
        claim("main.main" in out and "remote symbolization" not in err, f"names are asked from Go's service: {mode}", out, err)
    status, out, err = pprof("-text", "-symbolize=local", f"http://{address}/debug/pprof/goroutine?debug=1")
    claim("main.main" not in out, "-symbolize=local asks nobody", out, err)
    status, out, err = pprof("-top", f"{address}/debug/pprof/heap?seconds=0")
    claim('server response: 400 Bad Request - invalid value for "seconds" - must be a positive integer\n' in err,
          "the server's words are told", err)
    status, out, err = pprof("-top", f"{address}/debug/pprof/nosuch")
    claim("server response: 404 Not Found - Unknown profile\n" in err, "an unknown profile too", err)
    status, out, err = pprof("-comments", "-seconds=2", address, f"http://{address}")
    claim("cpu profiling already in use" in err and "Fetched 1 source profiles out of 2" in err, "one at a time", err)
    return cpu


def agree(cpu, heap):
    for args in (["-top", cpu], ["-traces", cpu], ["-tree", "-lines", cpu], ["-raw", heap], ["-top", "-inuse_space", heap],
                 ["-top", "-alloc_objects", "-cum", heap], ["-top", cpu, cpu], ["-top", "-diff_base", heap, heap],
                 ["-top", "-base", cpu, cpu, cpu], ["-dot", "-focus=main", cpu], ["-tags", heap]):
        ours, theirs = pprof(*args)[1], original(*args)
        claim(ours == theirs, f"go tool pprof says the same for {args[:-1]}", ours[:600], theirs[:600])


server = subprocess.Popen([build()], stdout=subprocess.PIPE)
try:
    address = server.stdout.readline().decode().strip()
    cpu = fetch(address)
    agree(cpu, saved(pprof("-comments", f"http://{address}/debug/pprof/heap")[2]))
finally:
    server.kill()
finish()
