"""lift, the decorator: arguments, results, gradients, what it captures, when it records again.

Covers `arguments.py`, `tracer.py`, `template.py`, `lifted.py`, `signature.py`, `recording.py`.
"""

from __future__ import annotations

import gc
import math
import weakref
from collections import namedtuple
from functools import partial
from typing import Any

import numpy as np
import pytest
from random_programs import leaves
from recordings import noting, recorded

from micrograd import LiftError, Value, grad, grads, lift, nn, no_grad, numbers, ops
from micrograd.functional import take

# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (2.0, 3.0),
        (2.0, np.float64(3)),
        (np.array(2.0), np.array(3.0)),
        (np.int64(2), np.int64(3)),
        (Value(2.0), Value(3.0)),
    ],
)
def test_numbers_are_traced_so_another_one_needs_no_recording(first: Any, second: Any) -> None:
    f, runs = recorded(lambda x: x * x + 1)
    assert [f(first).data, f(second).data] == [5.0, 10.0]
    assert runs == [0]


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint16])
def test_arrays_of_any_number_type_are_traced(kind: type) -> None:
    w = Value(2.0)
    f, runs = recorded(lambda x: (x * w).sum())
    assert f(np.array([1, 2, 3], dtype=kind)).data == 12.0
    assert f(np.array([3, 2, 3], dtype=kind)).data == 16.0
    assert runs == [0]


def test_booleans_in_an_array_are_integers() -> None:
    f, _ = recorded(lambda m: (m * 3.0).sum())
    assert f(np.array([True, False, True])).data == 6.0


@pytest.mark.parametrize("static", [3, True, "three", None, (1, "a"), {"n": 2}, b"x"])
def test_statics_reach_the_function_as_they_are(static: Any) -> None:
    note, seen = noting()

    @lift
    def f(x: Any, s: Any) -> Any:
        note(s)
        return x * 2

    f(1.0, static)
    f(2.0, static)
    assert seen == [static]
    assert type(seen[0]) is type(static)


def test_another_static_is_another_program() -> None:
    w = Value(2.0)
    f, runs = recorded(lambda n: sum(w for _ in range(n)))
    assert [f(3).data, f(4).data, f(3).data, f(4).data] == [6.0, 8.0, 6.0, 8.0]
    assert runs == [0, 1]


def test_one_and_true_are_different_statics() -> None:
    f, _ = recorded(lambda x, flag: x + (10 if flag is True else 20))
    assert (f(1.0, 1).data, f(1.0, True).data, f(1.0, 1).data) == (21.0, 11.0, 21.0)


def test_another_shape_is_another_program() -> None:
    f, runs = recorded(lambda x: x.sum())
    for n in (1, 2, 3, 2, 1):
        assert f(np.ones(n)).data == n
    assert runs == [0, 1, 2]


def test_lists_tuples_and_dicts_are_looked_into() -> None:
    Pair = namedtuple("Pair", "left right")
    f, runs = recorded(lambda a: a["x"][0] * a["x"][1] + a["pair"].left * 10 - a["pair"].right)
    first = {"x": [2.0, np.float64(3)], "pair": Pair(1.0, 5)}
    assert f(first).data == 11.0
    assert f({"x": [4.0, np.float64(3)], "pair": Pair(2.0, 5)}).data == 27.0
    assert runs == [0]
    assert f({"x": [4.0, np.float64(3)], "pair": Pair(2.0, 6)}).data == 26.0
    assert runs == [0, 1]


def test_keywords_and_defaults() -> None:
    w = Value(3.0)

    @lift
    def f(x: Any, *, scale: Any = 2.0, bias: Any = w) -> Any:
        return x * scale + bias

    assert f(1.0).data == 5.0
    assert f(1.0, scale=4.0).data == 7.0
    assert f(1.0, bias=1.0, scale=4.0).data == 5.0
    f(x=2.0, scale=4.0).backward()
    assert w.grad == 1.0


def test_arrays_need_not_be_contiguous() -> None:
    grid = np.arange(24.0).reshape(4, 6)
    weights = np.arange(6.0).reshape(3, 2)
    f, _ = recorded(lambda x: (x * weights).sum())
    for x in (grid[:3, :2], grid.T[1:4, 1:3], grid[::-1, ::3][:3], np.broadcast_to(1.5, (3, 2))):
        assert f(x).data == (x * weights).sum()


def test_empty_arrays_are_fine() -> None:
    w = Value(2.0)
    f, _ = recorded(lambda x: sum(x, Value(1.0)) * w)
    assert f(np.zeros(0)).data == 2.0


