"""The classifier of the original's demo: MLP(2, [16, 16, 1]) on the moons, hinge loss and L2.

`with_layers` is the demo's own code; `with_loops` has a neuron's sum written out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.models import Network, Numbers, leaves
from micrograd import Value, data, nn

__all__ = ["batch", "numbers", "with_layers", "with_loops"]

ALPHA = 1e-4  # of the L2 penalty


def numbers(seed: int = 1337, sizes: tuple[int, ...] = (2, 16, 16, 1)) -> dict[str, np.ndarray]:
    """A weight (nout, nin) from U(-1, 1) and a bias of 0 for each layer."""
    rng = np.random.default_rng(seed)
    found = {}
    for i, (nin, nout) in enumerate(pairwise(sizes)):
        found[f"weight{i}"] = rng.uniform(-1, 1, (nout, nin))
        found[f"bias{i}"] = np.zeros(nout)
    return found


def batch(n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2), and labels of -1 and 1."""
    X, classes = data.moons(n, noise=0.1, seed=1337)
    return X, 2 * classes - 1


def with_layers(numbers: Numbers) -> Network:
    weights = [array for name, array in numbers.items() if name.startswith("weight")]
    model = nn.MLP(weights[0].shape[1], [len(weight) for weight in weights])

    def loss(X: Any, y: Any) -> Value:
        scores = [model(x) for x in X]
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        penalty = ALPHA * sum(p * p for p in model.parameters())
        return sum(losses) * (1.0 / len(losses)) + penalty

    values = {}
    for i, layer in enumerate(model.layers):
        values[f"weight{i}"] = np.array([neuron.w for neuron in layer.neurons])
        values[f"bias{i}"] = np.array([neuron.b for neuron in layer.neurons])
    for name, array in values.items():
        for value, number in zip(array.flat, numbers[name].flat, strict=True):
            value.data = number
    return Network(loss, values)


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    count = len(values) // 2
    layers = [(values[f"weight{i}"].tolist(), values[f"bias{i}"].tolist()) for i in range(count)]

    def loss(X: Any, y: Any) -> Value:
        total = 0.0
        for x, yi in zip(X, y, strict=True):
            signals = x
            for weight, bias in layers:
                outputs = []
                for row, b in zip(weight, bias, strict=True):
                    total_input = b
                    for w, signal in zip(row, signals, strict=True):
                        total_input = total_input + w * signal
                    outputs.append(total_input)
                signals = outputs if weight is layers[-1][0] else [s.relu() for s in outputs]
            total = total + (1 - yi * signals[0]).relu()
        penalty = 0.0
        for weight, bias in layers:
            for row in [*weight, bias]:
                for w in row:
                    penalty = penalty + w * w
        return total / len(y) + ALPHA * penalty

    return Network(loss, values)
