#!/usr/bin/python3
"""Compares two builds: faster, slower, or cannot tell, for each benchmark; exits 1 where one is slower.

    compare.py save NAME                 builds the checkout as it is, and remembers it as NAME
    compare.py against BASE              the checkout as it is against BASE, a saved name or any revision
    compare.py prove                     does the suite see a slowdown of 3 % (20 runs), and none where there is none (20 runs)?

Both are built in trees of their own and run by turns: A B B A A B ... Each run of a process gives one number. See verdicts.py for
what is made of them.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import trees
import verdicts

sys.path.insert(0, str(trees.ROOT / "scripts"))
import exact  # noqa: E402

SLOWDOWN = pathlib.Path(__file__).with_name("slowdown.patch")
# The hit path by kind of query, and what it is made of. Timed where callgrind counts them, by the same programs.
TIMED = (
    ("exact_hit", "hit_plain.arena"),
    ("exact_hit", "hit_do.arena"),
    ("exact_hit", "hit_cookie.arena"),
    ("exact_hit", "hit_plain.mutex"),
    ("exact_key", "find.arena"),
    ("exact_parse", "parse_edns"),
    ("exact_render", "render_edns"),
)
KERNELS = "avx2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text() else "scalar"


def timed(programs, program, name, seconds):
    """One process run: nanoseconds an operation."""
    done = subprocess.run(
        ["taskset", "-c", str(os.cpu_count() - 1), programs / "bench" / "exact" / program, name, KERNELS, str(seconds)],
        capture_output=True, text=True, check=False,
    )
    found = re.search(r"^nanoseconds ([\d.]+)$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise trees.Unbuildable(f"{program} {name} failed in {programs}: {done.stdout}{done.stderr}")
    return float(found[1])


def counts(programs):
    """Instructions an operation by name. Kept beside the programs: they are the same each time."""
    kept = programs / "counts.json"
    if not kept.exists():
        folder = programs / "bench" / "exact"
        kept.write_text(json.dumps({name: exact.count(folder / program, name, KERNELS)[0] for program, name in TIMED}))
    return json.loads(kept.read_text())


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def run_suite(base, current, rounds, seconds):
    """Samples by name."""
    base_counts, current_counts = counts(base), counts(current)
    samples = {
        name: verdicts.Samples([], [], base_counts.get(name), current_counts.get(name)) for _, name in TIMED
    }
    for turn in range(rounds):
        progress(f"round {turn + 1} of {rounds}")
        for program, name in TIMED:
            sides = [(base, samples[name].base), (current, samples[name].current)]
            for programs, numbers in sides if turn % 2 == 0 else reversed(sides):
                numbers.append(timed(programs, program, name, seconds))
    progress("")
    return verdicts.compare(samples)


def print_table(rows):
    print(f"{'benchmark':18} {'base ns':>9} {'now ns':>9} {'ratio':>7} {'95 % interval':>16} {'p':>7} {'instr.':>7}  verdict")
    for row in rows:
        counted = f"{row.count_ratio:7.4f}" if row.count_ratio else "      -"
        print(f"{row.name:18} {row.base:9.2f} {row.current:9.2f} {row.ratio:7.4f} {row.low:8.4f}-{row.high:.4f} "
              f"{row.p:8.4f} {counted}  {row.verdict}")


def is_slower(rows):
    return any(row.verdict == verdicts.SLOWER for row in rows)


def against(args):
    base, current = trees.build(trees.commit_of(args.base)), trees.build(trees.as_it_is())
    rows = run_suite(base, current, args.rounds, args.seconds)
    if args.json:
        print(json.dumps([row.__dict__ | {"ratio": row.ratio} for row in rows]))
    else:
        print_table(rows)
        print("slower" if is_slower(rows) else "not slower")
    return 1 if is_slower(rows) else 0


def save(args):
    print(f"saved {trees.save(args.name)[:12]} as {args.name}")
    return 0


def prove(args):
    """Twenty suites with the slowdown compiled in, twenty with the same code built twice, by turns."""
    commit = trees.as_it_is()
    base, slowed = trees.build(commit), trees.build(commit, SLOWDOWN)
    seen = false_alarms = 0
    for number in range(1, args.suites + 1):
        rows = run_suite(base, slowed, args.rounds, args.seconds)
        seen += is_slower(rows)
        by_time = sum(row.p < verdicts.LEVEL and row.low > 1 for row in rows)
        false_alarms += is_slower(run_suite(base, base, args.rounds, args.seconds))
        hit = rows[0]
        print(f"suite {number}: slower in {seen} of {number} with the slowdown (hit_plain x {hit.ratio:.4f} in time, "
              f"x {hit.count_ratio:.4f} in instructions; {by_time} benchmarks slower by time alone), "
              f"in {false_alarms} of {number} without", flush=True)
    needed = args.suites * 19 // 20
    proved = seen >= needed and args.suites - false_alarms >= needed
    print(f"{int(seen >= needed) + int(args.suites - false_alarms >= needed)} passed, "
          f"{int(seen < needed) + int(args.suites - false_alarms < needed)} failed")
    return 0 if proved else 1


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = options.add_subparsers(required=True)
    saving = commands.add_parser("save")
    saving.add_argument("name")
    saving.set_defaults(run=save)
    comparing = commands.add_parser("against")
    comparing.add_argument("base")
    comparing.add_argument("--json", action="store_true")
    comparing.set_defaults(run=against)
    proving = commands.add_parser("prove")
    proving.add_argument("--suites", type=int, default=20)
    proving.set_defaults(run=prove)
    for command in (comparing, proving):
        command.add_argument("--rounds", type=int, default=12, help="process runs of each binary for each benchmark")
        command.add_argument("--seconds", type=float, default=0.2, help="of each process run")
    args = options.parse_args()
    try:
        return args.run(args)
    except trees.Unbuildable as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    sys.exit(main())
