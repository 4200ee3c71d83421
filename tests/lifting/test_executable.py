"""A program as a person sees it: its text; check; progress.

Covers `buffers.py`, `compare.py`, `layout.py`, `outputs.py`, `progress.py`.
"""

from __future__ import annotations

import gc
import io
import itertools
import re
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from micrograd import LiftError, Value, lift, nn
from micrograd.lifting.progress import Progress
from micrograd.node import Node, free_one_by_one


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
    loss(X, y)
    text = str(loss.program)
    head, *lines = text.splitlines()
    assert re.match(r"# loss: 266 scalar nodes -> \d+ instructions", head)
    assert re.search(r"X @ model_layers_0_neurons_w\.T \+ model_layers_0_neurons_b +# 7 x 4;", text)
    assert "model.layers.0.neurons.0.w.0 to model.layers.0.neurons.3.w.1" in text
    assert "y * -1.0" in text
    counted = [int(n.replace(",", "")) for n in re.findall(r"; ([\d,]+) nodes?$", text, re.M)]
    assert sum(counted) == 266
    assert max(map(len, lines)) <= 150


def test_one_of_each_is_told_as_one() -> None:
    f = lift(lambda x: x * 2.0)
    f(1.0)
    assert str(f.program).startswith("# <lambda>: 1 scalar node -> 1 instruction\n")


def test_the_backward_pass_is_printed_alone() -> None:
    _, loss = model_and_loss()
    loss(np.ones((7, 2)), np.ones(7, dtype=int))
    head, *lines = str(loss.program.backward).splitlines()
    assert head == "# loss backward: d_x is the gradient of x, seed_1 that of the result"
    assert any(re.match(r"d_t1 = where\(t\d+ != 0, .*, 0\.0\)", line) for line in lines)
    assert not any(line.startswith("t") for line in lines)


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


def test_a_program_is_recorded_where_there_are_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser, whose nodes die one by one, too: a finaliser that fails is an error here."""

    def absent(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", absent)
    free_one_by_one(Node)
    try:
        f = lift(lambda x: (x * x).tanh())
        assert f(2.0).data == Value(4.0).tanh().data
        del f
        gc.collect()
    finally:
        free_one_by_one(Node, on=False)


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
