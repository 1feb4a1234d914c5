# tests/cli/tables.py - proves that the man page and the completions have every flag pprof takes, and that bash's works.
# usage: tables.py PPROF pprof.1 BASH ZSH FISH: what packaging/tables.py made. zsh and fish are tried where installed.
import os
import re
import shutil
import subprocess
import sys

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
    claim(in_page - set(flags) <= {"children"}, "the man page has no other flags", in_page - set(flags))
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


def other_shells():
    for shell, path in (("zsh", ZSH), ("fish", FISH)):
        if not shutil.which(shell):
            continue
        done = subprocess.run([shell, "-n", path], capture_output=True, env=env())
        claim(done.returncode == 0 and not done.stderr, shell + " can read its file", done.stderr)
    if shutil.which("fish"):
        script = f"source {FISH}; complete -C 'pprof -symbolize '; complete -C 'pprof -call'"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, env=env(), cwd=SCRATCH)
        claim(b"fastlocal" in done.stdout and b"-call_tree" in done.stdout, "fish completes", done)


outputs()
man_page()
bash_completes()
values_are_taken()
other_shells()
finish()