def test_the_callers_array_is_copied() -> None:
    x = np.ones(3)
    w = Value(2.0)
    loss = lift(lambda x: (x * x * w).sum())(x)
    x[:] = 100.0
    loss.backward()
    assert w.grad == 3.0


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_arrays_of_other_things_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"Value|real"):
        lift(lambda x: x)(bad)


def test_lift_decorates_functions() -> None:
    with pytest.raises(TypeError, match="function"):
        lift(3)


def test_the_functions_name_and_docstring_stay() -> None:
    @lift
    def squares(x: Any) -> Any:
        """All of them."""
        return x * x

    assert squares.__name__ == "squares"
    assert squares.__doc__ == "All of them."


def test_methods_are_lifted_for_each_object() -> None:
    class Scale:
        def __init__(self, w: float) -> None:
            self.w = Value(w)

        @lift
        def by(self, x: Any) -> Any:
            return x * self.w

    two, three = Scale(2.0), Scale(3.0)
    assert [two.by(5.0).data, three.by(5.0).data, two.by(1.0).data] == [10.0, 15.0, 2.0]
    three.by(5.0).backward()
    assert (two.w.grad, three.w.grad) == (0.0, 5.0)


def test_whatever_can_be_called_lifts() -> None:
    w = Value(2.0)

    class Scale:
        def __call__(self, x: Any) -> Any:
            return x * w

    def power(x: Any, n: int) -> Any:
        return x if n == 1 else x * power(x, n - 1)

    assert lift(Scale())(3.0).data == 6.0
    assert lift(partial(lambda a, x: a * x * w, 5.0))(3.0).data == 30.0
    assert lift(lambda *xs, **k: sum(xs) * k["s"])(1.0, 2.0, 3.0, s=2.0).data == 12.0
    assert lift(power)(2.0, 6).data == 64.0
    model = nn.Neuron(2, nonlin=False)
    assert lift(model)([1.0, 3.0]).data == model([1.0, 3.0]).data
    assert numbers(lift(np.tanh)(np.ones(2))).tolist() == [math.tanh(1)] * 2


def test_steps_leave_nothing_to_the_cycle_collector() -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w).sum())
    x = np.ones(5)
    f(x).backward()
    gc.collect()
    result = f(x)
    alive = weakref.ref(result)
    result.backward()
    del result
    assert alive() is None
    for _ in range(20):
        f(x).backward()
    assert gc.collect() == 0
    program = weakref.ref(f.program)
    del f
    gc.collect()
    assert program() is None


# --- traced integers ------------------------------------------------------------------------------


def test_traced_integers_are_exact_numbers() -> None:
    f, runs = recorded(lambda i, j: i * j + i)
    assert f(np.array(2**52 - 1), np.int64(1)).data == 2.0**53 - 2
    assert f(np.int64(-3), np.int64(7)).data == -24.0
    assert runs == [0]


def test_traced_integers_take() -> None:
    table = leaves(np.arange(12.0).reshape(4, 3))
    f, runs = recorded(lambda index: (take(table, index) * np.arange(3.0)).sum())
    for index in ([[0, 3], [3, 3]], [[1, 2], [0, 1]]):
        want = (numbers(table)[index] * np.arange(3.0)).sum()
        loss = f(np.array(index))
        assert loss.data == want
    loss.backward()
    assert grads(table).tolist() == [[0, 1, 2], [0, 2, 4], [0, 1, 2], [0, 0, 0]]
    assert runs == [0]


@pytest.mark.parametrize("bad", [4, -1, 1000])
def test_an_index_out_of_range_is_an_error_at_the_call(bad: int) -> None:
    table = leaves(np.arange(4.0))
    f = lift(lambda index: take(table, index).sum())
    f(np.array([0, 3]))
    with pytest.raises(IndexError, match=str(bad)):
        f(np.array([0, bad]))
    assert f(np.array([2, 3])).data == 5.0


def test_each_table_checks_its_own_rows() -> None:
    short, long = leaves(np.arange(2.0)), leaves(np.arange(5.0))
    f = lift(lambda i, j: take(short, i) + take(long, j))
    assert f(np.array([1]), np.array([4]))[0].data == 5.0
    with pytest.raises(IndexError, match="2"):
        f(np.array([2]), np.array([4]))


# --- results --------------------------------------------------------------------------------------


