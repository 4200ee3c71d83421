"""`take` by traced integers chooses the right places of every table, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import leaves
from test_text import text_equals_steps

from micrograd import Value, functional, grads, lift, nn, numbers
from micrograd.functional import take

rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=(4, 6)).round(3)

# how the table is made of an array of 4 x 6
TABLES: dict[str, Callable[[Any], Any]] = {
    "rows": lambda a: a,
    "columns": lambda a: a.T,
    "one row": lambda a: a[:1],
    "one number": lambda a: a[:1, :1],
    "one column": lambda a: a[:, 0],
    "a row": lambda a: a[1],
    "every other row": lambda a: a[::2],
    "backwards": lambda a: a[::-1],
    "two axes as one": lambda a: a[:, :2].ravel(),
    "two axes as rows": lambda a: a.reshape(4, 3, 2)[:, :2].reshape(8, 2),
    "rows twice": lambda a: a[[0, 0, 1, 1]],
    "rows in any order": lambda a: a[[2, 0, 3, 3, 1]],
    "one row many times": lambda a: a[[1, 1, 1]],
    "columns in any order": lambda a: a[:, [5, 0, 2]],
    "computed": lambda a: a * 2 + a[::-1],
    "computed and nested": lambda a: (a * a)[:, :3].ravel(),
    "computed and repeated": lambda a: np.repeat(a + 1.0, 2, axis=0),
    "sums": lambda a: a.sum(axis=1),
    "joined": lambda a: np.concatenate([a[:, 0], a[0] * 3.0]),
    "cubes": lambda a: a.reshape(2, 2, 6).transpose(1, 0, 2),
}


def check(function: Callable[..., Any], table: Any, index: np.ndarray) -> Any:
    """Eager and lifted on the same table: numbers, gradients, and the printed text."""
    mine, theirs = leaves(table), leaves(table)
    weights = np.random.default_rng(1).normal(size=1000)
    eager = np.asarray(function(mine, index), dtype=object)
    lifted = lift(function)
    got = lifted(theirs, index)
    np.testing.assert_array_equal(numbers(got), numbers(eager))
    for results in (eager, got):
        sum(w * v for w, v in zip(weights, np.ravel(results), strict=False)).backward()
    np.testing.assert_allclose(grads(theirs), grads(mine), rtol=1e-12, atol=1e-12)
    text_equals_steps(function, (leaves(table), index))
    return lifted


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3)])
@pytest.mark.parametrize("name", TABLES)
def test_any_table(name: str, shape: tuple[int, ...]) -> None:
    rows = len(TABLES[name](NUMBERS))
    index = np.random.default_rng(2).integers(0, rows, size=shape)
    check(lambda a, i: take(TABLES[name](a), i), NUMBERS, index)


@pytest.mark.parametrize("name", TABLES)
def test_one_integer_from_any_table(name: str) -> None:
    rows = len(TABLES[name](NUMBERS))
    for i in range(rows):
        check(lambda a, i: take(TABLES[name](a), i), NUMBERS, np.int64(i))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_along_any_axis(axis: int) -> None:
    index = np.array([[1, 0], [1, 1]])
    check(lambda a, i: take(a.reshape(2, 2, 6)[:, :, :2], i, axis), NUMBERS, index)


def test_parameters_as_a_table() -> None:
    for rows in (1, 2, 5):
        layer = nn.Embedding(rows, 3, rng=0)
        index = np.arange(7) % rows
        want = numbers(layer(index))
        got = lift(lambda i, layer=layer: layer(i))(index)
        np.testing.assert_array_equal(numbers(got), want)
        got[2].sum().backward()
        assert grads(layer.weight).sum() == 3.0
        assert (grads(layer.weight)[2 % rows] == 1.0).all()


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("off", [-1, 0])
def test_an_index_outside_the_table_is_an_error(name: str, off: int) -> None:
    rows = len(TABLES[name](NUMBERS))
    f = lift(lambda a, i: take(TABLES[name](a), i))
    f(NUMBERS, np.array([0]))
    with pytest.raises(IndexError, match=f"out of range for a table of {rows} rows"):
        f(NUMBERS, np.array([rows if off == 0 else -1]))


def test_cross_entropy_of_one_class_and_of_columns() -> None:
    for scores in (lambda a: a[:, :1], lambda a: a.T, lambda a: a[[1, 0, 2]]):
        rows, classes = scores(NUMBERS).shape
        targets = np.random.default_rng(3).integers(0, classes, size=rows)
        check(lambda a, t, s=scores: functional.cross_entropy(s(a), t), NUMBERS, targets)


def test_a_gradient_is_added_for_each_time_that_a_row_was_chosen() -> None:
    v = Value(3.0)
    f = lift(lambda i: sum(take([v, v * 2.0], i)))
    f(np.array([0, 1, 1, 0, 1])).backward()
    assert v.grad == 2 + 3 * 2
