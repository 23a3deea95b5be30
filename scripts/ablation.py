#!/usr/bin/python3
"""What each feature flag is worth: a server with the flag off against one with it on, all else the same.

The others are as in the profile `production`, with lock_free_cache and zero_copy_parsing on. Off and on take turns, each time in a
server started anew and with an echo before, so that neither the machine's drift nor where a process happened to land in memory
favours one. CPU time is net of the echo's. Instructions are the exact counts of bench/exact, where the flag shows there.

Writes the table to docs/performance.md, and keeps the figures of all flags for `make report`. Needs two cores to itself.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench" / "macro"))
sys.path.insert(0, str(ROOT / "bench" / "report"))
sys.path.insert(0, str(ROOT / "scripts"))
import exact  # noqa: E402
import kept  # noqa: E402
import stand  # noqa: E402

BASE = ["profile=production", "flags.lock_free_cache=true", "flags.zero_copy_parsing=true"]
HOT = ["--generate", 1_000, "--order", "zipf"]

# The exact benchmarks, and their kernels, of a flag off and on; all in one store, but for the flag that picks it.
EXACT = {
    "zero_copy_parsing": (("hit_owned.arena", "avx2"), ("hit_plain.arena", "avx2")),
    "thread_local_buffers": (("hit_unpooled.arena", "avx2"), ("hit_plain.arena", "avx2")),
    "lock_free_cache": (("hit_plain.mutex", "avx2"), ("hit_plain.arena", "avx2")),
    "simd": (("hit_plain.arena", "scalar"), ("hit_plain.arena", "avx2")),
}


def settings(flag, on):
    return [*(one for one in BASE if not one.startswith(f"flags.{flag}=")), f"flags.{flag}={'true' if on else 'false'}"]


def flags_of(upstream, chosen=()):
    """The rows of `ctl flags` of a running server, by name."""
    with stand.server(upstream.port, chosen) as server:
        told = subprocess.run(
            [stand.BINARY, "ctl", "flags", "--json", "--state-dir", server.state_dir], capture_output=True, text=True, check=True
        ).stdout
    return {row["name"]: row for row in json.loads(told)["flags"]}


def net_cpu(upstream, flag, on, seconds):
    """CPU ns an answer from the cache, less the echo's."""
    with stand.echo() as echo:
        ceiling = stand.cpu_ns(echo.load(*HOT, "--seconds", seconds, "--expect", "question"))
    with stand.server(upstream.port, settings(flag, on)) as server:
        server.load("--generate", 1_000, "--order", "once", "--seconds", 10, "--timeout", 2, "--expect", "name")
        return stand.cpu_ns(server.load(*HOT, "--seconds", seconds, "--expect", "name")) - ceiling


def instructions(folder):
    """{flag: (off, on)} for the flags that the exact benchmarks show, and whose benchmarks run here."""
    programs = {(name, kernels): program for program, name, kernels in exact.benchmarks(folder)}
    counts = {}
    for flag, both in EXACT.items():
        if all(one in programs for one in both):
            counts[flag] = tuple(exact.count(programs[one], *one)[0] for one in both)
    return counts


def measure(upstream, flag, rounds, seconds):
    """Two lists: off, on."""
    both = [], []
    for number in range(rounds):
        print(f"{flag}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for on in (False, True):
            both[on].append(net_cpu(upstream, flag, on, seconds))
    return both


def quartiles(values):
    """'median (first to third quartile)'."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"


def measured(upstream, row, counted, args):
    """What is kept of a flag: see bench/report/kept.py."""
    found = {"name": row["name"], "off": [], "on": [], "instructions": list(counted) if counted else None}
    if row["unavailable"]:
        return found | {"unavailable": row["unavailable"]}
    try:
        off, on = measure(upstream, row["name"], args.rounds, args.seconds)
    except stand.Failed as failure:
        print(f"{row['name']}: {failure}", file=sys.stderr)
        return found | {"unavailable": "failed"}
    return found | {"off": off, "on": on}


def table_row(found):
    exactly = "{:,.0f} → {:,.0f}".format(*found["instructions"]) if found["instructions"] else "-"
    if "unavailable" in found:
        return f"| `{found['name']}` | {found['unavailable']} | | | {exactly} |"
    gained = [before - after for before, after in zip(found["off"], found["on"])]
    return f"| `{found['name']}` | {quartiles(found['off'])} | {quartiles(found['on'])} | {quartiles(gained)} | {exactly} |"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("flags", nargs="*", help="all that are built, without")
    options.add_argument("--rounds", type=int, default=5, help="of off and on, each")
    options.add_argument("--seconds", type=float, default=3, help="of each load")
    options.add_argument("--exact-dir", type=pathlib.Path, help="a build of preset bench; built without")
    options.add_argument("--dry", action="store_true", help="print the table, and leave the page as it is")
    args = options.parse_args()
    if not args.exact_dir:
        exact.build()
    counts = instructions((args.exact_dir or ROOT / "build" / "bench") / "bench" / "exact")

    found = []
    with stand.upstream() as upstream:
        wanted = args.flags or list(flags_of(upstream))
        for flag in wanted:
            row = flags_of(upstream, settings(flag, True)).get(flag)
            if not row:
                options.error(f"no such flag: {flag}")
            found.append(measured(upstream, row, counts.get(flag), args))
    if not args.flags:
        kept.keep_section("ablation", stand.machine(), {"flags": found})
    table = "\n".join([
        f"Measured on {stand.machine()}. 1,000 names by Zipf's law, all in the cache; CPU ns an answer less the echo's, median of "
        f"{args.rounds} (first to third quartile); instructions of a plain hit in user space, off → on.",
        "",
        "| flag | off, ns | on, ns | gained, ns | instructions |",
        "|---|---|---|---|---|",
        *map(table_row, found),
    ])
    print(table)
    if not args.dry:
        stand.write_between("ablation", table)


if __name__ == "__main__":
    main()
