# tests/cli/rows.py - proves that -json and -csv give the rows of the report beside them, with the text's numbers.
import csv
import io
import json
import os
import re

from cli import claim, finish, pprof

PROFILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/synthetic/profiles")
CPU = os.path.join(PROFILES, "diffable.1.pb.gz")
LABELS = os.path.join(PROFILES, "labels.2.pb.gz")
RAW_UNITS = ["-unit=nosuch", "-nodefraction=0", "-nodecount=0"]  # every row, and no autoscaling of counts


def text(*args):
    return pprof(*args)[1]


def rows(*args):
    status, out, err = pprof("-json", *args)
    claim(status == 0, f"{args[0]} has rows", err)
    return json.loads(out)


def table(*args):
    return list(csv.DictReader(io.StringIO(pprof("-csv", *args)[1])))


def top():
    flags = ["-sample_index=alloc_objects", *RAW_UNITS]
    lines = text("-top", *flags, CPU).split("cum%\n")[1].splitlines()
    want = [(re.sub(r" \((partial-)?inline\)$", "", line.split(None, 5)[5]), int(re.match(r"\s*(\d+)", line)[1])) for line in lines]
    got = [(row["name"], row["flat"]) for row in rows("-top", *flags, CPU)["rows"]]
    claim(got == want and len(got) > 10, "json's rows are top's", (got[:2], want[:2]))
    claim(rows("-top", *flags, CPU) == json.loads(text("-json", *flags, CPU)), "-json alone means top")


def tree():
    found = rows("-tree", CPU)["rows"]
    want = [line.split("| ")[1].strip() for line in text("-tree", CPU).splitlines() if re.match(r".*% {16}\| ", line)]
    claim([row["name"] for row in found] == want and want, "json's rows are tree's", want[:3])
    calls = {(r["name"], c["name"]): c["weight"] for r in found for c in r["callees"]}
    back = {(c["name"], r["name"]): c["weight"] for r in found for c in r["callers"]}
    claim(calls == back and calls, "callers and callees are the same calls")
    flat = table("-tree", CPU)
    claim({(r["name"], r["other"]): int(r["cum"]) for r in flat if r["role"] == "callee"} == calls, "csv has the same calls")
    name = want[0]
    claim([row["name"] for row in rows(f"-peek=^{re.escape(name)}$", CPU)["rows"]] == [name], "peek has the row asked for")


def graph():
    document = rows("-dot", CPU)
    dot = text("-dot", CPU)
    claim(len(document["rows"]) == len(re.findall(r"^N\d+ \[label", dot, re.M)), "json's rows are dot's nodes")
    claim(len(document["edges"]) == len(re.findall(r"^N\d+ -> N\d+ \[", dot, re.M)), "and its edges are dot's")


def labels():
    found = rows("-tags", LABELS)["rows"]
    claim([(r["key"], r["value"], str(r["weight"])) for r in found] ==
          [(r["key"], r["value"], r["weight"]) for r in table("-tags", LABELS)] and found, "csv and json agree about tags")
    claim(text("-tags", LABELS).count("): ") == len(found), "a row a line of tags", len(found))
    document = rows("-traces", LABELS)
    claim(len(document["rows"]) == text("-traces", LABELS).count("-----------+---") - 1, "a row a trace")
    claim(sum(abs(r["value"]) for r in document["rows"]) == document["total"], "traces add up to the total")
    frames = table("-traces", LABELS)
    leaves = [r for r in frames if r["frame"] == "0"]
    claim([int(r["value"]) for r in leaves] == [r["value"] for r in document["rows"]], "csv has the same traces", leaves)
    claim(len(frames) == sum(len(r["frames"]) for r in document["rows"]), "and their frames")
    claim([r["comment"] for r in table("-comments", CPU)] == rows("-comments", CPU)["rows"], "csv has the comments")
    claim("kb" in document["label_units"].values() or document["label_units"], "labels have units")


def refused():
    for flags in (["-json", "-csv"], ["-json", "-proto"], ["-csv", "-dot"], ["-json", "-svg"]):
        status, out, err = pprof(*flags, CPU)
        claim(status == 2 and not out and err.startswith("pprof: "), " ".join(flags) + " is refused", err)


def shell():
    out = pprof(CPU, stdin=b"json tree 3\ncsv 2\njson peek\n")
    claim(out[1].startswith('{"type"') and '"callers"' in out[1], "the shell's json tree", out[1][:80])
    claim("name,flat,cum,unit,inlined\n" in out[1], "the shell's csv", out[1][-200:])
    claim("command peek requires an argument" in out[2], "json peek wants an expression", out[2])


top()
tree()
graph()
labels()
refused()
shell()
finish()
