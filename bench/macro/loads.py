"""The loads that bench/macro/measure.py has and bench/compare uses: what is asked of a server, and what it must have in its cache
before. Each is a closed loop."""

import dataclasses
import functools
import json
import subprocess
import typing

import stand

HOT = ("--generate", 1_000, "--order", "zipf")
CONNECTIONS = 16
FIRST_MISS = 10_000_000
MOST_MISSES = 20_000_000  # in a run: more than any server answers in a minute

MIXED_NAMES = 10_000_000
WARM_UP_SECONDS = 30
# Numbers of the names that are asked once: in each run others.
FIRST_ONCE = 1_000_000_000
MOST_ONCE = 10_000_000


def ask_once(server, count, first=0):
    """Asks for each name once; what the generator counted."""
    return server.load(
        "--generate", count, "--first", first, "--order", "once", "--seconds", 600, "--timeout", 10, "--expect", "name"
    )


def ask_mixed(names, number):
    return ("--generate", names, "--order", "zipf", "--exponent", 1.0, "--seed", number + 1, "--nxdomain", 0.12, "--once-share", 0.15,
            "--once-first", FIRST_ONCE + number * MOST_ONCE)


def warm_up(names, seconds, server):
    # Lost queries are asked again soon enough; what is measured comes later.
    server.load(*ask_mixed(names, 0), "--seconds", seconds, "--expect", "name", lossless=False)


@dataclasses.dataclass(frozen=True)
class Load:
    """`ask` gives the generator's options for the run of a number, from 1; another number, other new names."""

    ask: typing.Callable[[int], tuple]
    fill: typing.Callable[[stand.Process], object] = lambda server: None
    settings: tuple = ()  # of the server
    over: tuple = ()  # what both generator and echo are told of the transport
    echoed: tuple = ()  # what the echo is asked, if it is not the same

    def run(self, server, number, seconds):
        """The figures of a run, with the share of the queries that the cache answered."""
        before = cache_use(server)
        found = figures(server.load(*self.ask(number), *self.over, "--seconds", seconds, "--expect", "name"))
        after = cache_use(server)
        asked = sum(after) - sum(before)
        return found | ({"hit_ratio": (after[0] - before[0]) / asked} if asked else {})

    def run_echo(self, number, seconds):
        with stand.echo(*self.over) as echo:
            return figures(
                echo.load(*(self.echoed or self.ask(number)), *self.over, "--seconds", seconds, "--expect", "question")
            )


def hot(over=(), connections=()):
    return Load(lambda _: (*HOT, *connections), lambda server: ask_once(server, 1_000), over=over)


def large(names):
    return Load(
        lambda _: ("--generate", names, "--order", "uniform"), lambda server: ask_once(server, names), settings=("cache.size=2GiB",)
    )


def miss():
    return Load(
        lambda number: ("--generate", MOST_MISSES, "--first", FIRST_MISS + number * MOST_MISSES, "--order", "once"), echoed=HOT
    )


def mixed(names, warm_up_seconds):
    return Load(
        functools.partial(ask_mixed, names), functools.partial(warm_up, names, warm_up_seconds), settings=("cache.size=1GiB",)
    )


TCP = hot(over=("--tcp",), connections=("--connections", CONNECTIONS))
LARGE_NAMES = 1_000_000
LOADS = {
    "hot": hot(), "large": large(LARGE_NAMES), "miss": miss(), "mixed": mixed(MIXED_NAMES, WARM_UP_SECONDS), "tcp": TCP,
}
# For sample(): filled in a second or two.
SMALL = LOADS | {"large": large(100_000), "mixed": mixed(100_000, 1)}


def counters_of(server):
    """What the server has counted since its start; nothing for one that does not tell."""
    told = subprocess.run(
        [stand.BINARY, "ctl", "status", "--json", "--state-dir", server.state_dir], capture_output=True, text=True, check=False
    )
    return json.loads(told.stdout)["counters"] if told.returncode == 0 else {}


def cache_use(server):
    """Queries that the cache answered, and those that it did not."""
    counters = counters_of(server)
    return counters.get("cache_hits", 0), counters.get("cache_misses", 0)


def figures(told):
    """What is kept of a run of the generator."""
    latency = {f"{name.replace('.', '')}_us": told["latency_us"][name] for name in ("p50", "p90", "p99", "p99.9")}
    return {"rate": told["rate"], "cpu_ns": stand.cpu_ns(told), **latency, "sent": told["sent"], "lost": told["lost"], "unsent": told["unsent"],
            "rss_octets": told["server"]["rss_octets"]}


def sample(binary, load, seconds):
    """Starts `binary` anew with an upstream of its own, fills its cache, and runs a load (hot, large, miss, mixed or tcp; large and
    mixed with 100,000 names) once: {"rate", "cpu_ns", "p50_us", "p90_us", "p99_us", "p999_us", "lost", "rss_octets", ...}. The
    generator is that of the release build."""
    chosen = SMALL[load]
    with stand.upstream() as upstream, stand.server(upstream.port, chosen.settings, binary) as server:
        chosen.fill(server)
        return chosen.run(server, 1, seconds)
