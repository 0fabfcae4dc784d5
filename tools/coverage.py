#!/usr/bin/env python3
"""coverage.py BUILD LINES-MIN: what was run in BUILD (clang's own counters): lines of all sources, branches of the security core.

Writes build/coverage.txt: each source with its share of lines, and each branch of the core that was never taken. One that cannot
be reached, or not by a test, stands in tests/coverage/unreached.txt with the reason. Ends with 1 when fewer than LINES-MIN per cent
of all lines were run, or when a branch of the core is neither taken nor listed; with a LINES-MIN of 0 it only says so.

A line counts when it is inside a function and has more than a comment or a brace. A branch is one way out of a condition that
stands in the source: each operand of && and || has two. So what the compiler adds by itself (cleanup, the protector of the stack)
is none, nor is the hidden condition of assert(), which a correct program never takes, nor one that is constant (while (true)).
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
LISTED = os.path.join(ROOT, "tests/coverage/unreached.txt")
CORE = (
    "src/crypto/", "src/oauth/", "src/net/egress.c", "src/net/url.c", "src/net/http_parse.c", "src/net/http_chunked.c", "src/json/",
    "src/call/rights.c", "src/call/words.c", "src/call/token_options.c", "src/accounts/authenticate.c", "src/audit/chain.c",
    "src/audit/verify.c", "src/audit/checkpoint.c",
)  # fmt: skip


def is_core(name):
    return name.startswith(CORE)


def counted(build):
    """[{filename, segments, branches}] of all sources of the program."""
    build = os.path.join(ROOT, build)
    raw = [os.path.join(build, "counts", name) for name in sorted(os.listdir(os.path.join(build, "counts")))]
    with open(os.path.join(build, "counts.txt"), "w", encoding="utf-8") as out:
        print(*raw, sep="\n", file=out)
    merged = os.path.join(build, "counts.profdata")
    # A file whose process was killed while it made it is empty: passed over.
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-failure-mode=all", "-f", os.path.join(build, "counts.txt"), "-o", merged],
                   stderr=subprocess.DEVNULL, check=True)
    said = subprocess.run(["llvm-cov", "export", os.path.join(build, "porteiro"), "-instr-profile", merged, "-skip-functions"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(said.stdout)["data"][0]["files"]


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_lines(text):
    """Numbers of the lines that have more than a comment or a brace."""
    code = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', lambda found: found.group() if found.group()[0] == '"' else blank(found), text, flags=re.S)
    return [number for number, line in enumerate(code.split("\n"), 1) if re.sub(r"\belse\b|[{}();\s]", "", line)]


def line_counts(segments, numbers):
    """{line: count} of those lines that are inside a function; as llvm-cov counts: a line is run when something on it is."""
    counts, at, before = {}, 0, None
    for number in numbers:
        while at < len(segments) and segments[at][0] < number:
            before, at = segments[at], at + 1
        here = []
        while at + len(here) < len(segments) and segments[at + len(here)][0] == number:
            here.append(segments[at + len(here)])
        starts = [one[2] for one in here if one[3] and one[4] and not one[5]]
        around = before is not None and before[3]
        if not around and not starts:
            continue
        counts[number] = max([before[2] if around else 0, *starts])
    return counts


def listed_lines():
    """{(source, text)}: lines "source: text", each with an indented reason under it."""
    known, last = {}, None
    for line in open(LISTED, encoding="utf-8"):
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            known[last] = line.strip()
        else:
            name, text = line.rstrip("\n").split(": ", 1)
            last = (name, text)
            known[last] = ""
    return known


def ways(file, lines):
    """(line, condition's columns, which way, whether taken) of each branch."""
    for line, column, line_end, column_end, true, false, *_ in file["branches"]:
        if not true and not false and lines.get(line):
            continue  # it is constant
        end = column_end if line_end == line else None
        yield line, column, end, "true", true > 0
        yield line, column, end, "false", false > 0


def main():
    build, minimum = sys.argv[1], float(sys.argv[2])
    known, used, missing = listed_lines(), set(), []
    total = run = branches = taken = 0
    with open(os.path.join(ROOT, "build/coverage.txt"), "w", encoding="utf-8") as out:
        for file in counted(build):
            name = os.path.relpath(file["filename"], ROOT)
            if not name.startswith("src/") or not name.endswith(".c"):
                continue
            with open(os.path.join(ROOT, name), encoding="utf-8") as source:
                text = source.read()
            lines = line_counts(file["segments"], code_lines(text))
            here = sum(1 for count in lines.values() if count)
            total, run = total + len(lines), run + here
            print(f"{100 * here / max(1, len(lines)):5.1f} %  {here:5} of {len(lines):5}  {name}", file=out)
            if not is_core(name):
                continue
            text = text.split("\n")
            for line, column, end, way, reached in sorted(set(ways(file, lines))):
                branches, taken = branches + 1, taken + reached
                if reached:
                    continue
                key = (name, text[line - 1].strip())
                if key in known:
                    used.add(key)
                else:
                    missing.append(f"{name}:{line}: {text[line - 1][column - 1 : end and end - 1]} is never {way}" + ("" if lines.get(line) else " (not run)"))
        print("\n".join(["", "the core, neither taken nor listed:", *missing]), file=out)
    share = 100 * run / total
    print(f"coverage: {share:.1f} % of {total} lines; the core: {taken} of {branches} branches ({100 * taken / branches:.1f} %), "
          f"{len(missing)} neither taken nor listed, {len(used)} lines listed; build/coverage.txt has the list")
    for name, text in sorted(known.keys() - used):
        print(f"coverage: listed, but covered or gone: {name}: {text}")
    only_looking = minimum == 0
    sys.exit(0 if only_looking or (share >= minimum and not missing) else 1)


if __name__ == "__main__":
    main()
