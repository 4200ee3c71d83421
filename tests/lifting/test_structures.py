"""Structures that go into a lifted call and come out of it: nothing is lost, added or misnamed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from micrograd import LiftError, Value, grad, lift
from micrograd.gradcheck import gradcheck


class Settings(dict[str, Any]):
    note = ""


def test_a_dict_of_a_class_comes_out_as_one() -> None:
    settings = Settings(loss=None)
    settings.note = "kept"

    @lift
    def f(x: Value) -> Any:
        made = settings.copy()
        filled = Settings(made, loss=x * 2)
        filled.note = settings.note
        return filled, Counter(a=x + 1)  # type: ignore[arg-type]

    for x in (1.0, 2.0):
        filled, counts = f(x)
        assert type(filled) is Settings and filled.note == "kept" and filled["loss"].data == 2 * x
        assert type(counts) is Counter and counts["a"].data == x + 1


def test_an_argument_that_comes_to_hold_itself_was_changed() -> None:
    @lift
    def f(xs: Any) -> Any:
        xs.append(xs)
        return xs[0] * 2

    with pytest.raises(LiftError, match="changing an argument in place"):
        f([1.0])


def test_a_list_that_holds_itself_is_refused_with_its_place() -> None:
    loop: list[Any] = [1.0]
    loop.append({"a": loop})
    with pytest.raises(ValueError, match=r"a list holds itself at \[1\]\['a'\]"):
        lift(lambda xs: xs[0] * 2)(loop)


def test_a_keyword_may_have_the_name_of_a_positional_argument() -> None:
    class Model:
        w = 2.0

    first, second = Model(), Model()

    @lift
    def f(x: Any, /, **given: Any) -> Any:
        return x.w * given["x"].w * given["y"]

    assert f(first, x=second, y=3.0).data == 12
    first.w = 5.0  # both are watched
    assert f(first, x=second, y=3.0).data == 30
    second.w = 3.0
    assert f(first, x=second, y=3.0).data == 45


def test_each_of_many_arguments_has_a_name() -> None:
    f = lift(lambda *xs: sum(xs))
    assert f(*[1.0] * 120).data == 120
    assert f.program is not None and len(f.program.argument_names) == 120


def test_structures_with_equal_leaves_are_programs_of_their_own() -> None:
    f = lift(lambda xs: (xs, sum(np.ravel([*np.hstack(xs)]))) if len(xs) == 2 else xs)
    flat, nested = f([1.0, 2.0]), f([[1.0], [2.0]])
    assert len(f.programs) == 2
    assert [v.data for v in flat[0]] == [1, 2] and [v.data for [v] in nested[0]] == [1, 2]


def test_arrays_of_results_are_seen_inside_a_dict() -> None:
    f = lift(lambda x: {"twice": x * 2, "sum": (x * x).sum()})
    assert gradcheck(f, [np.arange(1.0, 4.0)], order=1)
    results = f(np.array([Value(1.0), Value(2.0)]))
    twice, total = results["twice"], results["sum"]
    slopes = grad(total + twice[0], {"twice": twice, "total": total})
    assert [g.data for g in slopes["twice"]] == [1, 0] and slopes["total"].data == 1
