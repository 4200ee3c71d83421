"""The checkers of lecture 10's exercises: learning theory."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from checks import (
    Sheet,
    Wrong,
    by_hand,
    close,
    flags,
    integers,
    part,
    same,
    several,
    true,
    whole,
    word,
)

sheet = Sheet("Lecture 10")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    title="How many examples?",
    hints=[
        "ln(3^20) = 20 ln 3; the natural logarithm, throughout.",
        "Without the target in the class: 1 / (2 epsilon^2), and a 2 inside the logarithm.",
    ],
)
def how_many_examples(realisable: Any, agnostic: Any) -> None:
    up = "so many are just too few: round up"
    what = "the number of examples when the target is a conjunction"
    by_hand(realisable, 532, what, exact=True, instead={up: 531})
    mistaken = {
        "that is the bound of (a), for a target among them; give the one without that": 532,
        "the logarithm is of 2 / delta here: an error may be too large or too small": 5316,
        up: 5454,
    }
    what = "the number of examples when it need not be one"
    by_hand(agnostic, 5455, what, exact=True, instead=mistaken)


@sheet.exercise(
    2,
    hints=[
        "An interval has two ends where a rectangle has four sides.",
        "k strips of mass epsilon / k; solve k exp(-epsilon m / k) <= delta for m.",
    ],
)
def intervals(strips: Any, mass: Any, enough: Any) -> None:
    box = "that is for a rectangle, with four sides; an interval has ends"
    whole = {box: 0.025, "that is the mass of all strips together": 0.1}
    by_hand(strips, 2, "the number of strips", exact=True, instead={box: 4})
    by_hand(mass, 0.05, "the mass of a strip", instead=whole)
    instead = {box: 176, "so many are just too few: round up": 73}
    by_hand(enough, 74, "the number of examples", exact=True, instead=instead)


@sheet.exercise(
    3,
    hints=[
        'A negative example satisfies the literal "x_j is 1" if its bit j is 1.',
        "X[~y] are the negative examples; any(axis=0) and all(axis=0) look down the columns.",
    ],
)
def striking_out_literals(learn: Any) -> None:
    rng = np.random.default_rng(100)
    X = rng.random((60, 7)) < 0.5
    y = X[:, 1] | ~X[:, 4]
    is_1, is_0 = _literals(learn(X, y))
    says = (X & is_1).any(axis=1) | (~X & is_0).any(axis=1)
    ones, zeros = X[y].all(axis=0), ~X[y].any(axis=0)
    mistaken = {
        "that strikes out by the positive examples, as for conjunctions; for a disjunction it is "
        "by the negative ones": (X & ones).any(axis=1) | (~X & zeros).any(axis=1)
    }
    same(says, y, "what the disjunction says on its own training examples", instead=mistaken)
    same(is_1, ~X[~y].any(axis=0), 'the literals "is 1" that remain after 60 examples')
    same(is_0, X[~y].all(axis=0), 'the literals "is 0" that remain after 60 examples')
    is_1, is_0 = _literals(learn(X[:3], np.ones(3, dtype=bool)))
    true(np.all(is_1) and np.all(is_0), "without a negative example all literals remain")


def _literals(answer: Any) -> list[np.ndarray]:
    names = 'the literals "is 1"', 'the literals "is 0"'
    return [
        flags(found, name, (7,)) for name, found in zip(names, several(answer, *names), strict=True)
    ]


@sheet.exercise(
    4,
    title="Shattered?",
    hints=["How many different labellings of m points are there?", "Repeats count once."],
)
def shattered(shatters: Any) -> None:
    everything = list(itertools.product((0, 1), repeat=3))
    same(shatters([()], 0), True, "no point at all, and its one empty labelling")
    repeats = {"all labellings are to occur, and a repeated one is no other": True}
    same(shatters([(0,), (0,)], 1), False, "one point, labelled 0 twice", instead=repeats)
    same(shatters(everything, 3), True, "all eight labellings of three points")
    same(shatters(everything[1:], 3), False, "seven of the eight labellings")
    repeated = everything[1:] + everything[1:2]
    same(shatters(repeated, 3), False, "eight labellings, one of them twice")
    same(shatters(everything + everything, 3), True, "all eight labellings, each twice")


@sheet.exercise(
    5,
    title="Four VC dimensions",
    hints=[
        "For each class, write down the labellings of 1, 2, 3, ... points that it cannot make.",
        "A union of k intervals makes at most k runs of ones. How many points force k + 1 runs?",
    ],
)
def four_vc_dimensions(half_lines: Any, both_ways: Any, two_intervals: Any, half: Any) -> None:
    one_way = {"two points, the left one yes and the right one no: can a half-line say that?": 2}
    three = {"three points, yes, no, yes: can a half-line say that, in either direction?": 3}
    one = {"that is for a single interval": 2}
    five = {"in one dimension a half-space is a half-line in either direction: see (b)": 5}
    by_hand(half_lines, 1, "half-lines in one direction", exact=True, instead=one_way)
    by_hand(both_ways, 2, "half-lines in either direction", exact=True, instead=three)
    by_hand(two_intervals, 4, "unions of two intervals", exact=True, instead=one)
    by_hand(half, 6, "half-spaces in five dimensions", exact=True, instead=five)


@sheet.exercise(
    6,
    hints=[
        "A run begins where a 1 follows a 0, or stands first.",
        "itertools.product((0, 1), repeat=m) lists all strings.",
    ],
)
def the_growth_of_two_intervals(growth: Any) -> None:
    for m in (1, 2, 3, 4, 5, 8):
        wanted = sum(math.comb(m, i) for i in range(5))
        mistaken = {
            "that is for one interval; count unions of at most two": m * (m + 1) // 2 + 1,
            "that is all labellings; count those with at most two runs of ones": 2**m,
            "that is for exactly two intervals; count at most two": math.comb(m + 1, 4),
        }
        same(
            growth(m),
            wanted,
            f"the number of labellings of {m} point{'s' * (m > 1)}",
            instead=mistaken,
        )


@sheet.exercise(
    7,
    title="Occam's bound",
    hints=[
        "The length counts in bits, the formula in nats: bits * ln 2.",
        "Both terms stand under the root, over 2 m.",
    ],
)
def occams_bound(occam: Any, better: Any) -> None:
    def wanted(error: float, bits: float, m: int, delta: float) -> float:
        margin = math.sqrt((bits * math.log(2) + math.log(2 / delta)) / (2 * m))
        return min(1.0, error + margin)

    with part("occam"):
        for case in ((0.0, 10, 500, 0.05), (0.2, 100, 4000, 0.01), (0.03, 0, 50, 0.1)):
            what = "the bound for error {}, {} bits, {} examples, delta {}".format(*case)
            error, bits, m, delta = case
            nats = {
                "that takes the length for nats; it is in bits": (
                    wanted(error, bits / math.log(2), m, delta)
                )
            }
            close(occam(*case), wanted(*case), what, instead=nats)
        few = occam(0.5, 1000, 10, 0.05)
        more = {"no error is above 1": 0.5 + math.sqrt((1000 * math.log(2) + math.log(40)) / 20)}
        close(few, 1.0, "the bound where there are far too few examples", instead=more)
    errs = {"that one errs less in training; compare the bounds on the true error": "long"}
    rules = ("short", "long")
    word(better, "short", "which of the two rules has the lower bound", rules, instead=errs)


@sheet.exercise(
    8,
    hints=[
        "Show it every other point. What must the points between be?",
        "For the kind labels: where do the labels change, and is that next to a shown point?",
    ],
)
def fool_the_learner(shown: Any, labels: Any, kind: Any) -> None:
    shown = list(shown) if isinstance(shown, (set, range)) else shown
    shown = sorted(set(integers(shown, "the points shown").ravel().tolist()))
    true(len(shown) == 8, f"eight different points are shown (you show {len(shown)})")
    true(all(0 <= i < 16 for i in shown), "the points shown are among 0 to 15")

    def misses(given: Any, what: str) -> int:
        values = flags(given, what, (16,)).astype(int).tolist()
        unseen = [i for i in range(16) if i not in shown]
        nearest = [min(shown, key=lambda s, i=i: (abs(s - i), s)) for i in unseen]
        return sum(values[i] != values[s] for i, s in zip(unseen, nearest, strict=True))

    with part("the labels"):
        wrong = misses(labels, "sixteen labels")
        if wrong != 8:
            raise Wrong(
                f"with `labels` the learner is wrong on {wrong} of the 8 unseen points; it "
                "should be wrong on all 8"
            )
    with part("the kind labels"):
        wrong = misses(kind, "sixteen kind labels")
        ones = int(flags(kind, "sixteen kind labels", (16,)).sum())
        true(5 <= ones <= 11, "the kind labels have at least five ones and five zeros")
        if wrong:
            raise Wrong(
                f"with `kind_labels` the learner is wrong on {wrong} of the 8 unseen points; "
                "it should be wrong on none"
            )


@sheet.exercise(
    9,
    title="The best of the class",
    hints=[
        "2 |H| exp(-2 m epsilon^2) = delta: solve for epsilon.",
        "(c) No hypothesis has a training error below 0.12. How far may a true error lie below it?",
    ],
)
def the_best_of_the_class(epsilon: Any, excess: Any, least: Any, most: Any) -> None:
    right = math.sqrt(math.log(2 * 500 / 0.05) / 2000)
    one_sided = {"errors may be too large or too small: the union is over 2 |H| events": math.sqrt(
        math.log(500 / 0.05) / 2000)}  # fmt: skip
    by_hand(epsilon, right, "epsilon", instead=one_sided)
    single = {"the best hypothesis may look worse than it is while ERM's looks better": right}
    by_hand(excess, 2 * right, "the excess error of ERM", instead=single)
    twice = {"that takes off 2 epsilon; no training error in the class is below 0.12": (
        0.12 - 2 * right)}  # fmt: skip
    by_hand(least, 0.12 - right, "the least true error of the best", instead=twice)
    twice = {"that adds 2 epsilon, which is for the best of the class": 0.12 + 2 * right}
    by_hand(most, 0.12 + right, "the most true error of ERM's answer", instead=twice)


@sheet.exercise(
    10,
    hints=[
        "itertools.product((-1, 1), repeat=m) lists the coins.",
        "coins @ H.T has a row for each outcome: take the largest of each row, then the mean.",
    ],
)
def the_complexity_of_a_list(rademacher: Any) -> None:
    def agreements(H: Any) -> np.ndarray:
        H = np.array(H)
        coins = np.array(list(itertools.product((-1, 1), repeat=H.shape[1])))
        return coins @ H.T / H.shape[1]

    runs = [[1 if a <= i < b else -1 for i in range(4)] for a in range(5) for b in range(a, 5)]
    for H, what in (
        ([(1, -1)], "the complexity of a single labelling of two points"),
        ([(1, 1), (-1, -1)], "the complexity of two constant labellings of two points"),
        ([(1, 1, 1), (-1, -1, -1), (1, -1, 1)], "the complexity of three labellings"),
        (list(itertools.product((-1, 1), repeat=3)), "the complexity of all labellings"),
        (runs, "the complexity of intervals on four points"),
    ):
        table = agreements(H)
        wanted = float(table.max(axis=1).mean())
        instead = {
            "that is the best outcome of the coins; take the mean over all outcomes": (
                float(table.max())
            ),
            "that is the sum; divide by the number of points": wanted * len(H[0]),
            "that takes the size of the agreement; a labelling that is wrong throughout is no "
            "agreement": float(abs(table).max(axis=1).mean()),
        }
        close(rademacher([tuple(h) for h in H]), wanted, what, instead=instead)


@sheet.exercise(
    11,
    title="How many are too few?",
    hints=[
        "The common point gets 1 - 4 epsilon; the other d - 1 share the rest.",
        "A rare point should be missed with probability at least 1/2: 1 - p m >= 1/2.",
    ],
)
def how_many_are_too_few(common: Any, each_rare: Any, too_few: Any) -> None:
    by_hand(common, 0.8, "the mass of the common point", instead={"that is what is left": 0.2})
    among_all = {"the d points are one common and d - 1 rare ones": 0.2 / 101}
    together = {"that is the mass of all rare points together": 0.2}
    by_hand(each_rare, 0.002, "the mass of a rare point", instead=among_all | together)
    sixteen = {"that is for the statement with probabilities; here the error is expected": 125}
    missed = {"at 1/p examples p m is 1: a rare point should be missed in half of all samples": 500}
    by_hand(too_few, 250, "the number of examples", exact=True, instead=sixteen | missed)


@sheet.exercise(
    12,
    hints=[
        "np.delete(Z, i, axis=0) are the other rows, in their order.",
        "Count a mistake at each addition, the same row several times if need be.",
    ],
)
def leave_one_out(leave_one_out: Any) -> None:
    rng = np.random.default_rng(1027)
    for rows, dimension in ((4, 2), (12, 2), (20, 5)):
        Z = rng.normal(size=(rows, dimension))
        Z[:, 0] = 0.15 + 0.3 * np.abs(Z[:, 0])
        errors, mistakes = several(leave_one_out(Z.copy()), "errors", "mistakes")
        w, wanted, used = _perceptron(Z)
        left = sum(_perceptron(np.delete(Z, i, axis=0))[0] @ Z[i] <= 0 for i in range(rows))
        what = f"{rows} rows in {dimension} dimensions"
        instead = {
            "those are the rows that are wrong after training on all of them; leave each one out": (
                sum(w @ z <= 0 for z in Z)
            ),
            "those are the rows on which the run on all made a mistake; train without each": used,
        }
        instead = {said: n for said, n in instead.items() if n != left}
        same(whole(errors, "the errors"), left, f"the errors when one is left out, {what}",
             instead=instead)  # fmt: skip
        once = {"a row counts as often as it was mistaken": used} if used != wanted else {}
        same(whole(mistakes, "the mistakes"), wanted, f"the mistakes in training, {what}",
             instead=once)  # fmt: skip


def _perceptron(Z: np.ndarray) -> tuple[np.ndarray, int, int]:
    """(w, mistakes, rows that were mistaken) of Rosenblatt's rule, until no row is wrong."""
    w, mistaken = np.zeros(Z.shape[1]), []
    while True:
        before = len(mistaken)
        for i, z in enumerate(Z):
            if w @ z <= 0:
                w = w + z
                mistaken.append(i)
        if len(mistaken) == before:
            return w, len(mistaken), len(set(mistaken))


