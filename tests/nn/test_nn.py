"""nn: the videos' networks are the original's, the layers torch.nn's, and state is kept whole.

Covers `initialisers.py`, `layers.py`, `learning.py`, `module.py`, `neuron.py`, `norms.py`,
`weights.py`.
"""

from __future__ import annotations

import copy
import pickle
import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from versus_torch import agree, close, tensors, values

import micrograd
from micrograd import Value, functional, grads, modes, nn, no_grad, numbers, optim
from micrograd.modes import Mode
from micrograd.nn import initialisers
from micrograd.op import Op

seeds = st.integers(0, 2**32 - 1)


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=scale, size=shape)


# --- Neuron, Layer, MLP ---------------------------------------------------------------------------


def test_weights_are_drawn_as_the_original_draws_them() -> None:
    random.seed(1337)
    drawn = []
    for nin, nout in [(3, 4), (4, 4), (4, 1)]:
        for _ in range(nout):
            drawn += [random.uniform(-1, 1) for _ in range(nin)] + [0.0]
    random.seed(1337)
    model = nn.MLP(3, [4, 4, 1])
    assert [p.data for p in model.parameters()] == drawn
    assert len(drawn) == 41


def test_an_rng_of_ones_own_leaves_pythons_alone() -> None:
    random.seed(7)
    expected = [p.data for p in nn.MLP(3, [2, 1]).parameters()]
    random.seed(0)
    before = random.getstate()
    model = nn.MLP(3, [2, 1], rng=random.Random(7))
    assert [p.data for p in model.parameters()] == expected
    assert random.getstate() == before
    by_numpy = [nn.Neuron(3, rng=np.random.default_rng(5)).w[2].data for _ in range(2)]
    assert by_numpy[0] == by_numpy[1] == np.random.default_rng(5).uniform(-1, 1, 3)[2]


def test_reprs_are_the_originals() -> None:
    assert repr(nn.Neuron(2)) == "ReLUNeuron(2)"
    assert repr(nn.Neuron(16, nonlin=False)) == "LinearNeuron(16)"
    assert repr(nn.Neuron(2, activation="tanh")) == "TanhNeuron(2)"
    assert repr(nn.Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(nn.MLP(2, [2, 1])) == (
        "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    )


def test_a_neuron_is_the_videos_chain_of_products_and_sums() -> None:
    neuron = nn.Neuron(2)
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = -3.0, 1.0, 8.0
    x = [Value(2.0), Value(0.0)]
    out = neuron(x)
    assert (out.data, out._op) == (2.0, "ReLU")
    (second,) = out._prev
    first, product2 = second._prev
    bias, product1 = first._prev
    assert bias is neuron.b
    assert product1._prev == (neuron.w[0], x[0])
    assert product2._prev == (neuron.w[1], x[1])
    assert neuron.parameters() == [*neuron.w, neuron.b]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("relu", torch.relu), ("leaky_relu", torch.nn.functional.leaky_relu), ("tanh", torch.tanh),
        ("sigmoid", torch.sigmoid), ("gelu", torch.nn.functional.gelu),
        ("softplus", partial(torch.nn.functional.softplus, threshold=700)),
    ],
)  # fmt: skip
def test_an_mlp_of_any_activation_agrees_in_value_and_gradients(name: str, theirs: Any) -> None:
    model = nn.MLP(3, [4, 2, 1], activation=name, rng=random.Random(3))
    weights = [np.array([[w.data for w in n.w] for n in layer.neurons]) for layer in model.layers]
    ws = tensors(*weights)
    x = normal(3)
    (t,) = tensors(x)
    hidden = t
    for i, w in enumerate(ws):
        hidden = w @ hidden if i == 2 else theirs(w @ hidden)
    xs = values(x)
    y = model(xs)
    close(y, hidden[0])
    y.backward()
    hidden[0].backward()
    close(grads(xs), t.grad)
    for layer, w in zip(model.layers, ws, strict=True):
        close(grads([n.w for n in layer.neurons]), w.grad)


