"""A function that is recorded again and again says so once, and names what differed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from micrograd import Value, lift, nn

w = Value(2.0)
table = np.array([Value(float(i)) for i in range(40)], dtype=object)
_rate = 0.0


def said(f: Any, calls: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for arguments in calls:
            f(*arguments)
    assert all(issubclass(warning.category, UserWarning) for warning in found)
    assert all(warning.filename == __file__ for warning in found)
    return [str(warning.message) for warning in found]


def test_a_counter_as_a_python_int() -> None:
    f = lift(lambda x, n: x * w * n)
    (text,) = said(f, [(1.0, n) for n in range(3, 30)])
    assert "has been recorded 10 times" in text
    assert "`n` was 3, 4, 5, ...: pass it as a float or an array" in text
    assert "`x`" not in text


def test_lists_of_python_ints() -> None:
    f = lift(lambda tokens: sum(table[t] for t in tokens) * w)
    (text,) = said(f, [([n, n + 1],) for n in range(15)])
    assert "`tokens` was [0, 1], [1, 2], [2, 3], ...: pass it as an array" in text


def test_fresh_lambdas() -> None:
    f = lift(lambda x, g: g(x) * w)
    (text,) = said(f, [(1.0, lambda x: x * 2) for _ in range(15)])
    assert "`g` was another function each time: make it once" in text


def test_a_global_that_changes() -> None:
    f = lift(lambda x: x * w * _rate)

    def calls() -> Any:
        for n in range(15):
            globals()["_rate"] = float(n)
            yield (1.0,)

    (text,) = said(f, calls())
    assert "_rate changed in between: pass it as an argument" in text


def test_the_mode_of_a_model_in_turn() -> None:
    model = nn.Dropout(0.5, rng=0)
    f = lift(lambda x: model(x))

    def calls() -> Any:
        for n in range(15):
            model.train(n % 2 == 0)
            yield (np.ones(2),)

    (text,) = said(f, calls())
    assert "model.training changed in between: lift a function of its own" in text


def test_a_new_shape_each_time_is_said_when_programs_are_dropped() -> None:
    f = lift(lambda X: X.sum() * w)
    assert said(f, [(np.ones(n),) for n in range(30)]) == []
    (text,) = said(f, [(np.ones(n),) for n in range(30, 80)])
    assert "`X` was of shape (0,), of shape (1,), of shape (2,), ...: pad it" in text


def test_methods_slices_and_ranges_are_the_same_when_equal() -> None:
    class Scale:
        def by(self, x: Any) -> Any:
            return x * w

    scale = Scale()
    f = lift(lambda x, method, part, steps: method(x[part]).sum() * len(steps))
    for _ in range(15):
        assert f(np.ones(4), scale.by, slice(0, 2), range(3)).data == 12.0
    assert f.history.recordings == 1
    assert f(np.ones(4), scale.by, slice(0, 3), range(3)).data == 18.0


def test_nine_recordings_are_silent() -> None:
    f = lift(lambda n: w * n)
    assert said(f, [(n,) for n in range(9)]) == []


@pytest.mark.parametrize("calls", [20])
def test_a_function_that_is_recorded_once_is_silent(calls: int) -> None:
    assert said(lift(lambda x: x * w), [(float(n),) for n in range(calls)]) == []
