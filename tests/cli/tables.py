# tests/cli/tables.py - proves that the man page and the completions have every flag pprof takes, and that bash's works.
# usage: tables.py PPROF pprof.1 BASH ZSH FISH: what packaging/tables.py made. zsh and fish are tried where installed.
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

from cli import SCRATCH, claim, env, finish, pprof, profile, write

MAN, BASH, ZSH, FISH = (os.path.abspath(path) for path in sys.argv[2:6])
one = write("one.pb.gz", profile("first"))


def flags_of_pprof():
    """What pprof itself says it takes: its help is made by the program, not by tables.py."""
    status, out, err = pprof("-h")
    return sorted(set(re.findall(r"^ {4,8}-(\w+) ", out + err, re.M)))


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def outputs():
    flags = flags_of_pprof()
    claim(len(flags) > 80 and {"top", "focus", "cum", "base", "contentions"} <= set(flags), "the help has flags", flags)
    page, bash, zsh, fish = (text(path) for path in (MAN, BASH, ZSH, FISH))
    for flag in flags:
        claim(re.search(rf"^\.BI? \\-{flag}( |$)", page, re.M), "the man page has -" + flag)
        claim(re.search(rf"[' ]-{flag}[' ]", bash), "bash has -" + flag)
        claim(re.search(rf"'\*?-{flag}=?\[", zsh), "zsh has -" + flag)
        claim(f" -o {flag} " in fish, "fish has -" + flag)
    in_page = set(re.findall(r"^\.TP\n\.BI? \\-(\w+)", page, re.M))
    of_trace = set(re.findall(r"^  -(\w+)[= ]", pprof("trace", "-h")[2], re.M))
    claim({"top", "perfetto", "d"} <= of_trace <= in_page, "the man page has the flags of pprof trace", of_trace)
    claim(in_page - set(flags) - of_trace <= {"children"}, "the man page has no other flags", in_page - set(flags))
    for name in re.findall(r"^    ([A-Z_]+) ", pprof("-h")[1] + pprof("-h")[2], re.M):
        claim(f".B {name}\n" in page, "the man page has " + name)
    claim("@" not in page, "no word of the page's frame is left", re.findall("@.*", page))


def man_page():
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", MAN], capture_output=True, env=env())
        claim(done.returncode == 0 and not done.stderr, "groff has nothing to say of the man page", done.stderr)
        plain = re.sub("\x1b\\[[0-9;]*m|.\x08", "", done.stdout.decode())
        claim(re.search(r"^ +-nodecount value\n", plain, re.M), "options are on lines of their own", plain[:3000])
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings", "-l", MAN], capture_output=True, env=env(MANWIDTH="100"))
        claim(done.returncode == 0 and not done.stderr, "nor has man", done.stderr)


def complete(*words):
    """What bash offers for the last word, cut into words at = as bash does it."""
    cut = [part for word in words for part in re.split("(=)", word) if part or word == ""]
    if words[-1].endswith("=") and len(words[-1]) > 1:
        cut = [w for w in cut if w]
    quoted = " ".join("'" + w + "'" for w in cut)
    script = f'. "{BASH}"; COMP_WORDS=({quoted}); COMP_CWORD={len(cut) - 1}; _pprof; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, cwd=SCRATCH, env=env())
    claim(not done.stderr, "completion is silent", words, done.stderr)
    return done.stdout.decode().split()


def bash_completes():
    claim(complete("pprof", "-cal") == ["-callgrind", "-call_tree"], "flags", complete("pprof", "-cal"))
    claim(sorted(complete("pprof", "-")) == sorted(set(complete("pprof", "-"))), "each flag once")
    claim(len(complete("pprof", "-")) >= len(flags_of_pprof()), "all flags")
    claim(complete("pprof", "-top", "one") == ["one.pb.gz"], "files are sources", complete("pprof", "-top", "one"))
    claim("run" in complete("pprof", "") and "ps" in complete("pprof", ""), "subcommands", complete("pprof", ""))
    claim("ps" not in complete("pprof", "-top", "p"), "subcommands come first only")
    claim(complete("pprof", "-symbolize=f") == ["fastlocal", "force"], "values", complete("pprof", "-symbolize=f"))
    claim(complete("pprof", "-symbolize", "re") == ["remote"], "values in a word of their own")
    claim(complete("pprof", "--unit", "mi") == ["minimum"], "two dashes are one")
    claim(complete("pprof", "-trim=") == ["true", "false"], "both values of a switch", complete("pprof", "-trim="))
    claim(complete("pprof", "-base=one") == ["one.pb.gz"], "files are values", complete("pprof", "-base=one"))
    claim(complete("pprof", "-base", "on") == ["one.pb.gz"], "also in a word of their own")
    claim(complete("pprof", "run", "-c") == ["-children"], "the flags of run", complete("pprof", "run", "-c"))
    claim(complete("pprof", "run", "-children", "e") == ["exec"], "and their values")
    claim("bash" in complete("pprof", "run", "--", "bas"), "and programs")
    claim(complete("pprof", "run", "--", "ls", "-") == [], "whose flags are their own")
    claim({"-perfetto", "-d"} <= set(complete("pprof", "trace", "-")), "the flags of trace")
    claim("-nodecount" not in complete("pprof", "trace", "-"), "and no others", complete("pprof", "trace", "-"))
    claim(complete("pprof", "trace", "-d=w") == ["wire"], "their values", complete("pprof", "trace", "-d=w"))
    claim(complete("pprof", "trace", "on") == ["one.pb.gz"], "and files", complete("pprof", "trace", "on"))
    claim(complete("pprof", "ps", "") == [], "ps takes nothing", complete("pprof", "ps", ""))
    claim(complete("pprof", "-focus", "x") == [], "free text has no completion", complete("pprof", "-focus", "x"))