def test_the_last_layer_is_linear_and_a_layer_of_one_gives_its_value() -> None:
    model = nn.MLP(2, [3, 2])
    assert [n.nonlin for layer in model.layers for n in layer.neurons] == [True] * 3 + [False] * 2
    assert isinstance(model([1, 2]), list)
    assert isinstance(nn.Layer(2, 1)([1, 2]), Value)


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], np.ones(3), ()])
def test_an_input_of_the_wrong_length_is_an_error(x: Any) -> None:
    with pytest.raises(ValueError, match=rf"ReLUNeuron\(2\) takes 2 numbers, got {len(x)}"):
        nn.Neuron(2)(x)


def test_a_number_instead_of_a_list_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"takes a list of 2 numbers, got float 1.0"):
        nn.Neuron(2)(1.0)


@pytest.mark.parametrize(
    "make",
    [
        nn.Neuron,
        lambda n: nn.Layer(n, 2),
        lambda n: nn.Layer(2, n),
        lambda n: nn.MLP(n, [1]),
        lambda n: nn.MLP(2, [3, n]),
        lambda n: nn.Linear(n, 2),
        lambda n: nn.Linear(2, n),
        lambda n: nn.Embedding(n, 2),
        lambda n: nn.Embedding(2, n),
        nn.BatchNorm1d,
        nn.LayerNorm,
        nn.RMSNorm,
        nn.FlattenConsecutive,
    ],
)
@pytest.mark.parametrize(
    ("size", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("3", TypeError), (True, TypeError)],
)
def test_a_size_is_a_positive_whole_number(make: Any, size: Any, error: type[Exception]) -> None:
    state = random.getstate()
    with pytest.raises(error, match=f"is a whole number of at least 1, got .*{size}"):
        make(size)
    assert random.getstate() == state


