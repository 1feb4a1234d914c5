#!/usr/bin/env python3
"""House rules that are programs: reads every tracked source file and says what breaks a rule, and what to do instead.

Rules: includes follow the folder table of ARCHITECTURE.md; every file opens by naming itself; functions have at most
60 lines, files 800, face headers 250; calls with a better replacement are refused; every .c file is in its folder's
meson.build. Exceptions live in tests/tidy/exceptions.txt ("path rule" a line) and should end empty.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_WALL, FILE_WALL, FACE_WALL = 60, 800, 250

# (pattern, folders it is refused in, what to do instead)
ANALYZER = ("base", "profile", "trace", "formats", "symbols", "view", "graph", "report", "render")
EVERYWHERE = ANALYZER + ("driver", "web", "agent", "agent/hot", "cmd")
BANNED = [
    (r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets)\(", EVERYWHERE, "use struct buf or str"),
    (r"\b(atoi|atol|strtoll|strtoull|strtoul|strtol)\(", tuple(f for f in EVERYWHERE if f != "base"), "use num_parse_i64"),
    (r"\b(printf|puts|perror|putchar)\(", ANALYZER[1:], "library folders never print: return rows, messages or an err"),
    (r"\bfprintf\(\s*(stdout|stderr)", ANALYZER[1:] + ("agent", "agent/hot"), "library folders never print"),
    (r"\b(exit|_exit|abort)\(", ANALYZER[1:] + ("agent/hot",), "library folders never exit: return false with an err"),
    (r"(?<![\w>.])(malloc|calloc|realloc|free|strdup)\(", ANALYZER[1:] + ("agent",), "memory lives in arenas"),
    (r"\bsetitimer\(", EVERYWHERE, "timer_create per thread: setitimer is lost across threads and kills what is exec'd"),
    (r"\bdlsym\(", ("agent", "agent/hot"), "hot_resolve: dlsym may allocate and may find the wrong definition"),
    (r"\b(system|popen)\(", EVERYWHERE, "no subprocess; viewers go through driver/viewer"),
    (r"\b(setenv|putenv|unsetenv|clearenv)\(", ("agent", "agent/hot"), "the program's environment stays as it is"),
    (r"%(\.\d+|\.\*)?[efg]\b", ("agent", "driver", "report", "render", "profile"), "num_fixed, num_general: printf follows the locale"),
]


def tracked():
    out = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True).stdout
    return [p for p in out.split("\n") if p and (ROOT / p).is_file()]


def folder_table():
    """{folder: set of folders it may include}, from the markdown table."""
    table = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 3 and cells[0] not in ("folder", "---"):
            table[cells[0]] = set(cells[2].split())
    return table


def folder_of(path):
    return str(Path(path).parent.relative_to("src")) if path.startswith("src/") else None


def strip_code(text):
    """The text without comments and string contents, line structure kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_includes(path, text, table):
    here = folder_of(path)
    if here not in table:
        yield "folder", f"src/{here} is not in the folder table of ARCHITECTURE.md"
        return
    for n, line in enumerate(text.splitlines(), 1):
        match = re.match(r'#include "([^"]+)"', line)
        if not match or "/" not in match.group(1):
            continue
        folder, name = match.group(1).rsplit("/", 1)
        if folder == here:
            continue
        if folder not in table[here]:
            yield "include", f"line {n}: {here} may not include {match.group(1)} (ARCHITECTURE.md)"
        elif name not in (folder.split("/")[-1] + ".h", "opts.h", "types.h") and not name.endswith(".def"):
            yield "include", f"line {n}: include the face of {folder}, not {name}"


def check_lengths(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_WALL:
        yield "file-length", f"{len(lines)} lines; {FILE_WALL} is the wall: split it by what it is for"
    folder = folder_of(path)
    if folder and Path(path).name == folder.split("/")[-1] + ".h" and len(lines) > FACE_WALL:
        yield "face-length", f"face header of {len(lines)} lines; {FACE_WALL} is the wall"
    start = None
    for n, line in enumerate(strip_code(text).splitlines(), 1):
        if re.match(r"^[A-Za-z_].*\)\s*{$|^\s{1,40}\S.*\)\s*{$", line) and start is None and is_top(lines, n):
            start = n
        elif line == "{" and start is None:
            start = n
        elif line.startswith("}") and start is not None:
            if n - start - 1 > FUNCTION_WALL:
                yield "function-length", f"line {start}: function of {n - start - 1} lines; {FUNCTION_WALL} is the wall"
            start = None


def is_top(lines, n):
    """Whether line n begins or continues a definition at column 0."""
    while n > 1 and lines[n - 1].startswith(" "):
        n -= 1
    return bool(re.match(r"^[A-Za-z_]", lines[n - 1]))


def check_opening(path, text):
    short = path[4:] if path.startswith("src/") else path
    first = text.splitlines()[0] if text else ""
    if not re.match(r"^// " + re.escape(short) + r" - \S", first):
        yield "opening", f'the first line must be "// {short} - what it is for"'


def check_banned(path, text):
    folder = folder_of(path)
    code = strip_code(text)
    for pattern, folders, instead in BANNED:
        if folder not in folders:
            continue
        source = text if pattern.startswith("%") else code
        for match in re.finditer(pattern, source):
            line = source.count("\n", 0, match.start()) + 1
            if pattern.startswith("%") and "//" in text.splitlines()[line - 1].split('"')[0]:
                continue
            yield "banned", f"line {line}: {match.group(0).rstrip('(')}: {instead}"


def check_listed(path):
    build = ROOT / Path(path).parent / "meson.build"
    name = Path(path).name
    if path.startswith(("tests/unit/", "fuzz/")):
        name = re.sub(r"^[a-z]+_", "", Path(path).stem) if path.startswith("tests/unit/") else Path(path).stem
        if Path(path).stem == "unit_main":
            return
    folder = build.parent
    while folder != ROOT and not (folder / "meson.build").exists():
        folder = folder.parent
    build = (folder / "meson.build").read_text()
    if f"{name}'" not in build and f"{Path(path).name}'" not in build:
        yield "unlisted", f"not in {(folder / 'meson.build').relative_to(ROOT)}"


def check(path, table):
    text = (ROOT / path).read_text()
    yield from check_opening(path, text)
    yield from check_lengths(path, text)
    if folder_of(path):
        yield from check_includes(path, text, table)
        yield from check_banned(path, text)
    if path.endswith((".c", ".cc")):
        yield from check_listed(path)
    if path.endswith(".h") and "#pragma once" not in text and not path.startswith("include/"):
        yield "pragma", "headers start with #pragma once"


def main():
    exceptions_file = ROOT / "tests/tidy/exceptions.txt"
    lines = exceptions_file.read_text().splitlines() if exceptions_file.exists() else []
    allowed = {tuple(line.split()[:2]) for line in lines if line and not line.startswith("#")}
    table, used, n_bad, n_files = folder_table(), set(), 0, 0
    for path in tracked():
        if not path.endswith((".c", ".h", ".cc")):
            continue
        n_files += 1
        for rule, sentence in check(path, table):
            if (path, rule) in allowed:
                used.add((path, rule))
                continue
            n_bad += 1
            print(f"{path}: {rule}: {sentence}")
    for path, rule in sorted(allowed - used):
        n_bad += 1
        print(f"tests/tidy/exceptions.txt: {path} {rule} is not needed any more")
    print(f"{n_files} files read, {n_bad} rules broken")
    return 1 if n_bad or not n_files else 0


sys.exit(main())