def test_results_have_the_functions_structure() -> None:
    Pair = namedtuple("Pair", "left right")
    w, constant = Value(2.0), np.arange(3.0)

    @lift
    def f(x: Any) -> Any:
        return {
            "one": x.sum(),
            "list": [x[0], 7, "text", None],
            "tuple": (x * w, w),
            "pair": Pair(x[1], 2.5),
            "constant": constant,
            "mixed": np.array([x[0], 1.0, w], dtype=object),
            "made": Value(4.0),
            "empty": [],
        }

    for x in (np.array([1.0, 2, 3]), np.array([4.0, 5, 6])):
        r = f(x)
        assert list(r) == [
            "one", "list", "tuple", "pair", "constant", "mixed", "made", "empty"
        ]  # fmt: skip
        assert r["one"].data == x.sum()
        assert [type(r["list"]), r["list"][0].data, *r["list"][1:]] == [list, x[0], 7, "text", None]
        assert type(r["tuple"]) is tuple
        assert numbers(r["tuple"][0]).tolist() == (2 * x).tolist()
        assert r["tuple"][1] is w
        assert type(r["pair"]) is Pair
        assert (r["pair"].left.data, r["pair"].right) == (x[1], 2.5)
        assert r["constant"].tolist() == [0.0, 1.0, 2.0]
        assert numbers(r["mixed"]).tolist() == [x[0], 1.0, 2.0]
        assert (type(r["made"]), r["made"].data) == (Value, 4.0)
        assert r["empty"] == []


def test_a_returned_array_of_constants_is_a_copy() -> None:
    constant = np.arange(3.0)
    f = lift(lambda x: (x, constant))
    f(1.0)[1][:] = 9.0
    assert f(1.0)[1].tolist() == [0.0, 1.0, 2.0]
    assert constant.tolist() == [0.0, 1.0, 2.0]


def test_one_number_returned_twice() -> None:
    w = Value(2.0)

    @lift
    def f(x: Any) -> Any:
        y = x * w
        return y, [y, y]

    a, (b, c) = f(3.0)
    (a + b * 10 + c * 100).backward()
    assert w.grad == 333.0


def test_an_argument_or_a_parameter_may_be_returned_untouched() -> None:
    w, v = Value(2.0), Value(3.0)
    x, p, q = lift(lambda x: (x, w, 0 + w))(v)
    (x * 10 + p * 100 + q * 1000).backward()
    assert (x.data, p.data, q.data) == (3.0, 2.0, 2.0)
    assert (v.grad, w.grad) == (10.0, 1100.0)


def test_nothing_at_all_may_be_returned() -> None:
    f, runs = recorded(lambda x: None)
    assert f(1.0) is None
    assert f(2.0) is None
    assert runs == [0]


def test_an_array_of_results_behaves_as_an_array_of_values() -> None:
    w = Value(2.0)
    x = np.arange(6.0).reshape(2, 3)
    scores = lift(lambda x: x * w)(x)
    assert scores.shape == (2, 3)
    assert (scores.ndim, scores.size, scores.dtype, len(scores)) == (2, 6, object, 2)
    assert isinstance(scores[0, 1], Value)
    assert scores[0, 1] is scores[0, 1]
    assert [row.shape for row in scores] == [(3,), (3,)]
    assert numbers(scores).tolist() == (2 * x).tolist()
    for array in (
        scores.T.T, scores + 0, 1 * scores, np.array(scores), np.asarray(scores)[:],
        scores.reshape(3, 2).reshape(2, 3), np.concatenate([scores, scores])[:2],
        scores @ np.eye(3), np.stack(list(scores)), 0 - -scores,
    ):  # fmt: skip
        assert numbers(array).tolist() == (2 * x).tolist()
    assert scores.sum().data == 30.0
    assert scores.mean().data == 5.0
    assert numbers(scores.sum(axis=0)).tolist() == [6.0, 10.0, 14.0]
    np.tanh(scores * 0.1).sum().backward()
    assert w.grad == pytest.approx((0.1 * x * (1 - np.tanh(0.2 * x) ** 2)).sum(), rel=1e-12)


def test_what_a_user_does_with_scores() -> None:
    scores = lift(lambda x: x * 2.0)(np.array([[3.0, 1.0], [2.0, 5.0]]))
    assert numbers(scores).argmax(axis=1).tolist() == [0, 1]
    assert [float(s) for s in scores.ravel()] == [6.0, 2.0, 4.0, 10.0]
    assert scores.astype(float).max() == 10.0
    assert [v.data for v in scores.flatten()] == [6.0, 2.0, 4.0, 10.0]
    assert scores.tolist()[1][1].data == 10.0


