"""What no program can repeat is refused while it is recorded, at the line where it stands.

Covers `record.py`, `traced.py`, `errors.py`.
"""

from __future__ import annotations

import asyncio
import collections
import copy
import dataclasses
import itertools
import math
import weakref
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

import numpy as np
import pytest
from recordings import noting

from micrograd import LiftError, Value, functional, grad, lift, nn, no_grad, numbers, optim
from micrograd.functional import take

p = Value(2.0)
row = np.array([p, Value(3.0)], dtype=object)


def backward_inside(x: Any) -> Any:
    y = x * p
    y.backward()
    return y


def grad_inside(x: Any) -> Any:
    return grad(x * p, [p])


def second_derivative_inside(x: Any) -> Any:
    return grad(x * p, [p], create_graph=True)


def closure_assigned(x: Any) -> Any:
    out = x * p
    out._backward = lambda: None
    return out


def node_by_hand(x: Any) -> Any:
    return Value(0.0, (x, p), "mine")


def written_into_floats(x: Any) -> Any:
    array = np.zeros(2)
    array[0] = x
    return array


def written_into_data(x: Any) -> Any:
    x.data = 1.0
    return x


def no_gradient(x: Any) -> Any:
    with no_grad():
        return x * p


def matched(y: Any) -> Any:
    match y:
        case 1:
            return p
        case _:
            return -p


