"""A convolutional network on the handwritten digits of scikit-learn, 8 x 8, from plain loops.

3 x 3 kernels, 1 to 4 to 8 channels, ReLU, no padding, then one linear layer: 1,626 parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models import Network, Numbers, leaves
from benchmarks.models.makemore import cross_entropy, linear

__all__ = ["batches", "numbers", "with_loops"]

SIDE, KERNEL, CLASSES = 8, 3, 10


def numbers(seed: int = 42, channels: tuple[int, int] = (4, 8)) -> dict[str, np.ndarray]:
    """Kernels (out, in, 3, 3) from N(0, 2/fan_in), as suits ReLU; the last layer smaller."""
    rng = np.random.default_rng(seed)
    found, nin = {}, 1
    for i, nout in enumerate(channels):
        scale = (2 / (nin * KERNEL**2)) ** 0.5
        found[f"kernel{i}"] = rng.normal(0.0, scale, (nout, nin, KERNEL, KERNEL))
        found[f"bias{i}"] = np.zeros(nout)
        nin = nout
    pixels = nin * (SIDE - 2 * (KERNEL - 1)) ** 2
    found["head.weight"] = rng.normal(0.0, pixels**-0.5, (CLASSES, pixels))
    found["head.bias"] = np.zeros(CLASSES)
    return found


def batches(count: int, size: int = 32) -> list[tuple[np.ndarray, ...]]:
    """Images (size, 1, 8, 8) from 0 to 1, and the digits (size,)."""
    from sklearn.datasets import load_digits  # half a second, which only this network needs

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))[: count * size]
    X, y = X[order].reshape(-1, 1, SIDE, SIDE) / 16, y[order].astype(np.int64)
    return [(X[i : i + size], y[i : i + size]) for i in range(0, count * size, size)]


def with_loops(numbers: Numbers) -> Network:
    values = leaves(numbers)
    K0, b0, K1, b1, W, b = (array.tolist() for array in values.values())

    def loss(X: Any, y: Any) -> Any:
        total = 0.0
        for image, target in zip(X, y, strict=True):
            for kernels, bias in ((K0, b0), (K1, b1)):
                image = convolved(image, kernels, bias)
            pixels = [pixel for channel in image for row in channel for pixel in row]
            total = total + cross_entropy(linear(pixels, W, b), target)
        return total / len(y)

    return Network(loss, values)


def convolved(image: Any, kernels: list[Any], bias: list[Any]) -> list[Any]:
    """relu(b + sum of kernel * the patch below it), for each kernel and each place."""
    side = len(image[0]) - KERNEL + 1
    channels = []
    for kernel, b in zip(kernels, bias, strict=True):
        channel = []
        for i in range(side):
            row = []
            for j in range(side):
                total = b
                for plane, weights in zip(image, kernel, strict=True):
                    for di, line in enumerate(weights):
                        for dj, w in enumerate(line):
                            total = total + w * plane[i + di][j + dj]
                row.append(total.relu())
            channel.append(row)
        channels.append(channel)
    return channels