# --- gradients ------------------------------------------------------------------------------------


def test_gradients_flow_into_values_among_the_arguments() -> None:
    X, v, w = leaves([[1.0, 2], [3, 4]]), Value(5.0), Value(2.0)
    f, runs = recorded(lambda X, y, items: (X @ y).sum() * items[0] * w)
    for _ in range(2):
        for x in (*X.flat, v, w):
            x.grad = 0.0
        f(X, np.array([10.0, 1.0]), [v, 1.0]).backward()
        assert grads(X).tolist() == [[100, 10], [100, 10]]
        assert (v.grad, w.grad) == (92.0, 230.0)
    assert runs == [0]


def test_floats_and_values_may_share_an_array() -> None:
    v = Value(4.0)
    f = lift(lambda x: x[0] * x[1])
    f(np.array([1.5, v], dtype=object)).backward()
    assert v.grad == 1.5


def test_one_value_may_be_several_arguments_and_a_parameter_too() -> None:
    v = Value(3.0)
    f = lift(lambda x, y: x * y * v)
    f(v, v).backward()
    assert v.grad == 27.0


def test_several_live_calls() -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w * w)
    a, b = f(3.0), f(5.0)
    assert (a.data, b.data) == (12.0, 20.0)
    (a + b).backward()
    assert w.grad == 32.0
    w.grad = 0.0
    (a * b).backward()
    assert w.grad == 12.0 * 20 + 20.0 * 12
    calls = [f(float(i)) for i in range(20)]
    w.grad = 0.0
    sum(calls[::2]).backward()
    assert w.grad == 4.0 * sum(range(0, 20, 2))


def test_buffers_are_given_back_when_results_die_and_not_before() -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w, x + w))
    first, _ = f(1.0)
    for i in range(10):
        f(float(i))
    assert first.data == 2.0
    first.backward()
    assert w.grad == 1.0
    assert len(f.program.pool) <= 2


def test_backward_twice_doubles_and_other_results_do_not_interfere() -> None:
    w = Value(2.0)
    a, b = lift(lambda x: (x * w * w, x + w))(3.0)
    a.backward()
    assert w.grad == 12.0
    a.backward()
    assert w.grad == 24.0
    b.backward()
    assert w.grad == 25.0


def test_a_result_without_a_gradient_does_not_poison_the_others() -> None:
    w = Value(0.0)
    a, b = lift(lambda x: (x * w, (x * w).log()))(2.0)
    assert b.data == -math.inf
    a.backward()
    assert w.grad == 2.0


def test_calls_mix_with_eager_values_on_both_sides() -> None:
    v, w, u = Value(1.5), Value(2.0), Value(3.0)
    f = lift(lambda x: x * w)
    (f(v * v) * v + u).backward()
    assert (v.grad, w.grad, u.grad) == (13.5, 3.375, 1.0)
    v.grad = w.grad = 0.0
    f(f(v) + f(v)).backward()
    assert (v.grad, w.grad) == (8.0, 12.0)


def test_values_with_a_past_may_be_captured() -> None:
    v, w = Value(1.5), Value(2.0)
    square = v * v
    f, runs = recorded(lambda x: x * square + w)
    f(2.0).backward()
    assert (v.grad, w.grad) == (6.0, 1.0)
    f(3.0).backward()
    assert (v.grad, w.grad) == (15.0, 2.0)
    assert runs == [0]


def test_grad_reads_and_writes_no_grad() -> None:
    v, w = Value(3.0), Value(2.0)
    w.grad = 7.0
    f = lift(lambda x: x * w * w)
    dv, dw = grad(f(v), [v, w])
    assert (dv.data, dw.data) == (4.0, 12.0)
    assert (v.grad, w.grad) == (0.0, 7.0)


def test_no_grad_gives_leaves() -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w, [x + w]))
    with no_grad():
        a, (b,) = f(3.0)
    assert (a.data, b.data, a._prev) == (6.0, 5.0, ())
    a.backward()
    assert w.grad == 0.0
    a, _ = f(3.0)  # recorded under no_grad, it has its gradients all the same
    a.backward()
    assert w.grad == 3.0


def test_detached_inside_passes_nothing_on() -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w * w.detach())
    f(3.0).backward()
    assert w.grad == 6.0


# --- what it captures, and when it records again --------------------------------------------------

_weight = Value(2.0)
_factor = 3.0


