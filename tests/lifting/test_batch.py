"""lift(batched=...): recorded at three small sizes, right at any; what does not extend says so.

Covers `batch.py`, `growth.py`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from absolute import Undecided
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_programs import Sample, agrees, flat, leaves
from recordings import noting

from micrograd import LiftError, Value, functional, lift, nn, numbers, ops, values
from micrograd.lifting.batch import SIZES

RUNS = [[*sizes, larger] for sizes, larger in SIZES]
RECORDINGS = len(RUNS[0])

# each treats the rows of a batch alike: rows (B, 4), weights (4, 4), integers (B,) -> rows, weights
UNIFORM: list[tuple[str, Callable[[Any, Any, Any], tuple[Any, Any]]]] = [
    ("product in loops", lambda x, w, i: (
        np.array([[sum(a * b for a, b in zip(row, column, strict=True)) for column in w.T]
                  for row in x]), w)),
    ("product by NumPy", lambda x, w, i: (x @ w, w)),
    ("linear", lambda x, w, i: (functional.linear(x, w, w[0]), w)),
    ("tanh", lambda x, w, i: (ops.tanh(x), w)),
    ("relu", lambda x, w, i: (ops.relu(x) + x * 0.1, w)),
    ("scale", lambda x, w, i: (x * w[1] + 0.5, w)),
    ("embed", lambda x, w, i: (x + functional.take(w, i), w)),
    ("one hot", lambda x, w, i: (x * functional.one_hot(i, 4) + x, w)),
    ("softmax", lambda x, w, i: (functional.softmax(x), w)),
    ("row maximum", lambda x, w, i: (
        np.array([row - ops.detach(ops.maximum(row[0], row[2])) for row in x]), w)),
    ("centre", lambda x, w, i: (x - x.mean(axis=0), w)),
    ("standardise", lambda x, w, i: (
        x * ((x * x).sum(axis=0) * (1 / len(x)) + 0.1) ** -0.5, w)),
    ("unbiased", lambda x, w, i: (
        x * ((x * x).sum(axis=0) * (1 / (len(x) - 1)) + 0.3) ** -0.5, w)),
    ("where", lambda x, w, i: (ops.where(ops.greater(x, 0.0), x, w[2]), w)),
    ("reversed columns", lambda x, w, i: (x[:, ::-1], w)),
    ("permuted columns", lambda x, w, i: (x[:, [2, 0, 3, 1]], w)),
    ("neighbours", lambda x, w, i: (np.concatenate([x[:, 1:] * x[:, :-1], x[:, :1]], axis=1), w)),
    ("covariance", lambda x, w, i: (x, ops.tanh(x.T @ x * (1 / len(x))))),
    ("mean into weights", lambda x, w, i: (x, w * ops.tanh(x.mean()))),
    ("weights transposed", lambda x, w, i: (x, w.T)),
    ("weights squared", lambda x, w, i: (x, ops.tanh(w @ w))),
]  # fmt: skip


@st.composite
def uniform_programs(draw: Any) -> Sample:
    steps = draw(st.lists(st.integers(0, len(UNIFORM) - 1), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def function(weights: Any, x: Any, i: Any) -> Any:
        rows, w = x, weights
        for which in steps:
            rows, w = UNIFORM[which][1](rows, w, i)
        return (rows * rows).sum() / len(rows), rows, ops.tanh((w * w * w).sum())

    def call(size: int) -> tuple[Any, ...]:
        return rng.normal(size=(size, 4)), rng.integers(0, 4, size=size)

    text = [UNIFORM[which][0] for which in steps]
    return Sample(text, function, leaves(rng.normal(size=(4, 4))), [call(n) for n in (7, 4, 2, 13)])


@pytest.mark.slow
@settings(max_examples=40, deadline=None, report_multiple_bugs=False)
@given(uniform_programs())
def test_any_size_agrees_and_only_three_are_recorded(sample: Sample) -> None:
    """Or lift says that it does not extend, which some programs of three steps and more do not."""
    note, runs = noting()

    def lifting(function: Callable[..., Any]) -> Any:
        def counted(x: Any, i: Any) -> Any:
            note(len(x))
            return function(x, i)

        return lift(batched=("x", "i"))(counted)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            agrees(sample, lifting)
        except Undecided:
            assume(False)
    large = [n for n in runs if n > 2]
    if said:
        assert len(sample.steps) > 2
        assert all("does not extend" in str(warning.message) for warning in said)
    else:
        second = [*RUNS[0][:3], *RUNS[1]]
        assert large in (RUNS[0], [*second, 4])  # never at 7 or 13; at 4 if only from 7 on it fits


@pytest.mark.slow
@pytest.mark.parametrize("first", [name for name, _ in UNIFORM])
def test_every_pair_of_steps_extends(first: str) -> None:
    steps = dict(UNIFORM)
    rng = np.random.default_rng(0)
    weights = leaves(rng.normal(size=(4, 4)))
    x, i = rng.normal(size=(9, 4)), rng.integers(0, 4, size=9)
    for second in steps:

        def function(x: Any, i: Any, second: str = second) -> Any:
            rows, w = steps[second](*steps[first](x, weights, i), i)
            return (rows * rows).sum() / len(rows), rows, ops.tanh((w * w * w).sum())

        loss, *_ = lift(batched=("x", "i"))(function)(x, i)  # a warning would be an error
        assert float(loss) == pytest.approx(float(function(x, i)[0]), rel=1e-9)


def recorded(function: Callable[..., Any], *batched: str) -> tuple[Any, list[int]]:
    note, runs = noting()

    def counted(X: Any, *rest: Any) -> Any:
        note(len(X))
        return function(X, *rest)

    return lift(batched=batched or ("X",))(counted), runs


LOOKS_AT_THE_SIZE: dict[str, Callable[[Any], Any]] = {
    "ten scores of all": lambda X: ((X * 2.0).sum(), (X * 2.0)[:10]),
    "eight rows": lambda X: (X[:8] * X[:8]).sum(),
    "chunks of eight": lambda X: sum(
        (X[k : k + 8].sum() / len(X[k : k + 8])) ** 2 for k in range(0, len(X), 8)),
    "another way from ten rows on": lambda X: X.sum() * 3.0 if len(X) > 10 else X.sum(),
    "another function from eight rows on": lambda X: (
        sum(np.sin(X[:, 0])) if len(X) > 8 else sum(np.cos(X[:, 0]))),
    "a mean of ten rows at most": lambda X: X.sum() * (1 / min(len(X), 10)),
    "a weight for the first rows": lambda X: sum(
        x.sum() * (1.0 if i < 8 else 0.5) for i, x in enumerate(X)),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS_AT_THE_SIZE)
def test_a_function_that_looks_at_the_size_is_recorded_in_full(name: str) -> None:
    w = Value(1.5)

    def function(X: Any) -> Any:
        return LOOKS_AT_THE_SIZE[name](X * w)

    X = np.random.default_rng(0).normal(size=(32, 3))
    f = lift(batched=("X",))(function)
    says = r"does not extend.* at batch size 11 .*batch size, as X"
    with pytest.warns(UserWarning, match=says) as said:
        got = f(X)
    assert said[0].filename == __file__  # at the line that calls
    want = function(X)
    for a, b in zip(flat(got), flat(want), strict=True):
        assert float(a) == pytest.approx(float(b), rel=1e-12)


def test_a_batch_size_that_equals_a_class_is_no_class() -> None:
    w = values(np.linspace(-1.0, 1.0, 10))

    def function(X: Any, y: Any) -> Any:
        chosen = functional.one_hot(y, 10) * functional.log_softmax(X * w)
        return -chosen.sum() / len(X)

    X, y = np.random.default_rng(0).normal(size=(40, 10)), np.arange(40) % 10
    f = lift(batched=("X", "y"))(function)  # a warning would be an error
    for n in (3, 7, 11, 40):
        assert f(X[:n], y[:n]).data == pytest.approx(function(X[:n], y[:n]).data, rel=1e-12)


def test_what_shows_from_seven_rows_on_is_not_used_for_fewer() -> None:
    w = Value(1.0)
    f = lift(batched=("X",))(lambda X: X.sum() * w * 2 if len(X) > 5 else X.sum() * w * 3)
    found = [float(f(np.ones((n, 2)))) for n in (3, 4, 5, 6, 7, 9, 30)]
    assert found == [18, 24, 30, 24, 28, 36, 120]


def test_one_recording_serves_ten_thousand_rows() -> None:
    model = nn.MLP(3, [4, 1], rng=np.random.default_rng(0))
    f, runs = recorded(lambda X: sum(model(x) for x in X) / len(X))
    X = np.random.default_rng(1).normal(size=(10_000, 3))
    total = f(X)
    assert runs == RUNS[0]
    rows = [f(X[k : k + 2500]).data for k in range(0, 10_000, 2500)]
    assert total.data == pytest.approx(np.mean(rows), rel=1e-12)
    assert runs == RUNS[0]
    total.backward()
    assert all(np.isfinite(p.grad) for p in model.parameters())


@pytest.mark.parametrize("size", [1, 2])
def test_batches_of_one_and_two_are_right_too(size: int) -> None:
    w = Value(2.0)
    f, _ = recorded(lambda X: (X * w).sum() / len(X))
    for n in (size, 5, size):
        assert f(np.full((n, 2), 3.0)).data == 12.0


def test_an_empty_batch_is_what_it_is_eagerly() -> None:
    w = Value(2.0)
    f, _ = recorded(lambda X: sum((x * w).sum() for x in X) * 1.0 + w)
    f(np.ones((4, 2)))
    assert f(np.ones((0, 2))).data == 2.0


def test_results_grow_with_the_batch() -> None:
    w = Value(2.0)
    f, _ = recorded(
        lambda X: {
            "scores": X * w,
            "rows": [x.sum() for x in X],
            "one": X[0, 0],
            "same": [X[0, 0]] * len(X),
        }
    )
    for n in (5, 9, 3):
        X = np.arange(2.0 * n).reshape(n, 2)
        results = f(X)
        assert numbers(results["scores"]).tolist() == (2 * X).tolist()
        assert [r.data for r in results["rows"]] == X.sum(axis=1).tolist()
        assert results["one"].data == 0.0
        assert [v.data for v in results["same"]] == [0.0] * n


def test_batchnorm_moves_its_statistics_at_every_size() -> None:
    eager, lifted = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    f, _ = recorded(lambda X: (lifted(X) ** 2).sum())
    rng = np.random.default_rng(0)
    for n in (6, 11, 2, 6):
        X = rng.normal(size=(n, 3))
        want = (eager(X) ** 2).sum()
        assert f(X).data == pytest.approx(want.data, rel=1e-12)
        for name in ("running_mean", "running_var"):
            np.testing.assert_allclose(getattr(lifted, name), getattr(eager, name), rtol=1e-12)


def test_dropout_draws_a_mask_of_the_batchs_size() -> None:
    eager, lifted = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    f, _ = recorded(lambda X: lifted(X))
    for n in (4, 10, 4):
        X = np.ones((n, 3))
        assert numbers(f(X)).tolist() == numbers(eager(X)).tolist()


def test_gradients_flow_into_a_batch_of_values() -> None:
    w = leaves([1.0, -2.0])
    f, _ = recorded(lambda X: ((X @ w) ** 2).sum() / len(X))
    for n in (5, 8):
        X = leaves(np.arange(2.0 * n).reshape(n, 2))
        f(X).backward()
        want = 2 * (numbers(X) @ [1.0, -2.0])[:, None] * np.array([1.0, -2.0]) / n
        np.testing.assert_allclose([[v.grad for v in row] for row in X], want, rtol=1e-12)


w44, bias = leaves(np.linspace(-1, 1, 16).reshape(4, 4)), Value(0.7)
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "cross-entropy": lambda X, y: functional.cross_entropy(X @ w44, y),
    "hinge": lambda X, y: sum(
        ops.relu(1 - (2 * k - 3) * (x @ w44[0])) for x, k in zip(X, y, strict=True)
    ),
    "squares": lambda X, y: functional.mse_loss(X @ w44[0], y) * 0.5 + bias * bias,
    "mean and decay": lambda X, y: (
        sum(functional.cross_entropy(x @ w44, k) for x, k in zip(X, y, strict=True)) / len(X)
        + 1e-2 * sum(p * p for p in w44.flat)
    ),
    "sum and decay": lambda X, y: (
        functional.cross_entropy(X @ w44, y, reduction="sum") + (w44 * w44).sum() * 1e-2
    ),
    "sum and a Value": lambda X, y: sum((x * w44[0]).sum() for x in X) + bias,
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_extend(name: str) -> None:
    rng = np.random.default_rng(0)
    parameters = np.array([*w44.flat, bias], dtype=object)
    calls = [(rng.normal(size=(n, 4)), rng.integers(0, 4, size=n)) for n in (8, 5, 21)]
    function = LOSSES[name]
    sample = Sample([name], lambda _, X, y: function(X, y), parameters, calls)
    agrees(sample, lambda g: lift(batched=("X", "y"))(lambda X, y: g(X, y)))


DO_NOT_EXTEND = {
    "a triangle": lambda X: sum(X[i, 0] * X[j, 0] for i in range(len(X)) for j in range(i)),
    "the first half": lambda X: X[: len(X) // 2].sum() + X.sum(),
    "odd sizes": lambda X: X.sum() * 2 if len(X) % 2 else (X * X).sum(),
    "a power": lambda X: X.sum() * 2.0 ** len(X),
}


@pytest.mark.parametrize("name", DO_NOT_EXTEND)
def test_what_does_not_extend_says_why_and_is_right(name: str) -> None:
    function = DO_NOT_EXTEND[name]
    f, _ = recorded(function)
    rng = np.random.default_rng(0)
    with pytest.warns(UserWarning, match="does not extend"):
        f(rng.normal(size=(4, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        for n in (5, 4, 9):
            X = rng.normal(size=(n, 2))
            want, got = function(leaves(X)), f(X)
            np.testing.assert_allclose(numbers(got), numbers(want), rtol=1e-12)


def test_batched_names_must_be_arguments() -> None:
    with pytest.raises(TypeError, match="Z"):
        lift(batched=("Z",))(lambda X: X)


def test_batched_arguments_must_be_of_one_length() -> None:
    f = lift(batched=("X", "y"))(lambda X, y: (X * y).sum())
    f(np.ones(4), np.ones(4))
    with pytest.raises((LiftError, ValueError)) as fault:
        f(np.ones(4), np.ones(5))
    assert re.search(r"4.*5|5.*4", str(fault.value))
