"""What a lifted function depends on is noticed: recorded again, or an error, and never stale.

Covers `paths.py`, `reach.py`, `sights.py`, `contents.py`, `seeing.py`, `walk.py`.
"""

from __future__ import annotations

import collections
import functools
import itertools
import random
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from random_programs import leaves
from recordings import recorded

from micrograd import LiftError, Value, lift, nn, numbers
from micrograd.lifting import watch

# --- names ----------------------------------------------------------------------------------------

_K = 2.0
_loss = 0.0
_late = None


def test_a_global_read_in_a_modules_own_call(monkeypatch: pytest.MonkeyPatch) -> None:
    class Scale(nn.Module):
        def __call__(self, x: Any) -> Any:
            return x * _K

    f = lift(Scale())
    assert f(3.0).data == 6.0
    monkeypatch.setitem(globals(), "_K", 5.0)
    assert f(3.0).data == 15.0


def test_a_global_read_in_a_method_a_staticmethod_and_a_property(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Scale:
        def by(self, x: Any) -> Any:
            return self.twice(x) * self.factor

        @staticmethod
        def twice(x: Any) -> Any:
            return x * _K

        @property
        def factor(self) -> float:
            return 10 * _K

    scale = Scale()
    f = lift(lambda x: scale.by(x))
    for k in (2.0, 3.0, 4.0):
        monkeypatch.setitem(globals(), "_K", k)
        assert f(1.0).data == 10 * k * k


def module(**names: Any) -> types.ModuleType:
    """A module of the user's own."""
    made = types.ModuleType("settings")
    exec("def helper(x):\n    return x * K", vars(made))
    vars(made).update(names)
    return made


def test_a_function_of_the_users_own_module() -> None:
    settings = module(K=2.0)
    f = lift(lambda x: settings.helper(x))
    assert f(3.0).data == 6.0
    for k in range(3, 8):
        settings.K = float(k)
        assert f(3.0).data == 3.0 * k


def test_a_name_in_the_users_own_module_is_asked_at_each_call() -> None:
    settings = module(K=2.0)
    f, runs = recorded(lambda x: x * settings.K)
    for k in (2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 5.0):
        settings.K = k
        assert f(3.0).data == 3.0 * k
    assert runs == [0, 1, 2, 3]


def test_a_module_imported_inside_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = module(K=2.0)
    monkeypatch.setitem(sys.modules, "settings_of_a_test", settings)

    @lift
    def f(x: Any) -> Any:
        import settings_of_a_test

        return x * settings_of_a_test.K

    assert f(3.0).data == 6.0
    settings.K = 5.0
    assert f(3.0).data == 15.0


def test_classes_of_code_that_has_no_name_are_looked_into() -> None:
    code = """
class Scale:
    def __init__(self): self.factor = 2.0
    def __call__(self, x): return x * self.factor
scale = Scale()
def f(x): return scale(x)
"""
    space: dict[str, Any] = {}
    exec(compile(code, "<cell>", "exec"), space)
    assert space["Scale"].__module__ == "builtins"
    f = lift(space["f"])
    assert f(3.0).data == 6.0
    space["scale"].factor = 5.0
    assert f(3.0).data == 15.0


def test_an_attribute_is_not_a_global_of_the_same_name() -> None:
    class Model:
        def loss(self, x: Any) -> Any:
            return x * 2.0

    m = Model()
    f, runs = recorded(lambda x: m.loss(x))
    for i in range(5):
        globals()["_loss"] = f(float(i))
        globals()["loss"] = _loss
        assert _loss.data == 2.0 * i
    del globals()["loss"]
    assert runs == [0]


def test_equal_numbers_and_strings_are_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    f, runs = recorded(lambda x: x * _K if cfg["activation"] == "relu" else x)
    cfg = {"activation": "relu"}
    for i in range(10):
        monkeypatch.setitem(globals(), "_K", float(str(_K)))
        cfg["activation"] = "".join(["re", "lu"])
        assert f(float(i)).data == _K * i
    assert runs == [0]


def test_a_default_is_looked_into() -> None:
    def f(x: Any, table: Any = [2.0]) -> Any:  # noqa: B006
        return x * table[0]

    g = lift(f)
    assert g(3.0).data == 6.0
    f.__defaults__[0][0] = 5.0  # type: ignore[index]
    assert g(3.0).data == 15.0


# --- modules: at each call ------------------------------------------------------------------------


class Trainer:
    def __init__(self, model: Any) -> None:
        self.model = model

    def loss(self, x: Any) -> Any:
        return self.model(x).sum()


HELD: dict[str, Callable[[Any], Any]] = {
    "a plain object's method": lambda model: lift(Trainer(model).loss),
    "a plain object in a cell": lambda model: (lambda t: lift(lambda x: t.model(x).sum()))(
        Trainer(model)
    ),
    "a dict in a list": lambda model: (lambda d: lift(lambda x: d[0]["net"](x).sum()))(
        [{"net": model}]
    ),
    "a set": lambda model: (lambda s: lift(lambda x: next(iter(s))(x).sum()))({model}),
    "a deque": lambda model: (lambda s: lift(lambda x: s[0](x).sum()))(collections.deque([model])),
    "a weak reference": lambda model: (lambda r: lift(lambda x: r()(x).sum()))(weakref.ref(model)),
    "a namespace": lambda model: (lambda s: lift(lambda x: s.net(x).sum()))(
        types.SimpleNamespace(net=model)
    ),
    "a partial": lambda model: lift(functools.partial(lambda m, x: m(x).sum(), model)),
    "a keyword default": lambda model: lift(lambda x, *, m=model: m(x).sum()),
    "an argument": lambda model: (lambda f: lambda x: f(model, x))(
        lift(lambda m, x: m(x).sum())
    ),
    "an object as argument": lambda model: (lambda f, t: lambda x: f(t, x))(
        lift(lambda t, x: t.loss(x)), Trainer(model)
    ),
    "a computed attribute": lambda model: (
        lambda t: lift(lambda x: getattr(t, "mo" + "del")(x)[0])
    )(Trainer(model)),
    "an array of objects": lambda model: (lambda a: lift(lambda x: a[0](x).sum()))(
        np.array([model, None], dtype=object)
    ),
}  # fmt: skip


@pytest.mark.parametrize("held", HELD)
def test_train_and_eval_are_noticed_wherever_the_module_is(held: str) -> None:
    model = nn.Dropout(0.5, rng=0)
    f = HELD[held](model)
    x = np.ones(1)
    for _ in range(6):
        assert f(x).data in (0.0, 2.0)
    model.eval()
    assert [f(x).data for _ in range(6)] == [1.0] * 6
    model.train()
    assert {f(x).data for _ in range(40)} == {0.0, 2.0}


def late(f: Any, *args: Any) -> None:
    """Calls enough that the next one does not compare all, unless it must."""
    for _ in range(5):
        f(*args)
    for watched in f._watches.values():
        watched._due, watched._calls = float("inf"), 0


def test_attributes_of_modules_are_asked_at_each_call() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.w, self.temperature = Value(2.0), 1.0
            self.first = nn.Neuron(1, rng=random.Random(0))

        def __call__(self, x: Any) -> Any:
            return self.w * x / self.temperature + self.first([x])

    net = Net()
    f, runs = recorded(lambda x: net(x))

    def agrees() -> None:
        late(f, 3.0)
        assert f(3.0).data == pytest.approx(net(3.0).data, rel=1e-12)

    agrees()
    net.temperature = 2.0
    agrees()
    net.w = Value(5.0)
    agrees()
    net.first = nn.Neuron(1, nonlin=False, rng=random.Random(1))
    agrees()
    net.first.nonlin = True
    agrees()
    net.first.activation = "tanh"
    agrees()
    assert runs == [0, 1, 2, 3, 4, 5]
    f(3.0).backward()
    assert net.w.grad == 1.5


def test_dropouts_p_is_asked_at_each_call() -> None:
    layer = nn.Dropout(0.5, rng=0)
    f = lift(lambda x: layer(x))
    late(f, np.ones(64))
    layer.p = 0.75
    assert set(numbers(f(np.ones(64)))) == {0.0, 4.0}


def test_a_modules_attribute_that_is_deleted_is_noticed() -> None:
    class Net(nn.Module):
        scale = 2.0

        def __call__(self, x: Any) -> Any:
            return x * self.scale

    net = Net()
    net.scale = 3.0
    f = lift(net)
    late(f, 1.0)
    del net.scale
    assert f(1.0).data == 2.0


def test_what_no_code_names_is_not_watched() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.w, self.history = Value(2.0), [1.0]

        def __call__(self, x: Any) -> Any:
            return self.w * x

    net = Net()
    f, runs = recorded(lambda x: net(x))
    for i in range(8):
        assert f(float(i)).data == 2.0 * i
        net.history.append(i)
        net.note = i
    assert runs == [0]


def test_setting_the_same_mode_again_compares_nothing() -> None:
    from micrograd.nn.module import epoch

    model = nn.MLP(2, [3, 1]).train()
    before = epoch[0]
    model.train()
    assert epoch[0] == before
    model.eval()
    assert epoch[0] != before


# --- all the rest: when it is compared, and what then ---------------------------------------------


class Box:
    def __init__(self, item: Any) -> None:
        self.item = item


class Slotted:
    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item


class Config:
    K = 2.0


class Derived(Config):
    """Finds K in its class until it is set."""


def doubled(x: Any) -> Any:
    return x * 2.0


def tripled(x: Any) -> Any:
    return x * 3.0


_DOUBLED = doubled.__code__


def _layers(f: Any) -> Any:
    return nn.Sequential(*(nn.Linear(1, 1, rng=i) for i in range(3)))


SPARE = nn.Linear(1, 1, rng=9)  # made before: making one moves the epoch of Modules


def _replace_layer(model: Any) -> None:
    model.layers[2] = SPARE


def _replace_weight(neuron: Any) -> None:
    neuron.w[0] = Value(7.0)


def _minus(A: Any) -> None:
    A -= 0.5


CHANGES: dict[str, tuple[Any, Callable[..., Any], Callable[[Any], Any], str]] = {
    "a dict entry": ({"K": 2.0}, lambda c, x: x * c["K"], lambda c: c.update(K=3.0), "thing['K']"),
    "a new dict entry": (
        {1: 2.0}, lambda c, x: x * sum(c.values()), lambda c: c.update({2: 3.0}), "thing[2]",
    ),
    "a list item": ([2.0], lambda c, x: x * c[0], lambda c: c.__setitem__(0, 3.0), "thing[0]"),
    "a list that grows": ([2.0], lambda c, x: x * sum(c), lambda c: c.append(3.0), "thing"),
    "a nested list": ([[2.0]], lambda c, x: x * c[0][0], lambda c: c[0].append(1.0), "thing[0]"),
    "a set": ({2.0}, lambda c, x: x * sum(c), lambda c: c.add(3.0), "thing"),
    "a deque": (
        collections.deque([2.0]), lambda c, x: x * sum(c), lambda c: c.append(3.0), "thing",
    ),
    "an array": (np.ones(3), lambda c, x: (x * c).sum(), _minus, "thing"),
    "an integer array": (
        np.arange(3), lambda c, x: (x * c).sum(), lambda c: c.__setitem__(1, 5), "thing",
    ),
    "a slice of an array": (
        np.ones((4, 4))[:, 1], lambda c, x: (x * c).sum(), lambda c: c.__setitem__(1, 5), "thing",
    ),
    "an array of Values": (
        leaves(np.ones(3)), lambda c, x: (x * c).sum(), _minus, "thing[0]",
    ),
    "a matrix of Values": (
        leaves(np.ones((2, 2))), lambda c, x: (x * c).sum(),
        lambda c: c.__setitem__((1, 0), Value(5.0)), "thing[(1, 0)]",
    ),
    "a layer": (_layers(None), lambda c, x: c([x])[0], _replace_layer, "thing.layers[2]"),
    "a weight": (
        nn.Neuron(1, rng=random.Random(0)), lambda c, x: c([x]), _replace_weight, "thing.w[0]",
    ),
    "an attribute": (Box(2.0), lambda c, x: x * c.item, lambda c: setattr(c, "item", 3.0),
                     "thing.item"),
    "an attribute's list": (Box([2.0]), lambda c, x: x * c.item[0],
                            lambda c: c.item.__setitem__(0, 3.0), "thing.item[0]"),
    "a slot": (Slotted(2.0), lambda c, x: x * c.item, lambda c: setattr(c, "item", 3.0),
               "thing.item"),
    "a class attribute": (Config, lambda c, x: x * c.K, lambda c: setattr(c, "K", c.K + 1),
                          "thing.K"),
    "a class attribute of an object": (
        Config(), lambda c, x: x * c.K, lambda c: setattr(Config, "K", Config.K + 1), "Config.K",
    ),
    "a bytearray": (bytearray(b"ab"), lambda c, x: x * c[0], lambda c: c.__setitem__(0, 5),
                    "thing"),
    "a UserDict": (
        collections.UserDict(K=2.0), lambda c, x: x * c["K"], lambda c: c.update(K=3.0),
        "thing.data['K']",
    ),
    "a ChainMap": (
        collections.ChainMap({"K": 2.0}), lambda c, x: x * c["K"], lambda c: c.update(K=3.0),
        "thing.maps[0]['K']",
    ),
    "a view of a dict": (
        types.MappingProxyType(_PROXIED := {"K": 2.0}), lambda c, x: x * c["K"],
        lambda c: _PROXIED.update(K=_PROXIED["K"] + 1), "thing['K']",
    ),
    "a memoryview": (
        memoryview(bytearray(b"ab")), lambda c, x: x * c[0],
        lambda c: c.__setitem__(0, c[0] + 1), "thing",
    ),
    "an attribute over its class's": (
        Derived(), lambda c, x: x * c.K, lambda c: setattr(c, "K", 3.0), "thing.K",
    ),
    "code, as %autoreload does": (
        doubled, lambda c, x: c(x), lambda c: setattr(c, "__code__", tripled.__code__),
        "thing.__code__",
    ),
    "a function's attribute": (
        test_a_default_is_looked_into, lambda c, x: x * getattr(c, "K", 2.0),
        lambda c: setattr(c, "K", 3.0 + getattr(c, "K", 0.0)), "thing.K",
    ),
}  # fmt: skip


@pytest.fixture(params=CHANGES)
def case(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any, Any, str]]:
    import copy

    thing, function, change, path = CHANGES[request.param]
    if not isinstance(thing, (type, types.FunctionType, types.MappingProxyType, memoryview)):
        thing = copy.deepcopy(thing)
    if request.param == "a slice of an array":
        thing = np.ones((4, 4))[:, 1]
    yield thing, function, change, path
    Config.K = 2.0
    doubled.__code__ = _DOUBLED
    vars(test_a_default_is_looked_into).pop("K", None)


