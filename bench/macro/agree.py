#!/usr/bin/python3
"""Do `peregrine bench load` and dnsperf agree? Both ask the same server for the same names at the same rates.

Prints what each counted and the ratio; exits 1 where the rates are more than 5 % apart. dnsperf counts its latency from when it
sent, and has no batches, so only the mean of its latency is comparable, and only roughly.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import stand

NAMES = 1_000
ALLOWED = 0.05


def dnsperf(port, names, rate, seconds):
    done = subprocess.run(
        stand.pinned(stand.LOAD_CORE, "dnsperf", "-s", stand.LOOPBACK, "-p", port, "-d", names, "-c", 16, "-q", 5000,
                     "-l", seconds, "-Q", rate, "-e"),
        capture_output=True, text=True, check=True,
    )
    number = {
        what: float(re.search(rf"{text}:\s+([\d.]+)", done.stdout)[1])
        for what, text in (("rate", "Queries per second"), ("lost", "Queries lost"), ("mean", r"Average Latency \(s\)"))
    }
    return number["rate"], number["lost"], number["mean"] * 1e6


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rates", type=int, nargs="*", default=[2_000, 10_000, 30_000])
    options.add_argument("--seconds", type=int, default=3)
    args = options.parse_args()
    apart = False
    print(f"{'offered':>8} {'dnsperf':>10} {'lost':>6} {'mean µs':>8} {'bench load':>11} {'lost':>6} {'p50 µs':>8}  ratio")
    with tempfile.TemporaryDirectory() as temporary, stand.Process(
        stand.BINARY, "bench", "upstream", f"{stand.LOOPBACK}:0", core=stand.SERVER_CORE
    ) as server:
        names = pathlib.Path(temporary) / "names"
        names.write_text("".join(f"www{number}.example.net A\n" for number in range(NAMES)))
        for rate in args.rates:
            other, other_lost, mean = dnsperf(server.port, names, rate, args.seconds)
            ours = server.load("--names", names, "--rate", rate, "--seconds", args.seconds, "--expect", "name", lossless=False)
            ratio = ours["rate"] / other
            apart |= abs(ratio - 1) > ALLOWED
            print(f"{rate:8} {other:10,.0f} {other_lost:6,.0f} {mean:8,.0f} {ours['rate']:11,.0f} {ours['lost']:6} "
                  f"{ours['latency_us']['p50']:8,.0f}  {ratio:.3f}", flush=True)
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
