"""Lifted functions run by any executor, so that any test of `lift` can be run on each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from absolute import flat

from micrograd import lift
from micrograd.lifting.run import EXECUTORS, Choice
from micrograd.lifting.run.interpreted import Interpreted
from micrograd.lifting.steps.ir import Program, Step

SHIPPED = tuple(EXECUTORS)  # those of the package: `through` adds others while tests are collected

Execute = Callable[[Sequence[Step], dict[str, Any]], None]


def through(execute: Execute | str, **options: Any) -> Callable[..., Any]:
    """A `lift` of functions to lists of results, run by `execute(steps, buffers)`, or by name."""
    name = execute if isinstance(execute, str) else f"in this test: {execute!r}"
    if not isinstance(execute, str):
        EXECUTORS[name] = Choice(partial(Interpreted, execute))

    def lifting(function: Callable[..., Any]) -> Callable[..., list[Any]]:
        lifted = lift(function, executor=name, **options)
        return lambda *args: flat(lifted(*args))

    return lifting


def called(function: Callable[..., Any], args: Sequence[Any]) -> tuple[Program, dict[str, Any]]:
    """The program of a function, and the numbers of one call, as lists by array name."""
    lifted = lift(function, executor="numpy")  # it keeps the numbers of every step
    with np.errstate(all="ignore"):
        lifted(*args)  # its results are gone, so its buffers are in the pool
    program = lifted.program
    assert program is not None
    (buffers,) = program.pool
    return program.program, {name: x.tolist() for name, x in buffers.bound.arrays.items()}


def program_of(function: Callable[..., Any], *args: Any) -> Program:
    return called(function, args)[0]
