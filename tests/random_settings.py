"""Random settings outside a lifted function, changed in place between its calls.

Each place is a declaration, an expression in `x` that reads it and statements that change it; a
program is a function written of a few of them. `never_stale` calls it between changes: the result
is that of the plain function now, or a LiftError where earlier calls may have used the old state.
"""

from __future__ import annotations

import functools
import operator
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from absolute import flat
from hypothesis import strategies as st
from random_programs import gradients

from micrograd import LiftError, Value, lift, nn, ops


class Place(NamedTuple):
    """`@` stands for a number that tells places of one kind apart, `#` for a new number.

    The next call sees what `now` does; what `later` does is seen after a pause.
    """

    declaration: str
    expression: str
    now: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


CLASSES = """
class Box:
    common = 1.5
    def __init__(self, **parts): self.__dict__.update(parts)
    def times(self, x): return x * self.scale
    def deeper(self, x): return x * self.parts["a"][0]
    def by_global(self, x): return x * GLOBAL
    def __call__(self, x): return x * self._hidden
    @property
    def double(self): return 2 * self._scale
    @staticmethod
    def fixed(x): return x * STATIC
    @classmethod
    def of_class(cls, x): return x * cls.common
class Slots:
    __slots__ = ("scale",)
class Net(nn.Module):
    def __init__(self):
        self.w, self.temperature, self.scales = Value(0.5), 2.0, [1.0, 0.5]
    def __call__(self, x):
        return x * self.w * (self.temperature if self.training else 3.0) + self.scales[0]
class GlobalNet(nn.Module):
    def __init__(self): self.w = Value(0.25)
    def __call__(self, x): return x * self.w * IN_CALL
@dataclass
class Data:
    scale: float = 1.0
    items: Any = None
Pair = namedtuple("Pair", "first second")
GLOBAL = STATIC = IN_CALL = 1.5
"""

_PARTS = ("a@.train()", "a@.eval()", "a@.temperature = #", "a@.w.data = #", "a@.w = Value(#)")


def _net(holder: str, net: str) -> Place:
    """A Module somewhere: its mode and its attributes are seen at once, wherever it is."""
    now = tuple(part.replace("a@", net) for part in _PARTS)
    return Place(holder, f"{net}(x)", now, (f"{net}.scales[0] = #",))


