"""A sum of products over nested loops as the matrix product that it is, or as an einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["contracted"]

_LETTERS, _SECOND = "abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXY", "z"
_FEWEST, _MOST = 8, 512  # rows that are worth it


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
    if len(factors) == 2:
        rows = [
            k for k, word in enumerate(spelled)
            if len(word) > 1 and word[0] in letters and word[0] not in spelled[1 - k]
            and _FEWEST <= arrays[k].shape[0] <= _MOST
        ]  # fmt: skip
        if rows:
            which = min(rows, key=lambda k: (letters.index(spelled[k][0]) > 0, -arrays[k].size))
            return _in_two(arrays, spelled, letters, which)
    return jnp.einsum(f"{','.join(spelled)}->{letters}", *arrays)


def _in_two(arrays: list[Any], spelled: list[str], letters: str, which: int) -> Any:
    """The product with the rows of one factor as two axes.

    Backward, the sum is over the rows. With two axes XLA on CPUs copies the factors transposed
    before it multiplies, which takes half the time of reading down the columns: 16 us, not 28, for
    512 x 64. With 10,000 rows the copies take longer.
    """
    array, word = arrays[which], spelled[which]
    rows = array.shape[0]
    inner = max(k for k in range(1, math.isqrt(rows) + 1) if rows % k == 0)
    if inner > 1:
        arrays[which] = array.reshape(rows // inner, inner, *array.shape[1:])
        spelled[which] = f"{_SECOND}{word}"
    into = letters.replace(word[0], f"{_SECOND}{word[0]}") if inner > 1 else letters
    made = jnp.einsum(f"{','.join(spelled)}->{into}", *arrays)
    if inner == 1:
        return made
    place = letters.index(word[0])
    return made.reshape(*made.shape[:place], rows, *made.shape[place + 2 :])
