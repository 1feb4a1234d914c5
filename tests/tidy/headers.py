#!/usr/bin/env python3
"""Compiles every header of src/ and include/ alone, so that each brings what it needs.

usage: headers.py COMPILER
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
headers = sorted(ROOT.glob("src/**/*.h")) + sorted(ROOT.glob("include/*.h"))
flags = ["-std=gnu17", "-fsyntax-only", "-Wall", "-Werror", "-D_GNU_SOURCE", f"-I{ROOT}/src", f"-I{ROOT}/include"]
n_bad = 0
for header in headers:
    unit = f'#include "{header}"\n'
    run = subprocess.run([sys.argv[1], *flags, "-xc", "-"], input=unit, text=True, capture_output=True)
    if run.returncode:
        n_bad += 1
        print(f"{header.relative_to(ROOT)} does not compile alone:\n{run.stderr}")
public = ROOT / "include/pprof.h"
if public.exists():
    unit = f'#include "{public}"\n'
    old = subprocess.run([sys.argv[1], "-std=c99", "-pedantic", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-xc", "-"],
                         input=unit, text=True, capture_output=True)
    if old.returncode:
        n_bad += 1
        print(f"include/pprof.h is not C99:\n{old.stderr}")
    run = subprocess.run(["g++", "-std=c++11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-xc++", "-"],
                         input=unit, text=True, capture_output=True)
    if run.returncode:
        n_bad += 1
        print(f"include/pprof.h is not C++11:\n{run.stderr}")
print(f"{len(headers) - n_bad} passed, {n_bad} failed")
sys.exit(1 if n_bad else 0)
