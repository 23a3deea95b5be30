#!/usr/bin/python3
"""Measures the release server and the resolvers that Debian has, by turns, each forwarding to the same upstream.

    hot      1,000 names by Zipf's law, all in the cache
    large    100,000 names, all alike, all in the cache
    miss     names that are asked once: each is forwarded to the upstream and kept
    latency  the hot names in an open loop, at half of the rate of the slowest

Every server has one worker thread, no DNSSEC validation, and a cache of the same octets or, where only entries can be limited, room
for all names. An echo runs in each round, too: it is the kernel's ceiling. "net" is CPU time less the echo's of the same round.
Figures are the median of the rounds, and in brackets the least and the most; those of all servers are kept for `make report`. Needs
two cores to itself.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "report"))

import kept  # noqa: E402
import resolvers  # noqa: E402
import stand  # noqa: E402
from resolvers import PEERS  # noqa: E402
from stand import spread  # noqa: E402

HOT_NAMES = 1_000
LARGE_NAMES = 100_000
MISSES = 20_000
FIRST_MISS = 10_000_000

# Queries under way: fewer than fit into a socket with the kernel's default buffers, for not every server asks for larger ones.
WINDOW = 128
# CPU ns of the upstream for an answer from a cache; one that is asked of the upstream costs it some 4,000.
UPSTREAM_IDLE = 200

HOT = ["--generate", HOT_NAMES, "--order", "zipf"]
LARGE = ["--generate", LARGE_NAMES, "--order", "uniform"]
LOADS = ("hot", "large", "miss")
OURS = "peregrine"


def start(name, upstream_port):
    if name == OURS:
        return stand.server(upstream_port, [f"cache.size={resolvers.CACHE_MIB}MiB"])
    return resolvers.peer(PEERS[name], upstream_port)


def described(name):
    """'BIND 9.18.1'."""
    if name == OURS:
        return f"Peregrine {resolvers.version(stand.BINARY, 'version')}"
    kind = PEERS[name]
    return f"{kind.title} {resolvers.version(resolvers.installed(kind), kind.version)}"


def reason(failure):
    """One line of a failure that may have a whole log in it: what it is, and the log's end."""
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}"[:300]


class Field:
    """The servers that still take part, the figures of those, and why the others do not."""

    def __init__(self, names, upstream, stack):
        self.upstream = upstream
        self.running = {}
        self.left_out = {}
        self.titles = {"echo": "the echo"}
        self.octets_a_name = {}
        self.figures = {}  # [load][server]: one of each round
        for name in names:
            with self.or_leave_out(name):
                print(f"starting {name}", file=sys.stderr, flush=True)
                self.titles[name] = described(name)
                self.running[name] = stack.enter_context(start(name, upstream.port))
                self.octets_a_name[name] = filled(self.running[name])

    @contextlib.contextmanager
    def or_leave_out(self, name):
        """A peer's failure is its own; without ours there is nothing to compare."""
        try:
            yield
        except stand.Failed as failure:
            if name == OURS:
                raise
            self.left_out[name] = reason(failure)
            print(f"{name} is left out: {failure}", file=sys.stderr, flush=True)
            if name in self.running:
                self.running.pop(name).stop()

    def round(self, load, number, names, echo_names):
        """The echo, then each server; another one first each time, so that the drift of the machine favours none."""
        figures = self.figures.setdefault(load, {})
        with stand.echo() as echo:
            figures.setdefault("echo", []).append(echo.load(*echo_names, "--expect", "question", lossless=False))
        order = list(self.running)
        for name in order[number % max(len(order), 1):] + order[:number % max(len(order), 1)]:
            with self.or_leave_out(name):
                before = cpu_of(self.upstream)
                done = self.running[name].load(*names, "--expect", "name", lossless=False)
                if load != "miss" and cpu_of(self.upstream) - before > UPSTREAM_IDLE * done["answers"]:
                    raise stand.Failed(f"{load}: it asks the upstream for names that it should have in its cache")
                figures.setdefault(name, []).append(done)

    def ranked(self, load):
        """(server, one dictionary of figures a round); the echo first."""
        echoes = self.figures[load]["echo"]
        for name in ("echo", *self.running):
            yield name, [result(run, echo) for run, echo in zip(self.figures[load][name], echoes)]


def cpu_of(process):
    """Nanoseconds of CPU that all threads of a process have had."""
    return sum(int(one.read_text().split()[0]) for one in pathlib.Path(f"/proc/{process.child.pid}/task").glob("*/schedstat"))


def result(run, echo):
    return {
        "rate": run["rate"], "share": run["rate"] / echo["rate"], "cpu_ns": stand.cpu_ns(run),
        "net_ns": stand.cpu_ns(run) - stand.cpu_ns(echo), "p50_us": run["latency_us"]["p50"], "p99_us": run["latency_us"]["p99"],
        "lost": run["lost"],
    }


