"""The checkers of the optimisers' exercises: momentum, Adam, AdamW, schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from checks import Sheet, Wrong, array, by_hand, close, number, several, true, truths
from micrograd import Value

sheet = Sheet("Optimisers")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    hints=[
        "The velocity is 4 after the first step. Which part of it is left in the second?",
        "Adam's first step has one length, whatever the gradient.",
    ],
)
def two_steps_by_hand(velocity: Any, with_momentum: Any, with_adam: Any) -> None:
    mean = "that is a running mean; the velocity is a running sum, with the whole gradient"
    plain = "that is without momentum; 0.9 of the old velocity stays"
    by_hand(velocity, 1.6, "the velocity after both steps", instead={mean: 0.16, plain: -2.0})
    instead = {mean: 0.944, plain: 0.8, "that is after the first step; two are asked for": 0.6}
    by_hand(with_momentum, 0.44, "p after both steps of momentum", instead=instead)
    uncorrected = "that is without the corrections; divide both means by 1 - beta"
    instead = {uncorrected: 1 - 0.1 * 0.1 / 0.001**0.5, "that is a step of plain descent": 0.6}
    by_hand(with_adam, 0.9, "p after one step of Adam", instead=instead)


@sheet.exercise(
    2,
    hints=[
        "After one gradient g: m is a tenth of it. And the root of s?",
        "For equal gradients m is 1 - 0.9 ** t of the gradient.",
    ],
)
def what_the_corrections_do(times_longer: Any, share: Any, steps_to_99: Any) -> None:
    instead = {
        "that leaves the root out: the step divides by the root of s": 100.0,
        "that is how many times shorter; give how many times longer": 0.001**0.5 / 0.1,
        "that leaves out the correction of m only; leave out both": 0.1,
        "that leaves out the correction of s only; leave out both": 1 / 0.001**0.5,
    }
    what = "how many times longer the first step is"
    by_hand(times_longer, 0.1 / 0.001**0.5, what, instead=instead)
    instead = {
        "that is what is missing; give what m holds": 0.9**10,
        "that is after nine steps": 1 - 0.9**9,
    }
    by_hand(share, 1 - 0.9**10, "what m holds after ten steps", instead=instead)
    instead = {"after that many it holds a little less than 0.99": 43}
    what = "the number of steps until m holds 0.99"
    by_hand(steps_to_99, 44, what, exact=True, instead=instead)


@sheet.exercise(
    3,
    hints=[
        "One step multiplies x by 1 - rate, and y by what?",
        "The slower of two factors is smallest where both have the same size.",
    ],
)
def the_largest_rate(limit: Any, best: Any, factor: Any) -> None:
    instead = {
        "there y arrives in one step; it converges beyond that, jumping across": 1 / 25,
        "that is the limit for x; y is steeper": 2.0,
    }
    by_hand(limit, 2 / 25, "the limit of the rate", instead=instead)
    instead = {"there y arrives in one step, and x is slow; balance the two": 1 / 25}
    by_hand(best, 2 / 26, "the best rate", instead=instead)
    instead = {
        "that is for the rate 1/25; give it for the best rate": 24 / 25,
        "that is by how much they shrink; give the factor": 1 / 13,
    }
    by_hand(factor, 24 / 26, "the factor of a step at the best rate", instead=instead)


@sheet.exercise(
    4,
    title="True or false",
    hints=[
        "Write down one step of each rule for the gradient g, and again for 10 g.",
        "For d: after a thousand small gradients comes a large one. What are m and s?",
    ],
)
def true_or_false(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    mistaken = {
        "momentum adds gradients up; it does not divide by their size": [1, 1, 1, 0, 1, 1],
        "only with equal gradients is a step of Adam the rate": [1, 1, 0, 1, 1, 1],
    }
    truths((a, b, c, d, e, f), (True, True, False, False, True, True), "abcdef", instead=mistaken)


@sheet.exercise(
    5,
    title="Nesterov's momentum",
    hints=["First the new velocity, as in section 2.", "Then g + beta * v with the new v."],
)
def nesterovs_momentum(nesterov: Any) -> None:
    rng = np.random.default_rng(85)
    for shape, lr, beta in (((2,), 0.1, 0.9), ((3, 4), 0.03, 0.5)):
        p, g, v = rng.standard_normal((3, *shape))
        given = p.copy(), v.copy()
        point, velocity = several(nesterov(p, g, v, lr, beta), "p", "v")
        unchanged = np.array_equal(p, given[0]) and np.array_equal(v, given[1])
        true(unchanged, "the arrays that were given are as they were")
        new = beta * v + g
        mistaken = {
            "that is plain momentum; Nesterov's steps along g + beta v": p - lr * new,
            "take the new v for the step": p - lr * (g + beta * v),
        }
        what = f"for arrays of shape {shape}"
        close(array(velocity, f"v {what}", shape), new, f"v {what}")
        right = p - lr * (g + beta * new)
        close(array(point, f"p {what}", shape), right, f"p {what}", instead=mistaken)


@sheet.exercise(
    6,
    title="One step of AdamW",
    hints=[
        "Both running means first, then both corrections, with t as it is given.",
        "The decay multiplies p by 1 - lr * decay and has nothing to do with the gradient.",
    ],
)
def one_step_of_adamw(adamw: Any) -> None:
    rng = np.random.default_rng(86)
    for shape, t, decay in (((2,), 1, 0.0), ((2,), 3, 0.2), ((3, 2), 500, 0.1)):
        p, g, m = rng.standard_normal((3, *shape))
        m, s = (np.zeros(shape), np.zeros(shape)) if t == 1 else (m, rng.random(shape))
        lr = 0.1 / t**0.5
        given = [x.copy() for x in (p, m, s)]
        found = several(adamw(p, g, m, s, t, lr, decay), "p", "m", "s")
        unchanged = all(np.array_equal(x, y) for x, y in zip((p, m, s), given, strict=True))
        true(unchanged, "the arrays that were given are as they were")
        wanted = _adamw(p, g, m, s, t, lr, decay)
        what = f"after step {t}, decay {decay}"
        for name, got, right in zip("ms", found[1:], wanted[1:], strict=True):
            through = _adamw(p, g + decay * p, *given[1:], t, lr, 0.0)["pms".index(name)]
            mistaken = {"the decay does not go through the means": through} if decay else {}
            got = array(got, f"{name} {what}", shape)
            close(got, right, f"{name} {what}", instead=mistaken)
        m, s = wanted[1:]
        plain = m / (np.sqrt(s) + 1e-8)
        mistaken = {
            "the means are not corrected": (1 - lr * decay) * p - lr * plain,
            "that is without the decay": _adamw(p, g, *given[1:], t, lr, 0.0)[0],
            "the decay is multiplied by the rate, too": wanted[0] + (lr - 1) * decay * p,
        }
        if decay == 0:
            mistaken = {"the means are not corrected": p - lr * plain}
        close(array(found[0], f"p {what}", shape), wanted[0], f"p {what}", instead=mistaken)


def _adamw(p: Any, g: Any, m: Any, s: Any, t: int, lr: float, decay: float) -> tuple[Any, ...]:
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
    step = lr * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return p - lr * decay * p - step, m, s


@sheet.exercise(
    7,
    title="Warm-up and cosine",
    hints=[
        "Two cases: step < warmup, and the rest.",
        "In the second the share of the way is (step - warmup) / (steps - warmup).",
    ],
)
def warm_up_and_cosine(rate: Any) -> None:
    for step in (0, 1, 4):
        from_nothing = {"the first step is not one of rate 0; it counts as a part": step / 5}
        got = number(rate(step, 100, 5, 1.0), f"the rate of step {step}")
        what = f"the rate of step {step}, warm-up of 5 steps to 1"
        close(got, (step + 1) / 5, what, instead=from_nothing)
    for step, steps, warmup in ((5, 100, 5), (30, 100, 20), (99, 100, 20), (3, 10, 0)):
        t = (step - warmup) / (steps - warmup)
        mistaken = {}
        if warmup:
            whole = 0.2 * 0.5 * (1 + np.cos(np.pi * step / steps))
            mistaken["the cosine begins where the warm-up ends, with the largest rate"] = whole
        got = number(rate(step, steps, warmup, 0.2), f"the rate of step {step}")
        what = f"the rate of step {step} of {steps}, warm-up of {warmup} steps to 0.2"
        close(got, 0.2 * 0.5 * (1 + np.cos(np.pi * t)), what, instead=mistaken)


@sheet.exercise(
    8,
    hints=[
        "Which rules of exercise 4 take the same steps when the loss is multiplied?",
        "Adam at a rate of 0.3 that falls to 0 along a cosine.",
    ],
)
def one_optimiser_for_any_scale(minimise: Any) -> None:
    for factor, said in ((1.0, "as it is"), (1000.0, "times 1,000"), (0.001, "by 1,000")):
        calls, loss = _counted(factor)
        with np.errstate(all="ignore"):  # a walk that runs away is told below
            end = array(minimise(loss, (-4.0, 2.0), 400), "the pair of floats", (2,))
        true(calls[0] <= 400, f"the loss is asked at most 400 times, valley {said}")
        true(calls[0] > 0, f"the loss is asked, valley {said}")
        height = float(_valley(*end))
        if not np.isfinite(height):
            raise Wrong(f"valley {said}: the walk runs away; steps should not depend on the factor")
        if height > 0.001:
            raise Wrong(f"valley {said}: the walk ends at a height of {height:.3g}, above 0.001")
    calls, loss = _counted(1.0, shift=1.0)
    end = array(minimise(loss, (-3.0, 2.0), 400), "the pair of floats", (2,))
    if not _valley(end[0] - 1.0, end[1] - 1.0) <= 0.001:
        raise Wrong("with the lowest point elsewhere the walk does not get there")


def _valley(a: Any, b: Any) -> Any:
    return 0.5 * a * a + 20 * (b - 0.2 * a) ** 2


def _counted(factor: float, shift: float = 0.0) -> tuple[list[int], Callable[[Any, Any], Value]]:
    """([how often it was called], a valley times a factor, its lowest point moved)."""
    calls = [0]

    def loss(a: Any, b: Any) -> Value:
        calls[0] += 1
        return factor * _valley(a - shift, b - shift)

    return calls, loss