def test_sizes_may_be_numpys_integers() -> None:
    assert nn.Linear(np.int64(2), np.int32(3)).weight.shape == (3, 2)


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: nn.MLP(2, 3), TypeError, r"a list of layer sizes such as \[4, 4, 1\], got int 3"),
        (lambda: nn.MLP(2, []), TypeError, r"got list \[\]"),
        (lambda: nn.Neuron(2, activation="step"), ValueError, "one of relu, .*; got 'step'"),
        (lambda: nn.Neuron(2, rng=42), TypeError, r"got int 42; write random.Random\(seed\)"),
        (lambda: nn.Dropout(1.5), ValueError, "from 0 to 1; got 1.5"),
        (lambda: nn.Dropout(float("nan")), ValueError, "from 0 to 1; got nan"),
        (lambda: nn.Linear(2, 2, init="he"), ValueError, "one of zeros, uniform, .*; got 'he'"),
        (lambda: nn.BatchNorm1d(3, channel_axis=2), ValueError, r"-1 for \(N, L, C\), got 2"),
        (lambda: nn.Sequential([nn.Tanh()]), TypeError, r"Sequential\(\*layers\); got list"),
    ],
)
def test_bad_arguments_say_what_was_given(call: Any, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        call()


# --- Module ---------------------------------------------------------------------------------------


class Mixed(nn.Module):
    """Parameters in every place that is looked into, and things that are none."""

    def __init__(self) -> None:
        self.alone = Value(1)
        self.listed = [Value(2), Value(3)]
        self.matrix = [[Value(4), Value(5)], [Value(6), Value(7)]]
        self.ragged = [[Value(8)], [Value(9), Value(10)]]
        self.array = values([[11.0, 12.0]])
        self.inner = nn.Linear(1, 1, init="zeros")
        self.by_name = {"a": nn.Neuron(1), "b": Value(13)}
        self._private = Value(99)
        self.activations = [self.alone * 2]
        self.inputs = np.ones(3)
        self.nothing: list[Any] = []
        self.note = "text"


def test_parameters_are_found_wherever_they_stand() -> None:
    model = Mixed()
    shapes = {k: v.shape for k, v in model.state_dict().items()}
    assert shapes == {
        "alone": (), "listed": (2,), "matrix": (2, 2), "ragged.0": (1,), "ragged.1": (2,),
        "array": (1, 2), "inner.weight": (1, 1), "inner.bias": (1,),
        "by_name.a.w": (1,), "by_name.a.b": (), "by_name.b": (),
    }  # fmt: skip
    assert len(model.parameters()) == 17
    assert model._private not in model.parameters()
    named = dict(model.named_parameters())
    assert list(named.values()) == model.parameters()
    assert named["alone"] is model.alone
    assert named["matrix[1, 0]"] is model.matrix[1][0]
    assert named["inner.weight[0, 0]"] is model.inner.weight[0, 0]


def test_a_list_that_holds_itself_is_an_error_that_says_where() -> None:
    model = nn.Module()
    model.layers = [nn.Linear(1, 1)]
    model.layers.append(model.layers)
    with pytest.raises(ValueError, match=r"a list holds itself at \['layers'\]\[1\]"):
        model.parameters()


def test_arrays_of_other_things_are_not_looked_into() -> None:
    model = nn.Module()
    model.mixed = np.array([Value(1), None], dtype=object)
    model.made = values([1.0, 2.0]) * 2
    model.kept = {"deep": [({"w": values([3.0])}, [Value(4), "text"])]}
    assert [name for name, _ in model.named_parameters()] == [
        "kept.deep.0.0.w[0]",
        "kept.deep.0.1.0",
    ]


class Caching(nn.Module):
    """Keeps what passed through it, as the videos' layers do."""

    def __init__(self) -> None:
        self.inner = nn.Linear(2, 2)

    def __call__(self, x: Any) -> Any:
        self.input = x
        self.out = self.inner(x)
        return self.out


def test_what_a_module_keeps_of_a_call_is_no_parameter() -> None:
    model = Caching()
    held = model.parameters()
    model([1.0, 2.0])
    assert model.parameters() == held
    micrograd.lift(model)(np.ones(2))
    assert model.parameters() == held
    assert list(model.state_dict()) == ["inner.weight", "inner.bias"]


def test_a_shared_weight_is_one_parameter_under_two_names() -> None:
    embedding, head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
    head.weight = embedding.weight
    model = nn.Sequential(embedding, head)
    assert len(model.parameters()) == len(list(model.named_parameters())) == 15
    assert list(model.state_dict()) == ["0.weight", "1.weight"]


def test_names_are_those_of_pytorch() -> None:
    ours = nn.Sequential(
        nn.Embedding(5, 2), nn.FlattenConsecutive(2), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Tanh(),
        nn.LayerNorm(3), nn.RMSNorm(3), nn.Linear(3, 1, bias=False),
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Embedding(5, 2), torch.nn.Identity(), torch.nn.Linear(4, 3),
        torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.LayerNorm(3), torch.nn.RMSNorm(3),
        torch.nn.Linear(3, 1, bias=False),
    )  # fmt: skip
    want = {k: tuple(v.shape) for k, v in theirs.state_dict().items() if "num_batches" not in k}
    assert {k: v.shape for k, v in ours.state_dict().items()} == want
    assert [k for k, _ in nn.MLP(2, [2, 1]).named_arrays()][:3] == [
        "layers.0.neurons.0.w", "layers.0.neurons.0.b", "layers.0.neurons.1.w",
    ]  # fmt: skip


def test_zero_grad_empties_every_gradient() -> None:
    model = nn.MLP(2, [3, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_train_and_eval_reach_every_module_and_chain() -> None:
    inner = nn.Dropout()
    model = nn.Sequential(nn.Sequential(inner), nn.BatchNorm1d(2))
    assert inner.training
    assert model.eval() is model
    assert [m.training for _, m in model.named_modules()] == [False] * 4
    model.train()
    assert inner.training


def test_a_model_can_be_copied_and_pickled() -> None:
    model = nn.Sequential(nn.Linear(2, 3, rng=1), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=2))
    optim.SGD(model.parameters())  # its Values now live in a store
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert all(np.array_equal(v, model.state_dict()[k]) for k, v in twin.state_dict().items())
        assert not set(twin.parameters()) & set(model.parameters())


# --- layers against torch.nn ----------------------------------------------------------------------


def same_layer(
    ours: nn.Module, theirs: torch.nn.Module, *shape: int, seed: int = 0, calls: int = 1
) -> None:
    """Outputs, gradients of input and parameters, and all state agree, with random parameters."""
    rng = np.random.default_rng(seed)
    theirs.double()
    ours.load_state_dict({k: rng.uniform(0.5, 1.5, v.shape) for k, v in ours.state_dict().items()})
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()}, strict=False)
    for _ in range(calls):
        ours.zero_grad()
        theirs.zero_grad()
        agree(ours, theirs, rng.normal(2.0, 3.0, shape))
        for (path, array), p in zip(ours.named_arrays(), theirs.parameters(), strict=True):
            assert array.shape == tuple(p.shape), path
            close(grads(array), p.grad)
    for k, v in ours.state_dict().items():
        close(v, theirs.state_dict()[k])


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_torchs(lead: tuple[int, ...], bias: bool) -> None:
    same_layer(nn.Linear(4, 3, bias=bias), torch.nn.Linear(4, 3, bias=bias), *lead, 4)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 3, 4)])
