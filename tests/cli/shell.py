# tests/cli/shell.py - proves the shell: from a pipe, and typed at a terminal with TAB, history and ^C.
import fcntl
import os
import pty
import select
import subprocess
import termios
import time

from cli import PPROF, SCRATCH, claim, env, finish, pprof, profile, write

one = write("one.pb.gz", profile("first", function="std::vector<int, std::allocator<int> >::push_back(int&&)"))


def shell(*lines):
    return pprof(one, stdin="\n".join(lines).encode() + b"\n")


def piped():
    status, out, err = shell("comments")
    claim((status, out) == (0, "first\n"), "commands come from standard input", status, out)
    claim("(pprof)" not in out + err, "without a prompt", out, err)
    claim('Entering interactive mode (type "help" for commands, "o" for options)\n' in err, "with a greeting", err)
    status, out, err = shell("bogus", "focus", "comments")
    claim('unrecognized command: "bogus"\nplease specify a value, e.g. focus=<val>\n' in err, "errors are told", err)
    claim(out == "first\n" and status == 0, "and end nothing", out, status)
    claim(shell("quit", "comments")[1] == "", "quit leaves")
    claim(pprof(one, stdin=b"comments")[1] == "first\n", "a last line needs no end")
    status, out, err = shell("sort=cum", "lines=1", "samples", "divide_by=2.5", "o")
    for row in ("sort                      = cum                  //: [cum | flat]\n",
                "granularity               = lines                //: [addresses | filefunctions | files | functions | lines]\n",
                "sample_index              = samples              //: [samples | cpu]\n",
                "  divide_by                 = 2.5                  \n",
                'focus                     = ""                   \n', "compact_labels            = true                 \n"):
        claim(row in err, "options are listed", row, err)
    claim("source_path" not in err, "but for source_path")
    status, out, err = shell("help top", "help focus", "help lines", "help nosuch", "help")
    claim("top [n] [focus_regex]* [-ignore_regex]* [-cum] [>file]\n" in err, "a command has help", err)
    claim("Unknown command: nosuch\n" in err and "type \"help <cmd|option>\"" in err, "and so has the shell", err)
    status, out, err = shell("comments > " + SCRATCH + "/out", "proto")
    claim(f"Generating report in {SCRATCH}/out\n" in err, "> writes a file", err)
    claim(open(SCRATCH + "/out").read() == "first\n", "with the report")
    claim("Generating report in profile001.pb.gz\n" in err, "binary reports go to files", err)
    claim(pprof("-comments", SCRATCH + "/profile001.pb.gz")[1] == "first\n", "that read back")


class Typed:
    """pprof at a terminal of its own."""

    def __init__(self):
        self.master, slave = pty.openpty()
        # Its own session with the terminal as the controlling one, so that ^C becomes SIGINT.
        self.process = subprocess.Popen([PPROF, one], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env=env(TERM="xterm"), cwd=SCRATCH)
        os.close(slave)
        self.wait_for("(pprof) ")

    def wait_for(self, text, seconds=20):
        got, end = "", time.monotonic() + seconds
        while text not in got and time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    got += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
        claim(text in got, f"the terminal shows {text!r}", got)
        return got

    def type(self, keys, text):
        os.write(self.master, keys.encode())
        return self.wait_for(text)

    def line(self, keys, text):
        """Types a whole line, waits for what it does and for the next one to be read (the editor takes the terminal raw)."""
        self.type(keys, text)
        end = time.monotonic() + 20
        while termios.tcgetattr(self.master)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.05)

    def leave(self):
        # Typed while the terminal changes its mode, a ^D can get lost: it is repeated as a person would.
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            os.write(self.master, b"\x04")
            # The editor gives the terminal back when all it wrote was read.
            while select.select([self.master], [], [], 0.2)[0]:
                try:
                    if not os.read(self.master, 65536):
                        break
                except OSError:
                    break
        claim(self.process.poll() == 0, "^D leaves", self.process.poll())
        os.close(self.master)


def typed():
    # The editor draws only what changes, so what a TAB did is told by what the line then does.
    t = Typed()
    t.line("comm\t\r", "first")
    t.line("gran\tli\t\r", "\n")
    t.line("o\r", "granularity               = lines")
    t.type("nod\t\t", "nodefraction=")
    t.line("\x15sam\tsa\t\r", "\n")
    t.line("o\r", "sample_index              = samples")
    t.line("peek push_ba\t\r", "| std::vector::push_back")
    t.type("half a line", "half a line")
    t.type("\x03", "^C")
    t.line("bogus\r", '\x1b[0;31munrecognized command: "bogus"\x1b[0m')
    t.leave()
    history = open(SCRATCH + "/.local/state/pprof/history").read()
    claim("granularity=lines" in history and "half" not in history, "lines are remembered", history)
    claim("sample_index=samples" in history, "values are completed", history)
    claim(os.stat(SCRATCH + "/.local/state/pprof/history").st_mode & 0o77 == 0, "for their owner only")
    t = Typed()
    t.line("\x1b[A" * 7 + "\r", "first")
    t.leave()


piped()
typed()
finish()