def test_a_change_that_no_call_used_records_again(case: Any) -> None:
    thing, function, change, _ = case
    f, runs = recorded(lambda x: function(thing, x))
    assert float(f(3.0)) == pytest.approx(float(function(thing, 3.0)), rel=1e-12)
    change(thing)
    want = function(thing, 3.0)
    assert float(f(3.0)) == pytest.approx(float(want), rel=1e-12)
    assert runs == [0, 1]
    assert float(f(3.0)) == pytest.approx(float(want), rel=1e-12)
    assert runs == [0, 1]


def test_a_change_that_calls_may_have_used_is_an_error_that_names_it(case: Any) -> None:
    thing, function, change, path = case
    f, runs = recorded(lambda x: function(thing, x))
    late(f, 3.0)
    change(thing)
    f(3.0)
    f(3.0)
    for watched in f._watches.values():
        watched._due = 0.0
    with pytest.raises(LiftError, match="up to 2 calls may have used") as fault:
        f(3.0)
    said = str(fault.value)
    assert f" {path} has changed" in said, said
    assert __file__.rpartition("/")[2] not in path
    assert ", line " in said
    assert float(f(3.0)) == pytest.approx(float(function(thing, 3.0)), rel=1e-12)
    assert runs == [0, 1]


def test_the_first_three_calls_compare_everything() -> None:
    cfg = {"K": 2.0}
    f, runs = recorded(lambda x: x * cfg["K"])
    f(1.0)
    for calls in (0, 1, 2):  # since the last recording
        for _ in range(calls):
            f(1.0)
        for watched in f._watches.values():
            watched._due = float("inf")
        cfg["K"] += 1.0
        assert f(1.0).data == cfg["K"]
        assert len(runs) == calls + 2


