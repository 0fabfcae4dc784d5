#!/usr/bin/env python3
"""embed_assets.py OUTPUT.c DEPFILE: the table of src/web/assets.h, with the files themselves by .incbin.

dashboard/dist is taken as it was built: NAME, and NAME.br and NAME.gz where they are. Files below its assets/ have a hash in
their names. Of src/web/assets the stylesheets get one here (page.css is served as /assets/page-HASH.css) and are compressed;
the icons keep their names.
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
root = pathlib.Path(__file__).resolve().parent.parent
dist, own = root / "dashboard" / "dist", root / "src" / "web" / "assets"
output, depfile = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
read = [pathlib.Path(__file__).resolve()]


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def load(path):
    read.append(path)
    return path.read_bytes()


def write_if_new(path, data):
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
    return path


def variant(path):
    """(path, size, hash) of a compressed form, or None."""
    if not path.exists():
        return None
    data = load(path)
    return path, len(data), digest(data)


def of_dist():
    for path in sorted(dist.rglob("*")) if dist.is_dir() else []:
        if path.is_dir():
            read.append(path)
        if not path.is_file() or path.suffix in (".br", ".gz"):
            continue
        if path.suffix not in TYPES:
            sys.exit("%s: embed_assets.py does not know the type of such a file" % path)
        name, data = path.relative_to(dist).as_posix(), load(path)
        address = "/" + ("" if name == "index.html" else name)
        forms = [(path, len(data), digest(data)), variant(path.with_name(path.name + ".gz")), variant(path.with_name(path.name + ".br"))]
        yield address, name, TYPES[path.suffix], forms, name.startswith("assets/")


def of_pages():
    read.append(own)
    for path in sorted(own.iterdir()):
        data = load(path)
        packed = gzip.compress(data, 9, mtime=0)
        forms = [(path, len(data), digest(data)), None, None]
        if path.suffix != ".ico" and len(packed) < len(data):
            file = write_if_new(output.with_name("asset-" + path.name + ".gz"), packed)
            forms[1] = (file, len(packed), digest(packed))
        hashed = path.suffix == ".css"
        address = "/assets/%s-%s%s" % (path.stem, digest(data)[:8], path.suffix) if hashed else "/" + path.name
        yield address, path.name, TYPES[path.suffix], forms, hashed


table = {entry[0]: entry for entry in of_pages()}
table.update({entry[0]: entry for entry in of_dist()})  # an icon of the dashboard takes the place of ours
rows, blobs, seen = [], [], 0
for address, name, kind, forms, immutable in sorted(table.values()):
    fields = []
    for form in forms:
        if not form:
            fields.append('{"", 0}')
            continue
        path, size, code = form
        blobs.append(
            '/* %s */\n__asm__(".pushsection .rodata\\n.balign 16\\n.hidden asset_%d\\nasset_%d:\\n.incbin \\"%s\\"\\n.byte 0\\n"\n'
            '        ".popsection\\n");\nextern const char asset_%d[] __attribute__((visibility("hidden")));\n'
            % (code, seen, seen, str(path).replace("\\", "\\\\").replace('"', '\\"'), seen)
        )
        fields.append("{asset_%d, %d}" % (seen, size))
        seen += 1
    rows.append(
        '    {STR_INIT("%s"), STR_INIT("%s"), STR_INIT("%s"), %s, STR_INIT("%s"), %s},\n'
        % (address, name, kind, ", ".join(fields), forms[0][2], "true" if immutable else "false")
    )
text = '/* Made by tools/embed_assets.py. */\n#include "web/assets.h"\n\n' + "".join(blobs)
text += "\nconst struct asset assets[] = {\n%s};\nconst size_t n_assets = ARRAY_LENGTH(assets);\n" % "".join(rows)
write_if_new(output, text.encode())
# A dist that is not there yet: the nearest folder above it changes when it comes.
missing = dist
while not missing.is_dir():
    missing = missing.parent
read.append(missing)
escaped = [str(path).replace("\\", "\\\\").replace(" ", "\\ ") for path in read]
depfile.write_text("%s: %s\n" % (sys.argv[1], " ".join(escaped)))
