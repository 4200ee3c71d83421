"""The losses of all networks in PyTorch: functions of tensors, without the cost of Modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.models import cnn, demo, gpt, wavenet

__all__ = ["loss_of", "loss_with_statistics"]

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


def lstm_loss(p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    size = p["hidden.weight"].shape[1]
    table = F.linear(p["token.weight"], p["input.weight"], p["input.bias"])
    inputs = F.embedding(X.t(), table)
    h = c = torch.zeros(len(X), size, dtype=torch.float64)
    for x in inputs:
        gates = torch.addmm(x, h, p["hidden.weight"].t())
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    return F.cross_entropy(F.linear(h, p["head.weight"], p["head.bias"]), y)


def cnn_loss(p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    for i in range(2):
        X = F.relu(F.conv2d(X, p[f"kernel{i}"], p[f"bias{i}"]))
    return F.cross_entropy(F.linear(X.flatten(1), p["head.weight"], p["head.bias"]), y)


def attention_loss(p: Tensors, letters: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
    x = F.embedding(letters, p["token.weight"]) + p["position.weight"][: len(letters)]
    q, k, v = (F.linear(x, p[f"{name}.weight"])[None] for name in ("query", "key", "value"))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)[0]
    x = x + F.linear(mixed, p["project.weight"])
    return F.cross_entropy(F.linear(x, p["head.weight"]), following)


def hmm_loss(p: Tensors, letters: torch.Tensor) -> torch.Tensor:
    start, A, B = (torch.log_softmax(p[name], -1) for name in ("start", "transition", "emission"))
    into = A.t().contiguous()
    first, *rest = F.embedding(letters, B.t())
    alpha = start + first
    for b in rest:
        alpha = torch.logsumexp(into + alpha, 1) + b
    return -torch.logsumexp(alpha, 0) / len(letters)


def cnn_by_patches(p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Eager a third slower than conv2d (354 us to 271), compiled faster (174 to 223)."""
    x = X.permute(0, 2, 3, 1)
    for i in range(2):
        kernel = p[f"kernel{i}"]
        windows = x.unfold(1, cnn.KERNEL, 1).unfold(2, cnn.KERNEL, 1)
        side = windows.shape[1]
        patches = windows.reshape(len(X) * side * side, -1)
        x = F.relu(F.linear(patches, kernel.flatten(1), p[f"bias{i}"]))
        x = x.view(len(X), side, side, -1)
    x = x.permute(0, 3, 1, 2).flatten(1)
    return F.cross_entropy(F.linear(x, p["head.weight"], p["head.bias"]), y)


def hmm_by_products(p: Tensors, letters: torch.Tensor) -> torch.Tensor:
    """Eager slower than logsumexp (1,746 us to 1,147): more calls; compiled it is the faster."""
    start, A, B = (torch.log_softmax(p[name], -1) for name in ("start", "transition", "emission"))
    A = A.exp()
    first, *rest = F.embedding(letters, B.t()).unbind()
    alpha = start + first
    for b in rest:
        shift = alpha.detach().max()
        alpha = torch.log((alpha - shift).exp() @ A) + (b + shift)
    return -torch.logsumexp(alpha, 0) / len(letters)


class Wavenet:
    """Holds the running statistics, which training moves."""

    def __init__(self, hidden: int) -> None:
        kind = torch.float64
        self.running = {
            i: (torch.zeros(hidden, dtype=kind), torch.ones(hidden, dtype=kind))
            for i in wavenet.LEVELS
        }

    def __call__(self, p: Tensors, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.through(p, X, y, lambda i, x: self.running[i])

    def with_statistics(self, p: Tensors, X: torch.Tensor, y: torch.Tensor) -> Any:
        """The loss, and mean and variance of each level, for whoever may not change anything."""
        seen: list[torch.Tensor] = []

        def note(i: int, x: torch.Tensor) -> tuple[None, None]:
            seen.extend((x.detach().mean(0), x.detach().var(0)))
            return None, None

        return self.through(p, X, y, note), seen

    def through(self, p: Tensors, X: Any, y: Any, statistics: Callable[..., Any]) -> torch.Tensor:
        x = F.embedding(X, p["0.weight"])
        for i in wavenet.LEVELS:
            N, L, C = x.shape
            x = F.linear(x.view(N, L // 2, 2 * C), p[f"{i}.weight"])
            flat = x.view(N * L // 2, -1)  # channels second, as batch_norm wants them
            mean, var = statistics(i, flat)
            flat = F.batch_norm(
                flat, mean, var, p[f"{i + 1}.weight"], p[f"{i + 1}.bias"],
                training=True, momentum=0.1, eps=wavenet.EPS,
            )  # fmt: skip
            x = torch.tanh(flat).view(x.shape)
        return F.cross_entropy(F.linear(x[:, 0], p["13.weight"], p["13.bias"]), y)


def loss_of(network: str, numbers: dict[str, np.ndarray]) -> Callable[..., torch.Tensor]:
    if network == "wavenet":
        return Wavenet(len(numbers["3.weight"]))
    return LOSSES[network]


def loss_with_statistics(
    network: str, numbers: dict[str, np.ndarray]
) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """For compiling: a pure function to (loss, new statistics), and the tensors that they move."""
    if network == "wavenet":
        model = Wavenet(len(numbers["3.weight"]))
        return model.with_statistics, [s for pair in model.running.values() for s in pair]
    loss = COMPILED.get(network, LOSSES[network])
    return (lambda p, *batch: (loss(p, *batch), [])), []


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "demo": demo_loss, "gpt": gpt_loss, "makemore": makemore_loss,
    "lstm": lstm_loss, "cnn": cnn_loss, "attention": attention_loss, "hmm": hmm_loss,
}  # fmt: skip
COMPILED = {"cnn": cnn_by_patches, "hmm": hmm_by_products}  # where another form is faster then
