"""Random expression graphs with shared nodes: eager equals PyTorch, first and second order.

Rows are drawn from the op table; each takes the latest node, so that all of them count, and others
made before, so that graphs share nodes. Finite differences, which need no oracle, must agree as far
as their step allows.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import ROWS, same, tensor

from micrograd import Value, grad, numbers, ops
from micrograd.engine import topological_order
from micrograd.op import Op

SMOOTH = ["+", "*", "sin", "cos", "tanh", "sigmoid", "softplus", "GELU", "**2", "**3", "dot"]
KINKED = ["+", "*", "**2", "ReLU", "LeakyReLU", "maximum", "minimum", "where", "abs", "dot"]
NAMES = [*SMOOTH, *KINKED, *ROWS]  # those that end in nan or infinity half of the time are rarer


@dataclass(frozen=True)
class Program:
    """Leaves, then steps (row, operands): operand i is leaf or step number i."""

    leaves: tuple[float, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def run(self, inputs: Sequence[Any], apply: Callable[[str, list[Any]], Any]) -> Any:
        made = list(inputs)
        for name, operands in self.steps:
            made.append(apply(name, [made[i] for i in operands]))
        return made[-1]

    def values(self, leaves: Sequence[float]) -> tuple[list[Value], Value]:
        inputs = list(map(Value, leaves))
        return inputs, self.run(inputs, lambda name, xs: ROWS[name][0](*xs))

    def tensors(self, leaves: Sequence[float]) -> tuple[list[torch.Tensor], torch.Tensor]:
        inputs = [tensor(x).requires_grad_() for x in leaves]
        return inputs, self.run(inputs, lambda name, xs: ROWS[name][1](*xs))


@st.composite
def programs(draw: st.DrawFn, names: Sequence[str] = NAMES, max_steps: int = 12) -> Program:
    number = st.one_of(
        st.integers(-192, 192).map(lambda n: n / 64),  # so that rounding decides no tie or kink
        st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0]),  # numbers themselves do, on purpose
    )
    leaves = tuple(draw(st.lists(number, min_size=1, max_size=4)))
    steps: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(1, max_steps))):
        name = draw(st.sampled_from(names))
        latest, arity = len(leaves) + len(steps) - 1, ROWS[name][0].arity
        operands = draw(st.lists(st.integers(0, latest), min_size=arity, max_size=arity))
        operands[draw(st.integers(0, arity - 1))] = latest
        steps.append((name, tuple(operands)))
    return Program(leaves, tuple(steps))


def tolerated(got: Sequence[float], want: Sequence[float], scale: float) -> bool:
    """1e-9 relative, or what cancellation between terms of size `scale` leaves of float64."""
    got_array, want_array = np.array(got), np.array(want)
    with np.errstate(all="ignore"):
        near = np.abs(got_array - want_array) <= 1e-13 * scale
    return bool(np.all(same(got_array, want_array) | near))


def size_of(program: Program) -> float:
    """The largest number in the forward and backward passes: what rounding scales with."""
    inputs, out = program.values(program.leaves)
    sizes = [1.0]
    for y in (out, *grad(out, inputs, create_graph=True)):
        sizes += [abs(node.data) for node in topological_order(y) if math.isfinite(node.data)]
    return max(sizes)


def moderate(program: Program) -> float:
    size = size_of(program)
    assume(size < 1e6)
    return size


def compare(program: Program, scale: float) -> None:
    inputs, out = program.values(program.leaves)
    tensors, want = program.tensors(program.leaves)
    assert tolerated([out.data], [want.item()], scale), (program, out.data, want.item())
    out.backward()
    first = [x.grad for x in inputs]
    if not want.requires_grad:
        assert first == [0.0] * len(inputs)
        return
    want_first = torch.autograd.grad(
        want, tensors, create_graph=True, allow_unused=True, materialize_grads=True
    )
    assert tolerated(first, [g.item() for g in want_first], scale), (program, first, want_first)
    graphs = grad(out, inputs, create_graph=True)
    assert tolerated([g.data for g in graphs], [g.item() for g in want_first], scale)
    for mine, theirs in zip(graphs, want_first, strict=True):
        second = [g.data for g in grad(mine, inputs)]
        if theirs.requires_grad:
            want_second = torch.autograd.grad(
                theirs, tensors, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            # behind a masked branch torch multiplies 0 by inf or nan; we push nothing there
            expected = [
                s if math.isnan(g.item()) else g.item()
                for s, g in zip(second, want_second, strict=True)
            ]
        else:
            expected = [0.0] * len(inputs)
        assert tolerated(second, expected, scale**2), (program, second, expected)


@settings(max_examples=max(250, settings().max_examples))
@given(programs())
def test_random_graphs_agree_with_torch(program: Program) -> None:
    compare(program, moderate(program))


@given(programs(KINKED, max_steps=30))
def test_large_graphs_of_arithmetic_and_kinks_agree_with_torch(program: Program) -> None:
    compare(program, moderate(program))


# --- finite differences -------------------------------------------------------------------------


def central(f: Callable[[np.ndarray], float], x: np.ndarray, i: int, step: float) -> float:
    """(f(x + h) - f(x - h)) / 2h: off by h**2/6 times the third derivative, and by rounding / h."""
    ahead, behind = x.copy(), x.copy()
    ahead[i] += step
    behind[i] -= step
    return (f(ahead) - f(behind)) / (ahead[i] - behind[i])


def allowed(
    f: Callable[[np.ndarray], float], x: np.ndarray, i: int, step: float, big: float
) -> float:
    """What the step allows: halving it tells how much is truncated; the rest is rounding."""
    truncation = abs(central(f, x, i, step) - central(f, x, i, step / 2))
    return 2 * truncation + 1e-14 * big / step + 1e-9


@given(programs(SMOOTH, max_steps=8))
def test_gradients_agree_with_finite_differences(program: Program) -> None:
    big = moderate(program)
    assume(big < 1e3)
    x = np.array(program.leaves)

    def value(leaves: np.ndarray) -> float:
        return float(program.values(leaves.tolist())[1].data)

    inputs, out = program.values(program.leaves)
    first = numbers(grad(out, inputs))
    for i in range(len(x)):
        step = 1e-5
        error = abs(first[i] - central(value, x, i, step))
        assert error <= allowed(value, x, i, step, big), (program, i)


@given(programs(SMOOTH, max_steps=6))
def test_second_derivatives_agree_with_finite_differences_of_first(program: Program) -> None:
    big = moderate(program)
    assume(big < 1e3)
    x = np.array(program.leaves)
    inputs, out = program.values(program.leaves)
    graphs = grad(out, inputs, create_graph=True)
    for j in range(len(x)):

        def slope(leaves: np.ndarray, j: int = j) -> float:
            fresh, y = program.values(leaves.tolist())
            return float(grad(y, fresh[j]).data)

        second = numbers(grad(graphs[j], inputs))
        for i in range(len(x)):
            error = abs(second[i] - central(slope, x, i, 1e-5))
            assert error <= allowed(slope, x, i, 1e-5, big**2), (program, i, j)


# --- the checkers can fail ----------------------------------------------------------------------


WRONG: dict[str, tuple[Callable[..., float], list[Callable[..., Any]]]] = {
    "tanh": (math.tanh, [lambda x, out: 1 - x * x]),
    "sin": (math.sin, [lambda x, out: -ops.cos(x)]),
    "*": (operator.mul, [lambda a, b, out: a, lambda a, b, out: b]),
    "+": (operator.add, [lambda a, b, out: 1.0, lambda a, b, out: 0.0]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize(
    "check", [test_random_graphs_agree_with_torch, test_gradients_agree_with_finite_differences]
)
def test_a_planted_wrong_rule_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, check: Callable[[], None]
) -> None:
    forward, partials = WRONG[name]
    wrong = Op(name, forward, partials, arity=len(partials), array=np.positive)
    monkeypatch.setitem(ROWS, name, (wrong, ROWS[name][1]))
    with pytest.raises(AssertionError):
        check()


@pytest.mark.slow
def test_a_second_derivative_that_is_a_constant_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Op("sin", math.sin, (lambda x, out: math.cos(float(x)),), arity=1, builtin=True)
    monkeypatch.setitem(ROWS, "sin", (wrong, torch.sin))
    with pytest.raises(AssertionError):
        test_random_graphs_agree_with_torch()
    with pytest.raises(AssertionError):
        test_second_derivatives_agree_with_finite_differences_of_first()
