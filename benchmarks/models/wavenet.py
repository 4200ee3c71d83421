"""The hierarchical network of makemore part 5: pairs of letters, pairs of pairs, BatchNorm between.

Context 8, embedding 24, hidden 128: 76,579 parameters. The statistics of BatchNorm run over the
batch and all positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models import Network, Numbers, leaves
from benchmarks.models.makemore import VOCABULARY, cross_entropy, linear
from benchmarks.models.makemore import batches as letters_before
from micrograd import functional, nn

__all__ = ["batches", "numbers", "with_layers", "with_loops"]

CONTEXT, EPS = 8, 1e-5
LEVELS = (2, 6, 10)  # where in the Sequential the three hidden layers stand


def numbers(seed: int = 42, embedding: int = 24, hidden: int = 128) -> dict[str, np.ndarray]:
    """Weights scaled for tanh, the last layer small, BatchNorm as the identity."""
    rng = np.random.default_rng(seed)
    found = {"0.weight": rng.normal(0.0, 1.0, (VOCABULARY, embedding))}
    nin = 2 * embedding
    for i in LEVELS:
        found[f"{i}.weight"] = rng.normal(0.0, 5 / 3 / nin**0.5, (hidden, nin))
        found[f"{i + 1}.weight"] = np.ones(hidden)
        found[f"{i + 1}.bias"] = np.zeros(hidden)
        nin = 2 * hidden
    found["13.weight"] = rng.normal(0.0, 0.1 / hidden**0.5, (VOCABULARY, hidden))
    found["13.bias"] = np.zeros(VOCABULARY)
    return found


def batches(count: int, size: int = 32) -> list[tuple[np.ndarray, ...]]:
    return letters_before(count, size, CONTEXT)


def with_layers(numbers: Numbers) -> Network:
    embedding, hidden = numbers["0.weight"].shape[1], len(numbers["2.weight"])
    layers: list[Any] = [nn.Embedding(VOCABULARY, embedding)]
    nin = 2 * embedding
    for _ in LEVELS:
        linear = nn.Linear(nin, hidden, bias=False)
        norm = nn.BatchNorm1d(hidden, eps=EPS, channel_axis=-1)
        layers += [nn.FlattenConsecutive(2), linear, norm, nn.Tanh()]
        nin = 2 * hidden
    model = nn.Sequential(*layers, nn.Linear(hidden, VOCABULARY))
    statistics = {k: v for k, v in model.state_dict().items() if k not in numbers}
    model.load_state_dict({**numbers, **statistics})

    def loss(X: Any, y: Any) -> Any:
        return functional.cross_entropy(model(X), y)

    return Network(loss, dict(model.named_arrays()))


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    matrix = {name: array.tolist() for name, array in values.items()}

    def loss(X: Any, y: Any) -> Any:
        # x[example][position] is a list of numbers
        x = [[list(functional.take(matrix["0.weight"], letter)) for letter in row] for row in X]
        for i in LEVELS:
            pairs = [[a + b for a, b in zip(row[::2], row[1::2], strict=True)] for row in x]
            mixed = [[linear(pair, matrix[f"{i}.weight"]) for pair in row] for row in pairs]
            every = [position for row in mixed for position in row]
            normal = batch_norm(every, matrix[f"{i + 1}.weight"], matrix[f"{i + 1}.bias"])
            active = [[number.tanh() for number in position] for position in normal]
            length = len(pairs[0])
            x = [active[j : j + length] for j in range(0, len(active), length)]
        total = 0.0
        for (features,), target in zip(x, y, strict=True):
            logits = linear(features, matrix["13.weight"], matrix["13.bias"])
            total = total + cross_entropy(logits, target)
        return total / len(y)

    return Network(loss, values)


def batch_norm(rows: list[Any], weight: list[Any], bias: list[Any]) -> list[Any]:
    """Each column minus its mean, over its standard deviation, times weight, plus bias."""
    columns = []
    for column, w, b in zip(zip(*rows, strict=True), weight, bias, strict=True):
        mean = sum(column) / len(column)
        centred = [x - mean for x in column]
        variance = sum(c * c for c in centred) / len(column)
        scale = (variance + EPS) ** -0.5
        columns.append([c * scale * w + b for c in centred])
    return list(zip(*columns, strict=True))
