#!/usr/bin/env python3
"""packaging/tables.py - the man page and shell completions, made from the tables of src/driver.

usage: tables.py man|bash|zsh|fish SRC TEMPLATE VERSION OUT CC...
The C preprocessor expands each .def into Python literals, so a row means here what it means to C. Add a row and every
output has it; tests/cli/tables.py holds them against each other. TEMPLATE is the man page's prose.
"""
import ast
import subprocess
import sys

TABLES = {
    "options.def": ["OPTION(stage, type, name, default_, url, saved, help)", "CHOICE(option, value, name, help)"],
    "commands.def": ["COMMAND(name, kind, arg, post, dest, suffix, viewer, shape, help)"],
    "flags.def": ["FLAG(group, type, name, default_, help)"],
    "subcommands.def": ["SUBCOMMAND(name, arguments, help)"],
    "run.def": ["RUN_FLAG(name, help)", "CHILDREN(name, help)"],
    "trace.def": ["TRACE_FLAG(type, name, field, word, help)", "DUMP(name, help)", "WAIT(name, help)"],
    "environment.def": ["ENVIRONMENT(name, help)"],
    "values.def": ["VALUE(name, value)", "PATHS(name)"],
}
QUOTED = {"help", "arguments", "suffix", "viewer", "url", "value", "word"}  # string literals in the tables, as they stand


def macro(signature):
    """OPTION(a, help) as a #define that expands to: row("OPTION", {"a": "text of a", "help": help})."""
    name, words = signature[:-1].split("(")
    literal = QUOTED - ({"value"} if name == "CHOICE" else set())
    pairs = ", ".join(f'"{w}": {w}' if w in literal else f'"{w}": #{w}' for w in words.split(", "))
    return f'#define {signature} ("{name}", {{{pairs}}}),\n'


def read_tables(src, cc):
    text = "".join(macro(s) for signatures in TABLES.values() for s in signatures)
    text += "".join(f'#include "driver/{file}"\n' for file in TABLES)
    done = subprocess.run([*cc, "-E", "-P", "-x", "c", "-I", src, "-"], input=text, capture_output=True, text=True,
                          check=True)
    tables = {}
    for kind, row in ast.literal_eval("[" + done.stdout + "]"):
        tables.setdefault(kind, []).append(row)
    return tables


class Flag:
    """One flag of the command line: takes no value, or a word of values, a path, or free text."""

    def __init__(self, name, help, takes_value, default="", values=(), is_path=False):
        self.name, self.help, self.takes_value, self.default = name, help, takes_value, default
        self.values, self.is_path = list(values), is_path


def flags_of(t):
    """Every flag of reports by heading, and those of each subcommand by its name."""
    values = {}
    for row in t["VALUE"]:
        values.setdefault(row["name"], []).append(row["value"])
    paths = {row["name"] for row in t["PATHS"]}

    def flag(row, is_bool, default=""):
        return Flag(row["name"], row["help"], not is_bool, default.strip('"'), values.get(row["name"], ()),
                    row["name"] in paths)

    groups = {"COMMANDS": [flag(r, r["arg"] == "NO_ARG") for r in t["COMMAND"]]}
    groups["OPTIONS"] = [flag(r, r["type"] == "BOOL", r["default_"]) for r in t["OPTION"]
                         if r["type"] not in ("SORT", "GRANULARITY")]
    groups["CHOICES"] = [flag(r, True) for r in t["CHOICE"]]
    for row in t["FLAG"]:
        groups.setdefault("FLAGS_" + row["group"], []).append(flag(row, row["type"] == "BOOL", row["default_"]))
    own = {r["name"]: [] for r in t["SUBCOMMAND"]}
    words = {"children": t["CHILDREN"], "d": t["DUMP"], "pprof": t["WAIT"]}

    def own_flag(row, takes_value):
        return Flag(row["name"], row["help"], takes_value, values=[r["name"] for r in words.get(row["name"], ())])

    own["run"] = [own_flag(r, True) for r in t["RUN_FLAG"]]
    own["trace"] = [own_flag(r, r["type"] != "BOOL") for r in t["TRACE_FLAG"]]
    return groups, own


# --- the man page --------------------------------------------------------------------------------

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def man_flag(f):
    value = " value" if f.takes_value else ""
    text = f"{roff(f.help)}."
    if f.default not in ("", "false") and "default" not in f.help:
        text += f" Default: {roff(f.default)}."
    head = f'.BI \\-{roff(f.name)} "{value}"' if value else f".B \\-{roff(f.name)}"
    words = f"\nOne of: {', '.join(roff(v) for v in f.values)}." if f.values else ""
    return f".TP\n{head}\n{text}{words}"


