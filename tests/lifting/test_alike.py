"""`alike.py`: which nodes are a group, and that who reads whom is what their places say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from taped import taped

from micrograd import ops
from micrograd.functional import take
from micrograd.lifting.alike import alike
from micrograd.lifting.fuse import fuse
from micrograd.lifting.groups import Graph
from micrograd.nn import MLP


def grouped(function: Callable[..., Any], *args: Any) -> Graph:
    """The groups of what a function does."""
    tape, outputs = taped(function, *args)
    return alike(tape, fuse(tape, outputs))


def table(x: Any, y: Any) -> Any:
    """Cells that read three neighbours, and two and one at the border."""
    rows: list[list[Any]] = []
    for i, a in enumerate(x):
        rows.append([])
        for j, b in enumerate(y):
            before = [rows[i - 1][j]] if i else []
            before += [rows[i][j - 1]] if j else []
            before += [rows[i - 1][j - 1]] if i and j else []
            rows[i].append((a - b) ** 2 + sum(ops.exp(-v) for v in before))
    return rows[-1][-1]


def ragged(x: Any) -> Any:
    """Sums and maxima of one to eight numbers, some of them products."""
    rows = [[x[(3 * j + k) % len(x)] * x[j] for j in range(k)] for k in range(1, 9)]
    return sum(sum(row) * max_of(row) for row in rows)


def max_of(row: list[Any]) -> Any:
    found = row[0]
    for v in row[1:]:
        found = ops.maximum(found, v)
    return found


def apart(x: Any) -> Any:
    """Sums so different in length that they are two groups, which one group of maps reads."""
    short = [x[k] + x[k + 1] + x[0] for k in range(6)]
    return sum(ops.exp(v) * v for v in (*short, sum(x[k % len(x)] for k in range(200))))


def choosing(x: Any, index: Any) -> Any:
    return take(x, index).sum() + take(x * x, index[::-1]).sum()


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


MODEL = MLP(3, [4, 4, 1])
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "table": (table, (numbers(5), numbers(6))),
    "apart": (apart, (numbers(9),)),
    "ragged": (ragged, (numbers(9),)),
    "choosing": (choosing, (numbers(7), np.array([1, 0, 4, 4]))),
    "network": (lambda x: sum(MODEL(row) ** 2 for row in x), (numbers(5, 3),)),
    "three operands": (lambda x: sum(a / (b * b + 1.0) + a for a, b in x), (numbers(4, 2),)),
}


@pytest.mark.parametrize("case", CASES)
def test_who_reads_whom_and_at_which_level_is_what_the_places_say(case: str) -> None:
    function, args = CASES[case]
    graph = grouped(function, *args)
    assert len(graph.groups) > 1
    np.testing.assert_array_equal(graph.edges, Graph(graph.groups).edges)
    np.testing.assert_array_equal(graph.levels(), Graph(graph.groups).levels())


@pytest.mark.parametrize("case", CASES)
def test_a_group_stands_after_what_it_reads_and_is_of_one_kind(case: str) -> None:
    function, args = CASES[case]
    graph = grouped(function, *args)
    sources, readers, _ = graph.edges
    assert (sources < readers).all()
    for group in graph.groups:
        assert len({(node.kind, node.op, len(node.operands)) for node in group}) == 1
        places = [node.place for node in group]
        assert places == sorted(places)


def test_maps_read_all_parts_of_a_group_that_was_cut() -> None:
    graph = grouped(apart, numbers(9))
    sums = [g for g, group in enumerate(graph.groups) if group[0].kind == "sum"]
    (exps,) = (g for g, group in enumerate(graph.groups) if group[0].op is ops.exp)
    assert len(graph.reads[exps]) == 2
    assert set(graph.reads[exps]) == set(sums)


def test_like_nodes_of_one_level_are_one_group() -> None:
    def twice(x: Any) -> Any:
        first = [v.exp() for v in x]
        return sum(v.tanh() for v in first) + sum(v.tanh() for v in x)

    graph = grouped(twice, numbers(4))
    names = sorted((node.op.name, len(group)) for group in graph.groups for node in group[:1])
    assert names.count(("tanh", 4)) == 2, "of numbers of two levels"
    assert ("exp", 4) in names


def test_a_planted_fault_is_found() -> None:
    function, args = CASES["table"]
    graph = grouped(function, *args)
    wrong = graph.edges.copy()
    wrong[0, -1] -= 1
    assert not np.array_equal(wrong, Graph(graph.groups).edges)
