"""The checkers of the GPT's exercises (lectures 7 to 12, paired code)."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    array,
    as_values,
    beside,
    by_hand,
    close,
    effort,
    integers,
    same,
    several,
    true,
    watching,
)
from micrograd import Value, grads, numbers

sheet = Sheet("Lectures 7 to 12, GPT")
check, hint = sheet.check, sheet.hint

values = np.frompyfunc(Value, 1, 1)


def _softmax(scores: Any) -> Any:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _weights(q: Any, k: Any) -> Any:
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    past = np.tri(q.shape[-2]) == 1
    return _softmax(np.where(past, scores, -np.inf))


def _attention(q: Any, k: Any, v: Any) -> Any:
    return _weights(q, k) @ v


@sheet.exercise(
    1,
    hints=[
        "The third position may read all three. First the three scores q . k, then divide.",
        "e to the power ln 2 is 2: the three exponentials are small whole numbers.",
    ],
)
def attention_by_hand(weights: Any, output: Any) -> None:
    undivided = "that is without dividing the scores by the root of the head size"
    by_size = "that divides by the head size; divide by its root"
    sums = {undivided: [1 / 6, 2 / 3, 1 / 6], by_size: np.array([1, 2**0.5, 1]) / (2 + 2**0.5)}
    what = "the three weights of the third position"
    by_hand(weights, [0.25, 0.5, 0.25], what, instead=sums)
    reads = {told: float(np.dot(w, [2, 3, 8])) for told, w in sums.items()}
    reads["that is the value with the largest weight; all three are read"] = 3.0
    by_hand(output, 4.0, "what the third position reads", instead=reads)


@sheet.exercise(
    2,
    hints=[
        "A score is a sum of d products; the variances of independent terms add up.",
        "With means of 0, the variance of a product is the product of the variances.",
    ],
)
def the_spread_of_a_score(variance: Any, divided: Any, divisor: Any) -> None:
    deviations = "that multiplies deviations; multiply variances"
    one = "that is the variance of one product; a score adds 64 of them"
    instead = {deviations: 384, one: 36}
    by_hand(variance, 64 * 4 * 9, "the variance of a score", instead=instead)
    instead = {"dividing a number by c divides its variance by c squared": 64 * 36 / 8}
    what = "the variance after division by the root of the head size"
    by_hand(divided, 36.0, what, instead=instead)
    instead = {
        "that is the root of d; it is right where both variances are 1": 8.0,
        "a divisor divides the variance by its square": 64 * 36,
    }
    by_hand(divisor, 48.0, "the divisor that brings the variance to 1", instead=instead)


@sheet.exercise(
    3,
    hints=[
        "Per block: queries, keys, values and projection are width x width each. And the rest?",
        "The number of heads changes how the matrices are cut, not how large they are together.",
    ],
)
def count_the_parameters(count: Any) -> None:
    for v, b, c, layers in ((27, 16, 16, 1), (65, 8, 24, 3), (10, 6, 32, 2)):
        wanted = (2 * v + b) * c + layers * 12 * c * c
        what = f"vocabulary {v}, block {b}, width {c}, {layers} layer{'s' * (layers > 1)}"
        mistaken = {
            "the last layer has a matrix of its own": wanted - v * c,
            "the feed-forward layer is four times as wide, and has two matrices": (
                wanted - layers * 4 * c * c
            ),
            "the heads share the width, and a projection joins them": wanted - layers * c * c,
        }
        got = count(v, b, c, layers)
        same(got, wanted, f"the number of parameters for {what}", instead=mistaken)


@sheet.exercise(
    4,
    hints=[
        "np.tri(T) holds the past; np.tri(T, k=-w) holds what lies w or more positions back.",
        "Rows near the top have fewer than w positions: divide each row by its own sum.",
    ],
)
def a_window_of_the_past(window: Any) -> None:
    x = np.random.default_rng(74).standard_normal((7, 3))
    for w in (1, 3, 7, 20):
        A = array(window(7, w), "the matrix for 7 positions", (7, 7))
        means = np.array([x[max(0, t - w + 1) : t + 1].mean(axis=0) for t in range(7)])
        there = np.minimum(np.arange(1, 8), w)[:, None]
        before = np.array([x[max(0, t - w) : t].mean(0) if t else 0 * x[0] for t in range(7)])
        mistaken = {
            "at the beginning there are fewer positions to take the mean of": means * there / w,
            "a position belongs to its own window": before,
        }
        close(A @ x, means, f"the means of the last {w} positions", instead=mistaken)
    few, many = effort(window, 7, 3), effort(window, 40, 3)
    true(many <= few, "there is no loop: 40 positions take no more steps of Python than 7")


@sheet.exercise(
    5,
    title="Causal attention on Values",
    hints=[
        "Scores, mask, softmax along the last axis, product with v: four lines.",
        "micrograd.where(past, scores, -np.inf) keeps the gradient; np.where would, too.",
    ],
)
def causal_attention_on_values(attend: Any) -> None:
    rng = np.random.default_rng(75)
    q, k, v = (rng.standard_normal((5, d)) for d in (4, 4, 3))
    got = as_values(attend(values(q), values(k), values(v)), "what five positions read", (5, 3))
    what = "what five positions read"
    undivided = {"that is without dividing by the root of d": _attention(2 * q, k, v)}
    close(numbers(got), _attention(q, k, v), what, instead=undivided)
    inputs = values(q), values(k), values(v)
    read = as_values(attend(*inputs), "what five positions read", (5, 3))
    read[2].sum().backward()
    Q, K, V = (grads(x) for x in inputs)
    true(not V[3:].any(), "position 2 gets nothing from the values behind it")
    true(not K[3:].any(), "position 2 gets nothing from the keys behind it")
    weights = _weights(q, k)[2]
    close(V, np.outer(weights, np.ones(3)), "the gradients of v, of what position 2 reads")
    # d read / d score_j = weight_j (v_j - what is read), added up over the columns of v
    slope = weights * (v - weights @ v).sum(axis=1) / 2.0
    close(Q, np.outer(np.arange(5) == 2, slope @ k), "the gradients of q, of what position 2 reads")
    close(K, np.outer(slope, q[2]), "the gradients of k, of what position 2 reads")
    big = 1000 * q
    got = numbers(as_values(attend(values(big), values(k), values(v)), "huge scores", (5, 3)))
    if not np.isfinite(got).all():
        raise Wrong("scores of a thousand do harm: their exp is too large for a float")
    close(got, _attention(big, k, v), "huge scores")


@sheet.exercise(
    6,
    hints=[
        "Reshape (..., T, heads * size) to (..., T, heads, size): which two axes must change?",
        "After the product with the values, swap the axes back before the reshape.",
    ],
)
def the_heads_merged(merged: Any) -> None:
    rng = np.random.default_rng(76)
    for shape, heads in (((5, 8), 2), ((3, 8), 4), ((2, 4, 6), 3)):
        x = rng.standard_normal(shape)
        C = shape[-1]
        Q, K, V = (rng.standard_normal((C, C)) for _ in range(3))
        size = C // heads
        cut = [slice(i * size, (i + 1) * size) for i in range(heads)]
        wanted = [_attention(x @ Q[c].T, x @ K[c].T, x @ V[c].T) for c in cut]
        what = f"{heads} heads on x of shape {shape}"
        matrices = values(Q), values(K), values(V)
        got = as_values(merged(x, *matrices, heads), what, shape)
        close(numbers(got), np.concatenate(wanted, axis=-1), what)
    got.sum().backward()
    for name, mine, theirs in zip("QKV", matrices, _slopes(x, Q, K, V, heads), strict=True):
        close(grads(mine), theirs, f"the gradients of {name}", rtol=1e-4, atol=1e-6)
    x = rng.standard_normal((3, 8))
    matrices = [values(rng.standard_normal((8, 8))) for _ in range(3)]
    few, many = (effort(merged, x, *matrices, heads) for heads in (1, 8))
    true(many <= few, "there is no loop over heads: 8 take no more steps of Python than 1")


def _slopes(x: Any, Q: Any, K: Any, V: Any, heads: int) -> list[np.ndarray]:
    """The gradients of the sum of all heads' results, by central differences."""
    size = len(Q) // heads

    def total(matrices: list[np.ndarray]) -> float:
        q, k, v = ((x @ W.T).reshape(*x.shape[:-1], heads, size).swapaxes(-2, -3) for W in matrices)
        return float(_attention(q, k, v).sum())

    found = []
    for which in range(3):
        slope = np.zeros_like(Q)
        for place in np.ndindex(*Q.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [Q.copy(), K.copy(), V.copy()]
                moved[which][place] += step
                ends.append(total(moved))
            slope[place] = (ends[0] - ends[1]) / 2e-5
        found.append(slope)
    return found


@sheet.exercise(
    7,
    hints=[
        "The sum has three digits, the ones first: 58 + 67 = 125 is written 5, 2, 1.",
        "The whole sequence has seven digits. What is its first six, what its last three?",
    ],
)
def sums_as_sequences(encode: Any) -> None:
    for a, b in (([58], [67]), np.random.default_rng(77).integers(0, 100, (2, 50))):
        a, b = np.array(a), np.array(b)
        x, y = several(encode(a, b), "x", "y")
        if isinstance(x, np.ndarray):
            true(np.issubdtype(x.dtype, np.integer), "x holds integers, fit for an embedding")
        x, y = integers(x, "x", (len(a), 6)), integers(y, "y", (len(a), 3))
        c = a + b
        digits = [a // 10, a % 10, b // 10, b % 10, c % 10, c // 10 % 10, c // 100]
        wanted = np.stack(digits, axis=1)
        same(x[:, :4], wanted[:, :4], "the digits of a and of b in x")
        order = {"give the digits of the sum with the ones first": wanted[:, :3:-1]}
        same(y, wanted[:, 4:], "the digits of the sums in y", instead=order)
        same(x[:, 4:], wanted[:, 4:6], "what x holds behind the digits of a and b")


@sheet.exercise(
    8,
    title="A GPT that adds",
    hints=[
        "Two blocks, width 16, Adam at 0.015 falling to 0, 1,000 steps of 64 random sums.",
        "To answer, predict the ones, put them into x, predict the tens, put them in, and again.",
    ],
)
def a_gpt_that_adds(train_adder: Any) -> None:
    a, b = np.random.default_rng(78).integers(0, 100, (2, 400))
    add = train_adder()
    true(callable(add), "train_adder gives back a function add(a, b)")
    with watching() as made:
        got = add(a, b)
    if np.shape(got) == (400, 3):
        raise Wrong("add returns three digits for each sum; give one number for each")
    right = float((integers(got, "the answers to 400 sums", (400,)) == a + b).mean())
    if right < 0.9:
        found = beside(right, 0.9, 0, percent=True)
        raise Wrong(f"of 400 sums {found} are right; train until 90% are")
    if not any(module.partition(".")[0] == "micrograd" for module, _ in made):
        raise Wrong("add asks no network: nothing of micrograd is called while it adds")
    if _adds_by_itself(add):
        raise Wrong("sums of numbers that have no two digits are right as well: this is +, no GPT")


def _adds_by_itself(add: Any) -> bool:
    """A GPT over two digits a number cannot know what 1234 + 4321 is."""
    a, b = np.random.default_rng(79).integers(1000, 9000, (2, 20))
    try:
        return bool((array(add(a, b), "the answers", (20,)) == a + b).mean() > 0.5)
    except Exception:
        return False
