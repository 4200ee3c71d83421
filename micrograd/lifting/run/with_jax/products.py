"""A sum of products over nested loops as the matrix product that it is, or as an einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["contracted"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def contracted(
    factors: Sequence[tuple[Any, Sequence[int]]], numbers: Sequence[float],
    loops: Sequence[int], out: Sequence[int], dtype: Any,
) -> Any:  # fmt: skip
    """The sum of a product, with an axis for each loop in `out`.

    A factor is an array with the loops that are its axes. Loops along which no factor moves count:
    they are repeats of the sum, or rows of the result that are all the same.
    """
    covered = {k for _, axes in factors for k in axes}
    result = [k for k in out if k in covered]
    made = _product(factors, result)
    times = math.prod(n for k, n in enumerate(loops) if k not in covered and k not in out)
    scale = math.prod(numbers) * times
    if scale != 1:
        made = made * np.asarray(scale, dtype)
    shape = [loops[k] for k in out]
    return jnp.broadcast_to(made.reshape([loops[k] if k in covered else 1 for k in out]), shape)


def _product(factors: Sequence[tuple[Any, Sequence[int]]], result: Sequence[int]) -> Any:
    spelled = ["".join(_LETTERS[k] for k in axes) for _, axes in factors]
    letters = "".join(_LETTERS[k] for k in result)
    arrays = [array for array, _ in factors]
    if len(factors) == 2 and sorted(spelled[0]) == sorted(spelled[1]):
        # nothing to multiply crosswise: XLA fuses a map and a sum, which takes less than a product
        (a, axes), (b, other) = factors
        b = b.transpose([list(other).index(k) for k in axes])
        gone = [k for k in axes if k not in result]
        left = [k for k in axes if k in result]
        summed = (a * b).sum(axis=tuple(list(axes).index(k) for k in gone))
        return summed.transpose([left.index(k) for k in result])
    return jnp.einsum(f"{','.join(spelled)}->{letters}", *arrays)