def test_a_cell_is_asked_at_each_call() -> None:
    scale = 2.0
    f, runs = recorded(lambda x: x * scale)
    late(f, 1.0)
    scale = 3.0
    assert f(1.0).data == 3.0
    assert runs == [0, 1]


def test_the_last_of_an_array_of_values_is_compared_too() -> None:
    thing = leaves(np.ones((3, 3)))
    f = lift(lambda x: (x * thing).sum())
    assert f(1.0).data == 9.0
    thing[2, 2] = Value(5.0)
    assert f(1.0).data == 13.0


def test_a_pause_compares_everything() -> None:
    cfg = {"K": 2.0}
    f = lift(lambda x: x * cfg["K"])
    late(f, 1.0)
    (watched,) = f._watches.values()
    watched._due = 0.0
    cfg["K"] = 3.0
    assert f(1.0).data == 3.0


def test_comparing_waits_for_fifty_times_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(watch, "perf_counter", lambda: float(next(ticks)))
    compared = []
    compare = watch.Watch.compare
    monkeypatch.setattr(
        watch.Watch, "compare", lambda self: compared.append(next(ticks)) or compare(self)
    )
    model = nn.MLP(2, [3, 1])
    f = lift(lambda x: model(x))
    for _ in range(400):  # each asks the clock once, a comparison twice more
        f([1.0, 2.0])
    gaps = np.diff(compared[4:])  # after the first three calls
    assert gaps.tolist() == [watch._SPARED + 3] * 5


