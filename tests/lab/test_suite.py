"""How builds are measured by turns, and what a reader of the table and the history gets of it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("bench/compare", "bench/macro", "bench/report", "scripts"):
    sys.path.insert(0, str(ROOT / folder))

import compare  # noqa: E402
import kept  # noqa: E402
import perf_ci  # noqa: E402
import suite  # noqa: E402
import trees  # noqa: E402
import verdicts  # noqa: E402


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "LAB", tmp_path)
    monkeypatch.setattr(kept, "RUNS", tmp_path / "runs")
    return tmp_path


def job(name, numbers, asked):
    """A job that gives each build's next number and notes who asked."""

    def run(programs, seconds):
        asked.append(programs)
        return {name: numbers[programs].pop(0)} if programs in numbers else {}

    return suite.Job("micro", name, "ns", run)


def measured(samples, counts=None):
    return compare.Measured(pathlib.Path("programs"), samples, counts or {})


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_builds_take_turns_in_another_order_each_time():
    asked = []
    numbers = {"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]}
    a, b = suite.measure(["a", "b"], [job("one", numbers, asked)], rounds=4, seconds=1)
    assert asked == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert a == {("micro", "one"): ("ns", [1, 2, 3, 4])}
    assert b == {("micro", "one"): ("ns", [5, 6, 7, 8])}


def test_a_benchmark_that_one_build_lacks_is_not_compared():
    asked = []
    both = suite.measure(["a", "b"], [job("one", {"b": [1]}, asked)], rounds=1, seconds=1)
    base, current = (measured(samples) for samples in both)
    assert not base.samples and current.samples
    assert compare.judge(base, current) == []


def test_each_run_is_of_a_new_copy(tmp_path):
    original = tmp_path / "program"
    program(original, "exit 0")
    seen = set()
    for _ in range(2):
        with suite.fresh_copy(original) as copy:
            assert os.access(copy, os.X_OK) and not os.path.samefile(copy, original)
            seen.add(copy)
    assert len(seen) == 2 and not any(os.path.exists(copy) for copy in seen)


def test_numbers_of_a_timed_program(tmp_path):
    program(tmp_path / "bench/exact/exact_hit", '[ "$1" = hit ] || exit 2; echo "nanoseconds 12.5"')
    assert suite.time_hit("exact_hit", "hit", tmp_path, 0.1) == {"hit": 12.5}
    assert suite.time_hit("exact_hit", "other", tmp_path, 0.1) == {}


def test_a_program_that_fails_ends_the_comparison(tmp_path):
    program(tmp_path / "bench/exact/exact_hit", "echo no memory; exit 1")
    with pytest.raises(trees.Unbuildable, match="no memory"):
        suite.time_hit("exact_hit", "hit", tmp_path, 0.1)


def test_numbers_of_functions(tmp_path):
    told = json.dumps({"benchmarks": [{"name": "parse/a", "cpu_time": 7.5}, {"name": "parse/b", "cpu_time": 8}]})
    program(tmp_path / "bench/micro/bench_wire", f"echo '{told}'")
    assert suite.time_micro("bench_wire", ".", tmp_path, 0.1) == {"parse/a": 7.5, "parse/b": 8}
    assert suite.time_micro("bench_missing", ".", tmp_path, 0.1) == {}


def test_a_real_slowdown_is_named():
    base = measured({("micro", "parse"): ("ns", [10, 10.1, 10.2, 10.3, 10.4, 10.5])})
    current = measured({("micro", "parse"): ("ns", [12, 12.1, 12.2, 12.3, 12.4, 12.5])})
    assert compare.slower(compare.judge(base, current)) == ["micro parse"]
    assert compare.slower(compare.judge(base, base)) == []


def test_the_comment_has_what_changed_first():
    rows = [
        verdicts.Row("hit plain", 100, 120, 1.1, 1.3, 0.001, 1.05, verdicts.SLOWER),
        verdicts.Row("micro parse", 2000, 2000, 0.99, 1.01, 1, None, verdicts.CANNOT_TELL),
    ]
    text = perf_ci.markdown("a" * 40, "b" * 40, "a machine", rows, ["hit_plain avx2 430.0 425 over by 5.0"])
    shown, folded = text.split("<details>")
    assert "**1 slower, 0 faster**, 1 cannot be told apart; 1 not within their instruction budget." in shown
    assert "| hit plain | 100.0 | 120.0 | 1.200 (1.100 to 1.300) | +5.00 % | 🔴 slower |" in shown
    assert "over by 5.0" in shown and "micro parse" not in shown
    assert "| micro parse | 2,000 | 2,000 |" in folded


def test_a_run_is_kept_by_commit_and_read_again(lab):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if head.returncode:
        pytest.skip("no history here")
    one = measured({("micro", "parse"): ("ns", [1.5, 2.5])}, {"hit": 425})
    for _ in range(2):
        kept.keep_run(kept.new_run(head.stdout.strip(), "a machine", one.rows()))
    (again,) = kept.runs()
    assert again.commit == head.stdout.strip() and again.machine == "a machine"
    assert again.rows == [kept.Row("exact", "hit", "instructions", [425]), kept.Row("micro", "parse", "ns", [1.5, 2.5])]


@pytest.fixture
def two_builds(lab, monkeypatch):
    """Builds that need no compiler: the second takes a tenth longer."""
    slower = {"base": 1.0, "head": 1.1}
    monkeypatch.setattr(trees, "commit_of", lambda name: name)
    monkeypatch.setattr(trees, "as_it_is", lambda: "head")
    monkeypatch.setattr(trees, "build", lambda commit, patch=None: pathlib.Path(commit))
    monkeypatch.setattr(kept, "new_run", lambda commit, machine, rows: kept.Run(commit, "", "2026", "2026", machine, rows))
    monkeypatch.setattr(suite, "counts", lambda programs: {"hit": 400})
    monkeypatch.setattr(suite, "measure", lambda builds, *_: [
        {("hit", "hit"): ("ns", [slower[str(build)] * (100 + i) for i in range(8)])} for build in builds
    ])
    monkeypatch.setattr(perf_ci.stand, "machine", lambda: "a machine")
    monkeypatch.setattr(perf_ci, "budgets", lambda programs: (["hit avx2 400.0 410 ok"], 1, 0))
    return lab


def run(monkeypatch, program, *arguments):
    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    return program.main()


def test_perf_ci_fails_where_something_is_slower(two_builds, monkeypatch, capsys):
    assert run(monkeypatch, perf_ci, "--base", "base") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-2:] == ["failed: hit hit: slower than at base", "1 passed, 1 failed"]
    assert "1 slower" in (two_builds / "perf.md").read_text()
    assert [one.commit for one in kept.runs()] == ["base", "head"]


