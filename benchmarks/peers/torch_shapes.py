"""The losses of `models/shapes.py` in PyTorch, each as somebody would write it for speed.

Tables are filled by antidiagonals where that is possible, recurrences step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.models.shapes import graph, labels

__all__ = ["LOSSES"]

Tensor = torch.Tensor
FAR = 1e10  # outside the table; inf would make gradients nan


def by_antidiagonals(x: Tensor, y: Tensor, least: Callable[[Tensor], Tensor]) -> Tensor:
    """D[i, j] = (x_i - y_j)**2 + least(up, left, both): an antidiagonal from the two before it."""
    m, n = len(x), len(y)
    cost = (x[:, None] - y) ** 2
    skewed = torch.full((m, m + n - 1), FAR, dtype=x.dtype)  # cell (i, j) at (i, i + j)
    rows = torch.arange(m)[:, None]
    skewed = skewed.index_put((rows, rows + torch.arange(n)), cost)
    far = torch.full((1,), FAR, dtype=x.dtype)
    before, last = torch.full((m,), FAR, dtype=x.dtype), skewed[:, 0]
    for column in skewed.unbind(1)[1:]:
        up, both = torch.cat((far, last[:-1])), torch.cat((far, before[:-1]))
        before, last = last, column + least(torch.stack((up, last, both)))
    return last[-1]


def soft_dtw(x: Tensor, y: Tensor) -> Tensor:
    return by_antidiagonals(x, y, lambda ways: -torch.logsumexp(-ways, 0))


def min_plus(x: Tensor, y: Tensor) -> Tensor:
    return by_antidiagonals(x, y, lambda ways: ways.amin(0))


def ctc(logits: Tensor) -> Tensor:
    spelt = torch.tensor([letter for letter in labels() if letter])
    length = torch.tensor([len(logits)]), torch.tensor([len(spelt)])
    log_p = torch.log_softmax(logits, 1)[:, None]
    return F.ctc_loss(log_p, spelt[None], *length, reduction="sum")


def cumsum(x: Tensor) -> Tensor:
    return (torch.cumsum(x, 0) ** 2).sum()


def autoregression(a: Tensor, x: Tensor) -> Tensor:
    factor, more, h = a.unbind()
    found = []
    for _ in range(len(x)):
        h = torch.addcmul(more, factor, h)
        found.append(h)
    return ((torch.stack(found) - x) ** 2).mean()


def euler(a: Tensor, x: Tensor) -> Tensor:
    p, q, r, h = a.unbind()
    p, q, r = 1 + 0.01 * p, 0.01 * q, 0.01 * r
    found = []
    for _ in range(len(x)):
        h = h * (p - q * h * h) + r * torch.sin(h)
        found.append(h)
    return ((torch.stack(found) - x) ** 2).mean()


def predators(a: Tensor, x: Tensor) -> Tensor:
    p, q, r, s, u, v = a.unbind()
    found = []
    for _ in range(len(x)):
        both = u * v
        u, v = u + 0.01 * (p * u - q * both), v + 0.01 * (r * both - s * v)
        found.append(u)
    return ((torch.stack(found) - x) ** 2).mean()


def small_rnn(w: Tensor, x: Tensor) -> Tensor:
    factor, _, _, h = w.unbind()
    found = []
    for given in (w[1] * x[:-1] + w[2]).unbind():
        h = torch.tanh(torch.addcmul(given, factor, h))
        found.append(h)
    return ((torch.stack(found) - x[1:]) ** 2).mean()


def last_states(w: Tensor, x: Tensor) -> Tensor:
    factor, _, _, h = w.unbind()
    for given in (w[1] * x + w[2]).unbind():
        h = torch.tanh(torch.addcmul(given, factor, h))
    return ((h - 1.0) ** 2).sum()


def causal_attention(x: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    q, k, v = (F.linear(x, w)[None] for w in (query, key, value))
    return (F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.25) ** 2).sum()


def adjacency() -> Tensor:
    heard = graph()
    rows = torch.zeros(len(heard), len(heard), dtype=torch.float64)
    for i, js in enumerate(heard):
        rows[i].index_add_(0, torch.tensor(js), rows.new_full((len(js),), 1 / len(js)))
    return rows


def adjacency_lists(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """As a matrix, which is faster here than index_add (60 nodes)."""
    x = F.relu(MATRIX @ F.linear(x, first))
    return (F.relu(MATRIX @ F.linear(x, second)) ** 2).sum()


def dilated(x: Tensor, *weights: Tensor) -> Tensor:
    x = x.t()[None]
    for k, weight in enumerate(weights):
        step = 2**k
        padded = F.pad(x, (step * (len(weight) - 1), 0))
        x = torch.tanh(F.conv1d(padded, weight.flip(0).permute(1, 2, 0), dilation=step))
    return (x * x).sum()


MATRIX = adjacency()
LOSSES: dict[str, Callable[..., Any]] = {
    "soft-dtw": soft_dtw, "min-plus": min_plus, "ctc": ctc, "running-sum": cumsum,
    "cumsum": cumsum, "autoregression": autoregression, "euler": euler, "predators": predators,
    "small-rnn": small_rnn, "last-states": last_states,
    "causal-48": causal_attention, "gcn": adjacency_lists, "dilated": dilated,
}  # fmt: skip
