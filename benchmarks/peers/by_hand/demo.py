"""The demo's classifier: two layers of ReLU, a score, hinge loss and L2."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models.demo import ALPHA
from benchmarks.peers.by_hand import Views

__all__ = ["Network"]


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        count = len(p) // 2
        self.weights = [p[f"weight{i}"] for i in range(count)]
        self.biases = [p[f"bias{i}"] for i in range(count)]
        self.into = [(d[f"weight{i}"], d[f"bias{i}"]) for i in range(count)]
        self.w, self.g, self.decay = w, g, np.empty_like(w)
        self.buffers: dict[int, Any] = {}

    def __call__(self, X: np.ndarray, y: np.ndarray) -> float:
        n = len(X)
        if n not in self.buffers:
            widths = [len(weight) for weight in self.weights]
            signals = [np.empty((n, width)) for width in widths]
            slopes = [np.empty((n, width)) for width in widths]
            self.buffers[n] = signals, slopes, np.empty((n, widths[0]), bool), np.ones(n)
        signals, slopes, mask, ones = self.buffers[n]
        last = len(signals) - 1

        x = X
        for i, (weight, bias, out) in enumerate(
            zip(self.weights, self.biases, signals, strict=True)
        ):
            np.matmul(x, weight.T, out=out)
            np.add(out, bias, out=out)
            if i < last:
                np.maximum(out, 0.0, out=out)
            x = out
        margin, slope = signals[last][:, 0], slopes[last][:, 0]
        np.multiply(margin, y, out=margin)
        np.subtract(1.0, margin, out=margin)
        np.maximum(margin, 0.0, out=margin)
        loss = np.dot(margin, ones) / n + ALPHA * np.dot(self.w, self.w)

        np.sign(margin, out=slope)  # the slope of relu, as it is not negative
        np.multiply(slope, y, out=slope)
        np.multiply(slope, -1.0 / n, out=slope)
        for i in range(last, -1, -1):
            into_weight, into_bias = self.into[i]
            below = signals[i - 1] if i else X
            np.matmul(slopes[i].T, below, out=into_weight)
            np.dot(ones, slopes[i], out=into_bias)
            if i:
                np.matmul(slopes[i], self.weights[i], out=slopes[i - 1])
                np.greater(below, 0.0, out=mask)
                np.multiply(slopes[i - 1], mask, out=slopes[i - 1])
        np.multiply(self.w, 2 * ALPHA, out=self.decay)
        np.add(self.g, self.decay, out=self.g)
        return float(loss)
