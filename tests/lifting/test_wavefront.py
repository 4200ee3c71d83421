"""`wavefront.py`: cells that can be computed at the same time are one group."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import reduce
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from taped import taped

from micrograd import Value, lift, ops
from micrograd.lifting.fuse import fuse
from micrograd.lifting.groups import Graph
from micrograd.lifting.layout import Instruction
from micrograd.lifting.nodes import Node
from micrograd.lifting.schedule import schedule
from micrograd.lifting.wavefront import waves


def node(place: int, *reads: int, op: object = ops.exp) -> Node:
    return Node(place, "map", op, tuple((r,) for r in reads))  # type: ignore[arg-type]


def total(place: int, *reads: int) -> Node:
    return Node(place, "sum", ops.add, (reads,))


def places(graph: Graph) -> list[list[int]]:
    return sorted(sorted(n.place for n in group) for group in graph.groups)


def test_cells_of_one_distance_from_the_end_are_joined() -> None:
    chain = [[node(10, 0)], [node(11, 10)], [node(12, 11)], [node(13, 12)]]
    beside = [[node(20 + k, 10 + k, op=ops.tanh)] for k in range(4)]
    joined = waves(Graph(chain + beside), from_the_end=True)
    assert places(joined) == [[10], [11], [12], [13], [20, 21, 22, 23]]


def test_cells_of_one_distance_from_the_beginning_are_joined() -> None:
    beside = [[node(20 + k, k, op=ops.tanh)] for k in range(4)]
    chain = [[node(10, 20)], [node(11, 10, 21)], [node(12, 11, 22)], [node(13, 12, 23)]]
    joined = waves(Graph(beside + chain), from_the_end=False)
    assert places(joined) == [[10], [11], [12], [13], [20, 21, 22, 23]]


@pytest.mark.parametrize("from_the_end", [True, False])
def test_what_spares_little_stays_apart(from_the_end: bool) -> None:
    few = Graph([[node(10 + k, k)] for k in range(3)])
    assert waves(few, from_the_end) is few
    wide = Graph([[total(10_000 + k, *range(k, k + 1000))] for k in range(10)])
    assert waves(wide, from_the_end) is wide


@pytest.mark.parametrize("from_the_end", [True, False])
@pytest.mark.parametrize("examples", [1, 3, 100])
def test_a_batch_of_tables_is_treated_as_one_is(examples: int, from_the_end: bool) -> None:
    cells = [[node(1000 * k + i, i) for i in range(examples)] for k in range(1, 6)]
    assert len(waves(Graph(cells), from_the_end).groups) == 1
    large = [[node(1000 * k + i, i) for i in range(5 * examples)] for k in range(6, 12)]
    assert len(waves(Graph(cells + large), from_the_end).groups) == 11, (
        "more than half are no cells"
    )


# --- tables ---------------------------------------------------------------------------------------


def instructions(function: Callable[..., Any], *args: Any) -> list[Instruction]:
    tape, outputs = taped(function, *args)
    return schedule(tape, fuse(tape, outputs), {})[0].instructions


def table(x: Any, y: Any, of: Callable[[list[Any]], Any]) -> Any:
    cells: list[list[Any]] = []
    for i in range(len(x)):
        cells.append([])
        for j in range(len(y)):
            near = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
            before = [cells[a][b] for a, b in near if a >= 0 and b >= 0]
            cost = (x[i] - y[j]) ** 2
            cells[i].append(cost + of(before) if before else cost)
    return cells[-1][-1]


def least(xs: list[Any]) -> Any:
    return reduce(ops.minimum, xs)


def soft(xs: list[Any]) -> Any:
    return -(sum((-x).exp() for x in xs).log())


@pytest.mark.parametrize(("m", "n"), [(6, 6), (24, 24), (9, 30), (30, 9), (40, 40)])
@pytest.mark.parametrize(("of", "each"), [(least, 2), (soft, 4)])
def test_a_table_is_filled_by_antidiagonals(m: int, n: int, of: Any, each: int) -> None:
    """As many instructions as a cell has operations, for each antidiagonal, and a few at the
    corners, where an antidiagonal is short.
    """
    found = instructions(lambda x, y: table(x, y, of), np.arange(float(m)), np.ones(n))
    assert len(found) <= each * (m + n - 1) + 6 * each


@pytest.mark.parametrize("of", [least, soft])
def test_a_table_is_right(of: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = ([Value(float(v)) for v in rng.normal(size=n)] for n in (7, 9))
    table(x, y, of).backward()
    eager = [v.grad for v in x + y]
    for v in x + y:
        v.grad = 0.0
    lift(lambda: table(x, y, of))().backward()
    np.testing.assert_allclose([v.grad for v in x + y], eager, rtol=1e-12, atol=1e-14)


# --- recurrences ----------------------------------------------------------------------------------


def autoregression(x: Any) -> Any:
    h, total = x[0], 0.0
    for target in x:
        h = 0.9 * h + 0.1
        total = total + (h - target) ** 2
    return total


def test_the_losses_beside_a_recurrence_are_few_instructions() -> None:
    found = instructions(autoregression, np.ones(500))
    assert sum(len(one.out.shape) > one.inner for one in found) <= 3  # of more than one number
    assert len(found) <= 2 * 500 + 5


def random_reads(count: int, window: int) -> Callable[[Any], Any]:
    """Sums and products of earlier results at random, the last `window` of them or all."""

    def function(x: Any) -> Any:
        rng = np.random.default_rng(0)
        found = list(x)
        for _ in range(count):
            first = max(0, len(found) - window)
            a, b = rng.integers(first, len(found), 2)
            op = rng.integers(3)
            a, b = found[a], found[b]
            found.append(a + b if op == 0 else a * b if op == 1 else ops.tanh(a))
        return sum(found[-window:])

    return function


@pytest.mark.slow
@pytest.mark.parametrize("function", [
    lambda n: (autoregression, np.ones(n)),
    lambda n: (random_reads(n, 8), np.ones(8)),
    lambda n: (random_reads(n, 10**9), np.ones(8)),
    lambda n: (lambda x: table(x, x, least), np.ones(int(n**0.5))),
])  # fmt: skip
def test_finding_the_groups_takes_time_in_proportion(function: Any) -> None:
    def seconds(n: int) -> float:
        """The better of two runs, a node; without the collector, which a recording pauses."""
        found = []
        for _ in range(2):
            tape, outputs = taped(*function(n))
            fused = fuse(tape, outputs)
            gc.disable()
            try:
                start = perf_counter()
                schedule(tape, fused, {})
                found.append((perf_counter() - start) / len(fused.nodes))
            finally:
                gc.enable()
        return min(found)

    small, large = seconds(1_000), seconds(16_000)
    assert large < 3 * small + 1e-6, (small, large)
