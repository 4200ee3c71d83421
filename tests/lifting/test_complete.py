"""`complete.py` and `run/masked.py`: triangles of dots as matrix products, right at inf as well."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
from taped import taped

from micrograd import Value, lift, ops
from micrograd.lifting.complete import LONG, alongside, completed, lengthened
from micrograd.lifting.fuse import fuse
from micrograd.lifting.nodes import Node
from micrograd.lifting.run import reference
from micrograd.lifting.run.masked import MaskedProduct, is_finite
from micrograd.lifting.run.with_numpy import Compiled
from micrograd.lifting.run.with_numpy import run as with_numpy
from micrograd.lifting.schedule import schedule
from micrograd.lifting.steps.expression import Read
from micrograd.lifting.steps.ir import Array, Step, View

N = LONG + 4


def dot(place: int, left: int, right: int) -> Node:
    return Node(place, "dot", None, ([left, left + 1], [right, right + 1]))


def triangle(n: int, left: int = 0, right: int = 1000, first: int = 5000) -> list[Node]:
    pairs = [(a, b) for a in range(n) for b in range(a + 1)]
    return [dot(first + k, left + 2 * a, right + 2 * b) for k, (a, b) in enumerate(pairs)]


# --- finding them ---------------------------------------------------------------------------------


def test_a_triangle_becomes_a_square() -> None:
    nodes = triangle(N)
    found = completed(nodes, count(9000))
    assert len(found) == N * N
    assert [n.place for n in found if n.place < 9000] == [n.place for n in nodes]
    assert found[N - 1].operands == ([0, 1], [1000 + 2 * (N - 1), 1000 + 2 * (N - 1) + 1])
    assert sum(n.replaces for n in found) == sum(n.replaces for n in nodes)


def test_the_triangles_of_several_heads_become_a_square_each() -> None:
    heads = [triangle(N, 100 * h, 1000 + 100 * h, 5000 + h) for h in range(3)]
    mixed = [node for row in zip(*heads, strict=True) for node in row]
    found = completed(mixed, count(90000))
    assert len(found) == 3 * N * N
    assert {n.operands[0][0] // 100 for n in found[: N * N]} == {0}


def test_what_scales_a_triangle_scales_the_square() -> None:
    square = completed(triangle(N), count(9000))
    places = [n.place for n in square]
    whole = dict.fromkeys(places, places)
    some = [n.place for n in square if n.place < 9000]
    for operands in (lambda x: ((x,), (7,)), lambda x: ((7,), (x,))):
        scaled = [Node(20000 + k, "map", ops.mul, operands(x)) for k, x in enumerate(some)]
        found = alongside(scaled, whole, count(30000))
        assert [n.operands for n in found] == [operands(x) for x in places]
        assert [n for n in found if n.place < 30000] == scaled
    other = [Node(20000, "map", ops.mul, ((some[0],), (7,))),
             Node(20001, "map", ops.mul, ((some[1],), (8,)))]  # fmt: skip
    twice = [Node(20000 + k, "map", ops.mul, ((some[0],), (7,))) for k in range(2)]
    added = [Node(20000, "map", ops.add, ((some[0],), (7,)))]
    for nodes in (other, twice, added):
        assert alongside(nodes, whole, count(30000)) is nodes


def test_what_is_no_triangle_stays_as_it_is() -> None:
    square = [dot(10 + N * a + b, 2 * a, 1000 + 2 * b) for a in range(N) for b in range(N)]
    diagonal = [dot(10 + a, 2 * a, 1000 + 2 * a) for a in range(N * N)]
    small, nodes = triangle(LONG - 1), triangle(N)
    twice = [*nodes, dot(9000, 0, 1000)]
    longer = [*nodes, Node(9000, "dot", None, ([0, 1, 2], [1000, 1001, 1002]))]
    other = [*nodes[:-1], Node(9000, "dot", None, ([0, 7], [1000 + 2 * N, 1001 + 2 * N]))]
    start = [Node(n.place, "dot", None, n.operands, 3) for n in nodes]
    for group in (square, diagonal, small, twice, longer, other, start):
        assert completed(group, count(90000)) is group


def test_short_sums_are_lengthened_where_the_long_ones_read() -> None:
    regular = np.array([[10, 0, 0], [10, 12, 0], [10, 12, 14]])
    scattered = np.array([[20, 0, 0], [23, 25, 0], [29, 24, 21]])
    short = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool)
    found = lengthened([scattered, regular], short, 0, 1)
    assert found is not None
    assert found[0] is scattered
    assert found[1].tolist() == [[10, 12, 14]] * 3
    assert found[2].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert lengthened([scattered, scattered], short, 0, 1) is None
    beyond = regular + np.array([[0], [3], [0]])  # would read 17, which nobody does
    assert lengthened([scattered, beyond], short, 0, 1) is None


# --- attention ------------------------------------------------------------------------------------


def attention(x: Any, heads: int, width: int) -> Any:
    """Causal: q, k and v of a head are its part of the row."""
    squares = []
    for t in range(len(x)):
        for h in range(0, heads * width, width):
            q = x[t][h : h + width]
            e = [sum(a * b for a, b in zip(q, row[h : h + width], strict=True)).exp()
                 for row in x[: t + 1]]  # fmt: skip
            whole = sum(e)
            mixed = [sum(w * row[h + c] for w, row in zip(e, x, strict=False)) / whole
                     for c in range(width)]  # fmt: skip
            squares += [m * m for m in mixed]
    return squares


def total(x: Any, heads: int, width: int) -> Any:
    return sum(attention(x, heads, width))


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("length", [LONG - 1, LONG, LONG + 7])
def test_causal_attention_of_any_length(heads: int, length: int) -> None:
    numbers = np.random.default_rng(0).normal(size=(length, heads * 3)) / 2
    x = np.vectorize(Value, otypes=[object])(numbers)
    total(x, heads, 3).backward()
    eager = [v.grad for v in x.flat]
    for v in x.flat:
        v.grad = 0.0
    lift(lambda: total(x, heads, 3))().backward()
    np.testing.assert_allclose([v.grad for v in x.flat], eager, rtol=1e-12, atol=1e-13)


def test_causal_attention_is_a_few_matrix_products() -> None:
    tape, outputs = taped(lambda x: total(x, 2, 3), np.ones((24, 6)))
    layout, _ = schedule(tape, fuse(tape, outputs), {})
    dots = [one for one in layout.instructions if one.kind == "dot" and len(one.operands) == 3]
    assert len(layout.instructions) <= 16
    assert any(one.operands[1].gather is None for one in dots)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_positions_before_an_infinite_one_do_not_see_it(bad: float) -> None:
    numbers = np.random.default_rng(0).normal(size=(LONG + 4, 3)) / 2
    for place in (LONG - 3, LONG + 3, 0):
        numbers[place, 1] = bad
        x = np.vectorize(Value, otypes=[object])(numbers)
        lifted = lift(lambda x=x: attention(x, 1, 3))
        for which in (0, 3 * place - 1, 3 * place, -1):
            with np.errstate(all="ignore"):
                one = attention(x, 1, 3)[which]
                one.backward()
                eager = [v.grad for v in x.flat]
                for v in x.flat:
                    v.grad = 0.0
                other = lifted()[which]
                other.backward()
            found = [v.grad for v in x.flat]
            for v in x.flat:
                v.grad = 0.0
            np.testing.assert_allclose([other.data, *found], [one.data, *eager], rtol=1e-12,
                                       atol=1e-13)  # fmt: skip
        numbers[place, 1] = 0.5


# --- running them ---------------------------------------------------------------------------------

A, B = Array("a", (12, 5), "argument"), Array("b", (5, 7), "argument")
MASK = Array("m", (12, 5), "constant", np.tri(12, 5) * 3.0)  # whatever is not 0 counts
PAIR = ops.where(Read(2), ops.mul(Read(0), Read(1)), 0.0)


def steps(mask_first: bool, accumulate: bool, over: str) -> list[Step]:
    """c[i, j] = sum over k of a[i, k] b[k, j]; or the gradient of a, masked as it is."""
    value = ops.mul(ops.where(Read(2), Read(0), 0.0), Read(1)) if mask_first else PAIR
    mask = View(MASK, 0, (5, 0, 1))
    a, b, c = View(A, 0, (5, 0, 1)), View(B, 0, (0, 1, 7)), View(A, 0, (1, 3, 0))
    if over == "factor":
        out = View(Array("c", (12, 7), "result"), 0, (7, 1, 0))
        reads = (a, b, mask)
    else:
        out = View(Array("c", (12, 5), "result"), 0, (5, 0, 1))
        reads = (c, b, mask)
    zeros = Step(out.array.shape, View(out.array, 0, (out.array.shape[1], 1)), 1.0)
    return [zeros, Step((12, 7, 5), out, value, reads, ops.add, accumulate)]


@pytest.mark.parametrize("bad", [None, "a", "b"])
@pytest.mark.parametrize("over", ["factor", "result"])
@pytest.mark.parametrize("accumulate", [False, True])
def test_a_masked_product_is_as_the_reference_says(
    accumulate: bool, over: str, bad: str | None
) -> None:
    rng = np.random.default_rng(1)
    numbers = {"a": rng.normal(size=60), "b": rng.normal(size=35), "m": MASK.numbers.ravel()}
    if bad:
        numbers[bad][[3, 20]] = np.inf, np.nan
    made = steps(False, accumulate, over)
    found: dict[str, Any] = {name: x.copy() for name, x in numbers.items()}
    want: dict[str, Any] = {name: x.tolist() for name, x in numbers.items()}
    with_numpy(made, found)
    reference.run(made, want)
    np.testing.assert_allclose(found["c"], want["c"], rtol=1e-13)
    assert "matmul" in Compiled(made).code.co_names


def test_masks_inside_a_product_count_as_masks_around_it() -> None:
    for over in ("factor", "result"):
        one = MaskedProduct.of(steps(True, False, over)[1])
        assert one is not None
        assert one.over_result == (over == "result")


def test_what_is_no_masked_product_is_none() -> None:
    step = steps(False, False, "factor")[1]
    plain = ops.mul(Read(0), Read(1))
    for value in (plain, ops.where(Read(2), plain, 1.0), ops.where(Read(2), Read(0), 0.0)):
        assert MaskedProduct.of(Step(step.loops, step.out, value, step.reads, ops.add)) is None


def test_is_finite() -> None:
    assert is_finite(np.ones((2, 3)))
    assert not is_finite(np.array([1.0, np.inf]))
    assert not is_finite(np.array([np.inf, -np.inf]))
