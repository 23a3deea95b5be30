#!/usr/bin/python3
"""Plays other resolvers' scenarios on build/release/peregrine and compares with what known.md says.

Usage: run.py [--all] [DIRECTORY]. DIRECTORY holds rplplay.py, shown.csv and the scenarios (../shared/conformance);
where it is not there, nothing is played. A scenario that fails must stand in known.md with its reason, and one that
stands there must fail. --all plays every category, not only those that are claimed.
The last line is `N passed, N failed`.
"""

import argparse
import csv
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLAIMED = {"iterator", "negative", "cache/ttl", "cname/dname", "forwarding/stub", "edns"}
KNOWN = re.compile(r"^- `([^`]+\.rpl)`", re.MULTILINE)


def play(directory, scenarios):
    """A row of the player's table for each scenario, by name."""
    with tempfile.TemporaryDirectory() as folder:
        names, table = pathlib.Path(folder) / "list", pathlib.Path(folder) / "table.csv"
        names.write_text("".join(f"{directory / name}\n" for name in scenarios))
        command = [directory / "rplplay.py", "play", "-a", HERE / "peregrine.json", "-j", "2", "--csv", table, f"@{names}"]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        with table.open(encoding="utf-8") as file:
            return {row["file"].split("scenarios/")[-1]: row for row in csv.DictReader(file)}


def tally(shown, rows):
    """What a reader wants to know of the whole."""
    must = [name for name, row in shown.items() if row["must_pass"]]
    telling = [name for name, row in shown.items() if not row["must_pass"] and not row["servfail_passes"]]
    for what, names in (("must pass", must), ("others that SERVFAIL would not pass", telling)):
        passed = sum(rows[name]["result"] == "PASS" for name in names)
        print(f"conformance: {what}: {passed} of {len(names)}")


def judge(rows, known):
    """The scenarios that are not as known.md says, each with a line that tells why."""
    for name, row in sorted(rows.items()):
        if row["result"] == "PASS" and name in known:
            yield f"{name}: passes; take it out of known.md"
        if row["result"] != "PASS" and name not in known:
            yield f"{name}: {row['result']}: {row['why']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("directory", nargs="?", type=pathlib.Path, default=ROOT.parent / "shared/conformance")
    options = parser.parse_args()
    directory = options.directory.resolve()
    if not (directory / "shown.csv").exists():
        print(f"conformance: no scenarios at {directory}: nothing to play")
        print("0 passed, 0 failed")
        return 0
    with (directory / "shown.csv").open(encoding="utf-8") as file:
        shown = {row["scenario"].split("scenarios/")[-1]: row for row in csv.DictReader(file)}
    shown = {name: row for name, row in shown.items() if options.all or row["category"] in CLAIMED}
    rows = play(directory, [f"scenarios/{name}" for name in shown])
    tally(shown, rows)
    missing = [f"{name}: was not played" for name in shown.keys() - rows.keys()]
    wrong = missing + list(judge(rows, set(KNOWN.findall((HERE / "known.md").read_text(encoding="utf-8")))))
    for line in wrong:
        print(f"failed: conformance {line}")
    print(f"{len(shown) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
