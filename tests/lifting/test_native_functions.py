"""exp, log, tanh, sigmoid, softplus in vectors: at most 3 units in the last place off, by mpmath.

Covers `run/native/functions.py` and the rows that call C or are written out.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from micrograd import ops
from micrograd.lifting.run.native import functions
from micrograd.lifting.run.native.executor import run
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View

EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
ROWS = {name: getattr(ops, name) for name in EXACT}
EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 5e-324, 1e-310, 709.7, 709.79,
         710.5, -708.0, -745.0, -746.0, 1e300, -1e300, 1e-9, 22.0, 0.34, -0.35,
         2.2250738585072014e-308]  # fmt: skip


def computed(op: Any, xs: Any, lanes: bool = True) -> np.ndarray:
    """A row of the table on numbers, in vectors or one by one (two apart)."""
    count, apart = len(xs), 1 if lanes else 2
    given = np.zeros(count * apart)
    given[::apart] = xs
    out = View(Array("t", (count * apart,), "result"), 0, (apart,))
    view = View(Array("x", (count * apart,), "argument"), 0, (apart,))
    buffers: dict[str, Any] = {"x": given}
    run([Step((count,), out, Apply(op, (Read(0),)), (view,))], buffers)
    found: np.ndarray = buffers["t"][::apart]
    return found


def off(name: str, xs: np.ndarray, ys: np.ndarray) -> float:
    """The largest distance from the exact value, in units of the last place."""
    worst = 0.0
    with mpmath.workprec(160):
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpf(x))
            unit = float(np.spacing(max(abs(float(exact)), 2.3e-308)))
            worst = max(worst, float(abs(mpmath.mpf(y) - exact) / mpmath.mpf(unit)))
    return worst


def samples(name: str) -> np.ndarray:
    rng = np.random.default_rng(3)
    tiny = 10 ** rng.uniform(-20, 0, 300) * rng.choice([-1.0, 1.0], 300)
    xs = np.concatenate([rng.uniform(-1, 1, 300), rng.uniform(-30, 30, 300), tiny])
    if name in ("exp", "softplus"):
        xs = np.concatenate([xs, rng.uniform(-708, 709, 300)])
    if name == "sigmoid":
        xs = np.concatenate([xs, rng.uniform(-700, 700, 300)])
    if name == "log":
        near = 1 + rng.normal(size=300) * 1e-3
        xs = np.concatenate([np.abs(xs), near, 10 ** rng.uniform(-322, 308, 300)])
    return xs


@pytest.mark.parametrize("lanes", [True, False])
@pytest.mark.parametrize("name", EXACT)
def test_functions_are_within_3_units(name: str, lanes: bool) -> None:
    xs = samples(name)
    assert off(name, xs, computed(ROWS[name], xs, lanes)) <= 3.0


@pytest.mark.parametrize("name", EXACT)
def test_edges_are_the_tables(name: str) -> None:
    want = [ROWS[name].number(x) for x in EDGES]
    for lanes in (True, False):
        found = computed(ROWS[name], EDGES, lanes)
        np.testing.assert_allclose(found, want, rtol=1e-15, atol=5e-324)
        signs = [math.copysign(1.0, y) for y, w in zip(found, want, strict=True) if w == 0.0]
        assert signs == [math.copysign(1.0, w) for w in want if w == 0.0]


@pytest.mark.parametrize("k", [-4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 7, 0.3, -2.5])
def test_powers_are_the_tables(k: float) -> None:
    row = ops.constant_power(k)
    xs = [*EDGES, 1e160, -1e160, 1e-160, 1e210, 1e-210, 2.5, -2.5, 1e80]
    want = [row.number(x) for x in xs]
    np.testing.assert_allclose(computed(row, xs), want, rtol=2e-15, atol=5e-324)


@pytest.mark.parametrize("name", ["sin", "cos", "erf", "gelu", "relu", "absolute", "sqrt"])
def test_other_rows_are_the_tables(name: str) -> None:
    row = getattr(ops, name)
    with np.errstate(all="ignore"):
        want = [row.number(x) for x in EDGES]
    np.testing.assert_allclose(computed(row, EDGES), want, rtol=1e-15)


def test_a_polynomial_cut_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = functions._polynomial

    def short(code: Any, width: int, x: str, series: list[float]) -> str:
        return whole(code, width, x, series[:-3])

    monkeypatch.setattr(functions, "_polynomial", short)
    xs = samples("exp")
    assert off("exp", xs, computed(ops.exp, xs)) > 3.0
