#!/usr/bin/env python3
"""Programs of every sort print the same with libpprof preloaded: shells, compilers, interpreters, JITs, Go, static ones."""
import os
import subprocess

import live

live.need("sh")
HELLO = live.TEMP / "hello.c"
HELLO.write_text('#include <stdio.h>\nint main(void) { for (int i = 0; i < 3; i++) printf("%d\\n", i); return 4; }\n')
PYTHON = """
import threading, subprocess, sys, ctypes, zlib
def work(k, out): out[k] = zlib.crc32(bytes(range(256)) * 1000 * (k + 1))
out = {}
threads = [threading.Thread(target=work, args=(k, out)) for k in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(out.items()), subprocess.run(["echo", "child"], capture_output=True).stdout)
"""
JAVA = live.TEMP / "Hello.java"
JAVA.write_text('class Hello { public static void main(String[] a) { long s = 0; '
                'for (int i = 0; i < 5000000; i++) s += i * 31L % 7; System.out.println(s); } }\n')
COMMANDS = [
    ["sh", "-c", "seq 1000 | sort -r | head -3 | tr 1 x; exit 3"],
    ["bash", "-c", "for i in 1 2 3; do (echo $i; exit $i) || echo $?; done; echo $(date -d @0 -u)"],
    ["bash", "-c", "ulimit -n 20; exec 9</dev/null; ls -l /proc/self/fd | wc -l"],
    ["python3", "-c", PYTHON],
    ["perl", "-e", 'my %h = map { $_ => $_ ** 2 } 1..100000; print scalar(keys %h), " ", `echo child`; exit 5'],
    ["gcc", "-O2", "-o", str(live.TEMP / "hello"), str(HELLO)],
    [str(live.TEMP / "hello")],
    ["git", "--version"],
    ["tar", "--version"],
    ["node", "-e", "let s = 0; for (let i = 0; i < 1e7; i++) s += i % 7; console.log(s); setTimeout(() => process.exit(6), 50)"],
    ["java", "-XX:+UseSerialGC", str(JAVA)],
    ["go", "version"],
    ["busybox", "sh", "-c", "echo static"],
    ["xz", "-9", "-c", "/etc/services"],
    ["redis-server", "--version"],
    ["openssl", "dgst", "-sha256", "/etc/passwd"],
    ["setpriv", "--reuid=65534", "--clear-groups", "id", "-u"],
]


def outcome(command, env):
    done = subprocess.run(command, capture_output=True, env=env, timeout=40, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


for command in COMMANDS:
    if not live.find(command[0]):
        print(f"{command[0]} is not installed: left out")
        continue
    env = dict(os.environ)
    if command[0] == "setpriv" and os.getuid() != 0:
        continue
    without = outcome(command, env)
    env |= {"LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": "127.0.0.1:0", "PPROF_CHILDREN": "all",
            "PPROF_HEAP_RATE": "4096"}
    again = outcome(command, env)
    live.check(again == without, f"{command[0]} prints and ends the same", "" if again == without else f"{again} not {without}")
live.finish()
