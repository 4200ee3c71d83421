"""Planted answers to lecture 11's exercises: mistakes, and right ones of unusual form."""

import functools
import math

import numpy as np
from planting import Misread

from micrograd import Value, maximum


def train(X, y, epochs, *, strict=False, bias=True, batch=False, in_place=False, runs_on=False):
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(epochs):
        old, old_b, count = w, b, 0
        for i in range(len(X)):
            score = y[i] * (X[i] @ (old if batch else w) + (old_b if batch else b))
            if score < 0 or (score == 0 and not strict):
                w, b, count = w + y[i] * X[i], b + y[i] * bias, count + 1
                if in_place:
                    X[i] *= y[i]
        mistakes.append(count)
        if count == 0 and not runs_on:
            break
    return w, b, mistakes


def averaged(Z, epochs, *, late=0, updates_only=False, last=False):
    w, weighted, held = np.zeros(Z.shape[1]), np.zeros(Z.shape[1]), []
    T = epochs * len(Z)
    for t in range(1, T + 1):
        z = Z[(t - 1) % len(Z)]
        if w @ z <= 0:
            w = w + z
            weighted += (T - t + 1 - late) * z
            held.append(w)
    if last:
        return w
    return np.mean(held, axis=0) if updates_only else weighted / T


def class_loss(W, X, labels, *, total=False, sign=1, number=False):
    losses = []
    for x, label in zip(X, labels, strict=True):
        scores = W @ x
        losses.append(sign * (functools.reduce(maximum, scores) - scores[label]))
    loss = sum(losses) if total else sum(losses) / len(X)
    return Value(loss.data) if number else loss


def adds_every_time(Z, epochs):
    """The right mean, at the cost that the exercise wants to save."""
    w, total = np.zeros(Z.shape[1]), np.zeros(Z.shape[1])
    for _ in range(epochs):
        for z in Z:
            w = w + z if w @ z <= 0 else w
            total = total + w
    return total / (epochs * len(Z))


def hinge(Z, v, epochs, *, once=False, rooted=True, perceptron=False):
    losses = np.maximum(0, (0 if perceptron else 1) - Z @ v).sum() * (1 if once else epochs)
    a = np.linalg.norm(Z, axis=1).max() * np.linalg.norm(v)
    return (a + (np.sqrt(losses) if rooted else losses)) ** 2


def dual(K, y, epochs, *, strict=False, late=False, labels=True, signed=False):
    alpha = np.zeros(len(y))
    for _ in range(epochs):
        before = alpha.copy()
        for i in range(len(y)):
            held = before if late else alpha
            score = y[i] * sum(K[i] * (held * y if labels else held))
            alpha[i] += score < 0 or (score == 0 and not strict)
    return y * alpha if signed else alpha


WRONG = {
    "an_epoch_by_hand": [
        ([-2.0, 1.0], 2),
        ([-4.0, -2.0], 3),
        ([-1.0, -1.0], 2),
        ([-1.0, 5.0], 4),
        ([0.0, 4.0], 2),
    ],
    "distances": [(4.0, -1.0, [2.4, 3.2]), (4.0, 1.0, [0.6, 0.8]), (4.0, -1.0, [2.2, 3.2])],
    "asking_for_more_than_right": [
        lambda R, gamma, beta: (R / gamma) ** 2,
        lambda R, gamma, beta: ((R + beta) / gamma) ** 2,
        lambda R, gamma, beta: (R**2 + 2 * beta) / gamma,
    ],
    "the_rule": [
        functools.partial(train, bias=False),
        functools.partial(train, batch=True),
        functools.partial(train, in_place=True),
        functools.partial(train, runs_on=True),
    ],
    "averages_for_free": [
        adds_every_time,
        functools.partial(averaged, updates_only=True),
        functools.partial(averaged, last=True),
    ],
    "several_classes_on_values": [
        lambda W, X, labels: class_loss(W, X, (labels + 1) % 4),
        functools.partial(class_loss, sign=-1),
        functools.partial(class_loss, number=True),
    ],
    "blame_by_hand": [
        (1.0, 0.0, 3.0, 6.0),
        (1.0, 3.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0),
    ],
    "parity_of_three_bits_by_hand": [
        (np.ones((3, 3)), [-0.5, -1.5, -2.5], [1.0, 1.0, 1.0], -0.5),
        (np.ones((3, 3)), [-0.5, -1.5, -2.5], [1.0, -1.0, 1.0], -1.0),
        (np.ones((3, 3)), [-0.5, -1.5, -2.5], [1.0, -1.0, 1.0], 0.5),
        (np.ones((3, 2)), [-0.5, -1.5, -2.5], [1.0, -1.0, 1.0], -0.5),
    ],
    "keep_it_busy": [
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0])),
        (np.array([[10.0, 0.1], [-10.0, 0.1]]), np.array([1.0, 1.0])),
        (np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1.0, 1.0])),
    ],
    "a_bound_when_no_line_separates": [
        functools.partial(hinge, rooted=False),
        functools.partial(hinge, perceptron=True),
        lambda Z, v, epochs: np.sqrt(hinge(Z, v, epochs)),
    ],
    "the_kernel_perceptron": [
        functools.partial(dual, strict=True),
        functools.partial(dual, late=True),
        functools.partial(dual, labels=False),
    ],
    "from_mistakes_to_a_promise": [
        (4, 0.005, 400, 9),
        (16, 0.02, 1600, 500),
        (15, 0.2, 1600, 9),
    ],
    "depth_by_counting": [
        (20, 20, 19, 502, 10),
        (1024, 10, 1023, 502, 27),
        (1024, 20, 1024, 501, 10),
    ],
    "which_weights_to_keep": [
        (0.00702, 14, "always better"),
        (0.00702, 14, "no better"),
        (0.00702, 16, "better on the whole"),
    ],
}