def _helper(x: Any) -> Any:
    return x * _factor


def test_a_changed_global_records_again(monkeypatch: pytest.MonkeyPatch) -> None:
    f, runs = recorded(lambda x: _helper(x) * _weight)
    assert f(1.0).data == 6.0
    monkeypatch.setitem(globals(), "_factor", 5.0)
    assert f(1.0).data == 10.0  # _helper names it, and is named itself
    monkeypatch.setitem(globals(), "_weight", Value(7.0))
    assert f(1.0).data == 35.0
    monkeypatch.setitem(globals(), "_helper", lambda x: -x)
    assert f(1.0).data == -7.0
    assert f(2.0).data == -14.0
    assert runs == [0, 1, 2, 3]


def test_a_changed_closure_cell_records_again() -> None:
    scale, bias = 2.0, Value(1.0)
    f, runs = recorded(lambda x: x * scale + bias)
    assert f(1.0).data == 3.0
    scale = 4.0
    assert f(1.0).data == 5.0
    bias = Value(10.0)
    f(1.0).backward()
    assert bias.grad == 1.0
    assert runs == [0, 1, 2]


def test_a_model_made_anew_is_not_ignored() -> None:
    model = nn.MLP(2, [3, 1], rng=np.random.default_rng(0))
    f, runs = recorded(lambda x: model(x))
    x = [0.5, -1.0]
    f(x)
    model = nn.MLP(2, [3, 1], rng=np.random.default_rng(1))
    assert f(x).data == pytest.approx(model(x).data, rel=1e-12)
    f(x).backward()
    assert any(p.grad for p in model.parameters())
    assert runs == [0, 1]


def test_train_and_eval_are_two_programs_in_turn() -> None:
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Dropout(0.5, rng=1), nn.Linear(3, 1, rng=2))
    f, runs = recorded(lambda x: model(x).sum())
    x = np.ones((4, 2))
    f(x)
    model.eval()
    assert f(x).data == pytest.approx(model(x).sum().data, rel=1e-12)
    assert f(x).data == f(x).data
    model.layers[1].train()
    assert f(x).data != f(x).data  # masks are drawn anew
    assert runs == [0, 1, 2]


def test_a_lifted_function_inside_another_is_part_of_it() -> None:
    w, u = Value(2.0), Value(3.0)

    @lift
    def inner(x: Any) -> Any:
        return x * w

    outer = lift(lambda x: inner(x) + u)
    outer(5.0).backward()
    assert (w.grad, u.grad) == (5.0, 1.0)
    assert inner.programs == {}
    w = Value(10.0)
    assert outer(5.0).data == 53.0


def test_constants_are_listed_and_kept() -> None:
    table = np.array([0.25, 0.75])
    f = lift(lambda x: (x * table).sum() * 2.5)
    f(1.0)
    assert {0.25, 0.75, 2.5} <= set(f.program.constants)


def test_the_programs_used_least_recently_go_first() -> None:
    w = Value(2.0)
    f, runs = recorded(lambda n: w * n)
    f(-1)
    with pytest.warns(UserWarning, match="args_0"):
        for n in range(200):
            assert f(n).data == 2.0 * n
            f(-1)
    assert len(runs) == 201
    assert len(f.programs) < 100
    f(199)
    assert len(runs) == 201
    f(0)
    assert len(runs) == 202


def test_an_error_inside_passes_through_and_leaves_nothing_behind() -> None:
    def f(x: Any) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lift(f)(1.0)
    assert Value(2.0).exp().data == math.exp(2.0)


def test_state_of_the_program_is_renewed_each_call() -> None:
    model = nn.Dropout(0.5, rng=3)
    f = lift(lambda x: model(x))
    x = np.ones(64)
    state = model.rng.bit_generator.state
    lifted = [numbers(f(x)).tolist() for _ in range(3)]
    model.rng.bit_generator.state = state
    assert [numbers(model(x)).tolist() for _ in range(3)] == lifted


def test_operations_on_floats_outside_the_trace_are_constants() -> None:
    f = lift(lambda x, n: x * ops.exp(math.log(n)))
    assert f(2.0, 3).data == pytest.approx(6.0, rel=1e-15)


def test_a_value_that_leaks_from_a_recording_is_no_number() -> None:
    keep, kept = noting()
    lift(lambda x: keep(x * 2) or x)(1.0)
    with pytest.raises(LiftError):
        float(kept[0])
    with pytest.raises(LiftError):
        lift(lambda y: y * kept[0])(1.0)
