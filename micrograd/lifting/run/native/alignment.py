"""Whether the turns of a batch are independent: none touches what another one writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from micrograd.lifting.run.native.nests import Nest
from micrograd.lifting.run.native.signature import extent
from micrograd.lifting.steps.ir import View
from micrograd.lifting.steps.walks import walk
from micrograd.lifting.strides import distinct

__all__ = ["aligned", "meet", "touched"]


def aligned(a: Nest, b: Nest, size: int) -> bool:
    """Whether the two touch what one of them writes only in the same turn of the batch."""
    for x, y in ((a, b), (b, a)):
        for out in x.outs():
            for view in touched(y):
                if meet(out, x, view, y) and not _same_turns(out, x, view, y, size):
                    return False
    return True


def touched(nest: Nest) -> Iterator[View]:
    for view in (*nest.outs(), *nest.reads()):
        yield view
        if view.index is not None:
            yield view.index


def meet(a: View, x: Nest, b: View, y: Nest) -> bool:
    """Whether two views of nests may touch the same element."""
    if a.array != b.array:
        return False
    (low, high), (first, last) = extent(a, x.loops), extent(b, y.loops)
    return low <= last and first <= high


def _same_turns(a: View, x: Nest, b: View, y: Nest, size: int) -> bool:
    stride = a.strides[0]
    if stride == 0 and b.strides[0] == 0 and a.index is None and b.index is None:  # two sums
        return not np.isin(_places(a, x), _places(b, y)).any()
    if stride <= 0 or b.strides[0] != stride or a.index is not None or b.index is not None:
        return False
    inside = [extent(v.along(range(1, len(v.strides))), n.loops[1:]) for v, n in ((a, x), (b, y))]
    if max(e[1] for e in inside) - min(e[0] for e in inside) < stride:
        return True
    return _apart(_places(a, x), _places(b, y), stride, size)


def _places(view: View, nest: Nest) -> np.ndarray:
    """The elements of the first turn of the batch."""
    loops = nest.loops[1 : len(view.strides)]
    return walk(view.along(range(1, len(view.strides))), loops).reshape(-1)


def _apart(a: np.ndarray, b: np.ndarray, stride: int, size: int) -> bool:
    """Whether a + i * stride = b + j * stride, for i and j within the batch, only where i = j."""
    low = min(a.min(), b.min())
    wide = int(max(a.max(), b.max()) - low) // stride + 2 * size + 2

    def key(places: np.ndarray) -> np.ndarray:  # same rest of the division, then the quotient
        return distinct((places - low) % stride * wide + (places - low) // stride + size)

    first, second = key(a), key(b)
    near = np.searchsorted(first, second + size) - np.searchsorted(first, second - size, "right")
    return bool((near == np.isin(second, first)).all())
