"""Planted answers to lecture 8's exercises: mistakes, and right ones of unusual form."""

import functools
import math

import numpy as np
from planting import Misread
from scipy.special import softmax
from scipy.stats import rankdata

from micrograd import maximum


def sigmoid(z):
    return np.exp(-np.logaddexp(0.0, -z))


def naive_loss(z, y):
    p = z.sigmoid()
    return -(p.log() * y + (1 - p).log() * (1 - y))


def derivatives(w, X, y, strength, *, n=None, penalty=True, minus=1.0, weights=True):
    p = sigmoid(X @ w)
    n = n or len(y)
    s = p * (1 - p) if weights else p
    gradient = minus * X.T @ (p - y) / n + strength * w * penalty
    return gradient, (X.T * s) @ X / n + strength * np.eye(len(w)) * penalty


def softmax_gradient(W, b, X, y, *, shift=True, sign=1.0, mean=True):
    scores = X @ W + b
    weights = np.exp(scores - (scores.max(axis=1, keepdims=True) if shift else 0.0))
    residual = sign * (weights / weights.sum(axis=1, keepdims=True) - np.eye(len(b))[y])
    n = len(y) if mean else 1
    return X.T @ residual / n, residual.sum(axis=0) / n


def auc(y, score, *, tie=0.5):
    above = score[y == 1][:, None] - score[y == 0]
    return (above > 0).mean() + tie * (above == 0).mean()


def newton(w, X, y, *, size=1.0):
    gradient, hessian = derivatives(w, X, y, 0.0)
    return w - size * np.linalg.solve(hessian, gradient)


def in_place(w, X, y):
    w -= 0.01 * derivatives(w, X, y, 0.0)[0]
    return w


Y = np.repeat([0, 1], 10)


def counts(w, X, y, *, mean=True, weights=True):
    mu, n = np.exp(X @ w), len(y) if mean else 1
    return X.T @ (mu - y) / n, (X.T * (mu if weights else 1.0)) @ X / n


def counts_by_rows(w, X, y):
    rows = [(math.exp(x @ w), x, label) for x, label in zip(X, y, strict=True)]
    gradient = sum((mu - label) * x for mu, x, label in rows) / len(y)
    hessian = sum(mu * np.outer(x, x) for mu, x, _ in rows) / len(y)
    return {"the gradient": gradient.tolist(), "the Hessian": hessian}


def calibration(y, p, bins, *, by_case=True, distance=True, low=False):
    edge = np.ceil(p * bins) - 1 if low else np.floor(p * bins)
    index = np.clip(edge.astype(int), 0, bins - 1)
    found = [(np.sum(index == k), y[index == k].mean() - p[index == k].mean())
             for k in np.unique(index)]  # fmt: skip
    gaps = [(n if by_case else 1, abs(gap) if distance else gap) for n, gap in found]
    return abs(sum(n * gap for n, gap in gaps)) / sum(n for n, _ in gaps)


def calibration_by_sorting(y, p, bins):
    """Forecasts sorted, cut at the edges."""
    order = np.argsort(p)
    cuts = np.searchsorted(p[order], np.arange(1, bins) / bins)
    parts = [part for part in np.split(order, cuts) if len(part)]
    return [sum(abs((y[part] - p[part]).sum()) for part in parts) / len(p)]


def pooled_by_max_min(y):
    """The largest over starts of the least mean over ends."""
    n = len(y)
    means = np.full((n, n), np.inf)
    for i in range(n):
        means[i, i:] = np.cumsum(y[i:]) / np.arange(1, n - i + 1)
    return [max(means[i, k:].min() for i in range(k + 1)) for k in range(n)]


def pooled_once(y):
    result = np.array(y, dtype=float)
    for i in range(len(result) - 1):
        if result[i] > result[i + 1]:
            result[i : i + 2] = result[i : i + 2].mean()
    return result