def man_rows(rows, name=lambda r: r["name"], text=lambda r: r["help"]):
    return "\n".join(f".TP\n.B {roff(name(r))}\n{roff(text(r))}." for r in rows)


def man_page(t, template, version):
    groups, own = flags_of(t)
    parts = {name: "\n".join(man_flag(f) for f in flags) for name, flags in groups.items()}
    parts["VERSION"] = version
    parts["SUBCOMMANDS_SYNOPSIS"] = "\n".join(
        f".br\n.B pprof {r['name']}\n{roff(r['arguments'])}".rstrip() for r in t["SUBCOMMAND"])
    parts["SUBCOMMANDS"] = man_rows(t["SUBCOMMAND"], lambda r: f"pprof {r['name']} {r['arguments']}".strip())
    parts["RUN"] = "\n".join(man_flag(f) for f in own["run"])
    parts["TRACE"] = "\n".join(man_flag(f) for f in own["trace"])
    parts["TRACE"] += "\n.PP\nValues of\n.BR \\-d :\n" + man_rows(t["DUMP"])
    parts["TRACE"] += "\n.PP\nValues of\n.BR \\-pprof :\n" + man_rows(t["WAIT"])
    parts["RUN"] += "\n.PP\nValues of\n.BR \\-children :\n" + man_rows(t["CHILDREN"])
    parts["ENVIRONMENT"] = man_rows(t["ENVIRONMENT"])
    page = open(template, encoding="utf-8").read()
    for name, text in parts.items():
        page = page.replace(f"@{name}@", text)
    return page


# --- completions ---------------------------------------------------------------------------------

def shell_quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def all_flags(groups):
    return [f for flags in groups.values() for f in flags]


BASH = """# pprof: completion for bash, made from pprof's tables. Formats, options, their values, subcommands and files.
_pprof_values() { # the words a flag takes, a path (/), or nothing; $2: the subcommand
    case $2$1 in
@VALUES@
    esac
}

_pprof() {
    local flag= cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words sub= is_after=
    [ "$COMP_CWORD" -gt 1 ] && case ${COMP_WORDS[1]} in
    @SUBCOMMANDS_OR@) sub=${COMP_WORDS[1]} ;;
    esac
    case " ${COMP_WORDS[*]:0:COMP_CWORD} " in *" -- "*) is_after=1 ;; esac
    COMPREPLY=()
    # Bash cuts words at "=": "-unit=m" comes as "-unit" "=" "m".
    if [ "$is_after" ]; then
        :
    elif [ "$cur" = = ]; then
        flag=$prev cur=
    elif [ "$prev" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
        flag=${COMP_WORDS[COMP_CWORD-2]}
    else
        case " @TAKERS@ " in
        *" ${prev#-} "* | *" ${prev#--} "*) case $prev in -*) flag=$prev ;; esac ;;
        esac
    fi
    if [ -n "$flag" ]; then
        flag=${flag#-}
        words=$(_pprof_values "${flag#-}" "${sub:+$sub }")
        if [ "$words" = / ]; then
            COMPREPLY=($(compgen -f -- "$cur"))
        else
            COMPREPLY=($(compgen -W "$words" -- "$cur"))
        fi
    elif [ "$sub" = run ]; then
        case $cur in
        -*) [ "$is_after" ] || COMPREPLY=($(compgen -W '@RUN@ --' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -c -f -- "$cur")) ;;
        esac
    elif [ "$sub" = ps ]; then
        :
    elif [ "$sub" = trace ] && [ "${cur#-}" != "$cur" ]; then
        COMPREPLY=($(compgen -W '@TRACE@' -- "$cur"))
    elif [ "${cur#-}" != "$cur" ]; then
        COMPREPLY=($(compgen -W '@FLAGS@' -- "$cur"))
    else
        COMPREPLY=($(compgen -f -- "$cur"))
        [ "$COMP_CWORD" -eq 1 ] && COMPREPLY+=($(compgen -W '@SUBCOMMANDS@' -- "$cur"))
    fi
}
complete -o filenames -o bashdefault -F _pprof pprof
"""


def names(flags):
    return " ".join("-" + f.name for f in flags)


