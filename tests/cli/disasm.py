# tests/cli/disasm.py - proves disasm and weblist on a small C program: fixed and position independent, by name and by address, with
# what was inlined, in both syntaxes; and what is said when nothing matches.
import html.parser
import re
import struct
import subprocess

from cli import SCRATCH, claim, finish, pprof, write

SOURCE = """volatile unsigned long seed = 3;
static inline __attribute__((always_inline)) unsigned long inner(unsigned long x) {
    return x * seed;
}
__attribute__((noinline)) unsigned long outer(unsigned long x) {
    return inner(x) + 1;
}
int main(void) {
    return outer(seed) == 0;
}
"""
BIAS = 0x555555554000


def build(name, *flags):
    subprocess.run(["cc", "-g", "-O2", *flags, "-o", f"{SCRATCH}/{name}", f"{SCRATCH}/program.c"], check=True)
    # "ADDRESS SIZE TYPE NAME"
    out = subprocess.run(["nm", "-S", f"{SCRATCH}/{name}"], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in out.splitlines()]
    return {w[3]: int(w[0], 16) for w in lines if len(w) == 4}


def samples(name, bias, counts):
    # gperftools' CPU profile: header, records of one frame, trailer, the memory map.
    words = [0, 3, 0, 10000, 0]
    for address, count in counts.items():
        words += [count, 1, bias + address]
    data = struct.pack(f"<{len(words) + 3}Q", *words, 0, 1, 0)
    start = bias or 0x400000
    return write(name + ".prof", data + f"{start:x}-{start + 0x10000:x} r-xp 00000000 08:01 1 {SCRATCH}/{name}\n".encode())


def check(name, bias, *flags):
    outer = build(name, *flags)["outer"]
    prof = samples(name, bias, {outer: 3, outer + 1: 2})
    status, out, err = pprof("-disasm=^outer$", prof)
    claim(status == 0, f"{name}: disasm works", out, err)
    lines = out.splitlines()
    claim(lines[0] == "Total: 50ms" and lines[1] == "ROUTINE ======================== outer", "it has a head", out)
    claim(lines[2].startswith("      50ms       50ms (flat, cum)   100% of Total"), "and sums", out)
    claim(lines[3] == " " * 74 + ";inner program.c:3", "long instructions have their place above", out)
    claim(f"{outer:x}: " in lines[4] and lines[4].startswith("      50ms       50ms"), "samples in the middle of an instruction are its", out)
    claim(re.search(r": lea  [^;]*;outer program.c:6\n", out), "short ones beside them", out)
    claim(re.search(r"0x[0-9a-f]+\(%rip\),%rax +# [0-9a-f]+ <seed>", out), "data has names, in AT&T syntax", out)
    status, out, err = pprof("-disasm=^outer$", "-intel_syntax", prof)
    claim("QWORD PTR [rip+0x" in out, "Intel syntax", out, err)
    status, out, err = pprof(f"-disasm={bias + outer + 1:#x}", prof)
    claim("= outer\n" in out, "an address finds its function", out, err)
    main = build(name, *flags)["main"]
    status, out, err = pprof(f"-disasm={bias + main:#x}", prof)
    claim(status == 2 and "found in binary, but the corresponding symbols do not have samples" in err, "without samples it says so", out, err)
    status, out, err = pprof("-disasm=nosuch", prof)
    claim(status == 2 and "no matches found for regexp nosuch" in err, "nothing matches", err)
    status, out, err = pprof("-disasm=0x12", prof)
    claim(status == 2 and "no matches found for address 0x12" in err, "no such address", err)


class Page(html.parser.HTMLParser):
    # Checks that elements nest, and keeps the text of each class and what the page would load.
    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.loads, self.is_nested = [], {}, [], True
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.loads += [attrs[k] for k in ("src", "href") if k in attrs]
        if tag in ("meta", "br"):
            return
        self.open.append((tag, attrs.get("class", tag)))
        self.texts.setdefault(self.open[-1][1], []).append("")

    def handle_endtag(self, tag):
        self.is_nested &= bool(self.open) and self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, name in self.open:
            self.texts[name][-1] += data


def web(name, bias, *flags):
    outer = build(name, *flags)["outer"]
    prof = samples(name, bias, {outer: 3, outer + 1: 2})
    status, out, err = pprof("-weblist=^outer$", "-output=" + SCRATCH + "/list.html", prof)
    claim(status == 0, f"{name}: weblist works", out, err)
    page = Page(open(SCRATCH + "/list.html").read())
    claim(page.is_nested and not page.open and not page.loads, "the page is whole and loads nothing", page.open, page.loads)
    claim(page.texts["h2"] == ["outer"] and page.texts["filename"] == [SCRATCH + "/program.c"], "one function", page.texts)
    claim("Total: 50ms" in page.texts["legend"][0], "the legend", page.texts["legend"])
    hot = [t for t in page.texts["livesrc"] if "return inner(x) + 1;" in t]
    claim(len(hot) == 1 and hot[0].split()[:2] == ["50ms", "50ms"], "weights stand beside the line that calls", page.texts["livesrc"])
    claim(any("return x * seed;" in t for t in page.texts["inlinesrc"]), "and what was inlined there", page.texts["inlinesrc"])
    code = "".join(page.texts["asm"])
    claim(re.search(rf"50ms +50ms +{outer:x}: +mov +0x[0-9a-f]+\(%rip\),%rax +# [0-9a-f]+ <seed>", code), "instructions behind it", code)
    claim(any("volatile" in t for t in page.texts["nop"]), "lines without code stand around", page.texts["nop"])
    status, out, err = pprof("-weblist=nosuch", "-output=" + SCRATCH + "/none.html", prof)
    claim(status == 2 and "no matches found for regexp: nosuch" in err, "nothing matches", err)


write("program.c", SOURCE.encode())
check("fixed", 0, "-no-pie")
check("pie", BIAS, "-pie", "-fPIE")
web("fixed", 0, "-no-pie")
web("pie", BIAS, "-pie", "-fPIE")
finish()
