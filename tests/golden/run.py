#!/usr/bin/env python3
"""Runs pprof on recorded cases and compares what it prints with what google/pprof printed, byte for byte.

usage: run.py PPROF FOLDER [--only REGEX] [--show N]

FOLDER holds cases.jsonl (a case a line: id, args with {P} for the profiles folder, exit, stdin), profiles/, and
golden/<id>.gz, the recorded output. Reports that are files (proto, topproto, callgrind) go through -output; protos are read back
with -raw. Each case runs in an empty folder, with TZ=UTC and no terminal.
"""
import argparse
import concurrent.futures
import difflib
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS_PER_CASE = 60  # ASan builds on a loaded machine stay far below


def run(command, scratch, stdin=""):
    env = {"PATH": os.environ["PATH"], "HOME": scratch, "PPROF_TMPDIR": scratch, "PPROF_BINARY_PATH": "/nonexistent",
           "TZ": "UTC", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    done = subprocess.run(command, cwd=scratch, env=env, input=stdin.encode(), capture_output=True, timeout=SECONDS_PER_CASE)
    return done.returncode, done.stdout, done.stderr


def answer(pprof, folder, case, scratch):
    """(exit code, output) of one case, with folder names put back to what the recording has."""
    profiles = str(folder / "profiles")
    args = [arg.replace("{P}", profiles) for arg in case["args"]]
    stdin = case.get("stdin", "").replace("{tmp}", scratch)
    result = Path(scratch, "result")
    if case["report"] in ("proto", "topproto", "callgrind"):
        code, out, err = run([pprof, f"-output={result}", *args], scratch)
        if case["report"] == "callgrind":
            out = result.read_bytes() if result.exists() else out
        else:
            out = run([pprof, "-raw", str(result)], scratch)[1] if code == 0 else b""
    else:
        code, out, err = run([pprof, *args], scratch, stdin)
    return code, out.replace(scratch.encode(), b"{tmp}").replace(profiles.encode(), b"{P}"), err


def try_case(pprof, folder, case):
    with tempfile.TemporaryDirectory() as scratch:
        try:
            code, out, err = answer(pprof, folder, case, scratch)
        except subprocess.TimeoutExpired:
            code, out, err = 124, b"", b"no answer in time"
    want = gzip.decompress((folder / "golden" / (case["id"] + ".gz")).read_bytes())
    is_same_exit = (code == 0) == (case["exit"] == 0) and code in (0, 1, 2)
    return case, is_same_exit and out == want, code, out, want, err


def show(case, code, out, want, err):
    print(f"--- {case['id']}: {' '.join(case['args'])} {case.get('stdin', '')!r}: exit {code}")
    lines = [text.decode(errors="replace").splitlines() for text in (want, out)]
    print("\n".join(list(difflib.unified_diff(*lines, "recorded", "ours", lineterm="", n=1))[:30]))
    print(err.decode(errors="replace")[-400:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pprof")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    folder, pprof = options.folder.resolve(), os.path.abspath(options.pprof)
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    cases = [case for case in cases if re.search(options.only, case["id"])]
    n_bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, is_good, *rest in pool.map(lambda c: try_case(pprof, folder, c), cases):
            n_bad += not is_good
            if not is_good and n_bad <= options.show:
                show(case, *rest)
    print(f"{len(cases) - n_bad} passed, {n_bad} failed")
    sys.exit(1 if n_bad or not cases else 0)


main()