PLACES: dict[str, Place] = {
    "a global number": Place("a@ = 1.0", "x * a@", ("a@ = #",)),
    "a list": Place("a@ = [1.0, 2.0]", "x * a@[0] + a@[-1]", ("a@ = [#, 2.0]",), (
        "a@[0] = #", "a@[-1] += #", "a@.append(#)", "a@.reverse()", "a@.insert(0, #)",
        "a@[:] = [#]")),
    "the length of a list": Place("a@ = [1.0]", "x * len(a@)", (), (
        "a@.append(#)", "a@.clear()", "a@.extend([#, #])")),
    "a sum over a list": Place("a@ = [1.0, 2.0]", "sum((x * k for k in a@), x)", (), (
        "a@.append(#)", "a@.pop() if a@ else None")),
    "a dict": Place("a@ = {'s': 1.0}", "x * a@['s'] + len(a@)", (), (
        "a@['s'] = #", "a@['t'] = #", "a@.update(s=#)", "a@.pop('t', None)")),
    "the keys of a dict": Place("a@ = {'s': 1.0}", "x * sum(map(len, a@))", (), (
        "a@['word'] = #", "a@.pop('word', None)")),
    "an ordered dict": Place("a@ = OrderedDict(s=1.0, t=2.0)", "x * next(iter(a@.values()))", (), (
        "a@.move_to_end('s')", "a@['s'] = #")),
    "a defaultdict": Place("a@ = defaultdict(float, s=1.0)", "x * a@['s']", (), ("a@['s'] = #",)),
    "a nest": Place("a@ = {'a': [{'b': (1.0, [2.0])}]}", "x * a@['a'][0]['b'][1][0]", (), (
        "a@['a'][0]['b'][1][0] = #", "a@['a'][0]['b'] = (0.0, [#])", "a@['a'].insert(0, {'b': "
        "(1.0, [#])})")),
    "a word": Place("a@ = {'kind': 'plus'}", "x if a@['kind'] == 'plus' else -x", (), (
        "a@['kind'] = 'minus'", "a@['kind'] = 'plus'")),
    "a flag": Place("a@ = [True]", "x * 2 if a@[0] else x", (), ("a@[0] = not a@[0]",)),
    "an array": Place("a@ = np.array([1.0, 2.0])", "(a@ * x).sum()", ("a@ = a@ + #",), (
        "a@[0] = #", "a@ *= 2", "a@[:] = a@[::-1].copy()", "a@.fill(#)", "a@.sort()",
        "a@[1:][0] = #")),
    "integers": Place("a@ = np.array([0, 1])", "x * [3.0, 5.0][a@[0]]", (), (
        "a@[0] = 1", "a@[0] = 0", "a@ ^= 1")),
    "a mask": Place(
        "a@ = np.array([True, False])", "np.where(a@, 1.0, 2.0).sum() * x * a@[0]", (), (
        "a@[0] = False", "a@[:] = True")),
    "an array in a list": Place("a@ = [np.ones(2)]", "(a@[0] * x).sum()", (), (
        "a@[0][1] = #", "a@[0] = np.full(2, #)")),
    "an array of Values": Place("a@ = np.array([Value(1.0), Value(2.0)])", "(a@ * x).sum()", (
        "a@[0].data = #",), ("a@[0] = Value(#)", "a@ -= 0.5", "a@[:] = a@[::-1].copy()")),
    "a list of Values": Place("a@ = [Value(1.0), Value(2.0)]", "sum(v * x for v in a@)", (
        "a@[0].data = #",), ("a@[0] = Value(#)", "a@.append(Value(#))", "a@.reverse()")),
    "a table": Place(
        "a@ = np.array([[1.0, 2.0], [3.0, 4.0]])", "sum(r.dot(r) * x for r in a@.T)", (), (
        "a@[0, 1] = #", "a@[:, 0] += #")),
    "an attribute": Place("a@ = Box(scale=1.0)", "x * a@.scale", (), (
        "a@.scale = #", "setattr(a@, 'scale', #)", "a@.__dict__['scale'] = #")),
    "an attribute read by a method": Place("a@ = Box(scale=1.0)", "a@.times(x)", (), (
        "a@.scale = #",)),
    "a list read by a method": Place("a@ = Box(parts={'a': [1.0]})", "a@.deeper(x)", (), (
        "a@.parts['a'][0] = #", "a@.parts = {'a': [#]}")),
    "a method read by name": Place("a@ = Box(scale=1.0); b@ = a@.times", "b@(x)", (), (
        "a@.scale = #",)),
    "an attribute read when called": Place(
        "a@ = Box(_hidden=1.0)", "a@(x)", (), ("a@._hidden = #",)),
    "a property": Place("a@ = Box(_scale=1.0)", "x * a@.double", (), ("a@._scale = #",)),
    "a class attribute": Place("a@ = type('C', (Box,), {})()", "x * a@.common", (), (
        "type(a@).common = #", "a@.common = #")),
    "a class method": Place("a@ = type('C', (Box,), {})", "a@.of_class(x)", (), ("a@.common = #",)),
    "an object in an object": Place("a@ = Box(inner=Box(scale=1.0))", "x * a@.inner.scale", (), (
        "a@.inner.scale = #", "a@.inner = Box(scale=#)")),
    "a Value of an object": Place(
        "a@ = Box(scale=Value(1.0))", "x * a@.scale", ("a@.scale.data = #",),
                                  ("a@.scale = Value(#)",)),
    "slots": Place("a@ = Slots(); a@.scale = 1.0", "x * a@.scale", (), ("a@.scale = #",)),
    "a dataclass": Place("a@ = Data(1.0, [2.0])", "x * a@.scale + a@.items[0]", (), (
        "a@.scale = #", "a@.items[0] = #", "a@.items = [#]")),
    "a named tuple": Place("a@ = Pair([1.0], {'b': 2.0})", "x * a@.first[0] + a@.second['b']", (
        "a@ = Pair([#], {'b': 1.0})",), ("a@.first[0] = #", "a@.second['b'] = #")),
    "a global read by a function": Place(
        "k@ = 1.0\ndef h@(x): return x * k@", "h@(x)", ("k@ = #", "def h@(x): return x * #")),
    "a global read by an inner function": Place(
        "k@ = 1.0\ndef h@(x):\n    def inner(): return [x * k@ for _ in '12']\n"
        "    return sum(inner())",
        "h@(x)", ("k@ = #",)),
    "a global read by a method": Place("a@ = Box()", "a@.by_global(x)", ("GLOBAL = #",)),
    "a global read by a static method": Place("a@ = Box()", "a@.fixed(x) + Box.fixed(x)", (
        "STATIC = #",)),
    "a global read by a Module": Place("a@ = GlobalNet()", "a@(x)", ("IN_CALL = #",)),
    "a list read by a function": Place(
        "k@ = [1.0]\ndef h@(x): return x * k@[0]", "h@(x)", (), ("k@[0] = #",)),
    "a default": Place("def h@(x, k=[1.0]): return x * k[0]", "h@(x)", (), (
        "h@.__defaults__[0][0] = #",)),
    "a keyword default": Place("def h@(x, *, k=[1.0]): return x * k[0]", "h@(x)", (), (
        "h@.__kwdefaults__['k'][0] = #",)),
    "an attribute of a function": Place(
        "def h@(x): return x * h@.scale\nh@.scale = 1.0", "h@(x)", (), (
        "h@.scale = #",)),
    "a cell": Place(
        "def make@(k):\n    def read(x): return x * k\n    def change(n):\n        nonlocal k\n"
        "        k = n\n    return read, change\nr@, c@ = make@(1.0)", "r@(x)", ("c@(#)",)),
    "a list in a cell": Place(
        "k@ = [1.0]\ndef make@(k): return lambda x: x * k[0]\nr@ = make@(k@)", "r@(x)", (), (
            "k@[0] = #",)),
    "a partial": Place("k@ = [1.0]\nr@ = functools.partial(lambda k, x: x * k[0], k@)", "r@(x)", (
        "r@ = functools.partial(lambda k, x: x * k, #)",), ("k@[0] = #",)),
    "a function in a list": Place("k@ = 1.0\na@ = [lambda x: x * k@]", "a@[0](x)", ("k@ = #",), (
        "a@[0] = lambda x: x * #",)),
    "a function in a dict": Place("a@ = {'f': ops.tanh}", "a@['f'](x)", (), (
        "a@['f'] = ops.sin", "a@['f'] = ops.tanh")),
    "an itemgetter": Place(
        "a@ = [1.0]; g@ = operator.itemgetter(0)", "x * g@(a@)", (), ("a@[0] = #",)),
    "a Module": _net("a@ = Net()", "a@"),
    "a Module in an object": _net("b@ = Box(net=Net())", "b@.net"),
    "a Module in an object's list": _net("b@ = Box(nets=[Net()])", "b@.nets[0]"),
    "a Module in a nest": _net(
        "b@ = Box(inner=Box(nets={'n': (Net(),)}))", "b@.inner.nets['n'][0]"),
    "a Module in slots": _net("b@ = Slots(); b@.scale = Net()", "b@.scale"),
    "a Module of a partial": Place(
        "b@ = Net()\nr@ = functools.partial(lambda m, x: m(x), b@)", "r@(x)", (
        "b@.train()", "b@.eval()", "b@.temperature = #")),
    "a Module in a cell": Place(
        "b@ = Net()\ndef make@(m): return lambda x: m(x)\nr@ = make@(b@)", "r@(x)", (
            "b@.train()", "b@.eval()", "b@.temperature = #", "b@.w = Value(#)")),
    "a Module as a default": Place("b@ = Net()\ndef h@(x, *, m=b@): return m(x)", "h@(x)", (
        "b@.train()", "b@.eval()", "b@.w.data = #")),
    "a Module as a class attribute": Place(
        "class C@:\n    net = Net()\n    def loss(self, x): return self.net(x)\na@ = C@()",
        "a@.loss(x)",
        ("a@.net.train()", "a@.net.eval()", "a@.net.temperature = #")),
    "a Sequential": Place("a@ = nn.Sequential(Net(), nn.Tanh(), Net())", "a@(x)", (
        "a@.train()", "a@.eval()", "a@.layers[0].w = Value(#)"), (
        "a@.layers[2] = Net()", "a@.layers[1] = nn.ReLU()", "a@.layers[0].scales[0] = #")),
}  # fmt: skip


