"""Planted answers to the GPT's exercises: mistakes, and right ones of unusual form."""

import functools

import numpy as np
from planting import Misread
from solved import solved

import micrograd
from micrograd import functional as F
from micrograd import numbers


def window(T, w, *, late=0, whole=False, ahead=False):
    A = np.tri(T) - np.tri(T, k=-(w + late))
    A = A.T if ahead else A
    return A / w if whole else A / A.sum(axis=1, keepdims=True)


def attend(q, k, v, *, mask=True, root=True, axis=-1):
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if root else 1.0)
    if mask:
        scores = micrograd.where(np.tri(q.shape[-2]), scores, -np.inf)
    return F.softmax(scores, axis=axis) @ v


def unstable(q, k, v):
    scores = numbers(q @ k.T) * q.shape[-1] ** -0.5
    weights = np.exp(scores) * np.tri(len(q))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


def merged(x, Q, K, V, heads, *, swap=True, back=True, whole=False):
    size = x.shape[-1] // heads

    def split(W):
        y = F.linear(x, W)
        if swap:
            return y.reshape(*y.shape[:-1], heads, size).swapaxes(-2, -3)
        return y.reshape(*y.shape[:-2], heads, y.shape[-2], size)

    q = split(Q) * ((size / x.shape[-1]) ** 0.5 if whole else 1.0)
    y = attend(q, split(K), split(V))
    return (y.swapaxes(-2, -3) if back else y).reshape(x.shape)


