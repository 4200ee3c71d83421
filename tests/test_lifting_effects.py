"""What a function does besides returning: draws, counts, keeps results, changes its arguments."""

from __future__ import annotations

import collections
import functools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import leaves

from micrograd import LiftError, Value, lift, nn, numbers, ops

w = Value(2.0)
_count = 0
_last: Any = None
_missing_before: Any

# --- random draws ---------------------------------------------------------------------------------

generator = np.random.default_rng(0)
legacy = np.random.RandomState(0)
python = random.Random(0)


class Noisy(nn.Module):
    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)

    def __call__(self, x: Any) -> Any:
        return x * w + self.rng.normal()


class Holder:
    def __init__(self) -> None:
        self.source = {"draws": random.Random(2)}


holder, noisy = Holder(), Noisy()
DRAWS: dict[str, Callable[[Any], Any]] = {
    "random": lambda x: x * random.random(),
    "random.choice": lambda x: x * random.choice([1.0, 2.0]),
    "random.sample": lambda x: x * random.sample(range(9), 2)[0],
    "np.random": lambda x: x * np.random.rand(),
    "np.random.choice": lambda x: x * np.random.choice(3),
    "np.random.permutation": lambda x: x * np.random.permutation(3)[0],
    "a Generator": lambda x: x * generator.normal(),
    "a RandomState": lambda x: x * legacy.normal(),
    "a Random": lambda x: x * python.gauss(0, 1),
    "a bound method": (lambda draw: lambda x: x * draw())(generator.normal),
    "a Generator in a Module": noisy,
    "a Random in an object's dict": lambda x: x * holder.source["draws"].random(),
    "weights made inside": lambda x: nn.Neuron(1)([x]),
    "a shuffle": lambda x: x * sum(random.sample([1.0, 2.0], 2)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_random_draws_are_refused(name: str) -> None:
    f = lift(DRAWS[name])
    for _ in range(2):
        with pytest.raises(LiftError, match=r"draws random numbers .* as an argument, or let nn\."):
            f(1.0)


def test_the_error_of_a_draw_names_file_line_and_generator() -> None:
    with pytest.raises(LiftError, match=r"line \d+: <lambda>: draws .*\(generator\)") as fault:
        lift(DRAWS["a Generator"])(1.0)
    assert __file__ in str(fault.value)


def test_draws_as_an_argument_and_dropout_are_fine() -> None:
    layer = nn.Dropout(0.5, rng=0)
    f = lift(lambda x, noise: layer(x * w + noise).sum())
    for _ in range(3):
        f(np.ones(4), generator.normal(size=4))


def test_a_generator_made_from_a_seed_inside_is_fine() -> None:
    f = lift(lambda x: x * np.random.default_rng(3).normal())
    want = np.random.default_rng(3).normal()
    assert [f(2.0).data for _ in range(2)] == [2 * want] * 2


# --- counting -------------------------------------------------------------------------------------


class Counter:
    total = 0

    def __init__(self) -> None:
        self.n = 0
        self.name = "a"
        self.sums = np.zeros(2)

    def increment(self, x: Any) -> Any:
        self.n += 1
        return x * w

    def rename(self, x: Any) -> Any:
        self.name += "b"
        return x * w

    def first_set(self, x: Any) -> Any:
        self.calls = getattr(self, "calls", 0) + 1
        return x * w

    def in_place(self, x: Any) -> Any:
        self.sums += 1.0
        return x * w

    def replaced(self, x: Any) -> Any:
        self.sums = self.sums + 1.0
        return x * w

    def in_class(self, x: Any) -> Any:
        Counter.total += 1
        return x * w


def global_counter(x: Any) -> Any:
    global _count
    _count += 1
    return x * w


def cell_counter() -> Callable[[Any], Any]:
    n = 0

    def f(x: Any) -> Any:
        nonlocal n
        n += 1
        return x * w

    return f


counts, numbers_seen, words, tally, recent = [0], [], set(), {"n": 0}, collections.deque([1])
unseen: dict[str, int] = {}


def attribute_of_function(x: Any) -> Any:
    attribute_of_function.n += 1  # type: ignore[attr-defined]
    return x * w


attribute_of_function.n = 0  # type: ignore[attr-defined]

COUNTED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an attribute": (Counter().increment, r"increment\.n|Counter|\.n"),
    "a string": (Counter().rename, r"\.name"),
    "a new attribute": (Counter().first_set, r"\.calls"),
    "an array in place": (Counter().in_place, r"\.sums"),
    "an array anew": (Counter().replaced, r"\.sums"),
    "a class attribute": (Counter().in_class, r"Counter\.total"),
    "a global": (global_counter, "_count"),
    "a cell": (cell_counter(), "n"),
    "a function's attribute": (attribute_of_function, r"attribute_of_function\.n"),
    "a list item": (lambda x: counts.__setitem__(0, counts[0] + 1) or x * w, r"counts\[0\]"),
    "a list that grows": (lambda x: numbers_seen.append(3.0) or x * w, "numbers_seen"),
    "a set": (lambda x: words.add(len(words)) or x * w, "words"),
    "a dict": (lambda x: tally.__setitem__("n", tally["n"] + 1) or x * w, r"tally\['n'\]"),
    "a new key": (lambda x: unseen.__setitem__("n", 1) or x * w, r"unseen\['n'\]"),
    "a deque": (lambda x: recent.append(3) or x * w, "recent"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counting_is_refused_by_name_and_undone(name: str) -> None:
    function, path = COUNTED[name]
    f = lift(function)
    for _ in range(2):
        with pytest.raises(LiftError, match=f"changes .*{path}.* while lift records"):
            f(1.0)
    assert (_count, counts, numbers_seen, words, tally, unseen) == (0, [0], [], set(), {"n": 0}, {})
    assert list(recent) == [1]
    assert not vars(Counter).get("total")
    assert attribute_of_function.n == 0  # type: ignore[attr-defined]


def test_a_number_set_to_what_it_was_is_no_change() -> None:
    class Model:
        width = 3

        def __call__(self, x: Any) -> Any:
            self.rows = len(x)
            return x * w

    model = Model()
    model.rows = 4
    assert numbers(lift(model)(np.ones(4))).tolist() == [2.0] * 4


# --- keeping results ------------------------------------------------------------------------------


class Layer(nn.Module):
    """As the lectures' own: it keeps its output."""

    def __init__(self) -> None:
        self.weight = Value(3.0)
        self.tried: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.out = x * self.weight
        self.tried.append(self.out)
        return self.out


def test_a_kept_result_is_put_back_and_not_watched() -> None:
    layer = Layer()
    f = lift(layer)
    assert f(2.0).data == 6.0
    assert not hasattr(layer, "out")
    assert layer.tried == []
    for i in range(6):
        eager = layer(Value(float(i)))
        assert f(float(i)).data == eager.data
        assert layer.out is eager
    assert f.history.recordings == 1


def set_global(x: Any) -> Any:
    global _last
    _last = x * w
    return _last


def set_new_global(x: Any) -> Any:
    global _missing_before
    _missing_before = [x * w]
    return _missing_before[0]


kept_list: list[Any] = [None]
kept_dict: dict[str, Any] = {}
kept_array = leaves([1.0, 2.0])
kept_set: set[Any] = set()


def set_items(x: Any) -> Any:
    kept_list[0] = kept_dict["y"] = kept_array[1] = y = x * w
    kept_set.add(y)
    return y


@pytest.mark.parametrize("function", [set_global, set_new_global, set_items])
def test_results_kept_in_globals_and_containers_are_put_back(function: Any) -> None:
    before = kept_array.tolist()
    f = lift(function)
    assert [f(v).data for v in (3.0, 4.0)] == [6.0, 8.0]
    assert _last is None
    assert "_missing_before" not in globals()
    assert (kept_list, kept_dict, kept_set) == ([None], {}, set())
    assert [a is b for a, b in zip(kept_array, before, strict=True)] == [True, True]


def test_results_kept_before_a_failure_are_put_back() -> None:
    layer = Layer()

    def f(x: Any) -> Any:
        layer(x)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lift(f)(1.0)
    assert not hasattr(layer, "out")
    assert layer.tried == []


class Recurrent:
    def __init__(self, state: Any) -> None:
        self.h = state

    def step(self, x: Any) -> Any:
        self.h = ops.tanh(self.h * w + x)
        return self.h


@pytest.mark.parametrize(
    "state", [Value(0.5), 0.5, np.zeros(2), [Value(0.5)], leaves([1.0, 2.0])],
    ids=["Value", "float", "array", "list", "array of Values"],
)  # fmt: skip
def test_a_state_that_is_read_and_set_is_refused(state: Any) -> None:
    model = Recurrent(state)
    if isinstance(state, list):
        model.step = lambda x: state.__setitem__(0, state[0] * x)  # type: ignore[method-assign]
    f = lift(lambda x: model.step(x))
    with pytest.raises(LiftError, match="as an argument and return the new one"):
        f(1.0)
    assert model.h is state


def test_running_statistics_by_hand_are_refused() -> None:
    class Norm(nn.Module):
        def __init__(self) -> None:
            self.mean = np.zeros(2)

        def __call__(self, x: Any) -> Any:
            self.mean = self.mean * 0.9 + x.mean(axis=0) * 0.1
            return x - self.mean

    with pytest.raises(LiftError, match=r"mean .*as an argument and return the new one"):
        lift(Norm())(np.ones((3, 2)))


def test_an_object_put_where_the_next_call_finds_it_is_fine() -> None:
    class Masked:
        mask: Any = None

        def __call__(self, x: Any) -> Any:
            if self.mask is None:
                self.mask = np.tri(3)
            return (self.mask @ x * w).sum()

    f = lift(Masked())
    assert [f(np.ones(3)).data for _ in range(6)] == [12.0] * 6
    assert f.history.recordings == 1


def test_a_cached_property_is_fine() -> None:
    class Sized:
        size = 3

        @functools.cached_property
        def double(self) -> int:
            return 2 * self.size

    sized = Sized()
    f = lift(lambda x: x * w * sized.double)
    assert [f(1.0).data for _ in range(6)] == [12.0] * 6
    assert f.history.recordings == 1


# --- arguments ------------------------------------------------------------------------------------


def in_place(x: Any) -> Any:
    x -= 1.0
    return x * w


def appended(x: Any) -> Any:
    x.append(x[0] * w)
    return x[-1]


def entry(x: Any) -> Any:
    x["y"] = x["x"] * w
    return x["y"]


CHANGED = [(in_place, np.ones(3)), (appended, [1.0, 2.0]), (entry, {"x": 1.0})]


@pytest.mark.parametrize(("function", "argument"), CHANGED)
def test_changing_an_argument_in_place_is_refused(function: Any, argument: Any) -> None:
    with pytest.raises(LiftError, match="changing an argument in place") as fault:
        lift(function)(argument)
    assert f"line {function.__code__.co_firstlineno}" in str(fault.value)


def test_a_copy_of_an_argument_may_be_changed() -> None:
    @lift
    def f(x: Any) -> Any:
        x = x.copy()
        x[0] = x[0] * w
        y = [*x]
        y.append(y[0])
        return sum(y)

    assert f(np.array([1.0, 2.0])).data == 6.0
