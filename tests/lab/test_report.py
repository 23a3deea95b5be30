"""The way of figures into the page: what is kept, intervals, the order of commits, and markup that no figure can break."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "report"))

import kept  # noqa: E402
import report  # noqa: E402


@pytest.fixture(name="lab", autouse=True)
def own_lab(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "LAB", tmp_path)
    monkeypatch.setattr(kept, "RUNS", tmp_path / "runs")
    return tmp_path


def run(commit, committed, rows, machine="one"):
    return kept.Run(commit * 40, f"subject of {commit}", committed, "2030-01-01T00:00:00+00:00", machine, rows)


def data_of(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def test_runs_come_in_the_order_of_their_commits():
    for commit, month in (("c", "03"), ("a", "01"), ("b", "02")):
        kept.keep_run(run(commit, f"2026-{month}-01T00:00:00+00:00", [kept.Row("exact", "hit", "instructions", [400])]))
    assert [one.commit[0] for one in kept.runs()] == ["a", "b", "c"]


def test_a_commit_measured_again_takes_the_place_of_its_run():
    for count in (400, 390):
        kept.keep_run(run("a", "2026-01-01T00:00:00+00:00", [kept.Row("exact", "hit", "instructions", [count])]))
    assert [one.rows[0].samples for one in kept.runs()] == [[390]]


def test_history_has_a_point_only_where_a_benchmark_was_measured():
    found = report.history([
        run("a", "2026-01-01T00:00:00+00:00", [kept.Row("exact", "hit", "instructions", [400])]),
        run("b", "2026-02-01T00:00:00+00:00", [kept.Row("micro", "fold", "ns", [3, 1, 2])]),
        run("c", "2026-03-01T00:00:00+00:00", [
            kept.Row("exact", "hit", "instructions", [390]), kept.Row("micro", "fold", "ns", []),
        ]),
    ])
    hit, fold = found["benchmarks"]
    assert [(one["run"], one["middle"]) for one in hit["points"]] == [(0, 400), (2, 390)]
    assert [(one["run"], one["middle"]) for one in fold["points"]] == [(1, 2)]
    assert [one["subject"] for one in found["runs"]] == ["subject of a", "subject of b", "subject of c"]


def test_no_history_without_figures():
    assert report.history([]) is None
    assert report.history([run("a", "2026-01-01T00:00:00+00:00", [])]) is None


def test_the_interval_is_around_the_median_and_the_same_each_time():
    samples = [10, 11, 12, 13, 14, 15, 16, 40]
    low, high = report.interval(samples)
    assert 10 <= low < 13.5 < high <= 40
    assert report.interval(samples) == (low, high)


def test_counts_and_too_few_samples_have_no_interval():
    assert report.interval([425.3]) is None
    assert report.interval([1, 2]) is None
    assert report.interval([5, 5, 5]) is None


@pytest.mark.parametrize(("unit", "more"), [
    ("answers a second", True), ("queries per second", True), ("ops/s", True), ("ns", False), ("instructions", False),
])
def test_more_is_better_of_what_comes_a_second(unit, more):
    assert report.comes_a_second(unit) is more


def test_nothing_in_a_figure_ends_the_script_that_it_stands_in():
    value = {"name": "</script><!-- <script>", "é": "\u2028 \\ \""}
    text = report.in_markup(value)
    assert "<" not in text
    assert json.loads(text) == value


def test_not_a_number_is_refused():
    with pytest.raises(ValueError):
        report.in_markup({"p99": float("nan")})


def test_the_page_is_one_file_with_the_data_in_it():
    data = {"subject": "/*SCRIPT*/ \\1 </SCRIPT>", "sections": {}}
    html = report.page(data, 'const end = "</script>";\n')
    assert data_of(html) == data
    assert html.count("</script>") == 2
    assert "/*STYLE*/" not in html and "const end" in html
    assert not re.search(r"""<(?:link|script|img|iframe)\b[^>]*\b(?:src|href)=["'](?!data:)""", html)
    assert "default-src 'none'" in html


def test_a_section_that_is_lacking_is_named_with_its_command():
    data = report.collected()
    assert report.lacking(data) == ["history", *kept.SECTIONS]
    assert set(report.COMMANDS) == {"history", *kept.SECTIONS}
    kept.keep_section("latency", "a machine", {"offered": 1, "curves": []})
    kept.keep_run(kept.new_run("HEAD", "a machine", [kept.Row("exact", "hit", "instructions", [1])]))
    data = report.collected()
    assert report.lacking(data) == [name for name in kept.SECTIONS if name != "latency"]
    assert data["ages"] == {"latency": 0}
    assert data["sections"]["latency"]["machine"] == "a machine"


def test_all_measures_what_is_lacking_and_goes_on_after_a_failure(monkeypatch):
    ran = []

    def run_nothing(command, **_):
        assert pathlib.Path(command[0]).is_file() and os.access(command[0], os.X_OK)
        ran.append(pathlib.Path(command[0]).name)
        return subprocess.CompletedProcess(command, 1)

    kept.keep_section("ablation", "a machine", {"flags": []})
    data = report.collected()
    monkeypatch.setattr(report.subprocess, "run", run_nothing)
    report.measure_lacking(data)
    assert ran == ["compare.py", "measure.py", "measure.py", "setup.sh", "peers.py"]


def test_the_age_of_an_unknown_commit_is_not_known():
    assert report.commits_since("0" * 40) is None


def test_what_npm_made_is_made_again_only_of_something_else(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "WORKSHOP", tmp_path)
    made = tmp_path / "out"
    command = [sys.executable, "-c", "open('out', 'a').write('x')"]
    for of in ("one", "one", "two"):
        report.once("out", of, command)
    assert made.read_text() == "xx"
    made.unlink()
    report.once("out", "two", command)
    assert made.exists()


def test_a_command_that_fails_is_run_again_the_next_time(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "WORKSHOP", tmp_path)
    failing = [sys.executable, "-c", "open('out', 'w'); raise SystemExit(1)"]
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            report.once("out", "one", failing)


def test_the_lock_names_no_host_and_every_package_with_its_digest():
    lock = json.loads((report.PAGE / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in one and one["integrity"].startswith("sha512-") for one in packages.values())
    for path in (report.PAGE / name for name in ("package-lock.json", "package.json", ".npmrc")):
        assert not re.search(r"://|registry=|\bnpmjs\b", path.read_text()), path


def test_the_versions_are_exact():
    wanted = json.loads((report.PAGE / "package.json").read_text())
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
