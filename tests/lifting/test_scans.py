"""`scans.py`, `run/numbers_in_turn.py`: a number made from the one before, as one instruction."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from executing import SHIPPED, program_of
from taped import taped

from micrograd import Value, lift, ops
from micrograd.lifting.fuse import fuse
from micrograd.lifting.layout import Instruction
from micrograd.lifting.scans import SHORTEST
from micrograd.lifting.schedule import schedule
from micrograd.lifting.steps.checks import check

N = SHORTEST + 8


def chained(step: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Every number of h = step(h, x, w), from h = w[0] on."""

    def function(x: Any, w: Any) -> list[Any]:
        found = [w[0]]
        for element in x:
            found.append(step(found[-1], element, w))
        return found[1:]

    return function


STEPS: dict[str, Callable[..., Any]] = {
    "a running sum": lambda h, x, w: h + x,
    "a running sum, the other way round": lambda h, x, w: x + h,
    "a running product": lambda h, x, w: h * x,
    "a running maximum": lambda h, x, w: ops.maximum(h, x),
    "an autoregression": lambda h, x, w: w[1] * h + w[2],
    "one that reads": lambda h, x, w: w[1] * h + w[2] * x,
    "a recurrent unit": lambda h, x, w: (w[1] * h + w[2] * x + w[0]).tanh(),
    "a division": lambda h, x, w: h / (1.0 + x * x) + w[1],
    "Euler's method": lambda h, x, w: h + 0.1 * (w[1] * h - w[2] * h * h * h),
    "a choice": lambda h, x, w: ops.where(ops.greater(h, x), h * w[1], x - h),
    "a weight that is no number": lambda h, x, w: h * 0.5 + (x * w[1]).exp(),
    "a soft maximum": lambda h, x, w: ((h - x).exp() + (x * 0.0).exp()).log() + x,
}


def numbers(n: int = N, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    make = np.vectorize(Value, otypes=[object])
    return make(rng.normal(size=n) / 2), make(rng.normal(size=3) / 2)


def gradients(values: Any) -> list[float]:
    found = [v.grad for v in values]
    for v in values:
        v.grad = 0.0
    return found


def same(function: Callable[..., Any], x: Any, w: Any, executor: str = "numpy") -> None:
    """Lifted and eager agree, in the result and in every gradient."""
    with np.errstate(all="ignore"):
        one = function(x, w)
        one.backward()
        eager = gradients([*x, *w])
        for _ in range(2):
            other = lift(lambda: function(x, w), executor=executor)()
            other.backward()
            found = gradients([*x, *w])
            np.testing.assert_allclose([other.data, *found], [one.data, *eager],
                                       rtol=1e-11, atol=1e-13)  # fmt: skip


def instructions(function: Callable[..., Any], *args: Any) -> list[Instruction]:
    tape, outputs = taped(function, *args)
    return schedule(tape, fuse(tape, outputs), {})[0].instructions


# --- finding them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STEPS)
def test_a_chain_is_one_instruction(name: str) -> None:
    found = instructions(chained(STEPS[name]), np.ones(N), np.ones(3))
    (scan,) = [one for one in found if one.kind == "scan"]
    assert scan.out.shape[0] >= N - 2  # the first ones may read the start twice
    assert len(found) <= 8


def test_what_accumulate_adds_is_one_instruction() -> None:
    found = instructions(lambda x: list(accumulate(x)), np.ones(100))
    assert [one.kind for one in found] == ["map", "scan"]
    found = instructions(lambda x: list(np.cumsum(x)), np.ones(100))
    assert [one.kind for one in found] == ["map", "scan"]


def test_two_chains_beside_each_other_are_two() -> None:
    def both(x: Any) -> Any:
        return [*accumulate(x), *accumulate(x, ops.maximum)]

    found = instructions(both, np.ones(N))
    assert [one.kind for one in found].count("scan") == 2


def test_numbers_that_read_each_other_are_no_scan() -> None:
    def coupled(x: Any) -> Any:
        u, v = x[0], x[1]
        for _ in range(N):
            u, v = u + 0.1 * v, v - 0.1 * u * u
        return u

    assert not [one for one in instructions(coupled, np.ones(2)) if one.kind == "scan"]


def test_what_comes_back_by_another_way_is_no_scan() -> None:
    def around(x: Any) -> Any:
        h, found = x[0], []
        for k in range(N):
            g = ops.sin(h)  # read twice: no part of the link
            h = h * 0.5 + g
            found.append(g * x[k])
        return found

    assert not [one for one in instructions(around, np.ones(N)) if one.kind == "scan"]


def test_a_short_chain_stays_as_it_is() -> None:
    found = instructions(lambda x: list(accumulate(x)), np.ones(SHORTEST))
    assert not [one for one in found if one.kind == "scan"]


# --- right, forward and backward ------------------------------------------------------------------


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("name", STEPS)
def test_the_last_number_of_a_chain(name: str, executor: str) -> None:
    same(lambda x, w: chained(STEPS[name])(x, w)[-1], *numbers(), executor)


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("name", STEPS)
def test_a_loss_at_each_step(name: str, executor: str) -> None:
    def loss(x: Any, w: Any) -> Any:
        return sum((h - v) ** 2 for h, v in zip(chained(STEPS[name])(x, w), x[::-1], strict=True))

    same(loss, *numbers(), executor)


@pytest.mark.parametrize("name", STEPS)
def test_some_numbers_of_a_chain(name: str) -> None:
    def some(x: Any, w: Any) -> Any:
        h = chained(STEPS[name])(x, w)
        return h[3] * h[3] + h[N - 6] * x[0]

    same(some, *numbers())


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("which", [0, 5, -1])
def test_one_of_many_results(name: str, which: int) -> None:
    x, w = numbers()
    function = chained(STEPS[name])
    function(x, w)[which].backward()
    eager = gradients([*x, *w])
    lift(lambda: function(x, w))()[which].backward()
    np.testing.assert_allclose(gradients([*x, *w]), eager, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", ["a running sum", "a running product", "an autoregression"])
def test_infinities_pass_as_they_do_eagerly(name: str, bad: float) -> None:
    x, w = numbers()
    x[4].data = bad
    for which in (0, 3, 4, -1):
        same(lambda x, w, k=which: chained(STEPS[name])(x, w)[k], x, w)


def test_only_what_the_chain_begins_with_asks_for_a_gradient() -> None:
    start = Value(0.5)
    found = lift(lambda x: chained(STEPS["one that reads"])(x, [start, 0.5, 0.25])[-1])(np.ones(N))
    found.backward()
    assert start.grad == pytest.approx(0.5**N, rel=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_a_scan_are_sound(name: str) -> None:
    check(program_of(chained(STEPS[name]), np.ones(N), np.ones(3)))
