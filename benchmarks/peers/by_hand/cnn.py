"""The convolutional network: patches as rows of a matrix, a product for each layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.models.cnn import CLASSES, KERNEL
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy

__all__ = ["Network"]


class Network:
    """Images inside are (n, row, column, channel)."""

    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        self.buffers = Buffers()

    def __call__(self, X: np.ndarray, y: np.ndarray) -> float:
        p, d, new = self.p, self.d, self.buffers
        n, (out0, out1) = len(X), (len(p["kernel0"]), len(p["kernel1"]))
        ones = new.filled(1.0, n)
        patches0, hidden0 = self.layer(X.transpose(0, 2, 3, 1), 0)
        side = hidden0.shape[1]
        patches1, hidden1 = self.layer(hidden0, 1)
        pixels = new("pixels", n, p["head.weight"].shape[1])
        shape = (n, out1, *hidden1.shape[1:3])
        pixels.reshape(shape)[...] = hidden1.transpose(0, 3, 1, 2)
        logits = np.matmul(pixels, p["head.weight"].T, out=new("logits", n, CLASSES))
        np.add(logits, p["head.bias"], out=logits)
        loss = cross_entropy(logits, y, new.filled(1 / n, n))

        np.matmul(logits.T, pixels, out=d["head.weight"])
        np.dot(ones, logits, out=d["head.bias"])
        dpixels = np.matmul(logits, p["head.weight"], out=new("dpixels", *pixels.shape))
        np.multiply(dpixels, pixels > 0, out=dpixels)
        dhidden1 = new("dhidden1", *hidden1.shape)
        dhidden1[...] = dpixels.reshape(shape).transpose(0, 2, 3, 1)
        flat1 = dhidden1.reshape(-1, out1)
        self.into(1, flat1, patches1)
        dpatches = np.matmul(flat1, matrix(p["kernel1"]), out=new("dpatches", *patches1.shape))
        dpatches = dpatches.reshape(n, *hidden1.shape[1:3], KERNEL, KERNEL, out0)
        dhidden0 = new("dhidden0", *hidden0.shape)
        dhidden0[...] = 0.0
        within = side - KERNEL + 1
        for i in range(KERNEL):
            for j in range(KERNEL):
                part = dhidden0[:, i : i + within, j : j + within]
                np.add(part, dpatches[:, :, :, i, j], out=part)
        np.multiply(dhidden0, hidden0 > 0, out=dhidden0)
        self.into(0, dhidden0.reshape(-1, out0), patches0)
        return loss

    def layer(self, images: Any, i: int) -> tuple[np.ndarray, np.ndarray]:
        """The patches (n * side * side, 9 * channels), and relu(patches @ kernel + bias)."""
        n, side, _, channels = images.shape
        within = side - KERNEL + 1
        patches = self.buffers(f"patches{i}", n, within, within, KERNEL, KERNEL, channels)
        windows = sliding_window_view(images, (KERNEL, KERNEL), axis=(1, 2))
        patches[...] = windows.transpose(0, 1, 2, 4, 5, 3)
        rows = patches.reshape(n * within * within, -1)
        kernel = self.p[f"kernel{i}"]
        out = self.buffers(f"hidden{i}", len(rows), len(kernel))
        np.matmul(rows, matrix(kernel).T, out=out)
        np.add(out, self.p[f"bias{i}"], out=out)
        np.maximum(out, 0.0, out=out)
        return rows, out.reshape(n, within, within, len(kernel))

    def into(self, i: int, slopes: np.ndarray, patches: np.ndarray) -> None:
        """The gradients of a layer's kernel and bias."""
        kernel = self.d[f"kernel{i}"]
        product = slopes.T @ patches
        out, channels = kernel.shape[:2]
        kernel[...] = product.reshape(out, KERNEL, KERNEL, channels).transpose(0, 3, 1, 2)
        np.add.reduce(slopes, axis=0, out=self.d[f"bias{i}"])


def matrix(kernel: np.ndarray) -> np.ndarray:
    """(out, channels, 3, 3) -> (out, 9 * channels), in the order of the patches."""
    return kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1)