@given(seed=seeds)
def test_layer_norm_is_torchs(shape: tuple[int, ...], seed: int) -> None:
    same_layer(nn.LayerNorm(4), torch.nn.LayerNorm(4), *shape, seed=seed)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 3, 4)])
@pytest.mark.parametrize("affine", [True, False])
@given(seed=seeds)
def test_rms_norm_is_torchs(shape: tuple[int, ...], affine: bool, seed: int) -> None:
    ours = nn.RMSNorm(4, elementwise_affine=affine)
    same_layer(ours, torch.nn.RMSNorm(4, elementwise_affine=affine), *shape, seed=seed)
    assert len(ours.parameters()) == 4 * affine


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(2, 3), (5, 3), (2, 3, 4), (1, 3, 2)])
@pytest.mark.parametrize("training", [True, False])
@given(seed=seeds)
def test_batch_norm_is_torchs(shape: tuple[int, ...], training: bool, seed: int) -> None:
    ours, theirs = nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    same_layer(ours.train(training), theirs.train(training), *shape, seed=seed, calls=3)


def test_batch_norm_with_the_channels_last_runs_over_both_other_axes() -> None:
    x = normal(4, 2, 3)
    ours, theirs = (
        nn.BatchNorm1d(3, momentum=0.3, channel_axis=-1),
        torch.nn.BatchNorm1d(3, momentum=0.3),
    )
    theirs.double()
    agree(ours, lambda t: theirs(t.transpose(1, 2)).transpose(1, 2), x)
    close(ours.running_mean, theirs.running_mean)
    close(ours.running_var, theirs.running_var)
    close(ours.running_mean, 0.3 * x.mean(axis=(0, 1)))
    same_layer(nn.BatchNorm1d(3, channel_axis=-1), torch.nn.BatchNorm1d(3), 5, 3)


def test_running_statistics_never_move_in_evaluation() -> None:
    layer = nn.BatchNorm1d(3)
    layer(normal(4, 3))
    mean, var = layer.running_mean.copy(), layer.running_var.copy()
    assert mean.any()
    layer.eval()
    layer(normal(4, 3, seed=1))
    layer(values(normal(1, 3)))  # one example is enough here
    assert np.array_equal(layer.running_mean, mean)
    assert np.array_equal(layer.running_var, var)


def test_running_statistics_do_not_learn_but_move_without_gradients_too() -> None:
    layer = nn.BatchNorm1d(2)
    assert len(layer.parameters()) == 4
    with no_grad():
        layer(normal(4, 2))
    assert layer.running_mean.any()


