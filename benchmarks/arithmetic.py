"""How much arithmetic a training step is, and how fast this core does arithmetic at its best.

The first over the second is the least time that a step could take; beside it stands what it takes.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import harness
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.expression import Apply, is_identity
from micrograd.lifting.steps.ir import Program, Step

__all__ = ["limit", "of_step", "product"]

PER_PARAMETER = {"sgd": 2, "adam": 12}  # operations of an update: p -= lr * g; Adam's three lines


def of_step(program: Program, optimiser: str) -> int:
    """Operations of forward, backward and update; a product and its sum are two, an exp is one."""
    steps = [*program.forward, *adjoint(program, [0])]
    parameters = sum(x.array.size for x in program.parameters)
    return sum(map(of, steps)) + PER_PARAMETER[optimiser] * parameters


def of(step: Step) -> int:
    """The operations of one turn of the loops, times the turns."""
    return math.prod(step.loops) * (in_formula(step.value) + (step.combine is not None))


def in_formula(formula: Any) -> int:
    if not isinstance(formula, Apply):
        return 0
    inputs: Iterable[Any] = formula.inputs
    if formula.op is QUOTIENT:  # a / b, which keeps b**-1 beside it
        inputs = (formula.inputs[0], formula.inputs[2])
    return (not is_identity(formula.op)) + sum(map(in_formula, inputs))


def product(size: int = 512, repeat: int = 25) -> float:
    """Operations a second of NumPy's matrix product, float64: the best of many."""
    a, b = np.random.default_rng(0).normal(size=(2, size, size))
    out, best = np.empty((size, size)), math.inf
    for _ in range(repeat):
        start = perf_counter()
        np.matmul(a, b, out)
        best = min(best, perf_counter() - start)
    return 2 * size**3 / best


def limit() -> float:
    """The same with the kernels that suit the core best.

    OpenBLAS takes those for vectors of four on a core that it does not know, which may have eight:
    57 Gflop/s where 92 are possible.
    """
    found = []
    for kernels in ({}, {"OPENBLAS_CORETYPE": "SKYLAKEX"} if has_wide_vectors() else {}):
        with environment(kernels):
            found.append(harness.fresh("benchmarks.arithmetic", "--here")["product"])
    return max(found)


def has_wide_vectors() -> bool:
    """Whether Linux says that the processor has AVX-512."""
    about = Path("/proc/cpuinfo")
    return about.exists() and "avx512f" in about.read_text(encoding="utf-8")


@contextmanager
def environment(more: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    if "--here" in sys.argv:
        harness.report(product=product())
    else:
        harness.report(product=limit())
