"""Every layer and every loss, lifted, equals itself run eagerly: results, gradients, statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import Sample, agrees, leaves

from micrograd import Value, functional, lift, nn, no_grad, numbers, ops
from micrograd.nn import neuron

rng = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def check(function: Callable[..., Any], model: Any, *calls: tuple[Any, ...]) -> Any:
    """Lifted equals eager on each of the calls, for all parameters of the model."""
    parameters = np.array(model.parameters() if model is not None else [], dtype=object)
    return agrees(Sample([], lambda _, *arguments: function(*arguments), parameters, list(calls)))


# --- layers ---------------------------------------------------------------------------------------


def randomised(layer: Any) -> Any:
    """Norms start with weights of 1 and biases of 0: here they have numbers that show."""
    for p in layer.parameters():
        p.data = float(rng.normal())
    return layer


X = normal(4, 6)
LAYERS: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "Neuron": (lambda: nn.Neuron(6, rng=rng), [list(X[0]), X[1]]),
    "Layer": (lambda: nn.Layer(6, 3, rng=rng), [X[0], X[1]]),
    "Layer of one": (lambda: nn.Layer(6, 1, activation="tanh", rng=rng), [X[0], X[1]]),
    "Linear": (lambda: nn.Linear(6, 3, rng=0), [X, normal(4, 6), X[0]]),
    "Linear, no bias": (lambda: nn.Linear(6, 3, bias=False, rng=0), [normal(2, 3, 6)]),
    "Linear of one": (lambda: nn.Linear(1, 1, rng=0), [normal(1, 1), normal(5, 1)]),
    "Embedding": (lambda: nn.Embedding(5, 3, rng=0), [np.array([[0, 4], [4, 2]]), np.int64(3)]),
    "Tanh": (nn.Tanh, [X, normal(2, 2, 2)]),
    "ReLU": (nn.ReLU, [X, np.array([-1.0, 0.0, 2.0])]),
    "GELU": (nn.GELU, [X * 3]),
    "Flatten": (nn.Flatten, [normal(2, 3, 2)]),
    "FlattenConsecutive": (lambda: nn.FlattenConsecutive(2), [normal(2, 4, 3), normal(2, 2, 3)]),
    "LayerNorm": (lambda: randomised(nn.LayerNorm(6)), [X, normal(2, 3, 6)]),
    "RMSNorm": (lambda: randomised(nn.RMSNorm(6)), [X, X[0]]),
    "RMSNorm, bare": (lambda: nn.RMSNorm(6, elementwise_affine=False), [X]),
    "BatchNorm1d": (lambda: randomised(nn.BatchNorm1d(6)), [X, normal(3, 6), normal(3, 6, 2)]),
    "BatchNorm1d, channels last": (
        lambda: randomised(nn.BatchNorm1d(3, channel_axis=-1)), [normal(4, 2, 3), normal(4, 3)]
    ),
    "Dropout": (lambda: nn.Dropout(0.0), [X]),
    "Sequential": (
        lambda: nn.Sequential(
            nn.Embedding(7, 3, rng=0), nn.FlattenConsecutive(2), nn.Linear(6, 8, bias=False, rng=1),
            randomised(nn.BatchNorm1d(8, channel_axis=-1)), nn.Tanh(), nn.FlattenConsecutive(2),
            nn.Linear(16, 5, rng=2),
        ),
        [rng.integers(0, 7, size=(3, 4)), rng.integers(0, 7, size=(5, 4))],
    ),
    "MLP": (lambda: nn.MLP(6, [4, 4, 1], rng=rng), [X[0], X[1]]),
}  # fmt: skip


def test_every_layer_stands_here() -> None:
    public = set(nn.__all__) - {"Module", "save", "load", "Value", "random"}
    assert public == {name.split(",")[0].split(" of ")[0] for name in LAYERS}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    make, inputs = LAYERS[name]
    layer = make()
    check(layer, layer, *[(x,) for x in inputs for _ in range(2)])


@pytest.mark.parametrize("name", [n for n in LAYERS if n not in ("Embedding", "Sequential")])
def test_gradients_reach_the_layers_inputs(name: str) -> None:
    make, inputs = LAYERS[name]
    layer = make()
    check(layer, layer, *[(leaves(x),) for x in inputs])


@pytest.mark.parametrize("activation", neuron._TITLES)
def test_an_mlp_over_a_batch_of_rows(activation: str) -> None:
    model = nn.MLP(3, [4, 4, 2], activation=activation, rng=rng)
    check(lambda X: [model(x) for x in X], model, (normal(5, 3),), (normal(5, 3),))


# --- losses and their parts -----------------------------------------------------------------------

w = leaves(normal(4, 3))
targets = np.array([0, 2, 1, 2])
labels = np.array([1.0, -1.0, -1.0, 1.0])
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "dot": (lambda x: functional.dot(x, w[:, 0]), [(normal(4),), (list(normal(4)),)]),
    "dot, bias": (lambda x: functional.dot(x, w[:, 0], w[0, 1]), [(normal(4),)]),
    "linear": (lambda x: functional.linear(x, w, w[:, 0] * 2), [(normal(2, 3),), (normal(3),)]),
    "softmax": (lambda x: functional.softmax(x @ w), [(normal(2, 4),), (normal(4),)]),
    "softmax, down": (lambda x: functional.softmax(x @ w, axis=0), [(normal(2, 4),)]),
    "softmax, large": (lambda x: functional.softmax(x @ w), [(normal(2, 4) * 1e3,)]),
    "log_softmax": (lambda x: functional.log_softmax(x @ w, axis=-2), [(normal(2, 5, 4),)]),
    "cross_entropy": (
        lambda x, y: functional.cross_entropy(x * w, y),
        [(normal(4, 3), targets), (normal(4, 3), targets[::-1]), (normal(4, 3), [0, 1, 2, 0])],
    ),
    "cross_entropy, sum": (
        lambda x, y: functional.cross_entropy(x * w, y, reduction="sum"), [(normal(4, 3), targets)]
    ),
    "cross_entropy, none": (
        lambda x, y: functional.cross_entropy(x * w, y, reduction="none"),
        [(normal(2, 4, 3), np.stack([targets, targets]))],
    ),
    "nll_loss": (
        lambda x, y: functional.nll_loss(functional.log_softmax(x * w), y),
        [(normal(4, 3), targets), (normal(4, 3), targets[::-1])],
    ),
    "binary_cross_entropy_with_logits": (
        lambda x, y: functional.binary_cross_entropy_with_logits(x @ w[0], y),
        [(normal(4, 3), np.array([0.0, 1.0, 0.25, 1.0]))],
    ),
    "mse_loss": (
        lambda x, y: functional.mse_loss(x @ w[0], y), [(normal(4, 3), normal(4)) for _ in "ab"]
    ),
    "hinge_loss": (
        lambda x, y: functional.hinge_loss(x @ w[0], y),
        [(normal(4, 3), labels), (normal(4, 3), -labels), (normal(4, 3), labels.astype(int))],
    ),
    "one_hot": (
        lambda i: functional.one_hot(i, 4) @ w, [(targets,), (targets[::-1],), (np.int64(2),)]
    ),
    "take": (
        lambda i: [functional.take(w, i), functional.take(w * 2, i, axis=1), functional.take(w, 3)],
        [(targets,), (targets[::-1],), (targets.reshape(2, 2),)],
    ),
}  # fmt: skip


def test_every_function_stands_here() -> None:
    assert set(functional.__all__) == {name.split(",")[0] for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    function, calls = FUNCTIONS[name]
    agrees(Sample([], lambda _, *arguments: function(*arguments), w, calls))


@pytest.mark.parametrize("bad", [3, -1])
def test_a_traced_target_out_of_range_is_an_error_at_the_call(bad: int) -> None:
    f = lift(lambda y: functional.cross_entropy(w, y))
    f(targets)
    with pytest.raises(IndexError, match=str(bad)):
        f(np.array([0, 1, bad, 0]))


# --- state of the layers --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2)])
def test_running_statistics_move_with_each_call_in_training_only(shape: tuple[int, ...]) -> None:
    eager, lifted = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    f = lift(lambda x: lifted(x).sum())
    for i in range(6):
        if i == 3:
            eager.eval(), lifted.eval()
            before = lifted.state_dict()
        if i == 5:
            eager.train(), lifted.train()
        x = normal(*shape) * (i + 1) + i
        want = eager(x)
        f(x)
        for name in ("running_mean", "running_var"):
            np.testing.assert_allclose(getattr(lifted, name), getattr(eager, name), rtol=1e-12)
        if 3 <= i < 5:
            assert all((before[k] == v).all() for k, v in lifted.state_dict().items())
            np.testing.assert_allclose(numbers(lift(lifted)(x)), numbers(want), rtol=1e-9)


def test_statistics_loaded_or_written_later_are_seen_in_eval() -> None:
    layer = nn.BatchNorm1d(2).eval()
    f = lift(lambda x: layer(x))
    x = normal(3, 2)
    f(x)
    layer.running_mean[:] = [1.0, -2.0]
    np.testing.assert_allclose(numbers(f(x)), numbers(layer(x)), rtol=1e-12)
    layer.load_state_dict({**layer.state_dict(), "running_var": np.array([4.0, 9.0])})
    np.testing.assert_allclose(numbers(f(x)), numbers(layer(x)), rtol=1e-12)


def test_recording_moves_the_statistics_once() -> None:
    eager, lifted = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    x = normal(4, 2)
    eager(x)
    lift(lambda x: lifted(x))(x)
    np.testing.assert_allclose(lifted.running_mean, eager.running_mean, rtol=1e-12)
    with no_grad():
        eager(x), lift(lambda x: lifted(x))(x)
    np.testing.assert_allclose(lifted.running_var, eager.running_var, rtol=1e-12)


@pytest.mark.parametrize("p", [0.25, 0.5, 1.0])
def test_dropout_draws_the_masks_of_the_same_generator(p: float) -> None:
    eager = nn.Sequential(nn.Linear(5, 6, rng=1), nn.Dropout(p, rng=7), nn.Linear(6, 2, rng=2))
    lifted = nn.Sequential(nn.Linear(5, 6, rng=1), nn.Dropout(p, rng=7), nn.Linear(6, 2, rng=2))
    f = lift(lambda x: lifted(x).sum())
    for _ in range(4):
        x = normal(3, 5)
        want, got = eager(x).sum(), f(x)
        assert got.data == pytest.approx(want.data, rel=1e-12)
        want.backward(), got.backward()
    for a, b in zip(eager.parameters(), lifted.parameters(), strict=True):
        assert b.grad == pytest.approx(a.grad, rel=1e-11, abs=1e-14)
    state = lifted.layers[1].rng.bit_generator.state
    assert state == eager.layers[1].rng.bit_generator.state


def test_two_dropouts_draw_in_the_order_of_the_source() -> None:
    shared = np.random.default_rng(3)
    first, second = nn.Dropout(0.5, rng=shared), nn.Dropout(0.3, rng=shared)
    f = lift(lambda x: [second(x), first(x), first(second(x))])
    x = np.ones((4, 5))
    f(x)
    state = shared.bit_generator.state
    got = [numbers(r).tolist() for r in f(x)]
    shared.bit_generator.state = state
    assert [numbers(r).tolist() for r in (second(x), first(x), first(second(x)))] == got


# --- plain loops are no worse than layers ---------------------------------------------------------


def test_attention_with_rows_of_different_length() -> None:
    q, k, v = (leaves(normal(3, 3)) for _ in range(3))

    def attend(X: Any) -> Any:
        Q, K, V = X @ q, X @ k, X @ v
        rows = []
        for t in range(len(X)):
            scores = [sum(a * b for a, b in zip(Q[t], K[s], strict=True)) for s in range(t + 1)]
            attention = functional.softmax(np.array(scores, dtype=object))
            rows.append([sum(p * V[s, j] for s, p in enumerate(attention)) for j in range(3)])
        return np.array(rows, dtype=object)

    parameters = np.concatenate([q, k, v])
    calls = [(normal(n, 3),) for n in (1, 2, 5, 5)]
    agrees(Sample([], lambda _, x: attend(x), parameters, calls))


def test_a_loss_in_plain_loops_and_the_same_with_arrays() -> None:
    weights, bias = leaves(normal(3, 2)), Value(0.3)

    def plain(X: Any, y: Any) -> Any:
        total = 0.0
        for x, target in zip(X, y, strict=True):
            hidden = []
            for j in range(2):
                act = bias
                for i in range(3):
                    act = act + x[i] * weights[i, j]
                hidden.append(act.tanh())
            total = total + (hidden[0] - hidden[1] * target) ** 2
        return total / len(X)

    def arrays(X: Any, y: Any) -> Any:
        hidden = ops.tanh(X @ weights + bias)
        return ((hidden[:, 0] - hidden[:, 1] * y) ** 2).mean()

    parameters = np.array([*weights.flat, bias], dtype=object)
    call = (normal(7, 3), normal(7))
    loops = agrees(Sample([], lambda _, *a: plain(*a), parameters, [call, call]))
    whole = agrees(Sample([], lambda _, *a: arrays(*a), parameters, [call, call]))
    assert (
        len(loops.program.recording.layout.instructions)
        <= len(whole.program.recording.layout.instructions) + 2
    )
    assert loops(*call).data == pytest.approx(whole(*call).data, rel=1e-12)
