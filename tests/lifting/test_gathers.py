"""`run/calls.py` and `run/tables.py`: what is read by a list of places, and where it goes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from micrograd import ops
from micrograd.lifting.run import reference
from micrograd.lifting.run.tables import run_length
from micrograd.lifting.run.with_numpy import Compiled, run
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View

rng = np.random.default_rng(0)
X, W = Array("x", (110,), "argument"), Array("w", (12, 8), "argument")
OUT = Array("t", (96,), "result")
ROWS = np.array([3, 0, 3, 7, 1, 1, 9, 4])


def agree(*steps: Step) -> None:
    buffers: dict[str, Any] = {"x": rng.normal(size=110).tolist(), "w": rng.normal(size=96)}
    found, want = dict(buffers), {name: list(x) for name, x in buffers.items()}
    run(steps, found)
    reference.run(steps, want)
    for step in steps:
        name = step.out.array.name
        np.testing.assert_allclose(found[name], want[name], rtol=1e-13, atol=1e-14)


def lines(*steps: Step) -> list[str]:
    """The names that the code looks up."""
    return list(Compiled(steps).code.co_names)


@pytest.mark.parametrize(("places", "length"), [
    ([0, 1, 2, 3, 4, 5], 6), ([4, 5, 6, 7, 0, 1, 2, 3], 4), ([2, 3, 0, 1, 1, 2], 1),
    ([5, 6, 7, 11, 12, 13], 3), ([0, 1, 2, 4, 5, 6], 1), ([0, 1, 2, 3, 8, 9], 2), ([7], 1),
    ([0, 0, 0], 1), ([], 1),
])  # fmt: skip
def test_places_that_come_in_rows(places: list[int], length: int) -> None:
    assert run_length(np.array(places, dtype=np.intp)) == length


@pytest.mark.parametrize("base", [0, 4])
@pytest.mark.parametrize("width", [3, 8, 10])
def test_rows_are_copied_whole(base: int, width: int) -> None:
    places = (base + ROWS[:, None] * width + np.arange(width)).ravel()
    view = View(X, 0, (width, 1), places)
    out = View(Array("t", (8 * width,), "result"), 0, (width, 1))
    agree(Step((8, width), out, Apply(ops.tanh, (Read(0),)), (view,)))
    back = View(Array("d_x", (110,), "gradient"), 0, (width, 1), places)
    zeros = Step((110,), View(back.array, 0, (1,)), 0.0)
    agree(zeros, Step((8, width), back, Read(0), (View(W, 0, (width, 1)),), None, True))


def test_rows_that_come_once_are_put_in_their_places() -> None:
    places = (np.array([5, 2, 7, 0])[:, None] * 8 + np.arange(8)).ravel()
    target = View(OUT, 0, (8, 1), places)
    zeros = Step((96,), View(OUT, 0, (1,)), 0.0)
    agree(zeros, Step((4, 8), target, Read(0), (View(X, 0, (8, 1), places),)))
    agree(zeros, Step((4, 8), target, Read(0), (View(X, 3, (20, 1)),), None, True))


def test_a_product_that_is_scattered_is_a_matrix_product() -> None:
    """Windows that overlap: d x[i + j] += sum over k of g[i, k] * w[k, j]."""
    g, w = View(X, 0, (8, 1, 0)), View(W, 0, (0, 12, 1))
    target = View(Array("d_x", (24,), "gradient"), 0, (1, 0, 1))
    zeros = Step((24,), View(target.array, 0, (1,)), 0.0)
    value = Apply(ops.mul, (Read(0), Read(1)))
    step = Step((12, 8, 12), target, value, (g, w), ops.add, True)
    agree(zeros, step)
    assert "matmul" in lines(zeros, step)
    scaled = Step((12, 8, 12), target, Apply(ops.mul, (value, 0.5)), (g, w), ops.add, True)
    agree(zeros, scaled)


@pytest.mark.parametrize("shape", [(12, 8), (2, 48), (96, 1), (40, 2)])
def test_short_rows_are_summed(shape: tuple[int, int]) -> None:
    out = View(Array("t", (shape[0],), "result"), 0, (1, 0))
    read = View(W, 0, (shape[1], 1))
    agree(Step(shape, out, Apply(ops.exp, (Read(0),)), (read,), ops.add))
    agree(Step(shape, out, Read(0), (read,), ops.add))
