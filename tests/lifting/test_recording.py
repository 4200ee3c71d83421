"""`recording.py`: time and memory in proportion to the nodes, whatever the shape."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from micrograd import Value, nn, ops, values
from micrograd.lifting import recording
from micrograd.lifting.arguments import read
from micrograd.lifting.recording import record, trace

Case = tuple[Callable[..., Any], tuple[Any, ...]]


def graph(n: int, reach: int | None) -> Case:
    """A random graph, each node of which reads the last few, or any before it."""
    w = values(np.linspace(-1.0, 1.0, 8))

    def f(x: Any) -> Any:
        rng, nodes = random.Random(0), [x * v for v in w]
        for _ in range(n):
            recent = nodes[-reach:] if reach else nodes
            a, b, which = rng.choice(recent), rng.choice(recent), rng.randrange(4)
            nodes.append(a + b if which == 0 else a * b if which == 1 else ops.tanh(a - b))
        return sum(nodes)

    return f, (0.5,)


def spring(n: int) -> Case:
    """Euler's method, with a loss at each step."""
    k, d = Value(1.0), Value(0.1)

    def f(x: Any, target: Any) -> Any:
        v, loss = 0.0 * k, 0.0
        for t in target:
            x, v = x + 0.01 * v, v + 0.01 * (-k * x - d * v)
            loss = loss + (x - t) ** 2
        return loss

    return f, (1.0, np.sin(np.arange(n)))


def recurrence(n: int) -> Case:
    """A state of one number, with a loss at each step."""
    a, b = Value(0.9), Value(0.1)

    def f(x: Any) -> Any:
        s, loss = 0.0 * a, 0.0
        for target in x:
            s = ops.tanh(a * s + b)
            loss = loss + (s - target) ** 2
        return loss

    return f, (np.sin(np.arange(n)),)


def chain(n: int) -> Case:
    w = Value(0.9)

    def f(x: Any) -> Any:
        for _ in range(n):
            x = (x * w + w).tanh()
        return x

    return f, (0.5,)


def networks(n: int) -> Case:
    net = nn.MLP(3, [8, 1])

    def f(X: Any) -> Any:
        return sum(net(x) ** 2 for x in X)

    return f, (list(np.ones((n, 3))),)


CASES: dict[str, tuple[Callable[[int], Case], int]] = {
    "a graph of the last eight": (lambda n: graph(n, 8), 700),
    "a graph of any": (lambda n: graph(n, None), 700),
    "a spring": (spring, 150),
    "a recurrence": (recurrence, 300),
    "a chain": (chain, 500),
    "networks": (networks, 60),
}


def seconds(case: Case) -> float:
    function, arguments = case
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            record(function, arguments, {}, read(arguments, {}))
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_four_times_the_nodes_take_about_four_times_the_time(name: str) -> None:
    make, n = CASES[name]
    for _ in range(3):  # what runs beside it may have slowed one of the two
        few, many = seconds(make(n)), seconds(make(4 * n))
        if many < 7 * few + 0.01:
            break
    assert many < 7 * few + 0.01, f"{few:.3f} s, then {many:.3f} s"


@pytest.mark.slow
def test_a_quadratic_pass_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(tape: Any, outputs: Any) -> Any:
        for _ in range(len(tape) ** 2):
            pass
        return fuse(tape, outputs)

    fuse = recording.fuse
    monkeypatch.setattr(recording, "fuse", slow)
    with pytest.raises(AssertionError, match=" s, then "):
        test_four_times_the_nodes_take_about_four_times_the_time("a chain")


@pytest.mark.parametrize("name", CASES)
def test_a_tape_takes_a_few_hundred_bytes_a_node(name: str) -> None:
    make, n = CASES[name]
    function, arguments = make(n)
    gc.collect()
    tracemalloc.start()
    try:
        run = trace(function, arguments, {})
        used, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(run.tape) > n
    assert used < 200 * len(run.tape)
    assert most < 400 * len(run.tape)
