"""Losses and their parts as plain functions of Values: what `torch.nn.functional` is to tensors.

An argument is an array of Values (a NumPy array of dtype object, or nested lists) or of floats, in
any mix. No result depends on a Value's number other than through an operation, so every function
can be recorded by `lift`. Read `softmax` first: its shift is why scores of 1e4 do no harm.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from micrograd import engine, fast, modes, ops
from micrograd.engine import Value
from micrograd.op import Op
from micrograd.reals import describe

__all__ = [
    "linear", "softmax", "log_softmax", "cross_entropy", "nll_loss",
    "binary_cross_entropy_with_logits", "mse_loss", "hinge_loss", "one_hot", "take", "dot",
]  # fmt: skip

Inputs = tuple[Value, ...]
# logits may be infinite (a mask) or nan: the results say so, as one Value's do, without a warning
silently = np.errstate(all="ignore")


# --- products -------------------------------------------------------------------------------------


def dot(xs: Any, ws: Any, bias: Any = None) -> Any:
    """x1*w1 + ... + xn*wn (+ bias) as one node, where operators would record 2n."""
    xs, ws = list(xs), list(ws)
    if len(xs) != len(ws) or not xs:
        raise ValueError(f"dot takes as many xs as ws, at least one; got {len(xs)} and {len(ws)}")
    inputs = (*xs, *ws) if bias is None else (*xs, *ws, bias)
    op = ops.dot_op(len(xs), bias is not None)
    if any(isinstance(x, Value) for x in inputs):
        return engine.record(op, *_values(inputs))
    return op(*inputs)


@silently
def linear(x: Any, weight: Any, bias: Any = None) -> np.ndarray:
    """y = x @ weight.T + bias, one `dot` node an output.

    As torch.nn.functional.linear: x (..., nin), weight (nout, nin), bias (nout,) give (..., nout).
    """
    x, weight = as_array(x), as_array(weight)
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear takes x of shape (..., nin) and weight (nout, nin); "
            f"got {x.shape} and {weight.shape}"
        )
    nout, nin = weight.shape
    bias = None if bias is None else as_array(bias)
    if bias is not None and bias.shape != (nout,):
        raise ValueError(f"linear takes a bias of shape ({nout},), one an output; got {bias.shape}")
    if not any(a is not None and a.dtype == object for a in (x, weight, bias)):
        product: np.ndarray = x @ weight.T if bias is None else x @ weight.T + bias
        return product
    # each row is made a tuple once and shared by all its dots: joining two tuples is one copy in C
    columns = [weight] if bias is None else [weight, bias[:, np.newaxis]]
    tails = _rows(np.concatenate(columns, axis=1))
    rows = _rows(x.reshape(-1, nin))
    dots = _dots(ops.dot_op(nin, bias is not None), rows, tails)
    return _object_array(dots, (*x.shape[:-1], nout))


def _dots(op: Op, rows: list[Inputs], tails: list[Inputs]) -> list[Value]:
    """`engine.record(op, *row, *tail)` for each row and tail."""
    mode = modes.current_mode()
    traced = mode.dots(rows, tails)
    if traced is not NotImplemented:  # a recording reads each row and each tail once
        return traced  # type: ignore[no-any-return]
    if mode is not modes.eager:
        return [engine.record(op, *row, *tail) for row in rows for tail in tails]
    # the same, but each number is read once and not once a dot: reading a parameter that lives in a
    # store takes 0.15 us (a network of 3,873 parameters at batch 32: 50 ms forward, not 70)
    read = [([v._data for v in row], row) for row in rows]
    tails_read = [([v._data for v in tail], tail) for tail in tails]
    return [
        fast.node(op, row + tail, op.number(*xs, *ws))
        for xs, row in read
        for ws, tail in tails_read
    ]


# --- from scores to probabilities -----------------------------------------------------------------


@silently
def softmax(logits: Any, axis: int = -1, *, dim: int | None = None) -> np.ndarray:
    """p_i = exp(z_i - m) / sum_j exp(z_j - m), where m = max z is held constant.

    `dim` is PyTorch's name for `axis`.
    """
    axis = axis if dim is None else dim
    exponentials = ops.exp(_shifted(logits, axis))
    probabilities: np.ndarray = exponentials * exponentials.sum(axis=axis, keepdims=True) ** -1
    return probabilities


@silently
def log_softmax(logits: Any, axis: int = -1, *, dim: int | None = None) -> np.ndarray:
    """log p_i = z_i - m - log sum_j exp(z_j - m), where m = max z is held constant.

    `dim` is PyTorch's name for `axis`.
    """
    axis = axis if dim is None else dim
    shifted = _shifted(logits, axis)
    log_probabilities: np.ndarray = shifted + -ops.log(
        ops.exp(shifted).sum(axis=axis, keepdims=True)
    )
    return log_probabilities


_pairwise_maximum = np.frompyfunc(ops.maximum, 2, 1)
_detach = np.frompyfunc(lambda x: x.detach() if isinstance(x, Value) else x, 1, 1)


def _shifted(logits: Any, axis: int) -> Any:
    """z - max z: at most 0, so that exp cannot overflow; no gradient flows through the maximum."""
    logits = as_array(logits)
    if logits.ndim == 0 or logits.shape[axis] == 0:
        raise ValueError(
            f"softmax takes at least one score along axis {axis}, got shape {logits.shape}"
        )
    if logits.dtype == object:
        return logits + -_detach(_pairwise_maximum.reduce(logits, axis=axis, keepdims=True))
    return ops.add(logits, -logits.max(axis=axis, keepdims=True))


# --- losses ---------------------------------------------------------------------------------------


@silently
def cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """loss = -log softmax(z)[target]: `nll_loss` of `log_softmax`, with fewer nodes.

    logits (..., classes), the classes on the last axis; integer targets (...).
    """
    shifted = _shifted(logits, -1)
    log_sum = ops.log(ops.exp(shifted).sum(axis=-1))
    return _reduce(log_sum + -_pick(shifted, targets), reduction)


@silently
def nll_loss(log_probabilities: Any, targets: Any, reduction: str = "mean") -> Any:
    """loss = -log p[target], for log p (..., classes) and integer targets (...)."""
    return _reduce(-_pick(as_array(log_probabilities), targets), reduction)


@silently
def binary_cross_entropy_with_logits(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """loss = (1 - y) z + softplus(-z), which is -y log p - (1 - y) log(1 - p) for p = sigmoid(z).

    Targets y are numbers from 0 to 1.
    """
    logits, targets = _same_shape("logits", logits, "targets", targets)
    if targets.dtype != object:
        _require(targets, (targets >= 0) & (targets <= 1), "target", "a number from 0 to 1")
    return _reduce((1 - targets) * logits + ops.softplus(-logits), reduction)


@silently
def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """loss = (prediction - target)**2."""
    predictions, targets = _same_shape("predictions", predictions, "targets", targets)
    return _reduce((predictions - targets) ** 2, reduction)


@silently
def hinge_loss(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """loss = max(0, 1 - y s), for labels y of -1 or 1."""
    scores, targets = _same_shape("scores", scores, "targets", targets)
    if targets.dtype != object:
        _require(targets, np.abs(targets) == 1, "target", "-1 or 1")
    return _reduce(ops.relu(1 + -targets * scores), reduction)


def _reduce(losses: Any, reduction: str) -> Any:
    losses = np.asarray(losses)
    if reduction == "none":
        return losses[()]
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    if losses.size == 0:
        raise ValueError(f"the {reduction} of no losses: the batch is empty, shape {losses.shape}")
    total = losses.sum()
    return total if reduction == "sum" else total * (1 / losses.size)


# --- indices --------------------------------------------------------------------------------------


def take(array: Any, index: Any, axis: int = 0) -> Any:
    """np.take(array, index, axis), for integers 0 <= index < n in an array of any shape."""
    chosen = modes.current_mode().take(array, index, axis)  # lift may know the index as traced
    if chosen is not NotImplemented:
        return chosen
    array = as_array(array)
    return np.take(array, _indices(index, array.shape[axis], "index"), axis=axis)


def one_hot(index: Any, n: int | None = None, *, num_classes: int | None = None) -> np.ndarray:
    """1 at the index and 0 elsewhere: integers of shape (...) give (..., n).

    `num_classes` is PyTorch's name for `n`. Unlike there it must be given.
    """
    classes = [k for k in (n, num_classes) if k is not None]
    if len(classes) != 1:
        raise TypeError("one_hot wants the number of classes: one_hot(index, 27)")
    index, n = np.asarray(index), operator.index(classes[0])
    if index.dtype == object:
        traced: np.ndarray = ops.equal(index[..., np.newaxis], np.arange(n, dtype=float))
        return traced
    hot = np.zeros((*index.shape, n))
    np.put_along_axis(hot, _indices(index, n, "index")[..., np.newaxis], 1.0, axis=-1)
    return hot


def _pick(rows: Any, targets: Any) -> Any:
    """rows[..., target]: one element of each row along the last axis."""
    targets = np.asarray(targets)
    classes = rows.shape[-1]
    if targets.shape != rows.shape[:-1]:
        raise ValueError(
            f"scores of shape {rows.shape} (classes last) need targets of shape {rows.shape[:-1]}, "
            f"one an example; got {targets.shape}"
        )
    if targets.dtype == object:  # traced integers: one gather a row
        flat = zip(rows.reshape(-1, classes), targets.flat, strict=True)
        return _object_array([take(row, target) for row, target in flat], targets.shape)
    chosen = _indices(targets, classes, "target")[..., np.newaxis]
    return np.take_along_axis(rows, chosen, axis=-1)[..., 0]


def _indices(index: Any, n: int, what: str) -> np.ndarray:
    """The integers, or an error that names the first that is none or lies outside 0..n-1."""
    array = np.asarray(index)
    if array.dtype.kind not in "iu":
        raise TypeError(f"expected integers from 0 to {n - 1} as {what}, got {describe(index)}")
    _require(array, (array >= 0) & (array < n), what, f"an integer from 0 to {n - 1}", IndexError)
    return array


def _require(
    array: np.ndarray, valid: Any, what: str, expected: str, error: type[Exception] = ValueError
) -> None:
    if not np.all(valid):
        where = tuple(int(i) for i in np.argwhere(~np.atleast_1d(valid))[0])
        value = np.atleast_1d(array)[where]
        raise error(f"{what} {value} at position {', '.join(map(str, where))} is not {expected}")


# --- arrays of Values and floats ------------------------------------------------------------------


def as_array(x: Any) -> Any:
    """An array of dtype object (Values) or float64 of a list, an array or one number."""
    array = np.asarray(x)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64, copy=False)
    if array.dtype != object:
        raise TypeError(f"expected Values or real numbers, got {describe(x)}")
    return modes.current_mode().floats(array)


def _values(numbers: Any) -> list[Value]:
    return [x if isinstance(x, Value) else Value(x) for x in numbers]


def _rows(matrix: np.ndarray) -> list[Inputs]:
    return [tuple(_values(row)) for row in matrix.tolist()]


def _object_array(items: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)


def _same_shape(a_name: str, a: Any, b_name: str, b: Any) -> tuple[Any, Any]:
    a, b = as_array(a), as_array(b)
    if a.shape != b.shape:  # broadcasting (N, 1) against (N,) would silently compare all with all
        raise ValueError(f"{a_name} are of shape {a.shape}, {b_name} of {b.shape}; they must agree")
    return a, b
