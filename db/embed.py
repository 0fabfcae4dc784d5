#!/usr/bin/env python3
"""embed.py OUTPUT.c DEPFILE: turns migrations/*/ and given.postgres.txt into the tables of src/store/migrations.h."""
import hashlib
import json
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
read = [pathlib.Path(__file__).resolve()]


def load(path):
    read.append(path)
    return path.read_bytes()


def literal(data):
    """C string literals, one a line of the text."""
    named = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t", ord("?"): "\\?"}
    lines = []
    for line in data.splitlines(keepends=True) or [b""]:
        text = "".join(named.get(c) or (chr(c) if 32 <= c < 127 else "\\%03o" % c) for c in line)
        lines.append('        "%s"' % text)
    return "\n".join(lines)


def migration_set(dialect):
    folder = here / "migrations" / dialect
    journal = json.loads(load(folder / "meta" / "_journal.json"))
    entries, last = [], None
    for entry in journal["entries"]:
        text = load(folder / (entry["tag"] + ".sql"))
        # Drizzle compares times, and its 1.0 names migrations by the second.
        if last is not None and entry["when"] // 1000 <= last // 1000:
            sys.exit("%s: `when` must be in a later second than that of the migration before" % entry["tag"])
        last = entry["when"]
        entries.append(
            "    {\n"
            '        .tag = "%s",\n'
            "        .when_ms = %d,\n"
            '        .hash = "%s",\n'
            "        .text = STR_INIT(\n%s),\n"
            "    },\n" % (entry["tag"], entry["when"], hashlib.sha256(text).hexdigest(), literal(text))
        )
    found = {path.name for path in folder.glob("*.sql")}
    named = {entry["tag"] + ".sql" for entry in journal["entries"]}
    if found != named:
        sys.exit("%s: files and journal differ: %s" % (dialect, ", ".join(sorted(found ^ named))))
    return (
        "static const struct migration {0}[] = {{\n{1}}};\n"
        "const struct migration_set migrations_{0} = {{{0}, ARRAY_LENGTH({0})}};\n\n"
    ).format(dialect, "".join(entries))


output = '/* Made by db/embed.py. */\n#include "store/migrations.h"\n\n'
output += migration_set("postgres") + migration_set("sqlite")
output += "const struct str migrations_given = STR_INIT(\n%s);\n" % literal(load(here / "given.postgres.txt"))
pathlib.Path(sys.argv[1]).write_text(output)
escaped = [str(path).replace("\\", "\\\\").replace(" ", "\\ ") for path in read]
pathlib.Path(sys.argv[2]).write_text("%s: %s\n" % (sys.argv[1], " ".join(escaped)))
