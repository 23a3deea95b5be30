#!/usr/bin/python3
"""Do `peregrine bench load`, dnsperf and flamethrower agree? All ask the same server for the same names at the same rates.

The server is the release build with the names in its cache; each generator has 16 sockets or connections. A line a rate and tool: what
it counted, and how ours compares. They disagree, and the exit code is 1, where the rates of answers are more than 5 % apart although
the other one kept up, that is sent within 5 % of what it was told to. The mean latencies are only roughly comparable: ours counts from
when a query was due, theirs from when it was sent.

flamethrower is DNS-OARC's `flame` (github.com/DNS-OARC/flamethrower); Debian's package of that name is another program. It is left out
where `flame` is not in PATH.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import stand

NAMES = 1_000
ALLOWED = 0.05
SOCKETS = 16


@dataclasses.dataclass(frozen=True)
class Count:
    """What a generator says: queries and answers a second, queries lost, mean latency in microseconds."""

    sent: float
    rate: float
    lost: int
    mean: float


@dataclasses.dataclass(frozen=True)
class Asked:
    port: int
    names: pathlib.Path
    rate: int
    seconds: int
    tcp: bool


def run(*command):
    done = subprocess.run(stand.pinned(stand.LOAD_CORE, *command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise stand.Failed(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def dnsperf(asked):
    said = run("dnsperf", "-s", stand.LOOPBACK, "-p", asked.port, "-d", asked.names, "-c", SOCKETS, "-q", 5000, "-l", asked.seconds,
               "-Q", asked.rate, "-e", "-m", "tcp" if asked.tcp else "udp")
    number = {
        what: float(re.search(rf"{text}:\s+([\d.]+)", said)[1])
        for what, text in (("sent", "Queries sent"), ("rate", "Queries per second"), ("lost", "Queries lost"),
                           ("time", r"Run time \(s\)"), ("mean", r"Average Latency \(s\)"))
    }
    return Count(number["sent"] / number["time"], number["rate"], int(number["lost"]), number["mean"] * 1e6)


def flame(asked):
    with tempfile.NamedTemporaryFile("r") as told:
        run("flame", "-p", asked.port, "-f", asked.names, "-g", "file", "-Q", asked.rate, "-l", asked.seconds, "-c", SOCKETS,
            "-P", "tcp" if asked.tcp else "udp", "-v", 0, "-o", told.name, stand.LOOPBACK)
        last = json.loads(told.read().splitlines()[-1])
    return Count(last["total_qps_s_avg"], last["total_qps_r_avg"], last["total_timeouts"], last["total_response_avg_ms"] * 1e3)


def ours(server, asked):
    told = server.load("--names", asked.names, "--rate", asked.rate, "--seconds", asked.seconds, "--expect", "name",
                       *(("--tcp", "--connections", SOCKETS) if asked.tcp else ("--sockets", SOCKETS)), lossless=False)
    return Count(told["sent"] / told["seconds"], told["rate"], told["lost"], told["latency_us"]["mean"])


def verdict(own, other, rate):
    """'agree', 'disagree', or that the other one did not keep up."""
    if other.sent < rate * (1 - ALLOWED):
        return f"did not keep up: sent {other.sent:,.0f}"
    return "agree" if abs(own.rate / other.rate - 1) <= ALLOWED else "disagree"


def line(rate, tool, count, ratio="", said=""):
    return f"{rate:>8,} {tool:13} {count.rate:>10,.0f} {count.lost:>6,} {count.mean:>8,.0f}  {ratio:>6} {said}".rstrip()


def compare(server, tools, asked):
    """Prints the lines of one rate; whether all agree."""
    own = ours(server, asked)
    print(line(asked.rate, "bench load", own), flush=True)
    agree = True
    for name, tool in tools.items():
        other = tool(asked)
        said = verdict(own, other, asked.rate)
        agree &= said != "disagree"
        print(line(asked.rate, name, other, f"{own.rate / other.rate:.3f}", said), flush=True)
    return agree


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rates", type=int, nargs="*", default=[2_000, 10_000, 30_000, 60_000])
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--tcp", action="store_true", help="over TCP")
    args = options.parse_args()
    tools = {"dnsperf": dnsperf}
    if shutil.which("flame"):
        tools["flamethrower"] = flame
    else:
        print("flamethrower is left out: no `flame` in PATH", file=sys.stderr)

    with tempfile.TemporaryDirectory() as temporary, stand.upstream() as upstream, stand.server(upstream.port) as server:
        names = pathlib.Path(temporary) / "names"
        names.write_text("".join(f"www{number}.example.net A\n" for number in range(NAMES)))
        server.load("--names", names, "--order", "once", "--seconds", 60, "--expect", "name")
        print(f"{'offered':>8} {'tool':13} {'answers/s':>10} {'lost':>6} {'mean µs':>8}  {'ratio':>6}")
        agree = [compare(server, tools, Asked(server.port, names, rate, args.seconds, args.tcp)) for rate in args.rates]
    print(f"They {'agree' if all(agree) else 'disagree'} within {ALLOWED:.0%} wherever the other one keeps up.")
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
