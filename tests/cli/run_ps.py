# tests/cli/run_ps.py - proves pprof run and pprof ps, with the libpprof.so given as second argument.
import os
import re
import subprocess
import sys
import time

from cli import PPROF, SCRATCH, claim, env, finish, pprof, write

LIBRARY = os.path.abspath(sys.argv[2])
HERE = dict(PPROF_LIBRARY=LIBRARY, XDG_RUNTIME_DIR=SCRATCH)


def environment():
    status, out, err = pprof("run", "-http", "localhost:1", "-children=exec", "--", "env", LD_PRELOAD="", PPROF_LIBRARY=LIBRARY)
    claim(f"LD_PRELOAD={LIBRARY}\n" in out, "the library is preloaded", out, err)
    claim("PPROF_HTTP=localhost:1\n" in out and "PPROF_CHILDREN=exec\n" in out, "and told what to do", out)
    status, out, err = pprof("run", "env", LD_PRELOAD="/usr/lib/other.so", PPROF_LIBRARY=LIBRARY)
    claim(f"LD_PRELOAD={LIBRARY}:/usr/lib/other.so\n" in out, "others stay, behind it", out)
    claim("PPROF_HTTP=localhost:6060\n" in out, "the address has a default", out)


def refusals():
    for args, want, words in ((["run"], 2, "no program to run"), (["run", "-children=some", "env"], 2, "-children is none"),
                              (["run", "nosuchprogram"], 127, "nosuchprogram: not found"), (["run", "-x", "env"], 2, "-x"),
                              (["run", "/etc/passwd"], 126, "Permission denied")):
        status, out, err = pprof(*args, PPROF_LIBRARY=LIBRARY)
        claim(status == want and words in err, f"{args} is refused", status, err)
    status, out, err = pprof("run", "true", PPROF_LIBRARY="/nonexistent.so")
    claim(status == 2 and "PPROF_LIBRARY: /nonexistent.so" in err, "a library that is not there is told", err)
    header = bytearray(open("/bin/true", "rb").read(64))
    header[56:58] = (0).to_bytes(2, "little")  # no program headers: nothing names a loader
    os.chmod(write("static", bytes(header)), 0o755)
    status, out, err = pprof("run", SCRATCH + "/static", PPROF_LIBRARY=LIBRARY)
    claim("linked statically" in err, "a static program is told", err)


def entries():
    folder = f"{SCRATCH}/pprof-{os.geteuid()}"
    os.makedirs(folder, mode=0o700, exist_ok=True)
    write(f"pprof-{os.geteuid()}/{os.getpid()}", b"address=127.0.0.1:1\nprogram=/bin/me\nstarted=%d\nparent=1\n" % time.time())
    write(f"pprof-{os.geteuid()}/1", b"address=127.0.0.1:2\nprogram=/bin/old\nstarted=1000\n")
    write(f"pprof-{os.geteuid()}/999999999", b"address=127.0.0.1:3\nprogram=/bin/dead\n")
    status, out, err = pprof("ps", **HERE)
    claim(re.search(rf"^ *{os.getpid()} +1 127\.0\.0\.1:1 .*/bin/me$", out, re.M), "living processes are listed", out)
    claim("/bin/old" not in out and "/bin/dead" not in out, "others are not", out)
    claim(os.listdir(folder) == [str(os.getpid())], "and their entries go", os.listdir(folder))
    os.chmod(folder, 0o777)
    claim("/bin/me" not in pprof("ps", **HERE)[1], "a folder anybody may write is not believed")
    os.chmod(folder, 0o700)
    claim(pprof("ps", "-x")[0] == 2, "ps takes no arguments")


def alive():
    sleeper = subprocess.Popen([PPROF, "run", "-http", "127.0.0.1:0", "--", "sleep", "60"], env=env(**HERE))
    address, end = None, time.monotonic() + 20
    while not address and time.monotonic() < end:
        found = re.search(rf"^ *{sleeper.pid} +\d+ (127\.0\.0\.1:\d+) ", pprof("ps", **HERE)[1], re.M)
        address = found and found[1]
        time.sleep(0.1)
    claim(address, "a program run so is listed with its address", pprof("ps", **HERE))
    status, out, err = pprof("-raw", f"http://{address}/debug/pprof/goroutine", **HERE)
    claim(status == 0 and "goroutine/count" in out, "and answers there", out[:300], err)
    sleeper.kill()
    sleeper.wait()
    claim(address not in pprof("ps", **HERE)[1], "killed, it is not listed any more")


environment()
refusals()
entries()
alive()
finish()
