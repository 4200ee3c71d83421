"""The text of Steps: NumPy that runs, forward and backward, and that a person can read.

Covers `steps/text.py`, `notation.py`, `operands.py`, `slices.py`, `statements.py`,
`turns.py`.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from executing import called
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, leaves, loops

from benchmarks import instruction_counts
from benchmarks.models import demo
from micrograd import Value, functional, nn, ops
from micrograd.lifting.run import reference
from micrograd.lifting.steps.adjoint import adjoint, seed
from micrograd.lifting.steps.expression import Read
from micrograd.lifting.steps.ir import Array, View
from micrograd.lifting.steps.notation import _INFIX, Notation, product
from micrograd.lifting.steps.slices import Loop, sliced
from micrograd.lifting.steps.text import Text, _view
from micrograd.lifting.steps.walks import walk


def text_equals_steps(function: Any, args: Any) -> Text:
    """Executing the text gives every array that the reference executor gives."""
    program, numbers = called(function, args)
    seeds = range(len(program.results))
    backward = adjoint(program, seeds)
    rng = np.random.default_rng(0)
    for k in seeds:
        numbers[seed(program, k).name] = rng.normal(size=seed(program, k).size).tolist()
    given_numbers = {
        name: np.array(x, dtype=float).reshape(_shape(program, name, x))
        for name, x in numbers.items()
    }
    with np.errstate(all="ignore"):
        reference.run(backward, numbers)
    text = Text(program, backward)
    names = text.run(given_numbers)
    for step in (*program.forward, *backward):
        name, places = step.out.array.name, walk(step.out, step.loops)
        want = np.array(numbers[name])[places]
        got = np.asarray(names[name], dtype=float).ravel()[places]
        scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{step}")
    return text


def _shape(program: Any, name: str, numbers: Any) -> tuple[int, ...]:
    if name.startswith("seed_"):
        return program.results[int(name.removeprefix("seed_")) - 1].loops
    return (len(numbers),)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, report_multiple_bugs=False,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.one_of(loops(), expressions()))
def test_the_text_of_random_programs_runs(sample: Sample) -> None:
    text_equals_steps(lambda *args: sample.function(sample.parameters, *args), sample.calls[0])


_w = leaves(np.linspace(-1, 1, 9).reshape(3, 3))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, i: functional.cross_entropy(x @ _w, i),
        lambda x, i: functional.softmax(x @ _w + functional.take(_w, i)),
        lambda x, i: np.array([nn.Dropout(0.5, rng=1)(x), x], dtype=object).sum(),
        lambda x, i: nn.BatchNorm1d(3)(x) @ _w + _w.T,
        lambda x, i: ops.gelu(x) + ops.softplus(x) ** 3 + x.T[0] ** x[0] + functional.one_hot(i, 3),
    ],
)
def test_the_text_of_what_indexes_draws_and_normalises_runs(function: Any) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, size=(3, 3))
    text_equals_steps(function, (x, np.array([2, 0, 1])))


TABLES = {
    "constants": lambda x, i: functional.take(np.array([1.0, 2.0, 3.0]), i) * x[0],
    "a column": lambda x, i: functional.take(_w[:, :1] * x, i[0]),
    "mixed": lambda x, i: functional.take([x[0], _w[0, 1], 0.0], i),
    "repeated": lambda x, i: functional.take(np.array([[x[0]], [x[1]], [x[0]]]), i),
    "columns": lambda x, i: functional.take(np.array([[x[0], x[1], x[2]]]), i, axis=1),
    "a matrix": lambda x, i: functional.take(_w, i) * x,
}


@pytest.mark.parametrize("table", TABLES)
def test_the_text_of_tables_runs(table: str) -> None:
    text_equals_steps(TABLES[table], (np.arange(3.0), np.array([0, 2, 1])))


def test_text_runs_where_a_table_is_the_same_in_every_row() -> None:
    p = Value(2.0)
    text_equals_steps(
        lambda x, i: (functional.take(np.array([[x[0], p]] * 3), i) * x[1]).sum(),
        (np.array([3.0, 4.0]), np.array([0, 2, 1])),
    )


# --- what a person reads --------------------------------------------------------------------------


def texts(function: Any, args: Any) -> tuple[list[str], list[str]]:
    """The lines forward and backward, without their comments."""
    text = text_equals_steps(function, args)
    return [x.statement for x in text.forward], [x.statement for x in text.backward]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["with_layers", "with_loops"])
@pytest.mark.parametrize("network", instruction_counts.CASES)
def test_no_line_of_the_benchmarks_networks_is_long(network: str, how: str) -> None:
    module = import_module(f"benchmarks.models.{network}")
    small = {"embedding": 3, "hidden": 5} if network == "wavenet" else {}
    small = {"hidden": 12} if network == "makemore" else small
    batch = demo.batch(9) if network == "demo" else instruction_counts.batch(network)
    text = text_equals_steps(getattr(module, how)(module.numbers(**small)).loss, batch)
    assert max(map(len, str(text).splitlines())) <= 160
    assert len(text.forward) <= 1.5 * len(text.program.forward)
    if (network, how) != ("gpt", "with_loops"):
        assert "view(" not in str(text)


def test_a_layer_reads_like_numpy_forward_and_backward() -> None:
    weight, bias = leaves(np.ones((2, 3))), leaves(np.ones(2))
    x = np.arange(12.0).reshape(4, 3)
    forward, backward = texts(lambda x: ops.tanh(functional.linear(x, weight, bias)).sum(), (x,))
    assert forward == [
        "t1 = x @ weight.T + bias",
        "t2 = tanh(t1)",
        "t3 = t2.sum()",
    ]
    assert backward == [
        "d_t1 = (1.0 - t2 * t2) * seed_1",
        "d_bias = d_t1.sum(axis=0)",
        "d_weight = d_t1.T @ x",
    ]


def test_running_statistics_read_as_they_are_written() -> None:
    norm = nn.BatchNorm1d(3)
    forward, _ = texts(lambda x: norm(x).sum(), (np.arange(12.0).reshape(4, 3) ** 2,))
    assert "t4 = running_mean_1 * 0.9 + t2 * 0.1" in forward
    assert sum("running_var_1 * 0.9 + " in line for line in forward) == 1


def test_a_table_reads_as_an_index_and_is_added_to() -> None:
    table = leaves(np.arange(6.0).reshape(3, 2))
    scale = np.array([[1.0, 2.0], [3.0, 4.0]])
    forward, backward = texts(
        lambda i: (functional.take(table, i) * scale).sum(), (np.array([2, 2]),)
    )
    assert forward[0] == "t1 = table.reshape(2, 3).T[i.astype(int)]"
    assert backward[-1] == "add.at(d_table.reshape(2, 3).T, i.astype(int), d_t1)"


def test_a_chain_of_maxima_goes_back_in_turn() -> None:
    w = leaves(np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 1.0]]))
    _, backward = texts(lambda x: sum(reduce(ops.maximum, row) * x for row in w), (2.0,))
    (up,) = [line for line in backward if line.startswith("for") and "best_1[:, s + 1] =" in line]
    assert up == "for s in range(2): best_1[:, s + 1] = maximum(best_1[:, s], links_1[:, s + 1])"
    assert any("arriving_1[:, -s + 1] = where(" in line for line in backward)


def test_parameters_are_named_by_what_their_paths_share() -> None:
    model = nn.MLP(2, [3, 1], rng=np.random.default_rng(0))

    def loss(X: Any) -> Any:
        return sum(model(x) for x in X) + sum(p * p for p in model.parameters())

    text = text_equals_steps(loss, (np.ones((4, 2)),))
    assert "model_layers_0_neurons_w = parameters[:9].reshape(3, 3)[:, :2]" in str(text)
    assert "# 3 x 2: model.layers.0.neurons.0.w.0 to model.layers.0.neurons.2.w.1" in str(text)


SLICES = {
    "X": (0, [Loop(4, 6), Loop(6, 1)]),
    "X[1]": (6, [Loop(6, 1)]),
    "X[:, 2]": (2, [Loop(4, 6)]),
    "X[1:, ::2]": (6, [Loop(3, 6), Loop(3, 2)]),
    "X[::-1]": (18, [Loop(4, -6), Loop(6, 1)]),
    "X[2:0:-1, 1]": (13, [Loop(2, -6)]),
    "X.ravel()[2:10]": (2, [Loop(8, 1)]),
    "X.ravel()[::7]": (0, [Loop(4, 7)]),
    "X.reshape(8, 3)": (0, [Loop(8, 3), Loop(3, 1)]),
    "X.reshape(4, 2, 3)[:, 1]": (3, [Loop(4, 6), Loop(3, 1)]),
    "X.ravel()[4:14].reshape(2, 5)[:, :3]": (4, [Loop(2, 5), Loop(3, 1)]),
    "view(X, 0, (4, 3), (1, 1))": (0, [Loop(4, 1), Loop(3, 1)]),
    "X[3, 5]": (23, []),
}


@pytest.mark.parametrize("text", SLICES)
def test_walks_read_as_slices(text: str) -> None:
    base, walked = SLICES[text]
    assert sliced("X", (4, 6), base, walked) in (
        text,
        text.replace(".reshape(4, 2, 3)[:, 1]", "[:, 3:]"),
    )
    X = np.arange(24.0).reshape(4, 6)
    found = np.asarray(eval(text, {"X": X, "view": _view}))
    places = walk(View(Array("X", (24,), "argument"), base, tuple(w.stride for w in walked)),
                  tuple(w.n for w in walked))  # fmt: skip
    np.testing.assert_array_equal(found, places)


def test_a_named_loop_is_a_subscript() -> None:
    assert sliced("b", (5, 9), 1, [Loop(5, 9), Loop(8, 1, "s")]) == "b[:, s + 1]"
    assert sliced("b", (5, 9), 8, [Loop(5, 9), Loop(8, -1, "s")]) == "b[:, -s + 8]"


def test_expressions_have_the_parentheses_that_they_need() -> None:
    a, b, c = map(Read, range(3))
    write = Notation().write
    names = "abc".__getitem__
    cases = {
        "a - (b - c)": a - (b - c),
        "a - b - c": (a - b) - c,
        "(a + b) * c": (a + b) * c,
        "a + b * c": a + b * c,
        "a / (b * c)": a / (b * c),
        "(a * b)**2": (a * b) ** 2,
        "where(a > b, c, 0.0)": ops.where(ops.greater(a, b), c, 0.0),
        "where(a != 0, b, -c)": ops.where(a, b, c * -1.0),
        "maximum(a + b, 0.0)": ops.relu(a + b),
    }
    for text, formula in cases.items():
        assert write(formula, names) == text.replace("-c", "c * -1.0")
    assert product(a * b * 2.0) == ([0, 1], [2.0])
    assert product(a + b) is None


def test_a_wrong_text_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("micrograd.lifting.steps.notation._INFIX", {**_INFIX, "*": (" + ", 1)})
    with pytest.raises(AssertionError):
        text_equals_steps(lambda x: x * x * 3.0, (2.0,))


def test_a_whole_array_is_added_to_by_its_name() -> None:
    w = leaves(np.ones((2, 3)))
    _, backward = texts(
        lambda x, i: functional.cross_entropy(x @ w, i), (np.ones((4, 2)), np.array([0, 1, 2, 1]))
    )
    assert "add.at(d_t5, (arange(4), i.astype(int)), d_t7)" in backward
    assert "d_t5 += t6 * d_t8[:, None]" in backward


def test_a_mask_that_backward_brings_along_is_in_the_text() -> None:
    """No gradient reaches y[2]."""

    def some(x: Any) -> Any:
        y = np.tanh(x)
        return sum(y[k] * (k + 2) for k in (0, 1, 3)) + y[2].detach()

    assert "reached_1" in str(text_equals_steps(some, (leaves(np.arange(4.0)),)))


def test_a_scan_is_a_loop_forward_and_backward() -> None:
    def chain(x: Any, w: Any) -> Any:
        found = [w[0]]
        for v in x:
            found.append(found[-1] * w[1] + v)
        return sum(h * h for h in found)

    x, w = leaves(np.arange(20.0) / 20), leaves(np.array([0.5, 0.75]))
    text = str(text_equals_steps(chain, (x, w)))
    assert text.count("for s in range(") == 2
