"""The problems of `lift.py`, the contestants of each, and what we hold ourselves to.

A contestant is an engine, or one way of running it: `torch-fused`, `jax-flat-kept`. Of an engine's
ways the fastest counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.models import attention, cnn, demo, gpt, hmm, lstm, makemore, wavenet

__all__ = [
    "ENGINES", "OURS", "ROWS", "SLOW", "Batches", "Row", "contestants", "engine", "native",
]  # fmt: skip

Batches = list[tuple[np.ndarray, ...]]
WRITTEN = ("layers", "loops")
OURS = ("layers", "loops", "native-layers", "native-loops")
ENGINES = {
    "layers": "lift, with layers",
    "loops": "lift, plain loops",
    "native-layers": "native, with layers",
    "native-loops": "native, plain loops",
    "numpy": "NumPy by hand",
    "torch": "PyTorch, eager",
    "compiled": "PyTorch, compiled",
    "jax": "JAX",
    "scalar": "scalar engine",
}
TORCH = ("torch-plain", "torch-foreach", "torch-fused")
JAX = tuple(f"jax-{held}-{how}" for held in ("dict", "list", "flat") for how in ("kept", "donated"))
SLOW = 20  # steps of a scalar engine


class Row(NamedTuple):
    """One problem; `held_to`: how many times as long as ours each engine's step takes at least.

    That is four fifths of what was measured, as an unchanged step varies by a fifth between runs.
    """

    title: str
    network: str
    batches: Callable[[], Batches]
    optimiser: str
    lr: float
    held_to: dict[str, float]
    native_to: dict[str, float]  # the same for native code
    batched: tuple[str, ...] = ()
    ours: tuple[str, ...] = WRITTEN  # the first is the one that is compared
    scalar: bool = False
    steps: int = 500  # that are timed, after the first ones
    whole: bool = False  # time the batches one after the other from the start, recording included


ROWS = {
    "demo-100": Row(
        "demo, batch 100", "demo", lambda: [demo.batch(100)], "sgd", 0.05,
        {"numpy": 0.66, "torch": 4.7, "compiled": 1.3, "jax": 0.38, "scalar": 29000},
        {"torch": 19, "jax": 1.6},
        scalar=True, steps=2000,
    ),
    "demo-1000": Row(
        "demo, batch 1,000", "demo", lambda: [demo.batch(1000)], "sgd", 0.05,
        {"numpy": 0.73, "torch": 1.9, "compiled": 0.95, "jax": 0.4},
        {"torch": 9.3, "jax": 1.9},
        ("X", "y"), steps=1000,
    ),
    "demo-10000": Row(
        "demo, batch 10,000", "demo", lambda: [demo.batch(10_000)], "sgd", 0.05,
        {"numpy": 0.66, "torch": 1.2, "compiled": 0.7, "jax": 0.31},
        {"torch": 8.5, "jax": 2.1},
        ("X", "y"), steps=100,
    ),
    "gpt-1": Row(
        "GPT, one name", "gpt", lambda: gpt.single(12), "adam", 0.001,
        {"numpy": 0.87, "torch": 4.5, "compiled": 1.2, "jax": 0.4, "scalar": 8500},
        {"torch": 28, "jax": 2.5},
        scalar=True, steps=1000,
    ),
    "gpt-1000": Row(
        "GPT, whole training", "gpt", lambda: gpt.single(1000), "adam", 0.001,
        {"numpy": 0.35, "torch": 1.9, "jax": 5, "scalar": 3000},
        {"torch": 1, "jax": 2.7},
        scalar=True, whole=True,
    ),
    "gpt-32": Row(
        "GPT, 32 padded names", "gpt", lambda: gpt.batches(8), "adam", 0.001,
        {"numpy": 0.71, "torch": 1.4, "compiled": 1.1, "jax": 0.32},
        {"torch": 5.5, "jax": 1.1},
        ("letters", "following", "mask"), steps=200,
    ),
    "makemore-32": Row(
        "makemore MLP, batch 32", "makemore", lambda: makemore.batches(50), "sgd", 0.1,
        {"numpy": 0.66, "torch": 1.4, "compiled": 0.99, "jax": 0.48},
        {"torch": 3.8, "jax": 1.2},
        ("X", "y"), steps=1000,
    ),
    "wavenet-32": Row(
        "BatchNorm network, batch 32", "wavenet", lambda: wavenet.batches(50), "sgd", 0.1,
        {"numpy": 0.58, "torch": 0.86, "compiled": 0.59, "jax": 0.35},
        {"torch": 2.3, "jax": 1},
        ("X", "y"), steps=300,
    ),
    "lstm-32": Row(
        "LSTM, batch 32", "lstm", lambda: lstm.batches(20), "sgd", 0.1,
        {"numpy": 0.65, "torch": 1.1, "compiled": 0.51, "jax": 0.29},
        {"torch": 3.9, "jax": 0.97},
        ("X", "y"), ("loops",), steps=300,
    ),
    "cnn-32": Row(
        "CNN, batch 32", "cnn", lambda: cnn.batches(20), "sgd", 0.1,
        {"numpy": 0.88, "torch": 1, "compiled": 0.69, "jax": 0.33},
        {"torch": 5.6, "jax": 1.8},
        ("X", "y"), ("loops",), steps=1000,
    ),
    "attention-48": Row(
        "causal attention, 48 letters", "attention", lambda: attention.batches(20), "sgd", 0.1,
        {"numpy": 0.53, "torch": 2.1, "compiled": 0.88, "jax": 0.33},
        {"torch": 8.4, "jax": 1.3},
        ours=("loops",), steps=1000,
    ),
    "hmm-50": Row(
        "hidden Markov model, 50 letters", "hmm", lambda: hmm.batches(20), "sgd", 0.1,
        {"numpy": 0.42, "torch": 2.6, "compiled": 0.8, "jax": 0.068},
        {"torch": 58, "jax": 1.5},
        ours=("loops",), steps=500,
    ),
}  # fmt: skip


def contestants(row: Row, compiler: bool = True) -> tuple[str, ...]:
    """All that are measured, `compiled` where there is a C++ compiler for it."""
    ours = (*row.ours, *map(native, row.ours))
    if row.whole:
        # torch.compile takes some ten seconds for each length, or for one padded: out of the race
        others = (*TORCH, *map(padded, (*TORCH, *JAX)), "jax-flat-donated")
        ours = (*ours, *map(padded, ours))
    else:
        others = (*TORCH, *(["compiled"] if compiler else []), *JAX)
    return (*ours, "numpy", *others, *(["scalar"] if row.scalar else []))


def native(how: str) -> str:
    """The contestant that runs the same network as native code."""
    return f"native-{how}"


def padded(contestant: str) -> str:
    """The same on names padded to one length, so that one program serves them all."""
    return f"{contestant}-padded"


def engine(contestant: str) -> str:
    """`torch-fused` is a way of running `torch`."""
    while contestant not in ENGINES:
        contestant = contestant.rpartition("-")[0]
    return contestant
