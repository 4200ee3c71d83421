"""What is trained and served: features, a small network of Values, and the card in its file.

`build` makes a model file, `open_model` reads one: it compares the card with the code that runs
here and tries the model on rows whose answers the card holds, before anybody may ask it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from micrograd import __version__, functional, lift, nn, numbers, optim
from service.schema import Delivery, data_hash
from service.world import VEHICLES, Columns, select

__all__ = [
    "Model",
    "build",
    "code_hash",
    "features",
    "log_losses",
    "open_model",
    "read_card",
    "reference_of",
    "train",
]

Tensors = dict[str, np.ndarray]
TRIED = 4  # rows of the reference whose answers stand in the card


def features(columns: Columns) -> np.ndarray:
    """Eight numbers a parcel; the hour as sine and cosine of one and of two turns a day."""
    turn = 2 * np.pi * columns["hour"] / 24
    return np.column_stack(
        [
            np.log(columns["distance_km"]),
            np.log(columns["weight_kg"]),
            np.sin(turn),
            np.cos(turn),
            np.sin(2 * turn),
            np.cos(2 * turn),
            columns["vehicle"] == "van",
            columns["vehicle"] == "truck",
        ]
    ).astype(float)


def log_losses(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-log of the probability given to what happened, one a row; nan where that is unknown."""
    return np.where(np.isnan(y), np.nan, -np.log(np.where(y == 1, p, 1 - p)))


class Model:
    """A network and the scaling of its inputs: a model file's numbers, and their use."""

    def __init__(self, tensors: Tensors) -> None:
        self.net = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        self.net.load_state_dict({k: v for k, v in tensors.items() if k in self.net.state_dict()})
        self.mean, self.scale = tensors["mean"], tensors["scale"]
        self.logits = lift(batched=("Z",))(lambda Z: self.net(Z)[:, 0])

    def inputs(self, columns: Columns) -> np.ndarray:
        return (features(columns) - self.mean) / self.scale

    def __call__(self, columns: Columns) -> np.ndarray:
        """P(late) for each row."""
        return 1 / (1 + np.exp(-numbers(self.logits(self.inputs(columns)))))


def train(columns: Columns, late: np.ndarray, seed: int, steps: int = 400) -> Tensors:
    """The tensors of a model: weights, scaling, and a held-out fifth as reference."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(late))
    held_out, used = order[: len(late) // 5], order[len(late) // 5 :]
    X = features(select(columns, used))
    net = nn.Sequential(nn.Linear(8, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
    tensors = {"mean": X.mean(0), "scale": X.std(0)}

    @lift(batched=("Z", "y"))
    def loss_fn(Z: Any, y: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(net(Z)[:, 0], y)

    Z, y = (X - tensors["mean"]) / tensors["scale"], late[used].astype(float)
    adam = optim.Adam(net.parameters(), lr=0.03)
    for _ in range(steps):
        loss = loss_fn(Z, y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    kept = select(columns, held_out)
    kept["vehicle"] = np.array([VEHICLES.index(v) for v in kept["vehicle"]])
    kept["late"] = late[held_out]
    return {**net.state_dict(), **tensors, **{f"reference.{k}": v for k, v in kept.items()}}


def reference_of(tensors: Tensors) -> tuple[Columns, np.ndarray]:
    """The held-out rows kept in a model file, as columns, and their outcomes."""
    columns = {name: tensors[f"reference.{name}"] for name in Delivery.model_fields}
    columns["vehicle"] = np.array(VEHICLES)[columns["vehicle"]]
    return columns, tensors["reference.late"].astype(float)


# --- the card -------------------------------------------------------------------------------------


def code_hash() -> str:
    """SHA-256 of the code that turns columns into an answer."""
    parts = (features, Model.__init__, Model.inputs, Model.__call__)
    return hashlib.sha256("".join(map(inspect.getsource, parts)).encode()).hexdigest()


def made_here() -> dict[str, Any]:
    """What a model file must agree with to be served by this process."""
    return {
        "code_sha256": code_hash(),
        "columns": list(Delivery.model_fields),
        "engine": __version__,
    }


def build(columns: Columns, late: np.ndarray, seed: int) -> bytes:
    """A model file: the same data, seed and code give the same bytes."""
    tensors = train(columns, late, seed)
    held_out, outcome = reference_of(tensors)
    p = Model(tensors)(held_out)
    card = {
        **made_here(),
        "data_sha256": data_hash(columns, late),
        "rows": len(late),
        "seed": seed,
        "numpy": np.__version__,
        "log_loss": float(log_losses(p, outcome).mean()),
        "log_loss_of_constant": float(log_losses(np.full(len(p), late.mean()), outcome).mean()),
        "answers": p[:TRIED].tolist(),
    }
    return safetensors.numpy.save(tensors, metadata={"card": json.dumps(card, sort_keys=True)})


def read_card(blob: bytes) -> dict[str, Any]:
    """The card in a model file's header: 8 bytes of length, then JSON."""
    length = int.from_bytes(blob[:8], "little")
    return json.loads(json.loads(blob[8 : 8 + length])["__metadata__"]["card"])


def open_model(blob: bytes) -> Model:
    """The model in a file whose card agrees with this code and whose answers are those promised."""
    try:
        card, tensors = read_card(blob), safetensors.numpy.load(blob)
        model, (reference, _) = Model(tensors), reference_of(tensors)
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"this is no model file: {error}") from error
    for key, here in made_here().items():
        if card.get(key) != here:
            raise ValueError(f"{key} in the card is {card.get(key)!r}, in this process {here!r}")
    said = model(select(reference, slice(0, TRIED)))
    if not np.allclose(said, card["answers"], rtol=1e-9, atol=0):  # false of nan, too
        raise ValueError(f"the model answers {said.tolist()}, its card says {card['answers']}")
    return model
