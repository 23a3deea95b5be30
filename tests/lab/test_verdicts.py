"""What bench/compare makes of samples: it sees what is there, and sees nothing where there is nothing."""

import pathlib
import sys

import numpy
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"))

from verdicts import CANNOT_TELL, FASTER, SLOWER, Samples, compare, holm  # noqa: E402

RUNS = 12


def noisy(random, median, noise=0.01):
    """Process runs on a machine with neighbours: some are much slower."""
    times = median * (1 + noise * random.standard_normal(RUNS))
    return list(numpy.where(random.random(RUNS) < 0.1, times * 1.5, times))


def verdict(base, current, base_count=None, current_count=None, noise=0.01):
    random = numpy.random.default_rng(7)
    samples = Samples(noisy(random, base, noise), noisy(random, current, noise), base_count, current_count)
    return compare({"one": samples})[0].verdict


def test_what_is_the_same_is_not_told_apart():
    assert verdict(100, 100, 400, 400) == CANNOT_TELL


def test_large_differences_are_seen_by_time_alone():
    assert verdict(100, 110) == SLOWER
    assert verdict(100, 90) == FASTER


def test_small_differences_need_the_instructions_to_agree():
    assert verdict(100, 103, 400, 412) == SLOWER
    assert verdict(100, 97, 400, 388) == FASTER
    assert verdict(100, 103, 400, 400) == CANNOT_TELL
    assert verdict(100, 103, 400, 388) == CANNOT_TELL
    assert verdict(100, 103) == CANNOT_TELL


def test_more_instructions_are_seen_through_noise():
    assert verdict(100, 103, 400, 412, noise=0.2) == SLOWER
    assert verdict(100, 100, 400, 402, noise=0.2) == CANNOT_TELL


def test_more_instructions_in_less_time_are_not_slower():
    assert verdict(100, 80, 400, 420) == FASTER
    assert verdict(100, 97, 400, 420) == CANNOT_TELL


def test_hardly_ever_alarmed_where_nothing_differs():
    random = numpy.random.default_rng(1)
    alarms = 0
    for _ in range(40):
        suite = {str(i): Samples(noisy(random, 100, 0.05), noisy(random, 100, 0.05), 400, 400) for i in range(7)}
        alarms += any(row.verdict == SLOWER for row in compare(suite))
    assert alarms <= 2


def test_a_suite_is_corrected_as_holm_says():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_interval_is_around_the_ratio():
    random = numpy.random.default_rng(3)
    row = compare({"one": Samples(noisy(random, 100), noisy(random, 120))})[0]
    assert row.low < row.ratio < row.high
    assert row.ratio == pytest.approx(1.2, rel=0.03)
