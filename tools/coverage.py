#!/usr/bin/env python3
"""coverage.py BUILD LINES-MIN: what gcov counted in BUILD: lines of all sources, and the branches of the security core.

Writes build/coverage.txt: each source with its share of lines, and each line of the core of which a branch was never taken. A
line that cannot be reached, or not by a test, stands in tests/coverage/unreached.txt with the reason; an assertion needs none.
Ends with 1 when fewer than LINES-MIN per cent of all lines were run. What of the core is neither taken nor listed is told only.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

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
    """{source: {line: [count, [branch counts]]}}"""
    sources = {}
    objects = os.path.join(ROOT, build, "libporteiro.a.p")
    notes = [os.path.join(objects, name) for name in sorted(os.listdir(objects)) if name.endswith(".gcno") and "src_" in name]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["gcov", "-b", "-j", *notes], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        for name in sorted(os.listdir(directory)):
            with gzip.open(os.path.join(directory, name), "rt", encoding="utf-8") as text:
                add(json.load(text), os.path.join(ROOT, build), sources)
    return sources


def add(report, build, sources):
    for file in report["files"]:
        name = os.path.relpath(os.path.join(build, file["file"]), ROOT)
        if not name.startswith("src/") or name.endswith((".h", "_test.c", "_fuzz.c")):
            continue
        lines = sources.setdefault(name, {})
        for line in file["lines"]:
            kept = lines.setdefault(line["line_number"], [0, []])
            kept[0] += line["count"]
            kept[1] += [branch["count"] for branch in line["branches"] if not branch["throw"]]


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


def main():
    build, minimum = sys.argv[1], float(sys.argv[2])
    sources, known, used, missing = counted(build), listed_lines(), set(), []
    total = run = branches = taken = 0
    with open(os.path.join(ROOT, "build/coverage.txt"), "w", encoding="utf-8") as out:
        for name, lines in sorted(sources.items()):
            here = sum(1 for count, _ in lines.values() if count)
            total, run = total + len(lines), run + here
            print(f"{100 * here / max(1, len(lines)):5.1f} %  {here:5} of {len(lines):5}  {name}", file=out)
            if not is_core(name):
                continue
            with open(os.path.join(ROOT, name), encoding="utf-8") as source:
                text = source.read().split("\n")
            for number, (count, ways) in sorted(lines.items()):
                branches, taken = branches + len(ways), taken + sum(1 for way in ways if way)
                here = text[number - 1].strip() if number <= len(text) else ""
                if (count and all(ways)) or here.startswith("assert("):
                    continue
                key = (name, here)
                if key in known:
                    used.add(key)
                else:
                    missing.append(f"{name}:{number}: {key[1]}  [{'not run' if not count else 'a branch never taken'}]")
        print("\n".join(["", "the core, neither taken nor listed:", *missing]), file=out)
    share = 100 * run / total
    print(f"coverage: {share:.1f} % of {total} lines; the core: {taken} of {branches} branches ({100 * taken / branches:.1f} %), "
          f"{len(missing)} lines with a branch neither taken nor listed, {len(used)} listed; build/coverage.txt has the list")
    for key in known.keys() - used:
        print(f"coverage: listed, but covered or gone: {key[0]}: {key[1]}")
    sys.exit(0 if share >= minimum else 1)


main()
