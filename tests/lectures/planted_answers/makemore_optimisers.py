"""Planted answers to the optimisers' exercises: mistakes, and right ones of unusual form."""

import functools
import math

import numpy as np
from planting import Misread

from micrograd import Value, optim


def nesterov(p, g, v, lr, beta, *, plain=False, old=False, up=False):
    new = beta * v + g
    along = new if plain else g + beta * (v if old else new)
    return p + lr * along if up else p - lr * along, new


def nesterov_in_place(p, g, v, lr, beta):
    v *= beta
    v += g
    p -= lr * (g + beta * v)
    return p, v


def adamw(p, g, m, s, t, lr, decay, *, corrected=True, rate=True, inside=False, root=True):
    g = g + decay * p if inside else g
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
    a, b = (m / (1 - 0.9**t), s / (1 - 0.999**t)) if corrected else (m, s)
    shrunk = p if inside else p * (1 - (lr if rate else 1.0) * decay)
    return shrunk - lr * a / ((np.sqrt(b) if root else b) + 1e-8), m, s


def rate(step, steps, warmup, largest, *, late=0, whole=False, half=False):
    if step < warmup:
        return largest * (step + 1 - late) / warmup
    t = step / steps if whole else (step - warmup) / (steps - warmup)
    return largest * (math.cos(math.pi * t / 2) if half else (1 + math.cos(math.pi * t)) / 2)


def walk(loss, start, steps, *, make=lambda p: optim.SGD(p, lr=0.04), falling=True, over=1):
    pair = [Value(x) for x in start]
    optimiser = make(pair)
    first = optimiser.lr
    for t in range(steps * over):
        optimiser.lr = first * (1 - t / (steps * over)) if falling else first
        optimiser.zero_grad()
        loss(*pair).backward()
        optimiser.step()
    return [p.data for p in pair]


def adam(p, lr=0.3):
    return optim.Adam(p, lr=lr)


WRONG = {
    "two_steps_by_hand": [(1.6, 0.6, 0.9), (-2.0, 0.8, 0.9), (1.6, 0.44, 0.6), (5.6, 0.04, 0.9)],
    "what_the_corrections_do": [(0.3162, 0.651, 44), (3.16, 0.349, 44), (3.16, 0.651, 43)],
    "the_largest_rate": [(0.04, 1 / 13, 12 / 13), (0.08, 0.04, 0.96), (0.08, 1 / 13, 1 / 13)],
    "true_or_false": [
        (False, True, False, False, True, True),
        (True, True, False, True, True, True),
        (True, True, False, False, False, False),
    ],
    "nesterovs_momentum": [
        functools.partial(nesterov, old=True),
        functools.partial(nesterov, up=True),
        nesterov_in_place,
        lambda *given: nesterov(*given)[::-1],
    ],
    "one_step_of_adamw": [
        functools.partial(adamw, corrected=False),
        functools.partial(adamw, rate=False),
        functools.partial(adamw, root=False),
        lambda p, g, m, s, t, lr, decay: adamw(p, g, m, s, t + 1, lr, decay),
    ],
    "warm_up_and_cosine": [
        functools.partial(rate, late=1),
        functools.partial(rate, half=True),
        lambda step, steps, warmup, largest: rate(step, steps, warmup, 1.0),
    ],
    "one_optimiser_for_any_scale": [
        lambda loss, start, steps: (0.0, 0.0),
        functools.partial(walk, make=adam, over=2),
        functools.partial(walk, make=functools.partial(adam, lr=0.001)),
    ],
}

RIGHT = {
    "two_steps_by_hand": [("8/5", "11/25", 0.9), ([1.6], np.float64(0.44), "9/10")],
    "what_the_corrections_do": [(10**0.5, 0.651, 44.0), (3.162, "0.6513", [44])],
    "the_largest_rate": [("2/25", "1/13", "12/13"), (0.08, 0.0769, [0.923])],
    "true_or_false": [
        (np.True_, True, np.False_, False, True, True),
        ("true", "True", "false", "FALSE", " true ", np.array([True])),
    ],
    "nesterovs_momentum": [
        lambda p, g, v, lr, beta: {"p": p - lr * (g + beta * (beta * v + g)), "v": beta * v + g},
        lambda *given: [x.tolist() for x in nesterov(*given)],
    ],
    "one_step_of_adamw": [
        lambda *given: dict(zip("pms", adamw(*given), strict=True)),
        lambda *given: [x.tolist() for x in adamw(*given)],
    ],
    "warm_up_and_cosine": [
        lambda *given: np.array(rate(*given)),
        lambda step, steps, warmup, largest: (
            largest * (step + 1) / warmup
            if step < warmup
            else largest * math.cos(math.pi / 2 * (step - warmup) / (steps - warmup)) ** 2
        ),
    ],
    "one_optimiser_for_any_scale": [
        functools.partial(walk, make=adam),
        lambda loss, start, steps: np.array(walk(loss, start, steps, make=adam)),
    ],
}

MISREAD = {
    "two_steps_by_hand": Misread(
        (0.16, 0.944, 0.9),
        "The velocity is taken for a running mean, as Adam's is.",
        "the velocity is a running sum",
    ),
    "what_the_corrections_do": Misread(
        (0.1, 0.651, 44),
        "Only the correction of m is left out.",
        "leave out both",
    ),
    "the_largest_rate": Misread(
        (0.08, 0.04, 24 / 25),
        "The best rate is the one at which the steep coordinate arrives at once.",
        "balance the two",
    ),
    "true_or_false": Misread(
        (True, True, True, False, True, True),
        "Momentum is taken for one of the rules that divide by the gradient's size.",
        "it does not divide by their size",
    ),
    "nesterovs_momentum": Misread(
        functools.partial(nesterov, plain=True),
        "The velocity is updated, and the step goes along it, as before.",
        "Nesterov's steps along g + beta v",
    ),
    "one_step_of_adamw": Misread(
        functools.partial(adamw, inside=True),
        "The decay is a penalty in the gradient.",
        "the decay does not go through the means",
    ),
    "warm_up_and_cosine": Misread(
        functools.partial(rate, whole=True),
        "The cosine runs over all steps, and the warm-up is put over its beginning.",
        "the cosine begins where the warm-up ends",
    ),
    "one_optimiser_for_any_scale": Misread(
        functools.partial(walk, falling=False),
        "A rate that suits the valley as it is suits all three.",
        "steps should not depend on the factor",
    ),
}
