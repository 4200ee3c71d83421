"""Mistakes that a learner makes in lecture 2's exercises."""

import numpy as np
from scipy.stats import norm


def wald(k, n, level):
    half = norm.ppf(1 - level / 2) * np.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def wilson(k, n, level, one_sided=False):
    z = norm.ppf(1 - level) if one_sided else 1.96
    centre, half = k + z**2 / 2, z * np.sqrt(k * (n - k) / n + z**2 / 4)
    return (centre - half) / (n + z**2), (centre + half) / (n + z**2)


def needed(b, c, power, *, up=True, paired=True, one_sided=False):
    far = norm.ppf(0.95 if one_sided else 0.975) * np.sqrt(b + c)
    near = norm.ppf(power) * np.sqrt(b + c - ((c - b) ** 2 if paired else 0))
    n = ((far + near) / (c - b)) ** 2
    return int(np.ceil(n)) if up else int(n)


def fill(train, test, *, means="train", indicator=True):
    source = {"train": train, "both": np.concatenate([train, test])}
    out = []
    for table in (train, test):
        m = np.nanmean(source.get(means, table), axis=0)
        holes = np.isnan(table)
        columns = [np.where(holes, m, table)]
        if indicator:
            columns.append(holes[:, holes.any(axis=0)])
        out.append(np.column_stack(columns))
    return out


def in_place(train, test):
    means, holes = np.nanmean(train, axis=0), [np.isnan(t[:, 1]) for t in (train, test)]
    for table in (train, test):
        table[:] = np.where(np.isnan(table), means, table)
    return [np.column_stack([t, h]) for t, h in zip((train, test), holes, strict=True)]


P = 1 / 2

WRONG = {
    1: [[1, 2, 3, 4, 5, 6], [3, 5, 1, 6, 2, 4], [2, 6, 1, 5, 3, 4]],
    2: [(0.4, 0.84, 40.0), (0.16, 0.6, 50.0), (0.15, 0.85, 40.0)],
    3: [wald, wilson, lambda k, n, level: wilson(k, n, level, one_sided=True)],
    4: [
        lambda b, c, power: needed(b, c, power, up=False),
        lambda b, c, power: needed(b, c, power, paired=False),
        lambda b, c, power: needed(b, c, power, one_sided=True),
    ],
    5: [
        lambda a, b: fill(a, b, means="each"),
        lambda a, b: fill(a, b, means="both"),
        lambda a, b: fill(a, b, indicator=False),
        fill,  # an indicator for the column that has holes in the test table only
        in_place,
    ],
    6: [
        (P, -P / 2, P / 2),  # the sign
        (0.25 * 2, -0.25, 0.25),  # the sigmoid's slope without the loss's
        (-P, P / 2, -P / 2),  # the inputs left half out
    ],
    7: [
        lambda groups, k, rng: rng.permutation(len(groups)) % k,
        lambda groups, k, rng: groups % k,
        lambda groups, k, rng: rng.integers(0, k, groups.max() + 1)[groups],
    ],
    8: [
        (lambda base, tpr, fpr: tpr / (tpr + fpr), 0.14, 1 / 9),
        (lambda base, tpr, fpr: base * tpr / (base * tpr + (1 - base) * fpr), 0.8, 1 / 9),
        (lambda base, tpr, fpr: base * tpr / (base * tpr + (1 - base) * fpr), 0.14035087719, 1 / 8),
    ],
    9: [["tube"], ["tube", "index", "weight"], ["tube", "index", "day"], ["tube", "band"]],
}
