"""The losses of the lectures, as the notebooks define them, have PyTorch's values and gradients.

Each notebook's own cells are executed from the top until the loss is defined, so what is tested is
what a reader sees, eagerly and lifted, on random numbers that no lecture has used.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from micrograd import Value, grads, lift, values
from tools import notebooks

LECTURES = notebooks.ROOT / "lectures"

pytestmark = pytest.mark.notebook

Drawn = tuple[list[Any], list[np.ndarray]]  # the parameters, the data


@functools.cache
def definition(notebook: str | Path, name: str) -> Callable[..., Any]:
    """The function `name` of a lecture, from executing its cells as far as its definition."""
    namespace = {"__name__": "lecture"}
    before = os.getcwd()
    os.chdir(LECTURES)
    try:
        with plt.rc_context(), contextlib.redirect_stdout(io.StringIO()):
            for cell in notebooks.read(LECTURES / f"{notebook}.ipynb").cells:
                if cell.cell_type == "code" and name not in namespace:
                    with mock.patch.object(plt, "show", plt.close):
                        exec(cell.source, namespace)
    finally:
        os.chdir(before)
        plt.close("all")
    return namespace[name]


def scores(rng: np.random.Generator) -> tuple[list[Any], np.ndarray]:
    """w, b, X and the scores' own shape: what every linear model starts from."""
    n, d = int(rng.integers(2, 12)), int(rng.integers(1, 6))
    return [rng.normal(size=d), rng.normal()], rng.normal(size=(n, d))


def regression(rng: np.random.Generator) -> Drawn:
    parameters, X = scores(rng)
    return parameters, [X, rng.normal(size=len(X))]


def signs(rng: np.random.Generator) -> Drawn:
    parameters, X = scores(rng)
    return parameters, [X, rng.choice([-1.0, 1.0], size=len(X))]


def bits(rng: np.random.Generator) -> Drawn:
    parameters, X = scores(rng)
    return parameters, [X, rng.choice([0.0, 1.0], size=len(X))]


def far_bits(rng: np.random.Generator) -> Drawn:
    """Scores of some thousands, where exp alone would overflow."""
    parameters, (X, y) = bits(rng)
    return parameters, [1000 * X, y]


def classes(rng: np.random.Generator) -> Drawn:
    (w, _), X = scores(rng)
    k = int(rng.integers(2, 5))
    parameters = [rng.normal(size=(len(w), k)), rng.normal(size=k)]
    return parameters, [X, rng.integers(0, k, size=len(X))]


def flips(rng: np.random.Generator) -> Drawn:
    return [rng.normal()], [rng.choice([0.0, 1.0], size=int(rng.integers(2, 12)))]


def counts(rng: np.random.Generator) -> Drawn:
    k = int(rng.integers(2, 7))
    return [rng.normal(size=k)], [rng.integers(0, 9, size=k).astype(float)]


def measurements(rng: np.random.Generator) -> Drawn:
    return [rng.normal(), rng.normal()], [rng.normal(size=int(rng.integers(2, 12)))]


def plane(rng: np.random.Generator) -> Drawn:
    """A mean, two log diagonals, what is below; points of the plane."""
    return [rng.normal(size=2), rng.normal(size=2), rng.normal()], [rng.normal(size=(9, 2))]


def heap(rng: np.random.Generator) -> Drawn:
    """A logit, two means, two log sigmas; numbers."""
    return [rng.normal(), rng.normal(size=2), 0.3 * rng.normal(size=2)], [rng.normal(size=9)]


def pile(rng: np.random.Generator) -> Drawn:
    """Logits, means, log diagonals and what is below, of three Gaussians; points of the plane."""
    parameters = [rng.normal(size=s) for s in (3, (3, 2), (3, 2), 3)]
    return [parameters[0], parameters[1], 0.3 * parameters[2], parameters[3]], [
        rng.normal(size=(9, 2))
    ]


