"""Planted answers to micrograd's exercises: mistakes, and right ones of unusual form."""

import functools
import math
import random

import numpy as np
from planting import Misread

from micrograd import Value, nn


def gradient(a, b, c, *, inner=3.0, sign=1.0, root=True):
    of_a = -3 * a**2 - (0.5 * a**-0.5 if root else 0.0)
    return [of_a, inner * math.cos(3 * b) + 2.5 * b**1.5, sign * c**-2]


def forward_difference(f, xs, h):
    return [(f(*xs[:i], xs[i] + h, *xs[i + 1 :]) - f(*xs)) / h for i in range(len(xs))]


def not_divided_by_two(f, xs, h):
    def nudged(i, by):
        return f(*xs[:i], xs[i] + by, *xs[i + 1 :])

    return [(nudged(i, h) - nudged(i, -h)) / h for i in range(len(xs))]


def changes_its_inputs(f, xs, h):
    found = []
    for i in range(len(xs)):
        xs[i] += h
        up = f(*xs)
        xs[i] -= 2 * h
        found.append((up - f(*xs)) / (2 * h))
    return found


def sine(x, *, accumulate=True, arriving=True, slope=math.cos, remembers=True):
    out = Value(math.sin(x.data), (x,) if remembers else (), "sin")

    def backward():
        pushed = slope(x.data) * (out.grad if arriving else 1.0)
        x.grad = x.grad + pushed if accumulate else pushed

    out._backward = backward
    return out


def nll(logits, label, *, log=True, sign=-1, normalise=True):
    counts = [v.exp() for v in logits]
    p = counts[label] / sum(counts) if normalise else counts[label]
    return sign * (p.log() if log else p)


def recursive(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for x in node._prev:
                visit(x)
            order.append(node)

    visit(root)
    return order


def breadth_first(root):
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop(0)
        if node not in order[:100]:
            order.append(node)
            waiting += node._prev
    return order[::-1]


def train(loss_of, parameters, steps, rate, *, zero=True, sign=-1, after=False):
    losses = []
    for _ in range(steps):
        loss = loss_of()
        if zero:
            for p in parameters:
                p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data += sign * rate * p.grad
        losses.append(loss_of().data if after else loss.data)
    return losses


class Linear(nn.Neuron):
    def __init__(self):
        super().__init__(2, nonlin=False, rng=random.Random(0))


class Knows:
    """The right answers as plain numbers: nothing that could learn."""

    def __call__(self, x):
        return -x[0] * x[1]

    def parameters(self):
        return []


class OrByHand:
    """Right where at least one input is +1, which is another question."""

    def __call__(self, x):
        return Value(max(x)) * 1

    def parameters(self):
        return []


WRONG = {
    "a_gradient_by_hand": [(3.0, -9.0, -3.0, -3.0), (-3.0, -9.0, -3.0, 2.0)],
    "the_derivatives_of_a_function": [
        functools.partial(gradient, sign=-1.0),
        functools.partial(gradient, root=False),
        lambda a, b, c: [-12.353553390593273, 10.25699027111255, 0.0625],
    ],
    "the_same_by_nudging": [not_divided_by_two, changes_its_inputs],
    "an_operation_of_your_own": [
        lambda x: x.sin(),  # the method that the text forbids
        functools.partial(sine, arriving=False),
        functools.partial(sine, slope=lambda x: -math.cos(x)),
        functools.partial(sine, remembers=False),
        lambda x: math.sin(x.data),
    ],
    "softmax_and_negative_log_likelihood": [
        functools.partial(nll, log=False),
        functools.partial(nll, sign=1),
        functools.partial(nll, normalise=False),
        lambda logits, label: nll(logits, label).data,
    ],
    "a_topological_order_without_recursion": [
        breadth_first,
        lambda root: recursive(root)[::-1],
    ],
    "a_training_loop": [
        functools.partial(train, zero=False),
        functools.partial(train, sign=1),
    ],
    "exclusive_or": [Linear(), Knows(), nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))],
}


def gradient_by_engine(a, b, c):
    a, b, c = Value(a), Value(b), Value(c)
    y = -(a**3) + (3 * b).sin() - 1 / c + b**2.5 - a**0.5
    y.backward()
    return a.grad, b.grad, c.grad


def numerical_by_loop(f, xs, h=1e-5):
    slopes = np.zeros(len(xs))
    for i in range(len(xs)):
        step = h * np.eye(len(xs))[i]
        slopes[i] = (f(*(xs + step)) - f(*(xs - step))) / 2 / h
    return slopes


def numerical_that_puts_back(f, xs, h):
    found = []
    for i, x in enumerate(xs):
        xs[i] = x + h
        up = f(*xs)
        xs[i] = x - h
        found.append((up - f(*xs)) / (2 * h))
        xs[i] = x
    return tuple(found)


