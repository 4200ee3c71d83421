"""The checkers of lecture 11's exercises: the perceptron."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads, values

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
    "an epoch by hand",
    hints=[
        "Write down the score of each example with the weights as they are at that moment.",
        "A negative example on the wrong side is subtracted: minus a minus is plus.",
    ],
)
def _(weights: Any, mistakes: Any) -> None:
    close(mistakes, 3, "the number of mistakes in the epoch")
    close(weights, [0.0, 4.0], "the weights after the epoch")


@sheet.exercise(
    2,
    "distances",
    hints=[
        "The length of (3, 4) is the square root of 9 + 16. Divide the score by it.",
        "From the point go back along the unit normal, by the distance; then check that the "
        "score there is 0.",
    ],
)
def _(distance: Any, of_origin: Any, foot: Any) -> None:
    close(distance, 4.0, "the signed distance of (3, 4)")
    close(of_origin, -1.0, "the signed distance of the origin")
    foot = np.asarray(foot, dtype=float)
    same(foot.shape, (2,), "the shape of the nearest point")
    true(abs(foot @ [3.0, 4.0] - 5) < 1e-9, "the nearest point lies on the boundary")
    close(foot, [0.6, 0.8], "the point of the boundary nearest to (3, 4)")


@sheet.exercise(
    3,
    "asking for more than right",
    hints=[
        "An update happens when w . z <= beta. What is then the most that 2 w . z can add to "
        "the square of the length?",
        "Put the new bound on |w_k|^2 under the root in k gamma <= |w_k|, and solve for k.",
    ],
)
def _(update_bound: Any) -> None:
    for beta in (0.0, 0.7, 20.0):
        for Z in (0.2 * np.eye(9), 0.2 * np.eye(9) + 0.05, 3 * np.eye(6)):
            R, gamma = np.linalg.norm(Z[0]), Z.sum() / len(Z) / np.sqrt(len(Z))
            made = _updates(Z, beta)
            bound = float(update_bound(R, gamma, beta))
            if made > bound * (1 + 1e-9) + 1e-9:
                raise Wrong(
                    f"with beta = {beta} a run made {made} updates, your bound is {bound:.4g}"
                )
    close(update_bound(2.0, 0.5, 0.0), 16.0, "the bound for beta = 0, R = 2, gamma = 0.5")
    close(update_bound(2.0, 0.5, 3.0), 40.0, "the bound for beta = 3, R = 2, gamma = 0.5")
    close(update_bound(1.5, 0.1, 0.2), 265.0, "the bound for beta = 0.2, R = 1.5, gamma = 0.1")


@sheet.exercise(
    4,
    "the rule",
    hints=[
        "A mistake is y (w . x + b) <= 0, the boundary included. The bias moves by y.",
        "Correct at once, example by example; `w = w + ...` makes a new array. Count the epoch "
        "that has no mistakes as well.",
    ],
)
def _(train: Any) -> None:
    before = CLOUD.copy()
    for y, epochs, what in (
        (LABELS, 1, "one epoch on 30 points in space"),
        (LABELS, 500, "30 separable points, to the end"),
        (NOISY, 7, "seven epochs on 30 points that cannot be separated"),
    ):
        got = train(CLOUD, y, epochs)
        true(len(got) == 3, "train returns three things: weights, bias, mistakes")
        w, b, mistakes = _train(CLOUD, y, epochs)
        same(list(got[2]), mistakes, f"the mistakes in each epoch: {what}")
        close(got[0], w, f"the weights: {what}")
        close(got[1], b, f"the bias: {what}")
    true(np.array_equal(before, CLOUD), "the array X that was given is unchanged")


@sheet.exercise(
    5,
    "averages for free",
    hints=[
        "Of the times t, t + 1, ..., T there are T - t + 1.",
        "Keep two vectors, the weights and a weighted sum of the updates. Divide once, at the end.",
    ],
)
def _(averaged: Any) -> None:
    for y, epochs in ((LABELS, 1), (LABELS, 4), (NOISY, 6)):
        Z = y[:, None] * CLOUD
        w, total = np.zeros(3), np.zeros(3)
        for z in itertools.chain.from_iterable([Z] * epochs):
            if w @ z <= 0:
                w = w + z
            total += w
        close(
            averaged(Z, epochs),
            total / (epochs * len(Z)),
            f"the mean of the weights after each of {epochs} times 30 examples",
        )


@sheet.exercise(
    6,
    "several classes on Values",
    hints=[
        "The scores `W @ x` are an array of Values, one a class; maximum(a, b) takes two of them.",
        "functools.reduce(maximum, scores) is the largest; divide by the number of rows.",
    ],
)
def _(class_loss: Any) -> None:
    numbers = np.random.default_rng(116).standard_normal((4, 3))
    labels = np.arange(30) % 4
    W = values(numbers)
    loss = class_loss(W, CLOUD, labels)
    true(isinstance(loss, Value), "the result is a Value")
    scores = CLOUD @ numbers.T
    winners = scores.argmax(1)
    ahead = scores[np.arange(30), winners] - scores[np.arange(30), labels]
    close(loss.data, ahead.mean(), "the loss of 30 points and four classes")
    loss.backward()
    wanted = np.zeros((4, 3))
    np.add.at(wanted, winners, CLOUD / 30)
    np.add.at(wanted, labels, -CLOUD / 30)
    close(grads(W), wanted, "the gradients of the weights")


@sheet.exercise(
    7,
    "blame, by hand",
    hints=[
        "First forward: what is tanh(0)? Is the loss on the sloping side of its kink?",
        "v gets h times what arrives at s; h gets v times it; tanh multiplies by 1 - h**2.",
    ],
)
def _(c: Any, v: Any, a: Any, w: Any) -> None:
    close(c, 1.0, "the gradient of c")
    close(v, 0.0, "the gradient of v")
    close(a, 3.0, "the gradient of a")
    close(w, 3.0, "the gradient of w")


@sheet.exercise(
    8,
    "parity of three bits",
    hints=[
        'A unit with the weights 1, 1, 1 can say "at least one", "at least two", "all three".',
        "What do these three say for 0, 1, 2 and 3 ones? Find output weights that alternate.",
    ],
)
def _(hidden_W: Any, hidden_b: Any, output_w: Any, output_b: Any) -> None:
    hidden_W, hidden_b = np.asarray(hidden_W, float), np.asarray(hidden_b, float)
    units = len(hidden_b)
    same(hidden_W.shape, (units, 3), f"the shape of hidden_W for {units} hidden units")
    same(np.shape(output_w), (units,), f"the shape of output_w for {units} hidden units")
    for bits in itertools.product([0.0, 1.0], repeat=3):
        hidden = hidden_W @ bits + hidden_b > 0
        says = int(np.dot(output_w, hidden) + output_b > 0)
        if says != sum(bits) % 2:
            raise Wrong(f"for the input {tuple(int(x) for x in bits)} the network says {says}")


@sheet.exercise(
    9,
    "keep it busy",
    hints=[
        "The bound (R/gamma)^2 must be at least 1,000: how large may the margin be?",
        "Two positive examples in nearly opposite directions undo each other's updates. If they do "
        "so exactly it is over at once; think of lengths that never quite fit.",
    ],
)
def _(X: Any, y: Any) -> None:
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    true(X.ndim == 2 and X.shape[1] == 2 and 1 <= len(X) <= 10, "X holds one to ten points (n, 2)")
    same(y.shape, (len(X),), "the shape of the labels")
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
        raise Wrong(f"the rule ends after {mistakes} mistakes")
