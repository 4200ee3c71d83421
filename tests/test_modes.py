"""Modes: what a mode does not answer goes to the one outside it, hook by hook."""

from __future__ import annotations

import ast
import inspect
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrograd
from micrograd import Value, grad, modes, nn, no_grad, ops, values
from micrograd.engine import NumbersOnly
from micrograd.modes import Eager, Mode, current_mode, eager, mode, outside
from micrograd.op import Op

HOOKS = [name for name in vars(Mode) if not name.startswith("_")]


class Noting(Mode):
    """Notes every hook that it is asked, and then does as the mode outside it."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[str] = []
        self.refuses = refuses


def _noting(name: str) -> Any:
    def hook(self: Noting, *args: Any) -> Any:
        self.asked.append(name)
        if name == self.refuses:
            raise RuntimeError(f"{name} is refused")
        return getattr(Mode, name)(self, *args)

    return hook


for _name in HOOKS:
    setattr(Noting, _name, _noting(_name))


class Silent(Mode):
    """Answers nothing itself."""


class Generator:
    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, 0.25)


ASK: dict[str, Any] = {
    "record": lambda m: m.record(ops.exp, [Value(0.0)]),
    "quotient": lambda m: m.quotient(Value(49.0) * (1 / 49.0), 49.0, 49.0),
    "constructs": lambda m: m.constructs(Value(1.0), 1.0, ()),
    "read": lambda m: m.read(Value(1.0), "data"),
    "written": lambda m: m.written(Value(1.0), "grad"),
    "entered": lambda m: m.entered(Silent()),
    "floats": lambda m: m.floats("an array"),
    "refuse": lambda m: m.refuse("backward()"),
    "refuse_float": lambda m: m.refuse_float(),
    "dots": lambda m: m.dots([], []),
    "take": lambda m: m.take([1], 0, 0),
    "random_array": lambda m: m.random_array(Generator(), (2,)),
    "read_buffer": lambda m: m.read_buffer(nn.BatchNorm1d(2), "running_var"),
    "update_buffer": lambda m: m.update_buffer(nn.BatchNorm1d(1), "running_mean", [3.0]),
}


def test_every_hook_has_words_and_an_eager_answer() -> None:
    assert set(ASK) == set(HOOKS)
    for name in HOOKS:
        assert inspect.getdoc(getattr(Mode, name)), name
        assert name in vars(Eager), name
        signatures = [inspect.signature(getattr(kind, name)) for kind in (Mode, Eager)]
        assert list(signatures[0].parameters) == list(signatures[1].parameters), name


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_mode_does_not_answer_the_one_outside_is_asked(name: str) -> None:
    noting = Noting(refuses=name)
    if name in ("entered",):  # entering the inner mode asks, too
        with mode(noting), pytest.raises(RuntimeError, match="entered is refused"), mode(Silent()):
            pass
        return
    inner = NumbersOnly() if name != "record" else Silent()
    refused = pytest.raises(RuntimeError, match=f"{name} is refused")
    with mode(noting), mode(Silent()), mode(inner), refused:
        ASK[name](current_mode())
    assert noting.asked[-1] == name


@pytest.mark.parametrize("name", HOOKS)
def test_the_last_to_be_asked_is_eager(name: str) -> None:
    want = ASK[name](eager)
    with mode(Silent()), mode(Silent()):
        got = ASK[name](current_mode())
    if isinstance(want, Value):
        assert (got.data, got._op) == (want.data, want._op)
    else:
        assert np.array_equal(got, want)


def test_eager_answers() -> None:
    assert ASK["quotient"](eager).data == 1.0
    assert ASK["record"](eager)._op == "exp"
    assert eager.dots([], []) is eager.take([1], 0, 0) is NotImplemented
    assert eager.random_array(Generator(), (2,)).tolist() == [0.25, 0.25]
    layer = nn.BatchNorm1d(2)
    eager.update_buffer(layer, "running_mean", values([3.0, 4.0]))
    assert eager.read_buffer(layer, "running_mean") is layer.running_mean
    assert layer.running_mean.tolist() == [3.0, 4.0]


def test_which_mode_stands_outside() -> None:
    a, b = Silent(), Silent()
    assert outside(a) is eager and current_mode() is eager
    with mode(a):
        assert outside(a) is eager
        with mode(b):
            assert (current_mode(), outside(b), outside(a)) == (b, a, eager)
            with mode(a):  # entered again: outside it stands what stood outside the first time
                assert (current_mode(), outside(a)) == (a, eager)
            with mode(eager):
                assert current_mode() is eager
                assert (Value(2.0) * 3)._op == "*"
    assert current_mode() is eager and not modes.active


class Recording(Mode):
    """Writes down names of operations, computes them, and refuses numbers from outside."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.own: set[Value] = set()

    def record(self, op: Op, inputs: Sequence[Value]) -> Value:
        self.names.append(op.name)
        with mode(eager):
            out = eager.record(op, inputs)
        self.own.add(out)
        return out

    def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
        self.own.add(node)
        return node

    def read(self, node: Value, what: str) -> None:
        if node not in self.own:
            raise RuntimeError("a number from outside")


