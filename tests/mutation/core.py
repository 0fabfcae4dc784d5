#!/usr/bin/env python3
"""core.py [--count N] [--only NAME] [--keep-going SECONDS] [MODULE...]: small changes of the security core, each of which a test must notice.

A mutant is one source file with one operator, condition, number, result or statement changed. It is compiled as the build
compiles that file, linked in front of the archive into the unit tests of its module, and those are run; it is killed when one of
them fails, crashes or hangs. Which changes are tried depends only on the text of their lines, so a list of survivors stays good
while other lines come and go. N of each module (20), at most one for each line.

What cannot be killed because nothing changes is listed in equivalent.txt, with the reason. Changes that give the same object
code are passed over, and so are those of lines that write a log line or wipe memory: no test sees either.
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.join(ROOT, "build/mutants")
EQUIVALENT = os.path.join(ROOT, "tests/mutation/equivalent.txt")
TEST_SECONDS_MIN = 10  # a mutant that loops is killed; a slow machine is no mutant

# module: (sources, unit tests as meson names them, quick ones first: the first that fails is enough)
MODULES = {
    "crypto": (
        ["crypto/keyring.c", "crypto/password.c", "crypto/seal.c", "crypto/sha256.c"],
        ["crypto-seal_test", "crypto-keyring_test", "crypto-keyring_rows_test", "crypto-password_test", "crypto-sha256_test"],
    ),
    "token": (["crypto/token.c"], ["crypto-token_test"]),
    "oauth": (
        ["oauth/redeem.c", "oauth/redirect.c", "oauth/scopes.c", "oauth/document.c", "oauth/clients.c", "oauth/grants.c"],
        ["oauth-redirect_test", "oauth-document_read_test", "oauth-clients_test", "oauth-grants_test", "oauth-redeem_test"],
    ),
    "egress": (["net/egress.c"], ["net-egress_test"]),
    "policy": (
        ["call/rights.c", "call/words.c", "accounts/authenticate.c"],
        ["call-rights_test", "accounts-principal_test", "accounts-authenticate_test"],
    ),
    "http_parse": (["net/http_parse.c", "net/http_chunked.c"], ["net-http_parse_test", "net-http_chunked_test"]),
    "json": (
        ["json/json.c", "json/json_scan.c", "json/json_write.c", "json/lex.c", "json/number.c", "json/schema.c"],
        ["json-json_test", "json-json_write_test", "json-lex_test", "json-schema_test", "json-number_test"],
    ),
    "audit": (
        ["audit/chain.c", "audit/verify.c", "audit/checkpoint.c", "audit/retention.c"],
        ["audit-verify_test", "audit-audit_test", "audit-marks_test"],
    ),
}

UNSEEN = re.compile(r"\b(log_\w+|sodium_memzero|sodium_munlock|keyring_wipe_later|assert|static_assert|_Static_assert)\(")
SWAPS = [
    (" == ", " != "), (" != ", " == "), (" <= ", " < "), (" >= ", " > "), (" < ", " <= "), (" > ", " >= "),
    (" && ", " || "), (" || ", " && "), (" + ", " - "), (" - ", " + "), (" << ", " >> "), (" += ", " -= "),
    ("return true;", "return false;"), ("return false;", "return true;"), ("return OK;", "return E_INTERNAL;"),
    ("return error;", "return OK;"), (" = true;", " = false;"), (" = false;", " = true;"), ("if (!", "if ("),
    ("while (!", "while ("), ("|= ", "&= "), (" | ", " & "), (" & ", " | "), ("min_size(", "max_size("),
]


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_of(source):
    """The source with comments, strings and preprocessor lines blanked, of the same length."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', blank, source, flags=re.S | re.M)


