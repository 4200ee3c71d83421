"""The checkers of the exercises to micrograd, both halves: gradients by hand, engine, training."""

from __future__ import annotations

import math
from typing import Any

from checks import Sheet, Wrong, close, same, true
from micrograd import Value

sheet = Sheet("micrograd")
check, hint = sheet.check, sheet.hint


@sheet.exercise(
    1,
    "a gradient by hand",
    hints=[
        "First forward: write e = a*b and d = e + c with their numbers. Then backward from L.",
        "A product hands each input the other factor times what arrives; a sum hands it on.",
    ],
)
def _(a: Any, b: Any, c: Any, f: Any) -> None:
    close(a, 3.0, "the gradient of a")
    close(b, -9.0, "the gradient of b")
    close(c, -3.0, "the gradient of c")
    close(f, 2.0, "the gradient of f")


def _f_gradient(a: float, b: float, c: float) -> list[float]:
    return [-3 * a**2 - 0.5 * a**-0.5, 3 * math.cos(3 * b) + 2.5 * b**1.5, c**-2]


@sheet.exercise(
    2,
    "the derivatives of f",
    hints=[
        "Each of the five terms holds one letter only, so three of them vanish each time.",
        "d sin(3b)/db has an inner derivative; -1/c is -c**-1.",
    ],
)
def _(gradient: Any) -> None:
    close(gradient(2.0, 3.0, 4.0), [-12.353553390593273, 10.25699027111255, 0.0625], "at (2, 3, 4)")
    close(gradient(1.5, 0.4, -2.0), _f_gradient(1.5, 0.4, -2.0), "at (1.5, 0.4, -2)")
    close(gradient(0.3, 2.2, 0.7), _f_gradient(0.3, 2.2, 0.7), "at (0.3, 2.2, 0.7)")


@sheet.exercise(
    3,
    "a numerical gradient",
    hints=[
        "Nudge one input at a time, up and down; copy the list before you change it.",
        "The symmetric difference divides by 2h. Its error shrinks with h squared.",
    ],
)
def _(numerical: Any) -> None:
    given = [2.0, 3.0, 4.0]
    got = numerical(lambda a, b, c: a**3 * b - c, given, 1e-3)
    same(given, [2.0, 3.0, 4.0], "the list of inputs afterwards")
    close(got, [36.0, 8.0, -1.0], "the gradient of a**3 * b - c at (2, 3, 4), h = 0.001", rtol=1e-5)
    close(numerical(math.exp, [1.0], 1e-4), [math.e], "the slope of exp at 1", rtol=1e-7)
    close(numerical(lambda x: x * x, [0.0], 0.1), [0.0], "the slope of x**2 at 0, h = 0.1")


@sheet.exercise(
    4,
    "an operation with its closure",
    hints=[
        "out = Value(number, (x,), 'sin'); then a function without arguments that adds to x.grad.",
        "The derivative of the sine is the cosine, times out.grad, added to what x.grad holds.",
    ],
)
def _(sine: Any) -> None:
    x = Value(0.7)
    y = sine(x)
    true(isinstance(y, Value), "sine(x) gives a Value")
    close(y.data, math.sin(0.7), "the sine of 0.7")
    true(y._prev == (x,), "the result remembers its input in _prev")
    y.backward()
    close(x.grad, math.cos(0.7), "the gradient of sine(x) at 0.7")
    x = Value(-1.3)
    (sine(x) * 3 + sine(x) * x).backward()
    close(
        x.grad,
        3 * math.cos(-1.3) + math.sin(-1.3) - 1.3 * math.cos(-1.3),
        "the gradient of 3 sine(x) + x sine(x), where x is used three times",
    )


@sheet.exercise(
    5,
    "softmax and negative log likelihood",
    hints=[
        "Exponentiate every logit, divide each by the sum of all, take the one with the label.",
        "A Value has .exp() and .log(); sum() works on a list of Values.",
    ],
)
def _(nll: Any) -> None:
    logits = [Value(v) for v in (0.0, 3.0, -2.0, 1.0)]
    loss = nll(logits, 3)
    true(isinstance(loss, Value), "nll gives a Value, so that gradients can flow")
    close(loss.data, 2.1755153626167147, "the loss of (0, 3, -2, 1) with label 3")
    loss.backward()
    close(
        [v.grad for v in logits],
        [0.041772570515350445, 0.8390245074625319, 0.005653302662216329, -0.8864503806400986],
        "the four gradients",
    )
    logits = [Value(v) for v in (1.0, -1.0)]
    nll(logits, 0).backward()
    p = 1 / (1 + math.exp(-2.0))
    close([v.grad for v in logits], [p - 1, 1 - p], "the gradients of (1, -1) with label 0")


@sheet.exercise(
    6,
    "a topological order without recursion",
    hints=[
        "Keep a list of what is still to do; a node goes into the order when its inputs are there.",
        "Put a node back on the list before its inputs, with a mark that says: inputs come first.",
    ],
)
def _(order: Any) -> None:
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
    same(len(got), len(set(got)), "how many different nodes there are, against the order's length")
    true(set(got) == everything, "every node of a graph of seven is in the order, and nothing else")
    place = {node: i for i, node in enumerate(got)}
    true(
        all(place[x] < place[n] for n in got for x in n._prev), "inputs stand before their results"
    )
    long = Value(0.0)
    for _ in range(20_000):
        long = long + 1
    try:
        count = len(order(long))
    except RecursionError:
        raise Wrong("a chain of 20,000 additions: Python's recursion limit was reached") from None
    same(count, 40_001, "the number of nodes in a chain of 20,000 additions")


@sheet.exercise(
    7,
    "a training loop",
    hints=[
        "Four things a step: the loss, zero the gradients, backward, update. In this order.",
        "Keep the loss's number (loss.data) of each step before the update.",
    ],
)
def _(train: Any) -> None:
    w, b = Value(5.0), Value(-1.0)
    w.grad = 100.0  # left over from something else
    losses = train(lambda: (w - 1) ** 2 + (b + w) ** 2, [w, b], 3, 0.1)
    wanted, x, y = [], 5.0, -1.0
    for _ in range(3):
        wanted.append((x - 1) ** 2 + (y + x) ** 2)
        x, y = x - 0.1 * (2 * (x - 1) + 2 * (y + x)), y - 0.1 * 2 * (y + x)
    close(losses, wanted, "the losses of three steps on a quadratic")
    close([w.data, b.data], [x, y], "the parameters after three steps")


@sheet.exercise(
    8,
    "exclusive or",
    hints=[
        "One hidden layer of four tanh neurons is enough; the output may be linear.",
        "If it gets stuck, start from another seed: with few neurons not every start succeeds.",
    ],
)
def _(model: Any) -> None:
    for x, wanted in (((-1, -1), -1), ((-1, 1), 1), ((1, -1), 1), ((1, 1), -1)):
        answer = model([float(v) for v in x])
        true(isinstance(answer, Value), "the network's answer is a Value")
        true(abs(answer.data - wanted) < 0.2, f"the answer for {x} is within 0.2 of its target")
    true(len(model.parameters()) <= 41, "the network has at most 41 parameters")
