"""The demo in the original micrograd 0.1.0, and the GPT in the engine of `scalar.py`.

Both are plain loops over Values, run as Python starts: the cycle collector is on.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from benchmarks.engine import load
from benchmarks.models import demo, gpt
from benchmarks.peers import scalar

__all__ = ["Contestant"]


class Contestant:
    """One network with its optimiser, a loop over the parameters."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float
    ) -> None:
        if network == "demo":
            self.loss, self.p = demo_network(numbers)
        else:
            make = np.frompyfunc(lambda number: scalar.Value(float(number)), 1, 1)
            self.p = {name: make(array) for name, array in numbers.items()}
            matrix = {name.removesuffix(".weight"): a.tolist() for name, a in self.p.items()}
            self.loss = lambda *name: gpt_loss(matrix, *name)
        self.parameters = [w for array in self.p.values() for w in array.flat]
        self.lr, self.adam = lr, optimiser == "adam"
        self.m, self.v, self.t = [0.0] * len(self.parameters), [0.0] * len(self.parameters), 0

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[Any, ...]:
        return tuple(array.tolist() for array in batch)

    def step(self, batch: tuple[Any, ...]) -> Any:
        loss = self.forward_backward(batch)
        if self.adam:
            self.t += 1
            for i, w in enumerate(self.parameters):
                self.m[i] = 0.85 * self.m[i] + 0.15 * w.grad
                self.v[i] = 0.99 * self.v[i] + 0.01 * w.grad**2
                m, v = self.m[i] / (1 - 0.85**self.t), self.v[i] / (1 - 0.99**self.t)
                w.data -= self.lr * m / (math.sqrt(v) + 1e-8)
        else:
            for w in self.parameters:
                w.data -= self.lr * w.grad
        return loss.data

    def forward_backward(self, batch: tuple[Any, ...]) -> Any:
        loss = self.loss(*batch)
        for w in self.parameters:
            w.grad = 0.0
        loss.backward()
        return loss

    def gradients(self, batch: tuple[Any, ...]) -> tuple[float, dict[str, Any]]:
        loss = self.forward_backward(batch)
        read = np.frompyfunc(lambda w: w.grad, 1, 1)
        return loss.data, {name: read(array).astype(float) for name, array in self.p.items()}


def demo_network(numbers: dict[str, np.ndarray]) -> tuple[Any, dict[str, np.ndarray]]:
    """The demo as it stands in the original's notebook."""
    Value, networks = load("original")
    sys.setrecursionlimit(100_000)  # its backward recurses
    weights = [array for name, array in numbers.items() if name.startswith("weight")]
    model = networks.MLP(weights[0].shape[1], [len(weight) for weight in weights])
    p = {}
    for i, layer in enumerate(model.layers):
        p[f"weight{i}"] = np.array([neuron.w for neuron in layer.neurons])
        p[f"bias{i}"] = np.array([neuron.b for neuron in layer.neurons])
    for name, array in p.items():
        for w, number in zip(array.flat, numbers[name].flat, strict=True):
            w.data = float(number)

    def loss(X: Any, y: Any) -> Any:
        inputs = [list(map(Value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        penalty = demo.ALPHA * sum(w * w for w in model.parameters())
        return sum(losses) * (1.0 / len(losses)) + penalty

    return loss, p


def gpt_loss(matrix: dict[str, Any], letters: list[int], following: list[int]) -> Any:
    losses, keys, values = [], [], []
    for t, (letter, target) in enumerate(zip(letters, following, strict=True)):
        x = added(matrix["token"][letter], matrix["position"][t])
        x = gpt.normed(x)
        y = gpt.normed(x)
        query = gpt.linear(y, matrix["query"])
        keys.append(gpt.linear(y, matrix["key"]))
        values.append(gpt.linear(y, matrix["value"]))
        mixed = []
        for h in range(0, gpt.WIDTH, gpt.SIZE):
            head = range(h, h + gpt.SIZE)
            weights = softmax(
                [sum(query[i] * key[i] for i in head) * gpt.SIZE**-0.5 for key in keys]
            )
            mixed += [sum(w * v[i] for w, v in zip(weights, values, strict=True)) for i in head]
        x = added(x, gpt.linear(mixed, matrix["project"]))
        hidden = [h.relu() for h in gpt.linear(gpt.normed(x), matrix["expand"])]
        x = added(x, gpt.linear(hidden, matrix["contract"]))
        probabilities = softmax(gpt.linear(x, matrix["head"]))
        losses.append(-probabilities[target].log())
    return sum(losses) / len(losses)


def added(xs: list[Any], ys: list[Any]) -> list[Any]:
    return [x + y for x, y in zip(xs, ys, strict=True)]


def softmax(scores: list[Any]) -> list[Any]:
    shift = max(score.data for score in scores)
    exponentials = [(score - shift).exp() for score in scores]
    total = sum(exponentials)
    return [e / total for e in exponentials]
