"""unit_results.py TESTLOG.json: what meson ran, as lines "ok|fail|time <tab> name <tab> ms" for ./dev test.

Each cmocka case counts by itself (TAP); a program that fails without a failed case (a crash, a sanitizer's
report, a timeout) counts as one failure; a program without any case too, for a test that cannot fail is none.
"""
import json
import re
import sys

for line in open(sys.argv[1], encoding="utf-8"):
    run = json.loads(line)
    name, failed, passed = run["name"], 0, 0
    ms = int(run["duration"] * 1000)
    for verdict, case in re.findall(r"^(ok|not ok) \d+ - (\S+)", run.get("stdout", ""), re.M):
        print("ok" if verdict == "ok" else "fail", f"unit: {name}: {case}", 0, sep="\t")
        passed += verdict == "ok"
        failed += verdict != "ok"
    if run["result"] != "OK" and not failed:
        print("fail", f"unit: {name}: {run['result']}", ms, sep="\t")
    elif not passed and not failed:
        print("fail", f"unit: {name}: no cmocka case", ms, sep="\t")
    print("time", f"unit: {name}", ms, sep="\t")