def test_programs_of_other_shapes_are_recorded_anew_too() -> None:
    scale = [2.0]
    f, runs = recorded(lambda x: x.sum() * scale[0])
    for n in (1, 2):
        assert f(np.ones(n)).data == 2.0 * n
    scale[0] = 3.0
    for n in (1, 2, 1, 2):
        assert f(np.ones(n)).data == 3.0 * n
    assert runs == [0, 1, 2, 3]


def test_parameters_may_be_written_at_any_time() -> None:
    model = nn.MLP(2, [3, 1], rng=random.Random(0))
    f, runs = recorded(lambda x: model(x))
    for i in range(8):
        for p in model.parameters():
            p.data += 0.1 * i
        assert f([1.0, 2.0]).data == pytest.approx(model([1.0, 2.0]).data, rel=1e-12)
    assert runs == [0]


def test_running_statistics_are_not_what_has_changed() -> None:
    model = nn.BatchNorm1d(2)
    f, runs = recorded(lambda x: model(x).sum())
    for _ in range(8):
        f(np.arange(6.0).reshape(3, 2))
    assert runs == [0]


@pytest.mark.slow
def test_a_linked_list_of_thousands_is_walked() -> None:
    class Node:
        def __init__(self, after: Any) -> None:
            self.w, self.after = Value(1.0), after

    def total(x: Any) -> Any:
        node, s = first, x
        while node is not None:
            node, s = node.after, s + node.w
        return s

    first = None
    for _ in range(3000):
        first = Node(first)
    f = lift(total)
    assert f(1.0).data == 3001.0
    first.after.after.w = Value(5.0)  # type: ignore[union-attr]
    assert f(1.0).data == 3005.0


def test_a_walk_that_is_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from micrograd.lifting import walk

    monkeypatch.setattr(walk, "OBJECTS", 50)
    thing = [[float(i)] for i in range(100)]
    f = lift(lambda x: x * thing[0][0])
    assert f(1.0).data == 0.0
    thing[0][0] = 5.0  # the first of all is looked at still
    assert f(1.0).data == 5.0


def test_an_unwatched_iterator_is_what_help_says() -> None:
    assert "iterators" in (lift.__doc__ or "")
    step = itertools.count(1)
    f = lift(lambda x: x * next(step))
    assert [f(1.0).data for _ in range(3)] == [1.0, 1.0, 1.0]


def test_a_class_attribute_that_newly_hides_an_inherited_one_is_noticed() -> None:
    class Box:
        common = 1.5

    class Child(Box):
        pass

    box = Child()
    f = lift(lambda x: x * box.common)
    assert float(f(1.0)) == 1.5
    Child.common = 3.0
    assert float(f(1.0)) == 3.0
