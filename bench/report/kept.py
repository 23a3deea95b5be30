"""What the laboratory keeps of its measurements, below build/lab: what the report shows, and the history that CI keeps.

    build/lab/runs/DATE-COMMIT.json   one run of the benchmarks at a commit: a Run
    build/lab/SECTION.json            what one tool found last: see SECTIONS

BENCH_LAB in the environment is another folder in place of build/lab.

A section is {"machine": one line, "measured": ISO 8601, "commit": 40 digits, and the section's own keys}:

    latency   "offered": queries a second; "curves": [{"name", "percentiles": [[quantile, microseconds], ...]}]
    offered   "series": [{"name", "points": [{"offered", "answered" (a second), "p99_us", "lost" (a share)}]}]
    ablation  "flags": [{"name", "off": [ns, ...], "on": [ns, ...], "instructions": [off, on] or null}]; "unavailable": why a flag
              was not measured, if so
    peers     "loads": {load: [{"server", "rate": [...], "cpu_ns": [...], "net_ns": [...], "lost": N}]}, "latency": [{"server",
              "p50_us": [...], "p99_us": [...], "lost": N}], "memory": [{"server", "octets"}]; "offered": the latency's queries a
              second; "left_out": {server: why}; the server's name has its version
    flame     "name": the benchmark; "kernels"; "stacks": [["outermost;...;innermost", instructions an operation], ...], where a
              frame is "function [source file]"

Lists of numbers are those of the rounds.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = pathlib.Path(os.environ.get("BENCH_LAB", ROOT / "build" / "lab")).resolve()
RUNS = LAB / "runs"
SECTIONS = ("latency", "offered", "ablation", "peers", "flame")


@dataclasses.dataclass(frozen=True)
class Row:
    """One benchmark of a run. `part` is exact, micro or macro; less of the unit is better, but of what comes a second."""

    part: str
    name: str
    unit: str
    samples: list


@dataclasses.dataclass(frozen=True)
class Run:
    commit: str
    subject: str
    committed: str  # ISO 8601, as `measured`
    measured: str
    machine: str
    rows: list

    def path(self):
        day = self.committed.replace("-", "").replace(":", "")[:15]
        return RUNS / f"{day}-{self.commit[:12]}.json"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def new_run(commit, machine, rows):
    subject, committed = git("log", "-1", "--format=%s%n%cI", commit).split("\n")
    utc = datetime.datetime.fromisoformat(committed).astimezone(datetime.timezone.utc).isoformat(timespec="seconds")
    return Run(commit, subject, utc, now(), machine, rows)


def keep_run(run):
    """Takes the place of an earlier run of the same commit."""
    RUNS.mkdir(parents=True, exist_ok=True)
    run.path().write_text(json.dumps(dataclasses.asdict(run), indent=1) + "\n")
    return run.path()


def runs():
    """All that are kept, the oldest commit first."""
    found = []
    for path in sorted(RUNS.glob("*.json")):
        told = json.loads(path.read_text())
        found.append(Run(**{**told, "rows": [Row(**row) for row in told["rows"]]}))
    return found


def keep_section(name, machine, found):
    if name not in SECTIONS:
        raise ValueError(f"no section {name}")
    LAB.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine, "measured": now(), "commit": git("rev-parse", "HEAD"), **found}
    (LAB / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")


def section(name):
    """What was kept, or None."""
    path = LAB / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None
