"""The checkers of lecture 11's exercises: the perceptron."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    by_hand,
    close,
    integers,
    number,
    same,
    several,
    true,
    word,
)
from micrograd import grads, values

sheet = Sheet("Lecture 11")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(110)
CLOUD = rng.standard_normal((30, 3)) + 0.8
LABELS = np.where(CLOUD @ [1.0, -2.0, 0.5] > 0.4, 1.0, -1.0)
NOISY = np.where(rng.random(30) < 0.2, -LABELS, LABELS)


def _train(X: Any, y: Any, epochs: int) -> tuple[Any, float, list[int]]:
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(epochs):
        mistakes.append(0)
        for x, label in zip(X, y, strict=True):
            if label * (w @ x + b) <= 0:
                w, b = w + label * x, b + label
                mistakes[-1] += 1
        if mistakes[-1] == 0:
            break
    return w, b, mistakes


def _updates(Z: Any, beta: float) -> int:
    """How often the margin perceptron updates until every w . z is above beta."""
    w, count, quiet = np.zeros(Z.shape[1]), 0, False
    while not quiet:
        quiet = True
        for z in Z:
            if w @ z <= beta:
                w, count, quiet = w + z, count + 1, False
    return count


@sheet.exercise(
    1,
    hints=[
        "Write down the score of each example with the weights as they are at that moment.",
        "A negative example on the wrong side is subtracted: minus a minus is plus.",
    ],
)
def an_epoch_by_hand(weights: Any, mistakes: Any) -> None:
    zero = "a score of 0 is a mistake, and the first score is 0"
    once = "that corrects with the weights at the beginning; correct example by example"
    given = {zero: [0.0, 0.0], once: [-1.0, 5.0]}
    by_hand(weights, [0.0, 4.0], "the weights after the epoch", instead=given)
    given = {zero: 0, once: 4}
    by_hand(mistakes, 3, "the number of mistakes in the epoch", exact=True, instead=given)


@sheet.exercise(
    2,
    hints=[
        "The length of (3, 4) is the square root of 9 + 16. Divide the score by it.",
        "From the point go back along the unit normal, by the distance; then check that the "
        "score there is 0.",
    ],
)
def distances(distance: Any, of_origin: Any, foot: Any) -> None:
    score = "that is the score; give the distance, for w of length 5"
    side = "the distance is signed, and the origin lies on the negative side"
    by_hand(distance, 4.0, "the signed distance of (3, 4)", instead={score: 20.0})
    given = {score: -5.0, side: 1.0}
    by_hand(of_origin, -1.0, "the signed distance of the origin", instead=given)
    one = {"that goes back by 1; go back by the distance of (3, 4)": [2.4, 3.2]}
    by_hand(foot, [0.6, 0.8], "the point of the boundary nearest to (3, 4)", instead=one)


@sheet.exercise(
    3,
    hints=[
        "An update happens when w . z <= beta. What is then the most that 2 w . z can add to "
        "the square of the length?",
        "Put the new bound on |w_k|^2 under the root in k gamma <= |w_k|, and solve for k.",
    ],
)
def asking_for_more_than_right(update_bound: Any) -> None:
    for R, gamma, beta in ((2.1, 0.5, 0.0), (2.1, 0.5, 3.0), (1.5, 0.13, 0.2)):
        what = f"the bound for beta = {beta:g}, R = {R}, gamma = {gamma}"
        wanted = (R**2 + 2 * beta) / gamma**2
        got = number(update_bound(R, gamma, beta), what)
        if got != math.floor(wanted):  # an update is whole: the bound may be rounded down
            mistaken = {
                "that is the bound without a beta": (R / gamma) ** 2,
                "the square of w + z has its middle term twice": (R**2 + beta) / gamma**2,
                "that lengthens R by beta; add what 2 w . z adds at most": (
                    ((R + beta) / gamma) ** 2
                ),
            }
            close(got, wanted, what, instead=mistaken if beta else {})
    for beta in (0.0, 0.7, 20.0):
        for Z in (0.2 * np.eye(9) + 0.01, 0.2 * np.eye(9) + 0.05, 3 * np.eye(6) + 0.1):
            R, gamma = np.linalg.norm(Z[0]), Z.sum() / len(Z) / np.sqrt(len(Z))
            made = _updates(Z, beta)
            bound = number(update_bound(R, gamma, beta), "the bound")
            if made > bound:
                raise Wrong(
                    f"with beta = {beta} a run made {made} updates, your bound is {bound:.4g}"
                )


@sheet.exercise(
    4,
    hints=[
        "A mistake is y (w . x + b) <= 0, the boundary included. The bias moves by y.",
        "Correct at once, example by example; `w = w + ...` makes a new array. Count the epoch "
        "that has no mistakes as well.",
    ],
)
def the_rule(train: Any) -> None:
    before = CLOUD.copy()
    for y, epochs, what in (
        (LABELS, 1, "after one epoch on 30 points in space"),
        (LABELS, 500, "at the end of training on 30 separable points"),
        (NOISY, 7, "after seven epochs on 30 points that cannot be separated"),
    ):
        given_w, given_b, given = several(train(CLOUD, y, epochs), "w", "b", "mistakes")
        true(np.array_equal(before, CLOUD), "the array X that was given is unchanged")
        w, b, mistakes = _train(CLOUD, y, epochs)
        epochs_made = len(mistakes)
        if np.size(given) != epochs_made:
            raise Wrong(
                f"mistakes holds {np.size(given)} numbers {what}, and there are "
                f"{epochs_made} epochs: the first one without mistakes is the last"
            )
        given = integers(given, "the mistakes in each epoch", (epochs_made,))
        mistaken = {"a score of 0 is a mistake as well, and all are 0 at first": [0] * epochs_made}
        if epochs == 1:
            mistaken["that corrects after the epoch; correct at each example"] = [30]
        same(given, mistakes, f"the list of mistakes {what}", instead=mistaken)
        close(given_w, w, f"the weights {what}")
        close(given_b, b, f"the bias {what}")


@sheet.exercise(
    5,
    hints=[
        "Of the times t, t + 1, ..., T there are T - t + 1.",
        "Keep two vectors, the weights and a weighted sum of the updates. Divide once, at the end.",
    ],
)
def averages_for_free(averaged: Any) -> None:
    for y, epochs in ((LABELS, 1), (LABELS, 4), (NOISY, 6)):
        Z = y[:, None] * CLOUD
        w, total, before = np.zeros(3), np.zeros(3), np.zeros(3)
        for z in itertools.chain.from_iterable([Z] * epochs):
            before += w
            if w @ z <= 0:
                w = w + z
            total += w
        mistaken = {
            "those are the weights before each example; take those after each": (
                before / (epochs * len(Z))
            ),
            "those are the last weights; give their mean over all examples": w,
        }
        what = f"the mean of the weights after each of {epochs * 30} examples, epochs = {epochs}"
        close(averaged(Z, epochs), total / (epochs * len(Z)), what, instead=mistaken)
    # one example again and again: only the first is wrong, the others need their score alone
    Counted.sums = 0
    averaged(np.ones((1, 3)).view(Counted), 200)
    if Counted.sums > 20:
        raise Wrong("examples that are right cost more than their score: arrays are added at each")


class Counted(np.ndarray):
    """An array that counts how often it, or what is made of it, is added to another."""

    sums = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        Counted.sums += ufunc in (np.add, np.subtract) and method == "__call__"
        plain = [x.view(np.ndarray) if isinstance(x, Counted) else x for x in inputs]
        if named.get("out"):
            named["out"] = tuple(np.asarray(x) for x in named["out"])
        result = getattr(ufunc, method)(*plain, **named)
        return result.view(Counted) if isinstance(result, np.ndarray) else result


@sheet.exercise(
    6,
    title="Several classes on Values",
    hints=[
        "The scores `W @ x` are an array of Values, one a class; maximum(a, b) takes two of them.",
        "functools.reduce(maximum, scores) is the largest; divide by the number of rows.",
    ],
)
def several_classes_on_values(class_loss: Any) -> None:
    numbers = np.random.default_rng(116).standard_normal((4, 3))
    labels = np.arange(30) % 4
    W = values(numbers)
    loss = as_value(class_loss(W, CLOUD, labels), "the loss")
    scores = CLOUD @ numbers.T
    winners = scores.argmax(1)
    ahead = scores[np.arange(30), winners] - scores[np.arange(30), labels]
    mistaken = {
        "that adds up over the rows; give their mean": ahead.sum(),
        "that has the sign of the right class being ahead; the winner is": -ahead.mean(),
    }
    close(loss.data, ahead.mean(), "the loss of 30 points and four classes", instead=mistaken)
    loss.backward()
    wanted = np.zeros((4, 3))
    np.add.at(wanted, winners, CLOUD / 30)
    np.add.at(wanted, labels, -CLOUD / 30)
    close(grads(W), wanted, "the gradients of the weights")


@sheet.exercise(
    7,
    title="Blame, by hand",
    hints=[
        "First forward: what is tanh(0)? Is the loss on the sloping side of its kink?",
        "v gets h times what arrives at s; h gets v times it; tanh multiplies by 1 - h**2.",
    ],
)
def blame_by_hand(c: Any, v: Any, a: Any, w: Any) -> None:
    label = "the label is -1: -y s is s here"
    other = "a product hands on the other factor, and v's is h"
    shut = "the gate is open: the loss is above 0, on the sloping side of its kink"
    by_hand(c, 1.0, "the gradient of c", instead={label: -1.0, shut: 0.0})
    by_hand(v, 0.0, "the gradient of v", instead={other: 3.0})
    by_hand(a, 3.0, "the gradient of a", instead={label: -3.0, shut: 0.0})
    given = {label: -3.0, shut: 0.0, "that hands on w itself; the other factor is x": 6.0}
    by_hand(w, 3.0, "the gradient of w", instead=given)


@sheet.exercise(
    8,
    title="Parity of three bits, by hand",
    hints=[
        'A unit with the weights 1, 1, 1 can say "at least one", "at least two", "all three".',
        "What do these three say for 0, 1, 2 and 3 ones? Find output weights that alternate.",
    ],
)
def parity_of_three_bits_by_hand(
    hidden_W: Any, hidden_b: Any, output_w: Any, output_b: Any
) -> None:
    hidden_b = np.atleast_1d(array(hidden_b, "hidden_b"))
    units = len(hidden_b)
    hidden_W = array(hidden_W, f"hidden_W for {units} hidden units", (units, 3))
    output_w = array(output_w, f"output_w for {units} hidden units", (units,))
    at_output = {  # what the hidden units hand on, without output_b
        bits: float(np.dot(output_w, hidden_W @ bits + hidden_b > 0))
        for bits in itertools.product([0, 1], repeat=3)
    }
    above = max(-s for bits, s in at_output.items() if sum(bits) % 2 == 1)
    most = min(-s for bits, s in at_output.items() if sum(bits) % 2 == 0)
    if above < most:  # any number of a range will do
        by_hand(output_b, low=above + 1e-6 * (most - above), high=most, what="output_b")
        return
    output_b = number(output_b, "output_b")
    for bits, s in at_output.items():
        says, ones = int(s + output_b > 0), sum(bits)
        if says != ones % 2:
            raise Wrong(
                f"for the input {bits} the network says {says}; {ones} of its bits "
                f"{'is' if ones == 1 else 'are'} 1, and {ones} is {'odd' if ones % 2 else 'even'}"
            )


@sheet.exercise(
    9,
    hints=[
        "The bound (R/gamma)^2 must be at least 1,000: how large may the margin be?",
        "Two positive examples in nearly opposite directions undo each other's updates. If they do "
        "so exactly it is over at once; think of lengths that never quite fit.",
    ],
)
def keep_it_busy(X: Any, y: Any) -> None:
    X = array(X, "X")
    true(X.ndim == 2 and X.shape[1] == 2 and 1 <= len(X) <= 10, "X holds one to ten points (n, 2)")
    y = array(y, "the labels", (len(X),))
    true(np.isin(y, (-1.0, 1.0)).all(), "labels are -1 or 1")
    true((X**2).sum(1).max() <= 1 + 1e-12, "no point is farther than 1 from the origin")
    angles = np.sort(np.arctan2(*(y[:, None] * X).T))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    true((X**2).sum(1).min() > 0, "no point is the origin itself")
    true(gaps.max() > np.pi + 1e-9, "a line through the origin separates the points")
    w, mistakes, quiet = np.zeros(2), 0, False
    while not quiet and mistakes < 1000:
        quiet = True
        for x, label in zip(X, y, strict=True):
            if label * (w @ x) <= 0:
                w, mistakes, quiet = w + label * x, mistakes + 1, False
    if mistakes < 1000:
        raise Wrong(
            f"the rule ends after {mistakes} mistakes; it should make at least 1,000, and a small "
            "margin makes that possible, not certain"
        )


@sheet.exercise(
    10,
    hints=[
        "Progress: v . w_k is at least the number of mistakes minus the hinge losses met.",
        "L is the sum over all rows, and over all epochs, of max(0, 1 - v . z).",
    ],
)
def a_bound_when_no_line_separates(hinge_bound: Any) -> None:
    Z = NOISY[:, None] * CLOUD
    R = float(np.linalg.norm(Z, axis=1).max())
    best = np.linalg.lstsq(CLOUD, NOISY)[0]
    for v, epochs in ((best, 1), (3 * best, 1), (best, 40)):
        scores, size = Z @ v, R * float(np.linalg.norm(v))
        loss = float(np.maximum(0, 1 - scores).sum())
        mistaken = {
            "the losses of every epoch count; those are of one": (size + math.sqrt(loss)) ** 2,
            "that adds L itself inside the square; add its root": (size + epochs * loss) ** 2,
            "a score that is right by less than 1 has a hinge loss as well": (
                (size + math.sqrt(epochs * float(np.maximum(0, -scores).sum()))) ** 2
            ),
        }
        wanted = (size + math.sqrt(epochs * loss)) ** 2
        what = f"the bound on 30 points that no line separates, |v| = {np.linalg.norm(v):.3g}"
        what += f", epochs = {epochs}"
        if epochs == 1:
            del mistaken["the losses of every epoch count; those are of one"]
        close(hinge_bound(Z, v, epochs), wanted, what, instead=mistaken)
    u, gamma = np.array([0.6, 0.8]), 0.2
    separable = np.array([[0.6, 0.8], [1.0, -0.5]])
    right = 1.25 / gamma**2
    close(hinge_bound(separable, u / gamma, 7), right, "Novikoff's bound, with v = u / gamma")


@sheet.exercise(
    11,
    hints=[
        "The score of example i is the sum over j of alpha_j y_j K[i, j].",
        "A mistake adds 1 to alpha_i, whatever the label: the label stands in the score.",
    ],
)
def the_kernel_perceptron(dual: Any) -> None:
    plain = CLOUD @ CLOUD.T
    bent = (1 + plain) ** 2
    for K, y, epochs, what in (
        (plain, LABELS, 1, "one epoch on 30 points, k = x . x'"),
        (bent, NOISY, 5, "five epochs on 30 points, k = (1 + x . x')^2"),
        (bent, LABELS, 500, "training to the end, k = (1 + x . x')^2"),
    ):
        wanted = _dual(K, y, epochs)
        mistaken = {
            "that puts the label into alpha; count the mistakes": y * wanted,
            "that leaves the labels out of the score": _dual(K, y, epochs, labels=False),
            "a score of 0 is a mistake as well, and all are 0 at first": 0 * wanted,
            "that corrects after the epoch; correct at each example": _dual(
                K, y, epochs, late=True
            ),
        }
        close(dual(K, y, epochs), wanted, f"the mistakes on each example after {what}",
              instead=mistaken)  # fmt: skip


def _dual(K: Any, y: Any, epochs: int, *, labels: bool = True, late: bool = False) -> Any:
    alpha = np.zeros(len(y))
    for _ in range(epochs):
        before = alpha.copy()
        for i in range(len(y)):
            held = before if late else alpha
            if y[i] * (K[i] @ (held * y if labels else held)) <= 0:
                alpha[i] += 1
        if np.array_equal(alpha, before):
            break
    return alpha


@sheet.exercise(
    12,
    hints=[
        "The bound on the mistakes of one pass does not depend on n; divide it by n.",
        "Each mistake of the majority removes at least half: how often can 1,000 be halved "
        "while one is left?",
    ],
)
def from_mistakes_to_a_promise(mistakes: Any, error: Any, examples: Any, halving: Any) -> None:
    by_hand(mistakes, 16, "the most mistakes of one pass", exact=True,
            instead={"that is R / gamma; the bound is its square": 4})  # fmt: skip
    by_hand(error, 0.02, "the expected error after 800 examples",
            instead={"that is R / gamma over n; the bound is its square": 0.005})  # fmt: skip
    by_hand(examples, 1600, "the examples for an expected error of 0.01", exact=True,
            instead={"that is R / gamma over the error; the bound is its square": 400})  # fmt: skip
    given = {"a tenth mistake would leave fewer than one hypothesis": 10}
    by_hand(halving, 9, "the most mistakes of the majority", exact=True, instead=given)


@sheet.exercise(
    13,
    hints=[
        "Each layer doubles the pieces and costs two units; one hidden layer bends once a unit.",
        "m units: at most m + 2 stretches on one side of 1/2, and a stretch of c alternating "
        "points has at least (c - 1) / 2 wrong ones.",
    ],
)
def depth_by_counting(pieces: Any, deep: Any, shallow: Any, wrong: Any, parity: Any) -> None:
    added = {"composing multiplies the pieces; that adds them": 20}
    by_hand(pieces, 1024, "the straight pieces of ten layers", exact=True, instead=added)
    by_hand(deep, 20, "the ReLU units of ten layers", exact=True,
            instead={"each layer has two units": 10})  # fmt: skip
    given = {"m units bend m times, and that makes m + 1 pieces": 1024}
    by_hand(shallow, 1023, "the units of one hidden layer", exact=True, instead=given)
    given = {
        "the number of points is whole, so round up": 501,
        "a continuous function of m + 1 pieces has at most m + 2 stretches, not two a piece": 492,
    }
    by_hand(wrong, 502, "the points that 20 units get wrong", exact=True, instead=given)
    given = {"that nests exclusive ors; one hidden layer needs fewer": 27,
             "one hidden layer can say for each number of ones whether it is reached": 1024,
             "that is one for each odd input; units can count instead": 512}  # fmt: skip
    by_hand(parity, 10, "the hidden units for parity of ten bits", exact=True, instead=given)


@sheet.exercise(
    14,
    title="Which weights to keep?",
    hints=[
        "Add w to a total after each example, mistake or not; its sign pattern is the average's.",
        "Compare the mean difference with how much it varies, and count the splits.",
    ],
)
def which_weights_to_keep(difference: Any, better: Any, verdict: Any) -> None:
    gains = _gains()
    sign = {"that is average minus last; the text asks for last minus average": -gains.mean()}
    by_hand(difference, float(gains.mean()), "the mean difference of the test error", instead=sign)
    ties = {"in some splits the two are equal; count those where the average errs less": (
        int((gains >= 0).sum())
    )}  # fmt: skip
    wins = int((gains > 0).sum())
    by_hand(better, wins, "the splits in which the average errs less", exact=True, instead=ties)
    among = ("always better", "better on the whole", "no better")
    word(verdict, "better on the whole", "what you would sign", among, instead={
        "in some of the splits the last weights err less": "always better",
        "it errs less in more than twice as many splits as it errs more": "no better",
    })  # fmt: skip


@functools.cache
def _gains() -> Any:
    """Error of the last minus error of the averaged weights, on twenty halves of the tumours."""
    X, target = load_breast_cancer(return_X_y=True)
    gains = []
    for seed in range(20):
        A, B, a, b = train_test_split(
            X, 2.0 * target - 1, test_size=0.5, stratify=target, random_state=seed
        )
        mean, deviation = A.mean(0), A.std(0)
        A, B = (np.column_stack([(M - mean) / deviation, np.ones(len(M))]) for M in (A, B))
        w, total = np.zeros(31), np.zeros(31)
        for x, label in itertools.chain.from_iterable([list(zip(A, a, strict=True))] * 10):
            if label * (x @ w) <= 0:
                w = w + label * x
            total += w
        gains.append((b * (B @ w) <= 0).mean() - (b * (B @ total) <= 0).mean())
    return np.array(gains)
