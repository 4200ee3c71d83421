"""Which gradients a lifted call hands out: those of this backward alone, and nothing where none
arrives.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from oracle import same
from random_programs import flat, leaves

from micrograd import Value, grad, grads, lift, nn, ops, values
from micrograd.functional import take

# functions of two Values with several results, of which some are made of others
SEVERAL: dict[str, Callable[..., Any]] = {
    "apart": lambda a, b: (a * 2, b * 3),
    "one and both": lambda a, b: (a * 2, a * b, b * b),
    "on the way": lambda a, b: (lambda h: (h * h, h))(a * 3 + b),
    "far on the way": lambda a, b: (lambda h: (ops.tanh(h * 0.1) * b, h, h * 2))(a * 3),
    "an argument": lambda a, b: (a * b, a),
    "array": lambda a, b: (np.array([a * 2, b * 3, a * b]), a + b),
    "array and its sum": lambda a, b: (lambda h: (h.sum(), h))(np.array([a * 2, b * b, a * b])),
    "dead end": lambda a, b: (a * b, b.detach() * a, ops.greater(a, b)),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_one_backward_after_the_other_in_any_order(name: str) -> None:
    function = SEVERAL[name]
    count = len(flat(function(Value(1.0), Value(1.0))))
    for order in itertools.permutations(range(count), min(count, 3)):
        f = lift(function)
        a, b, c, d = Value(1.5), Value(2.0), Value(1.5), Value(2.0)
        for which in order:
            eager, lifted = flat(function(a, b)), flat(f(c, d))
            for v in (a, b, c, d):
                v.grad = 0.0
            eager[which].backward()
            lifted[which].backward()
            assert [c.grad, d.grad] == [a.grad, b.grad]
            for mine, theirs in zip(lifted, eager, strict=True):
                assert mine.grad == theirs.grad or theirs._rule is None  # the argument itself


def test_gradients_by_grad_do_not_leak_into_the_next() -> None:
    f = lift(lambda x, y: (x * 2, y * 3, x * y))
    x, y = Value(2.0), Value(5.0)
    assert [g.data for g in grad(f(x, y)[0], [x, y])] == [2.0, 0.0]
    assert [g.data for g in grad(f(x, y)[1], [x, y])] == [0.0, 3.0]
    assert [g.data for g in grad(f(x, y)[2], [x, y])] == [5.0, 2.0]


def test_captured_values_with_a_past_get_this_gradient_alone() -> None:
    w = Value(2.0)
    past = w * 10
    f = lift(lambda x: (past * x, x * 3))
    f(1.0)[0].backward()
    assert w.grad == 10.0
    w.grad = 0.0
    f(1.0)[1].backward()
    assert w.grad == 0.0


def test_a_result_on_the_way_to_another_has_its_gradient() -> None:
    f = lift(lambda x: (lambda h: (h * h, h))(x * 3))
    x = Value(2.0)
    loss, hidden = f(x)
    loss.backward()
    assert hidden.grad == 12.0
    assert x.grad == 36.0
    (loss * 2 + hidden).backward()
    assert hidden.grad == 25.0


def test_saliency_of_the_inputs_made_inside() -> None:
    def function(x: Any) -> Any:
        xs = [Value(v) * 1.0 for v in x]
        return xs[0] * xs[1] + xs[2] ** 2, xs

    loss, xs = lift(function)(np.array([2.0, 3.0, 4.0]))
    loss.backward()
    assert [v.grad for v in xs] == [3.0, 2.0, 8.0]


def test_a_result_touched_after_the_backward_has_its_gradient() -> None:
    loss, scores = lift(lambda X: (lambda s: ((s * s).sum(), s))(X * 2))(leaves([1.0, 2.0]))
    loss.backward()
    assert grads(scores).tolist() == [4.0, 8.0]
    assert scores[1].grad == 8.0


def test_results_that_no_gradient_reaches_keep_theirs() -> None:
    loss, other = lift(lambda x: (x * 2, x * 3))(Value(1.0))
    other.backward()
    assert other.grad == 1.0
    loss.backward()
    assert other.grad == 1.0


# --- nodes that no gradient reaches pass nothing on -----------------------------------------------


def roots(x: Any) -> Any:
    d = [v.sqrt() for v in x]
    return d[0].detach() + sum(d[1:])


def stress(points: Any) -> Any:
    n = len(points)
    distances = [[((points[i] - points[j]) ** 2).sum().sqrt() for j in range(n)] for i in range(n)]
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    return sum((distances[i][j] - 1) ** 2 for i, j in pairs), distances


UNREACHED: dict[str, tuple[Callable[..., Any], Any]] = {
    "a detached root": (roots, [0.0, 1.0, 4.0]),
    "stress of points": (stress, np.random.default_rng(0).normal(size=(4, 2))),
    "a root behind greater": (
        lambda x: sum(ops.greater(r, 0.5) * r if i else ops.greater(r, 0.5) * v
                      for i, (r, v) in enumerate(zip(np.sqrt(x), x, strict=True))),
        [0.0, 1.0, 4.0],
    ),
    "every other one": (lambda x: sum(ops.log(x)[::2]), [1.0, 0.0, 2.0, 0.0, 3.0]),
    "scattered ones": (lambda x: sum(ops.log(x)[[0, 3, 4]]), [1.0, 0.0, 0.0, 2.0, 3.0]),
    "rows of products": (
        lambda x: (lambda p: p[0].sum() + p[2].sum())(x.reshape(3, 2) @ np.array([[1.0, 2.0],
                                                                                 [0.5, 1.0]])),
        [1.0, 2.0, np.inf, 1.0, 3.0, 4.0],
    ),
    "sums of roots": (
        lambda x: sum(np.sqrt(x.reshape(3, 2)).sum(axis=1)[1:]), [0.0, 0.0, 1.0, 4.0, 9.0, 1.0]
    ),
    "maxima of logs": (
        lambda x: sum([ops.maximum(ops.log(a), ops.log(b))
                       for a, b in x.reshape(3, 2)][1:]), [0.0, 0.0, 1.0, 4.0, 9.0, 1.0]
    ),
    "one number at a time": (lambda x: x[0].sqrt().detach() + x[1].sqrt(), [0.0, 4.0]),
    "power 0 passes 0 on": (lambda x: sum(v.sqrt() ** 0 + v for v in x), [0.0, 1.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREACHED)
def test_inf_in_what_no_gradient_reaches_stays_there(name: str) -> None:
    function, numbers = UNREACHED[name]
    mine, theirs = leaves(numbers), leaves(numbers)
    f = lift(function)
    for _ in range(2):
        eager, lifted = function(mine), f(theirs)
        for v in (*mine.flat, *theirs.flat):
            v.grad = 0.0
        flat([eager])[0].backward()
        flat([lifted])[0].backward()
        assert same(grads(theirs).ravel(), grads(mine).ravel(), rel=1e-12).all(), grads(theirs)


def test_one_element_of_an_array_of_results_at_a_time() -> None:
    f = lift(np.sqrt)
    numbers = np.array([0.0, 1.0, 4.0, 0.0])
    for chosen in [(2,), (1, 2), (0,), (3, 1), (2,)]:
        mine, theirs = leaves(numbers), leaves(numbers)
        sum(np.sqrt(mine)[list(chosen)]).backward()
        sum(f(theirs)[list(chosen)]).backward()
        assert grads(theirs).tolist() == grads(mine).tolist()


def test_inputs_that_no_gradient_reaches_pass_nothing_on_outside() -> None:
    x = [Value(0.0), Value(4.0)]
    lift(lambda r: r * 3.0)(np.array([v.sqrt() for v in x]))[1].backward()
    assert [v.grad for v in x] == [0.0, 0.75]
    x = [Value(0.0), Value(4.0)]
    lift(lambda a, b: (a * 2, b * 3))(x[0].sqrt(), x[1].sqrt())[1].backward()
    assert [v.grad for v in x] == [0.0, 0.75]


def test_inf_and_nan_that_are_due_arrive() -> None:
    x = leaves([0.0, 1.0])
    lift(lambda x: sum(np.sqrt(x)))(x).backward()
    assert grads(x).tolist() == [np.inf, 0.5]
    x = leaves([0.0, 1.0])
    lift(lambda x: sum(np.sqrt(x) * 0.0))(x).backward()
    assert np.isnan(grads(x)[0])


def test_many_single_gradients_keep_a_bounded_number_of_codes() -> None:
    f = lift(np.sqrt)
    x = values(np.zeros(40))
    results = f(x)
    for r in results:
        r.backward()
    assert grads(x).tolist() == [np.inf] * 40
    assert len(f.program._backwards) <= 20


def test_an_interrupted_backward_leaves_no_gradient_for_the_next() -> None:
    class Interrupt(Exception):
        pass

    def interrupted() -> None:
        raise Interrupt

    f = lift(lambda x: x * 3.0)
    x = Value(2.0)
    y = f(x)
    interrupting = Value(0.0, (x,), "stop")
    interrupting._backward = interrupted
    total = f(interrupting)
    with pytest.raises(Interrupt):
        total.backward()
    y.backward()
    assert x.grad == 3.0


def test_a_layer_behind_the_whole_of_it() -> None:
    """Results used by eager code and by each other, in one graph."""
    model, again = nn.MLP(2, [3, 1]), None
    f = lift(lambda x: (lambda h: (model(x), h))(x[0] * 2.0))
    for function in (f, f.function):
        for p in model.parameters():
            p.grad = 0.0
        x = [Value(0.5), Value(-1.0)]
        out, hidden = function(x)
        (out * 2 + hidden * hidden + out * hidden).backward()
        found = [v.grad for v in (*x, hidden, *model.parameters())]
        assert again is None or found == pytest.approx(again, rel=1e-12)
        again = found


def test_exact_code_keeps_its_arrays_apart_from_those_of_later_code() -> None:
    f = lift(lambda x: (np.sqrt(x), np.exp((x * x)[:2]), (x * x)[1:] * 3))
    x = values(np.array([0.0, 1.0, 4.0, 9.0]))
    found = []
    for result, element in [(0, 1), (1, 0), (2, 1), (0, 1)]:
        for v in x:
            v.grad = 0.0
        f(x)[result][element].backward()
        found.append(grads(x).tolist())
    assert found == [[0, 0.5, 0, 0], [0, 0, 0, 0], [0, 0, 24, 0], [0, 0.5, 0, 0]]


def test_rows_that_take_did_not_choose_get_0_as_in_pytorch() -> None:
    """The one place where lifted and eager differ: 0 * inf at a row that no index chose.

    Which rows are chosen is known only while a call runs, so the table as a whole gets a gradient,
    0 where none arrives. PyTorch does the same; eagerly the other rows are no part of the graph.
    """
    numbers = [0.0, 4.0]
    x = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    x.sqrt()[torch.tensor([1])].sum().backward()
    theirs, eager = leaves(numbers), leaves(numbers)
    lift(lambda x, i: take(np.sqrt(x), i).sum())(theirs, np.array([1])).backward()
    take(np.sqrt(eager), np.array([1])).sum().backward()
    np.testing.assert_array_equal(grads(theirs), x.grad.numpy())
    assert np.isnan(grads(theirs)[0])
    assert grads(eager).tolist() == [0.0, 0.25]
