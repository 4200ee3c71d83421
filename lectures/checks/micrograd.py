"""The checkers of the exercises to micrograd, both halves: gradients by hand, engine, training."""

from __future__ import annotations

import math
from typing import Any

from checks import Sheet, Wrong, as_value, beside, by_hand, close, same, true, without
from micrograd import Value

sheet = Sheet("micrograd")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    hints=[
        "First forward: write e = a*b and d = e + c with their numbers. Then backward from L.",
        "A product hands each input the other factor times what arrives; a sum hands it on.",
    ],
)
def a_gradient_by_hand(a: Any, b: Any, c: Any, f: Any) -> None:
    local = (
        "that is the derivative of the next node; multiply it by the gradient that arrives there"
    )
    own = "that is made with the factor itself; the gradient of a product takes the other factor"
    by_hand(a, 3.0, "the gradient of a", instead={local: -1.0, own: -9.0})
    by_hand(b, -9.0, "the gradient of b", instead={local: 3.0, own: 3.0})
    by_hand(c, -3.0, "the gradient of c", instead={local: 1.0})
    by_hand(f, 2.0, "the gradient of f", instead={own: -3.0})


def _f_gradient(a: float, b: float, c: float) -> list[float]:
    return [-3 * a**2 - 0.5 * a**-0.5, 3 * math.cos(3 * b) + 2.5 * b**1.5, c**-2]


@sheet.exercise(
    2,
    hints=[
        "Each of the five terms holds one letter only, so three of them vanish each time.",
        "d sin(3b)/db has an inner derivative; -1/c is -c**-1.",
    ],
)
def the_derivatives_of_a_function(gradient: Any) -> None:
    for a, b, c in ((2.0, 3.0, 4.0), (1.5, 0.4, -2.0), (0.3, 2.2, 0.7)):
        right = _f_gradient(a, b, c)
        power = 2.5 * b**1.5
        mistaken = {
            "sin(3b) has an inner derivative": [right[0], math.cos(3 * b) + power, right[2]],
            "-1/c is -(c ** -1): two signs meet": [right[0], right[1], -right[2]],
            "the last term holds a as well": [-3 * a**2, right[1], right[2]],
        }
        close(gradient(a, b, c), right, f"at ({a:g}, {b:g}, {c:g})", instead=mistaken)


@sheet.exercise(
    3,
    hints=[
        "Nudge one input at a time, up and down; copy the list before you change it.",
        "The symmetric difference divides by 2h. Its error shrinks with h squared.",
    ],
)
def the_same_by_nudging(numerical: Any) -> None:
    given = [2.0, 3.0, 4.0]
    one_sided = {"that nudges to one side; nudge up and down": [0.1]}
    slope = numerical(lambda x: x * x, [0.0], 0.1)
    close(slope, [0.0], "the slope of x**2 at 0, h = 0.1", instead=one_sided)
    twice = {"up and down lie 2h apart": [2 * math.e]}
    slope = numerical(math.exp, [1.0], 1e-4)
    close(slope, [math.e], "the slope of exp at 1", rtol=1e-7, instead=twice)
    got = numerical(lambda a, b, c: a**3 * b - c, given, 1e-3)
    true(given == [2.0, 3.0, 4.0], "the list of inputs that was given is unchanged")
    close(got, [36.0, 8.0, -1.0], "the gradient of a**3 * b - c at (2, 3, 4), h = 0.001", rtol=1e-5)


@sheet.exercise(
    4,
    hints=[
        "out = Value(number, (x,), 'sin'); then a function without arguments that adds to x.grad.",
        "The derivative of the sine is the cosine, times out.grad, added to what x.grad holds.",
    ],
)
def an_operation_of_your_own(sine: Any) -> None:
    x = Value(0.7)
    with without("x.sin()", "sin", module="micrograd"):
        result = sine(x)
    y = as_value(result, "sine(x)")
    close(y.data, math.sin(0.7), "the sine of 0.7")
    true(y._prev == (x,), "the result remembers its input in _prev")
    y.backward()
    close(x.grad, math.cos(0.7), "the gradient of sine(x) at 0.7")
    x = Value(-1.3)
    (as_value(sine(x), "sine(x)") * 3 + as_value(sine(x), "sine(x)") * x).backward()
    cosine, sine_of_x = math.cos(-1.3), math.sin(-1.3)
    replaced = "backward is to add to x.grad, not to set it"
    mistaken = {
        replaced: 3 * cosine,
        f"{replaced}: another use has added already": -1.3 * cosine,
        f"{replaced}: the product has added already": 3 * cosine + sine_of_x,
        "what arrives in out.grad is left out": 2 * cosine + sine_of_x,
    }
    what = "the gradient of 3 sine(x) + x sine(x), where x is used three times"
    close(x.grad, 3 * cosine + sine_of_x - 1.3 * cosine, what, instead=mistaken)