WRONG = {
    "odds_in_your_head": [
        (0.25, 0.25, 0.5, 1 / 3),
        (4.0, 1 / 3, 0.5, 1 / 3),
        (4.0, 0.25, 0.5, 0.5),
    ],
    "one_log_loss_by_hand": [
        (-np.log(2), -1.0, -0.5, -0.5),
        (np.log(2), -0.5, -0.5, -0.5),
        (0.5, -1.0, -0.5, -0.5),
    ],
    "a_loss_that_does_not_overflow": [
        lambda z, y: z.softplus() - y * z,  # the method that the text forbids
        naive_loss,
        lambda z, y: z.softplus() + y * z,
        lambda z, y: z.softplus().data - y * z.data,
    ],
    "gradient_and_hessian_with_a_penalty": [
        functools.partial(derivatives, penalty=False),
        functools.partial(derivatives, minus=-1.0),
        functools.partial(derivatives, weights=False),
    ],
    "the_gradient_of_softmax_regression": [
        functools.partial(softmax_gradient, shift=False),
        functools.partial(softmax_gradient, sign=-1.0),
        lambda *a: softmax_gradient(*a)[::-1],
    ],
    "auc_by_counting": [
        functools.partial(auc, tie=1.0),
        lambda y, s: 1 - auc(y, s),
        lambda y, s: ((s > 0.5) == y).mean(),
    ],
    "newton_damped": [newton, in_place],
    "a_threshold_when_treatment_costs_too": [
        (5 / 20, 25 / 349),
        (18 / 23, 25 / 349),
        (5 / 23, 10 / 23),
    ],
    "perfect_ranking_useless_probabilities": [
        (np.where(Y == 1, 0.99, 0.98), np.full(20, 0.5)),
        (np.where(Y == 1, 1.0, 0.98), np.full(20, 0.5)),
    ],
    "read_the_matrix": [
        (0.75, 1 / 3, 0.5417, 0.84375),
        (0.75, 1 / 3, 6 / 13, 0.93),
        (0.75, 0.03, 6 / 13, 0.84375),
    ],
    "three_classes_two_averages": [(0.6833, 0.6833, 1 / 3), (0.6833, 0.7692, 0.5)],
    "back_to_the_true_share": [(1 / 11, 0.99), (0.009, 0.99), (1 / 12, 0.5)],
    "a_model_for_counts": [
        functools.partial(counts, weights=False),
        lambda w, X, y: derivatives(w, X, y, 0.0),
        lambda *given: counts(*given)[::-1],
    ],
    "the_calibration_error": [
        functools.partial(calibration, distance=False),
        lambda y, p, bins: np.mean((p - y) ** 2),
        lambda y, p, bins: np.abs(p - y).mean(),
    ],
    "pool_the_violators": [pooled_once, np.sort, lambda y: np.minimum.accumulate(y[::-1])[::-1]],
    "does_balancing_help": [
        (0.0563, 0.2273, "better"),
        (0.0563, 0.2273, "do nothing"),
        (0.0563, 0.4, "move the threshold"),
    ],
}


def sound_by_cases(z, y):
    size = z if z.data > 0 else -z
    return maximum(z, 0) + ((-size).exp() + 1).log() - z * y


def sound_by_scores(z, y):
    top = max(z.data, 0.0)
    return np.array([((z - top).exp() + math.exp(-top)).log() + top - z * y])


def derivatives_by_rows(w, X, y, strength):
    gradient, hessian = strength * w, strength * np.eye(len(w))
    for x, label in zip(X, y, strict=True):
        p = 1 / (1 + math.exp(-x @ w))
        gradient = gradient + (p - label) * x / len(y)
        hessian = hessian + p * (1 - p) * np.outer(x, x) / len(y)
    return [gradient.tolist(), hessian.tolist()]


def softmax_by_rows(W, b, X, y):
    by_W, by_b = np.zeros_like(W), np.zeros_like(b)
    for x, label in zip(X, y, strict=True):
        p = softmax(x @ W + b) - np.eye(len(b))[label]
        by_W += np.outer(x, p) / len(y)
        by_b += p / len(y)
    return {"the gradient by W": by_W, "the gradient by b": by_b}


def auc_by_ranks(y, score):
    ranks, pos = rankdata(score), np.sum(y == 1)
    return [(ranks[y == 1].sum() - pos * (pos + 1) / 2) / (pos * (len(y) - pos))]


def auc_by_loop(y, score):
    pairs = [(p, n) for p in score[y == 1] for n in score[y == 0]]
    return sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)


def damped(w, X, y):
    def loss(v):
        return np.mean(np.logaddexp(0, X @ v) - y * (X @ v))

    gradient, hessian = derivatives(w, X, y, 0.0)
    for halvings in range(50):
        new = w - np.linalg.inv(hessian) @ gradient / 2**halvings
        if loss(new) < loss(w):
            return new
    return w


