"""The agreement test is itself tested: planted faults make it fail. And: chains of width one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_programs import Sample, agrees, expressions, leaves, loops
from random_routines import routines
from random_settings import PLACES, never_stale, settings_of_functions
from random_tables import tables
from test_lifted_agreement import ASKS, equality_is_answered, lifted_equals_eager

from micrograd import Value, lift, numbers, ops
from micrograd.lifting import buffers as buffers_module
from micrograd.lifting import contents, instructions
from micrograd.lifting.instructions import Group
from micrograd.lifting.run import calls
from micrograd.lifting.run.contraction import contract
from micrograd.lifting.steps import adjoint
from micrograd.lifting.steps.expression import Expression
from micrograd.lifting.steps.first_writes import first_writes
from micrograd.lifting.strides import squeezed
from micrograd.lifting.traced import Traced
from micrograd.lifting.walk import Walk
from micrograd.op import Op


@settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
@given(st.one_of(loops(), expressions()))
def agreement(sample: Sample) -> None:
    lifted_equals_eager(sample)


@pytest.mark.slow
def test_without_a_fault_it_passes() -> None:
    agreement()


def wrong_stride(*arguments: Any) -> Any:
    """The innermost loop of the last operand stands still."""
    made = _instruction(*arguments)
    *others, last = made.operands
    if last.gather is None and last.shape:
        last = last._replace(strides=(*last.strides[:-1], 0))
    return made._replace(operands=(*others, last))


def transposed(*arguments: Any) -> Any:
    """The last operand walks its first two loops the wrong way round, if they are of one length."""
    made = _instruction(*arguments)
    *others, last = made.operands
    if last.gather is None and len(last.shape) > 1 and last.shape[0] == last.shape[1]:
        first, second, *rest = last.strides
        last = last._replace(strides=(second, first, *rest))
    return made._replace(operands=(*others, last))


def shifted(addresses: np.ndarray, shape: tuple[int, ...]) -> Any:
    """A gather that reads its neighbours."""
    found, strides = squeezed(addresses, shape)
    return np.roll(found, 1), strides


def lost_tie(op: Op, g: Any, xs: Any, out: Any) -> Any:
    """All of the gradient to the first of the largest."""
    if op not in (ops.maximum, ops.minimum) or not isinstance(g, Expression):
        return _gradients(op, g, xs, out)
    second = ops.greater(*(xs[::-1] if op is ops.maximum else xs))
    return ops.where(second, 0.0, g), ops.where(second, g, 0.0)


def overwriting(steps: Any, asked: Any) -> Any:
    """The last contribution to each place is all that is left."""
    return tuple(replace(step, accumulate=False) for step in first_writes(steps, asked))


def never_adding(*arguments: Any) -> None:
    """A product that replaces what it should be added to."""
    contract(*arguments[:-1], False)


_gradients, _instruction = Op.gradients, Group._instruction
FAULTS: dict[str, tuple[Any, str, Any]] = {
    "a wrong stride": (Group, "_instruction", wrong_stride),
    "a transposed read": (Group, "_instruction", transposed),
    "a shifted gather": (instructions, "squeezed", shifted),
    "a dropped contribution": (adjoint._Adjoint, "add", lambda *arguments: None),
    "an overwritten gradient": (adjoint, "first_writes", overwriting),
    "a product not added": (calls, "contract", never_adding),
    "a tie not shared": (Op, "gradients", lost_tie),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_with_a_fault_it_fails(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*FAULTS[fault])
    with pytest.raises(AssertionError, match=" for "):  # "0.1 for 0.3": the numbers differ
        agreement()


# --- mends, taken back one by one -----------------------------------------------------------------


def with_few(test: Callable[..., None], strategy: Any, count: int = 60) -> Callable[[], None]:
    """A test of random programs as a function that tries the same few each time."""
    return settings(
        max_examples=count, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], report_multiple_bugs=False,
    )(given(strategy)(test))  # fmt: skip


def any_number_of_loops(group: Any) -> Any:
    """The rows of a table as the operands of a sum: no loop for one row, two for nested ones."""
    kind, group.kind = group.kind, "sum"
    try:
        return _inner_loops(group)
    finally:
        group.kind = kind


def handing_out_all(found: Any, executable: Any, masks: Any) -> None:
    """Every input gets what stands at its place, whether this backward wrote it or an earlier."""
    _backward(found, executable, masks)
    sizes = [x.array.size for x in executable.program.arguments if x.wanted]
    first = executable.parameter_count
    found.inputs = [(k, first + k) for k in range(sum(sizes))]
    found.memory = shared.setdefault(executable, found.memory)


def zeroing_none(steps: Any, asked: Any) -> Any:
    """Inputs that this backward does not write keep what stood there."""
    return first_writes(steps, ())


shared: Any = WeakKeyDictionary()
_inner_loops, _backward = instructions.Group._inner_loops, buffers_module.Backward.__init__
HOLDERS = tuple(name for name in PLACES if name.startswith("a Module in"))
MENDS: dict[str, tuple[list[tuple[Any, str, Any]], Callable[[], None]]] = {
    "equality by identity": (
        [(Traced, "__eq__", object.__eq__), (Traced, "__ne__", object.__ne__)],
        lambda: equality_is_answered(ASKS["=="]),
    ),
    "a table of any number of loops": (
        [(instructions.Group, "_inner_loops", any_number_of_loops)],
        with_few(lifted_equals_eager, tables()),
    ),
    "gradients of an earlier backward": (
        [
            (buffers_module.Backward, "__init__", handing_out_all),
            (adjoint, "first_writes", zeroing_none),
        ],
        with_few(lifted_equals_eager, st.one_of(routines(), expressions())),
    ),
    "modules only where names lead": (
        [(Walk, "_held", lambda walk, x, path: ())],
        with_few(never_stale, settings_of_functions(HOLDERS)),
    ),
    "lists that are looked at once": (
        [(contents.Items, "same", lambda sight: True)],
        with_few(never_stale, settings_of_functions(("a list", "a nest"))),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("mend", MENDS)
def test_without_the_mend_it_fails(mend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, check = MENDS[mend]
    check()
    for patch in patches:
        monkeypatch.setattr(*patch)
    with pytest.raises((AssertionError, IndexError, ValueError)):
        check()


def test_a_difference_just_above_the_measure_is_one() -> None:
    """What cancels is measured by what it was: 1e-12 of 1 is too much, 1e-14 is rounding."""
    parameters = leaves([1.0, -1.0])
    sample = Sample([], lambda p, x: p[0] + p[1] + x, parameters, [(0.0,)])

    def off_by(error: float) -> Callable[..., Any]:
        return lambda function: lambda *arguments: function(*arguments) + error

    agrees(sample, off_by(1e-14))
    with pytest.raises(AssertionError, match=r" for 0\.0"):
        agrees(sample, off_by(1e-12))


def test_a_wrong_gradient_of_an_argument_is_noticed() -> None:
    sample = Sample([], lambda p, x: p[0] * x, leaves([2.0]), [(Value(3.0),)])

    def blind(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: function(Value(x.data))

    agrees(sample)
    with pytest.raises(AssertionError, match=r"0\.0 for"):
        agrees(sample, blind)


# --- where grouping cannot help -------------------------------------------------------------------


def _chain(w: Value, b: Value) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for i in range(1500):
            x = (x * w + b).tanh() if i % 2 else x.sin() * b + w
        return x

    return f


def _seconds(function: Callable[..., Any], w: Value) -> float:
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        function(0.5).backward()
        best = min(best, time.perf_counter() - start)
        w.grad = 0.0
    return best


@pytest.mark.slow
def test_a_long_chain_of_width_one_is_right_and_not_slow() -> None:
    w, b = Value(0.9), Value(0.1)
    f = _chain(w, b)
    lifted = lift(f)
    lifted(Value(0.0))
    v, u = Value(0.3), Value(0.3)
    want, got = f(v), lifted(u)
    assert got.data == pytest.approx(want.data, rel=1e-12)
    want.backward()
    eager = (v.grad, w.grad, b.grad)
    w.grad = b.grad = 0.0
    got.backward()
    assert (u.grad, w.grad, b.grad) == pytest.approx(eager, rel=1e-9)

    def on_a_value(x: float) -> Any:
        return f(Value(x))

    lifted(0.5)
    assert _seconds(lifted, w) <= 2 * _seconds(on_a_value, w)


def test_a_chain_beside_arrays() -> None:
    """What is wide is grouped, what is narrow is not, in one program."""
    w = leaves(np.linspace(-0.5, 0.5, 16).reshape(4, 4))

    def f(w: Any, x: Any) -> Any:
        h = x
        for _ in range(6):
            h = np.tanh(h @ w)
        y = h.sum()
        for _ in range(40):
            y = (y * 0.5 + w[0, 0]).tanh()
        return y, h

    program = agrees(Sample([], f, w, [(np.ones((3, 4)),), (np.eye(4)[:3],)])).program
    assert numbers(program(np.ones((3, 4)))[1]).shape == (3, 4)
