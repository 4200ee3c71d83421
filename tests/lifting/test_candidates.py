"""`candidates.py`: which cells may be links is found by arrays, and no chain is missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taped import taped

from micrograd import Value, ops
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
    step = recurrence(lambda h, x: (0.5 * h + x).tanh())
    _, promising = found(*graph_of(step, np.linspace(0, 1, length + 1)))
    assert bool(promising) == (length > FEWEST)


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
    def function(x: Any) -> Any:
        u, v = x[0], x[1]
        for _ in range(LONG):
            both = u * v
            u, v = u - 0.1 * both, v + 0.1 * both
        return u + v

    assert found(*graph_of(function, np.ones(2)))[1] == set()


def test_a_link_that_reads_the_last_but_one_too_stays_one() -> None:
    """h2 = f(h1, g(h0)): each link reads another number made from the last but one, not from the last."""

    def function(x: Any) -> Any:
        h, late = x[0], x[1]
        for element in x[2:]:
            h, late = ops.tanh(h + late), element * 0.5
        return h

    graph, outputs = graph_of(function, np.linspace(0, 1, LONG + 3))
    assert len(found(graph, outputs)[1]) >= LONG
    assert any(len(group) > LONG - 2 for group in scans(graph, outputs).groups)


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


def test_a_number_with_many_readers_is_not_looked_into() -> None:
    """What stands between two links may be read a million times; the search stays short."""
    chain = [Node(10 + k, "map", ops.tanh, ((9 + k,),)) for k in range(FEWEST + 4)]
    between = [Node(1000 + k, "map", ops.exp, ((10 + k,),)) for k in range(FEWEST + 3)]
    for node, third in zip(chain[1:], between, strict=True):
        node.kind, node.op, node.operands = "map", ops.add, ((node.operands[0][0],), (third.place,))
    chain[0].op, chain[0].operands = ops.add, ((1,), (2,))
    readers = [
        [Node(5000 + 100 * k + i, "map", ops.sin, ((third.place,),))]
        for k, third in enumerate(between) for i in range(20)
    ]  # fmt: skip
    groups = [[node] for node in [*chain, *between]]
    assert found(Graph(groups), frozenset())[1] == set()
    # a candidate, so that `scans` looks closer, and refuses it
    crowded = Graph([*groups, *readers])
    assert len(found(crowded, frozenset())[1]) == len(chain)
    assert shapes(scans(crowded, frozenset())) == shapes(crowded)


def test_an_output_is_inside_no_other() -> None:
    def function(x: Any) -> Any:
        middle = x[0] * x[1]
        return [ops.exp(middle), middle]

    graph, outputs = graph_of(function, np.ones(2))
    assert found(graph, outputs)[0] == set()
    graph, outputs = graph_of(lambda x: ops.exp(x[0] * x[1]), np.ones(2))
    assert len(found(graph, outputs)[0]) == 1
    assert isinstance(Value(1.0), Value)
