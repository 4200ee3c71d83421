"""How NumPy writes a walk over an array: X, X[1:, 0], X[48:320].reshape(16, 17)[:, :16].

`sliced` takes the loops of a walk in the order of their strides, largest first, which is the order
that the axes of what it writes have. A loop with a name of its own stays a subscript: best[:, j+1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from micrograd.lifting.steps.walks import dense

__all__ = ["Loop", "bracketed", "reshaped", "sliced", "tuple_text"]


class Loop(NamedTuple):
    """A loop of `n` turns, each `stride` elements on; with a name it is written as a subscript."""

    n: int
    stride: int
    name: str = ""


def sliced(name: str, shape: Sequence[int], base: int, loops: Sequence[Loop]) -> str:
    """The elements base + sum(i * stride) of a contiguous array as an expression (and a view)."""
    found = _subscripted(name, shape, base, loops)
    if found is None and len(loops) == 1 and not loops[0].name:
        subscript = _slice(base, loops[0].stride, loops[0].n, math.prod(shape))
        found = f"{_flat(name, shape)}[{subscript}]".removesuffix("[:]")
    if found is None:
        found = _reshaped(name, shape, base, loops) or _cut(name, shape, base, loops)
    if found is None:
        starts = [str(base)] + [f"{s} * {name}" for _, s, name in loops if name]
        sizes = tuple_text([n for n, _, name in loops if not name])
        strides = tuple_text([s for _, s, name in loops if not name])
        found = f"view({name}, {' + '.join(starts)}, {sizes}, {strides})"
    return found


def tuple_text(sizes: Sequence[int]) -> str:
    return repr(tuple(int(n) for n in sizes))


def reshaped(text: str, shape: Sequence[int]) -> str:
    """The call that gives an array this shape."""
    return f"{text}.reshape({', '.join(str(int(n)) for n in shape) or '()'})"


def bracketed(text: str) -> str:
    """In parentheses, if a method call after it would take only its last part."""
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if (depth == 0 and letter == " ") or (k == 0 and letter == "-"):
            return f"({text})"
    return text


def _flat(name: str, shape: Sequence[int]) -> str:
    return name if len(shape) == 1 else f"{name}.ravel()"


def _subscripted(name: str, shape: Sequence[int], base: int, loops: Sequence[Loop]) -> str | None:
    """name[...], if every loop walks along one axis."""
    steps = dense(shape)
    along: list[list[Loop]] = [[] for _ in shape]
    for loop in loops:
        axes = [k for k, n in enumerate(shape) if n > 1 and steps[k] <= abs(loop.stride)]
        if not axes or loop.stride % steps[axes[0]]:
            return None
        along[axes[0]].append(loop._replace(stride=loop.stride // steps[axes[0]]))
    written = []
    for size, step, walked in zip(shape, steps, along, strict=True):
        digit = base // step % size
        text = _subscript(digit, size, walked)
        if text is None:
            return None
        written.append(text)
    while written and written[-1] == ":":
        written.pop()
    return f"{name}[{', '.join(written)}]" if written else name


def _subscript(start: int, size: int, loops: Sequence[Loop]) -> str | None:
    low = start + sum(min(0, s * (n - 1)) for n, s, _ in loops)
    high = start + sum(max(0, s * (n - 1)) for n, s, _ in loops)
    if low < 0 or high >= size:
        return None
    if all(loop.name for loop in loops):
        terms = [f"{loop.stride} * {loop.name}".removeprefix("1 * ") for loop in loops]
        text = " + ".join([*terms, str(start)] if start or not terms else terms)
        return text.replace("-1 * ", "-").replace("+ -", "- ")
    if len(loops) > 1:
        return None
    return _slice(start, loops[0].stride, loops[0].n, size)


def _slice(start: int, step: int, n: int, size: int) -> str:
    """start:end:step with whatever NumPy assumes left out."""
    last = start + step * (n - 1)
    if step > 0:
        end = "" if last + step >= size and last < size else str(last + 1)
        return f"{start or ''}:{end}" + (f":{step}" if step > 1 else "")
    head = "" if start == size - 1 else str(start)
    tail = "" if last + step < 0 else str(last - 1)
    return f"{head}:{tail}:{step}"


def _reshaped(name: str, shape: Sequence[int], base: int, loops: Sequence[Loop]) -> str | None:
    """name.reshape(...)[...], in which every loop has an axis of its own."""
    whole = _axes(math.prod(shape), loops)
    if whole is None:
        return None
    return _subscripted(reshaped(name, whole), whole, base, loops)


def _cut(name: str, shape: Sequence[int], base: int, loops: Sequence[Loop]) -> str | None:
    """name[low:high].reshape(...)[...]: the part from the first turn of the outer loop on."""
    if not loops or loops[0].name or loops[0].stride <= 0:
        return None
    size = loops[0].n * loops[0].stride
    low = max(0, min(base, math.prod(shape) - size))
    whole = _axes(size, loops)
    if whole is None or size > math.prod(shape):
        return None
    cut = f"{_flat(name, shape)}[{_slice(low, 1, size, math.prod(shape))}]"
    return _subscripted(reshaped(cut, whole), whole, base - low, loops)


def _axes(size: int, loops: Sequence[Loop]) -> list[int] | None:
    """A shape whose axes have the loops' strides."""
    strides = list(dict.fromkeys(abs(loop.stride) for loop in loops))
    sizes = [size, *strides]
    if any(outer % inner for outer, inner in zip(sizes, strides, strict=False)):
        return None
    ends = [outer // inner for outer, inner in zip(sizes, strides, strict=False)]
    return [n for n in [*ends, strides[-1] if strides else size] if n > 1]
