#!/usr/bin/python3
"""Measures the release server over loopback, beside an echo that is the kernel's ceiling.

    hot      1,000 names by Zipf's law, all in the cache
    large    1,000,000 names, all alike, all in the cache; octets of memory for each
    miss     names that are asked once: each is forwarded to an upstream and kept
    mixed    10,000,000 names by Zipf's law, 12 % of the queries for names that do not exist, 15 % for names that nobody asks for
             again, and a cache of 1 GiB that 30 seconds of the same have warmed
    tcp      the hot names over 16 connections
    cold     a name in each of 3,000 zones, resolved from the root by a server just started; root, ten top-level domains and the
             zones are served by three NSD on loopback
    latency  the hot names in an open loop, at half of the echo's rate
    offered  the hot names in open loops, at 10 % to 150 % of the echo's rate: what is answered

Echo and server take turns; each figure is the median of the rounds, and in brackets the least and the most. "net" is the server's
CPU time for an answer less the echo's of the same round. What latency and offered find is kept for `make report`, if it is of the
release server with its own settings. Needs two cores to itself: with anything else running the figures say little.
"""

import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "report"))

import kept  # noqa: E402
import loads  # noqa: E402
import stand  # noqa: E402
import tree  # noqa: E402
from stand import spread  # noqa: E402

STEPS = (10, 25, 40, 55, 70, 85, 100, 115, 130, 150)  # of `offered`, per cent of the echo's rate
OFFERED_ROUNDS = 3
ECHO, OURS = "echo", "Peregrine"


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Closed:
    """A load of loads.LOADS: rounds of echo and server."""

    def __init__(self, name, args, upstream):
        self.name = name
        self.pairs = []
        self.octets_a_name = None
        load = loads.LOADS[name]
        with stand.server(upstream.port, [*load.settings, *args.set], args.binary) as server:
            progress(f"{name}: filling the cache")
            self.fill(load, server)
            for number in range(1, args.rounds + 1):
                progress(f"{name}: round {number} of {args.rounds}")
                ceiling = load.run_echo(number, args.seconds)
                self.pairs.append((ceiling, with_net(load.run(server, number, args.seconds), ceiling)))

    def fill(self, load, server):
        if self.name != "large":
            load.fill(server)
            return
        empty = loads.ask_once(server, 1, loads.LARGE_NAMES)["server"]["rss_octets"]
        self.octets_a_name = (load.fill(server)["server"]["rss_octets"] - empty) / loads.LARGE_NAMES

    def of(self, figure):
        return [ours[figure] for _, ours in self.pairs]

    def rows(self):
        if self.name == "hot":
            yield "echo: answers a second", spread([echo["rate"] for echo, _ in self.pairs])
            yield "echo: CPU ns an answer", spread([echo["cpu_ns"] for echo, _ in self.pairs])
        if self.name == "tcp":
            yield "tcp: the echo's answers a second", spread([echo["rate"] for echo, _ in self.pairs])
        yield from ((f"{self.name}: {what}", value) for what, value in self.own_rows())

    def own_rows(self):
        yield "answers a second", spread(self.of("rate"))
        yield "of the echo's rate", spread([share * 100 for share in self.of("share")], "{:.0f} %")
        yield "CPU ns an answer, kernel included", spread(self.of("cpu_ns"))
        yield "CPU ns an answer, net", spread(self.of("net_ns"))
        quantiles = [statistics.median(self.of(figure)) for figure in ("p50_us", "p90_us", "p99_us", "p999_us")]
        yield "p50, p90, p99, p99.9 with 256 under way, µs", " / ".join(f"{value:,.0f}" for value in quantiles)
        yield "lost", f"{sum(self.of('lost')):,}"
        if self.name == "mixed":
            yield "answered from the cache", spread([ratio * 100 for ratio in self.of("hit_ratio")], "{:.1f} %")
        yield "MiB resident", f"{self.of('rss_octets')[-1] / 2**20:,.0f}"
        if self.octets_a_name is not None:
            yield "octets of memory a name", f"{self.octets_a_name:,.0f}"

    def as_json(self):
        told = {ECHO: [echo for echo, _ in self.pairs], OURS.lower(): [ours for _, ours in self.pairs]}
        return told | ({"octets_a_name": self.octets_a_name} if self.octets_a_name is not None else {})

    def keep(self):
        pass  # the history has what bench/compare finds


