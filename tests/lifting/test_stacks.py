"""`stacks.py`: lists and tuples of like numbers are one argument, as good as an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from recordings import noting

from micrograd import LiftError, Value, lift, nn, numbers
from micrograd.lifting.stacks import Columns, Stack, stacked

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 3)), rng.normal(size=30)
net = nn.MLP(3, [4, 1])


def loss(X: Any, y: Any) -> Any:
    return sum((net(x) - t) ** 2 for x, t in zip(X, y, strict=True))


def loss_of_pairs(pairs: Any) -> Any:
    return sum((net(x) - t) ** 2 for x, t in pairs)


FORMS: dict[str, Callable[[np.ndarray, np.ndarray], tuple[Any, ...]]] = {
    "rows": lambda X, y: (list(X), y),
    "rows and floats": lambda X, y: (list(X), y.tolist()),
    "NumPy's floats": lambda X, y: (list(X), list(y)),
    "lists of floats": lambda X, y: (X.tolist(), y.tolist()),
    "a tuple of rows": lambda X, y: (tuple(X), tuple(y.tolist())),
    "tuples of floats": lambda X, y: ([tuple(row) for row in X.tolist()], y),
    "pairs": lambda X, y: (list(zip(X, y, strict=True)),),
    "pairs of lists": lambda X, y: (list(zip(X.tolist(), y.tolist(), strict=True)),),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_in_a_list_are_as_good_as_an_array(form: str) -> None:
    want = lift(loss)
    want(X, Y)
    function = loss_of_pairs if "pairs" in form else loss
    f = lift(function)
    for shift in (0.0, 1.0, -0.5):  # other numbers, no other program
        given = FORMS[form](X + shift, Y * shift)
        net.zero_grad()
        got = f(*given)
        got.backward()
        gradients = [p.grad for p in net.parameters()]
        net.zero_grad()
        eager = function(*given)
        eager.backward()
        assert got.data == pytest.approx(eager.data, rel=1e-12)
        assert gradients == pytest.approx([p.grad for p in net.parameters()], rel=1e-9)
    assert f.history.recordings == 1
    assert len(f.program.recording.arguments) == 2
    instructions = [i.kind for i in f.program.recording.layout.instructions]
    assert instructions == [i.kind for i in want.program.recording.layout.instructions]


@pytest.mark.parametrize("form", FORMS)
def test_the_function_sees_the_structure_that_it_was_given(form: str) -> None:
    def shape(x: Any) -> Any:
        kind = type(x).__name__
        if isinstance(x, np.ndarray):
            return kind, x.shape
        return (kind, [shape(item) for item in x]) if isinstance(x, (list, tuple)) else "number"

    given = FORMS[form](X[:4], Y[:4])
    note, notes = noting()

    def f(*args: Any) -> Any:
        note([shape(x) for x in args])
        return args[-1][0]

    lift(f)(*given)
    assert notes == [[shape(x) for x in given]]


class Point(NamedTuple):
    x: Any
    y: Any


TAKEN_APART: dict[str, Any] = {
    "an empty list": [],
    "rows of two lengths": [X[0], X[1][:2]],
    "arrays of two shapes": [np.ones((2, 3)), np.ones((3, 2))],
    "arrays of one size but other later axes": [np.ones((2, 3)), np.ones((2, 4))],
    "arrays of two dtypes": [X[0], X[0].astype(np.float32)],
    "arrays without an axis": [np.array(1.0), np.array(2.0)],
    "ragged lists": [[1.0, 2.0], [3.0]],
    "ints": [1, 2, 3],
    "a float among ints": [1, 2.0, 3],
    "strings": ["a", "b"],
    "a Value among floats": [Value(1.0), 2.0],
    "pairs with a string": [(1.0, "a"), (2.0, "b")],
    "a pair and a triple": [(1.0, 2.0), (1.0, 2.0, 3.0)],
    "points": [Point(1.0, 2.0), Point(3.0, 4.0)],
}


@pytest.mark.parametrize("name", TAKEN_APART)
def test_what_is_not_alike_is_taken_apart(name: str) -> None:
    assert stacked(TAKEN_APART[name]) is None


def test_lists_in_lists_are_axes() -> None:
    stack = stacked([[[1.0, 2.0], [3.0, 4.0]]])
    assert isinstance(stack, Stack)
    assert stack.array.shape == (1, 2, 2)
    assert stack.spread(stack.array) == [[[1.0, 2.0], [3.0, 4.0]]]
    pairs = stacked([([1.0, 2.0], X), ([3.0, 4.0], X)])
    assert isinstance(pairs, Columns)
    assert [column.array.shape for column in pairs.columns] == [(2, 2), (2, *X.shape)]


def test_arrays_without_elements_keep_their_shapes() -> None:
    stack = stacked([np.ones((0, 2)), np.ones((0, 2))])
    assert isinstance(stack, Stack)
    assert [row.shape for row in stack.spread(stack.array)] == [(0, 2), (0, 2)]


def test_a_list_that_holds_itself_is_refused_as_before() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="holds itself"):
        lift(lambda x: x)(endless)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("kind", ["list", "tuple", "array"])
def test_gradients_flow_into_values_in_lists(kind: str, rows: int) -> None:
    def values() -> list[Any]:
        return [[Value(float(3 * i + j)) for j in range(3)] for i in range(rows)]

    def f(table: Any, pairs: Any) -> Any:
        total = sum(v * v * (i + 1.0) for i, row in enumerate(table) for v in row)
        return total + sum(v * x for v, x in pairs)

    make = {
        "list": list,
        "tuple": lambda table: tuple(map(tuple, table)),
        "array": lambda table: [np.array(row, dtype=object) for row in table],
    }[kind]
    lifted = lift(f)
    for _ in range(2):
        sides = []
        for side in (f, lifted):
            table, heads = values(), [Value(float(i)) for i in range(rows)]
            out = side(make(table), [(v, 2.0) for v in heads])
            out.backward()
            sides.append((out.data, [v.grad for row in [*table, heads] for v in row]))
        assert sides[0] == sides[1]
    lifted.check(make(values()), [(Value(1.0), 2.0)] * rows)


def test_other_lengths_and_other_structures_have_programs_of_their_own() -> None:
    w = Value(2.0)
    f = lift(lambda x: sum(v * w for row in x for v in row))
    given = [X.tolist(), X[:5].tolist(), list(X), tuple(X), X, [tuple(row) for row in X.tolist()]]
    for x in (*given, *given):
        assert f(x).data == pytest.approx(2.0 * np.sum(x), rel=1e-12)
    assert f.history.recordings == len(given)


def test_narrow_rows_are_refused_as_narrow_arrays_are() -> None:
    f = lift(lambda rows: sum((row * 2).sum() for row in rows))
    with pytest.raises(LiftError, match="float32"):
        f(list(X.astype(np.float32)))
    w = Value(2.0)
    g = lift(lambda rows: sum((row * w).sum() for row in rows))
    assert g(list(X.astype(np.float32))).data == pytest.approx(2 * X.astype(np.float32).sum())


def test_integers_in_a_list_choose() -> None:
    table = nn.Embedding(5, 2, rng=0)
    f = lift(lambda tokens: np.array([table(t) for t in tokens]))
    for tokens in ([np.int64(1), np.int64(4)], [np.int64(0), np.int64(0)]):
        want = [numbers(table.weight)[t] for t in tokens]
        assert np.array_equal(numbers(f(tokens)), want)
    assert f.history.recordings == 1
    assert len(f.program.recording.arguments) == 1


def test_rows_changed_in_place_are_refused() -> None:
    def f(rows: Any) -> Any:
        rows[0][0] = rows[0][1]
        return rows[0].sum()

    with pytest.raises(LiftError, match="changing an argument in place"):
        lift(f)(list(X))


def test_arrays_of_a_batch_in_a_list_stay_arrays() -> None:
    w = Value(2.0)
    f = lift(batched=("pair",))(lambda pair: (pair[0] * pair[1] * w).sum())
    for n in (3, 8, 20):
        assert f([np.ones((n, 2)), np.ones((n, 2))]).data == 4.0 * n
    assert len(f.program.recording.arguments) == 2


def test_long_lists_cost_one_copy() -> None:
    """The numbers of a list stand in one array: nothing is done for each of them in Python."""
    w = Value(1.0)
    f = lift(lambda x, rows: sum(w * v for v in x) + sum(row.sum() for row in rows))
    f([1.0] * 500, [np.ones(2)] * 500)
    assert [a.shape for a in f.program.recording.arguments] == [(500,), (500, 2)]
    assert f.program.argument_names == ["x", "rows"]
