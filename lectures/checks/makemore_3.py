"""The checkers of makemore part 3's exercises: starts, activations, batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true

sheet = Sheet("makemore part 3")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    "all weights zero",
    hints=[
        "Which numbers are 0 in the forward pass? Then go back: what multiplies what?",
        "The gradient of W2 is h.T @ dlogits, that of h is dlogits @ W2.T.",
        "If only the last bias learns, the scores cannot depend on the input: what is the best "
        "constant distribution?",
    ],
)
def _(learning: Any, final_loss: Any) -> None:
    names = {"C", "W1", "b1", "W2", "b2"}
    true(set(learning) <= names, "only names among C, W1, b1, W2, b2 are given")
    same(set(learning), {"b2"}, "the arrays whose gradient is not zero")
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        weights = rng.random(9) ** 3
        y = rng.choice(9, 400, p=weights / weights.sum())
        share = np.bincount(y, minlength=9) / len(y)
        wanted = -sum(p * np.log(p) for p in share if p > 0)
        close(final_loss(y), wanted, "the loss in the end, for 400 letters of an alphabet of 9")
    close(final_loss(np.array([4, 4, 4])), 0.0, "the loss in the end, where one letter is all")


@sheet.exercise(
    2,
    "batch normalisation folded away",
    hints=[
        "In evaluation it is gain * (x @ W - mean) / sqrt(var + eps) + shift: linear in x.",
        "Collect what multiplies x, column by column of W, and what does not.",
    ],
)
def _(fold: Any) -> None:
    for nin, nout in ((4, 6), (3, 3)):
        rng = np.random.default_rng(nin)
        W, gain, shift, mean = (rng.normal(size=s) for s in ((nin, nout), nout, nout, nout))
        var, x = rng.random(nout) * 3, rng.normal(size=(10, nin))
        before = W.copy()
        weight, bias = fold(W, gain, shift, mean, var, 0.01)
        true(np.array_equal(W, before), "the weights that were given are unchanged")
        same(np.shape(weight), (nin, nout), "the shape of the folded weights")
        same(np.shape(bias), (nout,), "the shape of the folded bias")
        zero = np.zeros((1, nin))
        normal = [gain * (z @ W - mean) / np.sqrt(var + 0.01) + shift for z in (zero, x)]
        close(zero @ weight + bias, normal[0], f"the output for x = 0, layer {nin} x {nout}")
        close(x @ weight + bias, normal[1], f"the output for ten inputs, layer {nin} x {nout}")


@sheet.exercise(
    3,
    "the first loss",
    hints=["Equal probabilities for k classes: 1/k each.", "The loss is in nats: ln."],
)
def _(ten_classes: Any, biased: Any) -> None:
    close(ten_classes, np.log(10), "the loss for ten classes", rtol=1e-4)
    close(biased, np.log(np.exp(2) + 4) - 2, "the loss with one score of 2", rtol=1e-4)


@sheet.exercise(
    4,
    "dead units",
    hints=[
        "A unit is dead if it is saturated for every example of the batch.",
        "all(axis=0) asks down the columns.",
    ],
)
def _(dead: Any) -> None:
    rng = np.random.default_rng(40)
    h = np.tanh(rng.normal(size=(50, 30)) * 2)
    same(int(dead(h)), 0, "the number of dead units where none is")
    h[:, 3], h[:, 7], h[:, 8] = 0.999, -1.0, 0.98
    h[:, 9] = np.where(np.arange(50) % 2, 0.999, -0.999)
    h[11] = 1.0  # one example saturates all units: that kills none
    same(int(dead(h)), 3, "the number of dead units, negative ones included")


@sheet.exercise(
    5,
    "the gain of any nonlinearity",
    hints=[
        "What standard deviation (about 0) does f(z) have for a standard normal z?",
        "Kaiming keeps the mean square: gain**2 * mean(f(z)**2) = 1.",
    ],
)
def _(gain_of: Any) -> None:
    import math

    close(gain_of(lambda z: z), 1.0, "the gain without a nonlinearity", rtol=0.02)
    relu = gain_of(lambda z: np.maximum(z, 0))
    close(relu, math.sqrt(2), "the gain of ReLU", rtol=0.02)
    leaky = gain_of(lambda z: np.where(z > 0, z, 0.2 * z))
    close(leaky, math.sqrt(2 / 1.04), "the gain of a leaky ReLU", rtol=0.02)
    close(gain_of(np.tanh), 1.5927, "the gain of tanh", rtol=0.02)
    close(gain_of(lambda z: 3 * z), 1 / 3, "the gain of 3z", rtol=0.02)


@sheet.exercise(
    6,
    "running statistics",
    hints=[
        "Which mean and variance are used in training, which in evaluation?",
        "Training moves the running ones a little; evaluation only reads them.",
        "The batch's variance is over n - 1, both where it is used and where it is kept.",
    ],
)
def _(normalise: Any) -> None:
    rng = np.random.default_rng(60)
    state = {"mean": np.zeros(3), "var": np.ones(3)}
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(4):
        x = rng.normal(2.0, 3.0, (6, 3))
        m, v = x.mean(0), x.var(0, ddof=1)
        got = normalise(x, state, True, 0.1)
        close(got, (x - m) / np.sqrt(v + 1e-5), "the output in training")
        mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * v
        close(state["mean"], mean, "the running mean after training")
        close(state["var"], var, "the running variance after training")
    x = rng.normal(-5.0, 1.0, (1, 3))
    kept = {k: np.array(v) for k, v in state.items()}
    got = normalise(x, state, False, 0.1)
    close(got, (x - mean) / np.sqrt(var + 1e-5), "the output in evaluation, for one example")
    if any(not np.array_equal(kept[k], state[k]) for k in kept):
        raise Wrong("evaluation has changed the running statistics")


@sheet.exercise(
    7,
    "the update:data ratio",
    hints=[
        "The step is rate times gradient; compare spreads, not means.",
        "log10 of the quotient of two standard deviations.",
    ],
)
def _(ratio: Any, verdict: Any) -> None:
    rng = np.random.default_rng(70)
    for rate, scale in ((0.1, 0.02), (0.001, 1.0)):
        w, g = rng.normal(1.0, 0.3, (20, 10)), rng.normal(0.5, scale, (20, 10))
        wanted = np.log10(rate * g.std() / w.std())
        close(ratio(w, g, rate), wanted, f"the ratio for the rate {rate}")
    same(verdict, "the rate is too small", "the verdict on a ratio of -5")
