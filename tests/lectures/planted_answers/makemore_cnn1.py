"""Planted answers to makemore part 5's exercises: mistakes, and right ones of unusual form."""

import numpy as np
from planting import Misread
from solved import solved


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


def position_by_position(x, W, b, dilation):
    return [
        np.append(x[t - dilation] if t >= dilation else 0 * x[t], x[t]) @ W + b
        for t in range(len(x))
    ]


WRONG = {
    "counting_parameters": [
        switched(count, norm=0),
        switched(count, norm=1),
        switched(count, bias=0),
        switched(count, second=1),
    ],
    "how_deep": [(4, 14), (5, 13)],
    "flattening_neighbours": [
        switched(flatten, check=False),
        switched(flatten, transposed=True),
        lambda x, n: x.reshape(len(x), -1),
    ],
    "the_right_axes": [
        lambda x: (x.mean((0, -1)), x.var((0, -1))),
        lambda x: (x.mean(tuple(range(x.ndim - 1))), x.std(tuple(range(x.ndim - 1)))),
    ],
    "a_dilated_causal_convolution": [
        position_by_position,
        switched(convolve, ahead=True),
        switched(convolve, wrap=True),
    ],
    "beat_1_993": [
        lambda X: np.zeros((len(X), 27)),
        lambda X: np.eye(27)[X[:, -1]],
        lambda X: np.full((len(X), 27), np.nan),
        lambda X: np.zeros(27),
    ],
}


def flatten_by_slices(x, n):
    if x.shape[1] % n != 0:
        raise ValueError("no multiple")
    joined = np.concatenate([x[:, i::n] for i in range(n)], axis=2)
    return joined.squeeze(axis=1) if joined.shape[1] == 1 else joined


def flatten_by_split(x, n):
    parts = np.split(x, x.shape[1] // n, axis=1) if not x.shape[1] % n else 1 / 0
    joined = np.stack([p.reshape(len(x), -1) for p in parts], axis=1)
    return (joined[:, 0] if len(parts) == 1 else joined).tolist()


def flatten_or_raise(x, n):
    try:
        return flatten_by_split(x, n)
    except ZeroDivisionError:
        raise ValueError(f"{x.shape[1]} is no multiple of {n}") from None


def statistics_by_rows(x):
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.sum(axis=0) / len(rows)
    return {"the mean": mean, "the variance": (rows**2).mean(axis=0) - mean**2}


def convolve_in_two(x, W, b, dilation):
    """Two products, the earlier shifted: nothing is joined."""
    earlier = np.zeros((len(x), W.shape[1]))
    if dilation < len(x):
        earlier[dilation:] = x[: len(x) - dilation] @ W[: x.shape[1]]
    return (earlier + x @ W[x.shape[1] :] + b).tolist()


def convolve_by_shift_matrix(x, W, b, dilation):
    past = np.eye(len(x), k=-dilation) @ x
    return np.hstack([past, x]) @ W + b


def mixed(**how):
    return lambda X: how.get("form", np.asarray)(solved("makemore_cnn1")["beat_1_993"][0](X) + 3.0)


RIGHT = {
    "counting_parameters": [
        lambda d, h: float(27 * d + 2 * h * (d + 2 * h) + 6 * h + 27 * h + 27),
        lambda d, h: np.array([27 * (d + h + 1) + 2 * d * h + 4 * h * h + 6 * h]),
    ],
    "how_deep": [("5", 14.0), (np.int64(5), [14])],
    "flattening_neighbours": [flatten_by_slices, flatten_or_raise],
    "the_right_axes": [
        statistics_by_rows,
        lambda x: [
            np.mean(x, axis=(0, 1)[: x.ndim - 1]).tolist(),
            np.var(x, axis=(0, 1)[: x.ndim - 1]),
        ],
    ],
    "a_dilated_causal_convolution": [convolve_in_two, convolve_by_shift_matrix],
    "beat_1_993": [mixed(), mixed(form=np.ndarray.tolist)],
}

MISREAD = {
    "counting_parameters": Misread(
        lambda dim, hidden: count(dim, hidden) + 3 * hidden,
        "Every linear layer has a bias.",
        "the levels have no bias",
    ),
    "how_deep": Misread(
        (16, 8000),
        "Joining two by two is counted in pairs.",
        "give how many levels",
    ),
    "flattening_neighbours": Misread(
        switched(flatten, keep=True),
        "One group is a group like any other, with an axis of its own.",
        "where one group is left the middle axis goes",
    ),
    "the_right_axes": Misread(
        lambda x: (x.mean(0), x.var(0)),
        "The batch is the first axis, so the statistics are over that.",
        "give one number for each channel",
    ),
    "a_dilated_causal_convolution": Misread(
        switched(convolve, late=True),
        "A position comes first, and then what lies before it.",
        "the earlier position comes first",
    ),
    "beat_1_993": Misread(
        lambda X: np.full((len(X), 27), 1 / 54) + 0.5 * np.eye(27)[X[:, -1]],
        "The model gives probabilities.",
        "give scores, or logarithms of them",
    ),
}