def encode(a, b, *, forward=False, peek=False, strings=False):
    c = a + b
    digits = [c % 10, c // 10 % 10, c // 100]
    digits = digits[::-1] if forward else digits
    whole = np.stack([a // 10, a % 10, b // 10, b % 10, *digits], axis=1)
    whole = whole.astype(float) if strings else whole
    return (whole[:, 1:] if peek else whole[:, :-1]), whole[:, 4:]


def cut_off(q, k, v):
    """Right numbers, but the weights are plain numbers: no gradient reaches q and k."""
    weights = numbers(attend(q, k, np.eye(len(v))))
    return weights @ v


def head_by_head(x, Q, K, V, heads):
    rows = np.split(np.arange(len(Q)), heads)
    return np.concatenate([attend(*(F.linear(x, W[r]) for W in (Q, K, V))) for r in rows], axis=-1)


class Knows:
    """Digit by digit with a carry, as on paper: no network."""

    def __call__(self, a, b):
        digits = np.stack([a // 10 % 10, a % 10, b // 10 % 10, b % 10])
        ones = digits[1] + digits[3]
        tens = digits[0] + digits[2] + (ones > 9)
        return (100 * (tens > 9) + 10 * (tens % 10) + ones % 10).tolist()


def as_the_formula_stands(q, k, v):
    with np.errstate(all="ignore"):
        weights = np.exp(q @ k.T * q.shape[-1] ** -0.5) * np.tri(len(q))
        return (weights / weights.sum(axis=-1, keepdims=True)) @ v


WRONG = {
    "attention_by_hand": [
        ([0.25, 0.5, 0.25], 3.0),
        ([1 / 3, 1 / 3, 1 / 3], 4.3333),
        ([0.2, 0.6, 0.2], 4.0),
    ],
    "the_spread_of_a_score": [(64 * 6, 6.0, 48.0), (36, 36 / 64, 6.0), (64 * 36, 288, 48)],
    "count_the_parameters": [
        lambda v, b, c, layers: (2 * v + b) * c + layers * 11 * c * c,
        lambda v, b, c, layers: (2 * v + b) * c + layers * 8 * c * c,
        lambda v, b, c, layers: (2 * v + b) * c + layers * (12 * c * c + 9 * c),
    ],
    "a_window_of_the_past": [
        lambda T, w: [[(0 <= t - s < w) / min(t + 1, w) for s in range(T)] for t in range(T)],
        functools.partial(window, late=1),
        functools.partial(window, ahead=True),
    ],
    "causal_attention_on_values": [
        cut_off,
        functools.partial(attend, mask=False),
        functools.partial(attend, root=False),
        functools.partial(attend, axis=0),
        lambda q, k, v: numbers(attend(q, k, v)),
        unstable,
    ],
    "the_heads_merged": [
        functools.partial(merged, swap=False),
        functools.partial(merged, back=False),
        functools.partial(merged, whole=True),
    ],
    "sums_as_sequences": [
        lambda a, b: encode(a, b)[::-1],
        functools.partial(encode, peek=True),
        functools.partial(encode, strings=True),
    ],
    "a_gpt_that_adds": [
        lambda: lambda a, b: a + b,  # + itself
        lambda: Knows(),
        lambda: lambda a, b: a,
        lambda: lambda a, b: (a + b) % 100 - (a + b) % 10 + (a % 10 + b % 10) % 10 + 1,
        lambda: lambda a, b: np.stack([a, b]),
    ],
}


def window_by_distance(T, w):
    apart = np.arange(T)[:, None] - np.arange(T)
    near = (apart >= 0) & (apart < w)
    return (near / near.sum(axis=1, keepdims=True)).tolist()


def attend_by_rows(q, k, v):
    """Each position looks at what is there, and at no mask."""
    read = []
    for t in range(len(q)):
        scores = [(q[t] @ k[s]) / q.shape[-1] ** 0.5 for s in range(t + 1)]
        top = max(s.data for s in scores)
        weights = [(s - top).exp() for s in scores]
        read.append([
            sum(w * v[s, j] for s, w in enumerate(weights)) / sum(weights)
            for j in range(v.shape[-1])
        ])  # fmt: skip
    return read


def merged_by_einsum(x, Q, K, V, heads):
    size = x.shape[-1] // heads

    def cut(W):
        y = x @ W.T
        return np.moveaxis(y.reshape(*y.shape[:-1], heads, size), -2, 0)

    read = attend(cut(Q), cut(K), cut(V))
    return np.moveaxis(read, 0, -2).reshape(x.shape).tolist()


def encode_by_text(a, b):
    rows = [f"{p:02}{q:02}{p + q:03}" for p, q in zip(a.tolist(), b.tolist(), strict=True)]
    rows = [[int(c) for c in row[:4] + row[:3:-1]] for row in rows]
    return [row[:6] for row in rows], [row[4:] for row in rows]


def trained():
    return solved("gpt")["a_gpt_that_adds"][0]()


RIGHT = {
    "attention_by_hand": [(("1/4", "1/2", "1/4"), 4), (np.array([0.25, 0.5, 0.25]), [4.0])],
    "the_spread_of_a_score": [("2304", 36, 48.0), (48**2, np.int64(36), [48])],
    "count_the_parameters": [
        lambda v, b, c, layers: float(c * (2 * v + b + 12 * layers * c)),
        lambda v, b, c, layers: np.array(v * c + b * c + layers * (4 + 8) * c**2 + c * v),
    ],
    "a_window_of_the_past": [
        window_by_distance,
        lambda T, w: np.triu(window(T, w).T).T,
    ],
    "causal_attention_on_values": [attend_by_rows, lambda *a: attend(*a).tolist()],
    "the_heads_merged": [merged_by_einsum, lambda *a: merged(*a)],
    "sums_as_sequences": [
        encode_by_text,
        lambda a, b: {"x": encode(a, b)[0], "y": encode(a, b)[1]},
    ],
    "a_gpt_that_adds": [
        lambda: lambda a, b: trained()(a, b).tolist(),
        lambda: lambda a, b: np.array(trained()(a, b), dtype=float)[:, None].T[0],
    ],
}

MISREAD = {
    "attention_by_hand": Misread(
        ([1 / 6, 2 / 3, 1 / 6], 11 / 3),
        "The weights are the softmax of the scores as they are.",
        "without dividing the scores by the root of the head size",
    ),
    "the_spread_of_a_score": Misread(
        (64 * 36, 36.0, 8.0),
        "The divisor is the one that the lecture uses.",
        "it is right where both variances are 1",
    ),
    "count_the_parameters": Misread(
        lambda v, b, c, layers: (v + b) * c + layers * 12 * c * c,
        "The scores are made with the table of embeddings.",
        "the last layer has a matrix of its own",
    ),
    "a_window_of_the_past": Misread(
        functools.partial(window, whole=True),
        "The mean of the last w positions divides by w everywhere.",
        "at the beginning there are fewer positions",
    ),
    "causal_attention_on_values": Misread(
        as_the_formula_stands,
        "The softmax is written as its formula stands.",
        "scores of a thousand do harm",
    ),
    "the_heads_merged": Misread(
        head_by_head,
        "One function for all heads is read as one loop inside it.",
        "there is no loop over heads",
    ),
    "sums_as_sequences": Misread(
        functools.partial(encode, forward=True),
        "A sum is written as one reads it, the hundreds first.",
        "with the ones first",
    ),
    "a_gpt_that_adds": Misread(
        lambda: lambda a, b: encode(a, b)[1],
        "The answer is what the GPT says, digit by digit.",
        "give one number for each",
    ),
}