@functools.cache
def _gaps() -> tuple[float, float, float]:
    """The mean gaps of stump and full tree, and the mean difference of their test errors."""
    X, y = load_breast_cancer(return_X_y=True)
    rows = []
    for seed in range(10):
        A, B, a, b = train_test_split(X, y, random_state=seed)
        found = [DecisionTreeClassifier(max_depth=d, random_state=0).fit(A, a) for d in (1, None)]
        here, there = ([tree.score(*at) for tree in found] for at in ((A, a), (B, b)))
        rows.append([here[0] - there[0], here[1] - there[1], there[1] - there[0]])
    stump, tree, better = np.mean(rows, axis=0)
    return float(stump), float(tree), float(better)


@sheet.exercise(
    13,
    title="Stump or tree?",
    hints=[
        "score(...) is the accuracy, so the gap is score on the training part minus on the test.",
        "How well can a full tree fit coin tosses for labels, if all cases are different?",
    ],
)
def stump_or_tree(stump_gap: Any, tree_gap: Any, complexity: Any, deployed: Any) -> None:
    stump, tree, _ = _gaps()
    sign = "that is training minus test error; the gap is test minus training"
    by_hand(stump_gap, stump, "the stump's mean gap", instead={sign: -stump})
    by_hand(tree_gap, tree, "the full tree's mean gap", instead={sign: -tree})
    none = {"that is of a class that cannot fit coins at all": 0}
    by_hand(complexity, 1, "the Rademacher complexity of full trees", instead=none)
    gap = {"that has the smaller gap; which errs less on the test parts?": "the stump"}
    word(deployed, "the tree", "what you deploy", ("the stump", "the tree"), instead=gap)
