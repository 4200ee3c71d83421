"""The arguments of a call on JAX arrays, taken apart as a lifted call takes its own apart.

Every number, or array of numbers, gets a number of its own; a call of these numbers in the same
places is read as `lift` reads it, and what comes out says which arrays go where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from micrograd import tree
from micrograd.lifting.arguments import is_leaf, is_traced, read
from micrograd.lifting.stacks import Stack

__all__ = ["Given", "statics_of", "taken_apart"]


class Given(NamedTuple):
    """One call: its arrays in the order of the program's arguments, and what else it says.

    `placeholders` are arguments of the same shapes for `lift`, which has no use for JAX arrays.
    """

    arrays: list[Any]
    key: tuple[Any, ...]
    placeholders: tuple[tuple[Any, ...], dict[str, Any]]


def taken_apart(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    """A call's arrays, as `lift` would read it."""
    flat = tree.flatten((args, kwargs), is_leaf)
    numbered: list[Any] = []
    leaves: list[Any] = []
    for x in flat.leaves:
        if isinstance(x, jax.Array) or is_traced(x):
            numbered.append(_placeholder(x, len(leaves)))
            leaves.append(_numbers(x))
        else:
            numbered.append(x)
    placeholders = flat.fill(numbered)
    found = read(*placeholders)
    arrays = [_joined(np.asarray(array), leaves) for array in found.arrays]
    return Given(arrays, tuple(found.key), placeholders)


def statics_of(key: Sequence[Any]) -> tuple[Any, ...]:
    """What a call's key says besides numbers and their shapes: statics and structure.

    An array may stand where a list of numbers stood, which `lift` takes as a `Stack`: its structure
    says how many lists were in each other, and a kind and a length of each follow the numbers.
    """
    found, left = [], iter(key)
    for part in left:
        if part == (None,) or (type(part) is tuple and len(part) == 2 and type(part[0]) is str):
            continue  # the structure of one leaf; a kind of numbers and their shape
        if type(part) is tuple and part[:1] == ((Stack, len(Stack._fields)),):
            levels = part[2][1]
            for _ in range(1 + 2 * levels):
                next(left)
            continue
        found.append(part)
    return tuple(found)


def _numbers(x: Any) -> Any:
    """What is computed with: of an array of Values, or one Value, their numbers."""
    if isinstance(x, jax.Array):
        return x
    found = np.asarray(x)
    return found.astype(np.float64) if found.dtype == object else found


def _placeholder(x: Any, number: int) -> Any:
    shape = np.shape(x)
    integers = not isinstance(x, float) and jnp.issubdtype(
        getattr(x, "dtype", np.float64), jnp.integer
    )
    if not shape and not integers:
        return float(number)
    return np.broadcast_to(np.asarray(number, np.int64 if integers else np.float64), shape)


def _joined(numbers: np.ndarray, leaves: Sequence[Any]) -> Any:
    """The leaf that these numbers stand for, or the leaves, one beside the other."""
    if not numbers.size:
        return jnp.zeros(numbers.shape)
    first = leaves[int(numbers.flat[0])]
    if np.shape(first) == numbers.shape:
        return first
    rows = numbers.reshape(numbers.size // max(1, first.size), -1)[:, 0]
    return jnp.stack([jnp.asarray(leaves[int(k)]) for k in rows]).reshape(numbers.shape)
