"""The MLP of makemore part 2: an embedding, tanh, the next letter."""

from __future__ import annotations

import numpy as np

from benchmarks.models.makemore import VOCABULARY
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        self.buffers = Buffers()

    def __call__(self, X: np.ndarray, y: np.ndarray) -> float:
        p, d, new = self.p, self.d, self.buffers
        n, context = X.shape
        size = p["0.weight"].shape[1]
        units = len(p["2.weight"])
        ones = new.filled(1.0, n)

        x = np.take(p["0.weight"], X.ravel(), axis=0, out=new("x", n * context, size))
        x = x.reshape(n, context * size)
        hidden = np.matmul(x, p["2.weight"].T, out=new("hidden", n, units))
        np.add(hidden, p["2.bias"], out=hidden)
        np.tanh(hidden, out=hidden)
        logits = np.matmul(hidden, p["4.weight"].T, out=new("logits", n, VOCABULARY))
        np.add(logits, p["4.bias"], out=logits)
        loss = cross_entropy(logits, y, new.filled(1 / n, n))

        np.matmul(logits.T, hidden, out=d["4.weight"])
        np.dot(ones, logits, out=d["4.bias"])
        dhidden = np.matmul(logits, p["4.weight"], out=new("dhidden", n, units))
        np.multiply(hidden, hidden, out=hidden)
        np.subtract(1.0, hidden, out=hidden)
        np.multiply(dhidden, hidden, out=dhidden)
        np.matmul(dhidden.T, x, out=d["2.weight"])
        np.dot(ones, dhidden, out=d["2.bias"])
        dx = np.matmul(dhidden, p["2.weight"], out=new("dx", n, context * size))
        chosen = np.take(LETTERS, X.ravel(), axis=0, out=new("chosen", n * context, VOCABULARY))
        np.matmul(chosen.T, dx.reshape(n * context, size), out=d["0.weight"])
        return loss
