"""Which addresses of a layout are one array: parameters and results that are read together.

Parameters that one operand reads are a stack: one array, side by side in the store. Results of
neighbouring instructions that one operand reads are one array as well, which several steps write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from micrograd.lifting.layout import PARAMETERS, Instruction, Recording
from micrograd.lifting.strides import Access, distinct

__all__ = ["result_arrays", "stacks", "walked"]


def walked(access: Access) -> tuple[np.ndarray, list[int]]:
    """The addresses that an access visits, an axis for each loop that moves it, and those loops."""
    moving = [
        k for k, (n, s) in enumerate(zip(access.shape, access.strides, strict=True)) if s and n > 1
    ]
    found = np.array(access.base, dtype=np.int64)
    for k in moving:
        found = found[..., None] + np.arange(access.shape[k], dtype=np.int64) * access.strides[k]
    return (found if access.gather is None else access.gather[found]), moving


def _accesses(instructions: Sequence[Instruction]) -> Iterator[Access]:
    for instruction in instructions:
        yield from instruction.operands
        if instruction.start is not None:
            yield instruction.start


def _span(access: Access) -> tuple[int, int]:
    """The first address of an access, and the one after the last."""
    if access.gather is not None:
        return int(access.gather.min()), int(access.gather.max()) + 1
    reach = [s * (n - 1) for n, s in zip(access.shape, access.strides, strict=True)]
    low = access.base + sum(r for r in reach if r < 0)
    return low, access.base + sum(r for r in reach if r > 0) + 1


def _ends(access: Access) -> tuple[int, int]:
    """The first and the last address of an access."""
    low, high = _span(access)
    return low, high - 1


def stacks(recording: Recording) -> list[tuple[int, int]]:
    """The ranges of the store that are one array each: (first, end), in ascending order."""
    spans = []
    for access in _accesses(recording.layout.instructions):
        if 0 in access.shape:
            continue
        if access.gather is not None:
            inside = access.gather[access.gather >= PARAMETERS]
            if inside.size:
                spans.append((int(inside.min()), int(inside.max()) + 1))
        elif access.base >= PARAMETERS:
            spans.append(_span(access))
    found: list[tuple[int, int]] = []
    for low, high in sorted((a - PARAMETERS, b - PARAMETERS) for a, b in spans):
        if found and low < found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def result_arrays(recording: Recording) -> list[tuple[int, tuple[int, ...]]]:
    """(address, shape) of each array of results: neighbours that are read together are one."""
    pieces = []
    for instruction in recording.layout.instructions:
        outer = len(instruction.out.shape) - instruction.inner
        pieces.append((instruction.out.base, instruction.out.shape[:outer]))
    starts = np.array([base for base, _ in pieces], dtype=np.int64)
    # whether a piece belongs to the array of the piece before it
    joined = [one.kind == "straight" for one in recording.layout.instructions]
    low = int(starts[0]) if len(pieces) else 0
    for access in _accesses(recording.layout.instructions):
        if access.gather is None and len({*np.searchsorted(starts, _ends(access), "right")}) == 1:
            continue
        found, _ = walked(access)
        local = found[found < PARAMETERS]
        if local.size != found.size or not local.size or local.min() < low:
            continue
        met = distinct(np.searchsorted(starts, local, "right") - 1)
        first, last = int(met[0]), int(met[-1])
        if len(met) == last - first + 1:
            joined[first + 1 : last + 1] = [True] * (last - first)
    return _stacked(pieces, joined)


def _stacked(
    pieces: Sequence[tuple[int, tuple[int, ...]]], joined: Sequence[bool]
) -> list[tuple[int, tuple[int, ...]]]:
    found: list[tuple[int, tuple[int, ...]]] = []
    for (base, shape), with_last in zip(pieces, joined, strict=True):
        if not with_last:
            found.append((base, shape))
            continue
        first, whole = found[-1]
        if len(shape) == len(whole) > 0 and shape[1:] == whole[1:]:
            found[-1] = (first, (whole[0] + shape[0], *shape[1:]))
        else:
            size = int(np.prod(whole)) + int(np.prod(shape))
            found[-1] = (first, (size,))
    return found
