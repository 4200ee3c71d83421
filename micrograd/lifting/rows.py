"""Rows that only programs use: what `fuse.py` and the derivatives write, and no Value records.

`QUOTIENT` is the `*` of an eager a / b = a * b**-1: its number is a / b, rounded once, and its
gradient that of the product.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.op import Op, families
from micrograd.reals import divide

__all__ = [
    "COPY", "DIVIDE", "QUOTIENT", "QUOTIENT_PLUS", "SUBTRACT",
    "choose", "is_choice", "is_composite", "of_negative",
]  # fmt: skip


class _Internal(Op):
    """A row that a pickle finds by its name in this module."""

    __slots__ = ()

    def __reduce__(self) -> str:  # type: ignore[override]
        return _NAMES[self.name]


def _quotient(a: Any, inverse: Any, b: Any, out: Any = None) -> Any:
    return np.divide(a, b, out=out)


def _quotient_plus(a: Any, inverse: Any, b: Any, x: Any, w: Any, out: Any = None) -> Any:
    return np.add(np.divide(a, b), np.multiply(x, w), out=out)


# a + b * -1 in one step: the same number, bit for bit
SUBTRACT = _Internal(
    "-",
    lambda a, b: a - b,
    (lambda a, b, out: 1.0, lambda a, b, out: -1.0),
    arity=2,
    array=np.subtract,
)
COPY = _Internal("copy", lambda x: x, (lambda x, out: 1.0,), arity=1, array=np.positive)
DIVIDE = _Internal(
    "/",
    lambda a, b: a / b,
    (lambda a, b, out: 1 / b, lambda a, b, out: -out / b),
    arity=2,
    array=np.divide,
)
QUOTIENT = _Internal(  # of a, b**-1 and b: what reaches b comes by way of b**-1
    "quotient",
    lambda a, inverse, b: a / b,
    arity=3,
    edge=lambda a, inverse, b: divide(a, b),
    backward=lambda g, a, inverse, b, out: (inverse * g, a * g, None),
    array=_quotient,
)
QUOTIENT_PLUS = _Internal(  # total / n + alpha * penalty: a mean and a penalty in one step
    "quotient plus product",
    lambda a, inverse, b, x, w: divide(a, b) + x * w,
    arity=5,
    backward=lambda g, a, inverse, b, x, w, out: (inverse * g, a * g, None, w * g, x * g),
    composed=lambda a, inverse, b, x, w: QUOTIENT(a, inverse, b) + x * w,
    array=_quotient_plus,
)


@lru_cache(maxsize=1024)
def of_negative(op: Op) -> Op:
    """The row of f(-x) for a row f of one input, such as exp(-x) in a soft minimum."""
    return Op(
        f"{op.name} of -",
        lambda x: op.number(-x),
        arity=1,
        parameters=("of the negative", op),
        composed=lambda x: op(x * -1.0),
        builtin=True,
    )


def is_composite(op: Op) -> bool:
    """Whether a row is there to be one instruction; steps say what it is composed of."""
    return op is QUOTIENT_PLUS or op.parameters[:1] == ("of the negative",)


_NAMES = {
    "-": "SUBTRACT", "copy": "COPY", "/": "DIVIDE", "quotient": "QUOTIENT",
    "quotient plus product": "QUOTIENT_PLUS",
}  # fmt: skip


def _chosen(which: Any, *xs: Any, out: Any = None) -> Any:
    places, *cases = np.broadcast_arrays(which, *xs)
    found = np.take_along_axis(np.stack(cases), places[None].astype(np.intp), 0)[0]
    return np.positive(found, out=out)


@cache
def choose(count: int) -> Op:
    """The row of one of `count` numbers, x0 where `which` is 0; the others may be nan or inf."""
    return Op(
        "choose",
        lambda which, *xs: xs[int(which)],
        arity=count + 1,
        backward=lambda g, which, *xs: (
            None,
            *(ops.where(ops.equal(which, float(k)), g, 0.0) for k in range(count)),
        ),
        parameters=("choose among", count),
        array=_chosen,
        builtin=True,
    )


def is_choice(op: Op) -> bool:
    return op.parameters[:1] == ("choose among",)


families.update({"choose among": choose, "of the negative": of_negative})
