"""Mistakes that a learner makes in lecture 7's exercises."""

import math

import numpy as np

from micrograd import Value, grads


def importance(predict, X, y, order, *, sign=1, root=False, keep=False, answers=False):
    def error(p, y=y):
        e = ((y - p) ** 2).mean()
        return math.sqrt(e) if root else e

    before, rises, shuffled = error(predict(X)), [], X.copy()
    for j in range(X.shape[1]):
        if answers:
            rises.append(error(predict(X), y[order]) - before)
            continue
        shuffled = shuffled if keep else X.copy()
        shuffled[:, j] = X[order, j]
        rises.append(sign * (error(predict(shuffled)) - before))
    return np.array(rises)


def in_place(predict, X, y, order):
    before, rises = ((y - predict(X)) ** 2).mean(), []
    for j in range(X.shape[1]):
        X[:, j] = X[order, j]
        rises.append(((y - predict(X)) ** 2).mean() - before)
    return np.array(rises)


def ice_curves(predict, X, j, grid):
    curves = []
    for value in grid:
        changed = X.copy()
        changed[:, j] = value
        curves.append(predict(changed))
    return np.array(curves)


def centred_over_people(predict, X, j, grid):
    curves = ice_curves(predict, X, j, grid)
    return (curves - curves.mean(1, keepdims=True)).std(axis=1).max()


def not_centred(predict, X, j, grid):
    return ice_curves(predict, X, j, grid).std(axis=1).max()


def of_the_mean(predict, X, j, grid):
    return ice_curves(predict, X, j, grid).mean(1).std()


def integrated(f, x, baseline, steps, *, offset=0.5, difference=True, only_end=False, reuse=False):
    total = np.zeros(len(x))
    inputs = np.array([Value(v) for v in x])
    for k in range(steps):
        at = x if only_end else baseline + (k + offset) / steps * (x - baseline)
        if reuse:
            for v, number in zip(inputs, at, strict=True):
                v.data = number
        else:
            inputs = np.array([Value(v) for v in at])
        f(inputs).backward()
        total += grads(inputs)
    return ((x - baseline) if difference else x) * total / steps


def improvement(mean, deviation, best, *, upwards=False, square=False):
    if deviation == 0:
        return max(best - mean, 0.0)
    gap = mean - best if upwards else best - mean
    z = gap / deviation
    s = deviation**2 if square else deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return gap * 0.5 * (1 + math.erf(z / math.sqrt(2))) + s * density


def no_case_for_zero(mean, deviation, best):
    z = (best - mean) / deviation
    return (best - mean) * 0.5 * (1 + math.erf(z / math.sqrt(2)))


def plan(n, r, full, eta, *, up=False, beyond=False, zero=False):
    rounds = [(n, r)]
    while True:
        n = -(-n // eta) if up else n // eta
        r *= eta
        if (r > full and not beyond) or (n < 1 and not zero) or len(rounds) > 8:
            return rounds
        rounds.append((n, r))


def random_search(score, rng, trials=40):
    tried = rng.random((trials, 3))
    return tried[int(np.argmax([score(u) for u in tried]))]


def leaves_the_cube(score, rng):
    best = np.full(3, 0.5)
    for _ in range(39):
        u = best + rng.standard_normal(3)
        best = max(best, u, key=score)
    return best


WRONG = {
    1: [(229, 0.878, 405), (90, 0.878, 405), (230, 0.1216, 405), (230, 0.878, 324)],
    2: [(6.0, 0.0, 3.0), (15.0, 6.0, 6.0), (6.0, 6.0, 6.0), (10.5, 4.5, 3.0)],
    3: [
        (7.0, -1.0, 21.0, 1.0),  # the gate of the shut unit ignored
        (2.0, 4.0, 2.0, 4.0),
        (2.0, 2.0, 6.0, -2.0),
        (2.0, 4.0, 6.0, 4.0),
    ],
    4: [
        in_place,
        lambda *a: importance(*a, sign=-1),
        lambda *a: importance(*a, root=True),
        lambda *a: importance(*a, keep=True),
        lambda *a: importance(*a, answers=True),
    ],
    5: [
        lambda w, X, S: np.var(X[:, S] @ w[S]),
        lambda w, X, S: 2 * (w[S] ** 2 * X[:, S].var(0)).sum(),
        lambda w, X, S: 2 * np.var(X[:, S] @ w[S], ddof=1),
        lambda w, X, S: 2 * np.std(X[:, S] @ w[S]),
    ],
    6: [centred_over_people, not_centred, of_the_mean],
    7: [
        lambda *a: integrated(*a, offset=0.0),
        lambda *a: integrated(*a, difference=False),
        lambda *a: integrated(*a, only_end=True),
        lambda *a: integrated(*a, reuse=True),  # gradients add up from step to step
    ],
    8: [
        lambda m, s, b: improvement(m, s, b, upwards=True),
        lambda m, s, b: improvement(m, s, b, square=True),
        no_case_for_zero,
        lambda m, s, b: max(b - m, 0.0),
    ],
    9: [
        lambda *a: plan(*a, up=True),
        lambda *a: plan(*a, beyond=True),
        lambda *a: plan(*a, zero=True),
    ],
    10: [random_search, leaves_the_cube, lambda score, rng: random_search(score, rng, 80)],
}
