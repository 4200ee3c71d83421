"""Executors: what turns Steps into something that runs on buffers. None knows a derivative.

An executor is called with steps and gives an object such as `Compiled` in `with_numpy.py`: its
`placement` says where arrays lie, its `bind` fits the code to buffers. `Interpreted` makes one of
any function `run(steps, buffers)` that carries out the steps. All must give the
numbers of `reference.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from micrograd.lifting.run import reference
from micrograd.lifting.run.interpreted import Interpreted
from micrograd.lifting.run.with_numpy import Compiled

__all__ = ["EXECUTORS", "Choice", "chosen"]


class Choice(NamedTuple):
    """An executor that `lift` may be given by its name; `make(steps, ...)` is a new one."""

    make: Callable[..., Any]
    stores_all: bool = True  # also what nobody reads; where not, it is told what is read later


def _native(*args: Any) -> Any:
    from micrograd.lifting.run.native.executor import Compiled  # needs llvmlite

    return Compiled(*args)


EXECUTORS = {
    "numpy": Choice(Compiled),
    "native": Choice(_native, stores_all=False),
    "reference": Choice(partial(Interpreted, reference.run)),
}


def chosen(name: str | None) -> str:
    """The executor's name: as given, else as MICROGRAD_EXECUTOR says, else "numpy"."""
    name = name or os.environ.get("MICROGRAD_EXECUTOR") or "numpy"
    if name not in EXECUTORS:
        raise ValueError(f"no executor {name!r}; there are {', '.join(map(repr, EXECUTORS))}")
    if name == "native" and find_spec("llvmlite") is None:
        raise ImportError(
            'executor="native" needs llvmlite; pip install "micrograd-rebuilt[native]" brings it'
        )
    return name
