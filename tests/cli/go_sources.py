# tests/cli/go_sources.py - proves that list finds the sources of Go programs built elsewhere or with -trimpath: in GOROOT, the
# module cache, the module one stands in and its vendor folder.
import os

from cli import SCRATCH, claim, field, finish, pprof, write

FILES = {
    "goroot/src/fmt/print.go": "the standard library",
    "cache/github.com/!big/!mod@v1.0.0-!beta/Sub/b.go": "the module cache",
    "module/go.mod": "// a comment\nmodule example.com/m\n",
    "module/in/a.go": "the module itself",
    "module/vendor/example.org/v/c.go": "the vendor folder",
}


def profile(path):
    strings = ["", "n", "count", "work", path]
    out = field(1, field(1, 1) + field(2, 2)) + field(2, field(1, 1) + field(2, 5))
    out += field(4, field(1, 1) + field(4, field(1, 1) + field(2, 1)))
    out += field(5, field(1, 1) + field(2, 3) + field(3, 3) + field(4, 4))
    return write("go.pb", out + b"".join(field(6, s.encode()) for s in strings))


def listed(path, where="module/in", **env):
    return pprof("-list=work", profile(path), cwd=os.path.join(SCRATCH, where), **env)[1]


for name, text in FILES.items():
    os.makedirs(os.path.dirname(os.path.join(SCRATCH, name)), exist_ok=True)
    write(name, text.encode())
folders = {"GOROOT": SCRATCH + "/goroot", "GOMODCACHE": SCRATCH + "/cache"}
for path, what in (("fmt/print.go", "the standard library"),
                   ("/builder/go/src/fmt/print.go", "the standard library"),
                   ("github.com/Big/Mod@v1.0.0-Beta/Sub/b.go", "the module cache"),
                   ("/home/other/go/pkg/mod/github.com/!big/!mod@v1.0.0-!beta/Sub/b.go", "the module cache"),
                   ("example.com/m/in/a.go", "the module itself"),
                   ("example.org/v@v2.0.0/c.go", "the vendor folder")):
    out = listed(path, **folders)
    claim(what in out, f"{path} is found in {what}", out)
claim("could not find file fmt/no.go on path" in listed("fmt/no.go", **folders), "a file that is nowhere is told as before")
claim("open /src/fmt/print.go: no such file" in listed("/src/fmt/print.go", **folders), "not every src folder is Go's")
claim("could not find file example.com/mother/a.go" in listed("example.com/mother/a.go", **folders), "nor every module this one")
claim("open /usr/lib/go-1.0/src/fmt/print.go: no such file" in listed("/usr/lib/go-1.0/src/fmt/print.go", **folders),
      "another version's sources stay away")
finish()
