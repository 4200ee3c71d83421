"""Zeros of both signs, infinities, nan, ties and kinks come out lifted as they come out eagerly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from absolute import flat
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ROWS, SPECIAL, same
from random_programs import EXPRESSIONS, STEPS, Sample, expressions, gradients, leaves, loops

from micrograd import Value, functional, lift, numbers, ops

ODD = (0.0, -0.0, 1.0, -1.0, 0.5, math.inf, -math.inf, math.nan)


def alike(got: Any, want: Any) -> None:
    """nan where nan, infinities of the same sign, else the same to 1e-12."""
    wrong = ~same(got, want, rel=1e-12)
    assert not wrong.any(), (np.array(got)[wrong], np.array(want)[wrong])


@pytest.mark.parametrize("name", ROWS)
def test_rows_on_arrays(name: str) -> None:
    op, _ = ROWS[name]
    few = SPECIAL if op.arity <= 2 else ODD
    numbers_in = np.array(list(itertools.product(few, repeat=op.arity))[:9000]).T
    xs, ys = leaves(numbers_in), leaves(numbers_in)
    want = op(*xs)
    got = lift(lambda x: op(*x))(ys)
    alike(numbers(got), numbers(want))
    sum(want).backward()
    sum(got).backward()
    alike([y.grad for y in ys.flat], [x.grad for x in xs.flat])


@pytest.mark.parametrize("name", ROWS)
def test_rows_on_single_numbers(name: str) -> None:
    op, _ = ROWS[name]
    f = lift(lambda *xs: op(*xs))
    for point in itertools.product(SPECIAL if op.arity == 1 else ODD, repeat=min(op.arity, 3)):
        point = (*point, *[0.5] * (op.arity - 3))
        xs, ys = list(map(Value, point)), list(map(Value, point))
        want, got = op(*xs), f(*ys)
        alike(got.data, want.data)
        want.backward()
        got.backward()
        alike([y.grad for y in ys], [x.grad for x in xs])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 2.5])
def test_an_infinite_gradient_arriving(exponent: float) -> None:
    """What PyTorch masks, the lifted backward masks too."""
    for arriving in (math.inf, -math.inf, math.nan, 0.0):
        for f in (
            lambda x: x**exponent, ops.relu, ops.absolute, lambda x: ops.maximum(x, 0.5),
            lambda x: ops.where(ops.greater(x, 0.0), x, 2.0), lambda x: ops.minimum(x, x * 1),
        ):  # fmt: skip
            xs, ys = leaves(SPECIAL), leaves(SPECIAL)
            sum(f(x) * arriving for x in xs).backward()
            lift(lambda y, f=f, g=arriving: sum(f(v) * g for v in y))(ys).backward()
            alike([y.grad for y in ys], [x.grad for x in xs])


def odd_matrix(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice([0.0, -0.0, 1.0, -2.0, 3.0, math.inf, -math.inf, math.nan],
                      p=[0.2, 0.1, 0.2, 0.2, 0.22, 0.03, 0.03, 0.02], size=shape)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "function",
    [
        lambda A, B: A @ B,
        lambda A, B: functional.linear(A, B.T),
        lambda A, B: functional.linear(A, B.T, B[0]),
        lambda A, B: [[sum(A[i, k] * B[k, j] for k in range(i + 1)) for j in range(4)]
                      for i in range(4)],
        lambda A, B: (A * B).sum(axis=0) + (A - B).sum(),
        lambda A, B: functional.softmax(A) + functional.log_softmax(B, axis=0),
        lambda A, B: [functional.cross_entropy(A, [0, 1, 2, 3]), functional.mse_loss(A, B)],
        lambda A, B: functional.hinge_loss(A, np.eye(4) * 2 - 1) * B.mean(),
    ],
)  # fmt: skip
def test_products_and_sums(function: Any, seed: int) -> None:
    a, b = odd_matrix(2 * seed, 4, 4), odd_matrix(2 * seed + 1, 4, 4)
    xs, ys = [leaves(a), leaves(b)], [leaves(a), leaves(b)]
    with np.errstate(all="ignore"):  # NumPy's reductions of objects warn of what Values do
        want, got = flat(function(*xs)), flat(lift(function)(*ys))
    kinds([float(v) for v in got], [float(v) for v in want])
    seeds = [1.0] * len(want)
    kinds(
        gradients(got, seeds, [y for array in ys for y in array.flat]),
        gradients(want, seeds, [x for array in xs for x in array.flat]),
    )


def swapped_numbers(sample: Sample, seed: int) -> list[tuple[Any, ...]]:
    """The sample's calls with odd numbers in place of its own."""
    rng = np.random.default_rng(seed)

    def swap(x: Any) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.kind in "fO":
            fresh = rng.choice(ODD, size=x.shape)
            return fresh if x.dtype.kind == "f" else leaves(fresh)
        if isinstance(x, list):
            return [swap(item) for item in x]
        if isinstance(x, Value):
            return Value(rng.choice(ODD))
        return float(rng.choice(ODD)) if isinstance(x, float) else x

    return [tuple(swap(x) for x in call) for call in sample.calls]