def sine_by_tuple(x):
    out = Value(math.sin(x.data), [x], "sin")
    slope = (1 - out.data**2) ** 0.5 * (1 if math.cos(x.data) > 0 else -1)

    def _backward():
        x.grad = x.grad + slope * out.grad

    out._backward = _backward
    return out


def sine_by_lambda(x):
    out = Value(np.sin(x.data), (x,), "sine")
    out._backward = lambda: setattr(x, "grad", x.grad + math.cos(x.data) * out.grad)
    return [out]


def nll_stable(logits, label):
    top = max(logits, key=lambda v: v.data).data
    return sum((v - top).exp() for v in logits).log() + top - logits[label]


def order_by_counts(root):
    """Kahn's way: a node is ready when all its uses have been seen; from the result backwards."""
    uses, waiting, seen = {}, [root], {root}
    while waiting:
        node = waiting.pop()
        for x in node._prev:
            uses[x] = uses.get(x, 0) + 1
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    ready, order = [root], []
    while ready:
        node = ready.pop()
        order.append(node)
        for x in node._prev:
            uses[x] -= 1
            if not uses[x]:
                ready.append(x)
    return tuple(order[::-1])


def zeroes_afterwards(loss_of, parameters, steps, rate):
    losses = []
    while len(losses) < steps:
        loss = loss_of()
        loss.backward()
        losses.append(loss)
        for p in parameters:
            p.data, p.grad = p.data - rate * p.grad, 0.0
    return losses


def two_in_parts(x):
    """Exclusive or with weights chosen by hand: tanh neurons that say "or" and "and"."""
    a, b = (Value(v) if not isinstance(v, Value) else v for v in x)
    one, both = ((a + b) * 3 + 3).tanh(), ((a + b) * 3 - 3).tanh()
    return one - both - 1


class ByHand:
    def __call__(self, x):
        return [two_in_parts(x)]

    def parameters(self):
        return [Value(w) for w in (3, 3, 3, 3, 3, -3, 1, -1, -1)]


def trained(seed):
    model = nn.MLP(2, [8, 1], activation="tanh", rng=random.Random(seed))
    points = [([-1.0, -1.0], -1), ([-1.0, 1.0], 1), ([1.0, -1.0], 1), ([1.0, 1.0], -1)]
    train(lambda: sum((model(x) - y) ** 2 for x, y in points), model.parameters(), 300, 0.05)
    return model


RIGHT = {
    "a_gradient_by_hand": [("3", -9, -3.0, 2), ([3.0], np.float64(-9), Value(-3.0), "4/2")],
    "the_derivatives_of_a_function": [
        gradient_by_engine,
        lambda *at: np.array([Value(g) for g in gradient(*at)]),
    ],
    "the_same_by_nudging": [numerical_by_loop, numerical_that_puts_back],
    "an_operation_of_your_own": [sine_by_tuple, sine_by_lambda],
    "softmax_and_negative_log_likelihood": [nll_stable, lambda *a: np.array([nll(*a)])],
    "a_topological_order_without_recursion": [
        order_by_counts,
        lambda root: iter(order_by_counts(root)),
    ],
    "a_training_loop": [zeroes_afterwards, lambda *a: np.array(train(*a))],
    "exclusive_or": [ByHand(), trained(3)],
}

MISREAD = {
    "a_gradient_by_hand": Misread(
        (-1.0, 3.0, 1.0, 2.0),
        "The gradient of a product's input is read as the other factor, and that is all.",
        "multiply it by the gradient that arrives there",
    ),
    "the_derivatives_of_a_function": Misread(
        functools.partial(gradient, inner=1.0),
        "The derivative of a sine is the cosine, whatever stands inside.",
        "sin(3b) has an inner derivative",
    ),
    "the_same_by_nudging": Misread(
        forward_difference,
        "A nudge is one to the right, as in the video.",
        "nudge up and down",
    ),
    "an_operation_of_your_own": Misread(
        functools.partial(sine, accumulate=False),
        "The closure gives x its gradient, and replaces what was there.",
        "backward is to add to x.grad",
    ),
    "softmax_and_negative_log_likelihood": Misread(
        lambda logits, label: nll(logits, label - 1),
        "Number 3 of four is the third.",
        "labels count from 0",
    ),
    "a_topological_order_without_recursion": Misread(
        recursive,
        "Each once, inputs first: the order of the lecture does that.",
        "Python's recursion limit was reached",
    ),
    "a_training_loop": Misread(
        functools.partial(train, after=True),
        "The loss of a step is the one that it leads to.",
        "give those before",
    ),
    "exclusive_or": Misread(
        OrByHand(),
        "Exclusive or is read as or.",
        "within 0.2 of -1",
    ),
}
