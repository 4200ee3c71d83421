"""PyTorch in float64 as the oracle: each row of the op table with the torch function it must equal.

`same` is the comparison: 1e-9 relative, nan equals nan, infinities equal with their sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from micrograd import ops
from micrograd.op import Op

REL = 1e-9
TINY = 1e-300  # below it float64 loses digits: there both sides only have to be this small

# zeros of both signs, kinks, whole and broken numbers, the edges of exp and of float64, inf, nan
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, 3.0, 1e-3, 20.0, -40.0, 710.0, -746.0,
    1e200, -1e308, 1e-308, 5e-324, math.inf, -math.inf, math.nan,
)  # fmt: skip


def tensor(x: Any) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def same(got: Any, want: Any, rel: float = REL) -> np.ndarray:
    """True where `got` and `want` agree, elementwise."""
    got, want = np.broadcast_arrays(np.asarray(got, dtype=float), np.asarray(want, dtype=float))
    with np.errstate(all="ignore"):
        near = np.isfinite(want) & (np.abs(got - want) <= rel * np.abs(want) + TINY)
    return near | (got == want) | (np.isnan(got) & np.isnan(want))


def _dot(*inputs: torch.Tensor) -> torch.Tensor:
    x1, x2, w1, w2, b = inputs
    return b + x1 * w1 + x2 * w2


# what each row must equal, in torch's own words
SMOOTH: dict[str, tuple[Op, Callable[..., torch.Tensor]]] = {
    "+": (ops.add, torch.add),
    "*": (ops.mul, torch.mul),
    "**": (ops.power, torch.pow),
    **{
        f"**{k}": (ops.constant_power(k), lambda x, k=k: x**k)
        for k in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 2.0, 1 / 3, 2.5)
    },
    "exp": (ops.exp, torch.exp),
    "log": (ops.log, torch.log),
    "sqrt": (ops.sqrt, torch.sqrt),
    "sin": (ops.sin, torch.sin),
    "cos": (ops.cos, torch.cos),
    "erf": (ops.erf, torch.erf),
    "tanh": (ops.tanh, torch.tanh),
    "sigmoid": (ops.sigmoid, torch.sigmoid),
    # torch rounds softplus(x) to x above its threshold, at 20 unless told otherwise
    "softplus": (ops.softplus, lambda x: F.softplus(x, threshold=700)),
    "GELU": (ops.gelu, F.gelu),
    "dot": (ops.dot_op(2, True), _dot),
}
KINKED: dict[str, tuple[Op, Callable[..., torch.Tensor]]] = {
    "ReLU": (ops.relu, F.relu),
    "LeakyReLU": (ops.leaky_relu(0.01), F.leaky_relu),
    "abs": (ops.absolute, torch.abs),
    "maximum": (ops.maximum, torch.maximum),
    "minimum": (ops.minimum, torch.minimum),
    "where": (ops.where, lambda c, a, b: torch.where(c != 0, a, b)),
}
STEPS: dict[str, tuple[Op, Callable[..., torch.Tensor]]] = {
    "greater": (ops.greater, lambda a, b: (a > b).double()),
    "equal": (ops.equal, lambda a, b: (a == b).double()),
    "detach": (ops.detach, lambda x: x.detach()),
}
ROWS = {**SMOOTH, **KINKED, **STEPS}
