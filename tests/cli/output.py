# tests/cli/output.py - proves where reports go, and what pprof does with programs it may not find.
import os
import pty
import subprocess

from cli import PPROF, SCRATCH, claim, env, finish, pprof, profile, write

one = write("one.pb.gz", profile("first"))
NO_PROGRAMS = SCRATCH + "/nothing"


def script(name, text):
    path = write(name, text.encode())
    os.chmod(path, 0o755)
    return path


def files():
    status, out, err = pprof("-comments", "-output=" + SCRATCH + "/out", one)
    claim(err == f"Generating report in {SCRATCH}/out\n" and out == "", "-output is told", out, err)
    claim(open(SCRATCH + "/out").read() == "first\n", "and written")
    status, out, err = pprof("-top", "-focus=(", "-output=" + SCRATCH + "/none", one)
    claim(status == 2 and not os.path.exists(SCRATCH + "/none"), "a report that fails leaves no file", err)
    claim("parsing focus regexp" in err, "and says why", err)
    status, out, err = pprof("-comments", "-output=/nonexistent/x", one)
    claim(status == 2 and "/nonexistent/x" in err, "a file that cannot be made is told", err)
    status, out, err = pprof("-comments", "-output=" + SCRATCH + "/empty", write("none.pb.gz", profile()))
    claim(os.path.getsize(SCRATCH + "/empty") == 0, "an empty report is an empty file")
    status, out, err = pprof("-top", "-focus=nosuch", one)
    claim(status == 0 and "Focus expression matched no samples\n" in err, "warnings are told", err)


def pipes():
    done = subprocess.run(f"{PPROF} -traces {one} | true; echo ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash",
                          env=env(), capture_output=True)
    claim(b"rror" not in done.stderr, "a reader that leaves early is no story", done)
    done = subprocess.run(f"{PPROF} -comments {one} > /dev/full", shell=True, env=env(), capture_output=True)
    claim(done.returncode == 2 and b"no space left" in done.stderr, "a full disk is", done)


def terminal():
    master, slave = pty.openpty()
    done = subprocess.run([PPROF, "-proto", one], stdout=slave, stderr=subprocess.PIPE, env=env(), cwd=SCRATCH)
    claim(done.stderr == b"Generating report in profile001.pb.gz\n", "binary reports stay away from terminals", done)
    claim(pprof("-comments", SCRATCH + "/profile001.pb.gz")[1] == "first\n", "in a file that reads back")
    os.close(slave)
    os.close(master)
    status, out, err = pprof("-proto", one)
    claim("Generating" not in err, "pipes get them", err)


def graphviz():
    status, out, err = pprof("-svg", one, PATH=NO_PROGRAMS)
    claim(status == 2 and "failed to execute dot. Is Graphviz installed?" in err and "-http=:" in err, "Graphviz is missed", err)
    os.makedirs(SCRATCH + "/bin", exist_ok=True)
    path = SCRATCH + "/bin:/usr/bin:/bin"
    script("bin/dot", "#!/bin/sh\necho 'syntax error in line 1' >&2\nexit 1\n")
    status, out, err = pprof("-png", one, PATH=path)
    claim(status == 2 and "dot could not draw the graph: syntax error in line 1" in err, "what dot says is told", err)
    svg = '<svg width="8pt" height="9pt"\n viewBox="0 0 8 9" xmlns="x">\n<g id="graph0" class="graph">\n</g>\n</svg>\n'
    script("bin/dot", f"#!/bin/sh\ncat > {SCRATCH}/graph\necho \"$1\" > {SCRATCH}/flag\ncat <<'E'\n{svg}E\n")
    status, out, err = pprof("-svg", one, PATH=path)
    claim(status == 0 and out.startswith('<svg width="100%" height="100%" xmlns="x">'), "SVG fills its window", out, err)
    claim(out.count("<g") == out.count("</g>") == 2 and 'id="viewport"' in out and "<script" in out, "and can be moved", out)
    claim(open(SCRATCH + "/flag").read() == "-Tsvg\n", "dot is asked for SVG")
    claim(open(SCRATCH + "/graph").read().startswith("digraph"), "and given the graph")
    status, out, err = pprof("-gif", one, PATH=path)
    claim(out == svg, "other pictures stay as dot makes them", out)
    browser = script("browser", f"#!/bin/sh\necho \"$1\" > {SCRATCH}/seen\ncp \"$2\" {SCRATCH}/copy; echo \"$2\" >> {SCRATCH}/seen\n")
    status, out, err = pprof("-web", one, PATH=path, BROWSER=browser + " --new", TMPDIR=SCRATCH)
    seen = open(SCRATCH + "/seen").read().split("\n")
    claim(status == 0 and seen[0] == "--new" and seen[1] == SCRATCH + "/pprof001.svg", "BROWSER is tried first", seen, err)
    claim("viewport" in open(SCRATCH + "/copy").read() and not os.path.exists(seen[1]), "its file goes away after", err)
    status, out, err = pprof("-web", one, PATH=SCRATCH + "/bin:" + NO_PROGRAMS)
    claim(status == 2, "no browser is told", err)
    status, out, err = pprof("-kcachegrind", one, PATH=NO_PROGRAMS)
    claim(status == 2 and "kcachegrind" in err, "no viewer is told", err)


files()
pipes()
terminal()
graphviz()
finish()
