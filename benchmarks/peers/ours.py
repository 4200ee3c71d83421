"""Our side: a network's loss, lifted, with an optimiser that moves all parameters as one array."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from micrograd import grads, lift, optim

__all__ = ["Contestant"]


class Contestant:
    """`how` is with_layers or with_loops; `batched` are the arguments that grow with the batch."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float,
        how: str, batched: tuple[str, ...], executor: str = "numpy",
    ) -> None:  # fmt: skip
        module = import_module(f"benchmarks.models.{network}")
        loss, self.values = getattr(module, how)(numbers)
        self.loss = lift(loss, batched=batched, executor=executor)
        parameters = self.values.values()
        self.optimiser = (
            optim.Adam(parameters, lr, (0.85, 0.99), 1e-8)
            if optimiser == "adam"
            else optim.SGD(parameters, lr)
        )

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return batch

    def step(self, batch: tuple[np.ndarray, ...]) -> Any:
        loss = self.loss(*batch)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    def program(self, batch: tuple[np.ndarray, ...]) -> Any:
        """The program that steps on such a batch run."""
        self.loss(*batch)
        return self.loss.program

    def gradients(self, batch: tuple[np.ndarray, ...]) -> tuple[float, dict[str, Any]]:
        loss = self.loss(*batch)
        self.optimiser.zero_grad()
        loss.backward()
        return loss.item(), {name: grads(array) for name, array in self.values.items()}
