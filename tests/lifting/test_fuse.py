"""`fuse.py`, `nodes.py`, `uses.py`: chains of + and * become sums and dots, maxima one node."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import pytest
from taped import fused, taped

from micrograd import Value, lift, ops
from micrograd.lifting.rows import of_negative
from micrograd.lifting.uses import needed
from micrograd.op import registered

X, W = np.arange(1.0, 7.0), np.arange(2.0, 8.0)


def kinds(function: Callable[..., Any], *args: Any) -> list[str]:
    """Each node's kind, with the op's name where it has one, and the terms of the last operand."""
    found = []
    for node in fused(function, *args).nodes:
        width = len(node.operands[-1])
        name = f" {node.op.name}" if node.op is not None and node.kind in ("map", "chain") else ""
        found.append(f"{node.kind}{name}{f' of {width}' if width > 1 else ''}")
    return found


CHAINS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "a dot": (lambda x, w: sum(a * b for a, b in zip(x, w, strict=True)), ["dot of 6"]),
    "a dot with a bias": (lambda x, w: w[0] + sum(a * b for a, b in zip(x, w, strict=True)),
                          ["dot of 6", "map +"]),
    "from the right": (lambda x, w: reduce(lambda t, p: p + t, [a * b for a, b in zip(x, w,
                       strict=True)]), ["dot of 6"]),
    "a sum": (lambda x, w: sum(x), ["sum of 6"]),
    "squares": (lambda x, w: sum(a * a for a in x), ["dot of 6"]),
    "a difference": (lambda x, w: x[0] - w[0], ["map -"]),
    "a dot less a number": (lambda x, w: sum(a * b for a, b in zip(x, w, strict=True)) - x[0],
                            ["dot of 6", "map -"]),
    "maxima": (lambda x, w: reduce(ops.maximum, x), ["chain maximum of 6"]),
    "maxima and minima": (lambda x, w: ops.minimum(reduce(ops.maximum, x[:3]), w[0]),
                          ["chain maximum of 3", "chain minimum of 2"]),
    "a product of two": (lambda x, w: x[0] * w[0], ["map *"]),
    "a sum of two": (lambda x, w: x[0] + w[0], ["map +"]),
    "0 + x is x": (lambda x, w: 0 + (0 + ops.tanh(x[0])), ["map tanh"]),
    "one reciprocal for all": (lambda x, w: [a / w[0] for a in x[:3]],
                               ["map **-1", "map quotient", "map quotient", "map quotient"]),
    "a mean and a penalty": (
        lambda x, w: (x[0] + x[1]) / 3 + 0.1 * w[0], ["map +", "map quotient plus product"]),
    "losses and a penalty": (
        lambda x, w: sum(ops.tanh(a) for a in x) + 0.1 * sum(b * b for b in w),
        [*["map tanh"] * 6, "sum of 6", "dot of 6", "map *", "map +"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_what_a_chain_becomes(name: str) -> None:
    function, expected = CHAINS[name]
    assert sorted(kinds(function, X, W)) == sorted(expected)


def test_a_chain_that_is_used_twice_stays_whole() -> None:
    found = fused(lambda x: (lambda s: s * s + s)(sum(x)), X)
    assert [node.kind for node in found.nodes] == ["sum", "map", "map"]


@pytest.mark.parametrize("n", [2, 3, 10, 1500])
def test_two_kinds_of_terms_in_turn_are_one_sum(n: int) -> None:
    def alternating(x: Any) -> Any:
        total = 0.0
        for v in x:
            total = total + ops.tanh(v)
            total = total + ops.sin(v)
        return total

    found = [node for node in fused(alternating, np.ones(n)).nodes if node.kind != "map"]
    if n > 2:  # up to four terms at the ends are added alone
        assert [len(node.operands[0]) for node in found] == [2 * n]


def test_a_few_odd_terms_at_the_ends_are_added_alone() -> None:
    def losses(x: Any) -> Any:
        return x[0] * 2.0 + sum(ops.tanh(v) for v in x) + ops.sin(x[0]) + ops.exp(x[1])

    found = fused(losses, X).nodes
    (total,) = [node for node in found if node.kind == "sum"]
    assert len(total.operands[0]) == 6
    assert sum(node.op is ops.add for node in found if node.kind == "map") == 3


def test_what_no_result_needs_is_dropped() -> None:
    def wasteful(x: Any) -> Any:
        [ops.exp(v) for v in x]
        return x[0] * 2.0

    assert kinds(wasteful, X) == ["map *"]
    counted, constants = needed(*taped(wasteful, X))
    assert counted[ops.mul] == 1
    assert ops.exp not in counted
    assert constants == [2.0]


def test_a_parameter_that_is_returned_has_a_place_of_its_own() -> None:
    w = Value(3.0)
    found = fused(lambda x: w + 0, X)
    assert [(node.kind, node.op.name) for node in found.nodes if node.op] == [("map", "copy")]
    assert found.outputs == [found.nodes[-1].place]


def test_a_function_of_the_same_product_is_computed_once() -> None:
    def twice(x: Any) -> Any:
        return (-x[0]).exp() * x[1] + (-x[0]).exp() * x[2]

    found = fused(twice, X).nodes
    assert [node.op for node in found if node.op] == [of_negative(ops.exp)]
    read_by_others = fused(lambda x: ((n := -x[0]).exp() + n, (-x[0]).exp()), X).nodes
    found = [node.op for node in read_by_others if node.op in (ops.exp, of_negative(ops.exp))]
    assert found == [ops.exp, of_negative(ops.exp)], "n is a result's own part"


BY_THEIR_RESULT = {"exp", "sqrt", "tanh", "sigmoid", "ReLU", "detach"}


@pytest.mark.parametrize("name", [name for name, row in registered.items() if row.arity == 1])
def test_a_function_of_a_negative_is_one_node_if_its_derivative_reads_the_result(name: str) -> None:
    """And it is computed as both would be: the sign of a zero, infinities, nan."""
    row = registered[name]
    found = fused(lambda x: row(-x[0]), X).nodes
    if name in BY_THEIR_RESULT:
        assert [node.op for node in found] == [of_negative(row)] and found[0].replaces == 2
        assert pickle.loads(pickle.dumps(of_negative(row))) is of_negative(row)
    else:  # the derivative reads -x, which is kept
        assert [node.op for node in found] == [ops.mul, row]

    def function(v: Any) -> Any:
        return row(-v)

    for x in (0.0, -0.0, 0.75, -0.75, 800.0, -800.0, np.inf, -np.inf, np.nan):
        mine, theirs = Value(x), Value(x)
        found = [function(mine), lift(function)(theirs)]
        for out in found:
            if row.differentiable:
                out.backward()
        want, got = (float(out.data) for out in found)
        assert got == pytest.approx(want, rel=1e-15, abs=0.0, nan_ok=True)
        assert np.isnan(want) or np.signbit(got) == np.signbit(want)
        assert theirs.grad == pytest.approx(mine.grad, rel=1e-14, nan_ok=True)


def test_what_else_reads_a_negative_keeps_it_apart() -> None:
    for function in (lambda x: ((n := -x[0]).exp(), n), lambda x: (n := -x[0]).exp() * n.exp()):
        assert ops.mul in [node.op for node in fused(function, X).nodes]
    assert [n.op for n in fused(lambda x: (x[0] * -2.0).exp(), X).nodes] == [ops.mul, ops.exp]


def test_equal_rows_of_factors_are_one_object() -> None:
    def rows(x: Any) -> Any:
        return x[0] * x[1] + x[1] * x[2], x[0] * x[2] + x[1] * x[0]

    first, second = fused(rows, X).nodes
    assert first.operands[0] == second.operands[0]
    assert first.operands[0] is second.operands[0]