def train_with_ones(X, y, epochs):
    Z = np.column_stack([X, np.ones(len(X))])
    theta, mistakes = np.zeros(Z.shape[1]), []
    while len(mistakes) < epochs and (not mistakes or mistakes[-1]):
        count = 0
        for z, label in zip(Z, y, strict=True):
            if not label * (theta @ z) > 0:
                theta, count = theta + label * z, count + 1
        mistakes.append(count)
    return {"w": theta[:-1].tolist(), "b": theta[-1:], "mistakes": np.array(mistakes)}


def averaged_by_votes(Z, epochs):
    """Each vector of weights times the number of examples that it lasted."""
    w, held, total = np.zeros(Z.shape[1]), 0, np.zeros(Z.shape[1])
    for z in list(Z) * epochs:
        if w @ z <= 0:
            total, w, held = total + held * w, w + z, 0
        held += 1
    return ((total + held * w) / (epochs * len(Z))).tolist()


def scores_by_products(Z, epochs):
    w, total, T = 0 * Z[0], 0 * Z[0], epochs * len(Z)
    for t in range(T):
        if (w * Z[t % len(Z)]).sum() <= 0:
            w = w + Z[t % len(Z)]
            total = total + (T - t) * Z[t % len(Z)]
    return total / T


def loss_by_choice(W, X, labels):
    """The winner is found by its number, then its score is taken."""
    total = 0.0
    for x, label in zip(X, labels, strict=True):
        scores = W @ x
        total = total + scores[max(range(len(scores)), key=lambda j: scores[j].data)]
        total = total - scores[label]
    return [total * (1 / len(X))]


def loss_by_matrix(W, X, labels):
    S = X @ W.T
    return (functools.reduce(maximum, S.T) - S[np.arange(len(X)), labels]).mean()


def hinge_by_rows(Z, v, epochs):
    loss = sum(max(0.0, 1 - math.fsum(a * b for a, b in zip(z, v, strict=True))) for z in Z)
    size = max(map(math.hypot, *np.transpose(Z))) * math.hypot(*v)
    return [size**2 + 2 * size * (epochs * loss) ** 0.5 + epochs * loss]


def dual_by_lists(K, y, epochs):
    """The scores are kept, and each mistake adds a column to them."""
    counts, scores = [0] * len(y), [0.0] * len(y)
    for _ in range(epochs):
        for i, label in enumerate(y):
            if not label * scores[i] > 0:
                counts[i] += 1
                scores = [s + label * k for s, k in zip(scores, K[:, i], strict=True)]
    return counts


