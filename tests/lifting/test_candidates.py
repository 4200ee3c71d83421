"""`candidates.py`: which cells may be links is found by arrays, and no chain is missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taped import taped

from benchmarks.models.shapes import predators
from micrograd import ops
from micrograd.lifting import candidates as module
from micrograd.lifting import links as links_module
from micrograd.lifting.alike import alike
from micrograd.lifting.candidates import FEWEST, candidates
from micrograd.lifting.fuse import fuse
from micrograd.lifting.groups import Graph
from micrograd.lifting.nodes import Node, operands
from micrograd.lifting.scans import SHORTEST, scans

LONG = SHORTEST + 3


def graph_of(function: Callable[..., Any], *args: Any) -> tuple[Graph, frozenset[int]]:
    tape, outputs = taped(function, *args)
    fused = fuse(tape, outputs)
    return alike(tape, fused), frozenset(fused.outputs)


def found(graph: Graph, outputs: frozenset[int]) -> tuple[set[int], set[int]]:
    """The places of cells that are inside others, and of those that may be part of a chain."""
    cells = {group[0].place: g for g, group in enumerate(graph.groups)}
    inside, promising = candidates(graph, cells, outputs)
    place = [group[0].place for group in graph.groups]
    return tuple({place[g] for g in np.flatnonzero(x)} for x in (inside, promising))  # type: ignore[return-value]


def shapes(graph: Graph) -> list[tuple[int, ...]]:
    return sorted(tuple(node.place for node in group) for group in graph.groups)


def recurrence(step: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        h = x[0]
        for element in x[1:]:
            h = step(h, element)
        return h

    return function


@pytest.mark.parametrize("length", [FEWEST, FEWEST + 1, FEWEST + 2, 40])
def test_a_short_recurrence_is_not_looked_into(length: int) -> None:
    """Each h is read at the next step, and by a loss."""

    def function(x: Any) -> Any:
        h, losses = x[0], []
        for element in x[1:]:
            h = (0.5 * h + element).tanh()
            losses.append(h * h)
        return losses

    graph, outputs = graph_of(function, np.linspace(0, 1, length + 1))
    _, promising = found(graph, outputs)
    assert bool(promising) == (length > FEWEST)


@pytest.mark.parametrize("behind", [lambda h: h, lambda h: (3 * h + 1).exp().log()])
def test_where_only_the_last_number_counts_each_turn_is_a_link(behind: Any) -> None:
    step = recurrence(lambda h, x: (0.5 * h + x).tanh())
    graph, outputs = graph_of(lambda x: behind(step(x)), np.linspace(0, 1, LONG + 1))
    inside, promising = found(graph, outputs)
    ends = promising - inside
    assert {graph.groups[g][0].op for g, group in enumerate(graph.groups)
            if group[0].place in ends} <= {ops.tanh, ops.log}  # fmt: skip
    assert max(len(group) for group in scans(graph, outputs).groups) >= LONG - 1


def test_an_irregular_formula_has_no_turns() -> None:
    rng = np.random.default_rng(0)
    codes, reads = rng.integers(0, 5, 400).tolist(), rng.integers(2, 5, 400).tolist()
    graph, outputs = graph_of(drawn(codes, reads, 1), np.linspace(0.1, 0.3, 3))
    assert found(graph, outputs)[0] == inside_by_definition(graph, outputs)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ("tdtdtdtdtdtdtdtdtdtd", [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]),  # as often; d is last
        ("xy" + "tdd" * 10, [2, 5, 8, 11, 14, 17, 20, 23, 26, 29]),  # d comes more often
        ("tdtdtdtdtdtdtdtd", []),  # eight of each: seven distances
        ("tdtdtdtdtdtddtdtdtdtdtdt", []),
        ("abc" * 9 + "bacbacbbcbcb", [0, 3, 6, 9, 12, 15, 18, 21, 24]),
        ("", []),
    ],
)
def test_turns_are_as_long_as_one_another(operations: str, expected: list[int]) -> None:
    codes = np.array([ord(letter) for letter in operations], dtype=np.int64)
    assert module._repeated(codes).tolist() == expected


def test_a_loss_beside_a_recurrence_is_no_candidate() -> None:
    def function(x: Any) -> Any:
        h, losses = x[0], 0.0
        for element in x[1:]:
            h = h * element
            losses = losses + ops.exp(h)
        return losses

    graph, outputs = graph_of(function, np.ones(LONG))
    _, promising = found(graph, outputs)
    operations = {group[0].op for group in graph.groups if group[0].place in promising}
    assert operations == {ops.mul}


def test_two_numbers_that_read_each_other_are_no_candidates() -> None:
    graph, outputs = graph_of(predators, np.ones(6), np.ones(LONG))
    assert found(graph, outputs)[1] == set()


def test_a_link_that_reads_the_last_but_one_too_stays_one() -> None:
    """h2 = tanh(h1 + h0 / 2)"""

    def function(x: Any) -> Any:
        h, before = x[0], x[1]
        for element in x[2:]:
            h, before = ops.tanh(h + 0.5 * before + element), h
        return h

    graph, outputs = graph_of(function, np.linspace(0, 1, LONG + 2))
    assert len(found(graph, outputs)[1]) >= LONG


def inside_by_definition(graph: Graph, outputs: frozenset[int]) -> set[int]:
    places = set()
    for g, group in enumerate(graph.groups):
        readers = [
            h for h, other in enumerate(graph.groups) if h != g and any(
                {n.place for n in group} & {p for ps in operands(node) for p in ps}
                for node in other)
        ]  # fmt: skip
        if len(readers) != 1 or group[0].place in outputs:
            continue
        reader = graph.groups[readers[0]]
        read = [p for places in operands(reader[0]) for p in places]
        alike = len(reader) == len(group) and reader[0].kind != "take"
        if alike and read.count(group[0].place) == 1:
            places.add(group[0].place)
    return places


OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a * a,
    lambda a, b: ops.tanh(a), lambda a, b: a + b + a, lambda a, b: ops.maximum(a, b),
    lambda a, b: a * b + b * a, lambda a, b: a / (b * b + 1.0),
]  # fmt: skip


def drawn(codes: list[int], reads: list[int], repeated: int) -> Callable[[Any], Any]:
    """A random formula; the same operations again and again make chains, some of them crossed."""

    def function(x: Any) -> Any:
        values = list(x)
        for _ in range(repeated):
            for code, back in zip(codes, reads, strict=True):
                other = values[-1 - back % len(values)]
                values.append(OPERATIONS[code](values[-1], other))
        return values[-1] + values[-2]

    return function


PROGRAMS = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, len(OPERATIONS) - 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
        st.integers(5, 20),
    )
)


@given(PROGRAMS)
def test_inside_is_what_its_definition_says(program: tuple[list[int], list[int], int]) -> None:
    graph, outputs = graph_of(drawn(*program), np.linspace(0.1, 0.3, 3))
    assert found(graph, outputs)[0] <= inside_by_definition(graph, outputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ends_of_turns", lambda *given: np.zeros(0, dtype=np.int64))
        assert found(graph, outputs)[0] == inside_by_definition(graph, outputs)


@given(PROGRAMS)
def test_no_chain_is_missed(program: tuple[list[int], list[int], int]) -> None:
    """Whatever chain is found among all cells is found among the candidates."""
    graph, outputs = graph_of(drawn(*program), np.linspace(0.1, 0.3, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            links_module,
            "candidates",
            lambda *given: (candidates(*given)[0], np.ones(len(graph.groups), dtype=bool)),
        )
        expected = scans(graph, outputs)
    assert shapes(scans(graph, outputs)) == shapes(expected)


def crossed(readers: int) -> Graph:
    """h1 = h0 + exp(h0): the exponential is read by so many others, too."""
    nodes = [Node(10, "map", ops.add, ((1,), (2,)))]
    for k in range(LONG):
        third = Node(1000 + k, "map", ops.exp, ((10 + k,),))
        nodes += [third, Node(11 + k, "map", ops.add, ((10 + k,), (third.place,)))]
        nodes += [
            Node(5000 + 100 * k + i, "map", ops.sin, ((third.place,),)) for i in range(readers)
        ]
    return Graph([[node] for node in nodes])


@pytest.mark.parametrize(
    ("readers", "looked_into"), [(0, True), (1, False), (9, False), (40, True)]
)
def test_a_number_with_many_readers_is_not_looked_into(readers: int, looked_into: bool) -> None:
    """It may be read a million times; then `scans` looks at the links, and refuses them."""
    graph = crossed(readers)
    assert bool(found(graph, frozenset())[1]) == looked_into
    joined = scans(graph, frozenset())
    assert (shapes(joined) == shapes(graph)) == (readers > 0)


def test_an_output_is_inside_no_other() -> None:
    def function(x: Any) -> Any:
        middle = x[0] * x[1]
        return [ops.exp(middle), middle]

    graph, outputs = graph_of(function, np.ones(2))
    assert found(graph, outputs)[0] == set()
    graph, outputs = graph_of(lambda x: ops.exp(x[0] * x[1]), np.ones(2))
    assert len(found(graph, outputs)[0]) == 1
