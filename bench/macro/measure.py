#!/usr/bin/python3
"""Measures the release server over loopback, beside an echo that is the kernel's ceiling.

    hot     1,000 names by Zipf's law, all in the cache
    large   1,000,000 names, all alike, all in the cache; octets of memory for each
    miss    names that are asked once: each is forwarded to an upstream and kept
    latency the hot names in an open loop, at half of the echo's rate

Echo and server take turns; each figure is the median of the rounds, and in brackets the least and the most. "net" is the server's
CPU time for an answer less the echo's of the same round. Needs two cores to itself: with anything else running the figures say
little.
"""

import argparse
import sys

import stand
from stand import cpu_ns, spread

HOT = ["--generate", 1_000, "--order", "zipf"]
LARGE_NAMES = 1_000_000
LARGE = ["--generate", LARGE_NAMES, "--order", "uniform"]
MISSES = 50_000
FIRST_MISS = 10_000_000


def fill(server, count, first=0):
    """Asks for each name once."""
    return server.load(
        "--generate", count, "--first", first, "--order", "once", "--seconds", 600, "--timeout", 10, "--expect", "name"
    )


def in_turn(rounds, server, names, seconds):
    """Closed loops of the echo and of the server by turns; pairs of figures."""
    pairs = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        with stand.echo() as echo:
            ceiling = echo.load(*names, "--seconds", seconds, "--expect", "question")
        pairs.append((ceiling, server.load(*names, "--seconds", seconds, "--expect", "name")))
    return pairs


def report_closed(name, pairs):
    return [
        (f"{name}: answers a second", spread([figures["rate"] for _, figures in pairs])),
        (f"{name}: of the echo's rate", spread([figures["rate"] / echo["rate"] * 100 for echo, figures in pairs], "{:.0f} %")),
        (f"{name}: CPU ns an answer, kernel included", spread([cpu_ns(figures) for _, figures in pairs])),
        (f"{name}: CPU ns an answer, net", spread([cpu_ns(figures) - cpu_ns(echo) for echo, figures in pairs])),
        (f"{name}: lost", f"{sum(figures['lost'] for _, figures in pairs)}"),
    ]


def hot(args, upstream):
    with stand.server(upstream.port, args.set, args.binary) as server:
        fill(server, 1_000)
        pairs = in_turn(args.rounds, server, HOT, args.seconds)
    echo_ns = spread([cpu_ns(echo) for echo, _ in pairs])
    return [("echo: answers a second", spread([echo["rate"] for echo, _ in pairs])), ("echo: CPU ns an answer", echo_ns),
            *report_closed("hot", pairs)]


def large(args, upstream):
    with stand.server(upstream.port, ["cache.size=2GiB", *args.set], args.binary) as server:
        empty = fill(server, 1, LARGE_NAMES)["server"]["rss_octets"]
        filled = fill(server, LARGE_NAMES)["server"]["rss_octets"]
        pairs = in_turn(args.rounds, server, LARGE, args.seconds)
    return [*report_closed("large", pairs), ("large: octets of memory a name", f"{(filled - empty) / LARGE_NAMES:,.0f}")]


def miss(args, upstream):
    with stand.server(upstream.port, args.set, args.binary) as server:
        runs = [fill(server, MISSES, FIRST_MISS + number * MISSES) for number in range(args.rounds)]
    return [
        ("miss: answers a second", spread([figures["rate"] for figures in runs])),
        ("miss: CPU ns an answer, kernel included", spread([cpu_ns(figures) for figures in runs])),
        ("miss: lost", f"{sum(figures['lost'] for figures in runs)}"),
    ]


def latency(args, upstream):
    with stand.server(upstream.port, args.set, args.binary) as server:
        fill(server, 1_000)
        with stand.echo() as echo:
            rate = echo.load(*HOT, "--seconds", args.seconds, "--expect", "question")["rate"] / 2
        open_loop = [*HOT, "--seconds", args.seconds, "--rate", rate]
        pairs = []
        for _ in range(args.rounds):
            with stand.echo() as echo:
                ceiling = echo.load(*open_loop, "--expect", "question", lossless=False)
            pairs.append((ceiling, server.load(*open_loop, "--expect", "name", lossless=False)))
    rows = [("latency: offered, queries a second", f"{rate:,.0f}"),
            ("latency: lost by the echo, by the server",
             f"{sum(echo['lost'] for echo, _ in pairs)}, {sum(figures['lost'] for _, figures in pairs)}")]
    for quantile in ("p50", "p99"):
        both = [(echo["latency_us"][quantile], figures["latency_us"][quantile]) for echo, figures in pairs]
        rows.append((f"latency: {quantile}, µs; the echo's", f"{spread([ours for _, ours in both])}; {spread([its for its, _ in both])}"))
        rows.append((f"latency: {quantile} over the echo's", spread([ours / its for its, ours in both], "{:.2f}")))
    return rows


LOADS = {"hot": hot, "large": large, "miss": miss, "latency": latency}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("loads", nargs="*", metavar="LOAD", help=f"{', '.join(LOADS)}; all without")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3, help="of each load of a round")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the server")
    options.add_argument("--binary", default=stand.BINARY, help="the server; build/release/peregrine without")
    options.add_argument("--write", action="store_true", help="put the table in docs/performance.md")
    args = options.parse_args()
    unknown = set(args.loads) - set(LOADS)
    if unknown:
        options.error(f"no such load: {' '.join(unknown)}")

    rows = []
    with stand.upstream() as upstream:
        for name in args.loads or LOADS:
            rows += LOADS[name](args, upstream)
    for what, value in rows:
        print(f"{what:44} {value}", flush=True)
    if args.write:
        table = "\n".join(f"| {what} | {value} |" for what, value in rows)
        stand.write_between(
            "measured", f"Measured on {stand.machine()}. Median of {args.rounds} (least to most).\n\n| figure | value |\n|---|---|\n{table}"
        )


if __name__ == "__main__":
    main()