ONE, INTEGER = 1.5, np.int64(1)
REFUSED: list[tuple[str, Callable[..., Any], Any, str]] = [
    ("data", lambda x: x * x.data, ONE, "number"),
    ("float", lambda x: float(x), ONE, "number"),
    ("item", lambda x: x.item(), ONE, "number"),
    ("format", lambda x: f"{x:.3f}", ONE, "number"),
    ("greater", lambda x: x if x > 0 else -x, ONE, "where"),
    ("at most", lambda x: x <= 1.0, ONE, "where"),
    ("if", lambda x: 1 if x else 2, ONE, "decision"),
    ("and", lambda x: x and p, ONE, "decision"),
    ("max of a list", lambda x: max([x, x * 2]), ONE, "maximum"),
    ("sorted", lambda x: sorted([x, x * 2]), ONE, "number"),
    ("np.max", lambda x: np.max([x, p]), ONE, "maximum"),
    ("np.maximum", lambda x: np.maximum(np.array([x, p]), 0), ONE, "maximum"),
    ("math.exp", lambda x: math.exp(x), ONE, "number"),
    ("numbers", lambda x: numbers([x]), ONE, "number"),
    ("astype", lambda x: np.array([x, p]).astype(float), ONE, "number"),
    ("into an array of floats", written_into_floats, ONE, "number"),
    ("writing data", written_into_data, ONE, "writing"),
    ("grad of an argument", lambda x: x * x.grad, ONE, "gradient"),
    ("index of a list", lambda i: [p, p][i], INTEGER, "take"),
    ("index of an array", lambda i: row[i], INTEGER, "take"),
    ("array of indices", lambda i: row[i], np.array([1, 0]), "take"),
    ("range", lambda i: sum(p for _ in range(i)), INTEGER, "take"),
    ("backward", backward_inside, ONE, "outside"),
    ("grad()", grad_inside, ONE, "outside"),
    ("grad(create_graph)", second_derivative_inside, ONE, "outside"),
    ("no_grad", lambda x: no_gradient(x), ONE, "detach"),
    ("equal to a number", lambda x: p if x == 1 else -p, INTEGER, "one_hot"),
    ("a number equal to it", lambda x: p if 1 == x else -p, INTEGER, "one_hot"),  # noqa: SIM300
    ("not equal", lambda x: p if x != 1.5 else -p, ONE, "ops.equal"),
    ("equal to itself", lambda x: p if x == x else -p, ONE, "ops.equal"),  # noqa: PLR0124
    ("equal to NumPy's", lambda x: p if x == np.float64(1) else -p, ONE, "mask"),
    ("a mask", lambda y: (p * (y == 1)).sum(), np.array([1, 0]), "one_hot"),
    ("a mask of not", lambda y: (p * (y != 1)).sum(), np.array([1, 0]), "one_hot"),
    ("a mask of two arrays", lambda y: (p * (y == y[::-1])).sum(), np.array([1, 0]), "one_hot"),
    ("np.equal", lambda y: (p * np.equal(y, 1)).sum(), np.array([1, 0]), "one_hot"),
    ("np.equal of one", lambda y: p * np.equal(y, 1), INTEGER, "one_hot"),
    ("np.where", lambda y: np.where(y == 1, p, -p).sum(), np.array([1, 0]), "one_hot"),
    ("np.isin", lambda y: (p * np.isin(y, [1])).sum(), np.array([1, 0]), "LiftError|lift"),
    ("np.array_equal", lambda y: p if np.array_equal(y, [1, 0]) else -p, np.array([1, 0]), "hot"),
    ("np.unique", lambda y: np.unique(y), np.array([1, 0]), "where"),
    ("in a list", lambda y: p if y in [1, 2] else -p, INTEGER, "one_hot"),
    ("in an array", lambda y: p if y in np.array([1, 2]) else -p, INTEGER, "one_hot"),
    ("in a set", lambda y: p if y in {1, 2} else -p, INTEGER, "one_hot"),
    ("in a dict", lambda y: {1: p}.get(y, -p), INTEGER, "one_hot"),
    ("a key", lambda y: {1: p}[y], INTEGER, "one_hot"),
    ("index of", lambda y: [1, 2].index(y) * p, INTEGER, "one_hot"),
    ("count", lambda y: [1, 2].count(y) * p, INTEGER, "one_hot"),
    ("match", lambda y: matched(y), INTEGER, "one_hot"),
    ("a result of plain numbers", lambda x: p if x * 2 == 3 else -p, ONE, "ops.equal"),
    ("np.sign", lambda x: p * np.sign(np.array([x]))[0], ONE, "where"),
    ("np.any", lambda y: p if np.any(y) else -p, np.array([1, 0]), "decision"),
    ("modulo", lambda y: p * (y % 2), INTEGER, "outside"),
    ("modulo of an array", lambda y: (p * (y % 2)).sum(), np.array([1, 0]), "outside"),
    ("a number modulo it", lambda y: p * (7 % y), INTEGER, "outside"),
    ("floor division", lambda y: p * (y // 2), INTEGER, "outside"),
    ("divmod", lambda y: divmod(y, 2), INTEGER, "outside"),
    ("not", lambda m: (p * ~m).sum(), np.array([True, False]), "1 - a"),
    ("and", lambda m: (p * (m & m)).sum(), np.array([True, False]), "a \\* b"),
    (
        "or with numbers",
        lambda m: (p * (m | np.array([True, True]))).sum(),
        np.array([True, False]),
        "where",
    ),
    ("xor", lambda m: (p * (m ^ True)).sum(), np.array([True, False]), "where"),
    ("shift", lambda y: p * (y << 1), INTEGER, "outside"),
    ("rounding", lambda x: p * round(x), ONE, "outside"),
    ("int()", lambda x: p * int(x), ONE, "outside"),
    ("np.floor", lambda x: p * np.floor(np.array([x]))[0], ONE, "outside"),
    ("np.isnan", lambda x: p * np.isnan(x).sum(), np.ones(2), "outside"),
    ("np.bincount", lambda y: np.bincount(y), np.array([1, 0]), "outside"),
    ("np.log1p", lambda x: np.log1p(x).sum() * p, np.ones(2), "outside"),
    ("math.floor", lambda x: p * math.floor(x), ONE, "outside"),
    ("take by a half", lambda y: take(row, y / 2), INTEGER, "integers"),
    ("take by a float", lambda x: take(row, x), ONE, "integers"),
    ("take by an op's result", lambda y: take(row, y + 0.5), INTEGER, "integers"),
    ("max of numbers", lambda x: max(v.data for v in [x * p, p * 2]), ONE, "functools.reduce"),
    ("max of a number", lambda x: max((x * p).data, 1e-10), ONE, r"maximum\(p, 1e-10\).log\(\)"),
    ("max of a Value", lambda x: max(x * p, 1e-10), ONE, r"functional.softmax"),
    ("a deep copy", lambda x: copy.deepcopy(x * p), ONE, "detach"),
    ("closure", closure_assigned, ONE, "micrograd.op"),
    ("node by hand", node_by_hand, ONE, "by hand"),
]


@pytest.mark.parametrize(
    ("function", "argument", "says"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_with_file_and_line(function: Any, argument: Any, says: str) -> None:
    with pytest.raises(LiftError, match=says) as fault:
        lift(function)(argument)
    text = str(fault.value)
    codes = [function.__code__, no_gradient.__code__, matched.__code__]
    codes += [c for c in function.__code__.co_consts if isinstance(c, CodeType)]
    lines = {line for code in codes for _, _, line in code.co_lines() if line}
    assert __file__ in text
    assert any(f"line {line}:" in text for line in lines), (text, lines)


READ = [
    ("data", lambda x, w: x * w.data),
    ("float", lambda x, w: x * float(w)),
    ("comparison", lambda x, w: x if w > 0 else -x),
    ("if", lambda x, w: x if w else -x),
    ("numbers", lambda x, w: x * numbers([w])[0]),
]


class Held:
    """An object whose attributes, slots and class hold a parameter."""

    __slots__ = ("slot", "w")
    shared = Value(5.0)

    def __init__(self, value: Value) -> None:
        self.slot = self.w = value

    def by(self, x: Any, read: Any) -> Any:
        return read(x, self.w)


REACHED: dict[str, Callable[[Any, Value], Callable[[Any], Any]]] = {
    "a cell": lambda read, w: lambda x: read(x, w),
    "self": lambda read, w: (lambda held: lambda x: held.by(x, read))(Held(w)),
    "a slot": lambda read, w: (lambda held: lambda x: read(x, held.slot))(Held(w)),
    "a class attribute": lambda read, w: lambda x: read(x, Held.shared),
    "a default": lambda read, w: lambda x, v=w: read(x, v),
    "a generator": lambda read, w: (lambda g: lambda x: read(x, next(g)))(iter([w] * 4)),
    "the result of an operation": lambda read, w: lambda x, y=w * 2: read(x, y),
    "a weak reference": lambda read, w: (lambda r: lambda x: read(x, r()))(weakref.ref(w)),
}


@pytest.mark.parametrize("reached", REACHED)
@pytest.mark.parametrize("read", [r[1] for r in READ], ids=[r[0] for r in READ])
@pytest.mark.parametrize("stored", [False, True])
def test_the_number_of_a_parameter_is_refused_wherever_it_was_reached_from(
    read: Any, stored: bool, reached: str
) -> None:
    w = Value(5.0)  # in a store or not yet: either way a program would keep this number for good
    if stored:
        optim.SGD([w])
    f = lift(REACHED[reached](read, w))
    for x in (1.0, np.ones(2)):  # the first recording, and a later one
        with pytest.raises(LiftError, match=r"parameter.*(outside the function|where)"):
            f(x)


def test_the_number_of_a_value_among_the_arguments_is_refused() -> None:
    v = Value(3.0)
    with pytest.raises(LiftError, match="traced"):
        lift(lambda x: x * x.data)(v)
    with pytest.raises(LiftError, match="parameter"):  # the same one, reached from outside
        lift(lambda x: x * v.data)(v)


def test_values_made_inside_may_be_read_and_written() -> None:
    @lift
    def f(x: Any) -> Any:
        h = Value(0.0)
        h.data = 3.0
        h.data += h.data
        h.grad = 1.0
        return x * h + h.grad, h

    y, h = f(2.0)
    assert (y.data, h.data) == (13.0, 6.0)


def test_printing_what_is_recorded_is_fine() -> None:
    assert lift(lambda x: x * len(f"{p!r} {x!r} {[p]}") * 0 + x)(2.0).data == 2.0


# --- Values are the same or not, lifted or not ----------------------------------------------------


def test_values_are_compared_by_identity_as_without_lift() -> None:
    q = Value(2.0)

    def f(x: Any, v: Any) -> Any:
        h = v * x
        same = [h == h, h != h, h == v, h in [v, h], p == q, p in [q, p], h in {h}, {h: 1}[h] == 1]  # noqa: PLR0124
        same += [h == 1.0, h is None, h == None, x == None, x == "a"]  # noqa: E711
        return h * 1, same

    v = Value(3.0)
    assert lift(f)(1.5, v)[1] == f(1.5, v)[1]


def test_parameters_are_told_apart_by_identity_while_recording() -> None:
    model = nn.MLP(2, [2, 1])
    f = lift(lambda x: model(x) + sum(v * v for v in dict.fromkeys(model.parameters() * 2)))
    x = [1.0, 2.0]
    want = model(x) + sum(v * v for v in model.parameters())
    assert f(x).data == pytest.approx(want.data, rel=1e-12)


# --- integers -------------------------------------------------------------------------------------

table = np.array([[Value(float(3 * i + j)) for j in range(3)] for i in range(4)], dtype=object)


@pytest.mark.parametrize(
    "function",
    [
        lambda i: take(table, np.zeros_like(i)),
        lambda i: take(table, np.ones_like(i)),
        lambda i: take(table, np.full_like(i, 3)),
        lambda i: take(table, np.concatenate([i, np.ones_like(i)])),
        lambda i: take(table, i + np.ones_like(i)),
        lambda i: take(table, i**2),
        lambda i: take(table, 3 - i),
        lambda i: functional.one_hot(np.ones_like(i), 3),
        lambda i: [functional.cross_entropy(table[:2], np.ones_like(i))],
        lambda i: nn.Embedding(3, 2, rng=0)(np.zeros_like(i)),
    ],
)
def test_integers_made_of_traced_ones_choose(function: Any) -> None:
    i = np.array([1, 0])
    want = [float(v) for v in np.ravel(np.asarray(function(i), dtype=object))]
    got = [float(v) for v in np.ravel(np.asarray(lift(function)(i), dtype=object))]
    assert got == pytest.approx(want, rel=1e-12)


# --- what goes in ---------------------------------------------------------------------------------


class Ragged(list):  # type: ignore[type-arg]
    pass


class Foreign:
    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.ones(2)


UNKNOWN: list[tuple[Any, str]] = [
    (np.ma.masked_array([1.0, 2.0], mask=[True, False]), "asarray"),
    (np.ones(2).view(np.recarray), "asarray"),
    (Foreign(), "asarray"),
    (iter([1.0, 2.0]), "list"),
    ((v for v in [1.0]), "list"),
    (Ragged([1.0]), "plain lists"),
]


@pytest.mark.parametrize(("argument", "says"), UNKNOWN)
def test_arguments_whose_ways_lift_does_not_know_are_refused(argument: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        lift(lambda x: x)(argument)


def test_a_matrix_is_refused() -> None:
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(TypeError, match="asarray"):
        lift(lambda x: x * x)(matrix)


def test_an_object_as_argument_is_looked_into(tmp_path: Any) -> None:
    class Settings:
        scale = 2.0

    settings = Settings()
    f = lift(lambda s, x: x * s.scale)
    assert f(settings, 3.0).data == 6.0
    settings.scale = 5.0
    assert f(settings, 3.0).data == 15.0
    mapped = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=3)
    mapped[:] = 2.0
    assert lift(lambda x: x.sum())(mapped).data == 6.0


def test_dicts_keep_their_class() -> None:
    def f(d: Any) -> Any:
        return d["x"] * len(d["new"]), d

    given = collections.defaultdict(list, x=2.0)
    with pytest.raises(LiftError, match="changing an argument"):
        lift(f)(given)
    y = lift(lambda d: d)(collections.OrderedDict(x=2.0))
    assert (type(y), y["x"].data) == (collections.OrderedDict, 2.0)


# --- what comes out -------------------------------------------------------------------------------


@dataclasses.dataclass
class Output:
    loss: Any


class Node:
    def __init__(self, value: Any) -> None:
        self.value = value


RETURNED: dict[str, Callable[[Any], Any]] = {
    "a dataclass": lambda x: Output(x * p),
    "an object": lambda x: Node([x * p]),
    "a set": lambda x: {x * p},
    "a frozenset": lambda x: frozenset([x * p]),
    "a deque": lambda x: collections.deque([x * p]),
    "a generator": lambda x: (v * p for v in [x]),
    "a map": lambda x: map(p.__mul__, [x]),
    "a zip": lambda x: zip([x * p], [1], strict=True),
    "values of a dict": lambda x: {"y": x * p}.values(),
    "a list of one's own": lambda x: Ragged([x * p]),
    "a masked array": lambda x: np.ma.masked_array(np.array([x * p]), mask=[False]),
    "a function": lambda x: lambda: x * p,
    "an object in a list": lambda x: [1, (Output(x * p),)],
}


@pytest.mark.parametrize("name", RETURNED)
def test_results_that_no_call_can_fill_are_refused(name: str) -> None:
    with pytest.raises(LiftError, match="return tuples, lists, dicts or arrays") as fault:
        lift(RETURNED[name])(1.0)
    assert f"line {RETURNED[name].__code__.co_firstlineno}:" in str(fault.value)


def test_other_objects_without_values_may_be_returned() -> None:
    f = lift(lambda x: (x * p, {1, 2}, Output(3), collections.deque([1]), len))
    y, *rest = f(1.5)
    assert (y.data, rest) == (3.0, [{1, 2}, Output(3), collections.deque([1]), len])


# --- what is decorated ----------------------------------------------------------------------------


def gives(x: Any) -> Any:
    yield x * p


async def awaits(x: Any) -> Any:
    return x * p


async def gives_later(x: Any) -> Any:
    yield x * p


class Gives:
    def __call__(self, x: Any) -> Any:
        yield x

    def method(self, x: Any) -> Any:
        yield x


@pytest.mark.parametrize(
    "function", [gives, awaits, gives_later, Gives(), Gives().method, partial(gives, 1.0)]
)
def test_generators_and_coroutines_are_refused_when_decorated(function: Any) -> None:
    with pytest.raises(TypeError, match=r"a (generator|coroutine).* lift a function that returns"):
        lift(function)


def test_inside_a_coroutine_lift_is_as_everywhere() -> None:
    f = lift(lambda x: x * p)

    async def step() -> float:
        return float(f(3.0).data)

    assert asyncio.run(step()) == 6.0


def test_the_line_is_the_users_even_below_the_library() -> None:
    def choose(x: Any) -> Any:
        return x if x > 0 else -x

    def loss(x: Any) -> Any:
        return sum(np.frompyfunc(choose, 1, 1)(x))

    with pytest.raises(LiftError, match=f"line {choose.__code__.co_firstlineno + 1}:"):
        lift(loss)(np.ones(3))


def test_no_second_derivative_through_a_lifted_call() -> None:
    f = lift(lambda x: x * p * x)
    v = Value(3.0)
    with pytest.raises(LiftError, match="create_graph"):
        grad(f(v), [v], create_graph=True)
    assert grad(f(v), v).data == 12.0


def test_after_a_refusal_all_is_as_before() -> None:
    w = Value(2.0)
    with pytest.raises(LiftError):
        lift(lambda x: x * w if x > 0 else x)(1.0)
    y = w * w
    y.backward()
    assert (float(y), w.grad, w > 1) == (4.0, 4.0, True)


def test_a_wrong_index_of_ones_own_stays_an_index_error() -> None:
    with pytest.raises(IndexError, match="out of range"):
        lift(lambda x: [x][3])(1.0)


def test_what_is_advised_lifts() -> None:
    from micrograd import greater, maximum, where

    f = lift(lambda x, i: where(greater(x, 0.0), x, -x) + maximum(x, 0.0) + take(row, i))
    assert [f(v, np.int64(i)).data for v, i in [(2.0, 0), (-2.0, 1)]] == [6.0, 5.0]


def test_python_may_still_ask_what_does_not_depend_on_numbers() -> None:
    f = lift(lambda x: x * 2 if isinstance(x, Value) and len([x]) == 1 and x is not None else x)
    assert f(3.0).data == 6.0


MIXED: tuple[Any, ...] = (
    lambda old, x: old, lambda old, x: [old, x], lambda old, x: x + old, lambda old, x: old * x,
)  # fmt: skip


@pytest.mark.parametrize("use", MIXED)
def test_a_value_of_another_recording_is_refused(use: Any) -> None:
    note, notes = noting()
    lift(lambda x: note(x) or x * 2.0)(1.0)
    hidden = itertools.repeat(notes.pop())  # where no walk finds it
    with pytest.raises(LiftError, match=r"line \d+: using a Value that another recording traced"):
        lift(lambda x: use(next(hidden), x))(3.0)
