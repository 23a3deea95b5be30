"""The measuring stand: a server on core 0, the generator and the upstream on core 1, over loopback.

Absolute rates drift with the machine, so a server is compared with an echo (`peregrine bench echo`) that ran just before it: what
the kernel's socket path costs without any server. CPU time is that of all the process's threads by the scheduler's own count.
"""

import contextlib
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("BENCH_BINARY", ROOT / "build" / "release" / "peregrine"))
LOOPBACK = "127.0.0.1"
START_SECONDS = 20
SERVER_CORE, LOAD_CORE = 0, 1


class Failed(SystemExit):
    """A measurement that means nothing, and why; ends the program unless it is caught."""


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


class Process:
    """A child that says where it listens, stopped by its own id."""

    def __init__(self, *command, core, env=None):
        self.log = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(
            pinned(core, *command), stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, env=env
        )
        try:
            self.port = self.wait_for_port()
        except BaseException:
            self.stop()
            raise

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(rf"listens on {re.escape(LOOPBACK)}:(\d+)", self.output())
            if found:
                return int(found[1])
            if self.child.poll() is not None:
                break
            time.sleep(0.02)
        raise Failed(f"it does not listen:\n{self.output()}")

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def load(self, *options, lossless=True):
        """Runs the generator against this process; its figures. Wrong answers end the measurement: they mean nothing."""
        done = subprocess.run(
            pinned(LOAD_CORE, BINARY, "bench", "load", f"{LOOPBACK}:{self.port}", "--pid", self.child.pid, "--json", *options),
            capture_output=True, text=True, check=False,
        )
        if done.returncode:
            raise Failed(f"bench load {' '.join(map(str, options))}: {done.stdout}{done.stderr}\n{self.output()}")
        figures = json.loads(done.stdout)
        if lossless and figures["lost"] > figures["sent"] * 1e-3:
            raise Failed(f"too many queries were lost: {done.stdout}")
        return figures


def echo(*options):
    return Process(BINARY, "bench", "echo", *options, f"{LOOPBACK}:0", core=SERVER_CORE)


def upstream():
    return Process(BINARY, "bench", "upstream", f"{LOOPBACK}:0", core=LOAD_CORE)


@contextlib.contextmanager
def server(upstream_port, settings=(), binary=BINARY, env=None):
    """A server with one worker that forwards everything to the upstream, or resolves by itself where there is none."""
    with tempfile.TemporaryDirectory(prefix="peregrine-bench-") as state:
        forward = [f'forward=[{{zone=".", servers=["{LOOPBACK}:{upstream_port}"]}}]'] if upstream_port else []
        fixed = ["server.workers=1", f"server.listen={LOOPBACK}:0", f"server.state_dir={state}", *forward]
        options = [word for setting in (*fixed, *settings) for word in ("--set", setting)]
        with Process(binary, "serve", *options, core=SERVER_CORE, env=env) as running:
            running.state_dir = state
            yield running


def cpu_ns(figures):
    return figures["server"]["cpu_ns_per_answer"]


def machine():
    """One line for a reader who wonders what the figures were measured on."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)", info, re.MULTILINE)
    version = subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout
    built = re.search(r"^built by (.*)", version, re.MULTILINE)
    return (f"{model[1] if model else platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}; "
            f"built by {built[1] if built else '?'}")


def spread(values, form="{:,.0f}"):
    """'median (least to most)'."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def write_between(marker, text, path=ROOT / "docs" / "performance.md"):
    """Puts `text` between <!-- MARKER --> and <!-- /MARKER --> of a page."""
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
    page = path.read_text()
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        sys.exit(f"{path} has no place for {marker}")
    path.write_text(f"{before}{begin}{text.rstrip()}\n{end}{after}")
