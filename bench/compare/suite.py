"""The benchmarks that builds are compared by, and how they are run.

    hit      the hit path and what it is made of, timed by the programs whose instructions callgrind counts (bench/exact)
    micro    single functions (bench/micro)
    macro    a server under load over loopback (bench/macro)

A job is a process that is run again and again; each run gives one number for each of the job's benchmarks. Less is better in all of
them.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

import trees

sys.path.insert(0, str(trees.ROOT / "scripts"))
sys.path.insert(0, str(trees.ROOT / "bench" / "macro"))
import exact  # noqa: E402
import loads  # noqa: E402
import stand  # noqa: E402

PARTS = ("hit", "micro", "macro")
KERNELS = "avx2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text() else "scalar"

TIMED = (
    ("exact_hit", "hit_plain.arena"),
    ("exact_hit", "hit_do.arena"),
    ("exact_hit", "hit_cookie.arena"),
    ("exact_hit", "hit_plain.mutex"),
    ("exact_key", "find.arena"),
    ("exact_parse", "parse_edns"),
    ("exact_render", "render_edns"),
)
# Of each program those that tell something on their own; what only differs by a size is left to who looks at one function.
MICRO = {
    "bench_answer": "^(insert/arena|render/plain|render/edns)/(alias|signed_answer)$|^age/16$",
    "bench_buffers": "^buffers/.*/pool/512/threads:1$",
    "bench_cache": "^find/arena/(hit|miss)/in_L2/threads:1$|^put/arena/again/in_L2$|^find_batched/arena/hit/out_of_L2/threads:1$",
    "bench_kernels": f"/{KERNELS}/mixed$",
    "bench_wire": f"^parse/|^rdata_text/(AAAA|SOA|TXT)$|^(equal_names|canonical_order)/{KERNELS}/(16|64)$",
}
MACRO = ("hot", "miss")


@dataclasses.dataclass(frozen=True)
class Job:
    part: str
    name: str
    unit: str
    run: Callable  # (the programs' folder, seconds) -> {benchmark: number}, empty where the build has no such benchmark


@contextlib.contextmanager
def fresh_copy(program):
    """Where a file's pages lie in memory makes a program faster or slower by up to 15 %, for as long as they stay there. A new copy for
    each run makes chance of it (T. Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!", 2009)."""
    with tempfile.TemporaryDirectory(prefix="peregrine-bench-") as folder:
        yield shutil.copy(program, folder)


def run_alone(program, *arguments):
    """On the last core: the first has the interrupts."""
    with fresh_copy(program) as copy:
        return subprocess.run(
            ["taskset", "-c", str(os.cpu_count() - 1), copy, *map(str, arguments)], capture_output=True, text=True, check=False
        )


def time_hit(program, name, programs, seconds):
    path = programs / "bench" / "exact" / program
    if not path.exists():
        return {}
    done = run_alone(path, name, KERNELS, seconds)
    found = re.search(r"^nanoseconds ([\d.]+)$", done.stdout, re.MULTILINE)
    if done.returncode == 2:  # no such benchmark
        return {}
    if done.returncode or not found:
        raise trees.Unbuildable(f"{program} {name} failed in {programs}: {done.stdout}{done.stderr}")
    return {name: float(found[1])}


def time_micro(program, chosen, programs, seconds):
    path = programs / "bench" / "micro" / program
    if not path.exists():
        return {}
    done = run_alone(path, f"--benchmark_filter={chosen}", f"--benchmark_min_time={seconds / 10}", "--benchmark_format=json")
    if done.returncode:
        raise trees.Unbuildable(f"{program} failed in {programs}: {done.stdout}{done.stderr}")
    told = json.loads(done.stdout or '{"benchmarks": []}')["benchmarks"]
    return {one["name"]: one["cpu_time"] for one in told}


def time_macro(load, programs, seconds):
    with fresh_copy(programs / "peregrine") as binary:
        for last in (False, True):
            try:
                return {f"{load}: CPU of an answer": loads.sample(binary, load, seconds * 5)["cpu_ns"]}
            except stand.Failed as failure:  # a neighbour may have had the core for a while: once is no verdict
                if last:
                    raise trees.Unbuildable(f"{load} cannot be measured: {failure}") from failure


def jobs(parts=PARTS):
    found = {
        "hit": [Job("hit", name, "ns", functools.partial(time_hit, program, name)) for program, name in TIMED],
        "micro": [Job("micro", program, "ns", functools.partial(time_micro, program, one)) for program, one in MICRO.items()],
        "macro": [Job("macro", load, "ns", functools.partial(time_macro, load)) for load in MACRO],
    }
    return [job for part in parts for job in found[part]]


def counts(programs):
    """Instructions an operation by name, of all that is counted. Kept beside the programs: they are the same each time."""
    kept = programs / "counts.json"
    if not kept.exists():
        found = {}
        for program, name, kernels in exact.benchmarks(programs / "bench" / "exact"):
            if kernels == KERNELS:
                progress(f"counting {name}")
                found[name] = exact.count(program, name, kernels)[0]
        kept.write_text(json.dumps(found))
        progress("")
    return json.loads(kept.read_text())


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def in_turn(number, sides):
    """The sides in another order each time, so that a drift of the machine favours none: A B, B A; A B C, B C A, C A B, ..."""
    first = number % len(sides)
    return sides[first:] + sides[:first]


def measure(builds, chosen, rounds, seconds):
    """For each of the builds {(part, benchmark): (unit, samples)}, taken by turns."""
    samples = [{} for _ in builds]
    for number in range(rounds):
        for job in chosen:
            progress(f"round {number + 1} of {rounds}: {job.part} {job.name}")
            for programs, found in in_turn(number, list(zip(builds, samples))):
                for name, value in job.run(programs, seconds).items():
                    found.setdefault((job.part, name), (job.unit, []))[1].append(value)
    progress("")
    return samples
