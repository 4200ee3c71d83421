"""The checkers of the GPT's exercises (lectures 7 to 12, paired code)."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads, numbers

sheet = Sheet("Lectures 7 to 12, GPT")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(70)
values = np.frompyfunc(Value, 1, 1)


def _softmax(scores: Any) -> Any:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _attention(q: Any, k: Any, v: Any) -> Any:
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    past = np.tri(q.shape[-2]) == 1
    return _softmax(np.where(past, scores, -np.inf)) @ v


@sheet.exercise(
    1,
    "attention by hand",
    hints=[
        "The third position may read all three. First the three scores q . k, then divide.",
        "e to the power ln 2 is 2: the three exponentials are small whole numbers.",
    ],
)
def _(weights: Any, output: Any) -> None:
    close(weights, [0.25, 0.5, 0.25], "the three weights of the third position")
    close(output, 4.0, "what the third position reads")


@sheet.exercise(
    2,
    "the spread of a score",
    hints=[
        "A score is a sum of d products; the variances of independent terms add up.",
        "With means of 0, the variance of a product is the product of the variances.",
    ],
)
def _(variance: Any, divided: Any, divisor: Any) -> None:
    close(variance, 64 * 4 * 9, "the variance of a score")
    close(divided, 36.0, "the variance after division by the root of the head size")
    close(divisor, 48.0, "the divisor that brings the variance to 1")


@sheet.exercise(
    3,
    "count the parameters",
    hints=[
        "Per block: queries, keys, values and projection are width x width each. And the rest?",
        "The number of heads changes how the matrices are cut, not how large they are together.",
    ],
)
def _(count: Any) -> None:
    for v, b, c, layers in ((27, 16, 16, 1), (65, 8, 24, 3), (10, 6, 32, 2)):
        wanted = (2 * v + b) * c + layers * 12 * c * c
        what = f"vocabulary {v}, block {b}, width {c}, {layers} layers"
        same(count(v, b, c, layers), wanted, f"the number of parameters for {what}")


@sheet.exercise(
    4,
    "a window of the past",
    hints=[
        "np.tri(T) holds the past; np.tri(T, k=-w) holds what lies w or more positions back.",
        "Rows near the top have fewer than w positions: divide each row by its own sum.",
    ],
)
def _(window: Any) -> None:
    x = rng.standard_normal((7, 3))
    for w in (1, 3, 7, 20):
        A = np.asarray(window(7, w), dtype=float)
        same(A.shape, (7, 7), "the shape of the matrix for 7 positions")
        means = np.array([x[max(0, t - w + 1) : t + 1].mean(axis=0) for t in range(7)])
        close(A @ x, means, f"the means of the last {w} positions")


@sheet.exercise(
    5,
    "causal attention on Values",
    hints=[
        "Scores, mask, softmax along the last axis, product with v: four lines.",
        "micrograd.where(past, scores, -np.inf) keeps the gradient; np.where would, too.",
    ],
)
def _(attend: Any) -> None:
    q, k, v = (rng.standard_normal((5, d)) for d in (4, 4, 3))
    got = attend(values(q), values(k), values(v))
    same(np.shape(got), (5, 3), "the shape for five positions and values of size 3")
    true(all(isinstance(y, Value) for y in np.ravel(got)), "the result is an array of Values")
    close(numbers(got), _attention(q, k, v), "what five positions read")
    V = values(v)
    (attend(values(q), values(k), V)[2]).sum().backward()
    true(not grads(V)[3:].any(), "position 2 gets nothing from the positions behind it")
    close(grads(V)[:3].sum(axis=0), np.ones(3), "the gradients of what position 2 reads, added up")
    big = 1000 * q
    close(numbers(attend(values(big), values(k), values(v))), _attention(big, k, v), "huge scores")


@sheet.exercise(
    6,
    "the heads merged",
    hints=[
        "Reshape (..., T, heads * size) to (..., T, heads, size): which two axes must change?",
        "After the product with the values, swap the axes back before the reshape.",
    ],
)
def _(merged: Any) -> None:
    for shape, heads in (((5, 8), 2), ((3, 8), 4), ((2, 4, 6), 3)):
        x = rng.standard_normal(shape)
        C = shape[-1]
        Q, K, V = (rng.standard_normal((C, C)) for _ in range(3))
        size = C // heads
        cut = [slice(i * size, (i + 1) * size) for i in range(heads)]
        wanted = [_attention(x @ Q[c].T, x @ K[c].T, x @ V[c].T) for c in cut]
        got = merged(x, values(Q), values(K), values(V), heads)
        what = f"{heads} heads on x of shape {shape}"
        close(numbers(np.asarray(got)), np.concatenate(wanted, axis=-1), what)


@sheet.exercise(
    7,
    "sums as sequences",
    hints=[
        "The sum has three digits, the ones first: 58 + 67 = 125 is written 5, 2, 1.",
        "The whole sequence has seven digits. What is its first six, what its last three?",
    ],
)
def _(encode: Any) -> None:
    a, b = rng.integers(0, 100, (2, 50))
    x, y = encode(a, b)
    same(np.shape(x), (50, 6), "the shape of x for 50 sums")
    same(np.shape(y), (50, 3), "the shape of y for 50 sums")
    true(np.issubdtype(np.asarray(x).dtype, np.integer), "x holds integers")
    c = a + b
    wanted = np.stack([a // 10, a % 10, b // 10, b % 10, c % 10, c // 10 % 10, c // 100], axis=1)
    same(np.asarray(x)[:, :4], wanted[:, :4], "the digits of a and of b in x")
    same(np.asarray(y), wanted[:, 4:], "the digits of the sums in y")
    same(np.asarray(x)[:, 4:], wanted[:, 4:6], "what x holds behind the digits of a and b")


@sheet.exercise(
    8,
    "a GPT that adds",
    hints=[
        "Two blocks, width 16, Adam at 0.015 falling to 0, 1,000 steps of 64 random sums.",
        "To answer, predict the ones, put them into x, predict the tens, put them in, and again.",
    ],
)
def _(train_adder: Any) -> None:
    a, b = rng.integers(0, 100, (2, 400))
    got = np.asarray(train_adder()(a, b))
    same(got.shape, (400,), "the shape of the answers to 400 sums")
    right = float((got == a + b).mean())
    if right < 0.9:
        raise Wrong(f"of 400 sums {right:.0%} are right; train until 90% are")
