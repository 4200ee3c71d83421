"""Mistakes that a learner makes in makemore part 5's exercises."""

import numpy as np


def count(dim, hidden, *, norm=2, bias=27, second=2):
    later = 2 * (second * hidden * hidden + norm * hidden)
    return 27 * dim + 2 * dim * hidden + norm * hidden + later + hidden * 27 + bias


def flatten(x, n, *, keep=False, check=True, transposed=False):
    L, C = x.shape[1:]
    if L % n and check:
        raise ValueError("no multiple")
    if transposed:
        x = x.transpose(0, 2, 1)
    joined = x.reshape(-1, max(L // n, 1), n * C)
    return joined if keep or n != L else joined[:, 0]


def convolve(x, W, b, dilation, *, late=False, ahead=False, wrap=False):
    zeros = np.zeros((dilation, x.shape[1]))
    past = np.concatenate([zeros, x])[: len(x)]
    if wrap:
        past = np.roll(x, dilation, axis=0)
    if ahead:
        past = np.concatenate([x, zeros])[dilation:]
    return np.concatenate([x, past] if late else [past, x], axis=1) @ W + b


def switched(f, **how):
    return lambda *arguments: f(*arguments, **how)


WRONG = {
    1: [switched(count, norm=0), switched(count, bias=0), switched(count, second=1)],
    2: [(4, 14), (5, 13), (16, 8000)],
    3: [
        switched(flatten, keep=True),
        switched(flatten, check=False),
        switched(flatten, transposed=True),
        lambda x, n: x.reshape(len(x), -1),
    ],
    4: [
        lambda x: (x.mean(0), x.var(0)),
        lambda x: (x.mean((0, -1)), x.var((0, -1))),
        lambda x: (x.mean(tuple(range(x.ndim - 1))), x.std(tuple(range(x.ndim - 1)))),
    ],
    5: [
        switched(convolve, late=True),
        switched(convolve, ahead=True),
        switched(convolve, wrap=True),
    ],
    6: [
        lambda X: np.zeros((len(X), 27)),
        lambda X: np.eye(27)[X[:, -1]],
        lambda X: np.full((len(X), 27), np.nan),
        lambda X: np.zeros(27),
    ],
}
