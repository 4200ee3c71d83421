"""The hierarchical network of makemore part 5, with BatchNorm and its running statistics."""

from __future__ import annotations

import numpy as np

from benchmarks.models.makemore import VOCABULARY
from benchmarks.models.wavenet import EPS, LEVELS
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        self.units = len(p["3.weight"])
        self.running = {i: (np.zeros(self.units), np.ones(self.units)) for i in LEVELS}
        self.buffers = Buffers()

    def __call__(self, X: np.ndarray, y: np.ndarray) -> float:
        p, d, new, units = self.p, self.d, self.buffers, self.units
        n, context = X.shape
        size = p["0.weight"].shape[1]

        x = np.take(p["0.weight"], X.ravel(), axis=0, out=new("x", n * context, size))
        kept = []
        for i in LEVELS:
            x = x.reshape(len(x) // 2, -1)  # pairs of neighbours
            m = len(x)
            ones = new.filled(1.0, m)
            normal = np.matmul(x, p[f"{i}.weight"].T, out=new(f"normal{i}", m, units))
            mean = np.dot(ones, normal) / m
            np.subtract(normal, mean, out=normal)
            out = np.multiply(normal, normal, out=new(f"out{i}", m, units))
            variance = np.dot(ones, out) / m
            scale = (variance + EPS) ** -0.5
            np.multiply(normal, scale, out=normal)
            np.multiply(normal, p[f"{i + 1}.weight"], out=out)
            np.add(out, p[f"{i + 1}.bias"], out=out)
            np.tanh(out, out=out)
            running_mean, running_variance = self.running[i]
            running_mean += 0.1 * (mean - running_mean)
            running_variance += 0.1 * (variance * (m / (m - 1)) - running_variance)
            kept.append((i, x, normal, scale, out, ones))
            x = out
        logits = np.matmul(x, p["13.weight"].T, out=new("logits", n, VOCABULARY))
        np.add(logits, p["13.bias"], out=logits)
        loss = cross_entropy(logits, y, new.filled(1 / n, n))

        np.matmul(logits.T, x, out=d["13.weight"])
        np.add.reduce(logits, axis=0, out=d["13.bias"])
        dx = np.matmul(logits, p["13.weight"], out=new("dx", n, units))
        for i, x, normal, scale, out, ones in reversed(kept):
            m = len(x)
            dout = dx.reshape(m, units)
            np.multiply(out, out, out=out)
            np.subtract(1.0, out, out=out)
            np.multiply(dout, out, out=dout)
            into_bias = np.dot(ones, dout, out=d[f"{i + 1}.bias"])
            np.multiply(dout, normal, out=out)
            into_weight = np.dot(ones, out, out=d[f"{i + 1}.weight"])
            # dz = weight * scale * (dout - mean of dout - normal * mean of dout * normal)
            np.multiply(normal, into_weight / m, out=normal)
            np.subtract(dout, normal, out=dout)
            np.subtract(dout, into_bias / m, out=dout)
            np.multiply(dout, p[f"{i + 1}.weight"] * scale, out=dout)
            np.matmul(dout.T, x, out=d[f"{i}.weight"])
            dx = np.matmul(dout, p[f"{i}.weight"], out=new(f"dx{i}", *x.shape))
        chosen = np.take(LETTERS, X.ravel(), axis=0, out=new("chosen", n * context, VOCABULARY))
        np.matmul(chosen.T, dx.reshape(n * context, size), out=d["0.weight"])
        return loss
