"""simplified: fewer steps, the same numbers. Covers `substitution.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from executing import called
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, loops
from random_routines import routines

from micrograd import ops, values
from micrograd.lifting.run import reference
from micrograd.lifting.steps import adjoint as adjoint_module
from micrograd.lifting.steps.adjoint import adjoint, gradient, seed
from micrograd.lifting.steps.checks import check
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.simplify import folded, simplified


def numbers_of(steps: Sequence[Step], numbers: dict[str, Any], arrays: Sequence[Array]) -> Any:
    buffers = {name: list(x) for name, x in numbers.items()}
    with np.errstate(all="ignore"):
        reference.run(steps, buffers)
    return [buffers[array.name] for array in arrays]


def saved(function: Any, args: Any) -> int:
    """How many steps fewer a backward pass has, with the same gradients."""
    program, numbers = called(function, args)
    results = range(len(program.results))
    for k in results:
        array = seed(program, k)
        numbers[array.name] = list(np.linspace(-1, 2, array.size))
    with patch.object(adjoint_module, "simplified", lambda steps, kept: tuple(steps)):
        long = adjoint(program, results)
    short = adjoint(program, results)
    check(program, short)
    asked = [a.array for a in program.arguments if a.wanted]
    asked = [gradient(array) for array in (*asked, *(p.array for p in program.parameters))]
    for want, got in zip(
        numbers_of(long, numbers, asked), numbers_of(short, numbers, asked), strict=True
    ):
        finite = np.abs(np.array(want)[np.isfinite(want)])
        scale = finite.max(initial=0.0)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13 * scale)
    return len(long) - len(short)


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.one_of(loops(), expressions(), routines()))
def test_random_backward_passes_stay_the_same(sample: Sample) -> None:
    function = sample.function
    assert saved(lambda *args: function(sample.parameters, *args), sample.calls[0]) >= 0


def test_a_chain_of_functions_is_one_step_back() -> None:
    assert saved(lambda x: ((x * 2.0 + 1.0) ** -0.5 / 3.0).sum(), (values(range(1, 5)),)) >= 3


# --- one rule at a time ---------------------------------------------------------------------------

x, a, b, out = (
    Array(name, (6,), role)  # type: ignore[arg-type]
    for name, role in (("x", "argument"), ("a", "result"), ("b", "result"), ("out", "result"))
)


def view(array: Array, *strides: int, base: int = 0) -> View:
    return View(array, base, strides or (1,))


def step(
    target: View, value: Any, *reads: View, loops: tuple[int, ...] = (6,), **more: Any
) -> Step:
    return Step(loops, target, value, reads, **more)


SQUARE = Apply(ops.mul, (Read(0), Read(0)))
COPY = step(view(a), Read(0), view(x))
MADE = step(view(a), Apply(ops.exp, (Read(0),)), view(x))
USE = step(view(out), SQUARE, view(a))
GIVEN = {"x": [1.0, -2.0, 3.0, 0.5, -0.25, 2.0]}

SHORTER = {
    "a copy": [COPY, USE],
    "a copy read twice": [COPY, USE, step(view(b), Read(0), view(a))],
    "a copy read backwards": [COPY, step(view(out), SQUARE, view(a, -1, base=5))],
    "one number everywhere": [step(view(a), Read(0), view(x, 0, base=2)), USE],
    "a copy of columns": [
        step(view(a, 1, 2), Read(0), view(x, 3, 1), loops=(2, 3)),
        step(view(out, 2, 1), SQUARE, view(a, 2, 1), loops=(3, 2)),
    ],
    "a step read once": [MADE, USE],
    "a step of other loops": [
        step(view(a, 3, 1), Apply(ops.exp, (Read(0),)), view(x, 3, 1), loops=(2, 3)),
        USE,
    ],
    "a sum begun": [
        step(view(out), Read(0), view(x)),
        step(view(out), SQUARE, view(x), accumulate=True),
    ],
}
AS_LONG = {
    "a copy of what changes": [
        step(view(b), SQUARE, view(x)),
        step(view(a), Read(0), view(b)),
        step(view(b), 1.0, accumulate=True),
        USE,
    ],
    "a step read at two places": [
        MADE,
        step(view(out), SQUARE, view(a)),
        step(view(b), Read(0), view(a)),
    ],
    "a step read in another order": [
        MADE,
        step(view(out), Apply(ops.mul, (Read(0), Read(1))), view(a), view(a, -1, base=5)),
    ],
    "a part of an array": [
        step(view(a), 0.0),
        step(view(a, base=3), Read(0), view(x), loops=(3,)),
        USE,
    ],
    "a sum of what is made": [
        MADE,
        step(view(out, 0), Read(0), view(a), combine=ops.add),
    ],
}


@pytest.mark.parametrize("case", SHORTER)
def test_these_become_shorter(case: str) -> None:
    steps = SHORTER[case]
    arrays = [one.out.array for one in steps if one.out.array is not a]
    short = simplified(steps, arrays)
    assert len(short) < len(steps)
    np.testing.assert_allclose(
        numbers_of(short, GIVEN, arrays), numbers_of(steps, GIVEN, arrays), rtol=1e-15
    )


@pytest.mark.parametrize("case", AS_LONG)
def test_these_stay(case: str) -> None:
    steps = AS_LONG[case]
    assert list(simplified(steps, [out, b])) == steps


def test_what_is_kept_is_written() -> None:
    assert list(simplified([COPY, USE], [a, out])) == [COPY, USE]


def test_copies_alone_leaves_arithmetic() -> None:
    steps = [MADE, USE]
    assert list(simplified(steps, [out], copies_alone=True)) == steps
    assert len(simplified([COPY, USE], [out], copies_alone=True)) == 1


def test_a_constant_goes_to_the_factor_that_has_one() -> None:
    scaled = step(view(a), Apply(ops.mul, (Read(0), 0.5)), view(x))
    product = Apply(ops.mul, (Apply(ops.mul, (Read(0), Read(1))), 4.0))
    total = step(view(out, 0), product, view(x), view(a), combine=ops.add)
    first, second = simplified([scaled, total], [out])
    assert str(first).endswith("(x[1*i] * 2.0)")
    assert str(second).endswith("sum of (x[1*i] * a[1*i])")


def test_constants_are_multiplied() -> None:
    r = Read(0)
    assert str(folded(Apply(ops.mul, (2.0, Apply(ops.mul, (r, 3.0)))))) == "($0 * 6.0)"
    assert str(folded(Apply(ops.mul, (0.5, Apply(ops.mul, (r, 2.0)))))) == "$0"
    assert folded(Apply(ops.mul, (2.0, 3.0))) == 6.0
    huge = Apply(ops.mul, (1e300, Apply(ops.mul, (r, 1e300))))
    assert folded(huge) == huge  # their product is inf


def test_a_wrong_substitution_is_found() -> None:
    """The comparison of this file fails if views are not moved to the source."""
    steps = SHORTER["a copy read backwards"]
    wrong = [replace(steps[1], reads=(view(x),))]
    assert numbers_of(wrong, GIVEN, [out]) != numbers_of(steps, GIVEN, [out])
