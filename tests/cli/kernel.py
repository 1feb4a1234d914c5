# tests/cli/kernel.py - proves that addresses of a kernel that was moved at its start are looked up in its vmlinux, found under
# PPROF_BINARY_PATH by build id.
import os
import re
import shutil
import subprocess
import sys

from cli import SCRATCH, SKIPPED, claim, field, finish, pprof, write

SOURCE = """
__asm__(".globl _text\\n_text:\\n");
int schedule(int x) { return x * 3 + 1; }
int do_fork(int x) { return schedule(x) - x; }
void _start(void) { do_fork(1); }
"""
MOVED = 0x3A000000  # what this start added


def vmlinux():
    path = os.path.join(SCRATCH, "vmlinux")
    write("k.c", SOURCE.encode())
    subprocess.run(["gcc", "-g", "-O1", "-fno-toplevel-reorder", "-fno-inline", "-fno-pic", "-mcmodel=kernel", "-nostdlib", "-static", "-no-pie",
                    "-Wl,-Ttext=0xffffffff81000000", "-Wl,--build-id=sha1", "-o", path, os.path.join(SCRATCH, "k.c")], check=True)
    symbols = {}
    for line in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines():
        symbols[line.split()[2]] = int(line.split()[0], 16)
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return path, symbols, re.search(r"Build ID: (\w+)", notes)[1]


def profile(address, start, build_id):
    strings = ["", "n", "count", "[kernel.kallsyms]_text", build_id]
    out = field(1, field(1, 1) + field(2, 2)) + field(2, field(1, 1) + field(2, 5))
    out += field(3, field(1, 1) + field(2, start) + field(3, start + 0x1000000) + field(4, start) + field(5, 3) + field(6, 4))
    out += field(4, field(1, 1) + field(2, 1) + field(3, address))
    return write("kernel.pb", out + b"".join(field(6, s.encode()) for s in strings))


if os.uname().machine != "x86_64" or not all(shutil.which(tool) for tool in ("gcc", "nm", "readelf")):
    sys.exit(SKIPPED)
path, symbols, build_id = vmlinux()
folder = os.path.join(SCRATCH, "binaries")
os.makedirs(os.path.join(folder, build_id))
shutil.copy(path, os.path.join(folder, build_id, "vmlinux"))
for moved in (0, MOVED):
    address = symbols["schedule"] + moved + 1
    out = pprof("-top", "-lines", profile(address, symbols["_text"] + moved, build_id), PPROF_BINARY_PATH=folder)
    claim(re.search(r"schedule .*k\.c:3", out[1]), f"a kernel moved by {moved:#x} has its names", out)
out = pprof("-top", profile(symbols["schedule"] + 1, symbols["_text"], "00" * 20), PPROF_BINARY_PATH=folder)
claim("schedule" not in out[1], "another build is not asked", out)
finish()
