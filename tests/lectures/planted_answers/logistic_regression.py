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
}
