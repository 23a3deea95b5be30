#!/usr/bin/python3
"""What CI asks of a change's speed, and anyone can ask at home:

    1. every instruction budget of bench/budgets.toml is kept;
    2. no benchmark of the suite (bench/compare/suite.py) is slower than at BASE.

Both builds are kept in the history below build/lab, and the table for a reader goes to build/lab/perf.md. The last line is
`N passed, N failed`; exits 1 where something failed.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
for folder in ("bench/compare", "bench/macro", "bench/report", "scripts"):
    sys.path.insert(0, str(ROOT / folder))
import compare  # noqa: E402
import exact  # noqa: E402
import kept  # noqa: E402
import stand  # noqa: E402
import trees  # noqa: E402
import verdicts  # noqa: E402

SYMBOLS = {verdicts.SLOWER: "🔴 slower", verdicts.FASTER: "🟢 faster", verdicts.CANNOT_TELL: "cannot tell"}


def default_base():
    """Where the checkout left main, or its last commit's parent where it is main."""
    for name in ("origin/main", "main"):
        try:
            base = trees.git("merge-base", "HEAD", name)
        except trees.Unbuildable:
            continue
        if base != trees.git("rev-parse", "HEAD"):
            return base
    return trees.commit_of("HEAD~1")


def budgets(programs):
    """Runs exact.py on the build; its table, and how many passed and failed."""
    done = subprocess.run([ROOT / "scripts" / "exact.py", "--build-dir", programs], stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    words = lines[-1].split() if lines else []
    if words[1::2] != ["passed,", "failed"]:
        sys.exit(f"perf-ci: exact.py failed: {done.stdout}")
    return lines[:-1], int(words[0]), int(words[2])


def told(value):
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def markdown(base, head, machine, rows, over):
    """The comment on a pull request: what changed first, all else folded away."""
    changed = [row for row in rows if row.verdict != verdicts.CANNOT_TELL]
    head_line = f"**{len(compare.slower(rows))} slower, {sum(row.verdict == verdicts.FASTER for row in rows)} faster**, " \
                f"{len(rows) - len(changed)} cannot be told apart; {len(over)} not within their instruction budget."
    title = "| benchmark | base, ns (counts: instructions) | now | ratio (95 % interval) | instructions | verdict |\n|---|--:|--:|--:|--:|---|\n"

    def line(row):
        counted = f"{(row.count_ratio - 1) * 100:+.2f} %" if row.count_ratio else ""
        return (f"| {row.name} | {told(row.base)} | {told(row.current)} | {row.ratio:.3f} ({row.low:.3f} to {row.high:.3f}) | "
                f"{counted} | {SYMBOLS[row.verdict]} |")

    parts = [f"### Performance of {head[:12]} against {base[:12]}", head_line]
    if over:
        parts.append("Not within budget:\n```\n" + "\n".join(over) + "\n```")
    if changed:
        parts.append(title + "\n".join(map(line, changed)))
    parts.append("<details><summary>All benchmarks</summary>\n\n" + title + "\n".join(map(line, rows)) + "\n\n</details>")
    parts.append(f"Measured by turns on {machine}.")
    return "\n\n".join(parts) + "\n"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", default="", help="a revision or a kept baseline; where HEAD left main without")
    compare.add_pace(options)
    args = options.parse_args()
    try:
        base, head = trees.commit_of(args.base or default_base()), trees.as_it_is()
        builds = [trees.build(base), trees.build(head)]
        table, passed, failed = budgets(builds[1])
        print("\n".join(table), flush=True)
        measured = compare.measure(builds, args)
    except trees.Unbuildable as error:
        sys.exit(f"perf-ci: {error}")
    machine = stand.machine()
    for commit, one in zip((base, head), measured):
        kept.keep_run(kept.new_run(commit, machine, one.rows()))

    rows = compare.judge(*measured)
    slower = compare.slower(rows)
    page = markdown(base, head, machine, rows, [line for line in table[1:] if not line.endswith(("  ok", "not on this machine"))])
    (kept.LAB / "perf.md").write_text(page)
    print(compare.table(rows))
    for name in slower:
        print(f"failed: {name}: slower than at {base[:12]}")
    print(f"{passed + len(rows) - len(slower)} passed, {failed + len(slower)} failed")
    return 1 if failed or slower else 0


if __name__ == "__main__":
    sys.exit(main())
