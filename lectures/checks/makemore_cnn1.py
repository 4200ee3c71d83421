"""The checkers of makemore part 5's exercises: trees, axes, convolutions, and a score to beat."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from checks import Sheet, Wrong, array, beside, by_hand, close, effort, same, several, true, without

sheet = Sheet("makemore part 5")
check, hint = sheet.check, sheet.hint


@functools.cache
def dev_split() -> tuple[np.ndarray, np.ndarray]:
    """The dev split of the lecture: windows of eight letters (N, 8), and what follows (N,)."""
    names = (Path(__file__).parent.parent / "data" / "names.txt").read_text().split()
    order = np.random.default_rng(42).permutation(len(names))
    X, y = [], []
    for i in order[int(0.8 * len(names)) : int(0.9 * len(names))]:
        window = [0] * 8
        for letter in [ord(c) - 96 for c in names[i]] + [0]:
            X.append(window)
            y.append(letter)
            window = [*window[1:], letter]
    return np.array(X), np.array(y)


@sheet.exercise(
    1,
    hints=[
        "The embedding, three levels without bias, their gains and shifts, the last layer.",
        "The first level joins two embeddings, the others two hidden vectors.",
    ],
)
def counting_parameters(count: Any) -> None:
    for dim, hidden in ((1, 2), (7, 30), (16, 100)):
        levels = sum(2 * nin * hidden + 2 * hidden for nin in (dim, hidden, hidden))
        wanted = 27 * dim + levels + hidden * 27 + 27
        with without("building the network", module="micrograd"):
            found = count(dim, hidden)
        mistaken = {
            "the levels have no bias; the shift of the norm behind does its work": (
                wanted + 3 * hidden
            ),
            "a norm has a gain and a shift for each channel": wanted - 6 * hidden,
            "the last layer has a bias": wanted - 27,
            "every level joins two, the later ones as well": wanted - 2 * hidden * hidden,
        }
        same(found, wanted, f"the parameters for dim {dim}, hidden {hidden}", instead=mistaken)


@sheet.exercise(
    2,
    title="How deep?",
    hints=["Each level doubles what a node has seen.", "The smallest k with 2**k letters or more."],
)
def how_deep(for_32: Any, for_a_second: Any) -> None:
    joins = "that is how many pairs the first level joins; give how many levels"
    instead = {joins: 16, "that many levels see 16": 4}
    by_hand(for_32, 5, "the levels for 32 letters", exact=True, instead=instead)
    instead = {joins: 8000, "that many levels see 8,192": 13}
    what = "the levels for a second of sound at 16,000 numbers"
    by_hand(for_a_second, 14, what, exact=True, instead=instead)


@sheet.exercise(
    3,
    hints=[
        "In memory C runs fastest, then L: a reshape joins what lies side by side.",
        "One group left: the middle axis goes. L no multiple of n: what should happen?",
    ],
)
def flattening_neighbours(flatten: Any) -> None:
    small = flatten(np.array([[[1.0], [2.0], [3.0], [4.0]]]), 2)
    close(small, [[[1.0, 2.0], [3.0, 4.0]]], "four numbers, n = 2")
    rng = np.random.default_rng(30)
    for n, length in ((2, 8), (4, 8), (3, 6), (1, 5)):
        x = rng.normal(size=(5, length, 3))
        what = f"the neighbours side by side for L = {length}, n = {n}"
        got = array(flatten(x, n), what, (5, length // n, 3 * n))
        wanted = np.stack(
            [np.concatenate([x[:, i + j] for j in range(n)], 1) for i in range(0, length, n)], 1
        )
        close(got, wanted, what)
    x = rng.normal(size=(5, 2, 3))
    axis = {"where one group is left the middle axis goes: (N, n C)": x.reshape(5, 1, 6)}
    close(flatten(x, 2), x.reshape(5, 6), "one group", instead=axis)
    try:
        flatten(np.zeros((6, 7, 2)), 2)
    except ValueError:
        return
    raise Wrong("seven letters, n = 2: this should raise a ValueError")


@sheet.exercise(
    4,
    hints=[
        "One mean for each channel: which axes are not the channels'?",
        "tuple(range(x.ndim - 1))",
    ],
)
def the_right_axes(statistics: Any) -> None:
    rng = np.random.default_rng(40)
    for shape in ((9, 4), (6, 5, 4), (4, 4, 4)):
        x = rng.normal(1.0, 2.0, shape)
        mean, variance = several(statistics(x), "the mean", "the variance")
        rows = x.reshape(-1, 4)
        first = "that is over the first axis alone; give one number for each channel"
        what = f"the mean of each channel of an input {shape}"
        close(mean, rows.mean(0), what, instead={first: x.mean(axis=0)})
        instead = {
            first: x.var(axis=0),
            "that is the deviation; give the variance": rows.std(0),
            "that is the unbiased variance; give the biased one": rows.var(0, ddof=1),
        }
        what = f"the variance of each channel of an input {shape}"
        close(variance, rows.var(0), what, instead=instead)


@sheet.exercise(
    5,
    hints=[
        "Put `dilation` rows of zeros in front; then position t and t - dilation are two slices.",
        "Joined along the last axis, the earlier first, it is one matrix product.",
    ],
)
def a_dilated_causal_convolution(convolve: Any) -> None:
    rng = np.random.default_rng(50)
    for length, dilation in ((9, 1), (9, 2), (12, 4), (3, 4)):
        x, W, b = rng.normal(size=(length, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
        before = x.copy()
        what = f"{length} positions, dilation {dilation}"
        got = array(convolve(x, W, b, dilation), what, (length, 5))
        true(np.array_equal(before, x), "the array that was given is unchanged")
        past = np.concatenate([np.zeros((dilation, 3)), x])[:length]
        ahead = np.concatenate([x, np.zeros((dilation, 3))])[dilation:]
        around = np.roll(x, dilation, axis=0)
        mistaken = {
            told: np.concatenate(pair, axis=1) @ W + b
            for told, pair in (
                ("the earlier position comes first, and then the later", [x, past]),
                ("that looks ahead; take the position before", [ahead, x]),
                ("that goes around; zeros stand before the beginning", [around, x]),
            )
        }
        close(got, np.concatenate([past, x], axis=1) @ W + b, what, instead=mistaken)
    few, many = (effort(convolve, np.ones((n, 3)), W, b, 1) for n in (4, 40))
    true(many <= few, "there is no loop: 40 positions take no more steps of Python than 4")


BEAT = 1.98  # the video reaches 1.993, the large tree of the lecture 1.988


@sheet.exercise(
    6,
    title="Beat 1.993",
    hints=[
        "More of what worked: wider, longer, a rate that falls smoothly, Adam, dropout.",
        "Two networks that were trained apart are wrong in different places.",
        "Average their probabilities, not their scores; give the logarithm back.",
    ],
)
def beat_1_993(scores: Any) -> None:
    X, y = dev_split()
    total = 0.0
    for i in range(0, len(X), 1000):
        part = y[i : i + 1000]
        what = f"the scores for {len(part)} windows"
        z = array(scores(X[i : i + 1000].copy()), what, (len(part), 27))
        true(np.isfinite(z).all(), "all scores are finite")
        if (z >= 0).all() and np.allclose(z.sum(axis=1), 1.0) and np.ptp(z) > 0 and z.max() < 1:
            raise Wrong("these are probabilities; give scores, or logarithms of them")
        z = z - z.max(1, keepdims=True)
        total += (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), part]).sum()
    loss = total / len(X)
    if loss >= BEAT:
        raise Wrong(f"the dev loss is {beside(loss, BEAT, 4)}; it should be less than {BEAT}")
