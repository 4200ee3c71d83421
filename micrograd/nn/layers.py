"""Layers on arrays of Values as `torch.nn` has them on tensors: shapes, names and numbers agree.

Inputs are arrays (or lists) of Values or floats, with any leading batch axes; outputs are arrays of
Values. Read `Linear` first. Weights are drawn with NumPy: `rng` is a Generator, or a seed for one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from micrograd import functional, modes, ops
from micrograd.functional import as_array
from micrograd.nn.initialisers import Initialiser, drawn, uniform
from micrograd.nn.module import Module, positive
from micrograd.op import Op
from micrograd.reals import describe

__all__ = [
    "Linear", "Embedding", "Tanh", "ReLU", "GELU", "Dropout", "Flatten", "FlattenConsecutive",
    "Sequential",
]  # fmt: skip


class Linear(Module):
    """y = x @ weight.T + bias, one `dot` node an output: weight (nout, nin), bias (nout,).

    Starts where torch.nn.Linear does, U(-b, b) with b = 1 / sqrt(nin); `init` names another scheme
    for the weight (`initialisers.py`), or is a function of (shape, rng).
    """

    def __init__(
        self, nin: int, nout: int, bias: bool = True,
        init: str | Initialiser = "fan_in_uniform", rng: Any = None,
    ) -> None:  # fmt: skip
        nin, nout, rng = positive("nin", nin), positive("nout", nout), np.random.default_rng(rng)
        bound = 1 / math.sqrt(nin)
        self.weight = drawn((nout, nin), init, rng)
        self.bias = drawn((nout,), lambda s, r: uniform(s, r, bound), rng) if bias else None

    def __call__(self, x: Any) -> np.ndarray:
        return functional.linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        nout, nin = self.weight.shape
        return f"Linear({nin}, {nout}{'' if self.bias is not None else ', bias=False'})"


class Embedding(Module):
    """y = weight[index]: weight (n, dim), drawn from N(0, 1) as torch.nn.Embedding's."""

    def __init__(
        self, n: int, dim: int, init: str | Initialiser = "normal", rng: Any = None
    ) -> None:
        n, dim = positive("n", n), positive("dim", dim)
        self.weight = drawn((n, dim), init, np.random.default_rng(rng))

    def __call__(self, index: Any) -> np.ndarray:
        rows: np.ndarray = functional.take(self.weight, index)
        return rows

    def __repr__(self) -> str:
        n, dim = self.weight.shape
        return f"Embedding({n}, {dim})"


# --- without parameters ---------------------------------------------------------------------------


class _Elementwise(Module):
    _op: Op

    def __call__(self, x: Any) -> Any:
        return self._op(as_array(x))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Tanh(_Elementwise):
    """y = tanh(x)."""

    _op = ops.tanh


class ReLU(_Elementwise):
    """y = max(0, x)."""

    _op = ops.relu


class GELU(_Elementwise):
    """y = x Phi(x), with the exact normal distribution function."""

    _op = ops.gelu


class Dropout(Module):
    """In training y = x * mask / (1 - p), each number kept with probability 1 - p; in eval y = x.

    `rng` is a NumPy Generator or a seed; the masks follow from it.
    """

    def __init__(self, p: float = 0.5, rng: Any = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p is the probability of dropping, from 0 to 1; got {p!r}")
        self.p = float(p)
        self.rng = np.random.default_rng(rng)

    def __call__(self, x: Any) -> Any:
        with np.errstate(all="ignore"):  # silent about inf and nan, as one Value is
            x = as_array(x)
            if not self.training or self.p == 0:
                return x
            # a mode that records (lift) gives Values for the draws, so that each call has new ones
            u = modes.current_mode().random_array(self.rng, x.shape)
            keep = ops.greater(u, self.p)  # u < 1: nothing is kept where p = 1
            return x * (keep * (1 / (1 - self.p) if self.p < 1 else 0.0))

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class Flatten(Module):
    """(N, a, b, ...) to (N, a*b*...)."""

    def __call__(self, x: Any) -> Any:
        x = as_array(x)
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def __repr__(self) -> str:
        return "Flatten()"


class FlattenConsecutive(Module):
    """(N, L, C) to (N, L/n, n*C), n neighbours side by side; (N, n*C) where one group is left."""

    def __init__(self, n: int) -> None:
        self.n = positive("n", n)

    def __call__(self, x: Any) -> Any:
        x = as_array(x)
        if x.ndim != 3 or x.shape[1] % self.n:
            raise ValueError(
                f"{self!r} takes (N, L, C) with L a multiple of {self.n}, got {x.shape}"
            )
        N, L, C = x.shape
        groups = L // self.n
        return x.reshape((N, groups, C * self.n) if groups != 1 else (N, C * self.n))

    def __repr__(self) -> str:
        return f"FlattenConsecutive({self.n})"


class Sequential(Module):
    """y = layers[-1](... layers[0](x)): `Sequential(Linear(2, 3), Tanh())`."""

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for layer in layers:
            if not callable(layer):
                raise TypeError(
                    "Sequential takes layers one by one, Sequential(*layers); "
                    f"got {describe(layer)}"
                )
            if hasattr(layer, "parameters") and not isinstance(layer, Module):
                raise TypeError(  # its parameters would never be found, and never learn
                    f"{type(layer).__name__} has parameters: derive it from micrograd.nn.Module"
                )
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Any:
        return self.layers[i]

    def _members(self) -> Iterable[tuple[str, Any]]:  # named 0, 1, ... as in PyTorch
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