@pytest.mark.parametrize(
    ("layer", "shape", "named"),
    [
        (
            nn.BatchNorm1d(3),
            (1, 3),
            r"at least two numbers a channel, got \(1, 3\); call model.eval",
        ),
        (nn.BatchNorm1d(3), (4, 2), r"takes \(N, 3\) or \(N, 3, L\), got \(4, 2\)"),
        (nn.BatchNorm1d(3, channel_axis=-1), (4, 3, 2), r"or \(N, L, 3\), got \(4, 3, 2\)"),
        (nn.BatchNorm1d(3), (3,), r"got \(3,\)"),
        (nn.LayerNorm(3), (2, 4), r"LayerNorm\(3\) takes \(..., 3\), got \(2, 4\)"),
        (nn.RMSNorm(3), (), r"RMSNorm\(3\) takes \(..., 3\), got \(\)"),
        (nn.Linear(3, 2), (4, 2), r"got \(4, 2\) and \(2, 3\)"),
        (nn.FlattenConsecutive(2), (2, 3, 4), r"L a multiple of 2, got \(2, 3, 4\)"),
        (nn.FlattenConsecutive(2), (2, 4), r"takes \(N, L, C\) .*, got \(2, 4\)"),
    ],
)
def test_a_layer_refuses_an_input_that_does_not_fit(layer: Any, shape: Any, named: str) -> None:
    before = layer.state_dict()
    with pytest.raises(ValueError, match=named):
        layer(np.ones(shape))
    assert all(np.array_equal(v, before[k]) for k, v in layer.state_dict().items())


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_embedding_is_torchs(shape: tuple[int, ...]) -> None:
    ours, theirs = nn.Embedding(5, 2, rng=0), torch.nn.Embedding(5, 2).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    index = np.random.default_rng(0).integers(0, 5, shape)
    y, want = ours(index), theirs(torch.tensor(index))
    close(y, want)
    (y * y).sum().backward()
    (want * want).sum().backward()
    close(grads(ours.weight), theirs.weight.grad)


def test_embedding_names_an_index_out_of_range() -> None:
    with pytest.raises(
        IndexError, match="index 27 at position 0, 1 is not an integer from 0 to 26"
    ):
        nn.Embedding(27, 2)([[0, 27]])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(nn.Tanh(), torch.nn.Tanh()), (nn.ReLU(), torch.nn.ReLU()), (nn.GELU(), torch.nn.GELU())],
)
def test_activations_are_torchs(ours: nn.Module, theirs: torch.nn.Module) -> None:
    same_layer(ours, theirs, 2, 3, 4)
    agree(ours, theirs, [0.0, 1e4, -1e4])  # the kink, and far out


def test_flatten_puts_neighbours_side_by_side() -> None:
    x = np.arange(24.0).reshape(2, 4, 3)
    assert np.array_equal(nn.Flatten()(x), x.reshape(2, 12))
    assert np.array_equal(nn.FlattenConsecutive(2)(x), x.reshape(2, 2, 6))
    assert np.array_equal(nn.FlattenConsecutive(4)(x), x.reshape(2, 12))
    assert nn.Flatten()(np.ones(3)).shape == (3, 1) == torch.nn.Flatten()(torch.ones(3, 1)).shape


def test_sequential_runs_layers_and_functions_in_order() -> None:
    model = nn.Sequential(nn.Linear(2, 3), np.tanh, nn.Linear(3, 1), lambda x: x[0])
    assert len(model) == 4
    assert list(model) == model.layers
    assert isinstance(model([1.0, 2.0]), Value)
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert repr(nn.Sequential(nn.Linear(2, 3, bias=False), nn.Tanh(), nn.Dropout(0.1))) == (
        "Sequential(Linear(2, 3, bias=False), Tanh(), Dropout(0.1))"
    )


def test_sequential_refuses_a_layer_whose_parameters_it_would_never_find() -> None:
    class Plain:
        def parameters(self) -> list[Value]:
            return [Value(1)]

        def __call__(self, x: Any) -> Any:
            return x

    with pytest.raises(
        TypeError, match=r"Plain has parameters: derive it from micrograd.nn.Module"
    ):
        nn.Sequential(Plain())


# --- Dropout --------------------------------------------------------------------------------------


def test_dropout_keeps_its_share_scaled_and_follows_its_seed() -> None:
    layer = nn.Dropout(0.25, rng=0)
    y = layer(np.ones(10_000))
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs((y == 0).mean() - 0.25) < 0.02  # five standard deviations
    again = nn.Dropout(0.25, rng=0)
    assert np.array_equal(again(np.ones(10_000)), y)
    assert not np.array_equal(again(np.ones(10_000)), y)


