"""The checkers of lecture 1's exercises: kinds of learning, shapes, scaling, first models."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from checks import (
    Sheet,
    Wrong,
    array,
    beside,
    brief,
    by_hand,
    close,
    integers,
    is_open,
    note,
    part,
    same,
    several,
    true,
    without_values,
    word,
)
from micrograd import Value, functional, grads, numbers

sheet = Sheet("Lecture 1")
check, hint = sheet.check, sheet.hint

KINDS = ("classification", "regression", "unsupervised", "self-supervised", "reinforcement")


@sheet.exercise(
    1,
    title="What feedback?",
    hints=[
        "What is given besides the inputs: labels, numbers, rewards, nothing, or a part of them?",
        "A letter that was rubbed out was there before: the book is its own teacher.",
    ],
)
def what_feedback(rain: Any, letters: Any, customers: Any, lift: Any, mail: Any) -> None:
    kind = "the answer is an amount, not one of a few classes"
    word(rain, "regression", "rain", KINDS, instead={kind: "classification"})
    given_away = "nobody has labelled them, and yet there is one right answer: what stood there"
    word(letters, "self-supervised", "letters", KINDS, instead={given_away: "unsupervised"})
    word(customers, "unsupervised", "customers", KINDS)
    word(lift, "reinforcement", "lift", KINDS)
    word(mail, "classification", "mail", KINDS)


@sheet.exercise(
    2,
    hints=[
        "The guess and the class are independent: multiply, then add over the classes.",
        "If class c is guessed with probability q_c, the answer is right in sum of q_c p_c.",
    ],
)
def what_guessing_gives(most_frequent: Any, in_proportion: Any, all_alike: Any, mixed: Any) -> None:
    p = np.array([1 / 2, 1 / 3, 1 / 6])
    by_hand(most_frequent, p.max(), "always the most frequent class")
    average = "that is the average of the frequencies; give how often guess and class agree"
    by_hand(in_proportion, p @ p, "each class as often as it occurs", instead={average: 1 / 3})
    by_hand(all_alike, p.mean(), "all classes alike")
    half = "that is as if both were said equally often"
    what = "the first with 1/4, the second with 3/4"
    by_hand(mixed, p @ [1 / 4, 3 / 4, 0], what, instead={half: p @ [1 / 2, 1 / 2, 0]})


@sheet.exercise(
    3,
    hints=[
        "Write the shapes below each other, lined up at the right; missing lengths count as 1.",
        "An axis that is summed or averaged over disappears from the shape.",
    ],
)
def shapes(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    A, B, C, D = np.ones((5, 1, 3)), np.ones((4, 1)), np.ones((5, 3)), np.ones(5)
    _shape(a, (A + B).shape, "A + B")
    _shape(b, "error", "C + D", why="lined up at the right, a length of 3 meets one of 5")
    _shape(c, (C - C.mean(axis=0)).shape, "C - C.mean(axis=0)")
    rows = "the five means are lined up with the three columns, not with the rows"
    _shape(d, "error", "C - C.mean(axis=1)", why=rows)
    _shape(e, (D[:, None] * D).shape, "D[:, None] * D")
    _shape(f, (D @ C).shape, "D @ C")


def _shape(given: Any, right: Any, what: str, *, why: str = "") -> None:
    """A part: a shape as a tuple (a list is taken), or the word "error"; `why` it is an error."""
    if is_open(given):
        note(what, "not attempted")
        return
    if isinstance(given, str):
        said = given.strip().casefold()
        fault = "" if said == right else 'is neither a tuple, such as (2, 3), nor "error"'
        fault = "is not right" if fault and said == "error" else fault
    elif isinstance(given, (tuple, list, np.ndarray)):
        try:
            lengths = tuple(integers(given, what).ravel().tolist())
        except Wrong as error:  # the other shapes are marked all the same
            note(what, "wrong", str(error))
            return
        fault = "" if lengths == right else "is not right" + (f" ({why})" if why else "")
    else:
        fault = "is no shape: a shape is a tuple, (7,) with its comma"
    note(what, "wrong" if fault else "right", f"{what}: {brief(given)} {fault}" if fault else "")


@sheet.exercise(
    4,
    hints=[
        "Only `train` may decide the means and the deviations; `other` is from the future.",
        "np.where(deviation == 0, 1.0, deviation) leaves a constant column in peace.",
    ],
)
def scaling_without_a_leak(standardise: Any) -> None:
    rng = np.random.default_rng(14)
    train = rng.normal(3.0, 5.0, size=(30, 4))
    train[:, 2] = 7.0
    other = rng.normal(-1.0, 2.0, size=(9, 4))
    before = train.copy(), other.copy()
    moved, other_moved = several(standardise(train, other), "the training table", "the other table")
    true(np.array_equal(train, before[0]), "the training table that was given is unchanged")
    true(np.array_equal(other, before[1]), "the other table that was given is unchanged")
    mean, deviation = train.mean(axis=0), np.where(train.std(axis=0) == 0, 1, train.std(axis=0))
    sample = np.where(train.std(axis=0) == 0, 1, train.std(axis=0, ddof=1))
    both = np.concatenate([train, other])
    mistaken = {
        "this divides by n - 1 in the deviation; divide by n": (train - mean) / sample,
        "these are the means and deviations of both tables together; use the training table's": (
            train - both.mean(axis=0)
        )
        / both.std(axis=0),
    }
    what = "the training table, with a constant column"
    close(moved, (train - mean) / deviation, what, instead=mistaken)
    own = "this is the other table by its own scale; use the training table's for both"
    alone = (other - other.mean(axis=0)) / other.std(axis=0)
    close(other_moved, (other - mean) / deviation, "the other table", instead={own: alone})


def _vote(X_train: Any, y_train: Any, x: Any, k: int) -> Any:
    nearest = y_train[((X_train - x) ** 2).sum(axis=1).argsort(kind="stable")[:k]].tolist()
    most = max(nearest.count(label) for label in nearest)
    return next(label for label in nearest if nearest.count(label) == most)


@sheet.exercise(
    5,
    hints=[
        "argsort of the squared distances gives the nearest first; np.unique can count labels.",
        "Go through the k labels from near to far and stop at the first that is among the tied.",
    ],
)
def neighbours_that_vote(vote: Any) -> None:
    line, labels = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([9, 5, 5, 9])
    nearest = {"that is the label of the nearest alone; give the most frequent of the k": 9}
    what = "the vote of 3 neighbours on a line"
    same(vote(line, labels, np.zeros(1), 3), 5, what, instead=nearest)
    tied = {"of equally frequent labels give the one whose nearest example is nearest": 5}
    same(vote(line, labels, np.zeros(1), 4), 9, "the vote of two against two", instead=tied)
    rng = np.random.default_rng(15)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 4, size=60)
    for k in (1, 2, 4, 7):
        for x in rng.normal(size=(15, 3)):
            same(vote(X, y, x, k), _vote(X, y, x, k), f"the vote of {k} neighbours of 60")


@sheet.exercise(
    6,
    hints=[
        "Two cases: does the point cost something, 1 - y (w x + b) > 0, or not?",
        "The penalty w^2 / 2 is there in both cases, and its derivative is w.",
    ],
)
def the_gradient_of_a_penalised_hinge(hinge_gradient: Any) -> None:
    for w, b, x, y in [
        (0.4, 0.1, 1.5, 1),
        (2.0, 1.0, 1.5, 1),
        (2.0, 1.0, 1.5, -1),
        (-1.0, 0.0, 2.0, -1),
    ]:
        a, c = Value(w), Value(b)
        ((1 - y * (a * x + c)).relu() + 0.5 * a**2).backward()
        side = "where the point costs" if 1 - y * (w * x + b) > 0 else "where the hinge is zero"
        with without_values():
            got = hinge_gradient(w, b, x, y)
        dw, db = several(got, "dL/dw", "dL/db")
        slope = "that has the slope of the costs, which is 0 on this side of the kink"
        close(dw, a.grad, f"dL/dw {side}", instead={slope: w - y * x})
        close(db, c.grad, f"dL/db {side}", instead={slope: -y})


@sheet.exercise(
    7,
    title="Rewards, compared with what?",
    hints=[
        "log pi_A = s_A - log sum exp s: differentiate both terms with respect to s_j.",
        "The result is (R - c) times an array that is 1 - pi_A at the machine, -pi_j elsewhere.",
    ],
)
def rewards_compared_with_what(policy_step: Any) -> None:
    s, pays = np.array([0.5, -1.0, 0.2, 0.0]), np.array([0.1, 0.9, 0.4, 0.3])
    values = np.array([Value(x) for x in s])
    (functional.softmax(values) @ pays).backward()
    pi = numbers(functional.softmax(s))
    for c in (0.0, 0.7):
        with without_values():
            steps = [array(policy_step(s, a, r, c), "one step", (4,)) for a, r in enumerate(pays)]
        close(
            pi @ np.array(steps), grads(values), f"the step averaged over the machines, c = {c:g}"
        )
    surprise = functional.cross_entropy(values, 2)
    for v in values:
        v.grad = 0.0
    surprise.backward()
    step = -0.75 * grads(values)
    alone = {"that is the step with c = 0; give (R - c) times the gradient": step / 0.75}
    close(policy_step(s, 2, 1.0, 0.25), step, "one step with c = 0.25", instead=alone)


@sheet.exercise(
    8,
    title="BigML's JSON, read by hand",
    hints=[
        "Each category has one list a field, in the order of input_fields, and the intercept last.",
        "The order of the names in `inputs` says nothing: look each field's name up by its key.",
    ],
)
def bigmls_json_read_by_hand(predict: Any) -> None:
    rng = np.random.default_rng(18)
    names = ["width", "length", "mass"]
    keys = ["000002", "000000", "000001"]
    w = {c: rng.normal(size=3) for c in ("ape", "bee", "cat")}
    b = {"ape": 0.3, "bee": -0.6, "cat": 0.1}
    document = {
        "object": {
            "input_fields": keys,
            "logistic_regression": {
                "fields": {k: {"name": n} for k, n in zip(keys, names, strict=True)},
                "coefficients": [[c, [[float(v)] for v in w[c]] + [[b[c]]]] for c in w],
            },
        }
    }
    x = {"mass": -0.4, "width": 1.2, "length": 0.7}
    alone = {c: 1 / (1 + math.exp(-(w[c] @ [x[n] for n in names] + b[c]))) for c in w}
    ordered = {c: 1 / (1 + math.exp(-(w[c] @ list(x.values()) + b[c]))) for c in w}
    result = predict(document, x)
    true(isinstance(result, dict), "predict gives a dictionary, a probability by class")
    true(sorted(result) == sorted(w), "the dictionary's keys are the names of the classes")
    for c in w:
        mistaken = {
            "`inputs` is read in its own order; read it by name, in the order of input_fields": (
                ordered[c] / sum(ordered.values())
            ),
            "that is sigma(w x + b) alone; divide it by the sum of all": alone[c],
        }
        right = alone[c] / sum(alone.values())
        close(result[c], right, f"the probability of {c}", instead=mistaken)


@sheet.exercise(
    9,
    hints=[
        "The best is below a mark exactly when all are: multiply the probabilities.",
        "P(B >= b) with a whole b is 1 - cdf(b - 1).",
    ],
)
def the_best_of_many(luck: Any) -> None:
    for n, m, share in [(10, 1, 0.7), (50, 1000, 0.7), (7, 3, 0.5), (20, 40, 1.0)]:
        least = next(b for b in range(n + 1) if b >= share * n - 1e-9)
        below = sum(math.comb(n, b) for b in range(least)) / 2**n
        above = below + math.comb(n, least) / 2**n
        mistaken = {
            "that is the probability of more than the share; the share itself counts, too": 1
            - above**m,
            "that is the probability that all of them do; give that of the best": (1 - below) ** m,
        }
        what = f"{m} model{'s' * (m > 1)}, {n} questions, {share:.0%}"
        close(luck(n, m, share), 1 - below**m, what, instead=mistaken)


def _leave_one_out(factors: Any) -> float:
    X, y = load_wine(return_X_y=True)
    factors = array(factors, "the 13 factors, one a column", (13,))
    if not np.all(np.isfinite(factors) & (factors > 0)):
        raise Wrong("the 13 factors, one a column: every factor must be positive and finite")
    X = X * factors
    distance = ((X[:, None] - X) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((y[distance.argmin(axis=1)] == y).mean())


@sheet.exercise(
    10,
    title="A transformer in scikit-learn's form",
    hints=[
        "np.quantile(X, [share, 1 - share], axis=0) gives both ends at once, a row each.",
        "np.clip(X, low, high) makes a new table; and what does `fit` always give back?",
    ],
)
def a_transformer_in_scikit_learns_form(Clipper: Any) -> None:
    true(isinstance(Clipper, type), "the class Clipper itself is handed in, not an instance")
    rng = np.random.default_rng(20)
    train = rng.normal(size=(60, 3)) * [1.0, 10.0, 100.0]
    later = 3 * train[:20] + 5
    before = train.copy(), later.copy()
    clipper = Clipper(share=0.1)
    true(clipper.fit(train) is clipper, "fit gives the estimator itself back")
    true(all(hasattr(clipper, name) for name in ("low_", "high_")), "fit keeps low_ and high_")
    low, high = np.quantile(train, [0.1, 0.9], axis=0)
    close(clipper.low_, low, "the lower ends")
    close(clipper.high_, high, "the upper ends")
    close(clipper.transform(train), np.clip(train, low, high), "the training table")
    own = np.clip(later, *np.quantile(later, [0.1, 0.9], axis=0))
    learns = "that is its own range; use the one learned in fit, and learn nothing outside it"
    right = np.clip(later, low, high)
    close(clipper.transform(later), right, "a later table", instead={learns: own})
    close(clipper.low_, low, "the lower ends after a later table")
    true(np.array_equal(train, before[0]), "the training table that was given is unchanged")
    true(np.array_equal(later, before[1]), "the later table that was given is unchanged")
    true(clipper.get_params() == {"share": 0.1}, "the settings after fit are as they were given")
    failed = [c["check_name"] for c in check_estimator(clone(clipper), on_skip=None, on_fail=None)
              if c["status"] == "failed"]  # fmt: skip
    true(not failed, f"scikit-learn's own checks pass; these do not: {', '.join(failed)}")


@sheet.exercise(
    11,
    title="Break it, and mend it",
    hints=[
        "What happens to the distances if one column is a million times as large as the others?",
        "To mend: after the multiplication all columns should spread alike.",
    ],
)
def break_it_and_mend_it(bad_factors: Any, good_factors: Any) -> None:
    with part("the bad factors"):
        bad = _leave_one_out(bad_factors)
        if np.ptp(array(bad_factors, "the bad factors")) == 0:
            raise Wrong(
                "the bad factors: with one for all columns each wine keeps its nearest neighbour "
                f"({beside(bad, 0.55, 1, percent=True)} are right); choose factors that differ"
            )
        found = beside(bad, 0.55, 1, percent=True)
        true(bad < 0.55, f"with the bad factors under 55% are right ({found} are)")
    with part("the good factors"):
        good = _leave_one_out(good_factors)
        found = beside(good, 0.95, 1, percent=True)
        true(good >= 0.95, f"with the good factors 95% or more are right ({found} are)")


WORDS = ("feature", "label", "parameter", "hyperparameter", "inference", "training")


@sheet.exercise(
    12,
    title="Which word?",
    hints=[
        "Section 3 explains the six words, one after another.",
        "Ask who sets the number: the data, by learning, or the bank, beforehand?",
    ],
)
def which_word(income: Any, weight: Any, strength: Any, paid_back: Any, tomorrow: Any) -> None:
    word(income, "feature", "the income", WORDS)
    word(weight, "parameter", "the weight", WORDS)
    chosen = {"the data do not set it; ask who sets the number": "parameter"}
    word(strength, "hyperparameter", "the strength of the penalty", WORDS, instead=chosen)
    word(paid_back, "label", "whether the loan was paid back", WORDS)
    word(tomorrow, "inference", "computing s for tomorrow's customer", WORDS)


@functools.cache
def _accuracies() -> tuple[float, float, float]:
    X, y = load_breast_cancer(return_X_y=True)
    models = (
        DummyClassifier(strategy="most_frequent"),
        KNeighborsClassifier(),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
    )
    first, second, third = (float(cross_val_score(model, X, y).mean()) for model in models)
    return first, second, third


@sheet.exercise(
    13,
    title="How good is 93%?",
    hints=[
        "cross_val_score(model, X, y) gives five accuracies; take their mean.",
        "Compare 50% with what the most frequent class gives for nothing.",
    ],
)
def how_good_is_93(baseline: Any, raw: Any, scaled: Any, verdict: Any) -> None:
    wanted = _accuracies()
    coin = {"that is a coin; the baseline always says the most frequent class": 0.5}
    by_hand(baseline, wanted[0], "the baseline", instead=coin)
    by_hand(raw, wanted[1], "the accuracy on raw measurements")
    by_hand(scaled, wanted[2], "the accuracy after scaling")
    word(verdict, "too low", "what is wrong with the report's baseline", ("too low", "too high"))