def values_are_taken():
    """Each word offered for -symbolize and -unit is one that pprof knows."""
    for word in complete("pprof", "-symbolize="):
        status, out, err = pprof("-top", "-symbolize=" + word, one)
        claim(status == 0 and "unrecognized" not in err, "-symbolize takes " + word, err)
    claim("unrecognized" in pprof("-top", "-symbolize=moon", one)[2], "and says so when it does not")
    for word in complete("pprof", "-unit="):
        claim(pprof("-top", "-unit=" + word, one)[0] == 0, "-unit takes " + word)
    for word in complete("pprof", "run", "-children="):
        status, out, err = pprof("run", "-children=" + word, "--", "no-such-program")
        claim(status == 127, "run takes -children=" + word, err)


SECONDS = 30  # for zsh to answer on a busy machine


def read_until(fd, word, text=""):
    """What zsh shows until word is there, or nothing more comes for long."""
    end = time.monotonic() + SECONDS
    while word not in text and time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", os.read(fd, 65536).decode(errors="replace"))
        except OSError:
            break
    return text


def zsh_shows(line, word):
    """A zsh at a terminal, where line and two TABs are typed, shows word."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(SCRATCH)
        os.execvpe("zsh", ["zsh", "-f", "-i"], env(TERM="dumb", PS1="> ", HOME=SCRATCH))
    try:
        folder = os.path.dirname(ZSH)
        os.write(fd, f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; stty cols 150 rows 200; echo re''ady\n".encode())
        shown = read_until(fd, "ready\n")
        os.write(fd, line.encode() + b"\t\t")
        shown = read_until(fd, word)
        claim(word in shown, f"zsh completes {line!r} with {word}", shown[-1500:])
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def zsh_completes():
    for line, word in (("pprof -call", "-call_tree"), ("pprof -unit=m", "minimum"), ("pprof ", "run"), ("pprof -base=on", "one.pb.gz"),
                       ("pprof -top on", "one.pb.gz"), ("pprof run -ch", "-children"), ("pprof run -children=", "exec"),
                       ("pprof trace -per", "-perfetto"), ("pprof trace -d=", "footprint")):
        zsh_shows(line, word)


def fish_offers(line):
    script = f"source {FISH}; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, env=env(), cwd=SCRATCH)
    claim(not done.stderr, "fish is silent about " + line, done.stderr)
    return [row.split("\t")[0] for row in done.stdout.decode().splitlines()]


def fish_completes():
    for line, words in (("pprof -call", ["-callgrind", "-call_tree"]), ("pprof -symbolize ", ["fastlocal"]), ("pprof -unit=mi", ["-unit=minimum"]),
                        ("pprof ", ["run", "ps", "trace", "one.pb.gz"]), ("pprof -base ", ["one.pb.gz"]), ("pprof run -", ["-children", "-http"]),
                        ("pprof run -children ", ["exec"]), ("pprof run -- bas", ["bash"]), ("pprof trace -", ["-perfetto", "-d"]),
                        ("pprof trace -d ", ["wire"]), ("pprof trace on", ["one.pb.gz"])):
        offered = fish_offers(line)
        claim(set(words) <= set(offered), f"fish completes {line!r}", offered)
    claim("-nodecount" not in fish_offers("pprof trace -"), "with the flags of trace alone")
    claim("run" not in fish_offers("pprof -top r"), "subcommands come first only")
    claim(fish_offers("pprof ps ") == [], "ps takes nothing", fish_offers("pprof ps "))


def other_shells():
    for shell, path in (("zsh", ZSH), ("fish", FISH)):
        if not shutil.which(shell):
            continue
        done = subprocess.run([shell, "-n", path], capture_output=True, env=env())
        claim(done.returncode == 0 and not done.stderr, shell + " can read its file", done.stderr)
    if shutil.which("zsh"):
        zsh_completes()
    if shutil.which("fish"):
        fish_completes()


outputs()
man_page()
bash_completes()
values_are_taken()
other_shells()
finish()