def test_dropout_passes_gradients_only_where_it_kept() -> None:
    x = values(np.ones(50))
    y = nn.Dropout(0.5, rng=1)(x)
    y.sum().backward()
    assert np.array_equal(grads(x), numbers(y))
    assert {0.0, 2.0} == set(grads(x))


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_dropout_is_nothing_in_evaluation_and_exact_at_its_ends(p: float) -> None:
    x = values([1.0, 2.0])
    layer = nn.Dropout(p, rng=0)
    assert layer.eval()(x) is x
    layer.train()
    if p != 0.5:
        assert numbers(layer(x)).tolist() == [v * (1 - p) for v in (1.0, 2.0)]


# --- initialisers ---------------------------------------------------------------------------------

TORCHS = torch.nn.init


@pytest.mark.parametrize(
    ("init", "theirs"),
    [
        ("uniform", lambda t: TORCHS.uniform_(t, -1, 1)),
        ("normal", TORCHS.normal_),
        ("kaiming_uniform", lambda t: TORCHS.kaiming_uniform_(t, nonlinearity="relu")),
        ("kaiming_normal", lambda t: TORCHS.kaiming_normal_(t, nonlinearity="relu")),
        ("xavier_uniform", TORCHS.xavier_uniform_),
        ("xavier_normal", TORCHS.xavier_normal_),
        (
            partial(initialisers.kaiming_normal, gain=5 / 3),
            lambda t: TORCHS.kaiming_normal_(t, nonlinearity="tanh"),
        ),
        ("fan_in_uniform", lambda t: torch.nn.Linear(300, 1000).weight.data),
    ],
)
def test_initialisers_draw_from_torchs_distributions(init: Any, theirs: Any) -> None:
    scheme = init if callable(init) else initialisers.initialisers[init]
    w = scheme((1000, 300), np.random.default_rng(0))
    torch.manual_seed(0)
    t = theirs(torch.empty(1000, 300)).double().numpy()
    deciles = np.linspace(0.1, 0.9, 9)  # of 300,000 draws: five standard deviations are 0.023
    np.testing.assert_allclose(
        np.quantile(w, deciles), np.quantile(t, deciles), rtol=0, atol=0.023 * t.std()
    )


def test_uniform_weights_have_sharp_bounds() -> None:
    for init, bound in [("uniform", 1), ("fan_in_uniform", 1 / 3), ("kaiming_uniform", 6**0.5 / 3)]:
        w = numbers(nn.Linear(9, 1000, init=init, rng=0).weight)
        assert 0.99 * bound < np.abs(w).max() <= bound
    assert not numbers(nn.Linear(9, 10, init="zeros").weight).any()


def test_a_seed_or_a_generator_fixes_the_weights() -> None:
    def weights(rng: Any) -> list[float]:
        return [p.data for p in nn.Linear(3, 2, rng=rng).parameters()]

    assert weights(1) == weights(1) == weights(np.random.default_rng(1)) != weights(2)
    shared = np.random.default_rng(1)
    assert weights(shared) != weights(shared)


# --- state ----------------------------------------------------------------------------------------


def small(seed: int = 0) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(2, 3, rng=rng), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 1, rng=rng)
    )


def torchs() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()


def equal_states(a: nn.Module, b: dict[str, np.ndarray]) -> bool:
    state = a.state_dict()
    return list(state) == list(b) and all(np.array_equal(state[k], b[k]) for k in b)


@pytest.mark.parametrize("stored", [False, True])
def test_state_goes_from_model_to_model(stored: bool) -> None:
    a, b = small(0), small(1)
    a(normal(4, 2))
    if stored:
        optim.SGD(b.parameters())
    held = b.parameters()
    b.load_state_dict(a.state_dict())
    assert equal_states(b, a.state_dict())
    assert b.parameters() == held  # the same Values with other numbers
    assert all(type(p.data) is float for p in held)


def test_a_state_dict_is_a_copy() -> None:
    model = small()
    state = model.state_dict()
    before = model.state_dict()
    for array in state.values():
        assert array.dtype == np.float64
        array += 1
    assert equal_states(model, before)


