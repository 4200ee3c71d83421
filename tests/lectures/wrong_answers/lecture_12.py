"""Mistakes that a learner makes in lecture 12's exercises."""

import functools
import hashlib
import json
import math
import os
import random

import numpy as np


def ks_without_ties(a, b):
    steps = np.repeat([1 / len(a), -1 / len(b)], [len(a), len(b)])
    return np.abs(steps[np.argsort(np.concatenate([a, b]), kind="stable")].cumsum()).max()


def ks_signed(a, b):
    at = np.concatenate([a, b])
    return ((a[:, None] <= at).mean(0) - (b[:, None] <= at).mean(0)).max()


def ks_of_quantiles(a, b):
    grid = np.linspace(0, 1, 101)
    return np.abs(np.quantile(a, grid) - np.quantile(b, grid)).max()


def ks_at_a_only(a, b):
    return np.abs((a[:, None] <= a).mean(0) - (b[:, None] <= a).mean(0)).max()


def gate(body, *, booleans=False, infinite=False, extra=False, recursion=False):
    try:
        given = json.loads(body)
    except ValueError:
        return 400
    except RecursionError:
        if recursion:
            raise
        return 400
    if not isinstance(given, dict) or "values" not in given or (len(given) > 1 and not extra):
        return 422
    values = given["values"]
    if not isinstance(values, list) or len(values) != 3:
        return 422
    for x in values:
        if not isinstance(x, (int, float)) or (isinstance(x, bool) and not booleans):
            return 422
        if isinstance(x, float) and not math.isfinite(x) and not infinite:
            return 422
    return 200


def writes_in_place(path, state):
    path.write_text(json.dumps(state))


def removes_first(path, state):
    half = path.with_name("half")
    half.write_text(json.dumps(state))
    path.unlink(missing_ok=True)
    half.rename(path)


def leaves_a_copy(path, state):
    half = path.with_name("half")
    half.write_text(json.dumps(state))
    path.with_name("half.copy").write_text(json.dumps(state))
    os.replace(half, path)


def canary_that_reshuffles(name, share):
    digest = hashlib.sha256(f"{name} {share}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def posterior(votes, w, tau):
    return 1 / (1 + np.exp(-(votes @ w + tau)))


def gradient(votes, w, tau, *, silence=False, prior=True, total=False, sign=1):
    q = posterior(votes, w, tau if prior else 0.0)
    right = np.where(votes == 1, q[:, None], 1 - q[:, None])
    each = (right - 1 / (1 + np.exp(-w))) * (1 if silence else votes != 0)
    scale = len(votes) if total else 1
    return sign * scale * each.mean(0), sign * scale * (q - 1 / (1 + np.exp(-tau))).mean()


def em_round(votes, accuracies, prior, *, hard=False, everywhere=False, ignore_prior=False):
    tau = 0.0 if ignore_prior else math.log(prior / (1 - prior))
    q = posterior(votes, np.log(accuracies / (1 - accuracies)), tau)
    q = np.where(q > 0.5, 1.0, 0.0) if hard else q
    right = np.where(votes == 1, q[:, None], 1 - q[:, None]) * (votes != 0)
    spoke = len(votes) if everywhere else (votes != 0).sum(0)
    return right.sum(0) / spoke, q.mean()


WRONG = {
    1: [
        (0.3 * math.log(1.6), 0.054, 1 - 0.95**20, 0.0025),
        (0.3 * math.log(4), 0.06, 1 - 0.95**20, 0.0025),
        (0.3 * math.log(4), 0.054, 1.0, 0.0025),
        (0.3 * math.log(4), 0.054, 1 - 0.95**20, 0.05),
    ],
    2: [
        (["covariate", "concept", "label"], [True, True, False]),
        (["covariate", "label", "concept"], [True, True, True]),
        (["covariate", "label", "concept"], [True, False, False]),
    ],
    3: [(1 / 3, 0.25, 0.75), (0.5, 0.5, 0.75), (0.5, 0.25, 0.5), (0.9, 0.25, 0.75)],
    4: [ks_without_ties, ks_signed, ks_of_quantiles, ks_at_a_only],
    5: [
        functools.partial(gate, booleans=True),
        functools.partial(gate, infinite=True),
        functools.partial(gate, extra=True),
        functools.partial(gate, recursion=True),
        lambda body: 200 if len(json.loads(body)["values"]) == 3 else 422,
    ],
    6: [writes_in_place, removes_first, leaves_a_copy],
    7: [
        lambda name, share: random.random() < share,
        lambda name, share: len(name) % 100 < 100 * share,
        canary_that_reshuffles,
    ],
    8: [
        functools.partial(gradient, silence=True),
        functools.partial(gradient, prior=False),
        functools.partial(gradient, total=True),
        functools.partial(gradient, sign=-1),
    ],
    9: [
        functools.partial(em_round, hard=True),
        functools.partial(em_round, everywhere=True),
        functools.partial(em_round, ignore_prior=True),
    ],
    10: [([0.7, 0.7, 0.7], 0.6), ([0.95, 0.95, 0.95], 0.95), ([0.99, 0.9, 0.9], 0.5)],
}
