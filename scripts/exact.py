#!/usr/bin/python3
"""Counts the instructions of each benchmark in bench/exact with callgrind and holds them to bench/budgets.toml.

    exact.py                        every benchmark with each kernel set; exits 1 where one is over its budget
    exact.py hit_plain find         those whose names begin so
    exact.py --profile hit_plain    where the instructions go, by function
    exact.py --json FILE            the counts and budgets into a file as well
    exact.py --write-budgets        the budgets anew: what is counted now and 2 %

The counts do not depend on the machine's load or clock rate. They are the same to the last digit for the same binary, C library
and CPU features (the C library picks its own memcpy by them).
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUDGETS = ROOT / "bench" / "budgets.toml"
SLACK = 1.02
HEADER = """\
# The most instructions in user space that an operation may take, by kernel set: scripts/exact.py counts and compares. Whoever
# makes one cheaper lowers its budget; raising one needs a reason in the commit message.
"""


def build():
    for command in (["cmake", "--preset", "bench"], ["cmake", "--build", "--preset", "bench", "--target", "exact"]):
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


def benchmarks(folder):
    """(program, name, kernels) of all that this machine can run."""
    for program in sorted(folder.glob("exact_*")):
        if program.is_file() and os.access(program, os.X_OK):
            listed = subprocess.run([program, "list"], check=True, capture_output=True, text=True).stdout
            for line in listed.splitlines():
                yield (program, *line.split())


def count(program, name, kernels, profile=None):
    """Instructions per operation. Writes callgrind's profile to `profile`."""
    with tempfile.TemporaryDirectory() as temporary:
        out = profile or pathlib.Path(temporary) / "callgrind.out"
        done = subprocess.run(
            # The stack begins at the same place each time: no random layout, no environment.
            ["setarch", "-R", "env", "-i", "/usr/bin/valgrind", "--tool=callgrind", "--collect-atstart=no",
             f"--callgrind-out-file={out}", f"./{program.name}", name, kernels],
            cwd=program.parent, capture_output=True, text=True, check=False,
        )
        operations = re.search(r"^operations (\d+)$", done.stdout, re.MULTILINE)
        if done.returncode or not operations:
            sys.exit(f"exact: {name} with {kernels} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        total = re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)
        return int(total[1]) / int(operations[1]), int(operations[1])


def report_profile(program, name, kernels):
    with tempfile.TemporaryDirectory() as temporary:
        out = pathlib.Path(temporary) / "callgrind.out"
        total, operations = count(program, name, kernels, out)
        annotated = subprocess.run(
            ["callgrind_annotate", "--threshold=100", "--auto=no", out], check=True, capture_output=True, text=True
        ).stdout
    print(f"{name} with {kernels}: {total:,.1f} instructions an operation; what is inlined counts to its caller")
    for line in annotated.splitlines():
        row = re.match(r"\s*([\d,]+) \(\s*([\d.]+)%\)\s+(?:[^:]*:)(.*)", line)
        if row and "PROGRAM TOTALS" not in line:
            share = int(row[1].replace(",", "")) / operations
            function = re.sub(r" \[[^]]*\]$|peregrine::|\(anonymous namespace\)::", "", row[3])
            if share >= 0.05:
                print(f"{share:10.1f}  {row[2]:>6} %  {function[:150]}")


def judge(counted, budgets, chosen):
    """Prints the table; how many passed and failed."""
    passed = failed = 0
    print(f"{'benchmark':28} {'kernels':8} {'instructions/op':>16} {'budget':>8}  verdict")
    for (kernels, name), value in counted.items():
        budget = budgets.get(kernels, {}).get(name)
        good = budget is not None and value <= budget
        verdict = "ok" if good else "no budget" if budget is None else f"over by {value - budget:.1f}"
        passed, failed = passed + good, failed + (not good)
        print(f"{name:28} {kernels:8} {value:16,.1f} {budget if budget is not None else '-':>8}  {verdict}")
    here = {kernels for kernels, _ in counted}
    for kernels, limits in budgets.items():
        if kernels not in here:
            print(f"{'':28} {kernels:8} not on this machine")
            continue
        for name in limits:
            if (kernels, name) not in counted and name.startswith(chosen):
                print(f"{name:28} {kernels:8} {'':16} {limits[name]:>8}  no such benchmark")
                failed += 1
    return passed, failed


def write_json(path, counted, budgets):
    rows = [
        {"name": name, "kernels": kernels, "count": round(value, 4), "budget": budgets.get(kernels, {}).get(name)}
        for (kernels, name), value in counted.items()
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n")


def write_budgets(counted):
    text = HEADER
    for kernels in sorted({kernels for kernels, _ in counted}):
        text += f"\n[instructions.{kernels}]\n"
        for (of, name), value in sorted(counted.items()):
            if of == kernels:
                text += f'"{name}" = {int(value * SLACK) + 1}\n'
    BUDGETS.write_text(text)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="beginnings of names; all without")
    options.add_argument("--kernels", help="this kernel set only: scalar or avx2")
    options.add_argument("--profile", metavar="NAME", help="the instructions of one benchmark by function")
    options.add_argument("--write-budgets", action="store_true")
    options.add_argument("--json", metavar="FILE", type=pathlib.Path,
                         help="a list of {name, kernels, count, budget}; the budget is null where there is none")
    options.add_argument("--build-dir", type=pathlib.Path, help="take the programs as they are there, build nothing")
    args = options.parse_args()
    if args.write_budgets and (args.names or args.kernels or args.profile):
        options.error("--write-budgets is of all benchmarks and kernels")
    if not args.build_dir:
        build()
    chosen = (args.profile,) if args.profile else tuple(args.names) or ("",)
    picked = [
        one for one in benchmarks((args.build_dir or ROOT / "build" / "bench") / "bench" / "exact")
        if one[1].startswith(chosen) and args.kernels in (None, one[2])
    ]
    if not picked:
        sys.exit("exact: no such benchmark")
    if args.profile:
        widest = "avx2" if any(kernels == "avx2" for _, _, kernels in picked) else picked[0][2]
        for one in picked:
            if one[2] == widest:
                report_profile(*one)
        return 0
    counted = {}
    for program, name, kernels in picked:
        counted[kernels, name] = count(program, name, kernels)[0]
    if args.write_budgets:
        write_budgets(counted)
    budgets = tomllib.loads(BUDGETS.read_text())["instructions"]
    if args.kernels:
        budgets = {args.kernels: budgets.get(args.kernels, {})}
    if args.json:
        write_json(args.json, counted, budgets)
    passed, failed = judge(counted, budgets, chosen)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