def test_all_faults_of_a_state_are_named_and_nothing_is_written() -> None:
    model = small()
    before = model.state_dict()
    state: dict[str, Any] = {k: v + 1 for k, v in before.items()}
    state["3.weight"] = np.zeros((3, 1))
    state["0.bias"] = np.array(["a", "b", "c"])
    del state["1.running_var"]
    state["4.weight"] = np.zeros(2)
    with pytest.raises(ValueError, match="do not fit this Sequential") as fault:
        model.load_state_dict(state)
    for named in (
        "missing: 1.running_var", "unexpected: 4.weight",
        "wrong shape: 3.weight is (3, 1), expected (1, 3)", "not real numbers: 0.bias",
    ):  # fmt: skip
        assert named in str(fault.value)
    assert equal_states(model, before)
    with pytest.raises(TypeError, match="takes a dict of arrays by name, got list"):
        model.load_state_dict([1])


def test_a_file_goes_to_torch_and_back(tmp_path: Path) -> None:
    ours, theirs = small(), torchs()
    ours(normal(8, 2))
    nn.save(ours, tmp_path / "ours.safetensors")
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "ours.safetensors"))
    x = normal(5, 2, seed=3)
    close(ours.eval()(x), theirs.eval()(torch.tensor(x)))

    other = torchs()
    other.train()(torch.tensor(x))
    safetensors.torch.save_file(other.state_dict(), tmp_path / "theirs.safetensors")
    nn.load(ours, tmp_path / "theirs.safetensors")
    close(ours(x), other.eval()(torch.tensor(x)))