def leaning(
    mean: torch.Tensor, log_diagonal: torch.Tensor, below: torch.Tensor, X: torch.Tensor
) -> torch.Tensor:
    zero = torch.zeros((), dtype=torch.float64)
    first, second = log_diagonal.exp()
    L = torch.stack([torch.stack([first, zero]), torch.stack([below, second])])
    density = torch.distributions.MultivariateNormal(mean, precision_matrix=L @ L.T)
    return -density.log_prob(X).mean() - np.log(2 * np.pi)


def mixed(
    logit: torch.Tensor, means: torch.Tensor, log_sigmas: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    parts = torch.distributions.Normal(means, log_sigmas.exp()).log_prob(x[:, None])
    weights = torch.stack([F.logsigmoid(-logit), F.logsigmoid(logit)])
    return -torch.logsumexp(parts + weights, dim=1).mean()


def piled(
    logits: torch.Tensor,
    means: torch.Tensor,
    log_diagonals: torch.Tensor,
    below: torch.Tensor,
    X: torch.Tensor,
) -> torch.Tensor:
    first, second = log_diagonals.exp().T
    rows = [torch.stack([first, 0 * first], 1), torch.stack([below, second], 1)]
    parts = torch.distributions.MultivariateNormal(means, scale_tril=torch.stack(rows, 1))
    weights = F.log_softmax(logits, 0)
    return -torch.logsumexp(parts.log_prob(X[:, None]) + weights, dim=1).mean()


def squared(w: torch.Tensor, b: torch.Tensor, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.mse_loss(X @ w + b, y)


def hinged(w: torch.Tensor, b: torch.Tensor, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.relu(1 - y * (X @ w + b))


def voters(rng: np.random.Generator) -> Drawn:
    n, m = int(rng.integers(2, 12)), int(rng.integers(1, 6))
    votes = rng.choice([-1.0, 0.0, 1.0], size=(n, m))
    return [rng.normal(size=m), rng.normal()], [votes, rng.integers(1, 9, n).astype(float)]


def hidden_label(
    w: torch.Tensor, tau: torch.Tensor, votes: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    said = [F.logsigmoid(w * votes * y) * votes.abs() for y in (1, -1)]
    prior = torch.stack([F.logsigmoid(tau), F.logsigmoid(-tau)])
    both = torch.stack([x.sum(1) for x in said], dim=1) + prior
    return -(torch.logsumexp(both, dim=1) * counts).sum() / counts.sum()


CASES = [
    ("03_linear_regression", "mean_squared_error", regression, squared),
    (
        "03_linear_regression", "ridge_loss", regression,
        lambda w, b, X, y, strength: squared(w, b, X, y) + strength * w.square().sum(),
    ),
    (
        "03_linear_regression", "lasso_loss", regression,
        lambda w, b, X, y, strength: squared(w, b, X, y) + strength * w.abs().sum(),
    ),
    (
        "05_generative_models", "bernoulli_nll", flips,
        lambda s, x: F.binary_cross_entropy_with_logits(s.expand(len(x)), x),
    ),
    (
        "05_generative_models", "categorical_nll", counts,
        lambda s, n: -(n * F.log_softmax(s, 0)).sum(),
    ),
    (
        "05_generative_models", "gaussian_nll", measurements,
        lambda m, s, x: F.gaussian_nll_loss(
            m.expand(len(x)), x, (2 * s).exp().expand(len(x)), full=True, eps=1e-300
        ),
    ),
    ("05_generative_models_2", "gaussian_2d_nll", plane, leaning),
    ("05_generative_models_2", "mixture_nll", heap, mixed),
    (
        "06_support_vector_machines", "hinge_loss", signs,
        lambda w, b, X, y: hinged(w, b, X, y).mean(),
    ),
    (
        "06_support_vector_machines", "svm_objective", signs,
        lambda w, b, X, y, C: w.square().sum() / 2 + C * hinged(w, b, X, y).sum(),
    ),
    (
        "06_support_vector_machines_2", "tube_objective", regression,
        lambda w, b, X, t, C, epsilon: (
            w.square().sum() / 2 + C * torch.relu((t - X @ w - b).abs() - epsilon).sum()
        ),
    ),
    (
        "08_logistic_regression", "logistic_loss", bits,
        lambda w, b, X, y: F.binary_cross_entropy_with_logits(X @ w + b, y),
    ),
    (
        "08_logistic_regression", "logistic_loss", far_bits,
        lambda w, b, X, y: F.binary_cross_entropy_with_logits(X @ w + b, y),
    ),
    (
        "08_logistic_regression", "softmax_loss", classes,
        lambda W, b, X, y: F.cross_entropy(X @ W + b, y),
    ),
    ("09_kmeans_2", "mixture_nll", pile, piled),
    (
        "11_perceptron", "perceptron_loss", signs,
        lambda w, b, X, y: torch.relu(-y * (X @ w + b)).mean(),
    ),
    ("12_future_of_ml_2", "label_loss", voters, hidden_label),
]  # fmt: skip
STRENGTH = {
    "ridge_loss": (0.7,), "lasso_loss": (0.7,), "svm_objective": (2.5,),
    "tube_objective": (2.5, 0.4),
}  # fmt: skip


def gradients(
    loss: Callable[..., Any], parameters: list[Any], data: list[Any]
) -> tuple[float, list[Any]]:
    """The loss and d loss / d parameter, by the engine."""
    inputs = [values(p) if np.ndim(p) else Value(p) for p in parameters]
    result = loss(*inputs, *data)
    result.backward()
    return float(result.data), [grads(v) if np.ndim(v) else v.grad for v in inputs]


def differences(
    loss: Callable[..., Any],
    reference: Callable[..., torch.Tensor],
    parameters: list[Any],
    data: list[Any],
) -> list[float]:
    """How far loss and gradients are from PyTorch's, each relative to its size (at least 1)."""
    tensors = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in parameters]
    expected = reference(*tensors, *[torch.as_tensor(np.asarray(x)) for x in data])
    expected.backward()
    found, slopes = gradients(loss, parameters, data)
    pairs = [(found, expected.item()), *zip(slopes, (t.grad.numpy() for t in tensors), strict=True)]
    return [np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(b))) for a, b in pairs]


@pytest.mark.parametrize(
    ("notebook", "name", "draw", "reference"), CASES, ids=[f"{c[1]}-{c[2].__name__}" for c in CASES]
)
def test_a_lectures_loss_has_pytorchs_gradient_eagerly_and_lifted(
    notebook: str,
    name: str,
    draw: Callable[[np.random.Generator], Drawn],
    reference: Callable[..., torch.Tensor],
) -> None:
    loss = definition(notebook, name)
    extra = list(STRENGTH.get(name, ()))
    rng = np.random.default_rng(20261122)
    for _ in range(8):
        parameters, data = draw(rng)
        for form in (loss, lift(loss)):
            assert max(differences(form, reference, parameters, data + extra)) < 1e-9


def test_a_wrong_gradient_is_found() -> None:
    """A squared error that forgets to divide by n, and one with the sign of b turned."""
    rng = np.random.default_rng(0)
    parameters, data = regression(rng)
    for wrong in (
        lambda w, b, X, y: sum((X @ w + b - y) ** 2),
        lambda w, b, X, y: sum((X @ w - b - y) ** 2) / len(y),
    ):
        assert max(differences(wrong, squared, parameters, data)) > 1e-3


def test_cells_are_executed_as_far_as_a_definition_and_a_missing_one_is_an_error(
    tmp_path: Path,
) -> None:
    cells = [
        nbformat.v4.new_code_cell(c) for c in ("a = 2", "def loss(w):\n    return a * w", "1 / 0")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebooks.write(notebook, tmp_path / "planted.ipynb")
    assert definition(tmp_path / "planted", "loss")(3) == 6
    notebooks.write(nbformat.v4.new_notebook(cells=cells[:1]), tmp_path / "planted.ipynb")
    with pytest.raises(KeyError, match="other"):
        definition(tmp_path / "planted", "other")
