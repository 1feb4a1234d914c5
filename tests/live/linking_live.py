#!/usr/bin/env python3
"""libpprof as it is installed, linked in every way: pkg-config and CMake, C99 and C++11, shared, archive, fully static."""
import os
import shutil
import subprocess
from pathlib import Path

import live

meson, pkg_config, cc = live.need("meson", "pkg-config", "cc")
SOURCE = Path(__file__).resolve().parent / "linking.c"
ROOT = live.TEMP / "root"
live.run([meson, "install", "-C", live.BUILD, "--destdir", ROOT, "--no-rebuild", "--quiet"], 120)
PREFIX = next(p.parent.parent for p in ROOT.rglob("include/pprof.h"))
PC = next(ROOT.rglob("libpprof.pc")).parent
LIBDIR = PC.parent


def flags(package):
    env = {**os.environ, "PKG_CONFIG_PATH": str(PC)}
    text = subprocess.run([pkg_config, f"--define-variable=prefix={PREFIX}", "--cflags", "--libs", package],
                          env=env, capture_output=True, text=True).stdout
    live.check(text.strip(), f"pkg-config knows {package}", text.strip())
    return text.split()


def check_run(what, program):
    """The program profiles itself; its CPU time, label, thread and leak must be there."""
    folder = live.TEMP / what.replace(" ", "-")
    folder.mkdir()
    env = {**os.environ, "LD_LIBRARY_PATH": str(LIBDIR), "PPROF_CPU_PROFILE": "cpu.pb.gz", "PPROF_HEAP_AT_EXIT": "heap.pb.gz"}
    done = subprocess.run([program], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    if done.returncode or not (folder / "heap.pb.gz").exists():
        return live.check(False, f"{what} runs", f"{done.returncode} {done.stdout}{done.stderr}")
    cpu, heap = (live.Profile((folder / f).read_bytes()) for f in ("cpu.pb.gz", "heap.pb.gz"))

    def weight(profile, name):
        return sum(s.values[-1] for s in profile.samples
                   if any(name in n for i in s.location_ids for n in profile.locations[i].names))
    burnt, leaked = weight(cpu, "burn"), weight(heap, "leak")
    labelled = sum(s.values[1] for s in cpu.samples if s.labels.get("how") == "linked")
    live.check(burnt > 0.25e9 and abs(labelled - burnt / 2) < 0.3 * burnt and abs(leaked - 100e6) < 40e6,
               f"{what} profiles itself", f"{burnt / 1e6:.0f} ms CPU, {labelled / 1e6:.0f} of them labelled, {leaked / 1e6:.0f} MB")
    live.check(not any("did not reach" in c for c in cpu.comments), f"{what} has whole stacks", str(cpu.comments))


def link(what, compiler, *arguments):
    program = live.TEMP / what.replace(" ", "_")
    done = subprocess.run([*compiler, "-O1", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror", "-o", program, *arguments],
                          capture_output=True, text=True)
    if done.returncode:
        return live.check(False, f"{what} links", done.stderr[-600:])
    check_run(what, program)


shared, static = flags("libpprof"), flags("libpprof-static")
C99 = [cc, "-std=c99", "-D_POSIX_C_SOURCE=200809L"]
link("C99 shared", C99, SOURCE, *shared)
link("C99 archive", C99, SOURCE, f"-I{PREFIX}/include", LIBDIR / "libpprof.a", "-lm")
link("C99 static", C99, "-static", SOURCE, *static)
link("C99 static-pie", C99, "-static-pie", "-fPIE", SOURCE, *static)
cxx = shutil.which("c++")
if cxx:
    CXX = [cxx, "-std=c++11", "-x", "c++"]
    link("C++11 shared", CXX, SOURCE, "-x", "none", *shared)
    link("C++11 static", CXX, "-static", SOURCE, "-x", "none", *static)

CMAKE = f"""cmake_minimum_required(VERSION 3.13)
project(linking C)
find_package(pprof 0.1 REQUIRED)
foreach(way pprof archive static)
  add_executable(by_${{way}} {SOURCE})
  target_link_libraries(by_${{way}} pprof::${{way}})
endforeach()
target_link_options(by_static PRIVATE -static)
"""
cmake = shutil.which("cmake")
if cmake:
    project = live.TEMP / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(CMAKE)
    live.run([cmake, "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={PREFIX}", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
              f"-Dpprof_DIR={LIBDIR}/cmake/pprof"], 60)
    live.run([cmake, "--build", project / "build"], 60)
    for way in ("pprof", "archive", "static"):
        check_run(f"CMake's pprof::{way}", project / "build" / f"by_{way}")
else:
    print("cmake is not installed: left out")
live.finish()