def changes_of(line, code):
    """(what, new line) for each change of a line; code is the line without strings and comments."""
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), code):
            if old == " & " and code[found.end() : found.end() + 1] == "~":
                continue
            yield f"{old.strip()} -> {new.strip()}", line[: found.start()] + new + line[found.end() :]
    for found in re.finditer(r"(?<![\w.'\[\]])([0-9]+)(?![\w.'x])", code):
        number = int(found.group())
        yield f"{number} -> {number + 1}", line[: found.start()] + str(number + 1) + line[found.end() :]
    condition = re.match(r"^(\s+(?:\} else )?if \()(.*)(\)(?: \{)?\s*)$", code)
    if condition and code.count("(") == code.count(")"):
        start, end = condition.span(2)
        yield "if negated", line[:start] + "!(" + line[start:end] + ")" + line[end:]
    if re.match(r"^\s+[a-z]\w*\([^{}]*\);\s*$", code) or re.match(r"^\s+[a-z][\w.>\[\]-]* [-+|&]?= [^{}]*;\s*$", code):
        yield "statement removed", re.sub(r"\S.*$", ";", line)
    if re.match(r"^\s+(break|continue);\s*$", code):
        yield "jump removed", re.sub(r"\S.*$", ";", line)


def mutants_of(file):
    """(weight, file, line number, what, new line, old line), by weight: a hash, so that the choice depends on nothing else."""
    with open(os.path.join(ROOT, "src", file), encoding="utf-8") as source_file:
        source = source_file.read()
    seen, found, depth = {}, [], 0
    for number, (line, code) in enumerate(zip(source.split("\n"), code_of(source).split("\n"))):
        inside = depth > 0
        depth += code.count("{") - code.count("}")
        if not inside or UNSEEN.search(line):
            continue
        for what, new in changes_of(line, code):
            name = f"{file}: {line.strip()}: {what}"
            seen[name] = seen.get(name, 0) + 1
            name += f" ({seen[name]})" if seen[name] > 1 else ""
            found.append((hashlib.sha256(name.encode()).hexdigest(), file, number, name, new))
    return sorted(found)


def equivalents():
    """name -> reason, from equivalent.txt: a line of the mutant's name, then an indented one with the reason."""
    listed, name = {}, None
    for line in open(EQUIVALENT, encoding="utf-8"):
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            listed[name] = line.strip()
        else:
            name = line.strip()
            listed[name] = ""
    return listed