def filled(server):
    """Asks for every name of the loads once; octets of memory for each."""
    once = ["--order", "once", "--seconds", 600, "--timeout", 10, "--window", WINDOW // 2, "--expect", "name"]
    empty = server.load("--generate", 1, "--first", LARGE_NAMES, *once)["server"]["rss_octets"]
    return (server.load("--generate", LARGE_NAMES, *once)["server"]["rss_octets"] - empty) / LARGE_NAMES


def measure(args, field):
    """Fills field.figures; queries a second offered in `latency`."""
    closed = ["--seconds", args.seconds, "--window", WINDOW]
    for number in range(args.rounds):
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
        field.round("hot", number, [*HOT, *closed], [*HOT, *closed])
        field.round("large", number, [*LARGE, *closed], [*LARGE, *closed])
        misses = ["--generate", MISSES, "--first", FIRST_MISS + number * MISSES, "--order", "once", "--seconds", 600, "--window", WINDOW]
        field.round("miss", number, misses, [*HOT, *closed])
    if not field.running:
        raise stand.Failed("no server is left")
    offered = min(statistics.median(run["rate"] for run in field.figures["hot"][name]) for name in field.running) / 2
    for number in range(args.rounds):
        print(f"latency, round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
        open_loop = [*HOT, "--seconds", args.seconds, "--rate", offered]
        field.round("latency", number, open_loop, open_loop)
    return offered


def table(columns, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *rows)])


def column(runs, what, form="{:,.0f}"):
    return spread([run[what] for run in runs], form)


def lost(runs):
    return f"{sum(run['lost'] for run in runs):,}"


def tables(field, offered):
    parts = []
    for load in LOADS:
        rows = [[field.titles[name], column(runs, "rate"), column(runs, "share", "{:.0%}"), column(runs, "cpu_ns"),
                 column(runs, "net_ns"), lost(runs)] for name, runs in field.ranked(load)]
        parts.append(table([load, "answers a second", "of the echo's", "CPU ns an answer", "net", "lost"], rows))
    rows = [[field.titles[name], column(runs, "p50_us"), column(runs, "p99_us"), lost(runs)] for name, runs in field.ranked("latency")]
    parts.append(table([f"latency at {offered:,.0f} queries a second", "p50, µs", "p99, µs", "lost"], rows))
    rows = [[field.titles[name], f"{field.octets_a_name[name]:,.0f}"] for name in field.running]
    parts.append(table(["memory", "octets a cached name"], rows))
    parts += [f"{PEERS[name].title} is left out: {why}" for name, why in field.left_out.items()]
    return "\n\n".join(parts)


def as_json(args, field, offered):
    servers = {"echo": {"title": field.titles["echo"]}}
    servers |= {name: {"title": field.titles[name], "octets_a_name": field.octets_a_name[name]} for name in field.running}
    for load in (*LOADS, "latency"):
        for name, runs in field.ranked(load):
            servers[name][load] = runs
    return json.dumps({"machine": stand.machine(), "rounds": args.rounds, "seconds": args.seconds, "offered": offered,
                       "servers": servers, "left_out": field.left_out})


def section(field, offered):
    """What is kept: see bench/report/kept.py."""
    def of(load, *figures):
        return [{"server": field.titles[name], **{figure: [run[figure] for run in runs] for figure in figures},
                 "lost": sum(run["lost"] for run in runs)} for name, runs in field.ranked(load)]

    return {
        "loads": {load: of(load, "rate", "cpu_ns", "net_ns") for load in LOADS},
        "offered": offered,
        "latency": of("latency", "p50_us", "p99_us"),
        "memory": [{"server": field.titles[name], "octets": field.octets_a_name[name]} for name in field.running],
        "left_out": {PEERS[name].title: why for name, why in field.left_out.items()},
    }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3, help="of each load of a round")
    options.add_argument("--only", action="append", choices=(OURS, *PEERS), metavar="NAME",
                         help=f"a server to measure, and no others but those named so; of {', '.join((OURS, *PEERS))}")
    options.add_argument("--json", action="store_true", help="every round's figures in one line, in place of the tables")
    options.add_argument("--write", action="store_true", help="put the tables in docs/performance.md")
    args = options.parse_args()
    if args.rounds < 1:
        options.error("at least one round")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # an exit stops what was started
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(stand.upstream())
        field = Field(args.only or (OURS, *PEERS), upstream, stack)
        offered = measure(args, field)
    if not args.only:
        kept.keep_section("peers", stand.machine(), section(field, offered))
    text = tables(field, offered)
    print(as_json(args, field, offered) if args.json else text)
    if args.write:
        stand.write_between("peers", f"Measured on {stand.machine()}. Median of {args.rounds} (least to most).\n\n{text}")


if __name__ == "__main__":
    main()