RATIO = (5**0.5 - 1) / 2
RIGHT = {
    "an_epoch_by_hand": [((0, 4), 3.0), (np.array([[0.0, 4.0]]), "3")],
    "distances": [(4, -1, ("3/5", "4/5")), ("4", [-1.0], np.array([0.6, 0.8]))],
    "asking_for_more_than_right": [
        lambda R, gamma, beta: math.floor((R**2 + 2 * beta) / gamma**2),
        lambda R, gamma, beta: [(R / gamma) ** 2 + 2 * beta / gamma / gamma],
    ],
    "the_rule": [train_with_ones, lambda *a: [np.array(part) for part in train(*a)]],
    "averages_for_free": [averaged_by_votes, scores_by_products],
    "several_classes_on_values": [loss_by_choice, loss_by_matrix],
    "blame_by_hand": [(1, 0, 3, 3), ("1", [0.0], np.float64(3), Value(3.0))],
    "parity_of_three_bits_by_hand": [
        ([[1, 1, 1]] * 3, (-0.5, -1.5, -2.5), [2, -2, 2], -1),
        (np.ones((3, 3)) * 2, [-1, -3, -5], np.array([1, -1, 1.0]), np.array([-0.5])),
    ],
    "keep_it_busy": [
        ([(0.99, 0.0004), (-0.99 * RATIO, 0.0004)], (1, 1)),
        (np.array([[0.0005, 0.99], [-0.0005, 0.99 * RATIO]]), [1, -1]),
    ],
    "a_bound_when_no_line_separates": [hinge, hinge_by_rows],
    "the_kernel_perceptron": [dual_by_lists, dual],
    "from_mistakes_to_a_promise": [("16", "1/50", 1600.0, [9]), (16, 0.02, "1600", 9)],
    "depth_by_counting": [(1024.0, "20", 1023, [502], 10), ("1024", 20, "1023", 502, 10.0)],
    "which_weights_to_keep": [
        (0.007, 14, "Better on the whole"),
        ("0.00702", [14.0], " better-on-the-whole"),
    ],
}

MISREAD = {
    "an_epoch_by_hand": Misread(
        ([0.0, 0.0], 0),
        "An example with a score of 0 is on the boundary, and not wrong.",
        "a score of 0 is a mistake",
    ),
    "distances": Misread(
        (20.0, -5.0, [0.6, 0.8]),
        "The score is taken for the distance.",
        "give the distance",
    ),
    "asking_for_more_than_right": Misread(
        lambda R, gamma, beta: (R**2 + beta) / gamma**2,
        "In the growth the product w . z, at most beta, is added once.",
        "the square of w + z has its middle term twice",
    ),
    "the_rule": Misread(
        functools.partial(train, strict=True),
        "A mistake is a score on the wrong side, and 0 is on neither.",
        "a score of 0 is a mistake as well",
    ),
    "averages_for_free": Misread(
        functools.partial(averaged, late=1),
        "An update at time t counts from the next example on.",
        "take those after each",
    ),
    "several_classes_on_values": Misread(
        functools.partial(class_loss, total=True),
        "The loss is added over the rows.",
        "give their mean",
    ),
    "blame_by_hand": Misread(
        (-1.0, 0.0, -3.0, -3.0),
        "The loss is read as max(0, -s), without the label.",
        "the label is -1",
    ),
    "parity_of_three_bits_by_hand": Misread(
        (np.ones((2, 3)), [-0.5, -1.5], [1.0, -1.0], -0.5),
        "An odd number is read as exactly one, as the exclusive or of two bits has it.",
        "3 is odd",
    ),
    "keep_it_busy": Misread(
        (np.array([[0.99, 0.03], [-0.99, 0.03]]), np.array([1.0, 1.0])),
        "A bound of 1,000 is read as a promise of 1,000 mistakes.",
        "a small margin makes that possible, not certain",
    ),
    "a_bound_when_no_line_separates": Misread(
        functools.partial(hinge, once=True),
        "The sum of the losses is taken over the examples, each once.",
        "the losses of every epoch count",
    ),
    "the_kernel_perceptron": Misread(
        functools.partial(dual, signed=True),
        "The coefficients of the examples are given, with their labels' signs.",
        "count the mistakes",
    ),
    "from_mistakes_to_a_promise": Misread(
        (16, 0.02, 1600, 10),
        "The logarithm of 1,000 to the base 2 is rounded up.",
        "would leave fewer than one hypothesis",
    ),
    "depth_by_counting": Misread(
        (1024, 20, 1023, 502, 512),
        "A hidden unit is given to each input with an odd number of ones.",
        "units can count instead",
    ),
    "which_weights_to_keep": Misread(
        (-0.00702, 14, "better on the whole"),
        "The difference is taken the other way round.",
        "the text asks for last minus average",
    ),
}