RIGHT = {
    "odds_in_your_head": [(4, "1/4", "1/2", 0.333), ("4", 0.25, 0.5, "1/3")],
    "one_log_loss_by_hand": [(0.69, -1, "-1/2", -0.5), (0.693, [-1.0], -0.5, np.float64(-0.5))],
    "a_loss_that_does_not_overflow": [sound_by_cases, sound_by_scores],
    "gradient_and_hessian_with_a_penalty": [
        derivatives_by_rows,
        lambda *a: {"the gradient": derivatives(*a)[0], "the Hessian": derivatives(*a)[1]},
    ],
    "the_gradient_of_softmax_regression": [softmax_by_rows, lambda *a: list(softmax_gradient(*a))],
    "auc_by_counting": [auc_by_ranks, auc_by_loop],
    "newton_damped": [damped, lambda *a: damped(*a).tolist()],
    "a_threshold_when_treatment_costs_too": [("5/23", "25/349"), (0.217, 0.0716)],
    "perfect_ranking_useless_probabilities": [
        ([0.98] * 10 + [0.99] * 10, [0.1] * 5 + [0.55] * 5 + [0.45] * 5 + [0.9] * 5),
        (
            tuple(0.01 + 0.001 * i for i in range(20)),
            np.array([0.05] * 5 + [0.6] * 5 + [0.45] * 5 + [0.95] * 5),
        ),
    ],
    "read_the_matrix": [("3/4", "1/3", "6/13", "27/32"), ([0.75], 0.333, 0.462, np.float64(0.844))],
    "three_classes_two_averages": [(0.683, "10/13", "1/3"), (2.05 / 3, 0.769, [1 / 3])],
    "back_to_the_true_share": [("1/12", "99/100"), (0.0833, [0.99])],
    "a_model_for_counts": [counts_by_rows, lambda *given: list(counts(*given))],
    "the_calibration_error": [calibration, calibration_by_sorting],
    "pool_the_violators": [pooled_by_max_min, lambda y: np.array(pooled_by_max_min(y))],
    "does_balancing_help": [
        (0.0563, "5/22", "Move the threshold"),
        ("0.05629", [0.227], " move-the-threshold"),
    ],
}

MISREAD = {
    "odds_in_your_head": Misread(
        (4.0, 0.25, 0.5, 0.4),
        "An odds ratio of 2 is read as twice as probable.",
        "an odds ratio multiplies the odds",
    ),
    "one_log_loss_by_hand": Misread(
        (np.log(2), 1.0, 0.5, 0.5),
        "The derivatives are taken of what the label makes likely.",
        "that is for the log likelihood; the loss is minus it",
    ),
    "a_loss_that_does_not_overflow": Misread(
        lambda z, y: (z.exp() + 1).log() - y * z,
        "Without softplus is read as its formula written out.",
        "write one without an exp that is too large",
    ),
    "gradient_and_hessian_with_a_penalty": Misread(
        functools.partial(derivatives, n=1),
        "The sum over i is derived without its 1/n.",
        "give the gradient of the mean",
    ),
    "the_gradient_of_softmax_regression": Misread(
        functools.partial(softmax_gradient, mean=False),
        "The mean cross-entropy is read as the sum.",
        "give the gradient of the mean",
    ),
    "auc_by_counting": Misread(
        functools.partial(auc, tie=0.0),
        "A higher score is read strictly, and a tie is none.",
        "a tie counts half",
    ),
    "newton_damped": Misread(
        functools.partial(newton, size=0.5),
        "Damped is read as half of Newton's step each time.",
        "the full one is tried first",
    ),
    "a_threshold_when_treatment_costs_too": Misread(
        (5 / 23, 10 / 28),
        "Log-odds that are twice too large are read as odds that are.",
        "it is the log-odds that are doubled",
    ),
    "perfect_ranking_useless_probabilities": Misread(
        (np.where(Y == 1, 0.9, 0.1), np.where(Y == 1, 0.6, 0.4)),
        "Both lists are to rank and to say well.",
        "exactly 1, and above 0.693",
    ),
    "read_the_matrix": Misread(
        (1 / 3, 3 / 4, 6 / 13, 27 / 32),
        "Recall and precision are exchanged.",
        "recall asks of the ill",
    ),
    "three_classes_two_averages": Misread(
        (0.7692, 0.6833, 1 / 3),
        "Macro is taken for the average over all examples.",
        "the macro average counts classes alike",
    ),
    "back_to_the_true_share": Misread(
        (0.009, 0.99),
        "The probability is multiplied by the share of frauds.",
        "it is the odds that change",
    ),
    "a_model_for_counts": Misread(
        functools.partial(counts, mean=False),
        "The mean is read as the sum.",
        "give the gradient of the mean",
    ),
    "the_calibration_error": Misread(
        functools.partial(calibration, by_case=False),
        "The mean is taken over the bins.",
        "take the mean over cases",
    ),
    "pool_the_violators": Misread(
        np.maximum.accumulate,
        "A value that falls is lifted to the highest before it.",
        "merge, and take means",
    ),
    "does_balancing_help": Misread(
        (-0.0563, 0.2273, "move the threshold"),
        "The difference is taken the other way round.",
        "the text asks for balanced minus plain",
    ),
}
