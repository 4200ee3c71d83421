"""The networks in NumPy by hand: forward, backward and update written out for speed.

All parameters are one flat array, their gradients another, with a view for each name; a network
keeps one set of buffers for each shape of batch and writes into them. Read `demo` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["Buffers", "Contestant", "Views", "cross_entropy", "flat"]

Views = Mapping[str, np.ndarray]


class Contestant:
    """One network with its optimiser; `step(batch)` is a whole step and gives the loss."""

    def __init__(self, network: str, numbers: Views, optimiser: str, lr: float) -> None:
        self.w, self.p = flat(numbers)
        self.g, self.d = flat({name: np.zeros_like(array) for name, array in numbers.items()})
        module = import_module(f"{__name__}.{network}")
        self.network = module.Network(self.p, self.d, self.w, self.g)
        self.update = (adam if optimiser == "adam" else sgd)(self.w, self.g, lr)

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return batch

    def step(self, batch: tuple[np.ndarray, ...]) -> float:
        loss = self.network(*batch)
        self.update()
        return loss

    def gradients(self, batch: tuple[np.ndarray, ...]) -> tuple[float, dict[str, Any]]:
        loss = self.network(*batch)
        return loss, {name: array.copy() for name, array in self.d.items()}


def flat(numbers: Views) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A copy of all as one array, and the views of it by name."""
    whole = np.concatenate([array.ravel() for array in numbers.values()])
    views, start = {}, 0
    for name, array in numbers.items():
        views[name] = whole[start : start + array.size].reshape(array.shape)
        start += array.size
    return whole, views


def sgd(w: np.ndarray, g: np.ndarray, lr: float) -> Callable[[], None]:
    moved = np.empty_like(w)

    def update() -> None:
        np.multiply(g, lr, out=moved)
        np.subtract(w, moved, out=w)

    return update


def adam(w: np.ndarray, g: np.ndarray, lr: float) -> Callable[[], None]:
    beta1, beta2, eps = 0.85, 0.99, 1e-8
    m, v = np.zeros_like(w), np.zeros_like(w)
    a, b = np.empty_like(w), np.empty_like(w)
    t = 0

    def update() -> None:
        nonlocal t
        t += 1
        # m += (1 - beta1) (g - m), and v likewise
        np.subtract(g, m, out=a)
        np.multiply(a, 1 - beta1, out=a)
        np.add(m, a, out=m)
        np.multiply(g, g, out=a)
        np.subtract(a, v, out=a)
        np.multiply(a, 1 - beta2, out=a)
        np.add(v, a, out=v)
        np.sqrt(v, out=b)
        np.multiply(b, (1 - beta2**t) ** -0.5, out=b)
        np.add(b, eps, out=b)
        np.divide(m, b, out=a)
        np.multiply(a, lr / (1 - beta1**t), out=a)
        np.subtract(w, a, out=w)

    return update


class Buffers:
    """Named arrays for one shape of batch: `buffers("hidden", 32, 16)` is made once, then found."""

    def __init__(self) -> None:
        self.found: dict[tuple[Any, ...], np.ndarray] = {}

    def __call__(self, name: str, *shape: int) -> np.ndarray:
        key = (name, shape)
        if key not in self.found:
            self.found[key] = np.zeros(shape)
        return self.found[key]

    def filled(self, number: float, n: int) -> np.ndarray:
        """`number`, n times."""
        key = (number, n)
        if key not in self.found:
            self.found[key] = np.full(n, number)
        return self.found[key]


def cross_entropy(logits: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> float:
    """sum weight * (log sum exp(z) - z_target) over the rows; `logits` become its gradient."""
    np.subtract(logits, np.maximum.reduce(logits, axis=1, keepdims=True), out=logits)
    rows = np.arange(len(logits))
    chosen = logits[rows, targets]
    np.exp(logits, out=logits)
    total = np.add.reduce(logits, axis=1)
    loss = np.dot(np.log(total) - chosen, weight)
    np.divide(weight, total, out=total)
    np.multiply(logits, total[:, None], out=logits)
    logits[rows, targets] -= weight
    return float(loss)
