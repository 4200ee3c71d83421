"""The networks in PyTorch, eager, float64: functions of tensors, without the cost of Modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.models import demo, gpt, wavenet

__all__ = ["Contestant"]

torch.set_num_threads(1)
Tensors = dict[str, torch.Tensor]


def demo_loss(p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    count = len(p) // 2
    for i in range(count):
        X = F.linear(X, p[f"weight{i}"], p[f"bias{i}"])
        if i < count - 1:
            X = F.relu(X)
    penalty = sum((w * w).sum() for w in p.values())
    return F.relu(1 - y * X[:, 0]).mean() + demo.ALPHA * penalty


def normed(x: torch.Tensor) -> torch.Tensor:
    """F.rms_norm, which takes a tenth longer here."""
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + gpt.EPS)


def gpt_loss(
    p: Tensors, letters: torch.Tensor, following: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    T = letters.shape[-1]
    x = F.embedding(letters, p["token.weight"]) + p["position.weight"][:T]
    x = normed(x)
    y = normed(x)
    split = (*y.shape[:-1], gpt.HEADS, gpt.SIZE)
    q, k, v = (
        F.linear(y, p[f"{name}.weight"]).view(split).transpose(-2, -3)
        for name in ("query", "key", "value")
    )
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + F.linear(mixed.transpose(-2, -3).reshape(x.shape), p["project.weight"])
    hidden = F.relu(F.linear(normed(x), p["expand.weight"]))
    x = x + F.linear(hidden, p["contract.weight"])
    logits = F.linear(x, p["head.weight"])
    if mask is None:
        return F.cross_entropy(logits, following)
    losses = F.cross_entropy(logits.flatten(0, 1), following.flatten(), reduction="none")
    return (losses * mask.flatten()).sum() / mask.sum()


def makemore_loss(p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = F.embedding(X, p["0.weight"]).flatten(1)
    x = torch.tanh(F.linear(x, p["2.weight"], p["2.bias"]))
    return F.cross_entropy(F.linear(x, p["4.weight"], p["4.bias"]), y)


class Wavenet:
    """Holds the running statistics, which training moves."""

    def __init__(self, hidden: int) -> None:
        kind = torch.float64
        self.running = {
            i: (torch.zeros(hidden, dtype=kind), torch.ones(hidden, dtype=kind))
            for i in wavenet.LEVELS
        }

    def __call__(self, p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = F.embedding(X, p["0.weight"])
        for i in wavenet.LEVELS:
            N, L, C = x.shape
            x = F.linear(x.view(N, L // 2, 2 * C), p[f"{i}.weight"])
            mean, var = self.running[i]
            flat = F.batch_norm(  # channels second, as it wants them
                x.view(N * L // 2, -1), mean, var, p[f"{i + 1}.weight"], p[f"{i + 1}.bias"],
                training=True, momentum=0.1, eps=wavenet.EPS,
            )  # fmt: skip
            x = torch.tanh(flat).view(x.shape)
        return F.cross_entropy(F.linear(x[:, 0], p["13.weight"], p["13.bias"]), y)


def loss_of(network: str, numbers: dict[str, np.ndarray]) -> Callable[..., torch.Tensor]:
    if network == "wavenet":
        return Wavenet(len(numbers["3.weight"]))
    return {"demo": demo_loss, "gpt": gpt_loss, "makemore": makemore_loss}[network]


class Contestant:
    """One network with its optimiser; `step(batch)` is a whole step and gives the loss."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float, fused: bool
    ) -> None:
        self.p = {k: torch.tensor(a, requires_grad=True) for k, a in numbers.items()}
        self.function = loss_of(network, numbers)
        if optimiser == "adam":
            betas, eps = (0.85, 0.99), 1e-8
            # by default PyTorch chooses; on a CPU that is a loop over the tensors
            self.optimiser: Any = torch.optim.Adam(
                self.p.values(), lr, betas, eps, fused=True if fused else None
            )
        else:
            self.optimiser = torch.optim.SGD(self.p.values(), lr, fused=True if fused else None)

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
        self.optimiser.zero_grad()
        loss.backward()
        return loss.item(), {k: w.grad.numpy().copy() for k, w in self.p.items()}
