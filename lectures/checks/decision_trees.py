"""The checkers of lecture 4's exercises: decision trees."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from checks import (
    Sheet,
    Wrong,
    array,
    beside,
    by_hand,
    close,
    flags,
    part,
    same,
    several,
    true,
    without_values,
    word,
)
from micrograd import Value, grads

sheet = Sheet("Lecture 4")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    title="How mixed?",
    hints=[
        "Begin with the shares: 6, 3 and 3 of 12.",
        "The entropy adds p log2(1/p); log2 of 2 and of 4 you know by heart.",
    ],
)
def how_mixed(gini: Any, entropy: Any, error: Any) -> None:
    p = np.array([6, 3, 3]) / 12
    agree = "that is the chance that two draws agree; give the chance that they differ"
    nats = "that is in nats, by the natural logarithm; give bits"
    least = "that leaves out the rarest class; leave out the most frequent one"
    by_hand(gini, 1 - p @ p, "the Gini impurity", instead={agree: p @ p})
    by_hand(entropy, -(p @ np.log2(p)), "the entropy in bits", instead={nats: -(p @ np.log(p))})
    by_hand(error, 1 - p.max(), "the error", instead={least: 1 - p.min()})


@sheet.exercise(
    2,
    hints=[
        "Five cuts are possible; write the counts of A and B on either side of each.",
        "Weigh each side's impurity with its share of the six examples before you add.",
    ],
)
def the_best_cut(threshold: Any, left_over: Any, gain: Any) -> None:
    by_hand(threshold, 3.5, "the threshold")
    summed = "that adds the two sides; give their average, each with its share of the examples"
    by_hand(left_over, 2 / 9, "the impurity that is left", instead={summed: 4 / 9})
    mistaken = {
        "that would be a cut that changes nothing, and one side of this one is pure": 0.0,
        "that is the impurity of the whole; give how much it is lowered": 4 / 9,
    }
    by_hand(gain, 2 / 9, "the gain", instead=mistaken)


def _threshold(x: Any, t: Any) -> float:
    values = np.unique(x)
    best, lowest = 0.0, math.inf
    for cut in (values[1:] + values[:-1]) / 2:
        spread = sum(side.size * side.var() for side in (t[x <= cut], t[x > cut]))
        if spread < lowest:
            best, lowest = cut, spread
    return float(best)


@sheet.exercise(
    3,
    hints=[
        "np.unique(x) is sorted; the candidates lie half-way between its neighbours.",
        "The squared deviations are added on each side, not averaged: large sides count for more.",
    ],
)
def a_cut_for_numbers(best_threshold: Any) -> None:
    x = np.array([3.0, 1.0, 3.0, 1.0, 2.0, 2.0])
    t = np.array([5.0, 0.0, 9.0, 1.0, 0.5, 0.0])
    half_way = "that is a value of x; give a threshold half-way between two neighbours"
    what = "the threshold where values of x are equal"
    close(best_threshold(x, t), 2.5, what, instead={half_way: 2.0})
    t = np.array([2.0, 5.0, 3.0, 0.0, 4.0, 4.0])
    averaged = "that is where the averages of the sides add to the least; compare the sums"
    what = "the threshold of six numbers in order"
    close(best_threshold(np.arange(1.0, 7.0), t), 4.5, what, instead={averaged: 1.5})
    t = np.array([0.0] * 9 + [2.0] + [3.0])
    close(best_threshold(np.arange(11.0), t), 8.5, "the threshold between sides of unequal size")
    rng = np.random.default_rng(43)
    for n in (5, 12, 40):
        x, t = rng.permutation(n) * 1.5, rng.normal(size=n)
        close(best_threshold(x, t), _threshold(x, t), f"the threshold for {n} shuffled numbers")


LEAF = {"value": 7.0}
LOPSIDED = {
    "feature": 1,
    "threshold": 0.5,
    "yes": {"value": 1.0},
    "no": {
        "feature": 0,
        "threshold": -1.0,
        "yes": {"value": 2.0},
        "no": {"feature": 1, "threshold": 2.0, "yes": {"value": 3.0}, "no": {"value": 4.0}},
    },
}


@sheet.exercise(
    4,
    hints=[
        "Walk: as long as there is no value, go on to the dictionary under yes or no.",
        "The depth of a leaf is 0; that of a question is 1 more than its deeper side's.",
    ],
)
def asking_a_tree(ask: Any, depth: Any) -> None:
    points = [([0, 0], 1.0), ([0, 0.5], 1.0), ([-1, 1], 2.0), ([0, 2], 3.0), ([0, 2.1], 4.0)]
    with part("ask"):
        for x, wanted in points:
            strict = {"yes means `<=`: at the threshold itself the answer is yes": 3.0}
            got = ask(LOPSIDED, np.array(x))
            instead = strict if x == [0, 0.5] else {}
            close(got, wanted, f"the answer at {x}", instead=instead)
        close(ask(LEAF, np.zeros(2)), 7.0, "the answer of a single leaf")
    with part("depth"):
        levels = {"count the questions on the way; a leaf asks none": 1}
        shortest = {"that is the shortest way; give the largest number of questions": 1}
        same(depth(LEAF), 0, "the depth of a single leaf", instead=levels)
        same(depth(LOPSIDED), 3, "the depth of a lopsided tree", instead=shortest)


@sheet.exercise(
    5,
    title="What is a leaf worth?",
    hints=[
        "g = (R as a leaf - R as a branch) / (leaves - 1).",
        "After the lower one is gone, the upper branch has a leaf less and leaves more impurity.",
    ],
)
def what_is_a_leaf_worth(upper_alone: Any, lower_alone: Any, first: Any, after: Any) -> None:
    saved = "that divides by all leaves; collapsing leaves one: divide by the leaves saved"
    by_hand(upper_alone, 0.06, "the price of the upper node, alone", instead={saved: 0.045})
    by_hand(lower_alone, 0.03, "the price of the lower node, alone", instead={saved: 0.015})
    word(first, "lower", "which is collapsed first", ("upper", "lower"))
    mistaken = {
        saved: 0.05,
        "that is the price before: the branch has lost a leaf and leaves more impurity": 0.06,
        "the branch has lost a leaf, and it leaves more impurity than 0.12 now": 0.09,
    }
    by_hand(after, 0.075, "the price of the upper node afterwards", instead=mistaken)


@sheet.exercise(
    6,
    hints=[
        "The chain rule: 1 / (1 + e^-yF), times e^-yF, times -y; and then the sign.",
        "It is y times a sigmoid; write the sigmoid with tanh, or treat large |F| apart.",
    ],
)
def a_direction_to_boost_along(direction: Any) -> None:
    rng = np.random.default_rng(46)
    F, y = rng.normal(size=20) * 3, rng.choice([-1.0, 1.0], size=20)
    values = np.array([Value(f) for f in F])
    sum((1 + (-s * v).exp()).log() for s, v in zip(y, values, strict=True)).backward()
    with without_values():
        got = direction(F, y)
    mistaken = {
        "that is the residual y - F, which squares would give; use the logistic loss": y - F,
        "that is dL/dF; give -dL/dF, downhill": grads(values),
    }
    close(got, -grads(values), "the negative gradient of the logistic loss", instead=mistaken)
    with np.errstate(over="raise", invalid="raise"):
        far = direction(np.array([1000.0, -1000.0, 1000.0]), np.array([1.0, 1.0, -1.0]))
    close(far, [0.0, 1.0, -1.0], "the direction where |F| is 1000")


@sheet.exercise(
    7,
    hints=[
        "Everything begins with dL/df = f - y.",
        "df/dg = a1 - a2, and the sigmoid's derivative is g (1 - g).",
    ],
)
def a_soft_stump_by_hand(stump_gradient: Any) -> None:
    names = ("dL/dw", "dL/db", "dL/da1", "dL/da2")
    for case in np.random.default_rng(47).normal(size=(4, 6)):
        w, b, a1, a2 = values = [Value(v) for v in case[:4]]
        x, y = case[4:]
        g = (w * x + b).sigmoid()
        (0.5 * (g * a1 + (1 - g) * a2 - y) ** 2).backward()
        with without_values():
            found = stump_gradient(*case.tolist())
        gate, miss = g.data, (g * a1 + (1 - g) * a2).data - y
        once = miss * case[2] * gate * (1 - gate)
        told = "that takes df/dg = a1; g stands in 1 - g too"
        mistaken = {"dL/dw": {told: once * x}, "dL/db": {told: once}}
        for name, got, value in zip(names, several(found, *names), values, strict=True):
            close(got, value.grad, name, instead=mistaken.get(name, {}))


@sheet.exercise(
    8,
    title="How many trees?",
    hints=[
        "The variance of a sum is the sum of all m^2 covariances: m variances, m (m - 1) others.",
        "Infinitely many trees leave rho sigma^2; solve for m, and round up.",
    ],
)
def how_many_trees(vote_variance: Any, trees_needed: Any) -> None:
    with part("vote_variance"):
        for m, rho, sigma in [(1, 0.3, 2.0), (10, 0.3, 2.0), (25, 0.0, 0.5), (7, 1.0, 3.0)]:
            covariance = sigma**2 * (np.full((m, m), rho) + (1 - rho) * np.eye(m))
            alone = "that is as if the errors were independent; their correlation is rho"
            what = f"{m} tree{'s' * (m > 1)}, correlation {rho}"
            got = vote_variance(m, rho, sigma)
            close(got, covariance.mean(), what, instead={alone: sigma**2 / m})
    with part("trees_needed"):
        for rho, excess in [(0.3, 0.05), (0.5, 0.1), (0.9, 0.5), (0.05, 0.01)]:
            m = next(m for m in range(1, 5000) if (1 - rho) / m <= excess * rho + 1e-12)
            got = trees_needed(rho, excess)
            down = {f"{m - 1} trees leave more than that variance: round up": m - 1}
            same(got, m, f"the trees for correlation {rho}, excess {excess}", instead=down)


def _mistakes(y: Any) -> int:
    return int(min((y == 0).sum(), (y == 1).sum())) if len(y) else 0


def _fewest(X: Any, y: Any, depth: int) -> int:
    """The fewest mistakes of any tree of this depth: every cut of every column is tried."""
    fewest = _mistakes(y)
    if depth == 0 or fewest == 0:
        return fewest
    for j in range(X.shape[1]):
        values = np.unique(X[:, j])
        for cut in (values[1:] + values[:-1]) / 2:
            yes = X[:, j] <= cut
            here = _fewest(X[yes], y[yes], depth - 1) + _fewest(X[~yes], y[~yes], depth - 1)
            fewest = min(fewest, here)
            if fewest == 0:
                return 0
    return fewest


@sheet.exercise(
    9,
    hints=[
        "The first question of the good tree should gain nothing by itself.",
        "Four corners, opposite ones of the same class, and no exact symmetry.",
    ],
)
def fool_the_greedy_tree(X: Any, y: Any) -> None:
    X = array(X, "X")
    if X.ndim != 2 or X.shape[1] != 2 or not 1 <= len(X) <= 60:
        raise Wrong(f"X is (n, 2) with n up to 60, got {X.shape}")
    y = flags(y, "the labels are 0 and 1; y", (len(X),)).astype(int)
    greedy = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y).score(X, y)
    found = beside(greedy, 0.7, 0, percent=True)
    true(greedy <= 0.7, f"the greedy tree is right about at most 70% ({found} are right)")
    wrong = _fewest(X, y, 2)
    true(wrong == 0, f"some tree of depth 2 is right about all (the best is wrong about {wrong})")


@sheet.exercise(
    10,
    title="Which question first?",
    hints=[
        "Before the question the loans have 1 bit; weigh each side's entropy with its share.",
        "The sides of A have 0.650 bits each. A pure side has none.",
    ],
)
def which_question_first(gain_a: Any, gain_b: Any, asked_first: Any) -> None:
    def bits(p: float) -> float:
        return -(p * math.log2(p) + (1 - p) * math.log2(1 - p))

    nats = {"that is in nats; the text asks for bits": math.log(2) * (1 - bits(1 / 6))}
    by_hand(gain_a, 1 - bits(1 / 6), "the gain of A", instead=nats)
    by_hand(gain_b, 1 - 9 / 12 * bits(1 / 3), "the gain of B")
    word(asked_first, "A", "which question is asked first", ("A", "B"))


@sheet.exercise(
    11,
    title="Left out, and divided",
    hints=[
        "One draw misses the example with the probability 3/4; there are four draws.",
        "Fix one value in the first set: each of the others joins it or does not, but not all do.",
    ],
)
def left_out_and_divided(left_out: Any, judged_by: Any, divisions: Any, in_order: Any) -> None:
    by_hand(left_out, 81 / 256, "the probability of being left out")
    by_hand(judged_by, 200 / math.e, "the trees that judge an example")
    twice = {"that counts each twice; the text asks for divisions whose order does not matter": 62}
    by_hand(divisions, 31, "the divisions of six values", exact=True, instead=twice)
    by_hand(in_order, 5, "the divisions that must be tried", exact=True)


@sheet.exercise(
    12,
    title="One round of AdaBoost",
    hints=[
        "The error is the weight of the wrong examples over the whole weight.",
        "y * told is 1 where the stump is right and -1 where it is wrong.",
    ],
)
def one_round_of_adaboost(one_round: Any) -> None:
    rng = np.random.default_rng(412)
    y = np.array([1, 1, -1, -1])
    cases = [(np.full(4, 0.25), y, np.array([1, -1, -1, -1])), (np.arange(1.0, 5.0), y, y[::-1])]
    cases += [(rng.random(9), rng.choice([-1, 1], size=9), rng.choice([-1, 1], size=9))]
    for w, labels, told in cases:
        wrong = told != labels
        if wrong.all():
            told = np.where(np.arange(len(w)) == 0, labels, told)
            wrong = told != labels
        error = w[wrong].sum() / w.sum()
        given = w.copy()
        vote, new = several(one_round(given, labels, told), "the vote", "the new weights")
        wanted_vote = 0.5 * math.log((1 - error) / error)
        doubled = {"the vote a of section 13 has a factor": 2 * wanted_vote}
        close(vote, wanted_vote, f"the vote of an error of {error:.3g}", instead=doubled)
        wanted = np.where(wrong, w / (2 * error), w / (2 * (1 - error))) / w.sum()
        close(new, wanted, "the new weights")
        close(given, w, "the weights that were given, afterwards")


@functools.cache
def _pruning_gains() -> tuple[float, ...]:
    X, y = load_breast_cancer(return_X_y=True)
    gains = []
    for seed in range(30):
        X_a, X_b, y_a, y_b = train_test_split(X, y, random_state=seed)
        full, pruned = (
            DecisionTreeClassifier(random_state=0, ccp_alpha=alpha).fit(X_a, y_a).score(X_b, y_b)
            for alpha in (0.0, 0.015)
        )
        gains.append(pruned - full)
    return tuple(gains)


@sheet.exercise(
    13,
    title="What did pruning bring?",
    hints=[
        "Keep the 30 differences in a list; score gives the accuracy.",
        "The mean of 30 differences has the standard error 0.027 / sqrt(30). Is yours larger?",
    ],
)
def what_did_pruning_bring(mean_gain: Any, less_accurate: Any, verdict: Any) -> None:
    gains = _pruning_gains()
    alone = {"that is the difference on seed 0; the text asks for the mean of 30": gains[0]}
    by_hand(mean_gain, float(np.mean(gains)), "the mean difference", instead=alone)
    count = sum(gain < 0 for gain in gains)
    by_hand(less_accurate, count, "the splits on which the pruned tree is worse", exact=True)
    word(verdict, "as good", "what you would sign", ("better", "as good", "worse"))
