"""NumPy is the tensor library: what works on arrays of Values, and which traps are clear errors.

Where NumPy asks for floats it gets them and the graph is lost; those places are named here, too.

Covers `arrays.py`.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest
import torch

import micrograd
from micrograd import Value, grads, numbers, values
from micrograd.arrays import Element


def assert_like_torch(f: Any, *arrays: Any, torch_f: Any = None) -> None:
    """f on arrays of Values: numbers and gradients as f (or torch_f) on tensors."""
    mine = [values(a) for a in arrays]
    theirs = [torch.tensor(np.asarray(a, float), requires_grad=True) for a in arrays]
    got, want = f(*mine), (torch_f or f)(*theirs)
    assert numbers(got) == pytest.approx(want.detach().numpy(), rel=1e-9)
    total = got if isinstance(got, Value) else got.sum()
    total.backward()
    want.sum().backward()
    for m, t in zip(mine, theirs, strict=True):
        assert grads(m) == pytest.approx(t.grad.numpy(), rel=1e-9)


A = [[1.0, -2.0, 3.0], [0.5, 0.25, -1.5]]
B = [[2.0, 1.0], [-1.0, 0.5], [3.0, 4.0]]
ROW = [10.0, 20.0, 30.0]


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_arithmetic_broadcasts(operation: Any) -> None:
    assert_like_torch(operation, A, ROW)
    floats = np.array(ROW)
    assert_like_torch(
        lambda a: operation(a, floats if a.dtype == object else torch.tensor(floats)), A
    )
    assert_like_torch(
        lambda a: operation(floats if a.dtype == object else torch.tensor(floats), a), A
    )
    assert_like_torch(lambda a: operation(a, 2.0), A)
    assert_like_torch(lambda a: operation(2, a), A)


def test_matrix_products() -> None:
    assert_like_torch(operator.matmul, A, B)
    assert_like_torch(
        lambda a: a @ (np.array(ROW) if a.dtype == object else torch.tensor(ROW).double()), A
    )
    assert_like_torch(np.dot, A, B, torch_f=torch.matmul)
    assert_like_torch(lambda a, b: np.einsum("ij,jk->ik", a, b), A, B, torch_f=torch.matmul)
    assert_like_torch(np.outer, ROW, [1.0, 2.0], torch_f=torch.outer)


@pytest.mark.parametrize(
    ("axis", "keepdims"), [(None, False), (0, False), (1, False), (0, True), (1, True)]
)
def test_reductions(axis: int | None, keepdims: bool) -> None:
    dims = {} if axis is None else {"dim": axis, "keepdim": keepdims}
    options = {"axis": axis, "keepdims": keepdims}
    population = {**dims, "correction": 0}
    for name in ("sum", "mean"):
        assert_like_torch(
            lambda a, n=name: getattr(a, n)(**options), A,
            torch_f=lambda a, n=name: getattr(a, n)(**dims),
        )  # fmt: skip
    assert_like_torch(lambda a: a.var(**options), A, torch_f=lambda a: a.var(**population))
    assert_like_torch(lambda a: a.std(**options), A, torch_f=lambda a: a.std(**population))
    one_less = {**dims, "correction": 1}
    assert_like_torch(lambda a: a.var(ddof=1, **options), A, torch_f=lambda a: a.var(**one_less))


def test_other_reductions_and_orders() -> None:
    assert_like_torch(lambda a: a.prod(), A)
    assert_like_torch(lambda a: a.max(), A)
    assert_like_torch(lambda a: a.min(axis=0), A, torch_f=lambda a: a.min(dim=0).values)
    assert_like_torch(lambda a: np.sort(a, axis=1), A, torch_f=lambda a: a.sort(dim=1).values)
    assert_like_torch(lambda a: np.cumsum(a), A, torch_f=lambda a: a.flatten().cumsum(0))
    assert values(A).argmax() == 2 and values(A).argsort(axis=1)[0].tolist() == [1, 0, 2]
    assert_like_torch(np.median, ROW, torch_f=torch.median)
    assert_like_torch(np.linalg.norm, A, torch_f=torch.linalg.norm)


@pytest.mark.parametrize(
    "name", ["exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "absolute", "negative", "square"]
)
def test_functions_by_numpys_name(name: str) -> None:
    positive = np.abs(A)
    f, torch_f = getattr(np, name), getattr(torch, name)
    assert_like_torch(f, positive, torch_f=torch_f)
    single = f(Value(0.5))
    assert isinstance(single, Value)
    assert math.isclose(single.data, torch_f(torch.tensor(0.5, dtype=torch.float64)).item())


def test_powers() -> None:
    positive = np.abs(A)
    assert_like_torch(lambda a: a**2, A)
    assert_like_torch(lambda a: a**0.5, positive)
    assert_like_torch(lambda a: 2**a, A)
    assert_like_torch(operator.pow, positive, ROW)
    assert_like_torch(np.reciprocal, A, torch_f=torch.reciprocal)


def test_indexing_shaping_and_joining_keep_the_graph() -> None:
    index = np.array([1, 0, 1])
    assert_like_torch(lambda a: a[index if a.dtype == object else torch.tensor(index)], A)
    assert_like_torch(lambda a: a[[0, 1, 1], [2, 0, 0]], A)
    assert_like_torch(lambda a: a[:, ::2], A)
    assert_like_torch(lambda a: a.T.reshape(2, 3)[0] * 2, A)
    mask = np.array(A) > 0
    assert_like_torch(lambda a: a[mask if a.dtype == object else torch.tensor(mask)], A)
    assert_like_torch(
        lambda a, b: np.concatenate([a, b.T]), A, B, torch_f=lambda a, b: torch.cat([a, b.T])
    )
    assert_like_torch(lambda a: np.stack([a, a]), A, torch_f=lambda a: torch.stack([a, a]))
    array = values(A)
    array[0, 0] = Value(7.0)
    array[1] += 1
    assert numbers(array)[0, 0] == 7.0 and numbers(array)[1].tolist() == [1.5, 1.25, -0.5]


def test_one_value_with_an_array_on_either_side() -> None:
    floats = np.array([1.0, 2.0])
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        v = Value(3.0)
        for got, want in (
            (operation(v, floats), operation(3.0, floats)),
            (operation(floats, v), operation(floats, 3.0)),
        ):
            assert got.dtype == object and numbers(got) == pytest.approx(want, rel=1e-12)
        row = values([1.0, 2.0])
        assert numbers(operation(v, row)) == pytest.approx(operation(3.0, floats), rel=1e-12)
        assert numbers(operation(row, v)) == pytest.approx(operation(floats, 3.0), rel=1e-12)


@pytest.mark.parametrize(
    "scalar",
    [np.float64(2), np.float32(2), np.int64(2), np.uint8(2), np.bool_(True), np.longdouble(2)],
    ids=lambda s: type(s).__name__,
)
def test_numpy_scalars_on_either_side(scalar: Any) -> None:
    number = float(scalar)
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        for left, right in ((Value(3.0), scalar), (scalar, Value(3.0))):
            result = operation(left, right)
            want = operation(*(number if x is scalar else 3.0 for x in (left, right)))
            assert isinstance(result, Value) and type(result.data) is float
            assert math.isclose(result.data, want, rel_tol=1e-12)
    assert (Value(3.0) > scalar) and (scalar < Value(3.0))


def test_unsigned_and_bool_arrays_are_subtracted_as_numbers() -> None:
    v = Value(2.0)
    assert numbers(v - np.array([1, 3], dtype=np.uint8)).tolist() == [1.0, -1.0]
    assert numbers(np.array([1, 3], dtype=np.uint8) - v).tolist() == [-1.0, 1.0]
    assert numbers(v - np.array([True, False])).tolist() == [1.0, 2.0]
    assert (v - np.uint8(3)).data == -1.0
    assert numbers(v * np.array([1, 2], dtype=np.longdouble)).tolist() == [2.0, 4.0]


def test_zero_dimensional_arrays() -> None:
    v = Value(3.0)
    for zero_d in (np.array(2.0), np.array(2), np.array(Value(2.0))):
        assert numbers(v * zero_d) == 6.0 and numbers(zero_d * v) == 6.0
        assert numbers(v - zero_d) == 1.0 and numbers(v**zero_d) == 9.0
    assert np.array(v).dtype == object and np.array(v).item() is v
    assert np.sum(v) is v or np.sum(v).data == 3.0
    assert np.add.outer(v, v).data == 6.0


def test_single_values_overflow_in_silence_as_in_torch() -> None:
    huge = Value(1e308)
    assert (np.float64(10) * huge).data == math.inf and np.exp(Value(1000.0)).data == math.inf
    assert np.log(Value(0.0)).data == -math.inf


# --- the traps ------------------------------------------------------------------------------------


def test_maximum_and_clip_choose_by_comparing() -> None:
    assert_like_torch(lambda a: np.maximum(a, 0), A, torch_f=torch.relu)
    assert_like_torch(lambda a: np.clip(a, -1, 1), A, torch_f=lambda a: a.clip(-1, 1))
    assert_like_torch(lambda a: np.minimum(a, 0.1), A, torch_f=lambda a: a.clip(max=0.1))
    tie = values([0.0, math.nan])
    with np.errstate(invalid="ignore"):
        chosen = np.maximum(tie, 0)
    assert chosen[0] is tie[0]  # the whole gradient to one side, where torch halves it
    assert chosen[1] == 0  # nan is lost, where torch keeps it
    followed = micrograd.maximum(tie, 0)
    followed[0].backward()
    assert tie[0].grad == 0.5 and math.isnan(followed[1].data)
    single = np.maximum(Value(0.0), 0.0)
    assert single._op == "maximum"
    assert numbers(np.maximum(Value(2.0), [1.0, 3.0])).tolist() == [2.0, 3.0]


def test_equality_is_identity() -> None:
    array = values([0.0, 1.0])
    assert (array == 0).tolist() == [False, False]
    assert (array == array.copy()).tolist() == [True, True]
    assert (numbers(array) == 0).tolist() == [True, False]


def test_comparisons_and_truth_read_the_numbers() -> None:
    array = values([-1.0, 0.0, 2.0])
    assert (array > 0).tolist() == [False, False, True] and (array > 0).dtype == bool
    assert (array <= 0).tolist() == [True, True, False]
    assert np.count_nonzero(array) == 2 and np.nonzero(array)[0].tolist() == [0, 2]
    assert not array.all() and array.any()
    assert np.where(array > 0, array, 0.0)[2] is array[2]


def test_a_float_array_takes_the_number_and_loses_the_graph() -> None:
    v = Value(3.0) * 2
    zeros = np.zeros(2)
    zeros[0] = v  # NumPy asks float(v) and cannot be told no: the docstring of Value says so
    assert zeros.tolist() == [6.0, 0.0]
    for trap in ("np.zeros(2)[0] = v", "math.exp(v)", "np.interp(v", "np.gradient(A)"):
        for text in (Value.__doc__, Element.__doc__):
            assert trap in str(text)
    assert values([1.0, 2.0]).astype(float).tolist() == [1.0, 2.0]
    assert np.array([v], dtype=float).tolist() == [6.0]
    for lost in (math.exp(v), np.interp(v, [0.0, 10.0], [0.0, 1.0]), *np.gradient(values([1, 4]))):
        assert isinstance(lost, float)
    A = values([1.0, 4.0, 9.0])
    kept = [*(A[1:] - A[:-1]), v.exp()]
    assert all(isinstance(x, Value) and x._prev for x in kept)


def test_adding_into_a_float_array_is_refused_by_numpy() -> None:
    zeros = np.zeros(2)
    with pytest.raises(TypeError, match=r"Cannot cast ufunc 'add' output from dtype\('O'\)"):
        zeros += Value(1.0)
    with pytest.raises(TypeError, match="Cannot cast"):
        np.multiply(Value(1.0), 2.0, out=zeros)
    assert zeros.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("f", [np.isnan, np.isfinite, np.isinf, np.logaddexp, np.floor_divide])
def test_what_numpy_cannot_do_with_objects_is_a_type_error(f: Any) -> None:
    arguments = [values(A)] * f.nin
    with pytest.raises(TypeError):
        f(*arguments)
    with pytest.raises(TypeError):
        f(*[Value(1.0)] * f.nin)
    assert not np.isnan(numbers(values(A))).any()


@pytest.mark.parametrize("name", ["arctan", "log1p", "rint", "sinh"])
def test_a_function_that_values_lack_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=f"Value which has no callable {name} method"):
        getattr(np, name)(values(A))
    with pytest.raises(TypeError, match=f"Value which has no callable {name} method"):
        getattr(np, name)(Value(1.0))


@pytest.mark.parametrize(
    "wrong",
    [np.array([1j]), np.array(["a"]), np.array([None]), np.clongdouble(1), np.datetime64("2020")],
)
def test_arrays_of_what_is_no_real_number_are_refused(wrong: Any) -> None:
    v = Value(2.0)
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv):
        with pytest.raises(TypeError):
            operation(v, wrong)
        with pytest.raises(TypeError):
            operation(wrong, v)


def test_a_matmul_with_a_single_value_is_refused() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) @ Value(2.0)


# --- the update of the videos, written for arrays -------------------------------------------------


def descended(W: np.ndarray, steps: int) -> np.ndarray:
    for _ in range(steps):
        (W**2).sum().backward()
        W -= 0.1 * grads(W)
    return W


def test_an_update_that_makes_the_graph_longer_is_told_what_to_write() -> None:
    assert descended(values([1.0, 2.0]), 2)[0]._prev  # no leaf any more; two steps say nothing yet
    with pytest.warns(UserWarning, match=r"w\.data -= lr \* w\.grad or use micrograd\.optim\.SGD"):
        descended(values([1.0, 2.0]), 3)


def test_sums_of_three_leaves_are_read_without_a_word() -> None:
    word, place, kind = (values([1.0, 2.0]) for _ in range(3))
    for v in (*word, *place, *kind):
        v._learns = True  # as those of nn.Embedding
    total = word + place + kind
    total.sum().backward()
    assert (grads(total) == 1.0).all()
    named = Value(1.0, label="a") + Value(2.0, label="b") + Value(3.0, label="c")
    named.backward()
    assert grads(np.array([named]))[0] == 1.0
    assert grads([]).shape == (0,) and grads(np.zeros(2)).tolist() == [0.0, 0.0]
