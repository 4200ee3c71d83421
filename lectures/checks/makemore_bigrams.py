"""The checkers of the exercises to makemore part 1: counts, splits, smoothing, a trigram model."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    beside,
    by_hand,
    close,
    integers,
    same,
    several,
    true,
    without,
)
from micrograd import Value, functional, grads
from micrograd.engine import topological_order

sheet = Sheet("makemore part 1")
check, hint = sheet.check, sheet.hint

LETTERS = ".abcdefghijklmnopqrstuvwxyz"
AMOUNTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SAMPLE = ["anna", "ab", "zoe", "anna", "o"]


@functools.cache
def _splits() -> tuple[list[str], list[str], list[str]]:
    """The names in the parts that the notebook makes."""
    words = (Path(__file__).parent.parent / "data" / "names.txt").read_text().split()
    shuffled = [words[i] for i in np.random.default_rng(42).permutation(len(words))]
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:n1], shuffled[n1:n2], shuffled[n2:]


def _counts(words: list[str]) -> np.ndarray:
    N = np.zeros((27, 27, 27), dtype=int)
    for word in words:
        row = [0, 0, *(LETTERS.index(letter) for letter in word), 0]
        for i, j, k in zip(row, row[1:], row[2:], strict=False):
            N[i, j, k] += 1
    return N


def _loss(N: np.ndarray, words: list[str], extra: float) -> float:
    P = (N + extra) / (N + extra).sum(axis=-1, keepdims=True)
    M = _counts(words)
    return float(-(M * np.log(P)).sum() / M.sum())


@functools.cache
def _dev_losses() -> dict[float, float]:
    train, dev, _ = _splits()
    N = _counts(train)
    return {extra: _loss(N, dev, extra) for extra in AMOUNTS}


@sheet.exercise(
    1,
    hints=[
        "With the dots: .aa. .ab. .b. Fill a table with a row and a column for each of . a b.",
        "The cost of a name is the mean of three negative logs. Smoothing adds 3 to each row.",
    ],
)
def three_names_by_hand(p_a: Any, cost: Any, smoothed: Any) -> None:
    anywhere = {"that is how frequent a is anywhere; give how frequent it is after the dot": 3 / 5}
    by_hand(p_a, 2 / 3, "the probability that a name begins with a", instead=anywhere)
    summed = "that is the sum over the bigrams; give their average"
    two = "that is over two bigrams; with the dots there are three"
    cost_of_ab = np.log(1.5) + np.log(3)
    instead = {summed: cost_of_ab, two: cost_of_ab / 2}
    by_hand(cost, cost_of_ab / 3, "the cost of 'ab'", instead=instead)
    cost_of_ab = np.log(2 * 3 * 5 / 3)
    instead = {summed: cost_of_ab, two: cost_of_ab / 2}
    by_hand(smoothed, cost_of_ab / 3, "the cost of 'ab' with 1 added", instead=instead)


@sheet.exercise(
    2,
    title="Training, dev, test",
    hints=[
        "Shuffle positions with np.random.default_rng(seed).permutation(len(words)), then cut.",
        "int(0.8 * n) and int(0.9 * n) are the cuts. Leave the list that you were given alone.",
    ],
)
def training_dev_test(split: Any) -> None:
    words = [f"name{i}" for i in range(200)]
    given = list(words)
    names = "train", "dev", "test"
    train, dev, test = ([*part] for part in several(split(words, 1), *names))
    true(words == given, "the list of names that was given is unchanged")
    same([len(train), len(dev), len(test)], [160, 20, 20], "the sizes of the parts of 200 names")
    true(sorted([*train, *dev, *test]) == sorted(given), "every name is in exactly one part")
    true(train != given[:160], "the names are shuffled before they are cut")
    again = [[*part] for part in several(split(words, 1), *names)]
    true(again == [train, dev, test], "the same seed gives the same parts")
    true([*several(split(words, 2), *names)[0]] != train, "another seed gives other parts")
    sizes = [len(part) for part in several(split(words[:17], 3), *names)]
    same(sizes, [13, 2, 2], "the sizes of the parts of 17 names")


@sheet.exercise(
    3,
    hints=[
        "Put two dots before each name and one after it; every three neighbours are a triple.",
        "A triple that occurs twice counts twice: N[i, j, k] += 1 in a loop, or np.add.at.",
    ],
)
def counting_triples(trigram_counts: Any) -> None:
    what = "the counts of five names"
    one = integers(trigram_counts(["ab"]), "the counts of 'ab'", (27, 27, 27))
    dots = {"a name begins after two dots and ends with one": 2}
    same(int(one.sum()), 3, "the number of triples in 'ab'", instead=dots)
    N = integers(trigram_counts(list(SAMPLE)), what, (27, 27, 27))
    wanted = _counts(SAMPLE)
    same(int(N.sum()), int(wanted.sum()), "the number of triples in five names")
    same(int(N[0, 0, 1]), 3, "how many of the five names begin with a")
    same(N, wanted, what)


@sheet.exercise(
    4,
    hints=[
        "Add `extra`, divide each row (the last axis) by its sum; mind keepdims.",
        "Count the triples of `words` too: each costs -log of its probability; take the mean.",
    ],
)
def the_loss_of_a_trigram_model(trigram_loss: Any) -> None:
    train = _splits()[0][:2000]
    N = _counts(train)
    before = N.copy()
    right, triples = _loss(N, SAMPLE, 1.0), _counts(SAMPLE).sum()
    with np.errstate(all="ignore"):
        late = -np.log(N / N.sum(axis=-1, keepdims=True) + 1.0) * _counts(SAMPLE)
    mistaken = {
        "that is per name; give the average over all triples": right * triples / len(SAMPLE),
        "that is the sum; give the average over all triples": right * triples,
        "`extra` is added to the counts, before they are divided": np.nansum(late) / triples,
    }
    got = trigram_loss(N, SAMPLE, 1.0)
    close(got, right, "the loss of five names, extra = 1", instead=mistaken)
    close(trigram_loss(N, train[:50], 0.1), _loss(N, train[:50], 0.1), "fifty names, extra = 0.1")
    true(np.array_equal(N, before), "the counts are the same afterwards")
    empty = np.zeros((27, 27, 27), dtype=int)
    close(trigram_loss(empty, SAMPLE, 1.0), np.log(27), "the loss with no counts and extra = 1")


@sheet.exercise(
    5,
    title="How much smoothing?",
    hints=[
        "Count on the training part, measure each amount on the dev part, keep the best.",
        "The test part is used once, with the amount that you have chosen.",
    ],
)
def how_much_smoothing(best_extra: Any, dev_loss: Any, test_loss: Any) -> None:
    losses = _dev_losses()
    best = min(losses, key=lambda extra: losses[extra])
    mistaken = {
        "that is the best on the training part; use the dev part": 0.01,
        "that is the amount of the lecture": 1.0,
    }
    what = "the amount with the smallest dev loss"
    by_hand(best_extra, best, what, exact=True, instead=mistaken)
    others = {
        f"that is the dev loss of {extra:g}": losses[extra]
        for extra in losses
        if losses[extra] > 1.006 * losses[best]
    }
    by_hand(dev_loss, losses[best], "the dev loss of the best amount", instead=others)
    train, _, test = _splits()
    by_hand(test_loss, _loss(_counts(train), test, best), "the test loss of the best amount")


@sheet.exercise(
    6,
    title="Without one-hot vectors",
    hints=[
        "A one-hot row times W is a row of W. NumPy takes rows by an array of integers: W[x].",
        "The rest is the loss of the scores that you have taken: functional.cross_entropy.",
    ],
)
def without_one_hot_vectors(loss_by_rows: Any) -> None:
    rng = np.random.default_rng(1)
    W = np.frompyfunc(Value, 1, 1)(rng.standard_normal((27, 27)))
    x, y = rng.integers(0, 27, 12), rng.integers(0, 27, 12)
    wanted = functional.cross_entropy(functional.one_hot(x, 27) @ W, y)
    wanted.backward()
    gradient = grads(W)
    for w in W.flat:
        w.grad = 0.0
    got = as_value(loss_by_rows(W, x, y), "the loss")
    turned = {
        "x and y have changed places: y are the letters that follow": (
            functional.cross_entropy(functional.one_hot(y, 27) @ W, x).data
        )
    }
    close(got.data, wanted.data, "the loss of twelve pairs", instead=turned)
    got.backward()
    close(grads(W), gradient, "the gradient of the loss of twelve pairs", atol=1e-12)
    true(len(topological_order(got)) < len(topological_order(wanted)) / 3,
         "the graph has less than a third of the nodes of the one-hot way")  # fmt: skip


@sheet.exercise(
    7,
    hints=[
        "Adding the same number to all scores changes no probability. Which number is safe?",
        "log(sum exp(z - m)) - (z[y] - m), with m the largest score as a plain number.",
    ],
)
def a_loss_that_cannot_overflow(stable_loss: Any) -> None:
    def of(scores: list[float], y: int) -> Any:
        z = np.array([Value(s) for s in scores])
        with without("functional", module="micrograd.functional"):
            result = stable_loss(z, y)
        loss = as_value(result, "the loss")
        loss.backward()
        return loss.data, grads(z)

    scores = [0.5, -1.0, 2.0]
    p = np.exp(scores) / np.exp(scores).sum()
    loss, gradient = of(scores, 1)
    close(loss, -np.log(p[1]), "the loss of three small scores")
    close(gradient, p - np.eye(3)[1], "the gradient of the loss", atol=1e-12)
    for shift in (5000.0, -5000.0):
        loss, gradient = of([s + shift for s in scores], 1)
        size = "the loss is finite there: write one that no size of the scores can break"
        mistaken = {} if np.isfinite(loss) else {size: loss}
        what = f"the loss with {shift:.0f} added to every score"
        close(loss, -np.log(p[1]), what, rtol=1e-9, instead=mistaken)
        close(
            gradient,
            p - np.eye(3)[1],
            f"the gradient with {shift:.0f} added to every score",
            atol=1e-9,
        )
    loss, gradient = of([0.0, -4000.0, 5000.0], 2)
    close(loss, 0.0, "the loss of scores that lie far apart", atol=1e-9)


@sheet.exercise(
    8,
    hints=[
        "Give each pair of letters a row of scores: a table of 729 x 27 Values, from zero.",
        "Weight the log-probabilities by the counts; lift the loss; a little decay; Adam.",
    ],
)
def a_trigram_model_by_gradient_descent(probabilities: Any) -> None:
    P = array(probabilities, "the probabilities", (27, 27, 27))
    true((P > 0).all(), "every probability is above 0")
    close(P.sum(axis=-1), np.ones((27, 27)), "the sums over the next letter")
    M = _counts(_splits()[1])
    loss = -(M * np.log(P)).sum() / M.sum()
    true(loss < 2.25, f"the loss on the dev part is below 2.25 (it is {beside(loss, 2.25)})")
    if _are_counts(P):
        raise Wrong("these are the counts, plus the same number each, divided by their sums: "
                    "use gradient descent")  # fmt: skip


def _are_counts(P: np.ndarray) -> bool:
    """Whether one amount of smoothing explains the probabilities of all letters never seen."""
    N = _counts(_splits()[0])
    totals = np.broadcast_to(N.sum(axis=-1, keepdims=True), N.shape)
    unseen = (N == 0) & (totals > 0)
    # p = e / (n + 27 e), so e = n p / (1 - 27 p)
    extra = totals[unseen] * P[unseen] / (1 - 27 * P[unseen])
    return bool(np.std(extra) < 0.01 * abs(np.mean(extra)))
