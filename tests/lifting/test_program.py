"""A program as a person sees it: text that runs and names what it reads; check; progress.

Covers `compare.py`, `progress.py`, `text.py`.
"""

from __future__ import annotations

import io
import itertools
import re
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, flat, leaves, loops

from micrograd import LiftError, Value, functional, lift, nn, numbers, ops
from micrograd.lifting.program import Program
from micrograd.lifting.progress import Progress
from micrograd.lifting.views import addresses


def buffer_of(results: Any) -> np.ndarray:
    """The numbers of the live call that these results came from."""
    rules = [getattr(v, "_rule", None) for v in flat(results)]
    (call, *_) = [rule.call for rule in rules if hasattr(rule, "call")]
    found: np.ndarray = call.buffers.numbers
    return found


def text_equals_program(program: Program, buffer: np.ndarray) -> None:
    """Executing the printed text gives each instruction's numbers."""
    parameters = np.zeros(program.parameter_count)
    parameters[program.positions] = numbers(program.parameters)
    ran = program.text.run(buffer, parameters)
    for line, instruction in zip(program.text.lines, program.layout.instructions, strict=True):
        out = instruction.out
        outer = len(out.shape) - instruction.inner
        want = buffer[addresses(out.base, out.shape[:outer], out.strides[:outer])].reshape(-1)
        scale = np.abs(want).max(initial=1.0)
        got = ran[line.name].reshape(-1)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9 * scale, err_msg=line.expression)


def _indexes(sample: Sample) -> bool:
    return any("take" in step or "cross entropy" in step for step in sample.steps)


@settings(max_examples=60, deadline=None, report_multiple_bugs=False)
@given(st.one_of(loops().filter(lambda sample: not _indexes(sample)), expressions()))
def test_the_printed_text_of_random_programs_runs(sample: Sample) -> None:
    f = lift(lambda *arguments: sample.function(sample.parameters, *arguments))
    with np.errstate(all="ignore"):
        results = f(*sample.calls[0])
        program = f.program
        if program.layout.instructions:
            text_equals_program(program, buffer_of(results))
    assert len(str(program).splitlines()) >= len(program.layout.instructions)


def model_and_loss() -> tuple[Any, Any]:
    model = nn.MLP(2, [4, 1], rng=np.random.default_rng(0))

    def loss(X: Any, y: Any) -> Any:
        scores = [model(x) for x in X]
        losses = [(1 + -yi * si).relu() for yi, si in zip(y, scores, strict=True)]
        return sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters()), scores

    return model, lift(loss)


def test_the_text_names_arguments_and_attribute_paths() -> None:
    _, loss = model_and_loss()
    X, y = np.ones((7, 2)), np.ones(7, dtype=int)
    results = loss(X, y)
    text = str(loss.program)
    head, *lines = text.splitlines()
    assert re.match(r"# loss: 266 scalar nodes -> \d+ instructions", head)
    assert re.search(r"X @ model_layers_0_neurons_w\.T \+ model_layers_0_neurons_b +# 7 x 4;", text)
    assert "model.layers.0.neurons.0.w.0 to model.layers.0.neurons.3.w.1" in text
    assert "y * -1.0" in text
    counted = [int(n.replace(",", "")) for n in re.findall(r"; ([\d,]+) nodes?$", text, re.M)]
    assert sum(counted) == 266
    assert len(counted) == len(loss.program.layout.instructions)
    assert max(map(len, lines)) < 120
    text_equals_program(loss.program, buffer_of(results))


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
    f = lift(function)
    x = np.random.default_rng(0).uniform(0.5, 2, size=(3, 3))
    results = f(x, np.array([2, 0, 1]))
    text_equals_program(f.program, buffer_of(results))


_w = leaves(np.linspace(-1, 1, 9).reshape(3, 3))
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
    f = lift(TABLES[table])
    buffer = buffer_of(f(np.arange(3.0), np.array([0, 2, 1])))
    text_equals_program(f.program, buffer)


# --- check ----------------------------------------------------------------------------------------


def test_check_accepts_what_agrees_and_changes_nothing() -> None:
    model = nn.Sequential(
        nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=1), nn.Linear(3, 1, rng=2)
    )
    f = lift(lambda X: (model(X) ** 2).sum())
    X = np.random.default_rng(0).normal(size=(5, 2))
    f(X).backward()
    grads = [p.grad for p in model.parameters()]
    state = model.state_dict()
    drawn = model.layers[2].rng.bit_generator.state
    assert f.check(X) is None
    assert [p.grad for p in model.parameters()] == grads
    assert all((state[k] == v).all() for k, v in model.state_dict().items())
    assert model.layers[2].rng.bit_generator.state == drawn


def test_check_takes_values_and_keywords() -> None:
    w, v = Value(2.0), Value(3.0)
    f = lift(lambda x, *, y: {"a": x * w * y, "b": [x + w, 1.0]})
    f.check(v, y=2.0)
    assert (v.grad, w.grad) == (0.0, 0.0)


def test_check_finds_what_changed_behind_the_programs_back() -> None:
    scales = itertools.count(1)  # which lift does not look into
    w = Value(2.0)
    f = lift(lambda x: x * w * next(scales))
    f(3.0)
    with pytest.raises(LiftError, match="result"):
        f.check(3.0)


def test_check_finds_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w).sum())
    x = np.arange(5.0)
    f.check(x)
    run = f.program.run

    def wrong(found: Any) -> Any:
        return run(found) + w * 0.5 - 1.0

    monkeypatch.setattr(f.program, "run", wrong)
    with pytest.raises(LiftError, match="gradient"):
        f.check(x)


# --- a sign of life -------------------------------------------------------------------------------


def test_progress_is_silent_when_quick_and_wipes_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress():
        pass
    assert screen.getvalue() == ""
    monkeypatch.setattr("micrograd.lifting.progress._PATIENCE", 0.01)
    with Progress() as progress:
        progress.nodes = [None] * 1234
        until = time.monotonic() + 5
        while not screen.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert "1,234 scalar nodes" in screen.getvalue()
    assert screen.getvalue().endswith("\r")
    assert screen.getvalue().split("\r")[-2].strip() == ""


def test_text_runs_where_a_table_is_the_same_in_every_row() -> None:
    p = Value(2.0)
    f = lift(lambda x, i: (functional.take(np.array([[x[0], p]] * 3), i) * x[1]).sum())
    result = f(np.array([3.0, 4.0]), np.array([0, 2, 1]))
    assert float(result) == 3 * (3.0 + 2.0) * 4.0
    text_equals_program(f.program, buffer_of(result))
