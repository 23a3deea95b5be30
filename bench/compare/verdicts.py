"""From samples of two binaries to verdicts: faster, slower, or cannot tell.

The unit is a process run: what one process measured is one number. Two lists of such numbers, taken by turns, are compared by
the Mann-Whitney test, the p values corrected over the whole suite (S. Holm, "A simple sequentially rejective multiple test
procedure", 1979), and the ratio of the medians is given with a bootstrap interval. A difference below `SURE_ALONE` is believed
only where the instruction counts say the same: a neighbour on the machine can make 3 %, but not out of instructions.
"""

import dataclasses
import math
import statistics

import numpy
import scipy.stats

LEVEL = 0.05
SURE_ALONE = 0.05
# An instruction count has no noise, but a change of the compiler's mood is no slowdown.
COUNT_MATTERS = 0.01
COUNT_AGREES = 0.003

FASTER, SLOWER, CANNOT_TELL = "faster", "slower", "cannot tell"


@dataclasses.dataclass(frozen=True)
class Samples:
    """Of one benchmark: a number for each process run (less is better), and instructions an operation where they are counted."""

    base: list
    current: list
    base_count: float | None = None
    current_count: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    base: float
    current: float
    low: float  # the interval of the ratio of the medians
    high: float
    p: float  # corrected
    count_ratio: float | None
    verdict: str

    @property
    def ratio(self):
        return self.current / self.base


def holm(values):
    """The p values corrected, in their order."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    least = 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = least
    return corrected


def interval(samples):
    """The 95 % interval of median(current) / median(base)."""
    draw = numpy.random.default_rng(1)
    base, current = numpy.array(samples.base), numpy.array(samples.current)
    medians = [
        numpy.median(draw.choice(side, (2000, len(side))), axis=1) for side in (base, current)
    ]
    low, high = numpy.percentile(medians[1] / medians[0], [2.5, 97.5])
    return float(low), float(high)


def direction(ratio):
    return SLOWER if ratio > 1 else FASTER


def judge_time(ratio, low, high, p, count_ratio):
    if p >= LEVEL or low <= 1 <= high:
        return CANNOT_TELL
    if abs(ratio - 1) < SURE_ALONE:
        if count_ratio is None or abs(count_ratio - 1) < COUNT_AGREES or direction(count_ratio) != direction(ratio):
            return CANNOT_TELL
    return direction(ratio)


def judge(name, samples, p):
    base, current = statistics.median(samples.base), statistics.median(samples.current)
    low, high = interval(samples)
    count_ratio = samples.current_count / samples.base_count if samples.base_count and samples.current_count else None
    verdict = judge_time(current / base, low, high, p, count_ratio)
    # More instructions are slower where time does not say the contrary, and where it cannot tell.
    if verdict == CANNOT_TELL and count_ratio is not None and abs(count_ratio - 1) >= COUNT_MATTERS:
        contradicted = high < 1 if count_ratio > 1 else low > 1
        verdict = CANNOT_TELL if contradicted else direction(count_ratio)
    return Row(name, base, current, low, high, p, count_ratio, verdict)


def judge_count(name, base, current):
    """Of what is only counted: instructions an operation."""
    ratio = current / base
    return Row(name, base, current, ratio, ratio, 1.0, ratio, direction(ratio) if abs(ratio - 1) >= COUNT_MATTERS else CANNOT_TELL)


def can_tell_by_time(rounds, benchmarks):
    """Whether so few process runs of each build can make any corrected p small enough."""
    return 2 / math.comb(2 * rounds, rounds) * benchmarks < LEVEL


def compare(suite):
    """Rows for a suite: a dict of Samples by name."""
    names = list(suite)
    if not names:
        return []
    raw = [
        scipy.stats.mannwhitneyu(suite[name].base, suite[name].current, alternative="two-sided").pvalue for name in names
    ]
    return [judge(name, suite[name], p) for name, p in zip(names, holm([float(p) for p in raw]))]
