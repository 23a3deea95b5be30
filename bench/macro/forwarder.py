#!/usr/bin/python3
"""What a forwarder costs: answers a second from the cache, and CPU time per cached answer and per forwarded miss.

The release server with one worker on core 0; NSD, its upstream, and dnsperf, the load, on core 1. CPU time is that of all the server's
threads by the scheduler's own count (/proc/PID/task/*/schedstat), so it holds however busy the machine is; the rate does not.
Prints one line per figure: median of the runs, and all of them.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "interop"))
from processes import LOOPBACK, Nsd, Peregrine  # noqa: E402

ORIGIN = "bench.example.net."
ZONE = f"$ORIGIN {ORIGIN}\n$TTL 86400\n@ SOA ns hostmaster 1 3600 900 604800 300\n@ NS ns\nns A 192.0.2.53\n* A 192.0.2.1\n"
HOT_NAMES = 1_000


def on_core(core):
    def pin(process):
        subprocess.run(["taskset", "-acp", str(core), str(process.child.pid)], check=True, stdout=subprocess.DEVNULL)
        return process

    return pin


def cpu_ns(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def load(server, names, *limits):
    """Runs dnsperf over `names`; (answers a second, CPU ns per answer)."""
    questions = server.directory / "questions"
    questions.write_text("".join(f"{name} A\n" for name in names))
    before = cpu_ns(server.child.pid)
    done = subprocess.run(
        ["taskset", "-c", "1", "dnsperf", "-s", LOOPBACK, "-p", str(server.port), "-d", str(questions), "-c", "16", "-q", "500", *limits],
        capture_output=True, text=True, check=True,
    )
    spent = cpu_ns(server.child.pid) - before
    numbers = {key: int(value) for key, value in re.findall(r"Queries (sent|completed|lost):\s+(\d+)", done.stdout)}
    codes = re.search(r"Response codes:\s+(.*)", done.stdout)[1]
    if numbers["lost"] or not re.fullmatch(r"NOERROR \d+ \(100\.00%\)", codes.strip()):
        sys.exit(f"forwarder.py: lost or wrong answers, so the figures mean nothing:\n{done.stdout}")
    rate = float(re.search(r"Queries per second:\s+([\d.]+)", done.stdout)[1])
    return rate, spent / numbers["completed"]


def report(what, values, unit):
    print(f"{what:42} {statistics.median(values):>12,.0f} {unit:14} ({', '.join(f'{v:,.0f}' for v in values)})", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3, help="of each run from the cache")
    options.add_argument("--misses", type=int, default=50_000, help="names of each run that misses")
    args = options.parse_args()

    with tempfile.TemporaryDirectory(prefix="peregrine-bench-") as temporary:
        directory = pathlib.Path(temporary)
        upstream = on_core(1)(Nsd(directory, ORIGIN, ZONE).start())
        server = on_core(0)(Peregrine(directory, {".": [upstream.port]}, workers=1).start())
        try:
            hot = [f"hot{number}.{ORIGIN}" for number in range(HOT_NAMES)]
            load(server, hot, "-n", "1")
            hits, misses = [], []
            for run in range(args.runs):
                print(f"run {run + 1} of {args.runs}", file=sys.stderr, flush=True)
                misses.append(load(server, [f"m{run}x{n}.{ORIGIN}" for n in range(args.misses)], "-n", "1"))
                hits.append(load(server, hot, "-l", str(args.seconds)))
            report("from the cache", [rate for rate, _ in hits], "answers/s")
            report("CPU per cached answer, kernel included", [cpu for _, cpu in hits], "ns")
            report("forwarded misses", [rate for rate, _ in misses], "answers/s")
            report("CPU per forwarded miss, kernel included", [cpu for _, cpu in misses], "ns")
        finally:
            server.stop()
            upstream.stop()


if __name__ == "__main__":
    main()
