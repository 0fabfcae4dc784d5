#!/usr/bin/env python3
"""packaging/sbom.py PROGRAM VERSION EPOCH ARCHITECTURE: what the program is made of and links to, as CycloneDX 1.5 on stdout.

Libraries by the Debian package that brings each (for ARCHITECTURE; PROGRAM is one for this machine); what a browser gets by the dashboard's lock file. The same input gives the same bytes.
"""
import datetime
import json
import os
import re
import subprocess
import sys
import uuid

program, version, epoch, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def libraries():
    needed = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", program))
    paths = dict(re.findall(r"(\S+) => (\S+)", run("ldd", program)))
    for name in sorted(needed):
        path = os.path.realpath(paths[name]) if name in paths else None
        found = subprocess.run(["dpkg-query", "-S", path or name], capture_output=True, text=True).stdout
        if not found and path:  # a merged /usr: the package's list may have the other name
            found = subprocess.run(["dpkg-query", "-S", "*/" + os.path.basename(path)], capture_output=True, text=True).stdout
        package = found.split(": ")[0].split(",")[0]
        if not package:
            sys.exit(f"sbom: no package brings {name}")
        yield run("dpkg-query", "-W", "-f=${source:Package} ${binary:Package} ${Version} ${Architecture}", package).split()


def dashboard():
    lock = os.path.join(root, "dashboard/package-lock.json")
    if not os.path.exists(lock):
        return
    bundled = ("preact", "@preact/signals", "@preact/signals-core")  # the rest builds and tests
    for name, package in sorted(json.load(open(lock))["packages"].items()):
        name = name.removeprefix("node_modules/")
        if name in bundled:
            yield name, package["version"], package.get("license")


components = []
for source, binary, package_version, architecture in libraries():
    name = binary.split(":")[0]
    architecture = architecture if architecture == "all" else wanted  # PROGRAM is this machine's own: the libraries are the same
    components.append({
        "type": "library", "bom-ref": f"deb/{name}", "name": name, "version": package_version,
        "purl": f"pkg:deb/debian/{name}@{package_version}?arch={architecture}&distro=bookworm", "group": source})
for name, package_version, license_id in dashboard():
    components.append({
        "type": "library", "bom-ref": f"npm/{name}", "name": name, "version": package_version,
        "purl": f"pkg:npm/{name.replace('@', '%40')}@{package_version}",
        **({"licenses": [{"license": {"id": license_id}}]} if license_id else {})})
body = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "metadata": {
        "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).isoformat().replace("+00:00", "Z"),
        "component": {"type": "application", "bom-ref": "porteiro", "name": "porteiro", "version": version,
                      "licenses": [{"license": {"id": "MIT"}}]}},
    "components": components,
    "dependencies": [{"ref": "porteiro", "dependsOn": [component["bom-ref"] for component in components]}],
}
serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
print(json.dumps({**body, "serialNumber": f"urn:uuid:{serial}"}, indent=1, sort_keys=True))
