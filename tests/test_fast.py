"""fast.py changes no number: the same bits as engine.py alone, and it can be taken out again."""

from __future__ import annotations

import ast
import inspect
import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from test_agreement import Program, programs

import micrograd
from micrograd import Value, engine, fast, grad, nn, no_grad, op, optim, values
from micrograd import functional as F
from micrograd.arithmetic import Arithmetic
from micrograd.engine import ComputedValue

NAMES = [*fast.of_engine, *fast.of_value]


def now() -> dict[str, Any]:
    return {
        **{name: getattr(engine, name) for name in fast.of_engine},
        **{name: getattr(Value, name) for name in fast.of_value},
    }


@contextmanager
def reference() -> Iterator[None]:
    """engine.py alone; afterwards what was before, which `--reference` may have chosen, too."""
    installed = engine.record is fast.record
    fast.uninstall()
    try:
        yield
    finally:
        if installed:
            fast.install()


@contextmanager
def written_out() -> Iterator[None]:
    installed = engine.record is fast.record
    fast.install()
    try:
        yield
    finally:
        if not installed:
            fast.uninstall()


def test_it_is_installed_and_taken_out_whole() -> None:
    with reference():
        alone = now()
        with written_out():
            inside = now()
        assert now() == alone
    assert all(alone[name] is not inside[name] for name in NAMES)
    for name in fast.of_engine:
        assert alone[name].__module__ == "micrograd.engine"
    for name, method in alone.items():
        assert method.__module__ in ("micrograd.engine", "micrograd.arithmetic"), name
        assert inside[name].__module__ == "micrograd.fast", name


def test_help_is_that_of_the_reference() -> None:
    with written_out():
        for name in fast.of_value:
            method = getattr(Value, name)
            want = fast.methods_of_reference.get(name) or getattr(Arithmetic, name)
            assert method.__doc__ == want.__doc__ and inspect.signature(Value)
        assert "d self / d value" in str(Value.backward.__doc__)
        assert list(inspect.signature(Value).parameters) == ["data", "_children", "_op", "label"]
        assert "chain rule" in str(engine.push.__doc__)


def bits(numbers: Any) -> list[bytes]:
    return [struct.pack("<d", x) if x == x else b"nan" for x in numbers]  # noqa: PLR0124


def everything(program: Program) -> list[bytes]:
    """Numbers and gradients of all nodes, in order, to the last bit, signs of zeros included."""
    inputs, out = program.values(program.leaves)
    out.backward()
    out.backward()
    order = engine.topological_order(out)
    second = grad(out, inputs, create_graph=True)
    return bits(
        [v.data for v in order]
        + [v.grad for v in order]
        + [g.data for g in grad(out, inputs)]
        + [g.data for g in second]
        + [h.data for g in second for h in grad(g, inputs)]
    )


@settings(max_examples=max(150, settings().max_examples))
@given(programs())
def test_random_programs_have_the_same_bits(program: Program) -> None:
    with written_out():
        got = everything(program)
    with reference():
        assert everything(program) == got


def demo() -> list[float]:
    import random

    random.seed(3)
    model = nn.MLP(2, [8, 8, 1])
    points = [(math.sin(k), math.cos(3 * k), 1 if k % 2 else -1) for k in range(12)]
    found = []
    for _ in range(3):
        losses = [(1 + -y * model([Value(a), b])).relu() for a, b, y in points]
        loss = sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        found += [loss.data, *(p.grad for p in model.parameters())]
    return found + [p.data for p in model.parameters()]


def layers() -> list[float]:
    model = nn.Sequential(
        nn.Linear(3, 4, rng=0), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 3, rng=1)
    )
    adam = optim.Adam(model.parameters())
    found = []
    for k in range(3):
        loss = F.cross_entropy(model(np.full((2, 3), 0.1 * k)), [0, 2])
        adam.zero_grad()
        loss.backward()
        adam.step()
        found += [loss.data, *(p.grad for p in model.parameters())]
    return found


def mixed() -> list[float]:
    """Numbers on both sides, arrays, own rows, hand-made nodes, what gradients do not reach."""
    treble = op("test fast treble", lambda x: 3 * x, [lambda x, out: np.float32(3)])
    a, b = Value(0.7), Value(-1.3)
    A = values([[0.5, -2.0], [3.0, 1e100]])
    by_hand = Value(a.data * 2, (a,), "twice")
    by_hand._backward = lambda: setattr(a, "grad", a.grad + 2 * by_hand.grad)
    y = 2 * a + a * 3 - b / 4 + 5 / a + a / b + (a + 1) ** b + 2**b + abs(b) + treble(a) + by_hand
    y = y + (A @ A).sum() * 0.0 + a.maximum(b) * b.detach() + (a > b) + np.float64(2) * a
    y = y + a.exp().log().sqrt().sin().cos().tanh().sigmoid().softplus().relu().gelu().leaky_relu()
    y.backward()
    with no_grad():
        z = a * b + y
    return [v.data for v in engine.topological_order(y)] + [a.grad, b.grad, z.data, len(z._prev)]


@pytest.mark.parametrize("run", [demo, layers, mixed])
def test_whole_programs_have_the_same_bits(run: Callable[[], list[float]]) -> None:
    with written_out():
        got = run()
    with reference():
        want = run()
    assert bits(got) == bits(want) and len(got) > 20


def test_both_make_the_same_kinds_of_nodes() -> None:
    kinds = []
    for way in (reference, written_out):
        with way():
            x = Value(2.0, label="x")
            made = [
                x,
                x * 2,
                2 + x,
                x.relu(),
                -x,
                x**2,
                x / 3,
                Value(1.0, (x,), "mine"),
                x.detach(),
            ]
            kinds.append([(type(v), v._op, len(v._prev), v.label, v.grad) for v in made])
            assert type(x * 2) is ComputedValue
    assert kinds[0] == kinds[1]


def test_a_wrong_written_out_function_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Value, other: Any) -> Any:
        return fast.node(engine.ops.mul, (self, Value(other)), self.data * other * (1 + 2**-52))

    with reference():
        want = demo()
        with monkeypatch.context() as patch:
            patch.setitem(fast.of_value, "__rmul__", wrong)
            with written_out():
                got = demo()
        assert bits(got) != bits(want) and bits(demo()) == bits(want)


def test_leaves_and_nodes_made_by_hand() -> None:
    leaf = fast.leaf(2.0, 0.5, "p")
    assert (leaf.data, leaf.grad, leaf.label, leaf._prev, leaf._op) == (2.0, 0.5, "p", (), "")
    leaf.m = 1  # type: ignore[attr-defined]
    for inputs in ((leaf,), (leaf, leaf), (leaf, leaf, leaf)):
        node = fast.node(engine.ops.exp, inputs, 3.0)
        assert (node.data, node.grad, node._prev, node._op) == (3.0, 0.0, inputs, "exp")


def test_no_module_keeps_a_function_that_is_replaced() -> None:
    """`from micrograd.engine import record` would keep the one that was there at that moment."""
    for path in Path(micrograd.__file__).parent.rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.ImportFrom) and statement.module == "micrograd.engine":
                kept = {name.name for name in statement.names} & set(fast.of_engine)
                assert not kept, f"{path.name} keeps {kept}: write engine.{min(kept)}"