def test_perf_ci_passes_where_nothing_is(two_builds, monkeypatch, capsys):
    monkeypatch.setattr(trees, "as_it_is", lambda: "base")
    assert run(monkeypatch, perf_ci, "--base", "base") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed"


def test_history_keeps_a_run_of_each_commit(two_builds, monkeypatch):
    assert run(monkeypatch, compare, "history", "base", "head") == 0
    assert [(one.commit, one.machine) for one in kept.runs()] == [("base", "a machine"), ("head", "a machine")]


def test_against_says_what_is_slower(two_builds, monkeypatch, capsys):
    assert run(monkeypatch, compare, "against", "base") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "slower: hit hit"


def test_proof_needs_both_halves(two_builds, monkeypatch, capsys):
    monkeypatch.setattr(trees, "build", lambda commit, patch=None: pathlib.Path("head" if patch else "base"))
    assert run(monkeypatch, compare, "prove", "--suites", "2") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed"
    monkeypatch.setattr(trees, "build", lambda commit, patch=None: pathlib.Path("base"))
    assert run(monkeypatch, compare, "prove", "--suites", "2") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


def test_what_is_only_counted_is_judged_by_its_count():
    base, current = (measured({}, {"put": count, "same": 100, "new" if count > 1000 else "old": 1}) for count in (1000, 1020))
    rows = {row.name: row.verdict for row in compare.judge(base, current)}
    assert rows == {"count put": verdicts.SLOWER, "count same": verdicts.CANNOT_TELL}


def test_a_program_that_a_build_lacks_has_no_numbers(tmp_path):
    assert suite.time_hit("exact_new", "hit", tmp_path, 0.1) == {}


def test_a_server_is_measured_once_more_where_the_first_time_means_nothing(tmp_path, monkeypatch):
    program(tmp_path / "peregrine", "exit 0")
    told = [suite.stand.Failed("lost"), {"cpu_ns": 7}]

    def sample(*_):
        one = told.pop(0)
        if isinstance(one, suite.stand.Failed):
            raise one
        return one

    monkeypatch.setattr(suite.loads, "sample", sample)
    assert suite.time_macro("hot", tmp_path, 0.1) == {"hot: CPU of an answer": 7}
    told += [suite.stand.Failed("lost"), suite.stand.Failed("lost again")]
    with pytest.raises(trees.Unbuildable, match="lost again"):
        suite.time_macro("hot", tmp_path, 0.1)


def test_too_few_rounds_are_known_to_tell_nothing_by_time():
    assert verdicts.can_tell_by_time(8, 43) and not verdicts.can_tell_by_time(4, 43) and not verdicts.can_tell_by_time(0, 1)
