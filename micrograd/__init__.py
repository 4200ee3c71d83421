"""micrograd: a scalar autograd engine to read, to see and to step through; `lift` makes it fast."""

from typing import TYPE_CHECKING

from micrograd import fast
from micrograd.arrays import grads, numbers, values
from micrograd.derivatives import grad
from micrograd.engine import Value, no_grad
from micrograd.missing import find
from micrograd.op import op
from micrograd.ops import greater, maximum, minimum, where

if TYPE_CHECKING:
    from micrograd import data, functional, nn, optim
    from micrograd.lifting import LiftError, lift
    from micrograd.show.graph.digraph import draw_dot
    from micrograd.show.graph.draw import draw
    from micrograd.show.lesson.explain import explain
    from micrograd.show.lesson.stepper import step_through
    from micrograd.show.practice.marking import check
    from micrograd.show.practice.worksheet import worksheet

__all__ = [
    "LiftError", "Value", "check", "data", "draw", "draw_dot", "explain", "functional", "grad",
    "grads", "greater", "lift", "maximum", "minimum", "nn", "no_grad", "numbers", "op", "optim",
    "step_through", "values", "where", "worksheet",
]  # fmt: skip

__version__ = "0.1.0"

fast.install()

_IMPORTED_WHEN_USED = {  # so that `import micrograd` takes no longer than Python needs for it
    "LiftError": "micrograd.lifting",
    "check": "micrograd.show.practice.marking",
    "draw": "micrograd.show.graph.draw",
    "draw_dot": "micrograd.show.graph.digraph",
    "explain": "micrograd.show.lesson.explain",
    "lift": "micrograd.lifting",
    "step_through": "micrograd.show.lesson.stepper",
    "worksheet": "micrograd.show.practice.worksheet",
}
_MODULES = ("data", "functional", "nn", "optim")

if not TYPE_CHECKING:  # or a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return find(f"micrograd.{name}")
        if name not in _IMPORTED_WHEN_USED:
            raise AttributeError(f"module 'micrograd' has no attribute {name!r}")
        return find(_IMPORTED_WHEN_USED[name], name, globals())


def __dir__() -> list[str]:
    return sorted({*globals(), *_IMPORTED_WHEN_USED, *_MODULES})


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext micrograd`: the stock `graphviz` package draws without a `dot` program."""
    find("micrograd.show.graph.render").serve_stock_graphviz()
