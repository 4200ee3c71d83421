"""Lifted code is silent about inf and nan, and leaves NumPy's warnings as they were.

Covers `run/quiet.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from micrograd import Value, lift, op
from micrograd.lifting.run import quiet

PAIRS = {
    "context variable": quiet._pair(quiet._setting()),
    "np.errstate": quiet._pair(None),  # a NumPy without one
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
Pair = tuple[Callable[[], Any], Callable[[Any], None]]


def test_numpy_has_one_context_variable() -> None:
    assert quiet._setting() is not None


@pairs
def test_nothing_is_raised_between_the_two_and_everything_after(pair: Pair) -> None:
    turn_quiet, turn_loud = pair
    zero = np.zeros(2)
    with np.errstate(all="raise"):
        outer = turn_quiet()
        inner = turn_quiet()
        turn_loud(inner)
        assert np.isnan(zero / zero).all()
        turn_loud(outer)
        with pytest.raises(FloatingPointError):
            zero / zero


@pairs
def test_another_thread_keeps_its_warnings(pair: Pair) -> None:
    found: list[dict[str, str]] = []
    turn_quiet, turn_loud = pair
    before = np.geterr()
    token = turn_quiet()
    thread = threading.Thread(target=lambda: found.append(dict(np.geterr())))
    thread.start()
    thread.join()
    turn_loud(token)
    assert found == [before] == [np.geterr()]
    assert before["invalid"] != "ignore", "otherwise this says nothing"


@pytest.mark.parametrize("executor", ["numpy", "native"])
def test_an_exception_in_a_step_leaves_the_warnings(executor: str) -> None:
    limit = [2.0]

    def forward(x: float) -> float:
        if x > limit[0]:
            raise OverflowError("too large")
        return x * x

    def slope(x: Any, out: Any) -> Any:
        return 2.0 * x

    square = op("square below a limit", forward, [slope])
    square_all = lift(lambda x: square(x[0]) + square(x[1]), executor=executor)
    with np.errstate(all="raise", under="warn"):
        before = np.geterr()
        square_all(np.array([1.0, 2.0])).backward()
        assert np.geterr() == before
        with pytest.raises(OverflowError, match="too large"):
            square_all(np.array([1.0, 3.0]))
        assert np.geterr() == before


@pytest.mark.parametrize("executor", ["numpy", "native"])
def test_infinities_and_nan_are_silent_forward_and_backward(executor: str) -> None:
    w = Value(0.0)
    logarithm = lift(lambda x: (w * x[0]).log() * 0.0, executor=executor)
    with np.errstate(all="raise"):
        loss = logarithm(np.array([1.0]))
        loss.backward()
    assert np.isnan(loss.data) and np.isnan(w.grad)