def with_net(ours, echo):
    return ours | {"share": ours["rate"] / echo["rate"], "net_ns": ours["cpu_ns"] - echo["cpu_ns"]}


class Cold:
    """Names of 3,000 zones, each asked for once of a server that knows nothing yet: it walks from the root. No upstream."""

    name = "cold"

    def __init__(self, args, _):
        self.runs = []
        with tree.tree() as (settings, names):
            for number in range(1, args.rounds + 1):
                progress(f"cold: round {number} of {args.rounds}")
                with stand.server(None, [*settings, *args.set], args.binary) as server:
                    told = server.load("--names", names, "--order", "once", "--seconds", 60, "--timeout", 10, "--window", 64,
                                       "--expect", "192.0.2.1")
                    packets = loads.counters_of(server)["upstream_queries"] / told["sent"]
                    self.runs.append(loads.figures(told) | {"packets": packets})

    def of(self, figure):
        return [run[figure] for run in self.runs]

    def rows(self):
        yield "cold: names a second", spread(self.of("rate"))
        yield "cold: CPU ns a name, kernel included", spread(self.of("cpu_ns"))
        yield "cold: packets sent upstream for a name", spread(self.of("packets"), "{:.2f}")
        quantiles = [statistics.median(self.of(figure)) for figure in ("p50_us", "p90_us", "p99_us", "p999_us")]
        yield "cold: p50, p90, p99, p99.9 with 64 under way, µs", " / ".join(f"{value:,.0f}" for value in quantiles)
        yield "cold: lost", f"{sum(self.of('lost')):,}"
        yield "cold: MiB resident", f"{self.of('rss_octets')[-1] / 2**20:,.0f}"

    def as_json(self):
        return {OURS.lower(): self.runs}

    def keep(self):
        pass


class Open:
    """Open loops of the hot names, by turns of echo and server, at rates that are a part of what the echo can do."""

    def __init__(self, args, upstream):
        self.args = args
        self.ceiling = statistics.median(loads.LOADS["hot"].run_echo(0, args.seconds)["rate"] for _ in range(3))
        with stand.server(upstream.port, args.set, args.binary) as server:
            loads.LOADS["hot"].fill(server)
            self.measure(server)

    def both(self, server, rate):
        """What the generator told of the echo, and of the server."""
        asked = [*loads.HOT, "--seconds", self.args.seconds, "--rate", rate]
        with stand.echo() as echo:
            ceiling = echo.load(*asked, "--expect", "question", lossless=False)
        return ceiling, server.load(*asked, "--expect", "name", lossless=False)


class Latency(Open):
    def measure(self, server):
        self.rate = self.ceiling / 2
        self.pairs = []
        for number in range(1, self.args.rounds + 1):
            progress(f"latency: round {number} of {self.args.rounds}")
            self.pairs.append(self.both(server, self.rate))

    def rows(self):
        yield "latency: offered, queries a second", f"{self.rate:,.0f}"
        lost = [sum(side["lost"] for side in sides) for sides in zip(*self.pairs)]
        yield "latency: lost by the echo, by the server", ", ".join(map(str, lost))
        for quantile in ("p50", "p90", "p99", "p99.9"):
            both = [(echo["latency_us"][quantile], ours["latency_us"][quantile]) for echo, ours in self.pairs]
            yield f"latency: {quantile}, µs; the echo's", f"{spread([ours for _, ours in both])}; {spread([its for its, _ in both])}"
            yield f"latency: {quantile} over the echo's", spread([ours / its for its, ours in both], "{:.2f}")

    def curves(self):
        """The median of the rounds at each quantile."""
        curves = []
        for name, runs in zip((ECHO, OURS), zip(*self.pairs)):
            points = zip(*(run["percentiles"] for run in runs))
            curves.append({"name": name, "percentiles": [[at[0][0], statistics.median(us for _, us in at)] for at in points]})
        return curves

    def as_json(self):
        return {"offered": self.rate, ECHO: [echo for echo, _ in self.pairs], OURS.lower(): [ours for _, ours in self.pairs]}

    def keep(self):
        kept.keep_section("latency", stand.machine(), {"offered": self.rate, "curves": self.curves()})


