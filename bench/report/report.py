#!/usr/bin/python3
"""One page of what the laboratory found: build/lab/report.html, which works from the file with nothing beside it and no network.

    report.py           counts the flame graph of the hit path, and makes the page of it and of what else is kept (see kept.py);
                        says what is lacking
    report.py --all     measures first what is lacking, one tool after the other (half an hour, two idle cores); needs the
                        release server

The page's script is made by npm and esbuild from bench/report/page, below build/report-page, when one of its sources has changed.
"""

import argparse
import hashlib
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import numpy

import flame
import kept

ROOT = kept.ROOT
PAGE = pathlib.Path(__file__).with_name("page")
WORKSHOP = ROOT / "build" / "report-page"
LEVEL = 0.95
RESAMPLES = 2000
COMMITS = 5

# What measures a section: for the reader, and for --all.
COMMANDS = {
    "history": 'make bench-history COMMITS="HEAD~20 HEAD"',
    "latency": "bench/macro/measure.py latency",
    "offered": "bench/macro/measure.py offered",
    "ablation": "make ablation",
    "peers": "make bench-peers",
    "flame": "make report",
}
TOOLS = {
    "latency": ["bench/macro/measure.py", "latency"],
    "offered": ["bench/macro/measure.py", "offered"],
    "ablation": ["scripts/ablation.py", "--dry"],
    "peers": ["bench/macro/peers.py"],
}


def interval(samples):
    """The 95 % bootstrap interval of the median; None where there is nothing to tell it from."""
    if len(samples) < 3 or min(samples) == max(samples):
        return None
    drawn = numpy.random.default_rng(1).choice(numpy.asarray(samples, float), (RESAMPLES, len(samples)))
    low, high = numpy.quantile(numpy.median(drawn, axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def comes_a_second(unit):
    """Of such a unit, more is better."""
    return re.search(r"/s$|\ba second$|\bper second$", unit) is not None


def point(place, samples):
    around = interval(samples)
    return {
        "run": place, "middle": float(numpy.median(samples)), "low": around and around[0], "high": around and around[1],
        "samples": len(samples),
    }


def history(runs):
    """Runs in the order of the commits, and the points of each benchmark over them; None without runs."""
    benchmarks = {}
    for place, run in enumerate(runs):
        for row in run.rows:
            if row.samples:
                found = benchmarks.setdefault((row.part, row.name, row.unit), [])
                found.append(point(place, row.samples))
    if not benchmarks:
        return None
    told = [{"commit": run.commit, "subject": run.subject, "committed": run.committed, "machine": run.machine} for run in runs]
    rows = [
        {"part": part, "name": name, "unit": unit, "more": comes_a_second(unit), "points": points}
        for (part, name, unit), points in sorted(benchmarks.items())
    ]
    return {"runs": told, "benchmarks": rows}


def commits_since(commit):
    """How many commits ago; None where it is not an ancestor."""
    counted = subprocess.run(
        ["git", "rev-list", "--count", f"{commit}..HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(counted.stdout) if counted.returncode == 0 else None


def here():
    model = re.search(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{model[1] if model else platform.machine()}, Linux {platform.release()}"


def collected():
    """All that the page shows."""
    head = kept.new_run("HEAD", here(), [])
    sections = {name: kept.section(name) for name in kept.SECTIONS}
    return {
        "commit": kept.git("rev-parse", "HEAD"), "subject": head.subject, "committed": head.committed, "made": kept.now(),
        "machine": head.machine, "commands": COMMANDS, "sections": sections, "history": history(kept.runs()),
        "ages": {name: commits_since(found["commit"]) for name, found in sections.items() if found},
    }


def lacking(data):
    names = [name for name, found in data["sections"].items() if not found]
    return names if data["history"] else ["history", *names]


def in_markup(value):
    """JSON that may stand in a script element: nothing in it ends the element or begins a comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def page(data, script, folder=PAGE):
    parts = {
        "STYLE": (folder / "style.css").read_text(),
        "DATA": in_markup(data),
        "SCRIPT": re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE),
    }
    return re.sub(r"/\*(STYLE|DATA|SCRIPT)\*/", lambda found: parts[found[1]], (folder / "page.html").read_text())


def digest(paths):
    found = hashlib.sha256()
    for path in paths:
        found.update(f"{path.relative_to(PAGE)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def bundle():
    """The page's script. The sources are copied away from the checkout, as npm leaves its own beside them."""
    lock = [PAGE / name for name in (".npmrc", "package-lock.json", "package.json")]
    sources = sorted((PAGE / "src").glob("*.js"))
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(WORKSHOP / "src", ignore_errors=True)
    shutil.copytree(PAGE / "src", WORKSHOP / "src")
    for path in lock:
        shutil.copy(path, WORKSHOP)
    once("node_modules", digest(lock), ["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"])
    once("bundle.js", digest(lock + sources), ["npm", "run", "--silent", "bundle"])
    return (WORKSHOP / "bundle.js").read_text()


def licences():
    """Of what is bundled: whoever passes the page on must pass these on."""
    packages = [WORKSHOP / "node_modules" / name for name in ("echarts", "zrender", "tslib")]
    found = [path for package in packages for path in sorted(package.glob("*")) if path.stem in ("NOTICE", "LICENSE")]
    return {f"{path.parent.name}: {path.stem}": path.read_text() for path in found}


def once(made, of, command):
    """Runs the command unless it has made it of the same already."""
    mark = WORKSHOP / f"{made}.of"
    if (WORKSHOP / made).exists() and mark.exists() and mark.read_text() == of:
        return
    print(f"report: {' '.join(command[:3])}", file=sys.stderr, flush=True)
    subprocess.run(command, cwd=WORKSHOP, check=True, stdout=sys.stderr)
    mark.write_text(of)


def count_flame(program):
    """Exact and done in a second, so it is always of the checkout as it is. What cannot be built now may be kept from before."""
    try:
        flame.keep(program)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as failure:
        print(f"report: no flame graph of this checkout: {failure}", file=sys.stderr)


def history_command():
    return ["bench/compare/compare.py", "history", *(f"HEAD~{number}" for number in range(COMMITS - 1, 0, -1)), "HEAD"]


def measure_lacking(data):
    """Each with its tool; one that fails does not keep the others from being measured."""
    names = [name for name in lacking(data) if name != "flame"]
    for place, name in enumerate(names, 1):
        print(f"report: measuring {name}, {place} of {len(names)}", file=sys.stderr, flush=True)
        if name == "peers":
            subprocess.run([ROOT / "scripts" / "setup.sh", "peers"], check=True, stdout=sys.stderr)
        command = TOOLS.get(name) or history_command()
        done = subprocess.run([ROOT / command[0], *command[1:]], cwd=ROOT, check=False, stdout=sys.stderr)
        if done.returncode:
            print(f"report: {' '.join(command)} failed", file=sys.stderr)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--all", action="store_true", help="measure what is lacking")
    options.add_argument("--flame-program", type=pathlib.Path, help="a flame_hit that is built already")
    args = options.parse_args()
    count_flame(args.flame_program)
    if args.all:
        measure_lacking(collected())
    data = collected()
    kept.LAB.mkdir(parents=True, exist_ok=True)
    made = kept.LAB / "report.html"
    try:
        script = bundle()
    except (OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"report: the page's script could not be made: {failure}")
    made.write_text(page(data | {"licences": licences()}, script))
    for name in lacking(data):
        print(f"lacking: {name}; {COMMANDS[name]} measures it")
    print(made)


if __name__ == "__main__":
    main()
