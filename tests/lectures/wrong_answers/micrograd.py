"""Mistakes that a learner makes in the exercises to micrograd."""

import functools
import math
import random

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


WRONG = {
    1: [(3.0, -9.0, -3.0, -3.0), (-1.0, 3.0, 1.0, 2.0), (-3.0, -9.0, -3.0, 2.0)],
    2: [
        functools.partial(gradient, inner=1.0),
        functools.partial(gradient, sign=-1.0),
        functools.partial(gradient, root=False),
        lambda a, b, c: [-12.353553390593273, 10.25699027111255, 0.0625],
    ],
    3: [forward_difference, not_divided_by_two, changes_its_inputs],
    4: [
        functools.partial(sine, accumulate=False),
        functools.partial(sine, arriving=False),
        functools.partial(sine, slope=lambda x: -math.cos(x)),
        functools.partial(sine, remembers=False),
        lambda x: math.sin(x.data),
    ],
    5: [
        functools.partial(nll, log=False),
        functools.partial(nll, sign=1),
        functools.partial(nll, normalise=False),
        lambda logits, label: nll(logits, label).data,
    ],
    6: [recursive, breadth_first, lambda root: recursive(root)[::-1]],
    7: [
        functools.partial(train, zero=False),
        functools.partial(train, sign=1),
        functools.partial(train, after=True),
    ],
    8: [Linear(), Knows(), nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))],
}
