"""micrograd: a scalar autograd engine to read, to see and to step through; `lift` makes it fast."""

from importlib import import_module
from typing import Any

from micrograd.engine import Value, grad, grads, no_grad, numbers, values
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
    "values",
    "where",
]

_IMPORTED_WHEN_USED = {  # so that `import micrograd` costs no more than NumPy
    "LiftError": "micrograd.lifting",
    "check": "micrograd.show.marking",
    "draw": "micrograd.show.draw",
    "draw_dot": "micrograd.show.draw",
    "explain": "micrograd.show.explain",
    "lift": "micrograd.lifting",
    "step_through": "micrograd.show.stepper",
    "worksheet": "micrograd.show.worksheet",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module 'micrograd' has no attribute {name!r}")
    globals()[name] = getattr(import_module(_IMPORTED_WHEN_USED[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted([*globals(), *_IMPORTED_WHEN_USED])


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext micrograd`: the stock `graphviz` package draws without a `dot` program."""
    import_module("micrograd.show.render").serve_stock_graphviz()
