"""Neuron, Layer, MLP: the networks of the videos, in products and sums that one can draw.

They take a list (or array) of numbers or Values and give Values back. The draws, their order and
the `repr`s are those of the original micrograd; new are the choice of activation, and an error
where an input is too short.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.nn.learning import learning
from micrograd.nn.module import Module, positive
from micrograd.reals import describe

__all__ = ["Neuron", "Layer", "MLP"]

_TITLES = {
    "relu": "ReLU", "leaky_relu": "LeakyReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "GELU",
    "softplus": "Softplus",
}  # fmt: skip


class Neuron(Module):
    """y = activation(b + w1*x1 + ... + wn*xn), or without the activation where `nonlin` is False.

    Weights are drawn from uniform(-1, 1), one after the other, by `rng`: a `random.Random` or a
    NumPy Generator; without one by Python's `random` itself, so that `random.seed` rules.
    """

    def __init__(
        self, nin: int, nonlin: bool = True, activation: str = "relu", rng: Any = None
    ) -> None:
        if activation not in _TITLES:
            raise ValueError(f"activation is one of {', '.join(_TITLES)}; got {activation!r}")
        rng = random if rng is None else rng
        if not hasattr(rng, "uniform"):
            raise TypeError(
                f"rng is a random.Random or a NumPy Generator, got {describe(rng)}; "
                "write random.Random(seed)"
            )
        self.w = [learning(Value(rng.uniform(-1, 1))) for _ in range(positive("nin", nin))]
        self.b = learning(Value(0))
        self.nonlin = nonlin
        self.activation = activation

    def __call__(self, x: Any) -> Any:
        try:
            given = len(x)
        except TypeError:
            raise TypeError(
                f"{self!r} takes a list of {len(self.w)} numbers, got {describe(x)}"
            ) from None
        if given != len(self.w):
            raise ValueError(f"{self!r} takes {len(self.w)} numbers, got {given}")
        act = sum(map(operator.mul, self.w, x), self.b)
        return getattr(act, self.activation)() if self.nonlin else act

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{_TITLES[self.activation] if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons that read the same `nin` numbers; a layer of one gives its Value alone."""

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        self.neurons = [Neuron(nin, **kwargs) for _ in range(positive("nout", nout))]

    def __call__(self, x: Any) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers one after the other, `MLP(3, [4, 4, 1])`; the last has no activation."""

    def __init__(
        self, nin: int, nouts: Sequence[int], activation: str = "relu", rng: Any = None
    ) -> None:
        if isinstance(nouts, (str, bytes)) or not hasattr(nouts, "__len__") or len(nouts) == 0:
            raise TypeError(
                f"nouts is a list of layer sizes such as [4, 4, 1], got {describe(nouts)}"
            )
        sizes = [positive("nin", nin), *(positive(f"nouts[{i}]", n) for i, n in enumerate(nouts))]
        last = len(nouts) - 1
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != last, activation=activation, rng=rng)
            for i in range(len(nouts))
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
