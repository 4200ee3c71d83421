"""The checkers of lecture 10's exercises: learning theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true

sheet = Sheet("Lecture 10")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    "how many examples",
    hints=[
        "ln(3^20) = 20 ln 3; the natural logarithm, throughout.",
        "Without the target in the class: 1 / (2 epsilon^2), and a 2 inside the logarithm.",
    ],
)
def _(realisable: Any, agnostic: Any) -> None:
    same(realisable, 532, "the number of examples when the target is a conjunction")
    same(agnostic, 5455, "the number of examples when it need not be one")


@sheet.exercise(
    2,
    "intervals",
    hints=[
        "An interval has two ends where a rectangle has four sides.",
        "k strips of mass epsilon / k; solve k exp(-epsilon m / k) <= delta for m.",
    ],
)
def _(strips: Any, mass: Any, enough: Any) -> None:
    same(strips, 2, "the number of strips")
    close(mass, 0.05, "the mass of a strip")
    same(enough, 74, "the number of examples")


@sheet.exercise(
    3,
    "striking out literals",
    hints=[
        'A negative example satisfies the literal "x_j is 1" if its bit j is 1.',
        "X[~y] are the negative examples; any(axis=0) and all(axis=0) look down the columns.",
    ],
)
def _(learn: Any) -> None:
    rng = np.random.default_rng(100)
    X = rng.random((60, 7)) < 0.5
    y = X[:, 1] | ~X[:, 4]
    answer = learn(X, y)
    true(isinstance(answer, tuple) and len(answer) == 2, "learn returns a pair of arrays")
    is_1, is_0 = (np.asarray(part, dtype=bool) for part in answer)
    same(is_1.shape, (7,), "the shape of the first array for seven bits")
    says = (X & is_1).any(axis=1) | (~X & is_0).any(axis=1)
    same(says, y, "what the disjunction says on its own training examples")
    same(is_1, ~X[~y].any(axis=0), 'the literals "is 1" that remain after 60 examples')
    same(is_0, X[~y].all(axis=0), 'the literals "is 0" that remain after 60 examples')
    is_1, is_0 = learn(X[:3], np.ones(3, dtype=bool))
    true(np.all(is_1) and np.all(is_0), "without a negative example all literals remain")


@sheet.exercise(
    4,
    "shattered?",
    hints=["How many different labellings of m points are there?", "Repeats count once."],
)
def _(shatters: Any) -> None:
    everything = list(itertools.product((0, 1), repeat=3))
    same(bool(shatters(everything, 3)), True, "all eight labellings of three points")
    same(bool(shatters(everything[1:], 3)), False, "seven of the eight labellings")
    repeated = everything[1:] + everything[1:2]
    same(bool(shatters(repeated, 3)), False, "eight labellings, one of them twice")
    same(bool(shatters(everything + everything, 3)), True, "all eight labellings, each twice")
    same(bool(shatters([()], 0)), True, "no point at all, and its one empty labelling")


@sheet.exercise(
    5,
    "four VC dimensions",
    hints=[
        "For each class, write down the labellings of 1, 2, 3, ... points that it cannot make.",
        "A union of k intervals makes at most k runs of ones. How many points force k + 1 runs?",
    ],
)
def _(half_lines: Any, both_ways: Any, two_intervals: Any, half_spaces: Any) -> None:
    same(half_lines, 1, "half-lines in one direction")
    same(both_ways, 2, "half-lines in either direction")
    same(two_intervals, 4, "unions of two intervals")
    same(half_spaces, 6, "half-spaces in five dimensions")


@sheet.exercise(
    6,
    "the growth of two intervals",
    hints=[
        "A run begins where a 1 follows a 0, or stands first.",
        "itertools.product((0, 1), repeat=m) lists all strings.",
    ],
)
def _(growth: Any) -> None:
    for m in (1, 2, 3, 4, 5, 8):
        wanted = sum(math.comb(m, i) for i in range(5))
        same(int(growth(m)), wanted, f"the number of labellings of {m} points")


@sheet.exercise(
    7,
    "Occam's bound",
    hints=[
        "The length counts in bits, the formula in nats: bits * ln 2.",
        "Both terms stand under the root, over 2 m.",
    ],
)
def _(occam: Any, better: Any) -> None:
    def wanted(error: float, bits: float, m: int, delta: float) -> float:
        margin = math.sqrt((bits * math.log(2) + math.log(2 / delta)) / (2 * m))
        return min(1.0, error + margin)

    for case in ((0.0, 10, 500, 0.05), (0.2, 100, 4000, 0.01), (0.03, 0, 50, 0.1)):
        what = "the bound for error {}, {} bits, {} examples, delta {}".format(*case)
        close(occam(*case), wanted(*case), what)
    close(occam(0.5, 1000, 10, 0.05), 1.0, "the bound where there are far too few examples")
    same(better, "short", "which of the two rules has the lower bound")


@sheet.exercise(
    8,
    "fool the learner",
    hints=[
        "Show it every other point. What must the points between be?",
        "For the kind labels: where do the labels change, and is that next to a shown point?",
    ],
)
def _(shown: Any, labels: Any, kind: Any) -> None:
    shown = sorted({int(i) for i in shown})
    same(len(shown), 8, "the number of different points shown")
    true(all(0 <= i < 16 for i in shown), "the points shown are among 0 to 15")

    def misses(values: Any, what: str) -> int:
        values = [int(v) for v in values]
        true(len(values) == 16 and set(values) <= {0, 1}, f"{what} are sixteen zeros and ones")
        unseen = [i for i in range(16) if i not in shown]
        nearest = [min(shown, key=lambda s, i=i: (abs(s - i), s)) for i in unseen]
        return sum(values[i] != values[s] for i, s in zip(unseen, nearest, strict=True))

    wrong = misses(labels, "the labels")
    if wrong != 8:
        raise Wrong(f"with `labels` the learner is wrong on {wrong} of the 8 unseen points")
    wrong = misses(kind, "the kind labels")
    true(5 <= sum(kind) <= 11, "the kind labels have at least five ones and five zeros")
    if wrong:
        raise Wrong(f"with `kind_labels` the learner is wrong on {wrong} of the 8 unseen points")
