"""PyTorch in float64: eager with each of its optimisers' ways, or a whole step compiled.

Eager, SGD and Adam go over the tensors one by one (`plain`), in groups (`foreach`) or in one kernel
(`fused`). Compiled, loss, gradient and update are one function for `torch.compile`, which writes
C++ (a compiler is needed, and some seconds for each shape). The losses are in `torch_losses`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# compiled once, kept in `build`; one process compiles, as one core is all there is
os.environ.setdefault(
    "TORCHINDUCTOR_CACHE_DIR", str(Path(__file__).parents[2] / "build" / "torch_compiled")
)
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import numpy as np
import torch

from benchmarks.peers.torch_losses import loss_of, loss_with_statistics

__all__ = ["WAYS", "Contestant"]

torch.set_num_threads(1)
WAYS = ("plain", "foreach", "fused", "compiled")
BETA1, BETA2, EPS = 0.85, 0.99, 1e-8


class Contestant:
    """One network with its optimiser; `step(batch)` is a whole step and gives the loss."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float,
        way: str = "plain",
    ) -> None:  # fmt: skip
        self.p = {k: torch.tensor(a, requires_grad=True) for k, a in numbers.items()}
        self.function = loss_of(network, numbers)
        if way == "compiled":
            self.step = compiled(network, numbers, self.p, optimiser, lr)  # type: ignore[method-assign]
            return
        how = {"foreach": way == "foreach", "fused": way == "fused"}
        if optimiser == "adam":
            self.optimiser: Any = torch.optim.Adam(self.p.values(), lr, (BETA1, BETA2), EPS, **how)
        else:
            self.optimiser = torch.optim.SGD(self.p.values(), lr, **how)

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(map(torch.from_numpy, batch))

    def step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        loss = self.function(self.p, *batch)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    def gradients(self, batch: tuple[torch.Tensor, ...]) -> tuple[float, dict[str, Any]]:
        loss = self.function(self.p, *batch)
        g = torch.autograd.grad(loss, list(self.p.values()))
        return loss.item(), {k: a.numpy().copy() for k, a in zip(self.p, g, strict=True)}


def compiled(
    network: str, numbers: dict[str, np.ndarray], leaves: dict[str, torch.Tensor],
    optimiser: str, lr: float,
) -> Callable[[tuple[torch.Tensor, ...]], torch.Tensor]:  # fmt: skip
    """A step of one compiled function that changes the parameters in place."""
    torch._dynamo.config.recompile_limit = 64  # a program for each length of a name
    function, running = loss_with_statistics(network, numbers)
    gradient_and_loss = torch.func.grad_and_value(function, has_aux=True)
    p = {name: leaf.detach() for name, leaf in leaves.items()}  # the same memory
    m = {name: torch.zeros_like(w) for name, w in p.items()}
    v = {name: torch.zeros_like(w) for name, w in p.items()}
    t = torch.zeros(1, dtype=torch.float64)  # compiled, `add_` on a 0-d tensor is lost (2.13)

    def whole(*batch: torch.Tensor) -> torch.Tensor:
        g, (loss, moved) = gradient_and_loss(p, *batch)
        for old, new in zip(running, moved, strict=True):
            old.lerp_(new, 0.1)
        if optimiser == "sgd":
            for name, w in p.items():
                w.sub_(g[name], alpha=lr)
            return loss
        t.add_(1)
        for name, w in p.items():
            m[name].lerp_(g[name], 1 - BETA1)
            v[name].lerp_(g[name] * g[name], 1 - BETA2)
            mean, square = m[name] / (1 - BETA1**t), v[name] / (1 - BETA2**t)
            w.sub_(lr * mean / (square.sqrt() + EPS))
        return loss

    program = torch.compile(whole, dynamic=False)

    def step(batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        with torch.no_grad():
            return program(*batch)

    return step