@sheet.exercise(
    5,
    hints=[
        "Exponentiate every logit, divide each by the sum of all, take the one with the label.",
        "A Value has .exp() and .log(); sum() works on a list of Values.",
    ],
)
def softmax_and_negative_log_likelihood(nll: Any) -> None:
    logits = [Value(v) for v in (0.0, 3.0, -2.0, 1.0)]
    loss = as_value(nll(logits, 3), "nll(logits, label)")
    total = sum(map(math.exp, (0.0, 3.0, -2.0, 1.0)))
    mistaken = {
        "that is for the third score; labels count from 0, and 3 is the last": math.log(total) + 2,
        "that is minus the probability; give minus its logarithm": -math.e / total,
        "that is minus the score; take minus the logarithm of its probability": -1.0,
    }
    what = "the loss of (0, 3, -2, 1) with label 3"
    close(loss.data, 2.1755153626167147, what, instead=mistaken)
    loss.backward()
    close(
        [v.grad for v in logits],
        [0.041772570515350445, 0.8390245074625319, 0.005653302662216329, -0.8864503806400986],
        "the four gradients",
    )
    logits = [Value(v) for v in (1.0, -1.0)]
    as_value(nll(logits, 0), "nll(logits, label)").backward()
    p = 1 / (1 + math.exp(-2.0))
    close([v.grad for v in logits], [p - 1, 1 - p], "the gradients of (1, -1) with label 0")


@sheet.exercise(
    6,
    hints=[
        "Keep a list of what is still to do; a node goes into the order when its inputs are there.",
        "Put a node back on the list before its inputs, with a mark that says: inputs come first.",
    ],
)
def a_topological_order_without_recursion(order: Any) -> None:
    a, b = Value(1.0), Value(2.0)
    shared = a * b
    root = (shared + a) * (shared + b) + shared
    got = list(order(root))
    everything = {a, b, shared}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        everything.add(node)
        waiting += node._prev
    true(all(isinstance(node, Value) for node in got), "the order holds Values")
    true(len(got) == len(set(got)), "each Value stands in the order once")
    true(set(got) == everything, "every node of a graph of seven is in the order, and nothing else")
    place = {node: i for i, node in enumerate(got)}
    true(
        all(place[x] < place[n] for n in got for x in n._prev), "inputs stand before their results"
    )
    long = Value(0.0)
    for _ in range(20_000):
        long = long + 1
    try:
        count = len(list(order(long)))
    except RecursionError:
        raise Wrong("a chain of 20,000 additions: Python's recursion limit was reached") from None
    same(count, 40_001, "the number of nodes in a chain of 20,000 additions")


@sheet.exercise(
    7,
    hints=[
        "Four things a step: the loss, zero the gradients, backward, update. In this order.",
        "Keep the loss's number (loss.data) of each step before the update.",
    ],
)
def a_training_loop(train: Any) -> None:
    w, b = Value(5.0), Value(-1.0)
    losses = train(lambda: (w - 1) ** 2 + (b + w) ** 2, [w, b], 3, 0.1)
    wanted, x, y = [], 5.0, -1.0
    for _ in range(3):
        wanted.append((x - 1) ** 2 + (y + x) ** 2)
        x, y = x - 0.1 * (2 * (x - 1) + 2 * (y + x)), y - 0.1 * 2 * (y + x)
    after = [*wanted[1:], (x - 1) ** 2 + (y + x) ** 2]
    kept, (x2, y2), (dx, dy) = [], (5.0, -1.0), (0.0, 0.0)  # gradients that are never set to zero
    for _ in range(3):
        kept.append((x2 - 1) ** 2 + (y2 + x2) ** 2)
        dx, dy = dx + 2 * (x2 - 1) + 2 * (y2 + x2), dy + 2 * (y2 + x2)
        x2, y2 = x2 - 0.1 * dx, y2 - 0.1 * dy
    mistaken = {
        "those are the losses after each update; give those before": after,
        "the gradients of the step before are still there: set them to zero each time": kept,
    }
    close(losses, wanted, "the losses of three steps on a quadratic", instead=mistaken)
    close([w.data, b.data], [x, y], "the parameters after three steps")


@sheet.exercise(
    8,
    hints=[
        "One hidden layer of four tanh neurons is enough; the output may be linear.",
        "If it gets stuck, start from another seed: with few neurons not every start succeeds.",
    ],
)
def exclusive_or(model: Any) -> None:
    true(callable(model), "the model is a network: it takes a list of two numbers")
    for x, wanted in (((-1, -1), -1), ((-1, 1), 1), ((1, -1), 1), ((1, 1), -1)):
        answer = as_value(model([float(v) for v in x]), f"the network's answer for {x}")
        found = beside(abs(answer.data - wanted), 0.2, 2)
        near = f"the answer for {x} is within 0.2 of {wanted} (it is {found} away)"
        true(abs(answer.data - wanted) < 0.2, near)
    true(len(model.parameters()) <= 41, "the network has at most 41 parameters")