class Offered(Open):
    def measure(self, server):
        rounds = min(self.args.rounds, OFFERED_ROUNDS)
        self.steps = {step: [] for step in STEPS}
        for number in range(1, rounds + 1):
            progress(f"offered: round {number} of {rounds}")
            for step, pairs in self.steps.items():
                pairs.append(self.both(server, self.ceiling * step / 100))

    def series(self):
        """The median of the rounds at each step."""
        found = []
        for side, name in enumerate((ECHO, OURS)):
            points = [point(self.ceiling * step / 100, [pair[side] for pair in pairs]) for step, pairs in self.steps.items()]
            found.append({"name": name, "points": points})
        return found

    def rows(self):
        echo, ours = self.series()
        for step, its, own in zip(STEPS, echo["points"], ours["points"]):
            yield (f"offered: {step} % of the echo's rate, {its['offered']:,.0f}; answered, the echo's",
                   f"{own['answered']:,.0f}; {its['answered']:,.0f}")

    def as_json(self):
        return {"series": self.series()}

    def keep(self):
        kept.keep_section("offered", stand.machine(), {"series": self.series()})


def point(rate, runs):
    return {
        "offered": rate,
        "answered": statistics.median(run["rate"] for run in runs),
        "p99_us": statistics.median(run["latency_us"]["p99"] for run in runs),
        "lost": statistics.median((run["lost"] + run["unsent"]) / (run["sent"] + run["unsent"]) for run in runs),
    }


NAMES = (*loads.LOADS, "cold", "latency", "offered")


def measure(name, args, upstream):
    if name == "cold":
        return Cold(args, upstream)
    if name == "latency":
        return Latency(args, upstream)
    if name == "offered":
        return Offered(args, upstream)
    return Closed(name, args, upstream)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("loads", nargs="*", metavar="LOAD", help=f"{', '.join(NAMES)}; all without")
    options.add_argument("--rounds", type=int, default=5, help="of each load; at most 3 of offered")
    options.add_argument("--seconds", type=float, default=3, help="of each load of a round")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the server")
    options.add_argument("--binary", default=stand.BINARY, help="the server; build/release/peregrine without")
    options.add_argument("--json", action="store_true", help="every round's figures in one line, in place of the table")
    options.add_argument("--write", action="store_true", help="put the table in docs/performance.md")
    args = options.parse_args()
    unknown = set(args.loads) - set(NAMES)
    if unknown:
        options.error(f"no such load: {' '.join(unknown)}")
    if args.rounds < 1:
        options.error("at least one round")

    rows, found = [], {}
    with stand.upstream() as upstream:
        for name in args.loads or NAMES:
            measured = measure(name, args, upstream)
            rows += measured.rows()
            found[name] = measured.as_json()
            if args.binary == stand.BINARY and not args.set:
                measured.keep()
    if args.json:
        print(json.dumps({"machine": stand.machine(), "rounds": args.rounds, "seconds": args.seconds, "loads": found}))
    else:
        for what, value in rows:
            print(f"{what:44} {value}", flush=True)
    if args.write:
        table = "\n".join(f"| {what} | {value} |" for what, value in rows)
        stand.write_between(
            "measured", f"Measured on {stand.machine()}. Median of {args.rounds} (least to most).\n\n| figure | value |\n|---|---|\n{table}"
        )


if __name__ == "__main__":
    main()