def shell(command, cwd=BUILD, timeout=120):
    return subprocess.run(command, shell=True, cwd=cwd, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


class Builder:
    """Compiles and links as ninja would, beside its records."""

    def __init__(self, directory):
        self.directory = directory
        said = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "all"], stdout=subprocess.PIPE, check=True, text=True)
        self.commands = said.stdout.split("\n")
        self.reference = {}

    def compile(self, file, source, name):
        command = next(line for line in self.commands if line.endswith(f" -c ../../src/{file}"))
        command = re.sub(r" -M[DQF]\b( \S*\.o(\.d)?)?", "", command)
        output = os.path.join(self.directory, f"{name}.o")
        place = os.path.join(self.directory, f"{name}.c")
        with open(place, "w", encoding="utf-8") as out:
            out.write(source)
        command = re.sub(r" -o \S+", lambda _: f" -o {output}", command)
        # One name for all, and no notes about lines: equal code gives equal objects.
        command = re.sub(r" -c \S+$", lambda _: f" -w -g0 -ffile-prefix-map={self.directory}=. -c {place}", command)
        return output if shell(command).returncode == 0 else None

    def same_code(self, file, source, one):
        if file not in self.reference:
            self.reference[file] = self.disassembly(self.compile(file, source, "reference"))
        return self.disassembly(one) == self.reference[file]

    def disassembly(self, place):
        sections = subprocess.run(["objcopy", "-O", "binary", "--dump-section", ".symtab=/dev/null", place, "/dev/null"], check=False, capture_output=True)
        del sections
        said = subprocess.run(["objdump", "-d", "-r", "-s", "-j", ".text", "-j", ".rodata", "-j", ".data.rel.ro", place], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return said.stdout.split(b"\n", 3)[3]

    def compile_including(self, test, file, mutant):
        """The object of a test that has the file's code in itself, by #include: built with the mutant in its place."""
        command = next(line for line in self.commands if re.search(rf" -o {re.escape(test)}\.p/\S+ -c ", line))
        place = os.path.join(BUILD, re.search(r" -c (\S+)$", command).group(1))
        with open(place, encoding="utf-8") as source:
            if f'#include "{file}"' not in source.read():
                return None
        copy = os.path.join(self.directory, "include", file)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copyfile(mutant[: -len(".o")] + ".c", copy)
        output = os.path.join(self.directory, "including.o")
        command = re.sub(r" -M[DQF]\b( \S*\.o(\.d)?)?", "", command)
        command = command.replace(" -I", f" -I{self.directory}/include -I", 1)
        command = re.sub(r" -o \S+", lambda _: f" -w -o {output}", command)
        result = shell(command)
        if result.returncode:
            sys.exit(f"core.py: {test} does not compile:\n{result.stdout.decode(errors='replace')[-2000:]}")
        return output

    def link(self, test, extra, file=None):
        output = os.path.join(self.directory, test)
        command = next(line for line in self.commands if re.search(rf" -o {re.escape(test)} ", line))
        including = self.compile_including(test, file, extra) if extra else None
        if including:
            command = re.sub(rf" {re.escape(test)}\.p/\S+\.o", lambda _: f" {including}", command)
            extra = None
        result = shell(command.replace(f" -o {test} ", f" -o {output} {extra or ''} "))
        if result.returncode:
            sys.exit(f"core.py: {test} does not link:\n{result.stdout.decode(errors='replace')[-2000:]}")
        return output


def passes(program, seconds):
    environment = {**os.environ, "PORTEIRO_ARENA_APART": "1", "PORTEIRO_TEST_SEED": "1"}
    child = subprocess.Popen([program], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return child.wait(timeout=seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(child.pid, 9)  # what it forked, too
        except ProcessLookupError:
            pass
        child.wait()


def limits(builder, tests):
    """How long each test may take: ten times what it takes unchanged. One that fails unchanged ends everything."""
    times = {}
    for test in tests:
        began = time.monotonic()
        if not passes(builder.link(test, None), 120):
            sys.exit(f"core.py: {test} fails without a mutation")
        times[test] = max(TEST_SECONDS_MIN, 10 * (time.monotonic() - began))
    return times


def try_module(name, builder, options):
    sources, tests = MODULES[name]
    listed, texts = equivalents(), {}
    candidates = sorted(mutant for file in sources for mutant in mutants_of(file))
    allowed = limits(builder, tests)
    killed, survived, lines = 0, [], set()
    for _, file, number, what, new in candidates:
        if killed + len(survived) >= options.count or (options.until and time.monotonic() > options.until):
            break
        if (file, number) in lines or what in listed or (options.only and options.only not in what):
            continue
        if file not in texts:
            with open(os.path.join(ROOT, "src", file), encoding="utf-8") as source:
                texts[file] = source.read()
        text = texts[file].split("\n")
        text[number] = new
        place = builder.compile(file, "\n".join(text), "mutant")
        if not place or builder.same_code(file, texts[file], place):
            continue
        lines.add((file, number))
        if all(passes(builder.link(test, place, file), allowed[test]) for test in tests):
            survived.append(what)
            print(f"SURVIVED {file}:{number + 1}\n{what}", flush=True)
        else:
            killed += 1
            if options.verbose:
                print(f"killed {what}", flush=True)
    print(f"mutants: {name}: {killed} killed, {len(survived)} survived", flush=True)
    return survived


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--only", help="only changes whose name contains this")
    parser.add_argument("--seconds", type=int, help="begin no mutant after so long")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    options = parser.parse_args()
    options.until = time.monotonic() + options.seconds if options.seconds else None
    with tempfile.TemporaryDirectory(prefix="porteiro-mutants-") as directory:
        builder = Builder(directory)
        survived = [what for name in options.modules for what in try_module(name, builder, options)]
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