def bash_cases(flags, prefix):
    """The lines of _pprof_values for these flags of a subcommand."""
    quoted = f"'{prefix} '" if prefix else ""
    cases = [f"    {quoted}{f.name}) echo {shell_quote(' '.join(f.values))} ;;" for f in flags if f.values]
    cases += [f"    {quoted}{f.name}) echo / ;;" for f in flags if f.is_path]
    return cases + [f"    {quoted}{f.name}) echo 'true false' ;;" for f in flags if not f.takes_value]


def bash(t):
    groups, own = flags_of(t)
    flags = all_flags(groups)
    cases = bash_cases(flags, "")
    for name, more in own.items():
        cases += bash_cases(more, name)
    subs = [r["name"] for r in t["SUBCOMMAND"]]
    takers = {f.name for fs in [flags, *own.values()] for f in fs if f.takes_value}
    parts = {"VALUES": "\n".join(cases), "TAKERS": " ".join(sorted(takers)), "RUN": names(own["run"]),
             "TRACE": names(own["trace"]), "FLAGS": names(flags), "SUBCOMMANDS": " ".join(subs),
             "SUBCOMMANDS_OR": " | ".join(subs)}
    text = BASH
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def zsh_spec(f):
    def plain(text):
        return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    end = ""
    if f.takes_value:
        words = "_files" if f.is_path else f"({' '.join(plain(v) for v in f.values)})" if f.values else " "
        end = f":{f.name}:{words}"
    repeat = "*" if f.name in ("base", "diff_base") else ""
    return "    " + shell_quote(f"{repeat}-{f.name}{'=' if f.takes_value else ''}[{plain(f.help)}]{end}")


def zsh_array(name, flags):
    return f"{name}=(\n" + "\n".join(zsh_spec(f) for f in flags) + "\n)\n"


def zsh(t):
    groups, own = flags_of(t)
    subcommands = "\n".join("        " + shell_quote(f"{r['name']}:{r['help']}") for r in t["SUBCOMMAND"])
    return ("#compdef pprof\n# pprof: completion for zsh, made from pprof's tables.\n"
            "local -a flags run_flags trace_flags subcommands\n"
            + zsh_array("flags", all_flags(groups)) + zsh_array("run_flags", own["run"])
            + zsh_array("trace_flags", own["trace"]) +
            f"subcommands=(\n{subcommands}\n)\n"
            "if (( CURRENT > 2 )); then\n"
            "    case $words[2] in\n"
            "    run)\n"
            "        shift words; (( CURRENT-- ))\n"
            "        _arguments -S $run_flags '(-)1:program: _command_names -e' '*::arguments: _normal'\n"
            "        return ;;\n"
            "    trace)\n"
            "        shift words; (( CURRENT-- ))\n"
            "        _arguments $trace_flags '*:source:_files'\n"
            "        return ;;\n"
            "    ps)\n"
            "        _message 'no more arguments'\n"
            "        return ;;\n"
            "    esac\n"
            "fi\n"
            "(( CURRENT == 2 )) && _describe -t subcommands subcommand subcommands\n"
            "_arguments $flags '*:source:_files'\n")


def fish_flag(f, where):
    line = f"complete -c pprof -n {shell_quote(where)} -o {f.name}"
    if f.takes_value:
        line += " -r" if f.is_path else f" -x -a {shell_quote(' '.join(f.values))}" if f.values else " -x"
    return f"{line} -d {shell_quote(f.help)}"


FISH = """# pprof: completion for fish, made from pprof's tables.
# Only the first word may be a subcommand: a file may be called so too.
function __pprof_in
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end
function __pprof_first
    test (count (commandline -opc)) -eq 1
end
"""


def fish(t):
    groups, own = flags_of(t)
    subcommands = " ".join(own)
    lines = [f"complete -c pprof -n __pprof_first -a {r['name']} -d {shell_quote(r['help'])}" for r in t["SUBCOMMAND"]]
    lines += ["complete -c pprof -n '__pprof_in ps' -f",
              "complete -c pprof -n '__pprof_in run' -x -a '(__fish_complete_subcommand --fcs-skip=2)'"]
    lines += [fish_flag(f, f"not __pprof_in {subcommands}") for f in all_flags(groups)]
    lines += [fish_flag(f, f"__pprof_in {name}") for name, flags in own.items() for f in flags]
    return FISH + "\n".join(lines) + "\n"


def main():
    kind, src, template, version, out, *cc = sys.argv[1:]
    t = read_tables(src, cc)
    text = man_page(t, template, version) if kind == "man" else {"bash": bash, "zsh": zsh, "fish": fish}[kind](t)
    with open(out, "w", encoding="utf-8") as f:
        f.write(text)


main()
