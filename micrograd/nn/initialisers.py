"""Where weights start: one function `(shape, rng) -> floats` a scheme, which `init` names.

For a weight of shape (nout, nin) the fan-in is nin and the fan-out nout. The gain makes up for what
an activation takes away, so that what leaves a layer is spread as what entered it: 5/3 before tanh,
sqrt(2) before ReLU, 1 without activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd import arrays
from micrograd.nn.learning import learning

__all__ = [
    "zeros", "uniform", "normal", "fan_in_uniform", "kaiming_uniform", "kaiming_normal",
    "xavier_uniform", "xavier_normal", "initialisers", "drawn", "weights",
]  # fmt: skip

Shape = tuple[int, ...]
Initialiser = Callable[[Shape, np.random.Generator], Any]


def zeros(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """0 everywhere; `rng` is not asked."""
    return np.zeros(shape)


def uniform(shape: Shape, rng: np.random.Generator, bound: float = 1.0) -> np.ndarray:
    """U(-bound, bound): with bound 1 the videos' neuron."""
    return rng.uniform(-bound, bound, shape)


def normal(shape: Shape, rng: np.random.Generator, std: float = 1.0) -> np.ndarray:
    """N(0, std**2)."""
    return rng.normal(0.0, std, shape)


def fan_in_uniform(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """U(-b, b) with b = 1 / sqrt(nin): where torch.nn.Linear starts."""
    return uniform(shape, rng, 1 / math.sqrt(shape[-1]))


def kaiming_uniform(
    shape: Shape, rng: np.random.Generator, gain: float = math.sqrt(2)
) -> np.ndarray:
    """U(-b, b) with b = gain * sqrt(3 / nin): He et al., "Delving Deep into Rectifiers", 2015."""
    return uniform(shape, rng, gain * math.sqrt(3 / shape[-1]))


def kaiming_normal(
    shape: Shape, rng: np.random.Generator, gain: float = math.sqrt(2)
) -> np.ndarray:
    """N(0, gain**2 / nin): He et al., "Delving Deep into Rectifiers", 2015."""
    return normal(shape, rng, gain / math.sqrt(shape[-1]))


def xavier_uniform(shape: Shape, rng: np.random.Generator, gain: float = 1.0) -> np.ndarray:
    """U(-b, b) with b = gain * sqrt(6 / (nin + nout)): Glorot and Bengio, "Understanding the
    Difficulty of Training Deep Feedforward Neural Networks", 2010."""
    return uniform(shape, rng, gain * math.sqrt(6 / sum(shape)))


def xavier_normal(shape: Shape, rng: np.random.Generator, gain: float = 1.0) -> np.ndarray:
    """N(0, gain**2 * 2 / (nin + nout)): Glorot and Bengio, 2010."""
    return normal(shape, rng, gain * math.sqrt(2 / sum(shape)))


initialisers: dict[str, Initialiser] = {
    f.__name__: f
    for f in (
        zeros, uniform, normal, fan_in_uniform,
        kaiming_uniform, kaiming_normal, xavier_uniform, xavier_normal,
    )
}  # fmt: skip


def drawn(shape: Shape, init: str | Initialiser, rng: np.random.Generator) -> np.ndarray:
    """An array of leaf Values, their numbers drawn by `init`: a name or a function."""
    if isinstance(init, str) and init not in initialisers:
        raise ValueError(f"init is one of {', '.join(initialisers)}, or a function; got {init!r}")
    scheme = initialisers[init] if isinstance(init, str) else init
    return weights(np.broadcast_to(scheme(shape, rng), shape))


def weights(numbers: np.ndarray) -> np.ndarray:
    """An array of leaf Values that start at these numbers."""
    made = arrays.values(numbers)
    for v in made.flat:
        learning(v)
    return made
