"""The checkers of makemore part 3's exercises: starts, activations, batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    array,
    by_hand,
    close,
    number,
    only_learner,
    part,
    same,
    several,
    true,
    word,
)

sheet = Sheet("makemore part 3")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    hints=[
        "Which numbers are 0 in the forward pass? Then go back: what multiplies what?",
        "The gradient of W2 is h.T @ dlogits, that of h is dlogits @ W2.T.",
        "If only the last bias learns, the scores cannot depend on the input: what is the best "
        "constant distribution?",
    ],
)
def all_weights_zero(learning: Any, final_loss: Any) -> None:
    only_learner(learning, "b2", ("C", "W1", "b1", "W2", "b2"), "learning")
    with part("final_loss"):
        one = final_loss(np.array([4, 4, 4]))
        close(one, 0.0, "the loss in the end, where one letter is all")
        bits = {"that is in bits, by log2; a loss is in nats, by ln": 1.0}
        two = final_loss(np.array([0, 1]))
        close(two, np.log(2), "the loss in the end, for two letters", instead=bits)
        for seed in (1, 2):
            rng = np.random.default_rng(seed)
            weights = rng.random(9) ** 3
            y = rng.choice(9, 400, p=weights / weights.sum())
            share = np.bincount(y, minlength=9) / len(y)
            wanted = -sum(p * np.log(p) for p in share if p > 0)
            even = {"that is for equal shares; use the shares of these targets": np.log(9)}
            what = "the loss in the end, for 400 letters of an alphabet of 9"
            close(final_loss(y), wanted, what, instead=even)


@sheet.exercise(
    2,
    hints=[
        "In evaluation it is gain * (x @ W - mean) / sqrt(var + eps) + shift: linear in x.",
        "Collect what multiplies x, column by column of W, and what does not.",
    ],
)
def batch_normalisation_folded_away(fold: Any) -> None:
    for nin, nout in ((4, 6), (3, 3)):
        rng = np.random.default_rng(nin)
        W, gain, shift, mean = (rng.normal(size=s) for s in ((nin, nout), nout, nout, nout))
        var, x = rng.random(nout) * 3, rng.normal(size=(10, nin))
        before = W.copy()
        weight, bias = several(fold(W, gain, shift, mean, var, 0.01), "weight", "bias")
        true(np.array_equal(W, before), "the weights that were given are unchanged")
        weight = array(weight, "the folded weights", (nin, nout))
        bias = array(bias, "the folded bias", (nout,))
        zero = np.zeros((1, nin))
        normal = [gain * (z @ W - mean) / np.sqrt(var + 0.01) + shift for z in (zero, x)]
        mistaken = {
            "the mean is divided by the spread and multiplied by the gain, too": [shift - mean],
            "that is without the mean": [shift],
            "that is without eps under the root": [shift - gain * mean / np.sqrt(var)],
        }
        what = f"the output for x = 0, layer {nin} x {nout}"
        close(zero @ weight + bias, normal[0], what, instead=mistaken)
        rows = (W.T * (gain / np.sqrt(var + 0.01))).T if nin == nout else W
        unscaled = {
            "the gain belongs to the columns of W, which are the units": x @ rows + normal[0],
            "W is as it was; it is scaled, too": x @ W + normal[0],
        }
        what = f"the output for ten inputs, layer {nin} x {nout}"
        close(x @ weight + bias, normal[1], what, instead=unscaled)


@sheet.exercise(
    3,
    hints=["Equal probabilities for k classes: 1/k each.", "The loss is in nats: ln."],
)
def the_first_loss(ten_classes: Any, biased: Any) -> None:
    loss = np.log(np.exp(2) + 4) - 2
    tens, bits = "that is by the logarithm to the base 10; a loss takes ln", "that is in bits"
    instead = {tens: 1.0, bits: np.log2(10)}
    by_hand(ten_classes, np.log(10), "the loss for ten classes", instead=instead)
    instead = {
        tens: loss / np.log(10),
        bits: loss / np.log(2),
        "that is the probability of the right class; give minus its logarithm": np.exp(-loss),
        "that is minus the score; take minus the logarithm of its probability": -2.0,
        "that is for five equal scores": np.log(5),
    }
    by_hand(biased, loss, "the loss with one score of 2", instead=instead)


@sheet.exercise(
    4,
    hints=[
        "A unit is dead if it is saturated for every example of the batch.",
        "all(axis=0) asks down the columns.",
    ],
)
def dead_units(dead: Any) -> None:
    either = {"a unit is dead if every example saturates it, not if one does": 2}
    got = dead(np.array([[0.999, 0.999], [0.999, 0.5]]))
    same(got, 1, "the dead units of a batch of two", instead=either)
    rng = np.random.default_rng(40)
    h = np.tanh(rng.normal(size=(50, 30)) * 2)
    same(dead(h), 0, "the number of dead units where none is")
    h[:, 3], h[:, 7], h[:, 8] = 0.999, -1.0, 0.98
    h[:, 9] = np.where(np.arange(50) % 2, 0.999, -0.999)
    h[11] = 1.0  # one example saturates all units: that kills none
    same(dead(h), 3, "the number of dead units, those at -1 included")


@sheet.exercise(
    5,
    hints=[
        "What standard deviation (about 0) does f(z) have for a standard normal z?",
        "Kaiming keeps the mean square: gain**2 * mean(f(z)**2) = 1.",
    ],
)
def the_gain_of_any_nonlinearity(gain_of: Any) -> None:
    import math

    close(gain_of(lambda z: z), 1.0, "the gain without a nonlinearity", rtol=0.02)
    relu = gain_of(lambda z: np.maximum(z, 0))
    spread = math.sqrt(0.5 - 1 / (2 * math.pi))
    mistaken = {
        "that is 1 / the spread about the mean; take the mean square": 1 / spread,
        "that is the spread behind the nonlinearity; give what makes up for it": spread,
        "that is 1 / the mean square; weights are multiplied by its root": 2.0,
    }
    close(relu, math.sqrt(2), "the gain of ReLU", rtol=0.02, instead=mistaken)
    leaky = gain_of(lambda z: np.where(z > 0, z, 0.2 * z))
    close(leaky, math.sqrt(2 / 1.04), "the gain of a leaky ReLU", rtol=0.02)
    first, again = (number(gain_of(np.tanh), "the gain of tanh") for _ in range(2))
    close(first, 1.5927, "the gain of tanh", rtol=0.02)
    true(first == again, "asked twice, the gain is the same: the seed is fixed")
    close(gain_of(lambda z: 3 * z), 1 / 3, "the gain of 3z", rtol=0.02)


@sheet.exercise(
    6,
    hints=[
        "Which mean and variance are used in training, which in evaluation?",
        "Training moves the running ones a little; evaluation only reads them.",
        "The batch's variance is over n - 1, both where it is used and where it is kept.",
    ],
)
def running_statistics(normalise: Any) -> None:
    rng = np.random.default_rng(60)
    state = {"mean": np.zeros(3), "var": np.ones(3)}
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(4):
        x = rng.normal(2.0, 3.0, (6, 3))
        m, v = x.mean(0), x.var(0, ddof=1)
        got = normalise(x, state, True, 0.1)
        biased = (x - m) / np.sqrt(x.var(0) + 1e-5)
        divided = {"that divides by n in the variance; use the unbiased one": biased}
        close(got, (x - m) / np.sqrt(v + 1e-5), "the output in training", instead=divided)
        swapped = {
            "momentum is how far to move to the batch, not how much to keep": (0.1 * mean + 0.9 * m)
        }
        mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * v
        close(state["mean"], mean, "the running mean after training", instead=swapped)
        close(state["var"], var, "the running variance after training")
    x = rng.normal(-5.0, 1.0, (1, 3))
    kept = {k: np.array(v) for k, v in state.items()}
    got = normalise(x, state, False, 0.1)
    own = {"that takes the mean of the one example; in evaluation it is that of `state`": 0 * x}
    right, what = (x - mean) / np.sqrt(var + 1e-5), "the output in evaluation, for one example"
    close(got, right, what, instead=own)
    if any(not np.array_equal(kept[k], state[k]) for k in kept):
        raise Wrong("evaluation has changed the running statistics")


@sheet.exercise(
    7,
    title="The update:data ratio",
    hints=[
        "The step is rate times gradient; compare spreads, not means.",
        "log10 of the quotient of two standard deviations.",
    ],
)
def the_update_data_ratio(ratio: Any, verdict: Any) -> None:
    with part("ratio"):
        rng = np.random.default_rng(70)
        for rate, scale in ((0.1, 0.02), (0.001, 1.0)):
            w, g = rng.normal(1.0, 0.3, (20, 10)), rng.normal(0.5, scale, (20, 10))
            wanted = np.log10(rate * g.std() / w.std())
            mistaken = {
                "that is the gradient beside the weights; the step is rate times it": (
                    wanted - np.log10(rate)
                ),
                "that is by the natural logarithm; use log10": wanted * np.log(10),
                "that compares means; compare spreads": np.log10(rate * abs(g.mean() / w.mean())),
            }
            what = f"the ratio for the rate {rate}"
            close(ratio(w, g, rate), wanted, what, instead=mistaken)
    among = ("the rate is too small", "the rate is too large", "healthy")
    fine = {"a step of a hundred-thousandth of the weights; a thousandth is healthy": "healthy"}
    word(verdict, among[0], "the verdict on a ratio of -5", among, instead=fine)
