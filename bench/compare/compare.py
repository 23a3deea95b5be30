#!/usr/bin/python3
"""Compares two builds: faster, slower, or cannot tell, for each benchmark; exits 1 where one is slower.

    compare.py save NAME                 builds the checkout as it is, and remembers it as NAME
    compare.py against BASE              the checkout as it is against BASE, a saved name or any revision
    compare.py history COMMIT...         measures the commits by turns and keeps what was found for the report
    compare.py prove                     does the suite see a slowdown of 3 % (20 runs), and none where there is none (20 runs)?

Each build is made in a tree of its own, and they are run by turns: A B B A A B ... Each run of a process gives one number for a
benchmark. See suite.py for the benchmarks, and verdicts.py for what is made of the numbers.
"""

import argparse
import dataclasses
import json
import pathlib
import sys

import suite
import trees
import verdicts

sys.path.insert(0, str(trees.ROOT / "bench" / "report"))
import kept  # noqa: E402
import stand  # noqa: E402

SLOWDOWN = pathlib.Path(__file__).with_name("slowdown.patch")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a build gave: samples as of suite.measure(), and instructions by name."""

    programs: pathlib.Path
    samples: dict
    counts: dict

    def rows(self):
        """For the history."""
        exact_rows = [kept.Row("exact", name, "instructions", [count]) for name, count in self.counts.items()]
        timed = [kept.Row(part, name, unit, numbers) for (part, name), (unit, numbers) in self.samples.items()]
        return exact_rows + timed


def measure(builds, args):
    """A Measured of each build. The last of them lends the generator, the echo and the upstream: the same for all."""
    stand.BINARY = builds[-1] / "peregrine"
    counted = [suite.counts(programs) for programs in builds]
    samples = suite.measure(builds, suite.jobs(args.parts), args.rounds, args.seconds)
    if not verdicts.can_tell_by_time(args.rounds, len(samples[-1])):
        print(f"{args.rounds} rounds of {len(samples[-1])} benchmarks are too few to tell by time: only counts can", file=sys.stderr)
    return [Measured(*one) for one in zip(builds, samples, counted)]


def judge(base, current):
    """Rows of verdicts for what both builds have: what was timed, then what was only counted."""
    timed = verdicts.compare({
        f"{part} {name}": verdicts.Samples(base.samples[part, name][1], numbers, base.counts.get(name), current.counts.get(name))
        for (part, name), (_, numbers) in current.samples.items() if (part, name) in base.samples
    })
    seen = {name for _, name in current.samples}
    counted = [
        verdicts.judge_count(f"count {name}", base.counts[name], count)
        for name, count in current.counts.items() if name in base.counts and name not in seen
    ]
    return timed + counted


def table(rows):
    lines = [f"{'benchmark':40} {'base':>10} {'now':>10} {'ratio':>7} {'95 % interval':>16} {'p':>7} {'instr.':>7}  verdict"]
    for row in rows:
        counted = f"{row.count_ratio:7.4f}" if row.count_ratio else "      -"
        lines.append(f"{row.name:40} {row.base:10.2f} {row.current:10.2f} {row.ratio:7.4f} {row.low:8.4f}-{row.high:.4f} "
                     f"{row.p:8.4f} {counted}  {row.verdict}")
    return "\n".join(lines)


def slower(rows):
    return [row.name for row in rows if row.verdict == verdicts.SLOWER]


def against(args):
    builds = [trees.build(trees.commit_of(args.base)), trees.build(trees.as_it_is())]
    rows = judge(*measure(builds, args))
    if args.json:
        print(json.dumps([dataclasses.asdict(row) | {"ratio": row.ratio} for row in rows]))
    else:
        print(table(rows))
        print(f"slower: {', '.join(slower(rows))}" if slower(rows) else "not slower")
    return 1 if slower(rows) else 0


def save(args):
    print(f"saved {trees.save(args.name)[:12]} as {args.name}")
    return 0


def history(args):
    commits = [trees.commit_of(name) for name in args.commits]
    measured = measure([trees.build(commit) for commit in commits], args)
    for commit, one in zip(commits, measured):
        print(kept.keep_run(kept.new_run(commit, stand.machine(), one.rows())))
    return 0


def prove(args):
    """Twenty suites with the slowdown compiled in, twenty with the same code twice, by turns."""
    commit = trees.as_it_is()
    base, slowed = trees.build(commit), trees.build(commit, SLOWDOWN)
    seen = false_alarms = 0
    for number in range(1, args.suites + 1):
        rows = judge(*measure([base, slowed], args))
        seen += bool(slower(rows))
        by_time = sum(row.p < verdicts.LEVEL and row.low > 1 for row in rows)
        alarms = slower(judge(*measure([base, base], args)))
        false_alarms += bool(alarms)
        hit = next((row for row in rows if row.name == "hit hit_plain.arena"), rows[0])
        print(f"suite {number} of {len(rows)} benchmarks: slower in {seen} of {number} with the slowdown (plain hit x {hit.ratio:.4f} in "
              f"time, x {hit.count_ratio or 1:.4f} in instructions; {by_time} benchmarks slower by time alone), "
              f"in {false_alarms} of {number} without {' '.join(alarms)}".rstrip(), flush=True)
    needed = args.suites * 19 // 20
    proved = int(seen >= needed) + int(args.suites - false_alarms >= needed)
    print(f"{proved} passed, {2 - proved} failed")
    return 0 if proved == 2 else 1


def add_pace(command, rounds=8, seconds=0.1):
    command.add_argument("--parts", nargs="+", choices=suite.PARTS, default=suite.PARTS, help="of the suite; all without")
    command.add_argument("--rounds", type=int, default=rounds, help=f"process runs of each build for each benchmark; {rounds} without")
    command.add_argument("--seconds", type=float, default=seconds, help=f"of a process run of the hit path, {seconds} without; a "
                         "function has a tenth of that, a server five times as much")


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
    keeping = commands.add_parser("history")
    keeping.add_argument("commits", nargs="+", metavar="COMMIT")
    keeping.set_defaults(run=history)
    proving = commands.add_parser("prove")
    proving.add_argument("--suites", type=int, default=20)
    proving.set_defaults(run=prove)
    for command in (comparing, keeping, proving):
        add_pace(command)
    args = options.parse_args()
    try:
        return args.run(args)
    except trees.Unbuildable as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    sys.exit(main())
