"""micrograd: a scalar autograd engine to read, to see and to step through; `lift` makes it fast."""

from micrograd.engine import Value, grad, grads, no_grad, numbers
from micrograd.ops import greater, maximum, minimum, op, where

__all__ = [
    "Value",
    "grad",
    "grads",
    "greater",
    "maximum",
    "minimum",
    "no_grad",
    "numbers",
    "op",
    "where",
]
