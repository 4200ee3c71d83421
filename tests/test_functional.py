"""functional: each loss and its parts equal PyTorch's, at scores of 1e4 too; errors name values."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import given
from hypothesis import strategies as st
from oracle import same
from versus_torch import agree, close, values

from micrograd import Value, grad, grads, lift, modes, nn, numbers
from micrograd import functional as F
from micrograd.op import Op

REDUCTIONS = ["mean", "sum", "none"]
seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([1e-3, 1.0, 30.0, 1e4])


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


# --- products -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [(), (1,), (4,), (2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_agrees_for_any_leading_axes(lead: tuple[int, ...], bias: bool) -> None:
    arrays = [normal(*lead, 5, seed=1), normal(3, 5, seed=2)] + [normal(3, seed=3)] * bias
    agree(F.linear, TF.linear, *arrays)


@given(nin=st.integers(1, 6), nout=st.integers(1, 6), seed=seeds)
def test_linear_records_one_node_an_output(nin: int, nout: int, seed: int) -> None:
    x, w, b = normal(nin, seed=seed), normal(nout, nin, seed=seed), normal(nout, seed=seed)
    y, _ = agree(F.linear, TF.linear, x, w, b)
    assert [v._op for v in y] == ["dot"] * nout
    assert all(len(v._prev) == 2 * nin + 1 for v in y)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("nin", [1, 2, 5])
def test_linear_records_exactly_what_dot_records(nin: int, bias: bool) -> None:
    x, w = values(normal(3, nin)), values(normal(2, nin, seed=1))
    b = values(normal(2, seed=2)) if bias else [None, None]
    for row, outputs in zip(x, F.linear(x, w, b if bias else None), strict=True):
        for y, ws, start in zip(outputs, w, b, strict=True):
            dot = F.dot(row, ws, start)
            assert (y.data, y._rule, y._prev) == (dot.data, dot._rule, dot._prev)


def test_linear_of_floats_alone_is_floats() -> None:
    y = F.linear([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [1.0, 0.0])
    assert y.dtype == np.float64
    assert y.tolist() == [[12.0, 17.0]]


def test_linear_takes_floats_beside_values() -> None:
    y = F.linear([1, 2], values([[3.0, 4.0]]))
    assert numbers(y).tolist() == [11.0]


@pytest.mark.parametrize(
    ("x", "w", "b", "named"),
    [
        (np.ones(3), np.ones((2, 4)), None, r"\(3,\) and \(2, 4\)"),
        (np.ones(4), np.ones(4), None, r"\(4,\) and \(4,\)"),
        (1.0, np.ones((2, 1)), None, r"\(\) and \(2, 1\)"),
        (np.ones(4), np.ones((2, 4)), np.ones(4), r"\(2,\).*got \(4,\)"),
    ],
)
def test_linear_refuses_shapes_that_do_not_fit(x: Any, w: Any, b: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        F.linear(x, w, b)


def test_dot_is_one_node() -> None:
    xs, ws, b = [Value(1), Value(2)], [Value(3), Value(4)], Value(5)
    y = F.dot(xs, ws, b)
    assert (y.data, y._op, y._prev) == (16.0, "dot", (*xs, *ws, b))
    y.backward()
    assert [v.grad for v in y._prev] == [3.0, 4.0, 1.0, 2.0, 1.0]
    assert F.dot(xs, [3, 4]).data == 11.0
    assert F.dot([1, 2], [3, 4]) == 11.0
    assert F.dot(xs, xs).data == 5.0


@pytest.mark.parametrize(("xs", "ws"), [([1.0], [1.0, 2.0]), ([], [])])
def test_dot_refuses_unequal_or_empty(xs: list[float], ws: list[float]) -> None:
    with pytest.raises(ValueError, match=f"got {len(xs)} and {len(ws)}"):
        F.dot(xs, ws)


# --- softmax --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"), [(F.softmax, torch.softmax), (F.log_softmax, torch.log_softmax)]
)
@given(
    n=st.integers(1, 4),
    classes=st.integers(1, 6),
    axis=st.sampled_from([0, 1, -1]),
    scale=scales,
    seed=seeds,
)
def test_softmax_agrees_along_any_axis(
    ours: Any, theirs: Any, n: int, classes: int, axis: int, scale: float, seed: int
) -> None:
    z = normal(n, classes, seed=seed, scale=scale)
    agree(lambda x: ours(x, axis=axis), lambda x: theirs(x, dim=axis), z)
    close(ours(z, axis=axis), theirs(torch.tensor(z), dim=axis))


def test_softmax_with_equal_largest_scores_has_torch_gradient() -> None:
    agree(F.softmax, lambda x: torch.softmax(x, -1), [[2.0, 2.0, 1.0], [0.0, 0.0, 0.0]])


def test_softmax_at_scores_of_ten_thousand() -> None:
    z = values([1e4, -1e4, 0.0])
    assert numbers(F.softmax(z)).tolist() == [1.0, 0.0, 0.0]
    assert numbers(F.log_softmax(z)).tolist() == [0.0, -2e4, -1e4]


def test_softmax_of_masked_scores_ignores_them() -> None:
    z = np.array([Value(1.0), float("-inf"), Value(2.0)], dtype=object)
    p = F.softmax(z)
    close(p, torch.softmax(torch.tensor([1.0, -np.inf, 2.0], dtype=torch.float64), 0))


def test_softmax_has_second_derivatives() -> None:
    z = values([0.3, -0.2, 0.9])
    p = F.softmax(z)[0]
    first = grad(p, list(z), create_graph=True)
    second = [[h.data for h in grad(g, list(z))] for g in first]
    want = torch.autograd.functional.hessian(
        lambda t: torch.softmax(t, 0)[0], torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64)
    )
    close(np.array(second), want)


def test_softmax_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(2, 0\)"):
        F.softmax(np.zeros((2, 0)))


# --- losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@given(n=st.integers(1, 5), classes=st.integers(1, 5), scale=scales, seed=seeds)
def test_cross_entropy_agrees(
    reduction: str, n: int, classes: int, scale: float, seed: int
) -> None:
    z = normal(n, classes, seed=seed, scale=scale)
    t = np.random.default_rng(seed).integers(0, classes, n)
    agree(
        lambda x: F.cross_entropy(x, t, reduction),
        lambda x: TF.cross_entropy(x, torch.tensor(t), reduction=reduction),
        z,
    )
    agree(
        lambda x: F.nll_loss(x, t, reduction),
        lambda x: TF.nll_loss(x, torch.tensor(t), reduction=reduction),
        z,
    )
    close(
        F.cross_entropy(z, t, reduction),
        TF.cross_entropy(torch.tensor(z), torch.tensor(t), reduction=reduction),
    )


def test_cross_entropy_of_one_example_and_of_sequences() -> None:
    z = normal(2, 3, 4)
    t = np.array([[0, 1, 2], [3, 0, 1]])
    agree(lambda x: F.cross_entropy(x, 2), lambda x: TF.cross_entropy(x, torch.tensor(2)), z[0, 0])
    agree(  # the classes are on our last axis, on PyTorch's second
        lambda x: F.cross_entropy(x, t),
        lambda x: TF.cross_entropy(x.transpose(1, 2), torch.tensor(t)),
        z,
    )


def test_cross_entropy_of_a_certain_answer_at_ten_thousand() -> None:
    z = values([[1e4, -1e4], [1e4, -1e4]])
    losses = F.cross_entropy(z, [0, 1], "none")
    assert numbers(losses).tolist() == [0.0, 2e4]
    losses.sum().backward()
    assert grads(z).tolist() == [[0.0, 0.0], [1.0, -1.0]]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@given(shape=st.sampled_from([(), (1,), (4,), (2, 3)]), scale=scales, seed=seeds)
def test_binary_cross_entropy_agrees(
    reduction: str, shape: tuple[int, ...], scale: float, seed: int
) -> None:
    z = normal(*shape, seed=seed, scale=scale)
    y = np.random.default_rng(seed).choice([0.0, 0.3, 1.0], shape)
    agree(
        lambda x: F.binary_cross_entropy_with_logits(x, y, reduction),
        lambda x: TF.binary_cross_entropy_with_logits(x, torch.tensor(y), reduction=reduction),
        z,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@given(shape=st.sampled_from([(), (1,), (4,), (2, 3)]), seed=seeds)
def test_mse_agrees_in_both_arguments(reduction: str, shape: tuple[int, ...], seed: int) -> None:
    agree(
        lambda a, b: F.mse_loss(a, b, reduction),
        lambda a, b: TF.mse_loss(a, b, reduction=reduction),
        normal(*shape, seed=seed),
        normal(*shape, seed=seed + 1),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@given(n=st.integers(1, 6), scale=scales, seed=seeds)
def test_hinge_agrees(reduction: str, n: int, scale: float, seed: int) -> None:
    s, y = normal(n, seed=seed, scale=scale), np.random.default_rng(seed).choice([-1, 1], n)

    def theirs(x: torch.Tensor) -> torch.Tensor:
        losses = (1 - torch.tensor(y) * x).clamp(min=0)
        return losses if reduction == "none" else getattr(losses, reduction)()

    agree(lambda x: F.hinge_loss(x, y, reduction), theirs, s)


def test_hinge_at_its_kink_passes_no_gradient() -> None:
    s = Value(1.0)
    F.hinge_loss([s], [1]).backward()
    assert s.grad == 0.0


def test_losses_take_lists_of_values_as_a_network_gives_them() -> None:
    scores = [Value(0.5), Value(-2.0)]
    loss = F.hinge_loss(scores, [1, -1])
    assert isinstance(loss, Value)
    assert loss.data == 0.25
    loss.backward()
    assert [s.grad for s in scores] == [-0.5, 0.0]


@pytest.mark.parametrize("t", [-1, 3, 10**12])
@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_a_target_out_of_range_is_named_with_the_range(loss: Any, t: int) -> None:
    with pytest.raises(IndexError, match=f"target {t} at position 1 is not an integer from 0 to 2"):
        loss(normal(2, 3), [0, t])


@pytest.mark.parametrize("targets", [[0.0, 1.0], [True, False], ["a", "b"]])
def test_targets_that_are_no_integers_are_refused(targets: list[Any]) -> None:
    with pytest.raises(TypeError, match="expected integers from 0 to 2 as target"):
        F.cross_entropy(normal(2, 3), targets)


def test_a_value_is_no_index() -> None:
    with pytest.raises(TypeError, match="expected integers from 0 to 2 as index, got Value"):
        F.cross_entropy(values(normal(1, 3)), [Value(1)])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: F.cross_entropy(normal(2, 3), [0]), r"\(2, 3\).*shape \(2,\).*got \(1,\)"),
        (lambda: F.mse_loss(normal(3, 1), normal(3)), r"\(3, 1\).*\(3,\)"),
        (lambda: F.hinge_loss([0.5, 1.0], [1, 0]), "target 0.0 at position 1 is not -1 or 1"),
        (
            lambda: F.binary_cross_entropy_with_logits([[0.5, 1.0]], [[1, 1.5]]),
            "target 1.5 at position 0, 1 is not a number from 0 to 1",
        ),
        (lambda: F.binary_cross_entropy_with_logits([0.0], [np.nan]), "target nan at position 0"),
        (lambda: F.mse_loss([1.0], [1.0], "average"), "'mean', 'sum' or 'none', got 'average'"),
        (lambda: F.mse_loss([], []), "the mean of no losses"),
    ],
)
def test_bad_losses_say_what_was_given(call: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()


def test_text_is_refused() -> None:
    with pytest.raises(TypeError, match="expected Values or real numbers, got list"):
        F.softmax(["a", "b"])


# --- indices --------------------------------------------------------------------------------------


@given(shape=st.sampled_from([(), (3,), (2, 2)]), axis=st.sampled_from([0, 1, -1]), seed=seeds)
def test_take_is_numpys_and_gives_the_values_themselves(
    shape: tuple[int, ...], axis: int, seed: int
) -> None:
    A = values(normal(4, 4, seed=seed))
    index = np.random.default_rng(seed).integers(0, 4, shape)
    got = F.take(A, index, axis=axis)
    want = np.take(A, index, axis=axis)
    assert got.shape == want.shape
    assert all(a is b for a, b in zip(got.flat, want.flat, strict=True))


@pytest.mark.parametrize("index", [-1, 4])
def test_take_names_an_index_out_of_range(index: int) -> None:
    with pytest.raises(IndexError, match=f"index {index} at position 0 is not .* from 0 to 3"):
        F.take(normal(4, 2), index)


@given(shape=st.sampled_from([(), (3,), (2, 2)]), n=st.integers(1, 5), seed=seeds)
def test_one_hot_agrees(shape: tuple[int, ...], n: int, seed: int) -> None:
    index = np.random.default_rng(seed).integers(0, n, shape)
    got = F.one_hot(index, n)
    assert got.dtype == np.float64
    assert np.array_equal(got, TF.one_hot(torch.tensor(index), n).numpy())


def test_pytorchs_names_are_taken() -> None:
    scores = values(np.arange(6.0).reshape(2, 3))
    for function in (F.softmax, F.log_softmax):
        by_name, by_axis = function(scores, dim=0), function(scores, axis=0)
        assert (numbers(by_name) == numbers(by_axis)).all()
    hot = F.one_hot(np.array([2, 0]), num_classes=3)
    assert hot.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    for wrong in (dict[str, int](), {"n": 3, "num_classes": 3}):
        with pytest.raises(TypeError, match=r"the number of classes: one_hot\(index, 27\)"):
            F.one_hot(np.array([2, 0]), **wrong)


def test_one_hot_names_an_index_out_of_range() -> None:
    with pytest.raises(IndexError, match="index 3 at position 1 is not an integer from 0 to 2"):
        F.one_hot([0, 3], 3)


# --- what recording asks for ----------------------------------------------------------------------


class Sealed(Value):
    """A Value that will not tell its number, as while a function is being recorded."""

    __slots__ = ()

    def __float__(self) -> float:
        raise AssertionError("the number of a Value was read")

    def __lt__(self, other: Any) -> Any:
        raise AssertionError("a Value was compared")

    __le__ = __gt__ = __ge__ = __lt__

    def __bool__(self) -> bool:
        raise AssertionError("a Value was asked for its truth")


class Recorder(modes.Mode):
    """A mode that only notes the operations; indices are taken by its own `take`."""

    def __init__(self) -> None:
        self.operations: list[str] = []

    def record(self, op: Op, inputs: Any) -> Value:
        self.operations.append(op.name)
        return Sealed(0.0)

    def take(self, array: Any, index: Any, axis: int) -> Any:
        if not isinstance(index, Value):
            return NotImplemented
        self.operations.append("take")
        return Sealed(0.0)


def sealed(*shape: int) -> np.ndarray:
    out = np.empty(shape, dtype=object)
    for i in np.ndindex(*shape):
        out[i] = Sealed(0.0)
    return out


@pytest.mark.parametrize(
    "f",
    [
        lambda: F.linear(sealed(2, 3), sealed(4, 3), sealed(4)),
        lambda: F.softmax(sealed(2, 3)),
        lambda: F.log_softmax(sealed(2, 3), axis=0),
        lambda: F.cross_entropy(sealed(2, 3), [0, 2]),
        lambda: F.cross_entropy(sealed(2, 3), sealed(2)),
        lambda: F.nll_loss(sealed(2, 3), sealed(2), "none"),
        lambda: F.binary_cross_entropy_with_logits(sealed(2), sealed(2)),
        lambda: F.mse_loss(sealed(2), sealed(2)),
        lambda: F.hinge_loss(sealed(2), sealed(2)),
        lambda: F.one_hot(sealed(2), 3),
        lambda: F.dot(sealed(2), sealed(2)),
        lambda: F.take(sealed(3, 2), [0, 2]),
    ],
)
def test_no_function_reads_a_number_while_it_is_recorded(f: Any) -> None:
    recorder = Recorder()
    with modes.mode(recorder):
        result = np.asarray(f(), dtype=object)
    assert all(isinstance(v, Sealed) for v in result.flat)


def test_traced_targets_are_taken_row_by_row() -> None:
    recorder = Recorder()
    with modes.mode(recorder):
        F.cross_entropy(sealed(4, 3), sealed(4))
    assert recorder.operations.count("take") == 4


def test_traced_one_hot_compares_with_every_class() -> None:
    recorder = Recorder()
    with modes.mode(recorder):
        hot = F.one_hot(sealed(2), 5)
    assert hot.shape == (2, 5)
    assert recorder.operations == ["equal"] * 10


@pytest.mark.parametrize(
    "loss",
    [
        lambda z, t: F.cross_entropy(z, t),
        lambda z, t: F.nll_loss(F.log_softmax(z), t, "sum"),
        lambda z, t: F.mse_loss(F.softmax(z), F.one_hot(t, 3)),
        lambda z, t: F.binary_cross_entropy_with_logits(z, F.one_hot(t, 3)),
        lambda z, t: F.hinge_loss(z, 2 * F.one_hot(t, 3) - 1),
        lambda z, t: F.take(z, t).sum(),
    ],
)
def test_every_loss_lifts_with_traced_targets(loss: Any) -> None:
    lifted = lift(loss)
    for seed in (0, 1):
        a, b = values(normal(4, 3, seed=seed)), values(normal(4, 3, seed=seed))
        t = np.random.default_rng(seed).integers(0, 3, 4)
        want, got = loss(a, t), lifted(b, t)
        close(got, want.data)
        want.backward()
        got.backward()
        close(grads(b), grads(a))


# --- infinite and nan logits ----------------------------------------------------------------------

EXTREMES = list(itertools.product([np.inf, -np.inf, np.nan, 0.0, 1.0], repeat=3))
SILENT: dict[str, Any] = {
    "linear": lambda z: F.linear(z, np.array([z, z])),
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "cross_entropy": lambda z: F.cross_entropy(z, 0),
    "nll_loss": lambda z: F.nll_loss(z, 0),
    "binary_cross_entropy_with_logits": lambda z: F.binary_cross_entropy_with_logits(z, [0, 1, 1]),
    "mse_loss": lambda z: F.mse_loss(z, [1.0, 2.0, 3.0]),
    "hinge_loss": lambda z: F.hinge_loss(z, [1, -1, 1]),
    "LayerNorm": nn.LayerNorm(3),
    "RMSNorm": nn.RMSNorm(3),
    "BatchNorm1d": lambda z: nn.BatchNorm1d(3)(np.array([z, z])),
    "Dropout": nn.Dropout(0.5, rng=0),
}


@pytest.mark.parametrize("name", SILENT)
def test_infinite_and_nan_scores_give_no_warning(name: str) -> None:
    for z in EXTREMES:  # warnings are errors here
        for scores in (np.array(z), values(z)):
            result = np.asarray(SILENT[name](scores), dtype=object)
            for v in result.flat:
                if isinstance(v, Value):
                    v.backward()


@pytest.mark.parametrize("z", EXTREMES)
def test_softmax_of_extremes_is_torchs(z: tuple[float, ...]) -> None:
    logits = torch.tensor(z, dtype=torch.float64)
    for scores in (np.array(z), values(z)):
        assert same(numbers(F.softmax(scores)), torch.softmax(logits, 0)).all()
        assert same(numbers(F.log_softmax(scores)), torch.log_softmax(logits, 0)).all()