class Change(NamedTuple):
    """One statement, and whether the next call sees it or the next call after a pause."""

    statement: str
    later: bool


class Settings(NamedTuple):
    """A program of several places, and what happens: None is a call, else a change."""

    source: str
    events: list[Change | None]

    def __repr__(self) -> str:
        happened = "\n".join("f(x)" if e is None else e.statement for e in self.events)
        return f"\n{self.source}\n{happened}\n"


@st.composite
def settings_of_functions(draw: Any, names: tuple[str, ...] = tuple(PLACES)) -> Settings:
    """A function of one to three places, and up to twelve calls and changes."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    places = [
        Place(*(
            tuple(text.replace("@", str(k)) for text in part) if isinstance(part, tuple)
            else part.replace("@", str(k)) for part in PLACES[name]
        ))
        for k, name in enumerate(chosen)
    ]  # fmt: skip
    body = "".join(f"    total = total + ({place.expression})\n" for place in places)
    source = "\n".join(place.declaration for place in places)
    source += f"\ndef f(x):\n    total = x * w\n{body}    return total, [total * x]"
    changes = [Change(s, False) for p in places for s in p.now]
    changes += [Change(s, True) for p in places for s in p.later]
    number = st.integers(-8, 8).map(lambda n: repr(n / 4 + 0.125))
    change = st.builds(
        lambda c, n: c._replace(statement=c.statement.replace("#", n)),
        st.sampled_from(changes), number,
    )  # fmt: skip
    events = draw(st.lists(st.one_of(st.none(), change), min_size=2, max_size=12))
    return Settings(source, [None, *events, None])


def namespace() -> dict[str, Any]:
    """What the source of a program finds."""
    names: dict[str, Any] = {
        "np": np, "nn": nn, "ops": ops, "Value": Value, "functools": functools, "Any": Any,
        "OrderedDict": OrderedDict, "defaultdict": defaultdict, "namedtuple": namedtuple,
        "dataclass": dataclass, "operator": operator, "w": Value(0.75), "__name__": __name__,
    }  # fmt: skip
    exec(CLASSES, names)
    return names


def pause(lifted: Any) -> None:
    """As if so much time had passed that the next call looks again at all that may have changed."""
    for entry in lifted.programs.values():
        entry.watch._due = 0.0


def never_stale(settings: Settings) -> None:
    """Assert that each call gives what the plain function gives, or says that something changed."""
    names = namespace()
    exec(settings.source, names)
    function, calls = lift(names["f"]), 0
    changed = False
    for number, event in enumerate(settings.events):
        if event is not None:
            exec(event.statement, names)
            changed = changed or event.later
            continue
        if changed:
            pause(function)
        x = 0.5 + number / 8
        try:
            got = flat(function(x))
        except LiftError as error:
            assert changed and calls > 3, f"refused after {calls} calls: {error}"
            assert "f" in str(error)
            got, calls = flat(function(x)), 0
        calls, changed = calls + 1, False
        want = flat(function.function(x))
        assert [v.data for v in got] == pytest.approx([v.data for v in want], rel=1e-12, abs=1e-12)
        again = set(_leaves(flat(function.function(x))))  # without the constants of one run
        wanted = [v for v in _leaves(want) if v in again]
        seeds = [1.0] * len(want)
        assert gradients(got, seeds, wanted) == pytest.approx(
            gradients(want, seeds, wanted), rel=1e-12, abs=1e-12
        )


def _leaves(results: list[Value]) -> list[Value]:
    """What the results were made of."""
    seen: dict[Value, None] = {}
    stack = list(results)
    while stack:
        v = stack.pop()
        if v not in seen:
            seen[v] = None
            stack += v._prev
    return [v for v in seen if v._rule is None]