def test_a_recording_sees_what_no_grad_does_inside_it() -> None:
    p, recording = Value(2.0), Recording()
    with mode(recording):
        with no_grad():
            y = p * 3 + 1
            with pytest.raises(RuntimeError, match="a number from outside"):
                _ = p.data
        z = y * p
    assert recording.names == ["*", "detach", "+", "detach", "*"]
    z.backward()
    assert (z.data, p.grad) == (14.0, 7.0)  # nothing flows back through y


def test_a_mode_may_answer_a_construction_with_another_value() -> None:
    class Second(Mode):
        def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
            return stand_in if data == 1.0 else node

    stand_in = Value(7.0)
    with mode(Second()):
        assert Value(1.0) is stand_in and Value(2.0).data == 2.0


def test_a_mode_of_another_thread_changes_nothing_here() -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with mode(Noting(refuses="record")):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        inside.wait(10)
        assert modes.active and current_mode() is eager
        x = Value(2.0)
        y = x * x + 1
        y.backward()
        assert (y.data, x.grad, grad(y, x).data) == (5.0, 4.0, 4.0)
        x.data = 3.0
        assert x.data == 3.0 and x.detach()._prev == () and x.detach()._op == ""
    finally:
        leave.set()
        thread.join()


def test_a_decorated_function_keeps_its_name_and_delayed_ones_are_refused() -> None:
    from functools import partial

    @no_grad()
    def f(x: Value) -> Value:
        """Doubled."""
        return x * 2

    assert (f.__name__, f.__doc__, f(Value(1.0))._prev) == ("f", "Doubled.", ())

    async def later() -> None: ...

    def steps() -> Any:
        yield 1

    async def both() -> Any:
        yield 1

    class Holder:
        def steps(self) -> Any:
            yield 1

    for function, kind in (
        (later, "a coroutine"), (steps, "a generator"), (both, "a generator"),
        (Holder().steps, "a generator"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=f"{function.__name__} is {kind}"):
            no_grad()(function)
    assert no_grad()(partial(f, Value(2.0)).func)(Value(1.0)).data == 2.0


# --- the house ------------------------------------------------------------------------------------

PACKAGE = Path(micrograd.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))


def private_uses(text: str) -> list[str]:
    """Private names of one module used in another: imported, or read from an imported module."""
    tree, modules, found = ast.parse(text), set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd"):
            folder = PACKAGE.joinpath(*str(node.module).split(".")[1:])
            for alias in node.names:
                if alias.name.startswith("_") and not alias.name.startswith("__"):
                    found.append(alias.name)
                if (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir():
                    modules.add(alias.asname or alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if node.value.id in modules and re.match(r"_[a-zA-Z]", node.attr):
                found.append(name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_private_name_of_one_module_is_used_in_another(path: Path) -> None:
    assert private_uses(path.read_text()) == []


def test_a_private_use_would_be_found() -> None:
    assert private_uses("from micrograd.engine import Value, _leaf\n") == ["_leaf"]
    assert private_uses("from micrograd import engine\nengine._leaf(3)\n") == ["engine._leaf"]
    assert private_uses("from micrograd.show.graph import svg\nx = svg._text(3)\n") == ["svg._text"]
    assert private_uses("from micrograd import engine\nengine.push(x)\nself._leaf\n") == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_hook_is_asked_for_by_a_string(path: Path) -> None:
    assert not re.search(r"(getattr|hasattr)\((\w+\.)?current_mode\(\)", path.read_text())
    assert not re.search(r"(getattr|hasattr)\([\w.]*_rule\b", path.read_text())
