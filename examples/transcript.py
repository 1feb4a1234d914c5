#!/usr/bin/env python3
"""Types commands into a program on a terminal of its own and prints what is seen there.

usage: transcript.py PROMPT COMMAND... -- PROGRAM ARGS...
Each COMMAND is typed when PROMPT has come; the program must end after the last one.
"""
import os
import pty
import sys

split = sys.argv.index("--")
prompt, commands, program = sys.argv[1].encode(), sys.argv[2:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "vt100"
    os.execvp(program[0], program)
seen = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the other side has closed it
        part = b""
    if not part:
        break
    sys.stdout.write(part.replace(b"\r", b"").decode("utf-8", "replace"))
    sys.stdout.flush()
    seen += part
    if seen.endswith(prompt) and commands:
        os.write(terminal, commands.pop(0).encode() + b"\r")
        seen = b""
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status or (1 if commands else 0))