def _takes(sample: Sample) -> bool:
    """What is not taken has gradient 0 in a lifted table, as in PyTorch; eagerly it has none.

    Zero times an infinite derivative is nan, so the two may differ.
    """
    return any("take" in step for step in sample.steps)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.one_of(expressions(), loops().filter(lambda sample: not _takes(sample))),
    st.integers(0, 2**32 - 1),
)
def test_infinities_and_nan_agree_in_random_programs(sample: Sample, seed: int) -> None:
    parameters = sample.parameters
    for p in parameters.flat[::2]:
        p.data = float(np.random.default_rng(seed).choice(ODD))
    lifted = lift(lambda *arguments: sample.function(parameters, *arguments))
    with np.errstate(all="ignore"):
        for arguments in swapped_numbers(sample, seed):
            wanted = [*parameters.flat, *(v for v in flat(arguments) if isinstance(v, Value))]
            want = flat(sample.function(parameters, *arguments))
            got = flat(lifted(*arguments))
            kinds(
                [float(v) for v in got],
                [float(v) for v in want],
            )
            seeds = [1.0] * len(want)
            kinds(gradients(got, seeds, wanted), gradients(want, seeds, wanted))


def kinds(got: list[float], want: list[float]) -> None:
    """nan where nan, infinities of the same sign, and the rest near."""
    got_array, want_array = np.array(got), np.array(want)
    assert np.isnan(got_array).tolist() == np.isnan(want_array).tolist()
    finite = np.isfinite(want_array)
    assert (
        got_array[~finite & ~np.isnan(want_array)].tolist()
        == want_array[~finite & ~np.isnan(want_array)].tolist()
    )
    np.testing.assert_allclose(got_array[finite], want_array[finite], rtol=1e-9, atol=1e-9)


# --- ties -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extreme", [ops.maximum, ops.minimum])
@pytest.mark.parametrize("fold", ["left", "right", "tree"])
def test_ties_in_a_chain_share_as_its_pairs_do(extreme: Any, fold: str) -> None:
    def chain(row: Any) -> Any:
        row = list(row)
        while len(row) > 1:
            if fold == "left":
                row[:2] = [extreme(row[0], row[1])]
            elif fold == "right":
                row[-2:] = [extreme(row[-2], row[-1])]
            else:
                row[:2], row = [], [*row[2:], extreme(row[0], row[1])]
        return row[0]

    for numbers_in in itertools.product([1.0, 2.0], repeat=5):
        table = [numbers_in, numbers_in[::-1], (1.0, 3.0, 3.0, 2.0, 3.0)]
        xs, ys = leaves(table), leaves(table)
        sum(chain(row) * (i + 1) for i, row in enumerate(xs)).backward()
        f = lift(lambda Y: sum(chain(row) * (i + 1) for i, row in enumerate(Y)))
        f(ys).backward()
        assert [y.grad for y in ys.flat] == [x.grad for x in xs.flat]


def test_one_value_against_itself() -> None:
    v = Value(2.0)
    f = lift(lambda x: ops.maximum(x, x) + ops.minimum(x, x) * 10 + ops.where(x, x, x) * 100)
    f(v).backward()
    assert v.grad == 111.0


def test_rows_of_the_catalogues_are_named_once() -> None:
    for catalogue in (EXPRESSIONS, STEPS):
        names = [entry[0] for entry in catalogue]
        assert len(set(names)) == len(names)
