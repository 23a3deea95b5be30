#!/usr/bin/python3
"""Builds build/pgo/peregrine: the release, guided by a profile of what a server does under load.

An instrumented server (build/pgo-train) is trained with hits, queries without EDNS, for DNSSEC and from a large cache, and with
misses through an upstream, once for each engine and store; the release is then compiled anew with its profile.
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TRAIN, PROFILES = ROOT / "build" / "pgo-train", ROOT / "build" / "pgo-train" / "profiles"
PROFILE = TRAIN / "peregrine.profdata"
os.environ["BENCH_BINARY"] = str(TRAIN / "peregrine")
os.environ["LLVM_PROFILE_FILE"] = os.devnull  # the generator's own profile is of no use
sys.path.insert(0, str(ROOT / "bench" / "macro"))
import stand  # noqa: E402

# As users run it, and each engine and store that a flag may bring.
SETTINGS = ([], ["profile=full"], ["flags.lock_free_cache=true"], ["flags.io_uring=true"], ["flags.batched_io=false"])
SECONDS = 2


def build(preset):
    for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "--target", "peregrine"]):
        subprocess.run(command, cwd=ROOT, check=True)


def train(settings, upstream):
    environment = {**os.environ, "LLVM_PROFILE_FILE": str(PROFILES / "%p.profraw")}
    with stand.server(upstream.port, settings, env=environment) as server:
        server.load("--generate", 20_000, "--order", "once", "--seconds", 20, "--timeout", 2, "--expect", "name")
        for options in (["--order", "zipf"], ["--order", "zipf", "--edns", 0], ["--order", "uniform", "--dnssec"]):
            # The first queries with DO are misses, and the rest hits.
            server.load("--generate", 1_000, "--seconds", SECONDS, "--expect", "name", *options)
        server.load("--generate", 20_000, "--order", "uniform", "--seconds", SECONDS, "--expect", "name")


def main():
    build("pgo-train")
    shutil.rmtree(PROFILES, ignore_errors=True)
    with stand.upstream() as upstream:
        for settings in SETTINGS:
            print(f"pgo: training with {' '.join(settings) or 'the defaults'}", flush=True)
            try:
                train(settings, upstream)
            except stand.Failed as failure:
                # An engine that does not serve here is left as the compiler makes it by itself.
                print(f"pgo: no training with {' '.join(settings)}: {failure}", file=sys.stderr)
    raw = sorted(PROFILES.glob("*.profraw"))
    if not raw:
        sys.exit("pgo: the servers wrote no profile")
    subprocess.run(["llvm-profdata-19", "merge", "-o", PROFILE, *raw], check=True)
    build("pgo")
    print(f"pgo: {ROOT / 'build' / 'pgo' / 'peregrine'}")


if __name__ == "__main__":
    main()