def test_saving_follows_a_link_and_keeps_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "real.safetensors", tmp_path / "latest.safetensors"
    nn.save(small(0), path)
    path.chmod(0o600)
    link.symlink_to(path.name)
    nn.save(small(1), link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    model = small(0)
    nn.load(model, path)
    assert [p.data for p in model.parameters()] == [p.data for p in small(1).parameters()]


def test_saving_overwrites_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "with a space.safetensors"
    nn.save(small(0), path)
    nn.save(small(1), str(path))
    model = small(2)
    nn.load(model, path)
    assert equal_states(model, small(1).state_dict())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("model", [nn.MLP(2, [3, 1]), nn.Sequential(nn.Tanh()), Mixed()])
def test_every_kind_of_module_survives_a_file(model: nn.Module, tmp_path: Path) -> None:
    before = model.state_dict()
    nn.save(model, tmp_path / "m.safetensors")
    for p in model.parameters():
        p.data += 1
    nn.load(model, tmp_path / "m.safetensors")
    assert equal_states(model, before)


def damaged(kind: str, whole: bytes) -> bytes:
    return {
        "empty": b"",
        "cut in the header": whole[:20],
        "cut in the numbers": whole[:-1],
        "longer than it says": whole + b"x",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "a pickle": pickle.dumps({"0.weight": 1}),
        "bfloat16": safetensors.torch.save({"0.weight": torch.zeros(2, dtype=torch.bfloat16)}),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "empty", "cut in the header", "cut in the numbers", "longer than it says", "a picture",
        "a pickle", "bfloat16",
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_file_is_named_and_changes_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model = small()
    nn.save(model, path)
    path.write_bytes(damaged(kind, path.read_bytes()))
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"m.safetensors is no whole safetensors file"):
        nn.load(model, path)
    assert equal_states(model, before)


def test_a_file_of_another_model_is_named_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    nn.save(nn.Linear(2, 3), path)
    model = small()
    before = model.state_dict()
    with pytest.raises(
        ValueError, match=r"other.safetensors: .*missing: 0.weight.*unexpected: bias"
    ):
        nn.load(model, path)
    assert equal_states(model, before)


def test_paths_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no_such_folder"):
        nn.save(small(), tmp_path / "no_such_folder" / "m.safetensors")
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors"):
        nn.load(small(), tmp_path / "absent.safetensors")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"cannot write weights to .*folder"):
        nn.save(small(), tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(TypeError, match="expected a Module and a path, got dict first"):
        nn.save({}, tmp_path / "m")  # type: ignore[arg-type]


# --- what recording takes over --------------------------------------------------------------------


class Recorder(Mode):
    """A mode that computes as usual but takes state over: buffers and random numbers."""

    def __init__(self) -> None:
        self.updates: dict[str, np.ndarray] = {}
        self.drawn: list[tuple[int, ...]] = []
        self.running = values([10.0, 20.0])

    def record(self, op: Op, inputs: Any) -> Value:
        return Value(op.number(*[x.data for x in inputs]))

    def read_buffer(self, module: nn.Module, name: str) -> np.ndarray:
        return self.running

    def update_buffer(self, module: nn.Module, name: str, new: np.ndarray) -> None:
        self.updates[name] = new

    def random_array(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        self.drawn.append(shape)
        return values(np.linspace(0.05, 0.95, int(np.prod(shape))).reshape(shape))


def test_a_recording_mode_takes_the_running_statistics_over() -> None:
    layer = nn.BatchNorm1d(2)
    x, mode = values([[0.0, 1.0], [2.0, 5.0]]), Recorder()
    with modes.mode(mode):
        layer(x)
    assert not layer.running_mean.any()  # the module's own were neither read nor written
    close(mode.updates["running_mean"], [0.9 * 10 + 0.1 * 1, 0.9 * 20 + 0.1 * 3])
    close(mode.updates["running_var"], [0.9 * 10 + 0.1 * 2, 0.9 * 20 + 0.1 * 8])
    with modes.mode(mode):
        y = layer.eval()(x)
    close(y, (numbers(x) - [10.0, 20.0]) / np.sqrt([10.0 + 1e-5, 20.0 + 1e-5]))


def test_a_recording_mode_takes_the_draws_over() -> None:
    layer, mode = nn.Dropout(0.5, rng=0), Recorder()
    state = layer.rng.bit_generator.state
    with modes.mode(mode):
        y = layer(values(np.ones((2, 5))))
    assert mode.drawn == [(2, 5)]
    assert numbers(y).tolist() == [[0.0] * 5, [2.0] * 5]  # the draws run from 0.05 to 0.95
    assert layer.rng.bit_generator.state == state


def test_linear_is_functional_linear() -> None:
    layer = nn.Linear(3, 2, rng=0)
    x = normal(4, 3)
    assert np.array_equal(
        numbers(layer(x)), numbers(functional.linear(x, layer.weight, layer.bias))
    )


@pytest.mark.parametrize("batched", [(), ("x",)])
def test_lifted_running_statistics_move_and_are_read_as_eager_ones(
    batched: tuple[str, ...],
) -> None:
    eager, lifted = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    f = micrograd.lift(lambda x: lifted(lifted(x)), batched=batched)
    for n in (4, 4, 7, 4):
        x = normal(n, 3, seed=n, scale=2.0)
        close(f(x), eager(eager(x)))
        for name, array in eager.state_dict().items():
            close(lifted.state_dict()[name], array)
    eager.eval()
    lifted.eval()
    close(f(x), eager(eager(x)))
    eager.running_mean += 5.0
    lifted.running_mean += 5.0
    close(f(x), eager(eager(x)))


def test_lifted_dropout_draws_anew_from_its_own_generator() -> None:
    eager, lifted = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    f = micrograd.lift(lambda x: lifted(x))
    x = normal(4, 5)
    for _ in range(3):
        close(f(x), eager(x))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(4, 3), nn.LayerNorm(4), nn.RMSNorm(4), nn.BatchNorm1d(4),
        nn.BatchNorm1d(4, channel_axis=-1), nn.Tanh(), nn.ReLU(), nn.GELU(), nn.Flatten(),
    ],
)  # fmt: skip
def test_every_layer_lifts(layer: nn.Module) -> None:
    x = values(normal(3, 4))
    arriving = normal(*layer(x).shape, seed=1)

    def loss(x: Any) -> Any:
        return (layer(x) * arriving).sum()

    found = []
    for f in (loss, micrograd.lift(loss)):
        for p in (*layer.parameters(), *x.flat):
            p.grad = 0.0
        f(x).backward()
        found.append(np.array([p.grad for p in (*layer.parameters(), *x.flat)]))
    close(found[1], found[0])
